"""Numbers, times and identities as Alpaca writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from pyrt.adapters.alpaca.simulator.protocol.http import Refused, bad
from pyrt.core.times import format_ns, timestamp_ns
from pyrt.errors import ConfigError

NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIRST_YEAR, LAST_YEAR = 1678, 2261
FAR = (1 << 62) + (1 << 61)
"""Beyond the years of 64-bit nanoseconds; a time there is as good as never."""
ACCOUNT_ID = "8f6e2c1a-4b7d-4e3f-9a58-0c1d2e3f4a5b"


def text(value: Decimal | None) -> str | None:
    """Return a decimal without exponent and trailing zeros."""
    if value is None:
        return None
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def decimal(value: Any, name: str) -> Decimal | None:
    """Read a decimal from a JSON number or string; Refused if it is none."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise bad(f"invalid {name}: {value}") from None
    if isinstance(value, bool) or not number.is_finite() or abs(number) > Decimal(10) ** 9:
        raise bad(f"invalid {name}: {value}")
    return number.quantize(Decimal("1e-9")).normalize()


def instant(
    value: str | None, name: str, default: int, *, refusal: Callable[[str], Refused] = bad
) -> int:
    """Read a time or date of a query as ns UTC; Refused if it is none."""
    if value is None:
        return default
    try:
        return timestamp_ns(value.strip().replace(" ", "+"))
    except (ConfigError, OverflowError):
        far = _far(value)
        if far is None:
            raise refusal(f"invalid {name}: {value}") from None
        return far


def _far(value: str) -> int | None:
    """Return the end of our time for an instant beyond it, ns UTC; None for what is no time."""
    try:
        year = dt.datetime.fromisoformat(value.strip().replace(" ", "+")).year
    except ValueError:
        return None
    if FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return -FAR if year < FIRST_YEAR else FAR


@lru_cache(maxsize=4096)
def asset_id(symbol: str) -> str:
    """Return the id of a symbol's asset; the same in every run."""
    return str(uuid5(NAMESPACE_URL, f"pyrt:asset:{symbol}"))


def numbered_id(kind: str, number: int) -> str:
    """Return the `number`-th id of a kind: a random-looking UUID, the same in every run."""
    digits = blake2b(f"{kind}:{number}".encode(), digest_size=16).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def ulid(ts: int, number: int) -> str:
    """Return an id that sorts by time (ns UTC) and then by number, as event ids do."""
    value = (ts // 1_000_000) << 80 | number
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


@lru_cache(maxsize=1024)
def _second_text(seconds: int) -> str:
    return format_ns(seconds * SECOND)[:-1]


def utc_text(ts: int) -> str:
    """Return an instant in UTC with as many digits as needed."""
    seconds, nanos = divmod(ts, SECOND)
    whole = _second_text(seconds)
    return f"{whole}.{nanos:09d}".rstrip("0") + "Z" if nanos else whole + "Z"


def eastern(ts: int) -> dt.datetime:
    """Return an instant as New York time, cut to the second."""
    return dt.datetime.fromtimestamp(ts // SECOND, NEW_YORK)


def eastern_text(ts: int) -> str:
    """Return an instant with New York's offset, as the clock shows it."""
    return _offset_text(eastern(ts), ts)


def zoned_text(ts: int, zone: str) -> str:
    """Return an instant with the offset of a time zone."""
    return _offset_text(dt.datetime.fromtimestamp(ts // SECOND, ZoneInfo(zone)), ts)


def _offset_text(moment: dt.datetime, ts: int) -> str:
    whole, nanos = moment.isoformat(), ts % SECOND
    return whole[:19] + (f".{nanos:09d}".rstrip("0") if nanos else "") + whole[19:]


def is_pair(symbol: str) -> bool:
    """Tell whether a symbol is a pair of coins."""
    return "/" in symbol


@lru_cache(maxsize=4096)
def _midnight_of_hour(hour: int) -> int:
    moment = eastern(hour * HOUR).replace(hour=0, minute=0, second=0)
    return int(moment.timestamp()) * SECOND


def midnight(ts: int, *, utc: bool = False) -> int:
    """Return the start of the day of an instant, in New York or in UTC (ns UTC)."""
    return ts // DAY * DAY if utc else _midnight_of_hour(ts // HOUR)

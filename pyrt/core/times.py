"""Reading points in time and durations as people write them, into ns."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from numbers import Integral
from typing import Any

import numpy as np

from pyrt.errors import ConfigError

_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d|w)")
_FRACTION = re.compile(r"\.(\d{7,9})(?=$|[Z+-])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)


def duration_ns(value: int | str | timedelta | Any) -> int:
    """Return a duration in ns.

    Parameters
    ----------
    value : int, str or timedelta
        Nanoseconds, a text such as ``"250ms"``, ``"5m"``, ``"1d"``, or a (pandas) timedelta.

    Raises
    ------
    ConfigError
        Naming the value.

    Examples
    --------
    >>> duration_ns("1.5s")
    1500000000
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match:
            return round(float(match[1]) * _UNITS_NS[match[2]])
    if isinstance(value, timedelta):
        days = (value.days * 86_400 + value.seconds) * 1_000_000_000
        return days + value.microseconds * 1_000 + int(getattr(value, "nanoseconds", 0))
    raise ConfigError(
        f"{value!r} is not a duration",
        remedy='Write nanoseconds as an int, a timedelta, or text such as "250ms", "5m", "1d"',
    )


def timestamp_ns(value: int | str | date | datetime | Any) -> int:
    """Return a point in time in ns since the Unix epoch, UTC.

    Parameters
    ----------
    value : int, str, date, datetime or datetime64
        Nanoseconds, ISO 8601 text, or a date object. Text or datetimes without an offset are
        read as UTC; a bare date is its midnight UTC.

    Raises
    ------
    ConfigError
        Naming the value.

    Examples
    --------
    >>> timestamp_ns("2013-10-07T13:30:00Z")
    1381152600000000000
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, np.datetime64) and not np.isnat(value):
        return int(value.astype("datetime64[ns]").astype(np.int64))
    given, extra = value, 0
    if isinstance(value, str):
        text = value.strip()
        fraction = _FRACTION.search(text)
        if fraction:
            digits = fraction[1].ljust(9, "0")
            extra = int(digits[6:])
            text = text[: fraction.start()] + "." + digits[:6] + text[fraction.end() :]
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            value = None
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        elapsed = moment - _EPOCH
        whole = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000_000
        return whole + elapsed.microseconds * 1_000 + int(getattr(value, "nanosecond", 0)) + extra
    if isinstance(value, date):
        return (value - _EPOCH.date()).days * _UNITS_NS["d"]
    raise ConfigError(
        f"{given!r} is not a point in time",
        remedy='Write ns as an int, a datetime, or ISO text such as "2024-01-31T14:30:00Z"',
    )


def format_ns(ts: int) -> str:
    """Return ISO 8601 text in UTC with as many digits as needed.

    Examples
    --------
    >>> format_ns(1381152600000000000)
    '2013-10-07T13:30:00Z'
    """
    seconds, nanos = divmod(ts, 1_000_000_000)
    text = (_NAIVE_EPOCH + timedelta(seconds=seconds)).isoformat()
    return text + (f".{nanos:09d}".rstrip("0") if nanos else "") + "Z"

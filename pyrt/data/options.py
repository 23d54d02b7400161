"""What a caller said about a table: checked once, handed to every step of a load."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyrt.core.suggest import did_you_mean
from pyrt.data.timeframe import parse_timeframe
from pyrt.errors import ConfigError, UnknownName

KINDS = ("bars", "quotes", "trades", "book", "quotebars", "closes")
"""Tables that `load` reads; quote bars and closes become bars only when asked for."""

DIALECTS = ("l2", "mbo", "lobster")
"""Ways to write book events; see `pyrt.core.OrderBook.apply_table`."""

REPAIRS = (
    "utc",
    "drop_nan",
    "sort",
    "drop_duplicates",
    "ffill",
    "clip",
    "drop_invalid",
)
"""Repairs in the order in which they are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The checked options of a load; fields as the parameters of `pyrt.data.load`."""

    symbols: tuple[str, ...] | None = None
    default_symbol: str | None = None
    timeframe_ns: int | None = None
    label: str | None = None
    tz: str | None = None
    calendar: str | None = None
    calendar_of: Callable[[str], str | None] | None = None
    repairs: frozenset[str] = frozenset()
    kind: str | None = None
    price: str | None = None
    adjusted: bool = False
    dialect: str | None = None


def make_options(
    *,
    symbol: str | Iterable[str] | None,
    default_symbol: str | None,
    timeframe: str | None,
    label: str | None,
    tz: object,
    calendar: str | None,
    repair: str | Iterable[str] | None,
    kind: str | None,
    price: str | None,
    adjusted: bool,
    dialect: str | None = None,
    calendar_of: Callable[[str], str | None] | None = None,
) -> Options:
    """Check what `load` was given.

    Raises
    ------
    ConfigError
        If a value is none of those allowed, or two exclude each other.
    UnknownName
        If the time zone does not exist.
    """
    _one_of("label", label, ("open", "close"))
    _one_of("kind", kind, KINDS)
    _one_of("price", price, ("bid", "ask", "mid"))
    _one_of("dialect", dialect, DIALECTS)
    repairs = frozenset([repair] if isinstance(repair, str) else repair or ())
    for name in sorted(repairs):
        _one_of("repair", name, REPAIRS)
    if {"drop_nan", "ffill"} <= repairs:
        raise ConfigError(
            'repair "drop_nan" and "ffill" exclude each other',
            code="repair",
            remedy="Write one of the two",
        )
    return Options(
        symbols=(symbol,) if isinstance(symbol, str) else tuple(symbol) if symbol else None,
        default_symbol=default_symbol,
        timeframe_ns=None if timeframe is None else parse_timeframe(timeframe),
        label=label,
        tz=None if tz is None else zone_name(str(tz)),
        calendar=calendar,
        calendar_of=calendar_of,
        repairs=repairs,
        kind=kind,
        price=price,
        adjusted=adjusted,
        dialect=dialect,
    )


def zone_name(name: str) -> str:
    """Return the name of a time zone that exists.

    Raises
    ------
    UnknownName
        If there is no such zone; close names are suggested.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = sorted(zoneinfo.available_timezones())
        raise UnknownName(
            f"no time zone is called {name!r}",
            code="unknown_timezone",
            remedy=did_you_mean(name, known),
            name=name,
        ) from error
    return name


def _one_of(what: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is None or value in allowed:
        return
    raise ConfigError(
        f"{what}={value!r} is not one of {', '.join(allowed)}",
        code=what,
        remedy=did_you_mean(str(value), allowed),
        value=value,
    )

"""Reading the values of limits: what is no finite number of 0 or more is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pyrt.core.suggest import did_you_mean
from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError
from pyrt.risk.limit_names import DURATIONS, PER_SYMBOL

Number = int | float | Decimal | str
Duration = int | str | timedelta
# A day in seconds is 86,400; nobody limits anything to less than a millisecond in a file.
BARE_NS_MIN = 1_000_000


def refusal(name: str, value: Any, expected: str) -> ConfigError:
    """Return the error that names a value and what was expected."""
    return ConfigError(f"{name} is {value!r}; expected {expected}", name=name, value=value)


def unknown(name: str, known: list[str] | tuple[str, ...]) -> ConfigError:
    """Return the error for a name that is none, with the nearest that is one."""
    return ConfigError(f"there is no limit {name!r}", remedy=did_you_mean(name, known), name=name)


def number_of(name: str, value: Any) -> Decimal | None:
    """Read a finite number of 0 or more; a float is what it prints as."""
    if value is None:
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except ArithmeticError:
        raise refusal(name, value, "a number") from None
    if not number.is_finite() or number < 0:
        raise refusal(name, value, "a finite number of 0 or more")
    if number >= Decimal(10) ** 18:
        raise refusal(name, value, "a number below 1e18")
    return number.normalize() + 0


def check_count(name: str, value: Any) -> None:
    """Refuse what is no whole number."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise refusal(name, value, "a whole number from 0 to 1,000,000")


def duration_of(name: str, value: Any) -> int | None:
    """Read a duration into ns."""
    if value is None:
        return None
    try:
        length = duration_ns(value)
    except ConfigError:
        raise refusal(name, value, 'a duration such as "5s"') from None
    if length < 0:
        raise refusal(name, value, "a duration of 0 or more")
    return length


def check_units(values: Mapping[str, Any]) -> None:
    """Refuse durations of a settings file that are plainly no nanoseconds: seconds without a unit.

    Files alone are asked: what a journal holds is in nanoseconds, however short.
    """
    for name in DURATIONS:
        value = values.get(name)
        if isinstance(value, int) and 0 < value < BARE_NS_MIN:
            raise refusal(
                name, value, f'a duration with its unit, such as "{value}s"; a bare number is ns'
            )


def names_of(symbols: Any) -> tuple[str, ...] | None:
    """Read symbols into a sorted tuple."""
    if symbols is None:
        return None
    if not isinstance(symbols, (tuple, list, set, frozenset)) or not all(
        isinstance(s, str) for s in symbols
    ):
        raise refusal("allowed_symbols", symbols, "a tuple of symbols")
    return tuple(sorted(symbols))


def overrides_of(symbols: Any) -> Mapping[str, Mapping[str, Any]]:
    """Check the limits of single symbols and freeze them."""
    if not isinstance(symbols, Mapping) or not all(
        isinstance(symbol, str) and isinstance(own, Mapping) for symbol, own in symbols.items()
    ):
        raise refusal("symbols", symbols, "a mapping of symbol to limits")
    frozen = {}
    for symbol in sorted(symbols):
        for name in symbols[symbol]:
            if name not in PER_SYMBOL:
                raise unknown(name, PER_SYMBOL)
        frozen[symbol] = MappingProxyType(
            {name: number_of(name, value) for name, value in sorted(symbols[symbol].items())}
        )
    return MappingProxyType(frozen)


def reset_ns(text: str) -> int:
    """Read a time of day into ns after midnight UTC; 0 where sessions tell."""
    if text == "session":
        return 0
    hours, _, minutes = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        raise refusal("daily_reset", text, 'a time of day such as "13:30", or "session"')
    return (int(hours) * 60 + int(minutes)) * 60_000_000_000

"""Timeframes: the grammar ``<n>s|m|h|d|w`` and its length in nanoseconds."""

from __future__ import annotations

import re

from pyrt.errors import ConfigError

UNITS_NS = {
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
"""Length of each unit in nanoseconds; a day is 24 hours, whatever the local clock does."""

DAY_NS = UNITS_NS["d"]
"""Nanoseconds in a day of 24 hours."""

_PATTERN = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_LENGTH_MAX_NS = 100 * 366 * DAY_NS


def parse_timeframe(text: str) -> int:
    """Return the length of a timeframe in nanoseconds.

    Parameters
    ----------
    text : str
        A whole number of at least 1 and a unit: ``"1m"``, ``"4h"``, ``"1d"``.

    Raises
    ------
    ConfigError
        If the text is none, or is longer than a century.

    Examples
    --------
    >>> parse_timeframe("5m")
    300000000000
    """
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    length = int(match[1]) * UNITS_NS[match[2]] if match else 0
    if not 0 < length <= _LENGTH_MAX_NS:
        raise ConfigError(
            f"{text!r} is not a timeframe",
            code="timeframe",
            remedy='Write a whole number and one of s, m, h, d, w: "1m", "4h", "1d"',
            timeframe=text,
        )
    return length


def format_timeframe(length_ns: int) -> str:
    """Return the canonical text of a length: the largest unit that divides it.

    Raises
    ------
    ConfigError
        If the length is not a positive whole number of seconds.

    Examples
    --------
    >>> format_timeframe(3_600_000_000_000), format_timeframe(90_000_000_000)
    ('1h', '90s')
    """
    if length_ns > 0:
        for unit in "wdhms":
            count, rest = divmod(length_ns, UNITS_NS[unit])
            if count and not rest:
                return f"{count}{unit}"
    raise ConfigError(
        f"{length_ns} ns is not a whole number of seconds",
        code="timeframe",
        remedy='Give the timeframe of the table: timeframe="1m"',
        length_ns=length_ns,
    )

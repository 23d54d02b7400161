"""In which timeframes Alpaca has bars, and what it calls them."""

from __future__ import annotations

from pyrt.errors import ConfigError

MINUTE = 60_000_000_000
STEPS = (
    (MINUTE, "Min", range(1, 60)),
    (60 * MINUTE, "Hour", range(1, 24)),
    (1440 * MINUTE, "Day", range(1, 2)),
    (7 * 1440 * MINUTE, "Week", range(1, 2)),
)
"""Length of a unit, the broker's word for it, and how many of it there may be."""


def wire_timeframe(length: int, text: str) -> str:
    """Return the broker's word for a timeframe of a length (ns), which is called `text` here.

    Raises
    ------
    ConfigError
        If it has no bars of that length.

    Examples
    --------
    >>> wire_timeframe(15 * MINUTE, "15m"), wire_timeframe(120 * MINUTE, "120m")
    ('15Min', '2Hour')
    """
    for unit, word, counts in STEPS:
        if length % unit == 0 and length // unit in counts:
            return f"{length // unit}{word}"
    raise ConfigError(
        f"Alpaca has no bars of {text!r}",
        code="timeframe",
        remedy="It has 1m to 59m, 1h to 23h, 1d and 1w; others are made of these",
        timeframe=text,
    )

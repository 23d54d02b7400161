"""Did you mean: close names for a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(name: str, known: Iterable[str], limit: int = 3, cutoff: float = 0.6) -> list[str]:
    """Return up to `limit` known names that resemble `name`, best first, case ignored.

    `cutoff` is how much of the names must agree, from 0 to 1.

    Examples
    --------
    >>> suggest("appl", ["AAPL", "MSFT"])
    ['AAPL']
    """
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=limit, cutoff=cutoff)
    return [by_folded[folded] for folded in close]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a remedy: the close names, or else the first few of those that are known.

    Examples
    --------
    >>> did_you_mean("SPI", ["SPY", "QQQ"])
    'Did you mean SPY?'
    >>> did_you_mean("x", [])
    'Nothing is known by any name here'
    """
    names = list(known)
    close = suggest(name, names)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if not names:
        return "Nothing is known by any name here"
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"Known are {', '.join(names[:5])}{rest}"

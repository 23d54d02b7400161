"""Sessions of the calendars that a node's instruments trade by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DAY_NS = 86_400_000_000_000
BEFORE_NS = 400 * DAY_NS
AFTER_NS = 400 * DAY_NS
ALWAYS = "24/7"


def sessions_around(now: int) -> Callable[[str], tuple[Any, Any] | None]:
    """Return a function: calendar name → (opens, closes) of a year before and after `now`."""
    found: dict[str, tuple[Any, Any]] = {}

    def sessions_of(calendar: str) -> tuple[Any, Any] | None:
        if calendar == ALWAYS:
            return None
        if calendar not in found:
            # Takes most of a second: only nodes that ask pay for it.
            from pyrt.venues.sessions import sessions

            table = sessions(calendar, now - BEFORE_NS, now + AFTER_NS)
            found[calendar] = (table.open, table.close)
        return found[calendar]

    return sessions_of

"""How many sessions after a trade US stocks are settled."""

from __future__ import annotations

import datetime as dt

TWO_DAYS_FROM = dt.date(2017, 9, 5)
ONE_DAY_FROM = dt.date(2024, 5, 28)


def settlement_lag(day: dt.date) -> int:
    """Return the sessions from a trade to its settlement: three, then two, and one since 2024."""
    return 3 if day < TWO_DAYS_FROM else 2 if day < ONE_DAY_FROM else 1

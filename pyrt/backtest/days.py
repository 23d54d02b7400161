"""When the account's days end, and what currencies are worth: rows the runner applies in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from pyrt.core.instruments import Instrument
from pyrt.core.numbers import price_to_raw
from pyrt.core.times import timestamp_ns
from pyrt.errors import DataError

DAY_NS = 86_400_000_000_000
Action = tuple[int, str, int, int, int]
Sessions = Callable[[str], tuple[Any, Any] | None]


def day_ends(
    instruments: Sequence[Instrument], sessions: Sessions, first: int, last: int
) -> list[Action]:
    """Return a row for each day of the account that ends in [first, last].

    A day ends with the session of the first instrument that has sessions, and is charged for the
    nights until the next one ends; where nothing has sessions it ends at midnight UTC.
    """
    for instrument in instruments:
        table = sessions(instrument.calendar)
        if table is not None:
            closes = np.asarray(table[1], np.int64)
            return [
                (int(close), "day_end", -1, _nights(int(close), int(then)), 0)
                for close, then in pairwise(closes)
                if first <= close <= last
            ]
    midnights = range(-(-first // DAY_NS) * DAY_NS, last + 1, DAY_NS)
    return [(ts, "day_end", -1, 1, 0) for ts in midnights]


def _nights(close: int, then: int) -> int:
    """Calendar nights between two closes, by their dates in UTC: US sessions close before it."""
    dates = [datetime.fromtimestamp(ts // 1_000_000_000, UTC).date() for ts in (close, then)]
    return (dates[1] - dates[0]).days


def rate_rows(table: Any, currency_number: Callable[[str], int], first: int = 0) -> list[Action]:
    """Return rows that state rates: ``ts_event``, ``currency``, ``rate`` in base currency.

    Parameters
    ----------
    table : DataFrame, list of dict, or mapping of currency to one rate for the whole run
    currency_number : callable
        Number of a currency in the account.
    first : int
        Start of the run: what was stated before holds from there.
    """
    if hasattr(table, "to_dict") and not isinstance(table, dict):
        table = table.to_dict("records")
    if isinstance(table, dict):
        table = [{"ts_event": 0, "currency": c, "rate": r} for c, r in table.items()]
    rows = []
    for number, row in enumerate(table):
        rate = price_to_raw(row["rate"])
        if rate <= 0:
            raise DataError(f"row {number}: rate is {row['rate']!r}; expected a positive number")
        ts = max(first, timestamp_ns(row["ts_event"]))
        rows.append((ts, "rate", -1, currency_number(str(row["currency"])), rate))
    return rows

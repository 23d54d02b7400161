"""What a run's own data say of its symbols' days: average volumes, average true ranges."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from pyrt.core.instruments import Instrument
from pyrt.data.columns import BarColumns, TradeColumns
from pyrt.risk.ranges import TrailingRanges
from pyrt.risk.trailing import DAY_NS, Sessions
from pyrt.risk.volumes import TrailingVolumes

Columns = Any


class DataDays(ABC):
    """Figures of the symbols of a run, from one table of each.

    That is the bars of at most a day which reach back furthest, the finest of them; prints where
    there are no bars.

    Parameters
    ----------
    tables : sequence of columns
        Whole, or the first chunks of streams.
    instruments : mapping of symbol to Instrument
    """

    def __init__(self, tables: Sequence[Columns], instruments: Any) -> None:
        self._instruments = instruments
        self._chosen: dict[str, int] = {}
        for symbol in dict.fromkeys(table.symbol for table in tables):
            own = [n for n, table in enumerate(tables) if table.symbol == symbol]
            best = min((_rank(tables[n]), n) for n in own)
            if best[0] is not NOTHING:
                self._chosen[symbol] = best[1]
        for number, table in enumerate(tables):
            self.add(number, table)

    def add(self, number: int, table: Columns) -> None:
        """Take rows of a table by its place among the tables; those of others say nothing."""
        if self._chosen.get(table.symbol) == number and len(table):
            self._take(table, self._instruments[table.symbol].calendar)

    @abstractmethod
    def _take(self, table: Columns, calendar: str) -> None:
        """Take rows of a table that was chosen for its symbol."""


class DataVolumes(DataDays):
    """Average daily volumes, over `count` sessions of a calendar's table of `sessions`."""

    def __init__(
        self, tables: Sequence[Columns], instruments: Any, sessions: Sessions, count: int
    ) -> None:
        self._volumes = TrailingVolumes(sessions, count)
        super().__init__(tables, instruments)

    def _take(self, table: Columns, calendar: str) -> None:
        ts, is_bar = _times(table)
        sizes = table.volume if is_bar else table.size
        self._volumes.add(table.symbol, calendar, ts, sizes, known=table.ts_init, labels_end=is_bar)

    def __call__(self, instrument: Instrument, now: int) -> Decimal | None:
        """Return an instrument's average daily volume at `now`; None where it is not known."""
        return self._volumes.average(instrument.symbol, instrument.calendar, now)

    def split(self, instrument: Instrument, now: int, factor: float) -> None:
        """Turn volumes before a split into those of new units, `factor` for an old one."""
        self._volumes.rescale(instrument.symbol, now, factor)


class DataRanges(DataDays):
    """Average true ranges, over `count` sessions of a calendar's table of `sessions`."""

    def __init__(
        self, tables: Sequence[Columns], instruments: Any, sessions: Sessions, count: int
    ) -> None:
        self._ranges = TrailingRanges(sessions, count)
        super().__init__(tables, instruments)

    def _take(self, table: Columns, calendar: str) -> None:
        ts, is_bar = _times(table)
        prices = (table.high, table.low, table.close) if is_bar else (table.price,) * 3
        self._ranges.add(
            table.symbol, calendar, ts, *prices, known=table.ts_init, labels_end=is_bar
        )

    def average(self, instrument: Instrument, now: int) -> float | None:
        """Return an instrument's average true range at `now`; None where it is not known."""
        return self._ranges.average(instrument.symbol, instrument.calendar, now)

    def split(self, instrument: Instrument, now: int, factor: float) -> None:
        """Turn prices of sessions before a split into those after it."""
        self._ranges.rescale(instrument.symbol, instrument.calendar, now, factor)


NOTHING = (2, 0, 0)


def _times(table: Columns) -> tuple[Any, bool]:
    """Return when the rows of a table are over or happen, and whether they are bars."""
    is_bar = isinstance(table, BarColumns)
    return np.asarray(table.ts_close if is_bar else table.ts_event, np.int64), is_bar


def _rank(table: Columns) -> tuple[int, int, int]:
    """Order tables by what they say of days; the least says most."""
    if isinstance(table, BarColumns) and table.timeframe_ns <= DAY_NS and len(table):
        return (0, int(table.ts_open[0]), table.timeframe_ns)
    if isinstance(table, TradeColumns) and len(table):
        return (1, int(table.ts_event[0]), 0)
    return NOTHING

"""What a run's own data say of daily volumes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pyrt.core.instruments import Instrument
from pyrt.data.columns import BarColumns, TradeColumns
from pyrt.risk.volumes import DAY_NS, Sessions, TrailingVolumes

Columns = Any


class DataVolumes:
    """Average daily volumes of the symbols of a run, from one table of each.

    That is the bars of at most a day which reach back furthest, the finest of them; prints where
    there are no bars.

    Parameters
    ----------
    tables : sequence of columns
        Whole, or the first chunks of streams.
    instruments : mapping of symbol to Instrument
    sessions : callable
        See `pyrt.risk.volumes.Sessions`.
    count : int
        Sessions that are averaged.
    """

    def __init__(
        self, tables: Sequence[Columns], instruments: Any, sessions: Sessions, count: int
    ) -> None:
        self._volumes = TrailingVolumes(sessions, count)
        self._instruments = instruments
        self._chosen: dict[str, int] = {}
        for symbol in dict.fromkeys(table.symbol for table in tables):
            own = [n for n, table in enumerate(tables) if table.symbol == symbol]
            best = min((_rank(tables[n]), n) for n in own)
            if best[0] is not NO_VOLUME:
                self._chosen[symbol] = best[1]
        for number, table in enumerate(tables):
            self.add(number, table)

    def add(self, number: int, table: Columns) -> None:
        """Count rows of a table by its place among the tables; those of others say nothing."""
        if self._chosen.get(table.symbol) != number or not len(table):
            return
        calendar = self._instruments[table.symbol].calendar
        if isinstance(table, BarColumns):
            self._volumes.add(
                table.symbol, calendar, table.ts_close, table.volume, known=table.ts_init
            )
        else:
            self._volumes.add(
                table.symbol,
                calendar,
                table.ts_event,
                table.size,
                known=table.ts_init,
                labels_end=False,
            )

    def __call__(self, instrument: Instrument, now: int) -> Decimal | None:
        """Return an instrument's average daily volume at `now`; None where it is not known."""
        return self._volumes.average(instrument.symbol, instrument.calendar, now)


NO_VOLUME = (2, 0, 0)


def _rank(table: Columns) -> tuple[int, int, int]:
    """Order tables by what they say of daily volumes; the least says most."""
    if isinstance(table, BarColumns) and table.timeframe_ns <= DAY_NS and len(table):
        return (0, int(table.ts_open[0]), table.timeframe_ns)
    if isinstance(table, TradeColumns) and len(table):
        return (1, int(table.ts_event[0]), 0)
    return NO_VOLUME

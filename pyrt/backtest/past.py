"""What of a run's tables is past: where they begin, and bars that a strategy looks back on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pyrt.core.data import Bar
from pyrt.data.columns import BarColumns, Columns
from pyrt.errors import ConfigError
from pyrt.kernel.kernel import Kernel
from pyrt.kernel.subscriptions import topic_of


def topic_of_table(table: Columns) -> str:
    """Return the topic that a table's rows are told under."""
    return topic_of(table.kind, table.symbol, getattr(table, "timeframe", ""))


def first_moment(table: Columns) -> int:
    """Return when a table begins, ns UTC: the open of its first bar."""
    return int(table.ts_open[0] if isinstance(table, BarColumns) else table.ts_init[0])


def history_of(kernel: Kernel, tables: Sequence[Columns]) -> Callable[[str, str, int], list[Bar]]:
    """Return a function: symbol, timeframe and count → the last bars known at the kernel's time.

    Raises
    ------
    ConfigError
        If the run has no such bars.
    """

    def history(symbol: str, timeframe: str, bars: int) -> list[Bar]:
        topic = topic_of("bars", kernel.cache.instrument(symbol).id, timeframe)
        table = next((t for t in tables if topic_of_table(t) == topic), None)
        if not isinstance(table, BarColumns):
            raise ConfigError(f"the run has no {timeframe} bars of {symbol} to look back on")
        known = int(np.searchsorted(table.ts_init, kernel.clock.timestamp_ns, side="right"))
        return [_bar(table, i) for i in range(max(0, known - bars), known)]

    return history


def _bar(table: BarColumns, i: int) -> Bar:
    return Bar(
        table.symbol,
        table.timeframe,
        table.open[i],
        table.high[i],
        table.low[i],
        table.close[i],
        table.volume[i],
        table.ts_open[i],
        table.ts_close[i],
        table.ts_init[i],
    )

"""What of a run's tables is past: where they begin, and bars that a strategy looks back on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from pyrt.core.data import Bar
from pyrt.data.columns import BarColumns, Columns
from pyrt.errors import ConfigError
from pyrt.kernel.kernel import Kernel
from pyrt.kernel.subscriptions import topic_of

KEPT_BARS = 1 << 17
"""Known bars of a stream that can be looked back on: a few megabytes."""


def topic_of_table(table: Columns) -> str:
    """Return the topic that a table's rows are told under."""
    return topic_of(table.kind, table.symbol, getattr(table, "timeframe", ""))


def first_moment(table: Columns) -> int:
    """Return when a table begins, ns UTC: the open of its first bar."""
    return int(table.ts_open[0] if isinstance(table, BarColumns) else table.ts_init[0])


def arrives_late(table: Columns) -> bool:
    """Return whether a table, or a stream's first chunk, has rows known after they happened."""
    ended = table.ts_close if isinstance(table, BarColumns) else table.ts_event
    return bool(np.any(table.ts_init > ended))


class PastBars:
    """The bars of a run's tables that strategies look back on.

    Parameters
    ----------
    kernel : Kernel
    tables : sequence of Columns
        Whole, or the first chunks of streams.
    streamed : collection of int
        Places of the latter. Of each, the last `KEPT_BARS` known bars stay in memory.
    """

    def __init__(
        self, kernel: Kernel, tables: Sequence[Columns], streamed: Collection[int]
    ) -> None:
        self._kernel = kernel
        self._topics: dict[str, int] = {}
        self._chunks: dict[int, list[BarColumns]] = {}
        self._gone = dict.fromkeys(streamed, 0)
        for number, table in enumerate(tables):
            if isinstance(table, BarColumns):
                self._topics.setdefault(topic_of_table(table), number)
                self._chunks[number] = [table]

    def add(self, number: int, chunk: Columns) -> None:
        """Take the next chunk of a stream, and let go of bars that are too old to be asked for."""
        if not isinstance(chunk, BarColumns):
            return
        chunks = self._chunks[number]
        known = sum(self._known(kept) for kept in chunks)
        while known - len(chunks[0]) >= KEPT_BARS:
            known -= len(chunks[0])
            self._gone[number] += len(chunks.pop(0))
        chunks.append(chunk)

    def _known(self, chunk: BarColumns) -> int:
        now = self._kernel.clock.timestamp_ns
        return int(np.searchsorted(chunk.ts_init, now, side="right"))

    def __call__(self, symbol: str, timeframe: str, bars: int) -> list[Bar]:
        """Return the last `bars` bars known at the kernel's time, oldest first.

        Raises
        ------
        ConfigError
            If the run has no such bars, or not as many of a stream are kept.
        """
        number = self._topics.get(
            topic_of("bars", self._kernel.cache.instrument(symbol).id, timeframe)
        )
        if number is None:
            raise ConfigError(f"the run has no {timeframe} bars of {symbol} to look back on")
        chunks = self._chunks[number]
        known = [self._known(chunk) for chunk in chunks]
        # By the count of all that have passed, so that it does not matter where chunks end.
        total = self._gone.get(number, 0) + sum(known)
        if number in self._gone and min(bars, total) > KEPT_BARS:
            raise ConfigError(
                f"{bars:,} bars of {timeframe} of {symbol} were asked for; of data that stream "
                f"the last {KEPT_BARS:,} are kept",
                remedy="Ask for fewer, or load the table whole",
            )
        skip = max(0, sum(known) - bars)
        found: list[Bar] = []
        for chunk, end in zip(chunks, known, strict=True):
            found += [_bar(chunk, i) for i in range(min(skip, end), end)]
            skip = max(0, skip - end)
        return found


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

"""Prints and quotes of a stock, a session at a time, from tables or streams of any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.backtest.band_days import Ticks
from pyrt.venues.sessions import sessions

Int64s = NDArray[np.int64]


def session_ticks(
    trades: Iterator[Any], quotes: Iterator[Any] | None
) -> Iterator[tuple[Ticks, int, int]]:
    """Yield (ticks, open, close) of each session that has prints, oldest first.

    Of quotes those are kept that change a price. No more than one session is held, and a chunk.
    """
    prints, touches = Tape(trades, _print_columns), Tape(quotes or iter(()), _touch_columns)
    while (first := prints.first()) is not None:
        table = sessions("XNYS", first, first)
        row = int(np.searchsorted(table.close, first, side="right"))
        opens, closes = int(table.open[row]), int(table.close[row])
        times, price = prints.take(opens, closes)
        quote_times, bid, ask = touches.take(opens, closes)
        if len(times):
            yield Ticks(times, price, quote_times, bid, ask), opens, closes


class Tape:
    """Rows of chunks, taken span by span; what lies before a span is passed over."""

    def __init__(self, chunks: Iterator[Any], columns: Any) -> None:
        self._chunks = chunks
        self._columns = columns
        self._pieces: list[tuple[Int64s, ...]] = []

    def first(self) -> int | None:
        """Return the time of the next row, ns UTC; None after the last."""
        while not self._pieces:
            if not self._pull():
                return None
        return int(self._pieces[0][0][0])

    def take(self, start: int, end: int) -> tuple[Int64s, ...]:
        """Return the columns of the rows in [start, end), times first; rows before `end` go."""
        while not self._pieces or self._pieces[-1][0][-1] < end:
            if not self._pull():
                break
        taken, kept = [], []
        for piece in self._pieces:
            begin, stop = np.searchsorted(piece[0], (start, end))
            taken.append(tuple(column[begin:stop] for column in piece))
            if stop < len(piece[0]):
                kept.append(tuple(column[stop:] for column in piece))
        self._pieces = kept
        if not taken:
            return tuple(np.empty(0, np.int64) for _ in range(3))
        return tuple(np.concatenate(column) for column in zip(*taken, strict=True))

    def _pull(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        columns = self._columns(chunk)
        if len(columns[0]):
            self._pieces.append(columns)
        return True


def _print_columns(chunk: Any) -> tuple[Int64s, ...]:
    return chunk.ts_init, _raw(chunk.price)


def _touch_columns(chunk: Any) -> tuple[Int64s, ...]:
    bid, ask = _raw(chunk.bid_price), _raw(chunk.ask_price)
    changed = np.append(True, (bid[1:] != bid[:-1]) | (ask[1:] != ask[:-1]))
    return chunk.ts_init[changed], bid[changed], ask[changed]


def _raw(prices: NDArray[np.float64]) -> Int64s:
    return np.rint(np.nan_to_num(prices) * 1e9).astype(np.int64)

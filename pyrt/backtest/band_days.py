"""One stock in one session under limit up, limit down: references, bands, states, pauses."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pyrt.core.types import TradingStatus
from pyrt.venues.luld import (
    CLOSING_NS,
    LIMIT_STATE_NS,
    MOVE_E4,
    NO_REOPENING_NS,
    OPENING_NS,
    PAUSE_NS,
    REFERENCE_NS,
    UPDATE_NS,
    LuldRule,
)

Action = tuple[int, str, int, Any, int]
NEW_YORK = ZoneInfo("America/New_York")
NO_BANDS = (0, np.iinfo(np.int64).max)
PAUSE = "limit up limit down pause"
ST_TRADING = int(TradingStatus.ST_TRADING)
ST_LIMIT = int(TradingStatus.ST_LIMIT)
ST_STRADDLE = int(TradingStatus.ST_STRADDLE)


@dataclass(frozen=True, slots=True)
class Ticks:
    """Prints and quotes of one session: times and raw prices, oldest first."""

    times: NDArray[np.int64]
    prices: NDArray[np.int64]
    quote_times: NDArray[np.int64]
    bids: NDArray[np.int64]
    asks: NDArray[np.int64]


def states_of(
    bids: NDArray[np.int64], asks: NDArray[np.int64], lower: int, upper: int
) -> NDArray[np.int8]:
    """Return the `TradingStatus` of each best bid and offer: `pyrt.venues.luld.state_of`."""
    limited = (bids > 0) & (bids < asks) & ((asks <= lower) | (bids >= upper))
    straddles = ((bids > 0) & (bids < lower)) | (asks > upper)
    states: NDArray[np.int8] = np.where(straddles, ST_STRADDLE, ST_TRADING).astype(np.int8)
    states[limited] = ST_LIMIT
    return states


class Day:
    """One stock in one session: its reference prices, bands and pauses in turn."""

    def __init__(self, rule: LuldRule, index: int, ticks: Ticks, opens: int, closes: int) -> None:
        self._rule, self._index, self._ticks = rule, index, ticks
        self._opens, self._closes = opens, closes
        self._date = dt.datetime.fromtimestamp(opens // 10**9, NEW_YORK).date()
        self._found: list[Action] = []
        self._state = ST_TRADING
        # Differences to the first price: sums of a session stay far inside 64 bits.
        self._base = int(ticks.prices[0])
        self._sums = np.concatenate(([0], np.cumsum(ticks.prices - self._base)))

    def actions(self) -> list[Action]:
        """Return the session's rows, oldest first."""
        at: int | None = 0
        while at is not None:
            at = self._until_pause(at)
        self._tell(self._closes, ST_TRADING)
        self._found.append((self._closes, "band", self._index, *NO_BANDS))
        return self._found

    def _tell(self, ts: int, state: int) -> None:
        """Note that the stock is in another state from a time on."""
        if state != self._state:
            self._state = state
            self._found.append((ts, "status", self._index, state, 0))

    def _until_pause(self, first: int) -> int | None:
        """Follow the market from an opening or reopening print; return the next one's row."""
        ticks, start = self._ticks, int(self._ticks.times[first])
        reference, since = int(ticks.prices[first]), start
        while True:
            update = self._next_update(first, reference, since)
            until = self._closes if update is None else int(ticks.times[update])
            pause = self._band_times(reference, since, until)
            if pause is not None:
                return self._pause(pause)
            if update is None:
                return None
            reference, since = self._mean(first, update), until

    # -- reference prices ----------------------------------------------------------------------

    def _mean(self, first: int, row: int) -> int:
        """The mean print of the five minutes up to a row, none of before the (re)opening."""
        left = int(self._ticks.times[row]) - REFERENCE_NS
        begin: int = max(first, int(np.searchsorted(self._ticks.times, left)))
        total = int(self._sums[row + 1] - self._sums[begin])
        return self._base + total // (row + 1 - begin)

    def _next_update(self, first: int, reference: int, since: int) -> int | None:
        """The first print from 30 seconds on at which the mean has moved by one percent."""
        times = self._ticks.times
        rows = np.arange(np.searchsorted(times, since + UPDATE_NS), len(times))
        begins = np.maximum(first, np.searchsorted(times, times[rows] - REFERENCE_NS))
        totals = self._sums[rows + 1] - self._sums[begins]
        means = self._base + totals // (rows + 1 - begins)
        moved = np.flatnonzero(np.abs(means - reference) * 10_000 >= reference * MOVE_E4)
        return int(rows[moved[0]]) if len(moved) else None

    # -- bands and pauses ----------------------------------------------------------------------

    def _band_times(self, reference: int, since: int, until: int) -> int | None:
        """Note the bands of a reference price in [since, until); return when a pause begins."""
        turns = sorted(t for t in (self._opens + OPENING_NS, self._closes - CLOSING_NS)
                       if since < t < until)  # fmt: skip
        spans: list[tuple[int, tuple[int, int]]] = []
        for ts in (since, *turns):
            bands = self._rule.bands(reference, self._date, ts - self._opens, self._closes - ts)
            if not spans or spans[-1][1] != bands:
                spans.append((ts, bands))
        ends = [*(ts for ts, _ in spans[1:]), until]
        for (ts, bands), end in zip(spans, ends, strict=True):
            self._found.append((ts, "band", self._index, *bands))
            pause = self._limit_state(ts, end, *bands)
            if pause is not None:
                return pause
        return None

    def _limit_state(self, start: int, end: int, lower: int, upper: int) -> int | None:
        """Note the states of a span; return when a limit state has lasted for 15 seconds."""
        ticks = self._ticks
        first = max(0, int(np.searchsorted(ticks.quote_times, start, side="right")) - 1)
        last = int(np.searchsorted(ticks.quote_times, end))
        states = states_of(ticks.bids[first:last], ticks.asks[first:last], lower, upper)
        if not states.any() and self._state == ST_TRADING:
            return None
        times = np.maximum(ticks.quote_times[first:last], start)
        limited = (states == ST_LIMIT).astype(np.int8)
        changes = np.flatnonzero(np.diff(np.concatenate(([0], limited, [0]))))
        pause = None
        for begin, stop in changes.reshape(-1, 2).tolist():
            over = int(times[stop]) if stop < len(times) else end
            if over - int(times[begin]) >= LIMIT_STATE_NS:
                pause = int(times[begin]) + LIMIT_STATE_NS
                break
        # Of rows that share a stamp the last one stands.
        stands = np.append(times[1:] != times[:-1], True) if len(times) else limited.astype(bool)
        until = end if pause is None else pause
        for ts, state in zip(times[stands].tolist(), states[stands].tolist(), strict=True):
            if ts < until:
                self._tell(ts, state)
        return pause

    def _pause(self, start: int) -> int | None:
        """Stop trading for five minutes, to the next print after them; return its row."""
        self._found.append((start, "halt", self._index, PAUSE, 0))
        self._state = ST_TRADING  # what the end of the pause says
        row = int(np.searchsorted(self._ticks.times, start + PAUSE_NS))
        if start > self._closes - NO_REOPENING_NS or row == len(self._ticks.times):
            self._found.append((self._closes, "resume", self._index, PAUSE, 0))
            return None
        ts, price = int(self._ticks.times[row]), int(self._ticks.prices[row])
        self._found.append((ts, "reopen", self._index, price, 0))
        self._found.append((ts, "resume", self._index, PAUSE, 0))
        return row

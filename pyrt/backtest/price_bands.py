"""Price bands and pauses of limit up, limit down: from the prints and quotes, or as recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pyrt.backtest.actions import rows_of
from pyrt.core.instruments import Instrument
from pyrt.core.numbers import price_to_raw
from pyrt.core.times import timestamp_ns
from pyrt.data.columns import Columns, QuoteColumns, TradeColumns
from pyrt.errors import ConfigError, DataError
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
from pyrt.venues.sessions import sessions

Action = tuple[int, str, int, Any, int]
NEW_YORK = ZoneInfo("America/New_York")
NO_BANDS = (0, np.iinfo(np.int64).max)
TIERS = {"tier1": 1, "tier2": 2}
PAUSE = "limit up limit down pause"


@dataclass(frozen=True, slots=True)
class Ticks:
    """Prints and quotes of one session: times and raw prices, oldest first."""

    times: NDArray[np.int64]
    prices: NDArray[np.int64]
    quote_times: NDArray[np.int64]
    bids: NDArray[np.int64]
    asks: NDArray[np.int64]


def read_bands(
    luld: Any, tables: Sequence[Columns], instruments: Mapping[str, Instrument]
) -> list[Action]:
    """Return what the runner does for price bands: "band", "halt" and "reopen" rows.

    Parameters
    ----------
    luld : str, dict or table
        ``"tier1"``, ``"tier2"``; a dict of symbol → one of these or a `LuldRule`; or recorded
        bands, a table of ``ts_event symbol lower upper``.
    tables : sequence of Columns
        The run's data; bands are worked out from prints, limit states from quotes.
    instruments : mapping
        By symbol.

    Raises
    ------
    ConfigError, DataError
        If a symbol has no prints to work them out from, or recorded bands make no sense.
    """
    if isinstance(luld, (str, LuldRule)):
        symbols = {t.symbol for t in tables if isinstance(t, TradeColumns)}
        if not symbols:
            raise ConfigError(
                "price bands are worked out from prints, and this run has none",
                remedy="Add the symbol's trades, or give recorded bands as a table",
            )
        luld = dict.fromkeys(sorted(symbols), luld)
    elif not isinstance(luld, Mapping) or "ts_event" in luld:
        return _recorded(luld, instruments)
    found: list[Action] = []
    for symbol, value in luld.items():
        rule = _rule(value)
        trades = next(
            (t for t in tables if isinstance(t, TradeColumns) and t.symbol == symbol), None
        )
        if trades is None or symbol not in instruments:
            raise ConfigError(
                f"price bands of {symbol} are worked out from its prints, and there are none",
                remedy="Add its trades, or leave it out of luld",
            )
        quotes = next(
            (t for t in tables if isinstance(t, QuoteColumns) and t.symbol == symbol), None
        )
        found += _worked_out(rule, instruments[symbol].index, trades, quotes)
    return found


def _rule(value: Any) -> LuldRule:
    if isinstance(value, LuldRule):
        return value
    if value in TIERS:
        return LuldRule(tier=TIERS[value])
    raise ConfigError(f"luld is {value!r}", remedy='Write "tier1" or "tier2", or give a LuldRule')


def _recorded(table: Any, instruments: Mapping[str, Instrument]) -> list[Action]:
    found: list[Action] = []
    for row in rows_of(table, "price bands", "ts_event", "symbol", "lower", "upper"):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        lower, upper = price_to_raw(row["lower"]), price_to_raw(row["upper"])
        if not 0 <= lower < upper:
            raise DataError(
                f"the bands of {row['symbol']} at {row['ts_event']} are {row['lower']} and "
                f"{row['upper']}",
                remedy="The lower one is below the upper one",
            )
        found.append((timestamp_ns(row["ts_event"]), "band", instrument.index, lower, upper))
    return found


def _worked_out(
    rule: LuldRule, index: int, trades: TradeColumns, quotes: QuoteColumns | None
) -> Iterable[Action]:
    times, prices = trades.ts_init, _raw(trades.price)
    empty = np.empty(0, np.int64)
    table = sessions("XNYS", int(times[0]), int(times[-1]))
    for opens, closes in zip(table.open.tolist(), table.close.tolist(), strict=True):
        first, last = np.searchsorted(times, (opens, closes))
        if first == last:
            continue
        ticks = Ticks(times[first:last], prices[first:last], empty, empty, empty)
        if quotes is not None:
            begin, end = np.searchsorted(quotes.ts_init, (opens, closes))
            ticks = Ticks(
                ticks.times,
                ticks.prices,
                quotes.ts_init[begin:end],
                _raw(quotes.bid_price[begin:end]),
                _raw(quotes.ask_price[begin:end]),
            )
        yield from Day(rule, index, ticks, opens, closes).actions()


def _raw(prices: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(np.nan_to_num(prices) * 1e9).astype(np.int64)


class Day:
    """One stock in one session: its reference prices, bands and pauses in turn."""

    def __init__(self, rule: LuldRule, index: int, ticks: Ticks, opens: int, closes: int) -> None:
        self._rule, self._index, self._ticks = rule, index, ticks
        self._opens, self._closes = opens, closes
        self._date = dt.datetime.fromtimestamp(opens // 10**9, NEW_YORK).date()
        self._found: list[Action] = []
        # Differences to the first price: sums of a session stay far inside 64 bits.
        self._base = int(ticks.prices[0])
        self._sums = np.concatenate(([0], np.cumsum(ticks.prices - self._base)))

    def actions(self) -> list[Action]:
        """Return the session's rows, oldest first."""
        at: int | None = 0
        while at is not None:
            at = self._until_pause(at)
        self._found.append((self._closes, "band", self._index, *NO_BANDS))
        return self._found

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
        """When a limit state has lasted for 15 seconds; None if none does before `end`."""
        ticks = self._ticks
        first = max(0, int(np.searchsorted(ticks.quote_times, start, side="right")) - 1)
        last = int(np.searchsorted(ticks.quote_times, end))
        bids, asks = ticks.bids[first:last], ticks.asks[first:last]
        two_sided = (bids > 0) & (asks > 0) & (bids < asks)
        limited = two_sided & ((asks <= lower) | (bids >= upper))
        if not limited.any():
            return None
        times = np.maximum(ticks.quote_times[first:last], start)
        changes = np.flatnonzero(np.diff(np.concatenate(([0], limited.astype(np.int8), [0]))))
        for begin, stop in changes.reshape(-1, 2).tolist():
            over = int(times[stop]) if stop < len(times) else end
            if over - int(times[begin]) >= LIMIT_STATE_NS:
                return int(times[begin]) + LIMIT_STATE_NS
        return None

    def _pause(self, start: int) -> int | None:
        """Stop trading for five minutes, to the next print after them; return its row."""
        self._found.append((start, "halt", self._index, PAUSE, 0))
        row = int(np.searchsorted(self._ticks.times, start + PAUSE_NS))
        if start > self._closes - NO_REOPENING_NS or row == len(self._ticks.times):
            self._found.append((self._closes, "resume", self._index, PAUSE, 0))
            return None
        ts, price = int(self._ticks.times[row]), int(self._ticks.prices[row])
        self._found.append((ts, "reopen", self._index, price, 0))
        self._found.append((ts, "resume", self._index, PAUSE, 0))
        return row

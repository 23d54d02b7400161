"""Synthetic runs: bars, a strategy that trades every so often, and the columns that follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyrt.analysis.record import (
    FILL_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    TRADE_COLUMNS,
    RunRecord,
)

MINUTE = 60_000_000_000
DAY = 86_400_000_000_000
MONDAY = 18_267  # 2020-01-06, days since 1970-01-01


def daily_record(equity: Any, *, weekdays_only: bool = True, **changes: Any) -> RunRecord:
    """A run known only by its equity at 21:00 UTC of consecutive (week)days."""
    values = np.asarray(equity, dtype=np.float64)
    days = MONDAY + np.arange(2 * len(values) + 7)
    if weekdays_only:
        days = days[(days + 3) % 7 < 5]
    ts = days[: len(values)].astype(np.int64) * DAY + 21 * 3_600_000_000_000
    defaults: dict[str, Any] = {
        "initial_cash": 100_000.0,
        "equity_ts": ts,
        "equity": values,
        "cash": values.copy(),
        "gross_exposure": np.zeros(len(values)),
    }
    return RunRecord(**(defaults | changes))


def minute_stamps(n: int, *, around_the_clock: bool) -> np.ndarray:
    """Closing times of n one-minute bars, in sessions of 390 minutes or without a break."""
    if around_the_clock:
        return MONDAY * DAY + (1 + np.arange(n, dtype=np.int64)) * MINUTE
    session, minute = np.divmod(np.arange(n, dtype=np.int64), 390)
    weeks, weekday = np.divmod(session, 5)
    opened = (MONDAY + 7 * weeks + weekday) * DAY + (14 * 60 + 30) * MINUTE
    return opened + (1 + minute) * MINUTE


def bars(n: int, *, seed: int = 7, around_the_clock: bool = False, start: float = 100.0) -> dict:
    """n bars of a random walk on a grid of cents."""
    draw = np.random.default_rng(seed)
    close = np.round(start * np.exp(np.cumsum(draw.normal(2e-7, 6e-4, n))), 2)
    opened = np.concatenate(([start], close[:-1]))
    spread = np.round(np.abs(draw.normal(0.0, 4e-4, n)) * close, 2)
    return {
        "ts_event": minute_stamps(n, around_the_clock=around_the_clock),
        "open": opened,
        "high": np.round(np.maximum(opened, close) + spread, 2),
        "low": np.round(np.minimum(opened, close) - spread, 2),
        "close": close,
        "volume": np.round(draw.gamma(2.0, 5_000.0, n)),
    }


def trading_record(
    n: int = 2_000,
    *,
    every: int = 50,
    symbols: tuple[str, ...] = ("SPY",),
    around_the_clock: bool = False,
    seed: int = 7,
    **changes: Any,
) -> RunRecord:
    """A run that is long for `every` bars of each symbol, then flat for as many, and so on."""
    tables = {
        s: bars(n, seed=seed + i, around_the_clock=around_the_clock) for i, s in enumerate(symbols)
    }
    book = _Book(cash=100_000.0, ts=tables[symbols[0]]["ts_event"])
    for symbol, table in tables.items():
        book.trade(symbol, table, every)
    order = np.argsort(book.fills["ts_event"], kind="stable")
    fills = {name: [column[i] for i in order] for name, column in book.fills.items()}
    defaults: dict[str, Any] = {
        "initial_cash": 100_000.0,
        "equity_ts": book.ts,
        "equity": book.cash + book.value,
        "cash": book.cash,
        "gross_exposure": np.abs(book.value),
        "fills": fills,
        "orders": book.orders,
        "trades": book.trades,
        "positions": book.positions,
        "prices": tables,
        "events_processed": n * len(symbols),
        "elapsed_s": 0.125,
        "load_s": 0.25,
        "run_hash": "c0ffee" * 8,
        "parameters": [{"name": "EveryOther", "params": {"every": every, "size": 100}}],
        "provenance": {"label": "close", "seed": seed, "fill": "next_open", "versions": {"a": 1}},
        "messages": ["warm-up: 250 bars"],
    }
    return RunRecord(**(defaults | changes))


class _Book:
    """Fills at the next open, one share lot of 100, a fee of 1.00 a fill."""

    def __init__(self, cash: float, ts: np.ndarray) -> None:
        self.ts = ts
        self.cash = np.full(len(ts), cash)
        self.value = np.zeros(len(ts))
        self.fills: dict[str, list] = {name: [] for name in FILL_COLUMNS}
        self.orders: dict[str, list] = {name: [] for name in ORDER_COLUMNS}
        self.trades: dict[str, list] = {name: [] for name in TRADE_COLUMNS}
        self.positions: dict[str, list] = {name: [] for name in POSITION_COLUMNS}

    def trade(self, symbol: str, table: dict, every: int) -> None:
        """Enter and leave at every turn; the last position may stay open."""
        held, entry = 0.0, (0, 0.0)
        quantity = np.zeros(len(self.ts))
        for at in range(every, len(self.ts), every):
            price, ts = float(table["open"][at]), int(self.ts[at] - MINUTE)
            seen = int(np.searchsorted(self.ts, ts))  # the first point of equity that knows it
            side = "SELL" if held else "BUY"
            self._fill(symbol, side, ts, price)
            signed = 100.0 if side == "BUY" else -100.0
            self.cash[seen:] -= signed * price + 1.0
            held += signed
            quantity[seen:] = held
            if held:
                entry = (ts, price)
            else:
                self._round_trip(symbol, entry, (ts, price), every)
        self.value += quantity * table["close"]
        self._denied(symbol)
        if held:
            last = float(table["close"][-1])
            gain = 100.0 * (last - entry[1])
            row = (symbol, "EveryOther", held, entry[1], held * last, 0.0, gain)
            _append(self.positions, row)

    def _fill(self, symbol: str, side: str, ts: int, price: float) -> None:
        name = f"O-{len(self.orders['ts_event']) + 1}"
        fill = (ts, symbol, "EveryOther", side, 100.0, price, 1.0, "USD", "TAKER", name, f"E{name}")
        _append(self.fills, fill)
        nan = float("nan")
        terms = (ts, symbol, "EveryOther", side, "MARKET", 100.0, 100.0, nan, nan, "gtc")
        _append(self.orders, (*terms, "FILLED", "", name, "swing", ""))

    def _round_trip(self, symbol: str, entry: tuple, leave: tuple, count: int) -> None:
        pnl = 100.0 * (leave[1] - entry[1]) - 2.0
        share = 100.0 * pnl / (100.0 * entry[1])
        row = (symbol, "EveryOther", "LONG", 100.0, entry[0], leave[0], entry[1], leave[1])
        _append(self.trades, (*row, pnl, 2.0, share, count, "swing"))

    def _denied(self, symbol: str) -> None:
        terms = (int(self.ts[0]), symbol, "EveryOther", "BUY", "LIMIT", 1e6, 0.0, 99.0, None, "day")
        reason = "max_order_notional: 99,000,000.00 is above 50,000.00"
        _append(self.orders, (*terms, "DENIED", reason, f"D-{symbol}", None, ""))


def _append(table: dict[str, list], row: tuple) -> None:
    for column, value in zip(table.values(), row, strict=True):
        column.append(value)

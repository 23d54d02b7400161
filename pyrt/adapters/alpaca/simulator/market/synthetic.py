"""A made-up market: stocks and pairs of coins with quotes, prints and minute bars, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.adapters.alpaca.simulator.market import minutes
from pyrt.data.columns import QuoteColumns, TradeColumns
from pyrt.venues.sessions import sessions

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
STOCKS = {"SPY": 500.0, "QQQ": 430.0, "AAPL": 190.0, "F": 12.5}
PAIRS = {"BTC/USD": 60_000.0, "ETH/USD": 3_000.0}
"""Symbols and the prices around which they begin."""
DEFAULT_START = 1_709_562_600 * SECOND
"""2024-03-04 14:30 UTC, the open of a Monday."""
HISTORY_DAYS = 7
AHEAD_DAYS = 5
VOLATILITY = 0.00006
"""Of the logarithm of a price, a second; about 0.9 % a session."""


@dataclass(frozen=True, slots=True)
class SyntheticMarket:
    """Tables, and the time at which replaying begins (ns UTC): what comes before is history."""

    tables: list[Any]
    start: int


def make_market(seed: int = 0, *, start: int | None = None) -> SyntheticMarket:
    """Return a market of `STOCKS` and `PAIRS`, the same for the same seed and start.

    Quotes change every few seconds around a random walk, prints take a side of them; before the
    start there are minute bars of a week, after it ticks of five days.

    Parameters
    ----------
    seed : int
    start : int, optional
        ns UTC; by default the open of Monday 2024-03-04.
    """
    begin = DEFAULT_START if start is None else start
    first, last = begin - HISTORY_DAYS * DAY, begin + AHEAD_DAYS * DAY
    table = sessions("XNYS", first - DAY, last + DAY)
    tables: list[Any] = []
    for number, (symbol, price) in enumerate({**STOCKS, **PAIRS}.items()):
        draws = np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), number]))
        is_pair = "/" in symbol
        times = _seconds(first, last, None if is_pair else (table.open, table.close))
        tables.extend(_symbol(symbol, price, times, draws, begin, is_pair=is_pair))
    return SyntheticMarket(tables, begin)


def _seconds(first: int, last: int, hours: Any) -> NDArray[np.int64]:
    """Return the seconds of the sessions, or all where there are none."""
    if hours is None:
        return np.arange(first, last, SECOND)
    spans = [
        np.arange(max(o, first), min(c, last), SECOND)
        for o, c in zip(hours[0].tolist(), hours[1].tolist(), strict=True)
        if c > first and o < last
    ]
    return np.concatenate(spans) if spans else np.empty(0, np.int64)


def _symbol(
    symbol: str, price: float, seconds: Any, draws: Any, begin: int, *, is_pair: bool
) -> list[Any]:
    """Return history as bars and, from `begin` on, quotes and prints of one symbol."""
    steps = draws.standard_normal(len(seconds)) * VOLATILITY
    middle = price * np.exp(np.cumsum(steps))
    size = np.round(draws.pareto(2.0, len(seconds)) * (0.05 if is_pair else 100) + 1e-4, 4)
    if not is_pair:
        size = np.ceil(size)
    past = seconds < begin
    prices = np.round(middle, 2)
    history, _ = minutes.from_ticks(
        _trades(symbol, seconds[past], prices[past], size[past], np.zeros(past.sum(), np.int8))
    )
    seconds, middle, size = seconds[~past], middle[~past], size[~past]
    offsets = draws.integers(0, SECOND, len(seconds))
    half = np.maximum(np.round(middle * 0.00005, 2), 0.01)
    bid, ask = np.round(middle - half, 2), np.round(middle + half, 2)
    shown = np.ceil(draws.pareto(1.5, (2, len(seconds))) * 4 + 1) * (0.1 if is_pair else 100)
    quoted = draws.random(len(seconds)) < 0.5
    quoted[:1] = True
    ts = seconds[quoted] + offsets[quoted] // 2
    quotes = QuoteColumns(
        symbol, ts, ts, bid[quoted], np.round(shown[0][quoted], 4), ask[quoted],
        np.round(shown[1][quoted], 4),
    )  # fmt: skip
    # A print takes a side of the quote that was there before it.
    printed = draws.random(len(seconds)) < 0.4
    at = np.maximum(np.searchsorted(ts, seconds + SECOND // 2 + offsets // 2, side="right") - 1, 0)
    buys = draws.random(len(seconds)) < 0.5
    taken = np.where(buys, quotes.ask_price[at], quotes.bid_price[at])
    trades = _trades(
        symbol,
        (seconds + SECOND // 2 + offsets // 2)[printed],
        taken[printed],
        size[printed],
        np.where(buys, 1, -1).astype(np.int8)[printed],
    )
    ahead, _ = minutes.from_ticks(trades)
    return [_joined(history, ahead), quotes, trades]


def _trades(symbol: str, ts: Any, price: Any, size: Any, aggressor: Any) -> TradeColumns:
    return TradeColumns(symbol, ts, ts, price, size, aggressor)


def _joined(first: Any, second: Any) -> Any:
    """Return the bars of one symbol, the past and what comes after it."""
    from dataclasses import replace

    names = ("ts_open", "ts_close", "ts_init", "open", "high", "low", "close", "volume")
    both = {n: np.concatenate((getattr(first, n), getattr(second, n))) for n in names}
    keep = np.r_[True, np.diff(both["ts_open"]) > 0]
    return replace(first, **{name: values[keep] for name, values in both.items()})

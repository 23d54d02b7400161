"""Recorded markets through `backtest()` whole: books, orders, quotes and prints side by side."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.core.book import OrderBook
from tests.recorded import RECORDED

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded data are not there")
ROWS = 10**9 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 40_000


def table(name: str) -> pd.DataFrame:
    return pd.read_parquet(RECORDED / f"{name}.parquet")


def whole_batches(name: str) -> pd.DataFrame:
    """The first rows of a table of book events, up to the end of a message."""
    rows = table(name)[:ROWS]
    if "flags" not in rows:
        return rows
    ends = np.flatnonzero((rows["flags"] & (2 if name.startswith("crypto") else 128)) != 0)
    return rows[: int(ends[-1]) + 1]


class Watcher(Strategy):
    """Looks at every batch and quotes behind the touch now and then."""

    symbol: str = "X"
    size: float = 1.0
    kinds: str = "book"

    def on_start(self) -> None:
        self.batches = self.quotes = self.prints = 0
        self.last: Any = None
        for kind in self.kinds.split():
            getattr(self, f"subscribe_{kind}")(self.symbol)

    def on_book(self, book: Any) -> None:
        self.batches += 1
        assert not book.in_batch
        self.last = book
        self.act(book.best_bid, book.best_ask)

    def on_quote(self, quote: Any) -> None:
        self.quotes += 1
        self.act(quote.bid_price, quote.ask_price)

    def on_trade(self, trade: Any) -> None:
        self.prints += 1

    def act(self, bid: float, ask: float) -> None:
        if (self.batches + self.quotes) % 500 == 0 and bid < ask:
            self.cancel_all()
            self.buy(self.symbol, self.size, limit_price=bid)
            self.sell(self.symbol, self.size, limit_price=ask)


@pytest.mark.parametrize(
    ("name", "dialect", "level"),
    [
        ("crypto_l2_BTCUSDT_binance_usdm_20240808", "l2", "L2"),
        ("crypto_l2_BTCUSDPERP_binance_coinm_20240808_09", "l2", "L2"),
        ("fut_mbo_ESH4_20231225", "mbo", "L3"),
        ("lob_orders_MSFT_20120621_0930_1030", "lobster", "L3"),
    ],
)
def test_a_recorded_book_ends_as_it_does_by_itself(name: str, dialect: str, level: str) -> None:
    rows = whole_batches(name)
    symbol = str(rows["symbol"].iloc[0])
    strategy = Watcher(symbol=symbol)
    result = backtest(strategy, rows, cash=10**9, progress=False)
    alone = OrderBook(symbol, level)
    alone.apply_table(rows, dialect)
    assert result.events_processed == len(rows)
    assert strategy.batches > 0
    if dialect == "lobster":
        assert strategy.batches == len(rows)
    assert np.array_equal(strategy.last.bids(), alone.bids())
    assert np.array_equal(strategy.last.asks(), alone.asks())
    assert result.provenance["book_gaps"] == {symbol: alone.gap_count}
    assert list(result.orders["status"]).count("REJECTED") == 0
    again = backtest(strategy.fresh(), rows, cash=10**9, progress=False)
    assert again.run_hash == result.run_hash


def test_quotes_and_prints_of_an_equity_side_by_side() -> None:
    quotes = table("eq_quotes_BAC_20131007_20131011")[:ROWS]
    prints = table("eq_trades_BAC_20131007_20131011")
    prints = prints[prints["ts_event"] <= quotes["ts_event"].iloc[-1]]
    strategy = Watcher(symbol="BAC", size=100.0, kinds="quotes trades")
    result = backtest(strategy, [quotes, prints], cash=10**7, progress=False)
    assert result.provenance["fills_from"] == {"BAC": "quotes+trades"}
    assert strategy.quotes == len(quotes)
    assert strategy.prints == len(prints)
    assert len(result.fills) > 0
    fills = result.fills.set_index("client_order_id")
    limits = result.orders.set_index("client_order_id")["limit_price"]
    worst = [
        (p - limits[i]) * (1 if side == "buy" else -1)
        for i, p, side in zip(fills.index, fills["price"], fills["side"])
    ]
    assert max(worst) <= 0


def test_a_book_its_quotes_and_its_prints_together() -> None:
    names = "crypto_{}_BTCUSDT_binance_usdm_20240808"
    book = whole_batches(names.format("l2"))
    until = book["ts_recv"].iloc[-1]
    others = [table(names.format(kind)) for kind in ("trades", "quotes")]
    others = [t[t["ts_recv"] <= until] for t in others]
    strategy = Watcher(symbol="BTCUSDT", size=0.01, kinds="book quotes trades")
    result = backtest(strategy, [book, *others], cash=10**9, progress=False)
    assert result.provenance["fills_from"] == {"BTCUSDT": "book+trades"}
    assert strategy.prints == len(others[0])
    assert strategy.quotes == len(others[1])
    assert result.events_processed == len(book) + sum(map(len, others))


def test_a_book_of_a_spot_market_and_its_prints() -> None:
    names = "crypto_{}_BTCUSDT_binance_spot_20240808_09"
    book = whole_batches(names.format("l2"))
    trades = table(names.format("trades"))
    trades = trades[trades["ts_recv"] <= book["ts_recv"].iloc[-1]]
    strategy = Watcher(symbol="BTCUSDT", size=0.01, kinds="book trades")
    result = backtest(strategy, [book, trades], cash=10**9, progress=False)
    assert result.provenance["book_gaps"] == {"BTCUSDT": 0}
    assert strategy.prints == len(trades)
    assert result.events_processed == len(book) + len(trades)


class Follower(Strategy):
    """Rests a little below the last print; leaves when it has what it wanted."""

    symbol: str = "X"
    size: float = 1.0
    tick: float = 0.01

    def on_start(self) -> None:
        self.subscribe_trades(self.symbol)
        self.keep_trades(self.symbol, 100)
        self.prints = 0

    def on_trade(self, trade: Any) -> None:
        self.prints += 1
        assert self.cache.trade(self.symbol) == trade
        if self.prints % 1000 == 0:
            self.cancel_all()
            if self.position(self.symbol).is_flat:
                self.buy(self.symbol, self.size, limit_price=round(trade.price - self.tick, 2))
            else:
                self.close(self.symbol)


@pytest.mark.parametrize(
    ("name", "symbol", "tick", "options"),
    [
        ("eq_trades_SPY_20131007_20131011", "SPY", 0.01, {"venue": "alpaca"}),
        ("eq_trades_BAC_20131007_20131011", "BAC", 0.01, {"venue": "alpaca", "luld": "tier1"}),
        ("fut_trades_ES_20130901_20130903", "ES", 0.25, {}),
    ],
)
def test_prints_alone(name: str, symbol: str, tick: float, options: dict[str, Any]) -> None:
    rows = table(name)
    middle = len(rows) // 3
    rows = rows[middle : middle + ROWS].assign(symbol=symbol)
    strategy = Follower(symbol=symbol, tick=tick, size=10.0 if symbol != "ES" else 1.0)
    result = backtest(strategy, rows, cash=10**7, progress=False, **options)
    assert strategy.prints == len(rows)
    assert len(result.fills) > 0
    # Every fill happens at a print's time, at a price that was traded or better.
    times = set(rows["ts_event"])
    assert {t.as_unit("ns").value for t in result.fills["ts_event"]} <= times
    low, high = rows["price"].min(), rows["price"].max()
    assert result.fills["price"].between(low - tick, high + tick).all()
    again = backtest(strategy.fresh(), rows, cash=10**7, progress=False, **options)
    assert again.run_hash == result.run_hash


def test_price_bands_of_a_week_hold_what_was_traded() -> None:
    """No pause was declared that week, and no print of a regular sale lies outside the bands."""
    from pyrt.backtest.price_bands import read_bands
    from pyrt.core.instruments import Instrument
    from pyrt.data.tables import load
    from pyrt.venues.sessions import sessions

    rows = table("eq_trades_BAC_20131007_20131011")
    rows = rows[~rows["suspicious"].astype(bool)]
    columns = load(rows, symbol="BAC").columns
    bands = read_bands("tier1", columns, {"BAC": Instrument("BAC")})
    assert {what for _, what, *_ in bands} == {"band"}
    times = np.array([row[0] for row in bands])
    assert (np.diff(times) >= 0).all()
    days = sessions("XNYS", int(rows["ts_event"].iloc[0]), int(rows["ts_event"].iloc[-1]))
    inside = np.zeros(len(rows), bool)
    for opens, closes in zip(days.open.tolist(), days.close.tolist(), strict=True):
        inside |= ((rows["ts_event"] >= opens) & (rows["ts_event"] < closes)).to_numpy()
    regular = rows[inside & (rows["conditions"].map(lambda text: int(text, 16)) & 1 != 0)]
    at = np.searchsorted(times, regular["ts_event"].to_numpy(), side="right") - 1
    lower, upper = (np.array([row[i] for row in bands]) / 1e9 for i in (3, 4))
    price = regular["price"].to_numpy()
    assert ((price >= lower[at]) & (price <= upper[at])).all()

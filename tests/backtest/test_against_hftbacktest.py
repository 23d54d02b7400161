"""The same market maker on the same capture, here and in hftbacktest: the same fills.

Both see the recorded book and prints by the time they were received, orders take 5 ms and answers
5 ms, and one lot is quoted on each side twice a second. `docs/fills-in-depth.md` names the
differences.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy
from pyrt.core.instruments import Instrument
from tests.recorded import RECORDED

hft = pytest.importorskip("hftbacktest")

BOOK = RECORDED / "crypto_l2_BTCUSDT_binance_usdm_20240808.parquet"
TRADES = RECORDED / "crypto_trades_BTCUSDT_binance_usdm_20240808.parquet"
pytestmark = pytest.mark.skipif(not BOOK.exists(), reason="the recorded data are not there")

SECOND = 1_000_000_000
LATENCY = 5_000_000
STEP = SECOND // 2
LOT = 0.001
TICK = 0.1


@pytest.fixture(scope="module")
def capture() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The capture from its snapshot on; events happen when they were received."""
    book, trades = pd.read_parquet(BOOK), pd.read_parquet(TRADES)
    book = book[int(np.flatnonzero(book["action"] == "snapshot")[0]) :]
    seconds = 400 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 40
    end = int(book["ts_recv"].iloc[0]) + seconds * SECOND
    trades = trades[trades["ts_recv"] > book["ts_recv"].iloc[0]]
    book, trades = book[book["ts_recv"] < end], trades[trades["ts_recv"] < end]
    return book.assign(ts_event=book["ts_recv"]), trades.assign(ts_event=trades["ts_recv"])


def rows(book: pd.DataFrame, trades: pd.DataFrame) -> Any:
    """Return the capture as hftbacktest's events."""
    found = []
    both = hft.EXCH_EVENT | hft.LOCAL_EVENT
    for table in (book, trades):
        is_book = table is book
        part = np.zeros(len(table), hft.event_dtype)
        buys = table["side"] == "B" if is_book else table["aggressor"] == "buy"
        kind = np.full(len(table), hft.TRADE_EVENT)
        if is_book:
            snapshot = table["action"] == "snapshot"
            kind = np.where(snapshot, hft.DEPTH_SNAPSHOT_EVENT, hft.DEPTH_EVENT)
        part["ev"] = both | kind | np.where(buys, hft.BUY_EVENT, hft.SELL_EVENT)
        part["exch_ts"] = part["local_ts"] = table["ts_recv"]
        part["px"] = table["price"]
        gone = table["action"] == "delete" if is_book else False
        part["qty"] = np.where(gone, 0.0, table["size"])
        found.append(part)
    merged = np.concatenate(found)
    return merged[np.argsort(merged["exch_ts"], kind="stable")]


def theirs(
    events: Any, model: tuple[Any, ...], start: int, steps: int, away: int
) -> dict[int, tuple[float, int]]:
    """Return what hftbacktest fills: order → (quantity, time of the last event of it)."""
    asset = hft.BacktestAsset().data(events).linear_asset(1.0)
    asset = asset.constant_order_latency(LATENCY, LATENCY)
    asset = getattr(asset, model[0])(*model[1:])
    asset = asset.no_partial_fill_exchange().trading_value_fee_model(0, 0)
    asset = asset.tick_size(TICK).lot_size(LOT).last_trades_capacity(0)
    engine = hft.HashMapMarketDepthBacktest([asset])
    found: dict[int, tuple[float, int, int]] = {}

    def look() -> None:
        orders = engine.orders(0).values()
        while orders.has_next():
            o = orders.get()
            done = round(o.qty - o.leaves_qty, 3)
            found[int(o.order_id)] = (done, int(o.exch_timestamp), int(o.status))

    engine.elapse(1)
    engine.elapse(start - engine.current_timestamp)
    number = 0
    for _ in range(steps):
        look()
        for old in (number - 1, number):
            if old in found and found[old][2] == hft.NEW:
                engine.cancel(0, old, False)
        depth = engine.depth(0)
        bid = round(depth.best_bid - away * TICK, 1)
        ask = round(depth.best_ask + away * TICK, 1)
        for price, submit in ((bid, engine.submit_buy_order), (ask, engine.submit_sell_order)):
            number += 1
            submit(0, number, price, LOT, hft.GTX, hft.LIMIT, False)
        engine.elapse(STEP)
    look()
    engine.elapse(1_000 * SECOND)
    look()
    engine.close()
    return {k: (done, ts) for k, (done, ts, _) in found.items() if done > 0}


class MarketMaker(Strategy):
    """Quotes one lot on each side, `away` ticks behind the touch, anew at every step."""

    symbol: str = "BTCUSDT"
    start: int = 0
    steps: int = 0
    away: int = 0

    def on_start(self) -> None:
        self.subscribe_book(self.symbol)
        self.step = 0
        self.quoted: list[Any] = []
        self.set_alert("0", self.start, self.quote)

    def quote(self, event: Any) -> None:
        for order in self.quoted:
            self.cancel(order)
        book = self.book(self.symbol)
        bid = round(book.best_bid - self.away * TICK, 1)
        ask = round(book.best_ask + self.away * TICK, 1)
        self.quoted = [
            self.buy(self.symbol, LOT, limit_price=bid, post_only=True),
            self.sell(self.symbol, LOT, limit_price=ask, post_only=True),
        ]
        self.step += 1
        if self.step < self.steps:
            self.set_alert(str(self.step), self.start + self.step * STEP, self.quote)


def ours(
    book: pd.DataFrame, trades: pd.DataFrame, queue: str, start: int, steps: int, away: int
) -> dict[int, tuple[float, int]]:
    engine = BacktestEngine(cash=1_000_000_000)
    engine.add_venue(queue=queue, latency={"submit": LATENCY, "response": LATENCY})
    engine.add_instrument(Instrument("BTCUSDT", tick_size=str(TICK), step_size=str(LOT)))
    engine.add_data(book)
    engine.add_data(trades)
    engine.add_strategy(MarketMaker(start=start, steps=steps, away=away))
    fills = engine.run().fills
    return {
        int(str(i).rpartition("-")[2]): (float(q), int(ts.value))
        for i, q, ts in zip(fills["client_order_id"], fills["quantity"], fills["ts_event"])
    }


@pytest.mark.parametrize(
    ("model", "queue", "away"),
    [
        (("risk_adverse_queue_model",), "risk_averse", 0),
        (("power_prob_queue_model", 2.0), "power:2", 0),
        (("power_prob_queue_model", 2.0), "power:2", 2),
        (("power_prob_queue_model2", 2.0), "power2:2", 0),
        (("power_prob_queue_model3", 3.0), "power3:3", 0),
        (("log_prob_queue_model",), "log", 0),
        (("log_prob_queue_model2",), "log2", 2),
    ],
)
def test_a_market_maker_gets_the_same_fills(
    capture: tuple[pd.DataFrame, pd.DataFrame], model: Any, queue: str, away: int
) -> None:
    book, trades = capture
    first, last = int(book["ts_recv"].iloc[0]), int(book["ts_recv"].iloc[-1])
    start = (first // SECOND + 2) * SECOND
    steps = (last - start) // STEP
    expected = theirs(rows(book, trades), model, start, steps, away)
    found = ours(book, trades, queue, start, steps, away)
    assert len(expected) > steps // 4
    assert {k: v[0] for k, v in found.items()} == {k: v[0] for k, v in expected.items()}
    # What is ahead may lie below zero by less than half a lot; there the two count differently.
    moved = [k for k, v in expected.items() if found[k][1] != v[1]]
    assert len(moved) <= len(expected) // 150

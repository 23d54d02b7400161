"""What a node has recorded, backtested: handlers see the bars that they saw in the node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pyrt import Strategy, backtest, load
from pyrt.adapters.alpaca.core.events import BarEvent, QuoteEvent, TradeEvent
from pyrt.core.instruments import equity
from pyrt.kernel.subscriptions import GRACE_NS
from pyrt.live.calendars import sessions_around
from pyrt.live.core.node import NodeCore
from pyrt.live.process.market_log import MarketLog
from pyrt.risk.gate import BasicGate
from tests.live.cores import NOW, SECOND, Wire

MINUTE = 60 * SECOND
MS = 1_000_000
LATENCY_MS = (5, 80)
MINUTES = 20


class Bars(Strategy):
    """Writes down every bar, when it came, and an average of the coarser ones."""

    def on_start(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.subscribe_trades("SPY")
        for timeframe in ("10s", "1m", "5m"):
            self.subscribe_bars("SPY", timeframe)

    def on_bar(self, bar: Any) -> None:
        values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.seen.append((self.now, bar.timeframe, bar.ts_event, *values))


def arrivals(seed: int) -> Iterator[tuple[int, Any]]:
    """Yield when each print and bar of some minutes is received, and what it is."""
    draw, price, ts = Random(seed), 100.0, NOW
    found: list[tuple[int, Any]] = []
    minutes: dict[int, list[TradeEvent]] = {}
    while (ts := ts + int(draw.expovariate(1) * SECOND)) < NOW + MINUTES * MINUTE:
        price = round(price + draw.choice((-0.01, 0.0, 0.01)), 2)
        trade = TradeEvent("SPY", ts, price, float(draw.randint(100, 400)))
        minutes.setdefault(ts // MINUTE, []).append(trade)
        # One in ten is late, but not too late for the bar that it belongs to.
        late = draw.uniform(500, 4_000) if draw.random() < 0.1 else 0
        found.append((ts + int((draw.uniform(*LATENCY_MS) + late) * MS), trade))
    for minute, trades in minutes.items():
        prices = [trade.price for trade in trades]
        row = (prices[0], max(prices), min(prices), prices[-1], sum(trade.size for trade in trades))
        opened = minute * MINUTE
        found.append((opened + MINUTE + 60 * MS, BarEvent("SPY", opened, opened + MINUTE, row)))
    yield from sorted(found, key=lambda pair: pair[0])


def lived(strategy: Strategy, seed: int, folder: Path) -> None:
    """Let a node hear it all, and record it; its loop goes round once a second at least."""
    core = NodeCore(Wire(), BasicGate(), [equity("SPY")], [strategy], cash=100_000, prefix="t-")
    core.kernel.grace_ns = GRACE_NS
    core.kernel.sessions = sessions_around(NOW)
    core.start(NOW)
    log, goes_round = MarketLog(folder, "one"), NOW
    for now, event in arrivals(seed):
        while (goes_round := goes_round + SECOND) < now:
            core.take(goes_round, [])
        goes_round = now
        core.take(now, [event])
        log.take(event, core.kernel.clock.timestamp_ns)
    log.write(log.cut())


@pytest.mark.parametrize("seed", range(4))
def test_a_backtest_on_a_recording_sees_the_bars_that_the_node_saw(tmp_path, seed):
    """Bars made of others were handed on before their last part had come, and without it."""
    live, tested = Bars(), Bars()
    lived(live, seed, tmp_path)
    data = [t for path in sorted(tmp_path.rglob("*.parquet")) for t in load(str(path)).columns]
    backtest(tested, data, venue="alpaca", progress=False)
    assert len(tested.seen) > 100
    assert tested.seen == live.seen


class Order(Strategy):
    """Writes down what it hears of two symbols, in order."""

    def on_start(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        for symbol in ("SPY", "QQQ"):
            self.subscribe_trades(symbol)
            self.subscribe_quotes(symbol)
            self.subscribe_bars(symbol, "1m")

    def on_trade(self, trade: Any) -> None:
        self.heard.append(("trade", trade.symbol, trade.price))

    def on_quote(self, quote: Any) -> None:
        self.heard.append(("quote", quote.symbol, quote.bid_price))

    def on_bar(self, bar: Any) -> None:
        self.heard.append(("bar", bar.symbol, bar.close))


def frames(seed: int) -> Iterator[tuple[int, list[Any]]]:
    """Yield when each message of the stream is received, and the events that it holds, mixed."""
    draw, price = Random(seed), 100.0
    for number in range(1, 201):
        now = NOW + number * 6 * SECOND
        events: list[Any] = []
        for _ in range(draw.randint(1, 6)):
            price = round(price + 0.01, 2)
            symbol, ts = draw.choice(("SPY", "QQQ")), now - MS
            events.append(draw.choice((
                TradeEvent(symbol, ts, price, 100.0),
                QuoteEvent(symbol, ts, price, 1.0, price + 1, 1.0),
            )))  # fmt: skip
        if number % 10 == 0:
            row, at = (price, price, price, price, 1.0), draw.randint(0, len(events))
            # Of each minute they go by symbol, as in any backtest.
            events[at:at] = [BarEvent(symbol, now - MINUTE, now, row) for symbol in ("QQQ", "SPY")]
        yield now, events


@pytest.mark.parametrize("seed", range(3))
def test_what_one_message_has_brought_comes_back_in_its_order(tmp_path, seed):
    """Rows received at one instant were replayed by their kinds: bars, then quotes, then prints."""
    live, tested = Order(), Order()
    instruments = [equity("SPY"), equity("QQQ")]
    core = NodeCore(Wire(), BasicGate(), instruments, [live], cash=100_000, prefix="t-")
    core.start(NOW)
    log = MarketLog(tmp_path, "one")
    for now, events in frames(seed):
        core.take(now, events)
        for event in events:
            log.take(event, core.kernel.clock.timestamp_ns)
    log.write(log.cut())
    data = [t for path in sorted(tmp_path.rglob("*.parquet")) for t in load(str(path)).columns]
    backtest(tested, data, venue="alpaca", progress=False)
    assert len(tested.heard) > 500
    assert tested.heard == live.heard

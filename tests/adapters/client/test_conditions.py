"""Which prints of stocks are prices: the rules by which Alpaca makes its own minute bars."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import msgpack
import msgspec
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.conditions import sets_price
from pyrt.adapters.alpaca.core.market_data import CRYPTO_CHANNELS, MarketData
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.gauges import Gauges
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics
from pyrt.risk.engine import RiskEngine
from pyrt.venues.capabilities import capabilities_of
from tests.live.cores import NOW, SECOND, core_of

KEYS = Credentials("PKTEST", "canary-77")
STAMP = "2024-01-02T14:30:00Z"
PRINT = {"T": "t", "S": "SPY", "i": 1, "x": "D", "p": 100.0, "s": 100, "t": STAMP, "z": "B"}
QUALIFIED_CONTINGENT = ["@", "7", "V"]

# The table of https://docs.alpaca.markets/docs/market-data-faq#how-are-bars-aggregated, its rows
# for minute bars: code, tapes, whether it updates prices.
TABLE = [
    *((" ", "AB", True), ("@", "CO", True), ("A", "C", True), ("B", "AB", False)),
    *(("B", "C", True), ("C", "ABCO", False), ("D", "C", True), ("E", "AB", True)),
    *(("F", "ABC", True), ("G", "C", False), ("H", "ABC", False), ("I", "ABCO", False)),
    *(("K", "ABC", True), ("L", "ABC", True), ("M", "ABC", False), ("N", "ABCO", False)),
    *(("O", "ABC", True), ("P", "ABCO", False), ("Q", "ABC", False), ("R", "ABCO", False)),
    *(("T", "ABCO", True), ("U", "ABCO", False), ("V", "ABC", False), ("W", "CO", False)),
    *(("X", "ABC", True), ("Y", "C", True), ("Z", "ABC", False), ("4", "ABC", False)),
    *(("5", "ABC", True), ("6", "ABC", True), ("7", "ABC", False), ("9", "ABC", False)),
]


def stream_of(*messages: dict[str, Any]) -> tuple[MarketData, list[Any]]:
    """Return a stream that has received messages, and what it made of them."""
    stream = MarketData(Random(0), KEYS)
    return stream, stream.receive(msgspec.json.encode(messages), NOW)


@pytest.mark.parametrize(("code", "tapes", "expected"), TABLE)
def test_a_condition_sets_prices_where_alpacas_table_says_so(code, tapes, expected):
    for tape in tapes:
        assert sets_price([code], tape) == expected, tape
        # Of several the strictest decides.
        assert sets_price(["@", code], tape) == expected, tape
        assert not sets_price([code, "I"], tape), tape


def test_a_print_without_conditions_is_a_price():
    bare = {name: value for name, value in PRINT.items() if name != "z"}
    stream, events = stream_of(bare, {**PRINT, "c": None}, {**PRINT, "c": []})
    assert [event.price for event in events] == [100.0, 100.0, 100.0]
    assert stream.ineligible == 0


def test_prints_of_coins_have_no_conditions():
    coins = MarketData(Random(0), KEYS, CRYPTO_CHANNELS)
    row = {"T": "t", "S": "BTC/USD", "p": 42_000.5, "s": 0.25, "t": STAMP, "i": 7, "tks": "S"}
    (event,) = coins.receive(msgspec.json.encode([row]), NOW)
    assert (event.price, event.aggressor) == (42_000.5, -1)


def test_a_print_that_is_no_price_is_counted_and_costs_its_neighbors_nothing():
    odd = {**PRINT, "p": 80.0, "c": QUALIFIED_CONTINGENT}
    stream, events = stream_of(PRINT, odd, {**PRINT, "p": 101.0, "c": [" ", "F"]})
    assert [event.price for event in events] == [100.0, 101.0]
    packed = msgpack.packb([{**odd, "t": msgpack.Timestamp(1_704_205_800)}])
    assert stream.receive(packed, NOW) == []
    assert stream.ineligible == 2


def test_prints_that_are_no_prices_are_a_metric(tmp_path: Path) -> None:
    stream, _ = stream_of({**PRINT, "c": ["I"]})
    other = MarketData(Random(0), KEYS)
    node: Any = SimpleNamespace(
        config=SimpleNamespace(shadow=True),
        driver=None,
        streams=lambda: [("stocks", stream), ("coins", other)],
        received=dict,
    )
    metrics = Metrics()
    gauges = Gauges(tmp_path, metrics, Health())
    for _ in range(2):
        gauges.look(node, 0.0)
    assert metrics.value("ineligible_prints", "stocks") == 1
    assert metrics.value("ineligible_prints", "coins") == 0


class Trails(Strategy):
    def on_start(self):
        self.subscribe_trades("SPY")
        self.subscribe_bars("SPY", "10s")
        self.bars = []

    def on_bar(self, bar):
        self.bars.append((bar.open, bar.high, bar.low, bar.close, bar.volume))


def test_no_mark_no_kept_stop_and_no_bar_follows_a_print_off_the_market():
    """A contingent trade at 80 is no market at 80: the trail that the node keeps stays."""
    strategy = Trails()
    core, wire = core_of(RiskEngine(), [strategy], capabilities=capabilities_of("alpaca"))
    stream = MarketData(Random(0), KEYS)

    def prints(second: int, price: float, conditions: list[str]) -> None:
        stamp = f"2024-01-02T14:30:{second:02d}Z"
        row = {**PRINT, "p": price, "c": conditions, "t": stamp}
        now = NOW + second * SECOND
        core.take(now, stream.receive(msgspec.json.encode([row]), now))

    prints(1, 100.0, ["@"])
    entry = strategy.buy("SPY", 10)
    core.inputs.settle()
    core.inputs.fill(entry.number, NOW + SECOND, 10, 100, 10)
    core.inputs.settle()
    wire.take()
    trail = strategy.sell("SPY", 10, trail_percent=5, limit_price=94)
    core.inputs.settle()
    prints(2, 80.0, QUALIFIED_CONTINGENT)
    assert (trail.status, wire.take()) == ("EMULATED", [])
    assert strategy.position("SPY").last_price == 100.0
    core.take(NOW + 12 * SECOND, [])
    assert strategy.bars == [(100.0, 100.0, 100.0, 100.0, 100.0)]
    prints(13, 80.0, ["@"])
    assert (trail.status, wire.take()) == ("SENT", [("submit", trail.number)])

"""What a node is told to emulate: the same setting and the same code as in a backtest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.node.assembly import make_plan
from pyrt.core.instruments import crypto, listed
from pyrt.errors import ConfigError
from pyrt.live.calendars import sessions_around
from pyrt.live.config import NodeConfig
from pyrt.live.driver.acts import make_core
from pyrt.live.journal import records as r
from pyrt.risk.gate import BasicGate
from pyrt.testing.files import MemoryFiles
from tests.backtest.harness import frame, play
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World, policies

COIN = "BTC/USD"
NOW = 1_704_205_800_000_000_000
MINUTE = 60_000_000_000
URLS = {"trading_url": "http://127.0.0.1:1", "data_url": "http://127.0.0.1:1"}


class Stops(Strategy):
    """Sends a stop on coins, which Alpaca does not have."""

    def on_start(self) -> None:
        self.subscribe_bars(COIN, "1m")
        self.sent: Any = None

    def on_bar(self, bar: Any) -> None:
        if self.sent is None:
            self.sent = self.buy(COIN, 1, stop_price=bar.close + 10)


def status_live(emulate: str) -> str:
    config = NodeConfig(symbols=(COIN,), emulate=emulate, **URLS)  # type: ignore[arg-type]
    strategy = Stops()
    core = make_core(
        AlpacaClient("t-"),
        BasicGate(),
        [crypto(COIN)],
        [strategy],
        make_plan(config, "run", "t-"),
        r.Opening(cash="100000"),
        None,
    )
    core.start(NOW)
    core.inputs.advance(NOW + 60 * 10**9)
    stream = core.kernel.cache.streams[0]
    core.inputs.bar(stream, NOW, NOW + 60 * 10**9, 100.0, 100.0, 100.0, 100.0, 1.0)
    core.inputs.settle()
    return str(strategy.sent.status)


def status_tested(emulate: str) -> str:
    strategy = Stops()
    play({COIN: frame([(100.0,) * 4] * 3)}, strategy, name="alpaca", emulate=emulate,
         instrument=crypto(COIN), check=False)  # fmt: skip
    return str(strategy.sent.status)


@pytest.mark.parametrize(
    ("emulate", "live", "tested"),
    [
        ("all", "EMULATED", "EMULATED"),
        ("missing", "SENT", "REJECTED"),
        ("none", "SENT", "REJECTED"),
    ],
)
def test_a_stop_on_coins_is_kept_where_that_is_asked_for(
    emulate: str, live: str, tested: str
) -> None:
    assert status_live(emulate) == live
    assert status_tested(emulate) == tested


class Touches(Strategy):
    """Sends one order that Alpaca does not have."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.sent: Any = None

    def on_bar(self, bar: Any) -> None:
        if self.sent is None:
            self.sent = self.buy("SPY", 1, trigger_price=95)


def test_a_bar_of_before_the_open_that_comes_after_it_meets_no_kept_order() -> None:
    """Alpaca sends bars of the pre-market, each a moment after its end."""
    config = NodeConfig(symbols=("SPY",), **URLS)  # type: ignore[arg-type]
    plan = replace(make_plan(config, "run", "t-"), sessions=sessions_around(NOW))
    strategy = Touches()
    core = make_core(
        AlpacaClient("t-"), BasicGate(), [listed("SPY")], [strategy], plan,
        r.Opening(cash="100000"), None,
    )  # fmt: skip
    core.start(NOW - 5 * MINUTE)
    stream = core.kernel.cache.streams[0]
    told = []
    # The session begins at NOW.
    for opened, low in ((-3, 100.0), (-2, 90.0), (-1, 90.0), (0, 94.0)):
        ts = NOW + opened * MINUTE
        core.inputs.advance(ts + MINUTE + MINUTE // 1000)
        core.inputs.bar(stream, ts, ts + MINUTE, 100.0, 100.0, low, 100.0, 1.0)
        core.inputs.settle()
        told.append(strategy.sent.status)
    assert told == ["EMULATED", "EMULATED", "EMULATED", "SENT"]


def test_another_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="emulate is 'some'; expected one of missing, all, none"):
        NodeConfig(symbols=(COIN,), emulate="some")  # type: ignore[arg-type]


def test_real_money_is_told_that_kept_exits_die_with_the_node() -> None:
    config = NodeConfig(symbols=(COIN,), mode="live", account_id="1", emulate="all")
    assert "emulated_exits" in [code for code, _ in config.warnings()]


class Rests(Strategy):
    """Sends one order with an end."""

    until: int = 0

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.sent = False

    def on_bar(self, bar: Any) -> None:
        if not self.sent and bar.ts_event < self.until:
            self.buy("SPY", 1, limit_price=90, expires_at=self.until)
        self.sent = True


@pytest.mark.parametrize("way", ["saved", "played"])
def test_an_order_with_an_end_is_ended_by_the_node_that_is_there_by_then(way: str) -> None:
    """Alpaca has it as good till canceled: from a save on nobody ended it any more."""
    world, files = World([bars([100.0] * 16)]), MemoryFiles()
    until = world.now + 8 * 60 * 10**9
    first = Node(world, files, [Rests(until=until)], run_id="one", policies=policies(way))
    first.start()
    first.run(6)
    (order,) = first.kernel.cache.orders_open()
    assert (order.status, order.time_in_force) == ("ACCEPTED", "gtc")
    second = Node(
        world, first.crash(), [Rests(until=until if way == "played" else 0)], run_id="two",
        policies=policies(way),
    )  # fmt: skip
    second.start()
    (back,) = second.kernel.cache.orders_open()
    assert (back.client_order_id, back.status) == (order.client_order_id, "ACCEPTED")
    second.run()
    assert (back.status, back.reason) == ("EXPIRED", "time_in_force: it has ended")

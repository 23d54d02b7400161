"""Topics a strategy listens to: while it runs, and what its handlers raise is its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import StatusEvent
from pyrt.errors import ConfigError, StrategyError
from pyrt.risk.gate import BasicGate
from tests.backtest.harness import frame, play
from tests.live.cores import NOW, core_of


class Listens(Strategy):
    """Buys at each message of a topic."""

    way: str = "method"

    def on_start(self) -> None:
        self.heard: list[Any] = []
        ways = {
            "method": self.take,
            "lambda": lambda message: self.take(message),
            "partial": partial(self.take),
        }
        self.subscribe("data.news.*", ways[self.way])

    def take(self, message: Any) -> None:
        self.heard.append(message)
        if message == "wrong":
            raise LookupError("of no use")
        self.buy("SPY", 1)

    def on_status(self, status: Any) -> None:
        self.heard.append(status.status)


WAYS = ("method", "lambda", "partial")


@pytest.mark.parametrize("way", WAYS)
def test_a_strategy_that_was_stopped_hears_no_topic_and_sends_nothing(way: str) -> None:
    """It went on hearing what it had subscribed to, and its orders left."""
    core, wire = core_of(BasicGate(), [Listens(way=way), Listens(way=way)])
    one, two = core.kernel.strategies
    core.kernel.bus.publish("data.news.SPY", "first")
    core.kernel.calls.halt(one, "enough")
    core.inputs.settle()
    sent = len(wire.take())
    core.kernel.bus.publish("data.news.SPY", "second")
    core.take(NOW, [StatusEvent("SPY", NOW, "halted", "")])
    core.inputs.settle()
    assert one.heard == ["first"]
    assert two.heard == ["first", "second", "halted"]
    # Of the first message either one's, of the second the other's.
    assert sent >= 1
    orders = [core.inputs.order(n) for what, n in wire.take() if what == "submit"]
    assert [order.strategy.name for order in orders] == [two.name]


@pytest.mark.parametrize("way", WAYS)
def test_what_a_handler_of_a_topic_raises_stops_its_strategy_and_no_other(way: str) -> None:
    """Raised in a function that is no method, it came out of the node."""
    core, _ = core_of(BasicGate(), [Listens(way=way), Listens(way=way)])
    one, two = core.kernel.strategies
    two.subscribe("data.wrong", two.take)
    core.kernel.bus.publish("data.wrong", "wrong")
    assert (one.running, two.running) == (True, False)
    (error,) = core.kernel.errors
    assert error.values["strategy"] == two.name
    core.kernel.bus.publish("data.news.SPY", "wrong")
    assert not one.running
    assert one.name in str(core.kernel.errors[1])
    assert "raised LookupError: of no use" in one.stop_reason


def test_a_backtest_ends_with_the_strategy_whose_handler_has_raised() -> None:
    class Speaks(Strategy):
        def on_start(self) -> None:
            self.subscribe_bars("SPY", "1m")
            self.subscribe("own.topic", lambda message: 1 / 0)

        def on_bar(self, bar: Any) -> None:
            self.publish("own.topic", "x")

    with pytest.raises(StrategyError, match=r"Speaks\.<lambda> raised ZeroDivisionError"):
        play({"SPY": frame([(100.0,) * 4] * 3)}, Speaks())


def test_one_handler_listens_once_to_a_topic_and_can_be_taken_off() -> None:
    class Twice(Strategy):
        def on_start(self) -> None:
            self.heard: list[Any] = []
            self.listening = self.subscribe("own.a", self.heard.append)
            self.other = self.subscribe("own.b", self.heard.append)

    core, _ = core_of(BasicGate(), [Twice()])
    (strategy,) = core.kernel.strategies
    bus = core.kernel.bus
    with pytest.raises(ConfigError, match=r"append.* already listens to 'own.a'"):
        strategy.subscribe("own.a", strategy.heard.append)
    with pytest.raises(ConfigError):
        strategy.subscribe("own.c", "no handler")
    bus.publish("own.a", 1)
    strategy.listening.cancel()
    bus.publish("own.a", 2)
    bus.publish("own.b", 3)
    bus.unsubscribe("own.b", strategy.heard.append)
    bus.publish("own.b", 4)
    assert strategy.heard == [1, 3]

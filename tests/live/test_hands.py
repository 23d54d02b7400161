"""What an operator does to one order, one symbol or one strategy; replayed, it comes out alike."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError, PyrtError, UnknownName
from pyrt.live.driver.reconciliation import CLOCK_MAX_NS
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, SECOND, Node, World


class Holds(Strategy):
    """Buys ten at its first bar, and rests with two orders below the market."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
            self.lower = self.buy("SPY", 3, limit_price=90)
            self.upper = self.buy("SPY", 3, limit_price=91)


class Watches(Holds):
    def on_bar(self, bar):
        self.seen += 1


def strategies() -> list[Strategy]:
    return [Holds(), Watches()]


@pytest.fixture
def node() -> Node:
    world = World([bars([100.0] * 40)])
    found = Node(world, MemoryFiles(), strategies(), run_id="one")
    found.start()
    found.run(4 * PHASES)
    assert found.kernel.strategies[0].position("SPY").quantity == 10
    return found


def ask(node: Node, action: str, **what: str) -> str:
    done = node.driver.operate(action, "anna", "a test", **what)
    node.settle(node.world.now)
    node.run(2 * PHASES)
    return done


def assert_replays(node: Node) -> None:
    node.stop()
    result = replay(node.files, strategies(), run_id="one")
    assert result.is_exact, result.difference


def test_one_order_is_canceled_and_no_other(node):
    holds = node.kernel.strategies[0]
    name = holds.lower.client_order_id
    assert ask(node, "cancel", order=name) == f"order {name} is being canceled"
    assert (holds.lower.status, holds.upper.status) == ("CANCELED", "ACCEPTED")
    assert_replays(node)


def test_a_symbol_is_closed_and_trading_goes_on(node):
    holds = node.kernel.strategies[0]
    assert ask(node, "close", symbol="SPY") == "1 orders close SPY"
    assert holds.position("SPY").is_flat
    assert node.kernel.gate.state().name == "ACTIVE"
    assert_replays(node)


def test_one_strategy_is_stopped_and_the_other_goes_on(node):
    holds, watches = node.kernel.strategies
    assert ask(node, "stop_strategy", strategy="Holds") == "Holds is stopped"
    assert (holds.running, watches.running) == (False, True)
    seen = holds.seen, watches.seen
    node.run(2 * PHASES)
    assert holds.seen == seen[0]
    assert watches.seen > seen[1]
    assert_replays(node)


@pytest.mark.parametrize(
    ("action", "what", "error", "text"),
    [
        ("cancel", {"order": "pyrt-one-99"}, ConfigError, "no order 'pyrt-one-99' is open here"),
        ("cancel", {}, ConfigError, "no order '' is open here"),
        ("close", {}, ConfigError, "close needs a symbol"),
        ("close", {"symbol": "QQQ"}, UnknownName, "QQQ"),
        ("stop_strategy", {"strategy": "Hold"}, UnknownName, "no strategy 'Hold' runs here"),
        ("stop_strategy", {}, ConfigError, "no strategy '' runs here"),
        ("close_all", {}, ConfigError, "action is 'close_all'; expected one of halt"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_no_trace(node, action, what, error, text):
    orders = [order.status for order in node.kernel.cache.orders_open()]
    with pytest.raises(error, match=text):
        ask(node, action, **what)
    node.run(PHASES)
    assert [order.status for order in node.kernel.cache.orders_open()] == orders
    assert_replays(node)


def test_nothing_is_asked_of_a_node_that_has_not_started():
    node = Node(World([bars([100.0] * 4)]), MemoryFiles(), strategies(), run_id="one")
    with pytest.raises(ConfigError, match="has not started yet"):
        node.driver.operate("halt", "anna", "early")


def test_a_clock_that_is_off_raises_an_alarm(node):
    run = node.driver._reconciliation._run
    assert not run.plan.checks_clock
    run.plan = replace(run.plan, checks_clock=True)
    for ahead in (0, CLOCK_MAX_NS - SECOND, CLOCK_MAX_NS + SECOND):
        assert "clock" not in {code for code, _ in node.alarms}
        node.driver.look(node.world.now + ahead)
        node.settle(node.world.now + ahead)
    (text,) = [text for code, text in node.alarms if code == "clock"]
    assert text == "this machine's clock is +31.0 s off the broker's"


def test_a_look_that_cannot_be_taken_in_while_running_is_an_error(node, monkeypatch):
    def fails(now, state):
        raise PyrtError("what the broker says cannot be", code="test")

    monkeypatch.setattr(node.driver._reconciliation._adjusting, "take", fails)
    node.driver.look(node.world.now)
    with pytest.raises(PyrtError, match="cannot be"):
        node.settle(node.world.now)


def look(node: Node) -> None:
    node.driver.look(node.world.now)
    node.settle(node.world.now)


def test_a_symbol_is_resumed_for_good_once_what_has_halted_it_is_gone(node):
    body = b'{"symbol":"SPY","qty":"1","side":"buy","type":"limit","limit_price":"80",'
    body += b'"time_in_force":"gtc","client_order_id":"by-hand"}'
    node.world.simulator.request("POST", "/v2/orders", body)
    look(node)
    state = partial(node.kernel.gate.state, symbol="SPY")
    assert state().name == "HALTED"
    # Whoever resumes it too early hears that it does not last.
    done = node.driver.operate("resume", "anna", "mine", symbol="SPY")
    assert done.startswith("SPY is active; halted again at the next look while it is so: an order")
    assert "by-hand" in done
    look(node)
    done = node.driver.operate("resume", "anna", "all is well")
    assert done == "everything is active, but not SPY: resume that by name"
    assert state().name == "HALTED"
    (placed,) = (o for o in node.driver.last_look.orders if o.client_order_id == "by-hand")
    node.world.simulator.request("DELETE", f"/v2/orders/{placed.venue_order_id}", b"")
    look(node)
    assert node.driver.operate("resume", "anna", "gone", symbol="SPY") == "SPY is active"
    look(node)
    assert state().name == "ACTIVE"
    assert_replays(node)

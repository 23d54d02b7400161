"""A close that waited for the cancels of its exits when a node died: it leaves after all."""

from __future__ import annotations

import json

import pytest

from pyrt import Strategy
from pyrt.live.journal.journal import read_records
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

TAPE = "tape-one-00000001.log"
PRICES = [100.0] * 14 + [120.0] * 30
CLOSES_AT = 8
WAITS_BARS = 1


class Leaves(Strategy):
    """Buys ten, guards them by a limit above the market, and closes at its eighth bar."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen, self.kinds = 0, []
        self.way_out = None

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
        elif self.seen == CLOSES_AT:
            self.way_out = self.close("SPY")

    def on_fill(self, fill):
        if fill.side.name == "BUY":
            self.sell("SPY", 10, limit_price=110)

    def on_order(self, event):
        if event.order is self.way_out:
            self.kinds.append(event.kind)

    def on_save(self):
        return {"seen": self.seen}

    def on_load(self, state):
        self.seen = max(self.seen, state["seen"])


def no_cancel(request, answer):
    """Let no cancel arrive, and none be answered."""
    return None if request.method == "DELETE" else answer(request)


def killed(node: Node) -> MemoryFiles:
    node.driver.flush_tape()
    node.journal.commit()
    left = MemoryFiles()
    for name in node.files.names():
        left.put(name, node.files.read(name))
    return left


def cut_off(way: str = "played") -> tuple[World, MemoryFiles]:
    """Return a world in which a node was killed while its close waited for a cancel."""
    world, kept = World([bars(PRICES)]), 0
    node = Node(world, MemoryFiles(), [Leaves()], run_id="one", policies=policies(way))
    node.on_request = no_cancel
    node.start()
    strategy = node.kernel.strategies[0]
    for _ in range(10 * PHASES):
        if strategy.seen < CLOSES_AT:
            node.run(1)
        if strategy.seen < CLOSES_AT - 1:
            kept = len(killed(node).read(TAPE))
    assert strategy.way_out.status == "INITIALIZED"
    assert strategy.position("SPY").quantity == 10
    left = killed(node)
    if way == "short":
        left.put(TAPE, left.read(TAPE)[:kept])
    return world, left


def come_back(world: World, files: MemoryFiles, way: str = "played", run_id: str = "two") -> Node:
    node = Node(world, files, [Leaves()], run_id=run_id, policies=policies(way))
    node.start()
    return node


def test_a_close_that_waited_goes_on_once_its_exits_are_canceled():
    world, files = cut_off()
    second = come_back(world, files)
    second.run(2 * PHASES)
    strategy = second.kernel.strategies[0]
    assert strategy.way_out.status == "FILLED"
    assert strategy.position("SPY").is_flat
    assert strategy.kinds[0] != "denied"
    assert strategy.way_out.client_order_id.startswith("pyrt-two-")
    codes = {code for code, _ in second.alarms}
    assert not codes & {"unguarded", "emulated_lost", "position_mismatch", "replay_differs"}
    second.stop()
    result = replay(second.files, [Leaves()], run_id="two")
    assert result.is_exact, result.difference


def test_what_an_exit_has_filled_while_the_node_was_away_is_not_sold_again():
    world, files = cut_off()
    for _ in world.instants:
        if world.now >= world.bars[0].ts_close[16]:
            break
    posted = len(world.posted)
    second = come_back(world, files)
    second.run(2 * PHASES)
    strategy = second.kernel.strategies[0]
    assert (strategy.way_out.status, strategy.kinds[-1]) == ("DENIED", "denied")
    assert strategy.position("SPY").is_flat
    assert len(world.posted) == posted


def test_killed_again_before_it_has_looked_the_close_still_goes_on():
    world, files = cut_off()
    second = Node(world, files, [Leaves()], run_id="two", policies=policies("played"))
    second.on_request = no_cancel
    second.driver._recovery.speak = lambda now, state: None
    second.driver.begin(world.now)
    second.settle(world.now)
    third = come_back(world, killed(second), run_id="three")
    third.run(2 * PHASES)
    assert third.kernel.strategies[0].way_out.status == "FILLED"
    assert third.kernel.strategies[0].position("SPY").is_flat


@pytest.mark.parametrize("way", ["short", "saved"])
def test_where_nobody_knows_of_the_close_an_alarm_tells_that_nothing_guards(way):
    world, files = cut_off(way)
    second = come_back(world, files, way)
    (text,) = [text for code, text in second.alarms if code == "unguarded"]
    assert "SPY of Leaves is held" in text
    second.run(PHASES)
    assert second.kernel.strategies[0].position("SPY").quantity == 10
    assert not second.kernel.cache.orders_open()


@pytest.mark.parametrize("reached", ["ACCEPTED", "FILLED"])
def test_a_close_of_which_the_record_knows_more_than_the_inputs_does_not_go_on(reached):
    """It may have left, and filled, by the inputs that were lost: it would be sold twice."""
    world = World([bars(PRICES)])
    node = Node(world, MemoryFiles(), [Leaves()], run_id="one", policies=policies("played"))
    node.on_request = no_cancel
    node.start()
    strategy = node.kernel.strategies[0]
    while strategy.seen < CLOSES_AT:
        node.run(1)
    kept = len(killed(node).read(TAPE))
    assert strategy.way_out.status == "INITIALIZED"
    while strategy.way_out.status != reached:
        node.run(1)
    left, posted = killed(node), len(world.posted)
    left.put(TAPE, left.read(TAPE)[:kept])
    second = come_back(world, left)
    assert "replay_short" in {code for code, _ in second.alarms}
    second.run(4 * PHASES)
    assert second.kernel.strategies[0].position("SPY").is_flat
    assert len(world.posted) == posted


def test_a_stop_in_order_leaves_nothing_to_tell():
    world, files = cut_off()
    second = come_back(world, files)
    second.run(2 * PHASES)
    second.stop()
    third = come_back(world, second.files, run_id="three")
    assert "unguarded" not in {code for code, _ in third.alarms}
    assert any(type(record).__name__ == "RunStop" for _, record in read_records(second.files))


class Wavers(Leaves):
    """Asks for the close, and cancels it at the bar in which its wait for the exits is over."""

    def on_bar(self, bar):
        super().on_bar(bar)
        if self.seen == CLOSES_AT + WAITS_BARS:
            self.cancel(self.way_out)


@pytest.mark.parametrize("kind", [Wavers, Leaves])
def test_a_close_that_is_canceled_as_its_wait_ends_never_leaves(kind):
    world = World([bars([100.0] * 44)])
    node = Node(world, MemoryFiles(), [kind()], run_id="one", policies=policies("played"))
    node.on_request = no_cancel
    node.start()
    strategy = node.kernel.strategies[0]
    node.run(20 * PHASES)
    posted = [json.loads(body) for body in world.posted]
    sent = [body["client_order_id"] for body in posted if body["type"] == "market"]
    if kind is Leaves:
        # It does leave when nobody cancels it: the wait is over, and not for ever.
        assert sent == ["pyrt-one-1", "pyrt-one-3"]
        return
    assert sent == ["pyrt-one-1"]
    assert (strategy.way_out.status, strategy.kinds) == ("DENIED", ["denied"])
    assert "canceled: it had not left yet" in strategy.way_out.reason
    assert strategy.position("SPY").quantity == 10


class Guards(Strategy):
    """Holds ten, with a stop that is kept here."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen, self.stop = 0, None

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
        elif self.seen == 3:
            self.stop = self.sell("SPY", 10, trigger_price=95)


class Refills(Strategy):
    """Puts its buys again as soon as they have been canceled."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 2:
            for price in (80, 79, 78):
                self.buy("SPY", 1, limit_price=price)

    def on_order(self, event):
        if event.kind == "canceled":
            self.buy("SPY", 1, limit_price=event.order.limit_price)


def test_buys_that_are_put_again_leave_behind_anothers_stop():
    world, files = World([bars([100.0] * 5 + [94.0] * 20)]), MemoryFiles()
    node = Node(world, files, [Guards(), Refills()], run_id="one", policies=policies("played"))
    node.start()
    node.run(14 * PHASES)
    stop = node.kernel.strategies[0].stop
    orders = list(world.simulator.desk.orders.values())
    assert stop.status == "FILLED"
    assert [order.status for order in orders[1:4]] == ["canceled"] * 3
    assert orders[4].client_order_id == stop.client_order_id
    assert [order.status for order in orders[5:]] == ["new"] * 3
    node.stop()
    result = replay(files, [Guards(), Refills()], run_id="one")
    assert result.is_exact, result.difference

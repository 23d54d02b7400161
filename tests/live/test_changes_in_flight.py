"""A change upward that no answer has come to counts in full, however a node comes back."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.live.journal import records as r
from pyrt.live.journal.state import JournalState
from pyrt.live.replay.replay import replay
from pyrt.risk.limits import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

LIMITS = Limits(
    max_position_quantity=40,
    max_order_quantity=40,
    max_gross_exposure=100_000,
    max_daily_loss=50_000,
    max_open_orders=15,
    max_messages_per_minute=120,
    price_collar_bps=9_000,
    stale_data_after="1h",
)
TAPE = "tape-one-00000001.log"
WAYS = ("played", "short", "saved")


class Grows(Strategy):
    """Rests with ten, asks for thirty, and buys more when a test says so."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen, self.more = 0, 0
        self.order = self.extra = None

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.order = self.buy("SPY", 10, limit_price=50)
        elif self.seen == 10:
            self.modify(self.order, quantity=30)
        if self.more:
            self.extra, self.more = self.buy("SPY", self.more, limit_price=50), 0

    def on_save(self):
        return {"seen": self.seen}

    def on_load(self, state):
        self.seen = max(self.seen, state["seen"])


def lost(request, answer):
    """Let no replace arrive, and none be answered."""
    return None if request.method == "PATCH" else answer(request)


def cut_off(way: str, *, answered: bool = False) -> tuple[World, MemoryFiles]:
    """Return a world in which a node was killed with its change on the way."""
    world, files = World([walk(3, "SPY", 36)]), MemoryFiles()
    first = Node(world, files, [Grows()], run_id="one", limits=LIMITS, policies=policies(way))
    first.on_request = None if answered else lost
    first.start()
    strategy, kept = first.kernel.strategies[0], 0
    for _ in range(12 * PHASES):
        first.run(1)
        if strategy.seen < 10:
            first.driver.flush_tape()
            first.journal.commit()
            kept = len(files.read(TAPE))
    assert 11 <= strategy.seen < 20
    first.driver.flush_tape()
    first.journal.commit()
    left = MemoryFiles()
    for name in files.names():
        left.put(name, files.read(name))
    if way == "short":
        left.put(TAPE, files.read(TAPE)[:kept])
    return world, left


def come_back(world: World, files: MemoryFiles, way: str, run_id: str = "two") -> Node:
    node = Node(world, files, [Grows()], run_id=run_id, limits=LIMITS, policies=policies(way))
    node.start()
    told = {code for code, _ in node.alarms}
    assert ("replay_short" in told) == (way == "short")
    return node


def bought(node: Node, units: int) -> str:
    """Let the strategy buy so many more; return what became of it."""
    strategy = node.kernel.strategies[0]
    strategy.extra, strategy.more = None, units
    for _ in range(3 * PHASES):
        node.run(1)
        if strategy.extra is not None:
            return strategy.extra.status
    raise AssertionError("no bar has come")


@pytest.mark.parametrize("way", WAYS)
def test_a_change_upward_that_may_have_left_counts_in_full(way):
    world, files = cut_off(way)
    second = come_back(world, files, way)
    assert bought(second, 11) == "DENIED"
    assert bought(second, 10) == "ACCEPTED"


@pytest.mark.parametrize("way", WAYS)
def test_it_counts_through_further_restarts(way):
    world, files = cut_off(way)
    for run_id in ("two", "three", "four"):
        node = come_back(world, files, way if run_id == "two" else WAYS[0], run_id)
        assert bought(node, 11) == "DENIED"
        node.driver.flush_tape()
        node.journal.commit()


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_to_a_later_change_says_nothing_of_it(way):
    world, files = cut_off(way)
    second = come_back(world, files, way)
    (order,) = second.kernel.cache.orders_open()
    second.kernel.strategies[0].modify(order, quantity=12)
    second.run(4)
    assert order.quantity == 12
    assert bought(second, 11) == "DENIED"


@pytest.mark.parametrize("way", WAYS)
def test_a_change_that_was_answered_before_leaves_nothing_behind(way):
    world, files = cut_off(way, answered=True)
    second = come_back(world, files, way)
    (order,) = second.kernel.cache.orders_open()
    assert order.quantity == 30
    assert bought(second, 11) == "DENIED"
    assert bought(second, 10) == "ACCEPTED"


@pytest.mark.parametrize("way", WAYS)
def test_a_replay_of_what_came_after_denies_the_same(way):
    world, files = cut_off(way)
    second = come_back(world, files, way)
    assert bought(second, 11) == "DENIED"
    second.stop()
    result = replay(files, [Grows()], run_id="two")
    assert result.is_exact, result.difference


@pytest.mark.parametrize(("kind", "wanted"), [("accepted", True), ("cancel_rejected", False)])
def test_what_is_told_of_an_order_after_a_restart_forgets_no_cancel(kind, wanted):
    """An order brought back does not know of it, and the restart after that had forgotten it."""
    state = JournalState()
    order = r.OrderState(
        client_order_id="a-1", strategy="s", symbol="SPY", side="buy", order_type="limit",
        quantity="10", time_in_force="day", status="SENT",
    )  # fmt: skip
    state.take(r.Intent(ts=1, inputs=1, order=order))
    state.take(r.CancelIntent(ts=2, inputs=2, client_order_id="a-1"))
    state.take(r.Outcome(ts=3, kind=kind, ts_event=3, order=order))
    assert state.orders["a-1"].cancel_wanted is wanted


class Shrinks(Strategy):
    """Asks once for less of an order that has filled in part."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.order, self.asked, self.told = None, 0.0, []

    def on_bar(self, bar):
        if self.order is None:
            self.order = self.buy("SPY", 20, limit_price=105)
        elif self.order.filled_quantity and not self.asked:
            self.asked = self.order.filled_quantity
            self.modify(self.order, quantity=self.asked + 2)

    def on_order(self, event):
        self.told.append(event.kind)


def test_a_change_of_a_half_filled_order_that_is_refused_late_is_told():
    """The rejected replacement shows what the order had filled; it was waited for without end."""
    world = World([bars([100.0] * 30)], participation=0.003)
    world.simulator.faults.set({"slow_replace": 1.0, "replace_s": 70.0, "seed": 1})
    node = Node(world, MemoryFiles(), [Shrinks()], run_id="one", policies=policies("played"))
    node.start()
    node.run(12 * PHASES)
    (strategy,) = node.kernel.strategies
    replacement = list(world.simulator.desk.orders.values())[-1]
    assert replacement.status == "rejected"
    assert replacement.filled_quantity == strategy.asked > 0
    assert strategy.told.count("modify_rejected") == 1
    assert node.client.ledger.of(strategy.order.number).next_id == ""

"""Inputs that reach further than the record: what the kernel did behind its end is written then."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.replay.replay import replay
from pyrt.risk.breaker import BreakerState
from pyrt.testing.files import MemoryFiles
from tests.live.looks import told, written
from tests.live.test_breaker_reset import LIMITS
from tests.live.test_starts import PRICES, Quiet
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

MAIN = "main-00000001.log"
HALF_OPEN = BreakerState.HALF_OPEN


class Buys(Quiet):
    """Buys at the market with its first bar, and rests with another order."""

    def on_start(self):
        super().on_start()
        self.sent = []

    def on_bar(self, bar):
        if not self.sent:
            self.sent = [self.buy("SPY", 10), self.buy("SPY", 1, limit_price=50)]


class Grows(Quiet):
    """Makes its order larger once some of it has filled."""

    order = None

    def on_bar(self, bar):
        if self.order is None:
            self.order = self.buy("SPY", 12, limit_price=100.5)

    def on_fill(self, fill):
        super().on_fill(fill)
        if len(self.told) == 1:
            self.modify(self.order, quantity=14)


class Regrets(Quiet):
    """Takes its order back before it has left."""

    order = None

    def on_bar(self, bar):
        if self.order is None:
            self.order = self.buy("SPY", 1, limit_price=50)
            self.cancel(self.order)


def cut_before(
    kind: type[r.Record], count: int = 1, strategy: type[Quiet] = Buys, **market: Any
) -> tuple[World, MemoryFiles, Any]:
    """Return a run whose record ends before the first of a kind, or a later one of them.

    Its inputs are all there: they are written first.
    """
    world, files = World([PRICES], **market), MemoryFiles()
    first = Node(world, files, [strategy()], run_id="one")
    first.start()
    first.run(9)
    found = [(frame, record) for frame, record in read_records(files) if isinstance(record, kind)]
    frame, record = found[count - 1]
    first.journal.close()
    files.put(MAIN, files.read(MAIN)[: frame.offset])
    return world, files, record


@pytest.mark.parametrize("count", [1, 2])
def test_an_answer_that_was_not_on_record_any_more_is_written_at_the_start(count):
    world, files, lost = cut_before(r.Outcome, count)
    second = Node(world, files, [Buys()], run_id="two")
    second.start()
    outcomes = [o for o in written(second, r.Outcome) if o.kind == "accepted"]
    assert [o.order.client_order_id for o in outcomes] == ["pyrt-one-1", "pyrt-one-2"]
    again = outcomes[count - 1]
    assert (again.kind, again.ts, again.inputs) == (lost.kind, world.now, lost.inputs)
    assert told(second, "replay_differs") == []
    (resting,) = second.kernel.cache.orders_open()
    assert (resting.client_order_id, resting.status) == ("pyrt-one-2", "ACCEPTED")


def test_of_an_order_whose_intent_was_lost_no_end_is_written():
    """It ended before it left; a start wrote its end down, and of nothing else that it had been."""
    world, files, lost = cut_before(r.Intent, strategy=Regrets)
    assert lost.order.client_order_id == "pyrt-one-1"
    second = Node(world, files, [Regrets()], run_id="two")
    second.start()
    assert written(second, r.Intent) == written(second, r.Outcome) == []
    assert told(second, "replay_differs") == []
    assert second.kernel.strategies[0].order.status == "CANCELED"
    second.run(3)
    second.stop()
    result = replay(files, [Regrets()])
    assert (world.posted, result.is_exact) == ([], True), result.difference


def test_a_fill_that_was_not_on_record_any_more_counts_once():
    world, files, lost = cut_before(r.Execution)
    second = Node(world, files, [Buys()], run_id="two")
    second.start()
    (fill,) = written(second, r.Execution)
    assert (fill.quantity, fill.price, fill.ts_event) == (lost.quantity, lost.price, lost.ts_event)
    assert (fill.ts, fill.historical, fill.position.units) == (world.now, False, 10 * 10**9)
    assert second.kernel.strategies[0].position("SPY").quantity == 10
    assert second.kernel.strategies[0].told == [10]
    assert second.driver.findings == ()
    assert len(world.posted) == 2
    (held,) = second.journal.state.positions.values()
    assert held.units == 10 * 10**9
    # The next start has it from the record.
    third = Node(world, files, [Buys()], run_id="three")
    third.start()
    assert third.kernel.strategies[0].position("SPY").quantity == 10
    assert len(written(third, r.Execution)) == 1
    third.stop()
    result = replay(files, [Buys()])
    assert result.is_exact, result.difference


@pytest.mark.parametrize(
    ("strategy", "kind", "count"),
    [
        (Buys, r.Outcome, 1),
        (Buys, r.Execution, 1),
        (Buys, r.Execution, 2),
        (Buys, r.Execution, 3),
        # Accepted, changed, and filled under the name that the change has brought.
        (Grows, r.Outcome, 1),
        (Grows, r.Outcome, 2),
        (Grows, r.Execution, 1),
        (Grows, r.Execution, 2),
        (Grows, r.Execution, 3),
    ],
)
@pytest.mark.parametrize("dies", ["in its start", "later"])
def test_of_an_order_that_fills_in_parts_each_counts_once(strategy, kind, count, dies):
    """What had filled behind the end of the record was filled again by the first look."""
    world, files, _ = cut_before(kind, count, strategy, participation=3 / PRICES.volume[0])
    second = Node(world, files, [strategy()], run_id="two")
    second.start()
    fills = [(f.quantity, f.cumulative) for f in written(second, r.Execution)]
    assert fills == [("3", "3"), ("3", "6"), ("3", "9"), ("1", "10")][: len(fills)]
    assert len(fills) >= count
    assert told(second, "bad_event") == told(second, "replay_differs") == []
    second.journal.commit()
    if dies == "in its start":
        starts = [f for f, record in read_records(second.files) if isinstance(record, r.RunStart)]
        second.journal.close()
        files.put(MAIN, files.read(MAIN)[: starts[-1].offset])
    third = Node(world, second.files, [strategy()], run_id="three")
    third.start()
    third.run(8)
    assert third.kernel.account.cash_exact == world.venue.account.cash_exact
    assert told(third, "bad_event") == []
    assert third.driver.findings == ()
    if dies == "later":
        # Else the run is not played a second time, and the strategy begins anew.
        held = third.kernel.strategies[0].position("SPY").quantity
        assert held == (14 if strategy is Grows else 10)


class Keeps(Strategy):
    """Buys at every other bar."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen % 2 == 0:
            self.buy("SPY", 10)


def trial_of(node: Node) -> tuple[int, int, str]:
    saved = node.kernel.gate.breaker.save()
    return saved["state"], saved["probes"], saved["trial"]


def test_a_trial_of_a_half_open_breaker_that_never_left_lets_another_leave():
    """It is told rejected under another id: the breaker waited for it for good."""
    options = {"limits": LIMITS.replace(cooldown="3m"), "policies": policies("inputs")}
    world, files = World([bars([100.0] * 4 + [90.0] * 40)]), MemoryFiles()
    first = Node(world, files, [Keeps()], run_id="one", **options)
    first.start()
    first.on_request = lambda request, send: (
        None if request.method == "POST" and trial_of(first)[0] == HALF_OPEN else send(request)
    )
    while not trial_of(first)[2]:
        first.run(1)
    assert trial_of(first) == (HALF_OPEN, 1, "pyrt-one-4")
    first.journal.commit()
    (cut,) = [
        frame
        for frame, record in read_records(files)
        if isinstance(record, r.Intent) and record.order.client_order_id == "pyrt-one-4"
    ]
    first.journal.close()
    files.put(MAIN, files.read(MAIN)[: cut.offset])
    posted = len(world.posted)
    second = Node(world, files, [Keeps()], run_id="two", **options)
    second.start()
    assert trial_of(second) == (HALF_OPEN, 0, "")
    second.run(10 * PHASES)
    assert trial_of(second) == (HALF_OPEN, 1, "pyrt-two-5")
    assert len(world.posted) == posted + 1
    second.stop()
    result = replay(files, [Keeps()])
    assert result.is_exact, result.difference

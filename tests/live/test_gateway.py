"""The last gate before a socket: what leaves now, what waits, what is dropped, and why."""

from __future__ import annotations

import pytest

from pyrt.live.driver.gateway import Gateway, Latch
from pyrt.live.driver.scribe import Scribe
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.records import Alarmed
from pyrt.testing.files import MemoryFiles

AGE = 1_000


class Request:
    """What an adapter's queue holds."""

    def __init__(
        self, number: int, purpose: str = "submit", attempt: int = 1, *, reduces: bool = False
    ) -> None:
        self.order_number, self.purpose = number, purpose
        self.attempt, self.reduces, self.lessens = attempt, reduces, False


class Gate:
    """A gateway of which every condition is said, and orders with a record each."""

    def __init__(self) -> None:
        self.journal = Journal(MemoryFiles())
        self.scribe = Scribe(self.journal, None)
        self.latch = Latch()
        self.waits_for = ""
        self.bars: dict[int, str] = {}
        self.moot: set[int] = set()
        self.excused: set[tuple[int, int]] = set()
        self.ways_out: set[int] = set()
        self.gateway = Gateway(
            self.scribe, self.latch, age_ns=AGE,
            may_submit=lambda: self.waits_for,
            barred=lambda number, lessens: self.bars.get(number, "") * (not lessens),
            reduces=lambda number: number in self.ways_out,
            is_moot=lambda request: request.order_number in self.moot,
            is_excused=lambda number, since: (number, since) in self.excused,
        )  # fmt: skip

    def record(self, *numbers: int) -> None:
        """Write down what these orders wait for; it is not on the disk yet."""
        for number in numbers:
            alarm = Alarmed(ts=1, code="test", text=str(number))
            self.scribe._sequences[number] = self.journal.record(alarm)

    def let_go(self, *requests: Request, now: int = 0) -> list[int]:
        return [request.order_number for request in self.gateway.let_go(list(requests), now)]

    def dropped(self) -> list[tuple[int, str]]:
        return [(request.order_number, why) for request, why in self.gateway.take_dropped()]

    def unrecorded(self) -> list[int]:
        return [request.order_number for request in self.gateway.unrecorded]


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_an_order_leaves_as_soon_as_its_record_is_durable_and_not_before(gate):
    gate.record(1, 2)
    assert gate.let_go(Request(1), Request(2, "replace")) == []
    assert (len(gate.gateway), gate.unrecorded()) == (2, [1, 2])
    gate.journal._main.commit(until=1)
    assert gate.let_go(now=1) == [1]
    assert (len(gate.gateway), gate.unrecorded()) == (1, [2])
    gate.journal.commit()
    assert gate.let_go(now=2) == [2]
    assert (len(gate.gateway), gate.unrecorded(), gate.dropped()) == (0, [], [])


def test_cancels_and_queries_wait_for_nothing(gate):
    gate.record(1)
    gate.waits_for = "the stream"
    gate.latch.set("halted")
    gate.bars[1] = "HALTED"
    gate.journal.failure = OSError("gone")
    requests = [Request(1, "cancel"), Request(1, "read_back"), Request(0, "snapshot:orders")]
    assert gate.gateway.let_go(requests, 0) == requests


@pytest.mark.parametrize("is_excused", [True, False])
def test_what_orders_wait_for_keeps_them_unless_one_is_excused(gate, is_excused):
    gate.record(1)
    gate.journal.commit()
    gate.waits_for = "the stream is down"
    if is_excused:
        # Asked with the time it was handed over, not with that of now.
        gate.excused = {(1, 5)}
    assert gate.let_go(Request(1), now=5) == ([1] if is_excused else [])
    assert gate.unrecorded() == []
    if not is_excused:
        gate.excused = {(1, 6)}
        assert gate.let_go(now=6) == []
        gate.waits_for = ""
        assert gate.let_go(now=7) == [1]


def test_no_excuse_makes_an_order_leave_before_its_record_is_durable(gate):
    gate.record(1)
    gate.waits_for = "the stream is down"
    gate.excused = {(1, 0)}
    assert gate.let_go(Request(1)) == []
    # It waits for something else too: a commit alone would not let it go.
    assert gate.unrecorded() == []


@pytest.mark.parametrize(
    ("waits_for", "why"),
    [("the stream is down", "the stream is down"), ("", "its record was not durable in time")],
)
def test_an_order_that_has_waited_its_time_is_dropped_with_what_it_waited_for(gate, waits_for, why):
    gate.record(1, 2)
    gate.waits_for = waits_for
    assert gate.let_go(Request(1), now=5) == []
    assert gate.let_go(Request(2), now=6) == []
    assert gate.gateway.next_due() == 5 + AGE
    assert gate.let_go(now=5 + AGE - 1) == []
    assert gate.dropped() == []
    assert gate.let_go(now=5 + AGE) == []
    assert gate.dropped() == [(1, why)]
    assert gate.dropped() == []
    assert gate.gateway.next_due() == 6 + AGE
    assert gate.let_go(now=6 + AGE) == []
    assert gate.dropped() == [(2, why)]
    assert gate.gateway.next_due() is None


def test_one_that_may_leave_leaves_though_its_time_is_over(gate):
    gate.record(1)
    gate.let_go(Request(1))
    gate.journal.commit()
    assert gate.let_go(now=5 * AGE) == [1]


def test_what_has_become_needless_is_neither_sent_nor_dropped(gate):
    gate.record(1)
    gate.journal.commit()
    gate.moot = {1}
    gate.latch.set("halted")
    assert gate.let_go(Request(1)) == []
    assert [request.order_number for request in gate.gateway.take_moot()] == [1]
    assert gate.gateway.take_moot() == []
    assert (gate.dropped(), len(gate.gateway)) == ([], 0)


def test_each_reason_to_drop_is_told_and_the_latch_comes_first(gate):
    gate.record(1, 2)
    gate.journal.commit()
    gate.journal.failure = OSError("no space")
    assert gate.let_go(Request(1)) == []
    assert gate.dropped() == [(1, "the journal fails: no space")]
    gate.bars[1] = "SPY is HALTED"
    assert gate.let_go(Request(1), Request(2)) == []
    assert gate.dropped() == [(1, "SPY is HALTED"), (2, "the journal fails: no space")]
    gate.latch.set("enough")
    assert gate.let_go(Request(1)) == []
    assert gate.dropped() == [(1, "enough")]


def test_an_order_without_a_record_of_its_own_waits_for_none(gate):
    assert gate.let_go(Request(1)) == [1]


def test_a_latch_keeps_its_first_reason_until_it_is_cleared():
    latch = Latch()
    assert (latch.is_set, latch.reason) == (False, "")
    latch.set("first")
    latch.set("second")
    assert (latch.is_set, latch.reason) == (True, "first")
    latch.clear()
    assert (latch.is_set, latch.reason) == (False, "")
    latch.set("third")
    assert latch.reason == "third"


def test_a_way_out_does_not_leave_once_what_it_was_to_leave_is_gone(gate: Gate) -> None:
    gate.record(1, 2, 3)
    gate.journal.commit()
    gate.waits_for, gate.ways_out = "the stream is down", {1, 2}
    assert gate.let_go(Request(1), Request(2), Request(3)) == []
    gate.waits_for, gate.ways_out = "", {2}
    # The third has never been a way out: what it may do was judged when it came.
    assert gate.let_go(now=1) == [2, 3]
    assert gate.dropped() == [(1, "what it was to leave has been left meanwhile")]


@pytest.mark.parametrize(
    ("attempt", "reduced", "leaves"),
    [(2, True, False), (1, True, True), (2, False, True)],
)
def test_a_way_out_that_is_asked_for_again_does_not_leave_once_nothing_is_left(
    gate: Gate, attempt: int, reduced: bool, leaves: bool
) -> None:
    """A busy broker may have let it wait for long: sent then, it would open a position."""
    gate.record(1)
    gate.journal.commit()
    assert gate.let_go(Request(1, attempt=attempt, reduces=reduced)) == [1] * leaves
    assert gate.dropped() == (
        [] if leaves else [(1, "what it was to leave has been left meanwhile")]
    )


def test_what_makes_an_order_smaller_is_asked_after_as_such():
    gate = Gate()
    gate.bars[1] = "it could raise exposure"
    request = Request(1, "replace")
    request.lessens = True
    assert gate.let_go(request) == [1]
    assert gate.let_go(Request(1, "replace")) == []
    assert gate.dropped() == [(1, "it could raise exposure")]

"""What a run that is played again says: what differs from the record, is missing there or lost."""

from __future__ import annotations

from types import SimpleNamespace as Stub
from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.live.core.restore import order_state
from pyrt.live.core.tape import Tape
from pyrt.live.driver.rehearsal import Rehearsal
from pyrt.live.driver.scribe import Scribe
from pyrt.live.journal.commands import Said, terms_of
from pyrt.live.journal.past import Past
from pyrt.risk.gate import BasicGate
from tests.live.cores import NOW, Wire, core_of, trade


class Acts(Strategy):
    """Does what the test does for it, and saves what it is told to."""

    def on_start(self) -> None:
        self.kept: Any = None

    def on_save(self) -> Any:
        if isinstance(self.kept, Exception):
            raise self.kept
        return self.kept


class First(Acts):
    pass


class Second(Acts):
    pass


class Client(Wire):
    """Knows the broker's names of no order."""

    def venue_of(self, number: int) -> tuple[str, str, str]:
        return "", "", ""

    def parts_of(self, number: int) -> tuple[Any, ...]:
        return ()


class Rig:
    """Two strategies with ten SPY each, and a rehearsal that hears what they do from now on."""

    def __init__(self, *, limit: int | None = None, **past: Any) -> None:
        self.core, _ = core_of(BasicGate(), [First(), Second()], tape=Tape())
        for number in (0, 1):
            trade(self.core, number, "buy", "SPY", 10, 100)
        self.first, self.second = self.core.kernel.strategies
        self.past: Any = Past()
        self.past.place = 1_000
        for name, value in past.items():
            setattr(self.past, name, value)
        self.client: Any = Client()
        self.journal: Any = Stub(state=Stub(orders={}, closed={}))
        self.rehearsal = Rehearsal(self.past, Scribe(self.journal, self.client))
        self.breaks = 0
        core: Any = Stub(kernel=self.core.kernel, inputs=self)
        self.rehearsal.begin(core, limit)
        self.core.speak_to(self.rehearsal)

    @property
    def count(self) -> int:
        return self.core.inputs.count

    def break_off(self) -> None:
        self.breaks += 1

    def answer(self, order: Any, kind: str = "accepted") -> None:
        self.core.inputs.order_event(kind, order.number, NOW)
        self.core.inputs.settle()


def orders_of(order: Any) -> list[Any]:
    legs = [leg for leg in (order.take_profit, order.stop_loss) if leg is not None]
    return [order, *legs] if order.sibling is None else [order, order.sibling]


def acted(rig: Rig) -> list[Said]:
    """Let both strategies act, a command an input; return what the record has of it."""
    said: list[Said] = []
    settle = rig.core.inputs.settle

    def submitted(order: Any) -> Any:
        # Taken before it leaves, as a submit names what the kernel has decided.
        terms = [terms_of(order_state(each)) for each in orders_of(order)]
        said.append(Said(rig.count + 1, "submit", order.client_order_id, terms))
        settle()
        return order

    order = submitted(rig.first.buy("SPY", 3, limit_price=80))
    rig.answer(order)
    rig.first.modify(order, quantity=2)
    said.append(Said(rig.count + 1, "change", order.client_order_id, {"quantity": "2"}))
    settle()
    entry = submitted(rig.second.buy("QQQ", 1, limit_price=50, take_profit=60, stop_loss=40))
    rig.answer(order, "modified")
    rig.first.cancel(order)
    said.append(Said(rig.count + 1, "cancel", order.client_order_id, None))
    settle()
    rig.second.oco("SPY", 10, take_profit=120, stop_loss=90)
    pair = next(o for o in rig.core.kernel.cache.orders_open() if o.sibling and not o.parent)
    submitted(pair)
    rig.answer(entry)
    return said


RECORD = acted(Rig())
"""What both did: a submit, a change, a submit with exits, a cancel, and a submit of a pair."""
FIRST, CHANGE, ENTRY, CANCEL, PAIR = RECORD
WORDS = [f"{said.what} {said.client_order_id} after input {said.inputs}" for said in RECORD]


def compared(*commands: Said, **past: Any) -> Rig:
    rig = Rig(commands=list(commands), **past)
    acted(rig)
    rig.rehearsal.end()
    return rig


def names(rig: Rig, numbers: list[int]) -> list[str]:
    return [rig.core.inputs.order(number).client_order_id for number in numbers]


def test_a_run_that_is_played_again_comes_to_the_same_commands():
    assert [said.what for said in RECORD] == ["submit", "change", "submit", "cancel", "submit"]
    assert [len(said.terms) for said in (FIRST, ENTRY, PAIR)] == [1, 3, 2]
    rig = compared(*RECORD)
    found = rig.rehearsal
    assert (found.compared, found.difference, found.differing) == (5, "", "")
    assert found.unsent == found.uncanceled == []
    assert rig.breaks == 0
    # Commands are compared, and none of them is sent.
    assert rig.client.take() == []


OTHER = msgspec.structs.replace(CHANGE, terms={"quantity": "3"})


@pytest.mark.parametrize(
    ("record", "count", "words", "differing"),
    [
        # Another command in its place, or other terms: whose command came is who differs.
        ([FIRST, OTHER, *RECORD[2:]], 1, (WORDS[1], WORDS[1]), "First"),
        # One that is none of the record: the next on record is named, and who sent this one.
        ([*RECORD[:2], *RECORD[3:]], 2, (WORDS[3], WORDS[2]), "Second"),
        ([*RECORD[:3], PAIR], 3, (WORDS[4], WORDS[3]), "First"),
        # One on record did not come, though the one after it did: it is whose it is.
        ([FIRST, msgspec.structs.replace(ENTRY, inputs=0), *RECORD[1:]], 1, None, "Second"),
        # Nothing on record follows, though inputs do: the kernel would have gone on.
        (RECORD[:4], 4, ("nothing", WORDS[4]), "Second"),
        ([], 0, ("nothing", WORDS[0]), "First"),
    ],
)
def test_the_first_difference_is_told_with_who_differs(record, count, words, differing):
    rig = compared(*record)
    found = rig.rehearsal
    assert (found.compared, found.differing) == (count, differing)
    if words:
        assert found.difference == f"recorded {words[0]}, replayed {words[1]}"
    assert rig.breaks == 1


def test_after_a_difference_nothing_is_compared_and_what_never_left_is_known():
    rig = compared(OTHER)
    found = rig.rehearsal
    assert found.difference == f"recorded {WORDS[1]}, replayed {WORDS[0]}"
    submits = [row[0] for said in (FIRST, ENTRY, PAIR) for row in said.terms]
    assert names(rig, found.unsent) == submits
    assert names(rig, found.uncanceled) == [CANCEL.client_order_id]
    assert found.compared == 0


@pytest.mark.parametrize(
    ("place", "differs"), [(PAIR.inputs - 1, False), (PAIR.inputs, False), (PAIR.inputs + 1, True)]
)
def test_what_is_behind_all_records_never_left_and_is_no_difference(place, differs):
    rig = compared(*RECORD[:4], place=place)
    found = rig.rehearsal
    assert bool(found.difference) == differs
    assert names(rig, found.unsent) == [row[0] for row in PAIR.terms]
    assert rig.breaks == differs
    # A cancel behind them leaves again with its order.
    rig = compared(*RECORD[:3], place=CANCEL.inputs)
    assert (rig.rehearsal.difference, rig.rehearsal.uncanceled) == ("", [])


@pytest.mark.parametrize("resumed_at", [FIRST.inputs - 1, FIRST.inputs, CHANGE.inputs])
def test_what_an_earlier_run_has_compared_is_compared_no_more(resumed_at):
    record = [said for said in RECORD if said.inputs > resumed_at]
    found = compared(*record, resumed_at=resumed_at).rehearsal
    assert (found.compared, found.difference) == (len(record), "")
    assert found.unsent == []


@pytest.mark.parametrize(
    ("late", "known", "owner"),
    [
        (CANCEL, "orders", "First"),
        # Its order has ended by what the record says, and by what was played perhaps.
        (CANCEL, "closed", "First"),
        (msgspec.structs.replace(CANCEL, client_order_id="t-99"), "orders", ""),
        (ENTRY, "orders", "Second"),
        (FIRST, "orders", "First"),
    ],
)
def test_a_command_that_never_came_is_missing_from_its_place_on(late, known, owner):
    wanted = msgspec.structs.replace(late, inputs=FIRST.inputs + 1)
    rig = Rig(commands=[wanted])
    getattr(rig.journal.state, known)[CANCEL.client_order_id] = Stub(strategy="First")
    found = rig.rehearsal
    assert found.on_place(FIRST.inputs) == FIRST.inputs + 1
    assert found.difference == ""
    found.on_place(FIRST.inputs + 1)
    words = f"{wanted.what} {wanted.client_order_id} after input {wanted.inputs}"
    assert found.difference == f"recorded {words}, replayed nothing"
    assert found.differing == owner
    # The first difference stays.
    rig.past.commands[0] = PAIR
    found.on_place(PAIR.inputs)
    assert found.difference.startswith(f"recorded {words}")


@pytest.mark.parametrize(("later", "is_missing"), [(0, True), (1, False)])
def test_at_the_end_what_should_have_come_by_then_is_missing(later, is_missing):
    rig = Rig()
    acted(rig)
    last = msgspec.structs.replace(CANCEL, inputs=rig.count + later)
    found = compared(*RECORD, last).rehearsal
    words = f"recorded cancel {last.client_order_id} after input {last.inputs}, replayed nothing"
    assert found.difference == (words if is_missing else "")
    assert found.compared == 5

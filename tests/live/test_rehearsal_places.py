"""Places of a run that is played again: saves come out there, and what has no record is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt.live.core.restore import order_state
from pyrt.live.journal import records as r
from tests.live.cores import NOW
from tests.live.test_rehearsal import FIRST, PAIR, Rig

# -- places ----------------------------------------------------------------------------------------


def save(inputs: int, state: bytes = b"\x07", strategy: str = "First") -> r.StrategySave:
    return r.StrategySave(ts=1, strategy=strategy, inputs=inputs, state=state)


@pytest.mark.parametrize(
    ("limit", "commands", "saves", "place"),
    [
        (None, [], [], None),
        (9, [], [], 9),
        (9, [8], [], 8),
        (9, [], [7], 7),
        (6, [8], [7], 6),
        (None, [8], [7], 7),
        (None, [7], [8], 7),
    ],
)
def test_the_next_place_is_the_nearest_where_something_has_to_have_come(
    limit, commands, saves, place
):
    rig = Rig(
        limit=limit,
        commands=[msgspec.structs.replace(FIRST, inputs=inputs) for inputs in commands],
        saves=[save(inputs) for inputs in saves],
    )
    assert rig.rehearsal.next_place() == place


def test_inputs_end_after_the_last_that_is_wanted():
    rig = Rig(limit=9, saves=[save(8, b"other"), save(9, b"other")])
    assert rig.rehearsal.on_place(8) == 9
    assert (rig.breaks, len(rig.rehearsal.saves_differ)) == (0, 1)
    for place in (9, 10):
        assert rig.rehearsal.on_place(place) is None
    # What is behind it is not looked at.
    assert (rig.breaks, len(rig.rehearsal.saves_differ)) == (2, 1)


def test_saves_are_compared_at_their_places_and_the_first_that_differ_are_told_by_name():
    rig = Rig(
        saves=[
            save(20), save(21, b"\x08"), save(21, b"\x08", "Second"), save(22, b"\x07"),
            save(23, b"\x07", "Third"), save(24),
        ]
    )  # fmt: skip
    rig.first.kept, rig.second.kept = 7, 8
    found = rig.rehearsal
    assert found.on_place(19) == 20
    assert found.on_place(20) == 21
    assert found.saves_differ == []
    assert found.on_place(21) == 22
    assert found.saves_differ == ["First after input 21"]
    # What cannot be saved, or is of nobody, came out as no record has it.
    rig.first.kept = ValueError("no")
    assert found.on_place(23) == 24
    assert found.saves_differ[1:] == ["First after input 22", "Third after input 23"]
    rig.first.kept = 7
    assert found.on_place(24) is None
    assert len(found.saves_differ) == 3
    assert rig.breaks == 0


def test_a_save_that_failed_then_and_fails_now_is_the_same():
    rig = Rig(saves=[save(20, repr(ValueError("no")).encode())])
    rig.first.kept = ValueError("no")
    assert rig.rehearsal.on_place(20) is None
    assert rig.rehearsal.saves_differ == []


# -- what the record has no longer -----------------------------------------------------------------


def filled(rig: Rig, order: Any, units: int, total: int) -> None:
    rig.core.inputs.fill(order.number, NOW, str(units), "80", str(total))
    rig.core.inputs.settle()


def lived(rig: Rig) -> Any:
    """Let an order be accepted, filled twice, and canceled."""
    order = rig.first.buy("SPY", 3, limit_price=80)
    rig.core.inputs.settle()
    rig.answer(order)
    filled(rig, order, 1, 1)
    filled(rig, order, 1, 2)
    rig.answer(order, "canceled")
    return order


def kept(rig: Rig) -> list[tuple[str, str]]:
    return [
        ("fill", record.cumulative) if isinstance(record, r.Execution) else (record.kind, "")
        for record in rig.rehearsal.unwritten
        if isinstance(record, r.Execution | r.Outcome)
    ]


ALL = [("accepted", ""), ("fill", "1"), ("fill", "2"), ("canceled", "")]


@pytest.mark.parametrize(
    ("outcomes", "executions", "expected"),
    [
        (0, 0, ALL),
        (1, 0, ALL[1:]),
        (1, 1, ALL[2:]),
        (1, 2, ALL[3:]),
        (2, 1, [ALL[2]]),
        (2, 2, []),
        (9, 9, []),
    ],
)
def test_what_happened_to_orders_after_the_record_is_kept(outcomes, executions, expected):
    executed = [None] * executions
    rig = Rig(commands=[FIRST], outcomes=outcomes, executions=executed, place=0)
    order = lived(rig)
    assert kept(rig) == expected
    for record in rig.rehearsal.unwritten:
        assert isinstance(record, r.Execution | r.Outcome)
        assert record.order.client_order_id == order.client_order_id
        assert record.order.venue_order_id == ""
        assert not getattr(record, "historical", False)
    rig.rehearsal.end()
    rig.rehearsal.unwritten.clear()
    lived(rig)
    assert rig.rehearsal.unwritten == []


def test_of_an_order_that_never_left_nothing_is_kept():
    rig = Rig(place=0)
    order = rig.first.buy("SPY", 3, limit_price=80)
    rig.core.inputs.settle()
    rig.answer(order, "canceled")
    assert (kept(rig), len(rig.rehearsal.unsent)) == ([], 1)


# The order leaves with the first input and is accepted by the second; it fills with the fourth.
@pytest.mark.parametrize(
    ("inputs", "expected"), [(1, ALL), (2, ALL[1:]), (3, ALL[1:]), (4, ALL[2:])]
)
def test_what_an_earlier_run_has_on_record_is_not_kept(inputs, expected):
    rig = Rig(place=0, resumed_at=Rig().count + inputs)
    lived(rig)
    assert kept(rig) == expected


def test_what_follows_a_difference_is_not_kept():
    rig = Rig(commands=[PAIR])
    lived(rig)
    assert rig.rehearsal.difference
    assert kept(rig) == []


def test_the_brokers_names_are_those_on_record():
    rig = Rig(commands=[FIRST], place=0)
    known = {"venue_order_id": "v", "venue_filled": "1", "venue_cost": "2"}
    order = rig.first.buy("SPY", 3, limit_price=80)
    rig.journal.state.orders[order.client_order_id] = msgspec.structs.replace(
        order_state(order), **known, venue_parts=(("u", "1", "80"),)
    )
    rig.core.inputs.settle()
    rig.answer(order)
    filled(rig, order, 1, 1)
    filled(rig, order, 2, 3)
    expected = [
        ("ACCEPTED", {"u": ("1", "80")}),
        # The broker's name for what has filled since is not known.
        ("PARTIALLY_FILLED", {"u": ("1", "80"), "": (1, 80)}),
        ("FILLED", {"u": ("1", "80"), "": (3, 240)}),
    ]
    for record, (status, parts) in zip(rig.rehearsal.unwritten, expected, strict=True):
        assert isinstance(record, r.Execution | r.Outcome)
        found = record.order
        assert {name: getattr(found, name) for name in known} == known
        assert found.status == status
        rows = {name: (units, cost) for name, units, cost in found.venue_parts}
        if "" in rows:
            rows[""] = tuple(map(float, rows[""]))
        assert rows == parts


def test_what_is_subscribed_to_is_wanted_live():
    rig = Rig()
    rig.first.subscribe_quotes("QQQ")
    assert rig.client.take() == [("subscribe", "quotes", "QQQ")]

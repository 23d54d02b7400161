from __future__ import annotations

import itertools

import pytest

from pyrt.core.instruments import Instrument
from pyrt.core.orders import Fill, transition, transitions
from pyrt.core.types import EventKind, OrderStatus, Side
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig

EVENTS = [kind for kind in EventKind if 16 <= kind < 33]
FINAL = {"DENIED", "REJECTED", "FILLED", "CANCELED", "EXPIRED", "LOST"}


def reference(status: str, event: str) -> str | None:
    """The rules in words, apart from the table."""
    if event in ("MODIFY_REJECTED", "CANCEL_REJECTED"):
        return status
    at_venue = status in ("SENT", "HELD", "ACCEPTED", "TRIGGERED", "PARTIALLY_FILLED")
    ours = {
        ("INITIALIZED", "DENIED"): "DENIED",
        ("INITIALIZED", "EMULATED"): "EMULATED",
        ("INITIALIZED", "SENT"): "SENT",
        ("EMULATED", "RELEASED"): "RELEASED",
        ("RELEASED", "SENT"): "SENT",
        ("RELEASED", "DENIED"): "DENIED",
    }
    if (status, event) in ours:
        return ours[status, event]
    if event == "FILL":
        if at_venue:
            return "PARTIALLY_FILLED"
        # An order that an algorithm works fills by what its parts do, on our side.
        return status if status in ("CANCELED", "EXPIRED", "LOST", "EMULATED") else None
    if event in ("BUST", "CORRECTION"):
        had_fills = status in ("PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED")
        return status if had_fills else None
    if event in ("CANCELED", "EXPIRED"):
        return event if at_venue or status in ("EMULATED", "LOST") else None
    if event == "LOST":
        return "LOST" if at_venue else None
    if event == "REJECTED":
        could = status in ("SENT", "HELD", "ACCEPTED", "TRIGGERED", "LOST")
        return "REJECTED" if could else None
    if event == "ACCEPTED":
        return "ACCEPTED" if status in ("SENT", "HELD", "LOST") else None
    if event == "HELD":
        return "HELD" if status == "SENT" else None
    if event == "TRIGGERED":
        return "TRIGGERED" if status in ("SENT", "HELD", "ACCEPTED") else None
    if event == "MODIFIED":
        open_there = at_venue and status != "SENT"
        return status if open_there or status == "EMULATED" else None
    return None


@pytest.mark.parametrize(
    ("status", "event"), list(itertools.product(OrderStatus, EVENTS)), ids=lambda v: v.name
)
def test_every_pair_of_state_and_event_follows_the_rules(status, event):
    expected = reference(status.name, event.name.removeprefix("EV_"))
    found = transition(status, event)
    assert (None if found is None else found.name) == expected


def test_final_states_are_left_only_by_evidence_of_life():
    for before, event, after in transitions():
        if before.name in FINAL and after is not before:
            assert before.name == "LOST", f"{before.name} --{event.name}--> {after.name}"


def test_every_state_can_be_reached():
    reached = {OrderStatus.INITIALIZED, OrderStatus.FILLED}
    for _ in OrderStatus:
        reached |= {after for before, _, after in transitions() if before in reached}
    assert reached == set(OrderStatus)


@pytest.mark.parametrize(("status", "event"), [(-1, 16), (99, 16), (0, -1), (0, 10_000)])
def test_what_is_no_state_or_no_event_leads_nowhere(status: int, event: int) -> None:
    assert transition(status, event) is None


def test_nothing_beyond_the_states_and_events_there_are_leads_anywhere() -> None:
    for status in range(-3, len(OrderStatus) + 3):
        for event in (*range(-3, 16), *range(max(EventKind) + 1, 300)):
            assert transition(status, event) is None
    for event in EVENTS:
        for status in (-2, -1, len(OrderStatus), len(OrderStatus) + 1):
            assert transition(status, event) is None


def test_an_order_is_unknown_while_nobody_can_say_what_came_of_a_request() -> None:
    made = GateRig(RiskEngine(), prices=100)
    order = made.order("buy", 1, limit_price=99)
    assert not order.is_unknown
    made.answer("unknown", order)
    assert (order.status, order.is_unknown) == ("SENT", True)
    made.answer("accept", order)
    assert (order.status, order.is_unknown) == ("ACCEPTED", False)
    made.cancel(order)
    made.answer("unknown", order)
    assert order.is_unknown


def test_an_order_is_pending_while_a_request_has_no_answer() -> None:
    made = GateRig(RiskEngine(), prices=100)
    order = made.order("buy", 1, limit_price=99)
    seen = [order.is_pending]
    for what in ("accept", "modified", "cancel"):
        if what == "modified":
            made.modify(order, limit_price=98)
        elif what == "cancel":
            made.cancel(order)
        before = order.is_pending
        made.answer(what, order)
        seen += [before, order.is_pending]
    assert seen == [True, True, False, True, False, True, False]


def test_a_fill_that_is_told_of_is_one_of_a_moment():
    fill = Fill(Instrument("AAA"), "sell", 2, 100, ts_event=7)
    assert (fill.ts_open, fill.ts_event, fill.ts_init) == (7, 7, 7)
    assert (fill.side, fill.is_last) == (Side.SELL, True)

"""Exits whose entry is known no more: found with it, or by what they have replaced."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.messages import OrderView

TS = 1_717_423_200_000_000_000


def view(name: str, kind: str = "stop", **more) -> OrderView:
    terms = {
        "client_order_id": f"of-{name}", "symbol": "SPY", "side": "sell", "type": kind,
        "time_in_force": "gtc", "status": "new", "qty": "12",
    }  # fmt: skip
    return OrderView(id=name, **(terms | more))


@pytest.fixture
def ledger() -> Ledger:
    """A ledger with the two exits of an entry that has ended; their ids were never recorded."""
    made = Ledger("run-")
    for number, kind in ((2, "limit"), (3, "stop")):
        leg = Known(number, f"run-{number}", leg_type=kind, quantity=Decimal(12))
        made.adopt(leg, {})
        made.leave("run-1", leg)
    return made


def told(events: list) -> list[tuple[str, int]]:
    return [(event.kind, event.number) for event in events]


def entry(*legs: OrderView) -> OrderView:
    return view("e", client_order_id="run-1", status="filled", legs=list(legs))


def test_they_are_paired_with_what_their_entry_shows_by_what_they_are(ledger):
    events = ledger.apply(entry(view("l", "limit"), view("s", status="held")), TS)
    assert told(events) == [("accepted", 2), ("held", 3)]
    assert (ledger.of(2).venue_id, ledger.of(3).venue_id) == ("l", "s")
    assert ledger.apply(entry(view("l", "limit"), view("s", status="held")), TS) == []


@pytest.mark.parametrize(("status", "first"), [("new", "accepted"), ("held", "held")])
def test_one_that_is_smaller_by_now_has_arrived_before_it_is_changed(ledger, status, first):
    events = ledger.apply(entry(view("s", qty="5", status=status)), TS)
    assert told(events) == [(first, 3), ("modified", 3)]
    assert events[1].terms == ("5", None, None)
    assert ledger.of(3).quantity == 5


def test_one_that_has_ended_smaller_has_arrived_before_its_end(ledger):
    events = ledger.apply(entry(view("s", qty="5", status="canceled")), TS)
    assert told(events) == [("accepted", 3), ("modified", 3), ("canceled", 3)]


def test_what_has_taken_its_place_is_it_under_any_name(ledger):
    ledger.apply(entry(view("s")), TS)
    events = ledger.apply(view("t", replaces="s", stop_price="95"), TS)
    assert told(events) == [("modified", 3)]
    assert ledger.of(3).venue_id == "t"
    # What was in its way is old news.
    assert ledger.apply(view("s", status="new"), TS) == []


def test_forgotten_they_are_no_longer_looked_for(ledger):
    for number in (2, 3):
        ledger.forget(number)
    assert ledger.apply(entry(view("l", "limit"), view("s")), TS) == []
    assert ledger._left == {}

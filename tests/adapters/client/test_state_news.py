"""What a look at the account tells of our orders: what is news, when, and in which order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import FillEvent
from pyrt.adapters.alpaca.core.snapshot import ActivityView
from pyrt.core.times import timestamp_ns
from pyrt.live.core.broker import BrokerState
from tests.adapters.client.exchange import PREFIX
from tests.adapters.client.test_order_path import NOW, body, submitted, view
from tests.adapters.client.test_replaced import LATER, SECOND_ONE, execution, gone, look, told

EXECUTED = timestamp_ns("2013-10-07T13:30:30Z")
"""When the executions of these tests happened."""


@pytest.fixture
def client() -> AlpacaClient:
    """A client with an order of ten at the broker."""
    made = AlpacaClient(PREFIX)
    made.receive_response(submitted(made), 200, body(), NOW)
    return made


def partly(filled: str, average: str = "100", **more):
    return view("partially_filled", filled_qty=filled, filled_avg_price=average, **more)


# -- a look ----------------------------------------------------------------------------------------


def test_a_look_that_brings_no_lists_says_nothing_of_orders(client):
    state = BrokerState(
        ts=LATER, account="a", may_trade=True, status="ACTIVE", cash=Decimal(0), equity=Decimal(0),
        positions={}, orders=(), fills=(), adjustments=(),
    )  # fmt: skip
    assert client.apply(state) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"qty": None},
        {"cum_qty": None},
        {"transaction_time": None},
        {"transaction_time": ""},
        {"order_id": "another"},
    ],
)
def test_an_execution_that_does_not_say_what_of_or_when_is_passed_over(client, changes):
    fields = {
        name: getattr(execution("venue-1", "3", "3"), name)
        for name in ActivityView.__struct_fields__
    }
    assert look(client, [], [ActivityView(**{**fields, **changes})]) == []
    assert client.ledger.of(1).filled == 0


def test_executions_come_with_their_own_times_before_the_states_of_orders(client):
    done = view("filled", filled_qty="10", filled_avg_price="100", filled_at="2013-10-07T13:31:00Z")
    trades = [execution("venue-1", "3", "3"), execution("venue-1", "2", "5")]
    events = look(client, [done], trades)
    # The five that no execution tells of are as old as the order's end.
    assert events == [
        FillEvent(1, EXECUTED, "3", "100", "3"),
        FillEvent(1, EXECUTED, "2", "100", "5"),
        FillEvent(1, timestamp_ns("2013-10-07T13:31:00Z"), "5", "100.000000000", "10"),
    ]
    assert look(client, [done], trades) == []


STAMPS = {
    name: f"2013-10-07T14:00:0{second}Z"
    for second, name in enumerate(
        ("updated_at", "filled_at", "canceled_at", "expired_at", "failed_at"), 1
    )
}


@pytest.mark.parametrize(
    ("status", "stamp"),
    [
        ("canceled", "canceled_at"),
        ("expired", "expired_at"),
        ("rejected", "failed_at"),
        ("filled", "filled_at"),
        ("held", "updated_at"),
    ],
)
def test_a_state_is_as_old_as_the_broker_says(status, stamp):
    filled = {"filled_qty": "10", "filled_avg_price": "1"} if status == "filled" else {}
    for stamps, expected in (
        (STAMPS, STAMPS[stamp]),
        ({"updated_at": STAMPS["updated_at"]}, STAMPS["updated_at"]),
        ({}, None),
    ):
        made = AlpacaClient(PREFIX)
        made.receive_response(submitted(made), 200, body("pending_new"), NOW)
        event = look(made, [view(status, **filled, **stamps)])[-1]
        assert event.ts_event == (LATER if expected is None else timestamp_ns(expected))


def test_old_executions_tell_nothing_of_a_size_that_was_changed_since():
    grown = partly("3", qty="30", updated_at="2013-10-07T13:45:00Z")
    for trades in ([execution("venue-1", "3", "3")], [execution("venue-1", "1", "1")]):
        made = AlpacaClient(PREFIX)
        made.receive_response(submitted(made), 200, body(), NOW)
        made.ledger.apply(partly("3"), NOW)
        (event,) = look(made, [grown], trades)
        assert (event.kind, event.terms[0]) == ("modified", "30")
        assert event.ts_event == timestamp_ns("2013-10-07T13:45:00Z")


@pytest.mark.parametrize(("cumulative", "counts"), [("8", True), ("10", True), ("11", False)])
def test_what_no_list_shows_counts_up_to_the_size_that_is_known(client, cumulative, counts):
    client.ledger.apply(partly("4"), NOW)
    quantity = str(int(cumulative) - 4)
    events = look(client, [], [execution("venue-1", quantity, cumulative)])
    assert told(events) == [(cumulative,)] * counts
    assert len(client.take_requests(LATER)) == (not counts)


def test_an_execution_of_a_replacement_that_no_list_shows_is_looked_at_there(client):
    """Nothing else shows that the one before it is gone."""
    client.ledger.expect(client.ledger.of(1), "venue-2")
    assert look(client, [], [execution("venue-2", "3", "3")]) == []
    (request,) = client.take_requests(LATER)
    assert request.path == "/v2/orders/venue-2?nested=true"


def test_a_replacement_that_has_executed_something_was_in_force_however_it_ended(client):
    """The list shows no more of the one before it; its own terms are those that held."""
    ended = view("canceled", filled_qty="3", filled_avg_price="100", **SECOND_ONE, qty="12")
    events = look(client, [ended], [execution("venue-2", "3", "3")])
    assert told(events) == [("modified", "12"), ("3",), ("canceled",)]


def test_what_stood_in_the_place_before_counts_before_it_however_they_are_listed():
    """Four, then two more, then one more: each venue order carries what those before it had."""
    third = {"id": "venue-3", "client_order_id": f"{PREFIX}1-r2", "replaces": "venue-2"}
    chain = [
        gone(filled_qty="4", filled_avg_price="100"),
        view(
            "replaced", replaced_by="venue-3", filled_qty="6", filled_avg_price="100", **SECOND_ONE
        ),
        partly("7", **third),
    ]
    for views in (chain, chain[::-1], [chain[1], chain[2], chain[0]]):
        made = AlpacaClient(PREFIX)
        made.receive_response(submitted(made), 200, body(), NOW)
        events = look(made, views)
        assert [e.cumulative for e in events if type(e) is FillEvent] == ["4", "6", "7"]
        assert made.ledger.of(1).venue_id == "venue-3"


def test_orders_that_replace_each_other_in_a_ring_end_the_search(client):
    ring = [
        view("new", id="a", client_order_id="x", replaces="b"),
        view("new", id="b", client_order_id="y", replaces="a"),
    ]
    assert look(client, ring, [execution("a", "1", "1")]) == []
    ours = [
        view("replaced", id="venue-2", replaces="venue-3", client_order_id=f"{PREFIX}1-r1"),
        view("replaced", id="venue-3", replaces="venue-2", client_order_id=f"{PREFIX}1-r2"),
    ]
    look(client, ours, [execution("venue-2", "1", "1")])
    assert client.ledger.of(1).filled <= 1

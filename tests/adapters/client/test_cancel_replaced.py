"""A cancel that meets a change: the broker takes it of the order in force, and of no other."""

from __future__ import annotations

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from tests.adapters.client.exchange import PREFIX, order, refused
from tests.adapters.client.test_order_path import (
    NOW,
    SECOND,
    body,
    frame,
    kinds,
    submitted,
    view,
)

SECOND_ONE = {"id": "venue-2", "client_order_id": f"{PREFIX}1-r1", "replaces": "venue-1"}
LATER = NOW + 2 * SECOND
"""When the look is due that the change has asked for."""
OLD, NEW = "DELETE /v2/orders/venue-1", "DELETE /v2/orders/venue-2"
LOOK_OLD, LOOK_NEW = (f"GET /v2/orders/venue-{n}?nested=true" for n in (1, 2))
REPLACED = {"status": "replaced", "replaced_by": "venue-2"}


@pytest.fixture
def client() -> AlpacaClient:
    """A client whose order is about to be replaced, and to be canceled."""
    made = AlpacaClient(PREFIX)
    made.receive_response(submitted(made), 200, body(), NOW)
    made.change(order(1), {"quantity": "12"})
    (patch,) = made.take_requests(NOW)
    made.receive_response(patch, 200, body("pending_new", **SECOND_ONE, qty="12"), NOW)
    made.withdraw(order(1))
    return made


def leaving(client: AlpacaClient, now: int = NOW):
    """What leaves now, without the look that follows the change."""
    return {f"{r.method} {r.path}": r for r in client.take_requests(now)}


def refuse(client: AlpacaClient, request, status: str, now: int = NOW):
    answer = refused(422, 42210000, f'order is already in "{status}" state')
    return client.receive_response(request, 422, answer.body, now)


def look_at_the_new_one(client: AlpacaClient):
    """Answer the look that the change has asked for; the one that follows it."""
    look = leaving(client, LATER)[LOOK_OLD]
    assert client.receive_response(look, 200, body(**REPLACED), LATER) == []
    names = leaving(client, LATER)
    assert list(names) == [LOOK_NEW]
    return names[LOOK_NEW]


def cancel_of_the_new_one(client: AlpacaClient, now: int):
    """Let the cancel of the successor leave and have its effect; what was told of that."""
    (request,) = (r for name, r in leaving(client, now).items() if name == NEW)
    events = client.receive_response(request, 204, b"", now)
    ended = frame("canceled", view("canceled", **SECOND_ONE, qty="12"))
    return events + client.receive_trade_update(ended, now)


@pytest.mark.parametrize("shown", [{"status": "pending_replace"}, REPLACED])
def test_a_cancel_that_a_replacement_refuses_goes_to_what_takes_its_place(client, shown):
    """It was told as refused, and the successor worked on without anybody canceling it."""
    assert refuse(client, leaving(client)[OLD], shown["status"]) == []
    assert client.receive_response(leaving(client, LATER)[LOOK_OLD], 200, body(**shown), NOW) == []
    later = LATER + SECOND // 10
    events = client.receive_trade_update(frame("replaced", view(**REPLACED)), later)
    events += client.receive_trade_update(frame("new", view("new", **SECOND_ONE, qty="12")), later)
    assert kinds(events + cancel_of_the_new_one(client, later)) == ["modified", "canceled"]


def test_while_an_order_is_being_replaced_it_is_looked_at_and_not_canceled_again(client):
    refuse(client, leaving(client)[OLD], "pending_replace")
    look = leaving(client, LATER)[LOOK_OLD]
    for second in range(3):
        now = LATER + second * SECOND
        assert client.receive_response(look, 200, body("pending_replace"), now) == []
        names = leaving(client, now + SECOND)
        assert list(names) == [LOOK_OLD]
        look = names[LOOK_OLD]
    # The exchange has not taken the change: the order is as it was.
    assert client.receive_response(look, 200, body("new"), LATER + 4 * SECOND) == []
    assert OLD in leaving(client, LATER + 4 * SECOND)


def test_a_cancel_that_was_overtaken_by_the_replacement_goes_to_the_new_order(client):
    client.receive_response(leaving(client)[OLD], 204, b"", NOW)
    look = leaving(client, LATER)[LOOK_OLD]
    assert client.receive_response(look, 200, body(**REPLACED), LATER) == []
    assert kinds(cancel_of_the_new_one(client, LATER)) == ["modified", "canceled"]


def test_a_successor_seen_on_the_stream_is_canceled_while_the_first_cancel_is_unanswered(client):
    first = leaving(client)[OLD]
    client.receive_trade_update(frame("new", view("new", **SECOND_ONE, qty="12")), NOW)
    second = leaving(client)[NEW]
    # What the replaced one was refused says nothing of its successor.
    assert refuse(client, first, "replaced") == []
    look = look_at_the_new_one(client)
    shown = body("new", **SECOND_ONE, qty="12")
    assert client.receive_response(look, 200, shown, NOW) == []
    assert refuse(client, second, "filled") == []


def test_a_refusal_of_the_order_in_force_is_told_as_before(client):
    client.receive_trade_update(frame("new", view("new", **SECOND_ONE, qty="12")), NOW)
    refuse(client, leaving(client)[NEW], "calculated")
    look = look_at_the_new_one(client)
    shown = body("new", **SECOND_ONE, qty="12")
    assert client.receive_response(look, 200, shown, LATER) == []
    later = LATER + SECOND
    refuse(client, leaving(client, later)[NEW], "calculated", later)
    look = leaving(client, later)[LOOK_NEW]
    assert kinds(client.receive_response(look, 200, shown, later)) == ["cancel_rejected"]
    assert leaving(client, NOW + 60 * SECOND) == {}


def test_a_replacement_that_is_taken_and_refused_leaves_the_first_order_in_force(client):
    """Shown as accepted it was taken for the one in force, and its end for the order's."""
    ledger = client.ledger
    assert kinds(ledger.apply(view("accepted", **SECOND_ONE, qty="12"), NOW)) == []
    assert kinds(ledger.apply(view("rejected", **SECOND_ONE, qty="12"), NOW)) == ["modify_rejected"]
    assert (ledger.of(1).venue_id, ledger.of(1).final) == ("venue-1", "")


def test_a_replacement_that_waits_for_a_session_is_in_force_once_the_first_is_replaced(client):
    ledger = client.ledger
    ledger.apply(view(**REPLACED), NOW)
    assert kinds(ledger.apply(view("accepted", **SECOND_ONE, qty="12"), NOW)) == ["modified"]
    assert ledger.of(1).venue_id == "venue-2"

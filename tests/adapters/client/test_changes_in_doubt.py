"""Changes of which the answer does not come: sent again under their id, or told as refused."""

from __future__ import annotations

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from tests.adapters.client.exchange import PREFIX, order, refused
from tests.adapters.client.test_order_path import NOW, SECOND, body, frame, kinds, submitted, view

AT_LIMIT = {"limit_price": "99.5"}
SMALLER = {"quantity": "7"}
SUCCESSOR = {"id": "venue-2", "client_order_id": f"{PREFIX}1-r1", "replaces": "venue-1"}


@pytest.fixture
def client() -> AlpacaClient:
    made = AlpacaClient(PREFIX)
    made.receive_response(submitted(made), 200, body(), NOW)
    return made


def lost(client, terms=AT_LIMIT, status=504):
    """Return a change that was sent and not answered with sense."""
    client.change(order(1), terms)
    (patch,) = client.take_requests(NOW)
    assert client.receive_response(patch, status, b"", NOW) == []
    return patch


def looked(client, now, shown=None):
    """Let the look that is due show the order, and return what is told."""
    (look,) = [each for each in client.take_requests(now) if each.purpose == "read_back"]
    return client.receive_response(look, 200, body() if shown is None else shown, now)


def repeats(client, now):
    return [each for each in client.take_requests(now) if each.purpose == "replace"]


@pytest.mark.parametrize("status", [0, 500, 504])
def test_a_change_that_a_look_does_not_show_is_sent_again_under_its_id(client, status):
    patch = lost(client, status=status)
    assert looked(client, NOW + 2 * SECOND) == []
    (again,) = repeats(client, NOW + 4 * SECOND)
    assert (again.path, again.body) == (patch.path, patch.body)
    client.receive_response(again, 200, body("pending_new", **SUCCESSOR), NOW + 4 * SECOND)
    events = client.receive_trade_update(frame("new", view("new", **SUCCESSOR)), NOW + 4 * SECOND)
    assert kinds(events) == ["modified"]
    assert repeats(client, NOW + 60 * SECOND) == []


def test_a_refusal_of_a_repeat_says_nothing_and_a_look_tells_that_the_first_has_arrived(client):
    lost(client)
    looked(client, NOW + 2 * SECOND)
    (again,) = repeats(client, NOW + 4 * SECOND)
    said = refused(422, 42210000, "client_order_id must be unique")
    assert client.receive_response(again, said.status, said.body, NOW + 4 * SECOND) == []
    shown = body("replaced", replaced_by="venue-2")
    assert looked(client, NOW + 6 * SECOND, shown) == []
    assert kinds(looked(client, NOW + 8 * SECOND, body(**SUCCESSOR))) == ["modified"]
    assert repeats(client, NOW + 60 * SECOND) == []


def test_while_a_repeat_is_on_its_way_there_is_no_other(client):
    lost(client)
    looked(client, NOW + 2 * SECOND)
    assert len(repeats(client, NOW + 4 * SECOND)) == 1
    client.orders.read_back(1)
    assert looked(client, NOW + 5 * SECOND) == []
    assert repeats(client, NOW + 9 * SECOND) == []


def until_told(client, now):
    """Lose every repeat until a look tells of the change; return when, and how many there were."""
    count = 0
    for _ in range(300):
        now += SECOND
        for request in client.take_requests(now):
            if request.purpose == "replace":
                count += 1
                client.receive_response(request, 504, b"", now)
                continue
            events = client.receive_response(request, 200, body(), now)
            if events:
                return now, count, events
    return now, count, []


def test_after_ten_seconds_it_is_told_as_refused(client):
    lost(client)
    now, count, events = until_told(client, NOW)
    assert kinds(events) == ["modify_rejected"]
    assert 10 * SECOND <= now - NOW <= 15 * SECOND
    assert count >= 2
    assert repeats(client, now + 60 * SECOND) == []


def test_one_that_only_gives_up_units_is_asked_for_longer(client):
    lost(client, SMALLER)
    now, count, events = until_told(client, NOW)
    assert kinds(events) == ["modify_rejected"]
    assert now - NOW > 60 * SECOND
    assert count == 7


def test_an_order_that_is_to_be_canceled_or_was_changed_anew_is_not_changed_back(client):
    lost(client)
    client.change(order(1), {"limit_price": "98"})
    (second,) = repeats(client, NOW + SECOND)
    assert msgspec.json.decode(second.body)["limit_price"] == "98"
    client.receive_response(second, 504, b"", NOW + SECOND)
    client.withdraw(order(1))
    for after in range(2, 60):
        for request in client.take_requests(NOW + after * SECOND):
            assert request.purpose != "replace"
            answer = (204, b"") if request.method == "DELETE" else (200, body())
            client.receive_response(request, *answer, NOW + after * SECOND)


def taken(client, first_seen=None):
    """Return the successor's answer to a change that the broker has taken; news may come before."""
    client.change(order(1), AT_LIMIT)
    (patch,) = client.take_requests(NOW)
    if first_seen is not None:
        client.receive_trade_update(frame(first_seen, view(first_seen, **SUCCESSOR)), NOW)
    answer = body("pending_new", **SUCCESSOR)
    assert client.receive_response(patch, 200, answer, NOW) == []


def look_at(client, seconds, shown=None):
    client.orders.read_back(1)
    return looked(client, NOW + seconds * SECOND, shown)


def test_a_change_that_was_taken_and_that_the_order_goes_on_without_is_told_once(client):
    taken(client)
    assert look_at(client, 9) == []
    assert kinds(look_at(client, 10)) == ["modify_rejected"]
    assert look_at(client, 60) == []
    # Should it come into force all the same, that is told.
    late = client.receive_trade_update(frame("new", view("new", **SUCCESSOR)), NOW + 61 * SECOND)
    assert kinds(late) == ["modified"]


@pytest.mark.parametrize("status", ["new", "rejected"])
def test_what_the_stream_has_told_of_a_change_before_its_answer_stands(client, status):
    taken(client, status)
    shown = body(**SUCCESSOR) if status == "new" else None
    assert look_at(client, 2, shown) == look_at(client, 60, shown) == []


def test_an_order_that_is_being_replaced_and_then_goes_on_was_not_changed(client):
    lost(client)
    assert looked(client, NOW + 2 * SECOND, body("pending_replace")) == []
    assert look_at(client, 11, body("pending_replace")) == []
    assert kinds(look_at(client, 13)) == ["modify_rejected"]


def test_a_change_in_doubt_is_settled_though_the_order_is_to_be_canceled(client):
    lost(client)
    client.withdraw(order(1))
    (cancel,) = [r for r in client.take_requests(NOW + SECOND) if r.purpose == "cancel"]
    client.receive_response(cancel, 504, b"", NOW + SECOND)
    told = []
    for seconds in (2, 5, 10, 12):
        client.orders.read_back(1)
        told += kinds(looked(client, NOW + seconds * SECOND))
    assert told == ["modify_rejected"]

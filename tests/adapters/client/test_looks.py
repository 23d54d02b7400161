"""Looks that show nothing: asked again later each time, told of, and never for ever in silence."""

from __future__ import annotations

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent, NoLookEvent, UnseenEvent
from pyrt.adapters.alpaca.core.order_path import OVERDUE_NS
from tests.adapters.client.exchange import PREFIX, order
from tests.adapters.client.test_order_path import MISSING, NOW, SECOND, body, submitted, view


@pytest.fixture
def client() -> AlpacaClient:
    return AlpacaClient(PREFIX)


def drive(client, answer, seconds, first=0):
    """Answer every request each second for so long; return (second, event) of what came of it."""
    told = []
    for second in range(first, first + seconds):
        now = NOW + second * SECOND
        for request in client.take_requests(now):
            status, text = answer(request)
            told.extend((second, e) for e in client.receive_response(request, status, text, now))
    return told


def in_doubt(client):
    client.receive_response(submitted(client), 504, b"", NOW)


def test_every_third_look_in_vain_is_told_and_an_order_in_doubt_is_unseen_after_two_minutes(client):
    in_doubt(client)
    told = drive(client, lambda request: (504, b""), 300)
    alarms = [(second, e.text) for second, e in told if isinstance(e, Alarm)]
    # Looks at 0, 1, 3, 7, 15, 31 s and every 30 s from there on, give or take the jitter.
    assert "3 looks in a row" in alarms[0][1]
    assert alarms[0][0] < 6
    assert "6 looks" in alarms[1][1]
    assert 20 < alarms[1][0] < 45
    assert len(alarms) >= 4
    (unseen,) = [(second, e) for second, e in told if isinstance(e, UnseenEvent)]
    assert 120 <= unseen[0] < 160
    assert (unseen[1].number, f"{PREFIX}1" in unseen[1].text) == (1, True)


@pytest.mark.parametrize("answer", [(404, MISSING), (200, body("pending_new"))])
def test_an_answer_of_any_kind_ends_what_was_in_vain(client, answer):
    in_doubt(client)
    drive(client, lambda request: (504, b""), 3)
    doubt = client.orders._doubts[1]
    assert doubt.failures == 2
    drive(client, lambda request: answer if request.method == "GET" else (200, body()), 9, 3)
    assert (doubt.failures, doubt.failing_since) == (0, 0)


def test_an_order_that_is_known_to_be_there_is_told_of_and_not_unseen(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.orders.read_back(1)
    told = [e for _, e in drive(client, lambda request: (0, b""), 300)]
    assert {type(e) for e in told} == {Alarm}
    assert {e.code for e in told} == {"read_back_failed"}


def test_looks_on_schedule_start_no_second_row_of_repeats(client):
    in_doubt(client)
    (first,) = client.take_requests(NOW)
    client.orders.resync(NOW)
    (second,) = client.take_requests(NOW)
    for look in (first, second):
        client.receive_response(look, 504, b"", NOW)
    assert len(client.queue) == 1


def test_what_is_too_much_for_the_broker_is_placed_soon_or_not_at_all(client):
    client.submit(order(1))
    told = drive(client, lambda request: (429, b"{}"), 60)
    (event,) = [e for _, e in told]
    assert event.kind == "rejected"
    assert told[0][0] >= 10
    assert len(client.queue) == 0


def test_what_is_too_much_says_nothing_of_an_earlier_attempt(client):
    """A first attempt without an answer may be there: refusing its repeat proves nothing."""
    in_doubt(client)

    def answer(request):
        return (404, MISSING) if request.method == "GET" else (429, b"{}")

    told = [e for _, e in drive(client, answer, 60)]
    assert [e for e in told if isinstance(e, AnswerEvent)] == []
    assert client.ledger.of(1).is_unknown
    assert client.queue.has("read_back", 1)


def test_a_change_that_is_too_much_is_refused_after_three_attempts(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.change(order(1), {"limit_price": "90"})
    told = [e for _, e in drive(client, lambda request: (429, b"{}"), 60)]
    assert [e.kind for e in told] == ["modify_rejected"]


def test_a_cancel_that_stays_pending_is_told_of_and_looked_at_less_often(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.withdraw(order(1))
    asked = []

    def answer(request):
        asked.append(request)
        return (200, body("pending_cancel")) if request.method == "GET" else (204, b"")

    drive(client, answer, 30)
    at_first = len(asked)
    told = drive(client, answer, 90, 30)
    assert {e.code for _, e in told} == {"overdue"}
    assert len(told) in (2, 3)
    assert all("is still pending_cancel" in e.text for _, e in told)
    # In three times the time.
    assert len(asked) - at_first < 2 * at_first
    assert "DELETE" in [request.method for request in asked[at_first:]]


def test_a_cancel_without_effect_is_told_of(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.withdraw(order(1))

    def answer(request):
        return (200, body()) if request.method == "GET" else (204, b"")

    assert {e.code for _, e in drive(client, answer, 40)} == {"overdue"}


def test_a_look_at_the_account_is_given_up_after_three_attempts_and_begun_anew(client):
    clock = b'{"timestamp":"2013-10-07T13:30:00Z","is_open":true}'

    def answer(request):
        return (200, clock) if request.purpose == "snapshot:clock" else (500, b"")

    assert client.look()
    told = [e for _, e in drive(client, answer, 20)]
    assert [type(e) for e in told] == [Alarm, Alarm, Alarm, NoLookEvent]
    assert "snapshot:flat: HTTP 500" in told[-1].text
    assert len(client.queue) == 0
    assert client.look()
    (request,) = client.take_requests(NOW + 60 * SECOND)
    assert request.purpose == "snapshot:clock"


def test_what_stays_open_is_told_of_once_the_time_has_passed_to_the_nanosecond(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    path, pending = client.orders, view("pending_cancel")
    assert path._overdue(1, pending, NOW) == []
    assert path._overdue(1, pending, NOW + OVERDUE_NS - 1) == []
    assert [alarm.code for alarm in path._overdue(1, pending, NOW + OVERDUE_NS)] == ["overdue"]
    assert path._overdue(1, pending, NOW + 2 * OVERDUE_NS - 1) == []

"""How long doubt about an order may last, to the nanosecond, and what is said of it."""

from __future__ import annotations

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.doubt import OrderPathPolicy
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent, UnseenEvent
from tests.adapters.client.exchange import PREFIX, order, refused
from tests.adapters.client.test_order_path import (
    MISSING,
    NOW,
    SECOND,
    body,
    frame,
    kinds,
    submitted,
    view,
)

RESEND, LOST, UNSEEN = 10 * SECOND, 120 * SECOND, 120 * SECOND
"""The policy that holds where none is given."""
REFUSAL = b'{"code":42210000,"message":"order is not cancelable"}'
LATE = "the broker has not shown this order in time"
TOO_MANY = "the broker has had too many requests"


@pytest.fixture
def client() -> AlpacaClient:
    return AlpacaClient(PREFIX)


@pytest.fixture
def there(client) -> AlpacaClient:
    """A client whose order is at the broker."""
    client.receive_response(submitted(client), 200, body(), NOW)
    return client


def look(client: AlpacaClient, now: int):
    """The look that is due by then; it is the only request."""
    (request,) = client.take_requests(now)
    assert request.purpose == "read_back"
    return request


def due(client: AlpacaClient, now: int) -> float:
    """Seconds until the request that waits may leave."""
    ((not_before, _, _),) = client.queue._waiting
    return max(0, not_before - now) / SECOND


# -- placing ---------------------------------------------------------------------------------------


def test_what_is_asked_for_leaves_at_once(client):
    client.submit(order(1))
    (request,) = client.take_requests(0)
    client.receive_response(request, 200, body(), 0)
    client.withdraw(order(1))
    assert [r.method for r in client.take_requests(0)] == ["DELETE"]


@pytest.mark.parametrize("status", [402, 405, 409, 423, 500, 199, 300])
def test_only_a_status_that_refuses_is_a_refusal(client, status):
    events = client.receive_response(submitted(client), status, REFUSAL, NOW)
    assert events == [AnswerEvent("unknown", 1, NOW, f"HTTP {status}")]
    assert due(client, NOW) == 0


def test_a_refusal_without_a_code_is_told_by_its_words(client):
    events = client.receive_response(submitted(client), 403, b'{"message":"account closed"}', NOW)
    assert events == [AnswerEvent("rejected", 1, NOW, "0: account closed")]


@pytest.mark.parametrize(
    "answer",
    [(0, b""), (200, b""), (204, body()), (300, body()), (500, body()), (403, b'{"code":1}')],
)
def test_an_answer_is_what_it_says_and_nothing_more(client, answer):
    """A refusal without a reason is none; a body under any good status is an order."""
    status, text = answer
    events = client.receive_response(submitted(client), status, text, NOW)
    why = f"HTTP {status}" if status else "no answer"
    expected = ("accepted", "") if status == 204 else ("unknown", why)
    assert [(e.kind, e.reason) for e in events] == [expected]


@pytest.mark.parametrize("field", ["filled_qty", "qty", "filled_avg_price"])
def test_an_answer_with_a_number_that_is_none_makes_no_sense(client, field):
    odd = body("filled", **{field: "nan"})
    assert kinds(client.receive_response(submitted(client), 200, odd, NOW)) == ["unknown"]
    request = look(client, NOW)
    assert client.receive_response(request, 200, odd, NOW) == []
    assert client.ledger.of(1).filled == 0


@pytest.mark.parametrize("seen", ["nothing", "no answer", "id", "end"])
def test_an_order_is_nowhere_only_where_no_doubt_is_possible(client, seen):
    request = submitted(client)
    client.withdraw(order(1))
    if seen == "no answer":
        client.receive_response(request, 0, b"", NOW)
    elif seen == "id":
        client.receive_response(request, 200, body(), NOW)
    elif seen == "end":
        client.receive_response(request, 403, REFUSAL, NOW)
    assert client.orders.is_nowhere(1) is (seen == "nothing")


def test_an_order_that_nobody_has_canceled_is_to_be_somewhere(client):
    submitted(client)
    assert not client.orders.is_nowhere(1)


@pytest.mark.parametrize(
    ("passed", "expected"), [(RESEND - 1, "POST"), (RESEND, "GET"), (LOST, "GET")]
)
def test_an_order_that_the_broker_does_not_know_is_placed_again_for_ten_seconds(
    client, passed, expected
):
    client.receive_response(submitted(client), 0, b"", NOW)
    assert client.receive_response(look(client, NOW), 404, MISSING, NOW + passed) == []
    assert due(client, NOW + passed) == pytest.approx(1, rel=0.16)
    (request,) = client.take_requests(NOW + passed + 2 * SECOND)
    assert request.method == expected


@pytest.mark.parametrize("why", ["withdrawn", "given up"])
def test_what_nobody_wants_any_more_is_looked_for_and_not_placed(client, why):
    client.receive_response(submitted(client), 0, b"", NOW)
    if why == "withdrawn":
        client.withdraw(order(1))
    else:
        client.give_up(1)
    client.receive_response(look(client, NOW), 404, MISSING, NOW)
    assert look(client, NOW + 2 * SECOND).attempt == 2


def test_giving_up_takes_back_what_waits_and_looks_at_what_may_be_there(client):
    client.receive_response(submitted(client), 0, b"", NOW)
    client.receive_response(look(client, NOW), 404, MISSING, NOW)
    assert client.queue.has("submit", 1)
    client.give_up(1)
    request = look(client, NOW + 5 * SECOND)
    assert client.take_requests(NOW + 60 * SECOND) == []
    # Not found, it is looked for again.
    client.receive_response(request, 404, MISSING, NOW + 5 * SECOND)
    request = look(client, NOW + 60 * SECOND)
    # Of what was never sent from here nothing is given up.
    client.give_up(77)
    assert len(client.queue) == 0


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (LOST - 1, LOST, []),
        (LOST, LOST + 1, ["lost"]),
        (LOST - 1, LOST - 1, []),
    ],
)
def test_two_looks_that_miss_it_after_two_minutes_are_a_loss(client, first, second, told):
    client.receive_response(submitted(client), 0, b"", NOW)
    events = []
    for passed in (first, second):
        client.orders.read_back(1)
        (request,) = (r for r in client.take_requests(NOW + 300 * SECOND) if r.method == "GET")
        events += client.receive_response(request, 404, MISSING, NOW + passed)
    assert kinds(events) == told
    assert client.ledger.of(1).is_unknown is (told == [])
    if told:
        assert events == [
            AnswerEvent("lost", 1, NOW + second, "the broker does not know the order")
        ]
        # That was all: it is not looked for, and not lost twice.
        client.receive_response(request, 404, MISSING, NOW + second)
        assert len(client.queue) == 0


@pytest.mark.parametrize("answer", [(403, REFUSAL), (404, b"<html>"), (404, b"{}"), (422, MISSING)])
def test_only_a_broker_that_says_it_is_not_there_has_missed_it(client, answer):
    client.receive_response(submitted(client), 0, b"", NOW)
    request = look(client, NOW)
    for count in range(3):
        events = client.receive_response(request, *answer, NOW + LOST + count)
    assert [e.WHAT for e in events] == ["alarm"]
    assert client.ledger.of(1).is_unknown


def test_a_policy_of_ones_own_is_held_to():
    policy = OrderPathPolicy(resend_ns=3 * SECOND, lost_ns=5 * SECOND)
    client = AlpacaClient(PREFIX, policy=policy)
    client.receive_response(submitted(client), 0, b"", NOW)
    request = look(client, NOW)
    for passed, told in ((3, []), (5, []), (5, ["lost"])):
        assert kinds(client.receive_response(request, 404, MISSING, NOW + passed * SECOND)) == told


@pytest.mark.parametrize("reduces", [True, False])
def test_a_way_out_that_never_arrived_is_sent_again_however_late(client, reduces):
    client.submit(order(1, reduce_only=reduces))
    (first,) = client.take_requests(NOW)
    client.receive_response(first, 0, b"", NOW)
    now, waits = NOW + RESEND, []
    for _ in range(4):
        assert kinds(client.receive_response(look(client, now), 404, MISSING, now)) == []
        waits.append(due(client, now))
        (again,) = client.take_requests(now + 60 * SECOND)
        if not reduces:
            assert again.purpose == "read_back"
            return
        # The same bytes, under the same id: the broker takes them only once.
        assert (again.purpose, again.body, again.attempt) == ("submit", first.body, 2)
        now += 60 * SECOND
        assert kinds(client.receive_response(again, 0, b"", now)) == []
        if now > NOW + LOST - 60 * SECOND:
            break
    assert waits == pytest.approx([1, 2][: len(waits)], rel=0.15)


def test_a_way_out_that_does_not_arrive_is_told_less_and_less_often():
    """A broker that refused orders for hours, and answered all else, was told of once."""
    client = AlpacaClient(PREFIX, policy=OrderPathPolicy(lost_ns=1 << 62))
    client.submit(order(1, reduce_only=True))
    (request,) = client.take_requests(NOW)
    client.receive_response(request, 503, b"", NOW)
    now, told = NOW + RESEND, []
    for repeat in range(1, 20):
        for event in client.receive_response(look(client, now), 404, MISSING, now):
            told.append((repeat, event.code, event.text.rpartition(",")[2]))
        now += 60 * SECOND
        (request,) = client.take_requests(now)
        client.receive_response(request, 503, b"", now)
    assert told == [
        (repeat, "overdue", f" has not arrived at the broker for {60 * repeat - 50} s")
        for repeat in (4, 8, 16)
    ]


def test_a_way_out_that_is_canceled_or_given_up_is_sent_no_more(client):
    for number, end in ((1, "withdraw"), (2, "give_up")):
        client.submit(order(number, reduce_only=True))
        (first,) = client.take_requests(NOW)
        client.receive_response(first, 0, b"", NOW)
        request = look(client, NOW)
        getattr(client, end)(order(number) if end == "withdraw" else number)
        client.receive_response(request, 404, MISSING, NOW + RESEND)
        left = client.take_requests(NOW + 3 * RESEND)
        assert [r.purpose for r in left] == ["read_back"], end
        client.queue.drop("read_back", number)


# -- too many requests -----------------------------------------------------------------------------

BUSY = refused(429, 42910000, "too many requests").body


@pytest.mark.parametrize(("passed", "told"), [(RESEND - 1, []), (RESEND, ["rejected"])])
def test_what_is_too_much_is_asked_for_again_for_ten_seconds(client, passed, told):
    request = submitted(client)
    client.receive_response(request, 429, BUSY, NOW)
    events = client.receive_response(request, 429, BUSY, NOW + passed)
    assert kinds(events) == told
    if told:
        assert events == [AnswerEvent("rejected", 1, NOW + passed, TOO_MANY)]
        assert client.ledger.of(1).final == "rejected"
        assert client.receive_trade_update(frame("new", view()), NOW + passed) == []


def test_a_way_out_that_is_too_much_is_asked_for_until_the_broker_takes_it(client):
    client.submit(order(1, reduce_only=True))
    now = NOW
    for attempt in range(1, 9):
        (request,) = client.take_requests(now)
        assert (request.purpose, request.attempt, request.reduces) == ("submit", attempt, True)
        assert client.receive_response(request, 429, BUSY, now) == []
        now += 60 * SECOND
    (request,) = client.take_requests(now)
    assert kinds(client.receive_response(request, 200, body(), now)) == ["accepted"]


def test_a_way_out_in_doubt_that_is_too_much_is_looked_for(client):
    client.submit(order(1, reduce_only=True))
    (request,) = client.take_requests(NOW)
    client.receive_response(request, 0, b"", NOW)
    client.receive_response(request, 429, BUSY, NOW + RESEND)
    assert [r.purpose for r in client.take_requests(NOW + 60 * SECOND)] == ["read_back"]


def test_a_change_that_waits_is_refused_with_an_order_that_was_too_much(client):
    request = submitted(client)
    client.receive_response(request, 429, BUSY, NOW)
    client.change(order(1), {"limit_price": "99"})
    events = client.receive_response(request, 429, BUSY, NOW + RESEND)
    assert events == [
        AnswerEvent("modify_rejected", 1, NOW + RESEND, LATE),
        AnswerEvent("rejected", 1, NOW + RESEND, TOO_MANY),
    ]


def test_too_many_of_a_cancel_never_ends_it(there):
    there.withdraw(order(1))
    now = NOW
    for attempt in range(1, 8):
        (request,) = there.take_requests(now)
        assert (request.method, request.attempt) == ("DELETE", attempt)
        assert there.receive_response(request, 429, BUSY, now) == []
        now += 60 * SECOND


def test_a_look_that_is_too_much_is_one_that_shows_nothing(client):
    client.receive_response(submitted(client), 0, b"", NOW)
    assert client.receive_response(look(client, NOW), 429, BUSY, NOW) == []
    assert look(client, NOW + 3 * SECOND).attempt == 2


def test_a_change_that_is_too_much_thrice_is_refused(there):
    there.change(order(1), {"limit_price": "99"})
    now, told = NOW, []
    for attempt in (1, 2, 3):
        (request,) = there.take_requests(now)
        assert request.attempt == attempt
        told.append(there.receive_response(request, 429, BUSY, now))
        now += 60 * SECOND
    assert told == [[], [], [AnswerEvent("modify_rejected", 1, now - 60 * SECOND, TOO_MANY)]]
    assert there.take_requests(now) == []


def test_a_change_that_gives_up_units_is_asked_for_until_the_broker_takes_it(there):
    """A stop for ten stayed where six were held, once the broker had been busy for some seconds."""
    there.change(order(1), {"quantity": "6"})
    now = NOW
    for attempt in range(1, 9):
        (request,) = there.take_requests(now)
        assert (request.purpose, request.attempt) == ("replace", attempt)
        # No outage makes it too old, whoever has sent the order.
        assert request.reduces
        assert request.lessens
        assert there.receive_response(request, 429, BUSY, now) == []
        now += 60 * SECOND
    there.withdraw(order(1))
    requests = {request.purpose: request for request in there.take_requests(now)}
    assert sorted(requests) == ["cancel", "replace"]
    events = there.receive_response(requests["replace"], 429, BUSY, now)
    assert events == [AnswerEvent("modify_rejected", 1, now, TOO_MANY)]


@pytest.mark.parametrize("terms", [{"quantity": "12"}, {"quantity": "6", "limit_price": "99"}])
def test_one_that_does_more_than_that_is_refused_in_time(there, terms):
    there.change(order(1), terms)
    now = NOW
    for _ in range(3):
        (request,) = there.take_requests(now)
        assert not request.reduces
        events = there.receive_response(request, 429, BUSY, now)
        now += 60 * SECOND
    assert kinds(events) == ["modify_rejected"]


# -- looks in vain ---------------------------------------------------------------------------------


def test_an_order_is_unseen_when_no_look_was_answered_for_two_minutes(client):
    client.receive_response(submitted(client), 0, b"", NOW)
    request = look(client, NOW)
    told = [
        client.receive_response(request, status, b"", NOW + SECOND + passed)
        for status, passed in ((0, 0), (502, UNSEEN - 1), (0, UNSEEN), (0, UNSEEN + 1))
    ]
    name = f"{PREFIX}1"
    now = NOW + SECOND + UNSEEN
    assert told == [
        [],
        [],
        [
            Alarm(
                "read_back_failed", f"{name}: 3 looks in a row have shown nothing: no answer", now
            ),
            UnseenEvent(
                1, now, f"{name} is of unknown outcome, and no look was answered for 120 s"
            ),
        ],
        [],
    ]
    # One that waits already is enough.
    assert len(client.queue) == 1
    # An answer of any kind ends it, and what follows counts from its own beginning.
    client.receive_response(request, 404, MISSING, now + SECOND)
    began = now + 2 * SECOND
    for passed, count in ((0, 0), (UNSEEN - 1, 0), (UNSEEN, 1)):
        events = client.receive_response(request, 504, b"", began + passed)
        assert sum(type(e) is UnseenEvent for e in events) == count
    (alarm,) = (e for e in events if type(e) is Alarm)
    assert alarm.text == f"{name}: 3 looks in a row have shown nothing: HTTP 504"

"""How long doubt about an order may last, to the nanosecond, and what is said of it."""

from __future__ import annotations

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.doubt import OrderPathPolicy
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent, UnseenEvent
from tests.adapters.client.exchange import PREFIX, bracket, order, refused
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


@pytest.mark.parametrize("answer", [(0, b""), (200, b""), (204, body()), (403, b'{"code":1}')])
def test_an_answer_is_what_it_says_and_nothing_more(client, answer):
    """A refusal without a reason is none; a body under any good status is an order."""
    status, text = answer
    events = client.receive_response(submitted(client), status, text, NOW)
    why = {0: "no answer", 200: "HTTP 200", 403: "HTTP 403"}
    expected = ("unknown", why[status]) if status in why else ("accepted", "")
    assert [(e.kind, e.reason) for e in events] == [expected]


@pytest.mark.parametrize("field", ["filled_qty", "qty", "filled_avg_price"])
def test_an_answer_with_a_number_that_is_none_makes_no_sense(client, field):
    odd = body("filled", **{field: "nan"})
    assert kinds(client.receive_response(submitted(client), 200, odd, NOW)) == ["unknown"]
    request = look(client, NOW)
    assert client.receive_response(request, 200, odd, NOW) == []
    assert client.ledger.of(1).filled == 0


@pytest.mark.parametrize(
    ("passed", "expected"), [(RESEND - 1, "POST"), (RESEND, "GET"), (LOST, "GET")]
)
def test_an_order_that_the_broker_does_not_know_is_placed_again_for_ten_seconds(
    client, passed, expected
):
    client.receive_response(submitted(client), 0, b"", NOW)
    assert client.receive_response(look(client, NOW), 404, MISSING, NOW + passed) == []
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
    assert client.take_requests(NOW + 5 * SECOND)[0].method == "GET"
    assert client.take_requests(NOW + 60 * SECOND) == []
    # Of what was never sent from here nothing is given up.
    client.give_up(77)
    assert client.take_requests(NOW + 60 * SECOND) == []


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


def test_a_policy_of_ones_own_is_held_to():
    policy = OrderPathPolicy(resend_ns=3 * SECOND, lost_ns=5 * SECOND)
    client = AlpacaClient(PREFIX, policy=policy)
    client.receive_response(submitted(client), 0, b"", NOW)
    request = look(client, NOW)
    for passed, told in ((3, []), (5, []), (5, ["lost"])):
        assert kinds(client.receive_response(request, 404, MISSING, NOW + passed * SECOND)) == told


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


# -- cancels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "seconds"),
    [(200, 2), (204, 2), (299, 2), (199, 1), (300, 1), (408, 1), (500, 1), (0, 1), (422, 0)],
)
def test_after_a_cancel_a_look_tells_what_came_of_it(there, status, seconds):
    there.withdraw(order(1))
    (request,) = there.take_requests(NOW)
    assert there.receive_response(request, status, REFUSAL, NOW) == []
    assert due(there, NOW) == seconds
    (request,) = there.take_requests(NOW + 2 * SECOND)
    assert request.path == "/v2/orders/venue-1?nested=true"


def test_the_answer_to_a_cancel_of_what_has_ended_asks_for_nothing(there):
    there.withdraw(order(1))
    (request,) = there.take_requests(NOW)
    there.receive_trade_update(frame("canceled", view("canceled")), NOW)
    for status in (204, 422, 500):
        assert there.receive_response(request, status, REFUSAL, NOW) == []
    assert len(there.queue) == 0


def canceling(client: AlpacaClient, status: int = 204):
    """Cancel it; the look that follows."""
    client.withdraw(order(1))
    (request,) = client.take_requests(NOW)
    client.receive_response(request, status, REFUSAL if status == 422 else b"", NOW)
    return look(client, NOW + 2 * SECOND)


@pytest.mark.parametrize(
    ("status", "told", "left"),
    [
        ("pending_cancel", [], "read_back"),
        ("new", ["cancel_rejected"], None),
        ("canceled", ["canceled"], None),
    ],
)
def test_a_refused_cancel_is_told_unless_the_order_is_on_its_way_out(there, status, told, left):
    request = canceling(there, 422)
    events = there.receive_response(request, 200, body(status), NOW + 2 * SECOND)
    assert kinds(events) == told
    if told == ["cancel_rejected"]:
        assert events[0].reason == "42210000: order is not cancelable"
    assert [r.purpose for r in there.take_requests(NOW + 60 * SECOND)] == [left] * bool(left)


def test_a_cancel_refused_once_may_be_asked_for_again(there):
    there.receive_response(canceling(there, 422), 200, body(), NOW + 2 * SECOND)
    there.withdraw(order(1))
    (request,) = there.take_requests(NOW + 3 * SECOND)
    assert request.method == "DELETE"
    # Its own outcome counts, and no refusal of before.
    there.receive_response(request, 204, b"", NOW + 3 * SECOND)
    (request,) = there.take_requests(NOW + 5 * SECOND)
    assert there.receive_response(request, 200, body(), NOW + 5 * SECOND) == []
    assert [r.method for r in there.take_requests(NOW + 5 * SECOND)] == ["DELETE"]


def test_a_second_word_does_not_cancel_twice(there):
    there.withdraw(order(1))
    there.withdraw(order(1))
    assert [r.method for r in there.take_requests(NOW)] == ["DELETE"]
    there.withdraw(order(1))
    there.receive_trade_update(frame("new", view("pending_cancel")), NOW)
    assert there.take_requests(NOW) == []


def test_what_is_open_is_looked_at_each_two_seconds_and_each_ten_once_overdue(there):
    request = canceling(there)
    first, told, pauses, pending = NOW + 2 * SECOND, [], [], body("pending_cancel")
    for passed in (0, 30 * SECOND - 1, 30 * SECOND, 60 * SECOND - 1, 60 * SECOND):
        now = first + passed
        events = there.receive_response(request, 200, pending, now)
        told.append([event.text for event in events])
        pauses.append(due(there, now))
        # Every other look sends the cancel once more, and says nothing of its effect.
        request = look(there, now + 10 * SECOND)
        assert there.receive_response(request, 200, pending, now) == []
        (cancel,) = there.take_requests(now)
        assert cancel.method == "DELETE"
        there.receive_response(cancel, 204, b"", now)
        request = look(there, now + 2 * SECOND)
    assert pauses == [2, 2, 10, 10, 10]
    text = f"{PREFIX}1 is still pending_cancel %d s after what should have changed that"
    assert told == [[], [], [text % 30], [], [text % 60]]
    there.receive_response(request, 200, body("canceled"), first + 61 * SECOND)
    assert there.take_requests(first + 300 * SECOND) == []


def test_what_came_to_an_end_and_is_open_again_counts_from_its_own_beginning(there):
    """A read of an earlier state shows the order as replaced, as the ones before it had."""
    there.orders.read_back(1)
    request, gone = look(there, NOW), body("replaced")
    assert there.receive_response(request, 200, gone, NOW) == []
    there.receive_response(request, 200, body(), NOW + 20 * SECOND)
    again = NOW + 29 * SECOND
    for passed, count in ((0, 0), (30 * SECOND - 1, 0), (30 * SECOND, 1)):
        assert len(there.receive_response(request, 200, gone, again + passed)) == count


def test_a_cancel_without_effect_is_sent_again_at_once_and_told_of_after_half_a_minute(there):
    request, told = canceling(there), []
    first = NOW + 2 * SECOND
    for passed in (0, 30 * SECOND - 1, 30 * SECOND):
        now = first + passed
        told += there.receive_response(request, 200, body(), now)
        (again,) = there.take_requests(now)
        assert again.method == "DELETE"
        there.receive_response(again, 204, b"", now)
        (request,) = there.take_requests(now + 2 * SECOND)
    assert [(e.code, e.ts_event) for e in told] == [("overdue", first + 30 * SECOND)]


def test_what_was_replaced_is_looked_after_each_second_until_it_shows_what_followed(there):
    there.orders.read_back(1)
    for second in range(3):
        now = NOW + second * SECOND
        request = look(there, now)
        shown = body("replaced", id="venue-1")
        assert there.receive_response(request, 200, shown, now) == []
        assert due(there, now) == 1
    there.receive_response(look(there, now + SECOND), 200, body(), now + SECOND)
    assert len(there.queue) == 0


def test_a_fill_whose_price_is_not_told_is_looked_after_each_second(there):
    there.orders.read_back(1)
    request = look(there, NOW)
    assert there.receive_response(request, 200, body("filled", filled_qty="10"), NOW) == []
    assert due(there, NOW) == 1
    shown = body("filled", filled_qty="10", filled_avg_price="100")
    events = there.receive_response(look(there, NOW + SECOND), 200, shown, NOW + SECOND)
    assert [e.WHAT for e in events] == ["fill"]
    assert len(there.queue) == 0


# -- changes ---------------------------------------------------------------------------------------


def changing(client: AlpacaClient):
    client.change(order(1), {"limit_price": "99"})
    (request,) = client.take_requests(NOW)
    assert request.purpose == "replace"
    return request


def test_a_refused_change_is_told_with_its_reason_and_nothing_is_looked_at(there):
    events = there.receive_response(changing(there), 422, REFUSAL, NOW)
    assert events == [AnswerEvent("modify_rejected", 1, NOW, "42210000: order is not cancelable")]
    assert len(there.queue) == 0


@pytest.mark.parametrize("answer", [(200, body("pending_new", number=2)), (0, b""), (500, b"")])
def test_any_other_answer_to_a_change_is_looked_into_after_two_seconds(there, answer):
    assert there.receive_response(changing(there), *answer, NOW) == []
    assert due(there, NOW) == 2
    # A new id is in force when it is shown so: until then the look is at the old one.
    assert look(there, NOW + 2 * SECOND).path == "/v2/orders/venue-1?nested=true"
    assert there.knows("venue-2") is (answer[0] == 200)


@pytest.mark.parametrize(("passed", "leaves"), [(RESEND - 1, True), (RESEND, False)])
def test_a_change_waits_ten_seconds_for_its_order(client, passed, leaves):
    client.poll(NOW)
    request = submitted(client)
    client.change(order(1), {"limit_price": "99"})
    events = client.receive_response(request, 200, body(), NOW + passed)
    assert [(e.kind, e.reason) for e in events] == [("accepted", "")] + [
        ("modify_rejected", LATE)
    ] * (not leaves)
    assert [r.purpose for r in client.take_requests(NOW + passed)] == ["replace"] * leaves


def test_a_change_of_what_has_ended_without_an_id_is_refused_at_once(client):
    client.receive_response(submitted(client), 403, REFUSAL, NOW)
    client.change(order(1), {"limit_price": "99"})
    assert client.poll(NOW) == [AnswerEvent("modify_rejected", 1, NOW, LATE)]
    assert client.take_requests(NOW) == []


def test_a_change_of_an_order_that_never_leaves_is_refused_with_it(client):
    client.poll(NOW)
    client.submit(order(1))
    client.change(order(1), {"limit_price": "99"})
    client.withdraw(order(1))
    assert client.poll(NOW) == [
        AnswerEvent("modify_rejected", 1, NOW, LATE),
        AnswerEvent("canceled", 1, NOW, "it was canceled before it left"),
    ]


def test_a_change_of_what_only_reduces_leaves_before_what_opens(client):
    """The exit of a bracket is changed while the breaker is shut and tokens are short."""
    client.submit(order(1, reduce_only=True))
    (request,) = client.take_requests(NOW)
    assert request.reduces
    client.receive_response(request, 200, body(), NOW)
    assert changing(client).reduces


# -- what ends with an order -----------------------------------------------------------------------


@pytest.mark.parametrize("end", ["rejected", "canceled", "expired"])
def test_exits_that_nobody_has_shown_end_with_their_entry(client, end):
    client.submit(bracket(take_profit=110, stop_loss=90))
    (request,) = client.take_requests(NOW)
    client.receive_response(request, 200, body(), NOW)
    events = client.receive_trade_update(frame(end, view(end)), NOW)
    kind = "rejected" if end == "rejected" else "canceled"
    text = f"the order that was to bring it is {end}"
    assert events[1:] == [AnswerEvent(kind, number, NOW, text) for number in (2, 3)]
    assert [client.ledger.of(number).final for number in (2, 3)] == [kind, kind]
    # Once.
    assert client.orders.end_legs(1, NOW) == []


def test_exits_that_were_shown_have_an_end_of_their_own(client):
    client.submit(bracket(take_profit=110, stop_loss=90))
    (request,) = client.take_requests(NOW)
    legs = [view("held", number=8, client_order_id="theirs-8", type="stop")]
    client.receive_response(request, 200, body(legs=legs), NOW)
    events = client.receive_trade_update(frame("canceled", view("canceled")), NOW)
    assert [(e.kind, e.number) for e in events] == [("canceled", 1), ("canceled", 2)]


def test_exits_of_an_entry_that_filled_something_are_awaited(client):
    client.submit(bracket(take_profit=110, stop_loss=90))
    (request,) = client.take_requests(NOW)
    client.receive_response(request, 200, body(), NOW)
    shown = view("canceled", filled_qty="4", filled_avg_price="100")
    events = client.receive_trade_update(frame("canceled", shown), NOW)
    assert [(e.WHAT, e.number) for e in events] == [("fill", 1), ("answer", 1)]


def test_a_name_of_ours_is_no_order_of_ours_where_it_was_never_sent(there):
    (alarm,) = there.orders.note_view(view(number=77), NOW)
    assert alarm == Alarm("stranger", f"{PREFIX}77 is not an order of ours", NOW)
    assert there.orders.note_view(view(number=77, client_order_id="another"), NOW) == []


@pytest.mark.parametrize("name", [f"{PREFIX}1x", f"{PREFIX}²", f"{PREFIX}", f"{PREFIX}{10**9}"])
def test_a_name_without_a_number_of_ours_is_a_strangers(there, name):
    shown = view(id="venue-9", client_order_id=name)
    assert there.ledger.find(shown) is None
    assert [e.code for e in there.orders.note_view(shown, NOW)] == ["stranger"]


def test_orders_that_have_ended_or_were_never_seen_are_not_read_back(client):
    first = submitted(client)
    client.submit(order(2))
    client.submit(order(3))
    _, third = client.take_requests(NOW)
    client.receive_response(first, 200, body(), NOW)
    client.receive_response(third, 0, b"", NOW)
    client.take_requests(NOW)
    assert client.orders.resync(NOW) == 2
    assert [r.order_number for r in client.take_requests(NOW)] == [1, 3]
    client.receive_trade_update(frame("canceled", view("canceled")), NOW)
    assert client.orders.resync(NOW + SECOND) == 1
    # They wait until it is their time.
    assert client.take_requests(NOW) == []
    assert msgspec.json.decode(third.body)["client_order_id"] == f"{PREFIX}3"

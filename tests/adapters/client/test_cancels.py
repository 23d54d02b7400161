"""Cancels and changes until their outcome is known, and what ends with an order."""

from __future__ import annotations

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent
from tests.adapters.client.exchange import PREFIX, bracket, order
from tests.adapters.client.test_doubts import LATE, REFUSAL, RESEND, due, look
from tests.adapters.client.test_order_path import NOW, SECOND, body, frame, kinds, submitted, view


@pytest.fixture
def client() -> AlpacaClient:
    return AlpacaClient(PREFIX)


@pytest.fixture
def there(client) -> AlpacaClient:
    """A client whose order is at the broker."""
    client.receive_response(submitted(client), 200, body(), NOW)
    return client


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
        assert there.orders.receive(request, status, REFUSAL, NOW) == []
        assert len(there.queue) == 0
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
    if told == ["cancel_rejected"]:
        # The first refusal is tried again.
        assert there.receive_response(request, 200, body(status), NOW + SECOND) == []
        (again,) = there.take_requests(NOW + 2 * SECOND)
        there.receive_response(again, 422, REFUSAL, NOW + 2 * SECOND)
        request = look(there, NOW + 2 * SECOND)
    events = there.receive_response(request, 200, body(status), NOW + 2 * SECOND)
    assert kinds(events) == told
    if told == ["cancel_rejected"]:
        assert events[0].reason == "42210000: order is not cancelable"
    if not left:
        # It is over, whatever is seen of the order.
        there.receive_trade_update(frame("new", view(status)), NOW + 3 * SECOND)
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


def test_what_is_open_is_looked_at_less_and_less_often_and_each_ten_seconds_at_least(there):
    request = canceling(there)
    first, told, pauses, pending = NOW + 2 * SECOND, [], [], body("pending_cancel")
    for passed in (0, 4 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND - 1, 60 * SECOND):
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
    assert pauses == [2, 2, 5, 10, 10, 10]
    text = f"{PREFIX}1 is still pending_cancel %d s after what should have changed that"
    assert told == [[], [], [], [text % 30], [], [text % 60]]
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
    accepted, *rest = client.receive_response(request, 200, body(), NOW + passed)
    assert accepted.kind == "accepted"
    assert rest == [AnswerEvent("modify_rejected", 1, NOW + passed, LATE)] * (not leaves)
    assert [r.purpose for r in client.take_requests(NOW + passed)] == ["replace"] * leaves


def test_a_change_does_not_leave_before_its_orders_id_is_entered(client):
    submitted(client)
    client.change(order(1), {"limit_price": "99"})
    assert client.orders.note_view(view(), NOW) == []
    assert client.take_requests(NOW) == []


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


# -- exits that their entry alone has shown -------------------------------------------------------

LEGS = [
    view("held", number=8, client_order_id="theirs-8", type="stop"),
    view("new", number=9, client_order_id="theirs-9", type="limit"),
]


def commands(client: AlpacaClient, now: int) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in client.take_requests(now)]


@pytest.mark.parametrize("on_the_stream", [False, True])
def test_what_was_asked_of_an_exit_leaves_as_soon_as_its_entry_shows_it(client, on_the_stream):
    """It waited for a word of the exit's own; the change was refused as not shown in time."""
    client.poll(NOW)
    entry = bracket(take_profit=110, stop_loss=90)
    client.submit(entry)
    (request,) = client.take_requests(NOW)
    client.change(entry.take_profit, {"limit_price": "111"})
    client.withdraw(entry.stop_loss)
    assert client.poll(NOW) == []
    if on_the_stream:
        events = client.receive_trade_update(frame("new", view(legs=LEGS)), NOW)
    else:
        events = client.receive_response(request, 200, body(legs=LEGS), NOW)
    assert [(e.kind, e.number) for e in events] == [("accepted", 1), ("held", 3), ("accepted", 2)]
    assert commands(client, NOW) == [
        ("DELETE", "/v2/orders/venue-8"),
        ("PATCH", "/v2/orders/venue-9"),
    ]
    client.receive_trade_update(frame("new", view(legs=LEGS)), NOW)
    assert commands(client, NOW) == []


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

"""One id for ever, no guess about outcomes: the order path answer by answer."""

from __future__ import annotations

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import AnswerEvent, FillEvent
from pyrt.adapters.alpaca.core.messages import OrderView, TradeUpdate, TradeUpdateFrame
from pyrt.live.journal.records import OrderState
from tests.adapters.client.exchange import PREFIX, bracket, order, refused

SECOND = 1_000_000_000
NOW = 1_381_152_600_000_000_000


def view(status: str = "new", *, number: int = 1, **changes) -> OrderView:
    fields = {
        "id": f"venue-{number}",
        "client_order_id": f"{PREFIX}{number}",
        "symbol": "SPY",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "status": status,
        "qty": "10",
    }
    return OrderView(**{**fields, **changes})


def body(status: str = "new", **changes) -> bytes:
    return msgspec.json.encode(view(status, **changes))


def frame(event: str, shown: OrderView, **changes) -> bytes:
    update = TradeUpdate(event=event, timestamp="2013-10-07T13:30:00Z", order=shown, **changes)
    return msgspec.json.encode(TradeUpdateFrame("trade_updates", update))


@pytest.fixture
def client() -> AlpacaClient:
    return AlpacaClient(PREFIX)


def submitted(client: AlpacaClient):
    client.submit(order(1))
    (request,) = client.take_requests(NOW)
    return request


def kinds(events) -> list[str]:
    return [getattr(event, "kind", "fill") for event in events]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, b""),
        (500, b""),
        (502, b"<html>"),
        (504, b"{}"),
        (200, b"<html>"),
        (403, b"<html>"),
        (408, b'{"message":"slow"}'),
        (200, b'{"id":"\xc1"}'),
        (403, b'{"message":"\xc1"}'),
    ],
)
def test_an_ambiguous_answer_is_unknown_and_read_back(client, status, text):
    request = submitted(client)
    events = client.receive_response(request, status, text, NOW)
    assert kinds(events) == ["unknown"]
    (look,) = client.take_requests(NOW)
    assert look.path == f"/v2/orders:by_client_order_id?client_order_id={PREFIX}1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_that_says_why_is_a_rejection(client, status):
    answer = refused(status, 40310000, "insufficient buying power")
    events = client.receive_response(submitted(client), status, answer.body, NOW)
    assert events == [AnswerEvent("rejected", 1, NOW, "40310000: insufficient buying power")]
    assert client.take_requests(NOW) == []


def test_an_order_that_was_refused_has_ended_here_and_a_fill_of_it_is_told(client):
    """Left open here it was looked for and could be canceled, and its fill was booked."""
    body = b'{"code":40310000,"message":"insufficient buying power"}'
    client.receive_response(submitted(client), 403, body, NOW)
    assert client.ledger.of(1).final == "rejected"
    client.withdraw(order(1))
    assert client.take_requests(NOW + SECOND) == []
    shown = view("filled", filled_qty="10", filled_avg_price="100")
    assert [event.code for event in client.ledger.apply(shown, NOW)] == ["fill_after_reject"]


def test_a_resend_carries_the_same_bytes_and_a_duplicate_id_is_evidence(client):
    first = submitted(client)
    client.receive_response(first, 504, b"", NOW)
    (look,) = client.take_requests(NOW)
    missing = refused(404, 40410000, "order not found")
    assert client.receive_response(look, 404, missing.body, NOW) == []
    later = NOW + 5 * SECOND
    (again,) = client.take_requests(later)
    assert (again.method, again.body) == ("POST", first.body)
    taken = refused(422, 40010001, "client_order_id must be unique")
    assert client.receive_response(again, 422, taken.body, later) == []
    (look,) = client.take_requests(later)
    assert kinds(client.receive_response(look, 200, body("new"), later)) == ["accepted"]


MISSING = refused(404, 40410000, "order not found").body


def in_doubt(client):
    """An order whose submit had no answer, and the look that followed."""
    client.receive_response(submitted(client), 504, b"", NOW)
    (look,) = client.take_requests(NOW)
    return look


def test_two_looks_that_find_nothing_send_it_again_once(client):
    first = in_doubt(client)
    client.orders.resync(NOW)
    (second,) = client.take_requests(NOW)
    for look in (first, second):
        assert client.receive_response(look, 404, MISSING, NOW) == []
    assert [r.method for r in client.take_requests(NOW + 5 * SECOND)] == ["POST"]


def test_a_look_while_a_repeat_is_on_its_way_sends_no_third(client):
    client.receive_response(in_doubt(client), 404, MISSING, NOW)
    now = NOW + 2 * SECOND
    client.orders.resync(now)
    again, look = sorted(client.take_requests(now), key=lambda r: r.method, reverse=True)
    assert (again.method, look.method) == ("POST", "GET")
    client.receive_response(look, 404, MISSING, now)
    assert client.take_requests(now + 5 * SECOND) == []
    # Its own answer, when there is none, is looked into as that of the first was.
    client.receive_response(again, 0, b"", now)
    assert [r.method for r in client.take_requests(now + 5 * SECOND)] == ["GET"]


def test_a_repeat_does_not_leave_once_the_broker_has_shown_the_order(client):
    client.receive_response(in_doubt(client), 404, MISSING, NOW)
    (event,) = client.receive_trade_update(frame("new", view("new")), NOW)
    assert event.kind == "accepted"
    assert client.take_requests(NOW + 5 * SECOND) == []


def test_a_repeat_does_not_leave_once_the_order_is_to_be_canceled(client):
    client.receive_response(in_doubt(client), 404, MISSING, NOW)
    client.withdraw(order(1))
    (look,) = client.take_requests(NOW + 5 * SECOND)
    assert look.method == "GET"
    # The first was on its way after all: it is canceled as soon as it is seen.
    client.receive_response(look, 200, body(), NOW + 5 * SECOND)
    assert [r.method for r in client.take_requests(NOW + 5 * SECOND)] == ["DELETE"]


def test_an_order_the_broker_never_knew_is_lost_only_after_long(client):
    client.receive_response(submitted(client), 0, b"", NOW)
    missing = refused(404, 40410000, "order not found").body
    seen, now = [], NOW
    while not seen and now < NOW + 600 * SECOND:
        now += SECOND
        for request in client.take_requests(now):
            if request.method == "GET":
                seen += client.receive_response(request, 404, missing, now)
            else:
                seen += client.receive_response(request, 0, b"", now)
    assert kinds(seen) == ["lost"]
    assert now - NOW >= 120 * SECOND


def test_one_late_look_that_misses_an_order_proves_nothing(client):
    """A read of an earlier state, long after, once gave up an order that the broker had filled."""
    client.receive_response(submitted(client), 0, b"", NOW)
    missing = refused(404, 40410000, "order not found").body
    late = NOW + 200 * SECOND
    (look,) = (r for r in client.take_requests(late) if r.method == "GET")
    assert client.receive_response(look, 404, missing, late) == []
    later = late + 60 * SECOND
    (look,) = (r for r in client.take_requests(later) if r.method == "GET")
    seen = client.receive_response(look, 200, body("filled", filled_qty="10"), later)
    assert "lost" not in kinds(seen)


def test_a_fill_before_the_answer_to_its_submit_is_booked_once(client):
    request = submitted(client)
    shown = view("filled", filled_qty="10", filled_avg_price="100.5")
    fill = frame("fill", shown, qty="10", price="100.5", execution_id="e1")
    events = client.receive_trade_update(fill, NOW)
    assert [(e.quantity, e.price, e.cumulative) for e in events] == [("10", "100.5", "10")]
    assert client.receive_trade_update(fill, NOW) == []
    assert client.receive_response(request, 0, b"", NOW) == []


def test_missed_executions_come_at_the_price_that_makes_the_average_right(client):
    submitted(client)
    # 4 @ 100 and 3 @ 101 were missed; the third execution is 3 @ 102.
    shown = view("filled", filled_qty="10", filled_avg_price="100.9")
    events = client.receive_trade_update(frame("fill", shown, qty="3", price="102"), NOW)
    assert all(isinstance(event, FillEvent) for event in events)
    cost = sum(float(e.quantity) * float(e.price) for e in events)
    assert [e.cumulative for e in events] == ["7", "10"]
    assert cost == pytest.approx(4 * 100 + 3 * 101 + 3 * 102, abs=1e-8)


def test_no_state_follows_a_final_one(client):
    submitted(client)
    assert kinds(client.receive_trade_update(frame("canceled", view("canceled")), NOW)) == [
        "canceled"
    ]
    assert client.receive_trade_update(frame("new", view("new")), NOW) == []


def test_a_cancel_before_the_id_is_known_leaves_when_it_is(client):
    request = submitted(client)
    client.withdraw(order(1))
    assert client.take_requests(NOW) == []
    client.receive_response(request, 200, body("pending_new"), NOW)
    assert [r.method for r in client.take_requests(NOW)] == ["DELETE"]


def test_an_order_that_is_canceled_before_it_leaves_never_does(client):
    client.submit(order(1))
    client.withdraw(order(1))
    assert client.take_requests(NOW + SECOND) == []
    assert client.poll(NOW) == [AnswerEvent("canceled", 1, 0, "it was canceled before it left")]
    client.withdraw(order(1))
    assert client.poll(NOW) == []
    assert client.take_requests(NOW + SECOND) == []


def test_an_order_that_is_canceled_while_it_is_held_back_is_taken_back(client):
    request = submitted(client)
    assert not client.is_moot(request)
    client.withdraw(order(1))
    assert client.is_moot(request)
    assert kinds(client.not_needed(request, NOW)) == ["canceled"]
    assert client.take_requests(NOW + SECOND) == []
    assert client.queue.outstanding == 0


def test_a_cancel_while_a_busy_broker_lets_an_order_wait_ends_it(client):
    busy = refused(429, 42910000, "too many requests")
    assert client.receive_response(submitted(client), 429, busy.body, NOW) == []
    client.withdraw(order(1))
    assert kinds(client.poll(NOW)) == ["canceled"]
    assert client.take_requests(NOW + 60 * SECOND) == []


def test_an_order_in_doubt_is_looked_for_though_it_is_canceled(client):
    assert kinds(client.receive_response(submitted(client), 0, b"", NOW)) == ["unknown"]
    client.withdraw(order(1))
    assert client.poll(NOW) == []
    assert [r.method for r in client.take_requests(NOW + SECOND)] == ["GET"]


def test_exits_of_an_entry_that_never_leaves_end_with_it(client):
    entry = bracket(take_profit=110, stop_loss=90)
    client.submit(entry)
    client.withdraw(entry)
    assert kinds(client.poll(NOW)) == ["canceled", "canceled", "canceled"]


def test_a_cancel_is_sent_again_until_its_outcome_is_known(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.withdraw(order(1))
    deletes, now = 0, NOW
    while deletes < 3:
        now += SECOND
        assert now < NOW + 120 * SECOND
        for request in client.take_requests(now):
            deletes += request.method == "DELETE"
            text = body() if request.method == "GET" else b""
            client.receive_response(request, 200 if text else 504, text, now)
    (event,) = client.receive_trade_update(frame("canceled", view("canceled")), now)
    assert event.kind == "canceled"
    assert not client.queue.has("read_back", 1)


def test_a_cancel_of_an_open_order_that_is_refused_again_is_reported_after_a_look(client):
    """What was refused at first may have been another state than the one that the look shows."""
    client.receive_response(submitted(client), 200, body(), NOW)
    answer = refused(422, 42210000, "order is not cancelable")
    client.withdraw(order(1))
    for now, told in ((NOW, []), (NOW + SECOND, ["cancel_rejected"])):
        (request,) = client.take_requests(now)
        assert (request.method, request.path) == ("DELETE", "/v2/orders/venue-1")
        assert client.receive_response(request, 422, answer.body, now) == []
        (look,) = client.take_requests(now)
        assert kinds(client.receive_response(look, 200, body("new"), now)) == told
        assert client.take_requests(now) == []
    assert client.take_requests(NOW + 60 * SECOND) == []


def test_an_answer_about_an_order_that_was_forgotten_meanwhile_says_nothing(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.withdraw(order(1))
    (cancel,) = client.take_requests(NOW)
    client.receive_trade_update(frame("canceled", view("canceled")), NOW)
    client.forget(1)
    assert client.receive_response(cancel, 204, b"", NOW) == []
    assert client.receive_response(cancel, 0, b"", NOW) == []


def test_an_id_of_ours_that_we_never_sent_is_an_alarm(client):
    (alarm,) = client.receive_trade_update(frame("new", view("new", number=77)), NOW)
    assert alarm.code == "stranger"


# -- replacements and exits --------------------------------------------------------------------


def test_a_replacement_is_in_force_when_the_broker_shows_it(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.change(order(1), {"quantity": "7", "limit_price": "99.5"})
    (patch,) = client.take_requests(NOW)
    assert msgspec.json.decode(patch.body) == {
        "qty": "7",
        "limit_price": "99.5",
        "client_order_id": f"{PREFIX}1-r1",
    }
    successor = {
        "id": "venue-2",
        "client_order_id": f"{PREFIX}1-r1",
        "replaces": "venue-1",
        "qty": "7",
        "limit_price": "99.5",
    }
    pending = body("pending_new", **successor)
    assert client.receive_response(patch, 200, pending, NOW) == []
    (event,) = client.receive_trade_update(frame("new", view("new", **successor)), NOW)
    assert (event.kind, event.terms) == ("modified", ("7", "99.5", None))
    client.withdraw(order(1))
    (cancel,) = client.take_requests(NOW)
    assert cancel.path == "/v2/orders/venue-2"


def test_a_replacement_that_is_on_its_way_is_not_in_force(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    successor = {"id": "venue-2", "client_order_id": f"{PREFIX}1-r1", "replaces": "venue-1"}
    on_its_way = view("pending_new", **successor, qty="7")
    assert client.receive_trade_update(frame("pending_new", on_its_way), NOW) == []
    client.withdraw(order(1))
    (cancel,) = client.take_requests(NOW)
    assert cancel.path == "/v2/orders/venue-1"


def test_an_exit_cut_by_its_sibling_before_anybody_told_of_it_has_arrived(client):
    """Only what has arrived takes another quantity."""
    client.receive_response(submitted(client), 200, body("pending_new"), NOW)
    events = client.receive_trade_update(frame("canceled", view("canceled", qty="2")), NOW)
    assert kinds(events) == ["accepted", "modified", "canceled"]


def test_a_fill_of_the_old_order_and_the_rest_on_the_new_add_up(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    part = view("partially_filled", filled_qty="4", filled_avg_price="100")
    client.receive_trade_update(frame("partial_fill", part, qty="4", price="100"), NOW)
    successor = {"id": "venue-2", "client_order_id": f"{PREFIX}1-r1", "replaces": "venue-1"}
    client.receive_trade_update(frame("new", view("new", **successor)), NOW)
    rest = view("filled", filled_qty="6", filled_avg_price="101", **successor)
    (fill,) = client.receive_trade_update(frame("fill", rest, qty="6", price="101"), NOW)
    assert (fill.quantity, fill.price, fill.cumulative) == ("6", "101", "10")


def taken_over(first: AlpacaClient, now: int) -> AlpacaClient:
    """A client of a later run that goes on with order 1 as the journal has it."""
    venue_id, filled, cost = first.venue_of(1)
    state = OrderState(
        client_order_id=f"{PREFIX}1",
        strategy="s",
        symbol="SPY",
        side="buy",
        order_type="limit",
        quantity="10",
        time_in_force="day",
        status="PARTIALLY_FILLED",
        filled=f"{first.ledger.of(1).filled:f}",
        venue_order_id=venue_id,
        venue_filled=filled,
        venue_cost=cost,
        venue_parts=first.parts_of(1),
    )
    second = AlpacaClient("later-")
    second.poll(now)
    second.adopt(order(1), state)
    return second


def test_what_a_replaced_order_had_executed_is_no_news_after_a_restart(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    part = view("partially_filled", filled_qty="4", filled_avg_price="100")
    client.receive_trade_update(frame("partial_fill", part, qty="4", price="100"), NOW)
    successor = {"id": "venue-2", "client_order_id": f"{PREFIX}1-r1", "replaces": "venue-1"}
    client.receive_trade_update(frame("new", view("new", **successor)), NOW)
    some = view("partially_filled", filled_qty="2", filled_avg_price="101", **successor)
    client.receive_trade_update(frame("partial_fill", some, qty="2", price="101"), NOW)
    assert client.parts_of(1) == (("venue-1", "4", "400"),)
    later = taken_over(client, NOW + SECOND)
    gone = view("replaced", filled_qty="4", filled_avg_price="100", replaced_by="venue-2")
    assert kinds(later.receive_trade_update(frame("replaced", gone), NOW + SECOND)) == []
    rest = view("filled", filled_qty="6", filled_avg_price="101", **successor)
    (fill,) = later.receive_trade_update(frame("fill", rest, qty="4", price="101"), NOW + SECOND)
    assert (fill.quantity, fill.cumulative) == ("4", "10")
    # A fill of the first that nobody has told of is news all the same.
    late = view("replaced", filled_qty="5", filled_avg_price="100", replaced_by="venue-2")
    again = taken_over(client, NOW + SECOND)
    (fill,) = again.receive_trade_update(frame("replaced", late), NOW + SECOND)
    assert (fill.quantity, fill.cumulative) == ("1", "7")


def test_replaces_of_a_later_run_have_ids_of_their_own(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    names = []
    for now in (NOW, NOW + SECOND):
        runs = client if now == NOW else taken_over(client, now)
        for _ in range(2):
            runs.change(order(1), {"limit_price": "99"})
        names += [
            msgspec.json.decode(r.body)["client_order_id"]
            for r in runs.take_requests(now)
            if r.method == "PATCH"
        ]
    assert len(set(names)) == 4
    assert all(len(name) <= 48 for name in names)


def test_a_bracket_is_one_request_and_its_legs_are_told_apart_by_type(client):
    client.submit(bracket(take_profit=110, stop_loss=95))
    (request,) = client.take_requests(NOW)
    sent = msgspec.json.decode(request.body)
    assert sent["order_class"] == "bracket"
    assert sent["take_profit"] == {"limit_price": "110"}
    assert sent["stop_loss"] == {"stop_price": "95"}
    legs = [
        view("held", number=8, client_order_id="theirs-8", type="stop"),
        view("held", number=9, client_order_id="theirs-9", type="limit"),
    ]
    events = client.receive_response(request, 200, body("new", legs=legs), NOW)
    assert [(e.kind, e.number) for e in events] == [("accepted", 1), ("held", 3), ("held", 2)]
    filled = view(
        "filled",
        number=9,
        client_order_id="theirs-9",
        type="limit",
        filled_qty="10",
        filled_avg_price="110",
    )
    (fill,) = client.receive_trade_update(frame("fill", filled, qty="10", price="110"), NOW)
    assert fill.number == 2


@pytest.mark.parametrize(
    ("price", "text"),
    [(0.00001234, "0.00001234"), (0.5, "0.5"), (100, "100"), ("12345678.123456789",) * 2],
)
def test_prices_are_written_out_exactly_and_never_with_an_exponent(client, price, text):
    client.submit(order(1, limit_price=price))
    (request,) = client.take_requests(NOW)
    assert msgspec.json.decode(request.body)["limit_price"] == text


# -- changes of orders that the broker has not shown yet -------------------------------------------


def changed_at_once(client: AlpacaClient):
    """An order whose limit is changed before its submit is answered; the submit's request."""
    placed = order(1)
    client.poll(NOW)
    client.submit(placed)
    (request,) = client.take_requests(NOW)
    client.change(placed, {"limit_price": "101.5"})
    assert client.poll(NOW) == []
    assert client.take_requests(NOW) == []
    return request


@pytest.mark.parametrize("on_the_stream", [False, True])
def test_a_change_waits_for_the_id_and_leaves_once(client, on_the_stream):
    request = changed_at_once(client)
    if on_the_stream:
        client.receive_trade_update(frame("new", view()), NOW + SECOND)
    assert (
        kinds(client.receive_response(request, 200, body(), NOW + SECOND))
        in ([["accepted"], []][on_the_stream:])
    )
    (patch,) = client.take_requests(NOW + SECOND)
    assert (patch.method, patch.path) == ("PATCH", "/v2/orders/venue-1")
    assert msgspec.json.decode(patch.body) == {
        "limit_price": "101.5",
        "client_order_id": f"{PREFIX}1-r1",
    }
    client.receive_trade_update(frame("new", view()), NOW + 2 * SECOND)
    assert [r.purpose for r in client.take_requests(NOW + 2 * SECOND)] == []


def test_a_change_is_refused_with_the_order_that_it_waits_for(client):
    request = changed_at_once(client)
    refusal = refused(403, 40310000, "insufficient buying power").body
    events = client.receive_response(request, 403, refusal, NOW + SECOND)
    assert kinds(events) == ["modify_rejected", "rejected"]


def test_a_change_that_has_become_old_does_not_leave(client):
    request = changed_at_once(client)
    client.receive_response(request, 0, b"", NOW + SECOND)
    (look,) = client.take_requests(NOW + SECOND)
    assert look.purpose == "read_back"
    events = client.receive_response(look, 200, body(), NOW + 11 * SECOND)
    assert "modify_rejected" in kinds(events)
    assert client.take_requests(NOW + 11 * SECOND) == []


def test_a_change_of_an_order_that_is_to_be_canceled_does_not_leave(client):
    request = changed_at_once(client)
    client.withdraw(order(1))
    events = client.receive_response(request, 200, body(), NOW + SECOND)
    assert "modify_rejected" in kinds(events)
    assert [r.purpose for r in client.take_requests(NOW + SECOND)] == ["cancel"]


def test_a_change_of_an_order_that_is_lost_is_refused_before_it(client):
    request = changed_at_once(client)
    client.receive_response(request, 0, b"", NOW)
    told, now = [], NOW
    while "lost" not in told:
        now += 40 * SECOND
        assert now < NOW + 600 * SECOND
        for look in client.take_requests(now):
            missing = refused(404, 40410000, "order not found").body
            told += kinds(client.receive_response(look, 404, missing, now))
    assert told == ["modify_rejected", "lost"]
    # A later sighting opens the order again, with the terms that were sent.
    client.receive_trade_update(frame("new", view()), now + SECOND)
    assert [r for r in client.take_requests(now + SECOND) if r.purpose == "replace"] == []

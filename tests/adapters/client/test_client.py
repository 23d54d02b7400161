"""The client core as a whole: what it wants of its streams, when it is due, what it lets go."""

from __future__ import annotations

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import PROBE_NS, RESYNC_NS, AlpacaClient
from pyrt.adapters.alpaca.core.events import AnswerEvent
from pyrt.adapters.alpaca.core.rest import HttpRequest
from tests.adapters.client.exchange import PREFIX, bracket, order
from tests.adapters.client.test_order_path import NOW, SECOND, body, frame, kinds, submitted, view
from tests.adapters.client.test_streams import KEYS, activate, authorization

LISTENING = b'{"stream":"listening","data":{"streams":["trade_updates"]}}'


@pytest.fixture
def client() -> AlpacaClient:
    return AlpacaClient(PREFIX, KEYS)


# -- subscriptions ---------------------------------------------------------------------------------


def test_news_of_a_stock_come_with_anything_of_it_and_go_with_the_last(client):
    wanted, more, less = [], client.subscribe, client.unsubscribe
    for command, channel in (
        (more, "quotes"), (more, "bars"), (more, "trades"),
        (less, "trades"), (less, "quotes"), (less, "bars"),
    ):  # fmt: skip
        command(channel, "SPY")
        wanted.append(set(client.market_data.wanted))
    news = {"statuses", "lulds"}
    bars = {"bars", "updatedBars"}
    assert wanted == [
        {"quotes"} | news,
        {"quotes"} | bars | news,
        {"quotes", "trades"} | bars | news,
        {"quotes"} | bars | news,
        bars | news,
        set(),
    ]
    assert not client.crypto_data.is_wanted


def test_the_book_of_a_coin_has_another_name_on_its_stream(client):
    client.subscribe("book", "BTC/USD")
    client.subscribe("quotes", "BTC/USD")
    assert set(client.crypto_data.wanted) == {"orderbooks", "quotes"}
    client.unsubscribe("quotes", "BTC/USD")
    assert client.crypto_data.wanted == {"orderbooks": ["BTC/USD"]}
    client.unsubscribe("book", "BTC/USD")
    assert client.crypto_data.wanted == {}
    assert client.stream_of("BTC/USD") is client.crypto_data
    assert client.stream_of("SPY") is client.market_data


def test_codec_and_keys_go_for_both_streams():
    client = AlpacaClient(PREFIX, KEYS, codec="msgpack")
    assert client.market_data.is_packed
    assert client.crypto_data.is_packed
    assert not client.trade_updates.is_packed
    client.trade_updates.opened(NOW)
    assert b"PKTEST" in client.trade_updates.take_frames()[0]


def test_a_coins_market_never_closes(client):
    """Its stream is judged by its silence at any hour; that of stocks only once sessions are."""
    assert client.crypto_data.activity.session_of(NOW) is not None
    assert client.market_data.activity.session_of(NOW) is None


# -- time ------------------------------------------------------------------------------------------


def test_time_does_not_go_back_whatever_it_comes_with(client):
    feeds = (client.receive_market_data, client.receive_crypto_data, client.receive_trade_update)
    for take in feeds:
        take(b"[]")
    assert client.now == 0
    for count, take in enumerate((*feeds, lambda _, now: client.poll(now)), 1):
        take(b"[]", NOW + count)
        assert client.now == NOW + count
        take(b"[]", NOW)
        assert client.now == NOW + count
    # What is to be sent is so by that time.
    client.ask(HttpRequest("GET", "/v2/clock", b"", purpose="clock"))
    client.queue.add(HttpRequest("GET", "/v2/later", b"", purpose="later"), NOW + 5)
    assert [request.purpose for request in client.take_requests()] == ["clock"]
    assert [request.purpose for request in client.take_requests(NOW + 5)] == ["later"]


def test_it_is_due_with_its_next_request_or_its_next_look_at_open_orders(client):
    assert client.next_due(NOW) is None
    client.receive_response(submitted(client), 200, body(), NOW)
    stream = client.trade_updates
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(authorization("authorized"), NOW)
    stream.receive(LISTENING, NOW)
    client.poll(NOW)
    assert [request.purpose for request in client.take_requests(NOW)] == ["read_back"]
    assert client.next_due(NOW) == NOW + RESYNC_NS == NOW + 60 * SECOND
    client.poll(NOW + RESYNC_NS - 1)
    assert client.take_requests(NOW + RESYNC_NS) == []
    client.poll(NOW + RESYNC_NS)
    assert client.next_due(NOW + RESYNC_NS - 1) == NOW + RESYNC_NS
    assert [r.purpose for r in client.take_requests(NOW + RESYNC_NS)] == ["read_back"]
    assert client.next_due(NOW + RESYNC_NS) == NOW + 2 * RESYNC_NS
    client.queue.add(HttpRequest("GET", "/", b"", purpose="soon"), NOW + 61 * SECOND)
    assert client.next_due(NOW + RESYNC_NS) == NOW + 61 * SECOND


def test_while_submits_are_held_back_something_harmless_is_asked_each_five_seconds(client):
    client.submit(order(1))
    for _ in range(4):
        client.queue.answered(503, {}, NOW)
    client.poll(NOW)
    assert len(client.queue) == 1
    client.queue.answered(503, {}, NOW)
    client.queue.outstanding = 0
    client.poll(NOW)
    client.poll(NOW + SECOND)
    assert client.take_requests(NOW + PROBE_NS - 1) == []
    assert PROBE_NS == 5 * SECOND
    (probe,) = client.take_requests(NOW + PROBE_NS)
    assert (probe.method, probe.path, probe.purpose) == ("GET", "/v2/account", "probe")
    assert (client.queue.outstanding, len(client.queue)) == (1, 1)
    # What it says is of no interest; that it says anything is.
    assert client.receive_response(probe, 200, b"<html>", NOW + PROBE_NS) == []
    assert client.queue.outstanding == 0
    assert [request.purpose for request in client.take_requests(NOW + PROBE_NS)] == ["submit"]
    client.poll(NOW + PROBE_NS)
    assert len(client.queue) == 0


def test_what_an_answers_head_says_counts(client):
    head = {"x-ratelimit-remaining": "0"}
    client.receive_response(submitted(client), 200, body(), NOW, head)
    client.withdraw(order(1))
    assert client.take_requests(NOW) == []
    assert len(client.take_requests(NOW + SECOND)) == 1


@pytest.mark.parametrize(("seed", "same"), [({}, True), ({"seed": 0}, True), ({"seed": 1}, False)])
def test_jitter_is_drawn_from_the_seed(seed, same):
    due = []
    for options in ({}, seed):
        client = AlpacaClient(PREFIX, KEYS, **options)
        client.queue.retry(HttpRequest("GET", "/", b""), NOW)
        due.append(client.next_due(NOW))
    assert (due[0] == due[1]) is same


@pytest.mark.parametrize("extended", [True, False])
def test_an_order_for_extended_hours_says_so_and_no_other_does(client, extended):
    client.submit(order(1, limit_price=100, extended_hours=extended, time_in_force="day"))
    (request,) = client.take_requests(NOW)
    assert msgspec.json.decode(request.body).get("extended_hours") is (True if extended else None)


# -- requests that did not leave, orders that are gone ---------------------------------------------


def test_what_was_not_sent_is_refused_here(client):
    request = submitted(client)
    assert client.queue.outstanding == 1
    events = client.not_sent(request, "it is stale", NOW)
    assert events == [AnswerEvent("rejected", 1, NOW, "0: not sent: it is stale")]
    assert client.queue.outstanding == 0
    assert client.ledger.of(1).final == "rejected"


def test_with_an_entry_that_was_not_sent_its_exits_end(client):
    client.submit(bracket(take_profit=110, stop_loss=90))
    (request,) = client.take_requests(NOW)
    events = client.not_sent(request, "no", NOW)
    assert [(e.kind, e.number) for e in events] == [("rejected", n) for n in (1, 2, 3)]


def test_a_repeat_that_is_not_needed_is_taken_back_and_the_order_looked_for(client):
    client.receive_response(submitted(client), 0, b"", NOW)
    (look,) = client.take_requests(NOW)
    missing = b'{"code":40410000,"message":"order not found"}'
    client.receive_response(look, 404, missing, NOW)
    (again,) = client.take_requests(NOW + 5 * SECOND)
    assert (again.purpose, client.is_moot(again)) == ("submit", False)
    client.withdraw(order(1))
    assert client.is_moot(again)
    assert client.not_needed(again, NOW + 5 * SECOND) == []
    assert client.queue.outstanding == 0
    assert [r.purpose for r in client.take_requests(NOW + 5 * SECOND)] == ["read_back"]


@pytest.mark.parametrize("why", ["seen", "ended", "withdrawn", "given up"])
def test_a_submit_is_moot_once_its_order_is_known_or_not_wanted(client, why):
    request = submitted(client)
    assert not client.is_moot(request)
    if why == "seen":
        client.receive_trade_update(frame("new", view()), NOW)
    elif why == "ended":
        client.not_sent(request, "no", NOW)
    elif why == "withdrawn":
        client.withdraw(order(1))
    else:
        client.give_up(1)
    assert client.is_moot(request)
    assert not client.is_moot(HttpRequest("DELETE", "/", b"", 1, "cancel"))


@pytest.mark.parametrize("end", ["canceled", "rejected"])
def test_with_an_order_that_an_answer_shows_as_ended_its_exits_end_and_its_looks(client, end):
    client.submit(bracket(take_profit=110, stop_loss=90))
    (request,) = client.take_requests(NOW)
    client.orders.read_back(1, NOW + SECOND)
    events = client.receive_response(request, 200, body(end), NOW)
    assert [(e.kind, e.number) for e in events] == [(end, n) for n in (1, 2, 3)]
    assert len(client.queue) == 0


def test_nothing_is_kept_of_an_order_that_was_forgotten(client):
    client.receive_response(submitted(client), 200, body(), NOW)
    client.change(order(1), {"limit_price": "99"})
    (patch,) = client.take_requests(NOW)
    client.receive_response(patch, 200, body("pending_new", number=2), NOW)
    assert client.knows("venue-1")
    assert client.knows("venue-2")
    client.forget(1)
    assert not client.knows("venue-1")
    assert not client.knows("venue-2")
    assert (client.venue_of(1), client.parts_of(1)) == (("", "", ""), ())
    assert client.take_requests(NOW + 60 * SECOND) == []
    assert list(client.ledger) == []
    # Again, or never known: nothing happens.
    client.forget(1)
    client.give_up(1)
    client.forget(77)


def test_of_an_order_without_an_id_no_venue_order_is_known(client):
    client.submit(order(1))
    assert client.venue_of(1) == ("", "", "")
    assert client.venue_of(2) == ("", "", "")
    assert client.parts_of(1) == ()
    client.ledger.sight(client.ledger.of(1), view())
    # Seen, with nothing executed yet.
    assert client.venue_of(1) == ("venue-1", "0", "0")


def test_a_command_is_answered_with_the_next_poll_and_once(client):
    client.submit(order(1))
    client.withdraw(order(1))
    assert kinds(client.poll(NOW)) == ["canceled"]
    assert client.poll(NOW) == []


def test_what_was_seen_of_an_entry_that_has_ended_ends_its_exits(client):
    """A trade update of an entry whose end an earlier one has told already."""
    client.submit(bracket(take_profit=110, stop_loss=90))
    client.take_requests(NOW)
    client.ledger.apply(view("canceled"), NOW)
    events = client.receive_trade_update(frame("canceled", view("canceled")), NOW)
    assert [(e.kind, e.number) for e in events] == [("canceled", 2), ("canceled", 3)]


def test_bars_that_come_again_after_a_subscription_ended_wait_for_nothing(client):
    client.subscribe("bars", "SPY")
    activate(client.market_data)
    client.past.fill_gap("SPY", NOW, NOW)
    client.unsubscribe("quotes", "SPY")
    assert len(client.queue) == 1
    client.unsubscribe("bars", "SPY")
    assert len(client.queue) == 0

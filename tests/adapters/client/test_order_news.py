"""News on the stream of trade updates: whose, what of, and which ask for a look."""

from __future__ import annotations

import re

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, FillEvent
from pyrt.adapters.alpaca.core.pacing import SECOND
from tests.adapters.client.exchange import PREFIX, order
from tests.adapters.client.test_connections import LISTENING, up, updates
from tests.adapters.client.test_order_path import view
from tests.adapters.client.test_streams import KEYS, NOW, authorization


@pytest.fixture
def client() -> AlpacaClient:
    """A client with an order that has left, and a stream that stands."""
    made = AlpacaClient(PREFIX, KEYS)
    made.submit(order(1))
    made.take_requests(NOW)
    up(made.trade_updates)
    assert made.trade_updates.take_resync()
    return made


def update(event: str = "new", status: str = "new", **fields) -> bytes:
    changes = fields.pop("changes", {})
    shown = msgspec.to_builtins(view(status, **changes))
    data = {"event": event, "timestamp": "2013-10-07T13:30:07Z", "order": shown, **fields}
    return msgspec.json.encode({"stream": "trade_updates", "data": data})


@pytest.mark.parametrize(
    ("event", "number", "asks"),
    [("new", 1, False), ("teleported", 1, True), ("new", 7, True), ("restated", 1, False)],
)
def test_news_that_we_cannot_place_asks_for_a_look(client, event, number, asks):
    client.receive_trade_update(update(event, changes={"number": number}), NOW)
    assert client.trade_updates.take_resync() is asks


def test_what_is_listened_to_already_asks_for_no_look_again(client):
    stream = client.trade_updates
    since = stream.active_since
    stream.receive(LISTENING, NOW + SECOND)
    assert not stream.take_resync()
    assert stream.active_since == since


def test_what_another_stream_says_is_nothing(client):
    assert client.receive_trade_update(b'{"stream":"weather"}', NOW) == []
    assert client.trade_updates.take_frames() == []
    assert not client.trade_updates.take_resync()


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b'{"stream":"authorization"}', "trade updates: "),
        (authorization("unauthorized"), "trade updates: unauthorized"),
    ],
)
def test_keys_that_are_refused_are_told_and_nothing_is_listened_to(frame, text):
    stream = updates()
    stream.opened(NOW)
    stream.take_frames()
    assert stream.receive(frame, NOW) == [Alarm("unauthorized", text, NOW)]
    assert stream.take_frames() == []
    assert stream.next_due() == 0
    assert stream.wants_close(NOW)


NUMBERS = ("nan", "-1", "x", "1e15")


@pytest.mark.parametrize(
    "fields",
    [
        *({name: number} for name in ("qty", "price") for number in NUMBERS),
        *({"changes": {"filled_qty": number}} for number in NUMBERS),
        {"timestamp": "soon"},
        {"order": None},
    ],
)
def test_news_that_make_no_sense_are_an_alarm_and_ask_for_a_look(client, fields):
    (alarm,) = client.receive_trade_update(update("new", **fields), NOW)
    assert (alarm.code, alarm.ts_event) == ("bad_frame", NOW)
    assert re.fullmatch(r"trade update: \w+Error", alarm.text)
    assert client.trade_updates.take_resync()
    assert client.trade_updates.take_seen() == []
    # The order is as it was: sound news of it are news.
    (event,) = client.receive_trade_update(update(), NOW)
    assert event.kind == "accepted"


def test_news_carry_their_own_time_and_reason(client):
    news = update("rejected", "rejected", reason="wash trade")
    (event,) = client.receive_trade_update(news.decode(), NOW)
    assert (event.kind, event.reason, event.ts_event) == (
        "rejected",
        "wash trade",
        NOW + 7 * SECOND,
    )


def test_a_quantity_is_an_execution_where_something_was_executed(client):
    """Ten at an average of 101; the last execution was of four at 102."""
    shown = {"filled_qty": "10", "filled_avg_price": "101"}
    events = client.receive_trade_update(
        update("fill", "filled", changes=shown, qty="4", price="102"), NOW
    )
    assert [(e.quantity, float(e.price)) for e in events if type(e) is FillEvent] == [
        ("6", pytest.approx((1010 - 408) / 6)),
        ("4", 102.0),
    ]


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("fill", {"qty": "4"}),
        ("partial_fill", {"price": "102"}),
        ("done_for_day", {"qty": "4", "price": "102"}),
    ],
)
def test_without_an_execution_the_average_is_all_that_is_known(client, event, fields):
    shown = {"filled_qty": "10", "filled_avg_price": "101"}
    events = client.receive_trade_update(update(event, "filled", changes=shown, **fields), NOW)
    assert [(e.quantity, float(e.price)) for e in events if type(e) is FillEvent] == [("10", 101.0)]


def test_what_was_seen_is_handed_over_once():
    stream = up(updates())
    stream.receive(update(), NOW)
    assert [each.event for each in stream.take_seen()] == ["new"]
    assert stream.take_seen() == []

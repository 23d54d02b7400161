"""Both streams: handshakes, codecs, subscriptions, dead lines."""

from __future__ import annotations

from random import Random

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import (
    Alarm,
    BarEvent,
    BookEvent,
    BookGapEvent,
    QuoteEvent,
    TradeEvent,
)
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.streams import ACTIVE
from pyrt.adapters.alpaca.credentials import Credentials

MINUTE = 60 * SECOND
NOW = 1_381_152_600_000_000_000  # 2013-10-07 13:30 UTC
KEYS = Credentials("PKTEST", "canary-77")
BAR = {"T": "b", "S": "SPY", "o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 100}


def market_data(*symbols: str) -> MarketData:
    stream = MarketData(Random(0), KEYS)
    stream.subscribe("bars", symbols)
    return stream


def activate(stream: MarketData, now: int = NOW) -> list[dict]:
    """Take a stream through its handshake; return what it sent."""
    assert stream.wants_connection(now)
    stream.opened(now)
    for text in ("connected", "authenticated"):
        stream.receive(f'[{{"T":"success","msg":"{text}"}}]', now)
    stream.receive(b'[{"T":"subscription","bars":["SPY"]}]', now)
    return [msgspec.json.decode(frame) for frame in stream.take_frames()]


def bar_frame(minute: int, symbol: str = "SPY") -> bytes:
    stamp = f"2013-10-07T13:{30 + minute}:00Z"
    return msgspec.json.encode([{**BAR, "S": symbol, "t": stamp}])


def test_the_handshake_authenticates_and_subscribes():
    stream = market_data("SPY", "QQQ")
    sent = activate(stream)
    assert sent == [
        {"action": "auth", "key": "PKTEST", "secret": "canary-77"},
        {"action": "subscribe", "bars": ["QQQ", "SPY"]},
    ]
    assert stream.state == ACTIVE


def test_only_the_difference_of_a_subscription_is_sent():
    stream = market_data("SPY")
    activate(stream)
    stream.subscribe("bars", ["SPY", "QQQ"])
    stream.unsubscribe("bars", ["SPY"])
    assert [msgspec.json.decode(frame) for frame in stream.take_frames()] == [
        {"action": "subscribe", "bars": ["QQQ"]},
        {"action": "unsubscribe", "bars": ["SPY"]},
    ]


def test_a_bar_is_stamped_at_its_close():
    (bar,) = market_data("SPY").receive(bar_frame(0), NOW)
    assert bar == BarEvent("SPY", NOW, NOW + MINUTE, (1.0, 2.0, 0.5, 1.5, 100.0))


def test_message_pack_times_keep_their_nanoseconds():
    quote = {"T": "q", "S": "SPY", "bp": 1.0, "bs": 3, "ap": 1.1, "as": 4}
    trade = {"T": "t", "S": "SPY", "p": 1.05, "s": 7}
    times = [msgpack.Timestamp(1_381_152_600, 123_456_789), msgpack.Timestamp(1_381_152_600, 0)]
    frame = msgpack.packb([{**quote, "t": times[0]}, {**trade, "t": times[1]}])
    assert market_data().receive(frame, NOW) == [
        QuoteEvent("SPY", NOW + 123_456_789, 1.0, 3.0, 1.1, 4.0),
        TradeEvent("SPY", NOW, 1.05, 7.0),
    ]


@given(st.integers(-9_223_372_035, 9_223_372_035), st.integers(0, 999_999_999))
@settings(max_examples=100)
def test_any_message_pack_time_is_read_exactly(seconds, nanoseconds):
    stamp = msgpack.Timestamp(seconds, nanoseconds)
    frame = msgpack.packb([{"T": "t", "S": "SPY", "p": 1.0, "s": 1, "t": stamp}])
    (trade,) = market_data().receive(frame, NOW)
    assert trade.ts_event == seconds * SECOND + nanoseconds


@pytest.mark.parametrize("seconds", [2**34 - 1, 2**40, -(2**40)])
def test_a_time_beyond_64_bits_of_nanoseconds_is_an_alarm(seconds):
    stamp = msgpack.Timestamp(seconds, 0)
    frame = msgpack.packb([{"T": "t", "S": "SPY", "p": 1.0, "s": 1, "t": stamp}])
    (alarm,) = market_data().receive(frame, NOW)
    assert alarm.code == "bad_frame"


@pytest.mark.parametrize("pack", [msgspec.json.encode, msgpack.packb])
def test_a_kind_that_is_new_to_us_does_not_cost_its_neighbors(pack):
    stamp = "2013-10-07T13:30:00Z"
    frame = pack([{"T": "zz", "S": "SPY", "x": 1}, {"T": "d", **_without_kind(), "t": stamp}])
    (bar,) = market_data().receive(frame, NOW)
    assert bar.kind == "daily"


@pytest.mark.parametrize("pack", [msgspec.json.encode, msgpack.packb])
@pytest.mark.parametrize("bad", [{"t": "soon"}, {"t": 7}, {"c": "dear"}, {"o": None}, {"S": 1}])
def test_a_message_that_makes_no_sense_does_not_cost_its_neighbors(pack, bad):
    sound = [{**BAR, "t": f"2013-10-07T13:{minute}:00Z"} for minute in (30, 31, 32)]
    frame = pack([sound[0], {**sound[1], **bad}, sound[2]])
    events = market_data().receive(frame, NOW)
    assert [type(event) for event in events] == [BarEvent, Alarm, BarEvent]
    assert events[1].code == "bad_frame"
    assert [bar.ts_open for bar in events[::2]] == [NOW, NOW + 2 * MINUTE]


def _without_kind() -> dict:
    return {name: value for name, value in BAR.items() if name != "T"}


def test_unknown_fields_are_tolerated():
    frame = msgspec.json.encode([{**BAR, "t": "2013-10-07T13:30:00Z", "new": {"a": [1]}}])
    assert len(market_data().receive(frame, NOW)) == 1


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_garbage_is_an_alarm_on_both_streams_and_never_an_exception(frame):
    client = AlpacaClient("run-", KEYS)
    for event in (*client.receive_market_data(frame), *client.receive_trade_update(frame)):
        assert isinstance(event, Alarm)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["T", "S", "t", "data", "stream"]), x)
        ),
    )
)
@settings(max_examples=300)
def test_sound_json_of_any_shape_raises_nothing(value):
    client = AlpacaClient("run-", KEYS)
    client.receive_market_data(msgspec.json.encode(value))
    client.receive_trade_update(msgspec.json.encode(value))


# -- dead lines ----------------------------------------------------------------------------------


def test_a_mute_line_is_closed_and_a_pong_keeps_it():
    stream = market_data("SPY")
    activate(stream)
    stream.heard(NOW + 11 * SECOND)
    assert not stream.wants_close(NOW + 23 * SECOND)
    assert stream.wants_close(NOW + 24 * SECOND)


def test_pongs_do_not_keep_a_handshake_that_gets_no_further():
    stream = AlpacaClient("run-", KEYS).trade_updates
    assert stream.wants_connection(NOW)
    stream.opened(NOW + SECOND)
    for second in (5, 10):
        stream.heard(NOW + second * SECOND)
    assert not stream.wants_close(NOW + 11 * SECOND)
    assert stream.next_due() == NOW + 11 * SECOND + 1
    assert stream.wants_close(NOW + 11 * SECOND + 1)


def test_a_step_of_the_handshake_has_its_own_time():
    stream = AlpacaClient("run-", KEYS).trade_updates
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(authorization("authorized"), NOW + 9 * SECOND)
    assert not stream.wants_close(NOW + 19 * SECOND)
    stream.receive(b'{"stream":"listening","data":{"streams":["trade_updates"]}}', NOW + 9 * SECOND)
    assert not stream.wants_close(NOW + 21 * SECOND)


def authorization(status: str) -> bytes:
    return msgspec.json.encode({"stream": "authorization", "data": {"status": status}})


def test_a_refused_authorization_is_tried_again_on_another_connection():
    stream = AlpacaClient("run-", KEYS).trade_updates
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(authorization("unauthorized"), NOW)
    assert stream.wants_close(NOW)
    assert stream.next_due() <= NOW
    stream.closed(NOW)
    assert not stream.wants_close(NOW)
    again = stream.next_due()
    assert again - NOW == pytest.approx(SECOND, rel=0.16)
    assert stream.wants_connection(again)
    stream.opened(again)
    stream.receive(authorization("authorized"), again)
    assert not stream.wants_close(again)


def test_refusals_in_a_row_come_later_each_time_and_never_stop():
    stream = AlpacaClient("run-", KEYS).trade_updates
    now, waits = NOW, []
    for _ in range(12):
        assert stream.wants_connection(now)
        stream.opened(now)
        stream.receive(authorization("unauthorized"), now)
        stream.closed(now)
        waits.append((stream.next_due() - now) / SECOND)
        now = stream.next_due()
    assert waits[:3] == pytest.approx([1, 2, 4], rel=0.16)
    assert waits[-1] == pytest.approx(60, rel=0.16)


@pytest.mark.parametrize("code", [402, 404, 406, 407, 409])
def test_a_fatal_error_of_the_data_closes_the_socket_before_another_is_opened(code):
    stream = market_data("SPY")
    activate(stream)
    frame = msgspec.json.encode([{"T": "error", "code": code, "msg": "no"}])
    (alarm,) = stream.receive(frame, NOW)
    assert alarm.code == f"market_data_{code}"
    assert not stream.is_active
    assert not stream.wants_connection(NOW + MINUTE)
    assert stream.wants_close(NOW)
    stream.closed(NOW)
    assert stream.wants_connection(NOW + 2 * SECOND)


def test_reconnects_come_later_each_time_and_never_stop():
    stream = market_data("SPY")
    now, waits = NOW, []
    for _ in range(12):
        assert stream.wants_connection(now)
        stream.closed(now)
        waits.append((stream.next_due() - now) / SECOND)
        now = stream.next_due()
    assert waits[:3] == pytest.approx([1, 2, 4], rel=0.16)
    assert waits[-1] == pytest.approx(60, rel=0.16)


def test_an_unknown_order_event_asks_for_a_resync():
    client = AlpacaClient("run-", KEYS)
    shown = {
        "id": "v",
        "client_order_id": "other",
        "symbol": "SPY",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "status": "new",
    }
    update = {"event": "teleported", "timestamp": "2013-10-07T13:30:00Z", "order": shown}
    frame = msgspec.json.encode({"stream": "trade_updates", "data": update})
    assert client.receive_trade_update(frame, NOW) == []
    assert client.trade_updates.take_resync()
    assert not client.trade_updates.take_resync()


def test_trade_updates_are_listened_to_after_authentication():
    client = AlpacaClient("run-", KEYS)
    stream = client.trade_updates
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive('{"stream":"authorization","data":{"status":"authorized"}}', NOW)
    stream.receive(b'{"stream":"listening","data":{"streams":["trade_updates"]}}', NOW)
    sent = [msgspec.json.decode(frame) for frame in stream.take_frames()]
    assert sent == [
        {"action": "auth", "key": "PKTEST", "secret": "canary-77"},
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
    ]
    assert stream.state == ACTIVE
    assert stream.take_resync()


def test_refused_keys_are_an_alarm():
    client = AlpacaClient("run-", KEYS)
    client.trade_updates.opened(NOW)
    frame = '{"stream":"authorization","data":{"status":"unauthorized"}}'
    (alarm,) = client.receive_trade_update(frame, NOW)
    assert alarm.code == "unauthorized"
    assert "canary" not in repr(alarm)


MADE_BY_NO_MARKET = [
    {**BAR, "c": 0.0},
    {**BAR, "l": -1.0},
    {**BAR, "h": 1e308},
    {**BAR, "h": float("nan")},
    {**BAR, "o": float("inf")},
    {**BAR, "c": 150.0},
    {**BAR, "v": -1},
    {"T": "t", "S": "SPY", "p": 0.0, "s": 1.0},
    {"T": "t", "S": "SPY", "p": float("nan"), "s": 1.0},
    {"T": "q", "S": "SPY", "bp": -1.0, "bs": 1.0, "ap": 2.0, "as": 1.0},
    {"T": "q", "S": "SPY", "bp": 1.0, "bs": float("nan"), "ap": 2.0, "as": 1.0},
]


@pytest.mark.parametrize("row", MADE_BY_NO_MARKET)
def test_numbers_that_no_market_has_made_are_put_aside_and_their_neighbors_taken(row):
    stream = market_data("SPY")
    activate(stream)
    good = {**BAR, "S": "QQQ", "t": "2013-10-07T13:30:00Z"}
    # JSON has no NaN; MessagePack has.
    frame = msgpack.packb([{**row, "t": "2013-10-07T13:30:00Z"}, good])
    events = stream.receive(frame, NOW)
    assert [type(event) for event in events] == [Alarm, BarEvent]
    assert (events[0].code, events[1].symbol) == ("bad_tick", "QQQ")


def test_a_quote_without_anybody_on_one_side_is_a_quote():
    stream = market_data("SPY")
    activate(stream)
    row = {"T": "q", "S": "SPY", "bp": 0.0, "bs": 0.0, "ap": 2.0, "as": 1.0}
    (event,) = stream.receive(msgpack.packb([{**row, "t": "2013-10-07T13:30:00Z"}]), NOW)
    assert isinstance(event, QuoteEvent)


def test_messagepack_is_asked_for_spoken_and_understood():
    stream = MarketData(Random(0), KEYS, codec="msgpack")
    pack, unpack = msgspec.msgpack.encode, msgspec.msgpack.decode
    assert stream.headers == {"Content-Type": "application/msgpack"}
    stream.subscribe("bars", ["SPY"])
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(pack([{"T": "success", "msg": "connected"}]), NOW)
    (auth,) = stream.take_frames()
    assert unpack(auth)["action"] == "auth"
    stream.receive(pack([{"T": "success", "msg": "authenticated"}]), NOW)
    (ask,) = stream.take_frames()
    assert unpack(ask) == {"action": "subscribe", "bars": ["SPY"]}
    stream.receive(pack([{"T": "subscription", "bars": ["SPY"]}]), NOW)
    assert stream.is_active
    assert MarketData(Random(0), KEYS).headers == {"Content-Type": "application/json"}


# -- books -------------------------------------------------------------------------------------

STAMP = "2013-10-07T13:30:00Z"
FULL = {"T": "o", "S": "BTC/USD", "t": STAMP, "r": True, "b": [{"p": 9.0, "s": 1.0}], "a": []}
CHANGE = {**FULL, "r": False, "b": [{"p": 8.0, "s": 2.0}]}


def book_client() -> AlpacaClient:
    client = AlpacaClient("run-", KEYS)
    client.subscribe("book", "BTC/USD")
    stream = client.crypto_data
    assert stream.wants_connection(NOW)
    shake_hands(stream, NOW)
    return client


def shake_hands(stream: MarketData, now: int) -> None:
    stream.opened(now)
    for text in ("connected", "authenticated"):
        stream.receive(f'[{{"T":"success","msg":"{text}"}}]', now)
    stream.receive(b'[{"T":"subscription","orderbooks":["BTC/USD"]}]', now)
    stream.take_frames()


def told(client: AlpacaClient, now: int, *messages: dict) -> list[str]:
    events = client.receive_crypto_data(msgspec.json.encode(list(messages)), now)
    return ["full" if isinstance(e, BookEvent) and e.is_full else e.WHAT for e in events]


def test_a_broken_connection_loses_books_until_their_next_full_message():
    client = book_client()
    stream = client.crypto_data
    assert told(client, NOW, FULL, CHANGE) == ["full", "book"]
    stream.closed(NOW + SECOND)
    # Told at once, not when the line stands again.
    assert client.poll(NOW + SECOND) == [BookGapEvent("BTC/USD", NOW + SECOND)]
    assert client.poll(NOW + SECOND) == []
    later = NOW + 10 * SECOND
    assert stream.wants_connection(later)
    shake_hands(stream, later)
    assert told(client, later, FULL) == ["full"]


def test_a_reconnection_that_nobody_polled_is_told_before_what_it_brings():
    client = book_client()
    client.crypto_data.closed(NOW + SECOND)
    assert client.crypto_data.wants_connection(NOW + 10 * SECOND)
    shake_hands_told = []
    client.crypto_data.opened(NOW + 10 * SECOND)
    frame = b'[{"T":"success","msg":"connected"}]'
    shake_hands_told += client.receive_crypto_data(frame, NOW + 10 * SECOND)
    assert shake_hands_told == [BookGapEvent("BTC/USD", NOW + SECOND)]


@pytest.mark.parametrize("bad", [{**CHANGE, "b": [{"p": -1.0, "s": 1.0}]}, {**CHANGE, "t": 3}])
def test_a_book_message_put_aside_is_a_gap_and_asks_for_the_whole_book(bad: dict):
    client = book_client()
    assert told(client, NOW, FULL) == ["full"]
    assert sorted(told(client, NOW + SECOND, bad)) == ["alarm", "book_gap"]
    asked = [msgspec.json.decode(f) for f in client.crypto_data.take_frames()]
    assert asked == [
        {"action": "unsubscribe", "orderbooks": ["BTC/USD"]},
        {"action": "subscribe", "orderbooks": ["BTC/USD"]},
    ]
    # The acknowledgement of the first leaves the symbol out, and that is no alarm.
    for listed in ([], ["BTC/USD"]):
        assert told(client, NOW + SECOND, {"T": "subscription", "orderbooks": listed}) == []
    # One that stays wrong is told, and not asked for again at once.
    assert sorted(told(client, NOW + 2 * SECOND, bad)) == ["alarm", "book_gap"]
    assert client.crypto_data.take_frames() == []
    told(client, NOW + 90 * SECOND, bad)
    assert len(client.crypto_data.take_frames()) == 2

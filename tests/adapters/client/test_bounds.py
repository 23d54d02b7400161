"""Which numbers from the wire are believed: at, below and above each bound."""

from __future__ import annotations

from math import inf, nan, nextafter
from random import Random

import msgspec
import pytest

from pyrt.adapters.alpaca.core.events import (
    BandsEvent,
    BarEvent,
    BookEvent,
    CorrectionEvent,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.core.messages import OrderView, is_number
from pyrt.adapters.alpaca.core.wire import (
    PRICE_MAX,
    SIZE_MAX,
    BookWire,
    Decoder,
    StatusWire,
    SuccessWire,
    event_of,
    is_sound,
)
from pyrt.adapters.alpaca.credentials import Credentials

NOW = 1_381_152_600_000_000_000
STAMP = "2013-10-07T13:30:00Z"
KEYS = Credentials("PKTEST", "canary-77")
PRICE, SIZE = nextafter(PRICE_MAX, 0), nextafter(SIZE_MAX, 0)
"""The largest that are believed."""
TINY = 1e-9
NO_PRICES = (-TINY, PRICE_MAX, inf, nan)
NO_SIZES = (-TINY, SIZE_MAX, inf, nan)


def quote(bid: float = 1.0, size: float = 1.0, ask: float = 2.0, shown: float = 1.0) -> QuoteEvent:
    return QuoteEvent("SPY", NOW, bid, size, ask, shown)


def book(price: float = 1.0, size: float = 1.0) -> list[BookEvent]:
    """A level as a bid and as an ask, each behind one that is sound."""
    levels = ((1.0, 1.0), (price, size))
    return [BookEvent("BTC/USD", NOW, levels, ()), BookEvent("BTC/USD", NOW, (), levels)]


def bar(o: float, h: float, low: float, c: float, volume: float = 1.0) -> BarEvent:
    return BarEvent("SPY", NOW, NOW + 1, (o, h, low, c, volume))


SOUND = [
    # A side of a quote without anybody; prices of bid and ask may even cross.
    quote(0, 0, 0, 0),
    quote(PRICE, SIZE, PRICE, SIZE),
    quote(TINY, TINY, TINY, TINY),
    TradeEvent("SPY", NOW, TINY, 0),
    TradeEvent("SPY", NOW, TINY, TINY),
    TradeEvent("SPY", NOW, PRICE, SIZE),
    BookEvent("BTC/USD", NOW, (), ()),
    # Size 0 is a level that is gone.
    *book(TINY, 0),
    *book(TINY, TINY),
    *book(PRICE, SIZE),
    BandsEvent("SPY", NOW, 0, 0),
    BandsEvent("SPY", NOW, 0, TINY),
    BandsEvent("SPY", NOW, PRICE, PRICE),
    bar(1, 1, 1, 1, 0),
    bar(TINY, TINY, TINY, TINY, TINY),
    bar(2, 3, 1, 2, SIZE),
    bar(PRICE, PRICE, PRICE, PRICE),
    # Opened at its low and closed at its high, and the other way round.
    bar(1, 2, 1, 2),
    bar(2, 2, 1, 1),
    StatusEvent("SPY", NOW, "halted"),
    CorrectionEvent("SPY", NOW, "canceled", 0, 0),
]
UNSOUND = [
    *(quote(bid=price) for price in NO_PRICES),
    *(quote(ask=price) for price in NO_PRICES),
    *(quote(size=size) for size in NO_SIZES),
    *(quote(shown=size) for size in NO_SIZES),
    *(TradeEvent("SPY", NOW, price, 1) for price in (0, *NO_PRICES)),
    *(TradeEvent("SPY", NOW, 1, size) for size in NO_SIZES),
    *(event for price in (0, *NO_PRICES) for event in book(price=price)),
    *(event for size in NO_SIZES for event in book(size=size)),
    BandsEvent("SPY", NOW, -TINY, 1),
    BandsEvent("SPY", NOW, 1, nextafter(1, 0)),
    BandsEvent("SPY", NOW, 1, PRICE_MAX),
    BandsEvent("SPY", NOW, nan, 1),
    bar(0, 1, 0, 1),
    bar(-1, 1, -1, 1),
    bar(1, PRICE_MAX, 1, 1),
    bar(nextafter(1, 0), 2, 1, 1),
    bar(nextafter(2, 3), 2, 1, 1),
    bar(1, 2, 1, nextafter(1, 0)),
    bar(1, 2, 1, nextafter(2, 3)),
    *(bar(1, 1, 1, 1, size) for size in NO_SIZES),
]


@pytest.mark.parametrize("event", SOUND, ids=repr)
def test_what_a_market_can_have_made_is_believed(event):
    assert is_sound(event)


@pytest.mark.parametrize("event", UNSOUND, ids=repr)
def test_what_no_market_can_have_made_is_not(event):
    assert not is_sound(event)


MOST = "999999999999999.999999999"


@pytest.mark.parametrize("text", [None, "0", "-0", "0.000000001", "1E-9", "1", MOST, "1E14"])
def test_a_decimal_that_an_account_can_hold_is_a_number(text):
    assert is_number(text)


@pytest.mark.parametrize(
    "text", ["", "ten", "0x10", "NaN", "sNaN", "Infinity", "-Infinity", "-0.000000001", "1E15"]
)
def test_any_other_text_is_none(text):
    assert not is_number(text)
    for field in ("qty", "filled_qty", "filled_avg_price"):
        assert not shown(**{field: text}).is_sound
    # What an order shows of its exits is read as well.
    assert not shown(legs=[shown(), shown(qty=text)]).is_sound


def test_an_order_whose_numbers_all_are_some_is_sound():
    assert shown().is_sound
    assert shown(qty="1", filled_qty="1", filled_avg_price="1", legs=[shown()]).is_sound


def shown(**changes: object) -> OrderView:
    fields = {"id": "v", "client_order_id": "run-1", "symbol": "SPY", "side": "buy"}
    fields |= {"type": "market", "time_in_force": "day", "status": "new"}
    return OrderView(**{**fields, **changes})


# -- frames ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [b"[]", "[]", b"\x90"])
def test_a_frame_without_messages_has_none(frame):
    assert Decoder().decode(frame) == []


@pytest.mark.parametrize("frame", [b"", "", b"\x80", b"{}", "{}"])
def test_a_frame_that_is_no_list_is_an_error(frame):
    with pytest.raises(msgspec.DecodeError):
        Decoder().decode(frame)


def test_a_frame_of_messagepack_is_told_from_its_first_byte_on():
    # An empty map: sound, and no list.
    with pytest.raises(msgspec.ValidationError):
        Decoder().decode(b"\x80")


def test_what_is_new_to_us_is_left_out_beside_what_is_spoiled():
    frame = b'[{"T":"zz"},{"S":"SPY"},{"T":"b","S":"SPY"},{"T":"success","msg":"hello"}]'
    spoiled, success = Decoder().decode(frame)
    assert "field" in spoiled.reason
    assert success == SuccessWire("hello")


def test_only_messages_of_data_have_an_event():
    assert event_of(SuccessWire("connected")) is None
    ((wire,), (status,)) = (
        Decoder().decode(f'[{{"T":"{tag}","S":"SPY","t":"{STAMP}"}}]') for tag in ("o", "s")
    )
    assert (type(wire), type(status)) == (BookWire, StatusWire)
    assert event_of(wire) == BookEvent("SPY", NOW, (), ())


def test_bars_of_each_kind_end_when_their_time_is_over():
    times = {}
    for tag in "bud":
        row = {"T": tag, "S": "SPY", "t": STAMP, "o": 1, "h": 4, "l": 0.5, "c": 2, "v": 7}
        (message,) = Decoder().decode(msgspec.json.encode([row]))
        event = event_of(message)
        assert event.prices == (1, 4, 0.5, 2, 7)
        assert event.ts_open == NOW
        times[event.kind] = event.ts_close - event.ts_open
    minute = 60_000_000_000
    assert times == {"bar": minute, "updated": minute, "daily": 24 * 60 * minute}


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "News"}, "halted", "News"),
        ({"sc": "P", "rc": "T12"}, "halted", "T12"),
        ({"sc": "2"}, "halted", ""),
        ({"sc": "T"}, "trading", ""),
        ({"sc": "3"}, "trading", ""),
        ({"sc": "Q"}, "quoting", ""),
        ({"sc": "5"}, "quoting", ""),
        ({"sc": "Z", "sm": "Odd"}, "Odd", ""),
        ({"sc": "Z"}, "Z", ""),
    ],
)
def test_a_state_that_has_no_words_is_told_by_its_code(fields, status, reason):
    assert taken({"T": "s", "S": "SPY", "t": STAMP, **fields}) == [
        StatusEvent("SPY", NOW, status, reason)
    ]


@pytest.mark.parametrize(("code", "kind"), [("C", "canceled"), ("E", "error"), (None, "canceled")])
def test_a_print_taken_back_says_whether_it_was_a_mistake(code, kind):
    fields = {} if code is None else {"a": code}
    assert taken({"T": "x", "S": "SPY", "t": STAMP, "p": 1.5, "s": 3, **fields}) == [
        CorrectionEvent("SPY", NOW, kind, 1.5, 3.0, 0.0, 0.0)
    ]


@pytest.mark.parametrize(("taker", "aggressor"), [("B", 1), ("S", -1), ("X", 0), (None, 0)])
def test_a_print_says_who_took(taker, aggressor):
    fields = {} if taker is None else {"tks": taker}
    assert taken({"T": "t", "S": "SPY", "t": STAMP, "p": 1.5, "s": 3, **fields}) == [
        TradeEvent("SPY", NOW, 1.5, 3.0, aggressor)
    ]


def taken(message: dict) -> list:
    return MarketData(Random(0), KEYS).receive(msgspec.json.encode([message]), NOW)

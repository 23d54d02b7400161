"""What is on the wire: times to the nanosecond, late bars, halts, prints that were wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import Ext

from pyrt.adapters.alpaca.core.activity import Activity
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import BandsEvent, CorrectionEvent, StatusEvent
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.stamps import stamp_ns, text_ns
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.errors import DataError

MINUTE = 60 * SECOND
NOW = 1_381_152_600_000_000_000  # 2013-10-07 13:30 UTC
KEYS = Credentials("PKTEST", "canary-77")
STAMP = "2013-10-07T13:30:00Z"
PRICES = {"S": "SPY", "o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 100}


def taken(*messages: dict) -> list:
    return MarketData(Random(0), KEYS).receive(msgspec.json.encode(messages), NOW)


# -- times -------------------------------------------------------------------------------------


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),
    st.text("0123456789", min_size=0, max_size=9),
    st.integers(-23 * 60, 23 * 60),
)
def test_any_offset_and_any_number_of_digits_is_read_to_the_nanosecond(moment, digits, minutes):
    moment = moment.replace(microsecond=0)
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = moment.isoformat() + ("." + digits if digits else "") + offset
    elapsed = (
        moment.replace(tzinfo=UTC) - timedelta(minutes=minutes) - datetime(1970, 1, 1, tzinfo=UTC)
    )
    seconds = elapsed.days * 86_400 + elapsed.seconds
    assert text_ns(text) == seconds * SECOND + int(digits.ljust(9, "0") or "0")


@pytest.mark.parametrize("text", ["", "soon", "2013-02-29T00:00:00Z", "2013-10-07T24:00:00Z"])
def test_what_is_no_time_is_an_error(text):
    with pytest.raises(DataError, match="is no time"):
        text_ns(text)


@given(st.integers(0, 9_223_372_035 * SECOND), st.sampled_from(["pack", "wide"]))
def test_packed_times_of_all_widths_keep_their_nanoseconds(ns, width):
    seconds, nanos = divmod(ns, SECOND)
    if width == "wide":
        data = nanos.to_bytes(4, "big") + seconds.to_bytes(8, "big", signed=True)
    else:
        data = bytes(msgpack.packb(msgpack.Timestamp(seconds, nanos)))
        data = data[-8 if data[0] == 0xD7 else -4 if data[0] == 0xD6 else -12 :]
    assert stamp_ns(Ext(-1, data)) == ns


def test_another_extension_is_no_time():
    with pytest.raises(DataError):
        stamp_ns(Ext(5, b"12345678"))


# -- late bars ---------------------------------------------------------------------------------


def test_an_update_of_a_bar_that_passed_feeds_nothing():
    bar, update = taken(
        {"T": "b", **PRICES, "t": STAMP}, {"T": "u", **PRICES, "c": 1.75, "t": STAMP}
    )
    assert (bar.kind, update.kind) == ("bar", "updated")
    assert update.prices[3] == 1.75


def test_a_minute_whose_only_trades_were_late_has_its_bar_by_the_update():
    late, following = taken(
        {"T": "u", **PRICES, "t": STAMP}, {"T": "b", **PRICES, "t": "2013-10-07T13:31:00Z"}
    )
    assert (late.kind, late.ts_open, following.ts_open) == ("bar", NOW, NOW + MINUTE)


# -- halts and prints that were wrong ----------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [("H", "halted"), ("2", "halted"), ("T", "trading"), ("Q", "quoting"), ("Z", "Odd")],
)
def test_halts_are_told_in_the_kernels_words(code, status):
    message = {"T": "s", "S": "SPY", "sc": code, "sm": "Odd", "rc": "M", "rm": "LULD", "t": STAMP}
    assert taken(message) == [StatusEvent("SPY", NOW, status, "LULD")]


def test_a_print_that_was_wrong_is_told_with_what_it_was():
    corrected, canceled = taken(
        {"T": "c", "S": "SPY", "op": 1.0, "os": 10, "cp": 1.1, "cs": 9, "t": STAMP, "z": "B"},
        {"T": "x", "S": "SPY", "p": 1.0, "s": 10, "a": "E", "t": STAMP, "z": "B", "i": 1},
    )
    assert corrected == CorrectionEvent("SPY", NOW, "corrected", 1.0, 10.0, 1.1, 9.0)
    assert canceled == CorrectionEvent("SPY", NOW, "error", 1.0, 10.0)


# -- a line that lives and carries nothing -----------------------------------------------------


def test_silence_is_judged_by_the_session_and_by_what_was_usual():
    session = (NOW, NOW + 100 * MINUTE)
    activity = Activity(lambda now: session if session[0] <= now < session[1] else None)
    activity.began(NOW)
    for minute in range(10):
        activity.heard(NOW + minute * MINUTE)
    last = NOW + 9 * MINUTE
    assert not activity.is_mute(last + 3 * MINUTE)
    assert activity.is_mute(last + 3 * MINUTE + 1)
    assert not activity.is_mute(session[1])


def test_a_stream_of_sleepy_symbols_is_given_time():
    activity = Activity(lambda now: (NOW, NOW + 1000 * MINUTE))
    activity.began(NOW)
    activity.heard(NOW)
    activity.heard(NOW + 60 * MINUTE)
    assert not activity.is_mute(NOW + 240 * MINUTE)
    assert activity.is_mute(NOW + 240 * MINUTE + 1)


def test_of_a_frame_the_session_is_asked_for_once():
    client, asked = AlpacaClient("run-", KEYS), []
    client.market_data.activity = Activity(asked.append)
    quote = {"T": "q", "S": "SPY", "t": STAMP, "bp": 99.0, "bs": 1, "ap": 99.1, "as": 1}
    assert len(client.market_data.receive(msgspec.json.encode([quote] * 20), NOW)) == 20
    assert asked == [NOW]


# -- subscriptions -----------------------------------------------------------------------------


def test_coins_go_by_a_connection_of_their_own_and_are_never_halted():
    client = AlpacaClient("run-", KEYS)
    for symbol in ("SPY", "BTC/USD"):
        client.subscribe("bars", symbol)
    assert client.market_data.wanted == {
        c: ["SPY"] for c in ("bars", "updatedBars", "statuses", "lulds")
    }
    assert client.crypto_data.wanted == {c: ["BTC/USD"] for c in ("bars", "updatedBars")}
    client.unsubscribe("bars", "SPY")
    assert not client.market_data.is_wanted


def standing(*symbols: str) -> MarketData:
    """Return a stream of bars as it waits for the acknowledgement of these symbols."""
    stream = MarketData(Random(1), KEYS)
    stream.subscribe("bars", symbols)
    stream.wants_connection(NOW)
    stream.opened(NOW)
    for text in ("connected", "authenticated"):
        stream.receive(f'[{{"T":"success","msg":"{text}"}}]', NOW)
    return stream


def test_a_symbol_that_the_stream_leaves_out_is_an_alarm():
    stream = standing("SPY")
    (alarm,) = stream.receive(b'[{"T":"subscription","bars":[]}]', NOW)
    assert (alarm.code, "SPY" in alarm.text) == ("not_subscribed", True)
    assert stream.unserved == ("SPY",)
    stream.unsubscribe("bars", ["SPY"])
    assert stream.receive(b'[{"T":"subscription","bars":[]}]', NOW) == []
    assert stream.unserved == ()


def test_symbols_beyond_the_limit_are_known_as_not_sent():
    stream = standing("SPY")
    assert stream.receive(b'[{"T":"subscription","bars":["SPY"]}]', NOW) == []
    stream.subscribe("bars", ["QQQ"])
    (alarm,) = stream.receive(b'[{"T":"error","code":405,"msg":"symbol limit exceeded"}]', NOW)
    assert (alarm.code, stream.unserved) == ("market_data_405", ("QQQ",))
    # That was its answer: the next acknowledgement is the last one that is due, and is judged.
    stream.subscribe("quotes", ["SPY"])
    kept = b'[{"T":"subscription","bars":["SPY"],"quotes":["SPY"]}]'
    (alarm,) = stream.receive(kept, NOW)
    assert (alarm.code, "QQQ" in alarm.text) == ("not_subscribed", True)


def test_symbols_that_were_never_sent_stay_known_while_the_stream_is_made_anew():
    stream = standing("SPY", "QQQ")
    # Together, and each by itself.
    for _ in range(3):
        stream.receive(b'[{"T":"error","code":405,"msg":"symbol limit exceeded"}]', NOW)
    stream.closed(NOW)
    assert stream.unserved == ("QQQ", "SPY")


def test_price_bands_are_read() -> None:
    message = {"T": "l", "S": "SPY", "u": 105.0, "d": 95.0, "i": "B", "t": STAMP, "z": "C"}
    assert taken(message) == [BandsEvent("SPY", NOW, 95.0, 105.0, "B")]
    # Suspended ones are 0, and none that are upside down are believed.
    assert taken({**message, "u": 0, "d": 0}) == [BandsEvent("SPY", NOW, 0.0, 0.0, "B")]
    (alarm,) = taken({**message, "u": 90.0})
    assert alarm.code == "bad_tick"

"""What both streams do as connections: when to open, when to close, what is sent on which line."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from pyrt.adapters.alpaca.core.activity import Activity
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, BarEvent, BookGapEvent, NewsGapEvent
from pyrt.adapters.alpaca.core.market_data import CRYPTO_CHANNELS, MarketData
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.streams import (
    ACTIVE,
    AUTHENTICATING,
    CONNECTING,
    IDLE,
    SUBSCRIBING,
    Connection,
)
from pyrt.adapters.alpaca.core.trade_updates import TradeUpdates
from tests.adapters.client.exchange import PREFIX
from tests.adapters.client.test_streams import (
    BAR,
    KEYS,
    MINUTE,
    NOW,
    activate,
    authorization,
    bar_frame,
    book_client,
    market_data,
)

LISTENING = b'{"stream":"listening","data":{"streams":["trade_updates"]}}'


def updates() -> TradeUpdates:
    return AlpacaClient(PREFIX, KEYS).trade_updates


def sent(stream: Connection) -> list[dict]:
    return [msgspec.json.decode(frame) for frame in stream.take_frames()]


def up(stream: TradeUpdates, now: int = NOW) -> TradeUpdates:
    """Take the trade updates through their handshake."""
    assert stream.wants_connection(now)
    stream.opened(now)
    stream.receive(authorization("authorized"), now)
    stream.receive(LISTENING, now)
    assert stream.is_active
    stream.take_frames()
    return stream


# -- any connection --------------------------------------------------------------------------------


def test_a_fresh_one_wants_to_be_opened_once_and_at_once():
    stream = updates()
    assert not stream.take_resync()
    assert (stream.state, stream.is_active, stream.active_since) == (IDLE, False, 0)
    assert (stream.headers, stream.is_packed) == ({}, False)
    assert stream.next_due() == 0
    assert not stream.wants_close(NOW)
    assert stream.wants_connection(0)
    assert not stream.wants_connection(NOW)
    assert stream.state == CONNECTING


def test_a_connection_that_does_not_come_about_is_given_up_after_ten_seconds():
    stream = updates()
    assert stream.wants_connection(NOW)
    assert not stream.wants_close(NOW + 10 * SECOND)
    assert stream.next_due() == NOW + 10 * SECOND + 1
    assert stream.wants_close(NOW + 10 * SECOND + 1)


def test_an_active_line_may_be_silent_for_twelve_seconds():
    stream = up(updates())
    stream.heard(NOW + 5 * SECOND)
    assert not stream.wants_close(NOW + 17 * SECOND)
    assert stream.next_due() == NOW + 17 * SECOND + 1
    assert stream.wants_close(NOW + 17 * SECOND + 1)


def test_a_frame_is_a_sign_of_life():
    for stream, frame in ((up(updates()), LISTENING), (market_data("SPY"), b"[]")):
        if stream.state == IDLE:
            activate(stream)
        stream.receive(frame, NOW + 12 * SECOND)
        assert not stream.wants_close(NOW + 24 * SECOND)


def test_what_was_not_sent_goes_with_the_line():
    stream = updates()
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.closed(NOW)
    assert stream.wants_connection(NOW + 2 * SECOND)
    stream.opened(NOW + 2 * SECOND)
    assert [message["action"] for message in sent(stream)] == ["auth"]
    assert sent(stream) == []


def test_a_line_closes_once():
    stream = up(updates())
    stream.closed(NOW)
    due = stream.next_due()
    stream.closed(NOW + SECOND)
    assert stream.next_due() == due
    assert not stream.wants_connection(due - 1)
    assert stream.wants_connection(due)


def test_a_handshake_that_is_through_makes_the_next_try_soon_again():
    stream, now = updates(), NOW
    for wait in (1, 2, 4):
        assert stream.wants_connection(now)
        stream.closed(now)
        assert stream.next_due() - now == pytest.approx(wait * SECOND, rel=0.16)
        now = stream.next_due()
    up(stream, now)
    assert stream.active_since == now
    stream.closed(now + MINUTE)
    assert stream.next_due() - now - MINUTE == pytest.approx(SECOND, rel=0.16)
    assert stream.active_since == now


class Middle(Random):
    """Draws the middle always: no jitter."""

    def random(self) -> float:
        return 0.5


def test_tries_in_vain_come_later_each_time_up_to_a_minute():
    stream, now, waits = MarketData(Middle(), KEYS), NOW, []
    for _ in range(9):
        assert stream.wants_connection(now)
        stream.closed(now)
        waits.append((stream.next_due() - now) / SECOND)
        now = stream.next_due()
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_line_in_its_handshake_is_not_active():
    stream = updates()
    assert stream.wants_connection(NOW)
    states = [stream.state]
    stream.opened(NOW)
    states.append(stream.state)
    stream.receive(authorization("authorized"), NOW)
    states.append(stream.state)
    assert not stream.is_active
    stream.receive(LISTENING, NOW)
    assert [*states, stream.state] == [CONNECTING, AUTHENTICATING, SUBSCRIBING, ACTIVE]
    assert stream.is_active


# -- subscriptions ---------------------------------------------------------------------------------


def test_nothing_is_asked_for_before_the_handshake_is_through():
    stream = MarketData(Random(0), KEYS)
    stream.subscribe("bars", ["SPY"])
    assert stream.take_frames() == []
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.subscribe("quotes", ["SPY"])
    assert stream.take_frames() == []
    stream.receive(b'[{"T":"success","msg":"connected"}]', NOW)
    assert [message["action"] for message in sent(stream)] == ["auth"]
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW)
    assert sent(stream) == [{"action": "subscribe", name: ["SPY"]} for name in ("bars", "quotes")]
    # What is wanted meanwhile is asked for at once, though nothing is acknowledged yet.
    stream.subscribe("bars", ["QQQ"])
    stream.subscribe("bars", ["QQQ"])
    assert sent(stream) == [{"action": "subscribe", "bars": ["QQQ"]}]


def test_a_line_that_nothing_is_wanted_of_is_active_when_it_is_known_who_asks():
    stream = MarketData(Random(0), KEYS)
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(b'[{"T":"success","msg":"welcome"}]', NOW)
    assert stream.state == AUTHENTICATING
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW)
    assert stream.is_active
    assert stream.take_frames() == []
    assert not stream.is_wanted


def test_a_new_line_is_asked_for_all_that_is_wanted():
    stream = market_data("SPY", "QQQ")
    activate(stream)
    stream.unsubscribe("bars", ["QQQ"])
    stream.closed(NOW)
    stream.unsubscribe("quotes", ["QQQ"])
    stream.subscribe("trades", ["SPY"])
    stream.subscribe("none", ["SPY"])
    stream.unsubscribe("none", ["SPY"])
    assert activate(stream, NOW + MINUTE)[1:] == [
        {"action": "subscribe", name: ["SPY"]} for name in ("bars", "trades")
    ]
    assert stream.wanted == {"bars": ["SPY"], "trades": ["SPY"]}
    assert stream.is_wanted


def test_only_the_last_acknowledgement_tells_what_is_left_out():
    stream = market_data("SPY", "QQQ", "IWM")
    activate_only(stream)
    stream.subscribe("quotes", ["SPY"])
    none, some = b'[{"T":"subscription"}]', b'[{"T":"subscription","bars":["QQQ"]}]'
    assert stream.receive(none, NOW) == []
    assert stream.receive(some, NOW) == [
        Alarm("not_subscribed", "the stream leaves out IWM, SPY", NOW)
    ]
    all_of_it = {"T": "subscription", "bars": ["IWM", "QQQ", "SPY"], "quotes": ["SPY"]}
    assert stream.receive(msgspec.json.encode([all_of_it]), NOW) == []


def test_what_was_left_out_is_told_again_by_the_last_answer_alone():
    stream = market_data("SPY", "QQQ")
    activate(stream)
    assert stream.unserved == ("QQQ",)
    stream.subscribe("bars", ["IWM"])
    stream.subscribe("bars", ["DIA"])
    partly, fully = (
        msgspec.json.encode([{"T": "subscription", "bars": names}])
        for names in (["SPY"], ["DIA", "IWM", "QQQ", "SPY"])
    )
    assert stream.receive(partly, NOW) == []
    assert stream.unserved == ("QQQ",)
    assert stream.receive(fully, NOW) == []
    assert stream.unserved == ()


def test_a_book_asked_for_anew_has_two_answers_due():
    stream = book_client().crypto_data
    without = b'[{"T":"subscription","orderbooks":[]}]'
    stream.receive(b"[{", NOW)
    assert stream.receive(without, NOW) == []
    (alarm,) = stream.receive(without, NOW)
    assert alarm == Alarm("not_subscribed", "the stream leaves out BTC/USD", NOW)


@pytest.mark.parametrize(
    ("code", "unserved"),
    [(400, ("QQQ",)), (405, ("QQQ",)), (410, ("QQQ",)), (401, ()), (408, ()), (500, ())],
)
def test_an_error_that_answers_a_subscription_shows_what_is_not_sent(code, unserved):
    """After one of another kind than 405 no acknowledgement was ever judged again."""
    stream = market_data("SPY")
    activate(stream)
    stream.subscribe("bars", ["QQQ"])
    (alarm,) = stream.receive(msgspec.json.encode([{"T": "error", "code": code, "msg": "no"}]), NOW)
    assert alarm.code == f"market_data_{code}"
    assert stream.unserved == unserved
    # The acknowledgement of the next is judged where it is the last one that is due.
    stream.subscribe("quotes", ["SPY"])
    kept = b'[{"T":"subscription","bars":["SPY"],"quotes":["SPY"]}]'
    assert [event.code for event in stream.receive(kept, NOW)] == ["not_subscribed"] * len(unserved)


def test_what_an_earlier_line_served_says_nothing_of_the_next():
    stream = market_data("SPY")
    activate(stream)
    assert stream.unserved == ()
    stream.closed(NOW)
    later = NOW + MINUTE
    assert stream.wants_connection(later)
    stream.opened(later)
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', later)
    stream.receive(b'[{"T":"error","code":405,"msg":"symbol limit exceeded"}]', later)
    assert stream.unserved == ("SPY",)


def activate_only(stream: MarketData) -> None:
    """Take a stream to where its subscription waits for an acknowledgement."""
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    for text in ("connected", "authenticated"):
        stream.receive(f'[{{"T":"success","msg":"{text}"}}]', NOW)
    assert stream.state == SUBSCRIBING
    stream.take_frames()


def test_acknowledgements_of_a_line_that_broke_are_not_waited_for():
    stream = market_data("SPY")
    activate_only(stream)
    stream.subscribe("bars", ["QQQ"])
    stream.closed(NOW)
    later = NOW + MINUTE
    assert stream.wants_connection(later)
    stream.opened(later)
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', later)
    (alarm,) = stream.receive(b'[{"T":"subscription","bars":["SPY"]}]', later)
    assert alarm.text == "the stream leaves out QQQ"


@pytest.mark.parametrize("code", [400, 401, 405, 408, 410, 500])
def test_an_error_that_waiting_may_mend_leaves_the_line(code):
    stream = market_data("SPY")
    activate(stream)
    frame = msgspec.json.encode([{"T": "error", "code": code, "msg": "slow down"}])
    assert stream.receive(frame, NOW) == [Alarm(f"market_data_{code}", "slow down", NOW)]
    assert stream.is_active
    assert not stream.wants_close(NOW)


def test_who_is_authenticated_already_is_so():
    stream = market_data("SPY")
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    assert stream.receive(b'[{"T":"error","code":403,"msg":"already authenticated"}]', NOW) == []
    assert stream.state == SUBSCRIBING
    assert sent(stream) == [{"action": "subscribe", "bars": ["SPY"]}]
    assert stream.receive(b'[{"T":"error"}]', NOW) == [Alarm("market_data_0", "", NOW)]


# -- what a break leaves open ----------------------------------------------------------------------


def test_news_are_missed_while_a_stream_is_away_that_had_stood():
    """The first time nothing was to be heard; coins have no news."""
    answer = b'[{"T":"subscription","bars":["SPY"]}]'
    stocks, coins = market_data("SPY"), MarketData(Random(1), KEYS, CRYPTO_CHANNELS)
    coins.subscribe("bars", ["SPY"])
    for stream in (stocks, coins):
        activate_only(stream)
        assert stream.receive(answer, NOW) == []
        stream.closed(NOW)
        assert stream.wants_connection(NOW + MINUTE)
        stream.opened(NOW + MINUTE)
        stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW + MINUTE)
        missed = [NewsGapEvent(NOW + MINUTE)] if stream is stocks else []
        assert stream.receive(answer, NOW + MINUTE) == missed
        # An acknowledgement of something else is no new beginning.
        assert stream.receive(answer, NOW + MINUTE) == []


def test_a_gap_is_one_of_bars_that_have_come_and_are_still_wanted():
    stream = market_data("SPY", "QQQ", "IWM")
    activate(stream)
    for symbol in ("SPY", "QQQ"):
        stream.receive(bar_frame(1, symbol), NOW)
    assert stream.take_gaps() == []
    stream.closed(NOW + 2 * MINUTE)
    assert stream.take_gaps() == []
    activate(stream, NOW + 3 * MINUTE)
    stream.unsubscribe("bars", ["QQQ"])
    # What was seen has come before the break; of the third nothing had.
    assert stream.take_gaps() == [("SPY", NOW + MINUTE)]
    assert stream.take_gaps() == []
    assert stream.receive(bar_frame(4), NOW + 5 * MINUTE) == []
    assert len(stream.receive(bar_frame(4, "IWM"), NOW + 5 * MINUTE)) == 1
    # An acknowledgement of something else is no new beginning.
    stream.receive(b'[{"T":"subscription","bars":["SPY","IWM"]}]', NOW + 5 * MINUTE)
    assert stream.take_gaps() == []


def test_a_bar_that_comes_before_the_subscription_is_acknowledged_waits_for_the_gap():
    stream = market_data("SPY")
    activate(stream)
    stream.receive(bar_frame(0), NOW)
    stream.closed(NOW + MINUTE)
    assert stream.receive(bar_frame(2), NOW + 3 * MINUTE) == []


def test_bars_of_the_day_wait_for_no_gap():
    stream = market_data("SPY")
    activate(stream)
    stream.receive(bar_frame(0), NOW)
    stream.closed(NOW)
    activate(stream, NOW + MINUTE)
    row = {**BAR, "t": "2013-10-07T13:30:00Z"}
    kinds = {}
    for tag in "bud":
        events = stream.receive(msgspec.json.encode([{**row, "T": tag}]), NOW + MINUTE)
        kinds[tag] = [event.kind for event in events if type(event) is BarEvent]
    assert kinds == {"b": [], "u": [], "d": ["daily"]}


class Session:
    """A market that is open all the time."""

    @staticmethod
    def activity() -> Activity:
        return Activity(lambda now: (0, 1 << 62))


def test_a_line_that_lives_and_carries_nothing_is_closed_once_data_was_usual():
    stream = MarketData(Random(0), KEYS, activity=Session.activity())
    stream.subscribe("bars", ["SPY"])
    assert not stream.wants_close(NOW)
    activate(stream)
    for minute in range(10):
        stream.receive(bar_frame(minute), NOW + minute * MINUTE)
    last = NOW + 9 * MINUTE
    for now, is_mute in ((last + 3 * MINUTE, False), (last + 3 * MINUTE + 1, True)):
        # Pings are answered, and what the broker says of itself is no data.
        stream.receive(b'[{"T":"success","msg":"hello"}]', now)
        assert stream.wants_close(now) is is_mute
    stream.closed(now)
    assert not stream.wants_close(now)
    # A new line has its own beginning.
    activate(stream, now + MINUTE)
    stream.heard(now + 2 * MINUTE)
    assert not stream.wants_close(now + 2 * MINUTE)


def test_a_book_that_stays_wrong_is_asked_for_again_after_a_minute():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("book", "BTC/USD")
    stream = client.crypto_data
    activate(stream)
    stream.take_frames()
    wrong = {"T": "o", "S": "BTC/USD", "t": "2013-10-07T13:30:00Z", "b": [{"p": -1, "s": 1}]}
    frame, asked = msgspec.json.encode([wrong]), []
    for now in (NOW, NOW + MINUTE - 1, NOW + MINUTE, NOW + 2 * MINUTE - 1):
        alarm, gap = client.receive_crypto_data(frame, now)
        assert alarm.code == "bad_tick"
        assert gap == BookGapEvent("BTC/USD", now)
        asked.append(len(stream.take_frames()))
    assert asked == [2, 0, 2, 0]


def test_a_frame_that_is_spoiled_may_have_been_of_any_book():
    client = AlpacaClient("run-", KEYS)
    for symbol in ("ETH/USD", "BTC/USD"):
        client.subscribe("book", symbol)
    activate(client.crypto_data)
    alarm, *gaps = client.receive_crypto_data(b"[{", NOW)
    assert alarm == Alarm("bad_frame", "market data: DecodeError", NOW)
    assert gaps == [BookGapEvent(symbol, NOW) for symbol in ("BTC/USD", "ETH/USD")]
    assert [(m["action"], m["orderbooks"]) for m in sent(client.crypto_data)] == [
        (action, ["BTC/USD", "ETH/USD"]) for action in ("unsubscribe", "subscribe")
    ]
    # Stocks have no books: there is nothing to lose.
    assert client.receive_market_data(b"[{", NOW) == [alarm]

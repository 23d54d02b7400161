"""Subscriptions that the market-data stream refuses: told, and no reason to begin anew."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from pyrt.adapters.alpaca.core.events import Alarm, NewsGapEvent
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from pyrt.adapters.alpaca.simulator.streams.feeds import Feed, success
from tests.adapters.client.test_streams import KEYS, MINUTE, NOW, activate, bar_frame, market_data


def connected(stream: MarketData, feed: Feed, now: int) -> list:
    """Connect a stream to an exchange's side of the wire; return what it told."""
    assert stream.wants_connection(now)
    stream.opened(now)
    events = stream.receive(msgspec.json.encode(success("connected")), now)
    return [*events, *answered(stream, feed, now)]


def answered(stream: MarketData, feed: Feed, now: int) -> list:
    """Answer all that a stream asks; return what it told."""
    events = []
    while frames := stream.take_frames():
        for frame in frames:
            answer = msgspec.json.encode(feed.receive(msgspec.json.decode(frame)))
            events.extend(stream.receive(answer, now))
    return events


def served(feed: Feed) -> dict[str, int]:
    return {name: len(found) for name, found in feed.subscribed.items() if found}


def basic_plan(name: str = "iex") -> Feed:
    return Feed("PKTEST", "canary-77", name, Limits(symbols=30, orderbooks=10))


def test_more_symbols_than_the_plan_has_cost_those_alone():
    """Quotes of a 31st symbol had bars refused too, and the line made anew again and again."""
    stream = MarketData(Random(0), KEYS)
    symbols = [f"S{number:02d}" for number in range(31)]
    for channel in ("bars", "quotes", "statuses"):
        stream.subscribe(channel, symbols)
    stream.subscribe("trades", ["S00"])
    for now in (NOW, NOW + MINUTE):
        feed = basic_plan()
        assert [event for event in connected(stream, feed, now) if type(event) is Alarm] == [
            Alarm("market_data_405", "symbol limit exceeded", now)
        ]
        following = {"trades": 1, "corrections": 1, "cancelErrors": 1}
        assert served(feed) == {"bars": 31, "statuses": 31, "quotes": 30, **following}
        assert stream.is_active
        assert stream.unserved == ("S30",)
        stream.heard(now + 30 * SECOND)
        assert not stream.wants_close(now + 30 * SECOND)
        stream.closed(now + 30 * SECOND)


def test_a_symbol_that_is_none_costs_no_other():
    stream = MarketData(Random(0), KEYS)
    stream.subscribe("bars", ["SPY", "S P", "QQQ"])
    stream.subscribe("statuses", ["SPY"])
    feed = basic_plan()
    (alarm, left_out) = connected(stream, feed, NOW)
    assert alarm == Alarm("market_data_400", "invalid syntax", NOW)
    assert left_out.text == "the stream leaves out S P"
    assert served(feed) == {"bars": 2, "statuses": 1}
    assert stream.unserved == ("S P",)


def test_a_channel_that_a_feed_does_not_have_costs_no_other():
    stream = MarketData(Random(0), KEYS)
    stream.subscribe("bars", ["BTC/USD", "ETH/USD"])
    stream.subscribe("statuses", ["BTC/USD", "ETH/USD"])
    feed = basic_plan("crypto")
    assert connected(stream, feed, NOW) == [
        Alarm("market_data_410", "invalid subscribe action for this feed", NOW)
    ]
    assert served(feed) == {"bars": 2}


def test_what_is_wanted_no_longer_is_not_asked_for_again():
    stream = MarketData(Random(0), KEYS)
    feed = basic_plan()
    connected(stream, feed, NOW)
    stream.subscribe("quotes", [f"S{number:02d}" for number in range(31)])
    stream.unsubscribe("quotes", ["S07"])
    assert answered(stream, feed, NOW) == []
    assert served(feed) == {"quotes": 30}
    assert "S07" not in feed.subscribed["quotes"]
    stream.subscribe("trades", ["S31"])
    (alarm,) = answered(stream, feed, NOW)
    assert (alarm.code, stream.unserved) == ("market_data_405", ("S31",))


@pytest.mark.parametrize("code", [400, 405, 410])
def test_a_refused_subscription_is_the_end_of_a_handshake_and_not_of_the_line(code):
    stream = MarketData(Random(0), KEYS)
    stream.subscribe("quotes", ["SPY"])
    refusal = msgspec.json.encode([{"T": "error", "code": code, "msg": "no"}])
    alarm = Alarm(f"market_data_{code}", "no", NOW)
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW)
    assert stream.receive(refusal, NOW) == [alarm]
    assert (stream.is_active, stream.unserved) == (True, ("SPY",))
    # It counts as having stood: what came meanwhile the next time was missed.
    stream.closed(NOW)
    assert stream.wants_connection(NOW + MINUTE)
    stream.opened(NOW + MINUTE)
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW + MINUTE)
    assert stream.receive(refusal, NOW + MINUTE) == [
        NewsGapEvent(NOW + MINUTE), Alarm(alarm.code, "no", NOW + MINUTE)
    ]  # fmt: skip


def test_bars_whose_subscription_is_refused_after_a_break_are_asked_of_history():
    stream = market_data("SPY")
    activate(stream)
    stream.receive(bar_frame(0), NOW)
    stream.closed(NOW + MINUTE)
    assert stream.wants_connection(NOW + 2 * MINUTE)
    stream.opened(NOW + 2 * MINUTE)
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW + 2 * MINUTE)
    stream.receive(b'[{"T":"error","code":400,"msg":"invalid syntax"}]', NOW + 2 * MINUTE)
    assert stream.take_gaps() == [("SPY", NOW)]


def test_an_error_before_it_is_known_who_asks_answers_no_subscription():
    stream = market_data("SPY")
    assert stream.wants_connection(NOW)
    stream.opened(NOW)
    stream.receive(b'[{"T":"error","code":400,"msg":"invalid syntax"}]', NOW)
    assert not stream.is_active
    stream.subscribe("quotes", ["SPY"])
    stream.receive(b'[{"T":"success","msg":"authenticated"}]', NOW)
    # Of two subscriptions the first answer tells nothing of the second.
    assert stream.receive(b'[{"T":"subscription","bars":["SPY"]}]', NOW) == []

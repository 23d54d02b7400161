"""Subscriptions that the market-data stream refuses: told, and no reason to begin anew."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from pyrt.adapters.alpaca.core.events import Alarm, NewsGapEvent
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from pyrt.adapters.alpaca.simulator.streams.feeds import Feed, success
from tests.adapters.client.test_streams import KEYS, MINUTE, NOW, activate, bar_frame, market_data


def answered(stream: MarketData, feed: Feed, now: int) -> list:
    """Connect a stream to an exchange's side of the wire; return what it told."""
    assert stream.wants_connection(now)
    stream.opened(now)
    events = stream.receive(msgspec.json.encode(success("connected")), now)
    while frames := stream.take_frames():
        for frame in frames:
            answer = msgspec.json.encode(feed.receive(msgspec.json.decode(frame)))
            events.extend(stream.receive(answer, now))
    return events


def test_more_symbols_than_the_plan_has_cost_no_bars_and_no_other_channel():
    """Quotes of a 31st symbol had bars refused too, and the line made anew again and again."""
    stream = MarketData(Random(0), KEYS)
    symbols = [f"S{number}" for number in range(31)]
    for channel in ("bars", "quotes", "statuses"):
        stream.subscribe(channel, symbols)
    stream.subscribe("trades", ["S0"])
    feed = Feed("PKTEST", "canary-77", "iex", Limits(symbols=30))
    refused, left_out = answered(stream, feed, NOW)
    assert refused == Alarm("market_data_405", "symbol limit exceeded", NOW)
    assert left_out.code == "not_subscribed"
    served = {name: len(found) for name, found in feed.subscribed.items() if found}
    following = {"corrections": 1, "cancelErrors": 1}
    assert served == {"bars": 31, "statuses": 31, "trades": 1, **following}
    assert stream.is_active
    assert stream.unserved == tuple(sorted(symbols))
    stream.heard(NOW + MINUTE)
    assert not stream.wants_close(NOW + MINUTE)


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

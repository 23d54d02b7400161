"""Handshake, subscriptions and encodings of the market-data stream, without sockets."""

from __future__ import annotations

import msgpack
import pytest

from pyrt.adapters.alpaca.simulator.feeds import Feed, encode, expand

BAR = {"T": "b", "S": "SPY", "o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 10.0}
NOW = 1_381_152_660_123_456_789


def entered(**settings: int) -> Feed:
    feed = Feed("k", "s", crypto=False, **settings)
    feed.receive({"action": "auth", "key": "k", "secret": "s"})
    return feed


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([1], 400),
        ({"action": "auth", "key": "k", "secret": "wrong"}, 402),
        ({"action": "subscribe", "bars": ["SPY"]}, 401),
    ],
)
def test_strangers_are_refused_with_a_code(message: object, code: int) -> None:
    assert Feed("k", "s", crypto=False).receive(message)[0]["code"] == code


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"action": "auth", "key": "k", "secret": "s"}, 403),
        ({"action": "dance"}, 400),
        ({"action": "subscribe", "bars": "SPY"}, 400),
        ({"action": "subscribe", "orderbooks": ["SPY"]}, 410),
        ({"action": "subscribe", "trades": ["A", "B", "C"]}, 405),
    ],
)
def test_what_a_client_gets_wrong_has_a_code(message: object, code: int) -> None:
    assert entered(symbols_max=2).receive(message)[0]["code"] == code


def test_an_acknowledgement_lists_all_that_is_subscribed() -> None:
    feed = entered()
    feed.receive({"action": "subscribe", "trades": ["SPY"], "bars": ["*"]})
    ack = feed.receive({"action": "unsubscribe", "bars": ["*"]})[0]
    assert (ack["trades"], ack["bars"], ack["corrections"]) == (["SPY"], [], ["SPY"])


def test_a_client_gets_what_it_subscribed_to_and_no_more() -> None:
    feed = entered()
    messages = list(expand([{**BAR, "t": "2013-10-07T13:30:00Z"}], NOW))
    assert [m["T"] for m in messages] == ["t", "q", "b"]
    assert feed.select(messages) == []
    feed.receive({"action": "subscribe", "quotes": ["SPY"], "bars": ["QQQ"]})
    assert [m["T"] for m in feed.select(messages)] == ["q"]


def test_packed_times_keep_their_nanoseconds() -> None:
    stamp = {"T": "t", "S": "SPY", "t": "2013-10-07T13:31:00.123456789Z"}
    (message,) = msgpack.unpackb(encode([stamp], packed=True))
    assert next(iter(message)) == "T"
    assert message["t"].to_unix_nano() == NOW

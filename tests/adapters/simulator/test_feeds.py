"""Handshake, subscriptions and encodings of the market-data stream, without sockets."""

from __future__ import annotations

import msgpack
import pytest

from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from pyrt.adapters.alpaca.simulator.streams.feeds import Feed
from pyrt.adapters.alpaca.simulator.streams.frames import (
    Bar,
    CoinTrade,
    Quote,
    Stamp,
    Trade,
    encode,
)

NOW = Stamp(1_381_152_660_123_456_789)
BAR = Bar(S="SPY", o=1.0, h=2.0, l=0.5, c=1.5, v=10, t=NOW, n=3, vw=1.25)
TRADE = Trade(S="SPY", i=7, p=1.5, s=10, t=NOW)
QUOTE = Quote(S="SPY", bp=1.0, bs=100, ap=2.0, ask_size=300, t=NOW)


def stranger(name: str = "iex", **limits: object) -> Feed:
    return Feed("k", "s", name, Limits(**limits))


def entered(name: str = "iex", **limits: object) -> Feed:
    feed = stranger(name, **limits)
    assert feed.receive({"action": "auth", "key": "k", "secret": "s"})[0]["T"] == "success"
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
    assert stranger().receive(message)[0]["code"] == code


def test_a_feed_outside_the_plan_is_refused() -> None:
    feed = stranger("sip", refused_feeds=("sip",))
    assert feed.receive({"action": "auth", "key": "k", "secret": "s"})[0]["code"] == 409


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"action": "auth", "key": "k", "secret": "s"}, 403),
        ({"action": "dance"}, 400),
        ({"action": "subscribe", "bars": "SPY"}, 400),
        ({"action": "subscribe", "bars": ["spy"]}, 400),
        ({"action": "subscribe", "bars": ["BTC/USD"]}, 400),
        ({"action": "subscribe", "orderbooks": ["SPY"]}, 410),
        ({"action": "subscribe", "trades": ["A", "B", "C"]}, 405),
        ({"action": "subscribe", "trades": ["A"], "quotes": ["B", "C"]}, 405),
    ],
)
def test_what_a_client_gets_wrong_has_a_code(message: object, code: int) -> None:
    feed = entered(symbols=2)
    assert feed.receive(message)[0]["code"] == code
    assert not any(feed.subscribed.values())


def test_bars_and_other_feeds_are_not_counted() -> None:
    wanted = {"action": "subscribe", "bars": ["A", "B", "C"]}
    assert entered(symbols=2).receive(wanted)[0]["T"] == "subscription"
    wanted = {"action": "subscribe", "trades": ["A", "B", "C"]}
    assert entered("sip", symbols=2).receive(wanted)[0]["T"] == "subscription"
    wanted = {"action": "subscribe", "orderbooks": ["BTC/USD", "ETH/USD"]}
    assert entered("crypto", orderbooks=1).receive(wanted)[0]["code"] == 405


def test_an_acknowledgement_lists_all_that_is_subscribed() -> None:
    feed = entered()
    feed.receive({"action": "subscribe", "trades": ["SPY"], "bars": ["*"]})
    ack = feed.receive({"action": "unsubscribe", "bars": ["*"], "news": []})[0]
    assert (ack["trades"], ack["bars"], ack["corrections"]) == (["SPY"], [], ["SPY"])
    assert list(ack) == [
        *("T", "trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds"),
        *("corrections", "cancelErrors"),
    ]


def test_a_client_gets_what_it_subscribed_to_and_no_more() -> None:
    feed = entered()
    messages = [TRADE, QUOTE, BAR, CoinTrade(S="BTC/USD", p=1.0, s=1.0, t=NOW, i=1)]
    assert feed.select(messages) == []
    feed.receive({"action": "subscribe", "quotes": ["SPY"], "bars": ["QQQ"]})
    assert feed.select(messages) == [QUOTE]
    feed.receive({"action": "subscribe", "trades": ["*"]})
    assert feed.select(messages) == [TRADE, QUOTE]
    feed.receive({"action": "unsubscribe", "trades": ["*"], "quotes": ["SPY"]})
    assert feed.select(messages) == []


def test_json_has_the_kind_first_and_times_to_the_nanosecond() -> None:
    assert encode([QUOTE], packed=False) == (
        b'[{"T":"q","S":"SPY","bx":"V","bp":1.0,"bs":100,"ax":"V","ap":2.0,"as":300,"c":["R"],'
        b'"t":"2013-10-07T13:31:00.123456789Z","z":"B"}]'
    )
    assert b'"t":"2013-10-07T13:31:00.5Z"' in encode(
        [Trade(S="A", i=1, p=1.0, s=1, t=Stamp(NOW.ns // 10**9 * 10**9 + 5 * 10**8))], packed=False
    )


def test_packed_times_keep_their_nanoseconds() -> None:
    (message,) = msgpack.unpackb(encode([TRADE], packed=True))
    assert next(iter(message)) == "T"
    assert message["t"].to_unix_nano() == NOW.ns
    assert isinstance(message["s"], int)
    late = Stamp(2**35 * 10**9)
    (message,) = msgpack.unpackb(encode([Trade(S="A", i=1, p=1.0, s=1, t=late)], packed=True))
    assert message["t"].to_unix_nano() == late.ns

"""Frames of both streams, spoiled at random: never an exception, never memory that grows."""

from __future__ import annotations

import resource
from random import Random

import msgpack
import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.snapshot import PURPOSE as SNAPSHOT
from pyrt.adapters.alpaca.credentials import Credentials
from tests.adapters.client.exchange import order

SECOND = 1_000_000_000
NOW = 1_381_152_600 * SECOND
STAMP = "2013-10-07T13:30:00.123456789Z"
BAR = {"T": "b", "S": "SPY", "o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 100, "n": 3, "vw": 1.25}
QUOTE = {"T": "q", "S": "SPY", "bx": "V", "bp": 1.0, "bs": 3, "ax": "V", "ap": 1.1, "as": 4}
TRADE = {"T": "t", "S": "SPY", "i": 7, "x": "V", "p": 1.05, "s": 7, "c": ["@"], "z": "B"}
STATUS = {"T": "s", "S": "SPY", "sc": "H", "sm": "Halt", "rc": "M", "rm": "LULD", "z": "A"}
CORRECTION = {"T": "c", "S": "SPY", "x": "V", "oi": 7, "op": 1.05, "os": 7, "oc": ["@"]}
CORRECTION |= {"ci": 8, "cp": 1.06, "cs": 7, "cc": ["@"], "z": "B"}
CANCEL = {"T": "x", "S": "SPY", "i": 7, "x": "V", "p": 1.05, "s": 7, "a": "C", "z": "B"}
COIN = {"T": "t", "S": "BTC/USD", "p": 61234.5, "s": 0.000123, "i": 2**53 + 1, "tks": "S"}
BOOK = {"T": "o", "S": "BTC/USD", "b": [{"p": 1.0, "s": 2.0}], "a": [{"p": 1.1, "s": 0}], "r": True}
NEW = {"T": "i", "S": "SPY", "p": 1.0, "z": "B", "fresh": {"deep": [[[{}]]]}}
CONTROL = [
    {"T": "success", "msg": "connected"},
    {"T": "success", "msg": "authenticated"},
    {"T": "error", "code": 405, "msg": "no"},
    {"T": "subscription", "bars": ["SPY"], "quotes": [], "trades": ["SPY"], "orderbooks": []},
]
DATA = [
    *(BAR, {**BAR, "T": "u"}, {**BAR, "T": "d"}, QUOTE, TRADE, STATUS),
    *(CORRECTION, CANCEL, COIN, BOOK, NEW),
]
ORDER = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "run-7",
    "symbol": "SPY",
    "side": "buy",
    "type": "limit",
    "time_in_force": "day",
    "status": "partially_filled",
    "qty": "10",
    "filled_qty": "4",
    "filled_avg_price": "100.25",
    "legs": None,
}
UPDATE = {
    "event": "partial_fill",
    "timestamp": STAMP,
    "order": ORDER,
    "qty": "4",
    "price": "100.25",
}
MEMORY_MAX_KB = 128_000
"""What a hundred thousand frames may make the process grow by."""
JUNK = (b"", b"\x00", b"\xff", b"[", b"]", b"{", b"}", b'"', b"-", b"e9999", b"9" * 40, b"\xc1")


def packed(message: dict) -> bytes:
    stamp = msgpack.Timestamp(NOW // SECOND, 123_456_789)
    return msgpack.packb([{**message, "t": stamp}])


def seeds() -> tuple[list[bytes], list[bytes]]:
    """Return sound frames of market data and of trade updates."""
    plain = [msgspec.json.encode([{**message, "t": STAMP}]) for message in DATA]
    market = [*plain, *(packed(message) for message in DATA)]
    market += [msgspec.json.encode([message]) for message in CONTROL]
    market += [msgpack.packb([message]) for message in CONTROL]
    stamp = msgpack.Timestamp(NOW // SECOND, 5)
    market.append(msgspec.json.encode([{**message, "t": STAMP} for message in DATA]))
    market.append(msgpack.packb([{**message, "t": stamp} for message in DATA]))
    updates = [
        msgspec.json.encode({"stream": "trade_updates", "data": UPDATE}),
        b'{"stream":"authorization","data":{"status":"authorized"}}',
        b'{"stream":"listening","data":{"streams":["trade_updates"]}}',
    ]
    return market, updates


def spoiled(random: Random, frame: bytes) -> bytes:
    """Flip, drop, repeat or insert some bytes."""
    data = bytearray(frame)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        kind = random.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            del data[at : at + random.randrange(12)]
        elif kind == 2:
            data[at:at] = data[at : at + random.randrange(40)]
        elif kind == 3:
            data[at:at] = random.choice(JUNK)
        else:
            del data[at:]
    return bytes(data)


def fuzz(count: int, seed: int) -> AlpacaClient:
    random = Random(seed)
    market, updates = seeds()
    client = AlpacaClient("run-", Credentials("PK", "secret"))
    client.submit(order(7))
    for number in range(count):
        if number % 4:
            frame = spoiled(random, random.choice(market))
            client.receive_market_data(frame, NOW)
        else:
            frame = spoiled(random, random.choice(updates))
            client.receive_trade_update(frame, NOW)
        client.market_data.take_frames()
        client.trade_updates.take_frames()
        client.trade_updates.take_seen()
    return client


ROW = {"t": STAMP, "o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 100, "n": 3, "vw": 1.25}
FILL = {
    "id": "20131007093000123::61e69015-8549-4bfd-b9c3-01e75843f47d",
    "activity_type": "FILL",
    "transaction_time": STAMP,
    "type": "partial_fill",
    "price": "100.25",
    "qty": "4",
    "side": "buy",
    "symbol": "SPY",
    "cum_qty": "4",
    "order_id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
}
ACCOUNT = {"account_number": "PA1", "status": "ACTIVE", "cash": "1.5", "equity": "2", "id": "1"}
ACCOUNT |= {"buying_power": "4", "trading_blocked": False, "multiplier": "4", "currency": "USD"}
ANSWERS = {
    "submit": ORDER,
    "cancel": {"code": 42210000, "message": 'order is already in "filled" state'},
    "read_back": ORDER,
    "account": ACCOUNT,
    "gap:SPY": {"bars": {"SPY": [ROW]}, "next_page_token": "QUFQTHwz"},
    "warm:SPY": {"bars": {"SPY": [ROW, ROW]}, "next_page_token": None},
    "history:3": {"bars": {"SPY": [ROW]}, "next_page_token": None},
    "look:clock": {"timestamp": STAMP, "is_open": True},
    "look:open": [ORDER],
    "look:all": [{**ORDER, "legs": [ORDER]}],
    "look:activities": [FILL],
    "look:account": ACCOUNT,
    "look:positions": [{"symbol": "SPY", "qty": "4", "avg_entry_price": "100.25"}],
}
"""What an answer is about → its body when nothing is wrong with it."""


def fuzz_answers(count: int, seed: int) -> AlpacaClient:
    """Answer requests of every purpose with spoiled bodies."""
    random = Random(seed)
    client = AlpacaClient("run-", Credentials("PK", "secret"))
    client.submit(order(7))
    bodies = {name: msgspec.json.encode(body) for name, body in ANSWERS.items()}
    for number in range(count):
        name = random.choice(list(bodies))
        purpose = name.replace("look:", SNAPSHOT)
        if name.startswith("gap:"):
            # Without the bars to warm up with that may be on their way: those come first.
            client.past._asked.clear()
            client.past.fill_gap("SPY", NOW, NOW)
            purpose = client.past._gaps["SPY"].purpose
        elif name.startswith("warm:"):
            client.warm("SPY", NOW - 60 * SECOND, NOW)
        elif name.startswith("history:"):
            client.history(3, "SPY", "1m", NOW - 60 * SECOND, NOW, 1)
        elif purpose == f"{SNAPSHOT}clock":
            client.snapshots.begin()
        elif purpose == f"{SNAPSHOT}positions":
            # A look comes to the positions last, when it has the account.
            sound = HttpRequest("GET", "/", b"", purpose=f"{SNAPSHOT}account")
            client.snapshots.receive(sound, bodies["account"], NOW)
        request = HttpRequest("GET", "/", b"", 7, purpose, attempt=random.randint(1, 4))
        client.queue.outstanding += 1
        status = random.choice((200, 200, 200, 403, 404, 422, 429, 500, 0))
        client.receive_response(request, status, spoiled(random, bodies[name]), NOW + number)
        client.poll(NOW + number)
        client.queue._waiting.clear()
    return client


def test_spoiled_answers_raise_nothing():
    client = fuzz_answers(4_000, seed=1)
    assert held(client.ledger) < 1_000


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(4))
def test_many_spoiled_answers_raise_nothing(seed):
    assert held(fuzz_answers(50_000, seed=10 + seed).ledger) < 25_000


def held(ledger: Ledger) -> int:
    """Return how many orders are remembered under one name or another."""
    return len(ledger._by_venue_id) + len(list(ledger))


def test_spoiled_frames_raise_nothing():
    client = fuzz(4_000, seed=1)
    assert held(client.ledger) < 1_000


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(10))
def test_a_million_spoiled_frames_raise_nothing(seed):
    fuzz(10_000, seed=seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client = fuzz(100_000, seed=100 + seed)
    assert held(client.ledger) < 25_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_MAX_KB

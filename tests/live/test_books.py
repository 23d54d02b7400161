"""Order books of coins in a node: off the wire, through the kernel, and from its tape again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import BookEvent, BookGapEvent
from pyrt.adapters.alpaca.core.wire import Decoder, event_of, is_sound
from pyrt.adapters.alpaca.node.assembly import make_plan
from pyrt.core.instruments import crypto, equity
from pyrt.errors import DataError
from pyrt.live.config import NodeConfig
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import decode_note
from pyrt.live.core.player import play
from pyrt.live.core.tape import Tape
from pyrt.live.driver.acts import make_core
from pyrt.live.journal import records as r
from pyrt.risk.gate import BasicGate
from tests.live.worlds import lived

COIN = "BTC/USD"
SECOND = 1_000_000_000
NOW = 1_704_205_800 * SECOND
FULL = {
    "T": "o", "S": COIN, "t": "2024-01-02T14:30:00.5Z", "r": True,
    "b": [{"p": 99.0, "s": 2.0}, {"p": 98.0, "s": 1.0}], "a": [{"p": 101.0, "s": 3.0}],
}  # fmt: skip
CHANGE = {
    "T": "o", "S": COIN, "t": "2024-01-02T14:30:01Z",
    "b": [{"p": 99.0, "s": 0.0}], "a": [{"p": 100.5, "s": 0.25}],
}  # fmt: skip
AGAIN = {**FULL, "b": [{"p": 97.0, "s": 4.0}], "a": []}


class Listener(Strategy):
    def on_start(self) -> None:
        self.subscribe_book(COIN)
        self.seen: list[Any] = []

    def on_book(self, book: Any) -> None:
        self.seen.append((book.bids().tolist(), book.asks().tolist(), self.now - NOW))


def node_of(strategy: Strategy, mode: str = "paper") -> tuple[NodeCore, AlpacaClient]:
    client = AlpacaClient("t-")
    config = NodeConfig(symbols=(COIN,), mode=mode, account_id="1")
    core = make_core(
        client,
        BasicGate(),
        [crypto(COIN), equity("SPY")],
        [strategy],
        make_plan(config, "run", "t-"),
        r.Opening(cash="100000"),
        Tape(),
    )
    core.start(NOW)
    return core, client


def send(core: NodeCore, client: AlpacaClient, ts: int, *messages: Any) -> None:
    frame = msgspec.json.encode(list(messages))
    core.take(ts, client.receive_crypto_data(frame, ts))


SHOWN = [
    ([[99.0, 2.0], [98.0, 1.0]], [[101.0, 3.0]], SECOND),
    ([[98.0, 1.0]], [[100.5, 0.25], [101.0, 3.0]], 2 * SECOND),
    # A full message takes away what it does not name.
    ([[97.0, 4.0]], [], 3 * SECOND),
]


def test_messages_of_a_book_reach_its_handler() -> None:
    listener = Listener()
    core, client = node_of(listener)
    assert client.crypto_data.wanted["orderbooks"] == [COIN]
    for number, message in enumerate((FULL, CHANGE, AGAIN), start=1):
        send(core, client, NOW + number * SECOND, message)
    assert listener.seen == SHOWN
    assert listener.book(COIN).best_bid == listener.cache.book(COIN).best_bid == 97.0


def test_the_tape_has_what_the_book_was_told() -> None:
    first, again = Listener(), Listener()
    core, client = node_of(first)
    # A core that is recorded, as these are, has a tape.
    core.inputs.tape.take()  # type: ignore[union-attr]
    for number, message in enumerate((FULL, CHANGE, AGAIN), start=1):
        send(core, client, NOW + number * SECOND, message)
    piece = core.inputs.tape.take()  # type: ignore[union-attr]
    other, _ = node_of(again)
    other.inputs.tape.take()  # type: ignore[union-attr]

    def on_note(data: bytes) -> None:
        note = decode_note(data)
        assert note["what"] == "book"
        stream = other.kernel.cache.streams[note["stream"]]
        other.inputs.feed_book(stream, note["ts"], note["bids"], note["asks"], note["full"])

    play(other.inputs, piece, on_note, lambda error: pytest.fail(str(error)))
    assert again.seen == first.seen == SHOWN
    assert other.inputs.tape.take() == piece  # type: ignore[union-attr]


class Careful(Listener):
    def on_book(self, book: Any) -> None:
        self.seen.append((book.is_stale, book.needs_snapshot, book.gap_count, book.best_bid))


def test_a_book_is_stale_from_a_break_to_the_next_full_message() -> None:
    first, again = Careful(), Careful()
    core, client = node_of(first)
    core.inputs.tape.take()  # type: ignore[union-attr]
    # A break before anything was seen says nothing.
    core.take(NOW, [BookGapEvent(COIN, NOW)])
    send(core, client, NOW + SECOND, FULL)
    core.take(NOW + 2 * SECOND, [BookGapEvent(COIN, NOW + 2 * SECOND)])
    for number, message in enumerate((CHANGE, AGAIN), start=3):
        send(core, client, NOW + number * SECOND, message)
    assert first.seen == [
        (False, False, 0, 99.0),
        (True, True, 1, 99.0),
        (True, True, 1, 98.0),
        (False, False, 1, 97.0),
    ]
    piece = core.inputs.tape.take()  # type: ignore[union-attr]
    other, _ = node_of(again)

    def on_note(data: bytes) -> None:
        note = decode_note(data)
        stream = other.kernel.cache.streams[note["stream"]]
        other.inputs.feed_book(stream, note["ts"], note["bids"], note["asks"], note["full"])

    play(other.inputs, piece, on_note, lambda error: pytest.fail(str(error)))
    assert again.seen == first.seen


def test_our_own_orders_are_in_the_book_of_a_real_account_only() -> None:
    class Rests(Listener):
        def on_book(self, book: Any) -> None:
            if not self.seen:
                self.seen.append(self.buy(COIN, 1.5, limit_price=99))

    for mode, left in (("live", 0.5), ("paper", 2.0)):
        strategy = Rests()
        core, client = node_of(strategy, mode)
        send(core, client, NOW + SECOND, FULL)
        core.inputs.order_event("accepted", 1, NOW + SECOND)
        core.inputs.settle()
        assert strategy.cache.own_orders(COIN) == [("buy", 99, 1.5)]
        assert strategy.book(COIN, own=False).bids().tolist() == [[99.0, left], [98.0, 1.0]]


def test_a_message_that_makes_no_sense_changes_nothing() -> None:
    listener = Listener()
    core, client = node_of(listener)
    send(core, client, NOW + SECOND, FULL)
    for price, size in ((-1.0, 1.0), (float("inf"), 1.0), (99.0, -1.0), (99.0, float("nan"))):
        assert not is_sound(BookEvent(COIN, NOW, ((price, size),), ()))
    with pytest.raises(DataError):
        core.take(NOW + 2 * SECOND, [BookEvent(COIN, NOW, ((99.0, float("nan")),), ())])
    # Nothing said, nothing done.
    core.take(NOW + 2 * SECOND, [BookEvent(COIN, NOW, (), ())])
    assert listener.seen == SHOWN[:1]


def test_the_wire_is_read_in_both_codecs() -> None:
    for encode in (msgspec.json.encode, msgspec.msgpack.encode):
        (message,) = Decoder().decode(encode([FULL]))
        event = event_of(message)
        assert event == BookEvent(
            COIN, NOW + SECOND // 2, ((99.0, 2.0), (98.0, 1.0)), ((101.0, 3.0),), True
        )
        assert is_sound(event)


def test_stocks_have_no_book() -> None:
    class Wrong(Strategy):
        def on_start(self) -> None:
            self.subscribe_book("SPY")

    core, _ = node_of(Wrong())
    (error,) = core.kernel.errors
    assert "there are no book events of SPY in this run" in str(error)


def test_the_simulator_serves_books_of_quotes() -> None:
    from pyrt import load
    from tests.backtest.depths import quotes

    table = quotes((0, 99, 1, 101, 2), (30, 99.5, 1, 101, 2), (60, 99.5, 1, 100, 4))
    data = load(table, symbol=COIN).columns
    listener = Listener()
    lived([listener], data)
    assert [(b, a) for b, a, _ in listener.seen][-1] == ([[99.5, 1.0]], [[100.0, 4.0]])

"""Every kind of input reaches the kernel whole, is on the tape, and comes off it the same."""

from __future__ import annotations

from decimal import Decimal
from math import isnan
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import (
    AnswerEvent,
    BarEvent,
    BookEvent,
    BookGapEvent,
    FillEvent,
    QuoteEvent,
    TradeEvent,
)
from pyrt.backtest.fees import fee_model
from pyrt.errors import JournalError
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import decode_note
from pyrt.live.core.player import play
from pyrt.live.core.tape import Tape, survey
from pyrt.risk.gate import BasicGate
from tests.live.cores import COIN, NOW, SECOND, Wire, core_of, taken

MINUTE = 60 * SECOND
HEAD = 5
"""A byte, and the size of an event in four."""


class Hears(Strategy):
    """Notes down all that it is told, field by field."""

    def on_start(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.subscribe_quotes("SPY")
        self.subscribe_trades("SPY")
        self.subscribe_bars("SPY", "1m")
        self.subscribe_bars("SPY", "2m")
        self.subscribe_book(COIN)
        self.set_timer("often", "90s")
        self.sell("SPY", 10, limit_price=100)
        self.buy("QQQ", 6)

    def hear(self, what: str, *values: Any) -> None:
        self.heard.append((what, *values))

    def on_quote(self, q: Any) -> None:
        bid, ask = (None if isnan(price) else price for price in (q.bid_price, q.ask_price))
        self.hear("quote", bid, q.bid_size, ask, q.ask_size, q.ts_event - NOW, q.ts_init - NOW)

    def on_trade(self, t: Any) -> None:
        self.hear("trade", t.price, t.size, t.aggressor, t.ts_event - NOW, t.ts_init - NOW)

    def on_bar(self, b: Any) -> None:
        self.hear(
            b.timeframe, b.open, b.high, b.low, b.close, b.volume,
            b.ts_open - NOW, b.ts_event - NOW, b.ts_init - NOW,
        )  # fmt: skip

    def on_book(self, book: Any) -> None:
        self.hear("book", book.bids().tolist(), book.asks().tolist(), book.is_stale)

    def on_timer(self, event: Any) -> None:
        self.hear("timer", self.now - NOW)

    def on_order(self, e: Any) -> None:
        order = e.order
        self.hear(
            e.kind, order.number, e.reason, e.ts_event - NOW, order.quantity_exact,
            order.limit_price,
        )  # fmt: skip

    def on_fill(self, f: Any) -> None:
        self.hear("fill", f.quantity_exact, f.price_exact, f.fee_value_exact, f.liquidity)


def listening() -> tuple[NodeCore, Wire, Hears]:
    strategy = Hears()
    core, wire = core_of(BasicGate(), [strategy], tape=Tape(), fees=fee_model("alpaca"))
    core.take(NOW, [])
    taken(core)
    strategy.heard.clear()
    return core, wire, strategy


def at(seconds: float) -> int:
    return NOW + int(seconds * SECOND)


DAY: list[tuple[float, list[Any]]] = [
    (1, [AnswerEvent("accepted", 1, at(0.5)), AnswerEvent("rejected", 2, at(0.75), "403: no")]),
    (2, [QuoteEvent("SPY", at(1.5), 99.5, 300.0, 0.0, 0.0)]),
    (3, [TradeEvent("SPY", at(2.5), 99.75, 25.0, -1), TradeEvent("SPY", at(2.75), 99.5, 5.0)]),
    (4, [AnswerEvent("modified", 1, at(3.5), "", ("12", "100.5", None))]),
    (5, [FillEvent(1, at(4.5), "4", "100.25", "4", "maker")]),
    (6, [BookEvent(COIN, at(5.5), ((99.0, 2.0),), ((101.0, 3.0), (102.0, 1.0)), True)]),
    (7, [BookEvent(COIN, at(6.5), (), ((101.0, 0.0),)), BookGapEvent(COIN, at(6.75))]),
    (60, [BarEvent("SPY", NOW, at(60), (1.0, 4.0, 0.5, 2.0, 10.0))]),
    (120, [BarEvent("SPY", at(60), at(120), (2.0, 3.0, 1.5, 2.5, 20.0))]),
    (121, [AnswerEvent("canceled", 1, at(120.5), "by hand")]),
]  # fmt: skip

FEE = Decimal("0.02")
"""Of 401 dollars at 8 a million, and of four shares at 0.000166: each to the next cent."""
HEARD = [
    ("accepted", 1, "", SECOND // 2, 10, 100.0),
    ("rejected", 2, "403: no", 3 * SECOND // 4, 6, None),
    ("quote", 99.5, 300.0, None, 0.0, 3 * SECOND // 2, 2 * SECOND),
    ("trade", 99.75, 25.0, -1, 5 * SECOND // 2, 3 * SECOND),
    ("trade", 99.5, 5.0, 0, 11 * SECOND // 4, 3 * SECOND),
    ("modified", 1, "", 7 * SECOND // 2, 12, 100.5),
    ("fill", 4, Decimal("100.25"), FEE, "maker"),
    ("book", [[99.0, 2.0]], [[101.0, 3.0], [102.0, 1.0]], False),
    ("book", [[99.0, 2.0]], [[102.0, 1.0]], False),
    ("book", [[99.0, 2.0]], [[102.0, 1.0]], True),
    ("1m", 1.0, 4.0, 0.5, 2.0, 10.0, 0, MINUTE, MINUTE),
    # What is due on the way happens at its own time.
    ("timer", 90 * SECOND),
    ("1m", 2.0, 3.0, 1.5, 2.5, 20.0, MINUTE, 2 * MINUTE, 2 * MINUTE),
    ("2m", 1.0, 4.0, 0.5, 2.5, 30.0, 0, 2 * MINUTE, 2 * MINUTE),
    ("canceled", 1, "by hand", 241 * SECOND // 2, 12, 100.5),
]


def heard_of(strategy: Hears) -> list[tuple[Any, ...]]:
    """Return what was heard, but for the fill's own event, which says no more than the fill."""
    return [each for each in strategy.heard if each[:2] != ("fill", 1)]


def lived() -> tuple[NodeCore, Hears, bytes]:
    core, _, strategy = listening()
    for seconds, events in DAY:
        core.take(at(seconds), events)
        core.fire_timers()
    return core, strategy, taken(core)


def played(piece: bytes, **options: Any) -> tuple[NodeCore, Hears, bool]:
    core, _, strategy = listening()

    def on_note(data: bytes) -> None:
        note = decode_note(data)
        stream = core.kernel.cache.streams[note["stream"]]
        core.inputs.feed_book(stream, note["ts"], note["bids"], note["asks"], note["full"])

    whole = play(core.inputs, piece, on_note, pytest.fail, **options)
    return core, strategy, whole


def test_each_input_reaches_its_handler_whole() -> None:
    core, strategy, _ = lived()
    assert heard_of(strategy) == HEARD
    assert core.fee_ledger.accrued == core.fee_of(DAY[4][1][0]) == FEE
    assert core.kernel.account.cash_exact == 100_000 + 401 - FEE


def test_what_is_played_is_what_was_lived_and_is_on_the_tape_again() -> None:
    first, strategy, piece = lived()
    core, again, whole = played(piece)
    assert whole
    assert again.heard == strategy.heard
    assert taken(core) == piece
    assert core.inputs.count == first.inputs.count
    assert core.kernel.account.cash_exact == first.kernel.account.cash_exact
    # A point a second where ticks have come, and one at each bar.
    points, others = core.kernel.records.equity, first.kernel.records.equity
    assert points.tobytes() == others.tobytes()
    assert points.count == 4 + 2
    # What a run that goes on asks history for begins where the tape ends.
    (stream,) = (s for s in core.kernel.cache.streams if s.topic.endswith("1m"))
    assert core.inputs.last_bars == {stream.index: at(120)}


def test_each_input_is_counted_and_each_note_has_its_place() -> None:
    core, _, piece = lived()
    count, notes = survey(piece)
    begun = listening()[0].inputs.count
    assert core.inputs.count - begun == count
    assert [decode_note(data)["bids"] for _, data in notes] == [[[99.0, 2.0]], []]
    # Each take is an advance and an end of bars; ticks have a point of the curve a second.
    takes, events = len(DAY), sum(len(events) for _, events in DAY)
    first, second = (place for place, _ in notes)
    # Five takes of an advance and an end of bars, seven events, two points; and an advance.
    assert first == 5 * 2 + 7 + 2 + 1 + 1
    assert second == first + 1 + 1 + 1 + 1
    assert count > 2 * takes + events


@pytest.mark.parametrize("cut", [1, 3, 4, HEAD + 1, HEAD + 8])
def test_a_piece_that_is_cut_off_is_refused_by_both_who_read_it(cut: int) -> None:
    _, _, piece = lived()
    for read in (survey, played):
        with pytest.raises(JournalError, match="a piece of tape is cut off") as refused:
            read(piece[:cut])
        assert refused.value.code == "tape_layout"


def test_wherever_a_piece_ends_it_is_whole_or_refused() -> None:
    """Its end is at the border of an input, or within one."""
    _, _, piece = lived()
    piece = piece[: 900 + HEAD]
    whole = 0
    for cut in range(len(piece)):
        try:
            count, _ = survey(piece[:cut])
        except JournalError:
            continue
        assert count >= whole
        whole = count
    assert whole >= 8


def single(what: str) -> bytes:
    """Return a piece of tape with one input on it."""
    core, _, _ = listening()
    inputs = core.inputs
    (trades,) = (s for s in core.kernel.cache.streams if s.kind == "trades")
    if what == "advance":
        inputs.advance(at(1))
    elif what == "event":
        inputs.trade(trades, at(1), 1.0, 1.0)
    elif what == "reason":
        inputs.order_event("rejected", 1, at(1), "no")
    else:
        assert inputs.tape is not None
        inputs.tape.note(b"" if what == "empty" else b"abc")
    return taken(core)


@pytest.mark.parametrize("what", ["advance", "event", "reason", "note", "empty"])
def test_an_input_is_whole_to_its_last_byte_and_refused_without_it(what: str) -> None:
    piece = single(what)
    told = {"note": [(1, b"abc")], "empty": [(1, b"")]}
    assert survey(piece) == (1, told.get(what, []))
    core, _, _ = listening()
    notes: list[bytes] = []
    assert play(core.inputs, piece, notes.append, pytest.fail)
    assert taken(core) == piece
    assert len(notes) == (what in ("note", "empty"))
    # The words of an event are on the tape before it, and no input by themselves.
    borders = {0, HEAD, HEAD + HEAD + 2} if what == "reason" else {0, HEAD}
    for cut in set(range(len(piece))) - borders:
        for read in (survey, lambda data: play(core.inputs, data, pytest.fail, pytest.fail)):
            with pytest.raises(JournalError, match="cut off"):
                read(piece[:cut])


def test_a_piece_of_another_layout_or_with_an_unknown_input_is_refused() -> None:
    _, _, piece = lived()
    size = int.from_bytes(piece[1:HEAD], "little")
    other = piece[:1] + (size + 8).to_bytes(4, "little") + piece[HEAD:]
    for read in (survey, played):
        with pytest.raises(
            JournalError, match=f"events of {size + 8} bytes, this program of {size}"
        ):
            read(other)
        for op in (0, 10, 255):
            with pytest.raises(JournalError, match=f"the tape has an unknown input {op}$"):
                read(piece[:HEAD] + bytes([op]))
        read(b"")
        read(piece[:HEAD])


def test_a_tape_hands_over_each_input_once_however_long_it_grows() -> None:
    tape = Tape()
    assert (tape.take(), len(tape), tape.count) == (b"", 0, 0)
    notes = [bytes([number % 251]) * (number * 7) for number in range(400)]
    for number, note in enumerate(notes, start=1):
        tape.note(note)
        assert tape.count == number
    size = len(tape)
    piece = tape.take()
    assert len(piece) == size == HEAD + sum(HEAD + len(note) for note in notes)
    assert survey(piece) == (400, list(enumerate(notes, start=1)))
    assert (tape.take(), len(tape), tape.count) == (b"", 0, 400)
    tape.note(b"x" * 1_000_000)
    assert survey(tape.take()) == (1, [(1, b"x" * 1_000_000)])
    # A new one takes at once what is far more than it had room for.
    large = Tape()
    large.note(b"y" * 100_000)
    assert survey(large.take()) == (1, [(1, b"y" * 100_000)])
    tape.note(b"more")
    # Each piece says of itself what it is.
    assert survey(tape.take()) == (1, [(1, b"more")])


def test_a_place_is_told_once_as_it_is_reached() -> None:
    first, _, piece = lived()
    begun = listening()[0].inputs.count
    wanted = [begun, begun + 3, begun + 3, begun + 10, None]
    reached: list[int] = []

    def on_place(number: int) -> int | None:
        reached.append(number)
        return wanted[len(reached)]

    core, strategy, whole = played(piece, place=wanted[0], on_place=on_place)
    assert whole
    assert reached == [begun, begun + 3, begun + 4, begun + 10]
    assert core.inputs.count == first.inputs.count
    assert heard_of(strategy) == HEARD


@pytest.mark.parametrize("place", [0, 1, 7, 20])
def test_what_is_broken_off_at_a_place_takes_nothing_of_what_follows(place: int) -> None:
    _, _, piece = lived()
    core, _, strategy = listening()
    begun = core.inputs.count

    def on_place(number: int) -> int | None:
        core.inputs.break_off()
        return None

    def on_note(data: bytes) -> None:
        note = decode_note(data)
        stream = core.kernel.cache.streams[note["stream"]]
        core.inputs.feed_book(stream, note["ts"], note["bids"], note["asks"], note["full"])

    options: dict[str, Any] = {"place": begun + place, "on_place": on_place}
    assert play(core.inputs, piece, on_note, pytest.fail, **options) is False
    assert core.inputs.count == begun + place
    assert heard_of(strategy) == HEARD[: len(heard_of(strategy))]
    # The next one is played from its beginning.
    assert play(core.inputs, b"", on_note, pytest.fail) is True


def test_a_note_that_breaks_off_is_the_last_that_is_taken() -> None:
    _, _, piece = lived()
    core, _, _ = listening()
    begun = core.inputs.count
    (place, _), *_ = survey(piece)[1]
    assert play(core.inputs, piece, lambda data: core.inputs.break_off(), pytest.fail) is False
    assert core.inputs.count == begun + place


def test_what_an_event_raises_is_told_and_the_next_is_taken() -> None:
    core, _, strategy = listening()
    put_aside: list[Any] = []
    core.on_bad_event = lambda event, error: put_aside.append(event)
    late = FillEvent(1, at(1), "1", "100", "1")
    wrong = [FillEvent(1, at(1), "11", "100", "11"), TradeEvent("SPY", at(1), float("inf"), 1.0)]
    core.take(at(1), [AnswerEvent("accepted", 1, at(1)), *wrong, late])
    assert put_aside == wrong
    assert [each[1] for each in strategy.heard if each[0] == "fill"] == [1, 1]
    piece = taken(core)
    other, _, again = listening()
    raised: list[Exception] = []
    play(other.inputs, piece, pytest.fail, raised.append)
    assert len(raised) == 2
    assert again.heard == strategy.heard
    assert other.kernel.account.cash_exact == core.kernel.account.cash_exact


def test_what_the_next_fill_costs_is_the_same_after_a_tape() -> None:
    """Fees of a day are rounded as one: what has been charged on it is told to the model again."""
    core, _, _ = listening()
    fill = FillEvent(1, at(2), "4", "100.25", "4")
    # Seen three times and charged once: of three times as much the next would cost a cent.
    core.take(at(2), [AnswerEvent("accepted", 1, at(1)), fill, fill, fill])
    other, _, whole = played(taken(core))
    assert whole
    assert other.kernel.account.cash_exact == core.kernel.account.cash_exact == 100_401 - FEE
    after = FillEvent(1, at(3), "1", "100", "5")
    for each in (core, other):
        each.take(at(3), [after])
        assert each.fee_of(after) == 0
        assert each.kernel.account.cash_exact == 100_501 - FEE


def test_the_words_of_a_denial_come_off_the_tape_with_it() -> None:
    heard = []
    piece = b""
    for is_played in (False, True):
        core, _, strategy = listening()
        order = strategy.buy("SPY", 1)
        if is_played:
            play(core.inputs, piece, pytest.fail, pytest.fail)
        else:
            core.inputs.order_event("denied", order.number, at(1), "it never left")
            piece = taken(core)
        heard.append((strategy.heard[:], order.status, order.reason))
    assert heard[0] == heard[1]
    assert heard[0][1:] == ("DENIED", "it never left")


def test_a_fill_that_was_seen_changes_nothing_and_costs_nothing() -> None:
    core, _, strategy = listening()
    core.take(at(1), [AnswerEvent("accepted", 1, at(1))])
    fill = FillEvent(1, at(1), "4", "100", "4")
    core.take(at(1), [fill])
    cash, accrued, heard = (
        core.kernel.account.cash_exact,
        core.fee_ledger.accrued,
        strategy.heard[:],
    )
    assert accrued > 0
    core.take(at(2), [fill, FillEvent(1, at(2), "3", "100", "3")])
    assert core.kernel.account.cash_exact == cash
    assert core.fee_ledger.accrued == accrued
    assert strategy.heard == heard
    assert core.fee_of(fill) == accrued
    core.forget(1)
    assert core.fee_of(fill) == 0

"""What was asked for comes to whoever asked, once, in order, and not to one who has stopped."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.live.core.later import Later
from pyrt.live.core.node import NodeCore
from pyrt.live.core.results import decode_result, encode_result
from pyrt.live.core.tape import Tape
from pyrt.risk.gate import BasicGate
from tests.live.cores import NOW, SECOND, core_of

ROWS = [[1, 2, 10.0, 12.0, 9.0, 11.0, 100.0], [2, 3, 11.0, 13.0, 10.5, 12.0, 50.0]]


class Asks(Strategy):
    """Keeps what it gets."""

    def on_start(self) -> None:
        self.got: list[Any] = []

    def take(self, value: Any) -> None:
        self.got.append(value)
        if value == "wrong":
            raise LookupError("of its handler")


def asking(**options: Any) -> tuple[NodeCore, Later, list[tuple[Any, ...]], Asks, Asks]:
    core, _ = core_of(BasicGate(), [Asks(), Asks()], **options)
    asked: list[tuple[Any, ...]] = []
    core.later.ask_history = lambda *what: asked.append(what)
    core.later.run_slow = lambda *what: asked.append(what)
    one, two = core.kernel.strategies
    return core, core.later, asked, one, two  # type: ignore[return-value]


def double(value: float) -> float:
    return 2 * value


def test_past_bars_come_to_whoever_asked_with_all_their_fields() -> None:
    _, later, asked, one, two = asking()
    two.request_history("SPY", "5m", 2, two.take)
    one.request_history("QQQ", "1d", 9, one.take)
    assert asked == [(1, "SPY", "5m", 2), (2, "QQQ", "1d", 9)]
    assert len(later) == 2
    later.deliver_history(1, ROWS)
    ((first, second),) = two.got
    assert (first.symbol, first.timeframe) == ("SPY", "5m")
    assert (first.ts_open, first.ts_event, first.ts_init) == (1, 2, 2)
    assert (first.open, first.high, first.low, first.close, first.volume) == (10, 12, 9, 11, 100)
    assert (second.ts_open, second.close) == (2, 12.0)
    assert (one.got, len(later)) == ([], 1)
    # Neither again nor for a number that nobody has.
    later.deliver_history(1, ROWS)
    later.deliver_history(7, ROWS)
    later.deliver_result(7, 1)
    later.deliver_history(2, [])
    assert (len(two.got), one.got, len(later)) == (1, [[]], 0)


@pytest.mark.parametrize("at", [1, 0], ids=["in_parts_again", "in_one"])
def test_parts_of_an_answer_that_a_crash_has_broken_off_are_not_handed_over(at: int) -> None:
    _, later, _, one, _ = asking()
    one.request_history("SPY", "5m", 2, one.take)
    later.keep_part(1, 0, ROWS)
    later.keep_part(1, 2, ROWS)
    # Asked for again, it comes anew.
    if at:
        later.keep_part(1, 0, ROWS[:at])
    later.deliver_history(1, ROWS[at:], at)
    assert [bar.ts_open for bar in one.got[0]] == [1, 2]


def test_slow_work_comes_to_whoever_asked_and_what_it_raised_stops_that_one() -> None:
    core, later, asked, one, two = asking()
    one.compute(double, 4.0, then=one.take)
    two.compute(double, 5.0, then=two.take)
    assert asked == [(1, double, (4.0,)), (2, double, (5.0,))]
    later.deliver_result(2, 10.0)
    later.deliver_result(2, 10.0)
    assert (one.got, two.got) == ([], [10.0])
    later.deliver_result(1, ValueError("no model"))
    assert not one.running
    assert "raised ValueError: no model" in one.stop_reason
    assert two.running
    assert one.got == []
    assert [error.values["strategy"] for error in core.kernel.errors] == ["Asks"]


@pytest.mark.parametrize("value", [ValueError("no model"), 4.0])
def test_whose_handler_is_a_plain_function_is_stopped_and_told_of_alike(value: Any) -> None:
    """It was stopped, and nobody was told: neither an alarm nor a record said so."""

    def fails(result: Any) -> None:
        raise ValueError("no model")

    core, later, _, one, two = asking()
    two.compute(double, 4.0, then=fails)
    later.deliver_result(1, value)
    assert not two.running
    assert "raised ValueError: no model" in two.stop_reason
    assert one.running
    (error,) = core.kernel.errors
    assert error.values["strategy"] == two.name == "Asks-2"
    assert "Asks-2.fails raised ValueError: no model" in str(error)


@pytest.mark.parametrize("raises", [False, True])
def test_what_a_handler_publishes_is_heard_after_it_whether_it_raises_or_not(raises: bool) -> None:
    core, later, _, one, two = asking()
    heard: list[str] = []
    two.subscribe("own.topic", heard.append)

    def handler(value: float) -> None:
        one.publish("own.topic", "told")
        heard.append("handler")
        if raises:
            raise LookupError

    one.compute(double, 4.0, then=handler)
    later.deliver_result(1, 8.0)
    core.kernel.bus.publish("own.topic", "next")
    assert heard == ["handler", "told", "next"]


def test_a_handler_that_raises_stops_its_strategy_alone() -> None:
    core, later, _, one, two = asking()
    for each in (one, two):
        each.compute(double, 4.0, then=each.take)
    later.deliver_result(1, "wrong")
    later.deliver_result(2, "right")
    assert (one.running, two.running) == (False, True)
    assert two.got == ["right"]
    (error,) = core.kernel.errors
    assert "of its handler" in str(error)


def test_whoever_has_stopped_hears_no_more() -> None:
    core, later, _, one, two = asking()
    for each in (one, two):
        each.compute(double, 4.0, then=each.take)
        each.request_history("SPY", "1m", 1, each.take)
    core.kernel.calls.halt(one, "a test")
    for number in (1, 3):
        later.deliver_result(number, 8.0)
    for number in (2, 4):
        later.deliver_history(number, ROWS[:1])
    assert one.got == []
    assert (two.got[0], len(two.got[1])) == (8.0, 1)
    assert len(later) == 0


def test_what_was_not_answered_is_asked_again_of_whoever_is_there() -> None:
    _, later, asked, one, two = asking()
    one.request_history("SPY", "5m", 2, one.take)
    two.compute(double, 5.0, then=two.take)
    one.request_history("QQQ", "1d", 9, one.take)
    later.deliver_history(1, [])
    asked.clear()
    later.ask_again()
    assert asked == [(2, double, (5.0,)), (3, "QQQ", "1d", 9)]
    later.ask_history = later.run_slow = None
    later.ask_again()
    assert len(later) == 2


def test_work_waits_where_a_tape_is_played_whose_run_had_others_do_it() -> None:
    core, later, _, one, _ = asking()
    later.run_slow, later.waits_for_slow = None, True
    one.compute(double, 5.0, then=one.take)
    core.take(NOW + SECOND, [])
    assert (len(later), one.got) == (1, [])
    # What has no form on the tape is done anew.
    one.request_history("SPY", "5m", 2, one.take)
    later.run_again(2)
    later.run_again(9)
    assert (len(later), one.got) == (2, [])
    later.run_again(1)
    assert (len(later), one.got) == (1, [10.0])

    def fails() -> None:
        raise KeyError("model")

    one.compute(fails, then=one.take)
    later.run_again(3)
    assert not one.running
    assert "raised KeyError: 'model'" in one.stop_reason


def inline(**options: Any) -> tuple[NodeCore, Later, Asks, Asks]:
    core, later, _, one, two = asking(**options)
    later.run_slow = None
    return core, later, one, two


def test_work_done_inline_is_delivered_after_what_it_takes_and_kept_for_the_tape() -> None:
    core, later, one, two = inline(tape=Tape())
    core.kernel.compute_latency_ns = 2 * SECOND
    one.compute(double, 1.5, then=one.take)
    core.take(NOW + SECOND, [])
    two.compute(double, 2.5, then=two.take)
    assert len(later) == 0
    later.is_on_tape(9)
    assert [(n, ts, decode_result(data)) for n, ts, data in later.take_made()] == [
        (1, NOW, 3.0), (2, NOW + SECOND, 5.0),
    ]  # fmt: skip
    assert later.take_made() == []
    core.take(NOW + 2 * SECOND, [])
    core.fire_timers()
    assert (one.got, two.got) == ([3.0], [])
    core.take(NOW + 4 * SECOND, [])
    assert two.got == [5.0]
    two.compute(double, 1.0, then=two.take)
    two.compute(double, 2.0, then=two.take)
    later.is_on_tape(3)
    assert [number for number, *_ in later.take_made()] == [4]


def test_without_a_tape_work_done_inline_is_kept_nowhere() -> None:
    core, later, one, _ = inline()
    made: list[Any] = []
    one.compute(made.append, "as it is", then=one.take)
    one.compute(lambda: made, then=one.take)
    core.take(NOW + SECOND, [])
    assert later.take_made() == []
    assert one.got[1] is made


def test_work_that_raises_inline_raises_where_it_was_asked_for_and_is_kept() -> None:
    def fails() -> None:
        raise ZeroDivisionError("of no trades")

    _, later, one, _ = inline(tape=Tape())
    with pytest.raises(ZeroDivisionError, match="of no trades"):
        one.compute(fails, then=one.take)
    ((number, ts, data),) = later.take_made()
    assert (number, ts) == (1, NOW)
    assert type(decode_result(data)).__name__ == "ZeroDivisionError"


def test_played_work_comes_from_the_tape_at_its_time_and_is_done_at_any_other() -> None:
    core, later, one, _ = inline(tape=Tape())
    later.recorded = {
        1: (NOW, encode_result(7.0)),
        2: (NOW + SECOND, encode_result(8.0)),
        3: (NOW, encode_result(RuntimeError("then"))),
    }  # fmt: skip
    done: list[float] = []

    def work(value: float) -> float:
        done.append(value)
        return value

    one.compute(work, 1.0, then=one.take)
    # Other limits have led here at another time: what came out then says nothing.
    one.compute(work, 2.0, then=one.take)
    with pytest.raises(Exception, match="then") as raised:
        one.compute(work, 3.0, then=one.take)
    assert type(raised.value).__name__ == "RuntimeError"
    one.compute(work, 4.0, then=one.take)
    core.take(NOW + SECOND, [])
    assert done == [2.0, 4.0]
    assert one.got == [7.0, 2.0, 4.0]
    assert later.recorded == {}
    # What is not on the new tape yet goes there.
    assert [number for number, *_ in later.take_made()] == [1, 3]

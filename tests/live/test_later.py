"""History from the broker and results of slow work, live and replayed."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import ComputedEvent
from pyrt.errors import ConfigError
from pyrt.live.core.results import decode_result, encode_result
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World, policies


def slow(close: float) -> float:
    if close < 0:
        raise ValueError("negative")
    return close * 2


class Asks(Strategy):
    """Trades on what it gets later."""

    broken: bool = False

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bars = 0
        self.got: list[Any] = []
        self.results: list[float] = []

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 10:
            self.request_history("SPY", "1m", 4, self.on_history)
        if self.bars == 12:
            self.compute(slow, -1.0 if self.broken else bar.close, then=self.on_result)

    def on_history(self, bars):
        self.got = bars
        self.buy("SPY", 1)

    def on_result(self, value):
        self.results.append(value)
        self.buy("SPY", 2)


class Bench:
    """A node whose slow work is done when it is told to be."""

    def __init__(self, strategy: Strategy, *, off_thread: bool = True, **options: Any) -> None:
        self.world = options.pop("world", None) or World([walk(2, "SPY", 30)])
        self.files = options.pop("files", None) or MemoryFiles()
        # In lockstep the market waits: work is done where it is asked for.
        config = {} if off_thread else {"clock": "simulator"}
        options = {"run_id": "one", "config": config, **options}
        self.node = Node(self.world, self.files, [strategy], **options)
        self.asked: list[tuple[int, Any, Any]] = []
        if off_thread:
            self.node.driver.run_slow = lambda *work: self.asked.append(work)
        self.node.start()

    def work(self) -> None:
        """Do what was asked for, and hand over what it came to."""
        for number, fn, args in self.asked:
            try:
                result = fn(*args)
            except Exception as error:
                result = error
            self.node.driver.take(self.world.now, [ComputedEvent(number, result)])
            self.node.settle(self.world.now)
        self.asked.clear()

    def live(self, steps: int = 90) -> None:
        """Go on to a step of the world."""
        while self.world.step < steps:
            self.node.run(3)
            self.work()


def run(strategy: Strategy, *, off_thread: bool) -> tuple[Node, MemoryFiles]:
    bench = Bench(strategy, off_thread=off_thread)
    bench.live()
    bench.node.stop()
    return bench.node, bench.files


@pytest.mark.parametrize("off_thread", [True, False])
def test_history_and_results_come_to_their_handlers_and_replay(off_thread):
    strategy = Asks()
    _, files = run(strategy, off_thread=off_thread)
    assert len(strategy.got) == 4
    closes = {bar.ts_event for bar in strategy.got}
    assert len(closes) == 4
    assert all(bar.timeframe == "1m" and bar.symbol == "SPY" for bar in strategy.got)
    assert len(strategy.results) == 1
    assert strategy.position("SPY").quantity == 3
    again = Asks()
    result = replay(files, [again])
    assert result.is_exact, result.difference
    assert again.results == strategy.results


def test_slow_work_that_raises_stops_its_strategy():
    strategy = Asks(broken=True)
    node, _ = run(strategy, off_thread=True)
    assert not strategy.running
    assert "negative" in node.journal.state.stopped["Asks"]


class Loose(Asks):
    """Takes its result in a function that is no method."""

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 12:
            self.compute(slow, -1.0, then=lambda value: None)


def test_a_strategy_stopped_for_work_that_a_function_was_to_take_is_told_and_stays_so():
    node, _ = run(Loose(), off_thread=True)
    assert "negative" in node.journal.state.stopped["Loose"]
    assert "strategy_stopped" in [code for code, _ in node.alarms]


# -- work that nobody can repeat -------------------------------------------------------------------


class Oracle:
    """Says something else each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        return {"size": self.asked, "why": (np.arange(3.0) / self.asked, Decimal("0.1"))}


class Heeds(Strategy):
    """Buys what an oracle says, every five bars."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bars = 0
        self.heard: list[str] = []

    def on_bar(self, bar):
        self.bars += 1
        if self.bars % 5 == 0:
            self.compute(ORACLE, then=self.on_answer)

    def on_answer(self, said):
        self.heard.append(repr(said))
        self.buy("SPY", said["size"])


ORACLE = Oracle()


@pytest.fixture
def oracle(monkeypatch):
    fresh = Oracle()
    monkeypatch.setattr(sys.modules[__name__], "ORACLE", fresh)
    return fresh


@pytest.mark.parametrize("off_thread", [True, False])
def test_work_that_comes_to_something_else_each_time_is_replayed_by_its_results(oracle, off_thread):
    strategy, again = Heeds(), Heeds()
    _, files = run(strategy, off_thread=off_thread)
    asked = oracle.asked
    assert asked == len(strategy.heard) >= 4
    result = replay(files, [again])
    assert result.is_exact, result.difference
    assert result.commands >= asked
    assert again.heard == strategy.heard
    # A replay asks nobody.
    assert oracle.asked == asked


@pytest.mark.parametrize("died_waiting", [False, True])
def test_after_a_crash_results_come_from_the_tape_and_open_work_is_begun_again(
    oracle, died_waiting
):
    whole = Heeds()
    first = Bench(whole)
    first.live(40)
    while died_waiting and not first.asked:
        first.node.run(1)
    asked, waiting = oracle.asked, len(first.asked)
    assert waiting == died_waiting
    first.node.journal.commit()
    back = Heeds()
    second = Bench(back, world=first.world, files=first.files, run_id="two")
    assert back.heard == whole.heard
    assert oracle.asked == asked
    assert len(second.asked) == waiting
    second.live()
    assert len(back.heard) == oracle.asked > asked
    second.node.stop()
    again = Heeds()
    result = replay(second.files, [again])
    assert result.is_exact, result.difference
    assert again.heard == back.heard


def test_after_a_crash_work_done_inline_comes_from_the_tape(oracle):
    whole = Heeds()
    first = Bench(whole, off_thread=False)
    first.live(47)
    asked = oracle.asked
    assert asked == len(whole.heard) >= 2
    first.node.driver.flush_tape()
    first.node.journal.commit()
    back = Heeds()
    second = Bench(back, off_thread=False, world=first.world, files=first.files, run_id="two")
    assert back.heard == whole.heard
    assert oracle.asked == asked
    second.live()
    assert oracle.asked == len(back.heard) > asked
    second.node.stop()
    again, total = Heeds(), oracle.asked
    result = replay(second.files, [again], run_id="two")
    assert result.is_exact, result.difference
    assert (again.heard, oracle.asked) == (back.heard, total)


def test_inputs_broken_off_within_a_piece_leave_what_was_asked_in_it_on_the_new_tape(oracle):
    bench = Bench(Heeds(), off_thread=False)
    bench.live(47)
    later = bench.node.driver.core.later
    later.take_made()
    later.recorded = {later._done + 1: (bench.node.kernel.clock.timestamp_ns, encode_result(7))}
    heard = []
    later.compute(bench.node.kernel.strategies[0], ORACLE, (), heard.append)
    ((_, _, data),) = later.take_made()
    assert decode_result(data) == 7


def test_a_result_without_a_form_on_the_tape_is_come_to_again():
    made: list[Any] = []

    def fit():
        made.append(object())
        return made[-1]

    class Fits(Strategy):
        def on_start(self):
            self.subscribe_bars("SPY", "1m")
            self.model = None

        def on_bar(self, bar):
            if self.model is None:
                self.compute(fit, then=self.on_model)

        def on_model(self, model):
            self.model = model

    strategy, again = Fits(), Fits()
    _, files = run(strategy, off_thread=True)
    assert strategy.model in made
    before = len(made)
    assert replay(files, [again]).is_exact
    assert again.model in made[before:]


def test_work_that_raised_is_replayed_without_raising_it_anew():
    strategy, again = Asks(broken=True), Asks(broken=True)
    node, files = run(strategy, off_thread=True)
    assert replay(files, [again]).is_exact
    assert not again.running
    assert "negative" in node.journal.state.stopped["Asks"]


# -- what the broker refuses -----------------------------------------------------------------------


class Wants(Strategy):
    """Asks for history that it does not get, and goes on or not."""

    timeframe: str = "90s"
    bars: int = 10
    catches: bool = True

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen: list[Any] = []

    def on_bar(self, bar):
        self.seen.append(bar.close)
        if len(self.seen) == 2:
            try:
                self.request_history("SPY", self.timeframe, self.bars, self.seen.append)
            except (ConfigError, OverflowError) as error:
                self.seen.append(type(error))
                if not self.catches:
                    raise


def wants(**params: Any) -> tuple[Node, Node]:
    """Return a run that a crash ends after the asking, and the one that plays it again."""
    world, strategy = World([walk(2, "SPY", 30)]), Wants(**params)
    first = Node(world, MemoryFiles(), [strategy], run_id="one", policies=policies("inputs"))
    first.start()
    first.run(12)
    first.journal.close()
    second = Node(world, first.files, [Wants(**params)], run_id="two", policies=policies("inputs"))
    second.start()
    return first, second


@pytest.mark.parametrize("timeframe", ["90s", "1mo", "2d"])
@pytest.mark.parametrize("catches", [True, False])
def test_a_start_does_not_ask_again_in_a_timeframe_that_was_refused(timeframe, catches):
    first, second = wants(timeframe=timeframe, catches=catches)
    (before,), (after,) = first.kernel.strategies, second.kernel.strategies
    assert before.seen[2] is ConfigError
    assert after.seen == before.seen
    assert after.running == before.running == catches
    second.run(3)
    second.stop()
    result = replay(second.files, [Wants(timeframe=timeframe, catches=catches)])
    assert result.is_exact, result.difference


def test_a_start_answers_with_nothing_what_cannot_be_asked_again(caplog):
    first, second = wants(timeframe="1w", bars=2**31 - 1)
    assert first.kernel.strategies[0].seen[2] is OverflowError
    assert second.kernel.strategies[0].seen[-1] == []
    assert "history of SPY is not asked for again" in caplog.text
    second.run(3)
    assert second.kernel.strategies[0].running

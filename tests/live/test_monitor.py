"""A handler that does not come back is broken off; one that cannot be is told, once."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import pyrt
from pyrt.errors import StrategyOverrun
from pyrt.live.process.monitor import NUMBER, TRIES, Monitor
from tests.live.test_runaway import frame_of

TIMEOUT_S = 0.05
DEADLINE_S = 20.0
OURS = Path(pyrt.__file__).parent / "live" / "core" / "node.py"

pytestmark = pytest.mark.skipif(
    NUMBER is None or threading.current_thread() is not threading.main_thread(),
    reason="signals do not reach this thread",
)


class Watched:
    """A monitor of this thread, and what it has told."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self.stuck: list[str] = []
        self.failed: list[Exception] = []
        self.monitor = Monitor(timeout_s, self.stuck.append, lambda: len(self.failed))

    def call(self, work: Callable[[], Any]) -> Any:
        """Call a strategy's code as the kernel does: from code of ours."""
        spaces: dict[str, Any] = {}
        exec(compile("def call(work):\n    return work()", str(OURS), "exec"), spaces)
        self.monitor.enter()
        try:
            return spaces["call"](work)
        finally:
            self.monitor.leave()

    def call_each(self, *works: Callable[[], Any]) -> None:
        """Call several, as the kernel does for one event: what one raises ends that one."""
        spaces: dict[str, Any] = {"failed": self.failed}
        text = """def call(works):
            for work in works:
                try:
                    work()
                except Exception as error:
                    failed.append(error)"""
        exec(compile(text, str(OURS), "exec"), spaces)
        self.monitor.enter()
        spaces["call"](works)
        self.monitor.leave()

    def wait_for(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + DEADLINE_S
        while not done():
            assert time.monotonic() < until, "nothing came"
            time.sleep(0.001)


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    before = signal.getsignal(signal.SIGUSR2)
    assert made.monitor.start() is True
    try:
        yield made
    finally:
        made.monitor.stop()
    assert signal.getsignal(signal.SIGUSR2) == before
    assert "pyrt-monitor" not in {thread.name for thread in threading.enumerate()}


def test_a_handler_without_end_is_broken_off_and_the_next_one_too(watched):
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(StrategyOverrun, match=r"the handler has run for \d+\.\d\d s") as error:
            watched.call(lambda: watched.wait_for(lambda: False))
        assert time.monotonic() - began >= TIMEOUT_S
        assert error.value.code == "overrun"
    assert watched.stuck == []


def test_a_handler_that_swallows_what_breaks_it_off_is_told_once(watched):
    swallowed = []

    def stubborn() -> None:
        until = time.monotonic() + DEADLINE_S
        # Two more after it was told: it is told once.
        while len(swallowed) < TRIES + 2 and time.monotonic() < until:
            try:
                watched.wait_for(lambda: False)
            except StrategyOverrun:
                swallowed.append(len(watched.stuck))

    watched.call(stubborn)
    assert swallowed == [0] * TRIES + [1] * 2
    (text,) = watched.stuck
    assert text.startswith("a handler has not come back for 0.")


def test_our_own_code_is_not_broken_off_and_told_each_time(watched):
    """It was told once in the life of a node: the second time nothing was canceled."""
    spaces: dict[str, Any] = {"now": time.monotonic}
    text = "def wait(told, until, n):\n    while len(told) < n and now() < until:\n        pass"
    exec(compile(text, str(OURS), "exec"), spaces)
    for count in (1, 2):
        until = time.monotonic() + DEADLINE_S
        watched.call(partial(spaces["wait"], watched.stuck, until, count))
        assert len(watched.stuck) == count


def test_what_runs_after_one_that_was_broken_off_has_a_limit_of_its_own(watched):
    """Of one event for many strategies the last was taken to be stuck, and all was canceled."""
    began: list[float] = []

    def hang() -> None:
        began.append(time.monotonic())
        watched.wait_for(lambda: False)

    watched.call_each(*[hang] * (TRIES + 2))
    assert [type(error) for error in watched.failed] == [StrategyOverrun] * (TRIES + 2)
    assert watched.stuck == []
    assert min(b - a for a, b in pairwise(began)) >= TIMEOUT_S


def test_a_start_has_longer(watched):
    watched.monitor.times = 1000
    watched.call(lambda: time.sleep(4 * TIMEOUT_S))
    watched.monitor.times = 1
    with pytest.raises(StrategyOverrun):
        watched.call(lambda: watched.wait_for(lambda: False))


def test_time_between_handlers_is_nobodys(watched):
    watched.call(lambda: None)
    time.sleep(4 * TIMEOUT_S)
    assert watched.stuck == []


def users() -> Any:
    return frame_of(Path("/strategies/mine.py"))


@pytest.mark.parametrize(
    ("number", "is_over", "frame", "is_broken"),
    [
        (2, False, users, True),
        # The signal was meant for the handler before; or comes when it has just come back.
        (1, False, users, False),
        (2, True, users, False),
        (2, False, lambda: frame_of(OURS), False),
        (2, False, lambda: None, False),
        (2, False, sys._getframe, False),
    ],
)
def test_only_the_handler_that_is_meant_is_broken_off(number, is_over, frame, is_broken):
    monitor = Watched().monitor
    monitor.enter()
    monitor.leave()
    monitor.enter()
    if is_over:
        monitor.leave()
    monitor._target = (number, 0)
    if is_broken:
        with pytest.raises(StrategyOverrun):
            monitor._on_signal(0, frame())
    else:
        monitor._on_signal(0, frame())


def test_a_thread_that_signals_do_not_reach_is_not_watched():
    made = Watched()
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(made.monitor.start()))
    thread.start()
    thread.join()
    assert found == [False]
    # What has not begun ends all the same.
    made.monitor.stop()


@pytest.mark.parametrize(
    ("timeout_s", "pause_s"), [(0.01, 0.005), (0.05, 0.005), (1.0, 0.1), (5.0, 0.5), (60.0, 0.5)]
)
def test_it_is_looked_ten_times_in_a_limit_and_twice_a_second_at_least(timeout_s, pause_s):
    assert Watched(timeout_s).monitor._pause_s == pytest.approx(pause_s)

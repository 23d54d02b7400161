"""The node's clock while somebody sets the machine's: it goes on, and tells of the jump once."""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from random import Random

import pytest

from pyrt.live.process.wall import JUMP_NS, WallClock

HOUR = 3_600_000_000_000
SECOND = 1_000_000_000
T = 1_700_000_000 * SECOND


class Machine:
    def __init__(self) -> None:
        self.wall, self.steady = T, 77
        self.clock = WallClock(lambda: self.wall, lambda: self.steady)

    def pass_by(self, ns: int) -> int:
        self.wall += ns
        self.steady += ns
        return self.clock.now()


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 2 * SECOND, -2 * SECOND])
def test_a_jump_is_told_once_and_not_followed(jump: int) -> None:
    machine = Machine()
    assert machine.pass_by(SECOND) == T + SECOND
    machine.wall += jump
    assert machine.pass_by(SECOND) == T + 2 * SECOND
    assert machine.clock.take_jump() == jump / 1e9
    machine.pass_by(SECOND)
    assert machine.clock.take_jump() is None
    machine.wall -= jump
    assert machine.pass_by(SECOND) == T + 4 * SECOND
    machine.wall += jump
    machine.pass_by(1)
    assert machine.clock.take_jump() == jump / 1e9


def test_another_jump_is_told_while_the_machine_is_still_apart() -> None:
    machine = Machine()
    told = []
    for jump in (HOUR, JUMP_NS, 1, -HOUR // 2, -HOUR // 2 - JUMP_NS - 1, HOUR):
        machine.wall += jump
        machine.pass_by(SECOND)
        told.append(machine.clock.take_jump())
    # One of no more than a second is told with the next: together they are beyond it. The one
    # before the last takes the machine back to where the node is.
    assert told == [3_600.0, None, 1.000000001, -1_800.0, None, 3_600.0]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_of_one_second_is_followed_and_of_more_is_told(sign: int) -> None:
    for apart, told in ((JUMP_NS, None), (JUMP_NS + 1, sign * 1.000000001)):
        machine = Machine()
        machine.wall += sign * apart
        now = machine.pass_by(400)
        assert now == T + 400 + (0 if told else sign * 2)
        assert machine.clock.take_jump() == told


@pytest.mark.parametrize("apart", [JUMP_NS // 2, -JUMP_NS // 2, 1, -1])
def test_a_small_difference_is_made_up_for_slowly(apart: int) -> None:
    machine = Machine()
    machine.wall += apart
    times = [machine.pass_by(SECOND) for _ in range(150)]
    steps = [after - before for before, after in pairwise(times)]
    assert all(abs(step - SECOND) <= SECOND // 200 for step in steps)
    assert times[-1] == machine.wall
    assert machine.clock.take_jump() is None


def test_time_never_steps_back_whatever_happens_to_the_machine() -> None:
    draw = Random(4)
    machine = Machine()
    last = machine.clock.now()
    for _ in range(2_000):
        if draw.random() < 0.1:
            machine.wall += draw.choice((1, -1)) * draw.randrange(2 * HOUR)
        now = machine.pass_by(draw.randrange(3 * SECOND))
        assert now >= last
        last = now


@pytest.mark.skipif(sys.platform != "linux", reason="the clock that counts sleep is Linux's")
def test_what_the_machine_slept_for_has_passed(monkeypatch) -> None:
    """The monotonic clock stands still meanwhile: all that is due came an hour late ever after."""
    slept = [0]
    clocks = {time.CLOCK_BOOTTIME: lambda: SECOND + slept[0], time.CLOCK_MONOTONIC: lambda: SECOND}
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: clocks[which]())
    monkeypatch.setattr(time, "monotonic_ns", lambda: SECOND)
    clock = WallClock(lambda: T + slept[0])
    slept[0] = HOUR
    assert clock.now() == T + HOUR
    assert clock.take_jump() is None

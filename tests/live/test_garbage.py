"""The collector in a node's hands: it looks while the node waits, and is given back as it was."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from pyrt.adapters.alpaca.node import garbage as module
from pyrt.adapters.alpaca.node.garbage import LATE, OLDER_EVERY, YOUNG, Garbage


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    taken = Garbage()
    taken.begin()
    yield taken
    taken.end()


def knot() -> weakref.ref[Knot]:
    return weakref.ref(Knot())


def test_thresholds_are_given_back():
    before = gc.get_threshold()
    garbage = Garbage()
    garbage.end()
    assert gc.get_threshold() == before
    garbage.begin()
    assert gc.get_threshold() == (LATE, *before[1:])
    assert gc.get_freeze_count() > 1000
    garbage.end()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_young_garbage_goes_while_the_node_waits(garbage):
    dead = knot()
    kept = [[i] for i in range(YOUNG)]
    assert dead() is not None
    garbage.collect()
    assert dead() is None
    assert len(kept) == YOUNG


def test_little_is_not_worth_a_look(garbage):
    gc.collect(0)
    dead = knot()
    garbage.collect()
    assert dead() is not None


@pytest.mark.parametrize(("rounds", "generation"), [(OLDER_EVERY, 1), (OLDER_EVERY**2, 2)])
def test_older_garbage_goes_now_and_then(garbage, monkeypatch, rounds, generation):
    monkeypatch.setattr(module, "YOUNG", 10)
    living = Knot()
    dead = weakref.ref(living)
    for _ in range(generation):
        gc.collect(generation - 1)
    del living
    kept: list[list[int]] = []
    seen = []
    for _ in range(rounds):
        kept.extend([i] for i in range(20))
        seen.append(dead() is None)
        garbage.collect()
    assert not any(seen), "what is old is not looked at each time"
    assert dead() is None

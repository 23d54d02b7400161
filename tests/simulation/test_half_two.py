"""Half of the schedules that every change has to pass: these trade all kinds of orders."""

from __future__ import annotations

import pytest

from tests.simulation.slices import Half

HALF = Half(1)


@pytest.mark.parametrize(("first", "count"), HALF.chunks)
def test_invariants_hold_in_every_schedule(first: int, count: int) -> None:
    assert HALF.run(first, count) == {}


def test_every_fault_has_struck_and_every_invariant_was_looked_at() -> None:
    """It comes last in this file, after all of its schedules."""
    if not HALF.is_complete:
        pytest.skip("too few schedules have run here to expect every fault")
    assert HALF.gaps() == []
    assert HALF.unknown_share <= 1

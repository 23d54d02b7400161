"""Half of the schedules that every change has to pass; `make simulate` runs any number."""

from __future__ import annotations

import pytest

from tests.simulation.run import run_chunk
from tests.simulation.slices import chunks_of


@pytest.mark.parametrize(("first", "count"), chunks_of(1))
def test_invariants_hold_in_every_schedule(first: int, count: int) -> None:
    assert run_chunk(first, count).failing == {}

"""A slice of the whole-node simulation; `make simulate` runs as many schedules as are asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.chances import ELSEWHERE, FAULTS, NOT_INJECTED
from tests.simulation.run import PLANTED, run_chunk, run_planted
from tests.simulation.world import World

ROOT = Path(__file__).resolve().parents[2]
SCHEDULES = int(os.environ.get("PYRT_SCHEDULES", "100"))
CHUNK = 25
REGRESSIONS = (32, 49, 63, 68)
"""Seeds that have found a fault once."""


@pytest.mark.parametrize("first", range(0, SCHEDULES, CHUNK))
def test_invariants_hold_in_every_schedule(first: int) -> None:
    assert run_chunk(first, min(CHUNK, SCHEDULES - first)).failing == {}


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_was_found_once_stays_mended(seed: int) -> None:
    assert run_chunk(seed, 1).failing == {}


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_fault_is_found(name: str) -> None:
    hostile, found = run_planted(name, 0, 60)
    assert hostile >= 3
    assert found >= PLANTED[name][1] * hostile


def test_the_same_seed_gives_the_same_trace_in_any_process() -> None:
    code = (
        "import logging; logging.disable(50)\n"
        "from tests.simulation.world import World\n"
        "print([World(seed).run() for seed in range(3)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1
    assert str([World(seed).run() for seed in range(3)]) == outputs.pop().strip()


def test_every_fault_of_the_list_is_injected_somewhere_or_said_not_to_be() -> None:
    names = [*FAULTS, *ELSEWHERE, *NOT_INJECTED]
    assert sorted(int(name[1:]) for name in names) == list(range(1, 54))
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).exists()] == []


def test_the_node_under_test_is_the_one_that_is_shipped() -> None:
    assert World(0)._make_client.__module__ == "pyrt.adapters.alpaca.client"

"""What the whole-node simulation promises of itself; `test_half_*.py` run the schedules."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.simulation.chances import ELSEWHERE, FAULTS
from tests.simulation.checks import INVARIANTS, Violation
from tests.simulation.node import Node
from tests.simulation.run import (
    PLANTED,
    Report,
    compare_traces,
    main,
    run_chunk,
    run_planted,
)
from tests.simulation.world import World

ROOT = Path(__file__).resolve().parents[2]
IN_ORDER = [f"F{number}" for number in range(1, 54)]
NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
REGRESSIONS = (
    32, 45, 49, 57, 63, 68, 113, 140, 179, 180, 368, 454, 534, 695,
    950, 1031, 1112, 1341, 2099, 2339, 3663, 3749, 5555, 5964, 7941, 13288,
    10824, 11045, 12630, 13565, 16359, 50138, 50165, 50259, 50267,
    50472, 50494, 50850, 50858, 51027, 51391,
    54040, 54307, 54543, 55438, 55486, 56488, 57295, 60576, 50721, 67718, 104439, 50046, 103380,
    117730, 133924, 135627, 138130, 139137, 143885, 146918, 153707, 130036, 50590, 400107, 400126,
    401597, 402544, 312598, 315750, 316252, 441256, 444105, 4809, 53470, 130199, 401706, 404137,
    57156, 61774, 143871, 421899, 28977, 526604, 163897, 95336, 611485, 50157,
    640769, 640178, 840264, 753756, 654443, 872249, 574558, 823025, 774611, 475241, 882863,
    483105,
)  # fmt: skip
"""Seeds that have found a fault once, in the node or in the judgment of it."""


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_was_found_once_stays_mended(seed: int) -> None:
    assert run_chunk(seed, 1).failing == {}


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_fault_is_found(name: str) -> None:
    hostile, found = run_planted(name, 0, 120)
    assert hostile >= 3
    assert found >= PLANTED[name].share * hostile


@pytest.mark.parametrize("seed", [40, 105])
def test_a_node_that_lifts_a_kill_by_itself_is_found_by_what_leaves(seed: int, monkeypatch) -> None:
    press = Node.press

    def forgetful(node: Node, action: str, reason: str) -> bool:
        was_pressed = press(node, action, reason)
        if was_pressed and action == "halt":
            node.driver.operate("resume", "nobody", "of this test")
        return was_pressed

    monkeypatch.setattr(Node, "press", forgetful)
    with pytest.raises(Violation, match=r"I6: .*after the kill switch"):
        World(seed).run()


def test_the_same_seed_gives_the_same_trace_in_any_process() -> None:
    assert compare_traces(0, 1_000 if NIGHTLY else 4) == []


def test_a_trace_tells_schedules_apart() -> None:
    assert len({World(seed).run() for seed in (0, 4, 5)}) == 3


def test_the_closing_line_counts_faults_and_invariants_one_by_one(capsys) -> None:
    assert main(["--seeds", "2", "--first", "4"]) == 0
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    names = "schedules orders faults checks unknown_at_end violations failing_seeds"
    assert list(line) == names.split()
    assert (line["schedules"], line["violations"], line["failing_seeds"]) == (2, 0, [])
    assert list(line["faults"]) == [name for name in IN_ORDER if name in FAULTS]
    assert list(line["checks"]) == list(INVARIANTS)
    assert line["checks"]["I1"] > 0


def test_a_violation_names_its_seed_and_fails_the_run(capsys, monkeypatch) -> None:
    def spoiled(world: World) -> str:
        raise Violation("I2: of this test")

    monkeypatch.setattr(World, "run", spoiled)
    assert main(["--seeds", "1", "--first", "77"]) == 1
    told = capsys.readouterr().out
    assert "python -m tests.simulation --seeds 1 --first 77 --trace" in told
    assert json.loads(told.strip().splitlines()[-1])["failing_seeds"] == [77]


def test_what_never_happened_fails_a_large_run() -> None:
    report = Report()
    report.tally.faults.update(dict.fromkeys(FAULTS, 1))
    report.tally.checks.update(dict.fromkeys(INVARIANTS, 1))
    assert report.missing() == []
    del report.tally.faults["F17"], report.tally.checks["I20"]
    report.elsewhere = {"F49": 0, "F51": 3}
    assert report.missing() == ["F17", "I20", "F49"]


def test_every_fault_of_the_list_is_injected_somewhere() -> None:
    assert sorted([*FAULTS, *ELSEWHERE], key=lambda name: int(name[1:])) == IN_ORDER
    paths = [tests.split()[0] for tests in ELSEWHERE.values()]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_node_under_test_is_the_one_that_is_shipped() -> None:
    assert World(0)._make_client.__module__ == "pyrt.adapters.alpaca.core.client"

"""Budgets are well-formed, and the runner judges rows by them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks.run import judge, modules

ROOT = Path(__file__).resolve().parent.parent
BUDGETS = tomllib.loads((ROOT / "benchmarks" / "budgets.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", BUDGETS["rows"])
def test_a_budget_has_one_bound_and_a_unit(name: str) -> None:
    budget = BUDGETS["rows"][name]
    assert budget["unit"]
    assert len({"max", "min"} & budget.keys()) <= 1
    assert ("beside" in budget) == (budget.get("of") == "ratio")


def test_rows_that_are_pending_have_a_budget() -> None:
    assert set(BUDGETS["pending"]) <= BUDGETS["rows"].keys()


@pytest.mark.parametrize(
    ("value", "ratio", "budget", "ok"),
    [
        (50.0, None, {"max": 60}, True),
        (60.0, None, {"max": 60}, True),
        (61.0, None, {"max": 60}, False),
        (299_000.0, None, {"min": 300_000}, False),
        (300_000.0, None, {"min": 300_000}, True),
        (999.0, 2.4, {"max": 2.5, "of": "ratio"}, True),
        (1.0, 2.6, {"max": 2.5, "of": "ratio"}, False),
        (1.0, None, {"max": 2.5, "of": "ratio"}, False),
        (1e9, None, {}, True),
        (1e9, None, None, True),
    ],
)
def test_a_row_is_judged_by_its_bound(
    value: float, ratio: float | None, budget: dict[str, Any] | None, ok: bool
) -> None:
    row = judge({"name": "x", "value": value, "unit": "ns", "ratio": ratio}, budget)
    assert row["ok"] is ok
    assert list(row) == ["name", "value", "unit", "ratio", "budget", "ok"]


def test_modules_that_measure_are_found() -> None:
    assert {"engine", "orders", "memory", "loading"} <= set(modules())
    assert {"run", "timing", "profiled"} & set(modules()) == set()


def test_the_checked_build_of_the_tree_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/run.py", "engine"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "checked build" in done.stderr

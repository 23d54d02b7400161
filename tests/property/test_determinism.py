"""Same inputs, same outputs, in any process; a change that matters changes the hash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backtest.harness import SYMBOL, Script, play
from tests.property.ledger import random_bars

ROOT = Path(__file__).parents[2]
FLAT = (100, 100, 100, 100)

PROGRAM = """
from tests.property.test_ledger import noise_run
print(noise_run(3, 120, fees="bps:1", participation=0.1).outcome.run_hash)
"""


def hash_in_process(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip()


def test_a_run_hash_is_equal_in_any_process() -> None:
    from tests.property.test_ledger import noise_run

    here = noise_run(3, 120, fees="bps:1", participation=0.1).outcome.run_hash
    assert {hash_in_process(seed) for seed in ("0", "1", "4711")} == {here}


def run_hash(bars: Any = None, steps: Any = None, seed: int = 0, **options: Any) -> str:
    bars = bars if bars is not None else [FLAT, (101, 103, 99, 102), FLAT]
    steps = steps or {0: lambda s: s.buy(SYMBOL, 10)}
    return str(play(bars, steps, engine={"seed": seed}, **options).outcome.run_hash)


def test_the_same_run_has_the_same_hash() -> None:
    assert run_hash() == run_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"bars": [FLAT, (101 + 1e-9, 103, 99, 102), FLAT]},
        {"seed": 1},
        {"fees": "fixed:0.01"},
        {"fill": "next_close"},
        {"cash": 100_001},
        {"steps": {0: lambda s: s.buy(SYMBOL, 11)}},
        {"steps": {0: lambda s: s.buy(SYMBOL, 10, tag="x")}},
        {"steps": {1: lambda s: s.buy(SYMBOL, 10)}},
        {"steps": {0: lambda s: [s.buy(SYMBOL, 10), s.buy(SYMBOL, 1, limit_price=1)]}},
    ],
    ids=["price by 1e-9", "seed", "fees", "fill", "cash", "size", "tag", "time", "resting order"],
)
def test_what_matters_changes_the_hash(change: dict[str, Any]) -> None:
    assert run_hash(**change) != run_hash()


def test_two_fills_that_swap_change_the_hash() -> None:
    tables = {"AAA": [FLAT, FLAT, FLAT], "BBB": [FLAT, FLAT, FLAT]}

    def swapped(first: str, second: str) -> Any:
        script = Script({0: lambda s: [s.buy(first, 1), s.buy(second, 1)]})
        return play(tables, script).outcome

    a, b = swapped("AAA", "BBB"), swapped("BBB", "AAA")
    assert a.run_hash != b.run_hash


def test_the_order_of_streams_decides_ties_and_the_hash_shows_it() -> None:
    bars = [FLAT, (100, 100, 98, 99)]

    def result(order: list[str]) -> Any:
        script = Script(
            {0: lambda s: [s.buy("AAA", 1, limit_price=99), s.buy("BBB", 1, limit_price=99)]}
        )
        return play(dict.fromkeys(order, bars), script).outcome

    one, two = result(["AAA", "BBB"]), result(["BBB", "AAA"])
    fills = [list(o.kernel_columns["fills"]["symbol"]) for o in (one, two)]
    assert fills == [["AAA", "BBB"], ["BBB", "AAA"]]
    assert one.run_hash != two.run_hash


def test_an_engine_that_is_reset_repeats_its_run() -> None:
    bars = np.round(random_bars(8, 50, 100.0), 2).tolist()
    steps = {i: (lambda s: s.buy(SYMBOL, 1)) for i in range(0, 40, 3)}
    assert run_hash(bars, steps) == run_hash(bars, steps)

"""Every example runs alone and through `pyrt backtest`, and both are the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyrt.cli import main

from .loading import EXAMPLES, NAMES, example

START = ("--start", "2005-08-01")
SHELL = {
    "sma_cross": ("", "GOOG", ("--set", "symbol=GOOG", "--set", "timeframe=1d")),
    "sma_50_200": (
        ":GoldenCross",
        "GOOG",
        ("--adjusted", "--fees", "per_share:0.005/1", "--slippage", "bps:2", *START),
    ),
    "rotation": (
        "",
        "AAPL,GOOG,IBM,MSFT",
        ("--adjusted", "--fees", "per_share:0.005/1", "--slippage", "bps:2"),
    ),
    "bracket": ("", "GOOG", ()),
    "pair_talk": (":Watcher,Trader", "IBM,MSFT", ("--adjusted", "--fees", "per_share:0.005/1")),
}


def test_every_example_is_tested_here() -> None:
    assert sorted(SHELL) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_alone_it_prints_a_table(name: str, tmp_path: Path) -> None:
    pytest.importorskip("bokeh_sampledata")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Sharpe" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_shell_makes_the_same_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("bokeh_sampledata")
    classes, symbols, arguments = SHELL[name]
    path = f"{EXAMPLES / name}.py{classes}"
    sample = f"sample:{symbols}"
    code = main(["backtest", path, "--data", sample, "--calendar", "XNYS", "--json", *arguments])
    assert code == 0
    found = json.loads(capsys.readouterr().out)
    result = example(name).run()
    if isinstance(result, dict):
        result = result["GOOG"][0]
    assert found["run_hash"] == result.run_hash


@pytest.mark.parametrize("name", NAMES)
def test_it_is_under_a_page_and_a_half(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) <= 100


@pytest.mark.parametrize("name", ["sma_cross", "bracket"])
def test_it_runs_on_recorded_minutes(name: str, shared_data: Path) -> None:
    result = example(name).run(str(shared_data / "eq_bars_1m.parquet"), "SPY", "1m")
    assert result.events_processed == 5_786
    assert result.summary["fills"] > 0

"""`pyrt backtest`: what it runs, what it prints, and how it ends."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from pyrt import backtest
from pyrt.cli import options

from .conftest import Shell, daily_bars

RUN = ("backtest", "flip.py", "--data", "spy.csv", "--label", "open")
KEYS = [
    *("events_processed", "elapsed_s", "run_hash", "summary"),
    *("fills", "orders", "final_equity"),
]


def test_json_is_one_object_with_the_promised_keys(pyrt: Shell) -> None:
    shown = pyrt(*RUN, "--json")
    found = json.loads(shown.out)
    assert list(found) == KEYS
    assert shown.out.count("\n") == 1
    assert (shown.code, shown.err) == (0, "")


def test_a_run_is_worth_what_its_bars_say(pyrt: Shell) -> None:
    # Every tenth bar buys 5 at the next open, and the bar after that leaves: one day, one point.
    found = json.loads(pyrt(*RUN, "--json").out)
    assert found["events_processed"] == 60
    assert (found["orders"], found["fills"]) == (11, 10)
    assert found["summary"]["trades"] == 5
    assert found["final_equity"] == 100_000 + 5 * 5 * 1.0


def test_the_shell_and_the_library_make_the_same_run(pyrt: Shell, folder: Path) -> None:
    options_given = ("--cash", "5000", "--fees", "bps:2", "--slippage", "bps:1", "--seed", "7")
    found = json.loads(pyrt(*RUN, *options_given, "--set", "every=7", "--json").out)
    from pyrt.cli.strategy_file import strategy_classes

    (flip,) = strategy_classes(str(folder / "flip.py"))
    result = backtest(
        flip(every=7),
        daily_bars(),
        label="open",
        symbol="SPY",
        cash=5000,
        fees="bps:2",
        slippage="bps:1",
        seed=7,
    )
    assert found["run_hash"] == result.run_hash


def test_undefined_figures_are_null(pyrt: Shell) -> None:
    shown = pyrt(*RUN, "--set", "every=1000", "--json")
    assert json.loads(shown.out)["summary"]["win_rate"] is None
    assert "NaN" not in shown.out


def test_what_a_strategy_prints_leaves_json_alone(pyrt: Shell) -> None:
    shown = pyrt(*RUN, "--json", "--set", "loud=true", "--set", "shares=0.25,0.75")
    assert list(json.loads(shown.out)) == KEYS
    assert shown.err == "loud (0.25, 0.75) None\n"


def test_the_table_is_printed_and_the_report_written(pyrt: Shell, folder: Path) -> None:
    shown = pyrt(*RUN, "--report", "out.html", "--explain")
    assert shown.code == 0
    assert shown.out.startswith("Flip(symbol='SPY', every=10, size=5.0")
    assert "Every order traded" not in shown.out
    assert shown.out.endswith("Report: out.html\n")
    assert (folder / "out.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("requirement", "code"),
    [
        ("trades=5", 0),
        ("trades=6", 3),
        ("trades<=5", 0),
        ("trades<=4", 3),
        ("max_drawdown=1", 0),
        ("max_drawdown=-1", 3),
        ("max_drawdown>=1", 3),
        ("final_equity=100025", 0),
        ("final_equity = 100025.01", 3),
    ],
)
def test_requirements_set_the_exit_code(pyrt: Shell, requirement: str, code: int) -> None:
    shown = pyrt(*RUN, "--require", requirement)
    assert shown.code == code
    assert ("Not met" in shown.err) == (code == 3)


def test_an_undefined_figure_meets_no_requirement(pyrt: Shell) -> None:
    shown = pyrt(*RUN, "--set", "every=1000", "--require", "profit_factor<=1e9", "--json")
    assert shown.code == 3
    assert shown.err == "Not met: profit_factor is undefined, required at most 1e+09\n"
    assert list(json.loads(shown.out)) == KEYS


def test_several_strategies_share_one_account(pyrt: Shell) -> None:
    shown = pyrt(
        *("backtest", "pair.py:First,Second", "--data", "spy.csv", "--label", "open"),
        *("--set", "size=2", "--set", "Second.size=3", "--symbol", "SPY", "--json"),
    )
    found = json.loads(shown.out)
    assert found["fills"] == 2
    # Bought at the second open, 101, and marked at the last close, 159.5.
    assert math.isclose(found["final_equity"], 100_000 + (2 + 3) * (159.5 - 101.0))


def test_each_symbol_may_have_a_file_of_its_own(pyrt: Shell, folder: Path) -> None:
    daily_bars().to_csv(folder / "qqq.csv")
    shown = pyrt(
        *("backtest", "flip.py", "--data", "SPY=spy.csv", "--data", "QQQ=qqq.csv"),
        *("--label", "open", "--json"),
    )
    assert json.loads(shown.out)["events_processed"] == 120


def test_start_withholds_bars_and_end_drops_them(pyrt: Shell) -> None:
    shown = pyrt(*RUN, "--start", "2024-01-11", "--end", "2024-01-20", "--warmup", "0", "--json")
    assert json.loads(shown.out)["events_processed"] == 10


def test_splits_and_dividends_are_applied(pyrt: Shell, folder: Path) -> None:
    # Bought at 101 on the second day; ten dollars a share on the fortieth.
    pd.DataFrame(
        {
            "symbol": ["SPY"],
            "ex_date": ["2024-02-09"],
            "kind": ["cash_dividend"],
            "split_ratio": [1.0],
            "cash_amount": [10.0],
        }
    ).to_parquet(folder / "actions.parquet")
    shown = pyrt(
        *("backtest", "pair.py:First", "--data", "spy.csv", "--label", "open", "--symbol", "SPY"),
        *("--corporate-actions", "actions.parquet", "--json"),
    )
    assert math.isclose(json.loads(shown.out)["final_equity"], 100_000 + 159.5 - 101.0 + 10.0)


def test_choices_are_those_of_the_library() -> None:
    from pyrt.backtest.venue import CHILD_RULES, PATHS, TIMINGS
    from pyrt.data.options import KINDS, REPAIRS

    assert set(options.FILLS) == set(TIMINGS)
    assert set(options.PATHS) == set(PATHS)
    assert set(options.CHILDREN) == set(CHILD_RULES)
    assert set(options.REPAIRS) == set(REPAIRS)
    assert set(options.KINDS) == set(KINDS)


def test_alpaca_refuses_in_the_shell_too(pyrt: Shell, folder: Path) -> None:
    # 5 shares at some 100 dollars are bought by an account of 100: it cannot carry them.
    code = pyrt(*RUN, "--venue", "alpaca", "--cash", "100", "--explain")
    assert "40310000: insufficient buying power" in code.out

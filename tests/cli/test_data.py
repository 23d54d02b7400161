"""`pyrt data check` and `pyrt indicators`: what a table holds, what there is to attach."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Shell, daily_bars


def test_a_sound_table_is_described(pyrt: Shell) -> None:
    shown = pyrt("data", "check", "spy.csv", "--label", "open", "--symbol", "SPY")
    assert shown.code == 0
    assert shown.out.splitlines()[0] == (
        "SPY 1d bars: 60 rows, 2024-01-02T00:00:00Z to 2024-03-01T00:00:00Z"
    )


def test_a_table_without_a_symbol_goes_by_its_name(pyrt: Shell) -> None:
    assert pyrt("data", "check", "spy.csv", "--label", "open").out.startswith("spy 1d bars: ")


def test_json_has_the_hash_that_a_run_records(pyrt: Shell) -> None:
    from pyrt.data import load

    found = json.loads(
        pyrt("data", "check", "spy.csv", "--label", "open", "--symbol", "SPY", "--json").out
    )
    (columns,) = load(daily_bars(), label="open", symbol="SPY").columns
    assert found["hashes"] == [columns.content_hash().hex()]
    assert found["rows"] == 60


def test_faults_name_their_rows(pyrt: Shell, folder: Path) -> None:
    bars = daily_bars()
    bars.iloc[7, bars.columns.get_loc("high")] = 1.0
    bars.to_csv(folder / "bad.csv")
    shown = pyrt("data", "check", "bad.csv", "--label", "open")
    assert shown.code == 2
    assert "row 7" in shown.err
    repaired = pyrt("data", "check", "bad.csv", "--label", "open", "--repair", "clip")
    assert repaired.code == 0
    assert "repaired: clip, 1 rows" in repaired.out


def test_indicators_are_listed_with_what_they_take(pyrt: Shell) -> None:
    from pyrt.indicators.names import FAMILIES

    found = json.loads(pyrt("indicators", "--json").out)
    assert [entry["name"] for entry in found] == [n for names in FAMILIES.values() for n in names]
    rsi = next(entry for entry in found if entry["name"] == "RSI")
    assert rsi["parameters"] == {"timeperiod": 14}
    assert rsi["lookback"] == 14
    listed = pyrt("indicators").out
    assert "averages:\n  SMA(timeperiod=30)\n      Simple moving average" in listed
    assert "  MACD(fastperiod=12, slowperiod=26, signalperiod=9)\n" in listed


def test_one_indicator_shows_how_it_is_made_in_any_case(pyrt: Shell) -> None:
    shown = pyrt("indicators", "sma")
    assert shown.out.startswith("SMA(timeperiod=30)\ntakes value; gives value; warm-up 29 rows")
    assert "timeperiod : int, default 30" in shown.out
    assert json.loads(pyrt("indicators", "sma", "--json").out)["name"] == "SMA"

"""Contracts over several units: what results say of them counts every unit."""

from __future__ import annotations

import pytest

from pyrt.analysis.record import FILL_COLUMNS
from pyrt.core.instruments import Instrument
from pyrt.facade import result_of
from tests.backtest.harness import MINUTE, START, SYMBOL, Script, play

FLAT = (100, 100, 100, 100)
EVENING = START + 86_400_000_000_000 - 3 * MINUTE


def test_contracts_count_with_their_multiplier() -> None:
    """One over 50 units, bought at 100, worth 102 as its day ends, sold at 100 on the next."""
    run = play(
        {"ESZ": [FLAT, FLAT, (100, 102, 100, 102), FLAT, FLAT, FLAT]},
        Script({0: lambda s: s.buy("ESZ", 1), 3: lambda s: s.close("ESZ")}, "ESZ"),
        instrument=Instrument("ESZ", multiplier=50),
        start=EVENING,
    )
    result = result_of(run.outcome)
    result.record.check()
    assert list(result.record.fills["notional"]) == [5_000.0, 5_000.0]
    assert list(result.fills) == list(FILL_COLUMNS)
    # The days end with 100,100 and 100,000.
    assert result.summary["turnover"] == pytest.approx(10_000 / 100_050)
    _, positions, _ = result.to_pyfolio()
    assert positions["ESZ"].tolist() == pytest.approx([5_100.0, 0.0])
    assert positions.sum(axis=1).tolist() == pytest.approx([100_100.0, 100_000.0])


def test_fills_of_runs_without_a_multiplier_state_no_notional() -> None:
    run = play([FLAT] * 3, {0: lambda s: s.buy(SYMBOL, 1)})
    assert list(result_of(run.outcome).record.fills) == list(FILL_COLUMNS)

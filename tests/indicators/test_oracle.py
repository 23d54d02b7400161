"""TA-Lib's functions against exact arithmetic: right where TA-Lib is, and right where it is not."""

from __future__ import annotations

import os
from pathlib import Path

import mpmath
import numpy as np
import pyarrow.parquet as parquet
import pytest
import talib

from tests.indicators.oracle import judge
from tests.indicators.series import SERIES, Columns
from tests.reference.exact_talib import FUNCTIONS

NAMES = sorted(FUNCTIONS)
PATTERNS = set(talib.get_function_groups()["Pattern Recognition"])

# Where a price runs dead straight, what these compute is the rounding of its digits, magnified.
# MACDFIX's histogram fades to that as well.
CHAOTIC = {"MAMA", "MACDFIX", *(name for name in NAMES if name.startswith("HT_"))}
STRAIGHT = {"constant", "rising", "falling"}


@pytest.fixture(autouse=True)
def digits() -> object:
    with mpmath.workdps(200 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 40):
        yield


def assert_no_faults(name: str, series: str, bars: Columns) -> None:
    for case in judge(name, series, bars):
        assert not case.faults, str(case)


def test_every_function_but_the_patterns_has_an_exact_twin() -> None:
    every = {name for names in talib.get_function_groups().values() for name in names}
    assert every - PATTERNS == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_spike_is_forgotten_as_exactly_as_it_came(name: str) -> None:
    spiked = {key: column[120:330] for key, column in SERIES["spiked"]().items()}
    assert_no_faults(name, "spiked", spiked)


@pytest.mark.nightly
@pytest.mark.parametrize("series", list(SERIES))
@pytest.mark.parametrize("name", NAMES)
def test_all_series_at_200_digits(name: str, series: str) -> None:
    if name in CHAOTIC and series in STRAIGHT:
        pytest.skip("chaotic on a straight line; see the table of differences")
    assert_no_faults(name, series, {k: v[:400] for k, v in SERIES[series]().items()})


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Columns:
    """Daily bars of one stock."""
    table = parquet.read_table(shared_data / "eq_bars_1d_1998_2021.parquet")
    symbols = table["symbol"].to_pandas()
    rows = np.flatnonzero(symbols == symbols.iloc[0])[:300]
    names = ("open", "high", "low", "close", "volume")
    return {name: table[name].to_numpy().astype(float)[rows] for name in names}


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_recorded_bars(name: str, recorded: Columns) -> None:
    assert_no_faults(name, "recorded", recorded)

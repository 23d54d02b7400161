"""What every indicator promises: one kernel, one NaN rule, reset, warm-up, no look-ahead."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import pyrt.indicators as indicators
from pyrt.errors import DataError
from pyrt.indicators import catalog
from tests.indicators.series import columns_for, defined_for, ticks, walk

ENTRIES = catalog()
NAMES = [entry.name for entry in ENTRIES]
COUNTS_ROWS = {"MAXINDEX", "MININDEX", "MINMAXINDEX"}


def matrix(result: object) -> NDArray[np.float64]:
    """Outputs side by side, shape (rows, outputs)."""
    arrays = result if isinstance(result, tuple) else (result,)
    return np.column_stack(arrays)


def stream(indicator: object, columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    rows = []
    for row in zip(*[c.tolist() for c in columns]):
        indicator.update(*row)
        rows.append(indicator.values)
    return np.array(rows)


@pytest.mark.parametrize("name", NAMES)
def test_updates_and_batch_give_the_same_bits(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = defined_for(name, indicator.inputs, walk(700))
    expected = matrix(indicator.batch(*columns))
    got = stream(indicator, columns)
    assert got.tobytes() == expected.tobytes() or np.array_equal(got, expected, equal_nan=True)
    assert indicator.value == got[-1, 0]
    for k, output in enumerate(indicator.outputs):
        assert getattr(indicator, output) == got[-1, k]


@pytest.mark.parametrize("name", NAMES)
def test_ready_turns_true_with_the_first_defined_row_and_stays(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = defined_for(name, indicator.inputs, walk(400))
    for i, row in enumerate(zip(*[c.tolist() for c in columns])):
        indicator.update(*row)
        assert indicator.ready == (i >= indicator.lookback)
        assert all(np.isnan(v) != indicator.ready for v in indicator.values), i


@pytest.mark.parametrize("name", NAMES)
def test_reset_starts_afresh(name: str) -> None:
    indicator = getattr(indicators, name)()
    first = columns_for(indicator.inputs, ticks(150))
    second = columns_for(indicator.inputs, walk(250))
    stream(indicator, first)
    indicator.reset()
    assert not indicator.ready
    assert np.isnan(indicator.value)
    got = stream(indicator, second)
    assert np.array_equal(got, matrix(indicator.batch(*second)), equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_future_rows_never_change_past_outputs(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = columns_for(indicator.inputs, walk(700))
    whole = matrix(indicator.batch(*columns))
    for rows in (1, 130, 511, 513, 640):
        part = matrix(indicator.batch(*[c[:rows] for c in columns]))
        assert np.array_equal(part, whole[:rows], equal_nan=True)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in COUNTS_ROWS])
def test_gap_rows_are_nan_and_otherwise_as_if_absent(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = columns_for(indicator.inputs, walk(600))
    clean = matrix(indicator.batch(*columns))
    at = [0, 0, 3, 200, 201, 511, 512, 600]
    holed = [
        np.insert(c, at, np.nan) if k == 0 else np.insert(c, at, 1.0) for k, c in enumerate(columns)
    ]
    gap = np.isnan(holed[0])
    got = matrix(indicator.batch(*holed))
    assert np.isnan(got[gap]).all()
    assert np.array_equal(got[~gap], clean, equal_nan=True)
    indicator.update(*[c[5] for c in columns])
    indicator.update(*([np.nan] * len(columns)))
    assert np.isnan(indicator.values).all()


@pytest.mark.parametrize("name", ["MAXINDEX", "MININDEX", "MINMAXINDEX"])
def test_row_numbers_count_leading_gaps(name: str) -> None:
    indicator = getattr(indicators, name)(5)
    x = walk(60)["close"]
    late = matrix(indicator.batch(np.concatenate((np.full(7, np.nan), x))))[7:]
    assert np.array_equal(late, matrix(indicator.batch(x)) + 7, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_batch_takes_no_rows_and_leaves_its_input_alone(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = columns_for(indicator.inputs, walk(50))
    copies = [c.copy() for c in columns]
    indicator.batch(*columns)
    assert all(np.array_equal(a, b) for a, b in zip(columns, copies))
    assert not indicator.ready
    assert matrix(indicator.batch(*[c[:0] for c in columns])).shape == (0, len(indicator.outputs))


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(DataError, match="equal length"):
        indicators.ATR().batch([1.0, 2.0], [1.0], [1.0, 2.0])


def test_whole_numbers_lists_and_strided_arrays_are_taken() -> None:
    expected = indicators.SMA(2).batch([1.0, 2.0, 4.0])
    assert np.array_equal(indicators.SMA(2).batch([1, 2, 4]), expected, equal_nan=True)
    strided = np.array([1, 9, 2, 9, 4, 9], dtype=np.float32)[::2]
    assert np.array_equal(indicators.SMA(2).batch(strided), expected, equal_nan=True)


def test_an_entry_tells_how_to_call_its_indicator() -> None:
    entry = {entry.name: entry for entry in ENTRIES}["MACD"]
    assert entry.parameters == {"fastperiod": 12, "slowperiod": 26, "signalperiod": 9}
    assert entry.inputs == ("value",)
    assert entry.outputs == ("macd", "macdsignal", "macdhist")
    assert entry.lookback == 33
    assert entry.summary.startswith("Moving average convergence")


def test_a_star_imports_every_name() -> None:
    names: dict[str, object] = {}
    exec("from pyrt.indicators import *", names)
    assert {"SMA", "PyIndicator", "cross_above", "FeatureSet"} <= set(names)
    assert {entry.name for entry in ENTRIES} <= set(names)


def test_period_and_repr_show_the_parameters() -> None:
    assert indicators.RSI(9).period == 9
    assert repr(indicators.BBANDS(10, nbdevup=1.5)) == (
        "BBANDS(timeperiod=10, nbdevup=1.5, nbdevdn=2.0, matype=0)"
    )


@pytest.mark.parametrize("name", ["MOM", "ROC", "RSI", "SMA", "CDLDOJI"])
@pytest.mark.parametrize("timeperiod", [1, 10, 2_048, 3_000])
def test_gaps_anywhere_in_long_columns_are_as_if_absent(name: str, timeperiod: int) -> None:
    # Batches go in stretches of 512 rows and more: gaps at their ends, in clusters, and far apart.
    make = getattr(indicators, name)
    indicator = make() if name.startswith("CDL") else make(timeperiod)
    columns = columns_for(indicator.inputs, walk(9_000))
    at = [0, 511, 512, 2_047, 2_048, 2_049, 4_096, 4_100, 8_191, 8_192, 8_999]
    holed = [np.insert(c, at, np.nan) for c in columns]
    gap = np.isnan(holed[0])
    got = matrix(indicator.batch(*holed))
    assert np.isnan(got[gap]).all()
    assert np.array_equal(got[~gap], matrix(indicator.batch(*columns)), equal_nan=True)
    assert np.array_equal(got, stream(indicator, holed), equal_nan=True)


def test_a_momentum_of_infinities_is_their_difference() -> None:
    x = walk(5_000)["close"].copy()
    x[[300, 310, 4_000, 4_005]] = [np.inf, np.inf, -np.inf, np.inf]
    with np.errstate(invalid="ignore"):
        expected = np.concatenate((np.full(10, np.nan), x[10:] - x[:-10]))
    assert np.array_equal(indicators.MOM(10).batch(x), expected, equal_nan=True)

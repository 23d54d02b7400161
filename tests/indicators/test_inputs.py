"""What columns and parameters may be: any array of numbers, and typed errors for all else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import pyrt.indicators as indicators
from pyrt.errors import ConfigError, DataError
from pyrt.indicators import FeatureSet, PyIndicator, catalog
from tests.indicators.series import columns_for, walk

ENTRIES = catalog()
NAMES = [entry.name for entry in ENTRIES]


def locked(column: Any) -> Any:
    found = column.copy()
    found.setflags(write=False)
    return found


SAME = {
    "list": lambda c: c.tolist(),
    "Series": pd.Series,
    "nullable Series": lambda c: pd.Series(c, dtype="Float64"),
    "Index": pd.Index,
    "Arrow": pa.array,
    "strided": lambda c: np.repeat(c, 2)[::2],
    "reversed": lambda c: c[::-1].copy()[::-1],
    "read-only": locked,
    "objects": lambda c: c.astype(object),
    "other byte order": lambda c: c.astype(">f8"),
}
ROUNDED = {
    "float32": np.float32,
    "int64": np.int64,
    "int32": np.int32,
    "uint8": np.uint8,
    "bool": np.bool_,
}


def outputs(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def assert_equal(found: Any, expected: Any) -> None:
    for one, other in zip(outputs(found), outputs(expected), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_any_column_of_the_same_numbers_gives_the_same(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = columns_for(indicator.inputs, walk(150))
    expected = indicator.batch(*columns)
    for convert in SAME.values():
        assert_equal(indicator.batch(*map(convert, columns)), expected)
    for kind in ROUNDED.values():
        given = [np.mod(np.floor(c), 200).astype(kind) for c in columns]
        assert_equal(indicator.batch(*given), indicator.batch(*[c.astype(float) for c in given]))


@pytest.mark.parametrize("name", NAMES)
def test_fewer_rows_than_the_warm_up_give_as_many_that_are_undefined(name: str) -> None:
    indicator = getattr(indicators, name)()
    columns = columns_for(indicator.inputs, walk(400))
    for rows in {0, 1, 2, max(indicator.lookback - 1, 0), indicator.lookback}:
        for output in outputs(indicator.batch(*[c[:rows] for c in columns])):
            assert len(output) == rows
            assert np.isnan(output[: indicator.lookback]).all()


def test_missing_values_are_gaps() -> None:
    expected = indicators.SMA(2).batch([1.0, np.nan, 3.0])
    assert_equal(indicators.SMA(2).batch([1.0, None, 3.0]), expected)
    assert_equal(indicators.SMA(2).batch(pd.Series([1, None, 3], dtype="Int64")), expected)
    assert_equal(indicators.SMA(2).batch([Decimal(1), None, Decimal(3)]), expected)


WRONG = {
    "number": 1.0,
    "nothing": None,
    "two-dimensional": np.ones((5, 2)),
    "ragged": [[1.0], [1.0, 2.0]],
    "texts": ["1.0", "two"],
    "bytes": np.array([b"1", b"2"]),
    "complex": np.array([1j, 2.0]),
    "times": pd.date_range("2024", periods=3),
    "local times": pd.Series(pd.date_range("2024", periods=3, tz="UTC")),
    "spans": np.array([1, 2], "timedelta64[s]"),
    "frame": pd.DataFrame({"close": [1.0, 2.0]}),
    "objects": [object(), object()],
}


class Doubled(PyIndicator):
    inputs = ("value",)

    def compute(self, value: float) -> float:
        return 2.0 * value


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    "make", [lambda: indicators.SMA(2), lambda: indicators.SMA(2) + 1, Doubled]
)
def test_what_is_no_column_of_numbers_is_refused(make: Any, given: Any) -> None:
    with pytest.raises(DataError, match="value"):
        make().batch(given)


def test_the_error_names_the_column() -> None:
    good = [1.0, 2.0]
    with pytest.raises(DataError, match="numbers, got low of <U1"):
        indicators.ATR().batch(good, ["x", "y"], good)
    with pytest.raises(DataError, match="numbers, got volume of datetime64"):
        FeatureSet().batch([1, 2], good, good, good, good, pd.date_range("2024", periods=2))


TIMES = pd.date_range("2024-03-08 14:31", periods=80, freq="h", tz="America/New_York")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    "make",
    [
        lambda t: t,
        lambda t: t.tz_convert("UTC").tz_localize(None),
        pd.Series,
        lambda t: pa.array(pd.Series(t)),
        lambda t: t.tz_convert("UTC").tz_localize(None).to_numpy(),
        lambda t: t.as_unit("ns").asi8.tolist(),
    ],
    ids=["index", "naive index", "Series", "Arrow", "datetime64", "list of ns"],
)
def test_features_take_times_of_any_unit(make: Any, unit: str) -> None:
    close = np.linspace(10, 11, len(TIMES))
    expected = FeatureSet().batch(TIMES.as_unit("ns").asi8, *[close] * 5)
    found = FeatureSet().batch(make(TIMES.as_unit(unit)), *[close] * 5)
    assert_equal(found.ts_event, expected.ts_event)
    assert_equal(found.values, expected.values)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (["a", "b"], "whole numbers .* or datetimes, got <U1"),
        ([1.5, 2.5], "got float64"),
        (np.array(["2024-01-01", "NaT"], "M8[ns]"), "without a time"),
        (pd.DatetimeIndex(["2024-01-01", None], tz="UTC"), "without a time"),
        ([[1, 2]], "one-dimensional"),
        ([1, 2, 3], "equal length"),
    ],
)
def test_what_is_no_column_of_times_is_refused(times: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        FeatureSet().batch(times, *[[1.0, 2.0]] * 5)


def test_own_indicators_refuse_columns_of_unequal_length() -> None:
    class Middle(PyIndicator):
        inputs = ("high", "low")

        def compute(self, high: float, low: float) -> float:
            return (high + low) / 2

    with pytest.raises(DataError, match="equal length"):
        Middle().batch([1.0, 2.0], [1.0])


PARAMETERS = [(entry.name, key) for entry in ENTRIES for key in entry.parameters]


@pytest.mark.parametrize(("name", "key"), PARAMETERS, ids=["-".join(p) for p in PARAMETERS])
def test_a_parameter_that_is_none_is_a_typed_error(name: str, key: str) -> None:
    for wrong in ("x", float("nan"), [1], object()):
        with pytest.raises(ConfigError):
            getattr(indicators, name)(**{key: wrong})

"""Every function of TA-Lib, against TA-Lib, on plausible and adversarial series."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import talib
import talib.abstract
from numpy.typing import NDArray

import pyrt.indicators as indicators
from pyrt.indicators import catalog
from tests.indicators.series import SERIES, Columns, columns_for, spiked

NAMES = [name for names in talib.get_function_groups().values() for name in names]
SPIKE = 200

# On a dead straight line the Hilbert transform works on rounding errors alone, and a difference of
# averages is one: TA-Lib's noise and ours are different noise. docs/indicators.md lists these.
NOISE = {
    (name, series)
    for series in ("rising", "falling", "constant")
    for name in (
        "MACD", "MACDEXT", "MACDFIX", "AC", "CVI", "FOSC", "HT_DCPERIOD", "HT_DCPHASE",
        "HT_PHASOR", "HT_SINE", "HT_TRENDLINE", "MAMA", "HT_TRENDMODE", "LINEARREG_SLOPE",
        "LINEARREG_ANGLE",
    )
}  # fmt: skip

# TA-Lib's running sum of price times volume does not come back to 0 in a lull, and counts less than
# one unit of money as none: see the table of differences.
NOISE |= {("VWMA", "lulls"), ("MFI", "broken")}
# Logarithms and arcs of prices that are none.
NOISE |= {(name, "broken") for name in ("ACOS", "ASIN", "LN", "LOG10", "SQRT", "MAVP")}

# What these make of a row depends on a bounded number of rows before it, so TA-Lib started after a
# spike has the right values that TA-Lib run through the spike has lost.
WINDOWED = [
    "SMA", "WMA", "TRIMA", "HMA", "VWMA", "BBANDS", "DONCHIAN", "MIDPOINT", "MIDPRICE", "MOM",
    "ROC", "ROCP", "ROCR", "ROCR100", "CMOU", "ER", "DPO", "COPPOCK", "VHF", "AO", "AC", "QSTICK",
    "IMI", "STDDEV", "VAR", "AVGDEV", "CORREL", "BETA", "LINEARREG", "LINEARREG_INTERCEPT", "TSF",
    "PERCENTILE", "PERCENTRANK", "MAX", "MIN", "MINMAX", "SUM", "AROON", "AROONOSC", "FRACTAL",
    "TRANGE", "ADR", "STOCH", "STOCHF", "WILLR", "CCI", "ULTOSC", "VORTEX", "ACCBANDS", "MFI",
    "CMF", "RVOL", "CDLDOJI", "CDLLONGLINE", "CDLSPINNINGTOP", "CDLHAMMER", "CDLHARAMI",
]  # fmt: skip


def outputs_of(result: Any) -> tuple[NDArray[np.float64], ...]:
    arrays = result if isinstance(result, tuple) else (result,)
    return tuple(np.asarray(a, dtype=np.float64) for a in arrays)


def reference(name: str, columns: list[NDArray[np.float64]], **parameters: Any) -> Any:
    """TA-Lib's outputs as floats, NaN during warm-up where TA-Lib's whole numbers have 0."""
    results = outputs_of(getattr(talib, name)(*columns, **parameters))
    whole = getattr(talib, name)(*columns, **parameters)
    whole = whole if isinstance(whole, tuple) else (whole,)
    first = max(int(np.argmax(~np.isnan(c))) for c in columns)
    lookback = getattr(indicators, name)(**parameters).lookback
    for raw, result in zip(whole, results):
        if raw.dtype.kind == "i":
            result[: first + lookback] = np.nan
    return results


def assert_close(
    name: str, ours: NDArray[np.float64], theirs: NDArray[np.float64], rtol: float = 1e-9
) -> None:
    """Equal to `rtol`, or to the rounding of the greatest value of the output."""
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), err_msg=f"{name}: warm-up")
    finite = theirs[np.isfinite(theirs)]
    noise = 1e-11 * np.max(np.abs(finite), initial=0.0)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=noise, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_talib_function_is_there_with_its_parameters_and_lookback(name: str) -> None:
    function = talib.abstract.Function(name)
    indicator = getattr(indicators, name)()
    assert indicator.parameters == dict(function.parameters)
    assert indicator.lookback == function.lookback
    if len(function.output_names) > 1:
        assert indicator.outputs == tuple(function.output_names)


@pytest.mark.parametrize("series", [name for name in SERIES if name != "spiked"])
@pytest.mark.parametrize("name", NAMES)
def test_batch_equals_talib(name: str, series: str) -> None:
    if (name, series) in NOISE:
        pytest.skip("rounding noise on a straight line; see the table of differences")
    indicator = getattr(indicators, name)()
    columns = columns_for(indicator.inputs, SERIES[series]())
    with np.errstate(all="ignore"):
        theirs = reference(name, columns)
    for ours, expected in zip(outputs_of(indicator.batch(*columns)), theirs, strict=True):
        assert_close(name, ours, expected)


def after(bars: Columns, row: int) -> Columns:
    return {name: column[row:] for name, column in bars.items()}


@pytest.mark.parametrize("name", WINDOWED)
def test_a_spike_that_has_left_the_window_leaves_nothing_behind(name: str) -> None:
    bars = spiked()
    indicator = getattr(indicators, name)()
    ours = outputs_of(indicator.batch(*columns_for(indicator.inputs, bars)))
    fresh = reference(name, columns_for(indicator.inputs, after(bars, SPIKE + 1)))
    for mine, theirs in zip(ours, fresh, strict=True):
        tail = mine[SPIKE + 1 :].copy()
        tail[: indicator.lookback] = np.nan
        assert_close(name, tail, theirs)


PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    *[("MA", {"timeperiod": 7, "matype": kind}) for kind in (*range(11), 12, 13)],
    *[("MAVP", {"maxperiod": 12, "matype": kind}) for kind in (1, 2, 6)],
    *[("APO", {"fastperiod": 9, "slowperiod": 5, "matype": kind}) for kind in (0, 2, 3, 8, 13)],
    *[
        ("MACDEXT", {"fastperiod": 4, "slowperiod": 9, "fastmatype": a, "slowmatype": b})
        for a, b in ((1, 1), (2, 5), (13, 9))
    ],
    *[("BBANDS", {"timeperiod": 9, "nbdevdn": 1.5, "matype": kind}) for kind in (1, 2, 6)],
    *[("STOCH", {"slowk_matype": a, "slowd_matype": b}) for a, b in ((1, 2), (13, 1))],
    *[("SMA", {"timeperiod": n}) for n in (2, 3, 5, 200)],
    *[("WMA", {"timeperiod": n}) for n in (2, 3, 200)],
    *[("TRIMA", {"timeperiod": n}) for n in (2, 3, 12, 13)],
    *[("STDDEV", {"timeperiod": n, "nbdev": 2.5}) for n in (2, 3, 100)],
    *[("CORREL", {"timeperiod": n}) for n in (2, 5)],
    *[("ADX", {"timeperiod": n}) for n in (2, 5)],
    *[(name, {"timeperiod": 1}) for name in ("PLUS_DM", "MINUS_DM", "PLUS_DI", "MINUS_DI", "ATR")],
    *[("FRACTAL", {"leftbars": a, "rightbars": b}) for a, b in ((1, 1), (3, 1), (1, 4))],
    ("T3", {"timeperiod": 3, "vfactor": 0.2}),
    ("MACD", {"fastperiod": 20, "slowperiod": 6, "signalperiod": 4}),
    ("MACD", {"signalperiod": 1}),
    ("MAMA", {"fastlimit": 0.4, "slowlimit": 0.1}),
    ("SAR", {"acceleration": 0.05, "maximum": 0.1}),
    ("SAREXT", {"startvalue": 80.0, "offsetonreverse": 0.01, "accelerationinitlong": 0.3}),
    ("SAREXT", {"startvalue": -200.0, "accelerationmaxshort": 0.05}),
    ("SUPERTREND", {"timeperiod": 3, "multiplier": 1.2}),
    ("KC", {"timeperiod": 5, "atrperiod": 12}),
    ("SMI", {"timeperiod": 5, "fastperiod": 7, "slowperiod": 3, "signalperiod": 2}),
    ("ULTOSC", {"timeperiod1": 20, "timeperiod2": 3, "timeperiod3": 9}),
    ("PERCENTILE", {"timeperiod": 8, "percentile": 25.0}),
    ("COPPOCK", {"wmaperiod": 4, "roc1period": 9, "roc2period": 3}),
    ("ADOSC", {"fastperiod": 12, "slowperiod": 4}),
    ("CDLDARKCLOUDCOVER", {"penetration": 0.1}),
    ("CDLMORNINGSTAR", {"penetration": 0.0}),
]


@pytest.mark.parametrize(
    ("name", "parameters"),
    PARAMETERS,
    ids=[f"{n}-{'-'.join(map(str, p.values()))}" for n, p in PARAMETERS],
)
def test_other_parameters_equal_talib_too(name: str, parameters: dict[str, Any]) -> None:
    indicator = getattr(indicators, name)(**parameters)
    assert indicator.parameters | parameters == indicator.parameters
    for series in ("walk", "ticks"):
        columns = columns_for(indicator.inputs, SERIES[series]())
        ours = outputs_of(indicator.batch(*columns))
        for mine, theirs in zip(ours, reference(name, columns, **parameters), strict=True):
            assert_close(name, mine, theirs)


def test_the_catalog_lists_every_talib_function_once() -> None:
    listed = [entry.name for entry in catalog()]
    assert len(listed) == len(set(listed))
    assert set(NAMES) <= set(listed)


def test_series_are_generated_from_fixed_seeds() -> None:
    for make in SERIES.values():
        assert inspect.isfunction(make)
        first, second = make(), make()
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])

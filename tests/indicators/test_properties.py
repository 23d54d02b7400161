"""What holds of every series: ranges, averages between extremes, units, TA-Lib's warm-up."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import talib
import talib.abstract
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrt.indicators as indicators
from pyrt.indicators import catalog
from tests.indicators.series import Columns, bars_around, columns_for

AVERAGES = ["SMA", "EMA", "WMA", "RMA", "TRIMA", "KAMA", "VIDYA"]
BOUNDED: dict[str, tuple[float, float]] = {
    "RSI": (0, 100), "MFI": (0, 100), "STOCH": (0, 100), "STOCHF": (0, 100), "STOCHRSI": (0, 100),
    "CRSI": (0, 100), "IMI": (0, 100), "RVI": (0, 100), "PSL": (0, 100), "AROON": (0, 100),
    "ULTOSC": (0, 100), "ADX": (0, 100), "DX": (0, 100), "ADXR": (0, 100), "PERCENTRANK": (0, 100),
    "WILLR": (-100, 0), "CMO": (-100, 100), "CMOU": (-100, 100), "SMI": (-100, 100),
    "TSI": (-100, 100), "AROONOSC": (-100, 100), "BOP": (-1, 1), "CORREL": (-1, 1), "CMF": (-1, 1),
    "ER": (0, 1), "LINEARREG_R2": (0, 1), "BOOKIMBALANCE": (-1, 1), "BOOKRATIO": (0, 1),
    "VPIN": (0, 1), "FUZZYCANDLE": (-1, 6), "AMAT": (0, 1), "HT_DCPERIOD": (0, 50),
    "HT_SINE": (-1, 1), "HT_TRENDMODE": (0, 1), "VHF": (0, 1),
}  # fmt: skip
# How outputs follow the unit of prices: as prices do, or not at all.
SCALE_WITH_PRICE = [
    "SMA", "EMA", "WMA", "HMA", "T3", "KAMA", "VIDYA", "MACD", "BBANDS", "ATR", "DONCHIAN", "KC",
    "SUPERTREND", "SAR", "ICHIMOKU", "STDDEV", "LINEARREG", "CKSTOP", "PIVOTS", "HA", "AO", "MOM",
]  # fmt: skip
WITHOUT_UNIT = [
    "RSI", "CCI", "ADX", "STOCH", "WILLR", "CMO", "AROON", "ROC", "PPO", "ULTOSC", "ZSCORE",
    "CHOP", "NATR", "VORTEX", "HURST", "CRSI", "TSI", "PSL", "KPOS", "CDLENGULFING", "CDLDOJI",
]  # fmt: skip
MOVE_WITH_PRICE = ["SMA", "EMA", "WMA", "HMA", "BBANDS", "DONCHIAN", "LINEARREG", "KC", "ICHIMOKU"]
BLIND_TO_LEVEL = ["RSI", "STDDEV", "ATR", "STOCH", "MACD", "ADX", "LINEARREG_SLOPE", "CMO", "MOM"]


@st.composite
def walks(draw: st.DrawFn) -> Columns:
    """Bars of a walk, smooth or on a grid, calm or wild."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    size = draw(st.sampled_from([1e-4, 0.01, 0.2]))
    close = 100 * np.exp(np.cumsum(rng.normal(0, size, 160)))
    bars = bars_around(close, close * size, seed)
    if draw(st.booleans()):  # ties, equal highs, bodies of nothing
        bars = {k: v if k == "volume" else np.maximum(np.round(v, 1), 0.1) for k, v in bars.items()}
    return bars


def batch(name: str, bars: Columns, **parameters: Any) -> np.ndarray:
    """Return an indicator's outputs side by side, from its first defined row."""
    indicator = getattr(indicators, name)(**parameters)
    made = indicator.batch(*columns_for(indicator.inputs, bars))
    return np.column_stack(made if isinstance(made, tuple) else (made,))[indicator.lookback :]


def scaled(bars: Columns, factor: float, shift: float = 0.0) -> Columns:
    return {k: v if k == "volume" else v * factor + shift for k, v in bars.items()}


@settings(max_examples=5 if settings().max_examples < 500 else 100)
@given(walks())
def test_outputs_stay_in_their_range(bars: Columns) -> None:
    for name, (low, high) in BOUNDED.items():
        found = batch(name, bars)
        slack = 1e-9 * max(abs(low), abs(high))
        assert np.all((found >= low - slack) & (found <= high + slack)), name


@settings(max_examples=20 if settings().max_examples < 500 else 300)
@given(walks(), st.integers(2, 40))
def test_averages_lie_between_the_least_and_the_greatest(bars: Columns, n: int) -> None:
    x = bars["close"]
    for name in AVERAGES:
        average = batch(name, bars, timeperiod=n)[:, 0]
        first = len(x) - len(average)
        low, high = (f(x)[first:] for f in (np.minimum.accumulate, np.maximum.accumulate))
        assert np.all((average >= low * (1 - 1e-12)) & (average <= high * (1 + 1e-12))), name


@settings(max_examples=5 if settings().max_examples < 500 else 100)
@given(walks(), st.sampled_from([0.25, 4.0, 1024.0]))
def test_another_unit_of_price_scales_outputs_or_leaves_them(bars: Columns, unit: float) -> None:
    # Powers of two scale without rounding, so the bits have to be the same.
    for name in SCALE_WITH_PRICE:
        if name == "SUPERTREND":  # its second output is a side
            continue
        np.testing.assert_array_equal(
            batch(name, scaled(bars, unit)), batch(name, bars) * unit, name
        )
    for name in WITHOUT_UNIT:
        np.testing.assert_allclose(
            batch(name, scaled(bars, unit)), batch(name, bars), rtol=1e-12, atol=1e-12, err_msg=name
        )


@settings(max_examples=5 if settings().max_examples < 500 else 100)
@given(walks())
def test_another_level_of_price_moves_outputs_or_leaves_them(bars: Columns) -> None:
    # On a grid of 2^-10 the move rounds nothing, so ties stay ties.
    bars = {k: v if k == "volume" else np.round(v * 1024) / 1024 for k, v in bars.items()}
    moved = scaled(bars, 1.0, 512.0)
    for name in MOVE_WITH_PRICE:
        np.testing.assert_allclose(
            batch(name, moved), batch(name, bars) + 512.0, rtol=1e-9, err_msg=name
        )
    for name in BLIND_TO_LEVEL:
        scale = np.max(np.abs(batch(name, bars)))
        np.testing.assert_allclose(
            batch(name, moved), batch(name, bars), rtol=1e-5, atol=1e-7 * scale, err_msg=name
        )


def choices(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return parameters a function may be given, besides its defaults."""
    made: dict[str, st.SearchStrategy[Any]] = {}
    for key, default in talib.abstract.Function(name).parameters.items():
        if "matype" in key:
            made[key] = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 13])
        elif (isinstance(default, int) and "period" in key) or key in ("leftbars", "rightbars"):
            made[key] = st.integers(4, 40)
    if name == "MAVP":
        made["minperiod"] = st.integers(2, 8)
        made["maxperiod"] = st.integers(8, 40)
    return st.fixed_dictionaries({}, optional=made)


WITH_PERIODS = [
    entry.name
    for entry in catalog()
    if hasattr(talib, entry.name)
    and choices(entry.name) != st.fixed_dictionaries({})
    and talib.abstract.Function(entry.name).parameters
]


@settings(max_examples=300 if settings().max_examples < 500 else 5_000)
@given(st.data())
def test_the_warm_up_is_talibs_whatever_the_parameters(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(WITH_PERIODS))
    parameters = data.draw(choices(name))
    function = talib.abstract.Function(name)
    function.parameters = parameters
    try:
        theirs = function.lookback
    except Exception:  # a combination TA-Lib refuses
        return
    assert getattr(indicators, name)(**parameters).lookback == theirs, (name, parameters)


ROLLING = ("SUM", "SMA", "VAR", "STDDEV", "CORREL", "LINEARREG", "LINEARREG_SLOPE")


def exact_windows(x: list[float], y: list[float]) -> dict[str, float]:
    """What the rolling statistics of a window are, from rational numbers."""
    n = len(x)
    xs, ys = [Fraction(v) for v in x], [Fraction(v) for v in y]
    mean, other = sum(xs) / n, sum(ys) / n
    xx = sum((v - mean) ** 2 for v in xs)
    yy = sum((v - other) ** 2 for v in ys)
    xy = sum((v - mean) * (w - other) for v, w in zip(xs, ys, strict=True))
    slope = sum((i - Fraction(n - 1, 2)) * v for i, v in enumerate(xs)) / Fraction(n**3 - n, 12)
    with mpmath.workdps(50):
        deviation = mpmath.sqrt(mpmath.mpf((xx / n).numerator) / (xx / n).denominator)
        product = xx * yy
        below = mpmath.sqrt(mpmath.mpf(product.numerator) / product.denominator)
        correlation = mpmath.mpf(xy.numerator) / xy.denominator / below
    return {
        "SUM": float(sum(xs)),
        "SMA": float(mean),
        "VAR": float(xx / n),
        "STDDEV": float(deviation),
        "CORREL": float(correlation),
        "LINEARREG": float(mean + slope * Fraction(n - 1, 2)),
        "LINEARREG_SLOPE": float(slope),
    }


@pytest.mark.nightly
def test_rolling_statistics_do_not_drift_over_a_hundred_million_updates() -> None:
    """At the end of each of a hundred parts, against the exact value of the last window."""
    rng = np.random.default_rng(9)
    kinds = {name: getattr(indicators, name)(50) for name in ROLLING}
    pair = kinds["CORREL"].update
    updates = [one.update for name, one in kinds.items() if name != "CORREL"]
    worst = dict.fromkeys(kinds, 0.0)
    for _ in range(100):
        x = (rng.normal(0, 1, 1_000_000) * 1e3 + 1.0).tolist()
        y = rng.normal(0, 1, 1_000_000).tolist()
        for update in updates:
            for value in x:
                update(value)
        for value, other in zip(x, y, strict=True):
            pair(value, other)
        for name, exact in exact_windows(x[-50:], y[-50:]).items():
            worst[name] = max(worst[name], abs(kinds[name].value / exact - 1.0))
    assert all(error <= 1e-9 for error in worst.values()), worst


def test_the_nightly_profile_is_named_as_the_tests_expect() -> None:
    deep = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
    assert (settings().max_examples >= 500) == deep

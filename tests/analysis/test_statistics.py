"""Statistics against hand-worked numbers and against empyrical-reloaded and ffn."""

from __future__ import annotations

import math

import empyrical
import ffn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.analysis import statistics

RISK_FREE = 0.03


def random_returns(n: int, scale: float, seed: int) -> np.ndarray:
    """Fat-tailed daily returns."""
    return np.random.default_rng(seed).standard_t(4, n) * scale + 2e-4


SERIES = {
    "stock, 252": (random_returns(1_000, 0.01, 1), 252.0),
    "crypto, 365": (random_returns(730, 0.04, 2).clip(-0.5, 1.0), 365.0),
    "one year of losses": (-np.abs(random_returns(252, 0.01, 3)), 252.0),
    "mostly flat, one trade": (np.r_[np.zeros(100), 0.02, -0.01, np.zeros(100)], 252.0),
    "five days": (np.array([0.01, -0.02, 0.03, 0.0, -0.01]), 252.0),
    "weekly, 52": (random_returns(150, 0.02, 4), 52.0),
}


@pytest.fixture(params=SERIES, name="case")
def _case(request: pytest.FixtureRequest) -> tuple[np.ndarray, float]:
    return SERIES[request.param]


def daily(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=pd.date_range("2020-01-01", periods=len(values)))


def test_return_statistics_agree_with_empyrical(case: tuple[np.ndarray, float]) -> None:
    r, year = case
    options = {"annualization": year}
    equity = np.r_[1.0, np.cumprod(1.0 + r)]
    yearly = statistics.annual_return(r, year)
    deepest = statistics.max_drawdown(equity)
    expected = {
        "annual_return": empyrical.annual_return(r, **options),
        "volatility": empyrical.annual_volatility(r, **options),
        "max_drawdown": -empyrical.max_drawdown(r),
        "calmar": empyrical.calmar_ratio(r, **options),
        "var": -empyrical.value_at_risk(r),
        "es": -empyrical.conditional_value_at_risk(r),
        "total": empyrical.cum_returns_final(r),
    }
    found = {
        "annual_return": yearly,
        "volatility": statistics.volatility(r, year),
        "max_drawdown": deepest,
        "calmar": statistics.calmar(yearly, deepest),
        "var": statistics.value_at_risk(r),
        "es": statistics.expected_shortfall(r),
        "total": statistics.total_return(1.0, float(equity[-1])),
    }
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-14)


def test_risk_adjusted_ratios_agree_with_empyrical(case: tuple[np.ndarray, float]) -> None:
    r, year = case
    free = statistics.period_rate(RISK_FREE, year)
    assert statistics.sharpe(r, year, RISK_FREE) == pytest.approx(
        empyrical.sharpe_ratio(r, risk_free=free, annualization=year), rel=1e-11
    )
    assert statistics.sortino(r, year, RISK_FREE) == pytest.approx(
        empyrical.sortino_ratio(r, required_return=free, annualization=year), rel=1e-11
    )


@pytest.mark.parametrize("name", ["stock, 252", "crypto, 365", "five days", "weekly, 52"])
def test_tail_ratio_agrees_with_empyrical(name: str) -> None:
    r, _ = SERIES[name]
    assert statistics.tail_ratio(r) == pytest.approx(empyrical.tail_ratio(r), rel=1e-12)


def test_alpha_and_beta_agree_with_empyrical(case: tuple[np.ndarray, float]) -> None:
    r, year = case
    market = 0.5 * r + random_returns(len(r), 0.01, 9)
    free = statistics.period_rate(RISK_FREE, year)
    expected = empyrical.alpha_beta_aligned(r, market, risk_free=free, annualization=year)
    assert statistics.alpha_beta(r, market, year, RISK_FREE) == pytest.approx(
        tuple(expected), rel=1e-9, abs=1e-12
    )


def test_statistics_agree_with_ffn(case: tuple[np.ndarray, float]) -> None:
    r, year = case
    prices = daily(np.r_[1.0, np.cumprod(1.0 + r)])
    returns = daily(r)
    seconds = (prices.index[-1] - prices.index[0]).total_seconds()
    assert statistics.max_drawdown(prices.to_numpy()) == pytest.approx(-prices.calc_max_drawdown())
    assert statistics.cagr(1.0, prices.iloc[-1], seconds) == pytest.approx(ffn.calc_cagr(prices))
    sharpe = ffn.calc_sharpe(returns, rf=RISK_FREE, nperiods=year)
    sortino = ffn.calc_sortino_ratio(returns, rf=RISK_FREE, nperiods=year)
    assert statistics.sharpe(r, year, RISK_FREE) == pytest.approx(sharpe, rel=1e-10)
    assert statistics.sortino(r, year, RISK_FREE) == pytest.approx(sortino, rel=1e-10)


def test_skew_and_kurtosis_agree_with_pandas_as_ffn_reports_them(
    case: tuple[np.ndarray, float],
) -> None:
    r, _ = case
    assert statistics.skew(r) == pytest.approx(pd.Series(r).skew(), rel=1e-9)
    assert statistics.kurtosis(r) == pytest.approx(pd.Series(r).kurt(), rel=1e-9)


def test_the_longest_drawdown_agrees_with_ffn() -> None:
    prices = daily(np.r_[1.0, np.cumprod(1.0 + SERIES["stock, 252"][0])])
    ts = prices.index.as_unit("ns").asi8
    found = statistics.longest_drawdown(ts, prices.to_numpy()) / 86_400.0
    details = ffn.core.drawdown_details(prices.to_drawdown_series())
    # ffn counts from the first day under water to the day of recovery; here from the peak.
    longest = details.loc[details["Length"].astype(int).idxmax()]
    span = (longest["End"] - longest["Start"]).days
    assert found in (span, span + 1)


def test_sharpe_of_a_worked_example() -> None:
    # Mean 0.01; squared deviations 0.0001 + 0.0001 + 0 over n - 1 = 2: deviation 0.01.
    assert statistics.sharpe(np.array([0.0, 0.02, 0.01]), 4.0) == pytest.approx(2.0)


def test_sortino_of_a_worked_example() -> None:
    # Mean 0.005; downside sqrt((0.02**2) / 4) = 0.01.
    r = np.array([0.02, -0.02, 0.02, 0.0])
    assert statistics.sortino(r, 4.0) == pytest.approx(1.0)


def test_drawdown_of_a_worked_example() -> None:
    equity = np.array([100.0, 120.0, 90.0, 110.0, 125.0, 120.0])
    assert statistics.drawdowns(equity) == pytest.approx([0, 0, 0.25, 1 / 12, 0, 0.04])
    assert statistics.max_drawdown(equity) == pytest.approx(0.25)
    ts = np.array([0, 10, 25, 30, 45, 70]) * 1_000_000_000
    assert statistics.longest_drawdown(ts, equity) == 35.0  # 10 s to 45 s, longer than 45 to 70


def test_a_drawdown_not_recovered_counts_to_the_end() -> None:
    ts = np.array([0, 10, 100]) * 1_000_000_000
    assert statistics.longest_drawdown(ts, np.array([5.0, 4.0, 3.0])) == 100.0


def test_a_rising_curve_has_no_drawdown() -> None:
    ts = np.arange(3) * 1_000_000_000
    assert statistics.longest_drawdown(ts, np.array([1.0, 1.0, 2.0])) == 0.0
    assert statistics.max_drawdown(np.array([1.0, 1.0, 2.0])) == 0.0


def test_negative_equity_is_a_drawdown_above_one() -> None:
    assert statistics.max_drawdown(np.array([100.0, -50.0])) == pytest.approx(1.5)


def test_returns_end_with_the_ruin() -> None:
    values = np.array([100.0, 50.0, -10.0, 5.0, 20.0])
    assert statistics.simple_returns(values) == pytest.approx([-0.5, -1.2])
    assert statistics.simple_returns(np.array([100.0, 0.0, 10.0])) == pytest.approx([-1.0])


def test_losing_everything_is_minus_one_a_year_and_losing_more_is_undefined() -> None:
    assert statistics.annual_return(np.array([0.1, -1.0]), 252.0) == -1.0
    assert math.isnan(statistics.annual_return(np.array([0.1, -1.2]), 252.0))


def test_growth_beyond_the_largest_float_is_infinite() -> None:
    assert statistics.annual_return(np.array([1e6]), 252.0) == math.inf


def test_a_flat_series_has_no_ratios() -> None:
    flat = np.full(50, 0.001)
    assert math.isnan(statistics.sharpe(flat, 252.0))
    assert math.isnan(statistics.sortino(flat, 252.0))
    assert math.isnan(statistics.skew(flat))
    assert math.isnan(statistics.kurtosis(flat))
    assert statistics.volatility(flat, 252.0) == 0.0
    assert all(map(math.isnan, statistics.alpha_beta(random_returns(50, 0.01, 1), flat, 252.0)))


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_returns_are_undefined_not_an_error(n: int) -> None:
    r = np.full(n, 0.01)
    for function in (statistics.volatility, statistics.sharpe, statistics.sortino):
        assert math.isnan(function(r, 252.0))
    assert all(map(math.isnan, statistics.alpha_beta(r, r, 252.0)))
    assert math.isnan(statistics.skew(r))
    assert math.isnan(statistics.kurtosis(r))


def test_round_trip_statistics_of_a_worked_example() -> None:
    pnl = np.array([30.0, -10.0, 0.0, -5.0])
    assert statistics.win_rate(pnl) == 0.25
    assert statistics.profit_factor(pnl) == 2.0
    assert statistics.mean_where(pnl, pnl < 0.0) == -7.5


def test_profit_without_loss_is_an_infinite_factor_and_nothing_at_all_is_undefined() -> None:
    assert statistics.profit_factor(np.array([1.0])) == math.inf
    assert math.isnan(statistics.profit_factor(np.array([0.0])))
    assert math.isnan(statistics.profit_factor(np.empty(0)))
    assert math.isnan(statistics.win_rate(np.empty(0)))


def test_time_in_market_weighs_points_by_the_time_to_the_next() -> None:
    ts = np.array([0, 10, 40, 100]) * 1_000_000_000
    held = np.array([False, True, False, True])
    assert statistics.time_share(ts, held) == pytest.approx(0.3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=60))
def test_no_finite_series_makes_a_statistic_raise(values: list[float]) -> None:
    r = np.array(values)
    equity = np.r_[1.0, np.cumprod(1.0 + r)]
    for function in (statistics.annual_return, statistics.volatility, statistics.sharpe):
        assert isinstance(function(r, 252.0), float)
    assert 0.0 <= statistics.max_drawdown(equity) < 1.0
    shortfall, at_risk = statistics.expected_shortfall(r), statistics.value_at_risk(r)
    assert shortfall >= at_risk - 1e-12

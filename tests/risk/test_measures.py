"""Value at risk, shortfall, contributions, sizing and stress, against SciPy and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from scipy import integrate, optimize, stats

from pyrt.errors import ConfigError
from pyrt.risk import exposures, sizing, stress
from pyrt.risk import value_at_risk as measures

LEVELS = (0.5, 0.9, 0.95, 0.975, 0.99, 0.999)


def covariance(seed: int = 0, n: int = 5) -> Any:
    table = np.random.default_rng(seed).normal(size=(200, n)) @ np.diag(np.arange(1, n + 1) / 100)
    table[:, 1] += 0.5 * table[:, 0]
    return np.cov(table.T)


@pytest.mark.parametrize("level", LEVELS)
def test_normal_measures_are_scipys(level: float) -> None:
    normal = stats.norm(loc=0.001, scale=0.02)
    assert measures.normal_var(0.001, 0.02, level) == pytest.approx(-normal.ppf(1 - level))
    tail, _ = integrate.quad(normal.ppf, 0, 1 - level)
    expected = -tail / (1 - level)
    assert measures.normal_shortfall(0.001, 0.02, level) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_historical_measures_come_near_the_normal_ones(level: float) -> None:
    sample = stats.norm(scale=0.02).ppf((np.arange(200_000) + 0.5) / 200_000)
    assert measures.historical_var(sample, level) == pytest.approx(
        measures.normal_var(0, 0.02, level), rel=2e-3, abs=1e-6
    )
    assert measures.historical_shortfall(sample, level) == pytest.approx(
        measures.normal_shortfall(0, 0.02, level), rel=2e-3
    )


@pytest.mark.parametrize("level", LEVELS)
def test_historical_var_is_the_quantile_of_scipy(level: float) -> None:
    sample = np.random.default_rng(3).standard_t(4, size=997)
    expected = -stats.mstats.mquantiles(sample, 1 - level, alphap=1, betap=1)[0]
    assert measures.historical_var(sample, level) == pytest.approx(expected)


def test_the_edge_of_the_tail_counts_by_its_share() -> None:
    # The worst 30 % of five periods: one and a half of them.
    assert measures.historical_shortfall([-4, -2, 0, 1, 3], 0.7) == pytest.approx(
        (4 + 0.5 * 2) / 1.5
    )
    assert measures.historical_shortfall([-4, -2, 0, 1, 3], 0.8) == pytest.approx(4.0)


@given(nps.arrays(float, st.integers(1, 60), elements=st.floats(-1, 1)), st.floats(0.01, 0.99))
def test_shortfall_is_no_less_than_any_quantile_of_its_tail(sample: Any, level: float) -> None:
    shortfall = measures.historical_shortfall(sample, level)
    assert shortfall <= -sample.min() + 1e-9
    assert shortfall >= -np.quantile(sample, 1 - level, method="higher") - 1e-9


def test_nan_is_left_out_and_nothing_gives_nan() -> None:
    assert measures.historical_var([np.nan, -1.0, 1.0], 0.5) == 0.0
    assert np.isnan(measures.historical_var([], 0.5))
    assert np.isnan(measures.historical_shortfall([np.nan], 0.5))


@pytest.mark.parametrize("level", [0.0, 1.0, -1, 2, np.nan])
def test_levels_are_shares(level: float) -> None:
    for measure in (measures.historical_var, measures.historical_shortfall):
        with pytest.raises(ConfigError):
            measure([1.0, 2.0], level)
    with pytest.raises(ConfigError):
        measures.portfolio_var([1.0], [[1.0]], level)


@pytest.mark.parametrize("measure", [measures.portfolio_var, measures.portfolio_shortfall])
def test_components_sum_to_the_total_and_marginals_are_derivatives(measure: Any) -> None:
    values, matrix = np.array([1e4, -5e3, 2e3, 0.0, 7e3]), covariance()
    found = measure(values, matrix, 0.99)
    assert found.component.sum() == pytest.approx(found.total)
    gradient = optimize.approx_fprime(values, lambda v: measure(v, matrix, 0.99).total, 1e-3)
    np.testing.assert_allclose(found.marginal, gradient, rtol=1e-4, atol=1e-6)


def test_portfolio_var_is_that_of_the_sum() -> None:
    values, matrix = np.array([1e4, -5e3, 2e3, 0.0, 7e3]), covariance()
    law = stats.multivariate_normal(cov=matrix)
    draws = law.rvs(200_000, random_state=1) @ values
    found = measures.portfolio_var(values, matrix, 0.95).total
    assert found == pytest.approx(-np.quantile(draws, 0.05), rel=0.02)
    assert measures.portfolio_var([0.0] * 5, matrix).total == 0.0


def test_what_never_moves_adds_no_risk() -> None:
    found = measures.portfolio_var([1_000, 500], [[0.0004, 0.0], [0.0, 0.0]], 0.95)
    assert found.total == pytest.approx(stats.norm.ppf(0.95) * 1_000 * 0.02)
    assert found.component[1] == 0.0


def test_historical_contributions_sum_to_the_historical_shortfall() -> None:
    table = np.random.default_rng(7).standard_t(4, size=(501, 3)) / 100
    values = np.array([100.0, -50.0, 30.0])
    found = measures.historical_contributions(values, table, 0.97)
    assert found.total == pytest.approx(measures.historical_shortfall(table @ values, 0.97))
    assert found.component.sum() == pytest.approx(found.total)


@pytest.mark.parametrize(
    "wrong", [[[1.0, 2.0]], [[1.0, 0.5], [0.4, 1.0]], [[-1.0]], [[np.nan]], [1.0]]
)
def test_what_is_no_covariance_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        measures.portfolio_var([1.0] * len(wrong), wrong)


# -- sizing ----------------------------------------------------------------------------------------


def test_a_fixed_fraction_is_lost_at_the_stop() -> None:
    for entry, stop in ((50.0, 48.0), (50.0, 53.0)):
        quantity = sizing.fixed_fraction(100_000, 0.01, entry, stop)
        assert quantity * (stop - entry) == pytest.approx(-1_000)
    with pytest.raises(ConfigError):
        sizing.fixed_fraction(100_000, 0.01, 50, 50)


def test_a_volatility_target_is_met_up_to_the_largest_leverage() -> None:
    assert sizing.volatility_target(1e5, 0.1, 0.4, 50) * 50 * 0.4 == pytest.approx(1e4)
    assert sizing.volatility_target(1e5, 0.5, 0.1, 50) * 50 == pytest.approx(1e5)
    assert sizing.volatility_target(1e5, 0.5, 0.1, 50, leverage_max=2) * 50 == pytest.approx(2e5)


@pytest.mark.parametrize(("rate", "payoff"), [(0.6, 1.0), (0.5, 2.0), (0.55, 1.1), (0.3, 1.0)])
def test_the_kelly_bet_maximizes_growth(rate: float, payoff: float) -> None:
    def shrink(share: float) -> float:
        return -(rate * np.log1p(payoff * share) + (1 - rate) * np.log1p(-share))

    best = optimize.minimize_scalar(shrink, bounds=(0, 0.99), method="bounded").x
    assert sizing.kelly_bet(rate, payoff, cap=1.0) == pytest.approx(best, abs=1e-4)
    assert sizing.kelly_bet(0.9, 5.0, cap=0.25) == 0.25


def test_kelly_is_capped_both_ways() -> None:
    assert sizing.kelly_fraction(-0.1, 0.01, cap=0.3) == -0.3
    assert sizing.kelly_fraction(0.001, 0.01, cap=0.3) == pytest.approx(0.1)


@pytest.mark.parametrize("seed", range(5))
def test_equal_risk_contribution_shares_the_risk(seed: int) -> None:
    matrix = covariance(seed)
    weights = sizing.equal_risk_contribution(matrix)
    parts = weights * (matrix @ weights)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0).all()
    np.testing.assert_allclose(parts / parts.sum(), np.full(5, 0.2), atol=1e-9)


def test_equal_risk_contribution_refuses_what_has_no_risk() -> None:
    for matrix in ([[0.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]):
        with pytest.raises(ConfigError, match="an asset has no variance, so it cannot carry"):
            sizing.equal_risk_contribution(matrix)


# -- stress and exposures --------------------------------------------------------------------------


def test_correlation_to_one_is_the_limit_of_stressed_covariances() -> None:
    values, matrix = np.array([1e4, 5e3, 2e3, 1e3, 7e3]), covariance()
    bound = stress.correlation_to_one(values, np.sqrt(np.diag(matrix)), 0.99)
    totals = [
        measures.portfolio_var(values, stress.stressed_covariance(matrix, share), 0.99).total
        for share in (0.0, 0.5, 1.0)
    ]
    assert totals == sorted(totals)
    assert totals[-1] == pytest.approx(bound)
    np.testing.assert_allclose(stress.stressed_covariance(matrix, 0.0, 2.0), 4 * matrix)


def test_what_does_not_move_loses_nothing_when_nothing_diversifies() -> None:
    assert stress.correlation_to_one([1_000, 500], [0.0, 0.0]) == 0.0


def test_scenarios_need_a_return_for_all_that_is_held() -> None:
    assert stress.scenario_losses({"A": 100.0, "B": -50.0}, {"x": {"A": -0.1, "*": 0.2}}) == {
        "x": -20.0
    }
    with pytest.raises(ConfigError, match="'B'"):
        stress.scenario_losses({"A": 1.0, "B": 1.0}, {"x": {"A": -0.1}})


def test_the_worst_periods_come_worst_first() -> None:
    rows, results = stress.worst_periods([1.0, -1.0], [[0.1, 0.0], [-0.2, 0.1], [np.nan, 0.2]], 2)
    assert rows.tolist() == [1, 2]
    np.testing.assert_allclose(results, [-0.3, -0.2])


def test_beta_is_the_slope_of_the_regression() -> None:
    rng = np.random.default_rng(2)
    market = rng.normal(size=300)
    table = np.column_stack([1.5 * market + rng.normal(size=300), -0.3 * market])
    slopes = [stats.linregress(market, table[:, i]).slope for i in range(2)]
    np.testing.assert_allclose(exposures.beta(table, market), slopes)
    assert np.isnan(exposures.beta([1.0, 2.0], [1.0, 1.0])).all()


def test_correlated_value_adds_what_moves_together() -> None:
    correlation = [[1.0, 0.8, 0.1], [0.8, 1.0, -0.9], [0.1, -0.9, 1.0]]
    found = exposures.correlated_value([100.0, 50.0, 30.0], correlation)
    assert found.tolist() == [150.0, 120.0, -20.0]


def test_an_asset_counts_with_all_that_moves_like_it_at_the_threshold_too() -> None:
    table = [[1.0, 0.7, -0.7], [0.7, 1.0, 0.699], [-0.7, 0.699, 1.0]]
    assert exposures.correlated_value([100, 50, 10], table, 0.7).tolist() == [140, 150, -90]


def test_a_level_is_95_percent_unless_stated() -> None:
    rng = np.random.default_rng(11)
    sample, table = rng.normal(size=50), rng.normal(size=(50, 2))
    held, matrix = np.array([3.0, -1.0]), np.cov(table.T)
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (measures.historical_var, (sample,)), (measures.historical_shortfall, (sample,)),
        (measures.normal_var, (0.1, 0.2)), (measures.normal_shortfall, (0.1, 0.2)),
        (measures.portfolio_var, (held, matrix)), (measures.portfolio_shortfall, (held, matrix)),
        (measures.historical_contributions, (held, table)),
        (stress.correlation_to_one, (held, [0.1, 0.2])),
    ]  # fmt: skip
    for call, of in calls:
        np.testing.assert_equal(call(*of), call(*of, 0.95))


def test_what_is_not_stated_is_the_cautious_figure() -> None:
    assert sizing.volatility_target(1_000, 0.5, 0.1, 10) == 100.0
    assert sizing.kelly_fraction(1, 0.1) == sizing.kelly_bet(0.99, 10) == 0.5
    correlation = [[1.0, 0.7, 0.699], [0.7, 1.0, 0.0], [0.699, 0.0, 1.0]]
    assert exposures.correlated_value([1.0, 10.0, 100.0], correlation).tolist() == [11, 11, 100]
    rows, results = stress.worst_periods([1.0], -np.arange(12.0)[:, None])
    assert rows.tolist() == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    assert results.tolist() == [-11, -10, -9, -8, -7, -6, -5, -4, -3, -2]


# -- worked by hand --------------------------------------------------------------------------------


def test_a_quantity_and_a_bet_are_those_of_the_formula() -> None:
    assert sizing.fixed_fraction(1_000, 0.02, 10, 8) == 10.0
    assert sizing.fixed_fraction(1_000, 1, 10, 12) == -500.0
    assert sizing.fixed_fraction(1_000, 0, 10, 12) == 0.0
    assert sizing.volatility_target(1_000, 0.1, 0.4, 5) == 50.0
    assert sizing.volatility_target(1_000, 0, 0.4, 5) == 0.0
    assert sizing.kelly_fraction(0.02, 0.1, cap=1) == pytest.approx(0.2)
    # 0.6 less 0.4 over 2; a bet that loses on average is none.
    assert sizing.kelly_bet(0.6, 2, cap=1) == pytest.approx(0.4)
    assert sizing.kelly_bet(0.3, 2, cap=1) == 0.0
    assert sizing.kelly_bet(1, 2, cap=1) == 1.0
    # Deviations of 0.2 and 0.1: what is half as wild is held twice.
    weights = sizing.equal_risk_contribution([[0.04, 0.0], [0.0, 0.01]])
    assert weights.tolist() == pytest.approx([1 / 3, 2 / 3])
    assert sizing.equal_risk_contribution([[0.04]]).tolist() == [1.0]


def test_a_shift_and_a_scenario_are_sums_over_what_is_held() -> None:
    assert stress.shift_loss([100, -50], -0.1) == pytest.approx(-5.0)
    assert stress.shift_loss([100, -50], -0.1, betas=[2, 1]) == pytest.approx(-15.0)
    held = {"A": 100.0, "B": -50.0}
    moves = {"one": {"A": 0.5, "B": 0.5}, "two": {"*": 0.1, "A": -0.1}}
    assert stress.scenario_losses(held, moves) == pytest.approx({"one": 25.0, "two": -15.0})
    with pytest.raises(ConfigError, match="scenario 'x' has no return for 'B'") as caught:
        stress.scenario_losses(held, {"x": {"A": 1.0}})
    assert caught.value.remedy == 'Add it, or "*" for all others'
    with pytest.raises(ConfigError, match="returns hold infinity"):
        stress.worst_periods([1.0], [[np.inf]])
    stressed = stress.stressed_covariance([[4.0, 0.0], [0.0, 9.0]], 0.5, 2.0)
    assert stressed.tolist() == [[16.0, 12.0], [12.0, 36.0]]
    # Scaled by one unless stated.
    assert stress.stressed_covariance([[4.0, 0.0], [0.0, 9.0]], 0).tolist() == [[4, 0], [0, 9]]


def test_sectors_and_sums_add_up_by_hand() -> None:
    values = {"A": 100.0, "B": -40.0, "C": 7.0, "D": 1.0}
    assert exposures.by_sector(values, {"A": "x", "B": "x", "D": "y"}) == {
        "x": {"gross": 140.0, "net": 60.0}, "": {"gross": 7.0, "net": 7.0},
        "y": {"gross": 1.0, "net": 1.0},
    }  # fmt: skip
    assert exposures.summary([0.0, -2.0, 5.0]) == {"gross": 7, "net": 3, "long": 5, "short": 2}
    parts = {"gross": 0.75, "net": 0.25, "long": 0.5, "short": 0.25}
    assert exposures.summary([0.5, -0.25]) == parts
    assert exposures.beta_weighted([2.0, -1.0], [3.0, 4.0]) == 2.0


@pytest.mark.parametrize(
    ("returns", "market", "words"),
    [
        ([0.1], [0.1], "1 returns of assets and 1 of the market"),
        ([0.1, 0.2, 0.3], [0.1, 0.2], "3 returns of assets and 2 of the market"),
        ([[[0.1]], [[0.2]]], [0.1, 0.2],
         r"returns of shape \(2, 1, 1\) and a market of shape \(2,\)"),
        ([0.1, 0.2], [[0.1], [0.2]], r"returns of shape \(2, 1\) and a market of shape \(2, 1\)"),
    ],
)  # fmt: skip
def test_returns_that_do_not_fit_their_market_are_refused(
    returns: Any, market: Any, words: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{words}$"):
        exposures.beta(returns, market)


def test_two_returns_make_a_beta() -> None:
    assert exposures.beta([0.1, 0.3], [0.0, 0.1]).tolist() == pytest.approx([2.0])
    assert exposures.beta([[0.1, 0.0], [0.3, 0.1]], [0.0, 0.1]).tolist() == pytest.approx([2, 1])
    with np.errstate(all="raise"):
        still = exposures.beta([[0.1, 0.2], [0.3, 0.4]], [0.5, 0.5])
    assert np.isnan(still).tolist() == [True, True]
    with pytest.raises(ConfigError, match=r"2 values do not fit a correlation of \(1, 1\)"):
        exposures.correlated_value([1.0, 2.0], [[1.0]])


def test_a_variance_just_below_nothing_is_taken_for_rounding() -> None:
    # Held one against one: the variance is -2e-9 of 4, then -2e-8.
    found = measures.portfolio_var([1.0, -1.0], [[1.0, 1.0 + 1e-9], [1.0 + 1e-9, 1.0]])
    assert found.total == 0.0
    assert found.marginal.tolist() == found.component.tolist() == [0.0, 0.0]
    with pytest.raises(ConfigError, match="gives these holdings a variance of -2e-08"):
        measures.portfolio_var([1.0, -1.0], [[1.0, 1.0 + 1e-8], [1.0 + 1e-8, 1.0]])


def test_contributions_by_hand() -> None:
    # The worst of four periods is the third: it loses 3 of A and gains 1 of B.
    table = [[0.1, 0.0], [0.0, 0.1], [-0.3, 0.1], [0.2, 0.0]]
    found = measures.historical_contributions([10.0, 10.0], table, 0.75)
    assert found.total == pytest.approx(2.0)
    assert found.marginal.tolist() == pytest.approx([0.3, -0.1])
    assert found.component.tolist() == pytest.approx([3.0, -1.0])
    # One and a half periods: the next worst is the first or the second.
    assert measures.historical_contributions([10.0], [[-0.3], [0.1], [-0.1]], 0.5).total == (
        pytest.approx((3.0 + 0.5 * 1.0) / 1.5)
    )

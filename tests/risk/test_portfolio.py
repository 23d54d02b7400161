"""Limits on portfolio risk: what a schedule computed, how old it is, what it denies."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.monitor import PortfolioMonitor, mean_correlation, share_of
from pyrt.testing.gates import GateRig

READING = {
    "max_value_at_risk": "value_at_risk",
    "max_expected_shortfall": "expected_shortfall",
    "max_volatility": "volatility",
    "max_correlation": "correlation",
}


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), prices=100, symbols=("AAA", "BBB"))


def code(order: Any) -> str:
    return str(order.reason).partition(":")[0]


# -- both sides of each limit ----------------------------------------------------------------------

LIMITED = [
    ("max_value_at_risk", 1_000, 999.999999, True),
    ("max_value_at_risk", 1_000, 1_000, True),
    ("max_value_at_risk", 1_000, 1_000.000001, False),
    # Money is read in millionths: what is less comes of adding floats up.
    ("max_value_at_risk", 1_000, 1_000.0000004, True),
    ("max_expected_shortfall", 1_000, 1_000, True),
    ("max_expected_shortfall", 1_000, 1_000.01, False),
    ("max_volatility", 0.02, 0.02, True),
    ("max_volatility", 0.02, 0.020000001, False),
    ("max_correlation", 0.6, 0.6, True),
    ("max_correlation", 0.6, 0.600000001, False),
    ("max_correlation", 0.6, -1.0, True),
]


@pytest.mark.parametrize(("name", "limit", "reading", "leaves"), LIMITED)
def test_an_entry_is_denied_past_the_last_reading_and_a_reduction_never(
    name: str, limit: float, reading: float, leaves: bool
) -> None:
    made = rig(**{name: limit})
    made.hold(10)
    made.gate.readings.take(made.now, **{READING[name]: reading})
    assert code(made.order("buy", 1)) == ("" if leaves else name)
    assert code(made.order("sell", 10)) == ""


def test_without_a_reading_only_a_strict_gate_denies() -> None:
    assert code(rig(max_value_at_risk=1).order("buy", 1)) == ""
    limits = Limits(
        max_order_quantity=1e6, max_position_quantity=1e6, max_leverage=10, max_daily_loss=1e9,
        max_open_orders=10, max_orders_per_minute=100, price_collar_bps=500, stale_data_after="1h",
        max_value_at_risk=1,
    )  # fmt: skip
    strict = GateRig(RiskEngine(limits, strict=True), prices=100)
    assert code(strict.order("buy", 1)) == "max_risk_age"
    strict.gate.readings.take(strict.now)
    assert code(strict.order("buy", 1)) == ""


@pytest.mark.parametrize(
    ("wait", "leaves"), [("59s", True), ("60s", True), (60_000_000_001, False)]
)
def test_the_age_of_a_reading_is_limited(wait: Any, leaves: bool) -> None:
    made = rig(max_value_at_risk=1_000, max_risk_age="60s", risk_every="1000d")
    assert made.order("buy", 1).reason == ("max_risk_age: portfolio risk has not been computed yet")
    made.gate.readings.take(made.now)
    made.wait(wait)
    assert code(made.order("buy", 1)) == ("" if leaves else "max_risk_age")


@pytest.mark.parametrize(
    ("held", "side", "quantity", "leaves"),
    [
        # Beta 1.5: 100 shares at 100 are 15,000 of the market, on top of what is held.
        (5_000, "buy", 100, True),
        (5_000.000001, "buy", 100, False),
        (-25_000, "buy", 100, True),
        (-5_000, "sell", 100, True),
        (-5_000.000001, "sell", 100, False),
        (35_000, "sell", 100, True),
    ],
)
def test_the_order_itself_counts_in_beta_exposure(
    held: float, side: str, quantity: int, leaves: bool
) -> None:
    made = rig(max_beta_exposure=20_000, market_symbol="SPY")
    made.gate.readings.take(made.now, beta_exposure=held, betas={"AAA": 1.5})
    assert code(made.order(side, quantity)) == ("" if leaves else "max_beta_exposure")


@pytest.mark.parametrize(("volatility", "opens"), [(0.02, False), (0.020000001, True)])
def test_volatility_opens_the_breaker(volatility: float, opens: bool) -> None:
    made = rig(trip_volatility=0.02)
    made.order("buy", 1, limit_price=90)
    made.gate.judge_volatility(made.now, volatility)
    made.settle()
    assert len(made.venue.withdrawn) == opens
    assert code(made.order("buy", 1)) == ("trip_volatility" if opens else "")
    made.gate.judge_volatility(made.now, volatility)
    assert len(made.gate.breaker.trips) == opens


def test_an_unnamed_symbol_has_a_beta_of_one() -> None:
    made = rig(max_beta_exposure=10_000, market_symbol="SPY")
    made.gate.readings.take(made.now, betas={"AAA": 1.5})
    assert code(made.order("buy", 100, "BBB")) == ""
    assert code(made.order("buy", 101, "BBB")) == "max_beta_exposure"


def test_before_the_first_reading_every_beta_is_one() -> None:
    made = rig(max_beta_exposure=1_000, market_symbol="SPY")
    assert code(made.order("buy", 10.01)) == "max_beta_exposure"
    assert code(made.order("buy", 10)) == ""


def test_betas_are_those_of_the_last_reading() -> None:
    made = rig(max_beta_exposure=10_000, market_symbol="SPY")
    for beta, most in ((1.0, 100), (2.0, 50), (0.5, 200), (1.0, 100)):
        made.gate.readings.take(made.now, betas={"AAA": beta})
        assert code(made.order("buy", most + 1)) == "max_beta_exposure"
        order = made.order("buy", most)
        assert code(order) == ""
        made.answer("reject", order)


def test_what_is_no_number_changes_nothing() -> None:
    made = rig(max_value_at_risk=1)
    with pytest.raises(ConfigError, match="volatility is nan"):
        made.gate.readings.take(made.now, value_at_risk=5, volatility=math.nan)
    with pytest.raises(ConfigError, match="AAA is inf"):
        made.gate.readings.take(made.now, betas={"AAA": math.inf})
    assert made.gate.readings.values == {}


# -- computed on a schedule ------------------------------------------------------------------------


def test_the_engine_measures_when_it_is_due_and_not_per_order() -> None:
    made = rig(max_value_at_risk=1e9, risk_every="1h", risk_window=3, risk_level=0.5)
    made.hold(10)
    prices, seen = [100, 110, 99, 108.9, 98.01], []
    for price in prices:
        made.price(price)
        made.sample()
        seen.append(made.gate.readings.values.get("value_at_risk"))
        made.price(1.0)
        made.sample()
        made.order("buy", 1, limit_price=1)
        made.price(price)
        made.wait("1h")
    # Returns are +10, -10, +10, -10 %; the median of the last three, of 10 shares.
    assert seen[:2] == [None, None]
    assert seen[2] == pytest.approx(0.0)
    assert seen[3] == pytest.approx(-0.1 * 1089)
    assert seen[4] == pytest.approx(0.1 * 980.1)


@pytest.mark.parametrize(("limit", "opens"), [(0.006, True), (0.008, False)])
def test_what_is_measured_when_it_is_due_opens_the_breaker(limit: float, opens: bool) -> None:
    made = rig(trip_volatility=limit, risk_every="1h")
    made.hold(5_000)
    made.order("buy", 1, limit_price=90)
    # Returns of +1 and -0.99 % of half the equity: 0.7 % of it is their deviation.
    for price, is_open in ((100, False), (101, False), (100, opens)):
        made.price(price)
        made.sample()
        assert bool(made.gate.breaker.trips) == is_open
        assert len(made.venue.withdrawn) == is_open
        made.wait("1h")
    assert made.gate.readings.values["volatility"] == pytest.approx(0.00704, abs=1e-5)
    assert code(made.order("buy", 1)) == ("trip_volatility" if opens else "")
    assert code(made.order("sell", 1)) == ""


def measured(returns: Any, values: Any, **options: Any) -> dict[str, Any]:
    """Return what a monitor makes of prices with these returns."""
    monitor = PortfolioMonitor(options.pop("window", 500), options.pop("level", 0.95), "M")
    names = [*"ABCDEFG"[: np.shape(returns)[1] - 1], "M"]
    prices, found = np.full(np.shape(returns)[1], 100.0), None
    for row in [np.zeros(len(prices)), *returns]:
        prices = prices * (1 + np.asarray(row))
        found = monitor.measure(names, prices.tolist(), values, 1e6)
    assert found is not None
    return found


def test_readings_are_those_of_scipy() -> None:
    rng = np.random.default_rng(5)
    market = rng.normal(0, 0.01, 300)
    returns = np.column_stack(
        [1.3 * market + rng.normal(0, 0.005, 300), -0.4 * market + rng.normal(0, 0.02, 300), market]
    )
    values = [50_000.0, -30_000.0, 10_000.0]
    found = measured(returns, values)
    results = returns @ values
    cut = stats.scoreatpercentile(results, 5)
    assert found["value_at_risk"] == pytest.approx(-cut)
    assert found["volatility"] == pytest.approx(stats.tstd(results) / 1e6)
    slopes = [stats.linregress(market, returns[:, i]).slope for i in range(3)]
    assert found["beta_exposure"] == pytest.approx(float(np.dot(values, slopes)))
    assert list(found["betas"].values()) == pytest.approx(slopes)
    pairs = [(0, 1), (0, 2), (1, 2)]
    weights = [values[i] * values[j] for i, j in pairs]
    rho = [stats.pearsonr(returns[:, i], returns[:, j]).statistic for i, j in pairs]
    expected = np.dot(weights, rho) / np.abs(weights).sum()
    assert found["correlation"] == pytest.approx(expected)
    assert found["expected_shortfall"] > found["value_at_risk"]


def test_a_window_forgets_and_a_missing_price_is_no_move() -> None:
    calm, wild = [[0.001, 0.0]] * 6, [[-0.5, 0.0]]
    held = [1_000.0, 0.0]
    assert measured(wild + calm, held, window=5)["value_at_risk"] == pytest.approx(-1.0)
    monitor = PortfolioMonitor(5, 0.95)
    assert monitor.measure(["A"], [100], [0], 1.0) is None
    assert monitor.measure(["A", "B"], [100, 0], [0, 10], 1.0) is None
    found = monitor.measure(["A", "B"], [100, 50], [0, 10], 1.0)
    assert found is not None
    assert found["value_at_risk"] == 0
    assert "betas" not in found


def test_one_holding_or_none_has_no_correlation() -> None:
    moves = np.array([[0.1, 0.2], [0.0, -0.1], [0.3, 0.1]])
    assert mean_correlation(moves, np.array([5.0, 0.0])) == 0
    assert mean_correlation(np.zeros((3, 2)), np.array([5.0, 1.0])) == 0


@pytest.mark.parametrize(
    "limits",
    [
        {"risk_window": 1},
        {"risk_every": 0},
        {"risk_level": 1.1},
        {"max_beta_exposure": 1},
        {"max_risk_age": "soon"},
    ],
)
def test_settings_that_make_no_sense_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Limits(**limits)


# -- what goes on --------------------------------------------------------------------------------


def watched(**more: Any) -> GateRig:
    """A rig that holds 100 units at 100, and has seen prices of four hours: 100, 101, 99, 102."""
    made = rig(max_value_at_risk=1_000_000, risk_every="1h", risk_level="0.5", **more)
    made.hold(100)
    for price in (101.0, 99.0, 102.0):
        next_hour(made, price)
    return made


def next_hour(made: GateRig, price: float, symbol: str | None = None) -> None:
    made.price(price, symbol)
    made.wait("1h")
    made.sample()


def expected(prices: list[float], held: float) -> float:
    table = np.asarray(prices)
    return float(-np.quantile((table[1:] / table[:-1] - 1.0) * held, 0.5))


def test_a_split_is_no_return() -> None:
    """Ten for one: 102 becomes 10.2, and the hour before that cost 9.9."""
    made = watched()
    assert made.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([100, 101, 99, 102], 10_200), abs=1e-6
    )
    made.split(10)
    next_hour(made, 10.3)
    assert made.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([10.0, 10.1, 9.9, 10.2, 10.3], 10_300), abs=1e-6
    )


def test_a_split_right_after_a_change_of_limits_is_no_return() -> None:
    made = watched()
    made.gate.set_limits(made.gate.limits.replace(max_order_quantity=5), "Ann", "smaller")
    made.split(10)
    next_hour(made, 10.3)
    assert made.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([10.0, 10.1, 9.9, 10.2, 10.3], 10_300), abs=1e-6
    )


def test_a_change_of_other_limits_keeps_the_prices_that_are_known() -> None:
    made = watched()
    made.gate.set_limits(made.gate.limits.replace(max_order_quantity=5), "Ann", "smaller")
    next_hour(made, 104.0)
    assert made.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([100, 101, 99, 102, 104], 10_400), abs=1e-6
    )
    shorter = made.gate.limits.replace(risk_window=2)
    made.gate.set_limits(shorter, "Ann", "the last two returns only")
    next_hour(made, 104.0)
    assert made.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([102, 104, 104], 10_400), abs=1e-6
    )
    # Prices of another distance say nothing of this one.
    made.gate.set_limits(made.gate.limits.replace(risk_every="2h"), "Ann", "every two hours")
    before = made.gate.readings.ts
    next_hour(made, 105.0)
    assert made.gate.readings.ts == before


def test_portfolio_risk_goes_on_after_a_restart_and_in_another_order_of_symbols() -> None:
    first = watched()
    saved = json.loads(json.dumps(first.gate.save()))
    assert saved == json.loads(json.dumps(first.gate.save()))
    second = GateRig(RiskEngine(first.gate.limits), prices=100, symbols=("BBB", "AAA"))
    second.gate.restore(saved)
    assert second.gate.readings.values == first.gate.readings.values
    assert second.gate.readings.ts == first.gate.readings.ts
    second.wait(first.now - second.now)
    second.hold(100, symbol="AAA")
    next_hour(second, 104.0, "AAA")
    assert second.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([100, 101, 99, 102, 104], 10_400), abs=1e-6
    )


def test_prices_taken_at_another_distance_are_not_taken_over() -> None:
    saved = watched().gate.save()
    other = rig(max_value_at_risk=1_000, risk_every="2h")
    other.gate.restore(saved)
    assert other.gate.readings.values == {}
    none = rig(max_order_quantity=1)
    none.gate.restore(saved)
    assert none.gate.save()["portfolio"] is None


@pytest.mark.parametrize(
    ("deviation", "equity", "share"),
    [(50.0, 1e3, 0.05), (50.0, 0.0, 1e9), (50.0, -1.0, 1e9), (0.0, -1.0, 0.0), (1e9, 1e-9, 1e9)],
)
def test_volatility_of_equity_that_is_gone_is_past_any_limit(
    deviation: float, equity: float, share: float
) -> None:
    assert share_of(deviation, equity) == share


def test_a_beta_is_found_by_id_and_by_symbol() -> None:
    spot = Instrument("AAA", venue="X")
    for name in ("AAA", spot.id):
        made = GateRig(
            RiskEngine(Limits(max_beta_exposure=1_000, market_symbol="SPY")),
            prices=100, symbols=(spot,),
        )  # fmt: skip
        made.gate.readings.take(made.now, betas={name: 2.0})
        assert code(made.order("buy", 5)) == ""
        assert code(made.order("buy", 6)) == "max_beta_exposure"


def test_another_run_knows_no_prices_of_the_one_before() -> None:
    first = watched()
    second = GateRig(first.gate, prices=100, symbols=("AAA", "BBB"))
    assert second.gate.save()["portfolio"]["readings"] is None
    second.hold(100)
    next_hour(second, 104.0)
    assert second.gate.readings.values == {}
    for price in (103.0, 105.0, 106.0, 109.0):
        next_hour(second, price)
    assert second.gate.readings.values["value_at_risk"] == pytest.approx(
        expected([100, 104, 103, 105, 106, 109], 10_900), abs=1e-6
    )


def test_limits_that_read_no_portfolio_risk_end_its_computing() -> None:
    made = watched()
    made.gate.set_limits(Limits(max_order_quantity=5), "Ann", "sizes only")
    assert made.gate.save()["portfolio"] is None


def test_a_split_of_what_is_not_watched_changes_no_prices() -> None:
    monitor = PortfolioMonitor(10, 0.5, None)
    monitor.measure(["AAA"], np.array([100.0]), np.array([1.0]), 1_000.0)
    before = monitor.save()
    monitor.rescale("BBB", 0.5)
    assert monitor.save() == before

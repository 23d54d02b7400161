"""What risk measures, windows and the plain gate refuse, and the words they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import BacktestEngine, Bar, Instrument, Strategy
from pyrt.errors import ConfigError
from pyrt.risk import exposures, sizing, stress, value_at_risk
from pyrt.risk.engine import RiskEngine
from pyrt.risk.windows import RateWindow, SizeHistory

HOLD = np.array([100.0, -50.0])
UNEQUAL = np.array([[1.0, 0.5], [0.5, 9.0]])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: value_at_risk.historical_contributions(HOLD, np.ones((9, 3))), r"\(9, 3\) do not"),
        (
            lambda: value_at_risk.historical_contributions(HOLD, np.ones((0, 2))),
            "there are no returns",
        ),
        (lambda: value_at_risk.historical_contributions(HOLD, [[0.1, np.nan]]), "NaN or infinity"),
        (lambda: value_at_risk.portfolio_var(HOLD, np.eye(3)), "2 values do not fit"),
        # A value that is not known is no holding without risk.
        (lambda: value_at_risk.portfolio_var([np.nan, 1.0], np.eye(2)), r"values is \[nan"),
        (lambda: value_at_risk.portfolio_shortfall([[1.0]], np.eye(1)), r"values is \[\[1.0"),
        (lambda: value_at_risk.historical_contributions([np.inf], [[0.1]]), r"values is \[inf\]"),
        (lambda: stress.shift_loss([np.nan], -0.1), r"values is \[nan\]"),
        (lambda: stress.shift_loss(HOLD, -0.1, betas=[1.0]), r"betas is \[1.0\]; expected 2"),
        (lambda: stress.shift_loss(HOLD, -0.1, betas=[1.0, np.nan]), "betas is .*expected 2"),
        (lambda: stress.worst_periods(HOLD, np.ones((9, 3))), r"\(9, 3\) do not fit 2"),
        (lambda: stress.worst_periods([np.nan], [[0.1]]), r"values is \[nan\]"),
        (lambda: stress.correlation_to_one(HOLD, [0.1]), r"deviations is \[0.1\]; expected 2"),
        (lambda: stress.correlation_to_one(HOLD, [0.1, -0.1]), "expected 0 or more"),
        (lambda: stress.correlation_to_one(HOLD, [0.1, 0.1], 1.0), "level is 1.0"),
        (lambda: stress.stressed_covariance([[1.0, 2.0]], 0.5), "covariance has the shape"),
        (lambda: exposures.beta_weighted(HOLD, [1.0]), r"betas is \[1.0\]; expected 2"),
        # Both assets vary by 1 and together by 2: one less the other by minus 2.
        (
            lambda: value_at_risk.portfolio_var([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]]),
            "gives these holdings a variance of -2",
        ),
        (lambda: sizing.kelly_fraction(np.nan, 0.1), "mean is nan; expected a finite number"),
        (lambda: sizing.kelly_fraction(0.1, 0.0), "variance is 0.0; expected a positive number"),
        (lambda: sizing.kelly_fraction(0.1, 0.1, cap=-1), "cap is -1; expected a positive"),
        (lambda: sizing.kelly_bet(1.5, 2.0), "win_rate is 1.5; expected a share from 0 to 1"),
        (lambda: sizing.kelly_bet(0.5, 0.0), "payoff is 0.0; expected a positive number"),
        (lambda: RateWindow(-1, 1), "cannot admit -1 events"),
        (lambda: RateWindow(1, 0), "a window of 0 ns"),
        (lambda: SizeHistory(0), "a history of 0 sizes"),
        (lambda: SizeHistory(3).push(float("inf")), "inf is not a size"),
        (
            lambda: sizing.fixed_fraction(1e5, 1.01, 50.0, 48.0),
            "fraction is 1.01; expected a share",
        ),
        (
            lambda: sizing.volatility_target(1e5, -0.1, 0.2, 50.0),
            "target is -0.1; expected 0 or more",
        ),
        (lambda: sizing.equal_risk_contribution(UNEQUAL, rounds_max=1), "differ after 1 rounds"),
        (lambda: stress.stressed_covariance(UNEQUAL, toward_one=1.5), "toward_one is 1.5"),
        (lambda: exposures.beta(np.ones((9, 2)), np.ones(8)), "9 returns of assets and 8 of"),
        (lambda: RiskEngine("none"), "expected Limits, got 'none'"),
    ],
)
def test_bad_input_is_named(ask: Callable[[], object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ask()


def test_the_least_of_windows_is_one() -> None:
    assert not RateWindow(0, 1).admit(0)
    window = RateWindow(1, 1)
    assert [window.admit(t) for t in (0, 0, 1)] == [True, False, True]
    assert SizeHistory(1).push(2.0) == 2.0


def test_what_carries_no_risk_has_none() -> None:
    found = value_at_risk.portfolio_var([0.0, 0.0], np.eye(2))
    assert found.total == 0.0
    assert not found.component.any()


class Once(Strategy):
    """Sends one order at the first bar."""

    terms: dict = {}

    def on_start(self) -> None:
        self.subscribe_bars("ABC", "1m")
        self.sent = False

    def on_bar(self, bar: Bar) -> None:
        if not self.sent:
            self.sent = True
            self.buy("ABC", **self.terms)


@pytest.mark.parametrize(
    ("settings", "terms", "reason"),
    [
        ({"tradable": False}, {"quantity": 1}, "tradable: ABC cannot be traded"),
        (
            {"min_notional": 10},
            {"notional": 5},
            "min_notional: 5 is below the smallest order of 10 USD",
        ),
        (
            {"step_size": "0.5"},
            {"quantity": 1.2},
            "quantity_step: quantity 1.2 is not a multiple of 0.5; the neighbors are 1 and 1.5",
        ),
        (
            {"tick_size": "0.05"},
            {"quantity": 1, "stop_price": 101.02},
            "price_tick: stop_price 101.02 is not a multiple of 0.05; the neighbors are 101 "
            "and 101.05",
        ),
        (
            {"tick_size": "0.05"},
            {"quantity": 1, "take_profit": 110.02},
            "price_tick: limit_price 110.02 is not a multiple of 0.05; the neighbors are 110 "
            "and 110.05",
        ),
        (
            {"tick_size": "0.05"},
            {"quantity": 1, "take_profit": 110, "stop_loss": 90.01},
            "price_tick: stop_price 90.01 is not a multiple of 0.05; the neighbors are 90 and "
            "90.05",
        ),
        (
            {},
            {"quantity": 1, "reduce_only": True},
            "reduce_only: no position in ABC that this order could reduce",
        ),
    ],
)
def test_without_limits_an_order_still_has_to_fit(
    settings: dict[str, Any], terms: dict[str, Any], reason: str
) -> None:
    engine = BacktestEngine()
    engine.add_instrument(Instrument("ABC", **settings))
    index = pd.date_range("2024-03-04 14:30", periods=3, freq="1min", tz="UTC")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), 100.0), index=index)
    engine.add_data(frame.assign(volume=1.0), symbol="ABC", label="open")
    engine.add_strategy(Once(terms=terms))
    orders = engine.run().orders
    assert orders.status.iloc[0] == "DENIED"
    assert orders.reason.iloc[0] == reason
    assert "FILLED" not in set(orders.status)

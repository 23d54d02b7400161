"""Portfolio risk and sizing refuse what is no number by name, with what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt.errors import ConfigError
from pyrt.risk import arguments, exposures, sizing, stress
from pyrt.risk import value_at_risk as measures

ONE = [[0.04]]
TWO = [[0.04, 0.01], [0.01, 0.09]]
# Function, its arguments, and those of them that are single numbers.
NUMBERS: list[tuple[Callable[..., Any], dict[str, Any], tuple[str, ...]]] = [
    (measures.historical_var, {"returns": [0.1, -0.1], "level": 0.9}, ("level",)),
    (measures.historical_shortfall, {"returns": [0.1, -0.1], "level": 0.9}, ("level",)),
    (measures.normal_var, {"mean": 0.0, "deviation": 1.0, "level": 0.9},
     ("mean", "deviation", "level")),
    (measures.normal_shortfall, {"mean": 0.0, "deviation": 1.0, "level": 0.9},
     ("mean", "deviation", "level")),
    (measures.portfolio_var, {"values": [1.0], "covariance": ONE, "level": 0.9}, ("level",)),
    (measures.portfolio_shortfall, {"values": [1.0], "covariance": ONE, "level": 0.9}, ("level",)),
    (measures.historical_contributions, {"values": [1.0], "returns": [[0.1]], "level": 0.9},
     ("level",)),
    (sizing.fixed_fraction, {"equity": 1e5, "fraction": 0.01, "entry": 50, "stop": 48},
     ("equity", "fraction", "entry", "stop")),
    (sizing.volatility_target,
     {"equity": 1e5, "target": 0.1, "volatility": 0.2, "price": 50, "leverage_max": 2},
     ("equity", "target", "volatility", "price", "leverage_max")),
    (sizing.kelly_fraction, {"mean": 0.1, "variance": 0.2, "cap": 1}, ("mean", "variance", "cap")),
    (sizing.kelly_bet, {"win_rate": 0.6, "payoff": 1, "cap": 1}, ("win_rate", "payoff", "cap")),
    (sizing.equal_risk_contribution, {"covariance": TWO, "tolerance": 1e-9, "rounds_max": 9_999},
     ("tolerance", "rounds_max")),
    (stress.shift_loss, {"values": [1.0], "shift": -0.1}, ("shift",)),
    (stress.worst_periods, {"values": [1.0], "returns": [[0.1]], "count": 1}, ("count",)),
    (stress.correlation_to_one, {"values": [1.0], "deviations": [0.1], "level": 0.9}, ("level",)),
    (stress.stressed_covariance, {"covariance": TWO, "toward_one": 0.5, "scale": 2},
     ("toward_one", "scale")),
    (exposures.correlated_value, {"values": [1.0], "correlation": [[1.0]], "threshold": 0.5},
     ("threshold",)),
]  # fmt: skip
SINGLE = [(call, given, name) for call, given, names in NUMBERS for name in names]
WRONG = ("0.5", None, True, [0.5], b"1", float("nan"), float("inf"), 1j)


@pytest.mark.parametrize(("call", "given", "name"), SINGLE)
def test_a_single_number_that_is_none_is_refused_by_name(
    call: Callable[..., Any], given: dict[str, Any], name: str
) -> None:
    call(**given)
    for wrong in WRONG:
        with pytest.raises(ConfigError, match=f"^{name} is .*; expected ") as caught:
            call(**{**given, name: wrong})
        assert caught.value.values["name"] == name


TINY = 5e-324
# Function, the least and the largest that it takes, what lies just beyond, and its words.
EDGES: list[tuple[Callable[[str, Any], float], tuple[Any, ...], tuple[Any, ...], str]] = [
    (arguments.positive, (TINY, 1e308), (0, -TINY), "a positive number"),
    (arguments.nonnegative, (0, -0.0, 1e308), (-TINY,), "0 or more"),
    (arguments.share, (0, 1), (-TINY, np.nextafter(1.0, 2.0)), "a share from 0 to 1"),
    (lambda _, value: arguments.level_of(value), (TINY, np.nextafter(1.0, 0.0)), (0, 1),
     "a share between 0 and 1, such as 0.95"),
    (arguments.count_of, (1, np.int64(10**9)), (0, -1, 1.0), "a whole number of 1 or more"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "taken", "refused", "words"), EDGES)
def test_a_number_is_read_up_to_the_edge_and_named_beyond(
    read: Callable[[str, Any], float], taken: tuple[Any, ...], refused: tuple[Any, ...], words: str
) -> None:
    for value in taken:
        assert read("level", value) == value
    for value in refused:
        expected = re.escape(f"level is {value!r}; expected {words}")
        with pytest.raises(ConfigError, match=f"^{expected}$"):
            read("level", value)


def test_a_value_that_is_long_is_cut_in_the_words() -> None:
    with pytest.raises(ConfigError) as caught:
        arguments.number("level", "x" * 200)
    assert str(caught.value) == f"level is '{'x' * 79}; expected a finite number"


@pytest.mark.parametrize(
    ("read", "words", "remedy"),
    [
        (lambda: arguments.series("returns", [[0.1, 0.2], [0.1, 0.2]]),
         "returns is [[0.1, 0.2], [0.1, 0.2]]; expected one number for each period",
         "Give one column"),
        (lambda: arguments.series("returns", [0.1, float("inf")]),
         "returns is [0.1, inf]; expected finite numbers", "Drop or fill these periods"),
        (lambda: arguments.table("returns", [0.1, 0.2], 2),
         "returns of shape (2,) do not fit 2 values",
         "Give one row for each period, with one number for each asset"),
        (lambda: arguments.table("returns", [[0.1, 0.2]], 3),
         "returns of shape (1, 2) do not fit 3 values",
         "Give one row for each period, with one number for each asset"),
        (lambda: arguments.held_values([float("nan")]),
         "values is [nan]; expected one finite number for each asset",
         "A holding without a price has no risk that could be stated"),
        (lambda: arguments.held_values([[1.0]]),
         "values is [[1.0]]; expected one finite number for each asset",
         "A holding without a price has no risk that could be stated"),
        (lambda: arguments.each(np.ones(2), [1.0], "betas"),
         "betas is [1.0]; expected 2 finite numbers", ""),
        (lambda: arguments.each(np.ones(1), [float("inf")], "betas"),
         "betas is [inf]; expected 1 finite numbers", ""),
        (lambda: arguments.square("table", [1.0, 2.0]),
         "table has the shape (2,); expected a square", ""),
        (lambda: arguments.square("table", [[1.0, 2.0]]),
         "table has the shape (1, 2); expected a square", ""),
        (lambda: arguments.square("table", [[float("nan")]]),
         "table is not finite and symmetric", ""),
        (lambda: arguments.square("table", [[1.0, 2.0], [3.0, 1.0]]),
         "table is not finite and symmetric", ""),
        (lambda: arguments.checked_covariance([[1.0, 0.0], [0.0, -1e-9]]),
         "the covariance has a negative variance", ""),
        (lambda: arguments.mapping("values", [1.0]),
         "values is [1.0]; expected a mapping of symbols to numbers", ""),
        (lambda: arguments.array("values", ["1"]),
         "values is ['1']; expected numbers", "Give numbers, not text or dates"),
    ],
)  # fmt: skip
def test_what_is_refused_is_shown_with_what_to_do(
    read: Callable[[], Any], words: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read()
    assert (caught.value.message, caught.value.remedy) == (words, remedy)


@pytest.mark.parametrize("wrong", ["0.5", b"1", True])
def test_text_among_exact_numbers_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="; expected numbers"):
        arguments.array("returns", np.array([Decimal("0.1"), wrong], dtype=object))
    exact = np.array([Decimal("0.1"), Decimal("0.2")], dtype=object)
    assert arguments.array("returns", exact).tolist() == [0.1, 0.2]
    assert arguments.array("returns", exact[:0]).shape == (0,)


def test_what_is_taken_keeps_its_shape() -> None:
    assert arguments.table("returns", np.zeros((0, 2)), 2).shape == (0, 2)
    assert arguments.series("returns", [[0.1, float("nan"), 0.3]]).tolist() == [0.1, 0.3]
    assert arguments.series("returns", []).shape == (0,)
    assert arguments.held_values([]).shape == (0,)
    assert arguments.array("values", ()).shape == (0,)
    assert arguments.checked_covariance([[0.0]]).tolist() == [[0.0]]
    assert arguments.square("table", [[1.0, 0.5], [0.5 + 1e-12, 1.0]]).shape == (2, 2)


ARRAYS = [
    (partial(measures.historical_var), "returns", {}),
    (partial(measures.historical_shortfall), "returns", {}),
    (measures.portfolio_var, "values", {"covariance": ONE}),
    (measures.portfolio_var, "covariance", {"values": [1.0]}),
    (measures.portfolio_shortfall, "values", {"covariance": ONE}),
    (measures.historical_contributions, "values", {"returns": [[0.1]]}),
    (measures.historical_contributions, "returns", {"values": [1.0]}),
    (sizing.equal_risk_contribution, "covariance", {}),
    (stress.shift_loss, "values", {"shift": -0.1}),
    (stress.shift_loss, "betas", {"values": [1.0], "shift": -0.1}),
    (stress.worst_periods, "returns", {"values": [1.0]}),
    (stress.correlation_to_one, "deviations", {"values": [1.0]}),
    (stress.stressed_covariance, "covariance", {"toward_one": 0}),
    (exposures.beta, "returns", {"market": [0.1, 0.2]}),
    (exposures.beta, "market", {"returns": [0.1, 0.2]}),
    (exposures.beta_weighted, "betas", {"values": [1.0]}),
    (exposures.correlated_value, "correlation", {"values": [1.0]}),
    (exposures.summary, "values", {}),
]


@pytest.mark.parametrize(("call", "name", "others"), ARRAYS)
def test_an_array_that_is_none_of_numbers_is_refused_by_name(
    call: Callable[..., Any], name: str, others: dict[str, Any]
) -> None:
    dates = pd.date_range("2024-01-02", periods=2)
    for wrong in ("many", ["0.1", "0.2"], [["a"]], [[0.1], [0.2, 0.3]], 5, dates, [True, False]):
        with pytest.raises(ConfigError, match=f"^{name} ") as caught:
            call(**{name: wrong}, **others)
        assert caught.value.remedy or "expected" in str(caught.value)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_numbers_may_come_in_any_form(kind: Callable[..., Any]) -> None:
    returns = kind([-0.04, -0.02, 0.0, 0.01, 0.03])
    assert measures.historical_var(returns, Decimal("0.75")) == 0.02
    exact = kind([Decimal("-0.04"), Decimal("-0.02"), Decimal(0), Decimal("0.01"), Decimal("0.03")])
    assert measures.historical_var(exact, np.float32(0.75)) == 0.02
    assert sizing.fixed_fraction(Decimal(100_000), Decimal("0.01"), 50, np.int64(48)) == 500


def test_returns_of_several_assets_are_no_series() -> None:
    with pytest.raises(ConfigError, match="one number for each period"):
        measures.historical_var(np.zeros((5, 2)))
    with pytest.raises(ConfigError, match="finite numbers"):
        measures.historical_shortfall([0.1, float("inf")])
    assert measures.historical_var(np.array([[0.1], [-0.1]]), 0.5) == 0.0


@pytest.mark.parametrize(
    ("values", "scenarios", "says"),
    [
        ([1.0], {"crash": {"A": -0.1}}, "^values is "),
        ({"A": "1"}, {"crash": {"A": -0.1}}, "^the value of A is '1'"),
        ({"A": 1.0}, ["crash"], "^scenarios is "),
        ({"A": 1.0}, {"crash": -0.1}, "^scenario 'crash' is -0.1"),
        ({"A": 1.0}, {"crash": {"A": "-10%"}}, "^the return of A in 'crash' is '-10%'"),
        ({"A": 1.0}, {"crash": {"*": float("nan")}}, "^the return of A in 'crash' is nan"),
    ],
)
def test_scenarios_are_mappings_of_numbers(values: Any, scenarios: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        stress.scenario_losses(values, scenarios)


def test_values_by_sector_are_numbers() -> None:
    for values, sectors in (({"A": "1"}, {}), ([1.0], {}), ({"A": 1.0}, None)):
        with pytest.raises(ConfigError):
            exposures.by_sector(values, sectors)


@pytest.mark.parametrize(
    "call",
    [
        lambda: exposures.correlated_value([1.0, 2.0], [[1.0]]),
        lambda: exposures.beta([[[1.0]], [[2.0]]], [1.0, 2.0]),
        lambda: stress.worst_periods([1.0], [[float("inf")]]),
        lambda: measures.historical_contributions([1.0], np.zeros((0, 1))),
        lambda: sizing.equal_risk_contribution(np.zeros((0, 0))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError):
        call()

"""Prices that portfolio risk is computed from: kept by symbol, rescaled, saved, passed on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyrt.risk.monitor import PortfolioMonitor, mean_correlation, share_of

ROWS = [(100.0, 50.0), (110.0, 45.0), (99.0, 54.0), (108.9, 54.0)]
"""Returns of A: +10, -10, +10 %; of B: -10, +20, 0 %."""


def filled(window: int = 10, level: float = 0.5, market: str | None = "B") -> PortfolioMonitor:
    made = PortfolioMonitor(window, level, market)
    for row in ROWS:
        made.measure(("A", "B"), row, (0.0, 0.0), 1_000.0)
    return made


def result(
    made: PortfolioMonitor, symbols: tuple[str, ...] = ("A", "B"),
    row: tuple[float, ...] = (108.9, 54.0), held: tuple[float, ...] = (100.0, 0.0),
) -> float:  # fmt: skip
    """Return the median loss of what is held, one more row of prices known."""
    found = made.measure(symbols, row, held, 1_000.0)
    assert found is not None
    return float(found["value_at_risk"])


def test_the_figures_are_those_worked_by_hand() -> None:
    found = filled().measure(("A", "B"), (108.9, 54.0), (100.0, -50.0), 1_000.0)
    assert found is not None
    # Results: 10 + 5, -10 - 10, 10, 0.
    results = [15.0, -20.0, 10.0, 0.0]
    assert found["value_at_risk"] == pytest.approx(-5.0)
    assert found["expected_shortfall"] == pytest.approx(10.0)
    assert found["volatility"] == pytest.approx(np.std(results, ddof=1) / 1_000)
    # Deviations from the means 2.5 and 2.5 % in percent: A 7.5 -12.5 7.5 -2.5, B -12.5 17.5 -2.5
    # -2.5; of their products and squares -325, 275 and 475 are left.
    assert found["betas"] == pytest.approx({"A": -325 / 475, "B": 1.0})
    assert found["beta_exposure"] == pytest.approx(100 * -325 / 475 - 50)
    assert found["correlation"] == pytest.approx(325 / np.sqrt(275 * 475))


def test_two_returns_are_the_least() -> None:
    made = PortfolioMonitor(5, 0.5)
    assert made.measure(("A",), (1.0,), (1.0,), 1.0) is None
    assert made.measure(("A",), (2.0,), (1.0,), 1.0) is None
    assert made.measure(("A",), (2.0,), (1.0,), 1.0) is not None


@pytest.mark.parametrize("window", [2, 3])
def test_a_window_is_of_as_many_returns(window: int) -> None:
    made = filled(window)
    assert len(made.save()["rows"]) == window + 1
    # The last of +10, -10, +10, 0 %.
    returns = [10.0, 0.0] if window == 2 else [-10.0, 10.0, 0.0]
    assert result(made) == pytest.approx(-float(np.median(returns)))


def test_prices_follow_their_symbols_to_other_places() -> None:
    made = filled()
    # Of C nothing is known before: no move.
    assert result(made, ("C", "B", "A"), (5.0, 54.0, 108.9), (0.0, 0.0, 100.0)) == (
        pytest.approx(-5.0)
    )
    assert result(made, ("A",), (108.9,), (100.0,)) == pytest.approx(0.0)


def test_a_new_symbol_behind_the_others_has_not_moved_yet() -> None:
    made = filled()
    assert result(made, ("A", "B", "C"), (108.9, 54.0, 5.0), (0.0, 0.0, 100.0)) == 0.0
    assert result(made, ("A", "B", "C"), (108.9, 54.0, 6.0), (100.0, 0.0, 0.0)) == 0.0
    # Four returns of nothing and one of 20 %.
    found = made.measure(("A", "B", "C"), (108.9, 54.0, 6.0), (0.0, 0.0, 100.0), 1_000.0)
    assert found is not None
    assert found["volatility"] == pytest.approx(np.std([0, 0, 0, 0, 20, 0], ddof=1) / 1_000)


def test_a_split_rescales_what_is_known_of_its_symbol() -> None:
    made = filled()
    made.rescale("A", 0.1)
    assert result(made, row=(10.89, 54.0)) == pytest.approx(-5.0)
    made = filled()
    made.measure(("A", "B", "C"), (108.9, 54.0, 5.0), (0.0,) * 3, 1_000.0)
    made.rescale("C", 2.0)
    made.rescale("B", 1.0)
    found = made.measure(("A", "B", "C"), (108.9, 54.0, 10.0), (0.0, 0.0, 100.0), 1_000.0)
    assert found is not None
    assert found["volatility"] == 0.0


ACTS: list[Callable[[PortfolioMonitor], Any]] = [
    lambda made: made.measure(("A", "B"), (1.0, 1.0), (0.0, 0.0), 1.0),
    lambda made: made.rescale("A", 0.5),
    lambda made: made.inherit(filled(3)),
    lambda made: made.restore({"symbols": ["A"], "rows": []}),
]


@pytest.mark.parametrize("act", ACTS)
def test_what_is_saved_is_what_is_known_by_then(act: Callable[[PortfolioMonitor], Any]) -> None:
    asked, silent = filled(), filled()
    before = asked.save()
    act(asked)
    act(silent)
    assert asked.save() == silent.save() != before


def test_what_was_saved_and_what_is_inherited_goes_on() -> None:
    saved = json.loads(json.dumps(filled().save()))
    assert saved["symbols"] == ["A", "B"]
    restored, heir = PortfolioMonitor(10, 0.5, "B"), PortfolioMonitor(10, 0.5, "B")
    restored.measure(("X",), (1.0,), (0.0,), 1.0)
    restored.restore(saved)
    restored.rescale("A", 1.0)
    heir.inherit(filled())
    for made in (restored, heir):
        assert made.save() == filled().save()
        assert result(made) == pytest.approx(-5.0)
    short = PortfolioMonitor(2, 0.5)
    short.inherit(filled())
    assert result(short) == pytest.approx(-5.0)


def test_a_price_that_is_missing_is_no_move_on_either_side() -> None:
    made = PortfolioMonitor(10, 0.5)
    found = None
    for price in (0.0, 100.0, 0.0, 200.0, 100.0, -1.0, 50.0):
        found = made.measure(("A",), (price,), (100.0,), 1_000.0)
    assert found is not None
    # One return alone is known, from 200 to 100.
    assert found["volatility"] == pytest.approx(np.std([0, 0, 0, -50, 0, 0], ddof=1) / 1_000)


def test_a_market_that_does_not_move_has_betas_of_one() -> None:
    made = PortfolioMonitor(10, 0.5, "M")
    found = None
    for price in (100.0, 110.0, 99.0):
        found = made.measure(("A", "M"), (price, 50.0), (100.0, 30.0), 1_000.0)
    assert found is not None
    assert (found["betas"], found["beta_exposure"]) == ({"A": 1.0, "M": 1.0}, 130.0)


def test_a_share_of_equity_is_bounded_where_it_is_gone() -> None:
    assert [share_of(1.0, equity) for equity in (2.0, 2.0**-29, 1e-10, 0.0, -1.0)] == [
        0.5, 2.0**29, 1e9, 1e9, 1e9,
    ]  # fmt: skip
    assert [share_of(0.0, equity) for equity in (2.0, 0.0, -1.0)] == [0.0, 0.0, 0.0]


def test_correlation_is_of_what_is_held_and_moves() -> None:
    moves = np.array([[0.1, 0.1, -0.1, 0.0], [-0.1, -0.1, 0.1, 0.0], [0.1, 0.1, -0.1, 0.0]])
    for held, mean in (
        ((1.0, 1.0, 0.0, 5.0), 1.0), ((1.0, 0.0, 1.0, 0.0), -1.0), ((1.0, 0.0, 0.0, 5.0), 0.0),
        ((1.0, 0.0, -1.0, 0.0), 1.0), ((-1.0, -1.0, 0.0, 0.0), 1.0),
        # Pairs of 2, -1 and -2: one for, two against.
        ((1.0, 2.0, 1.0, 0.0), (2.0 - 1.0 - 2.0) / 5.0),
    ):  # fmt: skip
        assert mean_correlation(moves, np.array(held)) == pytest.approx(mean)

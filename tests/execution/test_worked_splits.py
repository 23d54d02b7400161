"""A split restates an order that an algorithm works, as a venue restates one that rests there."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt.core.instruments import Instrument
from pyrt.execution import POV, TWAP, VWAP, Iceberg
from pyrt.risk import RiskEngine
from pyrt.strategy.strategy import Strategy
from pyrt.testing.gates import GateRig
from tests.backtest.harness import SYMBOL, Run, play

DAYS = pd.bdate_range("2024-01-02", periods=13, tz="UTC", name="timestamp")
EX_DATE = "2024-01-09"


class Worked(Strategy):
    """Holds 100 from the second day on, and lets an algorithm sell them from the fourth."""

    def __init__(self, algorithm: Any, terms: dict[str, Any]) -> None:
        super().__init__()
        self._algorithm, self._terms = algorithm, terms
        self.day = 0

    def on_start(self) -> None:
        self.subscribe_bars(SYMBOL, "1d")

    def on_bar(self, bar: Any) -> None:
        self.day += 1
        if self.day == 1:
            self.buy(SYMBOL, 100)
        elif self.day == 3:
            self.sold = self.sell(SYMBOL, 100, algorithm=self._algorithm, **self._terms)


def sell(ratio: float, algorithm: Any, **terms: Any) -> tuple[Run, Worked]:
    prices = pd.Series([100 if str(day.date()) < EX_DATE else 100 / ratio for day in DAYS], DAYS)
    prices += prices / 100 * range(len(DAYS))
    volume = [100 if str(day.date()) < EX_DATE else 100 * ratio for day in DAYS]
    names = ("open", "high", "low", "close")
    table = pd.DataFrame({**dict.fromkeys(names, prices), "volume": volume}, DAYS)
    action = {"symbol": SYMBOL, "ex_date": EX_DATE, "kind": "split", "split_ratio": ratio}
    strategy = Worked(algorithm, terms)
    run = play(table, strategy, timeframe="1d", actions=[action], account="margin")
    return run, strategy


@pytest.mark.parametrize("ratio", [0.1, 2.0, 10.0])
@pytest.mark.parametrize(
    ("algorithm", "terms"),
    [
        (TWAP("12d", slices=6), {}),
        (VWAP("12d", profile=[1, 2, 2, 4, 0, 0]), {}),
        (POV(0.2), {}),
        (Iceberg(20), {"limit_price": 100}),
    ],
)
def test_all_that_was_held_is_sold_and_nothing_more(
    ratio: float, algorithm: Any, terms: Any
) -> None:
    """Over 1 for 10 what was left of 100 old units was sold as so many new ones."""
    run, strategy = sell(ratio, algorithm, **terms)
    before = [-size for _, size, price in run.fills if size < 0 and 90 < price < 120]
    assert sum(before) > 0
    assert strategy.sold.status == "FILLED"
    assert strategy.position(SYMBOL).quantity == 0
    assert strategy.sold.quantity == pytest.approx(sum(before) + (100 - sum(before)) * ratio)


def test_what_is_left_is_spread_over_the_slices_that_are_left() -> None:
    run, _ = sell(2.0, TWAP("12d", slices=6))
    assert [-size for _, size, _ in run.fills[1:]] == [16, 17, 33, 34, 33, 34]


def test_limit_and_part_that_shows_are_restated() -> None:
    run, strategy = sell(2.0, Iceberg(20), limit_price=400)
    assert (strategy.sold.quantity, strategy.sold.limit_price) == (200, 200)
    (part,) = (order for order in strategy.orders() if order.origin is strategy.sold)
    assert (part.quantity, part.limit_price) == (40, 200)
    assert strategy.position(SYMBOL).working_quantity == -200
    assert len(run.fills) == 1


def test_of_less_than_a_step_nothing_is_left() -> None:
    made = GateRig(RiskEngine(), symbols=[Instrument("AAA", step_size="1")], prices=100)
    made.hold(9)
    order = made.order("sell", 9, algorithm=TWAP("9m", slices=9))
    made.split(1, 10)
    for child in made.kernel.cache.orders_open():
        if child.origin is order:
            made.answer("cancel", child)
    assert (order.status, order.reason) == ("CANCELED", "split: nothing of the quantity is left")

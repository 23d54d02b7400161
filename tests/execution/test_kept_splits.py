"""A split restates what is kept on our side as a venue restates what rests there: by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import MINUTE, START, SYMBOL, play

BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
BEFORE = START + 1438 * MINUTE


def rig(step: Any = 1) -> GateRig:
    symbols = [Instrument(name, tick_size="0.01", step_size=step) for name in ("AAA", "BBB")]
    return GateRig(RiskEngine(), symbols=symbols, prices=100, capabilities=BARE)


def test_a_stop_is_not_met_by_the_fall_that_a_split_makes() -> None:
    """It left at once, for half of what was held, at a price that nobody had asked for."""
    made = rig()
    made.hold(10)
    stop = made.order("sell", 10, stop_price=90)
    made.split(2)
    made.price(50)
    assert (stop.status, stop.quantity, stop.stop_price) == ("EMULATED", 20, 45)
    made.price(45.01)
    assert stop.status == "EMULATED"
    made.price(45)
    assert (stop.status, stop.quantity) == ("SENT", 20)


# fmt: off
RESTATED = [
    # A trigger rounds away from the price, a limit away from the market.
    ("buy", 10, {"stop_price": 101}, 3, 1, (30, None, 33.67)),
    ("sell", 10, {"stop_price": 98}, 3, 1, (30, None, 32.66)),
    ("buy", 10, {"stop_price": 101, "limit_price": 102.5}, 3, 1, (30, 34.16, 33.67)),
    ("sell", 10, {"stop_price": 98, "limit_price": 97}, 3, 1, (30, 32.34, 32.66)),
    ("buy", 7, {"trigger_price": 98}, 3, 2, (10, None, 65.34)),
    ("sell", 25, {"stop_price": 98}, 1, 10, (2, None, 980)),
]
# fmt: on


@pytest.mark.parametrize(("side", "quantity", "terms", "new", "old", "after"), RESTATED)
def test_prices_and_quantity_of_a_kept_order_are_restated(
    side: str, quantity: float, terms: Any, new: int, old: int, after: Any
) -> None:
    made = rig()
    order = made.order(side, quantity, **terms)
    other = made.order(side, quantity, "BBB", **terms)
    told = (other.quantity, other.limit_price, other.stop_price)
    made.split(new, old)
    assert (order.quantity, order.limit_price, order.stop_price) == after
    assert order.status == "EMULATED"
    assert (other.quantity, other.limit_price, other.stop_price) == told


def test_of_less_than_a_step_nothing_is_left() -> None:
    made = rig()
    small, rest = made.order("sell", 9, stop_price=98), made.order("sell", 10, stop_price=98)
    made.split(1, 10)
    assert (small.status, small.reason) == ("CANCELED", "split: nothing of the quantity is left")
    assert (rest.status, rest.quantity) == ("EMULATED", 1)
    assert made.kernel.sink.watching == 1


@pytest.mark.parametrize("terms", [{"trail_amount": 4}, {"trail_percent": 4}])
def test_what_trails_goes_on_from_where_it_was(terms: Any) -> None:
    made = rig()
    order = made.order("sell", 10, **terms)
    assert order.stop_price == 96
    made.split(2)
    assert order.stop_price == 48
    made.price(49)
    assert order.stop_price == 48
    made.price(52)
    # 52 less 2, or less 4 % of it.
    assert order.stop_price == (50 if "trail_amount" in terms else 49.92)
    assert order.status == "EMULATED"


def test_the_limit_of_what_trails_keeps_its_distance() -> None:
    made = rig()
    order = made.order("sell", 10, trail_amount=4, limit_price=95)
    assert (order.stop_price, order.limit_price) == (96, 95)
    made.split(2)
    assert (order.stop_price, order.limit_price) == (48, 47.5)
    made.price(52)
    assert (order.stop_price, order.limit_price) == (50, 49.5)


@pytest.mark.parametrize("terms", [{"stop_price": 90}, {"trigger_price": 120}, {"trail_amount": 8}])
def test_kept_or_native_an_order_comes_out_of_a_split_the_same(terms: Any) -> None:
    bars = [(p, p, p, p) for p in (100, 100, 50, 50, 60, 44, 44)]
    action = {"symbol": SYMBOL, "ex_date": "2024-01-02", "kind": "split", "split_ratio": 2}
    steps = {-1: lambda s: s.buy(SYMBOL, 10), 0: lambda s: s.sell(SYMBOL, 10, **terms)}
    native, kept = (
        play(bars, steps, actions=[action], start=BEFORE, **options)
        for options in ({}, {"emulate": BARE})
    )
    assert [size for _, size, _ in kept.fills] == [10, -20]
    assert [size for _, size, _ in native.fills] == [10, -20]
    assert kept.strategies[0].position(SYMBOL).quantity == 0

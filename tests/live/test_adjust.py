"""A holding that is changed without a fill, and one that is valued before the market is seen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.errors import JournalError
from pyrt.live.core.adjust import adjust_position, mark_holding
from pyrt.live.core.node import NodeCore
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from pyrt.venues.capabilities import Capabilities
from tests.live.cores import core_of, trade


class One(Strategy):
    """Does what the test does for it."""


class Two(Strategy):
    """Is another."""


def holding(units: int, *, other: int = 0, gate: Any = None, **options: Any) -> NodeCore:
    """Return a core whose first strategy holds SPY, bought or sold at 100, and another one too."""
    core, _ = core_of(gate or BasicGate(), [One(), Two()], **options)
    for number, each in enumerate((units, other)):
        if each:
            trade(core, number, "buy" if each > 0 else "sell", "SPY", abs(each), 100)
    return core


@pytest.mark.parametrize(
    ("held", "quantity", "amount", "is_split", "units", "cost", "realized"),
    [
        # A split keeps the cost, whichever side and whatever cash it names.
        (10, "10", "0", True, 20, 1000, 0),
        (10, "-5", "7", True, 5, 1000, 0),
        (-10, "-20", "0", True, -30, -1000, 0),
        (-10, "5", "0", True, -5, -1000, 0),
        # What is gone, or has changed sides, was none: its cost is realized, or carried over.
        (10, "-10", "900", True, 0, 0, -100),
        (10, "-12", "1200", True, -2, -200, 0),
        (-10, "12", "-1200", True, 2, 200, 0),
        (0, "5", "0", True, 5, 0, 0),
        # A bust takes its units with what they cost.
        (10, "-4", "400", False, 6, 600, 0),
        (10, "-10", "1000", False, 0, 0, 0),
        (10, "-10", "1100", False, 0, 0, 100),
        (-10, "10", "-1100", False, 0, 0, -100),
        (0, "3", "-330", False, 3, 330, 0),
        (10, "0", "-5.5", False, 10, Decimal("1005.5"), 0),
        (10, "0.5", "-50", False, Decimal("10.5"), 1050, 0),
    ],
)
def test_units_and_cost_are_changed_and_the_account_holds_as_much(
    held, quantity, amount, is_split, units, cost, realized
):
    core = holding(held, other=3)
    cash = core.kernel.account.cash_exact
    position = adjust_position(core.kernel, "One", "SPY", quantity, amount, is_split=is_split)
    assert position is core.kernel.strategies[0].position("SPY")
    assert position.quantity_exact == units
    assert position.cost_basis_exact == cost
    assert position.realized_pnl_exact == realized
    assert core.kernel.account.cash_exact == cash
    other = core.kernel.strategies[1].position("SPY")
    assert (other.quantity, other.cost_basis_exact) == (3, 300)
    # A split of the units restates their price, and the account has the units of both.
    price = position.last_price
    mark_holding(core.kernel, "SPY", 50)
    assert core.kernel.account.equity_exact == cash + 50 * (units + 3)
    splits = is_split and held and units and (units > 0) == (held > 0)
    assert price == pytest.approx(100 * held / float(units) if splits else 100)


def test_a_strategy_that_is_not_there_changes_nothing():
    core = holding(10)
    with pytest.raises(JournalError):
        adjust_position(core.kernel, "Three", "SPY", 1, 0)
    assert core.kernel.strategies[0].position("SPY").quantity == 10


def test_a_trip_goes_on_from_what_is_held_by_then():
    core = holding(10)
    adjust_position(core.kernel, "One", "SPY", 10, 0, is_split=True)
    trade(core, 0, "sell", "SPY", 20, 60)
    assert core.kernel.strategies[0].position("SPY").realized_pnl_exact == 200
    assert core.kernel.account.cash_exact == 100_000 + 200


@pytest.mark.parametrize(("units", "other"), [(100, 0), (100, 300), (100, -50), (10, -40)])
def test_what_a_split_makes_of_units_held_overnight_was_not_opened_today(units, other):
    core = holding(units, other=other, account="alpaca")
    core.kernel.account.close_day()
    power = core.kernel.account.buying_power_exact
    adjust_position(core.kernel, "One", "SPY", 3 * units, 0, is_split=True, restates=not other)
    if other:
        adjust_position(core.kernel, "Two", "SPY", 3 * other, 0, is_split=True)
    assert core.kernel.account.buying_power_exact == power


def test_what_was_bought_on_the_day_of_a_split_stays_the_part_that_was_opened():
    core = holding(100, other=100, account="alpaca")
    core.kernel.account.close_day()
    trade(core, 1, "buy", "SPY", 200, 100)
    power = core.kernel.account.buying_power_exact
    adjust_position(core.kernel, "One", "SPY", 300, 0, is_split=True, restates=False)
    adjust_position(core.kernel, "Two", "SPY", 900, 0, is_split=True)
    assert core.kernel.account.buying_power_exact == power


@pytest.mark.parametrize(
    ("quantity", "is_split", "restates", "expected"),
    [
        ("10", True, True, [50]),
        ("10", True, False, [100]),
        ("-5", True, True, [200]),
        ("-5", False, True, [100]),
        ("-10", True, True, []),
    ],
)
def test_risk_hears_of_a_split_that_restates_and_of_nothing_else(
    quantity, is_split, restates, expected
):
    gate = RiskEngine(Limits(max_position_drawdown="0.9"))
    core = holding(10, gate=gate)
    mark_holding(core.kernel, "SPY", 100)
    core.inputs.sample()
    before = [row[-1] // 10**9 for row in gate.save()["stops"]]
    adjust_position(core.kernel, "One", "SPY", quantity, 0, is_split=is_split, restates=restates)
    after = [row[-1] // 10**9 for row in gate.save()["stops"]]
    assert before == [100]
    assert after == (expected or after)


@pytest.mark.parametrize(
    ("wanted", "restates", "quantity", "status"),
    [
        ("10", True, 5, "INITIALIZED"),
        ("10", False, 10, "INITIALIZED"),
        ("0.000000001", True, 0, "DENIED"),
    ],
)
def test_a_split_that_restates_restates_what_waits_for_the_other_side(
    wanted, restates, quantity, status
):
    """It left with the units of before the split, twice as much as was wanted."""
    core = holding(-10, capabilities={"": Capabilities(flips=False)})
    leaving = core.kernel.strategies[0].target_position("SPY", wanted)
    core.inputs.settle()
    (opening,) = [o for o in core.kernel.cache.orders_open() if o is not leaving]
    adjust_position(core.kernel, "One", "SPY", "5", 0, is_split=True, restates=restates)
    assert (opening.quantity, opening.status) == (quantity, status)
    if status == "DENIED":
        assert opening.reason == "split: nothing of the quantity is left"


def test_a_price_that_is_stated_values_what_all_hold_of_it_and_nothing_else():
    core = holding(10, other=-4)
    trade(core, 0, "buy", "QQQ", 1, 20)
    cash = core.kernel.account.cash_exact
    mark_holding(core.kernel, "SPY", "123.45")
    assert core.kernel.account.equity_exact == cash + 6 * Decimal("123.45") + 20
    one, two = core.kernel.strategies
    assert (one.position("SPY").last_price, two.position("SPY").last_price) == (123.45, 123.45)
    assert one.position("QQQ").last_price == 20
    assert core.kernel.portfolio.metrics()["total_pnl"] == pytest.approx(6 * 23.45)


@pytest.mark.parametrize(("quantity", "amount", "worth"), [("3", "-331", 331), ("-3", "331", -331)])
def test_what_has_no_price_yet_is_worth_what_it_was_traded_at(quantity, amount, worth):
    """Ten units that were taken over counted for nothing until the next bar, and then as a gain."""
    core = holding(0)
    before = core.kernel.account.equity
    adjust_position(core.kernel, "One", "SPY", quantity, amount)
    assert core.kernel.account.equity - before == pytest.approx(worth, abs=1e-6)
    mark_holding(core.kernel, "SPY", 50)
    adjust_position(core.kernel, "One", "SPY", quantity, amount)
    assert abs(core.kernel.account.equity - before) == pytest.approx(300)


def test_units_that_were_given_for_nothing_have_no_price():
    core = holding(0)
    before = core.kernel.account.equity
    adjust_position(core.kernel, "One", "SPY", "3", "0")
    assert core.kernel.account.equity == before

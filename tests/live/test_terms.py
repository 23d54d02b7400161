"""What a day that is under way began with, as far as the broker's fills of it tell."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.core.times import timestamp_ns
from pyrt.live.core.broker import BrokerFill, BrokerState
from pyrt.live.core.terms import day_terms, rules_in_force, stated_day, take_terms
from pyrt.risk.gate import BasicGate
from tests.live.cores import COIN, core_of, trade

CLOSE = timestamp_ns("2024-01-02T21:00:00Z")
"""16:00 in New York."""


class Idle(Strategy):
    """Does what the test does for it."""


def fill(symbol: str, side: str, quantity: str, price: str, ts: int = CLOSE + 1) -> BrokerFill:
    return BrokerFill(
        activity_id=f"{symbol}-{side}-{quantity}", venue_order_id="v", symbol=symbol, side=side,
        quantity=Decimal(quantity), price=Decimal(price), cumulative=Decimal(quantity), ts_event=ts,
    )  # fmt: skip


def state(*fills: BrokerFill, **more: Any) -> BrokerState:
    plain: dict[str, Any] = {
        "ts": 0, "account": "A", "may_trade": True, "status": "ACTIVE", "cash": Decimal(0),
        "equity": Decimal(0), "positions": {}, "orders": (), "fills": fills, "adjustments": (),
        "balance_date": "2024-01-02", "last_equity": Decimal("1000.50"),
        "last_maintenance": Decimal("20.25"),
    }  # fmt: skip
    return BrokerState(**{**plain, **more})


@pytest.mark.parametrize(
    ("bought", "fills", "carried", "unsettled"),
    [
        # Nothing since: what is held was carried in.
        ({"SPY": 10}, [], {"SPY": "10"}, "0"),
        # At the close itself a fill is of the day that ends then.
        ({"SPY": 10}, [("SPY", "buy", "4", "50", CLOSE)], {"SPY": "10"}, "0"),
        ({"SPY": 10}, [("SPY", "buy", "4", "50", CLOSE + 1)], {"SPY": "6"}, "0"),
        ({"SPY": 10}, [("SPY", "sell", "4", "50.5")], {"SPY": "14"}, "202.0"),
        # All of it was sold: it was carried in, and is to be paid for.
        ({}, [("SPY", "sell", "10", "50")], {"SPY": "10"}, "500"),
        ({}, [("SPY", "buy", "3", "50"), ("SPY", "sell", "3", "51")], {"SPY": "0"}, "153"),
        # Somebody else's: no holding of ours, and its proceeds are not there either.
        ({"SPY": 1}, [("IBM", "sell", "2", "30"), ("IBM", "buy", "9", "3")], {"SPY": "1"}, "60"),
        ({"SPY": 1}, [("SPY", "buy", "0.5", "50")], {"SPY": "0.5"}, "0"),
        # Coins are paid for at once.
        ({COIN: 2}, [(COIN, "sell", "1.5", "100")], {COIN: "3.5"}, "0"),
    ],
)
def test_a_day_began_with_what_is_held_less_what_was_filled_since(
    bought, fills, carried, unsettled
):
    core, _ = core_of(BasicGate(), [Idle()])
    for symbol, units in bought.items():
        trade(core, 0, "buy", symbol, units, 100)
    terms = day_terms(core, state(*(fill(*each) for each in fills)))
    assert terms["carried"] == carried
    assert terms["unsettled"] == unsettled
    assert (terms["last_equity"], terms["last_maintenance"]) == ("1000.50", "20.25")


def test_what_several_hold_is_one_holding_and_only_its_price_counts():
    core, _ = core_of(BasicGate(), [Idle(), Idle()])
    trade(core, 0, "buy", "SPY", 5, 100)
    trade(core, 1, "sell", "SPY", 2, 100)
    prices = {"SPY": Decimal("0.75"), "QQQ": Decimal(9), COIN: Decimal(0)}
    terms = day_terms(core, state(prices=prices))
    assert terms["carried"] == {"SPY": "3"}
    assert terms["prices"] == {"SPY": "0.75"}
    trade(core, 1, "buy", COIN, 1, 100)
    assert day_terms(core, state(prices=prices))["prices"] == {"SPY": "0.75"}


def test_after_a_restart_sold_out_stock_is_no_settled_cash():
    """Of what was sold to the last share the proceeds counted as settled on the same day."""
    core, _ = core_of(BasicGate(), [Idle()], account={"kind": "cash", "settlement_days": 1})
    account = core.kernel.account
    take_terms(core, day_terms(core, state(fill("SPY", "sell", "10", "500"))))
    shown = account.margin_state()
    assert (shown["cash"], shown["settled_cash"]) == (100_000, 95_000)
    assert shown["last_equity"] == Decimal("1000.50")
    assert shown["last_maintenance_margin"] == Decimal("20.25")


def test_only_what_terms_name_is_taken_over():
    core, _ = core_of(BasicGate(), [Idle()], account="alpaca")
    account = core.kernel.account
    trade(core, 0, "buy", "SPY", 10, 100)
    take_terms(core, {})
    before = account.margin_state()
    take_terms(core, stated_day(state()))
    after = account.margin_state()
    assert (after["last_equity"], after["last_maintenance_margin"]) == (
        Decimal("1000.50"), Decimal("20.25"),
    )  # fmt: skip
    assert (after["cash"], after["multiplier"]) == (before["cash"], before["multiplier"])
    assert account.rules.multiplier == 4
    rules = rules_in_force(None, state(multiplier=2, shorting=True))
    assert core.kernel.account.waiting is not None
    take_terms(core, {"rules": rules.to_dict()})
    assert account.rules == rules
    assert account.margin_state()["last_equity"] == Decimal("1000.50")
    # A cash account reserves nothing for what waits.
    take_terms(core, {"rules": rules_in_force("cash", state()).to_dict()})
    assert core.kernel.account.waiting is None
    take_terms(core, {"rules": rules.to_dict()})
    assert core.kernel.account.waiting is not None


def test_a_day_that_began_elsewhere_is_valued_at_the_brokers_prices():
    core, _ = core_of(BasicGate(), [Idle()], account="alpaca")
    trade(core, 0, "buy", "SPY", 10, 100)
    terms = day_terms(core, state(fill("SPY", "buy", "4", "100")))
    take_terms(core, {**terms, "prices": {"SPY": "150"}})
    account = core.kernel.account
    assert account.equity == 100_000 + 500
    assert core.kernel.strategies[0].position("SPY").last_price == 150
    assert account.margin_state()["last_equity"] == Decimal("1000.50")


def test_what_was_carried_into_a_day_takes_nothing_of_its_credit():
    core, _ = core_of(BasicGate(), [Idle()], account="alpaca")
    trade(core, 0, "buy", "SPY", 10, 100)
    terms = day_terms(core, state(last_equity=Decimal(100_000)))
    powers = []
    for carried in ("0", "6", "10"):
        take_terms(core, {**terms, "carried": {"SPY": carried}})
        powers.append(core.kernel.account.margin_state()["daytrading_buying_power"])
    assert powers[0] < powers[1] < powers[2]


def test_an_account_of_which_nothing_is_granted_is_what_is_named():
    assert rules_in_force(None, state()).kind == "cash"
    assert rules_in_force("alpaca", state()).multiplier == 4
    granted = replace(state(), multiplier=2, shorting=False)
    assert (rules_in_force(None, granted).kind, rules_in_force(None, granted).multiplier) == (
        "alpaca", 2,
    )  # fmt: skip

"""What an account can afford and what orders reserve, at each bound, worked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.account_rules import Margin, account_rules
from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.core.desk import Desk

D = Decimal
LEAST = D("0.000000000000000001")
UNIT = D("0.000000001")


def own(rules: str, initial: str, **changes: Any) -> Any:
    """Rules under which TQQQ asks for its own share."""
    return account_rules(rules).replace(instruments={"TQQQ": Margin(initial=initial)}, **changes)


# -- calls -----------------------------------------------------------------------------------------

# 2,000 bought at 100 on 100,000: equity is 2000 x price - 100,000. What lacks within the day:
LACKING = [
    # A quarter of 66 x 2000 is 33,000 of 32,000.
    ("margin", 66, 1_000),
    ("margin", 67, 0),
    # Half of that while the day lasts: 14,250 of 14,000; 14,500 of 16,000.
    ("margin:4", 57, 250),
    ("margin:4", 58, 0),
    # Three tenths at Alpaca: 42,600 of 42,000; half of 34,800 of 16,000.
    ("alpaca:2", 71, 600),
    ("alpaca:2", 72, 0),
    ("alpaca", 58, 1_400),
    ("alpaca", 59, 0),
    ("cash", 40, 0),
]


@pytest.mark.parametrize(("rules", "price", "lacking"), LACKING)
def test_equity_may_lack_something_before_the_day_ends(
    rules: str, price: int, lacking: int
) -> None:
    desk = Desk(100_000, rules)
    desk.trade("SPY", 2000, 100)
    desk.mark("SPY", price)
    assert desk.account.margin_call == lacking
    assert desk.state("margin_call") == (lacking,)


def test_half_of_the_least_requirement_is_rounded_up() -> None:
    """A quarter of 1e-18 is 1e-18, and so is half of that."""
    desk = Desk(0, "margin:4")
    desk.trade("SPY", UNIT, UNIT)
    assert desk.state("equity", "maintenance_margin", "margin_call") == (0, LEAST, LEAST)


def test_a_cash_account_is_called_for_nothing_even_under_water() -> None:
    desk = Desk(100_000, "cash")
    desk.trade("SPY", -1000, 100)
    desk.mark("SPY", 250)
    desk.account.close_day()
    assert (desk.account.equity, desk.account.margin_call) == (-50_000, 0)


def test_a_day_without_a_call_asks_for_no_more_the_next_day() -> None:
    """1,900 at 60 are kept with 28,500 overnight, and with half of it during the day."""
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 1900, 100)
    desk.account.close_day()
    desk.mark("SPY", 60)
    assert (desk.account.equity, desk.account.margin_call) == (24_000, 0)


def called() -> Desk:
    """A day trader who went home with 2,500 at 100, on 100,000: half of 250,000 was asked for."""
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 2500, 100)
    desk.account.close_day()
    assert desk.account.margin_call == 25_000
    return desk


def test_a_call_is_met_at_exactly_what_it_asks_for_and_stays_met() -> None:
    desk = called()
    desk.mark("SPY", 110)
    # 125,000 of half of 275,000.
    assert desk.account.margin_call == 12_500
    desk.mark("SPY", 120)
    assert desk.account.margin_call == 0
    desk.mark("SPY", 110)
    assert desk.account.margin_call == 0


def test_a_call_that_lacks_the_least_amount_is_not_met() -> None:
    desk = called()
    desk.account.deposit(-LEAST)
    desk.mark("SPY", 120)
    assert desk.state("margin_call") == (LEAST,)
    desk.mark("SPY", 110)
    assert desk.state("margin_call") == (12_500 + LEAST,)


def test_the_least_call_of_a_day_is_one() -> None:
    """100,000 less the least amount, for 2,000 at 100 that were bought that day."""
    desk = Desk(100_000 - LEAST, "margin:4")
    desk.trade("SPY", 2000, 100)
    desk.account.close_day()
    assert desk.state("margin_call") == (LEAST,)
    desk.account.deposit(LEAST)
    assert desk.state("margin_call") == (0,)


def test_of_two_that_ask_the_one_that_lacks_more_is_told() -> None:
    desk = called()
    desk.mark("SPY", 60)
    # Equity 0: half of 150,000 from last night's call; an eighth of it is the day's own.
    assert desk.account.margin_call == 75_000


# -- buying power ----------------------------------------------------------------------------------


def test_power_is_rounded_down_where_the_rate_does_not_divide_it() -> None:
    desk = Desk(100_000, account_rules("margin").replace(initial="0.3"))
    assert desk.account.buying_power_exact == D("333333.333333333333333333")


def test_a_day_traders_power_follows_the_price() -> None:
    """1,000 at 110: equity 110,000 less a quarter of their value, four times."""
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 1000, 100)
    desk.mark("SPY", 110)
    assert desk.account.buying_power == 330_000


def test_below_the_least_equity_shorts_lock_cash() -> None:
    """1,000 and 500 of proceeds, twice 500 locked."""
    desk = Desk(1000, "margin")
    desk.trade("SPY", -5, 100)
    assert desk.account.buying_power == 500
    assert desk.state("non_marginable_buying_power") == (750,)


def test_shorts_of_a_cash_account_lock_cash_for_whatever_is_bought() -> None:
    desk = Desk(100_000, "cash")
    desk.trade("SPY", -100, 100)
    assert desk.state("buying_power", "non_marginable_buying_power") == (90_000, 90_000)


def test_a_margin_account_that_lends_nothing_spends_what_is_not_paid_yet() -> None:
    for rules, missing in (("alpaca:1", 0), ("margin:1", 0)):
        desk = Desk(10_000, rules)
        desk.trade("SPY", 100, 100)
        desk.trade("SPY", -100, 100)
        assert desk.account.settled_cash == 0
        assert desk.lacks("SPY", 100, 100) == missing


# -- what is missing -------------------------------------------------------------------------------

# Rules, symbol, quantity, price, fee, missing; of 100,000 in cash, at 1.25 dollars a euro.
MISSING = [
    # A fee comes on top, whatever judges.
    ("cash", "SPY", 1000, 100, 1, 1),
    ("margin", "SPY", 2000, 100, 1, 1),
    ("margin:4", "SPY", 4000, 100, 1, 1),
    ("alpaca", "SPY", 4000, 100, 1, 1),
    ("alpaca:2", "SPY", -2000, 100, 1, 1),
    ("alpaca", "BTC", 1, 100_000, 1, 1),
    # A rebate pays for what it is of.
    ("alpaca", "SPY", 4000, 100, -1, 0),
    ("alpaca", "SPY", 4001, 100, -1, 99),
    # What may not be sold short lacks all of it, and the fee.
    ("margin:1", "SPY", -1, 100, 1, 101),
    ("alpaca:1", "SPY", -1, 100, 1, 101),
    ("alpaca", "OTC", -1, 100, 1, 101),
    # In euros: 80,000, twice, and four times.
    ("margin", "SAP", 1600, 100, 1, 1),
    ("alpaca", "SAP", 3200, 100, 1, 1),
    ("cash", "SAP", 1, 100, 1, 101),
]


@pytest.mark.parametrize(("rules", "symbol", "quantity", "price", "fee", "missing"), MISSING)
def test_what_is_missing_is_told_with_the_fee(
    rules: str, symbol: str, quantity: int, price: int, fee: int, missing: int
) -> None:
    desk = Desk(100_000, rules)
    desk.account.set_rate("EUR", "1.25")
    assert desk.lacks(symbol, quantity, price, fee) == missing


def test_a_flip_of_what_cannot_be_sold_short_lacks_the_part_that_opens() -> None:
    desk = Desk(100_000, "margin:1")
    desk.trade("SPY", 10, 100)
    assert desk.lacks("SPY", -10, 100, fee=1) == 0
    assert desk.lacks("SPY", -13, 100, fee=1) == 301


def test_one_unit_more_lacks_what_it_costs_and_one_less_nothing() -> None:
    for side in (1, -1):
        desk = Desk(1000, "cash")
        desk.trade("SPY", side * 10, 100)
        assert desk.lacks("SPY", side * UNIT, 100, fee=LEAST) == 100 * UNIT + LEAST
        assert desk.lacks("SPY", -side * UNIT, 100, fee=LEAST) == 0


def test_one_unit_is_taken_back_and_what_goes_beyond_is_not() -> None:
    for rules, side in (("margin:1", 1), ("cash", -1)):
        desk = Desk(10_000, rules)
        desk.trade("SPY", side * UNIT, 100)
        desk.account.deposit(-desk.account.cash_exact)
        assert desk.lacks("SPY", -side * UNIT, 100) == 0
        # What a flip costs: nothing may be sold short; 2 x 100 units, and 300 more to cover.
        assert desk.lacks("SPY", -3 * side * UNIT, 100) == (200 if side > 0 else 300) * UNIT


def test_who_lends_nothing_is_paid_in_full_whatever_the_share() -> None:
    rules = account_rules("margin:1").replace(initial="0.3")
    desk = Desk(100_000, rules)
    assert desk.account.buying_power == 100_000
    assert desk.lacks("SPY", 1000, 100) == 0
    assert desk.lacks("SPY", 1001, 100) == 100
    made = gate(rules)
    made.order("buy", 10, limit_price=3)
    assert made.gate.claims.power_taken() == 30


def test_the_smallest_rate_is_a_rate() -> None:
    """100,000 dollars are 1e14 euros at 1e-9 each."""
    desk = Desk(100_000, "margin")
    desk.account.set_rate("EUR", UNIT)
    assert desk.lacks("SAP", 10, 100) == 0


@pytest.mark.parametrize(("fee", "missing"), [("33.333333333333333333", 0), (None, LEAST)])
def test_power_abroad_is_rounded_down(fee: str | None, missing: Any) -> None:
    """400,000 dollars are 133,333 and a third of euros: 1,333 at 100 leave a third of 100."""
    desk = Desk(100_000, "alpaca")
    desk.account.set_rate("EUR", 3)
    assert desk.lacks("SAP", 1333, 100, fee or D("33.333333333333333333") + LEAST) == missing


@pytest.mark.parametrize(
    ("initial", "most"),
    # A dollar of what is lent more on than usual uses up a dollar of power, and no less.
    [("0.1", 4000), ("0.25", 4000), ("0.5", 2000), ("1", 1000)],
)
def test_shares_with_a_rate_of_their_own_use_up_power_by_it(initial: str, most: int) -> None:
    desk = Desk(100_000, own("alpaca", initial))
    assert desk.lacks("TQQQ", most, 100) == 0
    assert desk.lacks("TQQQ", most + 1, 100) == 100 * max(1, D(initial) * 4)
    assert desk.account.reserves(desk.names["TQQQ"], 1, limit_price=100) == (
        100 * max(1, D(initial) * 4)
    )


# -- what waiting orders reserve -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "order", "opening"),
    [
        # Units of 1e-9: held, ordered, and what of the order opens.
        (0, 1, 1), (0, -1, 1), (1, -1, 0), (1, -2, 1), (1, -3, 2), (-1, 1, 0), (-1, 3, 2),
        (1, 2, 2), (-1, -2, 2), (5, -3, 0),
    ],
)  # fmt: skip
def test_what_opens_is_reserved_to_the_last_unit(held: int, order: int, opening: int) -> None:
    desk = Desk(100_000, "cash")
    if held:
        desk.trade("SPY", held * UNIT, 3)
    found = desk.account.reserves(desk.names["SPY"], order * UNIT, limit_price=3, last_price=3)
    assert found == opening * 3 * UNIT


@pytest.mark.parametrize(
    ("side", "terms", "price"),
    [
        # A market buy at 60 and 2.5 %, at 40 and 4 %; a stop from its trigger; a limit as it is.
        (1, {"last_price": 60}, "61.5"),
        (1, {"last_price": 40}, "41.6"),
        (1, {"last_price": 60, "stop_price": 40}, "41.6"),
        (1, {"last_price": 40, "stop_price": 60}, "61.5"),
        (1, {"last_price": 60, "limit_price": 58, "stop_price": 57}, "58"),
        (1, {"last_price": 60, "limit_price": 70}, "70"),
        # A short at its limit, and no less than 3 % above the last price.
        (-1, {"last_price": 60}, "61.8"),
        (-1, {"last_price": 60, "limit_price": "61.79"}, "61.8"),
        (-1, {"last_price": 60, "limit_price": "61.81"}, "61.81"),
        (-1, {"last_price": 60, "stop_price": 50}, "61.8"),
        # To the next 1e-9, upward.
        (1, {"last_price": "60.000000001"}, "61.500000002"),
        (-1, {"last_price": "60.000000001"}, "61.800000002"),
    ],
)
def test_a_waiting_order_reserves_what_it_may_cost(
    side: int, terms: dict[str, Any], price: str
) -> None:
    desk = Desk(100_000, "alpaca")
    assert desk.account.reserves(desk.names["SPY"], side * 2, **terms) == 2 * D(price)


def test_without_a_price_nothing_is_reserved_and_with_the_least_one_something() -> None:
    desk = Desk(100_000, "cash")
    share = desk.names["SPY"]
    assert desk.account.reserves(share, 1) == 0
    assert desk.account.reserves(share, 1, last_price=UNIT) == UNIT
    desk.mark("SPY", 7)
    assert desk.account.reserves(share, 3) == 21


def test_reserves_are_rounded_up() -> None:
    """0.3 of 1e-18 where a quarter is usual are 1.2e-18; at half a dollar a euro, 0.5e-18."""
    desk = Desk(100_000, own("alpaca", "0.3", long_price_min=0))
    assert desk.account.reserves(desk.names["TQQQ"], UNIT, limit_price=UNIT) == 2 * LEAST
    desk.account.set_rate("EUR", "0.5")
    assert desk.account.reserves(desk.names["SAP"], UNIT, limit_price=UNIT) == LEAST


def test_a_market_order_reserves_by_its_last_price_and_a_limit_by_its_limit() -> None:
    """Below 2.50 nothing is lent: a dollar uses four of the day's power."""
    desk = Desk(100_000, "alpaca")
    share = desk.names["SPY"]
    assert desk.account.reserves(share, 1, last_price=2) == 4 * D("2.08")
    assert desk.account.reserves(share, 1, last_price=3, limit_price=2) == 8
    assert desk.account.reserves(share, 1, last_price=2, limit_price=3) == 3


# -- what the gate's waiting orders take -----------------------------------------------------------


def gate(account: Any, cash: Any = 100_000) -> GateRig:
    return GateRig(
        RiskEngine(Limits(require_buying_power=True)), cash=cash, prices=10, account=account,
        symbols=("SPY", "TQQQ"),
    )  # fmt: skip


# Rules, orders (quantity, limit), what they take together.
TAKEN = [
    ("cash", [(10, 3), (10, 2)], 50),
    ("margin:1", [(10, 3)], 30),
    ("margin", [(10, 3), (10, 2)], 25),
    ("margin:4", [(10, 3)], D("7.5")),
    ("alpaca:2", [(10, 3)], 30),
    ("alpaca", [(10, "2.50")], 25),
    # Nothing is lent below 2.50, and a dollar of it uses four.
    ("alpaca", [(10, "2.499999999")], 4 * D("24.99999999")),
    # They count as one at their mean, which is below it by the least.
    ("alpaca", [(10, "2.50"), (1, "2.499999999")], 4 * D("27.499999999")),
    ("alpaca", [(10, "2.50"), (1, "2.51")], D("27.51")),
]


@pytest.mark.parametrize(("rules", "orders", "taken"), TAKEN)
def test_orders_that_wait_at_the_gate_take_power_by_the_accounts_rules(
    rules: str, orders: list[tuple[int, Any]], taken: Any
) -> None:
    made = gate(rules)
    for quantity, limit in orders:
        assert made.order("buy", quantity, limit_price=limit).status == "SENT"
    assert made.gate.claims.power_taken() == taken


def test_what_is_lent_less_on_takes_more_while_it_waits() -> None:
    """0.6 where the account asks for half, or for a quarter, of the least amount; rounded up."""
    for rules, taken in (("margin", "0.6"), ("alpaca", "2.4")):
        made = gate(own(rules, "0.6", long_price_min=0))
        made.order("buy", 1, "TQQQ", limit_price=1)
        assert made.gate.claims.power_taken() == D(taken)
        made.order("buy", UNIT, "SPY", limit_price=UNIT)
        assert made.gate.claims.power_taken() == D(taken) + LEAST


def test_what_waits_abroad_follows_the_rate() -> None:
    made = GateRig(
        RiskEngine(Limits(require_buying_power=True)), cash=100_000, prices=None, account="margin",
        symbols=(Instrument("EEE", currency="EUR"),),
    )  # fmt: skip
    made.kernel.account.set_rate("EUR", 2)
    made.price(10)
    assert made.order("buy", 10, limit_price=10).status == "SENT"
    for rate, taken in ((2, 100), (3, 150), ("1.5", 75), (UNIT, 50 * UNIT), (0, 0)):
        made.kernel.account.set_rate("EUR", rate)
        assert made.gate.claims.power_taken() == taken

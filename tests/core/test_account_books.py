"""An account's books: what is owed and due, what a day's end leaves, and sums by currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.account_rules import AccountRules, Margin, account_rules
from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument, equity
from tests.core.desk import Desk

D = Decimal
LEAST = D("0.000000000000000001")
UNIT = D("0.000000001")


# -- what is due -----------------------------------------------------------------------------------


def test_where_nothing_has_to_settle_all_is_paid_at_once() -> None:
    """A debit of 50,000 costs 10 a night from the first one on, and sales are cash."""
    rules = account_rules("margin").replace(settlement_days=0, debit_rate="0.072")
    desk = Desk(100_000, rules)
    desk.trade("SPY", 2000, 100)
    desk.trade("SPY", -500, 100)
    assert desk.account.settled_cash == -50_000
    assert desk.account.close_day() == [("interest", -1, "USD", D(-10))]


@pytest.mark.parametrize("days", [1, 2, 3])
def test_interest_begins_when_a_trade_is_paid(days: int) -> None:
    """50,000 too much are bought on the first day, and sold again on the second."""
    rules = account_rules("margin").replace(settlement_days=days, debit_rate="0.072")
    desk = Desk(100_000, rules)
    desk.trade("SPY", 1500, 100)
    charges = desk.account.close_day()
    assert charges == []
    desk.trade("SPY", -500, 100)
    paid = [[row[3] for row in desk.account.close_day()] for _ in range(4)]
    # Then 10 are borrowed, and cost a 5,000th.
    assert paid[: days + 1] == [[]] * (days - 1) + [[D(-10)], [D("-0.002")]]


def test_what_opens_a_short_is_no_proceeds_and_what_closes_a_long_is() -> None:
    desk = Desk(100_000, "alpaca")
    for quantity, unsettled in ((10, 0), (-4, 400), (-5, 900), (-3, 1000), (-2, 1000), (5, 1000)):
        desk.trade("SPY", quantity, 100)
        account = desk.account
        assert account.cash_exact - D(account.settled_cash) == unsettled


def test_sales_abroad_settle_in_their_currency() -> None:
    desk = Desk(100_000, "margin")
    desk.account.set_rate("EUR", "1.25")
    desk.trade("SAP", 10, 100)
    desk.trade("SAP", -4, 100)
    assert desk.account.settled_cash == desk.account.cash - 500
    desk.account.close_day()
    assert desk.account.settled_cash == desk.account.cash


# -- a day that others state -----------------------------------------------------------------------


def test_a_day_taken_up_has_no_deposits_and_only_what_is_stated_is_due() -> None:
    desk = Desk(10_000, account_rules("cash").replace(settlement_days=2))
    desk.trade("SPY", 50, 100)
    desk.account.close_day()
    desk.trade("SPY", -10, 100)
    desk.account.deposit(500)
    desk.account.begin_day(10_400, 0, unsettled=300)
    assert desk.account.day_pnl == 100
    assert desk.account.settled_cash == desk.account.cash - 300
    for due in (300, 0):
        desk.account.close_day()
        assert desk.account.settled_cash == desk.account.cash - due


def test_where_nothing_has_to_settle_nothing_stated_is_due() -> None:
    desk = Desk(10_000, "cash")
    desk.account.begin_day(10_000, 0, unsettled=300)
    assert (desk.account.settled_cash, desk.account.buying_power) == (10_000, 10_000)


def test_a_day_that_is_stated_badly_is_not_taken_up() -> None:
    desk = Desk(10_000, "margin")
    desk.account.deposit(7)
    before = desk.account.margin_state(), desk.account.day_pnl
    for stated in (("x", 0, 0), (1, "x", 0), (1, 2, "x")):
        with pytest.raises(Exception, match="x"):
            desk.account.begin_day(*stated)
        assert (desk.account.margin_state(), desk.account.day_pnl) == before


# -- calls at a day's end --------------------------------------------------------------------------


def test_a_call_that_asks_for_as_much_by_either_rule_is_for_maintenance() -> None:
    """A short at 10 asks for 5 a share by both; at 12 for 6 overnight, and still for 5."""
    desk = Desk(4_000, "margin:4")
    desk.trade("SPY", -1000, 10)
    desk.account.close_day()
    assert desk.account.margin_call == 1_000
    desk.mark("SPY", 12)
    assert (desk.account.equity, desk.account.margin_call) == (2_000, 3_000)


@pytest.mark.parametrize(("price", "call"), [(70, 18_750), (48, 60_000)])
def test_a_call_for_maintenance_follows_one_for_purchases(price: int, call: int) -> None:
    """2,500 at 100 on 100,000 are called for; a night later a quarter of their value is enough."""
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 2500, 100)
    desk.account.close_day()
    desk.mark("SPY", price)
    desk.account.close_day()
    assert desk.account.equity == 2500 * price - 150_000
    assert desk.account.margin_call == call


def test_the_least_purchase_of_a_day_is_one() -> None:
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 3000, 100)
    desk.account.close_day()
    desk.trade("TQQQ", UNIT, UNIT)
    desk.account.close_day()
    # Half of 300,000, and half of the least amount rounded up.
    assert desk.state("margin_call") == (50_000 + LEAST,)


def test_a_call_ends_with_the_day_that_closes_without_one() -> None:
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 2500, 100)
    desk.account.close_day()
    desk.mark("SPY", 140)
    desk.account.close_day()
    # 37,500 are less than a quarter of 187,500, and more than half of that.
    desk.mark("SPY", 75)
    assert (desk.account.equity, desk.account.margin_call) == (37_500, 0)


def test_who_has_just_enough_overnight_is_not_called() -> None:
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 2000, 100)
    desk.account.close_day()
    assert desk.account.margin_call == 0


def test_shares_that_were_carried_are_no_purchase_of_the_day() -> None:
    """3,000 carried, 100 of them sold: nothing was opened, and a quarter is enough."""
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 3000, 100)
    desk.account.close_day()
    desk.trade("SPY", -100, 100)
    desk.account.close_day()
    assert desk.account.margin_call == 0
    desk.trade("SPY", UNIT, 100)
    desk.account.close_day()
    assert desk.state("margin_call") == (45_000 + 50 * UNIT,)


# -- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize("rules", ["cash", AccountRules(settlement_days=1)])
def test_a_cash_account_binds_nothing_and_pays_in_full(rules: Any) -> None:
    desk = Desk(100_000, rules)
    for step in (
        lambda: desk.trade("SPY", 100, 100),
        lambda: desk.trade("TQQQ", -10, 100),
        lambda: desk.mark("SPY", 105),
        lambda: desk.account.carry(desk.names["SPY"], 50),
        lambda: desk.account.close_day(),
        lambda: desk.account.change_rules("cash", desk.names.values()),
    ):
        step()
        assert desk.state("initial_margin", "maintenance_margin", "sma") == (
            0, 0, desk.account.equity_exact,
        )  # fmt: skip
        for quantity in (10, -10):
            assert desk.account.requirement(desk.names["SPY"], quantity, 50) == (500, 500)


def test_rules_of_an_instrument_go_by_its_symbol_or_by_its_name_at_a_venue() -> None:
    share = equity("SPY", venue="ARCA")
    for name, initial in ((share.id, 600), ("SPY", 600), ("QQQ", 500)):
        rules = account_rules("margin").replace(instruments={name: Margin(initial="0.6")})
        account = Account(10_000, "USD", rules)
        Cache().add_instrument(share)
        account.register(share)
        assert account.requirement(share, 10, 100)[0] == initial


# Own figures of an instrument: what 10 at 100 ask for, long and short, and what a short costs.
OWN = [
    ({}, (500, 250), (500, 300), D("-0.1")),
    ({"initial": "0.7"}, (700, 250), (700, 300), D("-0.1")),
    ({"maintenance": "0.7"}, (500, 700), (500, 700), D("-0.1")),
    ({"borrow_rate": "0.072"}, (500, 250), (500, 300), D("-0.2")),
    ({"borrow_rate": 0}, (500, 250), (500, 300), D(0)),
]


@pytest.mark.parametrize(("figures", "long", "short", "cost"), OWN)
def test_what_an_instrument_has_of_its_own_goes_before_what_is_usual(
    figures: dict[str, Any], long: Any, short: Any, cost: Decimal
) -> None:
    rules = account_rules("margin").replace(
        instruments={"TQQQ": Margin(**figures)}, borrow_rate="0.036"
    )
    desk = Desk(100_000, rules)
    share = desk.names["TQQQ"]
    assert desk.account.requirement(share, 10, 100) == long
    assert desk.account.requirement(share, -10, 100) == short
    desk.trade("TQQQ", -10, 100)
    assert desk.account.margin_state()["initial_margin"] == short[0]
    # What a usual holding asks for within the day is half as much as overnight.
    assert [row[3] for row in desk.account.close_day()] == ([cost] if cost else [])


def test_what_is_carried_is_no_credit_of_the_day() -> None:
    """A quarter of what is opened counts, four times; what is carried is stated by hand."""
    desk = Desk(100_000, "alpaca")
    desk.trade("SPY", 200, 100)
    for carried, power in ((0, 380_000), (50, 385_000), (200, 400_000), (300, 400_000)):
        desk.account.carry(desk.names["SPY"], carried)
        assert desk.account.buying_power == power
    desk.trade("TQQQ", 100, 100)
    for carried, power in ((0, 390_000), (50, 395_000), (100, 400_000)):
        desk.account.carry(desk.names["TQQQ"], carried)
        assert desk.account.buying_power == power


# Units of 1e-9 carried, held now, and how many of these were opened today.
OPENED = [
    (0, 1, 1), (0, -1, 1), (1, 1, 0), (-1, -1, 0), (1, 2, 1), (-1, -2, 1), (2, 1, 0), (-2, -1, 0),
    (3, -1, 1), (-3, 1, 1), (-1, 3, 3), (1, -3, 3), (5, 0, 0), (-5, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("carried", "held", "opened"), OPENED)
def test_what_was_carried_on_the_same_side_was_not_opened(
    carried: int, held: int, opened: int
) -> None:
    """At 10 a unit uses ten of the day's power, which is four times 100,000."""
    desk = Desk(100_000, "alpaca")
    if held:
        desk.trade("SPY", held * UNIT, 10)
    desk.account.carry(desk.names["SPY"], carried * UNIT)
    assert desk.account.buying_power_exact == 400_000 - 10 * opened * UNIT


@pytest.mark.parametrize(
    ("carried", "held", "after", "new", "old", "opened"),
    [
        # All that is held was carried, and all of it still is, whatever was paid out in cash.
        (100, 100, 400, 4, 1, 0),
        (-100, -100, -400, 4, 1, 0),
        (7, 7, 10, 3, 2, 0),
        (7, 7, 0, 1, 10, 0),
        # A part was opened today, and stays the same part.
        (100, 150, 600, 4, 1, 200),
        (100, 150, 15, 1, 10, 5),
        (0, 150, 600, 4, 1, 600),
        # A part was sold today: what it was counts when it is bought again.
        (100, 50, 200, 4, 1, 0),
        (100, 0, 0, 4, 1, 0),
        (100, -50, -200, 4, 1, 200),
    ],
)
def test_what_was_carried_into_a_split_was_not_opened_by_it(
    carried: int, held: int, after: int, new: int, old: int, opened: int
) -> None:
    """At 10 a unit uses ten of the day's power, which is four times 100,000."""
    desk = Desk(100_000, "alpaca")
    spy = desk.names["SPY"]
    if held:
        desk.trade("SPY", held, 10)
    desk.account.carry(spy, carried)
    if after != held:
        desk.trade("SPY", after - held, 10)
    desk.account.split_carried(spy.index, held * 10**9, new, old)
    assert desk.account.buying_power_exact == 400_000 - 10 * opened


def test_holdings_are_counted_and_valued_on_their_side_to_the_least_unit() -> None:
    desk = Desk(100_000, "margin")
    # Symbol, quantity, price; holdings, long and short value then.
    steps: list[tuple[str, Any, Any, int, Any, Any]] = [
        ("SPY", UNIT, UNIT, 1, LEAST, 0), ("SPY", -UNIT, UNIT, 0, 0, 0),
        ("SPY", -UNIT, UNIT, 1, 0, LEAST), ("SPY", UNIT, UNIT, 0, 0, 0),
        ("SPY", 10, 100, 1, 1_000, 0), ("TQQQ", -20, 50, 2, 1_000, 1_000),
        ("TQQQ", 5, 60, 2, 1_000, 900), ("TQQQ", -1, 70, 2, 1_000, 1_120),
        ("SPY", -15, 80, 2, 0, 1_520), ("TQQQ", 16, 70, 1, 0, 400), ("SPY", 6, 80, 1, 80, 0),
        ("SPY", -1, 80, 0, 0, 0),
    ]  # fmt: skip
    for symbol, quantity, price, count, long, short in steps:
        account = desk.trade(symbol, quantity, price)
        assert account.open_holdings == count
        assert desk.state("long_market_value", "short_market_value") == (long, -short)
        assert account.equity_exact == account.cash_exact + long - short
    for side in (1, -1):
        desk.trade("SPY", side * UNIT, 10)
        desk.mark("SPY", 30)
        assert desk.state("long_market_value", "short_market_value") == (
            (30 * UNIT, 0) if side > 0 else (0, -30 * UNIT)
        )
        desk.trade("SPY", -side * UNIT, 30)


def test_what_is_asked_of_an_instrument_may_be_nothing() -> None:
    account, share = Account(100, "USD", account_rules("margin").replace(maintenance_long=0)), (
        equity("GME", margin_long=0)
    )  # fmt: skip
    Cache().add_instrument(share)
    account.register(share)
    assert account.requirement(share, 10, 100) == (500, 0)


def test_a_day_ends_for_each_holding() -> None:
    """Two longs and a short, none of them the first instrument, are carried from then on."""
    desk = Desk(100_000, "alpaca")
    desk.trade("TQQQ", 100, 100)
    desk.trade("OTC", 10, 100)
    desk.account.set_rate("EUR", 2)
    desk.trade("SAP", -50, 100)
    # A quarter of 10,000 and of 10,000, and all of 1,000.
    assert desk.account.buying_power == 400_000 - 4 * (2_500 + 2_500 + 1_000)
    desk.account.close_day()
    # Half of each and all of what nothing is lent on; three tenths are kept.
    assert desk.state("initial_margin", "maintenance_margin", "last_maintenance_margin") == (
        11_000, 7_000, 7_000,
    )  # fmt: skip
    assert desk.account.buying_power == 4 * (100_000 - 7_000)
    desk.trade("TQQQ", 10, 100)
    assert desk.account.buying_power == 4 * (100_000 - 7_000) - 1_000


def test_the_least_sale_is_due_too() -> None:
    desk = Desk(100, "alpaca")
    desk.trade("SPY", UNIT, 10)
    desk.trade("SPY", -UNIT, 20)
    assert desk.state("cash", "settled_cash") == (100 + 10 * UNIT, 100 - 10 * UNIT)


def test_the_least_rates_are_rates() -> None:
    rules = account_rules("margin").replace(borrow_rate=UNIT, credit_rate=UNIT, settlement_days=0)
    desk = Desk(360_000, rules)
    desk.trade("SPY", -3600, 100)
    assert [row[3] for row in desk.account.close_day()] == [2000 * UNIT, -1000 * UNIT]


@pytest.mark.parametrize("days", [1, 2, 3])
def test_nothing_stays_due_once_all_is_paid(days: int) -> None:
    desk = Desk(10_000, account_rules("margin").replace(settlement_days=days, credit_rate="0.36"))
    desk.trade("SPY", 10, 100)
    desk.trade("SPY", -10, 100)
    for night in range(2 * days + 1):
        desk.account.close_day(0)
        assert (desk.state("settled_cash") == desk.state("cash")) is (night >= days - 1)
    assert [row[3] for row in desk.account.close_day()] == [10]


def test_what_rounds_to_nothing_is_no_charge() -> None:
    rules = account_rules("margin").replace(borrow_rate="0.01", credit_rate="0.01")
    desk = Desk(0, rules)
    desk.trade("SPY", -UNIT, UNIT)
    assert desk.account.close_day() == []
    assert desk.account.cash_exact == LEAST


# -- sums by currency ------------------------------------------------------------------------------


class Abroad:
    """An account in dollars with a share in each of three other currencies."""

    def __init__(self) -> None:
        self.account, cache = Account(1000, "USD", "margin"), Cache()
        self.shares = {
            name: Instrument(name, currency=name) for name in ("USD", "EUR", "CHF", "GBP")
        }
        for share in self.shares.values():
            cache.add_instrument(share)
            self.account.register(share)
        for name, rate in (("EUR", 2), ("CHF", 3), ("GBP", 5)):
            self.account.set_rate(name, rate)


def test_sums_are_over_all_currencies_each_at_its_rate() -> None:
    world = Abroad()
    account = world.account
    for name, amount in (("EUR", 10), ("CHF", 100), ("GBP", 1000)):
        account.deposit(amount, name)
    assert account.cash_exact == 1000 + 20 + 300 + 5000
    for name, quantity in (("USD", 1), ("EUR", 2), ("CHF", -3), ("GBP", 4)):
        account.execute(world.shares[name], quantity, 10)
    assert account.equity_exact == 6320
    assert account.cash_exact == 6320 - 10 - 40 + 90 - 200
    assert account.gross_exposure == 10 + 40 + 90 + 200
    assert account.market_value == 10 + 40 - 90 + 200
    state = account.margin_state()
    assert (state["long_market_value"], state["short_market_value"]) == (250, -90)
    assert state["initial_margin"] == 170
    for name, price in (("USD", 11), ("EUR", 12), ("CHF", 14), ("GBP", 18)):
        account.mark(world.shares[name], price)
    assert account.equity_exact == 6320 + 1 + 8 - 36 + 160
    assert account.gross_exposure == 11 + 48 + 126 + 360
    assert account.rates == {"USD": 1, "EUR": 2, "CHF": 3, "GBP": 5}


def test_needs_are_rounded_up_and_assets_down() -> None:
    """Half of 1e-18 euros at half a dollar are a quarter of 1e-18 dollars."""
    desk = Desk(0, "margin")
    desk.account.set_rate("EUR", "0.5")
    desk.trade("SAP", UNIT, 3 * UNIT)
    # 3e-18 of value, half of it rounded up to 2e-18 euros: 1e-18 dollars.
    assert desk.state("initial_margin") == (LEAST,)
    assert desk.state("maintenance_margin") == (LEAST,)
    assert desk.state("long_market_value") == (2 * LEAST,)
    desk = Desk(0, "margin")
    desk.account.set_rate("EUR", "0.5")
    desk.account.deposit(-LEAST, "EUR")
    assert desk.account.cash_exact == 0
    desk.account.deposit(4 * LEAST, "EUR")
    assert desk.account.cash_exact == LEAST


def test_interest_and_borrow_are_charged_in_their_own_currency() -> None:
    rules = account_rules("margin").replace(
        settlement_days=0, debit_rate="0.036", credit_rate="0.0036", borrow_rate="0.072"
    )
    desk = Desk(100_000, rules)
    desk.account.set_rate("EUR", "1.25")
    desk.account.deposit(-500, "EUR")
    desk.trade("SAP", -10, 100)
    desk.trade("SAP", 5, 100)
    desk.trade("SPY", 10, 100)
    # 99,000 dollars earn 1e-5 a night; 500 - 500 + 500 euros none or little; five short cost 2e-4.
    assert desk.account.close_day(2) == [
        ("interest", -1, "USD", D("1.98")),
        ("borrow", 4, "EUR", D("-0.2")),
    ]
    assert desk.account.balances == {"USD": D("99001.98"), "EUR": D("-0.2")}
    assert desk.account.close_day(1)[1] == ("interest", -1, "EUR", D("-0.00002"))


def test_interest_is_rounded_half_to_even() -> None:
    """A 360th of 0.36 is a thousandth: of 500 least amounts half of one."""
    rules = account_rules("margin").replace(settlement_days=0, credit_rate="0.36")
    for cash, earned in ((500, 0), (501, 1), (1500, 2), (2500, 2), (2501, 3)):
        charges = Desk(cash * LEAST, rules).account.close_day()
        assert [row[3] for row in charges] == ([earned * LEAST] if earned else [])

"""Margin, settlement, interest and Alpaca's buying power against tables worked by hand."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.account_rules import AccountRules, Margin, account_rules
from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument, equity
from pyrt.errors import ConfigError, PrecisionError
from tests.core.desk import Desk

D = Decimal


# -- requirements ----------------------------------------------------------------------------------

TIERS = {"kind": "margin", "short_price_min": 10, "short_floor": 1, "short_floor_below": 12}
# Rules, symbol, quantity, price, initial, maintenance.
REQUIREMENTS = [
    # Regulation T's half; FINRA's quarter of a long.
    ("margin", "SPY", 100, 50, 2500, 1250),
    ("margin", "SPY", -100, 50, 2500, 1500),
    # A short below 16.67 needs 5 a share: 30 % of 16 are 4.80.
    ("margin", "SPY", -100, 16, 800, 500),
    ("margin", "SPY", -100, 17, 850, 510),
    # At 5 the floor of 5 a share is the full price; below it is the full price and at least 2.50.
    ("margin", "SPY", -100, 5, 250, 500),
    ("margin", "SPY", -100, "4.99", "249.5", 499),
    ("margin", "SPY", -100, "2.50", 125, 250),
    ("margin", "SPY", -100, 2, 100, 250),
    ("margin", "SPY", 100, 2, 100, 50),
    # Alpaca: 30 % of a long from 2.50 on, all of it below.
    ("alpaca", "SPY", 100, 50, 2500, 1500),
    ("alpaca", "SPY", 100, "2.50", 125, 75),
    ("alpaca", "SPY", 100, "2.49", 249, 249),
    ("alpaca", "SPY", -100, 50, 2500, 1500),
    # Nothing is lent on coins and on what is not marginable.
    ("alpaca", "BTC", "0.5", 40_000, 20_000, 20_000),
    ("margin", "OTC", 10, 7, 70, 70),
    ("margin:1", "SPY", 100, 50, 5000, 1250),
    ("cash", "SPY", 0, 50, 0, 0),
    # What has no price asks for nothing, a short neither.
    ("margin", "SPY", 100, 0, 0, 0),
    ("margin", "SPY", -100, 0, 0, 0),
    ("margin", "SPY", 0, 100, 0, 0),
    # One unit of 1e-9 is long, or short.
    ("margin", "SPY", "0.000000001", 50, "2.5E-8", "1.25E-8"),
    ("margin", "SPY", "-0.000000001", 50, "2.5E-8", "1.5E-8"),
    # Other tiers: from 10 on a dollar a share is the least, below it twelve.
    (TIERS, "SPY", -100, 10, 500, 300),
    (TIERS, "SPY", -100, 3, 150, 1200),
    (TIERS, "SPY", -100, 2, 100, 1200),
    (TIERS, "SPY", -100, "9.99", "499.5", 1200),
    (TIERS, "SPY", 100, "9.99", "499.5", "249.75"),
    # A third of 1e-18 is rounded up.
    (
        {"kind": "margin", "maintenance_long": "0.333333333"},
        "SPY",
        "0.000000001",
        "0.000000001",
        "5E-19",
        "3.33333333E-19",
    ),
]


@pytest.mark.parametrize(
    ("rules", "symbol", "quantity", "price", "initial", "maintenance"), REQUIREMENTS
)
def test_a_holding_asks_for_what_the_table_says(
    rules: Any, symbol: str, quantity: Any, price: Any, initial: Any, maintenance: Any
) -> None:
    desk = Desk(10, rules)
    found = desk.account.requirement(desk.names[symbol], quantity, price)
    up = [D(str(x)).quantize(D("1E-18"), "ROUND_UP") for x in (initial, maintenance)]
    assert list(found) == up


def test_an_instrument_may_have_its_own_margin() -> None:
    rules = account_rules("margin:4").replace(
        instruments={"TQQQ": Margin(initial="0.75", maintenance="0.75"), "SPY": {"initial": 1}}
    )
    desk = Desk(100_000, rules)
    assert desk.account.requirement(desk.names["TQQQ"], 10, 100) == (750, 750)
    assert desk.account.requirement(desk.names["SPY"], 10, 100) == (1000, 250)
    # The day's credit is for usual shares only: 100,000 / 0.75 buy 133,333.33.
    assert desk.lacks("TQQQ", 1333, 100) == 0
    assert desk.lacks("TQQQ", 1334, 100) == 50


# -- Regulation T ----------------------------------------------------------------------------------

# Multiplier, held (quantity at 100), marked at, order at that price, missing.
AFFORDED = [
    ("margin", 0, 100, 2000, 0),
    ("margin", 0, 100, 2001, 50),
    ("margin:4", 0, 100, 4000, 0),
    ("margin:4", 0, 100, 4001, 25),
    ("margin:1", 0, 100, 1000, 0),
    ("margin:1", 0, 100, 1001, 100),
    ("margin:1", 0, 100, -1, 100),
    ("margin", 0, 100, -2000, 0),
    ("margin", 0, 100, -2001, 50),
    # Half of 200,000 is bound; a rise by 10 % frees half of what it makes.
    ("margin", 1000, 100, 1000, 0),
    ("margin", 1000, 100, 1001, 50),
    ("margin", 1000, 110, 1000, 0),
    # Equity 110,000; (1000 + x) x 55 <= 110,000.
    ("margin", 1000, 110, 1001, 55),
    # A short that rose: equity 90,000; (1000 + x) x 55 <= 90,000 gives 636.36.
    ("margin", -1000, 110, -636, 0),
    ("margin", -1000, 110, -637, 35),
    # Reductions are always affordable, under water too.
    ("margin", 2000, 40, -2000, 0),
    ("margin", -2000, 170, 2000, 0),
    # Through zero the other side has to be afforded: equity 100,000, |x| x 50.
    ("margin", 1000, 100, -3000, 0),
    ("margin", 1000, 100, -3001, 50),
]


@pytest.mark.parametrize(("rules", "held", "price", "order", "missing"), AFFORDED)
def test_the_requirement_after_a_trade_may_not_pass_equity(
    rules: str, held: int, price: int, order: int, missing: int
) -> None:
    desk = Desk(100_000, rules)
    if held:
        desk.trade("SPY", held, 100)
        desk.mark("SPY", price)
    assert desk.lacks("SPY", order, price) == missing


def test_a_fee_counts_and_so_does_a_price_off_the_mark() -> None:
    desk = Desk(100_000, "margin")
    assert desk.lacks("SPY", 2000, 100, fee="0.01") == D("0.01")
    desk.trade("SPY", 1000, 100)
    # At 99 what is held loses 1,000: equity 99,000, 1000 more need 2000 x 49.50 in all.
    assert desk.lacks("SPY", 1000, 99) == 0
    assert desk.lacks("SPY", 1000, 99, fee=1) == 1


def test_the_least_equity_makes_a_cash_account() -> None:
    for cash, power in ((1999, 1999), (2000, 4000)):
        desk = Desk(cash, "margin")
        assert desk.account.buying_power == power
        assert (desk.lacks("SPY", -1, 100) > 0) == (cash < 2000)
        assert desk.account.margin_state()["can_short"] == (cash >= 2000)
    assert Desk(1999, "margin").lacks("SPY", 20, 100) == 1


def test_what_is_not_lent_on_takes_equity_in_full() -> None:
    desk = Desk(100_000, "margin")
    assert desk.lacks("BTC", 2, 50_000) == 0
    assert desk.lacks("BTC", "2.1", 50_000) == 5000
    assert desk.lacks("BTC", -1, 50_000) == 50_000
    desk.trade("SPY", 1000, 100)
    # Equity 100,000, of which 50,000 are bound.
    assert desk.lacks("BTC", 1, 50_000) == 0
    assert desk.lacks("BTC", 1, 50_001) == 1


# -- Alpaca ----------------------------------------------------------------------------------------


def test_a_new_alpaca_account_shows_what_a_paper_account_shows() -> None:
    desk = Desk(100_000, "alpaca")
    assert desk.account.margin_state() == {
        "multiplier": 4, "cash": 100_000, "settled_cash": 100_000, "equity": 100_000,
        "last_equity": 100_000, "long_market_value": 0, "short_market_value": 0,
        "initial_margin": 0, "maintenance_margin": 0, "last_maintenance_margin": 0,
        "buying_power": 400_000, "regt_buying_power": 200_000,
        "daytrading_buying_power": 400_000, "non_marginable_buying_power": 100_000,
        "reserved": 0, "sma": 100_000, "margin_call": 0, "can_short": True,
    }  # fmt: skip


def test_sales_that_are_not_paid_yet_are_no_settled_cash() -> None:
    desk = Desk(100_000, "alpaca")
    desk.trade("SPY", 100, 100)
    desk.trade("SPY", -60, 110)
    assert desk.state("cash", "settled_cash") == (96_600, 90_000)


# What the broker asks to be kept of a value: of a long, of a short; what a holding worth 1000 then
# asks for in all (overnight, to be kept), and what 100,000 buy and sell short.
OWN_MARGIN = [
    # Nothing more than of any other: 30 % kept, half overnight, four times for the day.
    ("0.3", "0.3", (500, 300), (500, 300), 400_000, 400_000),
    (None, None, (500, 300), (500, 300), 400_000, 400_000),
    ("0.2", "0.1", (500, 300), (500, 300), 400_000, 400_000),
    # More: 0.75 / 0.25 of the day's power for every dollar.
    ("0.75", None, (750, 750), (500, 300), 100_000 / 0.75, 400_000),
    (None, "0.9", (500, 300), (900, 900), 400_000, 100_000 / 0.9),
    # In full.
    ("1", "1", (1000, 1000), (1000, 1000), 100_000, 100_000),
    # Less than the half that the night asks for, and more than the quarter of the day.
    ("0.4", "0.4", (500, 400), (500, 400), 250_000, 250_000),
]


@pytest.mark.parametrize(("longs", "shorts", "long", "short", "bought", "sold"), OWN_MARGIN)
def test_what_the_broker_asks_of_one_instrument_counts(
    longs: Any, shorts: Any, long: Any, short: Any, bought: float, sold: float
) -> None:
    account, cache = Account(100_000, "USD", "alpaca"), Cache()
    share = equity("GME", margin_long=longs, margin_short=shorts)
    cache.add_instrument(share)
    account.register(share)
    assert account.requirement(share, 10, 100) == long
    assert account.requirement(share, -10, 100) == short
    for side, most in ((1, bought), (-1, sold)):
        units = int(most // 100)
        assert account.lacks(share, side * units, 100) == 0
        assert account.lacks(share, side * (units + 1), 100) > 0
    account.execute(share, 100, 100)
    # What the purchase has used of the power is what it was let through by.
    used = 400_000 - account.buying_power
    assert used == pytest.approx(10_000 * 400_000 / bought)
    assert account.reserves(share, 10, limit_price=100) == pytest.approx(D(1000 * 400_000 / bought))


def test_rules_that_name_an_instrument_go_before_what_the_broker_asks_of_it() -> None:
    rules = account_rules("alpaca").replace(instruments={"GME": Margin(maintenance="0.35")})
    account, cache = Account(100_000, "USD", rules), Cache()
    share = equity("GME", margin_long=1)
    cache.add_instrument(share)
    account.register(share)
    assert account.requirement(share, 10, 100) == (500, 350)


@pytest.mark.parametrize("value", [-0.1, 11, "much", float("nan")])
def test_margin_of_an_instrument_is_a_share(value: Any) -> None:
    with pytest.raises((ConfigError, PrecisionError)):
        equity("GME", margin_short=value)


def test_margin_of_an_instrument_travels() -> None:
    share = equity("GME", margin_long="0.75", margin_short=1)
    again = Instrument(**share.to_dict())
    assert (again.margin_long, again.margin_short) == (D("0.75"), 1)
    assert equity("SPY").to_dict()["margin_long"] is None


def test_cheap_longs_use_up_the_power_that_they_ask_for() -> None:
    desk = Desk(100_000, "alpaca")
    # Below 2.50 nothing is lent: 100,000 buy 50,000 shares at 2, and no more.
    assert desk.lacks("SPY", 50_000, 2) == 0
    assert desk.lacks("SPY", 50_001, 2) == 8


def test_buying_power_follows_the_multiplier() -> None:
    powers = {}
    for multiplier in (1, 2, 4):
        desk = Desk(100_000, f"alpaca:{multiplier}")
        desk.trade("SPY", 400, 100)
        powers[multiplier] = desk.state("buying_power", "regt_buying_power", "cash")
    # Cash; twice the equity that nothing needs overnight; four times last equity less today's.
    assert powers == {
        1: (60_000, 60_000, 60_000),
        2: (160_000, 160_000, 60_000),
        4: (360_000, 160_000, 60_000),
    }


def test_the_day_ends_and_four_times_what_is_left_begins_the_next() -> None:
    desk = Desk(100_000, "alpaca")
    desk.trade("SPY", 1500, 100)
    assert desk.state("buying_power", "daytrading_buying_power") == (250_000, 250_000)
    desk.mark("SPY", 102)
    # 150,000 became 153,000; the day's power is that of last night less what is open today.
    assert desk.state("equity", "buying_power") == (103_000, 247_000)
    desk.account.close_day()
    assert desk.state("last_equity", "last_maintenance_margin") == (103_000, 45_900)
    assert desk.state("buying_power", "regt_buying_power") == (228_400, 53_000)
    # Carried shares use none of it; more of them do, and selling those gives it back.
    desk.trade("SPY", 100, 102)
    assert desk.account.buying_power == 228_400 - 10_200
    desk.trade("SPY", -100, 102)
    assert desk.account.buying_power == 228_400
    desk.trade("SPY", -500, 102)
    assert desk.account.buying_power == 228_400


# Order, its price, missing at 100,000 of cash.
ALPACA_ORDERS = [
    ("SPY", 4000, 100, 0),
    ("SPY", "4000.01", 100, 1),
    ("SPY", -4000, 100, 0),
    ("SPY", -4001, 100, 100),
    ("BTC", 2, 50_000, 0),
    ("BTC", 3, 50_000, 50_000),
    ("BTC", "-0.1", 50_000, 5_000),
]


@pytest.mark.parametrize(("symbol", "quantity", "price", "missing"), ALPACA_ORDERS)
def test_an_opening_order_may_not_pass_the_buying_power(
    symbol: str, quantity: Any, price: Any, missing: Any
) -> None:
    assert Desk(100_000, "alpaca").lacks(symbol, quantity, price) == missing


@pytest.mark.parametrize(("multiplier", "most"), [(2, 2000), (4, 4000)])
def test_shares_of_which_little_is_asked_use_up_what_they_cost(multiplier: int, most: int) -> None:
    desk = Desk(100_000, f"alpaca:{multiplier}")
    assert desk.lacks("SPY", most, 100) == 0
    assert desk.lacks("SPY", most + 1, 100) == 100


def test_what_is_missing_of_the_buying_power_is_told_in_the_orders_currency() -> None:
    """400,000 dollars are 320,000 euros."""
    desk = Desk(100_000, "alpaca")
    desk.account.set_rate("EUR", "1.25")
    assert desk.lacks("SAP", 3_200, 100) == 0
    assert desk.lacks("SAP", 3_201, 100) == 100


@pytest.mark.parametrize(("price", "reserved"), [("49.99", "51.9896"), ("50", "51.25")])
def test_from_fifty_dollars_on_alpacas_collar_is_narrower(price: str, reserved: str) -> None:
    desk = Desk(100_000, "alpaca")
    share = desk.names["SPY"]
    assert desk.account.reserves(share, 1, last_price=price) == D(reserved)
    assert desk.account.reserves(share, 1, stop_price=price, last_price=price) == D(reserved)


def test_coins_are_bought_with_cash_only() -> None:
    desk = Desk(100_000, "alpaca")
    desk.trade("SPY", 700, 100)
    # Cash 30,000; free equity 65,000.
    assert desk.state("non_marginable_buying_power") == (30_000,)
    assert desk.lacks("BTC", 1, 30_000) == 0
    assert desk.lacks("BTC", 1, "30000.01") == D("0.01")
    # A short brings cash that is not ours: 100,000 + 100,000, half of 100,000 bound.
    desk = Desk(100_000, "alpaca")
    desk.trade("SPY", -1000, 100)
    assert desk.state("cash", "non_marginable_buying_power") == (200_000, 50_000)


def test_waiting_orders_lower_every_buying_power() -> None:
    desk = Desk(100_000, "alpaca")
    desk.account.set_reserved(30_000)
    assert desk.state(
        "buying_power", "regt_buying_power", "non_marginable_buying_power", "reserved"
    ) == (370_000, 170_000, 70_000, 30_000)
    desk.account.set_reserved(500_000)
    assert desk.account.buying_power == 0
    assert desk.account.buying_power_exact == 0


# -- calls -----------------------------------------------------------------------------------------


def test_a_call_is_what_equity_lacks_to_maintenance_when_the_day_ends() -> None:
    desk = Desk(100_000, "margin")
    desk.trade("SPY", 2000, 100)
    desk.mark("SPY", "66.67")
    desk.account.close_day()
    # 2000 x 66.67 = 133,340; equity 33,340; a quarter is 33,335.
    assert desk.account.margin_call == 0
    desk.mark("SPY", 66)
    desk.account.close_day()
    # 132,000: equity 32,000, a quarter is 33,000.
    assert desk.account.margin_call == 1000


def test_a_call_that_prices_have_met_is_over() -> None:
    desk = Desk(100_000, "margin")
    desk.trade("SPY", 2000, 100)
    desk.mark("SPY", 66)
    desk.account.close_day()
    assert desk.account.margin_call == 1000
    # 160,000: equity 60,000, a quarter is 40,000.
    desk.mark("SPY", 80)
    assert desk.account.margin_call == 0


def test_a_waiting_order_in_another_currency_reserves_what_it_is_worth_here() -> None:
    desk = Desk(100_000, "cash")
    desk.account.set_rate("EUR", "1.25")
    assert desk.account.reserves(desk.names["SAP"], 10, limit_price=100) == 1250


def test_a_day_traders_shares_have_to_meet_regulation_t_overnight() -> None:
    desk = Desk(100_000, "margin:4")
    desk.trade("SPY", 3000, 100)
    desk.account.close_day()
    assert desk.account.margin_call == 50_000
    # On the next evening they are carried, and a quarter is enough.
    desk.account.close_day()
    assert desk.account.margin_call == 0


# -- settlement, interest, borrow ------------------------------------------------------------------


def test_a_cash_account_spends_settled_cash_only() -> None:
    desk = Desk(10_000, AccountRules(settlement_days=1))
    desk.trade("SPY", 100, 100)
    desk.trade("SPY", -40, 100)
    account = desk.account
    assert (account.cash, account.settled_cash, account.buying_power) == (4000, 0, 0)
    assert desk.lacks("SPY", 1, 100) == 100
    account.close_day()
    assert (account.cash, account.settled_cash, account.buying_power) == (4000, 4000, 4000)
    assert desk.lacks("SPY", 40, 100) == 0


@pytest.mark.parametrize("days", [1, 2, 3])
def test_each_days_sales_settle_after_so_many_sessions(days: int) -> None:
    desk = Desk(10_000, AccountRules(settlement_days=days))
    desk.trade("SPY", 100, 100)
    seen = []
    for day in range(6):
        if day < 2:
            desk.trade("SPY", -10 * (day + 1), 100)
        desk.account.close_day()
        seen.append(desk.account.settled_cash)
    expected = [
        sum(1000 * (sold + 1) for sold in range(2) if day >= sold + days - 1) for day in range(6)
    ]
    assert seen == expected


@pytest.mark.parametrize("kind", ["margin", "alpaca", "alpaca:1"])
def test_us_brokers_pay_what_is_sold_a_session_later(kind: str) -> None:
    desk = Desk(10_000, kind)
    desk.trade("SPY", 20, 100)
    desk.account.close_day()
    desk.trade("SPY", -20, 100)
    assert (desk.account.cash, desk.account.settled_cash) == (10_000, 8_000)
    desk.account.close_day()
    assert desk.account.settled_cash == 10_000


def test_coins_settle_at_once_and_an_opening_short_has_no_proceeds() -> None:
    desk = Desk(10_000, AccountRules(settlement_days=1))
    desk.trade("BTC", "0.1", 50_000)
    desk.trade("BTC", "-0.1", 50_000)
    assert desk.account.settled_cash == 10_000
    desk.trade("SPY", 10, 100)
    desk.trade("SPY", -30, 100)
    # 1000 came from the long, 2000 from the short that opened.
    assert desk.account.cash - desk.account.settled_cash == 1000


def test_interest_is_a_360th_of_a_year_for_every_night_on_settled_cash() -> None:
    rules = account_rules("margin").replace(debit_rate="0.072", credit_rate="0.018")
    desk = Desk(100_000, rules)
    desk.trade("SPY", 1500, 100)
    # Not paid yet: 100,000 earn 0.018 / 360 x 3 nights.
    assert desk.account.close_day(3) == [("interest", -1, "USD", D("15"))]
    # Paid now: 49,985 are borrowed for a night at 0.072 / 360.
    assert desk.account.close_day() == [("interest", -1, "USD", D("-9.997"))]
    assert desk.account.cash_exact == D("-50000") + 15 - D("9.997")
    assert desk.account.close_day(0) == []


def test_a_short_pays_for_borrowed_shares_at_its_own_rate() -> None:
    rules = account_rules("margin").replace(
        borrow_rate="0.036", instruments={"TQQQ": Margin(borrow_rate="0.36")}
    )
    desk = Desk(100_000, rules)
    desk.trade("SPY", -100, 100)
    desk.trade("TQQQ", -10, 100)
    desk.mark("SPY", 120)
    assert desk.account.close_day(2) == [
        ("borrow", 0, "USD", D("-2.4")),
        ("borrow", 1, "USD", D("-2")),
    ]


# -- currencies ------------------------------------------------------------------------------------


def test_a_currency_without_a_rate_affords_nothing_on_margin() -> None:
    desk = Desk(100_000, "margin")
    assert desk.lacks("SAP", 10, 100, fee=1) == 1001
    desk.account.set_rate("EUR", "1.25")
    assert desk.lacks("SAP", 1600, 100) == 0
    # 1601 x 125 x 0.5 = 100,062.50: 62.50 dollars are 50 euros.
    assert desk.lacks("SAP", 1601, 100) == 50
    desk.trade("SAP", 1600, 100)
    assert desk.state("initial_margin", "equity", "buying_power") == (100_000, 100_000, 0)
    desk.account.set_rate("EUR", "1.0")
    # The debt in euros shrinks as the shares do.
    assert desk.state("initial_margin", "equity") == (80_000, 100_000)


# -- day, rules ------------------------------------------------------------------------------------


def test_the_days_profit_starts_anew_and_leaves_deposits_out() -> None:
    desk = Desk(100_000, "margin")
    desk.trade("SPY", 100, 100, fee=1)
    desk.mark("SPY", 103)
    desk.account.deposit(5000)
    assert (desk.account.day_pnl, desk.account.day_pnl_exact) == (299, 299)
    desk.account.close_day()
    assert desk.account.day_pnl == 0
    desk.mark("SPY", 101)
    assert desk.account.day_pnl == -200


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("leverage", "expected 'cash', 'margin' or 'alpaca'"),
        ("margin:3", "'margin:3'"),
        ({"kind": "x"}, "account is 'x'"),
        ({"kind": "margin", "leverage": 2}, "account rules have no 'leverage'"),
        ({"initial": "nan"}, "initial is 'nan'"),
        ({"initial": -1}, "initial is -1"),
        ({"initial": "0.0000000001"}, "at most 9 decimal places"),
        ({"initial": 11}, "0 to 10"),
        ({"initial": True}, "expected a number"),
        ({"initial": "half"}, "expected a number"),
        ({"multiplier": 3}, "multiplier is 3"),
        ({"on_call": "sell"}, "on_call is 'sell'"),
        ({"settlement_days": 4}, "settlement_days is 4"),
        ({"settlement_days": True}, "settlement_days is True"),
        ({"shorting": 1}, "shorting is 1"),
        ({"instruments": {"SPY": 3}}, "expected a Margin"),
        ({"instruments": {"SPY": {"x": 3}}}, "expected a Margin"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        account_rules(rules)


def test_rules_travel_and_compare_by_value() -> None:
    rules = account_rules({"kind": "alpaca", "instruments": {"TQQQ": {"initial": "0.75"}}})
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert account_rules(rules) is rules
    assert account_rules(None).is_plain
    assert not account_rules("margin").is_plain
    assert not AccountRules(instruments={"A": Margin(borrow_rate=1)}).is_plain
    assert account_rules("margin:4").to_dict()["multiplier"] == 4


# -- rules and days that others state --------------------------------------------------------------


def test_an_account_without_permission_to_short_takes_only_what_reduces() -> None:
    for kind, shorts in (("cash", 9_900), ("alpaca", 39_900)):
        for shorting in (True, False):
            rules = account_rules(kind).replace(shorting=shorting)
            desk = Desk(10_000, rules)
            # Sold short it has to be borrowed; nothing else asks for that.
            assert (desk.lacks("SPY", -1, 100) == 0) == shorting
            assert (desk.lacks("SPY", -shorts // 200, 100) == 0) == shorting
            assert desk.state("can_short") == (shorting and kind == "alpaca",)
            desk.trade("SPY", 10, 100)
            assert desk.lacks("SPY", -10, 100) == 0
            assert (desk.lacks("SPY", -11, 100) == 0) == shorting


def test_other_rules_judge_what_is_held_from_then_on() -> None:
    """A changed account shows what one shows that had these rules all the time."""
    names = ("buying_power", "initial_margin", "maintenance_margin", "cash", "equity", "multiplier")
    for before in ("cash", "margin:4", "alpaca"):
        for after in ("cash", "margin", "alpaca:2", "alpaca:4"):
            desk, always = Desk(100_000, before), Desk(100_000, after)
            for each in (desk, always):
                each.trade("SPY", 300, 100)
                each.trade("TQQQ", -50, 40)
                each.mark("SPY", 103)
            desk.account.change_rules(after, desk.names.values())
            assert desk.state(*names) == always.state(*names)
            assert desk.account.rules == account_rules(after)
            for each in (desk, always):
                each.mark("TQQQ", 45)
                each.trade("SPY", -300, 104)
            assert desk.state(*names) == always.state(*names)


def test_rules_that_make_no_sense_change_nothing() -> None:
    desk = Desk(100_000, "margin")
    desk.trade("SPY", 300, 100)
    before = desk.account.margin_state()
    with pytest.raises(ConfigError):
        desk.account.change_rules("margin:3", desk.names.values())
    assert desk.account.margin_state() == before


def test_a_day_taken_up_shows_what_one_shows_that_was_there() -> None:
    there, here = Desk(100_000, "alpaca"), Desk(85_000, "alpaca")
    there.trade("SPY", 200, 100)
    there.account.close_day()
    there.trade("SPY", -50, 100)
    there.trade("TQQQ", -100, 40)
    here.trade("SPY", 150, 100)
    here.trade("TQQQ", -100, 40)
    here.account.deposit(there.account.cash_exact - here.account.cash_exact)
    here.account.begin_day(100_000, 6_000, unsettled=5_000)
    here.account.carry(here.names["SPY"], 200)
    assert here.account.margin_state() == there.account.margin_state()
    assert here.account.day_pnl_exact == there.account.day_pnl_exact == 0
    here.account.state_day(99_000, 5_000)
    assert here.state("last_equity", "last_maintenance_margin") == (99_000, 5_000)
    # Four times 94,000, less what of it is opened: 2,000 for the short that began today.
    assert here.state("buying_power") == (4 * (94_000 - 1_000),)


def test_sales_of_a_day_taken_up_are_paid_at_its_end() -> None:
    desk = Desk(1_000, account_rules("cash").replace(settlement_days=1))
    desk.account.begin_day(1_000, 0, unsettled=300)
    assert (desk.account.settled_cash, desk.account.buying_power) == (700, 700)
    desk.account.close_day()
    assert (desk.account.settled_cash, desk.account.buying_power) == (1_000, 1_000)


def test_shorts_carried_over_night_use_none_of_the_days_power() -> None:
    desk = Desk(100_000, "alpaca")
    desk.trade("SPY", -100, 100)
    desk.account.close_day()
    before = desk.account.buying_power_exact
    desk.trade("SPY", 40, 100)
    assert desk.account.buying_power_exact == before
    desk.trade("SPY", -50, 100)
    assert desk.account.buying_power_exact == before - 1_000


def test_sums_over_currencies_are_converted() -> None:
    desk = Desk(100_000, "margin")
    desk.account.set_rate("EUR", "1.5")
    desk.trade("SPY", 100, 100)
    desk.trade("SAP", -20, 50)
    assert desk.account.gross_exposure == 10_000 + 1_500
    assert desk.account.cash_exact == 90_000 + 1_500
    assert desk.account.equity_exact == 100_000
    assert desk.account.market_value == 10_000 - 1_500
    # Ten euros a share against the short.
    desk.mark("SAP", 60)
    assert desk.account.equity_exact == 100_000 - 300


def test_rules_that_are_not_stated_are_those_of_a_regulation_or_cost_nothing() -> None:
    rules = AccountRules()
    # Regulation T and FINRA 4210: shares of the value, and dollars a share of a cheap short.
    assert (rules.initial, rules.maintenance_long, rules.maintenance_short) == (
        D("0.5"), D("0.25"), D("0.3"),
    )  # fmt: skip
    assert (rules.short_price_min, rules.short_floor_below, rules.short_floor) == (5, D("2.5"), 5)
    assert (rules.margin_equity_min, rules.long_price_min) == (2_000, 0)
    nothing = ("debit_rate", "credit_rate", "borrow_rate", "settlement_days")
    collars = ("collar_threshold", "collar_below", "collar_above")
    assert [getattr(rules, name) for name in (*nothing, *collars)] == [0] * 7
    assert (rules.short_markup, rules.multiplier, rules.shorting) == (1, 1, True)
    assert (rules.kind, rules.on_call, dict(rules.instruments)) == ("cash", "block", {})


def test_the_least_that_is_missing_is_missing_in_another_currency_as_well() -> None:
    """Of 48 at 100 euros, 6,000 dollars, half is asked for."""
    for cash, missing in (("3000", 0), ("2999.999999999999999999", D("1E-18"))):
        desk = Desk(cash, "margin")
        desk.account.set_rate("EUR", "1.25")
        assert desk.lacks("SAP", 48, 100) == missing

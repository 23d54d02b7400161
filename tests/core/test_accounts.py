"""Accounts: balances by currency, collateral of shorts, equity, and what can be afforded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError, PrecisionError, UnknownName
from tests.backtest.harness import SYMBOL, frame, play
from tests.core.desk import Desk

D = Decimal
FLAT = (100, 100, 100, 100)


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


def test_an_account_opens_with_its_cash() -> None:
    account = Account("1000.25", "EUR")
    assert account.cash_exact == Decimal("1000.25")
    assert (account.base_currency, account.currencies) == ("EUR", ["EUR"])
    assert account.equity == account.buying_power == 1000.25
    assert account.market_value == account.gross_exposure == 0
    assert account.balances == {"EUR": Decimal("1000.25")}


def test_deposits_and_withdrawals_move_one_balance() -> None:
    account = Account(100)
    account.deposit("0.000000000000000001")
    account.deposit(-40)
    account.deposit(7, "BTC")
    assert account.balances == {"USD": Decimal("60.000000000000000001"), "BTC": Decimal(7)}


def test_other_currencies_count_at_their_stated_rate_and_nothing_without_one() -> None:
    account = Account(100)
    account.deposit(10, "EUR")
    assert account.cash_exact == 100
    account.set_rate("EUR", "1.25")
    assert account.cash_exact == Decimal("112.5")
    assert account.equity_exact == Decimal("112.5")


def test_a_conversion_is_rounded_toward_zero() -> None:
    account = Account(0)
    account.deposit("0.000000000000000003", "EUR")
    account.set_rate("EUR", "0.5")
    assert account.cash_exact == Decimal("0.000000000000000001")


def test_a_currency_never_held_is_an_error_that_names_those_held() -> None:
    with pytest.raises(UnknownName, match="no 'GBP'"):
        Account(1).balance_exact("GBP")


def test_an_amount_finer_than_the_grid_is_refused() -> None:
    with pytest.raises(PrecisionError):
        Account("1e-19")


def test_a_seventeenth_currency_is_refused() -> None:
    account = Account(1)
    for number in range(15):
        account.deposit(1, f"C{number}")
    with pytest.raises(ConfigError, match="at most 16"):
        account.deposit(1, "ONE_MORE")


def test_a_long_holding_is_marked_at_every_close() -> None:
    run = play(flat(100, 100, 107), {0: lambda s: s.buy(SYMBOL, 10)}, cash=2000)
    account = run.kernel.account
    assert (account.cash, account.market_value, account.equity) == (1000, 1070, 2070)
    assert (account.gross_exposure, account.buying_power) == (1070, 1000)


def test_a_short_holding_locks_its_proceeds_and_its_value() -> None:
    run = play(flat(100, 100, 90), {0: lambda s: s.sell(SYMBOL, 10)}, cash=2000)
    account = run.kernel.account
    assert (account.cash, account.market_value, account.equity) == (3000, -900, 2100)
    # 3000 less twice 900: the proceeds are locked, and as much again.
    assert (account.gross_exposure, account.buying_power) == (900, 1200)


def test_buying_power_is_never_negative() -> None:
    run = play(flat(100, 100, 300), {0: lambda s: s.sell(SYMBOL, 10)}, cash=1000)
    assert run.kernel.account.equity == -1000
    assert run.kernel.account.buying_power == 0


def test_cash_locked_behind_a_short_buys_nothing_else() -> None:
    run = play(
        {"AAA": flat(100, 100, 100, 100), "BBB": flat(10, 10, 10, 10)},
        {0: lambda s: s.sell("AAA", 10), 1: lambda s: [s.buy("BBB", 50), s.buy("BBB", 51)]},
        cash=1500,
    )
    # 2500 after the sale, 2000 locked: 500 are free.
    assert run.statuses == ["FILLED", "FILLED", "REJECTED"]
    assert "10.00 more than the account can cover" not in run.reasons[1]
    assert "510.00 USD" in run.reasons[2]


@pytest.mark.parametrize(
    ("cash", "held", "order", "status"),
    [
        (1000, 5, -15, "FILLED"),  # long 5 to short 10: 500 + 1500 − 2 × 1000
        (1000, 5, -16, "REJECTED"),
        (1000, -10, 20, "FILLED"),  # short 10 to long 10: 2000 − 2000
        (1000, -10, 21, "REJECTED"),
    ],
)
def test_a_flip_needs_what_the_other_side_needs(
    cash: int, held: int, order: int, status: str
) -> None:
    def send(s: object, quantity: int) -> object:
        side = s.buy if quantity > 0 else s.sell  # type: ignore[attr-defined]
        return side(SYMBOL, abs(quantity))

    run = play(
        flat(100, 100, 100),
        {0: lambda s: send(s, held), 1: lambda s: send(s, order)},
        cash=cash,
    )
    assert run.statuses == ["FILLED", status]


def test_each_instrument_is_paid_in_its_own_currency() -> None:
    euro = Instrument("EEE", currency="EUR")
    run = play(
        {"EEE": flat(100, 100, 110), "AAA": flat(10, 10, 10)},
        {
            -1: lambda s: s.account.deposit(0, "EUR"),
            0: lambda s: [s.buy("EEE", 1), s.buy("AAA", 1)],
        },
        cash=1000,
        instrument=euro,
        check=False,
    )
    # No euros were there to pay with.
    assert run.statuses == ["REJECTED", "FILLED"]
    assert run.kernel.account.balances == {"EUR": 0, "USD": 990}


def test_the_equity_curve_has_one_point_an_instant() -> None:
    run = play(
        {"AAA": frame(flat(100, 100, 110)), "BBB": frame(flat(1, 1, 1))},
        {0: lambda s: s.buy("AAA", 1)},
        cash=1000,
    )
    columns = run.outcome.kernel_columns
    assert list(columns["equity"]) == [1000, 1000, 1010]
    assert list(columns["cash"]) == [900, 900, 900]  # after all of it: the open, too
    assert list(columns["gross_exposure"]) == [100, 100, 110]


# -- what an account shows -------------------------------------------------------------------------


def test_what_waits_is_asked_for_each_time_that_power_is_read() -> None:
    account, waits = Account(1000), [D(300), D(1000), D("1000.5")]
    account.waiting = lambda: waits.pop(0)
    assert account.buying_power == 700
    assert account.buying_power_exact == 0
    assert account.margin_state()["buying_power"] == 0
    account.waiting = None
    # What was stated last stays.
    assert (account.margin_state()["reserved"], account.buying_power) == (D("1000.5"), 0)
    account.set_reserved("999.999999999999999999")
    assert account.buying_power_exact == D("1E-18")
    assert account.margin_state()["non_marginable_buying_power"] == D("1E-18")
    account.set_reserved(1000)
    assert account.buying_power_exact == 0


def test_money_that_comes_in_another_currency_is_no_profit() -> None:
    account = Account(1000, "USD", "margin")
    account.set_rate("EUR", 2)
    account.deposit(10, "EUR")
    account.deposit(-30)
    assert (account.equity, account.day_pnl, account.day_pnl_exact) == (990, 0, 0)
    # Of what has no rate yet nothing counts; that it is worth something then is profit.
    account.deposit(5, "CHF")
    account.set_rate("CHF", 3)
    assert (account.equity, account.day_pnl) == (1005, 15)


def test_an_account_tells_what_it_has() -> None:
    account = Account("1234.567", "EUR")
    assert repr(account) == "Account(cash=1234.57 EUR, equity=1234.57)"
    assert (account.rates, account.margin, account.can_short) == ({"EUR": 1}, False, False)
    account.deposit(1, "USD")
    assert account.rates == {"EUR": 1, "USD": 0}
    assert (account.balance_exact(), account.balance_exact("USD")) == (D("1234.567"), 1)
    assert Account(2000, "USD", "margin").can_short
    assert not Account(1999, "USD", "margin").can_short


# Rules, cash; then 100 bought at 100, 40 sold short at 50, and prices of 90 and 60.
SHOWN: list[tuple[str, int, dict[str, Any]]] = [
    # Equity 20,000 - 1,000 - 400; half of 11,400; a quarter of 9,000 and 30 % of 2,400.
    ("margin", 20_000, {
        "multiplier": 2, "equity": 18_600, "initial_margin": 5_700, "maintenance_margin": 2_970,
        "buying_power": 25_800, "regt_buying_power": 25_800, "daytrading_buying_power": 0,
        "non_marginable_buying_power": 12_000, "sma": 12_900, "margin_call": 0, "can_short": True,
    }),
    ("margin:4", 20_000, {
        "multiplier": 4, "buying_power": 63_000, "regt_buying_power": 25_800,
        # Four times what last night's equity leaves of a quarter of 11,400.
        "daytrading_buying_power": 68_600, "non_marginable_buying_power": 12_000, "sma": 12_900,
    }),
    # Too little for a loan: cash of 5,000 less 8,000, and twice the short.
    ("margin:4", 3_000, {
        "multiplier": 1, "equity": 1_600, "buying_power": 0, "regt_buying_power": 0,
        "daytrading_buying_power": 0, "sma": 0, "can_short": False, "margin_call": 0,
    }),
    ("margin:1", 20_000, {
        "multiplier": 1, "buying_power": 7_200, "regt_buying_power": 7_200,
        "daytrading_buying_power": 0, "initial_margin": 11_400, "can_short": False,
    }),
    ("cash", 20_000, {
        "multiplier": 1, "buying_power": 7_200, "regt_buying_power": 18_600,
        "daytrading_buying_power": 0, "initial_margin": 0, "can_short": False, "sma": 18_600,
    }),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "cash", "figures"), SHOWN)
def test_an_account_shows_its_margin(rules: str, cash: int, figures: dict[str, Any]) -> None:
    desk = Desk(cash, rules)
    desk.trade("SPY", 100, 100)
    desk.trade("TQQQ", -40, 50)
    desk.mark("SPY", 90)
    desk.mark("TQQQ", 60)
    state = desk.account.margin_state()
    assert {name: state[name] for name in figures} == figures
    assert (state["long_market_value"], state["short_market_value"]) == (9_000, -2_400)
    assert (state["cash"], state["last_equity"]) == (cash - 8_000, cash)
    assert desk.account.market_value == 6_600
    assert desk.account.margin is (rules != "cash")
    assert desk.account.can_short is state["can_short"]


@pytest.mark.parametrize(
    ("side", "held", "value", "opens"),
    [
        # At 10 dollars: the value, less that of what is held on the other side.
        (1, 0, 100, 100), (-1, 0, 100, 100), (1, 5, 100, 100), (-1, -5, 100, 100),
        (-1, 5, 100, 50), (1, -5, 100, 50), (-1, 10, 100, 0), (-1, 11, 100, 0),
        (-1, D("9.999999999"), 100, D("1E-8")), (1, D("-9.999999999"), 100, D("1E-8")),
        (-1, D("0.000000001"), 100, 100 - D("1E-8")),
    ],
)  # fmt: skip
def test_an_order_by_value_reserves_what_it_opens(
    side: int, held: Any, value: int, opens: Any
) -> None:
    desk = Desk(100_000, "margin")
    share = desk.names["SPY"]
    if held:
        desk.trade("SPY", held, 10)
    assert desk.account.reserves_value(share, side * value, last_price=10) == opens
    if held:
        assert desk.account.reserves_value(share, side * value) == opens


def test_an_order_by_value_reserves_by_price_side_and_currency() -> None:
    desk = Desk(100_000, "alpaca")
    # Below 2.50 nothing is lent on a long.
    for price, long in (("2.50", 10), ("2.49", 40)):
        assert desk.account.reserves_value(desk.names["SPY"], 10, last_price=price) == long
        assert desk.account.reserves_value(desk.names["SPY"], -10, last_price=price) == 10
    desk.account.set_rate("EUR", "1.25")
    assert desk.account.reserves_value(desk.names["SAP"], 10, last_price=5) == D("12.5")
    desk.account.set_rate("EUR", "0.5")
    assert desk.account.reserves_value(desk.names["SAP"], D("1E-18"), last_price=5) == D("1E-18")
    assert desk.account.reserves_value(desk.names["SAP"], 0) == 0

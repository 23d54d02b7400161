"""Accounts: balances by currency, collateral of shorts, equity, and what can be afforded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError, PrecisionError, UnknownName
from tests.backtest.harness import SYMBOL, frame, play

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

"""The ledger: lines of an entry, what balances by currency, and what other books are held to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.core.ledger import Ledger
from pyrt.core.orders import Fill
from pyrt.core.positions import Position
from pyrt.errors import LedgerError

D = Decimal
MONEY = 10**18
PAIR = [("cash", 0, 5), ("capital", 0, -5)]


def rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    names = ("ts_event", "entry", "instrument", "strategy", "account", "currency", "amount_low",
             "amount_high")  # fmt: skip
    table = ledger.table()
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def test_each_line_tells_when_for_whom_and_how_much() -> None:
    ledger = Ledger()
    ledger.post(7, PAIR, instrument=2, strategy=1)
    ledger.post(9, [("fees", 3, 2**70), ("borrow", 3, -(2**70))])
    assert rows(ledger) == [
        (7, 1, 2, 1, 0, 0, 5, 0),
        (7, 1, 2, 1, 2, 0, 2**64 - 5, -1),
        (9, 2, -1, -1, 4, 3, 0, 64),
        (9, 2, -1, -1, 7, 3, 0, -64),
    ]
    assert len(ledger) == ledger.entries == 2


def test_balances_are_of_all_accounts_and_currencies() -> None:
    ledger = Ledger()
    names = ("cash", "holdings", "capital", "trading", "fees", "dividends", "interest", "borrow",
             "adjustments")  # fmt: skip
    for number, name in enumerate(names[1:], 1):
        for currency in (0, 15):
            ledger.post(0, [(name, currency, number * MONEY), ("cash", currency, -number * MONEY)])
    currencies = ["USD", *(f"C{n}" for n in range(14)), "EUR"]
    expected = {(name, c): D(n) for n, name in enumerate(names) for c in ("USD", "EUR") if n}
    assert ledger.balances(currencies) == {
        **expected, ("cash", "USD"): D(-36), ("cash", "EUR"): D(-36)
    }  # fmt: skip
    ledger.post(0, [("cash", 0, 36 * MONEY), ("adjustments", 0, -36 * MONEY)])
    assert ("cash", "USD") not in ledger.balances(currencies)
    assert ledger.balances(["USD"])["adjustments", "USD"] == 8 - 36


def test_an_entry_has_six_lines_and_no_more() -> None:
    ledger = Ledger()
    ledger.post(0, PAIR * 3)
    with pytest.raises(LedgerError, match="more than 6 lines"):
        ledger.post(0, [*PAIR * 3, ("cash", 0, 1)])
    # A line without an amount takes no place.
    ledger.post(0, [*PAIR * 3, ("cash", 0, 0)])
    assert (len(ledger), len(ledger.rows)) == (2, 12)


BAD = [
    ([("cash", 0, 5), ("capital", 0, -4)], "entry 2 is off by 1E-18 in currency 0"),
    ([("cash", 15, -5), ("capital", 15, 4)], "entry 2 is off by -1E-18 in currency 15"),
    ([("cash", 1, 5), ("capital", 2, -5)], "in currency 1"),
    ([("cash", 0, 5), ("Cash", 0, -5)], "no account 'Cash' in currency 0"),
    ([("cash", 0, 5), ("cash", 16, -5)], "no account 'cash' in currency 16"),
    ([("cash", 0, 5), ("cash", -1, -5)], "no account 'cash' in currency -1"),
]


@pytest.mark.parametrize(("lines", "says"), BAD)
def test_an_entry_that_cannot_be_posted_leaves_nothing_behind(lines: Any, says: str) -> None:
    ledger = Ledger()
    ledger.post(0, PAIR)
    with pytest.raises(LedgerError, match=says):
        ledger.post(0, lines)
    with pytest.raises(OverflowError):
        ledger.post(0, [("cash", 0, 5), ("capital", 0, 2**200)])
    ledger.post(0, PAIR)
    assert (len(ledger), len(ledger.rows)) == (2, 4)
    assert ledger.balances(["USD"]) == {
        ("cash", "USD"): D("1E-17"),
        ("capital", "USD"): D("-1E-17"),
    }


def books() -> tuple[Ledger, Account, list[Position]]:
    """Two positions, one in euros; an account and a ledger that agree with them."""
    ledger, account = Ledger(), Account(1000)
    account.deposit(500, "EUR")
    positions = []
    for symbol, currency in (("AAA", "USD"), ("EEE", "EUR")):
        share = Instrument(symbol, currency=currency)
        position = Position(share)
        position.apply(Fill(share, "buy", 3, 10, fee=1))
        position.apply(Fill(share, "sell", 1, 14, fee=1))
        positions.append(position)
    for number, capital in enumerate((1018, 518)):
        ledger.post(0, [("cash", number, capital * MONEY), ("capital", number, -capital * MONEY)])
        ledger.post(0, [
            ("cash", number, -18 * MONEY), ("holdings", number, 20 * MONEY),
            ("trading", number, -4 * MONEY), ("fees", number, 2 * MONEY),
        ])  # fmt: skip
    return ledger, account, positions


def test_books_that_agree_differ_in_nothing() -> None:
    ledger, account, positions = books()
    assert ledger.differences(account, positions) == {}


# What is booked besides, in euros: what then differs, as the ledger and the other have it.
DIFFERENCES = [
    ([("cash", 1, 2), ("capital", 1, -2)], {"cash": (502, 500)}),
    ([("holdings", 1, 2), ("capital", 1, -2)], {"holdings": (22, 20)}),
    ([("trading", 1, -2), ("capital", 1, 2)], {"realized": (4, 2)}),
    ([("fees", 1, 2), ("capital", 1, -2)], {"realized": (0, 2)}),
    ([("dividends", 1, -2), ("capital", 1, 2)], {"realized": (4, 2)}),
    # Interest, borrow fees and adjustments are nobody's profit.
    ([("interest", 1, -2), ("capital", 1, 2)], {}),
    ([("borrow", 1, 2), ("capital", 1, -2)], {}),
    ([("adjustments", 1, 2), ("capital", 1, -2)], {}),
]


@pytest.mark.parametrize(("lines", "differ"), DIFFERENCES)
def test_what_differs_is_told_by_kind_and_currency(lines: Any, differ: Any) -> None:
    ledger, account, positions = books()
    ledger.post(0, [(name, c, amount * MONEY) for name, c, amount in lines])
    assert ledger.differences(account, positions) == {
        (what, "EUR"): (D(mine), D(theirs)) for what, (mine, theirs) in differ.items()
    }


def test_positions_in_one_currency_are_taken_together() -> None:
    ledger, account, positions = books()
    assert ledger.differences(account, [*positions, positions[0]]) == {
        ("holdings", "USD"): (D(20), D(40)), ("realized", "USD"): (D(2), D(4)),
    }  # fmt: skip
    assert ledger.differences(account, []) == {
        (what, c): (D(amount), D(0))
        for c in ("USD", "EUR")
        for what, amount in (("holdings", 20), ("realized", 2))
    }

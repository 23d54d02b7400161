"""Rules of accounts: which values make sense, what names stand for, and what a broker grants."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pyrt.core.account_rules import AMOUNTS, KINDS, SHARES, AccountRules, Margin, account_rules
from pyrt.errors import ConfigError

D = Decimal
NANO = D("0.000000001")


def test_every_rule_that_is_a_number_is_a_share_or_an_amount() -> None:
    assert SHARES == (
        "initial", "maintenance_long", "maintenance_short", "collar_below", "collar_above",
    )  # fmt: skip
    assert AMOUNTS == (
        "long_price_min", "short_price_min", "short_floor_below", "short_floor",
        "margin_equity_min", "collar_threshold", "short_markup", "debit_rate", "credit_rate",
        "borrow_rate",
    )  # fmt: skip
    assert KINDS == ("cash", "margin", "alpaca")


# A number, and what is said of it where it is no share and no amount; None where it is one.
NUMBERS: list[tuple[Any, str | None, str | None]] = [
    (0, None, None),
    (-NANO, "expected 0 to 1,000,000", "expected 0 to 1,000,000"),
    (NANO, None, None),
    (1.5, None, None),
    ("10", None, None),
    (10 + NANO, "expected a share of the value, 0 to 10", None),
    (1_000_000 - NANO, "expected a share of the value, 0 to 10", None),
    (1_000_000, "expected 0 to 1,000,000", "expected 0 to 1,000,000"),
    (D("1E-10"), "at most 9 decimal places", "at most 9 decimal places"),
    (float("inf"), "expected 0 to 1,000,000", "expected 0 to 1,000,000"),
    (False, "expected a number", "expected a number"),
    (None, "expected a number", "expected a number"),
    ("1/2", "expected a number", "expected a number"),
    (Fraction(1), "expected a number", "expected a number"),
]


@pytest.mark.parametrize("name", [*SHARES, *AMOUNTS])
@pytest.mark.parametrize(("value", "of_share", "of_amount"), NUMBERS)
def test_a_number_is_taken_where_it_makes_sense_and_refused_by_name(
    name: str, value: Any, of_share: str | None, of_amount: str | None
) -> None:
    said = of_share if name in SHARES else of_amount
    if said is None:
        assert getattr(AccountRules(**{name: value}), name) == D(str(value))
        return
    with pytest.raises(ConfigError) as refused:
        AccountRules(**{name: value})
    text = str(refused.value)
    assert text.startswith(f"{name} is ")
    assert str(value) in text
    assert said in text
    assert refused.value.values.get("name", name) == name


@pytest.mark.parametrize("name", ["initial", "maintenance", "borrow_rate"])
@pytest.mark.parametrize(("value", "of_share", "of_amount"), NUMBERS)
def test_a_number_of_one_instrument_is_judged_alike(
    name: str, value: Any, of_share: str | None, of_amount: str | None
) -> None:
    said = of_amount if name == "borrow_rate" else of_share
    if said is None or value is None:
        assert getattr(Margin(**{name: value}), name) == (value and D(str(value)))
        return
    with pytest.raises(ConfigError, match=f"{name} is .*{said}"):
        Margin(**{name: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "x"}, "kind is 'x'; expected one of cash, margin, alpaca"),
        ({"on_call": "sell"}, "on_call is 'sell'; expected one of none, block, liquidate"),
        ({"multiplier": 3}, "multiplier is 3; expected one of 1, 2, 4"),
        # True is 1, and no multiplier.
        ({"multiplier": True}, "multiplier is True; expected one of 1, 2, 4"),
        ({"settlement_days": -1}, "settlement_days is -1; expected 0 to 3"),
        ({"settlement_days": 4}, "settlement_days is 4; expected 0 to 3"),
        ({"settlement_days": 1.0}, "settlement_days is 1.0; expected 0 to 3"),
        ({"settlement_days": False}, "settlement_days is False; expected 0 to 3"),
        ({"shorting": 0}, "shorting is 0; expected true or false"),
        ({"instruments": {"SPY": 3}}, r"instruments\['SPY'\] is 3; expected a Margin"),
        ({"instruments": {"SPY": {"x": 3}}}, r"instruments\['SPY'\] is {'x': 3}; expected a Marg"),
        ({"instruments": {"SPY": {"initial": 11}}}, "initial is 11; expected a share"),
    ],
)
def test_a_rule_that_is_no_number_is_judged_by_what_it_can_be(
    change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        AccountRules(**change)
    with pytest.raises(ConfigError, match=said):
        account_rules("margin").replace(**change)


@pytest.mark.parametrize("days", [0, 1, 2, 3])
def test_sales_settle_within_three_sessions(days: int) -> None:
    assert AccountRules(settlement_days=days).settlement_days == days


# What differs of each name from a cash account's rules.
MARGIN = {"kind": "margin", "multiplier": 2, "settlement_days": 1}
ALPACA = {
    "kind": "alpaca", "multiplier": 4, "settlement_days": 1, "maintenance_long": "0.3",
    "long_price_min": "2.5", "collar_threshold": "50", "collar_below": "0.04",
    "collar_above": "0.025", "short_markup": "1.03",
}  # fmt: skip
NAMES: list[tuple[Any, dict[str, Any]]] = [
    (None, {}), ("cash", {}), ("margin", MARGIN), ("alpaca", ALPACA),
    ("margin:1", {**MARGIN, "multiplier": 1}), ("margin:2", MARGIN),
    ("margin:4", {**MARGIN, "multiplier": 4}), ("alpaca:1", {**ALPACA, "multiplier": 1}),
    ("margin:", MARGIN), ({}, {}), ({"kind": "margin"}, MARGIN),
    ({"kind": "margin", "multiplier": 4}, {**MARGIN, "multiplier": 4}),
    ({"debit_rate": "0.1"}, {"debit_rate": "0.1"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "differs"), NAMES)
def test_a_name_stands_for_the_rules_of_a_broker(given: Any, differs: dict[str, Any]) -> None:
    cash = {
        "kind": "cash", "multiplier": 1, "initial": "0.5", "maintenance_long": "0.25",
        "maintenance_short": "0.3", "long_price_min": "0", "short_price_min": "5",
        "short_floor_below": "2.5", "short_floor": "5", "margin_equity_min": "2000",
        "settlement_days": 0, "debit_rate": "0", "credit_rate": "0", "borrow_rate": "0",
        "on_call": "block", "shorting": True, "collar_threshold": "0", "collar_below": "0",
        "collar_above": "0", "short_markup": "1", "instruments": {},
    }  # fmt: skip
    rules = account_rules(given)
    assert rules.to_dict() == {**cash, **differs}
    assert AccountRules.from_dict(rules.to_dict()) == rules
    assert rules.kind_number == ("cash", "margin", "alpaca").index(rules.kind)


@pytest.mark.parametrize(
    "given", ["", "credit", "Cash", "margin:3", "margin:24", "alpaca:x", "cash:1:2", 4, ("cash",),
              {"kind": "x"}]
)  # fmt: skip
def test_a_name_that_stands_for_nothing_is_refused_with_those_that_do(given: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        account_rules(given)
    name = given["kind"] if isinstance(given, dict) else given
    assert str(refused.value) == (
        f"account is {name!r}; expected 'cash', 'margin' or 'alpaca'. "
        "Another multiplier goes after a colon: 'margin:4'"
    )


def test_a_rule_that_there_is_none_of_is_refused_with_those_there_are() -> None:
    for read in (AccountRules.from_dict, account_rules):
        with pytest.raises(ConfigError, match="account rules have no 'leverage'") as refused:
            read({"kind": "margin", "leverage": 2})
        assert refused.value.remedy.startswith("They have: kind, multiplier, initial, ")
        assert refused.value.remedy.endswith("short_markup, instruments")


# Changes of a cash account's rules after which something happens to it at the end of a day.
DAYS = [
    ({}, True), ({"settlement_days": 1}, False), ({"debit_rate": "0.1"}, False),
    ({"credit_rate": NANO}, False), ({"borrow_rate": NANO}, False), ({"kind": "margin"}, False),
    ({"instruments": {"A": {"borrow_rate": NANO}}}, False),
    ({"instruments": {"A": {"initial": 1}, "B": {"borrow_rate": 0}}}, True),
    ({"instruments": {"A": {"borrow_rate": 0}, "B": {"borrow_rate": 1}}}, False),
]  # fmt: skip


@pytest.mark.parametrize(("change", "plain"), DAYS)
def test_an_account_is_plain_where_no_day_changes_it(change: Any, plain: bool) -> None:
    rules = AccountRules(**change)
    assert rules.is_plain is plain
    assert rules.has_borrow is ("borrow_rate" in str(change) and not plain)


# Rules, what is granted: the multiplier that is left.
GRANTED = [
    ("alpaca", 4, 4), ("alpaca", 3, 2), ("alpaca", 2, 2), ("alpaca", 1, 1), ("alpaca", 0, 1),
    ("alpaca", -5, 1), ("alpaca", 8, 4), ("alpaca:2", 4, 2), ("cash", 4, 1), ("margin", 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "granted", "left"), GRANTED)
def test_no_more_is_left_than_a_broker_grants(rules: str, granted: int, left: int) -> None:
    for own in (True, False):
        for shorting in (True, False):
            made = account_rules(rules).replace(shorting=own).within(granted, shorting=shorting)
            assert (made.multiplier, made.shorting) == (left, own and shorting)
            assert made.kind == account_rules(rules).kind


def test_rules_of_instruments_are_kept_in_order_and_cannot_be_changed() -> None:
    rules = AccountRules(instruments={"B": Margin(initial=1), "A": {"borrow_rate": "0.15"}})
    assert list(rules.instruments) == ["A", "B"]
    assert rules.to_dict()["instruments"] == {
        "A": {"initial": None, "maintenance": None, "borrow_rate": "0.15"},
        "B": {"initial": "1", "maintenance": None, "borrow_rate": None},
    }
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert AccountRules.from_dict(rules.to_dict()) == rules
    with pytest.raises(TypeError):
        rules.instruments["C"] = Margin()  # type: ignore[index]
    assert account_rules(rules) is rules
    assert rules.replace(on_call="none").instruments == rules.instruments

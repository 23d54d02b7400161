"""`AlpacaRules` as a whole: every refusal has a row, texts can be replaced, no state is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.errors import ConfigError
from pyrt.venues.alpaca import REFUSALS, AlpacaOptions, AlpacaRules, market_facts
from pyrt.venues.alpaca.refusals import money_text, number_text
from pyrt.venues.extended_hours import Phase, extended_hours

from . import (
    test_changes,
    test_classes,
    test_eligibility,
    test_funds,
    test_hours,
    test_prices,
    test_shape,
    test_shares,
    test_wash,
)
from .build import D, account, asset, judge, market, ny, order, position, resting

TABLES = (
    test_shape,
    test_eligibility,
    test_classes,
    test_prices,
    test_hours,
    test_funds,
    test_shares,
    test_wash,
)


def test_every_refusal_has_a_row_in_a_scenario_table():
    rules = {row.rule for module in TABLES for row in module.ROWS}
    rules |= {row.rule for row in test_changes.CHANGES}
    rules |= {rule for _, _, rule in test_changes.CANCELS}
    rules |= {"order_not_found", "position_not_found", "percentage_range"}
    assert rules - {None} == set(REFUSALS)


def test_every_row_name_is_unique_in_its_table():
    for module in TABLES:
        names = [row.why for row in module.ROWS]
        assert len(names) == len(set(names)), module.__name__


def test_codes_belong_to_their_status():
    for rule, text in REFUSALS.items():
        prefixes = {403: ("403",), 404: ("404",), 422: ("400", "422")}[text.http_status]
        assert str(text.code).startswith(prefixes), rule


@pytest.mark.parametrize(
    ("changes", "around", "rule"),
    [
        # The request alone is judged before the asset, the asset before the account.
        ({"quantity": None}, {"has_asset": False}, "quantity_required"),
        ({}, {"has_asset": False, "account_facts": account(buying_power=0)}, "asset_not_found"),
        (
            {"type": "limit", "limit_price": "100.001", "quantity": 10},
            {"account_facts": account(buying_power=0)},
            "sub_penny",
        ),
        (
            {"side": "sell", "quantity": 11},
            {"positions": position(10), "orders": (resting(side="buy", limit_price=99),)},
            "wash_trade",
        ),
    ],
)
def test_the_first_of_several_faults_is_reported(changes, around, rule):
    refusal = judge(order(**changes), **around)
    assert refusal is not None
    assert refusal.rule == rule


def test_texts_can_be_replaced_by_option():
    options = {"messages": {"asset_not_found": "asset not found for {symbol}"}}
    refusal = judge(order(symbol="XYZ"), has_asset=False, options=options)
    assert refusal is not None
    assert refusal.message == "asset not found for XYZ"


def test_an_unknown_text_is_refused():
    with pytest.raises(ConfigError, match="asset_lost"):
        AlpacaOptions(messages={"asset_lost": "?"})


def test_replaced_texts_may_use_the_fields_of_the_original():
    options = {"messages": {"insufficient_quantity": "{available} < {requested}"}}
    refusal = judge(order(side="sell", quantity=11), positions=position(10), options=options)
    assert refusal is not None
    assert refusal.message == "10 < 11"


def test_bodies_are_sorted_like_recorded_ones():
    refusal = judge(order(), account_facts=account(buying_power=0))
    assert refusal is not None
    assert list(refusal.body()) == ["buying_power", "code", "cost_basis", "message"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0.5000", "0.5"),
        ("0", "0"),
        ("12.03", "12.03"),
        ("0.000000001", "0.000000001"),
    ],
)
def test_numbers_are_written_canonically(value, text):
    assert number_text(D(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("3388.32", "3388.32"), ("1025.1025", "1025.1"), ("0.005", "0.01"), ("950", "950")],
)
def test_dollars_are_written_to_the_cent(value, text):
    assert money_text(D(value)) == text


def test_market_facts_come_from_the_calendar():
    hours = extended_hours(ny("2026-01-02"), ny("2026-12-31"))
    facts = market_facts(hours, ny("2026-11-27 14:00"), bid=D(1), ask=D(3))
    assert facts.phase is Phase.AFTER_HOURS
    assert not facts.is_open
    assert facts.session_close_ns == ny("2026-11-30 16:00")
    assert facts.after_hours_close_ns == ny("2026-11-27 17:00")
    assert facts.next_open_ns == ny("2026-11-30 09:30")
    assert (facts.midpoint, facts.current_price) == (D(2), D(2))
    assert market(bid=None).midpoint == D("100.01")


requests = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop", "x"]),
        "time_in_force": st.sampled_from(["day", "gtc", "opg", "cls", "ioc", "fok", "x"]),
        "order_class": st.sampled_from(["", "simple", "bracket", "oco", "oto", "mleg"]),
        "asset_class": st.sampled_from(["us_equity", "crypto", "us_option"]),
        "extended_hours": st.booleans(),
    },
    optional={
        name: st.one_of(st.none(), st.decimals("-1", "300", places=3))
        for name in (
            "quantity",
            "notional",
            "limit_price",
            "stop_price",
            "trail_price",
            "trail_percent",
            "take_profit_limit",
            "stop_loss_stop",
            "stop_loss_limit",
        )
    },
)


@given(requests, st.integers(-3, 3), st.booleans())
def test_any_request_gets_an_answer_and_always_the_same_one(fields, held, has_prices):
    request = order(**fields)
    around = {
        "positions": position(held) if held else None,
        "orders": (resting(), resting(id="2", side="buy", limit_price=90)),
        "market_facts": market() if has_prices else market(bid=None, ask=None, last=None),
    }
    first = judge(request, **around)
    assert judge(request, **around) == first
    if first is not None:
        assert first.rule in REFUSALS
        assert "{" not in first.message
        assert first.body()["message"] == first.message


def test_the_rules_keep_no_state():
    rules = AlpacaRules()
    before = dict(vars(rules))
    rules.check(order(), asset(), account(), market())
    assert vars(rules) == before

"""Replacing and canceling orders, closing positions: one row a verdict."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pyrt.venues.alpaca import AlpacaOptions, AlpacaRules, OpenOrder, ReplaceRequest
from pyrt.venues.extended_hours import Phase

from .build import CLOSED, NOON, D, account, asset, market, numbers, position, resting

LIMIT_BUY = {"side": "buy", "limit_price": 95}
STOP_SELL = {"type": "stop", "limit_price": None, "stop_price": 90}
TRAIL = {"type": "trailing_stop", "limit_price": None, "trail_percent": 2}
LONG = {"positions": position(10)}


class Change(NamedTuple):
    """One verdict about replacing an order."""

    why: str
    rule: str | None
    old: dict[str, Any]
    new: dict[str, Any]
    around: dict[str, Any] = {}


def ask(row: Change) -> str | None:
    around = dict(row.around)
    old = resting(**row.old)
    facts = asset(symbol=old.symbol, asset_class=old.asset_class)
    refusal = AlpacaRules(AlpacaOptions(**around.pop("options", {}))).replace_check(
        old,
        ReplaceRequest(**numbers(row.new)),
        facts,
        around.pop("account_facts", account()),
        around.pop("market_facts", market()),
        around.pop("positions", None),
        (old, *around.pop("orders", ())),
        NOON,
        around.pop("used", frozenset()),
    )
    assert not around
    return None if refusal is None else refusal.rule


CHANGES = [
    Change("a new limit", None, LIMIT_BUY, {"limit_price": "96"}),
    Change("a new total", None, LIMIT_BUY, {"quantity": 11}),
    Change("a new time in force", None, LIMIT_BUY, {"time_in_force": "gtc"}),
    Change("a new stop", None, STOP_SELL, {"stop_price": "91"}, LONG),
    Change("a new trail", None, {**TRAIL}, {"trail": "3"}, LONG),
    Change(
        "a new trail in dollars",
        None,
        {**TRAIL, "trail_percent": None, "trail_price": 2},
        {"trail": "3"},
        LONG,
    ),
    Change("nothing", "replace_unchanged", LIMIT_BUY, {}),
    Change("the same limit", "replace_unchanged", LIMIT_BUY, {"limit_price": "95.00"}),
    Change("the same trail", "replace_unchanged", TRAIL, {"trail": "2"}, LONG),
    Change("another id alone", None, LIMIT_BUY, {"client_order_id": "b"}),
    Change(
        "an id used", "client_order_id_used", LIMIT_BUY, {"client_order_id": "b"}, {"used": {"b"}}
    ),
    Change(
        "an id too long",
        "client_order_id_too_long",
        LIMIT_BUY,
        {"limit_price": "96", "client_order_id": "b" * 129},
    ),
    *(
        Change(f"while {status}", rule, {**LIMIT_BUY, "status": status}, {"limit_price": "96"})
        for status, rule in {
            "new": None,
            "partially_filled": None,
            "accepted": "replace_not_sent",
            "pending_new": "replace_not_sent",
            "pending_cancel": "replace_not_sent",
            "pending_replace": "replace_not_sent",
            "held": "replace_state",
            "filled": "replace_state",
            "canceled": "replace_state",
            "expired": "replace_state",
            "replaced": "replace_state",
            "rejected": "replace_state",
            "done_for_day": "replace_state",
        }.items()
    ),
    Change(
        "while the market is closed",
        "replace_not_sent",
        LIMIT_BUY,
        {"limit_price": "96"},
        {"market_facts": market(phase=CLOSED)},
    ),
    Change(
        "before the open",
        "replace_not_sent",
        LIMIT_BUY,
        {"limit_price": "96"},
        {"market_facts": market(phase=Phase.PRE_MARKET)},
    ),
    Change(
        "before the open, for extended hours",
        None,
        {**LIMIT_BUY, "extended_hours": True},
        {"limit_price": "96"},
        {"market_facts": market(phase=Phase.PRE_MARKET)},
    ),
    Change(
        "while closed, by option",
        None,
        LIMIT_BUY,
        {"limit_price": "96"},
        {"market_facts": market(phase=CLOSED), "options": {"replaces_when_closed": True}},
    ),
    Change(
        "a coin while the market is closed",
        None,
        {**LIMIT_BUY, "symbol": "BTC/USD", "asset_class": "crypto", "time_in_force": "gtc"},
        {"limit_price": "96"},
        {"market_facts": market(phase=CLOSED)},
    ),
    Change(
        "an order by dollars",
        "replace_notional",
        {**LIMIT_BUY, "quantity": None, "notional": 100},
        {"limit_price": "96"},
    ),
    Change("half a share more", "replace_whole_quantity", LIMIT_BUY, {"quantity": "10.5"}),
    Change(
        "another quantity of a fraction",
        "replace_fractional_quantity",
        {**LIMIT_BUY, "quantity": "1.5"},
        {"quantity": 2},
    ),
    Change(
        "another price of a fraction",
        None,
        {**LIMIT_BUY, "quantity": "1.5"},
        {"limit_price": "96"},
    ),
    Change(
        "a total above what is filled",
        None,
        {**LIMIT_BUY, "filled_quantity": 4},
        {"quantity": 5},
    ),
    Change(
        "a total that is filled already",
        "replace_filled",
        {**LIMIT_BUY, "filled_quantity": 4},
        {"quantity": 4},
    ),
    Change("a stop on a limit order", "replace_parameter", LIMIT_BUY, {"stop_price": "96"}),
    Change("a limit on a stop order", "replace_parameter", STOP_SELL, {"limit_price": "96"}, LONG),
    Change("a trail on a limit order", "replace_parameter", LIMIT_BUY, {"trail": "1"}),
    Change("a limit of zero", "price_not_positive", LIMIT_BUY, {"limit_price": "0"}),
    Change("a sub-penny limit", "sub_penny", LIMIT_BUY, {"limit_price": "96.001"}),
    Change("a stop above the price", "sell_stop_side", STOP_SELL, {"stop_price": "100"}, LONG),
    Change(
        "a stop for the auction",
        "time_in_force_for_type",
        STOP_SELL,
        {"time_in_force": "opg"},
        LONG,
    ),
    Change(
        "extended hours until canceled at the market",
        None,
        {**LIMIT_BUY, "extended_hours": True},
        {"time_in_force": "gtc"},
    ),
    # 10 shares at 95 are reserved: 950. At 96 it takes 10 dollars more.
    Change(
        "more buying power than there is",
        "buying_power",
        LIMIT_BUY,
        {"limit_price": "96"},
        {"account_facts": account(buying_power="9.99")},
    ),
    Change(
        "just the buying power there is",
        None,
        LIMIT_BUY,
        {"limit_price": "96"},
        {"account_facts": account(buying_power="10")},
    ),
    Change(
        "less than is reserved needs nothing",
        None,
        LIMIT_BUY,
        {"limit_price": "94"},
        {"account_facts": account(buying_power="0")},
    ),
    Change("all of the position", None, {"quantity": 4}, {"quantity": 10}, LONG),
    Change("more than the position", "insufficient_quantity", {}, {"quantity": 11}, LONG),
    Change(
        "more than other orders leave",
        "insufficient_quantity",
        {"quantity": 4},
        {"quantity": 5},
        {**LONG, "orders": (resting(id="2", quantity=6),)},
    ),
    Change(
        "more coins than there are",
        "insufficient_balance",
        {"symbol": "BTC/USD", "asset_class": "crypto", "time_in_force": "gtc", "quantity": 1},
        {"quantity": "1.5"},
        {"positions": position("1.4", "BTCUSD")},
    ),
]


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.why)
def test_replacing(row):
    assert ask(row) == row.rule


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("pending_new", "unable to replace order, order isn't sent to exchange yet"),
        ("replaced", "order in replaced status cannot be changed"),
    ],
)
def test_replacing_messages(status, message):
    old = resting(status=status)
    refusal = AlpacaRules().replace_check(
        old, ReplaceRequest(limit_price=D(111)), asset(), account(), market()
    )
    assert refusal is not None
    assert (refusal.http_status, refusal.message) == (422, message)


def test_replacing_with_the_same_parameters_has_its_code():
    refusal = AlpacaRules().replace_check(
        resting(), ReplaceRequest(limit_price=D(110)), asset(), account(), market()
    )
    assert refusal is not None
    assert refusal.body() == {"code": 42210000, "message": "order parameters are not changed"}


def test_replacing_an_unknown_order():
    refusal = AlpacaRules().replace_check(
        None, ReplaceRequest(), asset(), account(), market(), order_id="904837e3"
    )
    assert refusal is not None
    assert refusal.http_status == 404
    assert refusal.body() == {"code": 40410000, "message": "order not found for 904837e3"}


CANCELS = [
    ("new", {}, None),
    ("accepted", {}, None),
    ("pending_new", {}, None),
    ("partially_filled", {}, None),
    ("held", {}, None),
    ("pending_cancel", {}, None),
    ("done_for_day", {}, None),
    ("pending_replace", {}, "cancel_state"),
    ("filled", {}, "cancel_state"),
    ("canceled", {}, "cancel_state"),
    ("expired", {}, "cancel_state"),
    ("replaced", {}, "cancel_state"),
    ("rejected", {}, "cancel_state"),
    ("new", {"order_class": "bracket", "is_leg": True}, None),
    ("new", {"order_class": "mleg", "is_leg": True}, "cancel_leg"),
    ("new", {"order_class": "mleg"}, None),
]


@pytest.mark.parametrize(("status", "changes", "rule"), CANCELS)
def test_canceling(status, changes, rule):
    refusal = AlpacaRules().cancel_check(resting(status=status, **changes))
    assert (None if refusal is None else refusal.rule) == rule


def test_recorded_body_of_a_cancel_too_late():
    refusal = AlpacaRules().cancel_check(resting(status="filled"))
    assert refusal is not None
    assert refusal.http_status == 422
    assert refusal.body() == {
        "code": 42210000,
        "message": 'order is already in "filled" state',
    }


def test_canceling_twice_may_be_accepted_by_option():
    rules = AlpacaRules(AlpacaOptions(cancels_of_canceled="accept"))
    assert rules.cancel_check(resting(status="canceled")) is None
    assert rules.cancel_check(resting(status="filled")) is not None


def test_canceling_an_unknown_order():
    refusal = AlpacaRules().cancel_check(None, "904837e3")
    assert refusal is not None
    assert (refusal.http_status, refusal.message) == (404, "order not found for 904837e3")


@pytest.mark.parametrize(
    ("held", "percentage", "rule"),
    [
        (None, None, "position_not_found"),
        ("0", None, "position_not_found"),
        ("1", None, None),
        ("-1", None, None),
        ("1", "0", "percentage_range"),
        ("1", "0.000000001", None),
        ("1", "100", None),
        ("1", "100.01", "percentage_range"),
    ],
)
def test_closing_a_position(held, percentage, rule):
    facts = None if held is None else position(held)["SPY"]
    share = None if percentage is None else D(percentage)
    refusal = AlpacaRules().close_check(facts, percentage=share)
    assert (None if refusal is None else refusal.rule) == rule


def test_closing_nothing_is_not_found():
    refusal = AlpacaRules().close_check(None)
    assert refusal is not None
    assert refusal.http_status == 404
    assert refusal.body() == {"code": 40410000, "message": "position does not exist"}


def test_leaves_are_what_is_not_filled():
    assert resting(quantity=10, filled_quantity=4).leaves == 6
    assert OpenOrder(id="1", symbol="SPY", side="buy", type="market", notional=D(5)).leaves == 0

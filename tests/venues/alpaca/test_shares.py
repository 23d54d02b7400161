"""Units free to close, short selling, intents and day trades: one row a verdict."""

from __future__ import annotations

import pytest

from .build import Row, account, asset, judge, market, ny, order, position, resting, verdict

SELL = {"side": "sell"}
LONG = {"positions": position(10)}
SHORT = {"positions": position(-10)}
# A resting sell at 110 holds its shares; selling at a limit above the market avoids wash rules.
HELD = {**LONG, "orders": (resting(quantity=4),)}
HTB = {"asset_facts": asset(is_shortable=False, borrow_status="hard_to_borrow", is_located=True)}
SAME_DAY = {"positions": position(10, was_opened_today=True)}
SMALL = {"account_facts": account(equity="24999.99", day_trade_count=3)}
BEFORE = {"ts": ny("2026-06-03 12:00"), "options": {"checks_day_trading": True}}

PAIR = (
    resting(id="one", quantity=4, pair="one"),
    resting(id="two", quantity=3, type="stop", limit_price=None, stop_price=90, pair="one"),
)

ROWS = [
    Row("all of it", None, {**SELL, "quantity": 10}, LONG),
    Row("one more than all", "insufficient_quantity", {**SELL, "quantity": 11}, LONG),
    Row("what another order left free", None, {**SELL, "quantity": 6}, HELD),
    Row("one more than that", "insufficient_quantity", {**SELL, "quantity": 7}, HELD),
    Row(
        "filled units are held no longer",
        None,
        {**SELL, "quantity": 8},
        {**LONG, "orders": (resting(quantity=4, filled_quantity=2),)},
    ),
    Row(
        "a held leg holds nothing",
        None,
        {**SELL, "quantity": 10},
        {**LONG, "orders": (resting(quantity=10, status="held", is_leg=True),)},
    ),
    Row(
        "two exits of which one cancels the other hold their units once",
        None,
        {**SELL, "quantity": 6},
        {**LONG, "orders": PAIR},
    ),
    Row(
        "and as many as the larger of them",
        "insufficient_quantity",
        {**SELL, "quantity": 7},
        {**LONG, "orders": PAIR},
    ),
    Row(
        "a pending cancel still holds",
        "insufficient_quantity",
        {**SELL, "quantity": 7},
        {**LONG, "orders": (resting(quantity=4, status="pending_cancel"),)},
    ),
    Row(
        "orders on another symbol hold nothing",
        None,
        {**SELL, "quantity": 10},
        {**LONG, "orders": (resting(symbol="QQQ"),)},
    ),
    Row("dollars within the position", None, {**SELL, "notional": "999"}, LONG),
    Row("dollars beyond it", "insufficient_quantity", {**SELL, "notional": "1001"}, LONG),
    Row("all of a short", None, {"quantity": 10}, SHORT),
    Row("a short is not turned round", "insufficient_quantity", {"quantity": 11}, SHORT),
    Row("opening a short", None, SELL),
    Row("adding to a short", None, SELL, SHORT),
    Row(
        "account without permission",
        "short_not_allowed",
        SELL,
        {"account_facts": account(is_shorting_enabled=False)},
    ),
    Row(
        "switched off by the user",
        "short_not_allowed",
        SELL,
        {"account_facts": account(no_shorting=True)},
    ),
    Row("2,000 dollars of equity", None, SELL, {"account_facts": account(equity=2000)}),
    Row(
        "a cent less",
        "short_not_allowed",
        SELL,
        {"account_facts": account(equity="1999.99")},
    ),
    Row(
        "a cent less, selling a position",
        None,
        SELL,
        {**LONG, "account_facts": account(equity="1999.99")},
    ),
    Row("not shortable", "asset_not_shortable", SELL, {"asset_facts": asset(is_shortable=False)}),
    Row(
        "nothing to borrow",
        "asset_not_shortable",
        SELL,
        {"asset_facts": asset(borrow_status="not_available")},
    ),
    Row(
        "hard to borrow, not located",
        "asset_not_shortable",
        SELL,
        {"asset_facts": asset(borrow_status="hard_to_borrow")},
    ),
    Row("hard to borrow, located, for the day", None, SELL, HTB),
    Row(
        "hard to borrow, located, until canceled",
        "hard_to_borrow_time_in_force",
        {**SELL, "time_in_force": "gtc"},
        HTB,
    ),
    Row(
        "a short while a buy that would not meet it is open",
        "short_while_buying",
        {**SELL, "type": "limit", "limit_price": "105"},
        {"orders": (resting(side="buy", limit_price=95),)},
    ),
    Row(
        "a buy while a short that would not meet it is open",
        "long_while_shorting",
        {"type": "limit", "limit_price": "95"},
        {"orders": (resting(limit_price=105),)},
    ),
    Row(
        "more of a short while a cover is open",
        None,
        {**SELL, "type": "limit", "limit_price": "105"},
        {**SHORT, "orders": (resting(side="buy", limit_price=95),)},
    ),
    Row(
        "more of a position while its exit is open",
        None,
        {"type": "limit", "limit_price": "95"},
        {**LONG, "orders": (resting(limit_price=105),)},
    ),
    Row("buy to open", None, {"position_intent": "buy_to_open"}),
    Row("buy to close nothing", "position_intent", {"position_intent": "buy_to_close"}),
    Row("sell to close", None, {**SELL, "position_intent": "sell_to_close"}, LONG),
    Row(
        "sell to open against a position",
        "position_intent",
        {**SELL, "position_intent": "sell_to_open"},
        LONG,
    ),
    Row("sell to close nothing", "position_intent", {**SELL, "position_intent": "sell_to_close"}),
    Row("the fourth day trade", "pattern_day_trading", SELL, {**SAME_DAY, **SMALL, **BEFORE}),
    Row("the rule is off by default", None, SELL, {**SAME_DAY, **SMALL, "ts": BEFORE["ts"]}),
    Row(
        "the rule ended on 4 June 2026",
        None,
        SELL,
        {**SAME_DAY, **SMALL, **BEFORE, "ts": ny("2026-06-04 00:00")},
    ),
    Row(
        "it held to the last second before",
        "pattern_day_trading",
        SELL,
        {**SAME_DAY, **SMALL, **BEFORE, "ts": ny("2026-06-03 23:59:59")},
    ),
    Row("a position from before today", None, SELL, {**LONG, **SMALL, **BEFORE}),
    Row(
        "the third day trade",
        None,
        SELL,
        {
            **SAME_DAY,
            **BEFORE,
            "account_facts": account(equity="24999.99", day_trade_count=2),
        },
    ),
    Row(
        "25,000 dollars of equity",
        None,
        SELL,
        {**SAME_DAY, **BEFORE, "account_facts": account(equity=25_000, day_trade_count=9)},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_units(row):
    assert verdict(row) == row.rule


def test_recorded_body_of_insufficient_quantity():
    refusal = judge(
        order(symbol="F", side="sell", quantity=1),
        positions=position(3, "F"),
        orders=(resting(id="uuid", symbol="F", quantity=3, limit_price="200"),),
    )
    assert refusal is not None
    assert refusal.http_status == 403
    assert list(refusal.body().items()) == [
        ("available", "0"),
        ("code", 40310000),
        ("existing_qty", "3"),
        ("held_for_orders", "3"),
        ("message", "insufficient qty available for order (requested: 1, available: 0)"),
        ("related_orders", ["uuid"]),
        ("symbol", "F"),
    ]


def test_without_other_orders_there_are_no_related_ones():
    refusal = judge(order(side="sell", quantity=11), positions=position(10))
    assert refusal is not None
    assert "related_orders" not in refusal.body()
    assert refusal.extra["available"] == "10"
    assert refusal.extra["held_for_orders"] == "0"


@pytest.mark.parametrize(
    ("changes", "around", "status", "code", "message"),
    [
        (
            {},
            {"account_facts": account(no_shorting=True)},
            403,
            40310000,
            "account is not allowed to short",
        ),
        (
            {"symbol": "TXN"},
            {"asset_facts": asset(symbol="TXN", is_shortable=False)},
            422,
            42210000,
            'asset "TXN" cannot be sold short',
        ),
        (
            {"symbol": "USO", "time_in_force": "gtc"},
            {"asset_facts": asset(symbol="USO", borrow_status="hard_to_borrow", is_located=True)},
            422,
            42210000,
            "only day orders are allowed for hard-to-borrow asset USO",
        ),
        (
            {"position_intent": "sell_to_close"},
            {},
            422,
            42210000,
            "position intent mismatch, inferred: sell_to_open, specified: sell_to_close",
        ),
        (
            {},
            {**SAME_DAY, **SMALL, **BEFORE},
            403,
            40310100,
            "trade denied due to pattern day trading protection",
        ),
    ],
)
def test_recorded_messages(changes, around, status, code, message):
    refusal = judge(order(side="sell", **changes), **around)
    assert refusal is not None
    assert (refusal.http_status, refusal.code, refusal.message) == (status, code, message)


def test_an_order_by_dollars_without_a_price_is_not_judged():
    nothing = market(bid=None, ask=None, last=None)
    request = order(side="sell", notional="1000000")
    assert judge(request, positions=position(1), market_facts=nothing) is None

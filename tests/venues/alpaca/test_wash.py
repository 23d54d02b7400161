"""Wash-trade protection: the whole table of existing against new orders, and its exemptions."""

from __future__ import annotations

import pytest

from .build import CRYPTO, Row, judge, order, position, resting, verdict

BUY: dict[str, dict[str, object]] = {
    "market": {},
    "stop": {"type": "stop", "stop_price": "101"},
    "limit": {"type": "limit", "limit_price": "99"},
    "stop_limit": {"type": "stop_limit", "stop_price": "101", "limit_price": "101"},
}
SELL_ORDERS: dict[str, dict[str, object]] = {
    "market": {"type": "market"},
    "stop": {"type": "stop", "limit_price": None, "stop_price": 90},
    "limit": {"limit_price": 100},
    "stop_limit": {"type": "stop_limit", "stop_price": 90, "limit_price": 100},
}
UNPRICED = {"market", "stop"}
# The position lets the resting sell be an exit, so that only this rule can refuse the buy.
AROUND = {"positions": position(10)}


@pytest.mark.parametrize("existing", SELL_ORDERS)
@pytest.mark.parametrize("new", BUY)
def test_table_of_existing_and_new(existing, new):
    # Resting sells have a limit of 100: the new limit at 99 lies below, the one at 101 above.
    refusal = judge(order(**BUY[new]), orders=(resting(**SELL_ORDERS[existing]),), **AROUND)
    crosses = new in UNPRICED or existing in UNPRICED or new == "stop_limit"
    assert (refusal is not None) is crosses
    if refusal is not None:
        assert refusal.rule == "wash_trade"


def sells(**changes: object) -> dict[str, object]:
    return {**AROUND, "orders": (resting(**changes),)}


def buys(**changes: object) -> dict[str, object]:
    rest = resting(side="buy", limit_price=95, **changes)
    return {**AROUND, "orders": (rest,)}


def limit(price: str, side: str = "buy") -> dict[str, object]:
    return {"side": side, "type": "limit", "limit_price": price}


ROWS = [
    Row("buy a cent below the sell", None, limit("109.99"), sells()),
    Row("buy at the sell", "wash_trade", limit("110"), sells()),
    Row("buy above the sell", "wash_trade", limit("110.01"), sells()),
    Row("sell a cent above the buy", None, limit("95.01", "sell"), buys()),
    Row("sell at the buy", "wash_trade", limit("95", "sell"), buys()),
    Row("sell at the market against a buy", "wash_trade", {"side": "sell"}, buys()),
    Row("another symbol", None, {}, sells(symbol="QQQ")),
    Row("the same side", None, limit("94"), buys()),
    Row("the other order is final", None, {}, sells(status="canceled")),
    Row("the other order is held", None, {}, sells(status="held")),
    Row("the other order is being canceled", "wash_trade", {}, sells(status="pending_cancel")),
    Row("a leg of a bracket is exempt", None, {}, sells(order_class="bracket", is_leg=True)),
    Row("an OCO is exempt", None, {}, sells(order_class="oco")),
    Row(
        "a trailing stop is exempt",
        None,
        {},
        sells(type="trailing_stop", limit_price=None, trail_price=1),
    ),
    Row(
        "a new trailing stop is exempt",
        None,
        {"type": "trailing_stop", "trail_price": "1"},
        sells(),
    ),
    Row(
        "a new bracket is exempt",
        None,
        {"order_class": "bracket", "take_profit_limit": "120", "stop_loss_stop": "90"},
        sells(),
    ),
    Row(
        "one of several orders is enough",
        "wash_trade",
        limit("109"),
        {**AROUND, "orders": (resting(limit_price=120), resting(id="2", limit_price=109))},
    ),
    Row(
        "coins",
        "wash_trade",
        CRYPTO,
        {"orders": (resting(symbol="BTC/USD", asset_class="crypto", quantity="0.1"),)},
    ),
    Row(
        "coins, by option",
        None,
        CRYPTO,
        {
            "orders": (resting(symbol="BTC/USD", asset_class="crypto", quantity="0.1"),),
            "options": {"checks_crypto_wash_trades": False},
        },
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_limits_and_exemptions(row):
    assert verdict(row) == row.rule


@pytest.mark.parametrize(
    ("new", "existing", "reason", "more"),
    [
        ({}, {"type": "market"}, "opposite side market/stop order exists", {}),
        ({}, {}, "opposite side limit order exists", {}),
        (
            limit("110"),
            {},
            "sell order exists, buy limit price should be less than existing sell limit price",
            {"sell_limit_price": "110"},
        ),
        (
            limit("95", "sell"),
            {"side": "buy", "limit_price": 95},
            "buy order exists, sell limit price should be greater than existing buy limit price",
            {"buy_limit_price": "95"},
        ),
    ],
)
def test_body(new, existing, reason, more):
    refusal = judge(order(**new), orders=(resting(**existing),), **AROUND)
    assert refusal is not None
    assert refusal.http_status == 403
    assert refusal.body() == {
        "code": 40310000,
        "existing_order_id": "61e69015",
        "message": "potential wash trade detected. use complex orders",
        "reject_reason": reason,
        **more,
    }

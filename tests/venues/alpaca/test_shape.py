"""Form of the request: one row a verdict."""

from __future__ import annotations

import pytest

from .build import Row, judge, order, resting, verdict

REFUSES = {"options": {"refuses_excess_decimals": True}}
LIMIT = {"type": "limit", "limit_price": "99"}

ROWS = [
    Row("a plain market order", None),
    Row("no symbol", "symbol_required", {"symbol": ""}),
    Row("no such side", "invalid_side", {"side": "short"}),
    Row("no such type", "invalid_order_type", {"type": "stoplimit"}),
    Row("no such time in force", "invalid_time_in_force", {"time_in_force": "gtd"}),
    Row("no such class", "invalid_order_class", {"order_class": "ladder"}),
    Row("the class may be empty", None, {"order_class": ""}),
    Row("neither qty nor notional", "quantity_required", {"quantity": None}),
    Row("both", "quantity_exclusive", {"quantity": 1, "notional": 10}),
    Row("dollars alone", None, {"notional": 10}),
    Row("zero units", "quantity_not_positive", {"quantity": 0}),
    Row("negative units", "quantity_not_positive", {"quantity": -1}),
    Row("zero dollars", "quantity_not_positive", {"notional": 0}),
    Row("nine decimals of qty", None, {"quantity": "1.123456789"}, REFUSES),
    Row("ten decimals of qty", "too_many_decimals", {"quantity": "1.1234567891"}, REFUSES),
    Row("trailing zeros are no decimals", None, {"quantity": "1.12345678900"}, REFUSES),
    Row("nine decimals of dollars", None, {"notional": "10.123456789"}, REFUSES),
    Row("ten decimals of dollars", "too_many_decimals", {"notional": "10.1234567891"}, REFUSES),
    Row("ten decimals are cut by default", None, {"quantity": "1.1234567891"}),
    Row("a trail of a tenth of a percent", None, {"type": "trailing_stop", "trail_percent": "0.1"}),
    Row(
        "a smaller one",
        "trail_percent_min",
        {"type": "trailing_stop", "trail_percent": "0.09"},
    ),
    Row("market with a limit", "market_takes_no_price", {"limit_price": "99"}),
    Row("market with a stop", "market_takes_no_price", {"stop_price": "99"}),
    Row("a limit order", None, LIMIT),
    Row("limit without a price", "limit_needs_price", {"type": "limit"}),
    Row("limit with a stop", "limit_takes_no_stop", {**LIMIT, "stop_price": "101"}),
    Row("limit at zero", "price_not_positive", {"type": "limit", "limit_price": "0"}),
    Row("market with a limit of zero", "price_not_positive", {"limit_price": "0"}),
    Row("a stop order", None, {"type": "stop", "stop_price": "101"}),
    Row("stop without a price", "stop_needs_price", {"type": "stop"}),
    Row(
        "stop with a limit",
        "stop_takes_no_limit",
        {"type": "stop", "stop_price": "101", "limit_price": "102"},
    ),
    Row(
        "a stop-limit order",
        None,
        {"type": "stop_limit", "stop_price": "101", "limit_price": "102"},
    ),
    Row(
        "stop-limit without a stop",
        "stop_limit_needs_prices",
        {"type": "stop_limit", "limit_price": "102"},
    ),
    Row(
        "stop-limit without a limit",
        "stop_limit_needs_prices",
        {"type": "stop_limit", "stop_price": "101"},
    ),
    Row("trailing by dollars", None, {"type": "trailing_stop", "trail_price": "1"}),
    Row("trailing by percent", None, {"type": "trailing_stop", "trail_percent": "1"}),
    Row("trailing by nothing", "trail_needs_one", {"type": "trailing_stop"}),
    Row(
        "trailing by both",
        "trail_needs_one",
        {"type": "trailing_stop", "trail_price": "1", "trail_percent": "1"},
    ),
    Row(
        "trailing with a limit",
        "trail_takes_no_price",
        {"type": "trailing_stop", "trail_price": "1", "limit_price": "99"},
    ),
    Row("trail on a limit order", "trail_only_for_trailing", {**LIMIT, "trail_price": "1"}),
    Row("trail of zero", "price_not_positive", {"type": "trailing_stop", "trail_price": "0"}),
    Row("legs on a simple order are ignored", None, {**LIMIT, "stop_loss_stop": "120"}),
    Row("an id of 128 characters", None, {"client_order_id": "x" * 128}),
    Row("an id of 129 characters", "client_order_id_too_long", {"client_order_id": "x" * 129}),
    Row("any characters in an id", None, {"client_order_id": "manual/hitl-gate/v1:é 1"}),
    Row("an empty id is made up by Alpaca", None, {"client_order_id": ""}, {"used": {""}}),
    Row("an id used before", "client_order_id_used", {"client_order_id": "a"}, {"used": {"a"}}),
    Row("another id used before", None, {"client_order_id": "b"}, {"used": {"a"}}),
    Row(
        "an id used before, forgotten when closed",
        None,
        {"client_order_id": "a"},
        {"used": {"a"}, "options": {"client_order_id_horizon": "open"}},
    ),
    Row(
        "an id of an open order",
        "client_order_id_used",
        {"client_order_id": "a"},
        {
            "orders": (resting(client_order_id="a", symbol="QQQ"),),
            "options": {"client_order_id_horizon": "open"},
        },
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_form_of_the_request(row):
    assert verdict(row) == row.rule


def test_the_message_names_the_field():
    cases = {
        "qty must be > 0": order(quantity=0),
        "notional must be > 0": order(notional=0),
        "limit price must be > 0": order(type="limit", limit_price=0),
        "stop price must be > 0": order(type="stop", stop_price=0),
    }
    for message, request in cases.items():
        refusal = judge(request)
        assert refusal is not None
        assert refusal.message == message

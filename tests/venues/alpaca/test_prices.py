"""Price grid and the side of stops, both sides of each limit."""

from __future__ import annotations

import pytest

from .build import CRYPTO, Row, asset, judge, market, order, position, verdict

COIN = {
    **CRYPTO,
    "type": "limit",
}
TICKED = {"asset_facts": asset(symbol="BTC/USD", asset_class="crypto", price_increment="0.05")}
CHEAP = {"market_facts": market(bid="0.49", ask="0.51", last="0.5")}


def limit(price: str) -> dict[str, object]:
    return {"type": "limit", "limit_price": price}


ROWS = [
    Row("a dollar and up: two decimals", None, limit("1.01")),
    Row("a dollar and up: three", "sub_penny", limit("1.001")),
    Row("exactly a dollar", None, limit("1.00")),
    Row("just over a dollar", "sub_penny", limit("1.0001")),
    Row("below a dollar: four decimals", None, limit("0.9999")),
    Row("below a dollar: five", "sub_penny", limit("0.99999")),
    Row("trailing zeros do not count", None, limit("290.1200")),
    Row("a stop", "sub_penny", {"type": "stop", "stop_price": "101.001"}),
    Row("a trail", "sub_penny", {"type": "trailing_stop", "trail_price": "1.005"}),
    Row(
        "a trail in percent is no price", None, {"type": "trailing_stop", "trail_percent": "1.005"}
    ),
    Row(
        "a target",
        "sub_penny",
        {**limit("100"), "order_class": "oto", "take_profit_limit": "746.96416125"},
    ),
    Row(
        "a stop-loss",
        "sub_penny",
        {**limit("100"), "order_class": "oto", "stop_loss_stop": "90.001"},
    ),
    Row(
        "a stop-loss limit",
        "sub_penny",
        {
            **limit("100"),
            "order_class": "oto",
            "stop_loss_stop": "90",
            "stop_loss_limit": "89.999",
        },
    ),
    Row("a coin on its increment", None, {**COIN, "limit_price": "100.05"}, TICKED),
    Row("a coin off it", "crypto_price_increment", {**COIN, "limit_price": "100.01"}, TICKED),
    Row("a coin without one", None, {**COIN, "limit_price": "100.123456789"}),
    Row("buy stop a cent above the price", None, {"type": "stop", "stop_price": "100.01"}),
    Row("buy stop at the price", "buy_stop_side", {"type": "stop", "stop_price": "100"}),
    Row("buy stop below", "buy_stop_side", {"type": "stop", "stop_price": "99"}),
    Row("sell stop a cent below", None, {"side": "sell", "type": "stop", "stop_price": "99.99"}),
    Row(
        "sell stop at the price",
        "sell_stop_side",
        {"side": "sell", "type": "stop", "stop_price": "100"},
    ),
    Row(
        "sell stop-limit above",
        "sell_stop_side",
        {"side": "sell", "type": "stop_limit", "stop_price": "101", "limit_price": "100"},
    ),
    Row("below a dollar", None, {"type": "stop", "stop_price": "0.5001"}, CHEAP),
    Row(
        "no last trade: the midpoint",
        "buy_stop_side",
        {"type": "stop", "stop_price": "100"},
        {"market_facts": market(last=None)},
    ),
    Row(
        "no price at all: not judged",
        None,
        {"type": "stop", "stop_price": "1"},
        {"market_facts": market(bid=None, ask=None, last=None)},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_prices(row):
    assert verdict(row) == row.rule


def test_recorded_body_of_a_sub_penny_price():
    refusal = judge(order(**limit("290.123")))
    assert refusal is not None
    assert refusal.http_status == 422
    assert refusal.body() == {
        "code": 42210000,
        "message": "invalid limit_price 290.123. sub-penny increment does not fulfill "
        "minimum pricing criteria",
    }


def test_the_field_of_a_leg_is_named():
    request = order(**limit("100"), order_class="oto", take_profit_limit="746.96416125")
    refusal = judge(request)
    assert refusal is not None
    assert refusal.message.startswith("invalid take_profit.limit_price 746.96416125. sub-penny")


def test_recorded_body_of_a_stop_on_the_wrong_side():
    refusal = judge(
        order(side="sell", type="stop", stop_price="72.4"),
        market_facts=market(bid="71.98", ask="72", last="71.99"),
        positions=position(1),
    )
    assert refusal is not None
    assert refusal.http_status == 422
    assert list(refusal.body().items()) == [
        ("code", 42210000),
        ("market_price", "71.99"),
        ("message", "stop price must be less than current price"),
        ("stop_price", "72.4"),
    ]

"""Value of orders, buying power and least amounts: worked numbers, both sides of each limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.venues.alpaca import AlpacaOptions, AlpacaRules
from pyrt.venues.alpaca.funds import account_buying_power
from pyrt.venues.extended_hours import Phase

from .build import CRYPTO, D, Row, account, asset, judge, market, order, position, resting, verdict

RULES = AlpacaRules()
AT_40 = {"bid": "39.99", "ask": "40", "last": "39.98"}


@pytest.mark.parametrize(
    ("changes", "prices", "value"),
    [
        # A limit buy is worth its limit.
        ({"type": "limit", "limit_price": "95", "quantity": 10}, {}, "950"),
        ({"type": "stop_limit", "stop_price": "101", "limit_price": "102"}, {}, "102"),
        # A market buy is worth the ask plus 2.5 % from 50 dollars, 4 % below.
        ({"quantity": 10}, {}, "1025.1025"),
        ({}, AT_40, "41.6"),
        ({}, {"ask": "49.99"}, "51.9896"),
        ({}, {"ask": "50"}, "51.25"),
        # A stop buy becomes a stop-limit at the same collar over its stop.
        ({"type": "stop", "stop_price": "101"}, {}, "103.525"),
        ({"type": "stop", "stop_price": "41"}, AT_40, "42.64"),
        # A trailing buy triggers at the price plus its trail, then runs at the market.
        ({"type": "trailing_stop", "trail_price": "2"}, {"ask": "100"}, "104.55"),
        ({"type": "trailing_stop", "trail_percent": "2"}, {"ask": "100"}, "104.55"),
        # Dollars are worth themselves.
        ({"notional": "123.45"}, {}, "123.45"),
        # A short is worth the greater of its limit and 1.03 times the ask.
        ({"side": "sell", "quantity": 10}, {"ask": "100"}, "1030"),
        ({"side": "sell", "type": "limit", "limit_price": "103.01"}, {"ask": "100"}, "103.01"),
        ({"side": "sell", "type": "limit", "limit_price": "102.99"}, {"ask": "100"}, "103"),
        ({"side": "sell", "type": "stop", "stop_price": "99"}, {"ask": "100"}, "103"),
        # A short keeps to the ask in extended hours; without one, to the next best price.
        ({"side": "sell"}, {"bid": "90", "ask": "100", "phase": Phase.PRE_MARKET}, "103"),
        ({"side": "sell"}, {"bid": "90", "ask": None, "last": "100"}, "92.7"),
        # An OCO that buys is worth its target where that is its only price.
        (
            {"order_class": "oco", "type": "limit", "take_profit_limit": "90"},
            {},
            "90",
        ),
        # Extended hours: the midpoint; closed: the last trade.
        ({}, {"bid": "99", "ask": "101", "phase": Phase.PRE_MARKET}, "102.5"),
        ({}, {"bid": "99", "ask": "101", "last": "80", "phase": Phase.CLOSED}, "82"),
        # What is missing is replaced by the next best price.
        ({}, {"bid": None, "ask": None, "last": "80"}, "82"),
        # Coins carry no collar.
        (CRYPTO, {"ask": "100"}, "50"),
        ({**CRYPTO, "side": "sell"}, {"bid": "98"}, "49"),
    ],
)
def test_value_of_an_opening_order(changes, prices, value):
    assert RULES.order_value(order(**changes), market(**prices)) == D(value)


def test_an_order_cannot_be_valued_without_any_price():
    nothing = market(bid=None, ask=None, last=None)
    assert RULES.order_value(order(), nothing) is None
    assert RULES.order_value(order(side="sell"), nothing) is None


def test_an_open_order_reserves_its_unfilled_rest():
    half = resting(side="buy", limit_price=95, quantity=10, filled_quantity=4)
    assert RULES.reserved_value(half, market()) == D(570)


def power(dollars: str) -> dict[str, object]:
    return {"account_facts": account(buying_power=dollars)}


def coins(dollars: str) -> dict[str, object]:
    return {"account_facts": account(buying_power=0, non_marginable_buying_power=dollars)}


COIN_FACTS = {
    "symbol": "BTC/USD",
    "asset_class": "crypto",
    "min_order_size": "0.001",
    "min_trade_increment": "0.0001",
}
SIZED = {"asset_facts": asset(**COIN_FACTS)}
LIMIT_95 = {"type": "limit", "limit_price": "95", "quantity": 10}
ETH_BTC = {**CRYPTO, "symbol": "ETH/BTC", "type": "limit", "limit_price": "20", "quantity": 1}

ROWS = [
    Row("exactly the buying power", None, LIMIT_95, power("950")),
    Row("a cent short of it", "buying_power", LIMIT_95, power("949.99")),
    Row("market with the collar", None, {"quantity": 10}, power("1025.1025")),
    Row("market without room for the collar", "buying_power", {"quantity": 10}, power("1025.10")),
    Row("dollars without collar", None, {"notional": "1000"}, power("1000")),
    Row("a short with its mark-up", None, {"side": "sell"}, power("103.0103")),
    Row("a short without", "buying_power", {"side": "sell"}, power("103.01")),
    Row(
        "selling a position needs none",
        None,
        {"side": "sell"},
        {**power("0"), "positions": position(1)},
    ),
    Row("covering a short needs none", None, {}, {**power("0"), "positions": position(-1)}),
    Row(
        "no price known: not judged",
        None,
        {},
        {**power("0"), "market_facts": market(bid=None, ask=None, last=None)},
    ),
    Row(
        "six times the equity",
        None,
        {"notional": "6000"},
        {"account_facts": account(equity=1000)},
    ),
    Row(
        "a cent more",
        "order_to_equity",
        {"notional": "6000.01"},
        {"account_facts": account(equity=1000)},
    ),
    Row(
        "a cent more, the cap switched off",
        None,
        {"notional": "6000.01"},
        {"account_facts": account(equity=1000), "options": {"max_order_to_equity": None}},
    ),
    Row("one dollar", None, {"notional": "1"}),
    Row("less than a dollar", "min_notional", {"notional": "0.99"}),
    Row("a fraction worth less", "min_cost_basis", {"quantity": "0.009"}),
    Row(
        "a fraction worth less, to close",
        None,
        {"quantity": "0.009", "side": "sell"},
        {"positions": position("0.009")},
    ),
    Row(
        "a whole share worth less",
        None,
        {"type": "limit", "limit_price": "0.5"},
        {"market_facts": market(bid="0.4", ask="0.5", last="0.5")},
    ),
    Row("coins for ten dollars", None, {**CRYPTO, "quantity": None, "notional": "10"}),
    Row("for less", "min_cost_basis", {**CRYPTO, "quantity": None, "notional": "9.99"}),
    Row(
        "limit times quantity counts",
        "min_cost_basis",
        {**CRYPTO, "type": "limit", "limit_price": "19.99", "quantity": "0.5"},
    ),
    Row(
        "sells too",
        "min_cost_basis",
        {**CRYPTO, "side": "sell", "quantity": "0.05"},
        {"positions": position(1, "BTCUSD")},
    ),
    Row(
        "sells not, by option",
        None,
        {**CRYPTO, "side": "sell", "quantity": "0.05"},
        {"positions": position(1, "BTCUSD"), "options": {"applies_crypto_min_to_sells": False}},
    ),
    Row("smallest size", None, {**CRYPTO, "notional": None, "quantity": "0.5001"}, SIZED),
    Row("off the size grid", "crypto_increment", {**CRYPTO, "quantity": "0.50011"}, SIZED),
    Row("below the smallest size", "crypto_min_size", {**CRYPTO, "quantity": "0.0009"}, SIZED),
    Row("coins within the cash", None, CRYPTO, coins("50.005")),
    Row("coins beyond it", "insufficient_balance", CRYPTO, coins("50")),
    Row(
        "coins sold from a position without the slash",
        None,
        {**CRYPTO, "side": "sell"},
        {"positions": position("0.5", "BTCUSD")},
    ),
    Row(
        "coins sold beyond it",
        "insufficient_balance",
        {**CRYPTO, "side": "sell"},
        {"positions": position("0.4999", "BTCUSD")},
    ),
    Row(
        "coins promised to another order",
        "insufficient_balance",
        {**CRYPTO, "side": "sell"},
        {
            "positions": position("0.6", "BTCUSD"),
            "orders": (resting(symbol="BTC/USD", asset_class="crypto", quantity="0.2"),),
        },
    ),
    Row("coins are never sold short", "insufficient_balance", {**CRYPTO, "side": "sell"}),
    Row("paid in a coin held", None, ETH_BTC, {"positions": position(20, "BTCUSD")}),
    Row(
        "paid in a coin not held enough",
        "insufficient_balance",
        ETH_BTC,
        {"positions": position("19.99", "BTCUSD")},
    ),
    Row("paid in a coin not held", "insufficient_balance", ETH_BTC),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_funds(row):
    assert verdict(row) == row.rule


def test_recorded_body_of_insufficient_buying_power():
    refusal = judge(
        order(type="limit", limit_price="675.809", quantity=40),
        account_facts=account(buying_power="3388.32"),
        asset_facts=asset(),
    )
    assert refusal is not None
    assert refusal.rule == "sub_penny"
    refusal = judge(order(notional="27032.36"), account_facts=account(buying_power="3388.32"))
    assert refusal is not None
    assert refusal.http_status == 403
    assert list(refusal.body().items()) == [
        ("buying_power", "3388.32"),
        ("code", 40310000),
        ("cost_basis", "27032.36"),
        ("message", "insufficient buying power"),
    ]


def test_recorded_messages_about_coins():
    refusal = judge(order(**{**CRYPTO, "symbol": "ETH/USD", "side": "sell", "quantity": "1.5"}))
    assert refusal is not None
    assert (refusal.http_status, refusal.code) == (403, 40310000)
    assert refusal.message == "insufficient balance for ETH (requested: 1.5, available: 0)"
    cheap = judge(order(**{**CRYPTO, "quantity": "0.05"}))
    assert cheap is not None
    assert (cheap.http_status, cheap.code) == (403, 40310000)
    assert cheap.message == "cost basis must be >= minimal amount of order 10"


@pytest.mark.parametrize(
    ("changes", "status", "code", "message"),
    [
        ({"notional": "0.50"}, 422, 42210000, "notional amount must be >= 1.00"),
        (
            {"quantity": "0.001"},
            403,
            40310000,
            "cost basis must be >= minimal amount of order 1",
        ),
    ],
)
def test_recorded_messages_about_less_than_a_dollar(changes, status, code, message):
    refusal = judge(order(**changes))
    assert refusal is not None
    assert (refusal.http_status, refusal.code, refusal.message) == (status, code, message)


@pytest.mark.parametrize(
    ("multiplier", "changes", "expected"),
    [
        (1, {}, "100000"),
        (2, {"initial_margin": "30000"}, "140000"),
        (2, {"initial_margin": "200000"}, "0"),
        (4, {}, "400000"),
        (4, {"last_maintenance_margin": "25000"}, "300000"),
        (4, {"reserved": "1000"}, "399000"),
        (4, {"equity": "2000"}, "400000"),
        (4, {"equity": "1999.99"}, "100000"),
    ],
)
def test_buying_power_of_an_account(multiplier, changes, expected):
    facts = {
        "cash": "100000",
        "equity": "100000",
        "initial_margin": "0",
        "last_equity": "100000",
        "last_maintenance_margin": "0",
        **changes,
    }
    numbers = {name: D(value) for name, value in facts.items()}
    assert account_buying_power(multiplier=multiplier, **numbers) == D(expected)


prices = st.decimals("0.01", "5000", places=2)


@given(prices, prices, st.integers(1, 10_000), st.sampled_from(["buy", "sell"]))
def test_a_limit_order_is_never_valued_below_what_it_can_cost(limit, ask, quantity, side):
    request = order(side=side, type="limit", limit_price=limit, quantity=D(quantity))
    value = RULES.order_value(request, market(ask=ask))
    assert value is not None
    assert value >= limit * quantity
    if side == "sell":
        assert value >= ask * D("1.03") * quantity


@given(prices, st.integers(1, 10_000))
def test_buying_power_is_judged_exactly_at_the_value(ask, quantity):
    facts = market(ask=ask, bid=ask, last=ask)
    request = order(quantity=D(quantity))
    value = RULES.order_value(request, facts)
    assert value is not None
    options = {"max_order_to_equity": None}
    enough = account(buying_power=value)
    short = account(buying_power=value - D("0.000001"))
    assert judge(request, market_facts=facts, account_facts=enough, options=options) is None
    refusal = judge(request, market_facts=facts, account_facts=short, options=options)
    assert refusal is not None
    assert refusal.rule == "buying_power"


def test_collars_are_options():
    rules = AlpacaRules(AlpacaOptions(collar_above=D("0.1"), collar_threshold=D(100)))
    assert rules.order_value(order(), market(ask="100")) == D(110)
    assert rules.order_value(order(), market(ask="99.99")) == D("103.9896")

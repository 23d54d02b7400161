"""Type, time in force, class and kind of quantity: the whole table, and the narrower rules."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.venues.alpaca import OptionLeg

from .build import CRYPTO, Row, account, asset, judge, ny, order, position, resting, verdict

PRICES: dict[str, dict[str, Any]] = {
    "market": {},
    "limit": {"limit_price": "99"},
    "stop": {"stop_price": "101"},
    "stop_limit": {"stop_price": "101", "limit_price": "102"},
    "trailing_stop": {"trail_price": "1"},
}
TIMES = ("day", "gtc", "opg", "cls", "ioc", "fok")

# Rows and columns as in Alpaca's documentation; y: taken, -: refused.
EQUITY = {
    "market": "yyyyyy",
    "limit": "yyyyyy",
    "stop": "yy----",
    "stop_limit": "yy----",
    "trailing_stop": "yy----",
}
FRACTIONAL = {
    "market": "y-----",
    "limit": "y-----",
    "stop": "y-----",
    "stop_limit": "y-----",
    "trailing_stop": "------",
}
CRYPTO_TABLE = {
    "market": "-y--y-",
    "limit": "-y--y-",
    "stop": "------",
    "stop_limit": "-y----",
    "trailing_stop": "------",
}
EXTENDED = {
    "market": "------",
    "limit": "yy----",
    "stop": "------",
    "stop_limit": "------",
    "trailing_stop": "------",
}
OPTION = {"market": "y-----", "limit": "y-----"}

# An instant at which both auctions take orders.
EVENING = ny("2026-11-03 19:30")


def cells(table: dict[str, str]) -> list[tuple[str, str, bool]]:
    return [
        (kind, time, mark == "y")
        for kind, marks in table.items()
        for time, mark in zip(TIMES, marks, strict=True)
    ]


def is_taken(kind: str, time: str, **changes: Any) -> bool:
    request = order(type=kind, **{**PRICES[kind], **changes, "time_in_force": time})
    return judge(request, ts=EVENING) is None


@pytest.mark.parametrize(("kind", "time", "taken"), cells(EQUITY))
def test_whole_shares(kind, time, taken):
    assert is_taken(kind, time) is taken


@pytest.mark.parametrize(("kind", "time", "taken"), cells(FRACTIONAL))
def test_parts_of_a_share(kind, time, taken):
    assert is_taken(kind, time, quantity="1.5") is taken


@pytest.mark.parametrize(("kind", "time", "taken"), cells(FRACTIONAL))
def test_dollars(kind, time, taken):
    assert is_taken(kind, time, notional="100") is taken


@pytest.mark.parametrize(("kind", "time", "taken"), cells(EXTENDED))
def test_extended_hours(kind, time, taken):
    assert is_taken(kind, time, extended_hours=True) is taken


@pytest.mark.parametrize(("kind", "time", "taken"), cells(CRYPTO_TABLE))
def test_crypto(kind, time, taken):
    assert is_taken(kind, time, **CRYPTO) is taken


@pytest.mark.parametrize(("kind", "time", "taken"), cells(OPTION))
def test_options(kind, time, taken):
    changes = {"symbol": "AAPL250620C00100000", "asset_class": "us_option"}
    assert is_taken(kind, time, **changes) is taken


FRACTION = {"quantity": "0.5"}
OPTION_LIMIT = {
    "symbol": "AAPL250620C00100000",
    "asset_class": "us_option",
    "type": "limit",
    "limit_price": "1",
}
MLEG = {"symbol": "", "side": "", "order_class": "mleg", "asset_class": "us_option"}


def legs(*ratios: int, symbols: str = "ABCDE") -> tuple[OptionLeg, ...]:
    return tuple(
        OptionLeg(symbol=symbol, ratio_quantity=ratio, side="buy")
        for symbol, ratio in zip(symbols, ratios)
    )


ROWS = [
    Row("unknown asset", "asset_not_found", {}, {"has_asset": False}),
    Row("inactive", "asset_not_active", {}, {"asset_facts": asset(is_active=False)}),
    Row("halted for good", "asset_not_tradable", {}, {"asset_facts": asset(is_tradable=False)}),
    Row(
        "a coin asked as a share",
        "asset_class_mismatch",
        {},
        {"asset_facts": asset(asset_class="crypto")},
    ),
    Row("blocked account", "account_restricted", {}, {"account_facts": account(is_blocked=True)}),
    Row(
        "a stop for the opening auction",
        "time_in_force_for_type",
        {"type": "stop", "stop_price": "101", "time_in_force": "opg"},
    ),
    Row(
        "immediate orders not offered",
        "ioc_fok_not_permitted",
        {"time_in_force": "ioc"},
        {"options": {"allows_ioc_fok": False}},
    ),
    Row("day orders always", None, {}, {"options": {"allows_ioc_fok": False}}),
    Row(
        "multi-leg on equities",
        "mleg_class",
        {"order_class": "mleg", "legs": legs(1, 1)},
    ),
    Row("two legs", None, {**MLEG, "legs": legs(3, 1)}),
    Row("four legs", None, {**MLEG, "legs": legs(1, 2, 2, 1)}),
    Row("one leg", "mleg_leg_count", {**MLEG, "legs": legs(1)}),
    Row("five legs", "mleg_leg_count", {**MLEG, "legs": legs(1, 1, 1, 1, 1)}),
    Row("the same leg twice", "mleg_unique_legs", {**MLEG, "legs": legs(1, 2, symbols="AA")}),
    Row("ratios with a common divisor", "mleg_ratio", {**MLEG, "legs": legs(2, 4)}),
    Row("a ratio of zero", "mleg_ratio", {**MLEG, "legs": legs(0, 1)}),
    Row(
        "a credit is a negative limit",
        None,
        {**MLEG, "legs": legs(1, 1), "type": "limit", "limit_price": "-0.35"},
    ),
    Row(
        "multi-leg good till canceled",
        "option_time_in_force",
        {**MLEG, "legs": legs(1, 1), "time_in_force": "gtc"},
    ),
    Row(
        "an option on a stop",
        "option_order",
        {
            "symbol": "AAPL250620C00100000",
            "asset_class": "us_option",
            "type": "stop",
            "stop_price": "101",
        },
    ),
    Row(
        "half an option",
        "option_order",
        {"symbol": "AAPL250620C00100000", "asset_class": "us_option", "quantity": "0.5"},
    ),
    Row(
        "an option in extended hours",
        "option_order",
        {**OPTION_LIMIT, "extended_hours": True},
    ),
    Row("in the session", None, OPTION_LIMIT),
    Row("an option by dollars", "option_order", {**OPTION_LIMIT, "quantity": None, "notional": 9}),
    Row("crypto stop", "crypto_type", {**CRYPTO, "type": "stop", "stop_price": "101"}),
    Row("crypto for the day", "crypto_time_in_force", {**CRYPTO, "time_in_force": "day"}),
    Row(
        "crypto stop-limit, immediate",
        "crypto_time_in_force",
        {**CRYPTO, **PRICES["stop_limit"], "type": "stop_limit", "time_in_force": "ioc"},
    ),
    Row(
        "crypto stop-limit, immediate, as the specification has it",
        None,
        {**CRYPTO, **PRICES["stop_limit"], "type": "stop_limit", "time_in_force": "ioc"},
        {"options": {"allows_crypto_stop_limit_ioc": True}},
    ),
    Row(
        "crypto bracket",
        "crypto_class",
        {**CRYPTO, "order_class": "bracket", "take_profit_limit": "110", "stop_loss_stop": "90"},
    ),
    Row(
        "crypto in extended hours",
        "crypto_extended_hours",
        {**CRYPTO, "type": "limit", "limit_price": "99", "extended_hours": True},
    ),
    Row("a part of a share", None, FRACTION),
    Row(
        "an asset without fractions",
        "not_fractionable",
        FRACTION,
        {"asset_facts": asset(is_fractionable=False)},
    ),
    Row("whole shares of it", None, {}, {"asset_facts": asset(is_fractionable=False)}),
    Row(
        "fractions switched off",
        "fractional_disabled",
        FRACTION,
        {"account_facts": account(is_fractional_enabled=False)},
    ),
    Row(
        "a fractional bracket",
        "fractional_class",
        {**FRACTION, "order_class": "bracket", "take_profit_limit": "110", "stop_loss_stop": "90"},
    ),
    Row(
        "a fractional OTO",
        "fractional_class",
        {"quantity": "1.5", "order_class": "oto", "stop_loss_stop": "90"},
    ),
    Row(
        "a bracket by dollars",
        "fractional_class",
        {
            "notional": "500",
            "order_class": "bracket",
            "take_profit_limit": "110",
            "stop_loss_stop": "90",
        },
    ),
    Row(
        "fractional until canceled",
        "fractional_time_in_force",
        {**FRACTION, "time_in_force": "gtc"},
    ),
    Row(
        "a fractional trailing stop",
        "fractional_type",
        {**FRACTION, "type": "trailing_stop", "trail_price": "1"},
    ),
    Row("a fraction sold short", "fractional_short", {**FRACTION, "side": "sell"}),
    Row(
        "a fraction more sold short",
        "fractional_short",
        {**FRACTION, "side": "sell"},
        {"positions": position(-3)},
    ),
    Row(
        "a fraction sold from a position",
        None,
        {**FRACTION, "side": "sell"},
        {"positions": position(1)},
    ),
    Row(
        "a fraction in extended hours",
        None,
        {**FRACTION, "type": "limit", "limit_price": "99", "extended_hours": True},
    ),
    Row(
        "dollars while closing",
        "notional_while_closing",
        {"notional": "100", "type": "limit", "limit_price": "99"},
        {"positions": position(10), "orders": (resting(),)},
    ),
    Row(
        "shares while closing",
        None,
        {"type": "limit", "limit_price": "99"},
        {"positions": position(10), "orders": (resting(),)},
    ),
    Row(
        "a part of a share while closing",
        None,
        {"quantity": "1.5", "type": "limit", "limit_price": "99"},
        {"positions": position(10), "orders": (resting(),)},
    ),
    Row(
        "dollars that close, while closing",
        None,
        {"notional": "100", "side": "sell"},
        {"positions": position(20), "orders": (resting(),)},
    ),
    Row(
        "dollars while another symbol closes",
        None,
        {"notional": "100", "type": "limit", "limit_price": "99"},
        {"positions": position(10), "orders": (resting(symbol="QQQ"),)},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_narrower_rules(row):
    assert verdict(row) == row.rule


@pytest.mark.parametrize(("at", "taken"), [("2025-12-31 12:00", False), ("2026-01-01 12:00", True)])
def test_extended_hours_until_canceled_came_in_2026(at, taken):
    request = order(type="limit", limit_price="99", time_in_force="gtc", extended_hours=True)
    assert (judge(request, ts=ny(at)) is None) is taken

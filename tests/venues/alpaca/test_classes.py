"""Bracket, OCO and OTO: legs, entry or exit, distances on both sides of each limit."""

from __future__ import annotations

import pytest

from .build import D, Row, judge, market, order, position, verdict

BRACKET = {
    "order_class": "bracket",
    "type": "limit",
    "limit_price": "100",
    "take_profit_limit": "110",
    "stop_loss_stop": "90",
}
OTO = {"order_class": "oto", "type": "limit", "limit_price": "100"}
OCO = {
    "order_class": "oco",
    "side": "sell",
    "type": "limit",
    "limit_price": "110",
    "take_profit_limit": "110",
    "stop_loss_stop": "90",
}
LONG = {"positions": position(10)}
SHORT = {"positions": position(-10)}


def bracket(**changes: object) -> dict[str, object]:
    return {**BRACKET, **changes}


def short_bracket(**changes: object) -> dict[str, object]:
    legs = {"side": "sell", "take_profit_limit": "90", "stop_loss_stop": "110"}
    return {**BRACKET, **legs, **changes}


ROWS = [
    Row("a bracket", None, bracket()),
    Row("with a stop-loss limit", None, bracket(stop_loss_limit="89")),
    Row("at the market", None, bracket(type="market", limit_price=None)),
    Row("on a stop", None, bracket(type="stop", limit_price=None, stop_price="101")),
    Row("on a stop-limit", None, bracket(type="stop_limit", stop_price="101", limit_price="102")),
    Row(
        "on a trailing stop",
        "bracket_entry_type",
        bracket(type="trailing_stop", limit_price=None, trail_price="1"),
    ),
    Row("without a target", "bracket_needs_take_profit", bracket(take_profit_limit=None)),
    Row("without a stop-loss", "bracket_needs_stop_loss", bracket(stop_loss_stop=None)),
    Row("until canceled", None, bracket(time_in_force="gtc")),
    Row("immediate", "complex_time_in_force", bracket(time_in_force="ioc")),
    Row("for the opening auction", "complex_time_in_force", bracket(time_in_force="opg")),
    Row("in extended hours", "complex_extended_hours", bracket(extended_hours=True)),
    Row("adding to a position", None, bracket(), LONG),
    Row("covering a short", "bracket_entry", bracket(), SHORT),
    Row("selling a position", "bracket_entry", short_bracket(), LONG),
    Row("opening a short", None, short_bracket()),
    Row("target a cent above", None, bracket(take_profit_limit="100.01")),
    Row("target at the base", "take_profit_distance", bracket(take_profit_limit="100")),
    Row("stop-loss a cent below", None, bracket(stop_loss_stop="99.99")),
    Row("stop-loss at the base", "stop_loss_distance", bracket(stop_loss_stop="100")),
    Row("stop-loss above", "stop_loss_distance", bracket(stop_loss_stop="101")),
    Row(
        "target at the stop-loss",
        "legs_crossed",
        bracket(take_profit_limit="101", stop_loss_stop="101"),
    ),
    Row(
        "short: target at the stop-loss",
        "legs_crossed",
        short_bracket(take_profit_limit="101", stop_loss_stop="101"),
    ),
    Row(
        "crossed legs without any price",
        "legs_crossed",
        bracket(type="market", limit_price=None, take_profit_limit="90", stop_loss_stop="91"),
        {"market_facts": market(bid=None, ask=None, last=None)},
    ),
    Row("short: target a cent below", None, short_bracket(take_profit_limit="99.99")),
    Row(
        "short: target at the base", "take_profit_distance", short_bracket(take_profit_limit="100")
    ),
    Row("short: stop-loss a cent above", None, short_bracket(stop_loss_stop="100.01")),
    Row("short: stop-loss at the base", "stop_loss_distance", short_bracket(stop_loss_stop="100")),
    Row(
        "market entry: measured from the current price",
        "take_profit_distance",
        bracket(type="market", limit_price=None, take_profit_limit="100"),
    ),
    Row(
        "market entry: a cent above it",
        None,
        bracket(type="market", limit_price=None, take_profit_limit="100.01"),
    ),
    Row(
        "market entry without any price: not judged",
        None,
        bracket(type="market", limit_price=None, take_profit_limit="91"),
        {"market_facts": market(bid=None, ask=None, last=None)},
    ),
    Row(
        "a wider distance by option",
        "stop_loss_distance",
        bracket(stop_loss_stop="99.90"),
        {"options": {"leg_distance": D("0.2")}},
    ),
    Row("OTO with a target", None, {**OTO, "take_profit_limit": "110"}),
    Row("OTO with a stop-loss", None, {**OTO, "stop_loss_stop": "90"}),
    Row("OTO with neither", "oto_one_leg", OTO),
    Row(
        "OTO with both", "oto_one_leg", {**OTO, "take_profit_limit": "110", "stop_loss_stop": "90"}
    ),
    Row("OTO that closes", "oto_entry", {**OTO, "take_profit_limit": "110"}, SHORT),
    Row("OTO target at the base", "take_profit_distance", {**OTO, "take_profit_limit": "100"}),
    Row(
        "OTO on a trailing stop",
        "trailing_class",
        {"order_class": "oto", "type": "trailing_stop", "trail_price": "1", "stop_loss_stop": "90"},
    ),
    Row("OCO for a position", None, OCO, LONG),
    Row("OCO without a position", "oco_exit", OCO),
    Row("OCO on the wrong side", "oco_exit", OCO, SHORT),
    Row("OCO at the market", "oco_type", {**OCO, "type": "market", "limit_price": None}, LONG),
    Row("OCO with its target as the leg only", None, {**OCO, "limit_price": None}, LONG),
    Row("OCO with its target as the limit only", None, {**OCO, "take_profit_limit": None}, LONG),
    Row("OCO without a stop", "oco_needs_prices", {**OCO, "stop_loss_stop": None}, LONG),
    Row("OCO stop a cent below the target", None, {**OCO, "stop_loss_stop": "109.99"}, LONG),
    Row("OCO stop at the target", "stop_loss_distance", {**OCO, "stop_loss_stop": "110"}, LONG),
    Row(
        "OCO for a short: stop a cent above",
        None,
        {**OCO, "side": "buy", "stop_loss_stop": "110.01"},
        SHORT,
    ),
    Row(
        "OCO for a short: stop below",
        "stop_loss_distance",
        {**OCO, "side": "buy", "stop_loss_stop": "109"},
        SHORT,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_groups(row):
    assert verdict(row) == row.rule


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"take_profit_limit": "100"}, "take_profit.limit_price must be >= base_price + 0.01"),
        ({"stop_loss_stop": "100"}, "stop_loss.stop_price must be <= base_price - 0.01"),
    ],
)
def test_distance_messages_of_a_buy(changes, message):
    refusal = judge(order(**bracket(**changes)))
    assert refusal is not None
    assert refusal.http_status == 422
    assert refusal.body() == {"base_price": "100", "code": 42210000, "message": message}


def test_distance_message_of_a_short_is_mirrored():
    refusal = judge(order(**short_bracket(take_profit_limit="100")))
    assert refusal is not None
    assert refusal.message == "take_profit.limit_price must be <= base_price - 0.01"

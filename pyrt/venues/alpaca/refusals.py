"""Every refusal of Alpaca's order entry: HTTP status, code and text, in one table.

Rows whose `evidence` is not ``"none"`` were seen in a response or an official page. The others are
this project's wording for a refusal whose existence is documented and whose body is not;
`AlpacaOptions.messages` replaces the text of any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

__all__ = ["REFUSALS", "Refusal", "RefusalText", "money_text", "number_text"]

BAD_REQUEST = 40010001
FORBIDDEN = 40310000
DAY_TRADING = 40310100
NOT_FOUND = 40410000
UNPROCESSABLE = 42210000


@dataclass(frozen=True)
class RefusalText:
    """How one rule refuses.

    Attributes
    ----------
    http_status, code : int
        The response's status and the body's code.
    message : str
        A `str.format` template.
    evidence : {"body", "text", "none"}
        Whether the whole body was seen, the text alone (its code is inferred), or neither.
    """

    http_status: int
    code: int
    message: str
    evidence: Literal["body", "text", "none"]


@dataclass(frozen=True)
class Refusal:
    """Alpaca's answer to a request it does not take.

    Attributes
    ----------
    rule : str
        Key into `REFUSALS`; not part of the response.
    http_status, code : int
        As in the response.
    message : str
        As in the response.
    extra : mapping
        The body's other fields: strings, and one list of ids (`related_orders`).
    """

    rule: str
    http_status: int
    code: int
    message: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the JSON body, keys in the alphabetical order that recorded bodies have."""
        return dict(sorted({"code": self.code, "message": self.message, **self.extra}.items()))


def _seen(http_status: int, code: int, message: str) -> RefusalText:
    return RefusalText(http_status, code, message, "body")


def _text(http_status: int, code: int, message: str) -> RefusalText:
    return RefusalText(http_status, code, message, "text")


def _ours(http_status: int, code: int, message: str) -> RefusalText:
    return RefusalText(http_status, code, message, "none")


_SHAPE = {
    "symbol_required": _ours(422, BAD_REQUEST, "symbol is required"),
    "invalid_side": _seen(422, BAD_REQUEST, "invalid side"),
    "invalid_order_type": _seen(422, BAD_REQUEST, "invalid order type"),
    "invalid_time_in_force": _seen(422, BAD_REQUEST, "invalid time_in_force"),
    "invalid_order_class": _ours(422, BAD_REQUEST, "invalid order_class"),
    "quantity_required": _seen(422, BAD_REQUEST, "qty or notional is required"),
    "quantity_exclusive": _seen(422, BAD_REQUEST, "only one of qty or notional is accepted"),
    "quantity_not_positive": _seen(422, BAD_REQUEST, "{field} must be > 0"),
    "too_many_decimals": _ours(422, BAD_REQUEST, "{field} is limited to 9 decimal places"),
    "price_not_positive": _seen(422, BAD_REQUEST, "{field} price must be > 0"),
    "market_takes_no_price": _seen(
        422, UNPROCESSABLE, "market orders require no stop or limit price"
    ),
    "limit_needs_price": _seen(422, BAD_REQUEST, "limit orders require a limit price"),
    "limit_takes_no_stop": _ours(422, BAD_REQUEST, "limit orders require only limit price"),
    "stop_needs_price": _seen(422, BAD_REQUEST, "stop orders require a stop price"),
    "stop_takes_no_limit": _ours(422, BAD_REQUEST, "stop orders require only stop price"),
    "stop_limit_needs_prices": _seen(
        422, BAD_REQUEST, "stop limit orders require both stop and limit price"
    ),
    "trail_needs_one": _seen(
        422, BAD_REQUEST, "trailing stop orders must specify one of trail_price or trail_percent"
    ),
    "trail_percent_min": _seen(
        422, BAD_REQUEST, "trail_percent must be greater than or equal to 0.1"
    ),
    "trail_takes_no_price": _ours(
        422, BAD_REQUEST, "trailing stop orders require no stop or limit price"
    ),
    "trail_only_for_trailing": _ours(
        422, BAD_REQUEST, "trail_price and trail_percent require a trailing_stop order"
    ),
    "client_order_id_too_long": _seen(
        422, BAD_REQUEST, "client_order_id must be no more than 128 characters"
    ),
    "client_order_id_used": _seen(422, BAD_REQUEST, "client_order_id must be unique"),
}

_ASSET = {
    "asset_not_found": _seen(422, UNPROCESSABLE, 'asset "{symbol}" not found'),
    "asset_not_active": _seen(422, BAD_REQUEST, "asset {symbol} is not active"),
    "asset_not_tradable": _seen(422, UNPROCESSABLE, 'asset "{symbol}" is not tradable'),
    "account_restricted": _ours(403, FORBIDDEN, "account is restricted from trading"),
    "asset_class_mismatch": _ours(422, UNPROCESSABLE, "invalid asset class for {symbol}"),
}

_TYPES = {
    "time_in_force_for_type": _ours(
        422, UNPROCESSABLE, "invalid time_in_force {time_in_force} for {type} order"
    ),
    "ioc_fok_not_permitted": _ours(
        403, FORBIDDEN, "{time_in_force} orders are not permitted for this account"
    ),
    "crypto_type": _seen(422, BAD_REQUEST, "invalid order type for crypto order"),
    "crypto_time_in_force": _seen(422, UNPROCESSABLE, "invalid crypto time_in_force"),
    "crypto_class": _ours(422, UNPROCESSABLE, "crypto orders must be simple orders"),
    "crypto_extended_hours": _ours(
        422, UNPROCESSABLE, "extended hours are not supported for crypto orders"
    ),
    "option_time_in_force": _seen(
        422, UNPROCESSABLE, "order_time_in_force provided not supported for options trading"
    ),
    "option_order": _ours(
        422, UNPROCESSABLE, "option orders must be whole, simple market or limit orders"
    ),
    "fractional_type": _ours(
        422, UNPROCESSABLE, "fractional orders must be market, limit, stop or stop_limit orders"
    ),
    "fractional_class": _seen(422, UNPROCESSABLE, "fractional orders must be simple orders"),
    "fractional_time_in_force": _seen(422, UNPROCESSABLE, "fractional orders must be DAY orders"),
    "fractional_short": _seen(422, UNPROCESSABLE, "fractional orders cannot be sold short"),
    "fractional_disabled": _seen(403, FORBIDDEN, "fractional trading is disabled for this account"),
    "not_fractionable": _text(403, FORBIDDEN, "requested asset is not fractionable"),
    "notional_while_closing": _seen(
        422,
        UNPROCESSABLE,
        "unable to open new notional orders while having open closing position orders",
    ),
}

_CLASSES = {
    "bracket_entry_type": _seen(422, BAD_REQUEST, "bracket orders must be market or limit orders"),
    "bracket_needs_take_profit": _text(
        422, BAD_REQUEST, "bracket orders require take_profit.limit_price"
    ),
    "bracket_needs_stop_loss": _ours(
        422, BAD_REQUEST, "bracket orders require stop_loss.stop_price"
    ),
    "bracket_entry": _seen(422, UNPROCESSABLE, "bracket orders must be entry orders"),
    "oto_entry": _ours(422, UNPROCESSABLE, "oto orders must be entry orders"),
    "oto_one_leg": _ours(
        422, BAD_REQUEST, "oto orders require exactly one of take_profit or stop_loss"
    ),
    "oco_type": _ours(422, BAD_REQUEST, "oco orders must be limit orders"),
    "oco_needs_prices": _ours(
        422, BAD_REQUEST, "oco orders require take_profit.limit_price and stop_loss.stop_price"
    ),
    "oco_exit": _text(422, UNPROCESSABLE, "oco orders must be exit orders"),
    "complex_time_in_force": _ours(
        422, UNPROCESSABLE, "{order_class} orders must be DAY or GTC orders"
    ),
    "complex_extended_hours": _ours(
        422, UNPROCESSABLE, "{order_class} orders are not supported in extended hours"
    ),
    "trailing_class": _ours(422, UNPROCESSABLE, "trailing stop orders must be simple orders"),
    "mleg_class": _ours(422, UNPROCESSABLE, "mleg orders are only supported for options"),
    "mleg_leg_count": _seen(
        422, UNPROCESSABLE, "mleg orders must have at least 2 legs and at most 4 legs"
    ),
    "mleg_unique_legs": _ours(422, BAD_REQUEST, "mleg orders require unique leg symbols"),
    "mleg_ratio": _ours(
        422, BAD_REQUEST, "leg ratio quantities must be relatively prime positive integers"
    ),
    "legs_crossed": _seen(
        422, UNPROCESSABLE, "take_profit.limit_price must be {relation} stop_loss.stop_price"
    ),
    "take_profit_distance": _seen(
        422, UNPROCESSABLE, "take_profit.limit_price must be {relation} {distance}"
    ),
    "stop_loss_distance": _seen(
        422, UNPROCESSABLE, "stop_loss.stop_price must be {relation} {distance}"
    ),
}

_PRICES = {
    "sub_penny": _seen(
        422,
        UNPROCESSABLE,
        "invalid {field} {price}. sub-penny increment does not fulfill minimum pricing criteria",
    ),
    "crypto_price_increment": _ours(
        422, UNPROCESSABLE, "invalid {field} {price}. price must be a multiple of {increment}"
    ),
    "sell_stop_side": _seen(422, UNPROCESSABLE, "stop price must be less than current price"),
    "buy_stop_side": _seen(422, UNPROCESSABLE, "stop price must be greater than current price"),
}

_HOURS = {
    "opg_window": _seen(
        403, FORBIDDEN, "opg orders must be submitted after 7:00pm and before 9:28am"
    ),
    "cls_window": _seen(
        403, FORBIDDEN, "cls orders must be submitted after 7:00pm and before {cutoff}"
    ),
    "extended_hours_day": _seen(
        422, UNPROCESSABLE, "extended hours order must be DAY limit orders"
    ),
    "extended_hours_gtc": _seen(
        422, UNPROCESSABLE, "extended hours order must be DAY or GTC limit orders"
    ),
}

_FUNDS = {
    "min_notional": _seen(422, UNPROCESSABLE, "notional amount must be >= {minimum}"),
    "min_cost_basis": _seen(
        403, FORBIDDEN, "cost basis must be >= minimal amount of order {minimum}"
    ),
    "crypto_min_size": _ours(403, FORBIDDEN, "qty must be >= minimal qty of order {minimum}"),
    "crypto_increment": _ours(
        422, UNPROCESSABLE, "invalid qty {quantity}. qty must be a multiple of {increment}"
    ),
    "buying_power": _seen(403, FORBIDDEN, "insufficient buying power"),
    "insufficient_quantity": _seen(
        403,
        FORBIDDEN,
        "insufficient qty available for order (requested: {requested}, available: {available})",
    ),
    "insufficient_balance": _seen(
        403,
        FORBIDDEN,
        "insufficient balance for {currency} (requested: {requested}, available: {available})",
    ),
    "short_not_allowed": _seen(403, FORBIDDEN, "account is not allowed to short"),
    "asset_not_shortable": _seen(422, UNPROCESSABLE, 'asset "{symbol}" cannot be sold short'),
    "short_while_buying": _seen(
        403, FORBIDDEN, "cannot open a short sell while a long buy order is open"
    ),
    "long_while_shorting": _ours(
        403, FORBIDDEN, "cannot open a long buy while a short sell order is open"
    ),
    "hard_to_borrow_time_in_force": _text(
        422, UNPROCESSABLE, "only day orders are allowed for hard-to-borrow asset {symbol}"
    ),
    "position_intent": _seen(
        422,
        UNPROCESSABLE,
        "position intent mismatch, inferred: {inferred}, specified: {specified}",
    ),
    "order_to_equity": _ours(403, FORBIDDEN, "order value exceeds {percent}% of account equity"),
    "pattern_day_trading": _seen(
        403, DAY_TRADING, "trade denied due to pattern day trading protection"
    ),
    "wash_trade": _seen(403, FORBIDDEN, "potential wash trade detected. use complex orders"),
}

_CHANGES = {
    "order_not_found": _seen(404, NOT_FOUND, "order not found for {id}"),
    "position_not_found": _seen(404, NOT_FOUND, "position does not exist"),
    "percentage_range": _ours(422, BAD_REQUEST, "percentage must be > 0 and <= 100"),
    "replace_not_sent": _text(
        422, UNPROCESSABLE, "unable to replace order, order isn't sent to exchange yet"
    ),
    "replace_state": _text(422, UNPROCESSABLE, "order in {status} status cannot be changed"),
    "replace_unchanged": _seen(422, UNPROCESSABLE, "order parameters are not changed"),
    "replace_notional": _ours(422, UNPROCESSABLE, "notional orders cannot be replaced"),
    "replace_whole_quantity": _seen(422, BAD_REQUEST, "qty must be integer"),
    "replace_fractional_quantity": _ours(
        422, UNPROCESSABLE, "qty of fractional orders cannot be replaced"
    ),
    "replace_filled": _ours(422, UNPROCESSABLE, "qty must be > filled qty {filled}"),
    "replace_parameter": _ours(
        422, UNPROCESSABLE, "{parameter} cannot be changed on a {type} order"
    ),
    "cancel_state": _seen(422, UNPROCESSABLE, 'order is already in "{status}" state'),
    "cancel_leg": _seen(422, UNPROCESSABLE, "cannot cancel individual legs of a mleg order"),
}

REFUSALS: dict[str, RefusalText] = {
    **_SHAPE,
    **_ASSET,
    **_TYPES,
    **_CLASSES,
    **_PRICES,
    **_HOURS,
    **_FUNDS,
    **_CHANGES,
}
"""All refusals by the name of their rule."""


def number_text(value: Decimal) -> str:
    """Return a number in Alpaca's canonical form: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_text(value: Decimal) -> str:
    """Return dollars as Alpaca's bodies show them: canonical, at most two decimals."""
    return number_text(value.quantize(Decimal("0.01"), ROUND_HALF_UP))

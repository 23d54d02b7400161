"""Alpaca's wire messages as typed structs: what the client decodes and the simulator encodes."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

MAGNITUDE_MAX = Decimal(10) ** 15


def is_number(text: str | None) -> bool:
    """Return whether a text is a finite decimal of a size that an account can have, or absent."""
    if text is None:
        return True
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and 0 <= number < MAGNITUDE_MAX


class OrderView(msgspec.Struct, kw_only=True, omit_defaults=False):
    """The fields of an Alpaca order that decide anything; decimals are strings."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    status: str
    qty: str | None = None
    notional: str | None = None
    filled_qty: str = "0"
    filled_avg_price: str | None = None
    limit_price: str | None = None
    stop_price: str | None = None
    order_class: str = ""
    extended_hours: bool = False
    created_at: str | None = None
    updated_at: str | None = None
    submitted_at: str | None = None
    filled_at: str | None = None
    canceled_at: str | None = None
    expired_at: str | None = None
    failed_at: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    legs: list[OrderView] | None = None

    @property
    def is_sound(self) -> bool:
        """Whether all numbers that anything is computed from are numbers, and not negative."""
        numbers = (self.filled_qty, self.qty, self.filled_avg_price)
        return all(map(is_number, numbers)) and all(leg.is_sound for leg in self.legs or ())


class TradeUpdate(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One event of the trade-updates stream; `qty` is this execution's, not the total."""

    event: str
    timestamp: str
    order: OrderView
    at: str | None = None
    execution_id: str | None = None
    price: str | None = None
    qty: str | None = None
    position_qty: str | None = None
    reason: str | None = None

    @property
    def is_fill(self) -> bool:
        """Whether it tells of an execution."""
        return self.event in ("fill", "partial_fill")


class TradeUpdateFrame(msgspec.Struct):
    """A frame of the trade-updates stream."""

    stream: str
    data: TradeUpdate


class TakeProfit(msgspec.Struct):
    """The profit-taking exit of an order with exits."""

    limit_price: str


class StopLoss(msgspec.Struct, omit_defaults=True):
    """The protective exit of an order with exits."""

    stop_price: str
    limit_price: str | None = None


class OrderRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The body of POST /v2/orders."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    client_order_id: str | None = None
    qty: str | None = None
    notional: str | None = None
    limit_price: str | None = None
    stop_price: str | None = None
    trail_price: str | None = None
    trail_percent: str | None = None
    extended_hours: bool = False
    order_class: str = ""
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """The body of a refusal."""

    code: int = 0
    message: str = ""


def decoded(body: bytes, kind: Any) -> Any:
    """Return a body of JSON as what it is to be; None if it is not."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

"""Facts for scenario tables: ordinary defaults, changed by keyword; numbers may be text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pyrt.venues.alpaca import (
    AccountFacts,
    AlpacaOptions,
    AlpacaRules,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    OrderRequest,
    PositionFacts,
    Refusal,
)
from pyrt.venues.extended_hours import Phase

NEW_YORK = ZoneInfo("America/New_York")
D = Decimal

_NUMBERS = frozenset(
    {
        *("quantity", "notional", "limit_price", "stop_price", "trail_price", "trail_percent"),
        *("take_profit_limit", "stop_loss_stop", "stop_loss_limit", "filled_quantity", "trail"),
        *("buying_power", "non_marginable_buying_power", "equity", "bid", "ask", "last"),
        *("min_order_size", "min_trade_increment", "price_increment"),
    }
)


class Row(NamedTuple):
    """One verdict: `rule` is None where the order is taken."""

    why: str
    rule: str | None
    order: dict[str, Any] = {}
    around: dict[str, Any] = {}


def numbers(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn text and ints in numeric fields into Decimals."""
    return {
        name: D(value) if name in _NUMBERS and isinstance(value, (str, int)) else value
        for name, value in fields.items()
    }


def order(**changes: Any) -> OrderRequest:
    """A buy of one share at the market, for the day."""
    fields: dict[str, Any] = {
        "symbol": "SPY",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
    }
    fields.update(changes)
    if "quantity" not in fields and "notional" not in fields:
        fields["quantity"] = 1
    return OrderRequest(**numbers(fields))


def asset(**changes: Any) -> AssetFacts:
    """An ordinary equity."""
    return AssetFacts(**numbers({"symbol": "SPY", **changes}))


def account(**changes: Any) -> AccountFacts:
    """100,000 dollars, margin, shorting allowed."""
    fields = {"buying_power": 100_000, "non_marginable_buying_power": 50_000, "equity": 50_000}
    return AccountFacts(**numbers({**fields, **changes}))


def market(**changes: Any) -> MarketFacts:
    """A session that runs, quotes of 99.99 and 100.01, last trade at 100."""
    fields: dict[str, Any] = {"bid": "99.99", "ask": "100.01", "last": "100"}
    fields.update(changes)
    return MarketFacts(**numbers(fields))


def position(quantity: int | str, symbol: str = "SPY", **changes: Any) -> dict[str, PositionFacts]:
    """The account's only position."""
    return {symbol: PositionFacts(symbol=symbol, quantity=D(quantity), **changes)}


def resting(**changes: Any) -> OpenOrder:
    """A working day order of ten shares to sell at 110."""
    fields: dict[str, Any] = {
        "id": "61e69015",
        "symbol": "SPY",
        "side": "sell",
        "type": "limit",
        "quantity": 10,
        "limit_price": 110,
    }
    fields.update(changes)
    if fields["type"] == "market":
        fields["limit_price"] = None
    return OpenOrder(**numbers(fields))


def ny(text: str) -> int:
    """A New York wall time as nanoseconds UTC."""
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)
    return int(moment.timestamp()) * 1_000_000_000


NOON = ny("2026-11-03 12:00")


def judge(
    request: OrderRequest,
    *,
    asset_facts: AssetFacts | None = None,
    has_asset: bool = True,
    account_facts: AccountFacts | None = None,
    market_facts: MarketFacts | None = None,
    positions: dict[str, PositionFacts] | None = None,
    orders: tuple[OpenOrder, ...] = (),
    ts: int = NOON,
    used: frozenset[str] = frozenset(),
    options: dict[str, Any] | None = None,
) -> Refusal | None:
    """Ask `AlpacaRules` about one order."""
    known = asset_facts or asset(symbol=request.symbol, asset_class=request.asset_class)
    return AlpacaRules(AlpacaOptions(**(options or {}))).check(
        request,
        known if has_asset else None,
        account_facts or account(),
        market_facts or market(),
        positions,
        orders,
        ts,
        used,
    )


def verdict(row: Row) -> str | None:
    """The rule that refuses a row's order, or None."""
    refusal = judge(order(**row.order), **row.around)
    return None if refusal is None else refusal.rule


CLOSED = Phase.CLOSED
CRYPTO: dict[str, Any] = {
    "symbol": "BTC/USD",
    "asset_class": "crypto",
    "time_in_force": "gtc",
    "quantity": "0.5",
}

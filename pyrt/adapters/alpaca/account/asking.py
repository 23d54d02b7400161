"""Whether Alpaca would take an order, by its rules and what its own answers say of the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlencode

from pyrt.adapters.alpaca.account.reading import Reader, working_orders
from pyrt.adapters.alpaca.core.stamps import text_ns
from pyrt.core.verdict import Verdict
from pyrt.errors import BrokerError, OrderError
from pyrt.venues.alpaca.facts import (
    AccountFacts,
    AssetFacts,
    OpenOrder,
    OrderRequest,
    PositionFacts,
    market_facts,
)
from pyrt.venues.alpaca.intake import refusal_text
from pyrt.venues.alpaca.rules import AlpacaRules
from pyrt.venues.extended_hours import hours_around

__all__ = ["Asker", "request_from"]

PRICES = ("limit_price", "stop_price", "trail_percent")
TERMS = frozenset(
    {
        *("side", "symbol", "quantity", "notional", *PRICES, "trail_amount", "take_profit"),
        *("stop_loss", "time_in_force", "extended_hours", "client_order_id"),
    }
)


def request_from(terms: Mapping[str, Any]) -> OrderRequest:
    """Return an order, described as for `Strategy.submit`, as the body Alpaca would get.

    Raises
    ------
    OrderError
        If a term is unknown or no number.

    Examples
    --------
    >>> request_from({"side": "buy", "symbol": "SPY", "quantity": 1, "limit_price": 400}).type
    'limit'
    """
    unknown = terms.keys() - TERMS
    if unknown:
        name = sorted(unknown)[0]
        raise OrderError(f"orders have no term {name!r}", remedy=f"They have: {sorted(TERMS)}")
    numbers: dict[str, Any] = {
        name: _decimal(name, terms[name])
        for name in ("quantity", "notional", *PRICES)
        if terms.get(name) is not None
    }
    trail = terms.get("trail_amount")
    if trail is not None:
        numbers["trail_price"] = _decimal("trail_amount", trail)
    symbol = str(terms.get("symbol", ""))
    crypto = "/" in symbol
    profit, stop, stop_limit = _exits(terms)
    return OrderRequest(
        symbol=symbol,
        side=str(terms.get("side", "")),
        type=_type_of(numbers),
        time_in_force=terms.get("time_in_force") or ("gtc" if crypto else "day"),
        asset_class="crypto" if crypto else "us_equity",
        order_class=("simple", "oto", "bracket")[(profit is not None) + (stop is not None)],
        take_profit_limit=profit,
        stop_loss_stop=stop,
        stop_loss_limit=stop_limit,
        extended_hours=bool(terms.get("extended_hours")),
        client_order_id=terms.get("client_order_id"),
        **numbers,
    )


class Asker:
    """Judges orders by Alpaca's rules, on an account as it is now; sends queries only.

    Parameters
    ----------
    reader : Reader
    feed : str
    rules : AlpacaRules, optional
    """

    def __init__(self, reader: Reader, feed: str, rules: AlpacaRules | None = None) -> None:
        self._reader = reader
        self._feed = feed
        self._rules = rules or AlpacaRules()

    async def judge(self, terms: Mapping[str, Any]) -> Verdict:
        """Return what Alpaca would say to one order."""
        request = request_from(terms)
        get = self._reader.get
        # The broker's time: a rehearsal's is not the wall's.
        now = text_ns((await get("/v2/clock"))["timestamp"])
        asset = await self._asset(request.symbol)
        account = account_facts(await get("/v2/account"), await get("/v2/account/configurations"))
        positions = [position_facts(row) for row in await get("/v2/positions")]
        orders = open_orders(await working_orders(self._reader))
        bid, ask = await self._quote(request.symbol) if asset is not None else (None, None)
        refusal = self._rules.check(
            request,
            asset,
            account,
            market_facts(hours_around(now), now, bid=bid, ask=ask),
            {position.symbol: position for position in positions},
            orders,
            now,
            await self._used(request.client_order_id),
        )
        if refusal is None:
            return Verdict(dict(terms))
        return Verdict(dict(terms), "venue", refusal_text(refusal))

    async def _asset(self, symbol: str) -> AssetFacts | None:
        try:
            row = await self._reader.get(f"/v2/assets/{quote(symbol, safe='')}")
        except BrokerError as error:
            if error.values.get("status") != 404:
                raise
            return None
        return asset_facts(row)

    async def _quote(self, symbol: str) -> tuple[Decimal | None, Decimal | None]:
        coins = "/" in symbol
        base = "/v1beta3/crypto/us/latest/quotes" if coins else "/v2/stocks/quotes/latest"
        query = urlencode({"symbols": symbol} | ({} if coins else {"feed": self._feed}))
        found = (await self._reader.get(f"{base}?{query}", host="data"))["quotes"].get(symbol, {})
        # A price of 0 says that there is nobody on that side.
        bid, ask = (_decimal(name, found.get(name) or 0) or None for name in ("bp", "ap"))
        return bid, ask

    async def _used(self, client_order_id: str | None) -> frozenset[str]:
        """Return the id if an order of the account has had it."""
        if not client_order_id:
            return frozenset()
        path = f"/v2/orders:by_client_order_id?{urlencode({'client_order_id': client_order_id})}"
        try:
            await self._reader.get(path)
        except BrokerError as error:
            if error.values.get("status") != 404:
                raise
            return frozenset()
        return frozenset({client_order_id})


# -- Alpaca's answers as facts -----------------------------------------------------------------


def account_facts(row: Mapping[str, Any], settings: Mapping[str, Any]) -> AccountFacts:
    """Return what an account's answer says; its buying power is net of what orders reserve."""
    power = Decimal(row["buying_power"])
    blocked = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
    return AccountFacts(
        buying_power=power,
        non_marginable_buying_power=Decimal(row.get("non_marginable_buying_power") or power),
        equity=Decimal(row["equity"]),
        is_blocked=any(row.get(name) for name in blocked) or bool(settings.get("suspend_trade")),
        is_shorting_enabled=bool(row.get("shorting_enabled", True)),
        no_shorting=bool(settings.get("no_shorting")),
        is_fractional_enabled=bool(settings.get("fractional_trading", True)),
    )


def asset_facts(row: Mapping[str, Any]) -> AssetFacts:
    """Return what an asset's answer says."""
    names = ("min_order_size", "min_trade_increment", "price_increment")
    steps: dict[str, Any] = {name: Decimal(row[name]) for name in names if row.get(name)}
    return AssetFacts(
        symbol=row["symbol"],
        asset_class=row.get("class", "us_equity"),
        is_active=row.get("status", "active") == "active",
        is_tradable=bool(row.get("tradable", True)),
        is_fractionable=bool(row.get("fractionable", True)),
        is_shortable=bool(row.get("shortable", True)),
        borrow_status=row.get("borrow_status") or "easy_to_borrow",
        **steps,
    )


def position_facts(row: Mapping[str, Any]) -> PositionFacts:
    """Return what a position's answer says."""
    return PositionFacts(symbol=row["symbol"], quantity=Decimal(row["qty"]))


def open_orders(rows: Sequence[Mapping[str, Any]]) -> list[OpenOrder]:
    """Return the orders of a list, their legs after them, oldest first."""
    found: list[OpenOrder] = []
    for row in reversed(rows):
        found.append(_open_order(row, is_leg=False))
        found.extend(_open_order(leg, is_leg=True) for leg in row.get("legs") or ())
    return found


def _open_order(row: Mapping[str, Any], *, is_leg: bool) -> OpenOrder:
    def number(name: str) -> Decimal | None:
        return None if row.get(name) is None else Decimal(row[name])

    return OpenOrder(
        id=row["id"],
        symbol=row["symbol"],
        side=row["side"],
        type=row["type"],
        time_in_force=row["time_in_force"],
        status=row["status"],
        asset_class=row.get("asset_class") or "us_equity",
        order_class=row.get("order_class") or "simple",
        quantity=number("qty"),
        notional=number("notional"),
        filled_quantity=number("filled_qty") or Decimal(0),
        limit_price=number("limit_price"),
        stop_price=number("stop_price"),
        trail_price=number("trail_price"),
        trail_percent=number("trail_percent"),
        extended_hours=bool(row.get("extended_hours")),
        client_order_id=row.get("client_order_id") or "",
        is_leg=is_leg,
    )


# -- terms as numbers --------------------------------------------------------------------------


def _decimal(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise OrderError(f"{name} is {value!r}; expected a number", name=name)
    return number


def _type_of(numbers: Mapping[str, Decimal]) -> str:
    if "trail_price" in numbers or "trail_percent" in numbers:
        return "trailing_stop"
    if "stop_price" in numbers:
        return "stop_limit" if "limit_price" in numbers else "stop"
    return "limit" if "limit_price" in numbers else "market"


def _exits(terms: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the prices of the exits: profit, stop, limit of the stop."""
    profit, loss = terms.get("take_profit"), terms.get("stop_loss")
    if isinstance(profit, Mapping):
        profit = profit.get("limit_price")
    if isinstance(loss, Mapping):
        loss = (loss.get("stop_price"), loss.get("limit_price"))
    stop, limit = loss if isinstance(loss, tuple) else (loss, None)
    found = zip(("take_profit", "stop_loss", "stop_loss"), (profit, stop, limit), strict=True)
    profit, stop, limit = (None if v is None else _decimal(name, v) for name, v in found)
    return profit, stop, limit

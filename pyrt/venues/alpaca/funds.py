"""What an order is worth to Alpaca's buying-power check, and whether the account can carry it."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.facts import MarketFacts, OpenOrder, OrderRequest
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.alpaca.refusals import Refusal, money_text, number_text
from pyrt.venues.extended_hours import Phase

__all__ = [
    "account_buying_power",
    "as_request",
    "check_buying_power",
    "check_minimums",
    "collared",
    "far_side",
    "order_value",
]

_HUNDRED = Decimal(100)


def collared(price: Decimal, options: AlpacaOptions) -> Decimal:
    """Return a price plus the collar Alpaca puts on market and stop buys."""
    collar = options.collar_below if price < options.collar_threshold else options.collar_above
    return price * (1 + collar)


def far_side(market: MarketFacts, side: str, *, is_crypto: bool = False) -> Decimal | None:
    """Return the price an order without a limit is valued at; None if no price is known.

    The far side of the quotes while the market is open, their midpoint in extended hours, the
    last trade when closed. Where that price is missing the next best known one is used.
    """
    quote = market.ask if side == "buy" else market.bid
    if market.is_open or is_crypto:
        order = (quote, market.midpoint, market.last)
    elif market.phase is Phase.CLOSED:
        order = (market.last, market.midpoint, quote)
    else:
        order = (market.midpoint, market.last, quote)
    return next((price for price in order if price is not None), None)


def order_value(
    request: OrderRequest, market: MarketFacts, options: AlpacaOptions
) -> Decimal | None:
    """Return the dollars an opening order reserves; None where no price is known.

    A buy is worth its limit times its quantity; without a limit, the price Alpaca converts it to
    (current price or stop, plus the collar). A short sale is worth the greater of its limit and
    the marked-up ask, times its quantity. An order by dollars is worth those dollars.
    """
    if request.notional is not None:
        return request.notional
    assert request.quantity is not None
    is_short = request.side == "sell" and not request.is_crypto
    price = _short_price if is_short else _buy_price
    unit = price(request, market, options)
    return None if unit is None else unit * request.quantity


def _buy_price(
    request: OrderRequest, market: MarketFacts, options: AlpacaOptions
) -> Decimal | None:
    if request.limit_price is not None:
        return request.limit_price
    if request.order_class == "oco" and request.take_profit_limit is not None:
        return request.take_profit_limit
    if request.stop_price is not None:
        return collared(request.stop_price, options)
    price = far_side(market, request.side, is_crypto=request.is_crypto)
    if price is None:
        return None
    if request.trail_price is not None:
        price += request.trail_price
    elif request.trail_percent is not None:
        price *= 1 + request.trail_percent / _HUNDRED
    # Coins are bought with cash at the quote; the collar belongs to equity routing.
    return price if request.is_crypto else collared(price, options)


def _short_price(
    request: OrderRequest, market: MarketFacts, options: AlpacaOptions
) -> Decimal | None:
    ask = market.ask if market.ask is not None else far_side(market, "buy")
    floor = None if ask is None else ask * options.short_markup
    prices = [price for price in (request.limit_price, floor) if price is not None]
    return max(prices) if prices else None


def as_request(order: OpenOrder) -> OrderRequest:
    """Return an order as the request that would make its unfilled rest."""
    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        asset_class=order.asset_class,
        order_class=order.order_class,
        quantity=None if order.quantity is None else order.leaves,
        notional=order.notional,
        limit_price=order.limit_price,
        stop_price=order.stop_price if order.type != "trailing_stop" else None,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
        extended_hours=order.extended_hours,
    )


def check_minimums(case: Case) -> Refusal | None:
    """Refuse orders below the least dollars, and coins off the size grid of their pair."""
    request, options = case.request, case.options
    if request.is_crypto:
        return _check_crypto_size(case) or _check_crypto_cost(case)
    if not request.is_fractional:
        return None
    cost = _plain_cost(case)
    if cost is None or cost >= options.min_notional:
        return None
    if request.notional is not None:
        return case.refuse("min_notional", minimum=f"{options.min_notional:.2f}")
    # What is left of a position may be worth less, and can still be sold.
    if case.is_closing:
        return None
    return case.refuse("min_cost_basis", minimum=number_text(options.min_notional))


def _check_crypto_cost(case: Case) -> Refusal | None:
    options, cost = case.options, _plain_cost(case)
    binds = case.request.side == "buy" or options.applies_crypto_min_to_sells
    if binds and cost is not None and cost < options.crypto_min_cost:
        return case.refuse("min_cost_basis", minimum=number_text(options.crypto_min_cost))
    return None


def _check_crypto_size(case: Case) -> Refusal | None:
    asset, quantity = case.asset, case.request.quantity
    if asset is None or quantity is None:
        return None
    if asset.min_order_size is not None and quantity < asset.min_order_size:
        return case.refuse("crypto_min_size", minimum=number_text(asset.min_order_size))
    step = asset.min_trade_increment
    if step is not None and quantity % step != 0:
        return case.refuse(
            "crypto_increment", quantity=number_text(quantity), increment=number_text(step)
        )
    return None


def _plain_cost(case: Case) -> Decimal | None:
    """Return quantity times limit or current price, without collar or mark-up."""
    request = case.request
    if request.notional is not None:
        return request.notional
    price = request.limit_price
    if price is None:
        price = far_side(case.market, request.side, is_crypto=request.is_crypto)
    if price is None or request.quantity is None:
        return None
    return price * request.quantity


def check_buying_power(case: Case) -> Refusal | None:
    """Refuse an opening equity order worth more than the buying power.

    Closing orders need none. An order that cannot be valued for want of a price is let pass.
    """
    request, account = case.request, case.account
    if request.asset_class != "us_equity" or case.is_closing:
        return None
    value = order_value(request, case.market, case.options)
    if value is None:
        return None
    if value > account.buying_power:
        extra = {
            "buying_power": money_text(account.buying_power),
            "cost_basis": money_text(value),
        }
        return case.refuse("buying_power", extra=extra)
    limit = case.options.max_order_to_equity
    if limit is not None and value > account.equity * limit:
        return case.refuse("order_to_equity", percent=number_text(limit * _HUNDRED))
    return None


def account_buying_power(
    *,
    multiplier: int,
    cash: Decimal,
    equity: Decimal,
    initial_margin: Decimal,
    last_equity: Decimal,
    last_maintenance_margin: Decimal,
    reserved: Decimal = Decimal(0),
    min_margin_equity: Decimal = Decimal(2000),
) -> Decimal:
    """Return an account's buying power as the official description computes it.

    Parameters
    ----------
    multiplier : {1, 2, 4}
        Cash account, overnight margin, intraday margin.
    cash, equity, initial_margin, last_equity, last_maintenance_margin : Decimal
        As in GET /v2/account.
    reserved : Decimal
        What open orders reserve (`order_value` of each).
    min_margin_equity : Decimal
        Equity below which an account trades like a cash account.

    Returns
    -------
    Decimal
        Dollars, not below zero.
    """
    if equity < min_margin_equity:
        multiplier = 1
    if multiplier == 4:
        power = (last_equity - last_maintenance_margin) * 4
    elif multiplier == 2:
        power = max(equity - initial_margin, Decimal(0)) * 2
    else:
        power = cash
    return max(power - reserved, Decimal(0))

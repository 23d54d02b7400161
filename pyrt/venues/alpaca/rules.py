"""`AlpacaRules`: what Alpaca accepts, asked by the backtest venue, the simulator and the client."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from pyrt.venues.alpaca import changes, hours
from pyrt.venues.alpaca.case import Case, refuse
from pyrt.venues.alpaca.classes import check_class, check_leg_distances
from pyrt.venues.alpaca.eligibility import (
    check_account,
    check_asset,
    check_fractional,
    check_multileg,
    check_type,
)
from pyrt.venues.alpaca.facts import (
    AccountFacts,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    OrderRequest,
    PositionFacts,
    ReplaceRequest,
)
from pyrt.venues.alpaca.funds import (
    as_request,
    check_buying_power,
    check_minimums,
    collared,
    order_value,
)
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.alpaca.prices import check_increments, check_stop_side
from pyrt.venues.alpaca.refusals import Refusal
from pyrt.venues.alpaca.shape import (
    check_client_order_id,
    check_fields,
    check_prices_fit_type,
    check_quantity,
)
from pyrt.venues.alpaca.shares import (
    check_available,
    check_crypto_balance,
    check_day_trading,
    check_intent,
    check_opposite_opening,
    check_short,
)
from pyrt.venues.alpaca.wash import check_wash_trade

__all__ = ["AlpacaRules"]

# The order decides which refusal an order with several faults gets: first what the request says
# alone, then what it says of the asset, then what the account and its orders say.
_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    check_fields,
    check_quantity,
    check_prices_fit_type,
    check_client_order_id,
    check_account,
    check_asset,
    check_type,
    check_fractional,
    check_class,
    hours.check_extended_hours,
    hours.check_auction_window,
    check_increments,
    check_leg_distances,
    check_stop_side,
    check_minimums,
    check_intent,
    check_day_trading,
    check_wash_trade,
    check_available,
    check_short,
    check_opposite_opening,
    check_crypto_balance,
    check_buying_power,
)

# Legs bring no asset, no position and no reference price with them: only the form is judged.
_MULTILEG_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    check_fields,
    check_quantity,
    check_client_order_id,
    check_account,
    check_multileg,
)


class AlpacaRules:
    """State whether Alpaca takes a request, and how it answers if not.

    The object holds settings only: the same facts always give the same answer, and nothing is
    remembered between calls.

    Parameters
    ----------
    options : AlpacaOptions, optional
        Choices where the documentation leaves them.

    Examples
    --------
    >>> from decimal import Decimal
    >>> order = OrderRequest(
    ...     symbol="SPY", side="buy", type="limit", time_in_force="day",
    ...     quantity=Decimal(1), limit_price=Decimal("290.123"),
    ... )
    >>> account = AccountFacts(
    ...     buying_power=Decimal(1000), non_marginable_buying_power=Decimal(1000),
    ...     equity=Decimal(1000),
    ... )
    >>> refusal = AlpacaRules().check(order, AssetFacts(symbol="SPY"), account, MarketFacts(), ts=0)
    >>> refusal.http_status, refusal.code
    (422, 42210000)
    >>> refusal.message
    'invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria'
    """

    def __init__(self, options: AlpacaOptions | None = None) -> None:
        self.options = options or AlpacaOptions()

    def check(
        self,
        request: OrderRequest,
        asset: AssetFacts | None,
        account: AccountFacts,
        market: MarketFacts,
        positions: Mapping[str, PositionFacts] | None = None,
        open_orders: Sequence[OpenOrder] = (),
        ts: int = 0,
        used_client_order_ids: Container[str] = frozenset(),
    ) -> Refusal | None:
        """Return how Alpaca refuses a new order, or None if it takes it.

        Parameters
        ----------
        request : OrderRequest
            The order.
        asset : AssetFacts or None
            None where there is no such asset.
        account : AccountFacts
            Buying power net of what open orders reserve.
        market : MarketFacts
            Prices and hours at `ts`; a check without the price it needs passes.
        positions : mapping of str to PositionFacts, optional
            By symbol; coins with or without the slash.
        open_orders : sequence of OpenOrder
            All orders of the account that are not final.
        ts : int
            Instant of the request, nanoseconds UTC: rules that changed are chosen by it.
        used_client_order_ids : container of str
            Every id the account has ever used.

        Returns
        -------
        Refusal or None
            The first fault found, in a fixed order.
        """
        case = Case(
            request=request,
            asset=asset,
            account=account,
            market=market,
            positions=positions or {},
            open_orders=open_orders,
            ts=ts,
            used_client_order_ids=used_client_order_ids,
            options=self.options,
        )
        for check in _MULTILEG_CHECKS if request.order_class == "mleg" else _CHECKS:
            refusal = check(case)
            if refusal is not None:
                return refusal
        return None

    def replace_check(
        self,
        order: OpenOrder | None,
        change: ReplaceRequest,
        asset: AssetFacts | None,
        account: AccountFacts,
        market: MarketFacts,
        positions: Mapping[str, PositionFacts] | None = None,
        open_orders: Sequence[OpenOrder] = (),
        ts: int = 0,
        used_client_order_ids: Container[str] = frozenset(),
        order_id: str = "",
    ) -> Refusal | None:
        """Return how Alpaca refuses to replace an order, or None if it takes the request.

        Taking the request is no promise: the old order may fill first. Parameters are those of
        `check`; `open_orders` may contain the order itself. An order that is not there is None,
        with the id that was asked for.
        """
        if order is None:
            return refuse(self.options, "order_not_found", id=order_id)
        case = Case(
            request=changes.new_order_request(order, change),
            asset=asset,
            account=account,
            market=market,
            positions=positions or {},
            open_orders=[other for other in open_orders if not order.competes_with(other)],
            ts=ts,
            used_client_order_ids=used_client_order_ids,
            options=self.options,
        )
        return changes.replace_check(case, order, change)

    def cancel_check(self, order: OpenOrder | None, order_id: str = "") -> Refusal | None:
        """Return how Alpaca refuses to cancel an order (None: no such order), or None."""
        if order is None:
            return refuse(self.options, "order_not_found", id=order_id)
        return changes.cancel_check(order, self.options)

    def close_check(
        self, position: PositionFacts | None, *, percentage: Decimal | None = None
    ) -> Refusal | None:
        """Return how Alpaca refuses DELETE /v2/positions/{symbol}, or None."""
        return changes.close_check(position, self.options, percentage=percentage)

    def default_time_in_force(self, asset_class: str) -> str:
        """Return the time in force an order gets that names none: gtc for crypto, else day."""
        return "gtc" if asset_class == "crypto" else "day"

    def initial_status(self, request: OrderRequest, market: MarketFacts) -> str:
        """Return the status in the answer to a POST: ``"pending_new"`` or ``"accepted"``."""
        return hours.initial_status(request, market)

    def expires_at(self, request: OrderRequest, market: MarketFacts, ts: int) -> int | None:
        """Return when a new order expires, nanoseconds UTC; None where nothing is stated."""
        return hours.expires_at(request, market, ts, self.options)

    def stop_limit(self, stop: Decimal) -> Decimal | None:
        """Return the limit that a buy stop in a stock turns into; None for a market order.

        Sell stops, trailing stops and those on coins become market orders.

        Examples
        --------
        >>> AlpacaRules().stop_limit(Decimal("101.10")), AlpacaRules().stop_limit(Decimal(20))
        (Decimal('103.62'), Decimal('20.80'))
        """
        if not self.options.collars_buy_stops:
            return None
        tick = Decimal("0.01") if stop >= 1 else Decimal("0.0001")
        return collared(stop, self.options).quantize(tick, ROUND_DOWN)

    def order_value(self, request: OrderRequest, market: MarketFacts) -> Decimal | None:
        """Return the dollars an opening order reserves; None where no price is known."""
        return order_value(request, market, self.options)

    def reserved_value(self, order: OpenOrder, market: MarketFacts) -> Decimal | None:
        """Return the dollars an open opening order still reserves for its unfilled rest."""
        return order_value(as_request(order), market, self.options)

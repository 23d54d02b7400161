"""What `AlpacaRules` is told: the request, and what is true of asset, account, market and orders.

All amounts are `Decimal`; words are those of Alpaca's wire format. Nothing here knows a kernel, a
server or a client, so that each of them can fill it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pyrt.venues.extended_hours import ExtendedHours, Phase

__all__ = [
    "COMPLEX_CLASSES",
    "TERMINAL_STATUSES",
    "AccountFacts",
    "AssetFacts",
    "MarketFacts",
    "OpenOrder",
    "OptionLeg",
    "OrderRequest",
    "PositionFacts",
    "ReplaceRequest",
    "is_whole",
    "market_facts",
]

COMPLEX_CLASSES = frozenset({"bracket", "oco", "oto"})
TERMINAL_STATUSES = frozenset({"filled", "canceled", "expired", "replaced", "rejected"})


def is_whole(quantity: Decimal) -> bool:
    """Tell whether a quantity is a whole number of shares."""
    return quantity == quantity.to_integral_value()


@dataclass(frozen=True, kw_only=True)
class OptionLeg:
    """One leg of a multi-leg option order."""

    symbol: str
    ratio_quantity: int
    side: str
    position_intent: str | None = None


@dataclass(frozen=True, kw_only=True)
class OrderRequest:
    """The body of POST /v2/orders, with decimals parsed and nothing else interpreted.

    Attributes
    ----------
    quantity, notional : Decimal or None
        Units, or dollars; Alpaca wants exactly one.
    trail_price, trail_percent : Decimal or None
        Distance of a trailing stop, in dollars or in percent.
    take_profit_limit, stop_loss_stop, stop_loss_limit : Decimal or None
        Prices of the legs of a bracket, OCO or OTO; ignored by Alpaca on a simple order.
    client_order_id : str or None
        None or empty: Alpaca makes one up.
    position_intent : str or None
        buy_to_open, buy_to_close, sell_to_open, sell_to_close; None: inferred.
    legs : tuple of OptionLeg
        Of a multi-leg option order (`order_class` mleg), which has no symbol and no side.
    """

    symbol: str
    side: str
    type: str
    time_in_force: str
    asset_class: str = "us_equity"
    order_class: str = "simple"
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    take_profit_limit: Decimal | None = None
    stop_loss_stop: Decimal | None = None
    stop_loss_limit: Decimal | None = None
    client_order_id: str | None = None
    position_intent: str | None = None
    legs: tuple[OptionLeg, ...] = ()

    @property
    def is_crypto(self) -> bool:
        """Whether the order is for a coin."""
        return self.asset_class == "crypto"

    @property
    def is_complex(self) -> bool:
        """Whether the order carries or is a leg group (bracket, OCO, OTO)."""
        return self.order_class in COMPLEX_CLASSES

    @property
    def is_fractional(self) -> bool:
        """Whether the order is by dollars or for a part of a share (equities)."""
        if self.is_crypto:
            return False
        return self.notional is not None or (
            self.quantity is not None and not is_whole(self.quantity)
        )


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """What GET /v2/assets says that the rules read.

    Attributes
    ----------
    borrow_status : str
        easy_to_borrow, hard_to_borrow or not_available.
    is_located : bool
        Whether shares of a hard-to-borrow asset were located for this account.
    min_order_size, min_trade_increment, price_increment : Decimal or None
        Crypto only; None means not restricted.
    """

    symbol: str
    asset_class: str = "us_equity"
    is_active: bool = True
    is_tradable: bool = True
    is_fractionable: bool = True
    is_shortable: bool = True
    borrow_status: str = "easy_to_borrow"
    is_located: bool = False
    min_order_size: Decimal | None = None
    min_trade_increment: Decimal | None = None
    price_increment: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class AccountFacts:
    """What GET /v2/account and its configuration say that the rules read.

    Attributes
    ----------
    buying_power, non_marginable_buying_power : Decimal
        Dollars available now, that is after what open orders reserve, as Alpaca reports them.
    equity : Decimal
        Dollars; below 2,000 there is neither margin nor shorting.
    is_blocked : bool
        trading_blocked, account_blocked or trade_suspended_by_user.
    is_shorting_enabled, no_shorting : bool
        The account's permission, and the user's own switch against it.
    day_trade_count : int
        Day trades in five sessions; read only where the pattern-day-trader rule is switched on.
    """

    buying_power: Decimal
    non_marginable_buying_power: Decimal
    equity: Decimal
    is_blocked: bool = False
    is_shorting_enabled: bool = True
    no_shorting: bool = False
    is_fractional_enabled: bool = True
    day_trade_count: int = 0


@dataclass(frozen=True, kw_only=True)
class PositionFacts:
    """One position: signed units, and whether it was opened in today's session."""

    symbol: str
    quantity: Decimal
    was_opened_today: bool = False


@dataclass(frozen=True, kw_only=True)
class MarketFacts:
    """The market at the instant of the request.

    Attributes
    ----------
    bid, ask, last : Decimal or None
        Best quotes and last trade; None where unknown: what needs them is then not checked.
    phase : Phase
        Part of the US equity trading day; crypto ignores it.
    next_open_ns, session_close_ns : int or None
        Open strictly after the instant; close of the session that contains it or comes next.
    after_hours_close_ns : int or None
        End of after-hours of the trading date the instant belongs to.
    """

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    phase: Phase = Phase.REGULAR
    next_open_ns: int | None = None
    session_close_ns: int | None = None
    after_hours_close_ns: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the regular session is running."""
        return self.phase is Phase.REGULAR

    @property
    def midpoint(self) -> Decimal | None:
        """Middle of the quotes, or the one that is there."""
        if self.bid is None or self.ask is None:
            return self.bid if self.ask is None else self.ask
        return (self.bid + self.ask) / 2

    @property
    def current_price(self) -> Decimal | None:
        """What Alpaca calls the current price: the last trade, else the midpoint."""
        return self.midpoint if self.last is None else self.last


def market_facts(
    hours: ExtendedHours,
    ts: int,
    *,
    bid: Decimal | None = None,
    ask: Decimal | None = None,
    last: Decimal | None = None,
) -> MarketFacts:
    """Return the market at `ts` (nanoseconds UTC) from the US trading hours and its prices."""
    table = hours.sessions
    return MarketFacts(
        bid=bid,
        ask=ask,
        last=last,
        phase=hours.phase(ts),
        next_open_ns=table.next_open(ts),
        session_close_ns=table.next_close(ts),
        after_hours_close_ns=int(hours.after_hours_close[hours.trading_row(ts)]),
    )


@dataclass(frozen=True, kw_only=True)
class OpenOrder:
    """An order Alpaca knows, as far as other requests depend on it.

    Attributes
    ----------
    id : str
        Alpaca's id.
    quantity : Decimal or None
        None for an order by dollars.
    leaves : Decimal
        Units not yet filled.
    is_leg : bool
        A take-profit or stop-loss of a group, or a leg of a multi-leg order.
    pair : str
        The same text for two exits of which one cancels the other; "" for any other order.
    """

    id: str
    symbol: str
    side: str
    type: str
    time_in_force: str = "day"
    status: str = "new"
    asset_class: str = "us_equity"
    order_class: str = "simple"
    quantity: Decimal | None = None
    notional: Decimal | None = None
    filled_quantity: Decimal = Decimal(0)
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    client_order_id: str = ""
    is_leg: bool = False
    pair: str = ""

    @property
    def leaves(self) -> Decimal:
        """Units not yet filled; 0 for an order by dollars, whose units are not known."""
        return Decimal(0) if self.quantity is None else self.quantity - self.filled_quantity

    @property
    def is_working(self) -> bool:
        """Whether it can still trade by itself: neither final nor held for another order."""
        return self.status not in TERMINAL_STATUSES and self.status != "held"

    def competes_with(self, other: OpenOrder) -> bool:
        """Return whether two orders are one, or of one pair: they hold the same units."""
        return self.id == other.id or (self.pair != "" and self.pair == other.pair)


@dataclass(frozen=True, kw_only=True)
class ReplaceRequest:
    """The body of PATCH /v2/orders/{id}; None leaves a parameter as it is.

    Attributes
    ----------
    quantity : Decimal or None
        New total, filled units included.
    trail : Decimal or None
        New trail price or percent, whichever the order has.
    """

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    time_in_force: str | None = None
    client_order_id: str | None = None

    @property
    def changes(self) -> tuple[str, ...]:
        """Names of the parameters given, the client order id apart."""
        names = ("quantity", "limit_price", "stop_price", "trail", "time_in_force")
        return tuple(name for name in names if getattr(self, name) is not None)

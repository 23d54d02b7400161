"""What a broker says of an account, in words that no broker owns; adapters fill it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

CLOCKS_APART_NS = 30_000_000_000
"""How far our clock may be ahead of the broker's, and a price's stamp ahead of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """An order as the broker lists it."""

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: str
    status: str
    is_open: bool
    filled: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFill:
    """An execution as the broker's activities tell it."""

    activity_id: str
    venue_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    cumulative: Decimal
    ts_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAdjustment:
    """A change of position or cash without an order of ours: a split, a bust, a fee, a transfer.

    Attributes
    ----------
    kind : str
        ``split``, ``symbol_change``, ``bust``, ``correction``, ``dividend``, ``fee``, ``interest``,
        ``borrow``, ``cash``; of the node's own making ``coin_fee`` and ``canceled``.
    quantity, amount : Decimal
        Signed changes of units and of cash.
    """

    activity_id: str
    kind: str
    symbol: str
    quantity: Decimal
    amount: Decimal
    text: str
    ts_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerState:
    """One look at the account; positions were read last, after orders and activities.

    Attributes
    ----------
    positions : dict
        Symbol → signed units; symbols as the node writes them.
    prices : dict
        Symbol → what the broker values a unit of it at; what is held only.
    coin_tier : int
        Number of the tier by which trades in coins are charged; 0 where it is not told.
    canceled : tuple of BrokerAdjustment
        Changes that the broker has taken back: they are none, or none any more.
    orders_complete : bool
        Whether `orders` is the full paged list since `orders_after`.
    multiplier : int
        Buying power for each dollar of equity that is free; 0 where the broker does not say.
    shorting : bool
        Whether the account may sell short now.
    last_equity, last_maintenance : Decimal
        Equity and maintenance margin when the last day ended.
    balance_date : str
        That day, ``2024-01-02``; "" where it is not told.
    next_close : int
        When the session that is under way, or comes next, ends, ns UTC; 0 where it is not told.
    raw : object
        What the adapter needs to apply it.
    """

    WHAT: ClassVar[str] = "broker_state"

    ts: int
    account: str
    may_trade: bool
    status: str
    cash: Decimal
    equity: Decimal
    positions: dict[str, Decimal]
    orders: tuple[BrokerOrder, ...]
    fills: tuple[BrokerFill, ...]
    adjustments: tuple[BrokerAdjustment, ...]
    orders_after: int = 0
    orders_complete: bool = True
    activities_until: str = ""
    session_open: bool | None = None
    server_ts: int = 0
    multiplier: int = 0
    shorting: bool = False
    last_equity: Decimal = Decimal(0)
    last_maintenance: Decimal = Decimal(0)
    balance_date: str = ""
    next_close: int = 0
    coin_tier: int = 0
    prices: dict[str, Decimal] = field(default_factory=dict)
    canceled: tuple[BrokerAdjustment, ...] = ()
    raw: Any = field(default=None, repr=False, compare=False)

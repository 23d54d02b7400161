"""What the client core tells the node: decoded, stamped, and in the kernel's words.

`WHAT` names the kind of an event for whoever takes it; `pyrt.live` reads it and no class.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from pyrt.live.core.broker import BrokerState


class BarEvent(msgspec.Struct, frozen=True, gc=False):
    """A bar, stamped at its close as everywhere in pyrt.

    Attributes
    ----------
    prices : tuple of float
        Open, high, low, close and volume.
    kind : str
        ``bar``; ``updated`` for one that late trades changed; ``daily`` for the day so far.
    """

    WHAT: ClassVar[str] = "bar"

    symbol: str
    ts_open: int
    ts_close: int
    prices: tuple[float, float, float, float, float]
    kind: str = "bar"


class QuoteEvent(msgspec.Struct, frozen=True, gc=False):
    """A best bid and offer; a price of 0 means that side is empty."""

    WHAT: ClassVar[str] = "quote"

    symbol: str
    ts_event: int
    bid_price: float
    bid_size: float
    ask_price: float
    ask_size: float


class TradeEvent(msgspec.Struct, frozen=True, gc=False):
    """A print on the market; `aggressor` is 1 for a buyer, -1 for a seller, 0 if not told."""

    WHAT: ClassVar[str] = "trade"

    symbol: str
    ts_event: int
    price: float
    size: float
    aggressor: int = 0


class BookEvent(msgspec.Struct, frozen=True, gc=False):
    """A message of an order book: levels and what they show now, size 0 for those that are gone.

    Attributes
    ----------
    bids, asks : tuple of (price, size)
    is_full : bool
        Whether it is the whole book: what it leaves out is gone.
    """

    WHAT: ClassVar[str] = "book"

    symbol: str
    ts_event: int
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    is_full: bool = False


class BookGapEvent(msgspec.Struct, frozen=True, gc=False):
    """Changes of a book were lost, as by a broken connection; its next full message mends it."""

    WHAT: ClassVar[str] = "book_gap"

    symbol: str
    ts_event: int


class NewsGapEvent(msgspec.Struct, frozen=True, gc=False):
    """The stream stands again after it was away: news of that time are told by nobody."""

    WHAT: ClassVar[str] = "news_gap"

    ts_event: int


class StatusEvent(msgspec.Struct, frozen=True, gc=False):
    """A change of a symbol's trading state.

    Attributes
    ----------
    status : str
        ``halted``, ``trading``, ``quoting`` or, for codes not known, the broker's own words.
    """

    WHAT: ClassVar[str] = "status"

    symbol: str
    ts_event: int
    status: str
    reason: str = ""


class BandsEvent(msgspec.Struct, frozen=True, gc=False):
    """Price bands of a stock; both 0 while they are suspended.

    Attributes
    ----------
    indicator : str
        The feed's code of why they are told.
    """

    WHAT: ClassVar[str] = "bands"

    symbol: str
    ts_event: int
    lower: float
    upper: float
    indicator: str = ""


class CorrectionEvent(msgspec.Struct, frozen=True, gc=False):
    """A print that was wrong: corrected, or (`price` 0) canceled.

    Attributes
    ----------
    kind : str
        ``corrected``, ``canceled`` or ``error``.
    old_price, old_size, price, size : float
        The print as it was told, and as it should have been.
    """

    WHAT: ClassVar[str] = "correction"

    symbol: str
    ts_event: int
    kind: str
    old_price: float
    old_size: float
    price: float = 0.0
    size: float = 0.0


class AnswerEvent(msgspec.Struct, frozen=True):
    """What the broker said about an order, other than a fill.

    Attributes
    ----------
    terms : tuple of str or None
        Quantity, limit price and stop price now in force; for ``modified``.
    """

    WHAT: ClassVar[str] = "answer"

    kind: str
    number: int
    ts_event: int
    reason: str = ""
    terms: tuple[str | None, str | None, str | None] = (None, None, None)


class FillEvent(msgspec.Struct, frozen=True):
    """An execution; with the order, `cumulative` identifies it.

    Attributes
    ----------
    liquidity : str
        ``maker``, ``taker``, or "" where it cannot be told.
    position : str
        What the account holds of the symbol after it; "" where the broker does not say.
    keeps : tuple of (liquidity, units)
        Of what was bought, what the broker may keep as his fee; () where he takes money.
    """

    WHAT: ClassVar[str] = "fill"

    number: int
    ts_event: int
    quantity: str
    price: str
    cumulative: str
    liquidity: str = ""
    position: str = ""
    keeps: tuple[tuple[str, str], ...] = ()


class CashEvent(msgspec.Struct, frozen=True):
    """A change of cash by the broker that is no fill: a fee, a dividend, a transfer.

    Attributes
    ----------
    kind : str
        The broker's type of activity, such as ``FEE``, ``CFEE``, ``DIV``, ``CSD``.
    amount : str
        Signed: what cash has gained.
    activity_id : str
        The broker's id; each is told once.
    """

    WHAT: ClassVar[str] = "cash"

    kind: str
    ts_event: int
    amount: str
    activity_id: str
    currency: str = "USD"
    text: str = ""


class Alarm(msgspec.Struct, frozen=True):
    """Something a person should know; `code` is stable, `text` is for reading."""

    WHAT: ClassVar[str] = "alarm"

    code: str
    text: str
    ts_event: int


class UnseenEvent(msgspec.Struct, frozen=True):
    """Nobody can tell what became of an order: the broker has not answered for long."""

    WHAT: ClassVar[str] = "unseen"

    number: int
    ts_event: int
    text: str


class NoLookEvent(msgspec.Struct, frozen=True):
    """A look at the whole account was given up."""

    WHAT: ClassVar[str] = "no_look"

    ts_event: int
    text: str


class WarmEvent(msgspec.Struct, frozen=True):
    """Past bars of a symbol, oldest first, that indicators are to be fed with."""

    WHAT: ClassVar[str] = "warm"

    symbol: str
    bars: tuple[BarEvent, ...]


class HistoryEvent(msgspec.Struct, frozen=True):
    """Past bars that a strategy has asked for, oldest first, under the number of its asking."""

    WHAT: ClassVar[str] = "history"

    number: int
    bars: tuple[BarEvent, ...]


class ComputedEvent(msgspec.Struct, frozen=True):
    """What slow work came to; an exception stands for one that was raised."""

    WHAT: ClassVar[str] = "computed"

    number: int
    result: Any


MarketEvent = (
    BarEvent
    | QuoteEvent
    | TradeEvent
    | BookEvent
    | BookGapEvent
    | StatusEvent
    | BandsEvent
    | CorrectionEvent
)
Event = (
    MarketEvent
    | NewsGapEvent
    | AnswerEvent
    | FillEvent
    | CashEvent
    | UnseenEvent
    | NoLookEvent
    | WarmEvent
    | HistoryEvent
    | ComputedEvent
    | BrokerState
    | Alarm
)

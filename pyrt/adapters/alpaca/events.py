"""What the client core tells the node: decoded, stamped, and in the kernel's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BarEvent:
    """A bar, stamped at its close as everywhere in pyrt.

    Attributes
    ----------
    prices : tuple of float
        Open, high, low, close and volume.
    kind : str
        ``bar``; ``updated`` for one that late trades changed; ``daily`` for the day so far.
    """

    symbol: str
    ts_open: int
    ts_close: int
    prices: tuple[float, float, float, float, float]
    kind: str = "bar"


@dataclass(frozen=True, slots=True)
class QuoteEvent:
    """A best bid and offer; a price of 0 means that side is empty."""

    symbol: str
    ts_event: int
    bid_price: float
    bid_size: float
    ask_price: float
    ask_size: float


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A print on the market."""

    symbol: str
    ts_event: int
    price: float
    size: float


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """What the broker said about an order, other than a fill.

    Attributes
    ----------
    terms : tuple of str or None
        Quantity, limit price and stop price now in force; for ``modified``.
    """

    kind: str
    number: int
    ts_event: int
    reason: str = ""
    terms: tuple[str | None, str | None, str | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class FillEvent:
    """An execution; with the order, `cumulative` identifies it."""

    number: int
    ts_event: int
    quantity: str
    price: str
    cumulative: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person should know; `code` is stable, `text` is for reading."""

    code: str
    text: str
    ts_event: int = 0


Event = BarEvent | QuoteEvent | TradeEvent | AnswerEvent | FillEvent | Alarm

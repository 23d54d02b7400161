"""The one table of topics that leave a process, and which bus message becomes which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyrt.core.bus import escape
from pyrt.core.data import (
    Bar,
    BookDelta,
    CorporateAction,
    CustomData,
    Quote,
    Signal,
    Status,
    Trade,
)
from pyrt.core.orders import Fill, OrderEvent
from pyrt.core.positions import Position
from pyrt.core.serialization import to_dict
from pyrt.errors import DataError

TOPICS: dict[str, str] = {
    "data.bars.SYMBOL.TIMEFRAME": "Bar, when it has closed",
    "data.quotes.SYMBOL": "Quote",
    "data.trades.SYMBOL": "Trade, a print on the market",
    "data.book.SYMBOL": "BookDelta",
    "data.status.SYMBOL": "Status: halts and resumptions",
    "data.actions.SYMBOL": "CorporateAction",
    "data.custom.NAME": "CustomData",
    "signal.SYMBOL": "Signal, of a strategy or a model",
    "risk.approved.STRATEGY": "OrderEvent of an order that the risk gate let leave",
    "risk.denied.STRATEGY": "OrderEvent of an order that it held back, with the reason",
    "order.STRATEGY": "OrderEvent: every step of every order",
    "order.STRATEGY.fill": "Fill, an execution of ours",
    "position.STRATEGY.SYMBOL": "position after a fill",
    "system.heartbeat": "the publisher is alive: its status",
}
"""Wire topic → what is sent on it. Symbols escape `.`, `*` and `?` as on the bus."""

BUS_PATTERNS: dict[str, tuple[str, ...]] = {
    "data": ("data.*",),
    "signal": ("signal.*",),
    "risk": ("order.*",),
    "order": ("order.*", "fill.*"),
    "position": ("position.*",),
}
"""First part of a wire topic → patterns of the bus where its messages come from."""

Wired = tuple[str, dict[str, Any]]

_DATA: dict[type, Callable[[Any], str]] = {
    Bar: lambda bar: f"data.bars.{escape(bar.symbol)}.{bar.timeframe}",
    Quote: lambda quote: f"data.quotes.{escape(quote.symbol)}",
    Trade: lambda trade: f"data.trades.{escape(trade.symbol)}",
    BookDelta: lambda delta: f"data.book.{escape(delta.symbol)}",
    Status: lambda status: f"data.status.{escape(status.symbol)}",
    CorporateAction: lambda action: f"data.actions.{escape(action.symbol)}",
    CustomData: lambda data: f"data.custom.{escape(data.name)}",
    Signal: lambda signal: f"signal.{escape(signal.symbol)}",
}
_VERDICTS = {"sent": "risk.approved", "denied": "risk.denied"}


def wired(message: Any, strategy_names: Callable[[int], str] = str) -> Iterator[Wired]:
    """Yield (wire topic, payload) for a message of the bus.

    Parameters
    ----------
    message : object
        Of a type in `pyrt.core`, or a dict with a ``"topic"``.
    strategy_names : callable, optional
        A strategy's number → its name; positions know the number only.

    Raises
    ------
    DataError
        If the message is of no type that can be sent.
    """
    topic_of = _DATA.get(type(message))
    if topic_of is not None:
        yield topic_of(message), to_dict(message)
    elif isinstance(message, OrderEvent):
        name, payload = _owner(message.order), to_dict(message)
        yield f"order.{name}", payload
        if message.kind in _VERDICTS:
            yield f"{_VERDICTS[message.kind]}.{name}", payload
    elif isinstance(message, Fill):
        yield f"order.{_owner(message.order)}.fill", to_dict(message)
    elif isinstance(message, Position):
        name = escape(strategy_names(message.strategy))
        payload = {"type": "Position", **message.to_dict()}
        yield f"position.{name}.{escape(message.symbol)}", payload
    else:
        raise DataError(
            f"{type(message).__name__} cannot be sent to another process",
            remedy="Publish data, orders, positions or Signal; CustomData carries anything else",
        )


def _owner(order: Any) -> str:
    owner = None if order is None else order.strategy
    return "" if owner is None else escape(owner.name)

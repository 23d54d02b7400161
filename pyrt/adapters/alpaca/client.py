"""The client core: orders out as requests, bytes in as events; a state machine without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from pyrt.adapters.alpaca.messages import (
    BarMessage,
    ErrorBody,
    OrderRequest,
    OrderView,
    TradeUpdate,
    TradeUpdateFrame,
)
from pyrt.core.orders import Order
from pyrt.core.times import timestamp_ns

BAR_NS = 60_000_000_000
UPDATE_KINDS = {
    "new": "accepted",
    "accepted": "accepted",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
    "held": "held",
}
"""Trade-update events that are answers about an order; fills are apart, others change nothing."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request for the shell to send; the answer comes back with it."""

    method: str
    path: str
    body: bytes
    order_number: int


@dataclass(frozen=True, slots=True)
class BarEvent:
    """A bar, stamped at its close as everywhere in pyrt."""

    symbol: str
    ts_open: int
    ts_close: int
    prices: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """What the broker said about an order, other than a fill."""

    kind: str
    number: int
    ts_event: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FillEvent:
    """An execution; with the order, `cumulative` identifies it."""

    number: int
    ts_event: int
    quantity: str
    price: str
    cumulative: str


Event = BarEvent | AnswerEvent | FillEvent


class AlpacaClient:
    """Speaks Alpaca's protocol for one account: takes commands and bytes, gives requests and events.

    Parameters
    ----------
    prefix : str
        Begins the client order ids of this run; others' orders are not ours to report.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._requests: list[HttpRequest] = []
        self._venue_ids: dict[int, str] = {}
        self._acknowledged: set[int] = set()
        self._updates = msgspec.json.Decoder(TradeUpdateFrame)
        self._bars = msgspec.json.Decoder(list[BarMessage])

    # -- commands out --------------------------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Queue the request that places an order; its id is minted once and never changes."""
        notional = order.notional
        body = OrderRequest(
            symbol=order.symbol,
            side=order.side.name.lower(),
            type=order.order_type,
            time_in_force=order.time_in_force,
            client_order_id=order.client_order_id,
            qty=f"{order.quantity_exact:f}" if notional is None else None,
            notional=None if notional is None else repr(notional),
            limit_price=_text(order.limit_price),
            stop_price=_text(order.stop_price),
            trail_price=_text(order.trail_amount),
            trail_percent=_text(order.trail_percent),
            extended_hours=order.extended_hours,
        )
        self._queue("POST", "/v2/orders", msgspec.json.encode(body), order)

    def change(self, order: Order, changes: dict[str, Any]) -> None:
        """Queue the request that replaces an order's terms."""
        names = {"quantity": "qty", "trail": "trail"}
        body = {names.get(name, name): str(value) for name, value in changes.items()}
        self._queue("PATCH", self._path_of(order), msgspec.json.encode(body), order)

    def withdraw(self, order: Order) -> None:
        """Queue the request that cancels an order."""
        self._queue("DELETE", self._path_of(order), b"", order)

    def _path_of(self, order: Order) -> str:
        return f"/v2/orders/{self._venue_ids.get(order.number, order.client_order_id)}"

    def _queue(self, method: str, path: str, body: bytes, order: Order) -> None:
        self._requests.append(HttpRequest(method, path, body, order.number))

    def take_requests(self) -> list[HttpRequest]:
        """Return the requests to send now, oldest first."""
        taken, self._requests = self._requests, []
        return taken

    # -- bytes in ------------------------------------------------------------------------------

    def receive_response(
        self, request: HttpRequest, status: int, body: bytes, ts: int
    ) -> list[Event]:
        """Take the answer to a request; a refusal by the broker is an event.

        What is ambiguous (time-outs, 5xx, bodies that make no sense) is reported as ``unknown``:
        it is never taken for a refusal.
        """
        number = request.order_number
        if 200 <= status < 300:
            if request.method == "POST":
                view = msgspec.json.decode(body, type=OrderView)
                self._venue_ids[number] = view.id
            return []
        if 400 <= status < 500 and status != 408:
            error = msgspec.json.decode(body, type=ErrorBody)
            kind = {"POST": "rejected", "PATCH": "modify_rejected"}.get(
                request.method, "cancel_rejected"
            )
            return [AnswerEvent(kind, number, ts, f"{error.code}: {error.message}")]
        return [AnswerEvent("unknown", number, ts, f"HTTP {status}")]

    def receive_trade_update(self, frame: bytes) -> list[Event]:
        """Take a frame of the trade-updates stream."""
        update = self._updates.decode(frame).data
        number = self._number_of(update.order.client_order_id)
        if number is None:
            return []
        self._venue_ids[number] = update.order.id
        return list(self._events_of(number, update))

    def _events_of(self, number: int, update: TradeUpdate) -> Iterable[Event]:
        ts = timestamp_ns(update.timestamp)
        if update.event in ("fill", "partial_fill"):
            yield FillEvent(
                number, ts, update.qty or "0", update.price or "0", update.order.filled_qty
            )
            return
        kind = UPDATE_KINDS.get(update.event)
        if kind is None or (kind == "accepted" and number in self._acknowledged):
            return
        if kind == "accepted":
            self._acknowledged.add(number)
        yield AnswerEvent(kind, number, ts, update.reason or "")

    def receive_market_data(self, frame: bytes) -> list[Event]:
        """Take a frame of the market-data stream; bars come stamped at their open."""
        events: list[Event] = []
        for bar in self._bars.decode(frame):
            ts_open = timestamp_ns(bar.time)
            prices = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            events.append(BarEvent(bar.symbol, ts_open, ts_open + BAR_NS, prices))
        return events

    def _number_of(self, client_order_id: str) -> int | None:
        suffix = client_order_id.removeprefix(self._prefix)
        if suffix == client_order_id or not suffix.isdigit():
            return None
        return int(suffix)


def _text(price: float | None) -> str | None:
    return None if price is None else repr(price)

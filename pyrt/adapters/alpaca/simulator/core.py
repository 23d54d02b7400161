"""The simulator core: Alpaca's paper exchange as a state machine without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from pyrt.adapters.alpaca.messages import (
    BarMessage,
    ErrorBody,
    OrderRequest,
    OrderView,
    TradeUpdate,
    TradeUpdateFrame,
)
from pyrt.backtest.exchange import Exchange
from pyrt.core.times import format_ns

UPDATE_NAMES = {
    "accepted": "new",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
    "held": "held",
}
STATUS_NAMES = {"accepted": "new", **{k: k for k in ("canceled", "expired", "rejected", "held")}}
STAMPS = {"canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at"}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes


class SimulatorCore:
    """Takes requests and the time, returns responses and messages to push.

    Parameters
    ----------
    exchange : Exchange
        Matching, account and recorded bars.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._orders: dict[int, OrderView] = {}
        self._numbers: dict[str, int] = {}
        self._trade_updates: list[bytes] = []
        self._market_data: list[bytes] = []

    @property
    def now(self) -> int:
        """The simulator's time, ns UTC: it owns it."""
        return int(self._exchange.now)

    # -- time ----------------------------------------------------------------------------------

    def instants(self) -> Iterator[int]:
        """Yield every instant, once for each of its phases; settle all clients before the next.

        Phases follow a backtest's ranks: what ends, the calendar, what happens.
        """
        exchange = self._exchange
        while (due := exchange.next_instant()) is not None:
            exchange.move_to(due)
            ended = exchange.end_bars()
            self._publish()
            if ended:
                self._market_data.append(self._bar_frame(ended))
            yield self.now
            exchange.calendar()
            self._publish()
            yield self.now
            exchange.open_bars()
            self._publish()
            yield self.now

    def take_trade_updates(self) -> list[bytes]:
        """Return frames to push on the trade-updates stream, oldest first."""
        taken, self._trade_updates = self._trade_updates, []
        return taken

    def take_market_data(self) -> list[bytes]:
        """Return frames to push on the market-data stream, oldest first."""
        taken, self._market_data = self._market_data, []
        return taken

    # -- requests ------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: bytes) -> Response:
        """Answer one request of the trading API."""
        if method == "POST" and path == "/v2/orders":
            return self._place(msgspec.json.decode(body, type=OrderRequest))
        if path.startswith("/v2/orders/"):
            number = self._numbers.get(path.removeprefix("/v2/orders/"))
            if number is None:
                return _refuse(404, 40410000, "order not found")
            if method == "DELETE":
                return self._cancel(number)
            if method == "GET":
                return Response(200, msgspec.json.encode(self._orders[number]))
        if method == "GET" and path == "/v2/account":
            return self._account()
        return _refuse(404, 40410000, f"endpoint not found: {method} {path}")

    def _place(self, request: OrderRequest) -> Response:
        number = len(self._orders) + 1
        order_id = str(UUID(int=number))
        client_order_id = request.client_order_id or order_id
        if client_order_id in self._numbers:
            return _refuse(422, 40010001, "client_order_id must be unique")
        stamp = format_ns(self.now)
        view = OrderView(
            id=order_id,
            client_order_id=client_order_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            status="pending_new",
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            extended_hours=request.extended_hours,
            created_at=stamp,
            updated_at=stamp,
            submitted_at=stamp,
        )
        self._orders[number] = view
        self._numbers[order_id] = self._numbers[client_order_id] = number
        answer = Response(200, msgspec.json.encode(view))
        self._exchange.submit(
            number,
            request.symbol,
            request.side,
            request.type,
            request.time_in_force,
            request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            trail_amount=request.trail_price,
            trail_percent=request.trail_percent,
            extended_hours=request.extended_hours,
        )
        self._publish()
        return answer

    def _cancel(self, number: int) -> Response:
        if not self._exchange.cancel(number):
            return _refuse(422, 42210000, f"order is already in {self._orders[number].status!r}")
        self._publish()
        return Response(204, b"")

    def _account(self) -> Response:
        account = self._exchange.venue.account
        body = {
            "id": str(UUID(int=0)),
            "account_number": "PA0000000",
            "status": "ACTIVE",
            "currency": account.base_currency,
            "cash": f"{account.cash_exact:f}",
            "equity": f"{account.equity_exact:f}",
            "buying_power": repr(account.buying_power),
        }
        return Response(200, msgspec.json.encode(body))

    # -- messages ------------------------------------------------------------------------------

    def _publish(self) -> None:
        """Turn what the exchange says into trade updates."""
        for event in self._exchange.take_events():
            frame = self._update_of(event)
            if frame is not None:
                self._trade_updates.append(msgspec.json.encode(frame))

    def _update_of(self, event: dict[str, Any]) -> TradeUpdateFrame | None:
        view = self._orders[event["number"]]
        stamp = format_ns(event["ts_event"])
        view.updated_at = stamp
        if event["kind"] == "fill":
            return TradeUpdateFrame("trade_updates", self._fill(view, event, stamp))
        if event["kind"] == "modified":
            view.qty = f"{event['quantity']:f}"
            return None
        if event["kind"] not in UPDATE_NAMES:
            return None
        view.status = STATUS_NAMES[event["kind"]]
        if event["kind"] in STAMPS:
            setattr(view, STAMPS[event["kind"]], stamp)
        return TradeUpdateFrame(
            "trade_updates",
            TradeUpdate(
                event=UPDATE_NAMES[event["kind"]],
                timestamp=stamp,
                at=stamp,
                order=view,
                reason=event["reason"] or None,
            ),
        )

    def _fill(self, view: OrderView, event: dict[str, Any], stamp: str) -> TradeUpdate:
        view.filled_qty = f"{event['cumulative']:f}"
        done = view.filled_qty == view.qty
        view.status = "filled" if done else "partially_filled"
        view.filled_at = stamp if done else None
        return TradeUpdate(
            event="fill" if done else "partial_fill",
            timestamp=stamp,
            at=stamp,
            execution_id=str(UUID(int=event["number"] << 64 | int(event["cumulative"] * 10**9))),
            price=f"{event['price']:f}",
            qty=f"{event['quantity']:f}",
            order=view,
        )

    @staticmethod
    def _bar_frame(ended: Sequence[tuple[Any, int]]) -> bytes:
        """One frame with the bars that ended, stamped at their open as Alpaca's are."""
        return msgspec.json.encode(
            [
                BarMessage(
                    symbol=columns.symbol,
                    open=float(columns.open[row]),
                    high=float(columns.high[row]),
                    low=float(columns.low[row]),
                    close=float(columns.close[row]),
                    volume=float(columns.volume[row]),
                    time=format_ns(int(columns.ts_open[row])),
                )
                for columns, row in ended
            ]
        )


def _refuse(status: int, code: int, message: str) -> Response:
    return Response(status, msgspec.json.encode(ErrorBody(code, message)))

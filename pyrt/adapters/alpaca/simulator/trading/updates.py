"""From the exchange's events to orders, holdings, activities and trade updates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from pyrt.adapters.alpaca.simulator.protocol.wires import eastern, is_pair, text, ulid, utc_text
from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from pyrt.adapters.alpaca.simulator.trading.desk import Desk, Holding
from pyrt.adapters.alpaca.simulator.trading.records import OrderRecord
from pyrt.venues.alpaca.facts import TERMINAL_STATUSES

STATUSES = {
    "accepted": "new",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
    "held": "held",
}
STAMPS = {"canceled": "canceled", "expired": "expired", "rejected": "failed"}
FEES = {True: "CFEE", False: "FEE"}
LOG_MAX = 50_000
"""Events that are kept at least, to be told again."""
SIBLING = "oco:"
"""How the exchange's reason begins when an order ends because its twin has filled."""


class Publisher:
    """Folds events into a desk and writes what clients hear of them.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._frames: list[bytes] = []
        self.log: list[tuple[str, int, bytes]] = []
        """The latest events: id, when it happened (ns UTC), JSON object."""
        self.forgotten = 0
        """Events before those of `log`."""

    def take(self) -> list[bytes]:
        """Return the frames since the last call, oldest first."""
        taken, self._frames = self._frames, []
        return taken

    def publish(self) -> None:
        """Work off what the exchange says."""
        for event in self._desk.exchange.take_events():
            record = self._desk.working[event["number"]]
            if event["kind"] == "fill":
                self._fill(record, event)
            elif event["kind"] == "modified":
                self._modify(record, event)
            elif event["kind"] in STATUSES:
                self._change(record, event)

    def wake(self, record: OrderRecord) -> None:
        """Send an order that waited for a session, which has begun."""
        if record.status == "accepted":
            record.status = "new"
            record.times["updated"] = self._desk.now
            self.say("new", record, self._desk.now)

    def say(self, event: str, record: OrderRecord, ts: int, **more: Any) -> None:
        """Write one trade update."""
        desk = self._desk
        desk.events += 1
        event_id = ulid(ts, desk.events)
        data = {
            "at": utc_text(desk.clock),
            "event_id": event_id,
            "event": event,
            "timestamp": utc_text(ts),
            "order": record.streamed(),
            **more,
        }
        body = msgspec.json.encode(data)
        self.log.append((event_id, ts, body))
        if len(self.log) > 2 * LOG_MAX:
            del self.log[:LOG_MAX]
            self.forgotten += LOG_MAX
        self._frames.append(b'{"stream":"trade_updates","data":' + body + b"}")

    def _change(self, record: OrderRecord, event: dict[str, Any]) -> None:
        kind, ts = event["kind"], event["ts_event"]
        status = STATUSES[kind]
        if record.is_final:
            # Its end was told before it came: a cancel that was confirmed too early.
            return
        record.times["updated"] = ts
        if kind == "accepted" and record.status == "accepted":
            self.say("accepted", record, ts)
            return
        if record.status == "pending_replace" and status not in TERMINAL_STATUSES:
            return
        if kind == "accepted" and record.parent is None:
            record.times["submitted"] = ts
        record.status = status
        if kind in STAMPS:
            record.times[STAMPS[kind]] = ts
        reason = event["reason"]
        if reason.startswith(SIBLING) and self._desk.faults.strikes("lost_leg_cancel"):
            return
        more = {"reason": reason} if reason else {}
        if status == "new":
            more["execution_id"] = self._next_execution()
        self.say(status, record, ts, **more)

    def _next_execution(self) -> str:
        self._desk.executions += 1
        return self._desk.made_id("execution", self._desk.executions)

    @staticmethod
    def _modify(record: OrderRecord, event: dict[str, Any]) -> None:
        quantity: Decimal = event["quantity"]
        if record.notional is not None:
            record.units = quantity
        else:
            record.quantity = quantity
        if event["stop_price"] is not None and record.type == "trailing_stop":
            record.stop_price = event["stop_price"]

    def _fill(self, record: OrderRecord, event: dict[str, Any]) -> None:
        desk = self._desk
        ts, quantity, price = event["ts_event"], event["quantity"], event["price"]
        if record.status == "accepted":
            record.status = "new"
            self.say("new", record, ts, execution_id=self._next_execution())
        record.filled_quantity = event["cumulative"]
        record.cost += quantity * price
        is_done = record.leaves == 0
        if is_done or record.status != "pending_replace":
            record.status = "filled" if is_done else "partially_filled"
        record.times["updated"] = ts
        if is_done:
            record.times["filled"] = ts
        holding = desk.holdings.setdefault(record.symbol, Holding())
        holding.trade(record.side, quantity - event["taken"], price, ts)
        execution = self._next_execution()
        self._note(record, execution, event, is_done=is_done)
        more = {} if is_pair(record.symbol) else {"settle_date": desk.settle_date(ts)}
        self.say(
            "fill" if is_done else "partial_fill",
            record,
            ts,
            price=text(price),
            qty=text(quantity),
            position_qty=text(holding.quantity),
            execution_id=execution,
            **more,
        )

    def _note(
        self, record: OrderRecord, execution: str, event: dict[str, Any], *, is_done: bool
    ) -> None:
        """Add the activities of a fill; its id begins with New York time."""
        ts = event["ts_event"]
        stamp = f"{eastern(ts):%Y%m%d%H%M%S}{ts // 1_000_000 % 1000:03d}"
        opens_short = record.side == "sell" and record.position_intent == "sell_to_open"
        self._desk.activities.append(
            {
                "id": f"{stamp}::{execution}",
                "activity_type": "FILL",
                "transaction_time": utc_text(ts),
                "type": "fill" if is_done else "partial_fill",
                "price": text(event["price"]),
                "qty": text(event["quantity"]),
                "side": "sell_short" if opens_short else record.side,
                "symbol": record.symbol,
                "leaves_qty": text(record.leaves),
                "order_id": record.id,
                "cum_qty": text(record.filled_quantity),
                "order_status": record.status,
            }
        )
        if event["taken"]:
            # Coins off a purchase: they change what is held, and no cash.
            add_booking(
                self._desk, "CFEE", Decimal(0), "Coin Pair Transaction Fee (Non USD)", ts,
                symbol=record.symbol.replace("/", ""), qty=text(-event["taken"]),
                price=text(event["price"]),
            )  # fmt: skip
        elif event["fee"]:
            pair = is_pair(record.symbol)
            add_booking(
                self._desk, FEES[pair], -event["fee"], f"fee of {execution}", ts,
                symbol=record.symbol,
            )  # fmt: skip

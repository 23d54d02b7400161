"""From the exchange's events to orders, holdings, activities and trade updates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from pyrt.adapters.alpaca.simulator.desk import Desk, Holding
from pyrt.adapters.alpaca.simulator.records import OrderRecord
from pyrt.adapters.alpaca.simulator.wires import eastern, text, ulid
from pyrt.core.times import format_ns

STATUSES = {
    "accepted": "new",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
    "held": "held",
}
STAMPS = {"canceled": "canceled", "expired": "expired", "rejected": "failed"}


class Publisher:
    """Folds events into a desk and writes what clients hear of them.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._events = 0
        self._executions = 0
        self._frames: list[bytes] = []

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
                self._modify(record, event["quantity"])
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
        self._events += 1
        stamp = format_ns(ts)
        body = record.body()
        del body["subtag"], body["source"]
        data = {
            "at": stamp,
            "event_id": ulid(ts, self._events),
            "event": event,
            "timestamp": stamp,
            "order": body,
            **more,
        }
        self._frames.append(msgspec.json.encode({"stream": "trade_updates", "data": data}))

    def _change(self, record: OrderRecord, event: dict[str, Any]) -> None:
        kind, ts = event["kind"], event["ts_event"]
        status = STATUSES[kind]
        record.times["updated"] = ts
        if kind == "accepted" and record.status == "accepted":
            self.say("accepted", record, ts)
            return
        if kind == "accepted" and record.parent is None:
            record.times["submitted"] = ts
        record.status = status
        if kind in STAMPS:
            record.times[STAMPS[kind]] = ts
        more = {"reason": event["reason"]} if event["reason"] else {}
        self.say(status, record, ts, **more)

    def _modify(self, record: OrderRecord, quantity: Decimal) -> None:
        if record.notional is not None:
            record.units = quantity
        else:
            record.quantity = quantity

    def _fill(self, record: OrderRecord, event: dict[str, Any]) -> None:
        ts, quantity, price = event["ts_event"], event["quantity"], event["price"]
        if record.status == "accepted":
            record.status, record.opens = "new", None
            self.say("new", record, ts)
        record.filled_quantity = event["cumulative"]
        record.cost += quantity * price
        is_done = record.leaves == 0
        record.status = "filled" if is_done else "partially_filled"
        record.times["updated"] = ts
        if is_done:
            record.times["filled"] = ts
        holding = self._desk.holdings.setdefault(record.symbol, Holding())
        holding.trade(record.side, quantity, price, ts)
        self._executions += 1
        execution = self._desk.made_id("execution", self._executions)
        self._note(record, execution, event, is_done=is_done)
        self.say(
            "fill" if is_done else "partial_fill",
            record,
            ts,
            price=text(price),
            qty=text(quantity),
            position_qty=text(holding.quantity),
            execution_id=execution,
        )

    def _note(
        self, record: OrderRecord, execution: str, event: dict[str, Any], *, is_done: bool
    ) -> None:
        """Add the activity of a fill; its id begins with New York time."""
        ts = event["ts_event"]
        stamp = f"{eastern(ts):%Y%m%d%H%M%S}{ts // 1_000_000 % 1000:03d}"
        self._desk.activities.append(
            {
                "id": f"{stamp}::{execution}",
                "activity_type": "FILL",
                "transaction_time": format_ns(ts),
                "type": "fill" if is_done else "partial_fill",
                "price": text(event["price"]),
                "qty": text(event["quantity"]),
                "side": record.side,
                "symbol": record.symbol,
                "leaves_qty": text(record.leaves),
                "order_id": record.id,
                "cum_qty": text(record.filled_quantity),
                "order_status": record.status,
            }
        )

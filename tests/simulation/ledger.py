"""What a simulation's exchange really did, by its own words.

The ledger reads the bytes that the exchange sends, before any fault: it shares no code with the
node, and so can judge it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

PRICE_MIN = Decimal(90)
"""No walk gets there."""
REPLACEMENT = re.compile(r"-r\d+$")
ENDED = frozenset({"filled", "canceled", "expired", "rejected", "replaced", "held"})


def stem_of(client_order_id: str) -> str:
    """Return the name of an order, of which replacements have their own."""
    return REPLACEMENT.sub("", client_order_id)


def units_of(order: dict[str, Any]) -> Decimal:
    """Return what an order could fill; of one by notional, no more than that."""
    if order["qty"] is not None:
        return Decimal(order["qty"])
    filled = Decimal(order["filled_qty"])
    spent = filled * Decimal(order["filled_avg_price"] or 0)
    return filled + max(Decimal(order["notional"]) - spent, Decimal(0)) / PRICE_MIN


@dataclass
class Placed:
    """An order as the exchange told of it."""

    client_order_id: str
    symbol: str
    side: str
    filled: Decimal = Decimal(0)
    carried: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    status: str = "new"
    quantity: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    """The largest quantity it has had: half a pair loses what the other half fills."""
    parent: str = ""
    pair: str = ""
    """Of a pair's other half: the client order id of the half that it was sent with."""

    @property
    def is_working(self) -> bool:
        """Whether it can fill: what is held waits for its entry."""
        return self.status not in ENDED

    @property
    def total(self) -> Decimal:
        """What it shows as filled."""
        return self.carried + self.filled


@dataclass
class OracleLedger:
    """Orders, positions and cash by the exchange's own frames."""

    cash: Decimal
    orders: dict[str, Placed] = field(default_factory=dict)
    positions: dict[str, Decimal] = field(default_factory=dict)
    bookings: list[tuple[str, Decimal]] = field(default_factory=list)
    """What moved cash and was no fill: kind and amount, oldest first."""
    _parents: dict[str, str] = field(default_factory=dict)
    _pairs: dict[str, str] = field(default_factory=dict)

    def book(self, kind: str, amount: Decimal) -> None:
        """Take what the broker has booked."""
        self.bookings.append((kind, amount))
        self.cash += amount

    def read(self, frame: bytes) -> None:
        """Take one frame of order news."""
        data = json.loads(frame)["data"]
        order = data["order"]
        placed = self.orders.get(order["id"])
        if placed is None:
            placed = Placed(order["client_order_id"], order["symbol"], order["side"])
            self.orders[order["id"]] = placed
            if order.get("replaces"):
                # A replacement counts what the order before it has filled.
                placed.carried = self.orders[order["replaces"]].total
        placed.status, placed.quantity = order["status"], units_of(order)
        placed.most = max(placed.most, placed.quantity)
        legs = self._pairs if order["order_class"] == "oco" else self._parents
        for leg in order["legs"] or ():
            # Entry or half may have been replaced by now; they keep their first names.
            legs.setdefault(leg["id"], stem_of(order["client_order_id"]))
        for known in (self._parents, self._pairs):
            if order["replaces"] in known:
                # With other terms it still belongs where it did.
                known[order["id"]] = known[order["replaces"]]
        placed.parent = self._parents.get(order["id"], "")
        placed.pair = self._pairs.get(order["id"], "")
        if data["event"] in ("fill", "partial_fill"):
            quantity, price = Decimal(data["qty"]), Decimal(data["price"])
            sign = 1 if order["side"] == "buy" else -1
            placed.filled += quantity
            placed.value += quantity * price
            self.cash -= sign * quantity * price
            held = self.positions.get(order["symbol"], Decimal(0))
            self.positions[order["symbol"]] = held + sign * quantity
            assert placed.total == Decimal(order["filled_qty"]), "the exchange miscounts"

    def filled_of(self, prefixes: str | tuple[str, ...], symbol: str) -> Decimal:
        """Return the signed units that orders with these prefixes have brought."""
        total = Decimal(0)
        for placed in self.orders.values():
            if placed.symbol == symbol and placed.client_order_id.startswith(prefixes):
                total += placed.filled if placed.side == "buy" else -placed.filled
        return total

"""The simulator's own record of an order, and how Alpaca shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.wires import asset_id, is_pair, text, utc_text
from pyrt.venues.alpaca import OpenOrder
from pyrt.venues.alpaca.facts import TERMINAL_STATUSES

STAMPS = ("updated", "submitted", "filled", "expired", "canceled", "failed", "replaced")


@dataclass(slots=True, kw_only=True)
class OrderRecord:
    """An order, its state and its times (ns UTC).

    Attributes
    ----------
    number : int
        The exchange's number; a replacement keeps it.
    quantity : Decimal or None
        As ordered; None for an order by value.
    units : Decimal or None
        Units of an order by value once they are known.
    cost : Decimal
        Sum of price times quantity over its executions.
    """

    id: str
    number: int
    client_order_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    status: str
    created: int
    quantity: Decimal | None = None
    units: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: str = ""
    extended_hours: bool = False
    position_intent: str = ""
    filled_quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    expires: int | None = None
    opens: int | None = None
    times: dict[str, int] = field(default_factory=dict)
    replaces: str | None = None
    replaced_by: str | None = None
    parent: str | None = None
    legs: list[OrderRecord] = field(default_factory=list)
    known: OpenOrder | None = None
    """What `facts` returned last."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.status in TERMINAL_STATUSES

    @property
    def total(self) -> Decimal | None:
        """Units it is for, where known."""
        return self.units if self.quantity is None else self.quantity

    @property
    def leaves(self) -> Decimal:
        """Units still to fill."""
        return (self.total or Decimal(0)) - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Mean price of its executions, to nine decimals."""
        if not self.filled_quantity:
            return None
        return (self.cost / self.filled_quantity).quantize(Decimal("1e-9"))

    @property
    def pair(self) -> str:
        """What two exits of one group have in common: the entry, or the first of the two."""
        return self.parent or self.id

    def facts(self) -> OpenOrder:
        """Return what the rules read of it; the same object while nothing of it changes."""
        known = self.known
        if (
            known is not None
            and known.status == self.status
            and known.filled_quantity is self.filled_quantity
            and known.quantity is self.quantity
            and known.limit_price is self.limit_price
            and known.stop_price is self.stop_price
            and known.id is self.id
            and known.pair == self.pair
        ):
            return known
        self.known = self._facts()
        return self.known

    def _facts(self) -> OpenOrder:
        return OpenOrder(
            id=self.id,
            symbol=self.symbol,
            side=self.side,
            type=self.type,
            time_in_force=self.time_in_force,
            status=self.status,
            asset_class="crypto" if is_pair(self.symbol) else "us_equity",
            order_class=self.order_class or "simple",
            quantity=self.quantity,
            notional=self.notional,
            filled_quantity=self.filled_quantity,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            trail_price=self.trail_price,
            trail_percent=self.trail_percent,
            extended_hours=self.extended_hours,
            client_order_id=self.client_order_id,
            is_leg=self.parent is not None,
            pair=self.pair,
        )

    def body(self, *, nested: bool = True) -> dict[str, Any]:
        """Return the JSON object, keys in the order of Alpaca's."""
        return {
            "id": self.id,
            "client_order_id": self.client_order_id,
            "created_at": utc_text(self.created),
            **{f"{name}_at": self._stamp(name) for name in STAMPS},
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": asset_id(self.symbol),
            "symbol": self.symbol,
            "asset_class": "crypto" if is_pair(self.symbol) else "us_equity",
            "notional": text(self.notional),
            "qty": text(self.quantity),
            "filled_qty": text(self.filled_quantity),
            "filled_avg_price": text(self.average_price),
            "order_class": self.order_class,
            "order_type": self.type,
            "type": self.type,
            "side": self.side,
            "position_intent": self.position_intent,
            "time_in_force": self.time_in_force,
            "limit_price": text(self.limit_price),
            "stop_price": text(self.stop_price),
            "status": self.status,
            "extended_hours": self.extended_hours,
            "legs": [leg.body() for leg in self.legs] if nested and self.legs else None,
            "trail_percent": text(self.trail_percent),
            "trail_price": text(self.trail_price),
            "hwm": None,
            "subtag": None,
            "source": None,
            "expires_at": None if self.expires is None else utc_text(self.expires),
        }

    def streamed(self) -> dict[str, Any]:
        """Return the JSON object as trade updates carry it."""
        body = self.body()
        del body["subtag"], body["source"]
        shown: dict[str, Any] = {}
        for name, value in body.items():
            shown[name] = value
            if name == "expired_at":
                shown["cancel_requested_at"] = self._stamp("cancel_requested")
        return shown

    def _stamp(self, name: str) -> str | None:
        ts = self.times.get(name)
        return None if ts is None else utc_text(ts)

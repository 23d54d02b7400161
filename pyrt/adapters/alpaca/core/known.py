"""What is known of one order: its ids and terms, and what its venue orders have executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pyrt.core.orders import Order

ZERO = Decimal(0)
NANO = Decimal("1e-9")


@dataclass(slots=True)
class Part:
    """One venue order: a replaced order has several, one after the other."""

    filled: Decimal = ZERO
    cost: Decimal = ZERO


@dataclass(slots=True)
class Known:
    """All we know of one order of ours.

    Attributes
    ----------
    venue_id : str
        The id in force; "" until the broker has shown one.
    next_id : str
        The id of a replacement that is asked for and not in force yet.
    is_replaced : bool
        That one has taken the place of `venue_id` at the broker: it is the one to look at.
    taken_at : int
        When the broker took a change that is neither in force nor given up; 0 without one.
    filled, cost : Decimal
        Units and their value, told to the kernel so far, over all venue orders.
    unplaced : Part
        What of it no venue order accounts for yet: it was told behind the end of a record.
    carries : bool
        Whether the venue counts fills on from one of its orders to the next: news of one that was
        replaced are old as far as any has been told.
    quantity : Decimal or None
        Of the order as the kernel knows it; None for one given by its notional and not filled yet.
    notional : Decimal or None
        What the order is to spend or to raise; None for one given by its quantity.
    unit : Decimal
        Smallest quantity of the instrument.
    buys_coins : bool
        Whether the broker's fee is taken in what is bought.
    is_unknown : bool
        The submit had an ambiguous outcome, and no evidence has come yet.
    """

    number: int
    client_order_id: str
    venue_id: str = ""
    next_id: str = ""
    is_replaced: bool = False
    taken_at: int = 0
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    parts: dict[str, Part] = field(default_factory=dict)
    unplaced: Part = field(default_factory=Part)
    carries: bool = False
    acknowledged: bool = False
    held: bool = False
    final: str = ""
    is_unknown: bool = False
    legs: tuple[Known, ...] = ()
    leg_type: str = ""
    quantity: Decimal | None = None
    notional: Decimal | None = None
    unit: Decimal = NANO
    buys_coins: bool = False

    @classmethod
    def of(cls, order: Order, **more: Any) -> Known:
        """Return an order with the terms it was given, and what `more` is known of it."""
        return cls(
            order.number,
            order.client_order_id,
            quantity=order.quantity_exact or None,
            notional=order.notional_exact,
            unit=Decimal(1).scaleb(-order.instrument.decimals),
            buys_coins=order.instrument.kind == "crypto" and order.side_sign > 0,
            **more,
        )

    @property
    def newest_id(self) -> str:
        """The id that stands for the order at the broker: the one to look at, and to cancel."""
        return self.next_id if self.is_replaced else self.venue_id

    @property
    def placed(self) -> Part:
        """What venue orders account for."""
        return Part(self.filled - self.unplaced.filled, self.cost - self.unplaced.cost)

    def level(self) -> None:
        """Where fills are carried on, let all venue orders have what any of them has told."""
        if self.carries:
            self.parts = dict.fromkeys(self.parts, self.placed)

    def is_exceeded_by(self, more: Decimal) -> bool:
        """Return whether it cannot have executed that much more, as far as its size is known."""
        return self.notional is None and (
            self.quantity is not None and self.placed.filled + more > self.quantity
        )

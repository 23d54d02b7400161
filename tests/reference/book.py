"""An order book as one would write it on a whiteboard: dicts, lists, whole numbers, no tricks.

Prices are ints in 1e-9 and sizes ints in any unit. Sides are 1 (bid) and -1 (ask).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pandas as pd


@dataclass
class SlowBook:
    """Totals by price, and the orders of each price in the order of their arrival."""

    unattributed: dict[tuple[int, int], int] = field(default_factory=dict)
    orders: dict[int, list[int]] = field(default_factory=dict)

    def set_level(self, side: int, price: int, size: int) -> None:
        for order_id in self.queue(side, price):
            del self.orders[order_id]
        self.unattributed[side, price] = size

    def add(self, order_id: int, side: int, price: int, size: int) -> None:
        self.orders.pop(order_id, None)
        if size > 0:
            self.orders[order_id] = [side, price, size]

    def reduce(self, order_id: int, size: int) -> None:
        if order_id in self.orders:
            self.orders[order_id][2] -= size
            if self.orders[order_id][2] <= 0:
                del self.orders[order_id]

    def modify(self, order_id: int, side: int, price: int, size: int) -> None:
        order = self.orders.get(order_id)
        if order is not None and order[:2] == [side, price] and 0 < size <= order[2]:
            order[2] = size
        else:
            self.add(order_id, side, price, size)

    def take_unattributed(self, side: int, price: int, size: int) -> None:
        there = self.unattributed.get((side, price), 0)
        self.unattributed[side, price] = max(0, there - size)

    def queue(self, side: int, price: int) -> list[int]:
        return [i for i, (s, p, _) in self.orders.items() if (s, p) == (side, price)]

    def levels(self, side: int) -> list[tuple[int, int]]:
        """Return (price, total) pairs, best first."""
        totals = {p: n for (s, p), n in self.unattributed.items() if s == side}
        for s, price, size in self.orders.values():
            if s == side:
                totals[price] = totals.get(price, 0) + size
        return sorted(
            ((p, n) for p, n in totals.items() if n > 0), key=lambda level: -side * level[0]
        )

    def size_ahead(self, order_id: int) -> int:
        side, price, _ = self.orders[order_id]
        queue = self.queue(side, price)
        before = queue[: queue.index(order_id)]
        return self.unattributed.get((side, price), 0) + sum(self.orders[i][2] for i in before)

    def average_price(self, side: int, quantity: int) -> Fraction | None:
        """Return what taking `quantity` from the other side costs per unit, in 1e-9."""
        left, paid = quantity, 0
        for price, size in self.levels(-side):
            part = min(left, size)
            paid += price * part
            left -= part
        return None if left else Fraction(paid, quantity)

    def quantity_for_price(self, side: int, limit: int) -> int:
        return sum(size for price, size in self.levels(-side) if side * price <= side * limit)


def rebuild_by_price(
    table: pd.DataFrame,
) -> Iterable[tuple[int, dict[Any, float], dict[Any, float]]]:
    """Replay a capture by the data's own instructions, message by message.

    Buffer the changes, load the snapshot, drop messages numbered at or below it, apply the rest.
    Yields (sequence, bids, asks) after each message applied; the dicts are live.
    """
    snapshot = table[table["action"] == "snapshot"]
    started = int(snapshot["sequence"].iloc[0])
    sides: dict[str, dict[Any, float]] = {"B": {}, "A": {}}
    for side, price, size in zip(snapshot["side"], snapshot["price"], snapshot["size"]):
        sides[side][price] = size
    changes = table[(table["action"] != "snapshot") & (table["sequence"] > started)]
    columns = (changes[name].to_list() for name in ("sequence", "side", "price", "size"))
    previous = None
    for sequence, side, price, size in zip(*columns):
        if previous is not None and sequence != previous:
            yield previous, sides["B"], sides["A"]
        previous = sequence
        if size:
            sides[side][price] = size
        else:
            sides[side].pop(price, None)
    if previous is not None:
        yield previous, sides["B"], sides["A"]

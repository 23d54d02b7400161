"""The worst that could become of a position, by the exchange's own words and what is on its way.

Written apart from the node's own reckoning: it knows more than a node may (requests that were given
up and still travel), and so a node that stays within its limits here stays within them anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from tests.simulation.broker import Broker
from tests.simulation.ledger import Placed, stem_of, units_of

ZERO = Decimal(0)
ASKED = {"qty": None, "filled_qty": "0", "filled_avg_price": None}
"""What the body of a request need not name."""


@dataclass
class Exposure:
    """Units held, and those that would come and go if all that works were filled."""

    held: Decimal = ZERO
    buys: Decimal = ZERO
    sells: Decimal = ZERO
    leaves: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def work(self, name: str, side: str, quantity: Decimal) -> None:
        """Count an order that could fill; of one that is changed, the larger of both terms."""
        known = self.leaves.get((name, side), ZERO)
        more = max(quantity - known, ZERO)
        self.leaves[name, side] = known + more
        if side == "buy":
            self.buys += more
        else:
            self.sells += more

    def worst(self, side: str) -> Decimal:
        """Return the units held after all of one side has been filled, and none of the other."""
        return self.held + self.buys if side == "buy" else self.sells - self.held


def exposure_of(broker: Broker, symbol: str, foreign: set[str], request: Any) -> Exposure:
    """Return what our orders have brought and could bring, with a request that is about to leave.

    Orders of others are not ours to count.

    Exits of a bracket work once their entry has brought something, and one cancels the other, as in
    a pair: the larger of the two counts, for what the other has left of it.
    """
    found = Exposure()
    orders = broker.ledger.orders
    pairs = {placed.pair for placed in orders.values() if placed.pair}
    for key, placed in orders.items():
        if placed.symbol != symbol or key in foreign:
            continue
        found.held += placed.filled if placed.side == "buy" else -placed.filled
        if placed.is_working:
            name = name_of(placed)
            rest = _rest(orders.values(), placed, placed.quantity)
            if name in pairs and not placed.parent:
                rest = min(rest, _room_of_pair(orders.values(), name))
            found.work(name, placed.side, rest)
    for each in (*broker.on_the_way.values(), request):
        for name, of, side, quantity in _terms(broker, each):
            if of == symbol:
                found.work(name, side, quantity)
    return found


def name_of(placed: Placed) -> str:
    """Return what an order counts under: those of one name cannot all be filled."""
    return placed.parent or placed.pair or stem_of(placed.client_order_id)


def _rest(orders: Iterable[Placed], placed: Placed, quantity: Decimal) -> Decimal:
    """Return what an order of such a quantity can still fill; an exit, for what its entry has."""
    rest = quantity - placed.total
    return min(rest, _room(orders, placed.parent)) if placed.parent else rest


def _room(orders: Iterable[Placed], entry: str) -> Decimal:
    """Return what the exits of an entry can still take back: no more than it has brought."""
    room = ZERO
    for placed in orders:
        if placed.parent == entry:
            room -= placed.filled
        elif stem_of(placed.client_order_id) == entry:
            room += placed.filled
    return max(room, ZERO)


def _room_of_pair(orders: Iterable[Placed], name: str) -> Decimal:
    """Return what the halves of a pair can still fill together: one takes it off the other."""
    halves = [placed for placed in orders if name_of(placed) == name]
    return max(p.most for p in halves) - sum((p.filled for p in halves), ZERO)


def _terms(broker: Broker, request: Any) -> Iterator[tuple[str, str, str, Decimal]]:
    """Yield what a request that has not arrived could make work; a known id places nothing."""
    fields = msgspec.json.decode(request.body)
    if request.method == "POST":
        name = fields["client_order_id"]
        if name not in broker.accepted:
            yield name, fields["symbol"], fields["side"], units_of(ASKED | fields)
        return
    placed: Placed | None = broker.ledger.orders.get(request.path.rpartition("/")[2])
    if placed is not None and placed.is_working and "qty" in fields:
        # An exit that is changed still is one of its entry's, of which the larger counts.
        rest = _rest(broker.ledger.orders.values(), placed, Decimal(fields["qty"]))
        yield name_of(placed), placed.symbol, placed.side, rest


def symbol_and_side(broker: Broker, request: Any) -> tuple[str, str] | None:
    """Return what a submit or a replace is about; None where the exchange has no such order."""
    if request.method == "POST":
        fields = msgspec.json.decode(request.body)
        return fields["symbol"], fields["side"]
    placed = broker.ledger.orders.get(request.path.rpartition("/")[2])
    return None if placed is None else (placed.symbol, placed.side)

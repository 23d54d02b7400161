"""The slow twin of matching on bars: the price walks every half point, orders look at each.

Bars have whole prices. Stops and trailing distances are whole, limits lie on halves, so a limit
that is reached is crossed and nothing is decided by a touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(eq=False)
class SlowOrder:
    """An order; `limit`, `stop` and `trail` as it has them."""

    side: int
    quantity: int
    limit: float | None = None
    stop: float | None = None
    trail: int | None = None
    target: float | None = None
    loss: float | None = None
    twin: SlowOrder | None = None
    number: int = 0
    best: float | None = None
    guards: bool = False
    done: bool = False

    def follow(self, price: float) -> None:
        """Move the trigger with a better price."""
        if self.trail is None or self.done:
            return
        if self.best is None or (price - self.best) * self.side < 0:
            self.best = price
            self.stop = price + self.side * self.trail

    def through_stop(self, price: float) -> bool:
        return self.stop is not None and (price - self.stop) * self.side >= 0

    def within_limit(self, price: float) -> bool:
        return self.limit is None or (self.limit - price) * self.side >= 0


class SlowVenue:
    """Meets orders with bars; `fills` are (bar, signed quantity, price), in order."""

    def __init__(self, high_first: bool, at_close: bool) -> None:
        self.high_first = high_first
        self.at_close = at_close
        self.working: list[SlowOrder] = []
        self.fills: list[tuple[int, int, float]] = []
        self.bar = -1
        self._made = 0
        self._held = 0

    def send(self, order: SlowOrder, price: float) -> None:
        """Take an order at the close of a bar."""
        order.follow(price)
        order.number = self._made
        # Its exits are numbered with it: of equals the first sent is met first.
        self._made += 3
        self.working.append(order)

    def take(self, opens: int, high: int, low: int, close: int) -> None:
        """Meet one bar: its open, every half point of its path, its close."""
        self.bar += 1
        for order in list(self.working):
            if not order.done:
                self._at_open(order, opens)
        self._follow(opens)
        for price in self._path(opens, high, low, close):
            while any(self._on_path(order, price) for order in list(self.working)):
                pass
            self._follow(price)
        for order in list(self.working):
            if self.at_close and _is_market(order):
                self._fill(order, close)

    def _path(self, opens: int, high: int, low: int, close: int) -> Iterator[float]:
        at = float(opens)
        yield at
        for end in (high, low, close) if self.high_first else (low, high, close):
            while at != end:
                at += 0.5 if end > at else -0.5
                yield at

    def _follow(self, price: float) -> None:
        for order in self.working:
            order.follow(price)

    def _at_open(self, order: SlowOrder, price: float) -> None:
        if order.stop is not None:
            if order.through_stop(price):
                self._trigger(order, price)
        elif order.limit is not None:
            if order.within_limit(price):
                self._fill(order, price)
        elif not self.at_close:
            self._fill(order, price)

    def _on_path(self, order: SlowOrder, price: float) -> bool:
        """Let one order act at a price of the path; whether it did."""
        if order.done or _is_market(order):
            return False
        if order.stop is not None:
            if not order.through_stop(price):
                return False
            self._trigger(order, price)
            return True
        if not order.within_limit(price):
            return False
        self._fill(order, price)
        return True

    def _trigger(self, order: SlowOrder, price: float) -> None:
        order.stop = order.trail = None
        if order.within_limit(price):
            self._fill(order, price)

    def _fill(self, order: SlowOrder, price: float) -> None:
        self.fills.append((self.bar, order.side * order.quantity, price))
        self._end(order)
        before, self._held = self._held, self._held + order.side * order.quantity
        exits = []
        if order.target is not None:
            exits.append(self._exit(order, 1, limit=order.target))
        if order.loss is not None:
            exits.append(self._exit(order, 2, stop=order.loss))
        if len(exits) == 2:
            exits[0].twin, exits[1].twin = exits[1], exits[0]
        working = [o for o in self.working if not o.done] + exits
        if before * order.side < 0:
            for one in working:
                if one.guards and one.side * self._held >= 0:
                    self._end(one)
        self.working = sorted((o for o in working if not o.done), key=lambda o: o.number)

    def _exit(self, entry: SlowOrder, place: int, **price: float) -> SlowOrder:
        number = entry.number + place
        return SlowOrder(-entry.side, entry.quantity, number=number, guards=True, **price)

    def _end(self, order: SlowOrder) -> None:
        order.done = True
        if order.twin is not None:
            order.twin.done = True


def _is_market(order: SlowOrder) -> bool:
    return order.limit is None and order.stop is None and not order.done

"""Positions that have lost their exits, and that nothing closes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pyrt.core.orders import Order
from pyrt.live.core.restore import is_canceling
from pyrt.live.driver.run import Run

GRACE_NS = 5_000_000_000
"""So long a strategy has to guard anew what it holds."""


def unguarded(run: Run, going_on: Collection[int]) -> Iterator[str]:
    """Yield in words what is held and loses its exits by cancels of the run that was cut off.

    Whoever canceled them may have been about to close the position: of that wish the record has
    nothing, since it leaves after the cancels.

    Parameters
    ----------
    run : Run
    going_on : collection of int
        Numbers of orders that close a position, and leave later.
    """
    cache, known = run.live_core.kernel.cache, run.journal.state.orders
    names = {strategy.number: strategy.name for strategy in run.live_core.kernel.strategies}
    for position in cache.positions():
        side = -1 if position.quantity_exact > 0 else 1
        leaving: list[str] = []
        staying: list[str] = []
        for order in cache.orders_open(position.strategy, position.symbol):
            if order.side_sign != side:
                continue
            state = known.get(order.client_order_id)
            wanted = is_canceling(order) or (state is not None and state.cancel_wanted)
            is_way_out = order.number in going_on or not wanted
            (staying if is_way_out else leaving).append(order.client_order_id)
        if position.quantity_exact and leaving and not staying:
            yield (
                f"{position.symbol} of {names[position.strategy]} is held, its exits were being "
                f"canceled when the last run was cut off ({', '.join(leaving)}), and nothing "
                "closes it"
            )


class LostExits:
    """Tells of what is held when its last exit has ended at the broker, and not by our doing.

    A watchdog that took the node for dead, a person at the broker's page, the end of a day and a
    refusal all end exits; a strategy hears of it, and may not act.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lost: dict[tuple[str, str], tuple[int, list[Order]]] = {}
        self.due: int | None = None
        """When to look whether something guards the positions again, ns UTC."""

    def note(self, order: Order, now: int) -> None:
        """Note that an exit has ended unfilled, and that nobody here has canceled it."""
        # Exits that are refused one after the other do not put it off.
        due, orders = self._lost.setdefault(
            (order.strategy.name, order.symbol), (now + GRACE_NS, [])
        )
        orders.append(order)
        self.due = due if self.due is None else self.due

    def turn(self, now: int) -> None:
        """Tell of what is held still, and closed by nothing."""
        if self.due is None or now < self.due:
            return
        lost = {key: orders for key, (due, orders) in self._lost.items() if due <= now}
        self._lost = {key: each for key, each in self._lost.items() if key not in lost}
        self.due = min((due for due, _ in self._lost.values()), default=None)
        kernel = self._run.live_core.kernel
        names = {strategy.number: strategy.name for strategy in kernel.strategies}
        for position in kernel.cache.positions():
            name = names[position.strategy]
            orders = lost.get((name, position.symbol), ())
            # The other of a pair ends as it should when one has filled.
            gone = [o for o in orders if o.sibling is None or not o.sibling.filled_quantity]
            there = self._run.stated_otherwise(position.symbol)
            if there is not None and there * position.quantity_exact <= 0:
                # It was closed beside the node, and that is told: whoever closes it here opens one.
                continue
            side = -1 if position.quantity_exact > 0 else 1
            working = kernel.cache.orders_open(position.strategy, position.symbol)
            if gone and all(order.side_sign != side for order in working):
                which = ", ".join(order.client_order_id for order in gone)
                text = f"{position.symbol} of {name} is held, its exits ended unfilled ({which})"
                self._run.scribe.alarm("unguarded", f"{text}, and nothing closes it", now)

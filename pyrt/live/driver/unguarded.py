"""Positions whose exits were on their way out when a node died, and that nothing closes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pyrt.live.core.restore import is_canceling
from pyrt.live.driver.run import Run


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

"""Orders that others bring to the broker: the exits of an entry, and the second of a pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from pyrt.live.journal import records as r
from pyrt.live.journal.state import Closed

ENDS = {"REJECTED": "rejected", "LOST": "lost"}
"""How an order ends whose bearer has; all else cancels it."""


def is_brought(order: Any, state: r.OrderState | None) -> bool:
    """Return whether the broker lists an order under another: an exit, or the second of a pair."""
    if state is None:
        return order.parent is not None
    if state.parent:
        # It stays its entry's when that has ended, and is not among our orders any more.
        return True
    if not state.sibling or "is_child" not in state.flags or order.keeps_exits:
        return False
    return _count_of(state.client_order_id) > _count_of(state.sibling)


def end_of(order: Any, state: r.OrderState | None, closed: Mapping[str, Closed]) -> str:
    """Return how an order has ended with the one that was to bring it; "" if it has not.

    A crash can come between the two ends. Who has never been seen at the broker has no id that
    could be looked at, and nobody else would tell of it. An entry that has filled leaves its exits
    at the broker, and half a pair ends the other.
    """
    if state is None or order.status != "SENT" or order.keeps_exits or state.venue_order_id:
        return ""
    if not is_brought(order, state):
        return ""
    bearer = closed.get(state.parent or state.sibling)
    if bearer is None or (state.parent and Decimal(bearer.filled)):
        return ""
    return ENDS.get(bearer.status, "canceled")


def with_entries(
    states: Iterable[r.OrderState], closed: Mapping[str, Closed]
) -> tuple[r.OrderState, ...]:
    """Return states of orders, those of exits with what their entry has filled, if that ended."""
    return tuple(
        msgspec.structs.replace(state, entry_filled=closed[state.parent].filled)
        if state.parent in closed
        else state
        for state in states
    )


def _count_of(client_order_id: str) -> int:
    """Return the count at the end of an id of ours; ids of one pair differ in nothing else."""
    return int(client_order_id.rpartition("-")[2])

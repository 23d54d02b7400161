"""Orders of earlier runs taken over, and a look at the account applied to what is known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from pyrt.adapters.alpaca.core.bodies import leg_type
from pyrt.adapters.alpaca.core.events import Alarm, Event
from pyrt.adapters.alpaca.core.known import Known, Part
from pyrt.adapters.alpaca.core.ledger import Execution
from pyrt.adapters.alpaca.core.messages import OrderView
from pyrt.core.orders import Order
from pyrt.core.times import timestamp_ns
from pyrt.live.core.broker import BrokerState
from pyrt.live.journal.records import MONEY_UNIT, OrderState

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.core.client import AlpacaClient
    from pyrt.adapters.alpaca.core.snapshot import ActivityView

MILLI = 1_000_000


def _is_brought(order: Order, state: OrderState) -> bool:
    """Return whether another order has brought it to the broker, under an id of his making."""
    if order.keeps_exits:
        # It was kept on our side until it left by itself.
        return False
    pair = order.sibling if not state.parent else None
    return bool(state.parent) or (pair is not None and pair.number < order.number)


def adopt(client: AlpacaClient, order: Order, state: OrderState) -> None:
    """Enter an order of an earlier run into a client's ledger and order path."""
    value = Decimal(state.filled_notional) * MONEY_UNIT
    known = Known.of(
        order,
        venue_id=state.venue_order_id,
        filled=Decimal(state.filled),
        cost=value,
        acknowledged=state.status not in ("SENT", "HELD"),
        held=state.status == "HELD",
        is_unknown="submit" in state.unknown and not _is_brought(order, state),
    )
    filled = Decimal(state.venue_filled or state.filled)
    cost = Decimal(state.venue_cost) if state.venue_cost else value
    parts = {name: Part(Decimal(units), Decimal(paid)) for name, units, paid in state.venue_parts}
    known.unplaced = parts.pop("", Part())
    if known.venue_id:
        parts[known.venue_id] = Part(filled, cost)
    client.ledger.adopt(known, parts)
    # Ids of replaces go on from the time: those that earlier runs have used are not all known.
    client.orders.adopt(
        known,
        sent_at=state.ts_init,
        cancel_wanted=state.cancel_wanted,
        changes=client.now // MILLI,
    )
    if order.keeps_exits:
        return
    if order.parent is not None or order.sibling is not None:
        known.leg_type = leg_type(order)
    if order.parent is not None and client.ledger.get(order.parent.number) is None:
        client.ledger.leave(order.parent.client_order_id, known)
    for owner in (order.parent, order.sibling):
        entry = client.ledger.get(owner.number) if owner is not None else None
        # Of a pair whose entry has ended, as of one on its own, the stop hangs on the other.
        if entry is not None and (owner is order.parent or leg_type(order) == "stop"):
            entry.legs = (*entry.legs, known)
            break


def apply_state(client: AlpacaClient, state: BrokerState) -> list[Event]:
    """Return what a look at the account tells of our orders: executions first, then states."""
    if state.raw is None:
        return []
    client.ledger.coin_tier = state.coin_tier or client.ledger.coin_tier
    views, trades = state.raw
    listed: dict[str, OrderView] = {}
    for view in views:
        listed.update({v.id: v for v in (view, *(view.legs or ()))})
        is_known = client.ledger.find(view) is not None
        for each in (view,) if is_known else client.ledger.sight_left(view):
            known = client.ledger.find(each)
            assert known is not None
            client.ledger.sight(known, each)
    events: list[Event] = []
    for trade in trades:
        events.extend(_execution(client, trade, listed))
    # What took another's place counts on from what that one had.
    for view in sorted(views, key=lambda view: _depth(view, listed)):
        events.extend(client.ledger.apply(view, _time_of(view, state.ts)))
        # Whose the orders are that are not ours is for the comparison to say.
        noted = client.orders.note_view(view, state.ts)
        events.extend(event for event in noted if not isinstance(event, Alarm))
        events.extend(client.settle(view, state.ts))
    return events


def _execution(
    client: AlpacaClient, trade: ActivityView, listed: Mapping[str, OrderView]
) -> list[Event]:
    view, known = listed.get(trade.order_id), client.ledger.by_venue_id(trade.order_id)
    if known is None or trade.qty is None or trade.cum_qty is None or not trade.transaction_time:
        return []
    part = known.parts.get(trade.order_id, Part())
    quantity, cumulative = Decimal(trade.qty), Decimal(trade.cum_qty)
    if cumulative <= part.filled:
        return []
    is_successor = trade.order_id == known.next_id
    if view is None and (is_successor or known.is_exceeded_by(cumulative - part.filled)):
        # How much it may fill since it was changed is not told here: that comes first.
        known.is_replaced |= is_successor
        client.orders.read_back(known.number)
        return []
    ts = timestamp_ns(trade.transaction_time)
    events = client.ledger.succeed(known, _successors(known, view, listed), ts)
    if view is not None:
        # The size its sibling or its entry has given it is older than what it executed.
        events.extend(client.ledger.resized(known, view, ts))
    # The list of orders need not reach back as far as the activities do.
    step = OrderView(
        id=trade.order_id,
        client_order_id=known.client_order_id,
        symbol=trade.symbol,
        side=trade.side,
        type="" if view is None else view.type,
        time_in_force="" if view is None else view.time_in_force,
        status="partially_filled",
        filled_qty=trade.cum_qty,
        filled_avg_price=None if view is None else view.filled_avg_price,
    )
    execution = Execution(quantity, Decimal(trade.price))
    return [*events, *client.ledger.apply(step, ts, execution=execution)]


def _successors(
    known: Known, view: OrderView | None, listed: Mapping[str, OrderView]
) -> list[OrderView]:
    """Return what took the place of the order in force, one after the other, up to `view`."""
    found: list[OrderView] = []
    while view is not None and view.id != known.venue_id and view not in found:
        found.insert(0, view)
        if view.replaces == known.venue_id:
            return found
        view = listed.get(view.replaces or "")
    return []


def _depth(view: OrderView, listed: Mapping[str, OrderView]) -> int:
    """Return how many of the orders listed stood in this one's place before it."""
    seen: set[str] = set()
    before = listed.get(view.replaces or "")
    while before is not None and before.id not in seen:
        seen.add(before.id)
        before = listed.get(before.replaces or "")
    return len(seen)


def _time_of(view: OrderView, now: int) -> int:
    """Return when an order came into its state, as far as the broker says."""
    stamps = {
        "filled": view.filled_at,
        "canceled": view.canceled_at,
        "expired": view.expired_at,
        "rejected": view.failed_at,
    }
    text = stamps.get(view.status) or view.updated_at
    return timestamp_ns(text) if text else now

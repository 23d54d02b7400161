"""PATCH and DELETE of orders: replacement chains and cancels."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import Refused, bad, refused
from pyrt.adapters.alpaca.simulator.protocol.wires import decimal
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.placing import AGED
from pyrt.adapters.alpaca.simulator.trading.records import OrderRecord
from pyrt.venues.alpaca import Refusal, ReplaceRequest
from pyrt.venues.alpaca.funds import as_request


def find_order(desk: Desk, name: str) -> OrderRecord:
    """Return an order by its id, with or without dashes, or by the client's; Refused if none."""
    record = desk.orders.get(name) or desk.client_ids.get(name)
    if record is None and len(name) == 32:
        dashed = "-".join((name[:8], name[8:12], name[12:16], name[16:20], name[20:]))
        record = desk.orders.get(dashed)
    if record is None:
        raise refused(404, 40410000, f"order not found for {name}")
    return record


def cancel(desk: Desk, record: OrderRecord) -> None:
    """Cancel an order at the exchange, or raise the refusal.

    Faults may leave it pending, or confirm the cancel while the exchange still has the order:
    then its status says so already.
    """
    if desk.is_replacing(record):
        raise refused(422, 42210000, f'order is already in "{record.status}" state')
    if desk.rules is not None:
        _raise(desk.intake.check_cancel(record.facts(), record.id))
    if desk.faults.strikes("stuck"):
        record.status = "pending_cancel"
        record.times.update(cancel_requested=desk.now, updated=desk.now)
        return
    if desk.faults.strikes("late_fill"):
        record.status = "canceled"
        record.times.update(cancel_requested=desk.now, canceled=desk.now, updated=desk.now)
        return
    record.times["cancel_requested"] = desk.now
    if not desk.exchange.cancel(record.number):
        raise refused(422, 42210000, f'order is already in "{record.status}" state')


@dataclass(frozen=True, slots=True)
class Replacement:
    """An order, what is to stand for it, and what the change asks for."""

    old: OrderRecord
    new: OrderRecord
    change: ReplaceRequest

    def carry_out(self, desk: Desk) -> None:
        """Let the new order stand for the exchange's number from now on."""
        old, new, change = self.old, self.new, self.change
        new.status, new.filled_quantity, new.cost = old.status, old.filled_quantity, old.cost
        old.status, old.replaced_by = "replaced", new.id
        old.times.update(replaced=desk.now, updated=desk.now)
        # Before the exchange is asked: it answers under the number, which is the new order's by
        # then.
        desk.add(new)
        _relink(desk, old, new)
        desk.exchange.change(
            old.number,
            old.symbol,
            quantity=change.quantity,
            limit_price=change.limit_price,
            stop_price=change.stop_price,
            trail=change.trail,
        )
        if new.time_in_force != old.time_in_force:
            desk.exchange.set_time(old.number, old.symbol, new.time_in_force, ends=new.expires)

    def begin(self, desk: Desk) -> None:
        """Let both orders wait for the exchange: the old one works on meanwhile."""
        self.old.status, self.new.status = "pending_replace", "pending_new"
        self.old.replaced_by = self.new.id
        self.old.times["updated"] = desk.now
        desk.add(self.new, works=False)

    def end(self, desk: Desk) -> bool:
        """Carry it out, or reject the new order; return whether it was carried out."""
        old, new = self.old, self.new
        is_over = old.is_final
        if not is_over:
            old.status = "partially_filled" if old.filled_quantity else "new"
        if is_over or (new.quantity is not None and new.quantity <= old.filled_quantity):
            old.replaced_by = None
            new.status = "rejected"
            new.times.update(failed=desk.now, updated=desk.now)
            return False
        self.carry_out(desk)
        return True


def replacement(desk: Desk, old: OrderRecord, body: Mapping[str, Any]) -> Replacement:
    """Return what a PATCH asks for, not carried out yet, or raise the refusal."""
    change = read_change(body)
    _check(desk, old, change)
    return Replacement(old, _successor(desk, old, change), change)


def read_change(body: Mapping[str, Any]) -> ReplaceRequest:
    """Read the body of a PATCH; Refused if a value cannot be one."""
    for name in ("time_in_force", "client_order_id"):
        if not isinstance(body.get(name), (str, type(None))):
            raise bad(f"invalid {name}: {body[name]}")
    return ReplaceRequest(
        quantity=decimal(body.get("qty"), "qty"),
        limit_price=decimal(body.get("limit_price"), "limit_price"),
        stop_price=decimal(body.get("stop_price"), "stop_price"),
        trail=decimal(body.get("trail"), "trail"),
        time_in_force=body.get("time_in_force"),
        client_order_id=body.get("client_order_id"),
    )


def _check(desk: Desk, old: OrderRecord, change: ReplaceRequest) -> None:
    if change.client_order_id in desk.client_ids:
        raise refused(422, 40010001, "client_order_id must be unique")
    if change.time_in_force not in (None, "day", "gtc", old.time_in_force):
        raise refused(422, 42210000, f"invalid time_in_force: {change.time_in_force}")
    if desk.rules is None:
        if old.is_final or desk.is_replacing(old):
            raise refused(422, 42210000, f"order in {old.status} status cannot be changed")
        if change.quantity is not None and change.quantity <= old.filled_quantity:
            text = f"qty must be greater than filled_qty {old.filled_quantity:f}"
            raise refused(422, 42210000, text)
        return
    _raise(desk.intake.check_change(old.facts(), change))


def _successor(desk: Desk, old: OrderRecord, change: ReplaceRequest) -> OrderRecord:
    new = copy(old)
    new.id, new.replaces = desk.next_id(), old.id
    new.client_order_id = change.client_order_id or new.id
    new.status, new.created = old.status, desk.now
    new.times = {"updated": desk.now, "submitted": desk.now}
    for name in ("quantity", "limit_price", "stop_price"):
        if getattr(change, name) is not None:
            setattr(new, name, getattr(change, name))
    if change.time_in_force not in (None, old.time_in_force):
        new.time_in_force = change.time_in_force
        if desk.rules is not None:
            new.expires = desk.intake.ends_at(as_request(new.facts())) or desk.now + AGED
    if change.trail is not None:
        by_percent = old.trail_percent is not None
        setattr(new, "trail_percent" if by_percent else "trail_price", change.trail)
    return new


def _relink(desk: Desk, old: OrderRecord, new: OrderRecord) -> None:
    """Put the new order in the old one's place in its group."""
    for leg in new.legs:
        leg.parent = new.id
    if old.parent is not None:
        parent = desk.orders[old.parent]
        parent.legs = [new if leg is old else leg for leg in parent.legs]


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(refusal.http_status, refusal.body())

"""Commands of a kernel as the journal tells them, so that two runs can be compared."""

from __future__ import annotations

from typing import Any

import msgspec

from pyrt.live.journal import records as r


class Said(msgspec.Struct, frozen=True, array_like=True):
    """One command of the kernel: when in its inputs, what, about which order, and its terms."""

    inputs: int
    what: str
    client_order_id: str
    terms: Any


def said_of(record: r.Record) -> Said | None:
    """Return the command that a record tells of; None for a record of another kind."""
    if isinstance(record, r.Intent):
        terms = [terms_of(record.order), *(terms_of(leg) for leg in record.legs)]
        return Said(record.inputs, "submit", record.order.client_order_id, terms)
    if isinstance(record, r.ChangeIntent):
        return Said(record.inputs, "change", record.client_order_id, record.changes)
    if isinstance(record, r.CancelIntent):
        return Said(record.inputs, "cancel", record.client_order_id, None)
    return None


def terms_of(order: r.OrderState) -> list[Any]:
    """Return what has to be equal of two submits."""
    return [
        order.client_order_id,
        order.strategy,
        order.symbol,
        order.side,
        order.order_type,
        order.quantity,
        order.time_in_force,
        order.limit_price,
        order.stop_price,
        order.trail_amount,
        order.trail_percent,
        order.notional,
        order.expires_at,
        list(order.flags),
        order.tag,
        order.ts_init,
    ]


def in_words(said: Said | None) -> str:
    """Return a command in words."""
    if said is None:
        return "nothing"
    return f"{said.what} {said.client_order_id} after input {said.inputs}"

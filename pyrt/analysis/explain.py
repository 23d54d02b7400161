"""Why orders did not trade: status, reason and the numbers that decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyrt.analysis.record import RunRecord, floats, rows, stamps, texts

EXPLAIN_COLUMNS = (
    "ts_event",
    "symbol",
    "strategy",
    "side",
    "type",
    "quantity",
    "filled_quantity",
    "limit_price",
    "stop_price",
    "time_in_force",
    "status",
    "reason",
    "explanation",
    "client_order_id",
    "tag",
)

_ENDED = {
    "DENIED": "refused before it left, by a risk control or a check of the order",
    "REJECTED": "refused by the venue",
    "CANCELED": "canceled before it filled",
    "EXPIRED": "its time in force ended before it filled",
    "LOST": "the venue has no trace of it",
}


def untraded(record: RunRecord) -> dict[str, list[Any]]:
    """Return every order that did not trade in full, with an explanation, as columns.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    dict of str to list
        The columns `EXPLAIN_COLUMNS`, in the order of the orders. ``reason`` is what the engine
        gave; ``explanation`` adds how far the market stayed from the order's price while it
        worked, where bars were recorded.
    """
    chosen = [i for i in range(rows(record.orders)) if not _filled(record, i)]
    table: dict[str, list[Any]] = {}
    for name in EXPLAIN_COLUMNS:
        if name != "explanation":
            column = record.orders[name] if chosen else ()
            table[name] = [column[i] for i in chosen]
    ends = _ends(record) if chosen else {}
    table["explanation"] = list(_explanations(record, chosen, ends))
    return table


def _filled(record: RunRecord, i: int) -> bool:
    orders = record.orders
    if str(orders["status"][i]).upper() == "FILLED":
        return True
    quantity = float(orders["quantity"][i])
    return quantity > 0.0 and float(orders["filled_quantity"][i]) >= quantity


def _ends(record: RunRecord) -> dict[str, int]:
    """Time of the last event of each order, where the run kept the history."""
    events = record.order_events or {}
    return dict(zip(texts(events, "client_order_id"), stamps(events, "ts_event").tolist()))


def _explanations(record: RunRecord, chosen: list[int], ends: dict[str, int]) -> Iterator[str]:
    orders = record.orders
    ids, statuses, reasons = (texts(orders, c) for c in ("client_order_id", "status", "reason"))
    for i in chosen:
        parts = [reasons[i] or _ENDED.get(statuses[i].upper(), "still working at the end")]
        filled, quantity = float(orders["filled_quantity"][i]), float(orders["quantity"][i])
        if filled > 0.0:
            parts.append(f"{filled:,.10g} of {quantity:,.10g} filled")
        if statuses[i].upper() not in ("DENIED", "REJECTED"):
            parts.append(_distance(record, i, ends.get(ids[i])))
        yield "; ".join(part for part in parts if part)


def _distance(record: RunRecord, i: int, end: int | None) -> str:
    """How far the market stayed from an order's limit or stop while it worked."""
    orders = record.orders
    bars = record.prices.get(str(orders["symbol"][i]), {})
    ts = stamps(bars, "ts_event")
    first = int(np.searchsorted(ts, int(orders["ts_event"][i]), side="right"))
    last = len(ts) if end is None else int(np.searchsorted(ts, end, side="right"))
    if first >= last:
        return ""
    buys = str(orders["side"][i]).upper().startswith("B")
    lowest = float(np.min(floats(bars, "low")[first:last]))
    highest = float(np.max(floats(bars, "high")[first:last]))
    stop, limit = (float(floats(orders, name)[i]) for name in ("stop_price", "limit_price"))
    if stop == stop and (highest < stop if buys else lowest > stop):
        return _reach("stop", stop, "highest" if buys else "lowest", highest if buys else lowest)
    if limit == limit and (lowest > limit if buys else highest < limit):
        return _reach("limit", limit, "lowest" if buys else "highest", lowest if buys else highest)
    if limit == limit and limit == (lowest if buys else highest):
        return f"limit {limit:,.10g} was touched, not crossed"
    return ""


def _reach(kind: str, price: float, extreme: str, reached: float) -> str:
    away = abs(reached / price - 1.0) * 100.0 if price else 0.0
    return (
        f"{kind} {price:,.10g} was not reached: the {extreme} price while it worked "
        f"was {reached:,.10g} ({away:.2f} % away)"
    )

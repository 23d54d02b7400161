"""GET /v2/orders: which orders, in which order, how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad, names, truth, whole
from pyrt.adapters.alpaca.simulator.protocol.wires import instant, is_pair
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.records import OrderRecord

ORDERS_MAX = 500
FAR = 1 << 62


def list_orders(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the orders that a query asks for, as JSON objects."""
    nested = truth(query.get("nested"))
    limit = whole(query, "limit", 50, ORDERS_MAX)
    descends = _choice(query, "direction", "desc", ("asc", "desc")) == "desc"
    wanted = _filter(desk, query, nested=nested)
    rows = desk.orders.values()
    chosen = islice(filter(wanted, reversed(rows) if descends else rows), limit)
    return [record.body(nested=nested) for record in chosen]


def _filter(desk: Desk, query: Mapping[str, str], *, nested: bool) -> Callable[[OrderRecord], bool]:
    status = _choice(query, "status", "open", ("open", "closed", "all"))
    after = instant(query.get("after"), "after", -1)
    until = instant(query.get("until"), "until", FAR)
    symbols = {symbol.replace("/", "") for symbol in names(query.get("symbols"))}
    side = query.get("side")
    classes = set(names(query.get("asset_class"))) - {"all"}
    between = _bounds(desk, query)

    def wanted(record: OrderRecord) -> bool:
        is_open = not record.is_final and record.status != "held"
        return (
            (status == "all" or is_open == (status == "open"))
            and not (nested and record.parent is not None)
            and after < record.times["submitted"] < until
            and (not symbols or record.symbol.replace("/", "") in symbols)
            and (side is None or record.side == side)
            and (not classes or ("crypto" if is_pair(record.symbol) else "us_equity") in classes)
            and (between is None or record.id in between)
        )

    return wanted


def _bounds(desk: Desk, query: Mapping[str, str]) -> set[str] | None:
    """Return the ids that ``before_order_id`` or ``after_order_id`` leave; None for all."""
    before, after = query.get("before_order_id"), query.get("after_order_id")
    if before is None and after is None:
        return None
    if (before and after) or "after" in query or "until" in query:
        raise bad("before_order_id and after_order_id exclude each other, after and until")
    ids = list(desk.orders)
    if (before or after) not in ids:
        raise bad("order id not found")
    return set(ids[: ids.index(before)] if before else ids[ids.index(str(after)) + 1 :])


def _choice(query: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = query.get(name, default).lower()
    if value not in choices:
        raise bad(f"invalid {name}: {value}")
    return value

"""Why orders did not trade: status, reason and the numbers that decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyrt.analysis.record import RunRecord, Table, floats, stamps, texts

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
    "client_order_id",
    "tag",
    "explanation",
)
"""What matters most stands at the end: of a wide table a terminal shows that and the beginning."""

_ENDED = {
    "DENIED": "refused before it left, by a risk control or a check of the order",
    "REJECTED": "refused by the venue",
    "CANCELED": "canceled before it filled",
    "EXPIRED": "its time in force ended before it filled",
    "LOST": "the venue has no trace of it",
}


class _Market:
    """Extremes of one symbol's bars over any stretch of time."""

    def __init__(self, bars: Table) -> None:
        self._ts = stamps(bars, "ts_event")
        self._low, self._high = floats(bars, "low"), floats(bars, "high")
        # Extremes from each bar to the last one: most orders without a recorded end ask for these.
        self._low_to_end = np.minimum.accumulate(self._low[::-1])[::-1]
        self._high_to_end = np.maximum.accumulate(self._high[::-1])[::-1]

    def extremes(self, start: int, end: int | None) -> tuple[float, float] | None:
        """Lowest and highest price of the bars that close in (start, end]; None without one."""
        first = int(np.searchsorted(self._ts, start, side="right"))
        if end is None:
            if first == len(self._ts):
                return None
            return float(self._low_to_end[first]), float(self._high_to_end[first])
        last = int(np.searchsorted(self._ts, end, side="right"))
        if first >= last:
            return None
        return float(np.min(self._low[first:last])), float(np.max(self._high[first:last]))


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
    chosen = _with_leaves(record.orders)
    table: dict[str, list[Any]] = {}
    for name in EXPLAIN_COLUMNS:
        if name != "explanation":
            column = record.orders[name] if chosen else ()
            table[name] = [column[i] for i in chosen]
    table["explanation"] = list(_explanations(record, chosen))
    return table


def _with_leaves(orders: Table) -> list[int]:
    """Positions of the orders that are not filled in full."""
    quantity, filled = floats(orders, "quantity"), floats(orders, "filled_quantity")
    complete = (quantity > 0.0) & (filled >= quantity)
    statuses = texts(orders, "status")
    return [
        i for i, status in enumerate(statuses) if status.upper() != "FILLED" and not complete[i]
    ]


def _ends(record: RunRecord) -> dict[str, int]:
    """Time of the last event of each order, where the run kept the history."""
    events = record.order_events or {}
    return dict(zip(texts(events, "client_order_id"), stamps(events, "ts_event").tolist()))


def _explanations(record: RunRecord, chosen: list[int]) -> Iterator[str]:
    orders = record.orders
    ids, statuses, reasons, symbols, sides = (
        texts(orders, name) for name in ("client_order_id", "status", "reason", "symbol", "side")
    )
    quantity, filled = floats(orders, "quantity"), floats(orders, "filled_quantity")
    limits, stops = floats(orders, "limit_price"), floats(orders, "stop_price")
    sent, ends = stamps(orders, "ts_event"), _ends(record)
    markets: dict[str, _Market] = {}
    for i in chosen:
        status, symbol = statuses[i].upper(), symbols[i]
        parts = [reasons[i] or _ENDED.get(status, "still working at the end")]
        if filled[i] > 0.0:
            parts.append(f"{filled[i]:,.10g} of {quantity[i]:,.10g} filled")
        if status not in ("DENIED", "REJECTED"):
            if symbol not in markets:
                markets[symbol] = _Market(record.prices.get(symbol, {}))
            seen = markets[symbol].extremes(int(sent[i]), ends.get(ids[i]))
            if seen is not None:
                buys = sides[i].upper().startswith("B")
                parts.append(_distance(buys, float(limits[i]), float(stops[i]), *seen))
        yield "; ".join(part for part in parts if part)


def _distance(buys: bool, limit: float, stop: float, lowest: float, highest: float) -> str:
    """How far the market stayed from an order's stop or limit; empty when it came there."""
    below, above = ("lowest", lowest), ("highest", highest)
    if highest < stop if buys else lowest > stop:
        return _reach("stop", stop, *(above if buys else below))
    if lowest > limit if buys else highest < limit:
        return _reach("limit", limit, *(below if buys else above))
    if limit == (lowest if buys else highest):
        return f"limit {limit:,.10g} was touched, not crossed"
    return ""


def _reach(kind: str, price: float, extreme: str, reached: float) -> str:
    away = f" ({abs(reached / price - 1.0) * 100.0:.2f} % away)" if price else ""
    return (
        f"{kind} {price:,.10g} was not reached: the {extreme} price while it worked "
        f"was {reached:,.10g}{away}"
    )

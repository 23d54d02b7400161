"""Values under names, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def of_order(what: str, ts_event: int, order: Any) -> dict[str, Any]:
    """Return what every row about an order begins with: that of a node and of its replay alike."""
    return {
        "type": what,
        "ts_event": ts_event,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.name.lower(),
    }


def in_a_line(row: Mapping[str, Any]) -> str:
    """Return a row as ``name=value`` side by side; what is empty is left out."""
    return "  ".join(f"{name}={value}" for name, value in row.items() if value not in ("", None))


def in_lines(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each value, and one for each row of a list, under the name."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        rows = value if isinstance(value, list) and value else [value]
        for number, row in enumerate(rows):
            yield f"{'' if number else name:{width}}  {_in_words(row)}".rstrip()


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return in_a_line(value)
    return "" if value is None or value == [] else str(value)

"""The vocabularies in which book events are written, and how to tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyrt.core.book_feed import BookAction
from pyrt.errors import DataError

ACTIONS: dict[str, dict[str, int]] = {
    "l2": {"snapshot": BookAction.SET, "set": BookAction.SET, "delete": BookAction.SET},
    "mbo": {
        "add": BookAction.ADD,
        "cancel": BookAction.REDUCE,
        "modify": BookAction.MODIFY,
        "clear": BookAction.CLEAR,
        "trade": BookAction.NOTHING,
        "fill": BookAction.NOTHING,
    },
    "lobster": {
        "add": BookAction.ADD,
        "reduce": BookAction.REDUCE,
        "delete": BookAction.REMOVE,
        "fill": BookAction.REDUCE,
        "hidden_fill": BookAction.NOTHING,
    },
}
DIALECTS = (*ACTIONS, "quotes")
SIDES: dict[Any, int] = {
    **dict.fromkeys(("b", "bid", "buy", 1), 1),
    **dict.fromkeys(("a", "ask", "s", "sell", -1), -1),
    **dict.fromkeys(("n", "none", "", 0), 0),
}


def recognize(columns: Mapping[str, Any], actions: set[str], has_flags: bool) -> str:
    """Return the one dialect that a table's columns and actions fit.

    Parameters
    ----------
    columns : mapping
        Column names in lower case.
    actions : set of str
        The distinct actions, in lower case; empty where the table has no such column.
    has_flags : bool
        Whether any flag is set: a LOBSTER table has none.

    Raises
    ------
    DataError
        If no dialect fits, or two do.
    """
    if {"bid_price", "ask_price"} <= columns.keys() and "side" not in columns:
        return "quotes"
    absent = {"side", "price", "size"} - columns.keys()
    if absent:
        raise DataError(
            f"not a table of book events: no column {', '.join(sorted(absent))}",
            remedy="It needs side, price, size, action, and order_id where orders are followed; "
            "or bid_price, bid_size, ask_price, ask_size",
            columns=sorted(columns),
        )
    fits = [name for name, known in ACTIONS.items() if actions <= known.keys()]
    if "order_id" not in columns:
        fits = [name for name in fits if name == "l2"]
    elif "action" not in columns:
        fits = []
    if has_flags:
        fits = [name for name in fits if name != "lobster"]
    if len(fits) == 1:
        return fits[0]
    if (
        not fits
        and "order_id" not in columns
        and any(actions <= ACTIONS[name].keys() for name in ("mbo", "lobster"))
    ):
        raise DataError(
            f"actions {', '.join(sorted(actions))} are those of single orders, which cannot be "
            "followed without their ids",
            code="unknown_dialect",
            remedy="Add the column order_id",
            columns=sorted(columns),
        )
    what = f"actions {', '.join(sorted(actions))}" if actions else "the columns"
    raise DataError(
        f"{what} fit {'more than one dialect: ' + ', '.join(fits) if fits else 'no dialect'}",
        code="ambiguous_dialect" if fits else "unknown_dialect",
        remedy=f"Say which one it is, dialect= one of {', '.join(DIALECTS)}",
        actions=sorted(actions),
        columns=sorted(columns),
    )

"""Which data decide the fills of each symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyrt.data.columns import BookColumns, Columns
from pyrt.errors import ConfigError

PRECEDENCE = ("book", "quotes", "trades", "bars")
"""Without another word the first of these that a symbol has decides its fills."""

_BY_ORDER = frozenset({"mbo", "lobster"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Market:
    """What decides the fills of one symbol.

    Attributes
    ----------
    source : {"book", "quotes", "trades", "bars"}
    timeframe_ns : int
        Of the bars, 0 else.
    prints : bool
        Whether trades take part beside a book or quotes.
    by_order : bool
        Whether the book shows single orders.
    """

    source: str
    timeframe_ns: int = 0
    prints: bool = False
    by_order: bool = False

    def takes(self, table: Columns) -> bool:
        """Whether a table of the symbol takes part in deciding its fills."""
        if table.kind == "trades" and self.prints:
            return True
        return table.kind == self.source and getattr(table, "timeframe_ns", 0) == self.timeframe_ns


def markets(tables: Sequence[Columns], fills_from: Any = None) -> dict[str, Market]:
    """Return the market of each symbol.

    Parameters
    ----------
    tables : sequence of Columns
    fills_from : None, str or dict
        See `pyrt.backtest.settings.VenueSettings`.

    Raises
    ------
    ConfigError
        If a symbol has no data of the kind that is to decide its fills.
    """
    found = {}
    for symbol in dict.fromkeys(table.symbol for table in tables):
        own = [table for table in tables if table.symbol == symbol]
        chosen = fills_from.get(symbol) if isinstance(fills_from, dict) else fills_from
        found[symbol] = _market(symbol, own, chosen)
    return found


def _market(symbol: str, tables: list[Columns], chosen: str | None) -> Market:
    kinds = {table.kind for table in tables}
    if chosen is None:
        source = next(kind for kind in PRECEDENCE if kind in kinds)
        prints = source in ("book", "quotes") and "trades" in kinds
    else:
        source, _, prints_named = chosen.partition("+")
        prints = bool(prints_named)
        missing = ({source} | ({"trades"} if prints else set())) - kinds
        if missing:
            raise ConfigError(
                f"fills_from is {chosen!r}, but {symbol} has no {' and no '.join(sorted(missing))}",
                remedy=f"It has {', '.join(sorted(kinds))}",
            )
    length = min(getattr(table, "timeframe_ns", 0) for table in tables if table.kind == source)
    book = next((t for t in tables if isinstance(t, BookColumns)), None)
    by_order = source == "book" and book is not None and is_by_order(book)
    # A book of orders tells its executions itself: prints beside it would tell them twice.
    return Market(
        source=source, timeframe_ns=length, prints=prints and not by_order, by_order=by_order
    )


def is_by_order(book: BookColumns) -> bool:
    """Whether a table of book events follows single orders."""
    return book.dialect in _BY_ORDER if book.dialect else book.order_id is not None

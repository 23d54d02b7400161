"""What a market order would pay on average, walked down an order book."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyrt.core.book import OrderBook

Depth = Callable[[str, str, float], float | None]


def book_depth(books: Mapping[str, OrderBook], levels: int = 50) -> Depth:
    """Return what `RiskEngine.depth` wants: a look into books for `max_slippage_bps`.

    Parameters
    ----------
    books : mapping
        Symbol → its book; read at the time of each order.
    levels : int
        How far down a book is walked. What it does not hold is priced at the last level seen.

    Returns
    -------
    callable
        (symbol, "buy" or "sell", quantity) → expected average price, None where the symbol has no
        book or nothing on that side.
    """

    def expected(symbol: str, side: str, quantity: float) -> float | None:
        book = books.get(symbol)
        return None if book is None else walked(book, side, quantity, levels)

    return expected


def walked(book: OrderBook, side: str, quantity: float, levels: int = 50) -> float | None:
    """Return the average price of taking a quantity from a book; None if nothing is there."""
    if quantity <= 0.0:
        return None
    left, paid, price = quantity, 0.0, None
    for price, size in (book.asks if side == "buy" else book.bids)(levels).tolist():
        taken = min(left, size)
        paid += taken * price
        left -= taken
        if left <= 0.0:
            break
    return None if price is None else (paid + left * price) / quantity

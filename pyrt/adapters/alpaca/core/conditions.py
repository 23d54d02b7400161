"""Conditions of prints of stocks: which prints are prices, and which only report a trade.

A trade at an average, at a price of earlier in the day, contingent on another, or of less than a
round lot says nothing about the market of this moment. Which ones do is taken from Alpaca's table
for minute bars (https://docs.alpaca.markets/docs/market-data-faq#how-are-bars-aggregated), which
follows the plans of both tapes; what is made of prints here agrees with Alpaca's bars and latest
trades.
"""

from __future__ import annotations

from collections.abc import Iterable

NO_PRICE = frozenset("CGHIMNPQRUVWZ479")
"""Codes that update neither open and close nor high and low of a minute."""
NO_PRICE_AT_NYSE = NO_PRICE | {"B"}
"""``B`` is an average price on tapes A and B; on tape C it is a bunched trade, which is a price."""
NASDAQ = "C"


def sets_price(conditions: Iterable[str], tape: str) -> bool:
    """Return whether a print is a price; of several conditions the strictest decides.

    Codes that are not known are taken for those of a regular sale, so that a new one does not end
    all trading on prints; of a tape that is not told, the stricter reading holds.

    Examples
    --------
    >>> sets_price(["@", "F"], "C"), sets_price(["@", "7", "V"], "C"), sets_price(["B"], "A")
    (True, False, False)
    """
    codes = NO_PRICE if tape == NASDAQ else NO_PRICE_AT_NYSE
    return codes.isdisjoint(conditions)

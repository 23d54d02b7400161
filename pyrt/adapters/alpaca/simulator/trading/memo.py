"""Alpaca's rules with a memory for what open orders reserve, which each request asks again."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca import AlpacaOptions, AlpacaRules, MarketFacts, OpenOrder


class RememberingRules(AlpacaRules):
    """Gives the same answers as `AlpacaRules`.

    Parameters
    ----------
    options : AlpacaOptions, optional
    """

    def __init__(self, options: AlpacaOptions | None = None) -> None:
        super().__init__(options)
        self._reserved: dict[str, tuple[OpenOrder, MarketFacts, Decimal | None]] = {}

    def reserved_value(self, order: OpenOrder, market: MarketFacts) -> Decimal | None:
        """Return the dollars an open opening order still reserves for its unfilled rest."""
        known = self._reserved.get(order.id)
        if known is not None and known[0] is order and known[1] is market:
            return known[2]
        value = super().reserved_value(order, market)
        if len(self._reserved) > 10_000:
            self._reserved.clear()
        self._reserved[order.id] = (order, market, value)
        return value

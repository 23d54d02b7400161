"""Price bands of a symbol, as a venue's rules or its feed state them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PriceBands"]


@dataclass(frozen=True, slots=True)
class PriceBands:
    """Nothing trades outside these prices; published as ``data.bands.SYMBOL`` in both worlds.

    Attributes
    ----------
    lower, upper : float
        Quote currency; 0 and infinity while there are none.
    ts_event, ts_init : int
        When they came into force, and when that was known; ns UTC.
    """

    symbol: str
    lower: float
    upper: float
    ts_event: int
    ts_init: int

"""Matching on trades, where nothing shows what rests.

A trade shows that its price was available: resting orders that it goes through fill at their
own price, up to its size, and market orders fill at the trade's price.
"""

from typing import final

from pyrt.backtest.venue import SimVenue

@final
class TickMatcher:
    def __init__(self, venue: SimVenue) -> None: ...

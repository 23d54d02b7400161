"""Matching on quotes and trades.

A quote offers its displayed sizes on both sides: buys take the ask, sells the bid, up to that
size. A trade shows that its price was available: resting orders that it goes through fill at
their own price, up to its size; market orders fill at the trade's price where no quotes are.
"""

from typing import final

from pyrt.backtest.venue import SimVenue

@final
class TickMatcher:
    def __init__(self, venue: SimVenue) -> None: ...

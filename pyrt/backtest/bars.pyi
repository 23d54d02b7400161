"""Matching on bars: a bar is two moments, its open and the path to its close.

At the open, orders that wait fill at the open price: a gap through a stop or limit fills there.
Between open and close the price is taken to have walked open → one extreme → the other → close;
which extreme comes first is the named path. Stops and limits met on the way fill at their own
price, in the order in which the path meets them.
"""

from typing import final

from pyrt.backtest.venue import SimVenue

@final
class BarMatcher:
    def __init__(self, venue: SimVenue) -> None: ...

"""Matching with a market that shows its depth: quotes, books of levels, books of orders.

An order that takes liquidity walks the levels of the other side, each up to the size it shows. An
order that rests is met at its own price when the other side comes to it, when a print goes
through it, and when a print at its price is larger than what stands ahead of it; how that
shrinks is the queue model's. A crossed market is not met.
"""

from typing import final

from pyrt.backtest.venue import Matcher, SimVenue

AT_ONCE: str

@final
class DepthMatcher(Matcher):
    def __init__(self, venue: SimVenue) -> None: ...

"""The kernel's way to the simulated venue: orders become venue orders, in memory."""

from typing import final

from pyrt.backtest.venue import SimVenue
from pyrt.core.ports import Venue

@final
class BacktestVenue(Venue):
    @property
    def sim(self) -> SimVenue: ...
    def __init__(self, sim: SimVenue) -> None: ...

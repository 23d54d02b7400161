"""Rows of data taken while no order waits and nothing but data is due."""

from typing import Any, final

from pyrt.backtest.feed import Feed
from pyrt.backtest.venue import SimVenue
from pyrt.kernel.kernel import Kernel

@final
class Held:
    def __iter__(self) -> Held: ...
    def __next__(self) -> Any: ...

@final
class Calm:
    @property
    def events_processed(self) -> int: ...
    def __init__(self, kernel: Kernel, venue: SimVenue, feed: Feed) -> None: ...
    def __iter__(self) -> Calm: ...
    def __next__(self) -> Any: ...

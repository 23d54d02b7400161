"""Bars made from finer data on the way: built here, delivered like bars that were given."""

from typing import final

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.streams import Stream

@final
class Aggregates:
    @property
    def due(self) -> int: ...
    def __init__(self, cache: Cache, clock: Clock) -> None: ...
    def makes(self, stream: Stream) -> bool: ...
    def hold(self, source: Stream, waits: bool) -> None: ...

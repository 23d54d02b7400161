"""Orders that hang together at a simulated venue: exits of an entry, pairs, and their ends."""

from enum import IntEnum

from pyrt.backtest.book import VenueBook, VenueOrder
from pyrt.backtest.voice import VenueVoice

class ChildRule(IntEnum):
    REST_OF_BAR = 0
    NEXT_BAR = 1

class VenueFamilies(VenueVoice):
    @property
    def books(self) -> list[VenueBook]: ...
    @property
    def child_rule(self) -> int: ...
    @property
    def waiting(self) -> dict[int, None]: ...
    def finish_pair(self, order: VenueOrder, kind: int, reason: str) -> None: ...

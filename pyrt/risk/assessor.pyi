"""Judging one order: state, limits and flow, each control over the facts of the order."""

from collections.abc import Callable
from decimal import Decimal

from pyrt.core.instruments import Instrument
from pyrt.risk.breaker import CircuitBreaker
from pyrt.risk.facts import Facts
from pyrt.risk.states import States
from pyrt.risk.stops import ProtectiveStops

class Assessor(Facts):
    daily_volume: Callable[[Instrument, int], Decimal | None] | None
    @property
    def states(self) -> States: ...
    @property
    def breaker(self) -> CircuitBreaker: ...
    @property
    def stops(self) -> ProtectiveStops: ...

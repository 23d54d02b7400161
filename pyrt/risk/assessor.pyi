"""Weighing one order: its facts, the worst case it would make, and each control over them."""

from collections.abc import Callable
from decimal import Decimal

from pyrt.core.instruments import Instrument
from pyrt.risk.breaker import CircuitBreaker
from pyrt.risk.claims import Claims
from pyrt.risk.limits import Limits
from pyrt.risk.readings import Readings
from pyrt.risk.sessions import SessionClock
from pyrt.risk.states import States
from pyrt.risk.stops import ProtectiveStops
from pyrt.risk.traffic import Traffic
from pyrt.risk.watch import Watcher

class Assessor(Watcher):
    depth: Callable[[str, str, float], float | None] | None
    daily_volume: Callable[[Instrument, int], Decimal | None] | None
    @property
    def limits(self) -> Limits: ...
    @property
    def strict(self) -> bool: ...
    @property
    def states(self) -> States: ...
    @property
    def breaker(self) -> CircuitBreaker: ...
    @property
    def claims(self) -> Claims | None: ...
    @property
    def stops(self) -> ProtectiveStops: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def readings(self) -> Readings: ...
    @property
    def clocks(self) -> SessionClock: ...

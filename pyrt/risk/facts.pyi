"""The facts of one order: its terms, the worst case it would make, and the market it meets."""

from collections.abc import Callable

from pyrt.core.hours import Hours
from pyrt.risk.claims import Claims
from pyrt.risk.limits import Limits
from pyrt.risk.readings import Readings
from pyrt.risk.traffic import Traffic
from pyrt.risk.watch import Watcher

class Facts(Watcher):
    depth: Callable[[str, str, float], float | None] | None
    @property
    def limits(self) -> Limits: ...
    @property
    def strict(self) -> bool: ...
    @property
    def claims(self) -> Claims | None: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def readings(self) -> Readings: ...
    @property
    def hours(self) -> Hours: ...

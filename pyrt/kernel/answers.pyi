"""What the venue answers about orders: taken into order, position and account, then announced."""

from typing import final

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.records import Records
from pyrt.execution.booking import Booking
from pyrt.execution.desk import Desk
from pyrt.kernel.curve import EquityCurve
from pyrt.kernel.notices import Notices
from pyrt.risk.watch import Watcher

@final
class Answers:
    def __init__(
        self,
        cache: Cache,
        clock: Clock,
        records: Records,
        desk: Desk,
        booking: Booking,
        curve: EquityCurve,
        notices: Notices,
        watcher: Watcher | None = None,
    ) -> None: ...

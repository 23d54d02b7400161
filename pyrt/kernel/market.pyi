"""One event of market data: state first, then indicators, signals, handlers, aggregates."""

from typing import final

from pyrt.core.accounts import Account
from pyrt.core.clock import Clock
from pyrt.execution.booking import Booking
from pyrt.kernel.aggregates import Aggregates
from pyrt.kernel.calls import Calls
from pyrt.risk.watch import Watcher

@final
class Market:
    def __init__(
        self,
        account: Account,
        booking: Booking,
        clock: Clock,
        calls: Calls,
        aggregates: Aggregates,
        watcher: Watcher | None = None,
    ) -> None: ...

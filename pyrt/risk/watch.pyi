"""What a gate that keeps count hears from the kernel, besides the orders it judges."""

from collections.abc import Callable
from typing import Any

from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.instruments import Instrument
from pyrt.core.ports import OrderDesk
from pyrt.core.records import Records
from pyrt.risk.gate import BasicGate

class Watcher(BasicGate):
    @property
    def watches_marks(self) -> bool: ...
    @property
    def watches_quotes(self) -> bool: ...
    @property
    def watches_orders(self) -> bool: ...
    @property
    def watches_equity(self) -> bool: ...
    def attach(
        self,
        *,
        account: Account,
        cache: Cache,
        clock: Clock,
        desk: OrderDesk,
        records: Records,
        strategies: list[Any],
        sessions: Callable[[Instrument], tuple[Any, Any] | None] | None = None,
    ) -> None: ...

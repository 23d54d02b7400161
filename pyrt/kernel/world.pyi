"""The kernel as execution algorithms see it: guarded calls, market data, and the record."""

from collections.abc import Callable, Iterable
from typing import Any, final

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.kernel.answers import Answers
from pyrt.kernel.calls import Calls
from pyrt.strategy.core import StrategyCore

@final
class World:
    @property
    def clock(self) -> Clock: ...
    @property
    def sessions_of(self) -> Callable[[Instrument], Any]: ...
    def __init__(
        self,
        clock: Clock,
        cache: Cache,
        calls: Calls,
        answers: Answers,
        sessions_of: Callable[[Instrument], Any],
    ) -> None: ...
    def guarded(self, owner: StrategyCore, method: Callable[[Any], Any], argument: Any) -> None: ...
    def halts(self, order: Order) -> bool: ...
    def announce(self, order: Order, kind: int, ts: int, quantity: int, price: int) -> None: ...
    def listen(self, order: Order, kind: str, method: Callable[[Any], Any]) -> bool: ...
    def unlisten(self, order: Order, methods: Iterable[Callable[[Any], Any]]) -> None: ...

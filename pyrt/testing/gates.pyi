"""A kernel around a gate and a venue that only listens: limits tried out order by order."""

from collections.abc import Sequence
from typing import Any, final

from pyrt.core.instruments import Instrument
from pyrt.core.numbers import Number
from pyrt.core.orders import Order
from pyrt.core.ports import ApprovedOrder, RiskGate, Venue
from pyrt.kernel.kernel import Kernel
from pyrt.risk.watch import Watcher

@final
class ListeningVenue(Venue):
    @property
    def submitted(self) -> list[Order]: ...
    @property
    def changed(self) -> list[tuple[Order, int, int]]: ...
    @property
    def withdrawn(self) -> list[Order]: ...
    def __init__(self) -> None: ...

@final
class IdleWatcher(Watcher):
    def __init__(self) -> None: ...

@final
class GateRig:
    @property
    def kernel(self) -> Kernel: ...
    @property
    def venue(self) -> ListeningVenue: ...
    @property
    def symbols(self) -> list[str]: ...
    @property
    def gate(self) -> Any: ...
    @property
    def now(self) -> int: ...
    def __init__(
        self,
        gate: RiskGate,
        *,
        cash: Number = 1_000_000,
        symbols: Sequence[str | Instrument] = ("AAA",),
        prices: float | None = None,
        strategies: int = 1,
        account: Any = None,
        capabilities: Any = None,
    ) -> None: ...
    def wait(self, length: int | str) -> None: ...
    def price(self, value: float, symbol: str | None = None) -> None: ...
    def quote(
        self, bid: float, ask: float, symbol: str | None = None, *, marks: bool = True
    ) -> None: ...
    def split(self, new: int, old: int = 1, symbol: str | None = None) -> None: ...
    def sample(self) -> None: ...
    def order(
        self,
        side: str,
        quantity: Number | None = None,
        symbol: str | None = None,
        strategy: int = 0,
        **terms: Any,
    ) -> Order: ...
    def draft(
        self,
        side: str,
        quantity: Number | None = None,
        symbol: str | None = None,
        strategy: int = 0,
        **terms: Any,
    ) -> Order: ...
    def settle(self) -> None: ...
    def modify(self, order: Order, **changes: Any) -> bool: ...
    def cancel(self, order: Order) -> bool: ...
    def close(self, symbol: str | None = None, strategy: int = 0) -> Order | None: ...
    def judge(self, order: Order) -> str | None: ...
    def approve(self, order: Order) -> ApprovedOrder: ...
    def answer(
        self,
        what: str,
        order: Order,
        quantity: Number | None = None,
        limit_price: Number | None = None,
        stop_price: Number | None = None,
    ) -> None: ...
    def fill(
        self,
        order: Order,
        quantity: Number | None = None,
        price: Number | None = None,
        settles: bool = True,
    ) -> None: ...
    def hold(
        self,
        quantity: float,
        symbol: str | None = None,
        strategy: int = 0,
        price: Number | None = None,
    ) -> Order: ...

"""The order desk: a strategy's wishes become orders and queued commands."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.orders import Order
from pyrt.core.ports import Command, OrderDesk, Owner
from pyrt.core.positions import Position
from pyrt.core.records import Records
from pyrt.errors import RunawayError

ALONE: tuple[str, ...]

def is_no_limit(order: Order) -> bool: ...

@final
class Desk(OrderDesk):
    @property
    def prefix(self) -> str: ...
    @property
    def commands(self) -> list[Command]: ...
    @property
    def waiting(self) -> list[Command]: ...
    @property
    def default_tif(self) -> dict[str, str]: ...
    @property
    def capital_of(self) -> Callable[[int], float] | None: ...
    commands_max: int
    runaway: RunawayError | None
    def __init__(
        self,
        cache: Cache,
        clock: Clock,
        records: Records,
        *,
        prefix: str = "bt-",
        default_tif: dict[str, Any] | None = None,
        capital_of: Callable[[int], float] | None = None,
    ) -> None: ...
    def place_with_exits(self, order: Order, terms: dict[str, Any]) -> Order: ...
    def add_exits(self, order: Order, terms: dict[str, Any]) -> None: ...
    def place_pair(self, order: Order, terms: dict[str, Any]) -> Order: ...
    def pair(
        self,
        owner: Owner,
        first: tuple[int, str, Any, dict[str, Any]],
        second: tuple[int, str, Any, dict[str, Any]],
        partial: str,
    ) -> tuple[Order, ...]: ...
    def estimate(self, order: Order) -> int: ...
    def send(self, order: Order) -> None: ...
    def check_owner(self, owner: Owner, order: Order) -> None: ...
    def move(
        self, owner: Owner, position: Position, wanted: int, tag: str | None, resizes: bool
    ) -> Order | None: ...
    def read_algorithm(self, order: Order, terms: dict[str, Any]) -> None: ...
    def spawn(self, origin: Order, units: int, terms: dict[str, Any]) -> Order: ...
    def set_quantity(self, order: Order, units: int) -> None: ...

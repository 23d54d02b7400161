"""Calling strategies: one order of handlers, and one policy for what they raise."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.bus import MessageBus
from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.execution.desk import Desk
from pyrt.strategy.core import StrategyCore

@final
class Calls:
    @property
    def on_error(self) -> str: ...
    @property
    def errors(self) -> list[Any]: ...
    def __init__(
        self,
        bus: MessageBus,
        clock: Clock,
        cache: Cache,
        desk: Desk,
        hooks: list[Any],
        on_error: str = "raise",
    ) -> None: ...
    def plain(self, strategy: StrategyCore, handler: str) -> None: ...
    def take_failure(
        self, owner: StrategyCore, handler: Any, argument: object, error: Exception
    ) -> None: ...
    def bus_failed(
        self, handler: Callable[..., object], message: Any, error: BaseException
    ) -> bool: ...
    def halt(self, strategy: StrategyCore, reason: str) -> None: ...

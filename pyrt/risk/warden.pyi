"""What may leave at all: trading states, halts of symbols, and who passes a control once."""

from collections.abc import Callable
from typing import Any

from pyrt.core.orders import Order
from pyrt.risk.assessor import Assessor
from pyrt.risk.states import Change, TradingState

class Warden(Assessor):
    recorder: Callable[[str, dict[str, Any]], object] | None
    @property
    def monitor(self) -> Any: ...
    @property
    def now(self) -> int: ...
    @property
    def changes(self) -> list[Change]: ...
    def set_state(
        self,
        state: TradingState | int | str,
        actor: str,
        reason: str,
        *,
        strategy: str | None = None,
        symbol: str | None = None,
    ) -> None: ...
    def set_status(self, symbol: str, status: str) -> None: ...
    def set_halted(self, symbol: str, halted: bool) -> None: ...
    @property
    def halted_symbols(self) -> list[str]: ...
    @property
    def limited_symbols(self) -> list[str]: ...
    def allow_once(
        self, control: str, actor: str, reason: str, for_: int | str = "60s"
    ) -> None: ...
    def state(self, *, strategy: str | None = None, symbol: str | None = None) -> TradingState: ...
    def could_raise(self, order: Order) -> bool: ...
    def names_of(
        self, strategy: str | None, symbol: str | None
    ) -> tuple[str | None, str | None]: ...

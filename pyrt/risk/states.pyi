"""Trading states of the whole, of strategies and of symbols, and who changed what and why."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, final

ENGINE: str

class TradingState(IntEnum):
    ACTIVE = 0
    REDUCING = 1
    HALTED = 2

@dataclass(frozen=True, kw_only=True)
class Change:
    ts_event: int
    scope: str
    before: str
    after: str
    actor: str
    reason: str

def check_named(scope: str, actor: object, reason: object) -> None: ...
def state_of(state: TradingState | int | str) -> TradingState: ...

@final
class States:
    @property
    def everywhere(self) -> int: ...
    @property
    def changes(self) -> list[Change]: ...
    def __init__(self) -> None: ...
    def set(
        self,
        state: TradingState | int | str,
        actor: str,
        reason: str,
        *,
        ts: int,
        strategy: str | None = None,
        symbol: str | None = None,
    ) -> None: ...
    def look(self) -> None: ...
    def note(
        self, ts: int, scope: str, before: str, after: str, actor: str, reason: str
    ) -> None: ...
    def forget(self, scopes: Collection[str]) -> None: ...
    def get(self, strategy: str | None = None, symbol: str | None = None) -> TradingState: ...
    def save(self) -> dict[str, Any]: ...
    def restore(self, saved: dict[str, Any]) -> None: ...

"""A simulated venue with recorded data, for servers: commands and events as plain values."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, final

from pyrt.backtest.venue import SimVenue

def first_moment(table: Any) -> int: ...

@final
class Exchange:
    @property
    def venue(self) -> SimVenue: ...
    @property
    def tables(self) -> list[Any]: ...
    @property
    def now(self) -> int: ...
    def __init__(self, venue: SimVenue, tables: Iterable[Any]) -> None: ...
    def next_instant(self) -> int | None: ...
    def move_to(self, ts: int) -> None: ...
    def skip_to(self, ts: int) -> None: ...
    def end_bars(self) -> list[tuple[Any, int]]: ...
    def halt(self, symbol: str) -> None: ...
    def resume(self, symbol: str) -> None: ...
    def calendar(self) -> None: ...
    def open_bars(self) -> None: ...
    def take_ticks(self, until: int | None = None, most: int = 1) -> list[tuple[int, int]]: ...
    def submit(
        self,
        number: int,
        symbol: str,
        side: str,
        type: str,
        time_in_force: str,
        quantity: Decimal | str | None,
        *,
        notional: float | str | Decimal | None = None,
        limit_price: float | str | Decimal | None = None,
        stop_price: float | str | Decimal | None = None,
        trail_amount: float | str | Decimal | None = None,
        trail_percent: float | str | Decimal | None = None,
        expires_at: int | str | datetime | None = None,
        extended_hours: bool = False,
        take_profit: tuple[int, Any] | None = None,
        stop_loss: tuple[int, Any, Any] | None = None,
        ends: int | None = None,
    ) -> None: ...
    def submit_pair(
        self,
        number: int,
        symbol: str,
        side: str,
        time_in_force: str,
        quantity: float | str | Decimal,
        limit_price: float | str | Decimal | None,
        stop_loss: tuple[int, Any, Any],
        *,
        ends: int | None = None,
    ) -> None: ...
    def change(
        self,
        number: int,
        symbol: str,
        *,
        quantity: float | str | Decimal | None = None,
        limit_price: float | str | Decimal | None = None,
        stop_price: float | str | Decimal | None = None,
        trail: Any = None,
    ) -> None: ...
    def act(self, kind: str, symbol: str, first: int, second: int | Decimal) -> None: ...
    def cancel(self, number: int) -> bool: ...
    def last_price(self, symbol: str) -> Decimal | None: ...
    def held(self, symbol: str) -> Decimal: ...
    @property
    def live_numbers(self) -> Any: ...
    @property
    def symbols(self) -> list[str]: ...
    def take_events(self) -> list[dict[str, Any]]: ...

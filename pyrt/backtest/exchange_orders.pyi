"""Commands to a simulated venue as plain values: orders, pairs of exits, changes, cancels."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from typing_extensions import disjoint_base

from pyrt.backtest.venue import SimVenue

@disjoint_base
class ExchangeOrders:
    @property
    def venue(self) -> SimVenue: ...
    def __init__(self, venue: SimVenue) -> None: ...
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
    def set_time(
        self, number: int, symbol: str, time_in_force: str, *, ends: int | None = None
    ) -> None: ...
    def cancel(self, number: int) -> bool: ...

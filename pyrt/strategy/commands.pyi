"""The orders of a strategy: what it sends, changes, cancels and takes toward a target."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from pyrt.core.orders import Order
from pyrt.strategy.base import StrategyBase

class StrategyCommands(StrategyBase):
    def buy(
        self,
        symbol: str,
        quantity: float | str | Decimal | None = None,
        *,
        notional: float | str | Decimal | None = None,
        limit_price: float | str | Decimal | None = None,
        stop_price: float | str | Decimal | None = None,
        trail_amount: float | str | Decimal | None = None,
        trail_percent: float | str | Decimal | None = None,
        trigger_price: float | str | Decimal | None = None,
        take_profit: float | str | Decimal | dict[str, Any] | None = None,
        stop_loss: float | str | Decimal | tuple[float, float] | dict[str, Any] | None = None,
        time_in_force: str | None = None,
        expires_at: int | str | datetime | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        extended_hours: bool = False,
        queue: bool = False,
        tag: str | None = None,
        algorithm: Any = None,
        display_quantity: float | str | Decimal | None = None,
        market_to_limit: bool = False,
    ) -> Order: ...
    def sell(
        self,
        symbol: str,
        quantity: float | str | Decimal | None = None,
        *,
        notional: float | str | Decimal | None = None,
        limit_price: float | str | Decimal | None = None,
        stop_price: float | str | Decimal | None = None,
        trail_amount: float | str | Decimal | None = None,
        trail_percent: float | str | Decimal | None = None,
        trigger_price: float | str | Decimal | None = None,
        take_profit: float | str | Decimal | dict[str, Any] | None = None,
        stop_loss: float | str | Decimal | tuple[float, float] | dict[str, Any] | None = None,
        time_in_force: str | None = None,
        expires_at: int | str | datetime | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        extended_hours: bool = False,
        queue: bool = False,
        tag: str | None = None,
        algorithm: Any = None,
        display_quantity: float | str | Decimal | None = None,
        market_to_limit: bool = False,
    ) -> Order: ...
    def submit(self, order: dict[str, Any] | Iterable[dict[str, Any]], **changes: Any) -> Any: ...
    def validate(self, order: dict[str, Any] | Iterable[dict[str, Any]], **changes: Any) -> Any: ...
    def oco(
        self,
        symbol: str,
        quantity: float | str | Decimal,
        *,
        take_profit: float | str | Decimal | dict[str, Any],
        stop_loss: float | str | Decimal | tuple[float, float] | dict[str, Any],
        time_in_force: str | None = None,
        tag: str | None = None,
        partial: str = "reduce",
    ) -> tuple[Order, Order]: ...
    def pair(
        self, first: dict[str, Any], second: dict[str, Any], *, partial: str = "reduce"
    ) -> tuple[Order, Order]: ...
    def cancel(self, order: Order) -> None: ...
    def modify(self, order: Order, **changes: Any) -> None: ...
    def cancel_all(self, symbol: str | None = None) -> None: ...
    def close(self, symbol: str) -> Order | None: ...
    def target_position(self, symbol: str, quantity: float | str | Decimal) -> Order | None: ...
    def target_percent(self, symbol: str, fraction: float) -> Order | None: ...

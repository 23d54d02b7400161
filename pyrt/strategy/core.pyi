"""The compiled half of Strategy: commands and lookups that handlers call per event."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from logging import Logger
from typing import Any, TypeVar

from pyrt.core.accounts import Account
from pyrt.core.book import OrderBook
from pyrt.core.cache import Cache
from pyrt.core.clock import Clock, TimerEvent
from pyrt.core.conditions import Condition
from pyrt.core.data import Bar
from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.core.ports import Indicator, Owner
from pyrt.core.positions import Position
from pyrt.core.recent import Recent
from pyrt.core.streams import Stream

IndicatorT = TypeVar("IndicatorT", bound=Indicator)

class StrategyCore(Owner):
    @property
    def name(self) -> str: ...
    @property
    def has_run(self) -> bool: ...
    @property
    def stop_reason(self) -> str: ...
    @property
    def capital(self) -> float | None: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def _freeze(self, values: dict[str, Any], capital: float | None) -> None: ...
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
    def position(self, symbol: str) -> Position: ...
    def positions(self) -> list[Position]: ...
    def orders(self, symbol: str | None = None) -> list[Order]: ...
    @property
    def account(self) -> Account: ...
    @property
    def portfolio(self) -> Any: ...
    @property
    def equity(self) -> float: ...
    @property
    def cache(self) -> Cache: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def now(self) -> int: ...
    @property
    def log(self) -> Logger: ...
    def instrument(self, symbol: str) -> Instrument: ...
    def subscribe_bars(
        self, symbol: str, timeframe: Any, *, source: str | None = None, name: str | None = None
    ) -> Stream: ...
    def subscribe_quotes(self, symbol: str) -> Stream: ...
    def subscribe_trades(self, symbol: str) -> Stream: ...
    def book(self, symbol: str, *, own: bool = True) -> OrderBook: ...
    def keep_bars(self, symbol: str, timeframe: str, n: int | None = None) -> Recent: ...
    def keep_trades(self, symbol: str, n: int | None = None) -> Recent: ...
    def keep_quotes(self, symbol: str, n: int | None = None) -> Recent: ...
    def subscribe_book(self, symbol: str) -> Stream: ...
    def attach(self, indicator: IndicatorT, stream: Stream, input: str = "close") -> IndicatorT: ...
    def when(
        self, condition: Condition, handler: Callable[..., Any], *, stream: Stream | None = None
    ) -> None: ...
    def exit_on(
        self,
        symbol: str,
        *,
        stop: float | None = None,
        target: float | None = None,
        trail: float | None = None,
        bars: int | None = None,
        stream: Stream,
    ) -> None: ...
    def request_history(
        self, symbol: str, timeframe: str, bars: int, handler: Callable[[list[Bar]], object]
    ) -> None: ...
    def set_timer(
        self,
        name: str,
        interval: int | str | timedelta,
        handler: Callable[[TimerEvent], object] | None = None,
        *,
        start: int | str | datetime | None = None,
        stop: int | str | datetime | None = None,
    ) -> None: ...
    def set_alert(
        self,
        name: str,
        when: int | str | datetime,
        handler: Callable[[TimerEvent], object] | None = None,
    ) -> None: ...
    def cancel_timer(self, name: str) -> None: ...
    def publish(self, topic: str, message: Any) -> None: ...
    def subscribe(
        self, topic: str, handler: Callable[..., object], *, priority: int = 0
    ) -> Any: ...
    def compute(
        self, fn: Callable[..., Any], *args: Any, then: Callable[[Any], object]
    ) -> None: ...

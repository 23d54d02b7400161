"""The kernel's two inputs as a live world gives them: decoded messages, one at a time."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, final

from pyrt.core.book_feed import BookColumns
from pyrt.core.orders import Order
from pyrt.core.ports import FeeModel
from pyrt.core.streams import Stream
from pyrt.kernel.kernel import Kernel
from pyrt.live.core.tape import Tape

ENCODER: Any
KINDS: dict[str, int]
ENTRY_KINDS: dict[str, int]

@final
class Inputs:
    @property
    def kernel(self) -> Kernel: ...
    @property
    def next_timer(self) -> int | None: ...
    @property
    def tape(self) -> Tape | None: ...
    @property
    def count(self) -> int: ...
    @property
    def fees(self) -> FeeModel | None: ...
    @property
    def last_bars(self) -> dict[int, int]: ...
    @property
    def holds_timers(self) -> bool: ...
    @property
    def holds_bars(self) -> bool: ...
    def __init__(
        self, kernel: Kernel, tape: Tape | None = None, fees: FeeModel | None = None
    ) -> None: ...
    def is_idle(self, ts: int) -> bool: ...
    def order(self, number: int) -> Order | None: ...
    def advance(self, ts: int) -> None: ...
    def end_bars(self) -> None: ...
    def fire_timers(self) -> None: ...
    def end_day(self, ts_event: int) -> None: ...
    def bar(
        self,
        stream: Stream,
        ts_open: int,
        ts_close: int,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None: ...
    def quote(
        self,
        stream: Stream,
        ts_event: int,
        bid_price: float,
        bid_size: float,
        ask_price: float,
        ask_size: float,
    ) -> None: ...
    def trade(
        self, stream: Stream, ts_event: int, price: float, size: float, aggressor: int = 0
    ) -> None: ...
    def book(
        self,
        stream: Stream,
        ts_event: int,
        bids: Sequence[tuple[float, float]],
        asks: Sequence[tuple[float, float]],
        is_full: bool,
    ) -> None: ...
    def lose_book(self, stream: Stream, ts_event: int) -> None: ...
    def feed_book(
        self,
        stream: Stream,
        ts_event: int,
        bids: Sequence[tuple[float, float]],
        asks: Sequence[tuple[float, float]],
        is_full: bool,
    ) -> None: ...
    def warm(self, stream: Stream, rows: Iterable[tuple[Any, ...]], until: int = ...) -> None: ...
    def feed_past(
        self, stream: Stream, rows: Iterable[tuple[Any, ...]], until: int = ...
    ) -> None: ...
    def cash(self, ts_event: int, amount: Any, kind: str = "other", symbol: str = "") -> None: ...
    def sample(self) -> None: ...
    def order_event(
        self,
        kind: str,
        number: int,
        ts_event: int,
        reason: str = "",
        *,
        quantity: Any = None,
        limit_price: Any = None,
        stop_price: Any = None,
    ) -> None: ...
    def fill(
        self,
        number: int,
        ts_event: int,
        quantity: Any,
        price: Any,
        cumulative: Any,
        fee: Any = None,
        liquidity: str = "",
        taken: Any = None,
    ) -> Decimal: ...
    def settle(self) -> None: ...
    def hold(self) -> None: ...
    def release_timers(self) -> None: ...
    def release_bars(self, until: int = 0) -> None: ...
    def hold_made(self, stream: Stream, waits: bool) -> None: ...
    def let_wait(self, stream: Stream, waits: bool) -> None: ...
    def break_off(self) -> None: ...
    def restrict(self, error: Exception) -> None: ...
    def stop_runaway(self, error: Exception) -> None: ...

def book_rows(
    ts_event: int,
    bids: Sequence[tuple[float, float]],
    asks: Sequence[tuple[float, float]],
    is_full: bool,
) -> BookColumns | None: ...

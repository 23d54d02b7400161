"""The simulated venue: takes orders, executes them, keeps the broker's account."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, final

from pyrt.backtest.book import VenueBook, VenueOrder
from pyrt.backtest.fills import VenueFills
from pyrt.backtest.latency import LatencyModel
from pyrt.backtest.queue import QueueModel
from pyrt.backtest.slippage import Slippage
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.core.records import Texts

class FillTiming(IntEnum):
    NEXT_OPEN = 0
    SAME_CLOSE = 1
    NEXT_CLOSE = 2

class BarPath(IntEnum):
    ADVERSE_FIRST = 0
    OPEN_HIGH_LOW_CLOSE = 1
    OPEN_LOW_HIGH_CLOSE = 2
    NEAREST_FIRST = 3

TIMINGS: dict[str, int]
PATHS: dict[str, int]
CHILD_RULES: dict[str, int]

def named(what: str, value: str, choices: dict[str, int]) -> int: ...

class Matcher: ...

@final
class SimVenue(VenueFills):
    @property
    def timing(self) -> int: ...
    @property
    def path(self) -> int: ...
    @property
    def touch_fills(self) -> bool: ...
    @property
    def participation(self) -> float: ...
    @property
    def queue(self) -> QueueModel: ...
    @property
    def consumes(self) -> bool: ...
    @property
    def matcher(self) -> Matcher: ...
    @matcher.setter
    def matcher(self, value: Matcher) -> None: ...
    @property
    def borrow(self) -> Callable[..., float] | None: ...
    @borrow.setter
    def borrow(self, value: Callable[..., float] | None) -> None: ...
    @property
    def ambiguous_bars(self) -> int: ...
    def __init__(
        self,
        account: Account,
        fees: FeeModel,
        slippage: Slippage,
        *,
        texts: Texts | None = None,
        fill: str = "next_open",
        path: str = "adverse_first",
        touch_fills: bool = False,
        participation: float = 0.0,
        latency_ns: int = 0,
        children: str = "rest_of_bar",
        latency: LatencyModel | None = None,
        queue: QueueModel | None = None,
        consumes: bool = True,
    ) -> None: ...
    def add_instrument(self, instrument: Instrument, sessions: Any = None) -> None: ...
    def follow(
        self,
        index: int,
        source: str,
        *,
        prints: bool = False,
        standing: bool = False,
        by_order: bool = False,
    ) -> None: ...
    def expect_auctions(self, index: int) -> None: ...
    def limit_shorts(self, index: int, quantity: Any) -> None: ...
    def refuse_change(self, number: int, reason: str) -> None: ...
    def meet_last_price(self, book: VenueBook, order: VenueOrder, ts: int) -> None: ...

"""One stream of market data inside the kernel: what feeds on it and who handles it."""

from typing import Any, TypeVar, final

from pyrt.core.book import OrderBook
from pyrt.core.bus import Channel
from pyrt.core.conditions import Signal
from pyrt.core.instruments import Instrument
from pyrt.core.ports import Indicator
from pyrt.core.recent import Recent

IndicatorT = TypeVar("IndicatorT", bound=Indicator)

BAR_COLUMNS: dict[str, int]
COLUMNS: dict[str, dict[str, int]]
DEFAULT_INPUT: dict[str, str]
ALIASES: dict[str, dict[str, int]]

@final
class Feed:
    @property
    def indicator(self) -> Indicator: ...
    def __init__(self, indicator: Indicator, kind: str, source: str) -> None: ...

@final
class Stream:
    @property
    def index(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def instrument(self) -> Instrument: ...
    @property
    def symbol(self) -> str: ...
    @property
    def timeframe(self) -> str: ...
    @property
    def timeframe_ns(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def count(self) -> int: ...
    @property
    def marks(self) -> bool: ...
    @property
    def recent(self) -> Recent | None: ...
    @property
    def book(self) -> OrderBook: ...
    @property
    def aggregates(self) -> list[tuple[Any, Stream]]: ...
    @property
    def signals(self) -> list[Signal]: ...
    def __init__(
        self,
        index: int,
        kind: str,
        instrument: Instrument,
        topic: str,
        channel: Channel,
        timeframe: str = "",
        timeframe_ns: int = 0,
    ) -> None: ...
    def attach(self, indicator: IndicatorT, source: str = "close") -> IndicatorT: ...
    def keep(self, n: int | None = None) -> Recent: ...
    @property
    def lookbacks(self) -> list[int]: ...

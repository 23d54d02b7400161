"""What a kernel is made of, and what strategies may ask of it besides commands."""

from collections.abc import Callable
from datetime import datetime
from logging import Logger
from typing import Any

from pyrt.core.accounts import Account
from pyrt.core.bus import MessageBus
from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.data import Bar
from pyrt.core.events import EventQueue
from pyrt.core.instruments import Instrument
from pyrt.core.ports import CommandSink, RiskGate, Venue
from pyrt.core.recent import Recent
from pyrt.core.records import Records
from pyrt.core.streams import Stream
from pyrt.data.aggregation import Aggregator
from pyrt.execution.booking import Booking
from pyrt.execution.desk import Desk
from pyrt.kernel.calls import Calls
from pyrt.kernel.curve import EquityCurve
from pyrt.kernel.portfolio import Portfolio
from pyrt.kernel.probe import Probe
from pyrt.kernel.subscriptions import HANDLERS as HANDLERS
from pyrt.strategy.core import StrategyCore
from pyrt.strategy.strategy import Strategy
from pyrt.venues.capabilities import Capabilities

class Wiring:
    @property
    def clock(self) -> Clock: ...
    @property
    def cache(self) -> Cache: ...
    @property
    def bus(self) -> MessageBus: ...
    @property
    def account(self) -> Account: ...
    @property
    def records(self) -> Records: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def booking(self) -> Booking: ...
    @property
    def gate(self) -> RiskGate: ...
    @property
    def sink(self) -> CommandSink: ...
    @property
    def venue(self) -> Venue: ...
    @property
    def inbox(self) -> EventQueue: ...
    @property
    def strategies(self) -> list[Strategy]: ...
    @property
    def calls(self) -> Calls: ...
    @property
    def curve(self) -> EquityCurve: ...
    @property
    def portfolio(self) -> Portfolio: ...
    @property
    def errors(self) -> list[Any]: ...
    world: Any
    history: Callable[[str, str, int], list[Bar]] | None
    open_stream: Callable[[str, str, str], bool] | None
    sessions: Callable[[str], Any] | None
    rounds_max: int
    grace_ns: int
    books_show_own: bool
    compute_latency_ns: int
    def __init__(
        self,
        account: Account,
        gate: RiskGate,
        *,
        prefix: str = "bt-",
        on_error: str = "raise",
        cost: str = "average",
        keep_closed: bool = False,
        default_tif: dict[str, Any] | None = None,
        capabilities: dict[str, Capabilities] | None = None,
    ) -> None: ...
    def measure(self, probe: Probe | None) -> None: ...
    def connect(self, venue: Venue) -> None: ...
    def add_instrument(self, instrument: Instrument) -> Instrument: ...
    def add_strategy(self, strategy: StrategyCore, name: str | None = None) -> StrategyCore: ...
    def subscribe(self, owner: StrategyCore, kind: str, symbol: str, timeframe: str) -> Stream: ...
    def subscription(self, kind: str, symbol: str, timeframe: str = "") -> Stream: ...
    def add_stream(
        self,
        kind: str,
        instrument: Instrument,
        topic: str,
        timeframe: str = "",
        timeframe_ns: int = 0,
    ) -> Stream: ...
    def choose_marks(self) -> None: ...
    def makes(self, stream: Stream) -> bool: ...
    def link_aggregate(self, source: Stream, aggregator: Aggregator, target: Stream) -> None: ...
    def subscribe_made(
        self,
        owner: StrategyCore,
        symbol: str,
        aggregator: Aggregator,
        source: str | None,
        name: str | None,
    ) -> Stream: ...
    def keep(self, kind: str, symbol: str, timeframe: str, n: int | None) -> Recent: ...
    def subscribe_topic(
        self, owner: Any, topic: str, handler: Callable[..., object], priority: int
    ) -> Any: ...
    def request_history(
        self,
        owner: StrategyCore,
        symbol: str,
        timeframe: str,
        bars: int,
        handler: Callable[..., object],
    ) -> None: ...
    def compute(
        self,
        owner: StrategyCore,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        then: Callable[[Any], object],
    ) -> None: ...
    def later(self, owner: StrategyCore, delay_ns: int, handler: Callable[..., object]) -> None: ...
    def timestamp(self, value: int | str | datetime) -> int: ...
    def logger(self, name: str) -> Logger: ...
    def sessions_of(self, instrument: Instrument) -> Any: ...
    def set_handlers_from(self, ts: int) -> None: ...

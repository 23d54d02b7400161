"""The backtest engine: venues, instruments, data and strategies assembled into one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pyrt.backtest.actions import ExDates, read_actions, splits_of
from pyrt.backtest.alpaca import AlpacaVenue
from pyrt.backtest.arguments import check_cash, check_span, known_cost, whole_bars, whole_seed
from pyrt.backtest.days import day_ends, rate_rows
from pyrt.backtest.feed import Cursor, Feed
from pyrt.backtest.fees import fee_model
from pyrt.backtest.interruptions import read_auctions, read_halts
from pyrt.backtest.latency import latency_model
from pyrt.backtest.markets import Market, markets
from pyrt.backtest.outcome import Inputs, Outcome, book_gaps, outcome_of
from pyrt.backtest.past import PastBars, arrives_late, first_moment, topic_of_table
from pyrt.backtest.port import BacktestVenue
from pyrt.backtest.price_bands import read_bands
from pyrt.backtest.progress import Progress
from pyrt.backtest.queue import queue_model
from pyrt.backtest.runner import Runner
from pyrt.backtest.settings import VenueSettings
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.backtest.volumes import DataDays, DataRanges, DataVolumes
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument, listed
from pyrt.core.times import format_ns
from pyrt.data.columns import BarColumns, Columns
from pyrt.data.replay import Pace, replay_speed
from pyrt.data.slicing import moment
from pyrt.data.tables import Loaded, load
from pyrt.errors import ConfigError, DataError
from pyrt.execution.reserves import reserved
from pyrt.kernel.kernel import Kernel
from pyrt.kernel.subscriptions import GRACE_NS, unheard
from pyrt.risk.engine import RiskEngine
from pyrt.strategy.strategy import Strategy
from pyrt.venues.alpaca.rules import AlpacaRules

WARMUP_BARS_MIN = 250
WARMUP_LOOKBACKS = 4
DAY_NS = 86_400_000_000_000


class Engine:
    """Explicit form of a backtest, for those who assemble its parts themselves.

    Parameters
    ----------
    cash : number
        Opening balance.
    currency : str
        Base currency of the account.
    seed : int
        Seeds every random model; part of the run hash.
    start, end : int, str, date or datetime, optional
        The span handlers see, UTC where no offset is written; an `end` without a time is the end
        of that day. Rows before `start` warm indicators up.
    warmup : int, optional
        Bars before `start` that feed indicators; default 4 × the largest lookback, at least 250.
    cost : {"average", "fifo"}
        How closed units are costed.
    on_error : {"raise", "halt", "log"}
        What an exception in a handler does.
    ledger : bool
        Keep a double-entry ledger of every change of money.
    gate : RiskGate, optional
        Judges orders; by default a `RiskEngine` without limits.
    speed : number or str
        Seconds of data in one of the clock, such as ``"10x"``, with the data's own gaps; by default
        as fast as it goes. What comes of the run is the same.

    Examples
    --------
    >>> engine = Engine(cash=10_000)
    >>> engine.add_venue(fill="next_open")
    """

    def __init__(
        self,
        *,
        cash: Any = 100_000,
        currency: str = "USD",
        seed: int = 0,
        start: Any = None,
        end: Any = None,
        warmup: int | None = None,
        cost: str = "average",
        on_error: str = "raise",
        ledger: bool = False,
        gate: Any = None,
        speed: Any = None,
    ) -> None:
        self._began = time.perf_counter()
        self._cash, self._currency, self._seed = cash, currency, whole_seed(seed)
        self._start = None if start is None else moment(start, None)
        self._end = None if end is None else moment(end, None, is_end=True)
        check_span(self._start, self._end)
        self._warmup = whole_bars(warmup)
        self._cost, self._on_error, self._gate = known_cost(cost), on_error, gate
        self._venue = VenueSettings()
        self._instruments: dict[str, Instrument] = {}
        self._loaded: list[Loaded] = []
        self._tables: list[Columns] = []
        self._streams: dict[int, Any] = {}
        self._figures: list[DataDays] = []
        self._past: PastBars
        self._zones: dict[str, str] = {}
        self._actions: list[Any] = []
        self._rates: list[Any] = []
        self._ledger = ledger
        self._markets: dict[str, Market] = {}
        self._strategies: list[Strategy] = []
        seconds = replay_speed(speed)
        self.pace: Any = None if seconds is None else Pace(seconds)
        check_cash(cash, currency)

    # -- assembling ----------------------------------------------------------------------------

    def add_venue(self, name: str = "sim", **settings: Any) -> None:
        """Set how the simulated venue behaves; see `VenueSettings` for the names."""
        unknown = settings.keys() - set(VenueSettings.__dataclass_fields__)
        if unknown:
            raise ConfigError(
                f"a venue has no setting {sorted(unknown)[0]!r}",
                remedy=f"It has: {', '.join(VenueSettings.__dataclass_fields__)}",
            )
        self._venue = VenueSettings(name=name, **settings)

    def add_instrument(self, instrument: Instrument) -> Instrument:
        """State the grids and permissions of a symbol; before the run, in any order."""
        if instrument.index >= 0:
            raise ConfigError(f"{instrument.id} is part of another run; make a new Instrument")
        self._instruments[instrument.id] = instrument
        return instrument

    def add_data(self, data: Any, **options: Any) -> None:
        """Add market data: what `pyrt.data.load` takes, with its options, or a ParquetStream."""
        if hasattr(data, "next_chunk"):
            self.add_stream(data)
        else:
            if self._venue.name == "alpaca":
                # A day of a listed stock ends with its session, not at midnight.
                options.setdefault("calendar_of", self._days_of)
            self.add_loaded(load(data, end=self._end, **options))

    def _days_of(self, symbol: str) -> str | None:
        """Return the calendar of a symbol at Alpaca, None where its days are those of UTC."""
        calendar = (self._instruments.get(symbol) or listed(symbol)).calendar
        return None if calendar == "24/7" else calendar

    def add_loaded(self, loaded: Loaded) -> None:
        """Add data that has been loaded already."""
        known = {(t.kind, t.symbol, getattr(t, "timeframe", "")) for t in self._tables}
        for table in loaded.columns:
            key = (table.kind, table.symbol, getattr(table, "timeframe", ""))
            if key in known:
                raise DataError(f"{key[2]} {key[0]} of {key[1]} were added twice")
        self._loaded.append(loaded)
        self._tables.extend(loaded.columns)
        self._zones = loaded.day_zones | self._zones

    def add_stream(self, stream: Any) -> None:
        """Add data that are read while the run goes on, in bounded memory: a ParquetStream."""
        first = stream.next_chunk()
        if first is None:
            raise DataError("the stream holds no rows")
        self._streams[len(self._tables)] = stream
        self._tables.append(first)
        zone = getattr(stream, "day_zone", "UTC")
        if zone != "UTC":
            self._zones.setdefault(first.symbol, zone)

    def add_corporate_actions(self, table: Any) -> None:
        """Add splits and cash dividends; see `pyrt.backtest.actions.read_actions`."""
        self._actions.append(table)

    def add_rates(self, table: Any) -> None:
        """Add what currencies are worth in base currency; see `pyrt.backtest.days.rate_rows`.

        A rate holds from its time until the next one. Before the first, and without any, what is
        held in that currency counts as nothing.
        """
        self._rates.append(table)

    def add_strategy(self, strategy: Strategy) -> Strategy:
        """Add a strategy; it must not have run before."""
        if not isinstance(strategy, Strategy):
            raise ConfigError(
                f"expected a Strategy, got {strategy!r}",
                remedy="Give an object, SmaCross(), not the class" if _is_class(strategy) else "",
            )
        self._strategies.append(strategy)
        return strategy

    def reset(self) -> None:
        """Make the engine ready for another run on the same data and instruments.

        Strategies are replaced by fresh ones with the same parameters.
        """
        self._strategies = [s.fresh() for s in self._strategies]
        self._instruments = {k: Instrument(**i.to_dict()) for k, i in self._instruments.items()}
        self._began = time.perf_counter()

    @property
    def can_repeat(self) -> bool:
        """Whether the same run can be done again: streamed data are gone once read."""
        return not self._streams

    # -- running -------------------------------------------------------------------------------

    def execute(self, *, progress: bool = False) -> Outcome:
        """Run to the end of the data and return plain columns; Ctrl-C keeps what was reached."""
        if not self._tables:
            raise ConfigError("the run has no data", remedy="Call add_data first")
        if not self._strategies:
            raise ConfigError("the run has no strategy", remedy="Call add_strategy first")
        if not any(map(len, self._tables)):
            span = "the run" if self._end is None else f"the time before end={format_ns(self._end)}"
            raise DataError(f"no data lie in {span}", remedy="Give a later end, or more data")
        kernel, venue = self._build()
        drivers = self._add_streams(kernel)
        for strategy in self._strategies:
            kernel.add_strategy(strategy)
        kernel.history = self._past = PastBars(kernel, self._tables, self._streams)
        first = self._first()
        kernel.start(max(first, self._start) if self._start is not None else first)
        tables = self._withhold(kernel)
        streams = {stream.topic: stream for stream in kernel.cache.streams}
        feed = Feed(
            [
                Cursor(streams[topic_of_table(t)], t, self._next_chunk(i), drives=drivers[i])
                for i, t in enumerate(tables)
            ]
        )
        return self._drive(kernel, venue, feed, progress)

    def _first(self) -> int:
        """Return when the data begin; of a symbol that has none before the end, nothing counts."""
        return min(first_moment(t) for t in self._tables if len(t))

    def _last(self) -> int:
        return max(int(t.ts_init[-1]) for t in self._tables if len(t))

    def _next_chunk(self, number: int) -> Callable[[], Columns | None] | None:
        stream = self._streams.get(number)
        if stream is None:
            return None
        listeners: tuple[DataDays | PastBars, ...] = (*self._figures, self._past)

        def next_chunk() -> Columns | None:
            chunk: Columns | None = stream.next_chunk()
            if chunk is not None:
                for each in listeners:
                    each.add(number, chunk)
            return chunk

        return next_chunk

    def _know_days(self, gate: Any) -> None:
        """Let a gate that goes by daily volumes or ranges read them from the run's data."""
        self._figures = []
        if not isinstance(gate, RiskEngine):
            return
        data, limits = (self._tables, self._instruments, self._sessions), gate.limits
        if limits.max_adv_share is not None:
            gate.daily_volume = DataVolumes(*data, limits.adv_sessions)
            self._figures.append(gate.daily_volume)
        if limits.max_position_loss_atr is not None:
            gate.stops.daily_range = DataRanges(*data, limits.atr_sessions)
            self._figures.append(gate.stops.daily_range)

    def _drive(self, kernel: Kernel, venue: SimVenue, feed: Feed, progress: bool) -> Outcome:
        symbols = {i.symbol: i for i in kernel.cache.instruments}
        ex_dates = ExDates(self._session_table, self._zones)
        actions = [a for table in self._actions for a in read_actions(table, symbols, ex_dates)]
        actions += self._account_rows(kernel, venue)
        if self._venue.halts is not None:
            actions += read_halts(self._venue.halts, symbols)
        if self._venue.auctions is not None:
            actions += read_auctions(self._venue.auctions, symbols)
        if self._venue.luld is not None:
            actions += read_bands(self._venue.luld, self._tables, symbols, self._streams)
        bar = Progress(sum(len(t) for t in self._tables)) if progress else None
        runner = Runner(
            kernel, venue, feed, actions=actions, progress=bar and bar.update, pace=self.pace
        )
        messages = []
        started = time.perf_counter()
        try:
            runner.run()
        except KeyboardInterrupt:
            messages.append(f"interrupted after {runner.events_processed} events")
        finally:
            elapsed = time.perf_counter() - started
            if bar:
                bar.close(runner.events_processed)
        silent = unheard(kernel)
        runner.stop()
        if not runner.finished and not messages:
            messages.append("the run did not reach the end of its data")
        messages += silent
        messages += [
            f"{gaps} times the book of {symbol} lost changes: until the snapshot after it shows "
            "levels that may not be there"
            for symbol, gaps in book_gaps(kernel).items()
            if gaps
        ]
        return outcome_of(
            self._inputs(kernel),
            splits_of(actions, [i.symbol for i in kernel.cache.instruments]),
            kernel,
            venue,
            runner,
            elapsed_s=elapsed,
            load_s=started - self._began,
            messages=messages,
        )

    def _inputs(self, kernel: Kernel) -> Inputs:
        return Inputs(
            venue=self._venue,
            tables=self._tables,
            streams=self._streams,
            loaded=self._loaded,
            markets=self._markets,
            zones=self._zones,
            cash=self._cash,
            currency=self._currency,
            seed=self._seed,
            cost=self._cost,
            start=self._start,
            warmup=self.warmup_bars(kernel),
        )

    def _account_rows(self, kernel: Kernel, venue: SimVenue) -> list[Any]:
        """Days that end and rates that are stated, for broker and kernel alike."""

        def number(currency: str) -> int:
            for account in (venue.account, kernel.account):
                account.deposit(0, currency)
            return venue.account.currencies.index(currency)

        first = self._first()
        rows = [r for table in self._rates for r in rate_rows(table, number, first)]
        if venue.account.rules.is_plain and venue.borrow is None:
            return rows
        last = self._last()
        if self._streams:
            last = time.time_ns()
        return rows + day_ends(kernel.cache.instruments, self._sessions, first, last)

    def _build(self) -> tuple[Kernel, SimVenue]:
        settings = self._venue
        kernel = Kernel(
            Account(self._cash, self._currency, settings.account),
            RiskEngine() if self._gate is None else self._gate,
            on_error=self._on_error,
            cost=self._cost,
            default_tif=_default_tif(settings.name),
            capabilities=settings.capabilities,
        )
        venue = SimVenue(
            Account(self._cash, self._currency, settings.account),
            fee_model(settings.charges),
            slippage_model(settings.slippage),
            texts=kernel.records.texts,
            fill=settings.fill,
            path=settings.path,
            children=settings.children,
            touch_fills=settings.touch_fills,
            participation=settings.participation or 0.0,
            latency=latency_model(settings.latency, self._seed),
            queue=queue_model(settings.queue),
            consumes=settings.consume,
        )
        venue.borrow = settings.borrow
        venue.set_output(kernel.inbox)
        kernel.connect(_port(settings, venue))
        kernel.sessions = self._sessions
        if any(arrives_late(table) for table in self._tables):
            # As a node does: the last part of a bar made here is not there when its time is over.
            kernel.grace_ns = GRACE_NS
        for table in self._tables:
            if table.symbol not in self._instruments:
                self._instruments[table.symbol] = self._instrument(table.symbol)
        for instrument in self._instruments.values():
            kernel.add_instrument(instrument)
            venue.add_instrument(instrument, self._sessions(instrument.calendar))
        self._know_days(kernel.gate)
        if self._ledger:
            kernel.booking.keep_ledger(self._first())
        if kernel.account.margin:
            kernel.account.waiting = lambda: reserved(kernel)
        self._follow(venue)
        return kernel, venue

    def _follow(self, venue: SimVenue) -> None:
        """Tell the venue what decides the fills of each instrument."""
        settings = self._venue
        self._markets = markets(self._tables, settings.fills_from)
        for symbol, market in self._markets.items():
            standing = settings.arrival or ("standing" if market.source == "book" else "next")
            venue.follow(
                self._instruments[symbol].index,
                market.source,
                prints=market.prints,
                standing=standing == "standing",
                by_order=market.by_order,
            )
        for symbol, quantity in (settings.short_available or {}).items():
            if symbol not in self._instruments:
                raise ConfigError(f"short_available names {symbol!r}, which is not in this run")
            venue.limit_shorts(self._instruments[symbol].index, quantity)
        if settings.auctions is not None:
            for row in read_auctions(settings.auctions, self._instruments):
                venue.expect_auctions(row[2])

    def _instrument(self, symbol: str) -> Instrument:
        """Make the instrument of a symbol that was not described."""
        calendar = self._venue.calendar
        if self._venue.name != "alpaca":
            return Instrument(symbol, currency=self._currency, calendar=calendar or "24/7")
        return listed(symbol, **({} if calendar is None else {"calendar": calendar}))

    def _sessions(self, calendar: str) -> tuple[Any, Any] | None:
        table = self._session_table(calendar)
        return None if table is None else (table.open, table.close)

    def _session_table(self, calendar: str) -> Any:
        if calendar == "24/7":
            return None
        from pyrt.venues.sessions import sessions

        first, last = self._first(), self._last()
        if self._streams:
            # How far a stream reaches is not known yet, but nothing was recorded after today.
            last = max(last, time.time_ns() - 400 * DAY_NS)
        return sessions(calendar, first, last + 400 * DAY_NS)

    def _add_streams(self, kernel: Kernel) -> list[bool]:
        """Register the streams; say for each table whether it takes part in deciding fills."""
        for table in self._tables:
            instrument = kernel.cache.instrument(table.symbol)
            timeframe = getattr(table, "timeframe", "")
            length = getattr(table, "timeframe_ns", 0)
            kernel.add_stream(table.kind, instrument, topic_of_table(table), timeframe, length)
        return [self._markets[table.symbol].takes(table) for table in self._tables]

    def _withhold(self, kernel: Kernel) -> list[Columns]:
        """Keep from handlers what lies before `start`, and drop what warm-up does not need."""
        if self._start is None:
            return self._tables
        from pyrt.data.columns import take

        last = self._last()
        if last <= self._start and not self._streams:
            raise DataError(
                f"no data lie after start={format_ns(self._start)}: they end at {format_ns(last)}",
                remedy="Give an earlier start",
            )
        kernel.set_handlers_from(self._start + 1)
        bars = self.warmup_bars(kernel)
        kept = []
        for table in self._tables:
            # A row known at the start itself ended before it: it warms up.
            first = int(np.searchsorted(table.ts_init, self._start, side="right"))
            drop = max(0, first - bars) if isinstance(table, BarColumns) else 0
            kept.append(take(table, slice(drop, None)) if drop else table)
        return kept

    def warmup_bars(self, kernel: Kernel) -> int:
        """Return how many bars before `start` feed indicators."""
        if self._warmup is not None:
            return self._warmup
        lookbacks = [n for s in kernel.cache.streams for n in s.lookbacks]
        return max(WARMUP_BARS_MIN, WARMUP_LOOKBACKS * max(lookbacks, default=0))


def _port(settings: VenueSettings, venue: SimVenue) -> Any:
    """The kernel's way to the venue: through Alpaca's rules, or straight."""
    if settings.name == "alpaca":
        return AlpacaVenue(venue, AlpacaRules(settings.rules))
    return BacktestVenue(venue)


def _default_tif(venue: str) -> dict[str, str]:
    return {"": "gtc"} if venue == "sim" else {"": "day", "crypto": "gtc"}


def _is_class(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Strategy)

"""The live node on Alpaca: strategies, kernel, client core and sockets in one event loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import msgspec

from pyrt import __version__
from pyrt.adapters.alpaca.account import AccountView, account_request, decode_account
from pyrt.adapters.alpaca.activity import regular_hours
from pyrt.adapters.alpaca.client import AlpacaClient
from pyrt.adapters.alpaca.companions import Backups, Control, HandlerMonitor, Heart
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.events import ComputedEvent, Event
from pyrt.adapters.alpaca.eyes import Eyes
from pyrt.adapters.alpaca.lockstep import Lockstep
from pyrt.adapters.alpaca.order_path import OrderPathPolicy
from pyrt.adapters.alpaca.pacing import RetryPolicy
from pyrt.adapters.alpaca.reading import Reader
from pyrt.adapters.alpaca.reference import Reference
from pyrt.adapters.alpaca.rest import HttpRequest
from pyrt.adapters.alpaca.shell.http import Answer, Http
from pyrt.adapters.alpaca.shell.sockets import Socket
from pyrt.backtest.fees import fee_model
from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument, listed
from pyrt.errors import ConfigError, ConnectionLost, PyrtError
from pyrt.live.calendars import sessions_around
from pyrt.live.config import NodeConfig
from pyrt.live.core import NodeCore
from pyrt.live.driver import Driver
from pyrt.live.journal.files import NoFiles, RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.writer import JournalWriter
from pyrt.live.lock import Lock, lock_account, lock_state
from pyrt.live.observe.latency import LatencyHistogram
from pyrt.live.observe.traces import TraceIds, trace
from pyrt.live.plan import Plan
from pyrt.live.run import LOOKING, STOPPED
from pyrt.live.wall import WallClock
from pyrt.risk.engine import RiskEngine
from pyrt.strategy.strategy import Strategy

DEFAULT_TIF = {"": "day", "equity": "day", "crypto": "gtc"}
NAP_S = 1.0
"""The longest sleep: dead lines are looked for this often."""
GRACE_NS = 5_000_000_000
"""How long a bar made of others waits for the last of them: it arrives after its minute is over."""
START_ATTEMPTS = 5
SLOW_THREADS = 2
ANSWERS = 3
"""Rank of answers to requests, after the frames of trade updates (0) and market data."""
ONE_ATTEMPT = RetryPolicy(attempts=1)
NEVER_LOST = OrderPathPolicy(lost_ns=1 << 62)
"""Time alone is no evidence: what a submit has come to is decided by reconciliation."""
Listener = Callable[[Event, NodeCore], None]
AlarmListener = Callable[[str, str], object]


class Companion(Protocol):
    """Something that lives as long as a node runs: a control interface, a watch, a page."""

    async def begin(self, node: LiveNode) -> None:
        """Start, once strategies have started."""

    async def end(self) -> None:
        """Stop; also where `begin` was never called."""


class LiveNode:
    """Runs strategies against an Alpaca account; paper, unless three consents say otherwise.

    Parameters
    ----------
    config : NodeConfig
    credentials : Credentials, optional
        By default from `config.env_file` or the environment.
    on_event : callable, optional
        Called with (event, core) after the kernel has taken it: to print, to watch.
    on_alarm : callable, optional
        Called with (code, text) of what a person should know.
    source : str
        Where the strategies come from; kept in the journal.

    Raises
    ------
    ConfigError
        If there are no keys, or they are of the other world than `config.mode`.
    """

    def __init__(
        self,
        config: NodeConfig,
        credentials: Credentials | None = None,
        *,
        on_event: Listener | None = None,
        on_alarm: AlarmListener | None = None,
        source: str = "",
    ) -> None:
        self.config = config
        self._credentials = credentials or read_credentials(env_file=config.env_file or None)
        config.check_key(is_live=self._credentials.is_live)
        # Fresh at every start: a run cannot repeat an id of another.
        self.run_id = config.run_id or uuid4().hex[:12]
        self._prefix = f"pyrt-{self.run_id}-"
        self._client = AlpacaClient(
            self._prefix,
            self._credentials,
            seed=config.seed,
            feed=config.feed,
            policy=NEVER_LOST,
            symbols=config.symbols,
        )
        self._strategies: list[Strategy] = []
        self._on_event = on_event
        self._on_alarm = on_alarm
        self._source = source
        self._inbox: list[tuple[int, Callable[[int], list[Event]]]] = []
        self._connections: list[tuple[Socket, Any]] = []
        self._http: Http | None = None
        self._lockstep: Lockstep | None = None
        self._writer: JournalWriter | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._locks: list[Lock] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._traces = TraceIds(self.run_id)
        self._wall = WallClock()
        self._stopping = ""
        self._stopped_at: float | None = None
        self.companions: list[Companion] = []
        self._living: list[Companion] = []
        self.watchdog_command: list[str] | None = None
        self.stages: dict[str, LatencyHistogram] | None = None
        self.driver: Driver | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def core(self) -> NodeCore | None:
        """Kernel and strategies; None until the account has been looked at."""
        return None if self.driver is None else self.driver.core

    def add_strategy(self, strategy: Strategy) -> None:
        """Add a strategy; before the node runs."""
        self._strategies.append(strategy)

    def stop(self, reason: str = "asked to stop") -> None:
        """Ask the node to stop; what becomes of orders is `config.on_stop`'s to say."""
        self._stopping = reason
        self._wake.set()

    def wake(self) -> None:
        """Let the node look at what is due, now; may be called from another thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._wake.set)

    def run(self) -> AccountView:
        """Run until `stop`; return the account as the broker states it at the end."""
        return asyncio.run(self.run_async())

    async def run_async(self) -> AccountView:
        """Run until `stop`, in a loop that runs already: a notebook's, say.

        Raises
        ------
        ConfigError
            If the account is not the one configured or may not trade, another node uses it or the
            state folder, or limits are missing.
        JournalError
            If the journal is damaged, or has holdings of a strategy that is not in this run.
        """
        self.loop = asyncio.get_running_loop()
        http = self._http = self._make_http()
        try:
            driver = self._make_driver(await self._look_up(http))
            if self.config.clock == "simulator":
                self._lockstep = Lockstep(self.run_id, http.send)
                await self._lockstep.begin()
            await self._start(driver)
            for companion in (*self._own_companions(), *self.companions):
                self._living.append(companion)
                await companion.begin(self)
            await self._serve(driver)
            await self._finish(driver)
            return decode_account((await self._query(http, account_request())).body)
        finally:
            await self._clean_up(http)

    def _own_companions(self) -> list[Companion]:
        """Return what a node has beside it by its configuration; nothing in lockstep."""
        config = self.config
        folder = config.state_folder()
        if config.clock == "simulator":
            return []
        own: list[Companion] = []
        if folder is not None:
            own.append(Control(folder))
            own.append(Heart(folder, self.watchdog_command if config.watchdog else None))
        if folder is not None and config.backup_dir:
            hours, kept = config.backup_hours, config.backups_kept
            own.append(Backups(folder, Path(config.backup_dir).expanduser(), hours, kept))
        if folder is not None and (config.dashboard or config.alerts):
            own.append(Eyes(folder, (self._credentials.key, self._credentials.reveal_secret())))
        if config.handler_timeout_s:
            timeout_s = config.handler_timeout_s
            own.append(HandlerMonitor(timeout_s, config.trading, self._credentials))
        return own

    async def _clean_up(self, http: Http) -> None:
        for companion in reversed(self._living):
            await companion.end()
        if self._lockstep is not None:
            with suppress(ConnectionLost):
                await self._lockstep.forget()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await http.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._writer is not None:
            self._writer.stop()
        if self.driver is not None:
            self.driver.journal.close()
        for lock in self._locks:
            lock.release()

    def _make_http(self) -> Http:
        config = self.config
        bases = {"trading": config.trading, "data": config.data}
        if config.clock == "simulator":
            bases["control"] = config.control
        return Http(bases, self._credentials)

    def _clock(self) -> int:
        return self._wall.now() if self._lockstep is None else self._lockstep.now

    # -- start ---------------------------------------------------------------------------------

    async def _look_up(self, http: Http) -> list[Instrument]:
        """Return the instruments as the broker describes them; as listed where it does not."""
        reference = Reference(Reader(http.send, policy=ONE_ATTEMPT), self._reference_folder())
        try:
            return await reference.instruments(self.config.symbols)
        except (PyrtError, msgspec.DecodeError):
            return [listed(symbol) for symbol in self.config.symbols]

    def _reference_folder(self) -> Path | None:
        """Return where the broker's reference data are kept; a rehearsal keeps nothing."""
        if self.config.state_folder() is None:
            return None
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(base) / "pyrt" / f"alpaca-{self.config.mode}"

    def _make_driver(self, instruments: list[Instrument]) -> Driver:
        config = self.config
        config.check_limits()
        folder = config.state_folder()
        if folder is None:
            journal = Journal(NoFiles())
        else:
            files = RealFiles(folder)
            self._locks.append(lock_state(folder))
            journal = Journal(files)
            journal.drop_tapes(config.tapes_kept)
        limits = config.make_limits()
        if limits is not None and not config.is_rehearsal:
            # An order for a closed session says so itself: queue=True.
            limits = limits.replace(require_open_session=True)
        plan = Plan(
            run_id=self.run_id,
            prefix=self._prefix,
            mode=config.mode,
            account_id=config.account_id,
            version=__version__,
            config=config.to_plain(),
            default_tif=DEFAULT_TIF,
            source=self._source,
            policies=config.policies(),
            grace_ns=GRACE_NS if config.clock == "wall" else 0,
            # A simulator's data of another day have nothing to do with this year's sessions.
            sessions=None if config.is_rehearsal else sessions_around(time.time_ns()),
            checks_clock=not config.is_rehearsal,
        )
        self.driver = Driver(
            self._client,
            journal,
            RiskEngine(limits, strict=limits is not None),
            instruments,
            self._strategies,
            plan,
            fees=fee_model(self._fees()),
        )
        self.driver.listener = self._on_event
        if config.clock == "wall":
            self._pool = ThreadPoolExecutor(
                max_workers=SLOW_THREADS, thread_name_prefix="pyrt-slow"
            )
            self.driver.run_slow = self._run_slow
        self.driver.scribe.on_alarm = self._on_alarm
        if folder is not None and config.clock == "wall":
            self._writer = JournalWriter(journal, self.wake)
            self._writer.start()
        return self.driver

    def _run_slow(self, number: int, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Run a strategy's slow work in another thread; its result comes in like a message."""
        assert self._pool is not None

        def done(future: Future[Any]) -> None:
            try:
                result = future.exception() or future.result()
            except Exception:
                # The node stops, and the work was never begun.
                return

            def take(_: int) -> list[Event]:
                return [ComputedEvent(number, result)]

            if self.loop is not None and not self.loop.is_closed():
                self.loop.call_soon_threadsafe(self._receive, take, ANSWERS)

        self._pool.submit(fn, *args).add_done_callback(done)

    async def _start(self, driver: Driver) -> None:
        """Look at the account, recover, and let strategies start."""
        driver.begin(self._clock())
        while driver.phase == LOOKING and not self._stopping:
            self._wake.clear()
            self._turn(driver, self._clock())
            if driver.core is not None and not self._locks_account:
                self._lock_account(driver)
            if driver.phase == LOOKING:
                await self._sleep(driver)
        if driver.error is not None:
            raise driver.error
        if self._lockstep is None:
            self._client.market_data.activity.session_of = regular_hours(self._clock())

    @property
    def _locks_account(self) -> bool:
        return len(self._locks) > (self.config.state_folder() is not None)

    def _lock_account(self, driver: Driver) -> None:
        """Lock the account; a node that keeps nothing is a rehearsal and locks nothing."""
        if self.config.state_folder() is None or driver.last_look is None:
            return
        self._locks.append(lock_account(self.config.trading, driver.last_look.account))

    async def _query(self, http: Http, request: HttpRequest) -> Answer:
        answer = Answer(0)
        for attempt in range(1, START_ATTEMPTS + 1):
            answer = await http.send(request)
            if answer.status == 200:
                return answer
            if answer.status in (401, 403):
                break
            await asyncio.sleep(0.2 * attempt)
        raise ConfigError(f"the broker answers {request.path} with {answer.status or 'nothing'}")

    def _fees(self) -> str:
        if self.config.fees:
            return self.config.fees
        is_paper = self.config.mode == "paper" and self.config.clock == "wall"
        return "alpaca_paper" if is_paper else "alpaca"

    # -- the loop ------------------------------------------------------------------------------

    async def _serve(self, driver: Driver) -> None:
        self._connections = self._sockets()
        if self._lockstep is not None:
            await self._lockstep.serve(self, lambda: bool(self._stopping))
            return
        while not self._stopping:
            self._wake.clear()
            now = self._clock()
            self._tell_of_jump(driver, now)
            self.keep_connected(now)
            self._turn(driver, now)
            await self.flush()
            await self._sleep(driver)

    def _tell_of_jump(self, driver: Driver, now: int) -> None:
        """Raise an alarm where somebody has set the machine's clock; the node keeps its own."""
        jump = self._wall.take_jump()
        if jump is not None:
            driver.scribe.alarm("clock", f"the machine's clock jumped by {jump:+.3f} s", now)

    async def _finish(self, driver: Driver) -> None:
        """Stop in order: strategies, orders by policy, then answers to what is on its way."""
        driver.stop(self._clock(), self._stopping or "the data are over")
        until = time.monotonic() + self.config.policies().stop_patience_ns / 1e9
        while driver.phase != STOPPED:
            self._wake.clear()
            now = self._clock()
            if self._lockstep is None:
                self.keep_connected(now)
            elif time.monotonic() > until:
                driver.finish(now)
            self._turn(driver, now)
            await self.flush()
            if driver.phase != STOPPED:
                await self._sleep(driver, longest_s=0.02)
        self._commit(driver)

    def keep_connected(self, now: int) -> None:
        """Open and close connections as their streams want it."""
        for socket, stream in self._connections:
            if self._lockstep is not None and stream.is_active:
                # Silence is measured in a time that jumps from one instant to the next.
                stream.heard(now)
            if stream.wants_connection(now):
                self._spawn(socket.serve())
            elif stream.wants_close(now):
                self._spawn(socket.close())

    async def flush(self) -> None:
        """Send what the streams have to say."""
        for socket, _ in self._connections:
            await socket.flush()

    def _turn(self, driver: Driver, now: int) -> None:
        """Take what came in, let what is due happen, send what follows from it."""
        # One at a time: what a strategy does about one message precedes the next.
        for take in self._take_inbox():
            if self.stages is None:
                driver.take(now, take(now))
            else:
                self._take_timed(driver, now, take, self.stages)
        driver.turn(now)
        self._send_due(driver, now)

    def _take_timed(
        self,
        driver: Driver,
        now: int,
        take: Callable[[int], list[Event]],
        stages: dict[str, LatencyHistogram],
    ) -> None:
        """Take one message, and note how long decoding and all that follows have taken."""
        with trace(self._traces.next()):
            began = time.perf_counter_ns()
            events = take(now)
            decoded = time.perf_counter_ns()
            driver.take(now, events)
            stages["decode"].observe(decoded - began)
            stages["handler"].observe(time.perf_counter_ns() - decoded)

    def take_signals(self, signals: Sequence[Signal]) -> None:
        """Take signals of models: they reach strategies on ``signal.SYMBOL``, journalled first."""
        if self.driver is not None:
            self.driver.take_signals(self._clock(), signals)
            self._wake.set()

    def streams(self) -> list[tuple[str, Any]]:
        """Return (name, stream) of the connections there are."""
        names = {
            id(self._client.trade_updates): "trade_updates",
            id(self._client.market_data): "stocks",
            id(self._client.crypto_data): "crypto",
        }
        return [(names[id(stream)], stream) for _, stream in self._connections]

    def _take_inbox(self, *, by_rank: bool = False) -> list[Callable[[int], list[Event]]]:
        received, self._inbox = self._inbox, []
        if by_rank:
            received.sort(key=lambda item: item[0])
        return [take for _, take in received]

    def _send_due(self, driver: Driver, now: int) -> int:
        self._commit(driver)
        began = time.perf_counter_ns()
        requests = driver.take_requests(now)
        if self.stages is not None and requests:
            self.stages["encode"].observe(time.perf_counter_ns() - began)
        for request in requests:
            self._spawn(self._send(request))
        return len(requests)

    def _commit(self, driver: Driver) -> None:
        """Make durable what was recorded: by the writer, or here where there is no need of one."""
        journal = driver.journal
        if self._writer is None:
            journal.commit()
        elif journal.wants_commit:
            self._writer.wake()

    # -- in lockstep ---------------------------------------------------------------------------

    def is_connected(self) -> bool:
        """Return whether all streams are through their handshakes."""
        return all(stream.is_active for _, stream in self._connections)

    def received(self) -> Mapping[str, int]:
        """Return URL → frames received since the connection was opened."""
        return {socket.url: socket.received for socket, _ in self._connections}

    def step(self, now: int, *, timers: bool) -> bool:
        """Take all that came in at `now`, send what follows; return whether there was anything."""
        driver = self.driver
        assert driver is not None
        # What the venue did comes before the bars that it did it in; one instant is one take.
        received = self._take_inbox(by_rank=True)
        events = [event for take in received for event in take(now)]
        driver.take(now, events)
        driver.turn(now, timers=timers and not events)
        return self._send_due(driver, now) + len(received) > 0

    def outstanding(self) -> int:
        """Return how many requests have left without an answer."""
        return self._client.queue.outstanding

    async def answered(self) -> None:
        """Wait until something has come in."""
        if not self._inbox:
            self._wake.clear()
            await self._wake.wait()

    def next_due(self, now: int) -> int | None:
        """Return when something is due next, later than `now`."""
        assert self.driver is not None
        due = self.driver.next_due(now)
        return due if due is not None and due > now else None

    # -- what came in --------------------------------------------------------------------------

    async def _send(self, request: HttpRequest) -> None:
        assert self._http is not None
        answer = await self._http.send(request)
        self._receive(
            lambda now: self._client.receive_response(
                request, answer.status, answer.body, now, answer.headers
            ),
            ANSWERS,
        )

    def _receive(self, take: Callable[[int], list[Event]], rank: int) -> None:
        self._inbox.append((rank, take))
        self._wake.set()

    async def _sleep(self, driver: Driver, longest_s: float = NAP_S) -> None:
        now = self._clock()
        due = driver.next_due(now)
        seconds = longest_s if due is None else (due - now) / 1e9
        try:
            await asyncio.wait_for(self._wake.wait(), min(max(seconds, 0.001), longest_s))
        except TimeoutError:
            return

    # -- pieces --------------------------------------------------------------------------------

    def _sockets(self) -> list[tuple[Socket, Any]]:
        client = self._client
        pairs = (
            (self.config.trade_updates, client.trade_updates, client.receive_trade_update),
            (self.config.market_data, client.market_data, client.receive_market_data),
            (self.config.crypto_data, client.crypto_data, client.receive_crypto_data),
        )
        are_coins = {"/" in symbol for symbol in self.config.symbols}
        skipped = {id(client.market_data)} if False not in are_coins else set()
        if True not in are_coins:
            skipped.add(id(client.crypto_data))
        return [
            (self._socket(url, stream, take, rank), stream)
            for rank, (url, stream, take) in enumerate(pairs)
            if id(stream) not in skipped
        ]

    def _socket(
        self, url: str, stream: Any, take: Callable[[Any, int], list[Event]], rank: int
    ) -> Socket:
        def on_frame(frame: bytes | str) -> None:
            self._receive(lambda now: take(frame, now), rank)

        return Socket(url, stream, on_frame, self._wake.set, self._clock)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

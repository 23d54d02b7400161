"""The live node on Alpaca: strategies, kernel, client core and sockets in one event loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from pyrt.adapters.alpaca.core.account import AccountView, account_request, decode_account
from pyrt.adapters.alpaca.core.activity import regular_hours
from pyrt.adapters.alpaca.core.client import RESYNC_NS, AlpacaClient
from pyrt.adapters.alpaca.core.events import Event
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.node.assembly import (
    NEVER_LOST,
    broker_time,
    fees_of,
    in_the_shadow,
    look_up,
    make_gate,
    make_plan,
    open_journal,
)
from pyrt.adapters.alpaca.node.beside import Companion, own_companions
from pyrt.adapters.alpaca.node.connections import Connections
from pyrt.adapters.alpaca.node.inbox import ANSWERS, Inbox, Take
from pyrt.adapters.alpaca.node.lockstep import Lockstep
from pyrt.adapters.alpaca.node.sending import Sender
from pyrt.adapters.alpaca.node.shadow import ShadowBroker
from pyrt.adapters.alpaca.node.slow import SlowWork
from pyrt.adapters.alpaca.shell.http import Answer, Http
from pyrt.adapters.alpaca.shell.shadow import ReadOnlyHttp, Shadow, ShadowHttp
from pyrt.backtest.fees import fee_model
from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError, ConnectionLost
from pyrt.live.config import NodeConfig
from pyrt.live.core.node import NodeCore
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import LOOKING, STOPPED
from pyrt.live.journal.writer import JournalWriter
from pyrt.live.observe.latency import LatencyHistogram
from pyrt.live.observe.stages import StageProbe
from pyrt.live.observe.traces import TraceIds
from pyrt.live.process.lock import Lock, lock_account, lock_state
from pyrt.live.process.wall import WallClock
from pyrt.strategy.strategy import Strategy

NAP_S = 1.0
"""The longest sleep: dead lines are looked for this often."""
START_ATTEMPTS = 5
RESYNC_LIVE_NS = 8_000_000_000
"""A fill of which the stream does not tell is found within ten seconds."""
INPUTS_S = 0.25
"""How long inputs wait for the disk at most while the node takes some; it does not sync them."""
TURNS_OF_A_REQUEST = 8
"""So many rounds of the loop a request takes, from here to its bytes."""
SWITCH_S = 0.0005
"""How long a thread may keep the interpreter while another wants it."""
Listener = Callable[[Event, NodeCore], None]
AlarmListener = Callable[[str, str], object]


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
    arm : str
        The account number, typed by whoever arms it for real money; needed once a state folder.

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
        arm: str = "",
    ) -> None:
        # Fresh at every start: a run cannot repeat an id of another.
        self.run_id = config.run_id or uuid4().hex[:12]
        self.config = config = in_the_shadow(config, self.run_id) if config.shadow else config
        self._credentials = credentials or read_credentials(env_file=config.env_file or None)
        config.check_key(is_live=self._credentials.is_live)
        self._prefix = f"pyrt-{self.run_id}-"
        self._client = AlpacaClient(
            self._prefix,
            self._credentials,
            seed=config.seed,
            feed=config.feed,
            codec=config.data_codec,
            policy=NEVER_LOST,
            symbols=config.symbols,
            # A simulator's day passes in seconds: there it is read back by the minute.
            resync_ns=RESYNC_LIVE_NS if config.clock == "wall" else RESYNC_NS,
        )
        self._strategies: list[Strategy] = []
        self._on_event = on_event
        self._on_alarm = on_alarm
        self._source = source
        self._arm = arm
        self._inbox = Inbox(TraceIds(self.run_id))
        self._connections: Connections | None = None
        self._http: Http | ShadowHttp | None = None
        self._shadow: Shadow | None = None
        self._lockstep: Lockstep | None = None
        self._writer: JournalWriter | None = None
        self._slow: SlowWork | None = None
        self._locks: list[Lock] = []
        self._sender: Sender | None = None
        self._wake = asyncio.Event()
        self._wall = WallClock()
        self._stopping = ""
        self._write_at = 0.0
        self._leaving = 0
        self._fault: Exception | None = None
        self.companions: list[Companion] = []
        self._living: list[Companion] = []
        self.watchdog_command: list[str] | None = None
        self.driver: Driver | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def core(self) -> NodeCore | None:
        """Kernel and strategies; None until the account has been looked at."""
        return None if self.driver is None else self.driver.core

    def time_stages(self, stages: dict[str, LatencyHistogram]) -> StageProbe | None:
        """Note in these histograms how long each stage of a message takes.

        Those of the kernel are in the probe that is returned until it is asked to `tell`.
        """
        self._inbox.stages = stages
        if self.core is not None:
            probe = StageProbe(stages)
            self.core.kernel.measure(probe)
            return probe
        return None

    def add_strategy(self, strategy: Strategy) -> None:
        """Add a strategy; before the node runs."""
        self._strategies.append(strategy)

    def validate(
        self, order: dict[str, Any] | Sequence[dict[str, Any]], *, strategy: str = ""
    ) -> Any:
        """Judge orders on behalf of a strategy, by all its limits and Alpaca's rules; send nothing.

        Orders are described as for `Strategy.submit`. Returns a Verdict, or the list of them. To
        be called in the node's own thread.

        Parameters
        ----------
        order : dict or sequence of dict
        strategy : str
            Whose; may be left out where there is one only.

        Raises
        ------
        ConfigError
            If the node does not run yet, or there is no such strategy.
        """
        core = self.core
        if core is None:
            raise ConfigError("the node does not run yet", remedy="Ask once it has started")
        named = {each.name: each for each in core.kernel.strategies}
        if not strategy and len(named) == 1:
            strategy = next(iter(named))
        if strategy not in named:
            raise ConfigError(
                f"strategy is {strategy!r}", remedy=f"Name one of {', '.join(sorted(named))}"
            )
        return named[strategy].validate(order)

    def client_order_id(self, name: str) -> str:
        """Return our id of an order that is named by the broker's; any other name as it is."""
        known = self._client.ledger.by_venue_id(name)
        return name if known is None else known.client_order_id

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
        before = sys.getswitchinterval()
        # A record that is on the disk lets its order leave: that must not wait for a time slice.
        sys.setswitchinterval(SWITCH_S)
        http = self._http = self._make_http()
        try:
            instruments = await look_up(self.config, http)
            driver = self._make_driver(instruments)
            if self.config.clock == "simulator":
                self._lockstep = Lockstep(self.run_id, http.send)
                await self._lockstep.begin()
            if self.config.shadow:
                await self._step_into_shadow(http, instruments)
            self._sender = Sender(self._http, self._client, self._receive)
            await self._start(driver)
            own = own_companions(self.config, self._credentials, self.watchdog_command)
            for companion in (*own, *self.companions):
                self._living.append(companion)
                await companion.begin(self)
            # What is there now stays: a collection that looks at it all holds orders up.
            gc.collect()
            gc.freeze()
            await self._serve(driver)
            await self._finish(driver)
            return decode_account((await self._query(account_request())).body)
        finally:
            gc.unfreeze()
            sys.setswitchinterval(before)
            await self._clean_up(http)

    async def _clean_up(self, http: Http) -> None:
        for companion in reversed(self._living):
            await companion.end()
        if self._lockstep is not None:
            with suppress(ConnectionLost):
                await self._lockstep.forget()
        if self._sender is not None:
            await self._sender.close()
        await http.close()
        if self._slow is not None:
            self._slow.close()
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
        return (ReadOnlyHttp if config.shadow else Http)(bases, self._credentials)

    async def _step_into_shadow(self, http: Http, instruments: list[Instrument]) -> None:
        """Put a simulated venue in the broker's place: what is sent to it stays in here."""
        config, client = self.config, self._client
        goes_by_data = config.is_rehearsal and self._lockstep is None
        start = await broker_time(http) if goes_by_data else self._clock()
        broker = ShadowBroker(
            instruments, start, cash=config.shadow_cash, fees=fees_of(config), seed=config.seed
        )
        clock = (lambda: 0) if goes_by_data else self._clock
        shadow = self._shadow = Shadow(broker, clock, client.receive_trade_update)
        self._http = ShadowHttp(
            http, broker, shadow.bring_time, lambda: self._receive(shadow.updates, 0)
        )
        for symbol in config.symbols:
            # What orders meet, whatever the strategies have asked for.
            client.subscribe("quotes", symbol)
            client.subscribe("trades", symbol)

    def _clock(self) -> int:
        return self._wall.now() if self._lockstep is None else self._lockstep.now

    # -- start ---------------------------------------------------------------------------------

    def _make_driver(self, instruments: list[Instrument]) -> Driver:
        config, folder = self.config, self.config.state_folder()
        gate = make_gate(config)
        if folder is not None:
            self._locks.append(lock_state(folder))
        driver = self.driver = Driver(
            self._client,
            open_journal(config, folder),
            gate,
            instruments,
            self._strategies,
            make_plan(config, self.run_id, self._prefix, source=self._source, arm=self._arm),
            fees=fee_model(fees_of(config)),
        )
        driver.listener = self._on_event
        driver.scribe.on_alarm = self._on_alarm
        if config.clock == "wall":
            self._slow = SlowWork(self._receive_from_thread)
            driver.run_slow = self._slow.run
        if folder is not None and config.clock == "wall":
            self._writer = JournalWriter(driver.journal, self._on_commit)
            self._writer.start()
        return driver

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

    async def _query(self, request: HttpRequest) -> Answer:
        assert self._http is not None
        answer = Answer(0)
        for attempt in range(1, START_ATTEMPTS + 1):
            answer = await self._http.send(request)
            if answer.status == 200:
                return answer
            if answer.status in (401, 403):
                break
            await asyncio.sleep(0.2 * attempt)
        raise ConfigError(f"the broker answers {request.path} with {answer.status or 'nothing'}")

    # -- the loop ------------------------------------------------------------------------------

    async def _serve(self, driver: Driver) -> None:
        assert self._sender is not None
        self._connections = Connections(
            self.config,
            self._client,
            self._receive,
            self._wake.set,
            self._clock,
            self._sender.spawn,
            self._shadow,
        )
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
        if self._connections is not None:
            self._connections.keep(now, is_lockstep=self._lockstep is not None)

    async def flush(self) -> None:
        """Send what the streams have to say."""
        if self._connections is not None:
            await self._connections.flush()

    def _turn(self, driver: Driver, now: int) -> None:
        """Take what came in, let what is due happen, send what follows from it.

        While an order is on its way to the socket, the messages behind it wait for the next turn.
        """
        if self._fault is not None:
            raise self._fault

        def after() -> bool:
            # In a burst neither the disk nor an order's bytes wait for the messages behind.
            if driver.has_requests:
                self._send_due(driver, now)
            return self._leaving > 0

        after()
        self._inbox.hand_over(driver, now, after)
        driver.turn(now)
        self._send_due(driver, now)

    def take_signals(self, signals: Sequence[Signal]) -> None:
        """Take signals of models: they reach strategies on ``signal.SYMBOL``, journalled first."""
        if self.driver is not None:
            self.driver.take_signals(self._clock(), signals)
            self._wake.set()

    def streams(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stream) of the connections there are."""
        return () if self._connections is None else self._connections.streams()

    def _send_due(self, driver: Driver, now: int) -> int:
        driver.flush_tape()
        self._commit(driver)
        began = time.perf_counter_ns()
        requests = driver.take_requests(now)
        stages = self._inbox.stages
        if stages is not None and requests:
            stages["encode"].observe(time.perf_counter_ns() - began)
        assert self._sender is not None
        self._sender.send(requests)
        if self._sender.make_ready(driver.unrecorded) or requests:
            self._leaving = TURNS_OF_A_REQUEST
        return len(requests)

    def _on_commit(self) -> None:
        """Let what has become durable leave; called from the writer's thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        """Send what has waited for the disk alone: it does not queue behind market data."""
        driver = self.driver
        self._wake.set()
        if driver is None or not driver.held_back or self._fault is not None:
            return
        try:
            self._send_due(driver, self._clock())
        except Exception as error:
            # It ends the node, as it would in a turn.
            self._fault = error

    def _commit(self, driver: Driver) -> None:
        """Make durable what was recorded: by the writer, or here where there is no need of one."""
        journal = driver.journal
        if self._writer is None:
            journal.commit()
        elif journal.wants_commit:
            self._writer.wake()
        elif journal.has_inputs:
            # What led to nothing is written all the same: a restart goes on from it.
            now = time.monotonic()
            if now >= self._write_at:
                self._write_at = now + INPUTS_S
                self._writer.wake()

    # -- in lockstep ---------------------------------------------------------------------------

    def is_connected(self) -> bool:
        """Return whether all streams are through their handshakes."""
        return self._connections is None or self._connections.are_active

    def received(self) -> Mapping[str, int]:
        """Return URL → frames received since the connection was opened."""
        return {} if self._connections is None else self._connections.received()

    def step(self, now: int, *, timers: bool) -> bool:
        """Take all that came in at `now`, send what follows; return whether there was anything."""
        driver = self.driver
        assert driver is not None
        # What the venue did comes before the bars that it did it in; one instant is one take.
        received = self._inbox.take(by_rank=True)
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

    def _receive(self, take: Take, rank: int) -> None:
        self._inbox.put(take, rank)
        self._wake.set()

    def _receive_from_thread(self, take: Take) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._receive, take, ANSWERS)

    async def _sleep(self, driver: Driver, longest_s: float = NAP_S) -> None:
        """Wait for something to do; with messages left over, let the loop go round once."""
        if self._inbox:
            self._leaving = max(0, self._leaving - 1)
            await asyncio.sleep(0)
            return
        self._leaving = 0
        now = self._clock()
        due = driver.next_due(now)
        seconds = longest_s if due is None else (due - now) / 1e9
        try:
            await asyncio.wait_for(self._wake.wait(), min(max(seconds, 0.001), longest_s))
        except TimeoutError:
            return

"""The live node on Alpaca: what it is made of, how it starts, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pyrt.adapters.alpaca.core.account import AccountView, account_request, decode_account
from pyrt.adapters.alpaca.core.activity import regular_hours
from pyrt.adapters.alpaca.core.client import RESYNC_LIVE_NS, RESYNC_NS, AlpacaClient
from pyrt.adapters.alpaca.core.events import Event
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.node.assembly import (
    NEVER_LOST,
    Listing,
    broker_time,
    fees_of,
    in_the_shadow,
    look_up,
    make_fees,
    make_gate,
    make_plan,
    name_of_run,
    open_journal,
    own_time,
)
from pyrt.adapters.alpaca.node.beside import Beside, Companion, eyes_of, watchers_of
from pyrt.adapters.alpaca.node.eyes import Eyes
from pyrt.adapters.alpaca.node.inbox import TIMED
from pyrt.adapters.alpaca.node.lockstep import Lockstep
from pyrt.adapters.alpaca.node.shadow import ShadowBroker
from pyrt.adapters.alpaca.node.slow import SlowWork
from pyrt.adapters.alpaca.node.turns import Turns
from pyrt.adapters.alpaca.shell.http import Answer, Http
from pyrt.adapters.alpaca.shell.shadow import ReadOnlyHttp, Shadow, ShadowHttp
from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError, ConnectionLost, Stopped
from pyrt.live.config import NodeConfig
from pyrt.live.core.node import NodeCore
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import LOOKING
from pyrt.live.journal.writer import JournalWriter
from pyrt.live.observe.latency import LatencyHistogram
from pyrt.live.observe.stages import StageProbe
from pyrt.live.process.lock import Lock, lock_account, lock_state
from pyrt.live.process.memory import give_back_large_blocks
from pyrt.strategy.strategy import Strategy

LOG = logging.getLogger("pyrt.live.node")
CLOSING_ATTEMPTS = 5
CLOSING_S = 10.0
"""How long the account is asked for at the end: whoever has stopped the node waits for its end."""
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
        By default from `config.env_file`, `config.keyring` or the environment.
    on_event : callable, optional
        Called with (event, core) after the kernel has taken it: to print, to watch.
    on_alarm : callable, optional
        Called with (code, text) of what a person should know.
    source : str
        Where the strategies come from; kept in the journal.
    arm : str
        The account number, typed by whoever arms it for real money; needed once a state folder.
    environment : mapping, optional
        Where keys and secrets of alerts are; by default that of the process.

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
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.run_id = name_of_run(config)
        self.config = config = in_the_shadow(config, self.run_id) if config.shadow else config
        self._credentials = credentials or read_credentials(
            environment, env_file=config.env_file or None, keyring=config.keyring
        )
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
            checks_clock=not config.is_rehearsal,
            # A simulator's day passes in seconds: there it is read back by the minute.
            resync_ns=RESYNC_LIVE_NS if config.clock == "wall" else RESYNC_NS,
        )
        self._strategies: list[Strategy] = []
        self._on_event = on_event
        self._on_alarm = on_alarm
        self._source = source
        self._arm = arm
        self._environment = environment
        self._turns = Turns(config, self._client, self.run_id)
        self._http: Http | ShadowHttp | None = None
        self._slow: SlowWork | None = None
        self._probe: StageProbe | None = None
        self._locks: list[Lock] = []
        self.companions: list[Companion] = []
        self._beside = Beside()
        self._eyes: Eyes | None = None
        self.watchdog_command: list[str] | None = None
        self.driver: Driver | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def core(self) -> NodeCore | None:
        """Kernel and strategies; None until the account has been looked at."""
        return None if self.driver is None else self.driver.core

    def time_stages(self, stages: dict[str, LatencyHistogram]) -> None:
        """Note from now on how long each stage of a message takes; `tell_stages` brings it here."""
        self._turns.inbox.stages = stages
        if self.core is not None:
            self._probe = StageProbe(stages)
            self.core.kernel.measure(self._probe)

    def tell_stages(self) -> None:
        """Bring the histograms up to date; to be called once a second.

        Of a flood between two calls the first messages are timed, and then some.
        """
        self._turns.inbox.timed = TIMED
        if self._probe is not None:
            self._probe.tell()

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
        self._turns.stop(reason)

    def wake(self) -> None:
        """Let the node look at what is due, now; may be called from another thread."""
        self._turns.wake()

    def streams(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stream) of the connections there are."""
        return self._turns.streams()

    def received(self) -> dict[str, int]:
        """Return name of a stream → frames received since its connection was made."""
        return self._turns.frames()

    @property
    def has_turned(self) -> bool:
        """Whether the loop has gone round lately: a node that hangs does not."""
        return self._turns.has_turned

    @property
    def now(self) -> int:
        """The node's time, ns UTC: the simulator's in lockstep."""
        return self._turns.clock()

    @property
    def is_sending(self) -> bool:
        """Whether an order waits for the disk, or is on its way to the socket."""
        return self._turns.is_sending

    def take_signals(self, signals: Sequence[Signal]) -> None:
        """Take signals of models: they reach strategies on ``signal.SYMBOL``, journalled first."""
        if self.driver is None:
            return
        try:
            for signal in signals:
                with self._turns.inbox.traced():
                    self.driver.take_signal(self._turns.clock(), signal)
        except Exception as error:
            self._turns.fail(error)
        self._turns.wake()

    def run(self) -> AccountView:
        """Run until `stop`; return the account as the broker states it at the end.

        Raises
        ------
        ConfigError
            As `run_async` does, and where a loop runs in this thread already.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.run_async())
        raise ConfigError(
            "a loop runs already, as in a notebook",
            code="running_loop",
            remedy="Write `await node.run_async()`",
        )

    async def run_async(self) -> AccountView:
        """Run until `stop`, in a loop that runs already: a notebook's, say.

        Canceled, as Ctrl-C does it to a script and an interrupt to a cell, it stops in order first.

        Raises
        ------
        ConfigError
            If the account is not the one configured or may not trade, another node uses it or the
            state folder, limits are missing, or this node has run already.
        JournalError
            If the journal is damaged, or has holdings of a strategy that is not in this run.
        Stopped
            If `stop` was called before the account had been looked at.
        """
        if self.loop is not None:
            raise ConfigError(
                f"this node has run already, as {self.run_id}",
                code="has_run",
                remedy="Make a new LiveNode, with fresh strategies",
            )
        self.loop = asyncio.get_running_loop()
        before = sys.getswitchinterval()
        # A record that is on the disk lets its order leave: that must not wait for a time slice.
        sys.setswitchinterval(SWITCH_S)
        http = self._http = self._make_http()
        give_back_large_blocks()
        try:
            self._open_eyes()
            await self._beside.prepare(self)
            listing = await look_up(self.config, http)
            driver = self._make_driver(listing, await own_time(self.config, http))
            if self.config.clock == "simulator":
                self._turns.lockstep = Lockstep(self.run_id, http.send)
                await self._turns.lockstep.begin()
            if self.config.shadow:
                await self._step_into_shadow(http, listing.instruments)
            self._turns.begin(self.loop, self._http)
            await self._start(driver)
            if driver.phase == LOOKING:
                # Somebody has stopped it before it knew its account: nothing was begun.
                await self._turns.finish()
                raise Stopped(f"the node was stopped as it started: {self._turns.stopping}")
            await self._begin_companions()
            self._turns.garbage.begin()
            try:
                await self._turns.serve()
            except asyncio.CancelledError:
                # Ctrl-C in a script, or a cell that is interrupted: no entry may outlive the node.
                self.stop("interrupted")
                await self._turns.finish()
                raise
            await self._turns.finish()
            return await self._closing_account(driver)
        except Stopped:
            raise
        except Exception as error:
            if self._eyes is not None:
                self._eyes.tell_end(error)
            raise
        finally:
            self._turns.garbage.end()
            sys.setswitchinterval(before)
            await self._clean_up(http)

    def _open_eyes(self) -> None:
        """Lock the state folder, and open what people see the node with."""
        folder = self.config.state_folder()
        if folder is not None:
            self._locks.append(lock_state(folder))
        eyes = eyes_of(self.config, self._credentials, self._arm, self._environment)
        if eyes is not None:
            self._eyes = eyes
            eyes.open(self)

    def _watch(self) -> None:
        """Begin what watches strategies: they are about to speak, and the account is ours."""
        assert self.driver is not None
        # Where another node has it, no watchdog is to take this one for dead.
        self._lock_account(self.driver)
        watchers = watchers_of(self.config, self._credentials, self.watchdog_command)
        self._beside.watch(self, watchers)

    async def _begin_companions(self) -> None:
        if self._eyes is not None:
            await self._eyes.begin(self)
        await self._beside.begin(self)

    async def _clean_up(self, http: Http) -> None:
        try:
            for companion in self._beside.ending():
                await self._end(companion)
            if self._eyes is not None:
                # Opened first and closed last: the end is seen too.
                await self._end(self._eyes)
            await self._let_go(http)
        finally:
            # Whatever went wrong on the way: in a notebook the process lives on.
            for lock in self._locks:
                lock.release()

    async def _end(self, companion: Companion | Eyes) -> None:
        """End what lives beside the node; what goes wrong there keeps no other from its end."""
        try:
            await companion.end()
        except Exception as error:
            text = f"{type(companion).__name__} did not end in order: {error}"
            LOG.error(text, exc_info=error)
            if self._on_alarm is not None:
                # It is in the log; whoever else is told may have nowhere to write it either.
                with suppress(Exception):
                    self._on_alarm("unclean_end", text)

    async def _let_go(self, http: Http) -> None:
        turns = self._turns
        if turns.lockstep is not None:
            with suppress(ConnectionLost):
                await turns.lockstep.forget()
        if turns.sender is not None:
            await turns.sender.close()
        await http.close()
        if self._slow is not None:
            self._slow.close()
        if turns.writer is not None:
            turns.writer.stop()
        if self.driver is not None:
            self.driver.journal.close()

    def _make_http(self) -> Http:
        config = self.config
        bases = {"trading": config.trading, "data": config.data}
        if config.clock == "simulator":
            bases["control"] = config.control
        return (ReadOnlyHttp if config.shadow else Http)(bases, self._credentials)

    async def _step_into_shadow(self, http: Http, instruments: list[Instrument]) -> None:
        """Put a simulated venue in the broker's place: what is sent to it stays in here."""
        config, client, turns = self.config, self._client, self._turns
        goes_by_data = config.is_rehearsal and turns.lockstep is None
        start = await broker_time(http) if goes_by_data else turns.clock()
        broker = ShadowBroker(
            instruments, start, cash=config.shadow_cash, fees=fees_of(config), seed=config.seed
        )
        clock = (lambda: 0) if goes_by_data else turns.clock
        shadow = turns.shadow = Shadow(broker, clock, client.receive_trade_update)
        self._http = ShadowHttp(
            http, broker, shadow.bring_time, lambda: turns.receive(shadow.updates, 0)
        )
        for symbol in config.symbols:
            # What orders meet, whatever the strategies have asked for.
            client.subscribe("quotes", symbol)
            client.subscribe("trades", symbol)

    # -- start ---------------------------------------------------------------------------------

    def _make_driver(self, listing: Listing, now: int | None) -> Driver:
        config, folder = self.config, self.config.state_folder()
        gate = make_gate(config)
        driver = self.driver = self._turns.driver = Driver(
            self._client,
            open_journal(config, folder),
            gate,
            listing.instruments,
            self._strategies,
            make_plan(
                config,
                self.run_id,
                self._prefix,
                now=now,
                source=self._source,
                arm=self._arm,
                assumed=listing.assumed,
            ),
            fees=make_fees(config),
        )
        driver.before_start = self._watch
        driver.listener = self._on_event
        driver.scribe.on_alarm = self._on_alarm
        if self._eyes is not None:
            self._eyes.hear(driver)
        if config.clock == "wall":
            self._slow = SlowWork(self._turns.receive_from_thread)
            driver.run_slow = self._slow.run
        if folder is not None and config.clock == "wall":
            self._turns.writer = JournalWriter(driver.journal, self._turns.on_commit)
            self._turns.writer.start()
        return driver

    async def _start(self, driver: Driver) -> None:
        """Look at the account, recover, and let strategies start."""
        turns = self._turns
        driver.begin(turns.clock())
        while driver.phase == LOOKING and not turns.stopping:
            turns.look()
            if driver.phase == LOOKING:
                await turns.sleep()
        if driver.error is not None:
            raise driver.error
        if turns.lockstep is None:
            self._client.market_data.activity.session_of = regular_hours(turns.clock())

    def _lock_account(self, driver: Driver) -> None:
        """Lock the account.

        A node that keeps nothing is a rehearsal and locks nothing, and a shadow trades on none.
        """
        if self.config.state_folder() is None or self.config.shadow or driver.last_look is None:
            return
        self._locks.append(lock_account(self.config.trading, driver.last_look.account))

    async def _closing_account(self, driver: Driver) -> AccountView:
        """Return the account as the broker states it now; as it did last if it does not answer.

        The node has stopped in order by then: that nobody answers makes no failure of it.
        """
        try:
            return decode_account((await self._query(account_request())).body)
        except ConfigError as error:
            look = driver.last_look
            assert look is not None
            text = f"the account at the end: {error.message}; told is what the last look has shown"
            driver.scribe.alarm("query_failed", text, self._turns.clock())
            cash, equity = f"{look.cash:f}", f"{look.equity:f}"
            return AccountView(
                account_number=look.account, cash=cash, equity=equity, buying_power=""
            )

    async def _query(self, request: HttpRequest) -> Answer:
        assert self._http is not None
        answer = Answer(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                for attempt in range(1, CLOSING_ATTEMPTS + 1):
                    answer = await self._http.send(request)
                    if answer.status == 200:
                        return answer
                    if answer.status in (401, 403):
                        break
                    await asyncio.sleep(0.2 * attempt)
        raise ConfigError(f"the broker answers {request.path} with {answer.status or 'nothing'}")

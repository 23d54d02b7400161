"""The live node on Alpaca: strategies, kernel, client core and sockets in one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from pyrt.adapters.alpaca.account import (
    AccountView,
    account_request,
    decode_account,
    decode_positions,
    positions_request,
)
from pyrt.adapters.alpaca.activity import regular_hours
from pyrt.adapters.alpaca.client import AlpacaClient
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.events import Event
from pyrt.adapters.alpaca.lockstep import Lockstep
from pyrt.adapters.alpaca.rest import HttpRequest
from pyrt.adapters.alpaca.shell.http import Answer, Http
from pyrt.adapters.alpaca.shell.sockets import Socket
from pyrt.core.instruments import Instrument, crypto, equity
from pyrt.errors import ConfigError
from pyrt.live.config import NodeConfig
from pyrt.live.core import NodeCore
from pyrt.risk.gate import BasicGate
from pyrt.strategy.strategy import Strategy

DEFAULT_TIF = {"": "day", "equity": "day", "crypto": "gtc"}
NAP_S = 1.0
"""The longest sleep: dead lines are looked for this often."""
GRACE_NS = 5_000_000_000
"""How long a bar made of others waits for the last of them: it arrives after its minute is over."""
START_ATTEMPTS = 5
ANSWERS = 3
"""Rank of answers to requests, after the frames of trade updates (0) and market data."""
Listener = Callable[[Event, NodeCore], None]


class LiveNode:
    """Runs strategies against an Alpaca account; paper, unless three consents say otherwise.

    Parameters
    ----------
    config : NodeConfig
    credentials : Credentials, optional
        By default from `config.env_file` or the environment.
    on_event : callable, optional
        Called with (event, core) after the kernel has taken it: to print, to watch.

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
    ) -> None:
        self.config = config
        self._credentials = credentials or read_credentials(env_file=config.env_file or None)
        config.check_key(is_live=self._credentials.is_live)
        # Fresh at every start: a run cannot repeat an id of another.
        self.run_id = config.run_id or uuid4().hex[:12]
        self._prefix = f"pyrt-{self.run_id}-"
        self._client = AlpacaClient(
            self._prefix, self._credentials, seed=config.seed, feed=config.feed
        )
        self._strategies: list[Strategy] = []
        self._on_event = on_event
        self._inbox: list[tuple[int, Callable[[int], list[Event]]]] = []
        self._connections: list[tuple[Socket, Any]] = []
        self._http: Http | None = None
        self._lockstep: Lockstep | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self.core: NodeCore | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def add_strategy(self, strategy: Strategy) -> None:
        """Add a strategy; before the node runs."""
        self._strategies.append(strategy)

    def stop(self) -> None:
        """Ask the node to stop: strategies stop, what they cancel still leaves."""
        self._stopping = True
        self._wake.set()

    def run(self) -> AccountView:
        """Run until `stop`; return the account as the broker states it at the end."""
        return asyncio.run(self.run_async())

    async def run_async(self) -> AccountView:
        """Run until `stop`, in a loop that runs already.

        Raises
        ------
        ConfigError
            If the account is not the one configured, may not trade, or holds positions in the
            node's symbols, which this node could not tell from its own.
        """
        self.loop = asyncio.get_running_loop()
        http = self._http = self._make_http()
        try:
            account = await self._check_account(http)
            self.core = self._make_core(account)
            if self.config.clock == "simulator":
                self._lockstep = Lockstep(self.run_id, http.send)
                await self._lockstep.begin()
            else:
                self._expect_late_news(self.core)
            self.core.start(self._clock())
            await self._serve(self.core)
            self.core.stop()
            await self._drain(self.core)
            return decode_account((await self._query(http, account_request())).body)
        finally:
            if self._lockstep is not None:
                await self._lockstep.forget()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await http.close()

    def _make_http(self) -> Http:
        config = self.config
        bases = {"trading": config.trading, "data": config.data}
        if config.clock == "simulator":
            bases["control"] = config.control
        return Http(bases, self._credentials)

    def _expect_late_news(self, core: NodeCore) -> None:
        """Settle what only matters where news take time to arrive."""
        core.kernel.grace_ns = GRACE_NS
        self._client.market_data.activity.session_of = regular_hours(self._clock())

    def _clock(self) -> int:
        return time.time_ns() if self._lockstep is None else self._lockstep.now

    # -- start ---------------------------------------------------------------------------------

    async def _check_account(self, http: Http) -> AccountView:
        account = decode_account((await self._query(http, account_request())).body)
        expected = self.config.account_id
        if expected and account.account_number != expected:
            raise ConfigError(
                f"the keys belong to account {account.account_number}, not to {expected}",
                code="wrong_account",
            )
        if not account.may_trade:
            raise ConfigError(f"the account may not trade: {account.status}", code="no_trading")
        held = decode_positions((await self._query(http, positions_request())).body)
        ours = {symbol.replace("/", "") for symbol in self.config.symbols}
        taken = sorted(position.symbol for position in held if position.symbol in ours)
        if taken:
            raise ConfigError(
                f"the account already holds {', '.join(taken)}",
                code="open_positions",
                remedy="Close these positions, or leave the symbols to whoever opened them",
            )
        return account

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

    def _make_core(self, account: AccountView) -> NodeCore:
        return NodeCore(
            self._client,
            BasicGate(),
            [_instrument(symbol) for symbol in self.config.symbols],
            self._strategies,
            cash=account.cash_exact,
            prefix=self._prefix,
            default_tif=DEFAULT_TIF,
        )

    # -- the loop ------------------------------------------------------------------------------

    async def _serve(self, core: NodeCore) -> None:
        self._connections = self._sockets()
        if self._lockstep is not None:
            await self._lockstep.serve(self, lambda: self._stopping)
            return
        while not self._stopping:
            self._wake.clear()
            now = self._clock()
            self.keep_connected(now)
            self._turn(core, now)
            await self.flush()
            await self._sleep(core)

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

    def _turn(self, core: NodeCore, now: int) -> None:
        """Take what came in, let what is due happen, send what follows from it."""
        # One at a time: what a strategy does about one message precedes the next.
        for take in self._take_inbox():
            self._tell(core, now, take(now))
        self._tell(core, now, self._client.poll(now))
        core.fire_timers()
        self._send_due(now)

    def _take_inbox(self, *, by_rank: bool = False) -> list[Callable[[int], list[Event]]]:
        received, self._inbox = self._inbox, []
        if by_rank:
            received.sort(key=lambda item: item[0])
        return [take for _, take in received]

    def _send_due(self, now: int) -> int:
        requests = self._client.take_requests(now)
        for request in requests:
            self._spawn(self._send(request))
        return len(requests)

    # -- in lockstep ---------------------------------------------------------------------------

    def is_connected(self) -> bool:
        """Return whether all streams are through their handshakes."""
        return all(stream.is_active for _, stream in self._connections)

    def received(self) -> Mapping[str, int]:
        """Return URL → frames received since the connection was opened."""
        return {socket.url: socket.received for socket, _ in self._connections}

    def step(self, now: int, *, timers: bool) -> bool:
        """Take all that came in at `now`, send what follows; return whether there was anything."""
        assert self.core is not None
        # What the venue did comes before the bars that it did it in; one instant is one take.
        received = self._take_inbox(by_rank=True)
        events = [event for take in received for event in take(now)]
        events.extend(self._client.poll(now))
        self._tell(self.core, now, events)
        if timers and not events:
            self.core.fire_timers()
        return self._send_due(now) + len(received) > 0

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
        assert self.core is not None
        due = (self._client.next_due(now), self.core.inputs.next_timer)
        return min((d for d in due if d is not None and d > now), default=None)

    # -- what came in --------------------------------------------------------------------------

    def _tell(self, core: NodeCore, now: int, events: Iterable[Event]) -> None:
        told = list(events)
        core.take(now, told)
        if self._on_event is not None:
            for event in told:
                self._on_event(event, core)

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

    async def _sleep(self, core: NodeCore) -> None:
        now = self._clock()
        due = [d for d in (self._client.next_due(now), core.inputs.next_timer) if d is not None]
        seconds = (min(due) - now) / 1e9 if due else NAP_S
        try:
            await asyncio.wait_for(self._wake.wait(), min(max(seconds, 0.001), NAP_S))
        except TimeoutError:
            return

    async def _drain(self, core: NodeCore, patience_s: float = 5.0) -> None:
        """Let requests that strategies made at the end go out, and their answers come in."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            self._turn(core, self._clock())
            if not self._inbox and not self._client.queue.outstanding:
                return
            await asyncio.sleep(0.01)

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


def _instrument(symbol: str) -> Instrument:
    return crypto(symbol) if "/" in symbol else equity(symbol)

"""A whole node and the simulator core in one process: virtual time, files in memory, no sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.node.assembly import NEVER_LOST
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument, crypto
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import RUNNING, STOPPED
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Plan, Policies
from pyrt.risk.engine import RiskEngine
from pyrt.strategy.strategy import Strategy
from pyrt.testing.files import MemoryFiles
from tests.live.lockstep import _bind

PHASES = 3
SECOND = 1_000_000_000
Filter = Callable[[Any, Any], Any]


def policies(way: str) -> Policies:
    """Return policies of a start: from what was "saved", or from the run's inputs."""
    return Policies(looks=1, warmup=0, save_ns=1, replay_max=0 if way == "saved" else 500_000)


def instrument_of(symbol: str) -> Instrument:
    """Return a plain instrument, of a pair a coin."""
    return crypto(symbol) if "/" in symbol else Instrument(symbol)


class World:
    """The broker's side: one simulated account that outlives the nodes that trade it."""

    def __init__(
        self,
        bars: Sequence[Any],
        *,
        cash: Any = 100_000,
        account: Any = None,
        participation: float = 0.0,
        fees: str | None = None,
    ) -> None:
        self.bars = list(bars)
        self.fees = fees
        venue = SimVenue(
            Account(cash, rules=account),
            fee_model(fees),
            slippage_model(None),
            participation=participation,
        )
        for index, columns in enumerate(self.bars):
            instrument = instrument_of(columns.symbol)
            _bind(instrument, index)
            venue.add_instrument(instrument)
        self.venue = venue
        self.simulator = SimulatorCore(Exchange(venue, self.bars))
        self.instants = self.simulator.instants()
        self.step = 0
        self.posted: list[bytes] = []

    def request(self, request: Any) -> Any:
        """Answer a request of a node."""
        if request.method == "POST" and request.path == "/v2/orders":
            self.posted.append(request.body)
        return self.simulator.request(request.method, request.path, request.body)

    @property
    def now(self) -> int:
        """The simulator's time."""
        return self.simulator.now


class Node:
    """One run of a node against a world; `files` is what it finds and leaves."""

    def __init__(
        self,
        world: World,
        files: MemoryFiles,
        strategies: Sequence[Strategy],
        *,
        run_id: str,
        limits: Any = None,
        policies: Policies | None = None,
        account: Any = None,
        config: dict[str, Any] | None = None,
        assumed: tuple[str, ...] = (),
    ) -> None:
        self.world = world
        self.files = files
        symbols = tuple(columns.symbol for columns in world.bars)
        prefix = f"pyrt-{run_id}-"
        self.journal = Journal(files)
        self.client = AlpacaClient(prefix, policy=NEVER_LOST, symbols=symbols)
        self.alarms: list[tuple[str, str]] = []
        self.on_request: Filter | None = None
        self.commits = True
        plan = Plan(
            run_id=run_id,
            prefix=prefix,
            default_tif={"": "gtc"},
            account=account,
            assumed=assumed,
            config=config or {},
            policies=policies or Policies(looks=1, warmup=0),
        )
        self.driver = Driver(
            self.client,
            self.journal,
            RiskEngine(limits, strict=limits is not None),
            list(map(instrument_of, symbols)),
            strategies,
            plan,
            fees=None if world.fees is None else fee_model(world.fees),
        )
        self.driver.scribe.on_alarm = lambda code, text: self.alarms.append((code, text))

    @property
    def kernel(self) -> Any:
        """The node's kernel."""
        assert self.driver.core is not None
        return self.driver.core.kernel

    def start(self) -> None:
        """Start, and connect the stream of order news."""
        self.driver.begin(self.world.now)
        self.settle(self.world.now)
        if self.driver.error is not None:
            raise self.driver.error
        assert self.driver.phase == RUNNING
        self.connect(self.world.now)
        if self.client.waiting_bars:
            self.connect_data(self.world.now)
        self.settle(self.world.now)

    def connect(self, now: int) -> None:
        """Take the stream of order news through its handshake."""
        stream = self.client.trade_updates
        assert stream.wants_connection(now)
        stream.opened(now)
        for text in (
            '{"stream":"authorization","data":{"status":"authorized"}}',
            '{"stream":"listening","data":{"streams":["trade_updates"]}}',
        ):
            self.driver.take(now, self.client.receive_trade_update(text, now))
        stream.take_frames()

    def connect_data(self, now: int) -> None:
        """Take the stream of market data through its handshake: bars wait for that."""
        stream = self.client.market_data
        assert stream.wants_connection(now)
        stream.opened(now)
        served = json.dumps([{"T": "subscription", "bars": stream.wanted["bars"]}])
        for text in (
            '[{"T":"success","msg":"connected"}]',
            '[{"T":"success","msg":"authenticated"}]',
            served,
        ):
            self.driver.take(now, self.client.receive_market_data(text, now))
        stream.take_frames()

    def run(self, instants: int | None = None) -> None:
        """Go on until the data are over, or for so many instants."""
        for ts in self.world.instants:
            self.world.step += 1
            self.settle(ts)
            if self.world.step % PHASES == 0:
                self.driver.turn(ts)
                self.settle(ts)
            if instants is not None:
                instants -= 1
                if instants <= 0:
                    return

    def settle(self, ts: int) -> None:
        """Exchange bytes until neither side has anything to say at `ts`."""
        while True:
            events = [
                event
                for frame in self.world.simulator.take_trade_updates()
                for event in self.client.receive_trade_update(frame, ts)
            ]
            for frame in self.world.simulator.take_market_data():
                events.extend(self.client.receive_market_data(frame, ts))
            self.driver.take(ts, events)
            self.driver.turn(ts, timers=False)
            if self.commits:
                self.journal.commit()
            requests = self.driver.take_requests(ts)
            for request in requests:
                self.answer(request, ts)
            if not events and not requests:
                return

    def answer(self, request: Any, ts: int) -> None:
        """Send one request and take its answer; `on_request` may change or drop either."""
        if self.on_request is not None:
            answer = self.on_request(request, self.world.request)
            if answer is None:
                return
        else:
            answer = self.world.request(request)
        self.driver.take(ts, self.client.receive_response(request, answer.status, answer.body, ts))

    def stop(self) -> None:
        """Stop in order."""
        now = self.world.now
        self.driver.stop(now)
        self.settle(now)
        if self.driver.phase != STOPPED:
            self.driver.finish(now)
        self.journal.close()

    def crash(self) -> MemoryFiles:
        """Stop at once, as a power failure does; return what is left of the files."""
        return self.files.crash()

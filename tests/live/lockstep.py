"""A node core and the simulator core in one process, stepped in lockstep without sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.node.assembly import DEFAULT_TIF
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.adapters.alpaca.simulator.streams.frames import CHANNELS, encode
from pyrt.backtest.fees import fee_model
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument, listed
from pyrt.live.core.node import NodeCore
from pyrt.risk.gate import BasicGate
from pyrt.strategy.strategy import Strategy
from pyrt.venues.capabilities import capabilities_of

PREFIX = "pyrt-test-"
PHASES = 3
"""What ends, the calendar, what happens: the simulator yields each instant once for each."""


class Lockstep:
    """The simulator owns time: it moves on when the node has answered everything.

    Parameters
    ----------
    core : SimulatorCore, optional
        By default one that serves `data`.
    node_fees : str, optional
        What the node takes fills to cost; by default the same as the broker.
    timers_first : bool
        A fault to plant: timers fire before what happens at their instant.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        data: Sequence[Any],
        *,
        cash: Any = 100_000,
        fees: str = "alpaca",
        participation: float = 0.0,
        node_fees: str | None = None,
        core: SimulatorCore | None = None,
        timers_first: bool = False,
    ) -> None:
        served = core or make_core(data, cash=cash, fees=fees, participation=participation)
        self.simulator = served
        self.client = AlpacaClient(PREFIX)
        self.node = NodeCore(
            self.client,
            BasicGate(),
            [listed(symbol) for symbol in dict.fromkeys(table.symbol for table in data)],
            strategies,
            cash=cash,
            prefix=PREFIX,
            default_tif=DEFAULT_TIF,
            fees=fee_model(fees if node_fees is None else node_fees),
            capabilities=capabilities_of("alpaca"),
        )
        self._timers_first = timers_first

    @property
    def broker(self) -> Any:
        """The venue behind the simulator."""
        return self.simulator.desk.exchange.venue

    def run(self) -> None:
        self.node.start(self.simulator.now)
        self._settle(self.simulator.now)
        for step, ts in enumerate(self.simulator.instants(), start=1):
            if self._timers_first and step % PHASES == 1:
                self._timers(ts)
            self._settle(ts)
            if step % PHASES == 0:
                self._timers(ts)
        self.node.stop()

    def _take_market_data(self, ts: int) -> list[Any]:
        """Send what the node has subscribed to, stocks and coins by their own streams."""
        messages = self.simulator.take_messages()
        events: list[Any] = []
        for stream, receive in (
            (self.client.market_data, self.client.receive_market_data),
            (self.client.crypto_data, self.client.receive_crypto_data),
        ):
            wanted = stream.wanted
            chosen = [m for m in messages if m.S in wanted.get(CHANNELS[type(m)], ())]
            if chosen:
                events.extend(receive(encode(chosen, packed=False), ts))
        return events

    def _timers(self, ts: int) -> None:
        """Fire what is due, after all that happens at an instant, as a backtest does."""
        self.node.take(ts, [])
        self.node.fire_timers()
        self._settle(ts)

    def _settle(self, ts: int) -> None:
        """Exchange bytes until neither side has anything to say at `ts`."""
        while True:
            events = self.client.poll(ts)
            for frame in self.simulator.take_trade_updates():
                events.extend(self.client.receive_trade_update(frame, ts))
            events.extend(self._take_market_data(ts))
            requests = self.client.take_requests(ts)
            for request in requests:
                answer = self.simulator.request(request.method, request.path, request.body)
                events.extend(self.client.receive_response(request, answer.status, answer.body, ts))
            if not events and not requests:
                break
            self.node.take(ts, events)
        due = [self.node.inputs.next_timer, self.client.next_due(ts)]
        timer = min((d for d in due if d is not None and d > ts), default=None)
        if timer is None:
            self.simulator.timers.pop("node", None)
        else:
            self.simulator.timers["node"] = timer


def _bind(instrument: Instrument, index: int) -> None:
    """Give an instrument its index as a cache does."""
    cache = Cache()
    for number in range(index):
        cache.add_instrument(Instrument(f"filler-{number}"))
    cache.add_instrument(instrument)

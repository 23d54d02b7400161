"""A node core and the simulator core in one process, stepped in lockstep without sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.adapters.alpaca.client import AlpacaClient
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.live.core import NodeCore
from pyrt.risk.gate import BasicGate
from pyrt.strategy.strategy import Strategy

PREFIX = "pyrt-test-"
PHASES = 3
"""What ends, the calendar, what happens: the simulator yields each instant once for each."""


class Lockstep:
    """The simulator owns time: it moves on when the node has answered everything."""

    def __init__(
        self, strategies: Sequence[Strategy], bars: Sequence[Any], *, cash: Any = 100_000
    ) -> None:
        symbols = [columns.symbol for columns in bars]
        venue = SimVenue(Account(cash), fee_model(None), slippage_model(None))
        node_side = [Instrument(s) for s in symbols]
        for index, symbol in enumerate(symbols):
            instrument = Instrument(symbol)
            _bind(instrument, index)
            venue.add_instrument(instrument)
        self.simulator = SimulatorCore(Exchange(venue, bars))
        self.client = AlpacaClient(PREFIX)
        self.node = NodeCore(
            self.client, BasicGate(), node_side, strategies, cash=cash, prefix=PREFIX
        )
        self.broker = venue

    def run(self) -> None:
        self.node.start(self.simulator.now)
        self._settle(self.simulator.now)
        for step, ts in enumerate(self.simulator.instants(), start=1):
            self._settle(ts)
            if step % PHASES == 0:
                self._timers(ts)
        self.node.stop()

    def _timers(self, ts: int) -> None:
        """Fire what is due, after all that happens at an instant, as a backtest does."""
        self.node.take(ts, [])
        self.node.fire_timers()
        self._settle(ts)

    def _settle(self, ts: int) -> None:
        """Exchange bytes until neither side has anything to say at `ts`."""
        while True:
            events = self.client.poll(ts)
            events += [
                event
                for frame in self.simulator.take_trade_updates()
                for event in self.client.receive_trade_update(frame)
            ]
            for frame in self.simulator.take_market_data():
                events.extend(self.client.receive_market_data(frame))
            requests = self.client.take_requests(ts)
            for request in requests:
                answer = self.simulator.request(request.method, request.path, request.body)
                events.extend(self.client.receive_response(request, answer.status, answer.body, ts))
            if not events and not requests:
                return
            self.node.take(ts, events)


def _bind(instrument: Instrument, index: int) -> None:
    """Give an instrument its index as a cache does."""
    from pyrt.core.cache import Cache

    cache = Cache()
    for number in range(index):
        cache.add_instrument(Instrument(f"filler-{number}"))
    cache.add_instrument(instrument)

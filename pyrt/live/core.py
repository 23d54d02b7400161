"""The node's core: kernel and client joined without I/O; shells bring bytes and the time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.kernel.kernel import Kernel
from pyrt.kernel.subscriptions import topic_of
from pyrt.live.inputs import Inputs, Outlet
from pyrt.strategy.strategy import Strategy

STREAM_TIMEFRAME = "1m"
STREAM_TIMEFRAME_NS = 60_000_000_000


class Client(Protocol):
    """What the node asks of an adapter's client core."""

    def submit(self, order: Any) -> None: ...
    def change(self, order: Any, changes: dict[str, Any]) -> None: ...
    def withdraw(self, order: Any) -> None: ...
    def subscribe(self, channel: str, symbol: str) -> None: ...


class NodeCore:
    """Strategies, kernel and one client core; everything comes in through its methods.

    Parameters
    ----------
    client : Client
        Commands go to it; its events come back through `take`.
    gate : RiskGate
    instruments : sequence of Instrument
    strategies : sequence of Strategy
    cash : number
        The account's cash as the broker states it.
    prefix : str
        Begins the client order ids of this run.
    default_tif : dict, optional
        Kind of instrument → default time in force.
    """

    def __init__(
        self,
        client: Client,
        gate: Any,
        instruments: Sequence[Instrument],
        strategies: Sequence[Strategy],
        *,
        cash: Any,
        prefix: str,
        default_tif: dict[str, str] | None = None,
    ) -> None:
        self.kernel = Kernel(
            Account(cash),
            gate,
            prefix=prefix,
            on_error="halt",
            keep_closed=True,
            default_tif=default_tif,
        )
        self._client = client
        self.inputs = Inputs(self.kernel)
        self.kernel.connect(Outlet(client))
        self.kernel.open_stream = self._open_stream
        for instrument in instruments:
            self.kernel.add_instrument(instrument)
        for strategy in strategies:
            self.kernel.add_strategy(strategy)

    def start(self, ts: int) -> None:
        """Let the strategies start at `ts`."""
        self.kernel.start(ts)

    def take(self, ts: int, events: Iterable[Any]) -> None:
        """Take events that reached us at `ts`, in order; then send what they led to."""
        self.inputs.advance(ts)
        sampled = False
        for event in events:
            sampled |= self._take_one(event)
        self.inputs.settle()
        if sampled:
            self.inputs.sample()

    def _take_one(self, event: Any) -> bool:
        """Hand one event to the kernel; return whether it was market data."""
        if hasattr(event, "prices"):
            if event.kind != "bar":
                return False
            topic = topic_of("bars", event.symbol, STREAM_TIMEFRAME)
            stream = self.kernel.cache.stream(topic)
            if stream is not None:
                self.inputs.bar(stream, event.ts_open, event.ts_close, *event.prices)
            return True
        if hasattr(event, "cumulative"):
            self.inputs.fill(
                event.number, event.ts_event, event.quantity, event.price, event.cumulative
            )
        elif hasattr(event, "terms"):
            quantity, limit_price, stop_price = event.terms
            self.inputs.order_event(
                event.kind,
                event.number,
                event.ts_event,
                event.reason,
                quantity=quantity,
                limit_price=limit_price,
                stop_price=stop_price,
            )
        return False

    def fire_timers(self) -> None:
        """Fire timers that are due at the present."""
        self.inputs.fire_timers()

    def stop(self) -> None:
        """Let the strategies stop."""
        self.kernel.stop()

    def _open_stream(self, kind: str, symbol: str, timeframe: str) -> bool:
        """Open the one-minute stream that coarser bars are made from."""
        if kind != "bars":
            return False
        instrument = self.kernel.cache.instrument(symbol)
        topic = topic_of("bars", instrument.id, STREAM_TIMEFRAME)
        if self.kernel.cache.stream(topic) is None:
            self.kernel.add_stream("bars", instrument, topic, STREAM_TIMEFRAME, STREAM_TIMEFRAME_NS)
            self._client.subscribe("bars", symbol)
        return timeframe == STREAM_TIMEFRAME

"""A node's links: its topics published, and signals of models taken in."""

from __future__ import annotations

import asyncio
from typing import Any

from pyrt.links.publisher import Publisher, bus_patterns
from pyrt.links.signals import SignalInlet
from pyrt.links.sockets import checked, zeromq
from pyrt.live.observe.traces import current_trace

HEARTBEAT_S = 1.0
AT_ONCE = 20
"""Signals that are taken before market data and answers have their turn again."""


class LinkCompanion:
    """Lives as long as a node runs.

    Parameters
    ----------
    publish : str
        Address that topics are published on; "" for none.
    topics : tuple of str
    signals : str
        Address where signals are taken in; "" for none.

    Raises
    ------
    ConfigError
        If an address is not of this machine, or a topic names nothing that is sent.
    MissingExtra
        If pyzmq is not installed.
    """

    def __init__(self, publish: str, topics: tuple[str, ...], signals: str) -> None:
        # Here and not once the node trades: what is wrong ends it.
        bus_patterns(topics)
        for address in filter(None, (publish, signals)):
            checked(address)
            zeromq()
        self._publish, self._topics, self._signals = publish, topics, signals
        self.publisher: Publisher | None = None
        self.inlet: SignalInlet | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_prepared = False

    async def prepare(self, node: Any) -> None:
        """Take the addresses; nothing is sent yet, and what models say waits.

        Raises
        ------
        ConfigError
            If one of them is taken, or cannot be bound.
        """
        if self._publish:
            self.publisher = Publisher(self._publish, topics=self._topics)
        if self._signals:
            self.inlet = SignalInlet(
                self._signals,
                symbols=node.config.symbols,
                # A simulator's market is of another day.
                by_sending=node.config.is_rehearsal,
            )
        self._is_prepared = True

    async def begin(self, node: Any) -> None:
        """Open the links."""
        if not self._is_prepared:
            await self.prepare(node)
        kernel = node.core.kernel
        if self.publisher is not None:
            scribe = node.driver.scribe

            def trace_of(message: Any) -> str:
                order = getattr(message, "order", None)
                return current_trace() if order is None else scribe.trace_of(order.number)

            self.publisher.attach(
                kernel.bus, lambda number: str(kernel.strategies[number].name), trace_of
            )
            self._task = asyncio.create_task(self._beat(node, self.publisher))
        if self.inlet is not None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self.inlet.fd, self._take, node)
            self._take(node)

    async def end(self) -> None:
        """Close them."""
        if self._task is not None:
            self._task.cancel()
        if self.publisher is not None:
            self.publisher.close()
        if self.inlet is not None:
            if self._loop is not None:
                self._loop.remove_reader(self.inlet.fd)
            self.inlet.close()
            self.inlet = None

    def _take(self, node: Any) -> None:
        """Take some signals, and leave the rest for the loop's next round: a flood holds up none.

        The descriptor tells of a change only, so what is left is asked for.
        """
        if self.inlet is None or self._loop is None:
            return
        try:
            signals = self.inlet.poll(AT_ONCE)
            if signals:
                node.take_signals(signals)
        finally:
            if self.inlet.has_more:
                self._loop.call_soon(self._take, node)

    async def _beat(self, node: Any, publisher: Publisher) -> None:
        while True:
            inlet = self.inlet
            heard = (
                {}
                if inlet is None
                else {"taken": inlet.taken, "missed": inlet.missed, "refused": inlet.refused}
            )
            publisher.heartbeat(run_id=node.run_id, ready=node.driver.is_ready, **heard)
            await asyncio.sleep(HEARTBEAT_S)

"""The sending side: chosen topics of a bus, published without ever waiting for a reader."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from pyrt.core.bus import MessageBus, Subscription, matches
from pyrt.errors import ConfigError
from pyrt.links.frames import TRACE, pack
from pyrt.links.sockets import bind, checked, open_socket, zeromq
from pyrt.links.topics import BUS_PATTERNS, wired

LOG = logging.getLogger("pyrt.links")
DEFAULT_TOPICS = ("data.*", "signal.*", "risk.*", "order.*", "position.*")


class Publisher:
    """Publishes messages of a bus to other processes of this machine.

    A reader that does not keep up loses messages and sees it by their numbers; the publisher
    counts what at least one reader has lost and goes on.

    Parameters
    ----------
    address : str
        Bound, such as ``ipc:///run/pyrt/spy/feed``. Other machines cannot be let in.
    topics : iterable of str
        Wire topics to send; ``*`` and ``?`` as on the bus. See `pyrt.links.TOPICS`.
    high_water : int
        Messages held for each reader.
    clock : callable
        Stamps messages, ns UTC.

    Attributes
    ----------
    sent, dropped : int
        Messages handed to the sockets; of them, those that did not fit for at least one reader.
    failed : int
        Messages of the bus that could not be sent: their values have no plain form.

    Raises
    ------
    ConfigError
        If the address is not of this machine or taken, or a topic names nothing in the table.
    MissingExtra
        If pyzmq is not installed.
    """

    def __init__(
        self,
        address: str,
        *,
        topics: Iterable[str] = DEFAULT_TOPICS,
        high_water: int = 100_000,
        clock: Callable[[], int] = time.time_ns,
        context: Any = None,
    ) -> None:
        self.address = checked(address)
        self.topics = tuple(topics)
        self.session = uuid4().hex[:12]
        self.sent = 0
        self.dropped = 0
        self.failed = 0
        self._told: set[str] = set()
        self._clock = clock
        self._sequences: dict[str, int] = {}
        self._wanted: dict[str, bool] = {}
        self._subscriptions: list[Subscription] = []
        self._names: Callable[[int], str] = str
        self._trace_of: Callable[[Any], str] = lambda message: ""
        self._patterns = bus_patterns(self.topics)
        self._zmq = zeromq()
        # An extended publisher says when a reader's queue is full; a plain one drops in silence.
        self._socket = open_socket("XPUB", high_water=high_water, context=context)
        self._socket.setsockopt(self._zmq.XPUB_NODROP, 1)
        self._held = bind(self._socket, self.address)

    def attach(
        self,
        bus: MessageBus,
        strategy_names: Callable[[int], str] = str,
        trace_of: Callable[[Any], str] = lambda message: "",
    ) -> None:
        """Send what is published on `bus` from now on, on the chosen topics.

        Parameters
        ----------
        trace_of : callable
            Message → id of what came in and led to it; sent as ``trace`` where it is not empty.
        """
        self._names = strategy_names
        self._trace_of = trace_of
        # Last in line: everybody in the process comes before the wire.
        for pattern in self._patterns:
            self._subscriptions.append(bus.subscribe(pattern, self._on_message, priority=-1_000))

    def publish(self, topic: str, payload: dict[str, Any]) -> bool:
        """Send plain values on a topic; return whether every reader had room.

        Topics that were not chosen are left out, and count as nothing lost.
        """
        if topic not in self._wanted:
            self._wanted[topic] = any(matches(pattern, topic) for pattern in self.topics)
        if not self._wanted[topic] and topic != "system.heartbeat":
            return True
        sequence = self._sequences[topic] = self._sequences.get(topic, 0) + 1
        frame = pack(topic.encode(), self.session, sequence, self._clock(), payload)
        self.sent += 1
        try:
            self._socket.send(frame, self._zmq.DONTWAIT)
        except self._zmq.Again:
            self.dropped += 1
            self._send_to_those_with_room(frame)
            return False
        return True

    def heartbeat(self, **status: Any) -> bool:
        """Say on ``system.heartbeat`` that this process is alive, with plain values beside."""
        self._read_subscriptions()
        counts = {"sent": self.sent, "dropped": self.dropped, "failed": self.failed}
        return self.publish("system.heartbeat", {**counts, **status})

    def close(self) -> None:
        """Detach from the bus and let what was sent leave for up to a second."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()
        self._socket.close()
        if self._held is not None:
            self._held.release()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_message(self, message: Any) -> None:
        try:
            trace = self._trace_of(message)
            for topic, payload in wired(message, self._names):
                self.publish(topic, {**payload, TRACE: trace} if trace else payload)
        except Exception as error:
            # What cannot be sent is missing to readers, and no reason to end a node.
            self.failed += 1
            kind = type(message).__name__
            if kind not in self._told:
                self._told.add(kind)
                LOG.warning("a %s cannot be published: %s", kind, error)

    def _send_to_those_with_room(self, frame: bytes) -> None:
        self._socket.setsockopt(self._zmq.XPUB_NODROP, 0)
        self._socket.send(frame, self._zmq.DONTWAIT)
        self._socket.setsockopt(self._zmq.XPUB_NODROP, 1)

    def _read_subscriptions(self) -> None:
        """Take readers' subscriptions off the socket, where they would pile up."""
        try:
            while True:
                self._socket.recv(self._zmq.DONTWAIT)
        except self._zmq.Again:
            return


def bus_patterns(topics: tuple[str, ...]) -> tuple[str, ...]:
    """Return what of the bus goes to wire topics; ConfigError where one names nothing."""
    found: dict[str, None] = {}
    for topic in topics:
        first = topic.split(".")[0]
        heads = [head for head in BUS_PATTERNS if matches(first, head)]
        if not heads and not matches(first, "system"):
            raise ConfigError(
                f"{topic!r} matches no topic that is sent",
                remedy=f"Topics begin with {', '.join(BUS_PATTERNS)} or system",
            )
        for head in heads:
            found.update(dict.fromkeys(BUS_PATTERNS[head]))
    return tuple(found)

"""The reading side: messages of one or more publishers, with what was lost on the way counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pyrt.core.bus import matches
from pyrt.errors import DataError
from pyrt.links.frames import Message, unpack
from pyrt.links.sockets import checked, open_socket, zeromq


class Subscriber:
    """Reads topics that publishers of this machine send.

    Parameters
    ----------
    *addresses : str
        Of publishers; they may come later than the reader.
    topics : iterable of str
        Wire topics; ``*`` and ``?`` as on the bus.
    high_water : int
        Messages held until they are read.

    Attributes
    ----------
    missed : dict of str to int
        Topic → messages lost, by gaps in their numbers.
    restarts : int
        Times a publisher began a new session; numbers begin again there.
    malformed : int
        Frames that were not of this form, left out.
    """

    def __init__(
        self,
        *addresses: str,
        topics: Iterable[str] = ("*",),
        high_water: int = 100_000,
        context: Any = None,
    ) -> None:
        self.topics = tuple(topics)
        self.missed: dict[str, int] = {}
        self.restarts = 0
        self.malformed = 0
        self._last: dict[tuple[str, str], int] = {}
        self._sessions: dict[str, str] = {}
        self._zmq = zeromq()
        self._socket = open_socket("SUB", high_water=high_water, context=context)
        for pattern in self.topics:
            # The wire filters by prefix: as much of the pattern as has no wildcard.
            prefix = re.split(r"[*?]", pattern, maxsplit=1)[0]
            self._socket.setsockopt(self._zmq.SUBSCRIBE, prefix.encode())
        for address in addresses:
            self._socket.connect(checked(address))

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """Return the next message, or None when `timeout_s` is over; None waits without end."""
        while self._socket.poll(None if timeout_s is None else int(timeout_s * 1_000)):
            try:
                message = unpack(self._socket.recv(self._zmq.DONTWAIT))
            except DataError:
                self.malformed += 1
                continue
            if any(matches(pattern, message.topic) for pattern in self.topics):
                self._count(message)
                return message
        return None

    def __iter__(self) -> Iterator[Message]:
        """Yield messages as they come, without end."""
        while True:
            message = self.receive()
            if message is not None:
                yield message

    def close(self) -> None:
        """Close the sockets; what was not read is dropped."""
        self._socket.close(0)

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _count(self, message: Message) -> None:
        key = (message.session, message.topic)
        last = self._last.get(key)
        if last is not None and message.sequence > last + 1:
            lost = message.sequence - last - 1
            self.missed[message.topic] = self.missed.get(message.topic, 0) + lost
        self._last[key] = message.sequence
        before = self._sessions.get(message.topic)
        if before is not None and before != message.session and last is None:
            self.restarts += 1
        self._sessions[message.topic] = message.session

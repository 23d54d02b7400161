"""Signals of models in other processes: sent without waiting, checked before they are believed."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from pyrt.core.data import Signal
from pyrt.core.serialization import to_dict
from pyrt.errors import ConfigError, DataError
from pyrt.links.frames import Message, pack, unpack
from pyrt.links.sockets import bind, checked, open_socket, zeromq

LOG = logging.getLogger("pyrt.links")
TOLD_MAX = 200
"""Characters of a refusal that are logged: what was sent may be long."""
SESSIONS_MAX = 1_000
"""Senders whose numbers are followed; of more, the oldest are forgotten."""
SIDES = ("buy", "sell", "flat")


class SignalSender:
    """A model's way to a node: `Signal`s out, dropped and counted where the node is away.

    Parameters
    ----------
    address : str
        Where a `SignalInlet` is bound.
    high_water : int
        Signals held while the node does not read; old wishes are worth little.
    """

    def __init__(self, address: str, *, high_water: int = 1_000, context: Any = None) -> None:
        self.session = uuid4().hex[:12]
        self.sent = 0
        self.dropped = 0
        self._zmq = zeromq()
        self._socket = open_socket("PUSH", high_water=high_water, context=context)
        self._socket.connect(checked(address))

    def send(self, signal: Signal) -> bool:
        """Send one; return False, counted, where it does not fit."""
        self.sent += 1
        frame = pack(b"signal", self.session, self.sent, time.time_ns(), to_dict(signal))
        try:
            self._socket.send(frame, self._zmq.DONTWAIT)
        except self._zmq.Again:
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Let what was sent leave for up to a second."""
        self._socket.close()

    def __enter__(self) -> SignalSender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SignalInlet:
    """A node's ear for models: takes well-formed, fresh signals on known symbols.

    Parameters
    ----------
    address : str
        Bound; models connect to it.
    symbols : iterable of str, optional
        Symbols that are taken; all without it.
    age_max_s : float
        A signal that was sent, or that speaks of a time, longer ago is refused: what a model
        wished a minute ago is no order.
    by_sending : bool
        The age is that since sending alone: where the market's time is another than the clock's.
    clock : callable
        ns UTC.

    Attributes
    ----------
    taken, missed : int
        Signals returned by `poll`; signals lost on the way, by gaps in a sender's numbers.
    refused : dict of str to int
        Reason → signals that were not taken for it.
    """

    def __init__(
        self,
        address: str,
        *,
        symbols: Iterable[str] | None = None,
        age_max_s: float = 10.0,
        by_sending: bool = False,
        high_water: int = 10_000,
        clock: Callable[[], int] = time.time_ns,
        context: Any = None,
    ) -> None:
        if not age_max_s > 0:
            raise ConfigError(f"age_max_s is {age_max_s!r}; expected seconds above 0")
        self.address = checked(address)
        self.taken = 0
        self.missed = 0
        self.refused: dict[str, int] = {}
        self._symbols = None if symbols is None else frozenset(symbols)
        self._age_max_ns = int(age_max_s * 1e9)
        self._by_sending = by_sending
        self._clock = clock
        self._last: dict[str, int] = {}
        self._zmq = zeromq()
        self._socket = open_socket("PULL", high_water=high_water, context=context)
        self._held = bind(self._socket, self.address)

    def poll(self, most: int = 1_000) -> list[Signal]:
        """Return the signals that have come, at most so many; never waits."""
        found: list[Signal] = []
        for _ in range(most):
            try:
                frame = self._socket.recv(self._zmq.DONTWAIT)
            except self._zmq.Again:
                break
            try:
                found.append(self._read(frame))
            except DataError as error:
                self._refuse(error.code, str(error))
            except Exception as error:
                # Whatever is in one message, those beside it are heard.
                self._refuse("unforeseen", f"{type(error).__name__}: {error}")
        self.taken += len(found)
        return found

    @property
    def has_more(self) -> bool:
        """Whether something is there that `poll` has not looked at."""
        return bool(self._socket.getsockopt(self._zmq.EVENTS) & self._zmq.POLLIN)

    @property
    def fd(self) -> int:
        """A descriptor that tells of a change: call `poll` then, while there is `has_more`."""
        return int(self._socket.getsockopt(self._zmq.FD))

    def close(self) -> None:
        """Close the socket; what was not read is dropped."""
        self._socket.close(0)
        if self._held is not None:
            self._held.release()

    def __enter__(self) -> SignalInlet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refuse(self, code: str, why: str) -> None:
        if code not in self.refused:
            LOG.warning("a signal is refused: %s", why[:TOLD_MAX])
        self.refused[code] = self.refused.get(code, 0) + 1

    def _read(self, frame: bytes) -> Signal:
        message = unpack(frame)
        self._count(message)
        signal = message.value
        if not isinstance(signal, Signal):
            raise DataError("a message that is no Signal", code="not_a_signal")
        if self._symbols is not None and signal.symbol not in self._symbols:
            raise DataError(f"{signal.symbol} is not traded here", code="symbol")
        check(signal)
        said = message.ts_sent if self._by_sending else min(signal.ts_event, message.ts_sent)
        age = self._clock() - said
        if age > self._age_max_ns:
            raise DataError(f"the signal is {age / 1e9:.0f} s old", code="stale")
        return signal

    def _count(self, message: Message) -> None:
        last = self._last.get(message.session, 0)
        self.missed += max(0, message.sequence - last - 1)
        self._last.pop(message.session, None)
        self._last[message.session] = max(last, message.sequence)
        if len(self._last) > SESSIONS_MAX:
            del self._last[next(iter(self._last))]


def check(signal: Signal) -> None:
    """Refuse a signal that no strategy could act on.

    Raises
    ------
    DataError
        If its side is none of buy, sell and flat, its quantity is negative or not finite, or its
        confidence is outside 0 to 1.
    """
    if signal.side not in SIDES:
        raise DataError(f"side is {signal.side!r}; expected one of {SIDES}", code="side")
    if not (math.isfinite(signal.quantity) and signal.quantity >= 0):
        raise DataError(f"quantity is {signal.quantity!r}; expected 0 or more", code="quantity")
    if not 0.0 <= signal.confidence <= 1.0:
        raise DataError(f"confidence is {signal.confidence!r}; expected 0 to 1", code="confidence")

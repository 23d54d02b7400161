"""What a shadow node has in place of the broker's trading host: nothing but reading gets out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pyrt.adapters.alpaca.core.events import Event
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.node.shadow import ShadowBroker
from pyrt.adapters.alpaca.shell.http import Answer, Http
from pyrt.adapters.alpaca.shell.lines import Departure
from pyrt.errors import PyrtError

AUTHORIZED = b'{"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}'
LISTENING = b'{"stream":"listening","data":{"streams":["trade_updates"]}}'


class ReadOnlyHttp(Http):
    """Connections by which nothing but a GET leaves."""

    async def send(self, request: HttpRequest, departure: Departure | None = None) -> Answer:
        """Send a GET; anything else is refused here."""
        if request.method != "GET" and request.host != "control":
            raise PyrtError(
                f"a shadow node does not send {request.method} {request.path}", code="shadow"
            )
        return await super().send(request, departure)


class ShadowHttp:
    """Hands requests of the trading API to a shadow broker, and others to the network.

    Parameters
    ----------
    http : Http
    broker : ShadowBroker
    time_of : callable
        Brings the broker's time up to date.
    after : callable
        Called when a request may have led to trade updates.
    """

    def __init__(
        self,
        http: Http,
        broker: ShadowBroker,
        bring_time: Callable[[], None],
        after: Callable[[], None],
    ) -> None:
        self._http = http
        self._broker = broker
        self._bring_time = bring_time
        self._after = after

    async def send(self, request: HttpRequest) -> Answer:
        """Answer a request."""
        if request.host != "trading":
            return await self._http.send(request)
        self._bring_time()
        status, body = self._broker.request(request.method, request.path, request.body)
        self._after()
        return Answer(status, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


class ShadowSocket:
    """The trade-updates stream of a shadow broker: a handshake, and then its frames.

    Parameters
    ----------
    core : Connection
        The stream's core.
    receive : callable
        Called with each frame.
    wake : callable
    clock : callable
        Returns the time, ns UTC.
    """

    url = "shadow:"

    def __init__(
        self,
        core: Any,
        receive: Callable[[bytes], None],
        wake: Callable[[], None],
        clock: Callable[[], int],
    ) -> None:
        self._core = core
        self._receive = receive
        self._wake = wake
        self._clock = clock
        self.received = 0

    async def serve(self) -> None:
        """Connect."""
        self._core.opened(self._clock())
        self._wake()

    async def close(self) -> None:
        """Do nothing: the line cannot be dead."""

    async def flush(self) -> None:
        """Answer what the core has to say."""
        self._core.heard(self._clock())
        for frame in self._core.take_frames():
            action = msgspec.json.decode(frame)["action"]
            self.push(LISTENING if action == "listen" else AUTHORIZED)

    def push(self, frame: bytes) -> None:
        """Hand over a frame."""
        self.received += 1
        self._receive(frame)


class Shadow:
    """A shadow broker and its node: time, frames and what the market's streams bring.

    Parameters
    ----------
    broker : ShadowBroker
    clock : callable
        Returns the present, ns UTC; 0 where the data alone say what time it is.
    take_update : callable
        The client's: a frame of trade updates and the time → events.
    """

    def __init__(
        self,
        broker: ShadowBroker,
        clock: Callable[[], int],
        take_update: Callable[[bytes, int], list[Event]],
    ) -> None:
        self.broker = broker
        self._clock = clock
        self._take_update = take_update

    def bring_time(self) -> None:
        """Let the broker's time come to the present."""
        self.broker.pass_to(self._clock())

    def watch(self, take: Callable[[Any, int], list[Event]]) -> Callable[[Any, int], list[Event]]:
        """Return what takes a frame of market data: orders meet it before strategies hear of it."""

        def both(frame: Any, now: int) -> list[Event]:
            events = take(frame, now)
            latest = max((getattr(e, "ts_event", 0) for e in events), default=0)
            self.broker.pass_to(max(self._clock(), latest))
            self.broker.see(events)
            return [*self.updates(now), *events]

        return both

    def updates(self, now: int) -> list[Event]:
        """Return what the broker has to tell."""
        return [event for f in self.broker.frames() for event in self._take_update(f, now)]

"""Connections to the page: whoever asks nothing is not kept, and makes room for whoever does."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 5.0
"""By then a connection has sent the head of a request, and by then again the rest of it."""


class PageProtocol(H11Protocol):
    """HTTP by h11, which bounds what a head may hold, in bounded time and in a bounded number.

    No token is asked before a request is whole, so that any process of this machine gets so far.
    """

    _timer: asyncio.TimerHandle | None = None
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection in; the idlest one leaves where there are too many."""
        super().connection_made(transport)
        self._expect()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take in what has arrived; a request that has begun has time of its own to end."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._expect()

    def on_response_complete(self) -> None:
        """Expect the next request."""
        self._expect()
        super().on_response_complete()

    @property
    def is_answering(self) -> bool:
        """Whether a whole request is here that has not been answered yet."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    @property
    def is_held_up(self) -> bool:
        """Whether the node has an answer that the other side does not take."""
        return self.flow.write_paused

    def drop(self) -> None:
        """Break the connection off."""
        self.connections.discard(self)
        self.transport.abort()

    def _expect(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._since = self.loop.time()
        self._timer = self.loop.call_later(REQUEST_S, self._give_up)

    def _give_up(self) -> None:
        if not self.is_answering:
            # What is still to be sent is sent.
            self.transport.close()

    def _make_room(self) -> None:
        most = self.config.limit_concurrency
        if most is None or len(self.connections) < most:
            return
        others = [each for each in self.connections if isinstance(each, PageProtocol)]
        idle = [each for each in others if each.is_held_up or not each.is_answering]
        if idle := [each for each in idle if each is not self]:
            min(idle, key=lambda each: (each.is_answering, each._since)).drop()

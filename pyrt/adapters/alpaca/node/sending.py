"""Sends requests and hands their answers over; orders get ready while their record is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from pyrt.adapters.alpaca.account.reading import log_attempt
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.rest import NO_ANSWER, HttpRequest
from pyrt.adapters.alpaca.node.inbox import ANSWERS, Take
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.adapters.alpaca.shell.lines import Departure
from pyrt.adapters.alpaca.shell.shadow import ShadowHttp

READY_MAX = 16
"""So many orders hold a connection while they wait; more of them get theirs when they leave."""


class Sender:
    """The requests of one node on their way, each in a task of its own.

    Parameters
    ----------
    http : Http or ShadowHttp
    client : AlpacaClient
        Takes the answers.
    receive : callable
        Called with (take, rank) for each answer.
    """

    def __init__(
        self,
        http: Http | ShadowHttp,
        client: AlpacaClient,
        receive: Callable[[Take, int], None],
    ) -> None:
        self._http = http
        self._client = client
        self._receive = receive
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: dict[HttpRequest, tuple[Departure, asyncio.Task[None]]] = {}

    def send(self, requests: Iterable[HttpRequest]) -> None:
        """Send requests; one that was made ready is on the wire when this returns."""
        for request in requests:
            ready = self._ready.pop(request, None)
            if ready is None:
                self.spawn(self._send(request))
            else:
                ready[0].release()

    def make_ready(self, waiting: list[HttpRequest]) -> bool:
        """Get those ready that wait for their record alone; what waits no more is given up.

        Returns whether one of them has begun to get ready.

        Parameters
        ----------
        waiting : list of HttpRequest
            All that wait now.
        """
        for request in [each for each in self._ready if each not in waiting]:
            # Dropped, or held up by something else: not a byte of it has left.
            self._ready.pop(request)[1].cancel()
        if not isinstance(self._http, Http):
            return False
        fresh = [each for each in waiting[:READY_MAX] if each not in self._ready]
        for request in fresh:
            departure = Departure()
            task = self.spawn(self._send(request, departure))
            self._ready[request] = (departure, task)
        return bool(fresh)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work in the loop until it ends, or the node does."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel what is under way."""
        self._ready.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, request: HttpRequest, departure: Departure | None = None) -> None:
        if departure is None:
            answer = await self._http.send(request)
        else:
            assert isinstance(self._http, Http)
            answer = await self._http.send(request, departure)
        if answer.status == NO_ANSWER or answer.status == 429 or answer.status >= 500:
            log_attempt(request, answer, request.attempt)
        self._receive(
            lambda now: self._client.receive_response(
                request, answer.status, answer.body, now, answer.headers
            ),
            ANSWERS,
        )

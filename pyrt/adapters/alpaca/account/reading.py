"""Reads with retries: for scripts, downloads and checks, which may wait."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from urllib.parse import urlencode

import msgspec

from pyrt.adapters.alpaca.core.messages import ErrorBody
from pyrt.adapters.alpaca.core.pacing import SECOND, RetryPolicy, TokenBucket
from pyrt.adapters.alpaca.core.rest import NO_ANSWER, HttpRequest, outcome
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.errors import BrokerError, ConnectionLost

LOG = logging.getLogger("pyrt.alpaca")
TOO_MUCH = 429
TOO_MUCH_MAX = 5
"""How often in a row a request is sent that the broker found too much."""
PAUSE_MAX_S = 61.0
Send = Callable[[HttpRequest], Awaitable[Answer]]


class Reader:
    """Sends requests at the pace the broker grants; reads are tried again, nothing else is.

    Parameters
    ----------
    send : callable
        Sends one request once.
    policy : RetryPolicy, optional
    """

    def __init__(
        self,
        send: Send,
        *,
        policy: RetryPolicy | None = None,
        bucket: TokenBucket | None = None,
        seed: int = 0,
    ) -> None:
        self._send = send
        self._policy = policy or RetryPolicy()
        self._bucket = bucket or TokenBucket()
        self._random = Random(seed)

    async def get(self, path: str, *, host: str = "trading") -> Any:
        """Return what a path answers, decoded.

        Raises
        ------
        BrokerError
            If the broker refuses; its code and message are in the error.
        ConnectionLost
            If no attempt was answered with sense.
        """
        answer = await self.read(HttpRequest("GET", path, b"", host=host))
        return msgspec.json.decode(answer.body)

    async def read(self, request: HttpRequest) -> Answer:
        """Return the answer to a read: tried again on time-outs, 429 and 5xx.

        What is too much for the broker is asked again when it says that it is not any more, and
        counts as no attempt.
        """
        answer = Answer(NO_ANSWER)
        for attempt in range(1, self._policy.attempts + 1):
            answer = await self.when_granted(request)
            if answer.status == 200 and _is_json(answer.body):
                return answer
            if 400 <= answer.status < 500 and answer.status != 429:
                raise refusal_of(request, answer)
            log_attempt(request, answer, attempt)
            if attempt < self._policy.attempts:
                await asyncio.sleep(self._policy.delay_ns(attempt, self._random) / SECOND)
        path = request.path.partition("?")[0]
        raise ConnectionLost(
            f"{path} was not answered in {self._policy.attempts} attempts",
            remedy="Try again later; the log has each attempt",
        )

    async def when_granted(self, request: HttpRequest) -> Answer:
        """Send a request, again after each 429, but not for ever."""
        answer = await self.once(request)
        for _ in range(TOO_MUCH_MAX):
            if answer.status != TOO_MUCH:
                break
            log_attempt(request, answer, 0)
            await asyncio.sleep(_pause_s(answer, self._policy.initial_ns / SECOND))
            answer = await self.once(request)
        return answer

    async def once(self, request: HttpRequest) -> Answer:
        """Send a request once, when there is a token for it."""
        while not self._bucket.take(time.time_ns(), reserved=True):
            pause = self._bucket.next_due(time.time_ns()) - time.time_ns()
            await asyncio.sleep(max(pause, 1_000_000) / SECOND)
        answer = await self._send(request)
        self._bucket.read_headers(answer.headers, time.time_ns())
        return answer


async def working_orders(reader: Reader, **query: str) -> list[dict[str, Any]]:
    """Return the orders that work: entries with their exits in them, and exits left alone.

    A nested list holds no exit whose entry has filled; a flat one holds none that waits for its
    entry, and does not say whose they are.
    """
    terms = {"status": "open", "limit": "500"} | query
    nested = await reader.get(f"/v2/orders?{urlencode(terms | {'nested': 'true'})}")
    flat = await reader.get(f"/v2/orders?{urlencode(terms)}")
    shown = {order["id"] for each in nested for order in (each, *(each.get("legs") or ()))}
    found = [*nested, *(order for order in flat if order["id"] not in shown)]
    return sorted(found, key=lambda order: str(order["submitted_at"]), reverse=True)


def _pause_s(answer: Answer, least: float) -> float:
    """Return how long the broker wants us to wait (s): not less than `least`, a minute at most."""
    after, reset = (answer.headers.get(name, "") for name in ("retry-after", "x-ratelimit-reset"))
    if after.isascii() and after.isdigit():
        return min(max(float(after), least), PAUSE_MAX_S)
    if reset.isascii() and reset.isdigit():
        return min(max(int(reset) - time.time(), least), PAUSE_MAX_S)
    return least


def log_attempt(request: HttpRequest, answer: Answer, attempt: int) -> None:
    """Log a request that was not carried out, or of which nobody knows whether it was."""
    path, came = request.path.partition("?")[0], outcome(answer.status, answer.body)
    LOG.warning("%s %s: %s, attempt %d", request.method, path, came, attempt)


def refusal_of(request: HttpRequest, answer: Answer) -> BrokerError:
    """Return the error of an answer that refuses."""
    try:
        error = msgspec.json.decode(answer.body, type=ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = ErrorBody(0, answer.body[:200].decode(errors="replace"))
    return BrokerError(
        f"{request.method} {request.path.partition('?')[0]}: {error.message or 'refused'}",
        code=str(error.code or answer.status),
        status=answer.status,
    )


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True

"""Sends the core's requests; the one module that imports httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpcore
import httpx

from pyrt.adapters.alpaca.core.rest import NO_ANSWER, HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.shell.lines import UNANSWERED, Departure, NotSent, departing, make_pool
from pyrt.live.config import check_url

CONNECT_S = 5.0
READ_S = 10.0
IDLE_S = 5.0
"""An idle connection is not used after this: the other side may be about to close it."""
BODY_MAX = 16 * 1024 * 1024
"""A larger answer, unpacked, is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, or `NO_ANSWER` in place of its status and the cause in place of its body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class _Transport(httpx.AsyncBaseTransport):
    """Lays httpx over a pool of our own lines."""

    def __init__(self) -> None:
        self._pool = make_pool(httpx.create_ssl_context(trust_env=False), IDLE_S)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        """Close the lines."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


class Http:
    """Pooled connections to the trading and data hosts.

    Parameters
    ----------
    bases : mapping
        ``trading`` and ``data`` → base URL.

    Raises
    ------
    ConfigError
        If one is neither Alpaca's nor on this machine.
    """

    def __init__(self, bases: Mapping[str, str], credentials: Credentials) -> None:
        for base in bases.values():
            # Whoever made the configuration: keys go to the broker or to this machine.
            check_url(base)
        self._bases = {host: base.rstrip("/") for host, base in bases.items()}
        # A redirect could carry the keys elsewhere, and so could a proxy from the environment.
        self._client = httpx.AsyncClient(
            headers=credentials.headers(),
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
            transport=_Transport(),
        )

    async def send(self, request: HttpRequest, departure: Departure | None = None) -> Answer:
        """Send a request once; whatever goes wrong on the way is `NO_ANSWER`.

        Parameters
        ----------
        request : HttpRequest
        departure : Departure, optional
            Holds the bytes back until it is released; meanwhile all else is made ready.
        """
        departing.set(departure)
        try:
            return await self._ask(request)
        except NotSent:
            # Its line closed while it was held, with nothing written: this is the first time.
            departing.set(None)
            return await self._ask(request)
        finally:
            departing.set(None)

    async def _ask(self, request: HttpRequest) -> Answer:
        try:
            async with self._client.stream(
                request.method,
                self._bases[request.host] + request.path,
                content=request.body or None,
                headers={"Content-Type": "application/json"} if request.body else None,
            ) as response:
                body = await _read(response)
        except (httpx.RequestError, *UNANSWERED) as error:
            cause = f"{type(error).__name__}: {error}".removesuffix(": ")
            return Answer(NO_ANSWER, cause.encode())
        if body is None:
            return Answer(NO_ANSWER, b"it was too large")
        return Answer(response.status_code, body, response.headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _read(response: httpx.Response) -> bytes | None:
    """Return a body; None for one that is too large, of which no more is read."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > BODY_MAX:
            return None
        pieces.append(piece)
    return b"".join(pieces)

"""Sends the core's requests; the one module that imports httpx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.rest import NO_ANSWER, HttpRequest
from pyrt.live.config import check_url

CONNECT_S = 5.0
READ_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, or `NO_ANSWER` in place of its status."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


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
        )

    async def send(self, request: HttpRequest) -> Answer:
        """Send a request once; whatever goes wrong on the way is `NO_ANSWER`."""
        try:
            response = await self._client.request(
                request.method,
                self._bases[request.host] + request.path,
                content=request.body or None,
                headers={"Content-Type": "application/json"} if request.body else None,
            )
        except httpx.TransportError:
            return Answer(NO_ANSWER)
        return Answer(response.status_code, response.content, response.headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

"""Connections for HTTP on bare asyncio transports; a request's bytes may wait for a word to leave.

The one module that imports httpcore, on which httpx stands: a connection pool takes its network
from here. What an order needs before its bytes can be written (a connection, the handshake, the
request in its final form) is so done while its record is on the way to the disk, and all that
follows the word is one write.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

BUFFER_MAX = 1 << 18
"""Received and not read yet: with more than this, no more is taken from the socket."""
LINES_MAX = 100
IDLE_MAX = 20


class NotSent(Exception):
    """The connection was gone when the word came: not a byte of the request has left."""


class Departure:
    """Holds the bytes of one request until `release`; before it, none of them can be written."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._kept: list[bytes] = []
        self._released = asyncio.Event()
        self._is_late = False

    @property
    def is_released(self) -> bool:
        """Whether the word was given."""
        return self._released.is_set()

    def keep(self, line: Line, data: bytes) -> None:
        """Keep bytes that are meant for a line; of an earlier line none is needed any more."""
        if line is not self._line:
            self._kept.clear()
        self._line = line
        self._kept.append(data)

    def release(self) -> None:
        """Write what was kept, at once; what comes later is written as it comes."""
        self._released.set()
        if self._line is None:
            return
        if self._line.is_gone:
            self._is_late = True
        else:
            self._line.put(b"".join(self._kept))
        self._kept.clear()

    async def wait(self) -> None:
        """Return once the word was given.

        Raises
        ------
        NotSent
            If the connection was gone by then.
        """
        await self._released.wait()
        if self._is_late:
            raise NotSent


departing: ContextVar[Departure | None] = ContextVar("departing", default=None)
"""What the request of the current task waits for."""


class Line(httpcore.AsyncNetworkStream, asyncio.Protocol):
    """One connection, encrypted or not."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._received = bytearray()
        self._failure: Exception | None = None
        self._is_over = False
        self._is_full = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    # -- asyncio's side ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; a second one, where encryption is laid over the first."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came in until it is read."""
        self._received += data
        self._readable.set()
        if len(self._received) > BUFFER_MAX and not self._is_full:
            self._is_full = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Note that nothing more comes; the transport closes itself."""
        self._is_over = True
        self._readable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone, and wake whoever waits for it."""
        self._failure, self._is_over = exc, True
        self._readable.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """Let writers wait: the socket takes no more."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._writable.set()

    # -- the pool's side -----------------------------------------------------------------------

    @property
    def is_gone(self) -> bool:
        """Whether the other side has closed the connection, or it broke."""
        return self._is_over or self._transport.is_closing()

    def put(self, data: bytes) -> None:
        """Write without waiting."""
        self._transport.write(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, or keep it for the request's departure."""
        departure = departing.get()
        if departure is not None and not departure.is_released:
            departure.keep(self, bytes(buffer))
            return
        if self._is_over:
            raise httpcore.WriteError("the connection is closed")
        if buffer:
            self.put(buffer)
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._writable.wait()
            except TimeoutError as error:
                raise httpcore.WriteTimeout from error

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, some of it at least; b"" where nothing more comes."""
        departure = departing.get()
        if departure is not None:
            # The answer's time does not run while the question is still here.
            await departure.wait()
        if not self._received and not self._is_over:
            try:
                async with asyncio.timeout(timeout):
                    await self._readable.wait()
            except TimeoutError as error:
                raise httpcore.ReadTimeout from error
        if not self._received and self._failure is not None:
            raise httpcore.ReadError(str(self._failure))
        taken = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if not self._received:
            self._readable.clear()
            if self._is_full and not self._is_over:
                self._is_full = False
                self._transport.resume_reading()
        return taken

    async def aclose(self) -> None:
        """Close it; what was written still leaves."""
        self._transport.close()
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt from here on."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                self._transport = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            self._transport.abort()
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            # A certificate that is not believed is one of them.
            self._transport.abort()
            raise httpcore.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what the pool asks: above all whether an idle connection still stands."""
        if info == "is_readable":
            # Nothing is due on an idle line: bytes on it, or its end, mean that it is of no use.
            return self.is_gone or bool(self._received)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


class Network(httpcore.AsyncNetworkBackend):
    """Opens lines."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect; asyncio sets TCP_NODELAY by itself."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, line = await loop.create_connection(Line, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return line

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


UNANSWERED = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
"""What may go wrong between a request and the end of its answer."""


def make_pool(ssl_context: ssl.SSLContext, idle_s: float) -> httpcore.AsyncConnectionPool:
    """Return a pool of lines that idle for so many seconds at most."""
    return httpcore.AsyncConnectionPool(
        ssl_context=ssl_context,
        max_connections=LINES_MAX,
        max_keepalive_connections=IDLE_MAX,
        keepalive_expiry=idle_s,
        network_backend=Network(),
    )

"""Runs the simulator's application on a loopback socket with uvicorn. Needs `pyrt[ops]`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import starlette  # noqa: F401 - a missing extra shows here, before anything runs
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pyrt.adapters.alpaca.simulator.server.app import SimulatorServer
from pyrt.adapters.alpaca.simulator.server.lines import Lines
from pyrt.errors import ConfigError

HOST = "127.0.0.1"
PORT_MAX = 65_535


def make_runner(
    server: SimulatorServer, certificate: str | None = None, private_key: str | None = None
) -> uvicorn.Server:
    """Return a uvicorn server for the simulator; its `should_exit` ends it.

    With a certificate (and its key, unless the same PEM file holds it) it speaks TLS only.
    """
    config = uvicorn.Config(
        server.app(),
        http=_protocol(server.lines),
        log_level="warning",
        access_log=False,
        # On loopback compressing costs more than it saves; clients take a server without it.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    return uvicorn.Server(config)


def _protocol(lines: Lines) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol with connections that can go wrong."""

    class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: Any) -> None:
            self._line = transport
            lines.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            lines.closed(self._line)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if lines.passes(self._line, data):
                super().data_received(data)

    return Protocol


def bind(port: int) -> socket.socket:
    """Return a listening loopback socket; port 0 takes a free one."""
    if not 0 <= port <= PORT_MAX:
        raise ConfigError(f"port is {port}; expected 1 to {PORT_MAX}, or 0 for a free one")
    # With the protocol named: asyncio turns Nagle's algorithm off for sockets that it knows to be
    # TCP, and an answer of two writes would wait 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"port {port} of {HOST} cannot be listened on: {error.strerror}",
            remedy="Give another --port, or 0 for a free one",
        ) from error
    listener.listen(128)
    return listener


def serve(
    server: SimulatorServer,
    port: int,
    announce: Callable[[dict[str, str]], object],
    *,
    certificate: str | None = None,
    private_key: str | None = None,
) -> None:
    """Serve until interrupted; `announce` gets the URLs and keys once connections are taken.

    Raises
    ------
    ConfigError
        If the port is taken, or the certificate and its key cannot be used.
    """
    runner = make_runner(server, certificate, private_key)
    try:
        runner.config.load()
    except OSError as error:
        raise ConfigError(
            f"certificate {certificate} cannot be used: {error}",
            remedy="Give PEM files: --certificate, and --private-key if it is in another file",
        ) from error
    listener = bind(port)
    announce(server.urls(HOST, listener.getsockname()[1], is_secure=certificate is not None))
    # Ctrl-C is how it ends: uvicorn has closed everything by then.
    with contextlib.suppress(KeyboardInterrupt):
        runner.run(sockets=[listener])

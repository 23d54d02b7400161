"""Open TCP connections of the server, so that faults can refuse, cut and freeze them."""

from __future__ import annotations

import asyncio
from typing import Any

from pyrt.adapters.alpaca.simulator.faults import Faults

REQUESTS = (b"GET ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ")
CONTROL = (b"GET /control/", b"POST /control/")


class Lines:
    """Knows the transports of a server's connections by the client's address."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}
        self._faults = Faults()
        self._spared: set[asyncio.Transport] = set()
        """Connections whose last request is one to the control API."""

    def set(self, faults: Faults) -> None:
        """Put in force what is to go wrong with connections."""
        was, self._faults = self._faults, faults
        if was.half_open and not faults.half_open:
            for transport in self._open.values():
                if not transport.is_closing():
                    transport.resume_reading()

    def opened(self, transport: asyncio.Transport) -> None:
        """Note a new connection."""
        self._open[_address(transport)] = transport

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self._open.pop(_address(transport), None)
        self._spared.discard(transport)

    def passes(self, transport: asyncio.Transport, data: bytes) -> bool:
        """Tell whether what has arrived is read; requests to the control API always are."""
        if data.startswith(CONTROL):
            self._spared.add(transport)
        elif data.startswith(REQUESTS):
            self._spared.discard(transport)
        if not (self._faults.half_open or self._faults.refuse_tcp) or transport in self._spared:
            return True
        if self._faults.refuse_tcp:
            transport.abort()
        return False

    def freeze(self, client: Any) -> None:
        """Read nothing more from a connection, not even pings."""
        transport = self._open.get(None if client is None else tuple(client)[:2])
        if transport is not None and not transport.is_closing():
            transport.pause_reading()

    def cut(self, client: Any) -> None:
        """Cut a connection without a word."""
        transport = self._open.pop(None if client is None else tuple(client)[:2], None)
        if transport is not None:
            transport.abort()


def _address(transport: asyncio.Transport) -> Any:
    return (transport.get_extra_info("peername") or ())[:2]

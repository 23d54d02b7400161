"""Making ZeroMQ sockets that stay on this machine."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from pyrt.errors import ConfigError, MissingExtra
from pyrt.links.frames import FRAME_MAX

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def zeromq() -> ModuleType:
    """Return the module `zmq`; MissingExtra where it is not installed."""
    try:
        import zmq
    except ImportError as error:
        raise MissingExtra(
            "links need pyzmq", remedy="Install it: pip install 'pyrt[zmq]'"
        ) from error
    return zmq


def checked(address: str) -> str:
    """Return an address that other machines cannot reach.

    Raises
    ------
    ConfigError
        If it is not ``ipc://PATH``, ``inproc://NAME`` or ``tcp://`` on the loopback interface:
        messages are neither encrypted nor signed.
    """
    parts = urlsplit(address)
    on_host = parts.scheme in ("ipc", "inproc") and (parts.netloc or parts.path)
    if on_host or (parts.scheme == "tcp" and parts.hostname in LOOPBACK):
        return address
    raise ConfigError(
        f"the link's address is {address!r}; expected ipc://PATH or tcp://127.0.0.1:PORT",
        code="link_address",
        remedy="Links are for one machine; reach others through a tunnel that encrypts",
    )


def open_socket(kind: str, *, high_water: int, context: Any = None) -> Any:
    """Return a socket that holds at most `high_water` messages a peer and drops none at close."""
    if high_water < 1:
        raise ConfigError(f"high_water is {high_water}; expected a number of messages, 1 or more")
    zmq = zeromq()
    socket = (context or zmq.Context.instance()).socket(getattr(zmq, kind))
    socket.setsockopt(zmq.SNDHWM, high_water)
    socket.setsockopt(zmq.RCVHWM, high_water)
    socket.setsockopt(zmq.MAXMSGSIZE, FRAME_MAX)
    socket.setsockopt(zmq.LINGER, 1_000)
    return socket

"""Making ZeroMQ sockets that stay on this machine."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from pyrt.errors import ConfigError, MissingExtra
from pyrt.links.frames import FRAME_MAX
from pyrt.live.process.lock import Lock

IPC = "ipc://"
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


def bind(socket: Any, address: str) -> Lock | None:
    """Bind a socket; return what keeps others from its path until it is released.

    ZeroMQ removes the socket that is at a path, and whoever was bound there hears nothing any more,
    and nothing of that: beside the path is a lock. Its folder is made, mode 0700, where there is
    none.

    Raises
    ------
    ConfigError
        If it cannot be bound, or is taken; the socket is closed.
    """
    held = None
    try:
        # Names that are no paths are refused by the system itself when they are taken.
        if address.startswith(IPC) and address.removeprefix(IPC)[0] not in "@*":
            held = Lock(Path(f"{address.removeprefix(IPC)}.lock"), address, who="link")
        socket.bind(address)
    except (ConfigError, OSError, zeromq().ZMQError) as error:
        socket.close(0)
        if held is not None:
            held.release()
        why = error.message if isinstance(error, ConfigError) else error
        raise ConfigError(
            f"{address} cannot be bound: {why}",
            code="link_address",
            remedy="Give each process an address of its own, in a folder that it can write to",
        ) from None
    return held

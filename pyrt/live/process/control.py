"""How people and scripts speak to a running node: one line of JSON in, one out, on this machine.

The socket lies in the state folder, its name and a token in `control.json` there, readable by its
owner only; without the token nothing is answered but a refusal.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from pyrt.errors import ConfigError, PyrtError
from pyrt.live.core.notes import CONTROLS
from pyrt.live.process.files import runtime_folder, write_private

LOG = logging.getLogger("pyrt.live.control")
ADDRESS, READY = "control.json", "control.ready"
"""Where the socket is and how to speak there; the latter until somebody listens."""
SOCKET = "control.sock"
LINE_MAX = 64 * 1024
PATIENCE_S = 10.0
TEXT_MAX = 500
TYPED = {
    "flatten": "FLATTEN",
    "resume": "RESUME",
    "reset_breaker": "RESET",
    "accept": "ACCEPT",
}
"""What trades, lets trading happen, or changes what is held, needs its word typed."""
LETS_GO = frozenset({"resume", "reset_breaker"})
"""Actions after which more orders may leave."""
LIFTS = LETS_GO | {"reduce", "flatten"}
"""Actions after which some may leave where a kill had blocked all."""
ACTIONS = ("status", "stop", "lost", "accept", "set_limit", "set_ramp", *CONTROLS)
SCOPES = {
    "halt": ("symbol", "strategy"),
    "reduce": ("symbol", "strategy"),
    "resume": ("symbol", "strategy"),
    "cancel_all": ("symbol",),
    "close": ("symbol",),
    "stop_strategy": ("strategy",),
    "cancel": ("order",),
    "lost": ("order",),
    "accept": ("symbol", "strategy"),
    "set_limit": ("limit", "value", "symbol"),
    "set_ramp": ("value",),
}
"""What an action may be narrowed to; the others are about everything there is."""
NEEDED = {
    "close": ("symbol",),
    "stop_strategy": ("strategy",),
    "cancel": ("order",),
    "lost": ("order",),
    "accept": ("symbol",),
    "set_limit": ("limit", "value"),
    "set_ramp": ("value",),
}
"""What an action says nothing without."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a node.

    Attributes
    ----------
    action : str
        One of `ACTIONS`.
    actor, reason : str
        Needed for all but ``status``.
    typed : str
        ``FLATTEN``, ``RESUME``, ``RESET`` or ``ACCEPT`` for `flatten`, `resume`, `reset_breaker`
        and `accept`; ``RAISE`` for a `set_limit` or `set_ramp` that could let more through.
    order : str
        Client order id, for ``lost`` and ``cancel``; there the broker's will do as well.
    limit, value : str
        The name of a limit and what it is to be; for ``set_ramp`` a share.
    asked_ns : int
        When it was asked, by CLOCK_MONOTONIC of this machine; 0 where nobody says.
    """

    token: str
    action: str
    actor: str = ""
    reason: str = ""
    symbol: str = ""
    strategy: str = ""
    order: str = ""
    typed: str = ""
    limit: str = ""
    value: str = ""
    asked_ns: int = 0


NAMES = ("symbol", "strategy", "order", "limit", "value")
"""What an action may be about."""
Answerer = Callable[[Request], dict[str, Any]]


class ControlServer:
    """Answers requests on a unix socket.

    Parameters
    ----------
    folder : Path
        The state folder.
    answer : callable
        Takes a checked Request and returns plain values; a PyrtError becomes the answer.
    """

    def __init__(self, folder: Path, answer: Answerer) -> None:
        self._folder = folder
        self._answer = answer
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.AbstractServer | None = None
        self._path = Path()

    async def prepare(self) -> None:
        """Take a socket, and write down where, which nobody is told before `start`.

        Raises
        ------
        ConfigError
            If there is no place for one.
        OSError
            If the disk takes nothing.
        """
        # Whoever reads the address sees what lies beside it: a service's /tmp is seen by it alone.
        name = SOCKET
        try:
            await self._listen(self._folder.absolute() / name)
        except OSError:
            # A socket's path may have about a hundred characters, and some disks take none.
            name = str(runtime_folder() / f"{secrets.token_hex(6)}.sock")
            await self._listen(Path(name))
        address = {"socket": name, "token": self._token, "pid": os.getpid()}
        write_private(self._folder / READY, msgspec.json.encode(address))

    async def start(self) -> None:
        """Listen, and let others find it."""
        if self._server is None:
            await self.prepare()
        assert self._server is not None
        await self._server.start_serving()
        (self._folder / READY).rename(self._folder / ADDRESS)

    async def _listen(self, path: Path) -> None:
        # What a killed node has left is in the way, and nobody's: one node has the folder.
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._serve, path=path, limit=LINE_MAX, start_serving=False
        )
        self._path = path
        path.chmod(0o600)

    async def stop(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
            for name in (READY, ADDRESS):
                (self._folder / name).unlink(missing_ok=True)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), PATIENCE_S)
            answer = self.answer(line, lambda: _has_hung_up(writer))
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            # Whoever asked has left, or has sent more than a line may hold.
            return
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def answer(self, line: bytes, has_left: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """Return the answer to a line.

        What lets more leave is not done for who has left: it may have waited here for as long as
        the node was busy, and nobody hears what comes of it.
        """
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return {"ok": False, "code": "request", "error": str(error)}
        if not hmac.compare_digest(request.token.encode(), self._token.encode()):
            return {"ok": False, "code": "token", "error": "the token is not this node's"}
        try:
            check(request)
            if request.action in LETS_GO and has_left():
                text = f"whoever asked for {request.action} has hung up; it was not done"
                LOG.warning("%s (%s: %s)", text, request.actor, request.reason)
                raise ConfigError(text, code="withdrawn")
            return {"ok": True, **self._answer(request)}
        except PyrtError as error:
            return {"ok": False, "code": error.code, "error": str(error)}
        except Exception as error:
            # Whoever asked has to know that it may not be done, or not all of it.
            LOG.error("%s went wrong", request.action, exc_info=error)
            text = f"{request.action} went wrong: {type(error).__name__}: {error}"
            return {"ok": False, "code": "internal", "error": text}


def _has_hung_up(writer: asyncio.StreamWriter) -> bool:
    """Return whether the other end is closed; one that merely says no more waits for its answer."""
    line = select.poll()
    line.register(writer.get_extra_info("socket"), 0)
    return bool(line.poll(0))


def check(request: Request) -> Request:
    """Return a request that may be carried out; ConfigError says what it lacks.

    Of whoever asks by the command line or by the page: there is no other judge.
    """
    for name in ("actor", "reason", "typed", *NAMES):
        if len(getattr(request, name)) > TEXT_MAX:
            raise ConfigError(f"{name} has more than {TEXT_MAX} characters", code=name)
    if request.action not in ACTIONS:
        raise ConfigError(f"action is {request.action!r}; expected one of {', '.join(ACTIONS)}")
    if request.action == "status":
        return request
    word = TYPED.get(request.action)
    if word is not None and request.typed != word:
        raise ConfigError(
            f"{request.action} needs the word {word} typed",
            code="confirmation",
            remedy=f"Typed was {request.typed!r}" if request.typed else f"Add --typed {word}",
        )
    if missing := [name for name in ("actor", "reason") if not getattr(request, name).strip()]:
        raise ConfigError(
            f"{request.action} needs an actor and a reason",
            code="actor",
            remedy=f"Add {' and '.join(f'--{name} TEXT' for name in missing)}",
        )
    _check_scope(request)
    return request


def _check_scope(request: Request) -> None:
    """Refuse what an action would not heed: whoever narrows it means less than everything."""
    allowed = SCOPES.get(request.action, ())
    for name in NAMES:
        if getattr(request, name) and name not in allowed:
            raise ConfigError(
                f"{request.action} takes no {name}; nothing was done",
                code="scope",
                remedy=f"It takes {' and '.join(allowed)}" if allowed else "It is about all",
            )
    for name in NEEDED.get(request.action, ()):
        if not getattr(request, name):
            raise ConfigError(f"{request.action} needs its {name} named", code="scope")


def ask(folder: Path, action: str, **given: str) -> dict[str, Any]:
    """Ask the node of a state folder for something, and return its answer.

    Raises
    ------
    ConfigError
        If no node runs there, it refuses, or does not answer: then it may have been done.
    """
    body = None
    try:
        address = msgspec.json.decode((folder / ADDRESS).read_bytes(), type=dict[str, Any])
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            # By its name in the folder: a container may see that at another place.
            line.connect(str(folder / address["socket"]))
            request = Request(
                token=address["token"], action=action, asked_ns=time.monotonic_ns(), **given
            )
            line.sendall(msgspec.json.encode(request) + b"\n")
            body = b""
            body = _read_line(line)
    except OSError as error:
        if body is None:
            raise ConfigError(
                f"no node answers for {folder}: {error.strerror or error}", code="not_running"
            ) from None
    if not body or not body.endswith(b"\n"):
        raise ConfigError(
            f"the node of {folder} was asked for {action}, and has not answered",
            code="no_answer",
            remedy="It may have been done: look at its status before you ask again",
        )
    answer = msgspec.json.decode(body, type=dict[str, Any])
    if not answer.pop("ok"):
        raise ConfigError(str(answer.get("error")), code=str(answer.get("code")))
    return answer


def _read_line(line: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        piece = line.recv(65536)
        if not piece:
            break
        data += piece
    return data

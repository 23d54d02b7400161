"""Connections to the page: bounded in what they hold, how long and how many they are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn")

from uvicorn import Config
from uvicorn.server import ServerState

from pyrt.live.dashboard import connections
from pyrt.live.dashboard.connections import PageProtocol
from pyrt.live.dashboard.server import CONNECTIONS_MAX, HEAD_MAX, DashboardServer

from .fakes import FakeFace

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n"
MOST = 3


class Wire(asyncio.Transport):
    """A connection's other end."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_open = True
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return not self.is_open

    def pause_reading(self) -> None:
        """It reads on; nothing here sends unasked."""

    resume_reading = pause_reading


class Connections:
    """A server's connections; its application answers when it is let."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self._config = Config(self._app, interface="asgi3", log_config=None, limit_concurrency=MOST)
        self._config.load()
        self._state = ServerState()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        await self.answers.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    def open(self) -> tuple[PageProtocol, Wire]:
        wire = Wire()
        made = PageProtocol(self._config, self._state, {}, asyncio.get_running_loop())
        wire.protocol = made
        made.connection_made(wire)
        return made, wire

    def opened(self, *data: bytes) -> list[tuple[PageProtocol, Wire]]:
        """Return a connection for each piece, over which that has come."""
        made = []
        for piece in data:
            made.append(self.open())
            if piece:
                made[-1][0].data_received(piece)
        return made


def running(test: Callable[[Connections], Awaitable[None]]) -> None:
    async def run() -> None:
        served = Connections()
        await test(served)
        served.answers.set()

    asyncio.run(run())


@pytest.mark.parametrize("sent", [b"", GET[:20], POST, POST + b"abc"], ids=repr)
def test_whoever_does_not_come_to_an_end_of_asking_is_cut_off(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.01)

    async def test(served: Connections) -> None:
        ((_, wire),) = served.opened(sent)
        assert wire.is_open
        async with asyncio.timeout(20):
            while wire.is_open:
                await asyncio.sleep(0.001)

    running(test)


def test_an_answer_has_the_time_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.001)

    async def test(served: Connections) -> None:
        ((_, wire),) = served.opened(POST + b"abcd")
        await asyncio.sleep(0.02)
        assert wire.is_open
        served.answers.set()
        async with asyncio.timeout(20):
            while wire.is_open:
                await asyncio.sleep(0.001)
        assert b"done" in wire.sent

    running(test)


def test_the_idlest_makes_room_and_whoever_has_asked_stays() -> None:
    async def test(served: Connections) -> None:
        (_, asking), (_, idle), (_, half) = served.opened(GET, b"", GET[:20])
        assert (asking.is_open, idle.is_open, half.is_open) == (True, False, True)
        ((_, late),) = served.opened(GET)
        assert (asking.is_open, half.is_open, late.is_open) == (True, False, True)
        served.answers.set()
        async with asyncio.timeout(20):
            while not (asking.sent and late.sent):
                await asyncio.sleep(0.001)
        assert asking.sent.startswith(b"HTTP/1.1 200")
        assert late.sent.startswith(b"HTTP/1.1 200")

    running(test)


def test_whoever_takes_no_answer_makes_room_too() -> None:
    async def test(served: Connections) -> None:
        (deaf, wire), (_, other) = served.opened(GET, GET)
        deaf.pause_writing()
        ((_, late),) = served.opened(GET)
        assert (wire.is_open, other.is_open, late.is_open) == (False, True, True)

    running(test)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DashboardServer]:
    made = DashboardServer(FakeFace(), folder=tmp_path).start()
    yield made
    made.close()


def test_a_head_without_end_is_cut_off(server: DashboardServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * (HEAD_MAX + 1))
        assert line.recv(65536).startswith(b"HTTP/1.1 400")


def test_connections_that_ask_nothing_keep_nobody_out(server: DashboardServer) -> None:
    idle = [
        socket.create_connection(("127.0.0.1", server.port), timeout=20)
        for _ in range(CONNECTIONS_MAX + 6)
    ]
    try:
        headers = {"authorization": f"Bearer {server.control_token}"}
        body = {"action": "halt"}
        answer = httpx.post(f"{server.url}/api/control", headers=headers, json=body, timeout=20)
        assert answer.status_code == 200
    finally:
        for line in idle:
            line.close()

"""The simulator core behind real sockets, for tests of the shell: HTTP and both streams."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.adapters.client.exchange import Broker


class Server:
    """Serves one broker on a free port of this machine; each instant lasts `pace_s`."""

    def __init__(self, broker: Broker, pace_s: float = 0.01) -> None:
        self._broker = broker
        self._pace_s = pace_s
        self._streams: dict[str, WebSocket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self.finished = threading.Event()
        routes = [
            WebSocketRoute("/stream", self._trade_updates),
            WebSocketRoute("/v2/iex", self._market_data),
            Route("/{path:path}", self._rest, methods=["GET", "POST", "PATCH", "DELETE"]),
        ]
        app = Starlette(routes=routes, lifespan=self._lifespan)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=5)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            task.cancel()

    async def _tick(self) -> None:
        while len(self._streams) < 2:
            await asyncio.sleep(0.005)
        for _ in self._broker.core.instants():
            await self._push()
            await asyncio.sleep(self._pace_s)
        self.finished.set()

    async def _push(self) -> None:
        with suppress(WebSocketDisconnect):
            for frame in self._broker.frames():
                await self._streams["trade_updates"].send_bytes(frame)
            for frame in self._broker.core.take_market_data():
                await self._streams["market_data"].send_text(frame.decode())

    async def _rest(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.requests.append(f"{request.method} {request.url.path}")
        if path == "/v2/positions":
            return Response(b"[]")
        answer = self._broker.request(request.method, path, await request.body())
        return Response(answer.body, answer.status)

    async def _trade_updates(self, stream: WebSocket) -> None:
        await stream.accept()
        await stream.receive_text()
        data = '{"status":"authorized","action":"authenticate"}'
        await stream.send_bytes(f'{{"stream":"authorization","data":{data}}}'.encode())
        await stream.receive_text()
        await stream.send_bytes(b'{"stream":"listening","data":{"streams":["trade_updates"]}}')
        await self._hold("trade_updates", stream)

    async def _market_data(self, stream: WebSocket) -> None:
        await stream.accept()
        await stream.send_text('[{"T":"success","msg":"connected"}]')
        await stream.receive_text()
        await stream.send_text('[{"T":"success","msg":"authenticated"}]')
        await stream.receive_text()
        await stream.send_text('[{"T":"subscription","bars":["SPY"]}]')
        await self._hold("market_data", stream)

    async def _hold(self, name: str, stream: WebSocket) -> None:
        self._streams[name] = stream
        try:
            while True:
                await stream.receive()
        except (WebSocketDisconnect, RuntimeError):
            return

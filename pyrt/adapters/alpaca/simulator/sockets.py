"""Websocket endpoints of the simulator: trade updates, and market data. Needs `pyrt[ops]`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.simulator.feeds import CLOSING, Feed, encode, error, success

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

AUTH_TIMEOUT_S = 10.0
STREAM = "trade_updates"


async def receive(socket: WebSocket) -> bytes | None:
    """Return the next message, whole; None when the client is gone."""
    message = await socket.receive()
    if message["type"] != "websocket.receive":
        return None
    data = message.get("bytes")
    return data if data is not None else str(message.get("text") or "").encode()


class TradeHub:
    """/stream: one client at a time hears of its orders, in binary frames that hold JSON."""

    def __init__(self, key: str, secret: str) -> None:
        self._keys = (key, secret)
        self._socket: WebSocket | None = None
        self._listens = False
        self._sent = 0

    @property
    def sent(self) -> dict[str, int]:
        """Path of the open connection → frames sent on it."""
        return {} if self._socket is None else {self._socket.url.path: self._sent}

    @property
    def is_heard(self) -> bool:
        """Whether a client listens."""
        return self._listens

    async def serve(self, socket: WebSocket) -> None:
        """Talk to a client until it leaves; a second one is refused with 429."""
        from starlette.responses import Response
        from starlette.websockets import WebSocketDisconnect

        if self._socket is not None:
            await socket.send_denial_response(Response("too many connections", 429))
            return
        self._socket, self._sent = socket, 0
        try:
            await socket.accept()
            await self._talk(socket)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            self._socket, self._listens = None, False

    async def _talk(self, socket: WebSocket) -> None:
        is_known = False
        while (data := await receive(socket)) is not None:
            try:
                message = msgspec.json.decode(data)
            except msgspec.DecodeError:
                message = None
            if not isinstance(message, dict):
                continue
            if message.get("action") in ("auth", "authenticate"):
                is_known = self._keys_of(message) == self._keys
                await self._say(socket, _authorization("authenticate", ok=is_known))
            elif message.get("action") == "listen" and not is_known:
                await self._say(socket, _authorization("listen", ok=False))
            elif message.get("action") == "listen":
                streams = (message.get("data") or {}).get("streams") or []
                self._listens = STREAM in streams
                heard = [STREAM] if self._listens else []
                await self._say(socket, {"stream": "listening", "data": {"streams": heard}})

    @staticmethod
    def _keys_of(message: dict[str, Any]) -> tuple[Any, Any]:
        data = message.get("data")
        if isinstance(data, dict):
            return data.get("key_id"), data.get("secret_key")
        return message.get("key"), message.get("secret")

    async def send(self, frames: Sequence[bytes]) -> None:
        """Push frames to the client, if one listens."""
        for frame in frames:
            if self._socket is None or not self._listens:
                return
            self._sent += 1
            try:
                await self._socket.send_bytes(frame)
            except RuntimeError:
                return

    async def _say(self, socket: WebSocket, message: dict[str, Any]) -> None:
        self._sent += 1
        await socket.send_bytes(msgspec.json.encode(message))


def _authorization(action: str, *, ok: bool) -> dict[str, Any]:
    status = "authorized" if ok else "unauthorized"
    return {"stream": "authorization", "data": {"status": status, "action": action}}


class DataHub:
    """A market-data endpoint: one client for each feed, in JSON or MessagePack."""

    def __init__(self, key: str, secret: str, *, crypto: bool) -> None:
        self._keys = (key, secret)
        self._crypto = crypto
        self._clients: dict[str, tuple[WebSocket, Feed, bool]] = {}
        self._sent: dict[str, int] = {}

    @property
    def sent(self) -> dict[str, int]:
        """Path of each open connection → frames sent on it."""
        return {name: self._sent[name] for name in self._clients}

    @property
    def is_heard(self) -> bool:
        """Whether a client has subscribed to anything."""
        return any(any(feed.subscribed.values()) for _, feed, _ in self._clients.values())

    async def serve(self, socket: WebSocket) -> None:
        """Talk to a client until it leaves or errs in a way that closes."""
        from starlette.websockets import WebSocketDisconnect

        name = socket.url.path
        packed = socket.headers.get("content-type") == "application/msgpack"
        feed = Feed(*self._keys, crypto=self._crypto)
        client = (socket, feed, packed)
        try:
            await socket.accept()
            if name in self._clients:
                await _push(socket, success("connected"), packed=packed)
                await _push(socket, error(406), packed=packed)
                await socket.close()
                return
            self._clients[name], self._sent[name] = client, 0
            await self._push(socket, success("connected"), packed=packed)
            await self._talk(socket, feed, packed=packed)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            if self._clients.get(name) is client:
                del self._clients[name]

    async def _talk(self, socket: WebSocket, feed: Feed, *, packed: bool) -> None:
        if "apca-api-key-id" in socket.headers:
            given = (socket.headers.get(f"apca-api-{part}") for part in ("key-id", "secret-key"))
            await self._push(socket, feed.authenticate(*given), packed=packed)
        while True:
            messages = await self._answer(socket, feed, packed=packed)
            if messages is None:
                return
            await self._push(socket, messages, packed=packed)
            if messages[0].get("code") in CLOSING:
                await socket.close()
                return

    @staticmethod
    async def _answer(
        socket: WebSocket, feed: Feed, *, packed: bool
    ) -> list[dict[str, Any]] | None:
        """Return the answer to the client's next message, None when it is gone."""
        try:
            patience = None if feed.authenticated else AUTH_TIMEOUT_S
            data = await asyncio.wait_for(receive(socket), patience)
        except TimeoutError:
            return error(404)
        if data is None:
            return None
        try:
            decode = msgspec.msgpack.decode if packed else msgspec.json.decode
            return feed.receive(decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return error(400)

    async def send(self, messages: Sequence[dict[str, Any]]) -> None:
        """Push to every client what it has subscribed to."""
        for socket, feed, packed in list(self._clients.values()):
            chosen = feed.select(messages)
            if not chosen:
                continue
            try:
                await self._push(socket, chosen, packed=packed)
            except RuntimeError:
                continue

    async def _push(
        self, socket: WebSocket, messages: list[dict[str, Any]], *, packed: bool
    ) -> None:
        self._sent[socket.url.path] += 1
        await _push(socket, messages, packed=packed)


async def _push(socket: WebSocket, messages: list[dict[str, Any]], *, packed: bool) -> None:
    data = encode(messages, packed=packed)
    if packed:
        await socket.send_bytes(data)
    else:
        await socket.send_text(data.decode())

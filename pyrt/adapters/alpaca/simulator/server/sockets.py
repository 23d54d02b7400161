"""Websocket endpoints of the simulator: trade updates, and market data. Needs `pyrt[ops]`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.simulator.faults import FaultBox
from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from pyrt.adapters.alpaca.simulator.server.outlets import Outlet, receive
from pyrt.adapters.alpaca.simulator.streams.feeds import CLOSING, Feed, error, success
from pyrt.adapters.alpaca.simulator.streams.frames import Message, encode

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

AUTH_TIMEOUT_S = 10.0
STREAM = "trade_updates"
FRAME_MESSAGES = 1_000
"""Messages in a frame at most: clients take no frame beyond 1 MiB."""
PACKED = "application/msgpack"


Watch = Callable[[str, str, bytes], None]


def _ignore(kind: str, path: str, data: bytes) -> None:
    """Nobody is told."""


def _leave_it(client: Any) -> None:
    """Nothing can be cut."""


class Hub:
    """Connections of one kind of endpoint: who is in, and whose place is still taken.

    Parameters
    ----------
    limits : Limits
    faults : FaultBox
    """

    def __init__(self, limits: Limits, faults: FaultBox) -> None:
        self.limits = limits
        self.faults = faults
        self.outlets: list[Outlet] = []
        self.watch: Watch = _ignore
        """Told of every frame: ``sent`` or ``received``, the path, the bytes."""
        self.cut: Callable[[Any], object] = _leave_it
        """Cuts the connection of a client that does not take its last frame."""
        self._lingering: dict[str, list[float]] = {}

    @property
    def sent(self) -> dict[str, int]:
        """Path of each open connection → frames sent on it."""
        return {outlet.path: outlet.sent for outlet in self.outlets}

    def is_full(self, path: str) -> bool:
        """Tell whether an endpoint has no place left for another connection."""
        now = time.monotonic()
        ghosts = [until for until in self._lingering.get(path, ()) if until > now]
        self._lingering[path] = ghosts
        taken = len(ghosts) + sum(outlet.path == path for outlet in self.outlets)
        return bool(self.limits.connections and taken >= self.limits.connections)

    async def leave(self, outlet: Outlet) -> None:
        """Forget a connection; its place stays taken as long as the faults say."""
        if outlet in self.outlets:
            self.outlets.remove(outlet)
            linger = self.faults.faults.linger_s
            if linger:
                self._lingering.setdefault(outlet.path, []).append(time.monotonic() + linger)
        await outlet.end()

    async def has_room(self, patience_s: float) -> None:
        """Return when no client has many frames waiting, or after a while."""
        most = self.limits.slow_frames
        crowded = [o.drained() for o in self.outlets if o.waiting > most // 2 and not o.is_frozen]
        if crowded:
            await asyncio.wait(map(asyncio.ensure_future, crowded), timeout=patience_s)

    def is_slow(self, outlet: Outlet) -> bool:
        """Tell whether more waits for a client than may."""
        most = self.limits.slow_frames
        return bool(most and outlet.waiting > most and not outlet.is_closing)


class TradeHub(Hub):
    """/stream: clients hear of the account's orders, in binary frames that hold JSON.

    Parameters
    ----------
    key, secret : str
    limits, faults
    text : bool
        Send text frames, as Alpaca does for live accounts; paper sends binary ones.
    """

    def __init__(
        self, key: str, secret: str, limits: Limits, faults: FaultBox, *, text: bool = False
    ) -> None:
        super().__init__(limits, faults)
        self._keys = (key, secret)
        self._text = text
        self._heard: dict[Outlet, bool] = {}

    @property
    def is_heard(self) -> bool:
        """Whether a client listens."""
        return any(outlet in self._heard for outlet in self.outlets)

    async def serve(self, socket: WebSocket) -> None:
        """Talk to a client until it leaves; one too many is refused with 429."""
        from starlette.responses import Response
        from starlette.websockets import WebSocketDisconnect

        if self.faults.refuses() or self.is_full(socket.url.path):
            await socket.send_denial_response(Response("too many connections", 429))
            return
        packed = socket.headers.get("content-type") == PACKED
        await socket.accept()
        outlet = Outlet(socket, binary=packed or not self._text, watch=self.watch, cut=self.cut)
        self.outlets.append(outlet)
        try:
            await self._talk(outlet, packed=packed)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            self._heard.pop(outlet, None)
            await self.leave(outlet)

    async def _talk(self, outlet: Outlet, *, packed: bool) -> None:
        is_known = False
        while (data := await receive(outlet.socket)) is not None:
            if outlet.is_frozen:
                continue
            self.watch("received", outlet.path, data)
            message = _read(data)
            action = message.get("action")
            if action in ("auth", "authenticate"):
                is_known = self._knows(message)
                _say(outlet, _authorization("authenticate", ok=is_known), packed=packed)
            elif action == "listen" and not is_known:
                _say(outlet, _authorization("listen", ok=False), packed=packed)
            elif action == "listen":
                given = message.get("data")
                streams = given.get("streams") if isinstance(given, dict) else None
                listens = isinstance(streams, list) and STREAM in streams
                self._heard.pop(outlet, None)
                if listens:
                    self._heard[outlet] = packed
                heard = [STREAM] if listens else []
                _say(outlet, {"stream": "listening", "data": {"streams": heard}}, packed=packed)

    def _knows(self, message: dict[str, Any]) -> bool:
        data = message.get("data")
        if not isinstance(data, dict):
            return (message.get("key"), message.get("secret")) == self._keys
        token = data.get("oauth_token")
        return token == self._keys[1] or (
            (data.get("key_id"), data.get("secret_key")) == self._keys
        )

    def send(self, frames: Sequence[bytes]) -> None:
        """Push frames to the clients that listen."""
        for outlet, packed in list(self._heard.items()):
            for frame in frames:
                sent = msgspec.msgpack.encode(msgspec.json.decode(frame)) if packed else frame
                outlet.put(self.faults.cut(sent))
            if self.is_slow(outlet):
                outlet.close()


def _read(data: bytes) -> dict[str, Any]:
    """Return a client's message, in JSON or MessagePack; empty if it is none."""
    for decode in (msgspec.json.decode, msgspec.msgpack.decode):
        try:
            message = decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(message, dict):
            return message
    return {}


def _authorization(action: str, *, ok: bool) -> dict[str, Any]:
    status = "authorized" if ok else "unauthorized"
    return {"stream": "authorization", "data": {"status": status, "action": action}}


def _say(outlet: Outlet, message: dict[str, Any], *, packed: bool) -> None:
    outlet.put((msgspec.msgpack if packed else msgspec.json).encode(message))


class Listener:
    """A market-data connection: its outlet, its subscriptions, its encoding."""

    def __init__(self, outlet: Outlet, feed: Feed, *, packed: bool) -> None:
        self.outlet = outlet
        self.feed = feed
        self.packed = packed

    def say(self, messages: list[dict[str, Any]]) -> None:
        """Send a control message; close after those that end a connection."""
        frame = encode(messages, packed=self.packed)
        if messages[0].get("code") in CLOSING:
            self.outlet.close(last=frame)
        else:
            self.outlet.put(frame)


class DataHub(Hub):
    """The market-data endpoints of stocks or of coins, in JSON or MessagePack.

    Parameters
    ----------
    key, secret : str
    limits, faults
    crypto : bool
    snapshot : callable, optional
        Returns the messages with which order books begin, for some pairs.
    """

    def __init__(
        self,
        key: str,
        secret: str,
        limits: Limits,
        faults: FaultBox,
        *,
        crypto: bool,
        snapshot: Callable[[Iterable[str]], list[Message]] | None = None,
    ) -> None:
        super().__init__(limits, faults)
        self._keys = (key, secret)
        self._crypto = crypto
        self._snapshot = snapshot
        self._listeners: list[Listener] = []

    @property
    def is_heard(self) -> bool:
        """Whether a client has subscribed to anything."""
        return any(any(listener.feed.key) for listener in self._listeners)

    @property
    def hears_test(self) -> bool:
        """Whether somebody has subscribed to something on the feed `test`."""
        return any(
            each.outlet.path == "/v2/test" and any(each.feed.key) for each in self._listeners
        )

    async def serve(self, socket: WebSocket) -> None:
        """Talk to a client until it leaves or errs in a way that closes."""
        from starlette.responses import Response
        from starlette.websockets import WebSocketDisconnect

        if self.faults.refuses():
            await socket.send_denial_response(Response("too many connections", 429))
            return
        path = socket.url.path
        packed = socket.headers.get("content-type") == PACKED
        name = "crypto" if self._crypto else path.rpartition("/")[2]
        is_full = self.is_full(path)
        await socket.accept()
        feed = Feed(*self._keys, name, self.limits)
        outlet = Outlet(socket, binary=packed, watch=self.watch, cut=self.cut)
        listener = Listener(outlet, feed, packed=packed)
        try:
            if is_full:
                await self._turn_away(listener)
                return
            self.outlets.append(listener.outlet)
            self._listeners.append(listener)
            listener.say(success("connected"))
            await self._talk(listener)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            if listener in self._listeners:
                self._listeners.remove(listener)
            await self.leave(listener.outlet)

    @staticmethod
    async def _turn_away(listener: Listener) -> None:
        """Refuse one connection too many, as Alpaca does: after the greeting."""
        listener.say(success("connected"))
        await listener.outlet.drained()
        listener.say(error(406))
        while await receive(listener.outlet.socket) is not None:
            continue

    async def _talk(self, listener: Listener) -> None:
        headers = listener.outlet.socket.headers
        if "apca-api-key-id" in headers:
            given = (headers.get(f"apca-api-{part}") for part in ("key-id", "secret-key"))
            listener.say(listener.feed.authenticate(*given))
        while True:
            try:
                patience = None if listener.feed.authenticated else AUTH_TIMEOUT_S
                data = await asyncio.wait_for(receive(listener.outlet.socket), patience)
            except TimeoutError:
                listener.say(error(404))
                return await self._until_closed(listener)
            if data is None:
                return None
            if not listener.outlet.is_frozen:
                self._answer(listener, data)

    @staticmethod
    async def _until_closed(listener: Listener) -> None:
        while await receive(listener.outlet.socket) is not None:
            continue

    def _answer(self, listener: Listener, data: bytes) -> None:
        self.watch("received", listener.outlet.path, data)
        before = listener.feed.added_books
        try:
            decode = msgspec.msgpack.decode if listener.packed else msgspec.json.decode
            listener.say(listener.feed.receive(decode(data)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            listener.say(error(400))
        added = listener.feed.added_books - before
        if added and self._snapshot is not None:
            books = self._snapshot(added)
            if books:
                listener.outlet.put(encode(books, packed=listener.packed))

    def send(self, messages: Sequence[Message]) -> None:
        """Push to every client what it has subscribed to; equal frames are made once."""
        made: dict[Any, list[bytes]] = {}
        for listener in self._listeners:
            group = (listener.outlet.path, listener.feed.key, listener.packed)
            if group not in made:
                chosen = listener.feed.select(messages)
                made[group] = [
                    encode(chosen[at : at + FRAME_MESSAGES], packed=listener.packed)
                    for at in range(0, len(chosen), FRAME_MESSAGES)
                ]
            for frame in made[group]:
                listener.outlet.put(self.faults.cut(frame))
            if self.is_slow(listener.outlet):
                listener.say(error(407))

    def push_error(self, path: str, code: int) -> int:
        """Send an error to the clients of an endpoint; return how many there are."""
        chosen = [each for each in self._listeners if each.outlet.path == path]
        for listener in chosen:
            listener.say(error(code))
        return len(chosen)

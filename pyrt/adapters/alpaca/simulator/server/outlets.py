"""One websocket with a queue before it, so that a slow client keeps nobody waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

CLOSE_S = 2.0
"""How long a client may take to read its last frame."""


async def receive(socket: WebSocket) -> bytes | None:
    """Return the next message, whole; None when the client is gone."""
    message = await socket.receive()
    if message["type"] != "websocket.receive":
        return None
    data = message.get("bytes")
    return data if data is not None else str(message.get("text") or "").encode()


class Outlet:
    """Sends frames in order; the caller never waits.

    Parameters
    ----------
    socket : WebSocket
        Accepted.
    binary : bool
        Whether frames go out as binary messages; as text otherwise.
    watch : callable
        Told of every frame.
    cut : callable
        Cuts the connection of a client's address, when it does not take what it is closed with.
    """

    def __init__(
        self,
        socket: WebSocket,
        *,
        binary: bool,
        watch: Callable[[str, str, bytes], None],
        cut: Callable[[Any], object],
    ) -> None:
        self.socket = socket
        self.path = socket.url.path
        self.sent = 0
        """Frames handed over for sending since the connection was opened."""
        self._binary = binary
        self._watch = watch
        self._cut = cut
        self.is_closing = False
        self._queue: deque[bytes | None] = deque()
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._task = asyncio.ensure_future(self._run())
        self.is_frozen = False
        """A frozen outlet takes frames and sends none, as a connection that is half open."""

    @property
    def waiting(self) -> int:
        """Frames not sent yet."""
        return len(self._queue)

    @property
    def is_open(self) -> bool:
        """Whether it still sends."""
        return not self._task.done()

    def put(self, frame: bytes) -> None:
        """Send a frame after those that wait."""
        if self.is_frozen or self.is_closing:
            return
        self.sent += 1
        self._watch("sent", self.path, frame)
        self._queue.append(frame)
        self._filled.set()
        self._drained.clear()

    def close(self, last: bytes | None = None) -> None:
        """Close the connection after what waits; with `last`, instead of it."""
        if self.is_closing:
            return
        self.is_closing = True
        asyncio.get_running_loop().call_later(CLOSE_S, self._cut, self.socket.client)
        if last is not None:
            self._queue.clear()
            self._queue.append(last)
            self._watch("sent", self.path, last)
            self.sent += 1
        self._queue.append(None)
        self._filled.set()

    async def drained(self) -> None:
        """Return when nothing waits."""
        await self._drained.wait()

    async def _run(self) -> None:
        socket, queue = self.socket, self._queue
        with contextlib.suppress(Exception):
            while True:
                while queue:
                    frame = queue.popleft()
                    if frame is None:
                        await socket.close()
                        return
                    if self._binary:
                        await socket.send_bytes(frame)
                    else:
                        await socket.send_text(frame.decode())
                self._drained.set()
                self._filled.clear()
                await self._filled.wait()
        self._drained.set()

    async def end(self) -> None:
        """Stop sending."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._drained.set()

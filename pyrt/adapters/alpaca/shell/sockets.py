"""Keeps a stream's connection; the one module that imports websockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from pyrt.live.config import check_url

PING_S = 5.0
OPEN_S = 5.0
CLOSE_S = 2.0
MAX_BYTES = 16 * 1024 * 1024


class StreamCore(Protocol):
    """What a socket asks of a stream's core."""

    headers: dict[str, str]
    is_packed: bool

    def opened(self, now: int) -> None: ...
    def heard(self, now: int) -> None: ...
    def closed(self, now: int) -> None: ...
    def take_frames(self) -> list[bytes]: ...


class Socket:
    """One connection of a stream.

    Parameters
    ----------
    url : str
    core : StreamCore
        Told when the connection opens, lives and closes.
    on_frame : callable
        Called with each frame.
    wake : callable
        Called when the core may want something.
    clock : callable
        Returns the time, ns UTC.
    """

    def __init__(
        self,
        url: str,
        core: StreamCore,
        on_frame: Callable[[bytes | str], None],
        wake: Callable[[], None],
        clock: Callable[[], int],
    ) -> None:
        self._core = core
        self._on_frame = on_frame
        self._wake = wake
        self._clock = clock
        self._connection: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        check_url(url)
        self.url = url
        self.received = 0
        """Frames since the connection was opened."""

    async def serve(self) -> None:
        """Connect once, and read until the connection is gone."""
        pinging = None
        self._task = asyncio.current_task()
        try:
            async with connect(
                self.url,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,
                max_size=MAX_BYTES,
                additional_headers=self._core.headers,
                proxy=None,
            ) as connection:
                self._connection, self.received = connection, 0
                self._core.opened(self._clock())
                self._wake()
                pinging = asyncio.create_task(self._ping(connection))
                async for frame in connection:
                    self.received += 1
                    self._on_frame(frame)
        except (OSError, TimeoutError, InvalidHandshake, WebSocketException):
            # Whatever ended it, what follows is the same: the core is told, and tries again.
            return
        finally:
            self._connection = self._task = None
            if pinging is not None:
                pinging.cancel()
            self._core.closed(self._clock())
            self._wake()

    async def close(self) -> None:
        """Break a dead connection off; `serve` then ends."""
        if self._connection is not None:
            await self._connection.close()
        elif self._task is not None:
            self._task.cancel()

    async def flush(self) -> None:
        """Send what the core has to say."""
        connection = self._connection
        if connection is None:
            return
        for frame in self._core.take_frames():
            try:
                await connection.send(frame if self._core.is_packed else frame.decode())
            except WebSocketException:
                return

    async def _ping(self, connection: ClientConnection) -> None:
        """Show the core a quiet line that lives."""
        while True:
            await asyncio.sleep(PING_S)
            try:
                pong = await connection.ping()
                await pong
            except WebSocketException:
                return
            self._core.heard(self._clock())

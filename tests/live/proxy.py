"""A line between two programs of this machine that can be slow, cut, half closed or swallowed."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PASS, SLOW, SWALLOW = "pass", "slow", "swallow"
PIECE = 65_536
DELAY_S = 0.25
RESET = struct.pack("ii", 1, 0)


class Pipe:
    """One connection from a client to the target, both ways."""

    def __init__(self, proxy: Proxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self.ends = (near, far)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way until their end, as the line's state has it."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while piece := await reader.read(PIECE):
                await self._proxy.is_open.wait()
                if self._proxy.mode == SLOW:
                    await asyncio.sleep(DELAY_S)
                writer.write(piece)
                await writer.drain()
        self.close()

    def reset(self) -> None:
        """Break it so that both sides see a reset."""
        for end in self.ends:
            sock: Any = end.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()

    def half_close(self) -> None:
        """Say to the client that nothing more will come, and go on listening to it."""
        with suppress(OSError, RuntimeError):
            self.ends[0].write_eof()

    def close(self) -> None:
        for end in self.ends:
            end.close()


class Proxy:
    """Listens on a free port and carries connections to `target`; runs in a thread of its own.

    Attributes
    ----------
    connections : int
        How many have been accepted.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._pipes: list[Pipe] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.mode = PASS
        self.refuses = False
        self.connections = 0
        self.port = 0
        self.is_open: asyncio.Event

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()

    async def _listen(self) -> None:
        self.is_open = asyncio.Event()
        self.is_open.set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuses:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        pipe = Pipe(self, writer, back)
        self._pipes.append(pipe)
        await asyncio.gather(pipe.carry(reader, back), pipe.carry(there, writer))
        if pipe in self._pipes:
            self._pipes.remove(pipe)

    # -- what happens to the line ----------------------------------------------------------------

    def _do(self, what: Callable[[], object]) -> None:
        done = threading.Event()

        def carry_out() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(carry_out)
        assert done.wait(10)

    def become(self, mode: str) -> None:
        """Carry as before, slowly, or nothing at all while everything seems open."""

        def change() -> None:
            self.mode = mode
            if mode == SWALLOW:
                self.is_open.clear()
            else:
                self.is_open.set()

        self._do(change)

    def reset(self) -> None:
        """Break all connections at once."""
        self._do(lambda: [pipe.reset() for pipe in tuple(self._pipes)])

    def half_close(self) -> None:
        """Close all connections on one side."""
        self._do(lambda: [pipe.half_close() for pipe in tuple(self._pipes)])

"""The node's connections: one socket for each stream that its symbols need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Event
from pyrt.adapters.alpaca.shell.shadow import Shadow, ShadowSocket
from pyrt.adapters.alpaca.shell.sockets import Socket
from pyrt.live.config import NodeConfig

Take = Callable[[int], list[Event]]


class Connections:
    """Opens, keeps and closes the sockets of a client's streams.

    Parameters
    ----------
    config : NodeConfig
    client : AlpacaClient
    receive : callable
        Called with (take, rank) for each frame; `take` decodes it. Trade updates have rank 0.
    wake : callable
        Called when a stream may want something.
    clock : callable
        Returns the time, ns UTC.
    spawn : callable
        Runs a coroutine in the loop.
    shadow : Shadow, optional
        Takes the broker's place for orders, and sees what the market does first.
    """

    def __init__(
        self,
        config: NodeConfig,
        client: AlpacaClient,
        receive: Callable[[Take, int], None],
        wake: Callable[[], None],
        clock: Callable[[], int],
        spawn: Callable[[Any], object],
        shadow: Shadow | None = None,
    ) -> None:
        self._receive = receive
        self._wake = wake
        self._clock = clock
        self._spawn = spawn
        self._shadow = shadow
        streams = (
            ("trade_updates", config.trade_updates, client.trade_updates),
            ("stocks", config.market_data, client.market_data),
            ("crypto", config.crypto_data, client.crypto_data),
        )
        takers: tuple[Callable[[Any, int], list[Event]], ...] = (
            client.receive_trade_update,
            client.receive_market_data,
            client.receive_crypto_data,
        )
        wanted = {"trade_updates", *("crypto" if "/" in s else "stocks" for s in config.symbols)}
        self._open = [
            (name, self._socket(url, stream, takers[rank], rank), stream)
            for rank, (name, url, stream) in enumerate(streams)
            if name in wanted
        ]

    def _socket(
        self, url: str, stream: Any, take: Callable[[Any, int], list[Event]], rank: int
    ) -> Socket | ShadowSocket:
        if self._shadow is not None and rank > 0:
            take = self._shadow.watch(take)

        def on_frame(frame: bytes | str) -> None:
            self._receive(lambda now: take(frame, now), rank)

        if self._shadow is not None and rank == 0:
            return ShadowSocket(stream, on_frame, self._wake, self._clock)
        return Socket(url, stream, on_frame, self._wake, self._clock)

    def keep(self, now: int, *, is_lockstep: bool = False) -> None:
        """Open and close connections as their streams want it."""
        for _, socket, stream in self._open:
            if is_lockstep and stream.is_active:
                # Silence is measured in a time that jumps from one instant to the next.
                stream.heard(now)
            if stream.wants_connection(now):
                self._spawn(socket.serve())
            elif stream.wants_close(now):
                self._spawn(socket.close())

    async def flush(self) -> None:
        """Send what the streams have to say."""
        for _, socket, _ in self._open:
            await socket.flush()

    def streams(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stream) of the connections there are."""
        return [(name, stream) for name, _, stream in self._open]

    @property
    def are_active(self) -> bool:
        """Whether all streams are through their handshakes."""
        return all(stream.is_active for _, _, stream in self._open)

    def frames(self) -> dict[str, int]:
        """Return name of a stream → frames received since the connection was opened."""
        return {name: socket.received for name, socket, _ in self._open}

    def received(self) -> dict[str, int]:
        """Return URL → frames received since the connection was opened."""
        return {socket.url: socket.received for _, socket, _ in self._open}

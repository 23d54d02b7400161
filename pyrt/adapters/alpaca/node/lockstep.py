"""Lockstep with a simulator: it owns time, and the node answers each instant before it moves on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.errors import ConnectionLost

TIMERS = "timers"
FRAMES_S = 10.0
"""Frames that the simulator says it has sent are on their way; they take no longer than this."""
HANDSHAKE_S = 20.0
NAP_S = 0.002
ATTEMPTS = 3


class State(msgspec.Struct, frozen=True):
    """What the simulator says about time.

    Attributes
    ----------
    turn, phase : int, str
        Number of the turn, and which part of the instant it is; timers fire in ``timers``.
    sent : dict
        Path of a connection → frames sent on it.
    """

    ts: int
    turn: int = 0
    phase: str = ""
    sent: dict[str, int] = {}
    done: bool = False


class Stepped(Protocol):
    """What lockstep asks of a node."""

    def keep_connected(self, now: int) -> None:
        """Open and close connections as their streams want it."""

    async def flush(self) -> None:
        """Send what the streams have to say."""

    def is_connected(self) -> bool:
        """Return whether all streams are through their handshakes."""

    def received(self) -> Mapping[str, int]:
        """Return URL → frames received since the connection was opened."""

    def step(self, now: int, *, timers: bool) -> bool:
        """Take all that came in at `now`, send what follows; return whether there was anything."""

    def outstanding(self) -> int:
        """Return how many requests have left, or wait to leave at once, without an answer."""

    async def answered(self) -> None:
        """Wait until something has come in."""

    def next_due(self, now: int) -> int | None:
        """Return when the node wants to be woken next, later than `now`."""


class Lockstep:
    """A node's side of the protocol with the simulator's control API.

    Parameters
    ----------
    client : str
        Name of the node at the simulator.
    send : callable
        Sends an HttpRequest to the host ``control`` and returns its answer.
    """

    def __init__(self, client: str, send: Any) -> None:
        self._client = client
        self._send = send
        self.state = State(0)

    @property
    def now(self) -> int:
        """The simulator's time, ns UTC."""
        return self.state.ts

    async def begin(self) -> int:
        """Learn the time at which the node starts.

        Raises
        ------
        ConnectionLost
            If the simulator does not answer.
        """
        self.state = await self._ask(HttpRequest("GET", "/time", b"", host="control"))
        return self.now

    async def connect(self, node: Stepped) -> None:
        """Let the streams connect and subscribe, while time stands still.

        Raises
        ------
        ConnectionLost
            If a handshake does not come to its end.
        """
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                while not node.is_connected():
                    node.keep_connected(self.now)
                    await node.flush()
                    await asyncio.sleep(NAP_S)
                    node.step(self.now, timers=False)
        except TimeoutError:
            raise ConnectionLost(
                "the simulator's streams did not finish their handshakes"
            ) from None

    async def serve(self, node: Stepped, is_stopping: Any) -> None:
        """Answer instant after instant, until the data are over or the node is to stop."""
        await self.connect(node)
        await self.settle(node)
        while not is_stopping():
            turn, taken = self.state.turn, _paths(node.received())
            await self.quiet(node, wait=True)
            # The last instant is told to be the last before its turns are over, and frames of it
            # may be here before the answer that tells of them.
            is_same = self.state.turn == turn and _paths(node.received()) == taken
            if self.state.done and is_same and not self._is_behind(node):
                return
            node.keep_connected(self.now)
            await self._frames(node)
            await self.settle(node)

    async def settle(self, node: Stepped) -> None:
        """Take what came in and send what follows, until no answer is outstanding."""
        timers = self.state.phase == TIMERS
        while node.step(self.now, timers=timers) or node.outstanding():
            await node.flush()
            if node.outstanding():
                await node.answered()

    async def quiet(self, node: Stepped, *, wait: bool) -> None:
        """Say that all is answered; with `wait`, return when there is something new."""
        report = {
            "client": self._client,
            "ts": self.now,
            "turn": self.state.turn,
            "received": _paths(node.received()),
            "requests outstanding": 0,
            "next_timer": node.next_due(self.now),
            "wait": wait,
        }
        body = msgspec.json.encode(report)
        self.state = await self._ask(HttpRequest("POST", "/quiet", body, host="control"))

    async def forget(self) -> None:
        """Let time move on without this node."""
        body = msgspec.json.encode({"client": self._client})
        await self._send(HttpRequest("POST", "/forget", body, host="control"))

    def _is_behind(self, node: Stepped) -> bool:
        received = _paths(node.received())
        return any(self.state.sent.get(path, 0) > count for path, count in received.items())

    async def _frames(self, node: Stepped) -> None:
        """Wait for the frames that are on their way."""
        try:
            async with asyncio.timeout(FRAMES_S):
                while self._is_behind(node):
                    # One of several frames may be here already: the sockets must get their turn.
                    await asyncio.sleep(0)
        except TimeoutError:
            raise ConnectionLost(f"frames sent at {self.now} did not arrive") from None

    async def _ask(self, request: HttpRequest) -> State:
        answer = None
        for _ in range(ATTEMPTS):
            answer = await self._send(request)
            if answer.status == 200:
                return msgspec.json.decode(answer.body, type=State)
        status = answer.status if answer is not None else 0
        raise ConnectionLost(
            f"the simulator's control answers {request.path} with {status or 'nothing'}",
            remedy="Check control_url, and that the simulator runs with --speed lockstep",
        )


def _paths(received: Mapping[str, int]) -> dict[str, int]:
    return {urlsplit(url).path: count for url, count in received.items()}

"""A node in lockstep takes all that the last instant brings, however late the answers are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.node.lockstep import Lockstep

URL = "ws://127.0.0.1/v2/iex"


class Stepped:
    """A node with a socket: frames that have come, and those that it has taken."""

    def __init__(self) -> None:
        self.frames = 0
        self.taken = 0

    def keep_connected(self, now: int) -> None: ...

    async def flush(self) -> None: ...

    def is_connected(self) -> bool:
        return True

    def received(self) -> Mapping[str, int]:
        return {URL: self.frames}

    def step(self, now: int, *, timers: bool) -> bool:
        news, self.taken = self.frames > self.taken, self.frames
        return news

    def outstanding(self) -> int:
        return 0

    async def answered(self) -> None: ...

    def next_due(self, now: int) -> int | None:
        return None


@pytest.mark.parametrize("arrives", ["before the answer", "after the answer"])
def test_frames_of_the_last_instant_are_taken_before_the_end(arrives: str) -> None:
    node, reports = Stepped(), []

    async def send(request: Any) -> Any:
        """Answer as a simulator does that has sent a frame and not begun the turn it is of."""
        reports.append(msgspec.json.decode(request.body)["received"]["/v2/iex"])
        if arrives == "before the answer":
            node.frames = 1
        elif len(reports) == 1:
            asyncio.get_running_loop().call_later(0.01, setattr, node, "frames", 1)
        state = {"ts": 7, "turn": 3, "phase": "happens", "sent": {"/v2/iex": 1}, "done": True}
        return SimpleNamespace(status=200, body=msgspec.json.encode(state))

    async def run() -> None:
        lockstep = Lockstep("node", send)
        lockstep.state = msgspec.structs.replace(lockstep.state, turn=3, ts=7)
        await asyncio.wait_for(lockstep.serve(node, lambda: False), 10)

    asyncio.run(run())
    assert node.taken == 1
    # It says so, and only then is it told that there is no more.
    assert reports == [0, 1]

"""While an order is on its way to the socket, nothing that comes behind it takes its time."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace as Stub
from typing import Any

from pyrt.adapters.alpaca.node.turns import TURNS_OF_A_REQUEST, Turns


class Node:
    """A driver and a sender whose first message makes an order leave."""

    unrecorded: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.requests: list[str] = []
        self.journal = Stub(commit=lambda: None)

    @property
    def has_requests(self) -> bool:
        return bool(self.requests)

    def take(self, now: int, events: list[str]) -> None:
        self.taken += events
        if events == ["first"]:
            self.requests.append("order")

    def take_requests(self, now: int) -> list[str]:
        taken, self.requests = self.requests, []
        return taken

    def next_due(self, now: int) -> int:
        return now

    def turn(self, now: int) -> None: ...

    def flush_tape(self) -> None: ...


def test_a_burst_waits_until_an_orders_bytes_have_left():
    async def scenario() -> tuple[list[int], list[str]]:
        node = Node()
        stub: Any = node
        turns = Turns(Stub(), Stub(), "one")
        turns.driver = stub
        turns.sender = Stub(send=lambda requests: None, make_ready=lambda waiting: False)
        for name in ("first", "second", "third"):
            turns.receive(lambda now, name=name: [name], 1)
        taken = []
        for _ in range(TURNS_OF_A_REQUEST + 2):
            turns.look()
            taken.append(len(node.taken))
            await turns.sleep(longest_s=0.001)
        return taken, node.taken

    taken, names = asyncio.run(scenario())
    assert taken == [1] * TURNS_OF_A_REQUEST + [3] * 2
    assert names == ["first", "second", "third"]

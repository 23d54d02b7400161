"""Cancels that an earlier life of the node has asked for: the next has to ask for them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyrt.live.driver.run import RUNNING
from tests.simulation.clock import SECOND
from tests.simulation.ledger import Placed, stem_of

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

PATIENCE_S = 30
"""So long a node that runs may take to ask: cancels wait for no disk and no stream."""


class Repeats:
    """Watches what each life of the node asks to be canceled.

    It is the node's own bytes that count here, and the exchange's word for what still works: what
    a strategy, a halt or the end of the day cancels later hides nothing.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._wanted: list[str] = []
        self._asked: set[str] = set()
        self._running_since: int | None = None

    def begin(self) -> None:
        """A life begins: note which orders are to be canceled, by the records, and still work."""
        self._asked.clear()
        self._running_since = None
        self._wanted = [name for name in self._world.watch.cancels if self._working(name)]

    def note(self, node: Node, request: Any) -> None:
        """Note a request that leaves."""
        now = self._world.agenda.now
        if self._running_since is None and node.driver.phase == RUNNING:
            self._running_since = now
        if request.method == "DELETE":
            self._asked.add(request.path.rpartition("/")[2])

    def judge(self) -> None:
        """Hold, where a life has lasted, that it has asked for each."""
        world, since = self._world, self._running_since
        now = world.agenda.now
        was_frozen = since is not None and world.frozen_until > since
        if since is None or was_frozen or now - since < PATIENCE_S * SECOND:
            return
        if world.node is None or world.node.driver.phase != RUNNING:
            return
        for name in self._wanted:
            # A refusal that was told takes the wish back.
            left = self._working(name) if name in world.watch.cancels else []
            left = [key for key in left if not self.is_changing(key)]
            asked = [key for key in left if key in self._asked]
            world.checks.hold("I27", not left or bool(asked), (name, "is not asked for again"))

    def is_changing(self, key: str) -> bool:
        """Whether an order takes no cancel, or has just taken the place of one that took none."""
        desk = self._world.broker.core.desk
        record = desk.orders[key]
        before = desk.orders.get(record.replaces or "")
        replaced_at = 0 if before is None else before.times.get("replaced", 0)
        is_new = self._world.agenda.now - replaced_at < PATIENCE_S * SECOND
        return desk.is_replacing(record) or is_new

    def _working(self, name: str) -> list[str]:
        """Return the exchange's ids of an order that works, by itself; an exit has other ways."""
        orders: dict[str, Placed] = self._world.broker.ledger.orders
        return [
            key
            for key, placed in orders.items()
            if stem_of(placed.client_order_id) == name and placed.is_working and not placed.parent
        ]

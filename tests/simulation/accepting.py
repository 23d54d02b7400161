"""A person who takes over what was traded elsewhere, once the node has found it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pyrt.errors import ConfigError
from pyrt.live.driver.run import RUNNING

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

AGAIN_S = 7.0
WHO = ("operator", "of this schedule")


class Accepting:
    """Asks again and again until nothing that was traded elsewhere is left to take over.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._taken: dict[str, set[str]] = {}
        """Of each time, by its id in the journal: the others' orders that were taken over."""

    def begin(self) -> None:
        """Let somebody come in a while."""
        if self._world.chances.is_accepting:
            self._world.agenda.after(self._world.chances.between(1, 60), self._ask)

    @property
    def untaken(self) -> set[str]:
        """Others' orders that are nobody's here, by the journal as it is: a crash may forget."""
        node = self._world.node
        known = self._taken if node is None else node.journal.state.activities
        taken = (keys for name, keys in self._taken.items() if name in known)
        return self._world.foreign.difference(*taken)

    def _ask(self) -> None:
        node = self._world.node
        if node is not None and node.driver.phase == RUNNING and not node.is_frozen:
            node.guarded(lambda: self._accept(node))
        if self.untaken:
            self._world.agenda.after(AGAIN_S, self._ask)

    def _accept(self, node: Node) -> None:
        symbol = self._world.broker.symbols[0]
        if node.driver.stated_otherwise(symbol) is None or node.journal.failure is not None:
            return
        node.driver.operate("cancel_all", *WHO, symbol=symbol)
        before, known = _held(node, symbol), set(node.journal.state.activities)
        owner = next(s.name for s in node.kernel.strategies if s.symbol == symbol)
        try:
            node.driver.accept(*WHO, symbol=symbol, strategy=owner)
        except ConfigError as error:
            expected = ("open_orders", "no_mismatch")
            self._world.checks.hold("I2", error.code in expected, error)
        else:
            (name,) = set(node.journal.state.activities) - known
            self._taken[name] = self._behind(symbol, _held(node, symbol) - before)
            node.driver.operate("resume", *WHO, symbol=symbol)
        node.turn()

    def _behind(self, symbol: str, units: Decimal) -> set[str]:
        """Return the orders that explain what was taken over; nothing else was."""
        orders = self._world.broker.ledger.orders
        found: set[str] = set()
        for key in sorted(self.untaken, key=list(orders).index):
            if units > 0 and orders[key].symbol == symbol:
                found.add(key)
                units -= orders[key].filled
        self._world.checks.hold("I2", not units, (symbol, units, "taken over"))
        return found


def _held(node: Node, symbol: str) -> Decimal:
    positions = [p for p in node.kernel.cache.positions() if p.symbol == symbol]
    return sum((Decimal(p.quantity_exact) for p in positions), Decimal(0))

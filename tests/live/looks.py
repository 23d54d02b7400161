"""A node that looks at its account: what tests of looks share."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from pyrt import Strategy
from pyrt.live.core.broker import BrokerOrder, BrokerState
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import SECOND, Policies
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

PRICES = bars([100.0] * 12)
SOON = 2 * SECOND
"""A look that could not begin is followed by another."""
STALE_NS = 6 * SECOND
"""So old a broker's answers may be."""
STAYS = 3_500_000_000
"""Looks of which the answers may be old are so far apart."""
CLOCK_MIN, CLOCK_MAX = -2 * SECOND, 30 * SECOND
"""How far our clock may be ahead: a look takes some seconds itself."""


class Quiet(Strategy):
    """Does what a test asks of it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")


def begun(looks: int = 1, **policies: Any) -> Node:
    made = Node(
        World([PRICES]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=looks, warmup=0, **policies),
    )  # fmt: skip
    made.start()
    made.run(3)
    made.settle(made.world.now)
    return made


def sent(node: Node, quantity: float = 10, **terms: Any) -> Any:
    order = node.kernel.strategies[0].buy("SPY", quantity, **terms)
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    return order


def seen(node: Node, *, after: int = 0, **changes: Any) -> int:
    """Let a look state the account as the last one did, but for these changes; return when."""
    now = node.world.now + after
    state: BrokerState = node.driver.last_look
    node.driver.take(now, [replace(state, ts=now, **changes)])
    return now


def written(node: Node, kind: type[r.Record]) -> list[Any]:
    node.journal.commit()
    return [record for _, record in read_records(node.files) if isinstance(record, kind)]


def told(node: Node, code: str) -> list[str]:
    return [text for each, text in node.alarms if each == code]


def stranger(name: str, symbol: str = "SPY", venue_order_id: str = "v-1") -> BrokerOrder:
    return BrokerOrder(
        venue_order_id=venue_order_id, client_order_id=name, symbol=symbol, side="buy",
        status="new", is_open=True, filled=Decimal(0),
    )  # fmt: skip

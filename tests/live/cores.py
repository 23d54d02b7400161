"""A node core by itself: what it sends is kept, and answered by whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.core.instruments import crypto, equity
from pyrt.live.core.node import NodeCore
from pyrt.strategy.strategy import Strategy

SECOND = 1_000_000_000
NOW = 1_704_205_800 * SECOND
"""2024-01-02T14:30:00Z: half past nine in New York."""
COIN = "BTC/USD"


def taken(core: NodeCore) -> bytes:
    """Return the piece of tape since this was last asked."""
    assert core.inputs.tape is not None
    return core.inputs.tape.take()


class Wire:
    """A client core that keeps what it is told, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def submit(self, order: Any) -> None:
        self.heard.append(("submit", order.number))

    def change(self, order: Any, changes: dict[str, Any]) -> None:
        self.heard.append(("change", order.number, changes))

    def withdraw(self, order: Any) -> None:
        self.heard.append(("withdraw", order.number))

    def subscribe(self, channel: str, symbol: str) -> None:
        self.heard.append(("subscribe", channel, symbol))

    def take(self) -> list[tuple[Any, ...]]:
        """Return what was heard since this was last asked."""
        heard, self.heard = self.heard, []
        return heard


def core_of(
    gate: Any, strategies: Sequence[Strategy], *, cash: Any = 100_000, **options: Any
) -> tuple[NodeCore, Wire]:
    """Return a started core that trades SPY, QQQ and a coin, and what it speaks to."""
    wire = Wire()
    instruments = [equity("SPY"), equity("QQQ"), crypto(COIN)]
    core = NodeCore(wire, gate, instruments, strategies, cash=cash, prefix="t-", **options)
    core.start(NOW)
    wire.take()
    return core, wire


def trade(core: NodeCore, number: int, side: str, symbol: str, units: Any, price: Any) -> Any:
    """Let a strategy send a market order, and fill it; return the order."""
    order = getattr(core.kernel.strategies[number], side)(symbol, units)
    core.inputs.settle()
    core.inputs.fill(order.number, core.kernel.clock.timestamp_ns, units, price, units)
    core.inputs.settle()
    return order

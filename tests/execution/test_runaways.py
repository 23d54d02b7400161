"""Loops without end that issue commands are broken off, whatever command it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.errors import RunawayError
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig

ROOM = 8


def leg(side: str) -> dict[str, Any]:
    return {"side": side, "symbol": "AAA", "quantity": 1, "limit_price": 90}


@pytest.mark.parametrize(
    "command",
    [
        lambda strategy, turn: strategy.buy("AAA", 1),
        lambda strategy, turn: strategy.target_position("AAA", 10 * (turn % 2)),
        lambda strategy, turn: strategy.target_percent("AAA", 0.1 * (turn % 2)),
        lambda strategy, turn: strategy.pair(leg("buy"), leg("buy")),
    ],
    ids=["buy", "target_position", "target_percent", "pair"],
)
def test_a_loop_without_end_is_broken_off(command: Callable[[Strategy, int], Any]) -> None:
    made = GateRig(RiskEngine(), prices=100)
    made.kernel.desk.commands_max = ROOM

    def handler() -> None:
        for turn in range(1, 2 * ROOM):
            command(made.kernel.strategies[0], turn)

    with pytest.raises(RunawayError, match=f"A has issued {ROOM} commands"):
        handler()
    assert len(made.kernel.cache.orders_open()) == ROOM


def test_so_is_a_loop_of_changes() -> None:
    made = GateRig(RiskEngine(), prices=100)
    order = made.order("buy", 1, limit_price=90)
    made.kernel.desk.commands_max = ROOM

    def handler() -> None:
        for turn in range(1, 2 * ROOM):
            made.kernel.strategies[0].modify(order, quantity=1 + turn)

    with pytest.raises(RunawayError, match=f"A has issued {ROOM} commands"):
        handler()
    assert len(made.kernel.desk.commands) == ROOM

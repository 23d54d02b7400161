"""What stands in the record of orders, and in the counts, before anything is answered: by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyrt.core.records import ORDER_DTYPE
from pyrt.execution import ExecutionAlgorithm
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig

NO_PRICE = -(2**63)


def rig(**limits: Any) -> Any:
    gate = RiskEngine(Limits(**limits))
    return GateRig(gate, prices=100, symbols=("AAA", "BBB"), strategies=2)


def rows(made: Any) -> Any:
    return np.frombuffer(made.kernel.records.orders.tobytes(), np.dtype(ORDER_DTYPE))


def test_a_new_order_is_recorded_as_it_is_sent() -> None:
    made = rig()
    made.order("buy", 10, limit_price=90)
    made.order("sell", 4, "BBB", 1, stop_price=80, tag="out")
    first, second = rows(made)
    assert [int(row["instrument"]) for row in (first, second)] == [0, 1]
    assert [int(row["quantity"]) for row in (first, second)] == [10 * 10**9, 4 * 10**9]
    assert [int(row["side"]) for row in (first, second)] == [1, -1]
    assert [int(row["strategy"]) for row in (first, second)] == [0, 1]
    assert (first["limit_price"], first["stop_price"]) == (90 * 10**9, NO_PRICE)
    assert (second["limit_price"], second["stop_price"]) == (NO_PRICE, 80 * 10**9)
    assert [int(row["ts_last"]) for row in (first, second)] == [made.now, made.now]
    assert [int(row["tag"]) > 0 for row in (first, second)] == [False, True]


def test_when_it_last_changed_is_recorded() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    began = made.now
    made.wait("1s")
    made.answer("accept", order)
    (row,) = rows(made)
    assert (int(row["ts_init"]), int(row["ts_last"])) == (began, began + 10**9)


def test_an_order_that_is_cut_as_it_leaves_counts_and_is_recorded_for_the_rest() -> None:
    """Three are held, five hundred more are denied: to close takes three."""
    made = rig(max_order_quantity=100)
    made.hold(3)
    strategy = made.kernel.strategies[0]
    denied = made.draft("buy", 500)
    close = strategy.close("AAA")
    assert close.quantity == 503
    made.settle()
    assert (denied.status, close.status, close.quantity) == ("DENIED", "SENT", 3)
    assert strategy.position("AAA").working_quantity == -3
    assert int(rows(made)[-1]["quantity"]) == 3 * 10**9


def test_what_was_asked_of_an_order_that_has_ended_is_answered() -> None:
    for ask in (made_cancel, made_change):
        made = rig()
        order = made.order("buy", 10, limit_price=100)
        made.answer("accept", order)
        ask(made, order)
        assert order.is_pending
        made.fill(order)
        assert (order.status, order.is_pending) == ("FILLED", False)


def made_cancel(made: Any, order: Any) -> None:
    made.cancel(order)


def made_change(made: Any, order: Any) -> None:
    made.modify(order, limit_price=99)


class ByHand(ExecutionAlgorithm):
    """Sends what it is told to."""


def test_a_part_has_the_tag_of_its_order_unless_it_brings_one() -> None:
    made = rig()
    order = made.order("buy", 10, algorithm=ByHand(), tag="slow")
    parts = [order.algorithm.send(4), order.algorithm.send(4, tag="fast")]
    assert [part.tag for part in parts] == ["slow", "fast"]
    assert [int(row["parent"]) for row in rows(made)] == [0, order.number, order.number]


def test_exits_are_recorded_under_their_entry() -> None:
    made = rig()
    made.order("buy", 1)
    entry = made.order("buy", 10, take_profit=110, stop_loss=90)
    assert [int(row["parent"]) for row in rows(made)] == [0, 0, entry.number, entry.number]

"""Orders worked by algorithms that are canceled, or whose parts change, on the way: by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyrt.core.records import ORDER_EVENT_DTYPE
from pyrt.errors import OrderError
from pyrt.execution import TWAP, ExecutionAlgorithm, Iceberg
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from tests.backtest.harness import play

SYMBOL = "AAA"


class ByHand(ExecutionAlgorithm):
    """Sends what it is told to, and keeps what it hears."""

    def on_start(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def on_fill(self, child: Any) -> None:
        self.heard.append(("fill", child.client_order_id))

    def on_end(self, child: Any) -> None:
        self.heard.append(("end", child.client_order_id))


def rig() -> GateRig:
    return GateRig(RiskEngine(), prices=100)


def worked(made: GateRig, quantity: float = 100, **terms: Any) -> Any:
    return made.order("buy", quantity, algorithm=ByHand(), **terms)


def sent(made: GateRig, order: Any, quantity: float, **terms: Any) -> Any:
    child = order.algorithm.send(quantity, **terms)
    made.settle()
    return child


def working(made: GateRig) -> tuple[float, float]:
    position = made.kernel.strategies[0].position(SYMBOL)
    return float(position.quantity), len(made.kernel.cache.orders_open())


def test_nothing_is_sent_for_an_order_that_was_canceled_before_it_began() -> None:
    """Its first part went out, and nobody was left to take it back."""
    made = rig()
    order = made.draft("buy", 100, algorithm=TWAP("10m", slices=5))
    order.strategy.cancel(order)
    made.settle()
    made.wait("10m")
    assert made.venue.submitted == []
    assert (order.status, order.filled_quantity) == ("CANCELED", 0)
    assert made.kernel.cache.orders_open() == []


def test_nothing_is_sent_while_the_cancel_of_a_part_is_on_its_way() -> None:
    """The next slice went out, and the order went on as if nothing had been asked."""
    made = rig()
    order = made.order("buy", 100, limit_price=99, algorithm=TWAP("10m", slices=5))
    (child,) = made.venue.submitted
    made.answer("accept", child)
    order.strategy.cancel(order)
    made.settle()
    assert made.venue.withdrawn == [child]
    made.wait("2m")
    made.wait("2m")
    assert made.venue.submitted == [child]
    assert order.status == "EMULATED"
    made.fill(child, 7, price=99)
    made.answer("cancel", child)
    assert (order.status, order.filled_quantity) == ("CANCELED", 7)
    assert made.kernel.cache.orders_open() == []
    # Its end is on record with what it had filled, and no more is kept of it.
    rows = np.frombuffer(made.kernel.records.order_events.tobytes(), np.dtype(ORDER_EVENT_DTYPE))
    assert (rows[-1]["order"], rows[-1]["value"]) == (order.number, 7 * 10**9)
    assert repr(made.kernel.sink.parents) == "Parents of 0 orders"


def test_no_slice_is_sent_while_the_cancel_of_one_is_on_its_way() -> None:
    """Slices are due every two minutes; the cancel, sent in the second, takes three to arrive."""
    flat = (100, 100, 100, 100)
    steps = {
        0: lambda s: s.buy(SYMBOL, 100, limit_price=99, algorithm=TWAP("10m", slices=5)),
        1: lambda s: s.cancel(s.made[0]),
    }
    made = play([flat] * 20, steps, latency="3m")
    assert made.statuses == ["CANCELED", "CANCELED"]
    assert made.fills == []
    assert repr(made.kernel.sink.parents) == "Parents of 0 orders"


@pytest.mark.parametrize("when", ["ending", "ended"])
def test_a_part_of_an_order_that_ends_is_refused(when: str) -> None:
    made = rig()
    order = worked(made)
    child = sent(made, order, 30)
    order.strategy.cancel(order)
    made.settle()
    if when == "ended":
        made.answer("cancel", child)
    before = len(made.kernel.cache.orders_open())
    with pytest.raises(OrderError, match=f"order {order.client_order_id} has ended or is being"):
        order.algorithm.send(10)
    made.settle()
    assert made.venue.submitted == [child]
    assert len(made.kernel.cache.orders_open()) == before


def test_what_is_left_is_what_neither_filled_nor_works() -> None:
    made = rig()
    order = worked(made)
    one, other = sent(made, order, 30), sent(made, order, 50)
    algorithm = order.algorithm
    assert (algorithm.remaining, algorithm.sent, algorithm.children) == (20, 80, [one, other])
    made.fill(one, 10)
    assert (algorithm.remaining, algorithm.sent, order.filled_quantity) == (20, 80, 10)
    made.answer("cancel", one)
    assert (algorithm.remaining, algorithm.sent, algorithm.children) == (40, 60, [other])
    made.fill(other)
    assert (algorithm.remaining, algorithm.sent, order.filled_quantity) == (40, 60, 60)
    assert algorithm.heard == [
        ("fill", one.client_order_id), ("end", one.client_order_id), ("fill", other.client_order_id)
    ]  # fmt: skip
    with pytest.raises(OrderError, match=r"41 of bt-1 are to be sent, and 40 are left"):
        algorithm.send(41)
    last = sent(made, order, 40)
    made.fill(last)
    assert (order.status, order.filled_quantity) == ("FILLED", 100)
    assert working(made) == (100, 0)


def test_a_fill_after_the_end_of_a_part_is_money_and_no_second_fill_of_what_is_left() -> None:
    made = rig()
    order = worked(made)
    child = sent(made, order, 30)
    made.fill(child, 10)
    made.answer("cancel", child)
    assert order.algorithm.remaining == 90
    made.fill(child, 5)
    assert (order.algorithm.remaining, order.filled_quantity) == (85, 15)
    assert working(made) == (15, 1)
    # Of an order that has ended too.
    order.strategy.cancel(order)
    made.settle()
    assert order.status == "CANCELED"
    made.fill(child, 5)
    assert (order.status, order.filled_quantity) == ("CANCELED", 20)
    assert working(made) == (20, 0)


def test_late_fills_fill_no_more_than_was_ordered() -> None:
    made = rig()
    order = worked(made, 30)
    child = sent(made, order, 30)
    made.answer("cancel", child)
    again = sent(made, order, 30)
    made.fill(child, 20)
    made.fill(again)
    assert (order.status, order.filled_quantity) == ("FILLED", 30)
    assert order.average_price == 100
    assert working(made) == (50, 0)


def test_a_part_that_became_smaller_gives_back_the_rest() -> None:
    """What was taken off it counted as working for ever."""
    made = rig()
    order = worked(made)
    child = sent(made, order, 30, limit_price=99)
    made.answer("accept", child)
    assert made.modify(child, quantity=20)
    made.answer("modified", child, quantity=20)
    assert order.algorithm.remaining == 80
    made.fill(child)
    assert (order.algorithm.remaining, order.filled_quantity) == (80, 20)


def test_a_part_cannot_become_larger() -> None:
    """It would fill beyond its order."""
    made = rig()
    order = worked(made)
    child = sent(made, order, 30, limit_price=99)
    made.answer("accept", child)
    with pytest.raises(OrderError, match=r"quantity is 30\.5.*no more than the 30"):
        made.modify(child, quantity=30.5)
    assert made.modify(child, limit_price=98)


def test_withdrawing_cancels_every_part_and_ends_with_the_last() -> None:
    made = rig()
    order = worked(made)
    parts = [sent(made, order, 10, limit_price=99) for _ in range(3)]
    order.algorithm.finish("enough")
    made.settle()
    assert made.venue.withdrawn == parts
    order.algorithm.finish("again")
    made.settle()
    assert made.venue.withdrawn == parts
    for part in parts:
        assert order.status == "EMULATED"
        made.answer("cancel", part)
    assert (order.status, order.reason) == ("CANCELED", "enough")
    # An end is no news to what has ended.
    assert order.algorithm.heard == []
    assert order.algorithm.children == []
    order.algorithm.finish("late")
    assert order.reason == "enough"


def test_a_part_that_fills_while_the_order_is_withdrawn_is_not_told_to_the_algorithm() -> None:
    made = rig()
    order = worked(made)
    child = sent(made, order, 10, limit_price=99)
    order.algorithm.finish("enough")
    made.settle()
    made.fill(child)
    assert (order.status, order.filled_quantity, order.reason) == ("CANCELED", 10, "enough")
    assert order.algorithm.heard == []


def test_an_iceberg_that_fills_shows_the_next_part() -> None:
    made = rig()
    order = made.order("buy", 25, limit_price=99, algorithm=Iceberg(10))
    for quantity in (10, 10, 5):
        part = made.venue.submitted[-1]
        assert (part.quantity, part.limit_price, part.origin) == (quantity, 99, order)
        made.fill(part, 4, price=99)
        assert made.venue.submitted[-1] is part
        made.fill(part, price=99)
    assert (order.status, len(made.venue.submitted)) == ("FILLED", 3)
    assert repr(made.kernel.sink.parents) == "Parents of 0 orders"


@pytest.mark.parametrize(("away", "parts"), [("12m", [10, 20]), ("29m", [10, 50]), ("30m", [10])])
def test_a_schedule_goes_on_with_the_slice_that_runs_after_a_time_without_timers(
    away: str, parts: list[float]
) -> None:
    """The next slice was to begin in the past: that halted strategies of a node that was down."""
    made = rig()
    order = made.order("buy", 60, algorithm=TWAP("30m", slices=6))
    made.fill(made.venue.submitted[-1])
    made.wait(away)
    assert [part.quantity for part in made.venue.submitted] == parts
    assert order.status == ("CANCELED" if away == "30m" else "EMULATED")

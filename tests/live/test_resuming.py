"""What is changed in a core between a run that was cut off and the one that goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.live.core.node import NodeCore
from pyrt.live.core.restore import is_canceling, order_state, position_state
from pyrt.live.driver.resuming import encode_states, go_on_with, part_with, settle_with
from pyrt.live.journal import records as r
from pyrt.risk import Limits, RiskEngine
from tests.live.cores import NOW, SECOND, Wire, core_of, trade


class One(Strategy):
    """Does what the test does for it, and counts what its timer does."""

    def on_start(self) -> None:
        self.set_timer("often", "10s")
        self.called = 0
        self.loaded: list[Any] = []

    def on_timer(self, event: Any) -> None:
        self.called += 1

    def on_load(self, state: Any) -> None:
        self.loaded.append(state)


class Two(One):
    """Is another."""


def made() -> tuple[NodeCore, Wire]:
    """Return a core of two whose gate lets each hold ten of a symbol."""
    return core_of(RiskEngine(Limits(max_position_quantity=10)), [One(), Two()])


def rests(core: NodeCore, *, number: int = 0, symbol: str = "SPY", quantity: int = 1) -> Any:
    """Let a strategy's buy rest at the broker; return it."""
    order = core.kernel.strategies[number].buy(symbol, quantity, limit_price=90)
    core.inputs.settle()
    core.inputs.order_event("accepted", order.number, NOW)
    core.inputs.settle()
    return order


def part(
    core: NodeCore, *, prefix: str = "q-", orders: Sequence[r.OrderState] = (),
    unsent: Sequence[int] = (), uncanceled: Sequence[int] = (),
) -> None:  # fmt: skip
    part_with(
        core, prefix=prefix, orders=encode_states(orders), unsent=unsent, uncanceled=uncanceled
    )


def settle(
    core: NodeCore, *, positions: Sequence[r.PositionState] = (), risk: bytes = b"",
    saves: dict[str, bytes] | None = None, halted: dict[str, str] | None = None,
    changing: Sequence[r.OrderState] = (),
) -> None:  # fmt: skip
    settle_with(
        core, positions=encode_states(positions), risk=risk, saves=saves or {},
        halted=halted or {}, changing=encode_states(changing) if changing else b"",
    )  # fmt: skip


def most(core: NodeCore) -> int:
    """Return the largest quantity that the gate would let the first strategy buy at a hundred."""
    terms = {"symbol": "SPY", "side": "buy", "limit_price": 100}
    validate = core.kernel.strategies[0].validate
    allowed = (n for n in range(1, 12) if not validate({**terms, "quantity": n}).code)
    return max(allowed, default=0)


# -- parting with the run before -------------------------------------------------------------------


def test_no_timer_fires_between_the_two_and_what_was_due_fires_once():
    core, _ = made()
    (one, _) = core.kernel.strategies
    part(core)
    core.inputs.advance(NOW + 35 * SECOND)
    core.fire_timers()
    assert one.called == 0
    go_on_with(core)
    core.inputs.advance(NOW + 39 * SECOND)
    assert one.called == 1
    core.inputs.advance(NOW + 41 * SECOND)
    assert one.called == 2


def test_what_a_handler_had_asked_for_and_was_not_sent_is_forgotten():
    core, wire = made()
    order = core.kernel.strategies[0].buy("SPY", 1)
    part(core)
    core.inputs.settle()
    assert wire.take() == []
    assert order.status == "INITIALIZED"


def test_ids_begin_otherwise_from_then_on_and_what_has_not_left_gives_its_own_up():
    core, _ = made()
    sent, gone = rests(core), core.kernel.strategies[0].buy("SPY", 1)
    assert (sent.client_order_id, gone.client_order_id) == ("t-1", "t-2")
    part(core, unsent=[gone.number])
    later = core.kernel.strategies[0].buy("SPY", 1)
    names = [each.client_order_id for each in (sent, gone, later)]
    assert names == ["t-1", "t-2-unsent", "q-3"]


def test_a_cancel_that_is_not_to_be_repeated_and_every_change_is_forgotten():
    core, _ = made()
    orders = [rests(core) for _ in range(3)]
    (one, _) = core.kernel.strategies
    one.cancel(orders[0])
    one.cancel(orders[1])
    one.modify(orders[2], limit_price=91)
    core.inputs.settle()
    assert [order.is_pending for order in orders] == [True] * 3
    part(core, uncanceled=[orders[1].number])
    assert [is_canceling(order) for order in orders] == [True, False, False]
    assert [order.is_pending for order in orders] == [True, False, False]


def test_orders_that_the_journal_alone_has_come_back():
    other, _ = made()
    state = order_state(rests(other, number=1, quantity=3))
    core, _ = made()
    part(core, orders=[state])
    (order,) = core.kernel.cache.orders_open()
    assert (order.client_order_id, order.strategy.name, order.quantity) == ("t-1", "Two", 3)


# -- going on --------------------------------------------------------------------------------------


def test_of_orders_on_their_way_out_those_that_have_not_left_leave_under_ids_of_this_run():
    core, wire = made()
    sent = rests(core)
    waits = core.kernel.strategies[0].buy("SPY", 1)
    part(core)
    wire.take()
    go_on_with(core, [sent.number, waits.number, 77])
    core.inputs.settle()
    assert wire.take() == [("submit", waits.number)]
    assert (sent.client_order_id, waits.client_order_id) == ("t-1", "q-2")
    assert (sent.status, waits.status) == ("ACCEPTED", "SENT")


# -- what the journal knows better -----------------------------------------------------------------


@pytest.mark.parametrize(
    "limits", [Limits(max_position_quantity=10), Limits(max_gross_exposure=1000)]
)
def test_holdings_that_came_out_otherwise_are_those_of_the_record_and_the_gate_counts_them(limits):
    other, _ = made()
    trade(other, 0, "buy", "SPY", 4, 100)
    (position,) = other.kernel.cache.positions()
    core, _ = core_of(RiskEngine(limits), [One(), Two()])
    order = core.kernel.strategies[0].buy("SPY", 7, limit_price=100)
    core.inputs.settle()
    core.inputs.fill(order.number, NOW, 7, 100, 7)
    core.inputs.settle()
    assert most(core) == 3
    settle(core, positions=[position_state(position, "One")])
    assert core.kernel.strategies[0].position("SPY").quantity == 4
    assert most(core) == 6


@pytest.mark.parametrize("is_given", [False, True])
def test_risk_goes_on_from_the_record_where_that_is_given(is_given):
    other, _ = made()
    other.kernel.gate.set_state("halted", "anna", "odd", symbol="QQQ")
    core, _ = made()
    settle(core, risk=r.ENCODER.encode(other.kernel.gate.save()) if is_given else b"")
    assert core.kernel.gate.state(symbol="QQQ").name == ("HALTED" if is_given else "ACTIVE")


def test_the_gate_counts_orders_that_the_journal_alone_has():
    other, _ = made()
    state = order_state(rests(other, quantity=3))
    core, _ = made()
    part(core, orders=[state])
    settle(core)
    assert most(core) == 7


@pytest.mark.parametrize(("is_asked", "left"), [(False, 8), (True, 1)])
def test_the_gate_counts_what_changes_may_come_to_that_nobody_has_answered(is_asked, left):
    core, _ = made()
    state = order_state(rests(core, quantity=2))
    changed = msgspec.structs.replace(state, changes=1, asked=("9", "", ""))
    settle(core, changing=[changed] if is_asked else [])
    assert most(core) == left


def test_saves_are_given_to_those_that_have_one_and_are_not_halted():
    core, _ = made()
    one, two = core.kernel.strategies
    saved = r.ENCODER.encode({"seen": 3})
    settle(core, saves={"One": saved, "gone": saved})
    assert (one.loaded, two.loaded) == ([{"seen": 3}], [])
    settle(core, saves={"One": saved, "Two": saved}, halted={"Two": "it came to other orders"})
    assert (one.loaded, two.loaded) == ([{"seen": 3}] * 2, [])
    assert (one.running, two.running) == (True, False)
    assert two.stop_reason == "it came to other orders"
    (error,) = core.kernel.errors
    assert (error.message, error.values) == ("it came to other orders", {"strategy": "Two"})
    # No handler is called of one that was stopped before.
    settle(core, saves={"Two": saved})
    assert two.loaded == []

"""An order to a target leaves when what it counts on has been answered, for what is left then."""

from __future__ import annotations

import pytest

from pyrt.core.instruments import Instrument
from pyrt.execution.schedules import TWAP
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


@pytest.fixture
def rig() -> GateRig:
    return GateRig(RiskEngine(Limits()), prices=100)


def bought(rig: GateRig, quantity: float = 10):
    entry = rig.order("buy", quantity)
    rig.answer("accept", entry)
    rig.fill(entry)
    return entry


def close(rig: GateRig):
    order = rig.kernel.strategies[0].close("AAA")
    rig.settle()
    return order


def stop(rig: GateRig, quantity: float = 10):
    order = rig.order("sell", quantity, stop_price=90)
    rig.answer("accept", order)
    return order


def test_a_close_leaves_when_the_exit_that_holds_the_shares_is_canceled(rig):
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    assert rig.venue.withdrawn == [exit_]
    assert order not in rig.venue.submitted
    assert order.status == "INITIALIZED"
    rig.answer("cancel", exit_)
    assert rig.venue.submitted[-1] is order
    assert (order.status, order.quantity) == ("SENT", 10)


def test_what_the_exit_has_filled_meanwhile_is_not_sold_again(rig):
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    rig.fill(exit_, 7)
    assert order not in rig.venue.submitted
    rig.answer("cancel", exit_)
    assert (order.status, order.quantity) == ("SENT", 3)


def test_an_exit_that_has_filled_leaves_nothing_to_close(rig):
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    rig.fill(exit_)
    assert order.status == "DENIED"
    assert order.reason.startswith("target: nothing is left to trade")
    assert rig.kernel.strategies[0].position("AAA").is_flat


def test_a_cancel_of_unknown_outcome_keeps_the_close_waiting(rig):
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    rig.answer("unknown", exit_)
    assert order.status == "INITIALIZED"
    rig.answer("cancel", exit_)
    assert order.status == "SENT"


def test_a_close_waits_for_an_entry_on_its_way_and_not_for_its_fill(rig):
    bought(rig)
    entry = rig.order("buy", 5)
    order = close(rig)
    assert order.status == "INITIALIZED"
    rig.answer("accept", entry)
    assert (order.status, order.quantity) == ("SENT", 15)


def test_an_entry_that_is_refused_is_not_sold(rig):
    bought(rig)
    entry = rig.order("buy", 5)
    order = close(rig)
    rig.answer("reject", entry)
    assert (order.status, order.quantity) == ("SENT", 10)


def test_a_close_of_a_refused_entry_alone_does_not_open_a_short(rig):
    entry = rig.order("buy", 5)
    order = close(rig)
    rig.answer("reject", entry)
    assert order.status == "DENIED"
    assert rig.venue.submitted == [entry]


def test_targets_wait_for_one_another(rig):
    bought(rig)
    exit_ = stop(rig)
    first = close(rig)
    second = rig.kernel.strategies[0].target_position("AAA", 4)
    rig.settle()
    assert (first.status, second.status) == ("INITIALIZED", "INITIALIZED")
    rig.answer("cancel", exit_)
    assert (first.status, second.status) == ("SENT", "INITIALIZED")
    rig.answer("accept", first)
    assert (second.side.name, second.quantity, second.status) == ("BUY", 4, "SENT")


def test_what_waits_may_be_canceled_and_not_be_changed(rig):
    bought(rig)
    stop(rig)
    order = close(rig)
    strategy = rig.kernel.strategies[0]
    strategy.modify(order, quantity=4)
    rig.settle()
    assert (order.status, order.quantity) == ("INITIALIZED", 10)
    strategy.cancel(order)
    rig.settle()
    assert (order.status, order.reason) == ("DENIED", "canceled: it had not left yet")
    assert rig.venue.changed == []
    assert strategy.position("AAA").working_quantity == -10


def test_a_close_with_nothing_before_it_leaves_at_once(rig):
    bought(rig)
    assert close(rig).status == "SENT"


def test_a_way_out_does_not_wait_for_ever(rig):
    bought(rig)
    stop(rig)
    order = close(rig)
    rig.wait("9900ms")
    assert order.status == "INITIALIZED"
    rig.wait("100ms")
    assert order.status == "SENT"


def guarded_entry(rig: GateRig):
    """Hold ten behind a stop, close them and enter the other side; nothing is answered yet."""
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    entry = rig.order("sell", 10, stop_loss=110, take_profit=80)
    rig.settle()
    return exit_, order, entry


def family(entry) -> set[str]:
    return {each.status for each in (entry, entry.take_profit, entry.stop_loss)}


def test_an_entry_with_exits_after_a_close_that_waits_comes_behind_it(rig):
    """It overtook the close, which found nothing left to close: the entry had lost its exits."""
    exit_, order, entry = guarded_entry(rig)
    assert family(entry) == {"INITIALIZED"}
    assert entry not in rig.venue.submitted
    rig.answer("cancel", exit_)
    assert rig.venue.submitted[-2:] == [order, entry]
    assert family(entry) == {"SENT"}


def test_on_the_side_that_is_held_it_does_not_wait(rig):
    bought(rig)
    stop(rig)
    close(rig)
    assert rig.order("buy", 5, stop_loss=80).status == "SENT"


def test_an_entry_that_waits_goes_with_its_exits_when_it_is_canceled(rig):
    exit_, order, entry = guarded_entry(rig)
    rig.kernel.strategies[0].cancel(entry)
    rig.settle()
    assert family(entry) == {"DENIED"}
    rig.answer("cancel", exit_)
    assert rig.venue.submitted[-1] is order
    assert rig.kernel.cache.orders_open() == [order]


def test_an_exit_of_an_entry_that_waits_is_canceled_behind_it(rig):
    exit_, _, entry = guarded_entry(rig)
    rig.kernel.strategies[0].cancel(entry.take_profit)
    rig.settle()
    assert family(entry) == {"INITIALIZED"}
    rig.answer("cancel", exit_)
    assert family(entry) == {"SENT"}
    assert rig.venue.withdrawn == [exit_, entry.take_profit]


@pytest.mark.parametrize("again", ["close", "target_position"])
def test_a_second_close_ends_what_has_not_left(rig, again):
    """It bought back what had not been sold yet, and left the other way round what was flat."""
    exit_, order, entry = guarded_entry(rig)
    wanted = () if again == "close" else (0,)
    assert getattr(rig.kernel.strategies[0], again)("AAA", *wanted) is None
    rig.answer("cancel", exit_)
    assert rig.venue.submitted[-1] is order
    assert family(entry) == {"DENIED"}


def test_what_undoes_an_entry_that_has_not_left_waits_for_it_however_long(rig):
    _, _, entry = guarded_entry(rig)
    rig.wait("9s")
    target = rig.kernel.strategies[0].target_position("AAA", 4)
    rig.settle()
    # The way out is not held back for longer than ten seconds, and the others come behind it.
    rig.wait("2s")
    assert [each.status for each in (entry, target)] == ["SENT", "INITIALIZED"]
    rig.answer("accept", entry)
    rig.wait("10s")
    assert (target.status, target.side.name, target.quantity) == ("SENT", "BUY", 14)


def test_an_exit_that_is_canceled_as_the_wait_ends_is_canceled_behind_its_entry(rig):
    """It was denied alone, and its entry then could not be sent."""
    exit_, order, entry = guarded_entry(rig)
    strategy = rig.kernel.strategies[0]
    rig.fill(exit_, settles=False)
    strategy.cancel(entry.take_profit)
    rig.settle()
    assert order.status == "DENIED"
    assert rig.venue.submitted[-1] is entry
    assert family(entry) == {"SENT"}
    assert entry.take_profit in rig.venue.withdrawn


def test_a_plain_order_waits_behind_a_close_too(rig):
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    entry = rig.order("sell", 50)
    assert entry.status == "INITIALIZED"
    rig.answer("cancel", exit_)
    assert rig.venue.submitted[-2:] == [order, entry]
    assert (order.quantity, entry.quantity) == (10, 50)


@pytest.mark.parametrize("by_close", [True, False])
def test_an_order_that_an_algorithm_is_to_work_can_be_canceled_while_it_waits(rig, by_close):
    """Nobody works it yet: the cancel looked for those who do, and ended the run."""
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    entry = rig.order("sell", 6, algorithm=TWAP("30m", slices=3))
    assert entry.status == "INITIALIZED"
    if by_close:
        close(rig)
    else:
        rig.cancel(entry)
    assert (entry.status, entry.reason) == ("DENIED", "canceled: it had not left yet")
    rig.answer("cancel", exit_)
    assert rig.venue.submitted[-1] is order


def test_a_limit_order_with_exits_is_no_way_out_and_ends_with_its_strategy(rig):
    """It was taken for one, outlived its strategy, and opened the other side."""
    bought(rig)
    exit_ = stop(rig)
    order = close(rig)
    entry = rig.order("sell", 10, limit_price=120, stop_loss=130)
    rig.gate.set_state("REDUCING", actor="test", reason="test")
    rig.answer("cancel", exit_)
    assert order.status == "SENT"
    assert entry.status == entry.stop_loss.status == "DENIED"


@pytest.mark.parametrize(("new", "old", "expected"), [
    (2, 1, (20, 20, 40, 55)), (1, 2, (5, 5, 160, 220)), (3, 1, (30, 30, 26.66, 36.67)),
])  # fmt: skip
def test_a_split_restates_what_waits(new, old, expected):
    made = GateRig(
        RiskEngine(Limits()), prices=100, symbols=[Instrument("AAA", tick_size="0.01")]
    )  # fmt: skip
    exit_, order, entry = guarded_entry(made)
    made.split(new, old)
    assert (
        order.quantity, entry.quantity, entry.take_profit.limit_price, entry.stop_loss.stop_price,
    ) == expected  # fmt: skip
    assert entry.stop_loss.quantity == entry.take_profit.quantity == expected[1]
    made.answer("cancel", exit_)
    assert made.venue.submitted[-2:] == [order, entry]


def test_of_what_waits_a_split_may_leave_nothing():
    made = GateRig(RiskEngine(Limits()), prices=100, symbols=[Instrument("AAA", step_size=1)])
    bought(made)
    stop(made)
    close(made)
    entry = made.order("sell", 3, stop_loss=110)
    made.split(1, 5)
    assert entry.status == entry.stop_loss.status == "DENIED"
    assert entry.reason == "split: nothing of the quantity is left"


@pytest.mark.parametrize("close_by", ["close", "target_position", "target_percent"])
def test_in_a_halt_a_close_leaves_what_guards(rig, close_by):
    bought(rig)
    exit_ = stop(rig)
    rig.gate.set_state("HALTED", actor="test", reason="test")
    wanted = () if close_by == "close" else (0,)
    entry = rig.order("buy", 1, limit_price=95)
    order = getattr(rig.kernel.strategies[0], close_by)("AAA", *wanted)
    again = rig.kernel.strategies[0].close("AAA")
    rig.settle()
    assert entry.is_closed
    assert again is None
    assert order.reason.startswith("trading_state: HALTED")
    assert (exit_.status, rig.venue.withdrawn) == ("ACCEPTED", [])

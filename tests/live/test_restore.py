"""Holdings and orders put back into a kernel, and what a run that goes on drops of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from pyrt.core.positions import Position
from pyrt.core.records import TRIP_DTYPE
from pyrt.core.types import Side
from pyrt.errors import JournalError
from pyrt.live.core import restore
from pyrt.live.journal.records import OrderState, PositionState
from pyrt.risk.gate import BasicGate
from pyrt.testing.gates import GateRig

E9, E18 = 10**9, 10**18


def rig(strategies: int = 2) -> GateRig:
    """A kernel with strategies A and B, the symbols AAA and BBB, and 1,000,000 in cash."""
    return GateRig(BasicGate(), symbols=("AAA", "BBB"), prices=100, strategies=strategies)


def held(strategy: str = "A", symbol: str = "AAA", units: int = 10, **more: Any) -> PositionState:
    """A holding that has cost 90 a share, and stands at 95."""
    values = {
        "open_cost": str(units * 90 * E18), "realized": "0", "fees": "0", "mark": 95 * E9,
        "entered": str(abs(units) * 90 * E18),
    }  # fmt: skip
    return PositionState(strategy=strategy, symbol=symbol, units=units * E9, **{**values, **more})


def position(made: GateRig, strategy: int = 0, symbol: str = "AAA") -> Position:
    return made.kernel.strategies[strategy].position(symbol)


def trips(made: GateRig) -> list[tuple[float, float, float, int]]:
    """Round trips: quantity, what it was entered for, profit, side."""
    rows = np.frombuffer(made.kernel.records.trips.tobytes(), TRIP_DTYPE)

    def money(row: Any, name: str) -> float:
        return float(Decimal((int(row[f"{name}_high"]) << 64) + int(row[f"{name}_low"])) / E18)

    return [
        (row["quantity"] / E9, money(row, "entry_notional"), money(row, "pnl"), int(row["side"]))
        for row in rows
    ]


# -- holdings --------------------------------------------------------------------------------------


def test_a_holding_comes_back_in_every_value_and_is_in_equity():
    made = rig()
    states = [
        held("A", units=10, realized=str(7 * E18), fees=str(3 * E18), entered=str(2_000 * E18)),
        held("B", units=-4, realized=str(-5 * E18)),
        held("B", "BBB", units=2, mark=50 * E9),
    ]
    restore.restore_positions(made.kernel, states)
    found = [
        restore.position_state(position(made, owner, state.symbol), state.strategy)
        for owner, state in zip((0, 1, 1), states, strict=True)
    ]
    assert found == states
    # Cash does not change; six AAA at 95 in all and two BBB at 50 do count.
    assert made.kernel.account.cash == 1_000_000
    assert made.kernel.account.equity == 1_000_000 + 6 * 95 + 2 * 50


def test_only_what_is_held_has_to_have_an_owner_and_a_symbol():
    made = rig()
    gone = [held("Gone", units=0, realized=str(E18)), held("A", "GONE", units=0)]
    restore.restore_positions(made.kernel, gone)
    kept = held("A", units=0, open_cost="0", realized=str(E18))
    restore.restore_positions(made.kernel, [kept])
    assert position(made).realized_pnl == 1
    for state, name in ((held("Gone"), "Gone"), (held("A", "GONE"), "GONE")):
        with pytest.raises(JournalError, match=f"{name}, which is not") as caught:
            restore.restore_positions(made.kernel, [state])
        assert caught.value.code == "orphan"
        assert name in caught.value.values.values()
        assert caught.value.remedy


@pytest.mark.parametrize(("units", "profit"), [(10, 100), (-10, -100)])
def test_a_round_trip_goes_on_from_what_is_held_at_its_cost(units, profit):
    made = rig()
    restore.restore_positions(made.kernel, [held(units=units)])
    assert trips(made) == []
    made.hold(-units, price=100)
    assert trips(made) == [(10, 900, profit, 1 if units > 0 else -1)]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_round_trip_of_the_least_there_is_goes_on_too(sign):
    made, least = rig(), Decimal("0.000000001")
    cost = str(sign * 90 * E9)
    restore.restore_positions(
        made.kernel, [PositionState(
            strategy="A", symbol="AAA", units=sign, open_cost=cost, realized="0", fees="0",
        )],
    )  # fmt: skip
    made.fill(made.order("sell" if sign > 0 else "buy", least), price=100)
    ((quantity, entry, _, side),) = trips(made)
    assert (quantity, entry, side) == (1e-9, 90e-9, sign)


def test_no_round_trip_begins_where_nothing_is_held():
    made = rig()
    restore.restore_positions(made.kernel, [held(units=0)])
    made.hold(3, price=100)
    made.hold(-3, price=101)
    assert trips(made) == [(3, 300, 3, 1)]


@pytest.mark.parametrize("units", [20, -20, 0])
def test_a_holding_is_replaced_in_place_of_what_is_there(units):
    made = rig()
    made.hold(10, price=100)
    made.hold(-4, price=110)
    made.hold(5, strategy=1, price=100)
    state = held(units=units)
    restore.replace_position(made.kernel, state)
    assert restore.position_state(position(made), "A") == state
    assert position(made, 1).quantity == 5
    account = made.kernel.account
    assert account.equity - account.cash == (units + 5) * 95


@pytest.mark.parametrize("units", [20, -20])
def test_what_a_replaced_holding_had_sold_before_is_not_of_its_round_trip(units):
    """Its exits and fees stayed, and were counted again when it was left."""
    made = rig()
    made.hold(10, price=100)
    made.hold(-4, price=110)
    restore.replace_position(made.kernel, held(units=units))
    made.hold(-units, price=91)
    assert trips(made) == [(20, 1_800, units, 1 if units > 0 else -1)]


def test_a_holding_that_was_replaced_by_none_leaves_no_round_trip_open():
    made = rig()
    made.hold(10, price=100)
    restore.replace_position(made.kernel, held(units=0, open_cost="0"))
    made.hold(3, price=100)
    made.hold(-3, price=101)
    assert trips(made) == [(3, 300, 3, 1)]


# -- orders ----------------------------------------------------------------------------------------


def state(name: str = "old-1", **more: Any) -> OrderState:
    values = {
        "strategy": "A", "symbol": "AAA", "side": "buy", "order_type": "limit", "quantity": "12",
        "time_in_force": "day", "status": "ACCEPTED", "limit_price": "99.5", "ts_init": 7,
    }  # fmt: skip
    return OrderState(client_order_id=name, **{**values, **more})


@pytest.mark.parametrize(
    ("terms", "name"), [({"strategy": "Gone"}, "Gone"), ({"symbol": "GONE"}, "GONE")]
)
def test_an_order_needs_its_strategy_and_its_symbol(terms, name):
    made = rig()
    with pytest.raises(JournalError, match=f"{name}, which is not") as caught:
        restore.restore_orders(made.kernel, [state(**terms)])
    assert caught.value.code == "orphan"
    assert made.kernel.cache.orders_open() == []


@pytest.mark.parametrize("status", ["INITIALIZED", "EMULATED", "RELEASED", "SENT", "HELD"])
def test_what_comes_back_has_left(status):
    (order,) = restore.restore_orders(rig().kernel, [state(status=status)])
    assert order.status == ("HELD" if status == "HELD" else "SENT")


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_what_is_left_of_an_order_that_comes_back_is_working(side, sign):
    made = rig()
    terms = {"side": side, "status": "PARTIALLY_FILLED", "filled": "5"}
    (order,) = restore.restore_orders(made.kernel, [state(**terms)])
    assert position(made).working_quantity == sign * 7
    assert made.kernel.cache.orders_open() == [order]


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_an_order_that_comes_back_fills_by_what_is_left_of_it(side, sign):
    made = rig()
    terms = {"side": side, "status": "PARTIALLY_FILLED", "filled": "5"}
    (order,) = restore.restore_orders(made.kernel, [state(**terms)])
    made.fill(order, price=99)
    assert (order.status, position(made).quantity) == ("FILLED", sign * 7)
    assert made.kernel.account.cash == 1_000_000 - sign * 7 * 99
    assert position(made).working_quantity == 0


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_side_is_in_doubt_while_a_submit_that_came_back_is(side):
    made = rig()
    restore.restore_orders(made.kernel, [state("old-1", side=side)])
    (lost,) = restore.restore_orders(
        made.kernel, [state("old-2", side=side, status="SENT", unknown="submit,modify")]
    )
    assert lost.is_unknown
    for other, is_barred in ((side, True), ("sell" if side == "buy" else "buy", False)):
        reason = made.order(other, 1).reason or ""
        assert reason.startswith("unknown_request") is is_barred, other
    made.answer("accept", lost)
    assert not lost.is_unknown
    assert made.order(side, 1).status == "SENT"


def test_an_unknown_change_or_cancel_leaves_no_doubt_about_the_order_itself():
    (order,) = restore.restore_orders(rig().kernel, [state(unknown="modify,cancel")])
    assert not order.is_unknown


def test_of_a_pair_without_an_answer_the_first_is_in_doubt_and_the_second_goes_with_it():
    pair = [
        state("old-1", status="SENT", unknown="submit", sibling="old-2", flags=("is_child",)),
        state("old-2", status="SENT", unknown="submit", sibling="old-1", flags=("is_child",)),
    ]
    first, second = restore.restore_orders(rig().kernel, pair)
    assert (first.is_unknown, second.is_unknown) == (True, False)
    assert (first.sibling, second.sibling) == (second, first)
    # Where our side keeps a pair, each has left by itself.
    kept = [msgspec.structs.replace(each, flags=("keeps_exits",)) for each in pair]
    assert [order.is_unknown for order in restore.restore_orders(rig().kernel, kept)] == [True] * 2


def exits(**more: Any) -> list[OrderState]:
    """The two exits of an entry whose own order has ended."""
    terms = {
        "side": "sell", "parent": "old-1", "flags": ("is_exit", "is_child"), "status": "HELD",
        **more,
    }  # fmt: skip
    return [
        state("old-2", sibling="old-3", limit_price="120", **terms),
        state(
            "old-3", sibling="old-2", order_type="stop", limit_price="", stop_price="80", **terms
        ),
    ]


@pytest.mark.parametrize(
    ("entry_filled", "expected"),
    [("4", 4), ("12", 12), ("", 12)],
    ids=["what it has filled", "all", "no less than its exits are for"],
)
def test_exits_of_an_entry_that_has_ended_share_what_is_left_of_it(entry_filled, expected):
    made = rig()
    profit, loss = restore.restore_orders(made.kernel, exits(entry_filled=entry_filled))
    entry = profit.parent
    assert entry is loss.parent
    assert entry is not None
    assert (entry.client_order_id, entry.status, entry.side) == ("old-1", "FILLED", Side.BUY)
    assert (entry.quantity, entry.filled_quantity) == (expected, expected)
    assert (entry.limit_price, entry.stop_price) == (None, None)
    assert (entry.trail_amount, entry.trail_percent) == (None, None)
    assert (entry.take_profit, entry.stop_loss) == (profit, loss)
    assert (entry.symbol, entry.strategy) == ("AAA", profit.strategy)
    assert entry not in made.kernel.cache.orders_open()
    assert restore.position_of(entry) is restore.position_of(profit)
    # Written down once more, the exits say the same of it.
    assert {restore.order_state(exit_).entry_filled for exit_ in (profit, loss)} == {f"{expected}"}


def test_exits_of_several_ended_entries_are_not_mixed_up():
    found = restore.restore_orders(
        rig().kernel,
        [
            *exits(entry_filled="12"),
            state("old-5", side="sell", parent="old-4", entry_filled="3", quantity="3"),
        ],
    )
    assert [exit_.parent.quantity for exit_ in found] == [12, 12, 3]
    assert [exit_.parent.client_order_id for exit_ in found] == ["old-1", "old-1", "old-4"]


def test_an_entry_that_is_open_keeps_its_exits_whatever_they_say():
    entry, profit, loss = restore.restore_orders(
        rig().kernel, [state("old-1", quantity="5"), *exits()]
    )
    assert profit.parent is entry
    assert loss.parent is entry
    assert (entry.take_profit, entry.stop_loss, entry.quantity) == (profit, loss, 5)
    assert restore.order_state(profit).entry_filled == ""


# -- what an order is written as -------------------------------------------------------------------


def test_what_was_asked_for_and_not_answered_is_written_down():
    made = rig()
    order = made.order("buy", 5, limit_price=90)
    assert restore.order_state(order).unknown == "submit"
    assert restore.is_in_doubt(order)
    made.answer("accept", order)
    assert restore.order_state(order).unknown == ""
    assert not restore.is_in_doubt(order)
    made.modify(order, quantity=6)
    made.cancel(order)
    written = restore.order_state(order)
    assert (written.unknown, written.cancel_wanted) == ("modify,cancel", True)
    assert restore.is_canceling(order)
    made.answer("unknown", order)
    assert restore.order_state(order).cancel_wanted
    assert restore.is_canceling(order)
    made.answer("cancel_rejected", order)
    assert not restore.is_canceling(order)
    made.cancel(order)
    made.answer("cancel", order)
    ended = restore.order_state(order)
    assert (ended.unknown, ended.cancel_wanted, ended.status) == ("", False, "CANCELED")


def test_an_order_that_another_brings_is_in_doubt_with_that_one_alone():
    made = rig()
    entry = made.order("buy", 5, limit_price=90, take_profit=110, stop_loss=80)
    assert restore.is_in_doubt(entry)
    assert not restore.is_in_doubt(entry.take_profit)
    assert not restore.is_in_doubt(entry.stop_loss)
    made.hold(2, symbol="BBB")
    first = made.order("sell", 2, symbol="BBB", oco=True, take_profit=110, stop_loss=80)
    assert restore.is_in_doubt(first)
    assert not restore.is_in_doubt(first.sibling)


# -- what a run that goes on drops -----------------------------------------------------------------


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("doubts", [("modify",), ("submit", "modify"), ("cancel", "modify"), ()])
def test_a_change_that_is_dropped_leaves_the_order_in_doubt_of_the_rest(side, doubts):
    made = rig()
    order = made.order(side, 5, limit_price=90)
    if "submit" in doubts:
        made.answer("unknown", order)
    else:
        made.answer("accept", order)
    made.modify(order, quantity=6)
    if "cancel" in doubts:
        made.cancel(order)
        made.answer("unknown", order)
    if "modify" in doubts:
        made.answer("unknown", order)
    restore.drop_change(order)
    rest = [doubt for doubt in doubts if doubt != "modify"]
    assert order.is_unknown is bool(rest)
    assert "modify" not in restore.order_state(order).unknown
    for other in ("buy", "sell"):
        reason = made.order(other, 1, symbol="AAA").reason or ""
        assert reason.startswith("unknown_request") is (bool(rest) and other == side), other


def test_a_change_that_was_answered_is_left_alone():
    made = rig()
    order = made.order("buy", 5, limit_price=90)
    made.answer("accept", order)
    restore.drop_change(order)
    made.modify(order, quantity=6)
    made.answer("modified", order, quantity=6)
    restore.drop_change(order)
    assert (order.quantity, order.status, order.is_pending) == (6, "ACCEPTED", False)


def test_a_cancel_that_never_left_is_dropped_and_one_in_doubt_is_not():
    made = rig()
    order = made.order("buy", 5, limit_price=90)
    made.answer("accept", order)
    made.cancel(order)
    restore.drop_cancel(order)
    assert not restore.is_canceling(order)
    assert made.cancel(order), "it can be asked for again"
    made.answer("unknown", order)
    restore.drop_cancel(order)
    assert restore.is_canceling(order)


def test_ids_begin_otherwise_from_the_change_of_the_prefix_on():
    made = rig()
    before = made.order("buy", 1)
    restore.take_prefix(made.kernel, "two-")
    after = made.order("buy", 1)
    assert before.client_order_id == "bt-1"
    assert after.client_order_id == "two-2"
    restore.rename_order(before, "another")
    assert before.client_order_id == "another"
    assert after.client_order_id == "two-2"


def test_an_order_that_is_sent_again_leaves_under_an_id_of_this_run():
    made = rig()
    order = made.draft("buy", 3)
    restore.drop_commands(made.kernel)
    made.settle()
    assert made.venue.submitted == []
    restore.take_prefix(made.kernel, "two-")
    restore.send_again(made.kernel, order)
    made.settle()
    assert [each.client_order_id for each in made.venue.submitted] == ["two-1"]


def closing(made: GateRig) -> Any:
    """A close of ten held, which waits for the cancel of a stop before it."""
    made.hold(10)
    stop = made.order("sell", 10, stop_price=80)
    made.answer("accept", stop)
    return made.close()


def test_commands_that_wait_are_dropped_whatever_they_wait_for():
    made = rig()
    close = closing(made)
    assert close.status == "INITIALIZED"
    drafted = made.draft("buy", 1, symbol="BBB", take_profit=110, stop_loss=80)
    legs = (drafted.take_profit, drafted.stop_loss)
    # Brackets and pairs leave together; a cancel is no order.
    waiting = [drafted.number, *(leg.number for leg in legs), close.number]
    assert restore.waiting_submits(made.kernel) == waiting
    before = len(made.venue.submitted)
    restore.drop_commands(made.kernel)
    assert restore.waiting_submits(made.kernel) == []
    made.wait("10m")
    made.settle()
    assert len(made.venue.submitted) == before


def test_the_second_of_a_pair_waits_with_the_first_and_what_has_left_does_not():
    made = rig()
    made.hold(2)
    first = made.draft("sell", 2, oco=True, take_profit=110, stop_loss=80)
    assert restore.waiting_submits(made.kernel) == [first.number, first.sibling.number]
    made.settle()
    assert restore.waiting_submits(made.kernel) == []


def test_only_a_close_that_has_not_left_is_a_way_out():
    made = rig()
    close = closing(made)
    made.draft("buy", 1)
    part = made.kernel.strategies[1].target_position("BBB", 5)
    assert restore.ways_out(made.kernel) == [close.number]
    assert part.status == "INITIALIZED"
    made.cancel(close)
    assert restore.ways_out(made.kernel) == []

"""The desk: what it says to a strategy, and that nothing of what it refuses is half done."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pyrt.errors import ConfigError, OrderError
from pyrt.execution import ExecutionAlgorithm
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, play

FLAT = (100, 100, 100, 100)
LIMIT = {"limit_price": 90}


def rig(**options: Any) -> Any:
    return GateRig(RiskEngine(), **{"prices": 100, "account": "margin", **options})


def untouched(made: GateRig, order: Any = None) -> bool:
    """Whether nothing waits, works or was counted but the order given."""
    open_orders = made.kernel.cache.orders_open()
    return (
        made.kernel.desk.commands == []
        and open_orders == ([] if order is None else [order])
        and (order is None or not order.is_pending)
    )


# -- changes -------------------------------------------------------------------------------------

TRAIL = {"trail_percent": 2}
# fmt: off
WRONG_CHANGES = [
    (LIMIT, {}, "cannot change nothing; expected some of limit_price, quantity, stop_price, "
                "trail_amount, trail_percent"),
    (LIMIT, {"tag": "x", "side": "sell"}, "cannot change 'side'; expected some of limit_price"),
    (LIMIT, {"quantity": 0}, "quantity is 0; expected more than the 0 filled (cancel the order"),
    (LIMIT, {"quantity": -4}, "quantity is -4; expected more than the 0 filled"),
    (LIMIT, {"quantity": math.nan}, "quantity is nan; expected a number, at most 9.22e+09"),
    (LIMIT, {"quantity": 1e10}, "quantity is 10000000000.0; expected a number, at most 9.22e+09"),
    (LIMIT, {"limit_price": 0}, "limit_price is 0; expected a positive price"),
    (LIMIT, {"limit_price": math.inf}, "limit_price is inf; expected a positive price"),
    (LIMIT, {"stop_price": 95}, "a limit order has no stop_price to change"),
    (LIMIT, {"trail_amount": 1}, "a limit order has no trail_amount to change"),
    (LIMIT, {"trail_percent": 1}, "a limit order has no trail_percent to change"),
    ({"stop_price": 110}, {"limit_price": 95}, "a stop order has no limit_price to change"),
    ({"stop_price": 110}, {"stop_price": -1}, "stop_price is -1; expected a positive price"),
    (TRAIL, {"trail_amount": 1}, "a trailing_stop order has no trail_amount to change"),
    (TRAIL, {"trail_percent": 0}, "trail_percent is 0; expected a positive price"),
    (TRAIL, {"trail_percent": 100}, "trail_percent is 100; expected < 100"),
    ({"trail_amount": 2}, {"trail_amount": 0}, "trail_amount is 0; expected a positive price"),
    ({"trail_amount": 2}, {"trail_percent": 1}, "order has no trail_percent to change"),
]
# fmt: on


@pytest.mark.parametrize(("terms", "changes", "text"), WRONG_CHANGES)
def test_a_change_that_makes_no_sense_is_named_and_not_asked_for(
    terms: Any, changes: Any, text: str
) -> None:
    """A stop could be made to trail by more than the whole price: it never left."""
    made = rig()
    order = made.order("buy", 10, **terms)
    made.answer("accept", order)
    with pytest.raises(OrderError) as caught:
        made.modify(order, **changes)
    assert text in str(caught.value)
    assert untouched(made, order)
    assert made.venue.changed == []


def test_a_change_must_leave_more_than_has_filled() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=100)
    made.fill(order, 4)
    with pytest.raises(OrderError, match=r"quantity is 4; expected more than the 4 filled"):
        made.modify(order, quantity=4)
    assert made.modify(order, quantity="4.000000001")
    assert made.venue.changed[-1][1] == 4_000_000_001


def test_what_has_ended_cannot_change() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("cancel", order)
    with pytest.raises(OrderError, match=r"order bt-1 is CANCELED and cannot change"):
        made.modify(order, quantity=4)
    assert not made.cancel(order)
    assert untouched(made)


@pytest.mark.parametrize(
    ("terms", "changes"),
    [
        ({"trail_amount": 2}, {"trail_amount": 1}),
        (TRAIL, {"trail_percent": 99}),
        ({"stop_price": 110}, {"stop_price": 112}),
        ({"stop_price": 110, "limit_price": 111}, {"stop_price": 112, "limit_price": 113}),
        (LIMIT, {"limit_price": 91, "quantity": 11}),
    ],
)
def test_what_an_order_has_can_be_changed(terms: Any, changes: Any) -> None:
    made = rig()
    order = made.order("buy", 10, **terms)
    made.answer("accept", order)
    assert made.modify(order, **changes)
    assert order.is_pending


def test_a_new_price_alone_leaves_the_quantity_and_a_new_quantity_the_price() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("accept", order)
    made.modify(order, limit_price=91)
    made.modify(order, quantity=12)
    assert [change[1:] for change in made.venue.changed] == [
        (0, 91_000_000_000), (12_000_000_000, -(2**63)),
    ]  # fmt: skip


# -- whose order ---------------------------------------------------------------------------------


def test_an_order_of_another_strategy_is_left_alone() -> None:
    made = rig(strategies=2)
    order = made.order("buy", 10, limit_price=90, strategy=1)
    made.answer("accept", order)
    other = made.kernel.strategies[0]
    for act in (other.cancel, lambda o: other.modify(o, quantity=5)):
        with pytest.raises(OrderError, match="order bt-1 belongs to another strategy"):
            act(order)
    assert untouched(made, order)


def test_an_order_that_was_only_judged_can_be_neither_canceled_nor_changed() -> None:
    """The answer to it raised out of the kernel."""
    made = rig()
    strategy = made.kernel.strategies[0]
    judged = strategy.validate({"side": "buy", "symbol": SYMBOL, "quantity": 1}).order
    for act in (strategy.cancel, lambda o: strategy.modify(o, quantity=5)):
        with pytest.raises(OrderError, match=r"order for AAA was judged and not sent.*Submit it"):
            act(judged)
    made.settle()
    assert untouched(made)


def test_a_second_cancel_asks_for_nothing() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    assert made.cancel(order)
    assert not made.cancel(order)
    made.answer("cancel_rejected", order)
    assert made.cancel(order)


@pytest.mark.parametrize(("symbol", "left"), [(None, [1]), ("AAA", [1, 2]), ("BBB", [0, 1])])
def test_all_are_canceled_of_one_strategy_and_symbol(symbol: Any, left: list[int]) -> None:
    made = rig(strategies=2, symbols=["AAA", "BBB"])
    orders = [
        made.order("buy", 10, name, strategy, limit_price=90)
        for name, strategy in (("AAA", 0), ("AAA", 1), ("BBB", 0))
    ]
    made.kernel.strategies[0].cancel_all(symbol)
    made.settle()
    assert made.venue.withdrawn == [o for n, o in enumerate(orders) if n not in left]


# -- pairs ---------------------------------------------------------------------------------------

ONE = {"side": "buy", "symbol": SYMBOL, "quantity": 10, "limit_price": 90}
OTHER = {"side": "buy", "symbol": SYMBOL, "quantity": 10, "stop_price": 110}


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"side": "long"}, ConfigError, "side is 'long'; expected 'buy' or 'sell'"),
        ({"side": None}, ConfigError, "side is None; expected 'buy' or 'sell'"),
        ({"symbol": None}, ConfigError, "symbol is None; expected a name such as 'SPY'"),
        ({"symbol": "BBB"}, OrderError, "the orders of a pair are of one symbol"),
        ({"quantity": None}, ConfigError, "expected a number"),
        ({"quantity": 0}, OrderError, "quantity is 0; expected a positive number"),
        ({"stop_price": 0}, OrderError, "stop_price is 0; expected a positive price"),
        ({"sort": 1}, OrderError, "orders have no term 'sort'"),
        ({"notional": 5}, OrderError, "an order of a pair takes no notional"),
        ({"take_profit": 130}, OrderError, "an order of a pair takes no take_profit"),
        ({"stop_loss": 80}, OrderError, "an order of a pair takes no stop_loss"),
        ({"algorithm": 5}, OrderError, "an order of a pair takes no algorithm"),
        ({"oco": True}, OrderError, "an order of a pair takes no oco"),
    ],
)
def test_of_a_pair_of_which_one_makes_no_sense_none_is_sent(
    changes: Any, error: Any, text: str
) -> None:
    for place in (0, 1):
        made = rig(symbols=["AAA", "BBB"])
        plans = [dict(ONE), dict(OTHER)]
        plans[place].update(changes)
        with pytest.raises(error) as caught:
            made.kernel.strategies[0].pair(*plans)
        assert text in str(caught.value)
        made.settle()
        assert untouched(made)
        assert made.kernel.strategies[0].position(SYMBOL).working_quantity == 0


def test_what_is_not_given_in_a_pair_is_no_term_of_it() -> None:
    """As in `validate`: a plan may be written with all its names."""
    made = rig()
    plain = {"stop_price": None, "time_in_force": None, "expires_at": None, "post_only": False}
    orders = made.kernel.strategies[0].pair({**plain, **ONE}, OTHER)
    made.settle()
    assert [order.status for order in orders] == ["SENT", "SENT"]
    assert [order.time_in_force for order in orders] == ["gtc", "gtc"]


def test_a_pair_of_exits_needs_something_to_leave() -> None:
    made = rig()
    strategy = made.kernel.strategies[0]
    exits = {"take_profit": 110, "stop_loss": 90}
    with pytest.raises(OrderError, match="nothing is held in AAA that a pair could leave"):
        strategy.oco(SYMBOL, 10, **exits)
    with pytest.raises(ConfigError, match="partial is 'half'; expected 'reduce' or 'cancel'"):
        strategy.oco(SYMBOL, 10, **exits, partial="half")
    for side in ("buy", "sell"):
        with pytest.raises(OrderError, match="a pair of exits cannot be judged before it is sent"):
            strategy.validate({**GUARD, "side": side, **exits, "oco": True})
    assert untouched(made)


GUARD = {"symbol": SYMBOL, "quantity": 10}


@pytest.mark.parametrize("held", [10, -10])
def test_a_pair_that_would_add_is_no_pair_of_exits(held: float) -> None:
    made = rig()
    made.hold(held)
    terms = {"take_profit": 110, "stop_loss": 90, "oco": True}
    with pytest.raises(OrderError, match="nothing is held in AAA that a pair could leave"):
        made.order("buy" if held > 0 else "sell", 10, **terms)
    assert untouched(made)


def test_both_exits_of_a_pair_end_at_the_same_time() -> None:
    made = rig()
    made.hold(10)
    ends = {"expires_at": made.now + 5, "time_in_force": "gtd"}
    profit = made.order("sell", 10, oco=True, take_profit=110, stop_loss=90, **ends)
    for order in (profit, profit.sibling):
        assert (order.time_in_force, order.expires_at, order.quantity) == ("gtd", made.now + 5, 10)
        assert order.is_pending


def test_what_one_of_a_pair_fills_leaves_the_larger_rest_at_work() -> None:
    made = rig()
    strategy = made.kernel.strategies[0]
    first, second = strategy.pair({**ONE, "quantity": 8}, {**OTHER, "quantity": 5})
    made.settle()
    working = [strategy.position(SYMBOL).working_quantity]
    for quantity in (4, 2):
        made.fill(first, quantity, price=90)
        working.append(strategy.position(SYMBOL).working_quantity)
    made.answer("cancel", second)
    working.append(strategy.position(SYMBOL).working_quantity)
    assert working == [8, 5, 5, 2]


# -- targets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [math.nan, 1e10, -1e10, 10**30])
def test_a_target_that_cannot_be_held_is_named(wanted: float) -> None:
    made = rig()
    with pytest.raises(OrderError) as caught:
        made.kernel.strategies[0].target_position(SYMBOL, wanted)
    assert f"quantity is {wanted!r}; expected a number, at most 9.22e+09" in str(caught.value)
    assert untouched(made)


def test_a_way_too_long_for_one_order_is_refused_and_not_turned_around() -> None:
    """From six billion held to six billion short: what did not fit came out as a purchase."""
    made = rig(cash=10**9, prices=0.01)
    made.hold(6_000_000_000)
    with pytest.raises(OverflowError):
        made.kernel.strategies[0].target_position(SYMBOL, -6_000_000_000)
    assert untouched(made)


# -- parts of worked orders ----------------------------------------------------------------------


class ByHand(ExecutionAlgorithm):
    """Sends what it is told to."""


def test_a_part_is_no_more_than_what_is_left() -> None:
    made = rig()
    order = made.order("buy", 10, algorithm=ByHand())
    part = order.algorithm.send(6, limit_price=99)
    with pytest.raises(OrderError, match="5 of bt-1 are to be sent, and 4 are left"):
        order.algorithm.send(5)
    made.settle()
    assert order.algorithm.children == [part]
    rest = order.algorithm.send(4)
    assert (rest.origin, rest.tag, rest.side) == (order, order.tag, order.side)


def test_a_part_cannot_grow() -> None:
    made = rig()
    order = made.order("buy", 10, algorithm=ByHand())
    part = order.algorithm.send(6, limit_price=99)
    made.settle()
    made.answer("accept", part)
    with pytest.raises(OrderError, match="quantity is 7; expected no more than the 6 of this part"):
        made.modify(part, quantity=7)
    assert made.modify(part, quantity=6)


# -- the record ----------------------------------------------------------------------------------


def test_the_record_of_an_order_follows_its_prices_and_keeps_the_trigger_it_had() -> None:
    """A kept stop that was met leaves without one; the record says what it was."""
    bare = Capabilities(order_types={"market", "limit"}, instructions=())
    for emulate in ("missing", bare):
        made = play(
            [FLAT, FLAT, FLAT, (100, 106, 100, 106), (106, 106, 106, 106), FLAT],
            {
                0: lambda s: s.buy(SYMBOL, 10, stop_price=103, limit_price=107),
                1: lambda s: s.modify(s.made[0], stop_price=105, limit_price=108),
                2: lambda s: s.buy(SYMBOL, 5, tag="more"),
            },
            emulate=emulate,
        )
        first, market = made.table("orders")
        assert (first["stop_price"], first["limit_price"], first["filled_quantity"]) == (
            105,
            108,
            10,
        )
        assert (first["tag"], market["tag"]) == ("", "more")
        assert math.isnan(market["stop_price"])
        assert math.isnan(market["limit_price"])


def test_a_change_on_our_own_behalf_is_under_way_until_it_is_answered() -> None:
    """What is left to reduce has become less: the venue does not see to it."""
    made = rig(capabilities=Capabilities(instructions=()))
    made.hold(10)
    guard = made.order("sell", 10, limit_price=110, reduce_only=True)
    made.answer("accept", guard)
    made.fill(made.order("sell", 4))
    assert made.venue.changed[-1][:2] == (guard, 6_000_000_000)
    assert guard.is_pending
    made.answer("modified", guard, quantity=6)
    assert (guard.is_pending, guard.quantity) == (False, 6)


def test_a_close_that_is_canceled_as_it_waits_is_forgotten() -> None:
    made = rig()
    made.hold(10)
    for quantity in (4, 6):
        made.order("sell", quantity, stop_price=90)
    close = made.close()
    assert len(made.kernel.desk.waiting) == 1
    assert not made.cancel(close)
    assert made.kernel.desk.waiting == []
    assert (close.status, close.reason) == ("DENIED", "canceled: it had not left yet")


def test_a_part_reduces_only_as_its_order_does() -> None:
    made = rig()
    made.hold(10)
    order = made.order("sell", 10, algorithm=ByHand(), reduce_only=True)
    assert order.algorithm.send(4).reduce_only
    plain = made.order("buy", 10, algorithm=ByHand())
    parts = [plain.algorithm.send(4), plain.algorithm.send(4, reduce_only=True)]
    assert [part.reduce_only for part in parts] == [False, True]

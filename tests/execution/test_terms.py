"""The terms of an order: what is taken at each bound, and what is said of what is not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pyrt.errors import ConfigError, OrderError
from pyrt.execution import TWAP
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, play

LEAST = "0.000000001"
FLAT = (100, 100, 100, 100)
OCO = {"take_profit": 110, "stop_loss": 90}


def rig(**able: Any) -> Any:
    capabilities = Capabilities(**able) if able else None
    return GateRig(RiskEngine(), prices=100, capabilities=capabilities)


def refused(made: GateRig, error: Any, *texts: str, quantity: Any = 10, **terms: Any) -> None:
    with pytest.raises(error) as caught:
        made.order("buy", quantity, **terms)
    for text in texts:
        assert text in str(caught.value)
    assert made.kernel.cache.orders_open() == []
    assert made.venue.submitted == []


# fmt: off
BAD = [
    ({"quantity": 0}, "quantity is 0; expected a positive number, at most 9.22e+09"),
    ({"quantity": -1}, "quantity is -1; expected a positive"),
    ({"quantity": math.nan}, "quantity is nan; expected a positive"),
    ({"quantity": 10**30}, f"quantity is {10**30}; expected a positive"),
    ({"limit_price": 0}, "limit_price is 0; expected a positive price, below 9.22e+09"),
    ({"limit_price": -1}, "limit_price is -1; expected a positive price"),
    ({"limit_price": math.nan}, "limit_price is nan; expected a positive price"),
    ({"limit_price": math.inf}, "limit_price is inf; expected a positive price"),
    ({"stop_price": 1e10}, "stop_price is 10000000000.0; expected a positive price"),
    ({"trigger_price": 0}, "trigger_price is 0; expected a positive price"),
    ({"trail_amount": 0}, "trail_amount is 0; expected a positive price"),
    ({"trail_percent": -1}, "trail_percent is -1; expected a positive price"),
    ({"trail_percent": 100}, "trail_percent is 100; expected < 100"),
    ({"trail_percent": 150}, "trail_percent is 150; expected < 100"),
    ({"quantity": None, "notional": 0}, "notional is 0; expected > 0"),
    ({"quantity": None, "notional": -5}, "notional is -5; expected > 0"),
    ({"quantity": None, "notional": 5, "limit_price": 9}, "by notional is a market order"),
    ({"stop_price": 99, "trail_amount": 1}, "stop_price and trail_amount exclude each other"),
    ({"stop_price": 99, "trail_percent": 1}, "stop_price and trail_percent exclude each other"),
    ({"stop_price": 99, "trigger_price": 98}, "stop_price and trigger_price exclude each other"),
    ({"trail_amount": 1, "trail_percent": 1}, "trail_amount and trail_percent exclude each"),
    ({"trail_amount": 1, "trigger_price": 98}, "trail_amount and trigger_price exclude each"),
    ({"trail_percent": 1, "trigger_price": 98}, "trail_percent and trigger_price exclude each"),
    ({"market_to_limit": True, "limit_price": 99}, "market-to-limit order has no price"),
    ({"market_to_limit": True, "stop_price": 99}, "market-to-limit order has no price"),
    ({"market_to_limit": True, "trigger_price": 99}, "market-to-limit order has no price"),
    ({"market_to_limit": True, "trail_amount": 1}, "market-to-limit order has no price"),
    ({"market_to_limit": True, "trail_percent": 1}, "market-to-limit order has no price"),
    ({"post_only": True}, "post_only needs a limit order, this is a market order"),
    ({"post_only": True, "stop_price": 99}, "post_only needs a limit order, this is a stop order"),
    ({"post_only": True, "limit_price": 99, "time_in_force": "ioc"}, "rests, and 'ioc' does not"),
    ({"post_only": True, "limit_price": 99, "time_in_force": "fok"}, "rests, and 'fok' does not"),
    ({"display_quantity": 1}, "needs a limit price, this is a market order"),
    ({"display_quantity": 1, "stop_price": 99}, "needs a limit price, this is a stop order"),
    ({"display_quantity": 0, "limit_price": 99}, "quantity is 0; expected a positive number"),
    ({"take_profit": {}}, "take_profit is described by nothing. Use limit_price, stop_price, "
                          "trail_amount, trail_percent, trigger_price"),
    ({"take_profit": {"tag": "b", "limit_price": 110, "post_only": True}},
     "take_profit is described by 'post_only'. Use limit_price"),
    ({"stop_loss": {"tag": "b"}}, "stop_loss is described by 'tag'"),
    ({"stop_loss": {"trail_percent": 100}}, "trail_percent is 100; expected < 100"),
    ({"stop_loss": ()}, "stop_loss is (); expected a price, or (stop, limit)"),
    ({"stop_loss": (95,)}, "stop_loss is (95,); expected a price, or (stop, limit)"),
    ({"stop_loss": (95, 94, 93)}, "stop_loss is (95, 94, 93); expected a price, or (stop, limit)"),
    ({"time_in_force": "gtd"}, "time_in_force 'gtd' and expires_at go together"),
    ({"time_in_force": "day", "expires_at": "2030-01-01"}, "'gtd' and expires_at go together"),
    ({"time_in_force": 5}, "time_in_force is 5; expected one of day, gtc, gtd, ioc, fok, opg, cls"),
    ({"algorithm": 5}, "algorithm is 5; expected an ExecutionAlgorithm, such as TWAP('30m')"),
    ({"algorithm": TWAP("5m", slices=5), "take_profit": 110}, "an algorithm works takes no exits"),
    ({"algorithm": TWAP("5m", slices=5), "stop_loss": 90}, "an algorithm works takes no exits"),
    ({"quantity": None, "notional": 5, "algorithm": TWAP("5m", slices=5)}, "not a notional"),
    ({"quantity": None}, "an order for AAA needs a quantity or a notional"),
    ({"notional": 7}, "an order for AAA has quantity=10 and notional=7; give one of them"),
    ({"sort_of": 7}, "orders have no term 'sort_of'"),
]
# fmt: on


@pytest.mark.parametrize(("terms", "text"), BAD)
def test_terms_that_make_no_sense_are_named_and_nothing_is_sent(terms: Any, text: str) -> None:
    refused(rig(), OrderError, text, **terms)


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"quantity": True}, "expected a number, got True"),
        ({"limit_price": [95, 94]}, "got list [95, 94]"),
        ({"take_profit": (105, 104)}, "got tuple (105, 104)"),
        ({"stop_loss": "low"}, "'low' is not a number"),
    ],
)
def test_what_is_no_number_is_named(terms: Any, text: str) -> None:
    refused(rig(), ConfigError, text, **terms)


# fmt: off
LIMIT, STOP, TOUCH = {"limit_price": 99}, {"stop_price": 101}, {"trigger_price": 98}
SOUND = [
    ({}, "market"), (LIMIT, "limit"), (STOP, "stop"), ({**STOP, **LIMIT}, "stop_limit"),
    (TOUCH, "market_if_touched"), ({**TOUCH, **LIMIT}, "limit_if_touched"),
    ({"trail_amount": LEAST}, "trailing_stop"),
    ({"trail_amount": 1, **LIMIT}, "trailing_stop_limit"),
    ({"trail_percent": "99.999999999"}, "trailing_stop"),
    ({"trail_percent": 1, **LIMIT}, "trailing_stop_limit"),
    ({"limit_price": LEAST}, "limit"), ({"market_to_limit": True}, "market_to_limit"),
    ({"post_only": True, "time_in_force": "gtc", **LIMIT}, "limit"),
]
# fmt: on


@pytest.mark.parametrize(("terms", "kind"), SOUND)
def test_the_type_follows_from_the_prices_given(terms: Any, kind: str) -> None:
    order = rig().order("buy", 10, **terms)
    assert (order.order_type, order.status) == (kind, "SENT")


def test_the_least_quantity_and_value_are_taken() -> None:
    assert rig().order("buy", LEAST).quantity == 1e-9
    # A billionth of a billionth of a dollar.
    assert rig().order("buy", notional="0.000000000000000001").notional == 1e-18


def test_a_loss_of_two_prices_is_a_stop_and_its_limit() -> None:
    loss = rig().order("buy", 10, stop_loss=(95, 94)).stop_loss
    assert (loss.order_type, loss.stop_price, loss.limit_price) == ("stop_limit", 95, 94)


@pytest.mark.parametrize("terms", [{}, {"tag": "a"}])
def test_what_is_not_asked_for_is_not_done(terms: Any) -> None:
    order = rig().order("buy", 10, **terms)
    asked = (order.post_only, order.reduce_only, order.extended_hours, order.queue)
    assert asked == (False, False, False, False)


def test_what_is_asked_for_is_kept_with_the_order() -> None:
    order = rig().order("buy", 10, limit_price=99, queue=True, extended_hours=True, post_only=True)
    assert (order.queue, order.extended_hours, order.post_only) == (True, True, True)


def test_only_an_order_to_a_share_of_the_capital_shrinks_to_what_can_be_paid() -> None:
    """The next price is 110: of ten that were worth it at 100, nine can be paid."""
    jump = [FLAT, (110, 110, 110, 110), FLAT]
    share = play(jump, {0: lambda s: s.target_percent(SYMBOL, 1)}, cash=1000)
    assert [round(quantity, 3) for _, quantity, _ in share.fills] == [9.091]
    for step in (lambda s: s.buy(SYMBOL, 10, tag="all"), lambda s: s.target_position(SYMBOL, 10)):
        whole = play(jump, {0: step}, cash=1000)
        assert (whole.fills, whole.statuses) == ([], ["REJECTED"])


# -- time in force -------------------------------------------------------------------------------


def test_an_end_must_lie_ahead() -> None:
    made = rig()
    text = "expires_at 2024-01-01T00:00:00Z has passed already: it is 2024-01-01T00:00:00Z"
    refused(made, OrderError, text, expires_at=made.now)
    order = made.order("buy", 10, expires_at=made.now + 1)
    assert (order.time_in_force, order.expires_at) == ("gtd", made.now + 1)


# -- parts that are shown ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("display", "shown", "status"),
    [(9.999999999, 9.999999999, "EMULATED"), (10, None, "SENT"), (11, None, "SENT")],
)
def test_what_shows_all_of_itself_is_no_iceberg(display: Any, shown: Any, status: str) -> None:
    order = rig(instructions=()).order("buy", 10, limit_price=99, display_quantity=display)
    assert (order.display_quantity, order.status) == (shown, status)


PARTS = {"symbol": SYMBOL, "quantity": 10, "display_quantity": 2}


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"limit_price": 99}, ""),
        ({"limit_price": 99, "stop_price": 99}, "only limit orders are split"),
        ({"limit_price": 99, "take_profit": 110}, "takes no exits"),
        ({"limit_price": 99, "stop_loss": 90}, "takes no exits"),
        ({"limit_price": 99, "post_only": True}, "neither post- nor reduce-only"),
    ],
)
def test_a_verdict_about_parts_is_what_becomes_of_the_order(terms: Any, reason: str) -> None:
    """It said yes to orders that were denied when they were sent."""
    made = rig(instructions=())
    strategy = made.kernel.strategies[0]
    verdict = strategy.validate({"side": "buy", **PARTS, **terms})
    order = made.order("buy", 10, display_quantity=2, **terms)
    assert reason in verdict.reason
    assert (verdict.is_accepted, verdict.by) == (not reason, "risk" if reason else "")
    assert (order.status, order.reason) == (
        ("DENIED", verdict.reason) if reason else ("EMULATED", "")
    )


def test_of_a_pair_neither_is_split_into_parts() -> None:
    made = rig(instructions=())
    strategy = made.kernel.strategies[0]
    first, second = strategy.pair(
        {"side": "buy", **PARTS, "limit_price": 99},
        {"side": "buy", "symbol": SYMBOL, "quantity": 10, "stop_price": 101},
    )
    made.settle()
    assert (first.status, second.status) == ("DENIED", "DENIED")
    assert "takes no exits" in first.reason


def test_a_reduction_is_not_split_into_parts() -> None:
    made = rig(instructions=())
    made.hold(10)
    order = made.order("sell", 10, limit_price=101, display_quantity=2, reduce_only=True)
    assert (order.status, "neither post- nor reduce-only" in order.reason) == ("DENIED", True)


def test_a_draft_with_an_algorithm_and_exits_makes_as_little_sense_as_the_order() -> None:
    order = {"side": "buy", "symbol": SYMBOL, "quantity": 10, "algorithm": TWAP("5m", slices=5)}
    with pytest.raises(OrderError, match="takes no exits"):
        rig().kernel.strategies[0].validate({**order, "stop_loss": 90})


# -- pairs of exits ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "exits", "shown"),
    [
        (10, {"take_profit": 90, "stop_loss": 110}, "a sell with take_profit=90.0"),
        (10, {"take_profit": 100, "stop_loss": 100}, "a sell with take_profit=100.0"),
        (10, {"take_profit": 99, "stop_loss": (100, 98)}, "and stop_loss=100.0 would leave"),
        (-10, {"take_profit": 110, "stop_loss": 90}, "a buy with take_profit=110.0"),
        (-10, {"take_profit": 100, "stop_loss": 100}, "would leave at once"),
    ],
)
def test_a_pair_of_exits_the_wrong_way_round_is_refused(held: Any, exits: Any, shown: str) -> None:
    """Both would fill at once, each for all that is held."""
    made: Any = GateRig(RiskEngine(), prices=100, account="margin")
    made.hold(held)
    with pytest.raises(OrderError) as caught:
        made.kernel.strategies[0].oco(SYMBOL, 10, **exits)
    assert shown in str(caught.value)
    assert "Put the profit beyond the market and the loss before it" in str(caught.value)
    assert made.kernel.cache.orders_open() == []


@pytest.mark.parametrize(
    ("held", "exits"),
    [
        (10, {"take_profit": 100.01, "stop_loss": 100}),
        (-10, {"take_profit": 99.99, "stop_loss": 100}),
        (10, {"take_profit": 90, "stop_loss": {"trail_amount": 3}}),
        (10, {"take_profit": {"trigger_price": 101}, "stop_loss": 99}),
    ],
)
def test_a_pair_of_exits_around_the_price_is_sent(held: Any, exits: Any) -> None:
    made: Any = GateRig(RiskEngine(), prices=100, account="margin")
    made.hold(held)
    pair = made.kernel.strategies[0].oco(SYMBOL, 10, **exits)
    made.settle()
    assert [order.status for order in pair] == ["SENT", "SENT"]
    assert {order.side_sign for order in pair} == {-1 if held > 0 else 1}

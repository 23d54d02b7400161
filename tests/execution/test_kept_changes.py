"""New terms of an order that is kept on our side, and the prices that meet it: by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.errors import OrderError
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import MINUTE, START, SYMBOL, Script, play

BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)

# fmt: off
CHANGES = [
    # Terms, the change, and the (stop, limit) prices after it; then at a new best price of 105.
    ({"stop_price": 90}, {"stop_price": 91}, (91, None), (91, None)),
    ({"stop_price": 90, "limit_price": 89}, {"limit_price": 88}, (90, 88), (90, 88)),
    ({"stop_price": 90, "limit_price": 89}, {"quantity": 8}, (90, 89), (90, 89)),
    ({"trail_amount": 4}, {"trail_amount": 6}, (94, None), (99, None)),
    ({"trail_amount": 4}, {"quantity": 8}, (96, None), (101, None)),
    ({"trail_percent": 4}, {"trail_percent": 6}, (94, None), (98.7, None)),
    # The limit goes with the stop at its distance; a new limit is a new distance.
    ({"trail_amount": 4, "limit_price": 95}, {"trail_amount": 6}, (94, 93), (99, 98)),
    ({"trail_amount": 4, "limit_price": 95}, {"limit_price": 93}, (96, 93), (101, 98)),
    ({"trail_amount": 4, "limit_price": 95}, {"quantity": 8}, (96, 95), (101, 100)),
    ({"trail_amount": 4, "limit_price": 95}, {"trail_amount": 6, "limit_price": 93},
     (94, 93), (99, 98)),
]
# fmt: on


def rig() -> GateRig:
    return GateRig(RiskEngine(), prices=100, capabilities=BARE)


@pytest.mark.parametrize(("terms", "change", "after", "later"), CHANGES)
def test_new_terms_of_a_kept_order_are_in_force_at_once(
    terms: Any, change: Any, after: Any, later: Any
) -> None:
    made = rig()
    order = made.order("sell", 10, **terms)
    made.modify(order, **change)
    assert (order.stop_price, order.limit_price) == after
    assert (order.quantity, order.status) == (change.get("quantity", 10), "EMULATED")
    made.price(105)
    assert (order.stop_price, order.limit_price) == later
    assert order.status == "EMULATED"


def test_what_is_changed_before_there_is_a_price_trails_from_the_first() -> None:
    made = GateRig(RiskEngine(), capabilities=BARE)
    order = made.order("sell", 10, trail_amount=4, limit_price=95)
    made.modify(order, trail_amount=6)
    made.modify(order, limit_price=93)
    assert (order.stop_price, order.limit_price) == (None, 93)
    made.price(100)
    assert (order.stop_price, order.limit_price) == (94, 93)
    made.price(105)
    assert (order.stop_price, order.limit_price) == (99, 98)


@pytest.mark.parametrize("terms", [{"trail_amount": 4}, {"trail_percent": 4, "limit_price": 95}])
def test_a_trigger_that_follows_the_price_takes_no_price_of_its_own(terms: Any) -> None:
    made = rig()
    order = made.order("sell", 10, **terms)
    with pytest.raises(OrderError, match=r"stop_price is 97, and the trigger of a trailing_stop"):
        made.modify(order, stop_price=97, quantity=8)
    assert (order.stop_price, order.quantity) == (96, 10)


@pytest.mark.parametrize(
    ("side", "first", "second", "near", "met"),
    [("buy", 90, 80, 80.01, 80), ("sell", 110, 120, 119.99, 120)],
)
def test_the_kept_one_of_two_limits_leaves_at_its_price(
    side: str, first: float, second: float, near: float, met: float
) -> None:
    made = rig()
    plan = {"side": side, "symbol": "AAA", "quantity": 10}
    pair = made.kernel.strategies[0].pair(
        {**plan, "limit_price": first}, {**plan, "limit_price": second}
    )
    made.settle()
    made.price(near)
    assert made.venue.withdrawn == []
    made.price(met)
    assert made.venue.withdrawn == [pair[0]]
    made.answer("cancel", pair[0])
    assert (pair[1].status, pair[1].limit_price) == ("SENT", second)


class Moves(Script):
    """Sends a stop at the close of bar 0, and changes it inside bar 1."""

    def __init__(self, stop: float, changes: dict[str, Any]) -> None:
        super().__init__({0: lambda s: s.sell(SYMBOL, 1, stop_price=stop)})
        self._changes = changes

    def on_start(self) -> None:
        super().on_start()
        self.set_alert("move", START + 3 * MINUTE // 2, self._move)

    def _move(self, event: Any) -> None:
        self.modify(self.made[0], **self._changes)


@pytest.mark.parametrize(
    ("stop", "changes", "close", "fills"),
    [
        (80, {"stop_price": 95}, 99, []),
        (80, {"stop_price": 95}, 94.5, [(2, -1, 98)]),
        # What moves no trigger leaves the whole bar to it.
        (95, {"stop_price": 95}, 99, [(2, -1, 98)]),
        (95, {"quantity": 2}, 99, [(2, -2, 98)]),
    ],
)
def test_a_trigger_moved_inside_a_bar_is_met_by_its_end_only(
    stop: float, changes: Any, close: float, fills: Any
) -> None:
    bars = [(100, 100, 100, 100), (100, 101, 94, close), (98, 98, 98, 98)]
    assert play(bars, Moves(stop, changes), emulate=BARE).fills == fills

"""Exits that make sense, and which groups of orders a venue is asked to hold itself: by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.errors import OrderError
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities

TRAIL = {"trail_amount": 3}


def rig(**able: Any) -> GateRig:
    capabilities = Capabilities(**able) if able else None
    return GateRig(RiskEngine(), prices=100, capabilities=capabilities)


# fmt: off
SOUND = [
    ("buy", {"take_profit": 101, "stop_loss": 99}),
    ("buy", {"take_profit": 99, "stop_loss": 98}),
    ("buy", {"limit_price": 100, "take_profit": 100.01, "stop_loss": 99.99}),
    ("buy", {"limit_price": 100, "take_profit": 100.01}),
    ("buy", {"limit_price": 100, "stop_loss": 99.99}),
    ("buy", {"stop_price": 100, "take_profit": 100.01, "stop_loss": 99.99}),
    ("buy", {"stop_price": 98, "limit_price": 100, "take_profit": 101, "stop_loss": 99}),
    ("buy", {"limit_price": 100, "stop_loss": TRAIL}),
    ("buy", {"take_profit": {"trigger_price": 101}, "stop_loss": (99, 98)}),
    ("sell", {"take_profit": 99, "stop_loss": 101}),
    ("sell", {"limit_price": 100, "take_profit": 99.99, "stop_loss": 100.01}),
    ("sell", {"limit_price": 100, "take_profit": 99.99}),
    ("sell", {"limit_price": 100, "stop_loss": 100.01}),
    ("sell", {"stop_price": 100, "take_profit": 99.99, "stop_loss": 100.01}),
    ("sell", {"limit_price": 100, "stop_loss": TRAIL, "take_profit": 90}),
]
SENSELESS = [
    # Profit and loss at one price, or the wrong way round.
    ("buy", {"take_profit": 100, "stop_loss": 100}, 100, 100),
    ("buy", {"take_profit": 99, "stop_loss": 101}, 99, 101),
    ("sell", {"take_profit": 100, "stop_loss": 100}, 100, 100),
    ("sell", {"take_profit": 101, "stop_loss": 99}, 101, 99),
    # The entry not between them.
    ("buy", {"limit_price": 100, "take_profit": 100}, 100, None),
    ("buy", {"limit_price": 100, "take_profit": 99.99}, 99.99, None),
    ("buy", {"limit_price": 100, "stop_loss": 100}, None, 100),
    ("buy", {"limit_price": 100, "stop_loss": 100.01}, None, 100.01),
    ("buy", {"limit_price": 100, "stop_loss": (100, 99)}, None, 100),
    ("buy", {"limit_price": 100, "take_profit": 100, "stop_loss": TRAIL}, 100, None),
    ("buy", {"stop_price": 100, "take_profit": 100, "stop_loss": 99}, 100, 99),
    ("buy", {"stop_price": 100, "take_profit": 101, "stop_loss": 100}, 101, 100),
    ("buy", {"stop_price": 100, "limit_price": 101, "take_profit": 101}, 101, None),
    ("sell", {"limit_price": 100, "take_profit": 100}, 100, None),
    ("sell", {"limit_price": 100, "take_profit": 100.01}, 100.01, None),
    ("sell", {"limit_price": 100, "stop_loss": 100}, None, 100),
    ("sell", {"limit_price": 100, "stop_loss": 99.99}, None, 99.99),
    ("sell", {"stop_price": 100, "take_profit": 99, "stop_loss": 100}, 99, 100),
]
# fmt: on


@pytest.mark.parametrize(("side", "terms"), SOUND)
def test_exits_before_and_beyond_the_entry_are_taken(side: str, terms: Any) -> None:
    entry = rig().order(side, 10, **terms)
    assert entry.status == "SENT"
    assert len(entry.legs) == ("take_profit" in terms) + ("stop_loss" in terms)


@pytest.mark.parametrize(("side", "terms", "profit", "loss"), SENSELESS)
def test_exits_that_would_leave_at_once_are_refused(
    side: str, terms: Any, profit: Any, loss: Any
) -> None:
    made = rig()
    with pytest.raises(OrderError) as caught:
        made.order(side, 10, **terms)
    shown = [None if price is None else float(price) for price in (profit, loss)]
    assert f"a {side} with take_profit={shown[0]} and stop_loss={shown[1]} would" in str(caught)
    assert "Put the profit beyond the entry and the loss before it" in str(caught.value)
    assert made.venue.submitted == []
    assert made.kernel.cache.orders_open() == []


BOTH = {"take_profit": 110, "stop_loss": 90}


@pytest.mark.parametrize(
    ("groups", "exits", "native"),
    [
        ({"bracket"}, BOTH, True),
        ({"oto", "oco"}, BOTH, False),
        ({"oto"}, {"take_profit": 110}, True),
        ({"oto"}, {"stop_loss": 90}, True),
        ({"bracket", "oco"}, {"take_profit": 110}, False),
        ({"bracket", "oco"}, {"stop_loss": 90}, False),
        # Of a type that it does not hold as an exit, one is enough.
        ({"bracket"}, {"take_profit": 110, "stop_loss": TRAIL}, False),
        ({"bracket"}, {"take_profit": {"trigger_price": 110}, "stop_loss": 90}, False),
        ({"oto"}, {"stop_loss": TRAIL}, False),
        ({"oto"}, {"take_profit": {"trigger_price": 110}}, False),
    ],
)
def test_a_venue_holds_the_exits_that_it_knows(groups: Any, exits: Any, native: bool) -> None:
    made = rig(groups=groups, exit_types={"limit", "stop"})
    entry = made.order("buy", 10, **exits)
    assert entry.status == "SENT"
    assert entry.keeps_exits is not native
    assert {leg.status for leg in entry.legs} == {"SENT" if native else "EMULATED"}


def test_an_order_without_exits_is_nothing_to_hold() -> None:
    entry = rig(groups=()).order("buy", 10)
    assert (entry.status, entry.keeps_exits) == ("SENT", False)


# -- pairs ---------------------------------------------------------------------------------------


def sent(made: GateRig, first: dict[str, Any], second: dict[str, Any], partial: str) -> Any:
    strategy = made.kernel.strategies[0]
    orders = strategy.pair(
        *({"symbol": "AAA", **terms} for terms in (first, second)), partial=partial
    )
    made.settle()
    return orders


PROFIT = {"side": "sell", "quantity": 10, "limit_price": 110}
LOSS = {"side": "sell", "quantity": 10, "stop_price": 90}
DAY = {"time_in_force": "day"}


@pytest.mark.parametrize(
    ("groups", "first", "second", "partial", "native"),
    [
        ({"oco"}, {}, {}, "reduce", True),
        ({"oco"}, {}, {"limit_price": 89}, "reduce", True),
        ({"oco"}, {}, {}, "cancel", False),
        ({"bracket", "oto"}, {}, {}, "reduce", False),
        # Exits as exchanges know them are alike but for their prices.
        ({"oco"}, {"quantity": 9}, {"quantity": 9}, "reduce", True),
        ({"oco"}, {"quantity": 9}, {}, "reduce", False),
        ({"oco"}, {"quantity": 11}, {"quantity": 11}, "reduce", False),
        ({"oco"}, {"side": "buy", "limit_price": 80}, {}, "reduce", False),
        ({"oco"}, DAY, DAY, "reduce", True),
        ({"oco"}, DAY, {}, "reduce", False),
        ({"oco"}, {"extended_hours": True}, {}, "reduce", False),
        ({"oco"}, {}, {"extended_hours": True}, "reduce", False),
        ({"oco"}, {"post_only": True}, {}, "reduce", False),
        ({"oco"}, {"display_quantity": 2}, {}, "reduce", False),
        # A venue that knows any pair takes any.
        ({"pair"}, {}, {}, "cancel", True),
        ({"pair"}, {"side": "buy", "limit_price": 80}, {}, "reduce", True),
    ],
)
def test_a_venue_holds_the_pairs_that_it_knows(
    groups: Any, first: Any, second: Any, partial: str, native: bool
) -> None:
    made = rig(groups=groups)
    made.hold(10)
    orders = sent(made, {**PROFIT, **first}, {**LOSS, **second}, partial)
    assert orders[0].status == "SENT"
    assert orders[0].keeps_exits is orders[1].keeps_exits is not native
    assert orders[1].status == ("SENT" if native else "EMULATED")


def test_two_limits_are_no_pair_of_exits_of_an_exchange() -> None:
    made = rig(groups={"oco"})
    made.hold(10)
    orders = sent(made, PROFIT, {**PROFIT, "limit_price": 120}, "reduce")
    assert [order.status for order in orders] == ["SENT", "EMULATED"]


@pytest.mark.parametrize(
    ("exits", "native"),
    [
        (BOTH, True),
        ({"take_profit": 110, "stop_loss": TRAIL}, False),
        ({"take_profit": {"trigger_price": 110}, "stop_loss": 90}, False),
    ],
)
def test_a_pair_of_exits_with_one_that_trails_or_is_touched_is_ours(
    exits: Any, native: bool
) -> None:
    made = rig(groups={"oco"})
    made.hold(10)
    profit, loss = made.kernel.strategies[0].oco("AAA", 10, **exits)
    made.settle()
    assert profit.keeps_exits is loss.keeps_exits is not native


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ({}, {"limit_price": 120}, 0),
        ({"stop_price": 90, "limit_price": None}, {}, 1),
        ({"limit_price": None}, {"stop_price": 80, "limit_price": None}, 0),
        ({"stop_price": 80, "limit_price": None}, {"limit_price": None}, 1),
        ({"limit_price": None}, {}, 0),
        ({}, {"limit_price": None}, 1),
        ({"limit_price": None}, {"limit_price": None}, 0),
    ],
)
def test_of_a_pair_that_is_ours_the_market_order_or_the_limit_order_goes(
    first: Any, second: Any, left: int
) -> None:
    """The first of two alike; given as changes of a limit order at 110."""
    made = rig(groups=(), order_types={"market", "limit"})
    plans = [
        {name: value for name, value in {**PROFIT, **each}.items() if value is not None}
        for each in (first, second)
    ]
    orders = sent(made, *plans, "reduce")
    assert [order.status for order in orders].index("SENT") == left
    assert orders[1 - left].status == "EMULATED"
    assert made.venue.submitted == [orders[left]]

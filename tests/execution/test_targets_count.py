"""What counts as on its way to a target, and what a share of the capital comes to: by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.errors import OrderError
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, play

FLAT = (100, 100, 100, 100)
LOW = (100, 100, 94, 95)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)


def rig(**options: Any) -> GateRig:
    return GateRig(RiskEngine(), **{"prices": 100, **options})


def target(made: GateRig, quantity: float) -> Any:
    order = made.kernel.strategies[0].target_position("AAA", quantity)
    made.settle()
    return order


# -- exits that are leaving ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "limits",
    [{"market_protection_bps": 100}, {"max_slippage_bps": 1, "slippage_action": "limit"}],
)
def test_what_leaves_as_a_protected_limit_order_counts_as_a_market_order_does(limits: Any) -> None:
    """Beside a stop a target that was asked for again sold each time, past the end of all held."""
    made = GateRig(RiskEngine(Limits(**limits)), prices=100)
    made.quote(99.5, 100.5)
    made.hold(10)
    made.answer("accept", made.order("sell", 10, stop_price=90))
    order = target(made, 5)
    assert (order.order_type, order.is_exit) == ("limit", True)
    assert target(made, 5) is None
    made.answer("accept", order)
    assert target(made, 5) is None
    made.fill(order)
    assert made.kernel.strategies[0].position("AAA").quantity == 5
    assert target(made, 5) is None


CLOSE = {2: lambda s: s.close(SYMBOL)}


@pytest.mark.parametrize(
    "steps",
    [
        {0: lambda s: s.buy(SYMBOL, 10, stop_loss=95)},
        {0: lambda s: s.buy(SYMBOL, 10), 1: lambda s: s.sell(SYMBOL, 10, stop_price=95)},
        {0: lambda s: s.buy(SYMBOL, 10, take_profit=110, stop_loss=95)},
        {0: lambda s: s.buy(SYMBOL, 10, stop_loss={"trail_amount": 3})},
    ],
)
@pytest.mark.parametrize("emulate", ["missing", BARE])
def test_a_close_beside_a_stop_that_has_just_left_turns_nothing_short(
    steps: Any, emulate: Any
) -> None:
    """Both sold what was held: the stop, a market order by then, did not count."""
    made = play([FLAT, FLAT, LOW, FLAT, FLAT], {**steps, **CLOSE}, emulate=emulate)
    assert sum(size for _, size, _ in made.fills) == 0
    assert sum(-size for _, size, _ in made.fills if size < 0) == 10


def test_a_reduction_that_is_on_its_way_counts() -> None:
    made = rig()
    made.hold(10)
    part = made.order("sell", 4, reduce_only=True)
    assert made.close().quantity == 6
    made.fill(part)
    made.fill(made.venue.submitted[-1])
    assert made.kernel.strategies[0].position("AAA").is_flat


@pytest.mark.parametrize(
    ("working", "wanted", "sent"),
    [
        # Ten are held. What works towards the target counts, whatever its type.
        ([("buy", 5, {})], 15, None),
        ([("buy", 5, {})], 16, ("BUY", 1)),
        ([("buy", 5, {"limit_price": 90})], 16, ("BUY", 1)),
        ([("sell", 25, {"limit_price": 110})], 3, ("BUY", 18)),
        # What guards does not; nor do resting orders where all is to be left.
        ([("sell", 10, {"limit_price": 110})], 3, ("SELL", 7)),
        ([("sell", 10, {"stop_price": 90})], 3, ("SELL", 7)),
        ([("buy", 5, {"limit_price": 90})], 0, ("SELL", 10)),
        ([("buy", 5, {})], 0, ("SELL", 15)),
        ([("sell", 4, {})], 0, ("SELL", 6)),
        ([("sell", 4, {}), ("sell", 6, {})], 0, None),
        ([("sell", 14, {})], 0, ("BUY", 4)),
        ([], -5, ("SELL", 15)),
        ([], 10, None),
    ],
)
def test_what_is_sent_is_what_neither_is_held_nor_works(
    working: Any, wanted: float, sent: Any
) -> None:
    made = rig()
    made.hold(10)
    for side, quantity, terms in working:
        made.order(side, quantity, **terms)
    order = target(made, wanted)
    assert (order and (order.side.name, order.quantity)) == sent


def test_of_two_of_a_pair_and_side_the_larger_counts_once() -> None:
    made = rig()
    strategy = made.kernel.strategies[0]
    for first, second, wanted, sent in ((8, 8, 10, 2), (5, 3, 17, 2), (3, 5, 24, 2)):
        strategy.pair(
            {"side": "buy", "symbol": "AAA", "quantity": first, "limit_price": 90},
            {"side": "buy", "symbol": "AAA", "quantity": second, "stop_price": 110},
        )
        made.settle()
        assert target(made, wanted).quantity == sent


# -- a share of the capital ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fraction", "units"),
    [
        (0.5, 49), (-0.5, -49), (0.0101, None), (0.0102, 1), (-0.0101, None), (-0.0102, -1),
        (0.0, None), (1.0, 98), (10.0, 980), (-10.0, -980),
    ],
)  # fmt: skip
def test_a_share_of_the_capital_is_rounded_towards_nothing(fraction: float, units: Any) -> None:
    """At 102 ten thousand buy 98.04."""
    instrument = Instrument("AAA", step_size=1)
    made = rig(cash=10_000, prices=102, symbols=[instrument], account="margin")
    order = made.kernel.strategies[0].target_percent("AAA", fraction)
    assert (order and order.quantity * order.side) == units


@pytest.mark.parametrize("fraction", [10.001, -10.001, 50.0, float("nan"), float("inf")])
def test_a_share_beyond_all_measure_is_refused(fraction: float) -> None:
    made = rig()
    with pytest.raises(OrderError, match=rf"fraction is {fraction}; .*at most 10\. Write 0\.5"):
        made.kernel.strategies[0].target_percent("AAA", fraction)
    assert made.kernel.cache.orders_open() == []


def test_a_share_of_the_capital_needs_a_price() -> None:
    made = rig(prices=None)
    with pytest.raises(OrderError, match=r"AAA has no price yet, so 0\.25 of the capital"):
        made.kernel.strategies[0].target_percent("AAA", 0.25)

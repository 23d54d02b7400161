"""What orders wait for before they leave, and what bars them: one case for each reason."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub

import pytest

from pyrt.live.driver.departure import Departure
from pyrt.live.driver.run import LOOKING, RUNNING

NOW = 1_000_000_000_000
FRESH_NS = 2_000_000_000
"""A look that was begun this long before an order came knows enough for it."""
ORDER = Stub(
    symbol="SPY", instrument=Stub(id="SPY.ALPACA"), strategy=Stub(name="Cross"), raises=True
)
WAY_OUT = Stub(
    symbol="SPY", instrument=Stub(id="SPY.ALPACA"), strategy=Stub(name="Cross"), raises=False
)


class Gate:
    """A gate whose states are said; an order says of itself whether it could raise exposure."""

    def __init__(self, everything="ACTIVE", symbol="ACTIVE", strategy="ACTIVE"):
        self.states = {"": everything, "SPY.ALPACA": symbol, "Cross": strategy}

    def state(self, *, symbol="", strategy=""):
        return Stub(name=self.states[symbol or strategy])

    def could_raise(self, order):
        return order.raises

    def price_doubt(self, order):
        return getattr(order, "doubt", "")


def departure(
    order=ORDER, *, phase=RUNNING, is_up=True, stale="", is_met=False, **states
) -> Departure:
    return Departure(
        Stub(
            phase=phase,
            scribe=Stub(is_met_exit=lambda number: is_met),
            gate=Gate(**states),
            core=Stub(inputs=Stub(order={1: order}.get)),
            client=Stub(
                trade_updates=Stub(is_active=is_up),
                stale_reason=lambda symbol: stale if symbol == "SPY" else "",
            ),
        )
    )


def test_orders_leave_while_a_node_runs_with_its_stream():
    assert departure().waits_for() == ""


def test_no_order_leaves_before_the_first_look_is_through_though_the_stream_is_up():
    made = departure(phase=LOOKING)
    assert made.waits_for() == "the account is being looked at"
    assert departure(WAY_OUT, phase=LOOKING, everything="REDUCING").is_excused(1, NOW) is False


def test_orders_wait_for_the_stream_and_for_what_it_missed():
    assert departure(is_up=False).waits_for() == "the stream of order news is down"
    merging = departure()
    merging.is_merging = True
    assert merging.waits_for() == "what the stream has missed is being merged"


@pytest.mark.parametrize(
    ("order", "state", "looked_at", "is_excused"),
    [
        (WAY_OUT, "REDUCING", NOW - FRESH_NS, True),
        (WAY_OUT, "REDUCING", NOW - FRESH_NS - 1, False),
        (WAY_OUT, "ACTIVE", NOW, False),
        (WAY_OUT, "HALTED", NOW, False),
        (ORDER, "REDUCING", NOW, False),
        (None, "REDUCING", NOW, False),
    ],
)
def test_a_way_out_need_not_wait_for_the_stream_once_the_account_was_looked_at(
    order, state, looked_at, is_excused
):
    made = departure(order, is_up=False, everything=state)
    made.looked_at = looked_at
    assert made.is_excused(1, NOW) is is_excused
    # Only what waits for nothing else asks for a look.
    assert made.wants_look == (order is WAY_OUT and state == "REDUCING" and not is_excused)


@pytest.mark.parametrize(
    ("order", "looked_at", "is_excused"),
    [(WAY_OUT, NOW, True), (WAY_OUT, NOW - FRESH_NS - 1, False), (ORDER, NOW, False)],
)
def test_an_exit_that_was_kept_and_is_met_leaves_as_a_way_out_of_a_flatten_does(
    order, looked_at, is_excused
):
    made = departure(order, is_up=False, is_met=True)
    made.looked_at = looked_at
    assert made.is_excused(1, NOW) is is_excused
    assert made.wants_look == (order is WAY_OUT and not is_excused)


@pytest.mark.parametrize(
    ("states", "what"),
    [
        ({"everything": "HALTED"}, "everything"),
        ({"symbol": "HALTED"}, "SPY"),
        ({"strategy": "HALTED"}, "Cross"),
    ],
)
def test_nothing_leaves_in_a_halt_not_even_a_way_out(states, what):
    for order in (ORDER, WAY_OUT):
        assert departure(order, **states).barred(1) == f"{what} is HALTED"


@pytest.mark.parametrize(
    ("states", "what"),
    [
        ({"everything": "REDUCING"}, "everything"),
        ({"symbol": "REDUCING"}, "SPY"),
        ({"strategy": "REDUCING"}, "Cross"),
    ],
)
def test_only_ways_out_leave_while_reducing(states, what):
    assert departure(WAY_OUT, **states).barred(1) == ""
    expected = f"{what} is REDUCING, and this order could raise exposure"
    assert departure(ORDER, **states).barred(1) == expected


def test_what_could_raise_exposure_needs_an_account_that_is_seen_and_bars_that_are_whole():
    for order, is_barred in ((ORDER, True), (WAY_OUT, False)):
        blind = departure(order)
        blind.is_blind = True
        assert blind.barred(1).startswith("the account cannot be looked at") is is_barred
        stale = departure(order, stale="SPY is stale")
        assert stale.barred(1).startswith("SPY is stale, and") is is_barred
    assert departure(ORDER).barred(1) == departure(None).barred(1) == ""


def test_what_makes_an_order_smaller_raises_nothing_whatever_that_could():
    blind = departure(ORDER)
    blind.is_blind = True
    assert blind.barred(1)
    assert blind.barred(1, True) == ""
    assert departure(ORDER, everything="HALTED").barred(1, True) == "everything is HALTED"


def test_an_order_that_would_be_denied_by_now_for_its_price_leaves_no_more():
    far = Stub(**vars(ORDER), doubt="its limit price is far")
    assert departure(far).barred(1) == "its limit price is far"
    assert departure(far, symbol="HALTED").barred(1) == "SPY is HALTED"


def test_before_any_look_a_way_out_waits_for_one():
    made = departure(WAY_OUT, is_up=False, everything="REDUCING")
    assert (made.is_merging, made.is_blind, made.wants_look) == (False, False, False)
    assert made.is_excused(1, FRESH_NS)
    assert not made.is_excused(1, FRESH_NS + 1)
    assert made.wants_look


def test_without_a_core_or_states_nothing_is_excused_and_nothing_barred():
    for part in ("core", "gate"):
        made = departure(WAY_OUT, is_up=False, everything="REDUCING")
        made.looked_at = NOW
        setattr(made._run, part, None)
        assert made.is_excused(1, NOW) is False
        assert made.barred(1) == ""


@pytest.mark.parametrize(
    ("side", "quantity", "filled", "held", "reduces"),
    [
        ("SELL", "10", "0", "10", True), ("SELL", "10", "0", "9.5", False),
        ("SELL", "10", "0.5", "9.5", True), ("SELL", "4", "0", "10", True),
        ("SELL", "10", "0", "0", False), ("SELL", "10", "0", "-10", False),
        ("BUY", "10", "0", "-10", True), ("BUY", "10", "0", "-9", False),
        ("BUY", "10", "0", "10", False), ("SELL", "0", "0", "10", False),
        ("SELL", "10", "10", "0", False), ("SELL", "1", "0", "1", True),
        ("BUY", "0.000000001", "0", "-0.000000001", True),
    ],
)  # fmt: skip
def test_a_way_out_is_for_no_more_than_its_strategy_holds(side, quantity, filled, held, reduces):
    holding = Stub(quantity_exact=Decimal(held))
    order = Stub(
        symbol="SPY", side=Stub(name=side), quantity_exact=Decimal(quantity),
        filled_quantity_exact=Decimal(filled), strategy=Stub(position={"SPY": holding}.get),
    )  # fmt: skip
    assert departure(order).reduces(1) is reduces
    assert departure(order).reduces(2) is False

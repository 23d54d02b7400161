"""The plain gate: grids, permissions, exits; each bound at, below and above, and in its words."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.errors import OrderError
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


def rig(limits: Limits | None = None, **settings: Any) -> GateRig:
    instrument = Instrument("AAA", **settings)
    return GateRig(
        RiskEngine(limits), symbols=(instrument,), prices=100, account="margin", strategies=2
    )


def off(what: str, raw: str, step: str, neighbors: str) -> str:
    code = "quantity_step" if what == "quantity" else "price_tick"
    return f"{code}: {what} {raw} is not a multiple of {step}; the neighbors are {neighbors}"


TICK = {"tick_size": "0.05"}
# Instrument, terms, and why they do not fit; "" where they do.
GRIDS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"step_size": "0.5"}, {"quantity": "1.5"}, ""),
    ({"step_size": "0.5"}, {"quantity": "1.499999999"},
     off("quantity", "1.499999999", "0.5", "1 and 1.5")),
    ({"step_size": "0.5"}, {"quantity": "1.500000001"},
     off("quantity", "1.500000001", "0.5", "1.5 and 2")),
    (TICK, {"quantity": 1, "limit_price": "100.05"}, ""),
    (TICK, {"quantity": 1, "limit_price": "100.06"},
     off("limit_price", "100.06", "0.05", "100.05 and 100.1")),
    (TICK, {"quantity": 1, "stop_price": "110.05"}, ""),
    (TICK, {"quantity": 1, "stop_price": "110.04"},
     off("stop_price", "110.04", "0.05", "110 and 110.05")),
    (TICK, {"quantity": 1, "stop_price": "110", "limit_price": "110.01"},
     off("limit_price", "110.01", "0.05", "110 and 110.05")),
    (TICK, {"quantity": 1, "stop_price": "110.01", "limit_price": "110.05"},
     off("stop_price", "110.01", "0.05", "110 and 110.05")),
    (TICK, {"quantity": 1, "take_profit": "110.05", "stop_loss": "90.05"}, ""),
    (TICK, {"quantity": 1, "take_profit": "110.01", "stop_loss": "90.01"},
     off("limit_price", "110.01", "0.05", "110 and 110.05")),
    (TICK, {"quantity": 1, "take_profit": "110.05", "stop_loss": "90.01"},
     off("stop_price", "90.01", "0.05", "90 and 90.05")),
    (TICK, {"quantity": 1, "stop_loss": "90.01"},
     off("stop_price", "90.01", "0.05", "90 and 90.05")),
    # Two billionths: what is odd does not fit.
    ({"tick_size": "0.000000002"}, {"quantity": 1, "limit_price": "99.000000001"},
     off("limit_price", "99.000000001", "0.000000002", "99 and 99.000000002")),
    ({"tick_size": "0.000000001"}, {"quantity": 1, "limit_price": "99.000000001"}, ""),
    ({**TICK, "strict_tick": False}, {"quantity": 1, "limit_price": "100.01"}, ""),
    ({"min_notional": 10}, {"notional": 10}, ""),
    ({"min_notional": 10}, {"notional": "9.999999999"},
     "min_notional: 9.999999999 is below the smallest order of 10 USD"),
    ({"min_notional": 10}, {"quantity": "0.01"}, ""),
    ({"tradable": False}, {"quantity": 1}, "tradable: AAA cannot be traded"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "terms", "reason"), GRIDS)
def test_an_order_has_to_fit_its_instrument(
    settings: dict[str, Any], terms: dict[str, Any], reason: str
) -> None:
    made = rig(**settings)
    order = made.order("buy", **terms)
    assert (order.reason or "", order.status) == (reason, "DENIED" if reason else "SENT")
    asked = made.kernel.strategies[0].validate({"symbol": "AAA", "side": "buy", **terms})
    assert asked.reason == reason


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"quantity": 2}, True),
        ({"quantity": "2.1"}, False),
        ({"limit_price": "100.05"}, True),
        ({"limit_price": "100.01"}, False),
        ({"stop_price": "99.95"}, True),
        ({"stop_price": "99.96"}, False),
        ({"quantity": 2, "limit_price": "100.05", "stop_price": "99.96"}, False),
    ],
)
@pytest.mark.parametrize("limits", [None, Limits(max_order_quantity=100)])
def test_a_change_has_to_fit_its_instrument(
    changes: dict[str, Any], fits: bool, limits: Limits | None
) -> None:
    made = rig(limits, step_size="0.5", tick_size="0.05")
    order = made.order("buy", 1, stop_price=99, limit_price=100)
    made.answer("accept", order)
    assert made.modify(order, **changes) is fits


# -- reductions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "side", "quantity", "reason"),
    [
        (10, "sell", 10, ""),
        (10, "sell", "10.000000001", "quantity 10.000000001 is more than the 10 held"),
        (10, "sell", 12, "quantity 12 is more than the 10 held"),
        (10, "buy", 1, "no position in AAA that this order could reduce"),
        (-10, "buy", 10, ""),
        (-10, "buy", "10.5", "quantity 10.5 is more than the 10 held"),
        (-10, "sell", 1, "no position in AAA that this order could reduce"),
        (0, "sell", 1, "no position in AAA that this order could reduce"),
        (0, "buy", 1, "no position in AAA that this order could reduce"),
        ("0.000000001", "sell", "0.000000001", ""),
        ("0.000000001", "buy", 1, "no position in AAA that this order could reduce"),
    ],
)
def test_what_only_reduces_is_no_more_than_what_is_held(
    held: Any, side: str, quantity: Any, reason: str
) -> None:
    made = rig()
    if held:
        made.hold(float(held))
    # What another strategy holds is not its own.
    made.hold(100, strategy=1)
    order = made.order(side, quantity, reduce_only=True)
    assert (order.reason or "") == (f"reduce_only: {reason}" if reason else "")


# -- requests without an answer --------------------------------------------------------------------


@pytest.mark.parametrize(("side", "other"), [("buy", "sell"), ("sell", "buy")])
def test_while_an_outcome_is_unknown_nothing_leaves_on_its_side(side: str, other: str) -> None:
    made = rig()
    lost = made.order(side, 1, limit_price=100)
    made.answer("unknown", lost)
    assert made.order(side, 1).reason == (
        f"unknown_request: the outcome of an earlier {side} in AAA is not known yet"
    )
    assert made.order(side, 1, strategy=1).status == "SENT"
    assert made.order(other, 1).status == "SENT"
    made.answer("accept", lost)
    assert made.order(side, 1).status == "SENT"


# -- exits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("leg", ["take_profit", "stop_loss"])
@pytest.mark.parametrize(
    ("filled", "ended", "most"), [(4, False, 10), (4, True, 4), (10, False, 10)]
)
def test_an_exit_is_made_no_larger_than_what_its_entry_brings(
    filled: float, ended: bool, most: int, leg: str
) -> None:
    made = rig()
    entry = made.order("buy", 10, limit_price=100, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.fill(entry, filled)
    for each in entry.legs:
        made.answer("accept", each)
    if ended:
        made.answer("cancel", entry)
    exit = getattr(entry, leg)
    assert not made.modify(exit, quantity=f"{most}.000000001")
    assert made.gate.report()["denials"]["reason"][-1] == (
        f"exit_quantity: quantity {most}.000000001 is more than the {most} of the entry "
        f"{entry.client_order_id} that this exit leaves; send an order of its own for the rest"
    )
    made.answer("cancel", exit.sibling)
    assert made.modify(exit, quantity=most)


def test_a_verdict_lets_an_order_go_once() -> None:
    made = GateRig(RiskEngine(Limits(max_open_orders=9)), prices=100)
    first, second = made.draft("buy", 1), made.draft("buy", 2)
    assert made.judge(first) is None
    with pytest.raises(OrderError, match=second.client_order_id):
        made.approve(second)
    made.approve(first)
    with pytest.raises(OrderError, match=first.client_order_id) as told:
        made.approve(first)
    assert told.value.code == "no_verdict"

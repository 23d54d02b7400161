"""An order with requests of unknown outcome bars its side once, and until all are known."""

from __future__ import annotations

import pytest

from pyrt.errors import InvalidTransition
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig


def rig() -> GateRig:
    return GateRig(RiskEngine(), cash=1e6, prices=100)


def is_barred(made: GateRig) -> bool:
    reason = made.order("buy", 1).reason or ""
    return reason.startswith("unknown_request")


@pytest.mark.parametrize("answer", ["accept", "reject", "fill"])
def test_an_unknown_outcome_that_is_told_twice_is_known_once(answer: str) -> None:
    made = rig()
    order = made.order("buy", 10)
    made.answer("unknown", order)
    made.answer("unknown", order)
    assert is_barred(made)
    made.fill(order) if answer == "fill" else made.answer(answer, order)
    assert not is_barred(made)


def test_submit_and_cancel_of_unknown_outcome_count_as_one_order() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("unknown", order)
    made.cancel(order)
    made.answer("unknown", order)
    assert is_barred(made)
    # That it is there says nothing yet of the cancel.
    made.answer("accept", order)
    assert is_barred(made)
    made.answer("cancel", order)
    assert not is_barred(made)


@pytest.mark.parametrize("asked", ["cancel", "modify"])
@pytest.mark.parametrize("end", ["cancel", "expire", "reject", "fill"])
def test_an_order_that_has_ended_leaves_nothing_in_doubt(asked: str, end: str) -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("accept", order)
    made.cancel(order) if asked == "cancel" else made.modify(order, limit_price=91)
    made.answer("unknown", order)
    assert is_barred(made)
    made.fill(order) if end == "fill" else made.answer(end, order)
    assert not order.is_open
    assert not order.is_unknown
    assert not is_barred(made)


def test_what_is_no_answer_in_this_state_leaves_doubts_as_they_are() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("accept", order)
    made.fill(order, 4)
    made.cancel(order)
    made.answer("unknown", order)
    with pytest.raises(InvalidTransition, match="PARTIALLY_FILLED"):
        made.answer("reject", order)
    assert order.is_unknown
    assert is_barred(made)

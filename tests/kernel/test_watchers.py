"""A gate that hears everything and has no hooks of its own changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.live.core.inputs import Inputs
from pyrt.risk.gate import BasicGate
from pyrt.testing.gates import GateRig, IdleWatcher


def story(gate: Any) -> tuple[Any, ...]:
    """Return what a kernel comes to over prices, orders, a split and a deposit."""
    rig = GateRig(gate, cash=10_000, prices=100)
    rig.hold(10)
    rig.quote(99, 101)
    resting = rig.order("buy", 5, limit_price=95)
    rig.answer("accept", resting)
    assert rig.cancel(resting)
    rig.answer("cancel", resting)
    rig.split(2)
    Inputs(rig.kernel).cash(rig.now, 500)
    rig.wait("1m")
    rig.price(60)
    rig.sample()
    metrics = rig.kernel.portfolio.metrics()
    position = rig.kernel.cache.positions()[0]
    return resting.status, position.quantity, metrics["equity"], metrics["cash"]


def test_hooks_that_do_nothing_leave_all_as_it_is() -> None:
    heard = story(IdleWatcher())
    assert heard == story(BasicGate())
    # Ten at 100, two for one, at 60 by the end; and 500 paid in.
    assert heard == ("CANCELED", 20, pytest.approx(10_700), pytest.approx(9_500))

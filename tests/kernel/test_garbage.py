"""Runs that are over leave nothing behind, whatever still waited in them."""

from __future__ import annotations

import gc

from pyrt.kernel.kernel import Kernel
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


def kernels() -> int:
    gc.collect()
    return sum(isinstance(each, Kernel) for each in gc.get_objects())


def test_a_kernel_whose_commands_wait_for_answers_is_collected() -> None:
    before = kernels()
    made = GateRig(RiskEngine(Limits(max_order_quantity=100)), symbols=("AAA",), prices=100)
    made.hold(10)
    exit = made.order("sell", 10, limit_price=110)
    made.answer("accept", exit)
    close = made.close("AAA")
    # It waits until the venue has canceled what holds the shares.
    assert close.status == "INITIALIZED"
    del made, exit, close
    assert kernels() == before

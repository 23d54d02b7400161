"""What a tape says was asked of a gate is done to it again, and not written down anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError
from pyrt.live.core.gate_changes import GATE_METHODS, change_gate, unrecorded
from pyrt.live.core.node import NodeCore
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from tests.live.cores import core_of


class One(Strategy):
    """Does nothing."""


def recorded(**limits: Any) -> tuple[NodeCore, RiskEngine, list[tuple[Any, ...]]]:
    gate = RiskEngine(Limits(**limits))
    core, _ = core_of(gate, [One()])
    told: list[tuple[Any, ...]] = []
    gate.recorder = lambda *what: told.append(what)
    return core, gate, told


WHO = {"actor": "anna", "reason": "a test"}


@pytest.mark.parametrize(
    ("method", "arguments", "look", "expected"),
    [
        (
            "set_limits", {"limits": {"max_order_quantity": "7"}, **WHO},
            lambda gate: gate.limits.max_order_quantity, 7,
        ),
        ("set_ramp", {"share": "0.5", **WHO}, lambda gate: gate.ramp_share, Decimal("0.5")),
        (
            "set_state", {"state": "HALTED", "strategy": None, "symbol": "SPY", **WHO},
            lambda gate: gate.state(symbol="SPY").name, "HALTED",
        ),
        ("set_status", {"symbol": "QQQ", "status": "halted"}, lambda g: g.halted_symbols, ["QQQ"]),
        ("set_atr", {"symbol": "SPY", "value": 2.5}, lambda gate: gate.stops.atr, {"SPY": 2.5}),
        ("set_adv", {"symbol": "SPY", "volume": "1000.5"}, lambda gate: None, None),
        # What is none of them is left alone, whatever it is called.
        ("restore", {"saved": {}}, lambda gate: gate.limits.max_order_quantity, 10),
    ],
)  # fmt: skip
def test_each_is_done_and_none_is_written_down_again(method, arguments, look, expected):
    core, gate, told = recorded(max_order_quantity=10)
    recorder = gate.recorder
    change_gate(core.kernel, method, arguments)
    assert look(gate) == expected
    assert told == []
    assert gate.recorder is recorder
    assert (method in GATE_METHODS) == (method != "restore")
    # A person's is.
    gate.set_status("SPY", "trading")
    assert len(told) == 1


def test_a_volume_that_a_tape_has_is_what_orders_are_judged_by():
    core, _, _ = recorded(max_adv_share="0.01")
    change_gate(core.kernel, "set_adv", {"symbol": "SPY", "volume": "1000.5"})
    for quantity, code in ((10, ""), (11, "max_adv_share")):
        order = {"symbol": "SPY", "side": "buy", "quantity": quantity, "limit_price": 5}
        assert core.kernel.strategies[0].validate(order).code == code


def test_the_recorder_comes_back_though_what_is_played_is_refused():
    core, gate, told = recorded()
    recorder = gate.recorder
    with pytest.raises(ConfigError):
        change_gate(core.kernel, "set_ramp", {"share": "2", **WHO})
    assert gate.recorder is recorder
    with unrecorded(core.kernel) as given:
        assert given is gate
        assert gate.recorder is None
    assert gate.recorder is recorder
    assert told == []


def test_a_gate_that_writes_nothing_down_is_given_as_it_is():
    core, _ = core_of(BasicGate(), [One()])
    with unrecorded(core.kernel) as given:
        assert given is core.kernel.gate
    assert not hasattr(core.kernel.gate, "recorder")

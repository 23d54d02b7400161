"""What people ask of a risk engine: told before it is done, done whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.errors import ConfigError, PyrtError, UnknownName
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig

LIMITS = Limits(
    max_order_notional=10_000, max_daily_loss=100, max_adv_share="0.1", max_position_loss_atr=2,
    max_open_orders=100, ramp_start="0.5", max_duplicates=0, duplicate_window="1s",
)  # fmt: skip
OTHERS = Limits(max_order_notional=500)
WHO = {"actor": "Ann", "reason": "a test"}
# Method, what it is given, and what is told of that.
CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("set_state", {"state": "reducing", **WHO},
     {"state": "REDUCING", **WHO, "strategy": None, "symbol": None}),
    ("set_state", {"state": "halted", **WHO, "strategy": "A"},
     {"state": "HALTED", **WHO, "strategy": "A", "symbol": None}),
    ("set_state", {"state": "halted", **WHO, "symbol": "AAA"},
     {"state": "HALTED", **WHO, "strategy": None, "symbol": "AAA"}),
    ("kill", WHO, {**WHO, "flatten": False}),
    ("kill", {**WHO, "flatten": True}, {**WHO, "flatten": True}),
    ("set_limits", {"limits": OTHERS, **WHO}, {"limits": OTHERS.to_dict(), **WHO}),
    ("set_ramp", {"share": 0.75, **WHO}, {"share": "0.75", **WHO}),
    ("reset_breaker", WHO, WHO),
    ("set_atr", {"symbol": "AAA", "value": 2.5}, {"symbol": "AAA", "value": 2.5}),
    ("set_adv", {"symbol": "AAA", "volume": 900}, {"symbol": "AAA", "volume": "900"}),
    ("set_status", {"symbol": "AAA", "status": "halted"}, {"symbol": "AAA", "status": "halted"}),
    ("allow_once", {"control": "max_order_notional", **WHO, "for_": "60s"},
     {"control": "max_order_notional", **WHO, "for_": 60_000_000_000}),
]  # fmt: skip
NAMED = [(name, given) for name, given, _ in CALLS if "actor" in given]


class Refused(Exception):
    """The record cannot be written."""


def rig() -> GateRig:
    made = GateRig(RiskEngine(LIMITS), prices=100)
    made.hold(10)
    made.order("buy", 3, limit_price=90)
    return made


def seen(made: GateRig) -> tuple[Any, ...]:
    """All that a call could change."""
    gate = made.gate
    asked = (made.venue.submitted, made.venue.withdrawn, made.venue.changed)
    return (
        gate.save(), gate.limits, gate.halted_symbols, gate.ramp_share, gate.state(),
        gate.state(strategy="A"), gate.state(symbol="AAA"), *(len(each) for each in asked),
        *verdicts(made),
    )  # fmt: skip


def verdicts(made: GateRig) -> list[str]:
    """What would be said of orders now; a preview uses nothing up."""
    owner = made.kernel.strategies[0]
    return [
        made.kernel.validate(owner, "AAA", side, quantity, {"limit_price": 100}).reason
        for side, quantity in ((1, 40), (1, 60), (1, 95), (1, 120), (-1, 10))
    ]


@pytest.mark.parametrize(("name", "given", "told"), CALLS)
def test_a_call_is_told_before_it_is_done(
    name: str, given: dict[str, Any], told: dict[str, Any]
) -> None:
    made = rig()
    before = seen(made)
    heard: list[tuple[str, dict[str, Any], bool]] = []
    made.gate.recorder = lambda method, arguments: heard.append(
        (method, arguments, seen(made) == before)
    )
    getattr(made.gate, name)(**given)
    made.settle()
    assert heard == [(name, told, True)]
    assert seen(made) != before or name == "set_atr"


@pytest.mark.parametrize(("name", "given", "told"), CALLS)
def test_a_call_that_cannot_be_written_down_changes_nothing(
    name: str, given: dict[str, Any], told: dict[str, Any]
) -> None:
    def refuse(method: str, arguments: dict[str, Any]) -> None:
        raise Refused

    made = rig()
    before = seen(made)
    made.gate.recorder = refuse
    with pytest.raises(Refused):
        getattr(made.gate, name)(**given)
    made.settle()
    assert seen(made) == before


@pytest.mark.parametrize("blank", ["", "  ", None, 5])
@pytest.mark.parametrize("missing", ["actor", "reason"])
@pytest.mark.parametrize(("name", "given"), NAMED)
def test_what_nobody_stands_for_is_neither_told_nor_done(
    name: str, given: dict[str, Any], missing: str, blank: Any
) -> None:
    made = rig()
    before = seen(made)
    heard: list[Any] = []
    made.gate.recorder = lambda method, arguments: heard.append(method)
    with pytest.raises(ConfigError, match=f"{missing} is {blank!r}"):
        getattr(made.gate, name)(**{**given, missing: blank})
    made.settle()
    assert heard == []
    assert seen(made) == before


@pytest.mark.parametrize("fails", [False, True])
def test_a_range_that_was_stated_is_what_a_position_may_lose(fails: bool) -> None:
    made = GateRig(RiskEngine(LIMITS), prices=100)
    made.hold(10)
    if fails:
        made.gate.recorder = lambda method, arguments: 1 // 0
        with pytest.raises(ZeroDivisionError):
            made.gate.set_atr("AAA", 2.5)
    else:
        made.gate.set_atr("AAA", 2.5)
    sent = len(made.venue.submitted)
    made.price(95)
    assert len(made.venue.submitted) == sent
    made.price(94.99)
    assert len(made.venue.submitted) == sent + (not fails)


# What makes no sense, and what is raised.
WRONG: list[tuple[str, dict[str, Any], type[PyrtError]]] = [
    ("set_state", {"state": "off", **WHO}, ConfigError),
    ("set_state", {"state": "halted", **WHO, "strategy": "Z"}, UnknownName),
    ("set_state", {"state": "halted", **WHO, "symbol": "ZZZ"}, UnknownName),
    ("set_limits", {"limits": None, **WHO}, ConfigError),
    ("set_ramp", {"share": 1.01, **WHO}, ConfigError),
    ("set_ramp", {"share": None, **WHO}, ConfigError),
    ("set_atr", {"symbol": "AAA", "value": -1.0}, ConfigError),
    ("set_adv", {"symbol": "AAA", "volume": 0}, ConfigError),
    ("allow_once", {"control": "no_such", **WHO}, ConfigError),
]


@pytest.mark.parametrize(("name", "given", "error"), WRONG)
def test_what_makes_no_sense_is_neither_told_nor_done(
    name: str, given: dict[str, Any], error: type[PyrtError]
) -> None:
    made = rig()
    before = seen(made)
    heard: list[Any] = []
    made.gate.recorder = lambda method, arguments: heard.append(method)
    with pytest.raises(error):
        getattr(made.gate, name)(**given)
    assert heard == []
    assert seen(made) == before


def test_what_the_engine_does_of_its_own_accord_is_not_told() -> None:
    made = rig()
    heard: list[Any] = []
    made.gate.recorder = lambda method, arguments: heard.append(method)
    for _ in range(2):
        made.order("buy", 3, limit_price=90)
    made.price(50)
    made.sample()
    scopes = {change.scope for change in made.gate.changes}
    assert {"strategy A", "breaker"} <= scopes
    assert heard == []

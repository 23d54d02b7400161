"""What an operator's words do to a core, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import (
    CONTROLS,
    breaker_of,
    cancel_entries,
    carry_out,
    check_operation,
    decode_note,
    encode_note,
)
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from tests.live.cores import NOW, Wire, core_of, trade


class One(Strategy):
    """Does what the test does for it."""


class Two(Strategy):
    """Is another."""


@pytest.fixture
def made() -> tuple[NodeCore, Wire]:
    """Return a core of two: both hold SPY, rest with a buy each, and one with its exit."""
    core, wire = core_of(RiskEngine(Limits()), [One(), Two()])
    one, two = core.kernel.strategies
    trade(core, 0, "buy", "SPY", 10, 100)
    trade(core, 1, "buy", "SPY", 4, 100)
    for strategy, side, symbol, price in (
        (one, "buy", "SPY", 90), (two, "buy", "QQQ", 80), (one, "sell", "SPY", 120),
    ):  # fmt: skip
        order = getattr(strategy, side)(symbol, 3, limit_price=price, reduce_only=side == "sell")
        core.inputs.settle()
        core.inputs.order_event("accepted", order.number, NOW)
    core.inputs.settle()
    wire.take()
    return core, wire


def ask(core: NodeCore, action: str, **what: str) -> str:
    named = {"actor": "anna", "reason": "a test", "symbol": "", "strategy": "", **what}
    done = carry_out(core, action, **named)
    core.inputs.settle()
    return done


ENTRIES, EXIT = [3, 4], 5


@pytest.mark.parametrize(
    ("action", "what", "said", "canceled"),
    [
        # A person's halt takes all; the node's own leaves exits where they are.
        ("halt", {}, "everything is halted", [*ENTRIES, EXIT]),
        ("halt", {"actor": "node"}, "everything is halted", "entries"),
        ("halt", {"symbol": "SPY"}, "SPY is halted", []),
        ("halt", {"strategy": "One"}, "One is halted", []),
        ("reduce", {}, "everything is reducing", []),
        ("reduce", {"strategy": "Two"}, "Two is reducing", []),
        ("resume", {}, "everything is active", []),
        ("cancel_all", {}, "3 orders are being canceled", [*ENTRIES, EXIT]),
        ("cancel_all", {"symbol": "SPY"}, "2 orders are being canceled", [3, EXIT]),
        ("cancel_all", {"symbol": "QQQ"}, "1 orders are being canceled", [4]),
        ("cancel", {"order": "t-4"}, "order t-4 is being canceled", [4]),
        ("stop_strategy", {"strategy": "Two"}, "Two is stopped", [4]),
        ("reset_breaker", {}, "the circuit breaker is closed", []),
    ],
)
def test_each_act_does_what_it_says(made, action, what, said, canceled):
    core, wire = made
    exits = [order.number for order in core.kernel.cache.orders_open() if order.is_exit]
    assert exits == [EXIT], exits
    if canceled == "entries":
        canceled = [n for n in (*ENTRIES, EXIT) if n not in exits]
    assert ask(core, action, **what) == said
    assert wire.take() == [("withdraw", number) for number in canceled]
    state = {"halt": "HALTED", "reduce": "REDUCING"}.get(action, "ACTIVE")
    gate: Any = core.kernel.gate
    scope = {name: text for name, text in what.items() if name in ("symbol", "strategy")}
    assert gate.state(**scope).name == state
    if scope:
        assert gate.state().name == "ACTIVE"
    if state != "ACTIVE":
        (change,) = gate.changes
        assert (change.actor, change.reason) == (what.get("actor", "anna"), "a test")
    running = [strategy.running for strategy in core.kernel.strategies]
    assert running == [True, action != "stop_strategy"]


@pytest.mark.parametrize(
    ("held", "said"),
    [("SPY", "2 orders close SPY"), ("QQQ", "0 orders close QQQ")],
)
def test_a_symbol_is_closed_for_all_who_hold_it(held, said):
    core, wire = core_of(RiskEngine(Limits()), [One(), Two()])
    trade(core, 0, "buy", "SPY", 10, 100)
    trade(core, 1, "buy", "SPY", 4, 100)
    wire.take()
    assert ask(core, "close", symbol=held) == said
    orders = core.kernel.cache.orders_open()
    assert [(o.strategy.name, o.side.name, o.quantity) for o in orders] == (
        [("One", "SELL", 10), ("Two", "SELL", 4)] if held == "SPY" else []
    )


def test_everything_is_closed_and_no_entry_can_follow(made):
    core, wire = made
    assert ask(core, "flatten") == "everything is being closed"
    left = [number for what, number in wire.take() if what == "withdraw"]
    assert sorted(left) == [*ENTRIES, EXIT]
    for number in (*ENTRIES, EXIT):
        core.inputs.order_event("canceled", number, NOW)
    core.inputs.settle()
    orders = core.kernel.cache.orders_open()
    leaving = [(o.strategy.name, o.side.name, o.quantity) for o in orders]
    assert sorted(leaving) == [("One", "SELL", 10), ("Two", "SELL", 4)]
    assert core.kernel.gate.state().name == "REDUCING"
    assert ("anna", "a test") in {(c.actor, c.reason) for c in core.kernel.gate.changes}


@pytest.mark.parametrize("scope", [{}, {"symbol": "SPY"}, {"strategy": "One"}])
def test_what_is_halted_sends_nothing_until_it_is_resumed(made, scope):
    core, wire = made
    one, two = core.kernel.strategies
    ask(core, "halt", **scope)
    wire.take()
    outcomes = []
    for act in ("", "resume"):
        if act:
            ask(core, act, **scope)
        orders = [(each, each.buy(symbol, 1)) for each in (one, two) for symbol in ("SPY", "QQQ")]
        core.inputs.settle()
        outcomes.append([f"{each.name} {o.symbol}" for each, o in orders if o.status == "SENT"])
    everything = ["One SPY", "One QQQ", "Two SPY", "Two QQQ"]
    names = [*scope.values(), ""]
    assert outcomes[0] == [each for each in everything if scope and names[0] not in each]
    assert outcomes[1] == everything


def test_a_stopped_strategy_says_who_has_stopped_it(made):
    core, _ = made
    ask(core, "stop_strategy", strategy="One", actor="bob", reason="too wild")
    one, two = core.kernel.strategies
    assert (one.running, one.stop_reason) == (False, "bob: too wild")
    assert (two.running, two.stop_reason) == (True, "")


def test_a_resume_says_what_is_barred_still(made):
    core, _ = made
    ask(core, "halt", symbol="SPY")
    ask(core, "halt", strategy="Two")
    assert ask(core, "resume") == ("everything is active, but not SPY, Two: resume that by name")
    # By its name nothing is said of the others.
    assert ask(core, "resume", symbol="SPY") == "SPY is active"
    assert ask(core, "resume") == "everything is active, but not Two: resume that by name"
    assert ask(core, "reduce") == "everything is reducing"
    assert ask(core, "resume", strategy="Two") == "Two is active"
    assert ask(core, "resume") == "everything is active"


def test_a_resume_says_that_the_breaker_is_open_for_whatever_it_names():
    core, _ = core_of(RiskEngine(Limits(max_daily_loss=100)), [One()])
    assert breaker_of(core.kernel.gate) == "closed"
    core.inputs.sample()
    core.inputs.cash(NOW, -101)
    core.inputs.sample()
    assert breaker_of(core.kernel.gate) == "open"
    text = ", and the circuit breaker is open"
    assert ask(core, "resume") == "everything is active" + text
    assert ask(core, "resume", strategy="One") == "One is active" + text
    assert ask(core, "halt", strategy="One") == "One is halted"
    assert ask(core, "reset_breaker") == "the circuit breaker is closed"
    change = core.kernel.gate.changes[-1]
    assert (change.actor, change.reason) == ("anna", "a test")
    assert breaker_of(core.kernel.gate) == "closed"
    assert breaker_of(BasicGate()) == "closed"


def test_the_node_halts_a_symbol_that_it_does_not_trade(made):
    """The broker has something of it: it is not to be traded before somebody has looked."""
    core, _ = made
    gate: Any = core.kernel.gate
    assert ask(core, "halt", symbol="IBM", actor="node", reason="position") == "IBM is halted"
    assert gate.states.save()["symbols"]["IBM"]
    assert gate.changes[-1].actor == "node"
    assert gate.changes[-1].reason == "position"
    assert ask(core, "resume", symbol="IBM") == "IBM is active"
    assert not gate.states.save()["symbols"].get("IBM")


@pytest.mark.parametrize(
    ("action", "what", "text"),
    [
        ("sell_all", {}, "action is 'sell_all'; expected one of halt, reduce, resume, cancel,"),
        ("halt", {"actor": " "}, "halt needs an actor and a reason"),
        ("halt", {"reason": ""}, "halt needs an actor and a reason"),
        ("close", {}, "close needs a symbol"),
        ("cancel", {"order": "t-1"}, "no order 't-1' is open here"),
        ("stop_strategy", {"strategy": "Three"}, "no strategy 'Three' runs here"),
    ],
)
def test_what_cannot_be_done_is_told_and_not_done(made, action, what, text):
    core, wire = made
    with pytest.raises(ConfigError, match=text) as refused:
        ask(core, action, **what)
    codes = {"cancel": "unknown_order", "stop_strategy": "unknown_strategy", "halt": "actor"}
    if action in codes:
        assert refused.value.code == codes[action]
    assert wire.take() == []
    assert core.kernel.gate.state().name == "ACTIVE"
    assert all(strategy.running for strategy in core.kernel.strategies)


def test_entries_are_canceled_and_counted_and_exits_stay(made):
    core, wire = made
    exits = [order.number for order in core.kernel.cache.orders_open() if order.is_exit]
    entries = [number for number in (*ENTRIES, EXIT) if number not in exits]
    assert cancel_entries(core.kernel) == len(entries)
    core.inputs.settle()
    assert wire.take() == [("withdraw", number) for number in entries]


def test_a_note_is_read_as_it_was_written():
    note = {"what": "bands", "terms": ["SPY", 1.5, float("inf"), 1 << 62], "text": "é"}
    assert decode_note(encode_note(**note)) == note


def test_every_control_needs_who_and_why():
    assert len(CONTROLS) == len(set(CONTROLS)) == 9
    for action in CONTROLS:
        check_operation(action, "anna", "why")
        for actor, reason in (("", "why"), ("anna", ""), ("\t", "why"), ("anna", " ")):
            with pytest.raises(ConfigError, match=f"{action} needs an actor and a reason"):
                check_operation(action, actor, reason)

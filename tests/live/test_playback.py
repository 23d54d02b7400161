"""What notes of a tape do again, those of earlier versions too."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.live.core.adjust import mark_holding
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import encode_note
from pyrt.live.core.restore import order_state
from pyrt.live.driver.playback import Playback
from pyrt.live.driver.resuming import encode_states
from pyrt.risk import Limits, RiskEngine
from tests.live.cores import NOW, core_of, taken, trade
from tests.live.test_input_time import bar, timed
from tests.live.test_inputs import listening, lived
from tests.live.test_resuming import made as parted
from tests.live.test_resuming import most, rests


class One(Strategy):
    """Does what the test does for it, and keeps the fills that it hears of."""

    def on_start(self) -> None:
        self.heard: list[float] = []

    def on_fill(self, fill: Any) -> None:
        self.heard.append(fill.quantity)


def made(**limits: Any) -> NodeCore:
    return core_of(RiskEngine(Limits(**limits)), [One()])[0]


def note(playback: Playback, what: str, **terms: Any) -> None:
    playback.on_note(encode_note(what, **terms))


SPLIT = {
    "strategy": "One", "symbol": "SPY", "quantity": "10", "amount": "0", "is_split": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "price"), [({}, 50), ({"restates": True}, 50), ({"restates": False}, 100)]
)
def test_a_split_restates_what_risk_knows_where_the_tape_does_not_say_otherwise(terms, price):
    core = made(max_position_drawdown="0.9")
    trade(core, 0, "buy", "SPY", 10, 100)
    mark_holding(core.kernel, "SPY", 100)
    core.inputs.sample()
    note(Playback(core, {}), "adjust", **SPLIT, **terms)
    (position,) = core.kernel.cache.positions()
    assert (position.quantity, position.average_price) == (20, 50)
    gate: Any = core.kernel.gate
    assert [row[-1] // 10**9 for row in gate.save()["stops"]] == [price]


@pytest.mark.parametrize(("keeps", "most"), [(False, 7), (True, 10)])
def test_limits_given_on_the_way_are_left_aside_where_others_are_tried(keeps, most):
    core = made(max_order_quantity=10)
    playback = Playback(core, {}, keeps_limits=keeps)
    who = {"actor": "anna", "reason": "news"}
    limits = {"max_order_quantity": "7"}
    note(playback, "gate", method="set_limits", arguments={"limits": limits, **who})
    note(playback, "gate", method="set_ramp", arguments={"share": "0.5", **who})
    gate: Any = core.kernel.gate
    assert gate.limits.max_order_quantity == most
    assert str(gate.ramp_share) == "0.5"


def test_what_was_refused_then_is_refused_again_and_the_rest_is_played():
    core = made()
    playback = Playback(core, {})
    who = {"actor": "anna", "reason": "news"}
    note(playback, "gate", method="set_ramp", arguments={"share": "2", **who})
    note(playback, "operate", action="cancel", symbol="", strategy="", order="t-9", **who)
    # Tapes of earlier versions name no order.
    note(playback, "operate", action="halt", symbol="SPY", strategy="", **who)
    note(playback, "what no version knows", symbol="SPY")
    assert core.kernel.gate.state(symbol="SPY").name == "HALTED"


def test_what_the_market_has_said_is_said_again():
    core = made(max_order_quantity=10)
    note(Playback(core, {}), "status", terms=["QQQ", "halted", "news is pending", NOW])
    gate: Any = core.kernel.gate
    assert gate.halted_symbols == ["QQQ"]


def test_a_day_and_the_past_before_it_come_off_the_tape_as_they_were_heard():
    core, _, first = timed()
    taken(core)
    core.warm("SPY", [bar(-2, 30.0), bar(-1, 40.0)])
    other, _, second = timed()
    assert Playback(other, {}).play(taken(core))
    assert first.average.value == second.average.value == 35.0
    _, heard, piece = lived()
    again, _, hears = listening()
    assert Playback(again, {}).play(piece)
    assert hears.heard == heard.heard
    assert taken(again) == piece


def test_fills_before_the_start_are_those_that_were_missed_and_no_later_ones():
    core = made()
    (strategy,) = core.kernel.strategies
    playback = Playback(core, {})
    assert not playback.has_started
    trade(core, 0, "buy", "SPY", 3, 100)
    note(playback, "start", ts=NOW)
    assert playback.has_started
    trade(core, 0, "buy", "SPY", 4, 100)
    strategy.heard.clear()
    note(playback, "missed", count=1)
    assert strategy.heard == [3]


def test_a_playback_that_has_ended_listens_and_plays_no_more():
    core = made()
    (strategy,) = core.kernel.strategies
    playback = Playback(core, {})
    assert core.later.recorded == {}
    playback.end()
    assert core.later.recorded is None
    trade(core, 0, "buy", "SPY", 3, 100)
    strategy.heard.clear()
    note(playback, "missed", count=0)
    assert strategy.heard == []


@pytest.mark.parametrize(("changing", "left"), [(None, 8), (b"", 8), ("9", 1)])
def test_a_crash_in_between_is_played_as_it_was_gone_over(changing, left):
    core, wire = parted()
    one, two = core.kernel.strategies
    order, waits = rests(core, quantity=2), one.buy("QQQ", 1)
    playback, nothing = Playback(core, {}), encode_states([])
    note(playback, "part", prefix="q-", orders=nothing, unsent=[], uncanceled=[])
    terms = {}
    if changing is not None:
        state = msgspec.structs.replace(order_state(order), changes=1, asked=("9", "", ""))
        terms["changing"] = encode_states([state]) if changing else b""
    saves = {"One": encode_note("saved")}
    halted = {"Two": "it came to other orders"}
    note(playback, "settle", positions=nothing, risk=b"", saves=saves, halted=halted, **terms)
    assert most(core) == left
    assert (one.loaded, two.running) == ([{"what": "saved"}], False)
    wire.take()
    note(playback, "go_on", orders=[waits.number])
    core.inputs.settle()
    assert wire.take() == [("submit", waits.number)]
    assert waits.client_order_id == "q-2"
    # Tapes of earlier versions name no orders.
    note(playback, "go_on")

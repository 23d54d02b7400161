"""How a node ends: what its policy wants gone and is not is told, and nothing of it twice."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.simulator.core import Response
from pyrt.core.types import Side
from pyrt.live.core.notes import decode_note
from pyrt.live.core.tape import survey
from pyrt.live.driver.run import LOOKING, NEW, RUNNING, STOPPED, STOPPING
from pyrt.live.driver.stopping import Stopping
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records, read_tape
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import PRICES, Collect, Rests, left_behind, node
from tests.live.whole import SECOND, Node, World


def refuse_cancels(request: Any, send: Any) -> Any:
    """Let the broker refuse every cancel: the orders work on."""
    if request.method == "DELETE":
        return Response(422, b'{"code":42210000,"message":"order is not cancelable"}')
    return send(request)


def running(policy: str, **options: Any) -> Node:
    """A node that holds ten with a stop order, and rests with an entry."""
    policies = Policies(looks=1, warmup=0, on_stop=policy, **options)
    made = node(World([PRICES]), MemoryFiles(), Rests, policies=policies)
    made.run(9)
    return made


def go_on(made: Node, seconds: int) -> None:
    """Let time pass without data."""
    for second in range(seconds):
        made.driver.turn(made.world.now + second * SECOND)
        made.settle(made.world.now + second * SECOND)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("leave", []),
        ("cancel_entries", ["buy 5"]),
        ("cancel_all", ["buy 5", "sell 10"]),
        ("flatten", ["buy 5", "sell 10", "10 SPY is held"]),
    ],
)
def test_what_a_stop_wants_gone_and_the_broker_does_not_cancel_is_told(policy, told):
    made = running(policy)
    made.on_request = refuse_cancels
    made.driver.stop(made.world.now)
    go_on(made, 15)
    assert made.driver.phase == STOPPED
    text = " ".join(left_behind(made))
    assert bool(text) == bool(told)
    for words in told:
        assert words in text
    for words in {"buy 5", "sell 10", "10 SPY is held"} - {*told}:
        assert words not in text
    assert text.count("it works still") == sum("held" not in words for words in told)


def test_an_order_of_which_nothing_is_known_at_the_end_is_told():
    made = running("leave")
    made.on_request = lambda request, send: None if request.method == "POST" else send(request)
    order = made.kernel.strategies[0].buy("SPY", 1, limit_price=30)
    made.driver.core.inputs.settle()
    made.settle(made.world.now)
    made.stop()
    (text,) = left_behind(made)
    assert f"buy 1 SPY ({order.client_order_id}): its last request is not answered" in text


def stopping_beside(policy: str = "cancel_entries", **terms: Any) -> tuple[Any, list[Any]]:
    """A run that stops beside one order, and the alarms of it."""
    order = Stub(**{
        "side": Side.BUY, "symbol": "SPY", "client_order_id": "a", "is_exit": False,
        "is_pending": False, "is_unknown": False, "status": "ACCEPTED",
        "order_type": "limit", "time_in_force": "gtc",
        "quantity_exact": Decimal(5), "filled_quantity_exact": Decimal("1.5"), **terms,
    })  # fmt: skip
    cache, told = Stub(orders_open=lambda: [order], positions=list), []
    run = Stub(
        phase=STOPPING, stop_reason="", live_core=Stub(kernel=Stub(cache=cache)), stop_by=9,
        plan=Stub(policies=Policies(on_stop=policy)),
        client=Stub(queue=Stub(outstanding=0)), journal=Stub(record=lambda record: None),
        scribe=Stub(alarm=lambda *given: told.append(given), save_risk=list),
    )  # fmt: skip
    return run, told


@pytest.mark.parametrize(
    ("policy", "terms", "waits"),
    [
        # A way out at the market fills now; one for an auction, or that rests, stays.
        ("cancel_entries", {"is_exit": True, "order_type": "market"}, True),
        ("leave", {"is_exit": True, "order_type": "market"}, True),
        ("cancel_entries",
         {"is_exit": True, "order_type": "market", "time_in_force": "cls"}, False),
        ("cancel_entries", {"is_exit": True, "order_type": "stop"}, False),
        # One that is to end has, perhaps, filled: its cancel was refused.
        ("cancel_entries", {}, True),
        ("cancel_all", {"is_exit": True, "order_type": "stop"}, True),
        ("leave", {}, False),
    ],
)  # fmt: skip
def test_a_stop_waits_for_what_has_to_end_or_is_about_to_fill(policy, terms, waits):
    run, told = stopping_beside(policy, **terms)
    stopping = Stopping(run, None, None)
    stopping.go_on(8)
    assert run.phase == (STOPPING if waits else STOPPED)
    run.stop_by = 9
    stopping.go_on(9)
    assert (run.phase, len(told)) == (STOPPED, waits)


@pytest.mark.parametrize(
    ("actor", "since", "leaves"),
    [
        ("anna", "", False),
        ("node", "", True),
        ("anna", "resume", True),
        ("anna", "reduce", True),
        # Nor where the node has halted everything after that, for something of its own.
        ("anna", "halt", False),
    ],
)
def test_no_policy_of_stops_leaves_what_a_person_has_halted(actor, since, leaves):
    """The next run sold it all, with nobody to say so: a halt survives a restart."""
    made = running("flatten", stop_patience_ns=3600 * SECOND)
    if actor == "node":
        made.driver._operators.halt("", "cash is missing")
    else:
        made.driver.operate("halt", actor, "prices look odd")
    if since == "halt":
        made.driver._operators.halt("", "cash is missing")
    elif since:
        made.driver.operate(since, "bob", "looked")
    made.settle(made.world.now)
    made.driver.stop(made.world.now)
    made.run(3)
    assert made.driver.phase == STOPPED
    held = made.kernel.strategies[0].position("SPY").quantity
    assert held == (0 if leaves else 10)
    assert [text.endswith("left: 10 SPY is held") for text in left_behind(made)] == (
        [] if leaves else [True]
    )
    second = node(made.world, made.files, Rests, run_id="two")
    second.run(3)
    assert second.kernel.strategies[0].position("SPY").quantity == held
    if not leaves:
        assert second.kernel.gate.state().name == "HALTED"
        result = replay(made.files, [Rests()], run_id="one")
        assert result.is_exact, result.difference


def test_a_kill_that_is_pressed_during_a_stop_outlives_it():
    """Its cancel came too late, all was sold, and the node lifted the kill with its own halt."""
    made = running("flatten", stop_patience_ns=3600 * SECOND)
    made.driver.stop(made.world.now)
    made.settle(made.world.now)
    made.on_request = refuse_cancels
    made.driver.operate("halt", "anna", "stop everything")
    made.settle(made.world.now)
    made.run(6)
    assert made.driver.phase == STOPPED
    assert made.kernel.strategies[0].position("SPY").quantity == 0
    second = node(made.world, made.files, Rests, run_id="two")
    assert second.kernel.gate.state().name == "HALTED"


def test_exits_of_what_a_person_has_halted_stay_through_a_stop_that_would_leave_all():
    """A program that says HALTED takes no order back: the stop order still guards what is held."""
    made = running("flatten")
    made.driver.gate.set_state("halted", "anna", "odd")
    made.stop()
    (order,) = made.kernel.cache.orders_open()
    assert (order.is_exit, order.order_type, order.is_pending) == (True, "stop", False)
    (text,) = left_behind(made)
    assert text == "the node ends, by the policy flatten, with this left: 10 SPY is held"


@pytest.mark.parametrize("outstanding", [0, 1])
def test_a_stop_waits_for_answers_to_what_is_on_its_way(outstanding):
    run, _ = stopping_beside("leave")
    run.client.queue.outstanding = outstanding
    stopping = Stopping(run, None, None)
    stopping.go_on(8)
    assert run.phase == (STOPPING if outstanding else STOPPED)


def test_a_stop_that_leaves_all_waits_while_something_is_held_and_no_order_works():
    made = running("flatten", stop_patience_ns=3600 * SECOND)
    made.on_request = lambda request, send: (
        Response(403, b'{"code":40310000,"message":"not now"}')
        if request.method == "POST"
        else send(request)
    )
    made.driver.stop(made.world.now)
    made.settle(made.world.now)
    made.driver.turn(made.world.now)
    assert made.kernel.cache.orders_open() == []
    assert made.driver.phase == STOPPING
    # It is tried again.
    made.on_request = None
    made.run(6)
    assert (made.driver.phase, made.kernel.cache.positions()) == (STOPPED, [])


def test_what_is_left_of_an_order_is_what_has_not_filled():
    run, told = stopping_beside()
    Stopping(run, None, None).finish(7)
    text = "the node ends, by the policy cancel_entries, with this left: "
    assert told == [("left_behind", f"{text}buy 3.5 SPY (a): it works still", 7)]


def test_a_stop_waits_for_answers_as_long_as_its_patience_and_no_longer():
    made = running("cancel_entries", stop_patience_ns=7 * SECOND)
    made.on_request = lambda request, send: None if request.method == "DELETE" else send(request)
    now = made.world.now
    made.driver.stop(now)
    assert made.driver.stop_by == now + 7 * SECOND
    made.settle(now)
    made.driver.turn(now + 7 * SECOND - 1)
    assert made.driver.phase == STOPPING
    made.driver.turn(now + 7 * SECOND)
    assert made.driver.phase == STOPPED
    assert (made.driver.stop_by, made.driver.save_at, made.driver.look_at) == (None, None, None)
    made.journal.commit()
    last = [record for _, record in read_records(made.files)][-1]
    assert (type(last), last.ts, last.reason) == (r.RunStop, last.ts, "asked to stop")


def test_the_first_reason_of_a_stop_counts_and_strategies_stop_once():
    made = running("cancel_entries")
    made.on_request = lambda request, send: None if request.method == "DELETE" else send(request)
    made.driver.stop(made.world.now, "anna: the day is over")
    by = made.driver.stop_by
    made.driver.stop(made.world.now + SECOND, "again")
    assert (made.driver.phase, made.driver.stop_by) == (STOPPING, by)
    made.driver.finish(made.world.now)
    made.driver.stop(made.world.now, "once more")
    assert made.driver.phase == STOPPED
    made.journal.commit()
    stops = [rec for _, rec in read_records(made.files) if isinstance(rec, r.RunStop)]
    assert [stop.reason for stop in stops] == ["anna: the day is over"]


@pytest.mark.parametrize("phase", [NEW, LOOKING])
def test_what_has_not_started_is_stopped_at_once(phase):
    made = Node(World([PRICES]), MemoryFiles(), [Rests()], run_id="one")
    if phase == LOOKING:
        made.driver.begin(made.world.now)
    assert made.driver.phase == phase
    made.driver.stop(made.world.now, "early")
    assert (made.driver.phase, made.driver.stop_reason) == (STOPPED, "early")


def test_strategies_are_saved_on_schedule_and_as_they_stop():
    made = running("leave", save_ns=60 * SECOND)
    strategy, now = made.kernel.strategies[0], made.world.now

    def saved() -> int:
        return msgspec.msgpack.decode(made.journal.state.saves["Rests"][1])["seen"]

    assert made.driver.phase == RUNNING
    strategy.seen = 71
    made.driver.save(now)
    assert (saved(), made.driver.save_at) == (71, now + 60 * SECOND)
    strategy.seen = 72
    made.driver.turn(now + 60 * SECOND - 1)
    assert saved() == 71
    made.driver.turn(now + 60 * SECOND)
    assert (saved(), made.driver.save_at) == (72, now + 120 * SECOND)
    strategy.seen = 73
    made.driver.stop(now + 61 * SECOND)
    assert saved() == 73


def test_risk_is_saved_on_schedule_and_at_the_end():
    made = running("leave")
    made.journal.state.risk = b""
    made.driver.save(made.world.now)
    assert made.journal.state.risk
    made.driver.stop(made.world.now)
    made.journal.state.risk = b""
    made.driver.finish(made.world.now)
    assert made.journal.state.risk


class Stumbles(Rests):
    """Raises as it is stopped."""

    def on_stop(self):
        raise RuntimeError("not now")


def test_what_follows_from_a_stop_is_told_at_once_and_its_inputs_are_kept():
    made = node(World([PRICES]), MemoryFiles(), Stumbles)
    made.run(3)
    made.driver.stop(made.world.now)
    assert [code for code, _ in made.alarms] == ["strategy_stopped"]
    made.driver.finish(made.world.now)
    made.journal.commit()
    notes = [
        decode_note(data) for piece in read_tape(made.files, "one") for _, data in survey(piece)[1]
    ]
    assert notes[-1] == {"what": "stop", "policy": "cancel_entries"}


@pytest.mark.parametrize(("policy", "cancels"), [("cancel_entries", 1), ("cancel_all", 2)])
def test_what_a_stop_cancels_is_on_its_way_at_once_and_in_its_replay(policy, cancels):
    made = running(policy)
    made.driver.stop(made.world.now)
    made.journal.commit()
    leaving = made.driver.take_requests(made.world.now)
    assert [request.method for request in leaving] == ["DELETE"] * cancels
    for request in leaving:
        made.answer(request, made.world.now)
    made.stop()
    result = replay(made.files, [Rests()], run_id="one")
    assert result.is_exact, result.difference


class Keeps(Rests):
    """Guards what it holds by an order that Alpaca has no type for."""

    def on_fill(self, fill):
        Collect.on_fill(self, fill)
        if fill.side.name == "BUY":
            self.sell(self.symbol, 10, trigger_price=200)


@pytest.mark.parametrize(
    ("policy", "is_told"), [("cancel_entries", True), ("leave", True), ("cancel_all", False)]
)
def test_an_exit_that_the_node_alone_keeps_is_told_by_the_stop_that_ends_it(policy, is_told):
    """The next start told of it: what was held had no exit all night, and nobody knew."""
    policies = Policies(looks=1, warmup=0, on_stop=policy)
    made = node(World([PRICES]), MemoryFiles(), Keeps, policies=policies)
    made.run(9)
    (kept,) = [o for o in made.kernel.cache.orders_open() if o.status == "EMULATED"]
    made.stop()
    assert made.driver.phase == STOPPED
    texts = [text for code, text in made.alarms if code == "emulated_lost"]
    assert len(texts) == is_told
    assert all(text.startswith(f"{kept.client_order_id}, a market_if_touched") for text in texts)

"""What a driver does in a turn and when it wants the next one; what it shows of itself."""

from __future__ import annotations

from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.core.data import Signal
from pyrt.live.core.notes import decode_note
from pyrt.live.core.tape import survey
from pyrt.live.driver.run import LOOKING, NEW, RUNNING, STOPPED, STOPPING
from pyrt.live.driver.status import status_of
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records, read_tape
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_comeback import killed
from tests.live.test_recovery import PRICES, Rests
from tests.live.whole import SECOND, Node, World


class Hears(Rests):
    """Rests, listens to signals, and wants to be called every ten seconds."""

    def on_start(self) -> None:
        super().on_start()
        self.subscribe("signal.SPY", self.take_model)
        self.set_timer("often", "10s")
        self.models: list[float] = []
        self.called = 0

    def take_model(self, signal: Any) -> None:
        self.models.append(signal.confidence)
        self.heard_at = self.now

    def on_timer(self, event: Any) -> None:
        self.called += 1


def begun(kind: type[Strategy] = Rests, **policies: Any) -> Node:
    return Node(
        World([PRICES]), MemoryFiles(), [kind()], run_id="one",
        policies=Policies(**{"looks": 1, "warmup": 0, **policies}),
    )  # fmt: skip


def running(kind: type[Strategy] = Rests, **policies: Any) -> Node:
    made = begun(kind, **policies)
    made.start()
    made.run(9)
    return made


def test_it_runs_from_the_first_word_of_its_strategies_to_its_end():
    made = begun()
    seen = [(made.driver.phase, made.driver.is_running, made.driver.is_ready)]
    assert made.driver.balance_date == ""
    made.driver.begin(made.world.now)
    seen.append((made.driver.phase, made.driver.is_running, made.driver.is_ready))
    assert made.driver.orders_wait_for == "the account is being looked at"
    made = running()
    seen.append((made.driver.phase, made.driver.is_running, made.driver.is_ready))
    assert made.driver.orders_wait_for == ""
    made.on_request = lambda request, send: None if request.method == "DELETE" else send(request)
    made.driver.stop(made.world.now)
    seen.append((made.driver.phase, made.driver.is_running, made.driver.is_ready))
    made.driver.finish(made.world.now)
    seen.append((made.driver.phase, made.driver.is_running, made.driver.is_ready))
    assert seen == [
        (NEW, False, False), (LOOKING, False, False), (RUNNING, True, True),
        (STOPPING, True, False), (STOPPED, False, False),
    ]  # fmt: skip


def test_it_is_ready_once_its_indicators_are_warm():
    made = begun(warmup=10)
    made.on_request = lambda request, send: None if "bars" in request.path else send(request)
    made.start()
    assert (made.driver.phase, made.driver.is_ready) == (RUNNING, False)
    made.driver.take(made.world.now, [Stub(WHAT="warm", symbol="SPY", bars=[])])
    assert made.driver.is_ready


def test_a_first_look_that_failed_is_taken_again_when_it_is_due():
    made, looks = begun(), []
    made.client.look = lambda *given: looks.append(given) or True
    made.driver.begin(made.world.now)
    made.driver.take(made.world.now, [Stub(WHAT="no_look", text="account: HTTP 500")])
    due = made.driver.next_due(made.world.now)
    made.driver.turn(due - 1)
    assert len(looks) == 1
    made.driver.turn(due)
    assert len(looks) == 2
    assert (made.driver.core, made.driver.phase) == (None, LOOKING)


@pytest.mark.parametrize(
    "what",
    ["look_at", "save_at", "stop_by", "_days.due", "_figures._day_due", "_lost_exits.due"],
)
def test_the_next_turn_is_wanted_for_what_is_due_first(what):
    made = running()
    driver, now = made.driver, made.world.now
    first = driver.next_due(now)
    assert first is not None
    *owner, name = what.split(".")
    held = getattr(driver, owner[0]) if owner else driver
    setattr(held, name, first - 5)
    assert driver.next_due(now) == first - 5
    setattr(held, name, None)
    assert driver.next_due(now) != first - 5


def test_a_timer_of_a_strategy_is_due_and_fires_in_a_turn_for_timers_while_it_runs():
    made = running(Hears)
    strategy, now = made.kernel.strategies[0], made.world.now
    made.driver.turn(now)
    called, due = strategy.called, made.driver.core.inputs.next_timer
    assert made.driver.next_due(now) <= due <= now + 10 * SECOND
    made.driver.turn(due, timers=False)
    assert strategy.called == called
    made.driver.turn(due)
    assert strategy.called == called + 1
    made.driver.phase = STOPPED
    made.driver.turn(due + 10 * SECOND)
    assert strategy.called == called + 1


class Trips(Hears):
    """Cannot do what it wanted to do by the clock."""

    def on_timer(self, event: Any) -> None:
        raise RuntimeError("what time is it")


def test_a_strategy_that_its_timer_stops_is_told_in_that_turn():
    made = begun(Trips)
    made.start()
    made.driver.turn(made.driver.core.inputs.next_timer)
    assert [code for code, _ in made.alarms] == ["strategy_stopped"]


def test_a_request_waits_in_the_client_and_then_for_its_record():
    made = running()
    driver, now = made.driver, made.world.now
    assert (driver.has_requests, driver.held_back, driver.unrecorded) == (False, 0, [])
    made.kernel.strategies[0].buy("SPY", 1, limit_price=30)
    driver.core.inputs.settle()
    assert (driver.has_requests, driver.held_back) == (True, 0)
    assert driver.take_requests(now) == []
    assert (driver.has_requests, driver.held_back, len(driver.unrecorded)) == (True, 1, 1)
    made.journal.commit()
    (leaving,) = driver.take_requests(now)
    assert leaving.path == "/v2/orders"
    assert (driver.has_requests, driver.held_back, driver.unrecorded) == (False, 0, [])


def test_an_order_that_is_canceled_before_its_record_is_durable_never_leaves():
    made = running()
    (strategy,) = made.kernel.strategies
    order = strategy.buy("SPY", 1, limit_price=30)
    made.driver.core.inputs.settle()
    assert made.driver.take_requests(made.world.now) == []
    strategy.cancel(order)
    made.driver.core.inputs.settle()
    made.journal.commit()
    assert [each.path for each in made.driver.take_requests(made.world.now)] == []
    assert order.status == "CANCELED"
    assert not made.driver.has_requests


def test_an_order_that_does_not_leave_is_told_and_written_down():
    made = running()
    order = made.kernel.strategies[0].buy("SPY", 1, limit_price=30)
    made.driver.core.inputs.settle()
    made.driver.latch.set("enough")
    assert made.driver.take_requests(made.world.now) == []
    assert order.status == "REJECTED"
    (text,) = [text for code, text in made.alarms if code == "not_sent"]
    assert text.startswith("an order did not leave: ")
    assert "enough" in text
    made.journal.commit()
    records = [record for _, record in read_records(made.files)]
    (not_sent,) = [record for record in records if isinstance(record, r.NotSent)]
    assert (not_sent.client_order_id, not_sent.reason) == (order.client_order_id, text[24:])


SAY = Signal(symbol="SPY", side="buy", quantity=1, confidence=0.5, ts_event=1)


def test_a_signal_is_heard_while_the_node_runs_and_at_no_other_time():
    made = begun(Hears)
    made.driver.take_signal(made.world.now, SAY)
    made.start()
    later = made.world.now + 5 * SECOND
    made.driver.take_signal(later, SAY)
    assert made.kernel.strategies[0].models == [0.5]
    # What it does about it happens now, not when the last event came.
    assert made.kernel.strategies[0].heard_at == later
    made.driver.phase = STOPPING
    made.driver.take_signal(made.world.now, SAY)
    assert made.kernel.strategies[0].models == [0.5]


class Follows(Hears):
    """Does what a model says."""

    def take_model(self, signal: Any) -> None:
        super().take_model(signal)
        self.buy("SPY", signal.quantity)


class Chokes(Hears):
    """Cannot take what a model says."""

    def take_model(self, signal: Any) -> None:
        raise RuntimeError("what is that")


def test_a_strategy_that_a_signal_stops_is_written_down_and_told_at_once():
    made = running(Chokes)
    made.driver.take_signal(made.world.now, SAY)
    assert [code for code, _ in made.alarms] == ["strategy_stopped"]
    assert not made.kernel.strategies[0].running


def test_what_follows_from_a_signal_is_on_its_way_at_once_and_played_again_alike():
    """It was settled twice in a replay: whatever came after it stood at another place."""
    made = running(Follows)
    made.driver.take_signal(made.world.now, SAY)
    assert made.driver.has_requests
    made.run(9)
    assert made.kernel.strategies[0].position("SPY").quantity == 11
    made.stop()
    again = Follows()
    result = replay(made.files, [again], run_id="one")
    assert result.is_exact, result.difference
    assert again.models == [0.5]


def test_a_run_with_signals_goes_on_after_a_crash_as_if_there_had_been_none():
    first = running(Follows, replay_max=500_000, on_replay_difference="halt")
    first.driver.take_signal(first.world.now, SAY)
    first.run(6)
    second = Node(
        first.world, killed(first), [Follows()], run_id="two",
        policies=Policies(looks=1, warmup=0, replay_max=500_000, on_replay_difference="halt"),
    )  # fmt: skip
    second.start()
    assert [code for code, _ in second.alarms if code.startswith(("replay", "not_"))] == []
    (strategy,) = second.kernel.strategies
    assert (strategy.running, strategy.models) == (True, [0.5])
    assert strategy.position("SPY").quantity == 11


def test_inputs_are_written_before_what_followed_from_them():
    """A crash between the two would leave a record that no input leads to."""
    made = running()
    made.driver.operate("halt", "anna", "odd")
    made.journal.commit()
    pieces = list(read_tape(made.files, "one"))
    notes = [decode_note(data) for piece in pieces for _, data in survey(piece)[1]]
    assert (notes[-1]["what"], notes[-1]["action"]) == ("operate", "halt")


def test_inputs_from_which_nothing_followed_are_handed_over_with_each_turn():
    made = running()
    now = made.world.now + SECOND
    made.driver.turn(now)
    made.driver.take_requests(now)
    made.journal.commit()
    counts = [survey(piece)[0] for piece in read_tape(made.files, "one")]
    assert sum(counts) == made.driver.core.inputs.count


def test_what_the_client_alarms_is_told_and_events_before_a_look_are_taken_before_it():
    made = running()
    heard: list[Any] = []
    made.driver.listener = lambda event, core: heard.append(event.WHAT)
    made.driver.take(made.world.now, [Stub(WHAT="alarm", code="odd", text="a frame is odd")])
    assert ("odd", "a frame is odd") in made.alarms
    assert heard == []
    looks: list[int] = []
    made.driver._reconciliation.on_look = lambda now, event: looks.append(len(heard))
    made.driver._aftermath.tell = lambda now, events: heard.extend(events)
    made.driver.take(1, [Stub(WHAT="a"), Stub(WHAT="broker_state"), Stub(WHAT="b")])
    assert looks == [1]
    assert [event.WHAT for event in heard] == ["a", "b"]


def test_a_listener_that_raises_is_told_once_and_ends_nothing():
    """As a full disk does, or a pipe whose reader has gone: the node died of it, orders stayed."""
    made = running()
    heard: list[Any] = []

    def show(event: Any, core: Any) -> None:
        heard.append(event.WHAT)
        raise BrokenPipeError(32, "Broken pipe")

    made.driver.listener = show
    bars = [Stub(WHAT="alien"), Stub(WHAT="alien")]
    for _ in range(2):
        made.driver.take(made.world.now, bars)
    assert heard == ["alien"] * 4
    told = [text for code, text in made.alarms if code == "listener"]
    assert len(told) == 1
    assert told[0].startswith("on_event raised BrokenPipeError: [Errno 32] Broken pipe")


def test_a_journal_that_fails_halts_though_nobody_can_be_told():
    made = running()

    def deaf(code: str, text: str) -> None:
        raise OSError(28, "No space left on device")

    made.driver.scribe.on_alarm = deaf
    made.files.faults.sync_error = 1.0
    made.journal.record(r.Alarmed(ts=made.world.now, code="odd", text="why"))
    made.journal.commit()
    made.driver.turn(made.world.now)
    assert made.driver.latch.is_set
    assert made.kernel.gate.state().name == "HALTED"


def test_the_status_tells_what_stands():
    made = begun()
    new = status_of(made.driver)
    assert (new["phase"], new["ready"], new["latched"]) == ("new", False, "")
    assert "equity" not in new
    made = running()
    found = status_of(made.driver)
    assert (found["phase"], found["ready"], found["run_id"]) == ("running", True, "one")
    assert (found["state"], found["symbols"]) == ("ACTIVE", {"SPY": "ACTIVE"})
    rests = {"name": "Rests", "running": True, "stopped": "", "state": "ACTIVE"}
    assert found["strategies"] == [rests]
    (held,) = found["positions"]
    assert (held["strategy"], held["symbol"], held["quantity"]) == ("Rests", "SPY", "10")
    orders = {(o["side"], o["type"], o["quantity"], o["filled"]): o for o in found["orders"]}
    assert orders.keys() == {("buy", "limit", "5", "0"), ("sell", "stop", "10", "0")}
    assert orders["buy", "limit", "5", "0"]["limit_price"] == 50
    assert not any(o["unknown"] for o in found["orders"])
    made.driver.operate("halt", "anna", "odd", symbol="SPY")
    made.driver.operate("halt", "anna", "odd", strategy="Rests")
    assert status_of(made.driver)["strategies"] == [{**rests, "state": "HALTED"}]
    made.driver.latch.set("enough")
    assert found["halted_symbols"] == found["limited_symbols"] == []
    made.kernel.gate.set_status("SPY", "limit_state")
    assert status_of(made.driver)["limited_symbols"] == ["SPY"]
    made.kernel.gate.set_status("SPY", "halted")
    after = status_of(made.driver)
    assert (after["halted_symbols"], after["limited_symbols"]) == (["SPY"], [])
    assert (after["symbols"], after["latched"]) == ({"SPY": "HALTED"}, "enough")
    assert after["journal"]["failure"] == ""
    made.files.faults.sync_error = 1.0
    made.journal.commit()
    assert status_of(made.driver)["journal"]["failure"] == str(made.journal.failure) != "None"

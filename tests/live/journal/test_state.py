"""The journal folded: each kind of record, and what a start knows after it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal import state as module
from pyrt.live.journal.journal import Journal, read_records
from pyrt.live.journal.state import JournalState
from pyrt.testing.files import MemoryFiles

ORDER = r.OrderState(
    client_order_id="a-1", strategy="S", symbol="SPY", side="buy", order_type="limit",
    quantity="10", time_in_force="day", status="SENT", limit_price="99", unknown="submit",
)  # fmt: skip
HELD = r.PositionState(strategy="S", symbol="SPY", units=10, open_cost="9", realized="0", fees="0")


def order(**changes: Any) -> r.OrderState:
    return msgspec.structs.replace(ORDER, **changes)


def start(run_id: str = "a", **more: Any) -> r.RunStart:
    settings = {
        "prefix": f"{run_id}-", "version": "1", "account": "PA1", "mode": "paper", "config": {},
        "limits": {}, "strategies": (), "instruments": (), "default_tif": {},
        "opening": r.Opening(cash="1"),
    }  # fmt: skip
    return r.RunStart(ts=1, run_id=run_id, **{**settings, **more})


def intent(**changes: Any) -> r.Intent:
    return r.Intent(ts=2, inputs=1, order=order(**changes))


def outcome(kind: str, **changes: Any) -> r.Outcome:
    return r.Outcome(ts=5, kind=kind, ts_event=5, order=order(unknown="", **changes))


def change(**terms: str) -> r.ChangeIntent:
    return r.ChangeIntent(ts=3, inputs=2, client_order_id="a-1", changes=terms)


CANCEL = r.CancelIntent(ts=4, inputs=3, client_order_id="a-1")


def fold(*records: r.Record) -> JournalState:
    state = JournalState()
    for record in records:
        state.take(record)
    return state


# -- orders ----------------------------------------------------------------------------------------


def test_an_intent_may_be_at_the_broker_with_all_it_brings():
    leg = order(client_order_id="a-2", unknown="")
    state = fold(r.Intent(ts=2, inputs=1, order=order(unknown=""), legs=(leg,)))
    assert {name: o.unknown for name, o in state.orders.items()} == {
        "a-1": "submit", "a-2": "submit",
    }  # fmt: skip


def test_what_never_left_has_ended_with_the_reason_and_its_time():
    state = fold(intent(), r.NotSent(ts=9, client_order_id="a-1", reason="late"))
    assert state.orders == {}
    ended = state.closed["a-1"]
    assert (ended.status, ended.filled, ended.ts, ended.symbol) == ("REJECTED", "0", 9, "SPY")
    assert fold(r.NotSent(ts=9, client_order_id="x", reason="late")).closed == {}


def test_what_waits_to_leave_is_no_open_order_though_a_change_of_it_was_refused():
    """A restart told of it as of an emulated order that had died with its node."""
    state = fold(start(), outcome("modify_rejected", status="INITIALIZED"))
    assert (state.orders, state.closed) == ({}, {})
    state.take(intent())
    assert [each.status for each in state.orders.values()] == ["SENT"]


def test_a_cancel_stays_wanted_until_it_is_refused_or_the_order_ends():
    state = fold(intent(), outcome("accepted", status="ACCEPTED"), CANCEL)
    assert state.orders["a-1"].cancel_wanted
    state.take(outcome("modified", status="ACCEPTED", quantity="12"))
    assert state.orders["a-1"].cancel_wanted
    state.take(outcome("cancel_rejected", status="ACCEPTED"))
    assert not state.orders["a-1"].cancel_wanted
    state.take(CANCEL)
    state.take(outcome("canceled", status="CANCELED", filled="4"))
    assert state.orders == {}
    assert (state.closed["a-1"].status, state.closed["a-1"].filled) == ("CANCELED", "4")


def test_changes_are_asked_for_until_each_is_answered_and_the_largest_terms_count():
    state = fold(
        intent(), outcome("accepted", status="ACCEPTED"),
        change(quantity="9", limit_price="99.5"), change(quantity="30"), change(limit_price="98"),
    )  # fmt: skip
    asking = state.orders["a-1"]
    assert (asking.changes, asking.asked, asking.unknown) == (3, ("30", "99.5", ""), "modify")
    state.take(outcome("modified", status="ACCEPTED", quantity="9", limit_price="99.5"))
    state.take(outcome("modify_rejected", status="ACCEPTED", quantity="9"))
    asking = state.orders["a-1"]
    assert (asking.changes, asking.asked) == (1, ("30", "99.5", ""))
    state.take(outcome("accepted", status="ACCEPTED", quantity="9"))
    assert state.orders["a-1"].changes == 1
    state.take(outcome("modified", status="ACCEPTED", quantity="30"))
    assert (state.orders["a-1"].changes, state.orders["a-1"].asked) == (0, ("", "", ""))


@pytest.mark.parametrize(
    ("terms", "left"),
    [
        ({"quantity": "6"}, 1),
        ({"quantity": "6", "stop_price": "85"}, 0),
        ({"stop_price": "85"}, 0),
        ({}, 0),
        ({"quantity": "6", "parent": "a-0"}, 1),
        ({"quantity": "6", "sibling": "a-3"}, 0),
    ],
)
def test_what_the_other_of_a_pair_has_left_answers_no_change(terms: dict[str, str], left: int):
    pair = {"sibling": "a-2", "stop_price": "80", "quantity": "10"}
    pair |= {name: terms[name] for name in ("parent", "sibling") if name in terms}
    other = outcome("accepted", client_order_id="a-2", sibling="a-1")
    state = fold(intent(**pair), other, outcome("accepted", **pair), change(stop_price="85"))
    state.take(outcome("modified", **(pair | terms)))
    assert state.orders["a-1"].changes == left


def test_a_change_of_what_may_not_have_arrived_leaves_both_in_doubt():
    assert fold(intent(), change(quantity="9")).orders["a-1"].unknown == "submit,modify"


def test_a_fill_keeps_what_is_asked_for_and_moves_the_position():
    filled = r.Execution(
        ts=6, ts_event=6, quantity="3", price="99", cumulative="3", position=HELD,
        order=order(unknown="", status="PARTIALLY_FILLED", filled="3"),
    )  # fmt: skip
    state = fold(intent(), change(quantity="30"), CANCEL, filled)
    known = state.orders["a-1"]
    assert (known.filled, known.changes, known.cancel_wanted) == ("3", 1, True)
    assert state.positions == {"S|SPY": HELD}


def test_an_order_that_is_open_again_is_not_closed_any_more():
    state = fold(intent(), outcome("lost", status="LOST"), outcome("accepted", status="ACCEPTED"))
    assert (list(state.orders), state.closed) == (["a-1"], {})


def test_only_the_latest_closed_orders_stay_known(monkeypatch):
    monkeypatch.setattr(module, "CLOSED_MAX", 2)
    state = JournalState()
    for name in ("a-1", "a-2", "a-3", "a-2"):
        state.take(outcome("canceled", status="CANCELED", client_order_id=name))
    assert list(state.closed) == ["a-3", "a-2"]


def test_the_brokers_id_is_kept_with_the_order():
    state = fold(intent(), r.Seen(ts=3, client_order_id="a-1", venue_order_id="theirs"))
    assert state.orders["a-1"].venue_order_id == "theirs"
    state.take(outcome("canceled", status="CANCELED", venue_order_id="theirs"))
    assert state.closed["a-1"].venue_order_id == "theirs"


# -- the account -----------------------------------------------------------------------------------


def booking(number: int, *positions: r.PositionState) -> r.Adjustment:
    return r.Adjustment(
        ts=3, activity_id=str(number), kind="fee", symbol="SPY", quantity="0", amount="-1",
        text="", positions=positions,
    )  # fmt: skip


def test_a_booking_is_known_by_its_id_and_changes_what_it_names(monkeypatch):
    monkeypatch.setattr(module, "ACTIVITIES_MAX", 2)
    twice = msgspec.structs.replace(HELD, units=20)
    state = fold(booking(1, HELD), booking(2, twice), booking(3))
    assert list(state.activities) == ["2", "3"]
    assert state.positions == {"S|SPY": twice}


def test_activities_are_read_on_from_the_latest_time_that_was_reached():
    def through(until: str) -> r.Reconciled:
        return r.Reconciled(ts=4, reason="schedule", findings=(), activities_until=until)

    until = "2013-10-07T19:56:00Z"
    state = fold(through("2013-10-07T19:50:00Z"), through(until), through(""))
    assert state.activities_until == until


def test_a_journal_is_new_until_a_look_at_the_account_was_concluded():
    state = fold(start())
    assert (state.is_empty, state.is_new) == (False, True)
    state.take(r.Account(ts=2, account="PA2", cash="7", equity="8", positions={}))
    assert (state.is_new, state.cash, state.account) == (False, "7", "PA2")
    assert JournalState().is_empty


# -- runs ------------------------------------------------------------------------------------------


def saved(strategy: str, inputs: int, state: bytes) -> r.StrategySave:
    return r.StrategySave(ts=2, strategy=strategy, inputs=inputs, state=state)


def test_a_run_begins_from_its_opening_and_one_that_goes_on_keeps_its_saves():
    opening = r.Opening(cash="1", saves={"S": b"old"})
    first = fold(start("a", opening=opening), saved("S", 5, b"new"), saved("T", 6, b"t"))
    assert first.saves == {"S": (5, b"new"), "T": (6, b"t")}
    first.take(start("b", resumes="a"))
    assert first.saves == {"S": (5, b"new"), "T": (6, b"t")}
    first.take(start("c", opening=opening))
    assert first.saves == {"S": (0, b"old")}
    assert (first.last_run, first.mode) == ("c", "paper")
    assert first.runs == {"a": "a-", "b": "b-", "c": "c-"}
    assert first.is_ours("b-17")
    assert not first.is_ours("d-17")


def test_a_run_has_ended_well_only_by_its_stop():
    state = fold(start("a"), r.StrategyStopped(ts=2, strategy="S", reason="raised"))
    assert (state.ended_well, state.stopped) == (False, {"S": "raised"})
    state.take(r.RunStop(ts=3, reason="asked"))
    assert state.ended_well
    state.take(start("b"))
    assert (state.ended_well, state.stopped) == (False, {})


def test_an_account_is_armed_by_that_operation_alone():
    def did(action: str) -> r.Operation:
        return r.Operation(ts=2, actor="Ann", action=action, reason="", arguments={"account": "1"})

    assert fold(did("halt")).armed == ""
    assert fold(did("arm"), did("halt")).armed == "1"


def test_risk_is_the_latest_and_time_never_steps_back():
    state = fold(r.RiskState(ts=9, saved=b"one"), r.RiskState(ts=8, saved=b"two"))
    assert (state.risk, state.last_ts, state.records) == (b"two", 9, 2)


def test_our_cash_is_that_of_the_saved_risk_and_what_was_traded_since():
    def filled(side: str, quantity: str, price: str) -> r.Execution:
        return r.Execution(
            ts=6, ts_event=6, quantity=quantity, price=price, cumulative="3", position=HELD,
            order=order(side=side, status="PARTIALLY_FILLED", filled="3"), fee="0.5",
        )  # fmt: skip

    bought, sold = filled("buy", "3", "99.5"), filled("sell", "0.000000001", "0.5")
    risk = r.RiskState(ts=9, saved=b"", cash="1000")
    # Without a figure to begin with there is none; fees are taken later, by the broker.
    assert fold(bought).our_cash == ""
    assert fold(risk, bought).our_cash == "701.500000000"
    assert fold(bought, risk, sold).our_cash == "1000.000000000"
    assert fold(risk, bought, r.RiskState(ts=9, saved=b"", cash="7")).our_cash == "7"


def test_a_snapshot_is_the_state_itself():
    before = fold(start(), intent(), booking(1, HELD), saved("S", 5, b"x"), CANCEL)
    after = fold(intent(client_order_id="z"), r.Snapshot(ts=9, state=before.encode()))
    assert after == before


@pytest.mark.parametrize("forced", [True, False])
def test_compaction_writes_the_state_before_it_puts_anything_away(monkeypatch, forced):
    """A crash between both left a journal whose records were away, and in no snapshot."""
    files = MemoryFiles()
    journal = Journal(files)
    for record in (start(), intent(), CANCEL):
        journal.record(record)
    journal.commit()
    if not forced:
        assert journal.compact(9) == []
        return
    at_rename: list[list[str]] = []

    def rename(self: MemoryFiles, before: str, after: str) -> None:
        found = self.crash(keep_tail=False)
        at_rename.append([type(record).__name__ for _, record in read_records(found)])
        original(self, before, after)

    original = MemoryFiles.rename
    monkeypatch.setattr(MemoryFiles, "rename", rename)
    expected = journal.state
    assert journal.compact(9, force=True)
    assert at_rename[0][-1] == "Snapshot"
    after = Journal(files.crash(keep_tail=False)).state
    assert (after.orders, after.runs) == (expected.orders, expected.runs)

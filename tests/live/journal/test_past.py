"""The last run as it was written down: what counts to it, and from which place on."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal.past import OVERRUN, REPLAY, Past

ORDER = r.OrderState(
    client_order_id="a-1", strategy="S", symbol="SPY", side="buy", order_type="limit",
    quantity="10", time_in_force="day", status="ACCEPTED", limit_price="99",
)  # fmt: skip
HELD = r.PositionState(strategy="S", symbol="SPY", units=10, open_cost="9", realized="0", fees="0")


def start(run_id: str, resumed_at: int = 0) -> r.RunStart:
    return r.RunStart(
        ts=1, run_id=run_id, prefix=f"{run_id}-", version="1", account="PA1", mode="paper",
        config={}, limits={}, strategies=(), instruments=(), default_tif={},
        opening=r.Opening(cash="1"), resumed_at=resumed_at,
    )  # fmt: skip


def outcome(inputs: int) -> r.Outcome:
    return r.Outcome(ts=1, kind="accepted", ts_event=1, order=ORDER, inputs=inputs)


def fill(inputs: int) -> r.Execution:
    return r.Execution(
        ts=1, ts_event=1, quantity="1", price="99", cumulative="1", order=ORDER, position=HELD,
        inputs=inputs,
    )  # fmt: skip


def save(inputs: int, strategy: str = "S") -> r.StrategySave:
    return r.StrategySave(ts=1, strategy=strategy, inputs=inputs, state=str(inputs).encode())


def intent(inputs: int) -> r.Intent:
    return r.Intent(ts=1, inputs=inputs, order=ORDER)


def operation(action: str) -> r.Operation:
    return r.Operation(ts=1, actor="node", action=action, reason="", arguments={})


def stopped(reason: str, inputs: int, since: int = -1) -> r.StrategyStopped:
    return r.StrategyStopped(ts=1, strategy="S", reason=reason, inputs=inputs, since=since)


def past(*records: r.Record) -> Past:
    made = Past()
    for record in records:
        made.take(record)
    return made


def counts(made: Past) -> tuple[Any, ...]:
    return (
        made.place, len(made.commands), made.outcomes, len(made.executions), len(made.saves),
    )  # fmt: skip


ALL = (intent(3), outcome(4), outcome(4), fill(5), save(6), r.CancelIntent(
    ts=1, inputs=7, client_order_id="a-1"
))  # fmt: skip


def test_what_a_run_did_is_kept_by_its_kind_with_the_last_place():
    assert counts(past()) == (0, 0, 0, 0, 0)
    made = past(start("one"), *ALL)
    assert counts(made) == (7, 2, 2, 1, 1)
    assert [said.what for said in made.commands] == ["submit", "cancel"]
    # A record of an earlier place moves nothing back.
    made.take(outcome(2))
    assert counts(made) == (7, 2, 3, 1, 1)


def test_a_record_that_names_no_place_is_at_none():
    assert counts(past(start("one"), r.RunStop(ts=1, reason="asked"))) == (0, 0, 0, 0, 0)


def test_a_run_that_begins_leaves_everything_of_the_one_before():
    made = past(start("one"), *ALL, stopped(f"{OVERRUN}: 3 s", 8), operation(REPLAY))
    assert made.attempted
    made.take(start("two"))
    assert counts(made) == (0, 0, 0, 0, 0)
    assert made.start is not None
    assert (made.start.run_id, made.attempted, made.overrun) == ("two", False, None)
    assert past().start is None


def test_what_a_run_has_taken_over_from_one_before_it_is_not_its_own():
    made = past(start("two", resumed_at=5), *ALL)
    assert (made.resumed_at, *counts(made)) == (5, 7, 1, 0, 0, 1)
    assert past(start("two", resumed_at=9)).place == 9


def test_a_try_to_play_it_again_is_known_by_its_record_alone():
    made = past(start("one"), operation("halt"), r.RunStop(ts=1, reason="asked"))
    assert not made.attempted
    made.take(operation(REPLAY))
    assert made.attempted


def test_only_a_handler_broken_off_by_the_clock_ends_what_can_be_repeated():
    made = past(start("one"), outcome(4), stopped("ValueError: no", 5))
    assert made.overrun is None
    made.take(stopped(f"{OVERRUN}: 3 s", 7))
    # It was broken off in the input after the last that is on record.
    assert (made.overrun, made.place) == (5, 7)
    made.take(stopped(f"{OVERRUN}: 3 s", 9))
    assert made.overrun == 5


@pytest.mark.parametrize(("since", "overrun"), [(-1, 5), (0, 0), (4, 4), (5, 5), (6, 5)])
def test_what_a_broken_off_handler_has_left_itself_is_not_before_it(since, overrun):
    """Its open order is canceled in the same input, and that is on record first."""
    made = past(start("one"), outcome(5), stopped(f"{OVERRUN}: 3 s", 7, since))
    assert made.overrun == overrun


def test_saves_after_a_place_are_the_last_of_each_strategy():
    made = past(start("one"), save(3), save(3, "T"), save(5), save(6, "T"))
    assert made.saved_after(2) == {"S": b"5", "T": b"6"}
    assert made.saved_after(5) == {"T": b"6"}
    assert made.saved_after(6) == {}

"""Looks at the account: what each asks for, when the next one is due, and looks that fail."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace as Stub

import pytest

from pyrt.adapters.alpaca.core.events import NoLookEvent, UnseenEvent
from pyrt.errors import OrderError
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPED
from pyrt.live.plan import DAY, MINUTE, SECOND, Policies
from pyrt.testing.files import MemoryFiles
from tests.live.looks import (
    CLOCK_MAX,
    CLOCK_MIN,
    PRICES,
    SOON,
    STALE_NS,
    STAYS,
    Quiet,
    begun,
    seen,
    sent,
    stranger,
    told,
)
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World


@pytest.fixture
def node() -> Node:
    return begun()


# -- what is asked, and when -----------------------------------------------------------------------


def asked(node: Node, *, is_free: bool = True) -> list[tuple[int, str]]:
    """Return a list that takes down what the client is asked to look for."""
    found: list[tuple[int, str]] = []

    def look(age: int, activities: str) -> bool:
        found.append((age, activities))
        return is_free

    node.client.look = look
    return found


def test_a_look_goes_back_a_day_beyond_the_oldest_open_order(node):
    now = node.world.now
    found = asked(node)
    node.driver.look(now)
    first = sent(node, limit_price=50)
    node.driver.turn(now + SECOND)
    assert sent(node, limit_price=51).ts_init == first.ts_init + SECOND
    node.driver.look(now + 5 * SECOND)
    assert [age for age, _ in found] == [DAY, now + 5 * SECOND - first.ts_init + DAY]


def test_activities_are_asked_for_from_a_day_before_those_that_are_known(node):
    found = asked(node)
    seen(node, activities_until="2013-10-07T19:56:00Z")
    node.driver.look(node.world.now)
    assert found[-1][1].startswith("2013-10-06T19:56:00")


def test_no_activities_are_known_before_a_look_was_through():
    made = Node(World([PRICES]), MemoryFiles(), [Quiet()], run_id="one")
    found = asked(made)
    made.driver.begin(made.world.now)
    assert found == [(DAY, "")]


def test_a_look_that_cannot_begin_now_is_tried_again_soon(node):
    now = node.world.now
    asked(node)
    node.driver.look_at = now
    node.driver.look(now)
    assert node.driver.look_at is None
    asked(node, is_free=False)
    node.driver.look(now)
    assert node.driver.look_at == now + SOON


def test_a_look_is_made_when_it_is_due_and_not_before(node):
    now = node.world.now
    found = asked(node)
    node.driver.look_at = now + SECOND
    node.driver.turn(now + SECOND - 1)
    assert found == []
    node.driver.turn(now + SECOND)
    assert len(found) == 1
    node.driver.turn(now + MINUTE)
    assert len(found) == 1


def test_an_order_that_waits_for_a_look_has_one_and_not_more_often_than_that(node):
    now = node.world.now
    found = asked(node)
    node.driver.look(now)
    departure = node.driver._departure
    for late, count in ((SOON - 1, 1), (SOON, 2), (SOON + 1, 2)):
        departure.wants_look = True
        node.driver.turn(now + late)
        assert len(found) == count, late
    assert departure.wants_look
    node.driver.turn(now + 2 * SOON)
    assert (len(found), departure.wants_look) == (3, False)


def test_the_next_look_is_due_after_the_time_between_them(node):
    assert node.driver.look_at == node.driver.plan.policies.reconcile_ns + seen(node)


def test_a_difference_that_may_be_old_is_looked_at_again_soon_before_it_counts():
    made = begun(looks=3)
    for _ in range(2):
        now = seen(made, positions={"SPY": Decimal(3)})
        assert made.driver.look_at == now + STAYS
        assert made.driver.findings == ()
    seen(made, positions={"SPY": Decimal(3)})
    assert [finding.code for finding in made.driver.findings] == ["position_mismatch"]
    # It was right once in between: the count begins anew.
    other = begun(looks=3)
    for units in (3, 3, 0, 3, 3):
        seen(other, positions={"SPY": Decimal(units)} if units else {})
        assert other.driver.findings == ()


@pytest.mark.parametrize("early", [(), (1, 2), (2, 4, 5)])
def test_answers_that_are_old_for_as_long_as_they_may_be_halt_nothing(early):
    """Looks that come early, as after reconnects of the order stream, made it four seconds."""
    made = Node(
        World([bars([100.0] * 20)]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=3, warmup=0),
    )  # fmt: skip
    made.start()
    made.run(3)
    sent(made, 10)
    asked_at, shown = [], made.world.request(Stub(method="GET", path="/v2/positions", body=b""))
    while not made.kernel.strategies[0].position("SPY").quantity:
        made.run(1)
    filled_at = now = made.world.now

    def stale(request, answer):
        if request.path != "/v2/positions":
            return answer(request)
        asked_at.append(now)
        return shown if now < filled_at + STALE_NS else answer(request)

    made.on_request = stale
    made.driver.look_at = filled_at
    for now in range(filled_at, filled_at + 10 * SECOND, SECOND // 10):
        if now in [filled_at + seconds * SECOND for seconds in early]:
            made.driver.look(now)
        made.driver.turn(now)
        made.settle(now)
    assert len(asked_at) >= 3
    assert told(made, "position_mismatch") == []
    assert made.kernel.gate.state(symbol="SPY").name == "ACTIVE"


def test_each_difference_counts_for_itself():
    """Two looks with another's difference made one old answer a mismatch that halts."""
    made = begun(looks=3)
    right, held = made.kernel.account.cash_exact, {"SPY": Decimal(3)}
    codes = []
    for changes in (
        {"cash": right + 5},
        {"cash": right + 5},
        {"cash": right, "positions": held},
        {"positions": {}},
        {"positions": held},
        {},
        {"cash": right + 5},
        {"cash": right + 5},
        {"cash": right + 5},
    ):
        now = seen(made, **changes)
        codes.append([finding.code for finding in made.driver.findings])
        is_over = len(codes) == 9 or changes == {"positions": {}}
        assert (made.driver.look_at == now + STAYS) == (not is_over), changes
    mismatch = ["position_mismatch"]
    assert codes == [*[[]] * 6, mismatch, mismatch, [*mismatch, "cash_mismatch"]]
    assert made.kernel.account.cash_exact == right + 5


def test_what_is_certain_counts_at_once():
    made = begun(looks=3)
    seen(made, orders=(stranger("by-hand"),))
    assert [finding.code for finding in made.driver.findings] == ["external_order"]


def test_a_first_difference_that_may_be_old_starts_nothing():
    made = Node(
        World([PRICES]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=2, warmup=0),
    )  # fmt: skip
    made.driver.begin(made.world.now)
    state = replace(begun().driver.last_look, positions={"SPY": Decimal(3)})
    for phase in (LOOKING, RUNNING):
        made.driver.take(made.world.now, [state])
        assert made.driver.phase == phase


def test_what_a_node_that_runs_cannot_take_of_a_look_ends_it_and_is_no_failed_start(node):
    def refuse(state):
        raise OrderError("it cannot be", code="test")

    node.client.apply = refuse
    with pytest.raises(OrderError, match="it cannot be"):
        seen(node)
    assert (node.driver.error, node.driver.phase) == (None, RUNNING)


# -- looks that fail -------------------------------------------------------------------------------


def test_the_very_first_look_that_fails_is_the_first_in_a_row():
    made = Node(World([PRICES]), MemoryFiles(), [Quiet()], run_id="one")
    made.driver.begin(made.world.now)
    made.driver.take(made.world.now, [NoLookEvent(made.world.now, "no answer")])
    (text,) = told(made, "look_failed")
    assert text.startswith("1 looks")


def test_a_failed_look_is_told_with_its_count_its_reason_and_the_pause():
    made = begun(reconcile_ns=7 * SECOND)
    now = made.world.now
    for count, pause in ((1, 5), (2, 7), (3, 7)):
        made.driver.take(now + count, [NoLookEvent(now, "snapshot:clock: HTTP 500")])
        assert made.driver.look_at == now + count + pause * SECOND
        assert told(made, "look_failed")[-1] == (
            f"{count} looks at the account in a row have failed, the last at "
            f"snapshot:clock: HTTP 500; the next is in {pause} s"
        )
    text = "the account cannot be looked at: nothing that could raise exposure leaves"
    assert told(made, "blind") == [text]
    # One that is through ends the row, and what came of it.
    seen(made)
    assert not made.driver._departure.is_blind
    made.driver.take(now, [NoLookEvent(now, "snapshot:clock: HTTP 503")])
    assert told(made, "look_failed")[-1].startswith("1 looks")


def test_a_pause_is_never_shorter_than_after_the_first_failure():
    made = begun(reconcile_ns=SECOND)
    now = made.world.now
    for _ in range(40):
        made.driver.take(now, [NoLookEvent(now, "no answer")])
        assert made.driver.look_at == now + 5 * SECOND


def test_a_node_that_has_stopped_looks_no_more(node):
    node.driver.phase = STOPPED
    node.driver.look_at = None
    node.driver.take(node.world.now, [NoLookEvent(node.world.now, "no answer")])
    assert (node.driver.look_at, told(node, "look_failed")) == (None, [])


def test_an_order_that_cannot_be_seen_halts_its_symbol_at_the_time_that_it_is(node):
    order = sent(node, limit_price=50)
    later = node.world.now + 9 * SECOND
    node.driver.take(later, [UnseenEvent(order.number, later, "no look was answered")])
    assert told(node, "unseen_order") == ["no look was answered"]
    assert node.kernel.gate.state(symbol="SPY").name == "HALTED"
    assert node.kernel.gate.state().name == "ACTIVE"
    assert node.kernel.clock.timestamp_ns == later
    assert "HALTED" in told(node, "restricted")[-1]


def test_news_of_an_order_that_nobody_knows_or_that_has_ended_says_nothing(node):
    order = sent(node, limit_price=50)
    node.driver.operate("cancel", "anna", "not wanted", order=order.client_order_id)
    node.settle(node.world.now)
    assert order.status == "CANCELED"
    for number in (order.number, 99):
        node.driver.take(node.world.now, [UnseenEvent(number, node.world.now, "late")])
    assert told(node, "unseen_order") == []


# -- the stream of order news ----------------------------------------------------------------------


def test_a_stream_that_is_lost_is_told_once_and_looked_behind_when_it_is_back(node):
    now, found = node.world.now, asked(node)
    node.driver.turn(now)
    node.client.trade_updates.closed(now)
    for _ in range(2):
        node.driver.turn(now)
    assert told(node, "stream_lost") == ["the stream of order news is down"]
    assert found == []
    later = now + 2 * MINUTE
    node.driver.look_at = None
    node.connect(later)
    for _ in range(2):
        node.driver.turn(later)
    assert len(found) == 1
    assert "merged" in node.driver.orders_wait_for
    node.driver._reconciliation._began = later - 1
    seen(node, after=2 * MINUTE + SECOND)
    assert node.driver.orders_wait_for != "", "that one had begun before"


def test_a_stream_that_was_up_before_there_was_a_core_is_looked_behind_as_well():
    """What it told before the first look was through was told to nobody."""
    made = Node(World([PRICES]), MemoryFiles(), [Quiet()], run_id="one")
    begun_looks: list[str] = []

    def counted(request, send):
        begun_looks.append(request.purpose)
        return send(request)

    made.on_request = counted
    made.driver.begin(made.world.now)
    made.connect(made.world.now)
    made.settle(made.world.now)
    assert begun_looks.count("snapshot:clock") == 2
    assert made.driver.orders_wait_for == ""


@pytest.mark.parametrize("stops", [False, True])
def test_an_order_that_waited_for_the_stream_leaves_after_what_that_has_missed(stops):
    """It left with the message that the stream is back, and of a node that stops at any time."""
    made = begun(on_stop="leave")
    made.driver.turn(made.world.now)
    made.client.trade_updates.closed(made.world.now)
    order = sent(made, 1)
    assert made.driver.held_back == 1
    later = made.world.now + 2 * SECOND
    if stops:
        made.driver.stop(later)
    made.connect(later)
    asked = made.driver.take_requests(later)
    assert [request.purpose for request in asked] == ["snapshot:clock"]
    assert "merged" in made.driver.orders_wait_for
    assert (order.status, made.driver.held_back) == ("SENT", 1)
    made.answer(asked[0], later)
    made.settle(later)
    assert (order.status, made.driver.orders_wait_for) == ("ACCEPTED", "")


# -- the broker's clock ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "is_told"),
    [
        (CLOCK_MIN, True), (CLOCK_MIN + 1, False), (0, False), (CLOCK_MAX - 1, False),
        (CLOCK_MAX, True),
    ],
)  # fmt: skip
def test_a_clock_that_is_off_is_told_where_it_is_to_be_checked(node, ahead, is_told):
    node.driver.plan = replace(node.driver.plan, checks_clock=True)
    seen(node, server_ts=node.world.now - ahead)
    expected = [f"this machine's clock is {ahead / SECOND:+.1f} s off the broker's"]
    assert told(node, "clock") == (expected if is_told else [])


@pytest.mark.parametrize(("checks", "server_ts"), [(False, 1), (True, 0)])
def test_a_clock_is_not_compared_where_it_is_not_stated_or_not_to_be(node, checks, server_ts):
    node.driver.plan = replace(node.driver.plan, checks_clock=checks)
    seen(node, server_ts=server_ts)
    assert told(node, "clock") == []

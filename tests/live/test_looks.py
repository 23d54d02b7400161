"""Looks at the account: what each asks for, when the next one is due, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import NoLookEvent, UnseenEvent
from pyrt.live.core.broker import BrokerAdjustment, BrokerOrder, BrokerState
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPED
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import DAY, MINUTE, SECOND, Policies
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

PRICES = bars([100.0] * 12)
SOON = 2 * SECOND
"""A look that could not begin, or whose answers may be old, is followed by another."""
CLOCK_MIN, CLOCK_MAX = -2 * SECOND, 30 * SECOND
"""How far our clock may be ahead: a look takes some seconds itself."""


class Quiet(Strategy):
    """Does what a test asks of it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")


def begun(looks: int = 1, **policies: Any) -> Node:
    made = Node(
        World([PRICES]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=looks, warmup=0, **policies),
    )  # fmt: skip
    made.start()
    made.run(3)
    made.settle(made.world.now)
    return made


@pytest.fixture
def node() -> Node:
    return begun()


def sent(node: Node, quantity: float = 10, **terms: Any) -> Any:
    order = node.kernel.strategies[0].buy("SPY", quantity, **terms)
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    return order


def seen(node: Node, *, after: int = 0, **changes: Any) -> int:
    """Let a look state the account as the last one did, but for these changes; return when."""
    now = node.world.now + after
    state: BrokerState = node.driver.last_look
    node.driver.take(now, [replace(state, ts=now, **changes)])
    return now


def written(node: Node, kind: type[r.Record]) -> list[Any]:
    node.journal.commit()
    return [record for _, record in read_records(node.files) if isinstance(record, kind)]


def told(node: Node, code: str) -> list[str]:
    return [text for each, text in node.alarms if each == code]


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
    sent(node, limit_price=51)
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
        assert made.driver.look_at == now + SOON
        assert made.driver.findings == ()
    seen(made, positions={"SPY": Decimal(3)})
    assert [finding.code for finding in made.driver.findings] == ["position_mismatch"]
    # It was right once in between: the count begins anew.
    other = begun(looks=3)
    for units in (3, 3, 0, 3, 3):
        seen(other, positions={"SPY": Decimal(units)} if units else {})
        assert other.driver.findings == ()


def test_what_is_certain_counts_at_once():
    made = begun(looks=3)
    seen(made, orders=(stranger("by-hand"),))
    assert [finding.code for finding in made.driver.findings] == ["external_order"]


def stranger(name: str, symbol: str = "SPY", venue_order_id: str = "v-1") -> BrokerOrder:
    return BrokerOrder(
        venue_order_id=venue_order_id, client_order_id=name, symbol=symbol, side="buy",
        status="new", is_open=True, filled=Decimal(0),
    )  # fmt: skip


# -- looks that fail -------------------------------------------------------------------------------


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


# -- submits that never arrived --------------------------------------------------------------------


def in_doubt(node: Node) -> Any:
    """Return an order of which nothing has arrived, and nobody knows that."""
    node.on_request = lambda request, send: None if request.method == "POST" else send(request)
    order = sent(node, limit_price=50)
    node.driver.core.inputs.order_event("unknown", order.number, node.world.now, "no answer")
    assert order.is_unknown
    return order


@pytest.mark.parametrize(
    ("session_open", "first", "is_lost"),
    [
        (False, MINUTE + 1, True), (False, MINUTE, False), (None, MINUTE + 1, False),
        (True, MINUTE + 1, False),
    ],
)  # fmt: skip
def test_a_submit_is_given_up_by_two_looks_that_begin_a_minute_behind_it(
    node, session_open, first, is_lost
):
    order = in_doubt(node)
    late = order.ts_init - node.world.now
    seen(node, after=late + first, session_open=session_open)
    assert order.status == "SENT"
    seen(node, after=late + first + MINUTE, session_open=session_open)
    assert (order.status == "LOST") is is_lost
    said = [operation for operation in written(node, r.Operation) if "lost" in operation.action]
    assert [operation.reason for operation in said] == (
        ["two full lists after the session do not have it"] if is_lost else []
    )


# -- orders of ours, and of others -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pyrt-one-1", ""), ("pyrt-one-1-r2", ""), ("pyrt-one-1-r", "lost_intent"),
        ("pyrt-one-1-x2", "lost_intent"), ("pyrt-one-2", "lost_intent"),
        ("pyrt-two-1", "second_node"), ("1-r2", "external_order"),
    ],
)  # fmt: skip
def test_an_order_is_known_by_its_id_or_that_of_a_replace_of_it(node, name, code):
    order = sent(node, limit_price=50)
    assert order.client_order_id == "pyrt-one-1"
    seen(node, orders=(stranger(name, venue_order_id=node.client.venue_of(order.number)[0]),))
    codes = [f.code for f in node.driver.findings if f.code != "missing_order"]
    # By hand, but of an order of ours at the broker: one that somebody has replaced there.
    assert codes == ([code] if code not in ("", "external_order") else [])
    state = node.kernel.gate.state()
    assert (state.name == "HALTED") is (code == "second_node")
    assert (node.kernel.gate.state(symbol="SPY").name == "HALTED") is (code == "lost_intent")


def test_what_a_finding_says_is_told_once_as_long_as_it_stands(node):
    one = (stranger("by-hand"),)
    for orders in (one, one, (), one):
        seen(node, orders=orders)
    text = "an order for SPY that no run of ours has sent is open: by-hand"
    # The alarm itself is passed over within ten seconds; what stands is found each time.
    assert told(node, "external_order") == [text]
    assert [finding.text for finding in node.driver.findings] == [text]
    seen(node, after=MINUTE, orders=())
    seen(node, after=MINUTE, orders=one)
    assert told(node, "external_order") == [text, text]


def test_an_order_that_ended_here_before_the_look_began_and_is_open_there_halts(node):
    order = sent(node, limit_price=50)
    venue_id = node.client.venue_of(order.number)[0]
    node.driver.operate("cancel", "anna", "not wanted", order=order.client_order_id)
    node.settle(node.world.now)
    there = (stranger(order.client_order_id, venue_order_id=venue_id),)
    # As old as the end itself: it may have been read before.
    node.driver.look(node.world.now)
    seen(node, orders=there)
    assert node.driver.findings == ()
    node.driver._reconciliation._began = node.world.now + 1
    seen(node, orders=there)
    assert [finding.code for finding in node.driver.findings] == ["reopened"]
    # Who has replaced it there has given it a name of his own; what else is open is a stranger's.
    node.client.knows = lambda venue_order_id: False
    for other, codes in ((venue_id, []), ("v-other", ["external_order"])):
        seen(node, orders=(stranger("by-hand", venue_order_id=other),))
        assert [finding.code for finding in node.driver.findings] == codes


class Other(Quiet):
    """Holds the same symbol as the one beside it."""


def test_what_several_strategies_hold_is_compared_as_one():
    made = Node(World([PRICES]), MemoryFiles(), [Quiet(), Other()], run_id="one")
    made.start()
    for strategy, quantity in zip(made.kernel.strategies, (3, 4), strict=True):
        strategy.buy("SPY", quantity)
    made.driver.core.inputs.settle()
    made.settle(made.world.now)
    made.run(6)
    assert [s.position("SPY").quantity for s in made.kernel.strategies] == [3, 4]
    for units in (7, 4, 3, 8):
        seen(made, positions={"SPY": Decimal(units)}, cash=made.kernel.account.cash_exact)
        texts = [finding.text for finding in made.driver.findings]
        expected = [] if units == 7 else [f"SPY is {units} at the broker and 7 here"]
        assert texts == expected


def test_exits_that_wait_with_their_entry_are_not_missing_at_the_broker(node):
    order = sent(node, 5, limit_price=50, take_profit=60, stop_loss=40)
    assert order.status == "ACCEPTED"
    entry = stranger(order.client_order_id, venue_order_id=node.client.venue_of(order.number)[0])
    seen(node, orders=(entry,))
    assert node.driver.findings == ()
    seen(node, orders=())
    texts = [finding.text for finding in node.driver.findings]
    assert texts == [f"{order.client_order_id} is ACCEPTED here and not in the broker's list"]


def test_a_list_that_does_not_reach_back_to_an_order_does_not_lack_it(node):
    order = sent(node, 5, limit_price=50)
    seen(node, orders=(), orders_after=order.ts_init + 1)
    assert node.driver.findings == ()
    seen(node, orders=(), orders_after=order.ts_init)
    assert [finding.code for finding in node.driver.findings] == ["missing_order"]


@pytest.mark.parametrize(("more", "is_told"), [("0.31", False), ("0.33", True), ("-0.02", True)])
def test_fees_that_are_not_charged_yet_explain_cash(node, more, is_told):
    node.driver.core.fee_ledger.accrue(node.world.now, Decimal("0.31"))
    seen(node, cash=node.kernel.account.cash_exact + Decimal(more))
    assert bool(told(node, "cash_mismatch")) is is_told


# -- what is written down --------------------------------------------------------------------------


def test_each_look_that_is_through_is_written_down_with_what_it_found(node):
    before = len(written(node, r.Reconciled))
    now = seen(
        node, after=5, cash=Decimal("100000.5"), equity=Decimal(7), orders=(stranger("by-hand"),),
        positions={"XYZ": Decimal("2.5")}, activities_until="2013-10-07T19:56:00Z",
    )  # fmt: skip
    account, done = written(node, r.Account)[-1], written(node, r.Reconciled)[before:]
    assert (account.ts, account.cash, account.equity) == (now, "100000.5", "7")
    assert account.account == node.driver.last_look.account
    assert account.positions == {"XYZ": "2.5"}
    assert [(each.ts, each.reason, each.activities_until) for each in done] == [
        (now, "schedule", "2013-10-07T19:56:00Z")
    ]
    assert ("external_order", "SPY") in [finding[:2] for finding in done[0].findings]
    assert written(node, r.Reconciled)[0].reason == "start"


def booked(node: Node) -> list[r.Adjustment]:
    """What was written down of bookings since the account was opened."""
    return [each for each in written(node, r.Adjustment) if "opening balance" not in each.text]


def booking(kind: str, amount: str, name: str = "a-1", **more: Any) -> BrokerAdjustment:
    values = {"symbol": "", "quantity": Decimal(0), "text": "x", "ts_event": 1, **more}
    return BrokerAdjustment(activity_id=name, kind=kind, amount=Decimal(amount), **values)


def test_what_the_broker_has_booked_is_written_down_and_told_once(node):
    cash = node.kernel.account.cash_exact
    for _ in range(2):
        seen(node, cash=cash - 3, adjustments=(booking("cash", "-3"),))
    (record,) = booked(node)
    assert (record.activity_id, record.kind, record.amount) == ("a-1", "cash", "-3")
    assert told(node, "adjusted_cash") == ["cash: x"]
    assert node.kernel.account.cash_exact == cash - 3
    assert node.driver.findings == ()


def test_a_dividend_is_written_down_with_what_it_has_made_of_the_holding(node):
    sent(node, 10)
    node.run(6)
    cash = node.kernel.account.cash_exact
    changes = (booking("fee", "-1", symbol="SPY"), booking("dividend", "2", "a-2", symbol="SPY"))
    held = {"SPY": Decimal(10)}
    seen(node, cash=cash + 1, adjustments=changes, positions=held)
    by_kind = {record.kind: record.positions for record in booked(node)}
    assert by_kind["fee"] == ()
    ((after,),) = [by_kind["dividend"]]
    assert (after.strategy, after.units, after.realized) == ("Quiet", 10 * 10**9, str(2 * 10**18))


def test_what_is_done_about_a_look_happens_when_it_is_through(node):
    later = seen(node, after=7 * SECOND)
    assert node.kernel.clock.timestamp_ns == later


def test_a_day_that_has_ended_at_the_broker_has_ended_here(node):
    days: list[int] = []
    node.driver._days.on_end = days.append
    for _ in range(2):
        now = seen(node, balance_date="2031-01-02")
        assert (node.driver.balance_date, days) == ("2031-01-02", [now])


def test_fees_other_than_those_accrued_are_an_entry_of_their_own(node):
    ledger, cash = node.driver.core.fee_ledger, node.kernel.account.cash_exact
    ledger.accrue(node.world.now, Decimal("0.31"))
    day = node.world.now + DAY
    fees = (booking("fee", "-0.28", ts_event=day), booking("fee", "-0.07", "a-2", ts_event=day))
    seen(node, cash=cash - Decimal("0.35"), adjustments=fees)
    by_kind: dict[str, list[r.Adjustment]] = {}
    for record in booked(node):
        by_kind.setdefault(record.kind, []).append(record)
    assert [each.amount for each in by_kind["fee"]] == ["-0.28", "-0.07"]
    (entry,) = by_kind["fee_difference"]
    assert (entry.activity_id, entry.amount, entry.ts_event) == ("accrued-a-1", "-0.04", day)
    assert entry.text == "accrued 0.31, charged 0.35"
    assert (entry.symbol, entry.quantity) == ("", "0")
    assert ledger.accrued == 0


def test_fees_that_were_accrued_to_the_cent_are_no_entry(node):
    node.driver.core.fee_ledger.accrue(node.world.now, Decimal("0.31"))
    fee = booking("fee", "-0.31", ts_event=node.world.now + DAY)
    seen(node, cash=node.kernel.account.cash_exact, adjustments=(fee,))
    assert [record.kind for record in booked(node)] == ["fee"]


@pytest.mark.parametrize(
    ("stated", "is_taken"),
    [(("7", "7", "7"), True), (("7", "7", "8"), False), (("7", "7"), False)],
)
def test_cash_is_taken_over_when_as_many_looks_as_count_state_the_same(stated, is_taken):
    made = begun(looks=3)
    cash = made.kernel.account.cash_exact
    for amount in stated:
        now = seen(made, cash=cash + Decimal(amount))
    entries = booked(made)
    assert made.kernel.account.cash_exact == cash + (7 if is_taken else 0)
    if not is_taken:
        assert entries == []
        return
    (entry,) = entries
    assert (entry.kind, entry.amount, entry.ts_event) == ("cash_difference", "7", now)
    assert entry.activity_id == f"cash-one-{now}"
    assert (entry.symbol, entry.quantity) == ("", "0")
    assert entry.text.startswith("nothing explains it")
    # It is explained from here on.
    seen(made, cash=cash + 7)
    assert made.driver.findings == ()


# -- the first look --------------------------------------------------------------------------------


def test_what_was_booked_before_the_first_run_is_nobodys_news():
    made = Node(World([PRICES]), MemoryFiles(), [Quiet()], run_id="one")
    other = begun()
    made.driver.begin(made.world.now)
    assert made.driver.phase == LOOKING
    state = replace(
        other.driver.last_look, cash=Decimal(500), adjustments=(booking("cash", "-3"),)
    )  # fmt: skip
    made.driver.take(made.world.now, [state])
    assert made.driver.phase == RUNNING
    assert made.kernel.account.cash_exact == 500
    assert told(made, "adjusted_cash") == []
    assert [record.activity_id for record in written(made, r.Adjustment)] == ["a-1"]
    assert made.driver.findings == ()

"""What comes of a look at the account: what is compared, told, written down, taken over."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.core.messages import OrderView
from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.driver.run import LOOKING, RUNNING
from pyrt.live.journal import records as r
from pyrt.live.plan import DAY, MINUTE, SECOND
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.looks import (
    PRICES,
    Quiet,
    begun,
    seen,
    sent,
    stranger,
    told,
    written,
)
from tests.live.whole import Node, World


@pytest.fixture
def node() -> Node:
    return begun()


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


def test_a_fill_of_a_rejected_order_that_only_a_look_shows_is_told(node: Node) -> None:
    order = sent(node, limit_price=50)
    venue_id = node.client.venue_of(order.number)[0]
    node.client.ledger.of(order.number).final = "rejected"
    filled = OrderView(
        id=venue_id, client_order_id=order.client_order_id, symbol="SPY", side="buy", qty="10",
        type="limit", time_in_force="day", status="filled", filled_qty="10",
        filled_avg_price="50",
    )  # fmt: skip
    another = msgspec.structs.replace(filled, id="v-9", client_order_id="pyrt-one-99")
    seen(node, raw=((filled, another), ()))
    assert told(node, "fill_after_reject") == [f"{order.client_order_id} was filled"]
    assert order.filled_quantity == 0
    # Whose the other is, the comparison says, and not the client.
    assert told(node, "stranger") == []


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


def test_an_order_that_the_broker_lists_by_another_name_is_not_missing(node):
    order = sent(node, 5, limit_price=50)
    venue_id = node.client.venue_of(order.number)[0]
    seen(node, orders=(stranger("by-hand", venue_order_id=venue_id),))
    assert node.driver.findings == ()


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


# -- what a look alone tells of orders -------------------------------------------------------------


def test_an_order_of_ours_that_nobody_here_has_sent_is_told(node):
    body = {
        "symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "50",
        "time_in_force": "day", "client_order_id": "pyrt-one-77",
    }  # fmt: skip
    node.world.simulator.request("POST", "/v2/orders", msgspec.json.encode(body))
    node.world.simulator.take_trade_updates()
    node.driver.look(node.world.now)
    node.settle(node.world.now)
    text = "pyrt-one-77 was sent by an earlier run and is not in the journal"
    assert (told(node, "lost_intent"), told(node, "stranger")) == ([text], [])


def test_a_fill_that_a_look_alone_tells_is_booked_and_shown_like_any_other(node):
    order, shown = sent(node, 10), []
    node.driver.listener = lambda event, core: shown.append((event.WHAT, core))
    for _ in range(6):
        next(node.world.instants)
        node.world.simulator.take_trade_updates()
        node.world.simulator.take_market_data()
    assert (order.status, shown) == ("ACCEPTED", [])
    node.driver.look(node.world.now)
    node.settle(node.world.now)
    assert (order.status, node.kernel.strategies[0].position("SPY").quantity) == ("FILLED", 10)
    assert ("fill", node.driver.core) in shown
    assert node.driver.findings == ()
    assert len(written(node, r.Execution)) == 1


def test_a_fill_that_the_list_of_a_look_alone_has_is_shown_and_followed_at_once(node):
    order, shown = sent(node, limit_price=50), []
    node.driver.listener = lambda event, core: shown.append((event.WHAT, core))
    filled = OrderView(
        id=node.client.venue_of(order.number)[0], client_order_id=order.client_order_id,
        symbol="SPY", side="buy", qty="10", type="limit", time_in_force="day", status="filled",
        filled_qty="10", filled_avg_price="50",
    )  # fmt: skip
    saved = len(written(node, r.StrategySave))
    seen(node, raw=((filled,), ()), positions={"SPY": Decimal(10)})
    assert (order.status, shown) == ("FILLED", [("fill", node.driver.core)])
    assert len(written(node, r.StrategySave)) == saved + 1


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
    # A replay takes it over at the same place.
    equity = made.kernel.account.equity
    made.driver.stop(made.world.now)
    made.settle(made.world.now)
    made.journal.close()
    result = replay(made.files, [Quiet()])
    assert (result.is_exact, result.equity) == (True, equity)


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

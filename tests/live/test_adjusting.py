"""Splits, busts and corrections change what is held, once, and are in journal and replay."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.driver.adjusting import shared_out
from pyrt.live.driver.reconcile import compare
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.looks import written
from tests.live.test_gate_changes import LIMITS
from tests.live.test_reconcile import POLICY, ours, theirs
from tests.live.test_recovery import PRICES, Collect, node
from tests.live.test_ways_out import killed
from tests.live.whole import SECOND, Node, World, policies

DAY = "2013-10-07"
TEXT = "correction: JNLS booked by hand"


class Books:
    """Changes what the broker says of positions, activities and cash, as if it had booked."""

    def __init__(self) -> None:
        self.booked: list[dict] = []
        self.units = Decimal(0)
        self.cash = Decimal(0)

    def book(self, kind: str, quantity: str, amount: str = "0", *, listed: bool = True) -> None:
        self.units += Decimal(quantity)
        self.cash += Decimal(amount)
        if listed:
            self.booked.append({
                "id": f"20131007000000000::{len(self.booked)}", "activity_type": kind,
                "date": DAY, "net_amount": amount, "qty": quantity, "symbol": "SPY",
                "description": "booked by hand", "status": "executed",
            })  # fmt: skip

    def __call__(self, request, send):
        answer = send(request)
        path = request.path.partition("?")[0]
        body = msgspec.json.decode(answer.body) if answer.body else None
        if path == "/v2/account/activities":
            body += self.booked
        elif path == "/v2/positions":
            for position in body:
                position["qty"] = f"{Decimal(position['qty']) + self.units:f}"
        elif path == "/v2/account":
            body["cash"] = f"{Decimal(body['cash']) + self.cash:f}"
        else:
            return answer
        return replace(answer, body=msgspec.json.encode(body))


def holding():
    """Return a world, a node that holds ten SPY there, and its broker's books."""
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Collect)
    books = first.on_request = Books()
    first.run(9)
    assert first.kernel.strategies[0].position("SPY").quantity == 10
    return world, first, books


def look(one):
    one.driver.look(one.world.now)
    one.settle(one.world.now)


def adjustments(files):
    found = [record for _, record in read_records(files) if isinstance(record, r.Adjustment)]
    return [record for record in found if record.text.endswith("booked by hand")]


@pytest.mark.parametrize(
    ("kind", "quantity", "amount", "units", "cost"),
    [
        # Two for one; one for two; five of ten busted at what they cost; a transfer away.
        ("SPLIT", "10", "0", 20, None),
        ("SPLIT", "-5", "0", 5, None),
        ("JNLS", "-5", "500", 5, -500),
        ("ACATS", "-10", "0", 0, 0),
    ],
)
def test_what_the_broker_has_booked_changes_the_holding_exactly(
    kind, quantity, amount, units, cost
):
    _, first, books = holding()
    position = first.kernel.strategies[0].position("SPY")
    before = position.cost_basis_exact
    cash = first.kernel.account.cash_exact
    books.book(kind, quantity, amount)
    look(first)
    position = first.kernel.strategies[0].position("SPY")
    assert position.quantity == units
    expected = before if cost is None else before + cost if cost else Decimal(0)
    assert position.cost_basis_exact == expected
    assert first.kernel.account.cash_exact == cash + Decimal(amount)
    assert {f.code for f in first.driver.findings} == {
        "adjusted_split" if kind == "SPLIT" else "adjusted_correction"
    }
    # A person looks before anything more is traded.
    assert first.kernel.gate.state(symbol="SPY").name == "HALTED"
    look(first)
    assert first.kernel.strategies[0].position("SPY").quantity == units
    assert first.kernel.account.cash_exact == cash + Decimal(amount)
    assert first.driver.findings == ()
    first.journal.commit()
    assert len(adjustments(first.files)) == 1


def test_a_split_survives_a_restart_and_replays():
    world, first, books = holding()
    books.book("SPLIT", "10")
    look(first)
    first.stop()
    result = replay(first.files, [Collect()])
    assert result.is_exact, result.difference
    second = Node(world, first.files, [Collect()], run_id="two")
    second.on_request = books
    second.start()
    assert second.kernel.strategies[0].position("SPY").quantity == 20
    assert "position_mismatch" not in {f.code for f in second.driver.findings}


@pytest.mark.parametrize("owners", [1, 2])
def test_a_split_that_takes_the_old_shares_and_gives_the_new_ones_is_one(owners):
    """The first of its entries left nothing, and realized what the shares had cost."""
    world, files = World([PRICES]), MemoryFiles()
    kinds = [Collect, Other][:owners]
    first = Node(world, files, [kind() for kind in kinds], run_id="one")
    first.start()
    books = first.on_request = Books()
    first.run(9)
    positions = [s.position("SPY") for s in first.kernel.strategies]
    before = [(p.cost_basis_exact, p.realized_pnl_exact) for p in positions]
    books.book("SPLIT", f"{-10 * owners}")
    books.book("SPLIT", f"{20 * owners}")
    look(first)
    positions = [s.position("SPY") for s in first.kernel.strategies]
    assert [p.quantity for p in positions] == [20] * owners
    assert [(p.cost_basis_exact, p.realized_pnl_exact) for p in positions] == before
    assert {f.code for f in first.driver.findings} == {"adjusted_split"}
    look(first)
    assert first.driver.findings == ()
    first.journal.commit()
    assert [Decimal(a.quantity) for a in adjustments(files)] == [-10 * owners, 20 * owners]
    first.stop()
    result = replay(files, [kind() for kind in kinds])
    assert result.is_exact, result.difference
    second = Node(world, files, [kind() for kind in kinds], run_id="two")
    second.on_request = books
    second.start()
    assert [s.position("SPY").quantity for s in second.kernel.strategies] == [20] * owners


def test_a_split_while_the_node_was_down_is_taken_in_before_strategies_speak():
    world, first, books = holding()
    files = first.crash()
    books.book("SPLIT", "10")
    second = Node(world, files, [Collect()], run_id="two")
    second.on_request = books
    second.start()
    assert second.kernel.strategies[0].position("SPY").quantity == 20
    second.stop()
    assert replay(second.files, [Collect()], run_id="two").is_exact


def test_a_booking_that_is_canceled_is_told_once_and_what_it_had_moved_is_compared():
    world, first, books = holding()
    books.book("DIV", "0", "5")
    look(first)
    cash = first.kernel.account.cash_exact
    books.booked[0]["status"] = "canceled"
    books.cash -= 5
    look(first)
    assert {f.code for f in first.driver.findings} == {"booking_canceled", "cash_mismatch"}
    assert first.kernel.gate.state(symbol="SPY").name != "HALTED"
    # What the broker has stated look after look is taken over.
    assert first.kernel.account.cash_exact == cash - 5
    look(first)
    assert first.driver.findings == ()
    first.stop()
    second = Node(world, first.files, [Collect()], run_id="two")
    second.on_request = books
    second.start()
    look(second)
    assert [code for code, _ in second.alarms if code == "booking_canceled"] == []


def test_a_booking_that_does_not_explain_the_position_changes_nothing():
    _, first, books = holding()
    books.book("SPLIT", "10")
    books.units += 1
    look(first)
    assert first.kernel.strategies[0].position("SPY").quantity == 10
    assert {f.code for f in first.driver.findings} >= {"position_mismatch", "adjusted_split"}


def test_cash_that_nothing_explains_is_told_while_running():
    _, first, books = holding()
    look(first)
    assert first.driver.findings == ()
    books.book("CSD", "0", "-25.5", listed=False)
    look(first)
    assert [f.code for f in first.driver.findings] == ["cash_mismatch"]
    assert first.kernel.gate.state(symbol="SPY").name != "HALTED"


def test_accrued_fees_and_bookings_of_this_look_explain_cash():
    state = replace(theirs(), cash=Decimal("100.00"))
    cases = [
        ("100.00", "0", []),
        ("99.70", "0.30", []),
        ("99.70", "0.20", ["cash_mismatch"]),
        ("100.02", "0.30", ["cash_mismatch"]),
        ("100.01", "0", []),
    ]
    for cash, accrued, codes in cases:
        view = ours(cash=Decimal(cash), accrued=Decimal(accrued))
        assert [f.code for f in compare(view, state, POLICY).findings] == codes, cash


def change(kind="split", quantity="0", amount="0", *, ts=0):
    return BrokerAdjustment(
        activity_id=f"a{ts}", kind=kind, symbol="SPY", quantity=Decimal(quantity),
        amount=Decimal(amount), text="", ts_event=ts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "held", "expected"),
    [
        # Two for one, then three for one: the later is of what the earlier has made.
        (
            [change(quantity="120", ts=2), change(quantity="60", ts=1)],
            {"A": "50", "B": "10"},
            [{"A": 50, "B": 10}, {"A": 100, "B": 20}],
        ),
        # One for four, of a long and a short.
        ([change(quantity="-6")], {"A": "12", "B": "-4"}, [{"A": -9, "B": 3}]),
        # A third of a share is no number of units; cash in lieu has an owner who is not named.
        ([change(quantity="-8")], {"A": "10", "B": "2"}, []),
        ([change(quantity="12", amount="0.5")], {"A": "10", "B": "2"}, []),
        # Whose shares were busted, nobody says; nor how nothing in all is split.
        ([change("bust", "-5")], {"A": "10", "B": "2"}, []),
        ([change(quantity="10")], {"A": "5", "B": "-5"}, []),
        # One owner has all of it, whatever it is, though nothing is held in between.
        ([change("bust", "-5", "500")], {"A": "10"}, [{"A": -5}]),
        (
            [change("bust", "-10", ts=1), change("bust", "4", ts=2)],
            {"A": "10"},
            [{"A": -10}, {"A": 4}],
        ),
        ([change(quantity="5")], {}, []),
    ],
)  # fmt: skip
def test_only_a_split_is_shared_out_among_several(changes, held, expected):
    units = {owner: Decimal(text) for owner, text in held.items()}
    found = [shares for _, shares in shared_out(changes, units)]
    assert found == [{o: Decimal(n) for o, n in shares.items()} for shares in expected]


class Other(Collect):
    """Holds the same symbol as the one beside it."""


def test_a_split_of_what_two_strategies_hold_changes_both_and_replays():
    world, files = World([PRICES]), MemoryFiles()
    first = Node(world, files, [Collect(), Other()], run_id="one")
    first.start()
    books = first.on_request = Books()
    first.run(9)
    held = [s.position("SPY").quantity for s in first.kernel.strategies]
    assert held == [10, 10]
    books.book("SPLIT", "20")
    look(first)
    assert [s.position("SPY").quantity for s in first.kernel.strategies] == [20, 20]
    assert "position_mismatch" not in {f.code for f in first.driver.findings}
    first.journal.commit()
    (record,) = adjustments(files)
    assert sorted(p.strategy for p in record.positions) == ["Collect", "Other"]
    first.stop()
    assert replay(files, [Collect(), Other()]).is_exact


class Keeps(Collect):
    """Keeps a sale that waits for a higher price, which the broker has no type for."""

    def on_fill(self, fill):
        self.kept = self.sell("SPY", 4, trigger_price="120")
        self.told = []

    def on_order(self, event):
        if event.kind == "modified":
            self.told.append(self.position("SPY").quantity)


@pytest.mark.parametrize("owners", [1, 2])
def test_a_split_restates_once_what_is_kept_here_and_what_risk_knows_of_prices(owners):
    """Kept orders went on waiting for a price of before the split, a stop for one that was met
    at once; and what risk knows was restated for each owner of the symbol.
    """
    world, files = World([PRICES]), MemoryFiles()
    kinds = [Keeps, Other][:owners]
    limits = LIMITS.replace(max_position_drawdown="0.9")
    first = Node(world, files, [kind() for kind in kinds], run_id="one", limits=limits)
    first.start()
    books = first.on_request = Books()
    first.run(9)
    kept, told = first.kernel.strategies[0].kept, first.kernel.strategies[0].told
    gate = first.driver.gate
    best = [row[-1] for row in gate.save()["stops"]]
    assert len(best) == owners
    assert (kept.status, kept.quantity) == ("EMULATED", 4)
    books.book("SPLIT", f"{20 * owners}")
    look(first)
    # Three for one.
    assert [s.position("SPY").quantity for s in first.kernel.strategies] == [30] * owners
    assert (kept.status, kept.quantity, kept.stop_price) == ("EMULATED", 12, 40)
    assert [row[-1] for row in gate.save()["stops"]] == [price // 3 for price in best]
    # Whoever is told of it holds what the split has made.
    assert told == [30]
    first.stop()
    result = replay(files, [kind() for kind in kinds])
    assert result.is_exact, result.difference


@pytest.mark.parametrize("way", ["saved", "played"])
def test_a_bust_beside_a_fresh_difference_halts_at_once_and_outlives_a_kill(way):
    """It counted as known at the first look, and was told at the third: a start in between traded
    on, and nobody was told at all.
    """
    world, looks_three = World([PRICES]), replace(policies(way), looks=3, reconcile_ns=10**15)
    first = Node(world, MemoryFiles(), [Collect()], run_id="one", policies=looks_three)
    books = first.on_request = Books()
    first.start()
    first.run(9)
    books.book("JNLS", "-5", "500")
    books.cash += 7
    look(first)
    told = [("adjusted_correction", TEXT), ("restricted", f"symbol SPY is HALTED: {TEXT}")]
    assert first.alarms == told
    records = [one for one in written(first, r.Record) if type(one) in (r.Operation, r.Adjustment)]
    assert [type(record) for record in records[-2:]] == [r.Operation, r.Adjustment]
    again = Node(world, killed(first), [Collect()], run_id="two", policies=policies(way))
    again.on_request = books
    again.start()
    assert again.kernel.gate.state(symbol="SPY").name == "HALTED"
    assert told[1] in again.alarms
    for later in (4, 8, 12):
        first.driver.look(world.now + later * SECOND)
        first.settle(world.now + later * SECOND)
    assert [code for code, _ in first.alarms if code.startswith("adjusted")] == [told[0][0]]

"""Accrued fees give way to the broker's, to the cent; what else moves cash is booked once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pyrt import Strategy
from pyrt.backtest.fees import fee_model
from pyrt.core.instruments import equity
from pyrt.core.times import timestamp_ns
from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.core.fees import FeeLedger
from pyrt.live.core.node import NodeCore
from pyrt.live.core.player import play
from pyrt.live.core.tape import Tape
from pyrt.risk import BreakerState, Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from tests.live.cores import COIN

SECOND = 1_000_000_000
EVENING = timestamp_ns("2024-06-03T23:30:00Z")
"""19:30 in New York: its trade date is the UTC date's."""
LATE = timestamp_ns("2024-06-04T01:00:00Z")
"""21:00 in New York: still the third of June there."""
JUNE_3, JUNE_4 = (timestamp_ns(f"2024-06-0{day}T00:00:00Z") for day in (3, 4))


def change(kind: str, amount: str, ts: int, name: str = "a") -> BrokerAdjustment:
    return BrokerAdjustment(
        activity_id=name,
        kind=kind,
        symbol="",
        quantity=Decimal(0),
        amount=Decimal(amount),
        text="",
        ts_event=ts,
    )


def test_the_brokers_fees_of_a_date_replace_what_was_accrued_for_it():
    ledger = FeeLedger()
    ledger.accrue(EVENING, Decimal("0.31"))
    ledger.accrue(LATE, Decimal("0.02"))
    ledger.accrue(JUNE_4 + 15 * 3600 * SECOND, Decimal("0.50"))
    fees = [change("fee", "-0.28", JUNE_3, "sec"), change("fee", "-0.07", JUNE_3, "taf")]
    (entry,) = ledger.entries(fees)
    assert (entry.accrued, entry.charged) == (Decimal("0.33"), Decimal("0.35"))
    assert (entry.kind, entry.amount) == ("fee_difference", Decimal("-0.02"))
    assert ledger.accrued == Decimal("0.50")
    (late,) = ledger.entries([change("fee", "-0.01", JUNE_3, "cat")])
    assert late.amount == Decimal("-0.01")


def test_a_fee_that_was_taken_in_coins_replaces_no_dollars():
    """Of a purchase of coins the broker books at once; of shares, when their day is over."""
    ledger = FeeLedger()
    ledger.accrue(EVENING, Decimal("0.31"))
    in_coins = replace(change("fee", "0", JUNE_3), symbol=COIN, quantity=Decimal("-0.0025"))
    assert ledger.entries([in_coins]) == []
    assert ledger.accrued == Decimal("0.31")
    # Nothing at all, for nothing, is what the broker has charged.
    (entry,) = ledger.entries([change("fee", "0", JUNE_3)])
    assert (entry.amount, ledger.accrued) == (Decimal("0.31"), 0)


def test_entries_come_oldest_first_and_a_difference_when_its_last_fee_does():
    fees = [change("fee", "-1", JUNE_3 + late, f"fee-{late}") for late in (5, 9, 7)]
    cash = [change("cash", "2", JUNE_3 + 9, name) for name in ("b", "a")]
    early = replace(change("dividend", "3", JUNE_3 + 8, "div"), symbol="SPY")
    nothing = change("split", "0", JUNE_3)
    found = FeeLedger().entries([*cash, *fees, early, nothing])
    assert [(each.ts_event - JUNE_3, each.activity_id) for each in found] == [
        (8, "div"), (9, "a"), (9, "accrued-fee-5"), (9, "b"),
    ]  # fmt: skip
    assert (found[0].symbol, found[0].kind, found[0].amount) == ("SPY", "dividend", 3)
    assert (found[2].accrued, found[2].charged, found[2].amount) == (0, 3, -3)


def test_fees_of_several_dates_are_an_entry_each_and_the_oldest_takes_what_came_before():
    ledger = FeeLedger()
    ledger.accrue(EVENING, Decimal("0.3"))
    ledger.accrue(LATE, Decimal(0))
    ledger.accrue(JUNE_4 + 15 * 3600 * SECOND, Decimal("0.5"))
    found = ledger.entries([change("fee", "-1", JUNE_4, "b"), change("fee", "-2", JUNE_3, "a")])
    assert [(each.activity_id, each.accrued, each.charged) for each in found] == [
        ("accrued-a", Decimal("0.3"), 2), ("accrued-b", Decimal("0.5"), 1),
    ]  # fmt: skip
    assert ledger.accrued == 0


def test_fees_that_were_accrued_and_never_charged_stay():
    ledger = FeeLedger()
    ledger.accrue(EVENING, Decimal("0.31"))
    assert ledger.entries([change("dividend", "5", JUNE_4)])[0].amount == Decimal(5)
    assert ledger.accrued == Decimal("0.31")


class Once(Strategy):
    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.sell("SPY", 100)


class Idle(Strategy):
    """Does nothing by itself."""


class Wire:
    def subscribe(self, channel, symbol):
        """Take note of nothing."""

    def submit(self, order):
        self.order = order


def node(tape: Tape | None = None, gate: BasicGate | None = None) -> tuple[NodeCore, Wire]:
    wire = Wire()
    core = NodeCore(
        wire,
        gate or BasicGate(),
        [equity("SPY")],
        [Once()],
        cash=10_000,
        prefix="t-",
        tape=tape,
        fees=fee_model("alpaca"),
    )
    core.start(EVENING)
    core.take(EVENING, [])
    return core, wire


def test_cash_ends_where_the_brokers_does():
    core, wire = node()
    core.inputs.fill(wire.order.number, EVENING, "100", "500", "100", fee=None)
    core.fee_ledger.accrue(EVENING, Decimal("1.41"))
    cash = core.kernel.account.cash_exact
    changes = [
        change("fee", "-1.39", JUNE_3, "sec"),
        change("fee", "-0.03", JUNE_3, "taf"),
        change("dividend", "12.50", JUNE_4, "div"),
        change("cash", "1000", JUNE_4, "csd"),
    ]
    entries = core.settle_cash(LATE, changes)
    assert [e.kind for e in entries] == ["fee_difference", "cash", "dividend"]
    expected = cash + Decimal("1.41") - Decimal("1.42") + Decimal("12.50") + 1000
    assert core.kernel.account.cash_exact == expected
    assert core.settle_cash(LATE, []) == []


def test_a_fill_accrues_by_the_venues_rules():
    from pyrt.adapters.alpaca.core.events import FillEvent

    core, wire = node()
    core.take(EVENING, [FillEvent(wire.order.number, EVENING, "100", "500", "100")])
    # 50,000 dollars at 27.80 a million, 100 shares at 0.000166, each to the next cent; CAT beside.
    assert core.fee_ledger.accrued >= Decimal("1.39") + Decimal("0.02")
    assert core.fee_ledger.accrued == Decimal(10_000) + 50_000 - core.kernel.account.cash_exact


def test_a_change_of_cash_is_on_the_tape():
    tape = Tape()
    core, _ = node(tape)
    core.settle_cash(LATE, [change("dividend", "12.5", JUNE_4)])
    pieces = bytes(tape.take())
    again, _ = node()
    play(again.inputs, pieces, lambda note: None, lambda error: None)
    assert again.kernel.account.cash_exact == core.kernel.account.cash_exact == Decimal("10012.5")


def test_each_kind_of_cash_has_its_account_in_a_ledger():
    core, _ = node()
    books = core.kernel.booking.keep_ledger()
    changes = {
        "cash": "1000",
        "dividend": "12.5",
        "interest": "-0.25",
        "borrow": "-1.5",
        "correction": "-7",
    }
    core.settle_cash(LATE, [change(kind, amount, JUNE_4, kind) for kind, amount in changes.items()])
    balances = books.balances(core.kernel.account.currencies)
    found = {name: amount for (name, _), amount in balances.items()}
    assert found == {
        "cash": Decimal("11003.75"),
        "capital": -Decimal(11_000),
        "interest": Decimal("0.25"),
        "borrow": Decimal("1.5"),
        # A dividend that names no symbol is of no position, which would have realized it.
        "adjustments": Decimal("-5.5"),
    }
    assert books.differences(core.kernel.account, []) == {}
    # What was paid in is no profit.
    metrics = core.kernel.portfolio.metrics()
    assert (metrics["day_pnl"], metrics["total_pnl"]) == (3.75, 3.75)


@pytest.mark.parametrize(
    ("paid", "lost", "opens"),
    [
        ("5000", "-100", False),
        ("5000", "-100.01", True),
        ("-5000", "-100", False),
        ("-5000", "-100.01", True),
    ],
)
def test_what_is_paid_in_or_out_hides_no_loss_and_is_none(paid: str, lost: str, opens: bool):
    gate = RiskEngine(Limits(max_daily_loss=100, max_drawdown=0.5))
    core, _ = node(gate=gate)
    core.inputs.sample()
    core.settle_cash(LATE, [change("cash", paid, JUNE_4, "csd")])
    core.inputs.sample()
    assert gate.breaker.state == BreakerState.CLOSED
    core.settle_cash(LATE, [change("correction", lost, JUNE_4, "cor")])
    core.inputs.sample()
    assert (gate.breaker.state == BreakerState.OPEN) is opens


def test_a_dividend_is_shared_by_how_much_each_holds_and_balances():
    core = NodeCore(
        Wire(), BasicGate(), [equity("SPY")], [Idle(), Idle(), Idle()], cash=10_000, prefix="a-"
    )
    core.start(EVENING)
    books = core.kernel.booking.keep_ledger()
    for number, units in enumerate((1, 2, 0)):
        if units:
            order = core.kernel.strategies[number].buy("SPY", units)
            core.inputs.settle()
            core.inputs.fill(order.number, EVENING, units, 100, units)
    core.settle_cash(LATE, [replace(change("dividend", "1", JUNE_4), symbol="SPY")])
    realized = [s.position("SPY").realized_pnl_exact for s in core.kernel.strategies]
    third = Decimal("0.333333333333333333")
    assert realized == [third, 1 - third, 0]
    assert core.kernel.account.cash_exact == 10_000 - 300 + 1
    assert books.differences(core.kernel.account, core.kernel.cache.all_positions()) == {}


def test_a_dividend_of_what_is_held_no_more_is_of_the_one_who_held_it_and_of_several_nobodys():
    core = NodeCore(
        Wire(), BasicGate(), [equity("SPY"), equity("QQQ")], [Idle(), Idle()], cash=10_000,
        prefix="a-",
    )  # fmt: skip
    core.start(EVENING)
    books = core.kernel.booking.keep_ledger()
    for number, symbol in ((0, "SPY"), (1, "SPY"), (1, "QQQ")):
        for send in ("buy", "sell"):
            order = getattr(core.kernel.strategies[number], send)(symbol, 1)
            core.inputs.settle()
            core.inputs.fill(order.number, EVENING, 1, 100, 1)
    before = len(books.table())
    core.settle_cash(LATE, [replace(change("dividend", "1", JUNE_4), symbol="SPY")])
    core.settle_cash(LATE, [replace(change("dividend", "3", JUNE_4, "b"), symbol="QQQ")])
    assert [int(n) for n in books.table()["strategy"][before:]] == [-1, -1, 1, 1]
    strategies = core.kernel.strategies
    assert [s.position("SPY").realized_pnl for s in strategies] == [0, 0]
    assert strategies[1].position("QQQ").realized_pnl == 3
    assert core.kernel.account.cash_exact == 10_004
    assert books.differences(core.kernel.account, core.kernel.cache.all_positions()) == {}

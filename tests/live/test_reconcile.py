"""Comparing with the broker: each difference by a hand-made case, and properties of the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.errors import ConfigError
from pyrt.live.core.broker import BrokerAdjustment, BrokerOrder, BrokerState
from pyrt.live.driver.reconcile import (
    Absences,
    Comparison,
    OurOrder,
    OurView,
    ReconcilePolicy,
    compare,
)

MINUTE = 60_000_000_000
PREFIXES = ("pyrt-one-", "pyrt-two-")
POLICY = ReconcilePolicy()


def theirs(**changes) -> BrokerState:
    values = {
        "ts": 1,
        "account": "PA1",
        "may_trade": True,
        "status": "ACTIVE",
        "cash": Decimal(100),
        "equity": Decimal(100),
        "positions": {},
        "orders": (),
        "fills": (),
        "adjustments": (),
    }
    return BrokerState(**{**values, **changes})


def ours(**changes) -> OurView:
    values = {
        "symbols": frozenset({"SPY", "QQQ"}),
        "positions": {},
        "orders": (),
        "is_ours": lambda name: name.startswith(PREFIXES),
        "is_known": lambda name: name.startswith("pyrt-one-"),
    }
    return OurView(**{**values, **changes})


def listed(name: str, *, is_open: bool = True, symbol: str = "SPY") -> BrokerOrder:
    return BrokerOrder(
        venue_order_id=f"v-{name}",
        client_order_id=name,
        symbol=symbol,
        side="buy",
        status="new" if is_open else "filled",
        is_open=is_open,
        filled=Decimal(0),
    )


def found(view: OurView, state: BrokerState, policy: ReconcilePolicy = POLICY):
    return [(f.code, f.symbol, f.halts) for f in compare(view, state, policy).findings]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ({}, {}, []),
        ({"SPY": Decimal(3)}, {"SPY": Decimal("3.0")}, []),
        ({"SPY": Decimal(3)}, {}, [("position_mismatch", "SPY", "symbol")]),
        ({}, {"QQQ": Decimal("0.000000001")}, [("position_mismatch", "QQQ", "symbol")]),
        ({"SPY": Decimal(3)}, {"SPY": Decimal(-3)}, [("position_mismatch", "SPY", "symbol")]),
        # What the node does not trade is none of its business.
        ({}, {"TSLA": Decimal(5)}, []),
    ],
)
def test_positions_have_to_agree_exactly(here, there, expected):
    assert found(ours(positions=here), theirs(positions=there)) == expected


@pytest.mark.parametrize(
    ("order", "policy", "expected"),
    [
        (listed("pyrt-one-1"), "halt", []),
        (listed("pyrt-two-1"), "halt", [("lost_intent", "SPY", "symbol")]),
        (listed("pyrt-two-1", is_open=False), "halt", [("lost_intent", "SPY", "symbol")]),
        (listed("pyrt-xyz-1"), "halt", [("second_node", "SPY", "all")]),
        (listed("pyrt-xyz-1", is_open=False), "halt", []),
        (listed("by-hand"), "halt", [("external_order", "SPY", "symbol")]),
        (listed("by-hand"), "alarm", [("external_order", "SPY", "")]),
        (listed("by-hand"), "ignore", []),
        (listed("by-hand", is_open=False), "halt", []),
        (listed("by-hand", symbol="TSLA"), "halt", []),
    ],
)
def test_orders_that_are_not_known(order, policy, expected):
    state = theirs(orders=(order,))
    assert found(ours(), state, ReconcilePolicy(external_orders=policy)) == expected


def unknown(name: str, **changes) -> OurOrder:
    values = {
        "client_order_id": name,
        "venue_order_id": "",
        "symbol": "SPY",
        "status": "SENT",
        "is_unknown": True,
        "sent_at": 10,
    }
    return OurOrder(**{**values, **changes})


def test_absence_counts_in_a_full_list_that_reaches_back_far_enough_only():
    view = ours(orders=(unknown("pyrt-one-1"),))
    assert compare(view, theirs(orders_after=5), POLICY).absent == ("pyrt-one-1",)
    assert compare(view, theirs(orders_after=11), POLICY).absent == ()
    assert compare(view, theirs(orders_complete=False), POLICY).absent == ()
    there = theirs(orders=(listed("pyrt-one-1"),))
    assert compare(view, there, POLICY).absent == ()


def test_a_list_that_cannot_be_read_whole_is_told_before_what_may_come_of_it():
    there = theirs(orders_complete=False, positions={"SPY": Decimal(1)})
    codes = [(f.code, f.halts) for f in compare(ours(), there, POLICY).findings]
    assert codes == [("orders_incomplete", ""), ("position_mismatch", "symbol")]


def test_a_missing_order_is_told_and_stays_as_it_was():
    order = unknown("pyrt-one-1", venue_order_id="v-9", is_unknown=False, status="ACCEPTED")
    comparison = compare(ours(orders=(order,)), theirs(), POLICY)
    assert [(f.code, f.halts) for f in comparison.findings] == [("missing_order", "")]
    assert comparison.absent == ()
    assert comparison.is_clean


@pytest.mark.parametrize(
    ("kind", "symbol", "expected"),
    [
        ("split", "SPY", [("adjusted_split", "SPY", "symbol")]),
        ("bust", "SPY", [("adjusted_bust", "SPY", "symbol")]),
        ("dividend", "SPY", [("adjusted_dividend", "SPY", "")]),
        ("fee", "", []),
        ("fee", "SPY", []),
        ("cash", "", [("adjusted_cash", "", "")]),
        ("split", "TSLA", []),
    ],
)
def test_adjustments_are_journalled_once_and_corporate_ones_halt(kind, symbol, expected):
    change = BrokerAdjustment(
        activity_id="a1",
        kind=kind,
        symbol=symbol,
        quantity=Decimal(0),
        amount=Decimal(1),
        text="x",
        ts_event=1,
    )
    state = theirs(adjustments=(change,))
    assert found(ours(), state) == expected
    assert compare(ours(), state, POLICY).adjustments == (change,)
    again = compare(ours(known_activities=frozenset({"a1"})), state, POLICY)
    assert (again.findings, again.adjustments) == ((), ())


@pytest.mark.parametrize(
    ("kind", "symbol", "halts"),
    [("split", "SPY", "symbol"), ("dividend", "SPY", ""), ("fee", "", ""), ("split", "TSLA", "")],
)
def test_a_change_that_was_taken_in_and_is_canceled_is_told_once(kind, symbol, halts):
    """Once: a person who has looked resumes the symbol, and the broker goes on listing it."""
    (change,) = adjusted(kind, symbol, amount="-7").adjustments
    state, known = theirs(canceled=(change,)), {change.activity_id}
    # What was canceled before it was ever taken in is nobody's news.
    assert compare(ours(), state, POLICY) == Comparison(())
    first = compare(ours(known_activities=known, cash=Decimal(100)), state, POLICY)
    assert [(f.code, f.symbol, f.halts) for f in first.findings] == [
        ("booking_canceled", symbol, halts)
    ]
    (mark,) = first.adjustments
    assert (mark.kind, mark.quantity, mark.amount) == ("canceled", 0, 0)
    known.add(mark.activity_id)
    assert compare(ours(known_activities=known), state, POLICY) == Comparison(())


def test_an_order_that_has_ended_here_and_is_open_there_halts():
    view = ours(has_ended=lambda name: name == "pyrt-one-1")
    assert found(view, theirs(orders=(listed("pyrt-one-1"),))) == [("reopened", "SPY", "symbol")]
    assert found(view, theirs(orders=(listed("pyrt-one-1", is_open=False),))) == []
    assert found(view, theirs(orders=(listed("pyrt-one-2"),))) == []


def test_cash_is_compared_where_it_can_be():
    assert found(ours(cash=Decimal("100.005")), theirs()) == []
    assert found(ours(cash=Decimal("100.02")), theirs()) == [("cash_mismatch", "", "")]


def test_lost_takes_two_lists_apart_after_the_session():
    absences = Absences()
    for ts, is_over, expected in [
        (0, False, []),
        (MINUTE, False, []),
        (2 * MINUTE, True, []),
        (2 * MINUTE + 1, True, []),
        (3 * MINUTE, True, ["a"]),
    ]:
        over = is_over
        assert absences.look(["a"], ts, session_over=lambda _, over=over: over) == expected
    # Seen in between: the count begins anew.
    absences = Absences()
    absences.look(["a"], 0, session_over=lambda _: True)
    absences.look([], MINUTE, session_over=lambda _: True)
    assert absences.look(["a"], 2 * MINUTE, session_over=lambda _: True) == []


def test_an_unknown_policy_is_refused():
    with pytest.raises(ConfigError):
        ReconcilePolicy(external_orders="trade")


UNITS = st.decimals(-100, 100, places=3)
NAMES = st.sampled_from(["pyrt-one-1", "pyrt-one-2", "pyrt-two-1", "pyrt-xyz-1", "by-hand"])
ORDERS = st.lists(
    st.builds(
        listed,
        NAMES,
        is_open=st.booleans(),
        symbol=st.sampled_from(["SPY", "QQQ", "TSLA"]),
    ),
    max_size=6,
).map(tuple)
POSITIONS = st.dictionaries(st.sampled_from(["SPY", "QQQ", "TSLA"]), UNITS)


@given(POSITIONS, POSITIONS, ORDERS, st.booleans())
def test_whatever_differs_halts_and_nothing_else_does(here, there, orders, complete):
    state = theirs(positions=there, orders=orders, orders_complete=complete)
    comparison = compare(ours(positions=here), state, POLICY)
    for symbol in ("SPY", "QQQ"):
        differs = here.get(symbol, 0) != there.get(symbol, 0)
        halted = ("position_mismatch", symbol) in {(f.code, f.symbol) for f in comparison.findings}
        assert halted == differs
    stranger = any(o.client_order_id == "pyrt-xyz-1" and o.is_open for o in orders)
    assert any(f.halts == "all" for f in comparison.findings) == stranger
    # Findings are a function of the inputs: the same look tells the same.
    assert compare(ours(positions=here), state, POLICY) == comparison
    # Agreement on everything is clean.
    mine = tuple(o for o in orders if o.client_order_id.startswith("pyrt-one-"))
    same = theirs(positions=there, orders=mine)
    assert compare(ours(positions=there), same, POLICY).findings == ()


@pytest.mark.parametrize(
    ("cash", "accrued", "there", "gap"),
    [
        ("100", "0", "100", "0"),
        ("100", "0", "100.01", "0"),
        ("100", "0", "100.02", "0.02"),
        ("100", "0", "87.5", "-12.5"),
        # Fees that we have counted and the broker may or may not have taken yet.
        ("98", "2", "100", "0"),
        ("98", "2", "98", "0"),
        ("98", "2", "99", "0"),
        ("98", "2", "103", "3"),
        ("98", "2", "90", "-10"),
    ],
)
def test_cash_is_the_brokers_whether_it_has_taken_our_fees_or_not(cash, accrued, there, gap):
    view = ours(cash=Decimal(cash), accrued=Decimal(accrued))
    comparison = compare(view, theirs(cash=Decimal(there)), POLICY)
    assert comparison.cash_gap == Decimal(gap)
    codes = [code for code, _, _ in found(view, theirs(cash=Decimal(there)))]
    assert codes == (["cash_mismatch"] if Decimal(gap) else [])


# -- words and bounds ------------------------------------------------------------------------------


def adjusted(kind: str, symbol: str = "SPY", text: str = "x", amount: str = "0") -> BrokerState:
    change = BrokerAdjustment(
        activity_id="a1", kind=kind, symbol=symbol, quantity=Decimal(0), amount=Decimal(amount),
        text=text, ts_event=1,
    )  # fmt: skip
    return theirs(adjustments=(change,))


@pytest.mark.parametrize(
    ("view", "state", "text"),
    [
        (
            ours(positions={"SPY": Decimal("1E+1")}), theirs(positions={"SPY": Decimal("-2.50")}),
            "SPY is -2.50 at the broker and 10 here",
        ),
        (
            ours(has_ended=lambda name: True), theirs(orders=(listed("pyrt-one-1"),)),
            "pyrt-one-1 has ended here and is new at the broker",
        ),
        (
            ours(), theirs(orders=(listed("pyrt-two-1"),)),
            "pyrt-two-1 was sent by an earlier run and is not in the journal",
        ),
        (
            ours(), theirs(orders=(listed("pyrt-xyz-1"),)),
            "pyrt-xyz-1 is not of this state folder: does a second node trade this account?",
        ),
        (
            ours(), theirs(orders=(listed("by-hand"),)),
            "an order for SPY that no run of ours has sent is open: by-hand",
        ),
        (
            ours(orders=(unknown("pyrt-one-1", venue_order_id="v-9", status="ACCEPTED"),)),
            theirs(), "pyrt-one-1 is ACCEPTED here and not in the broker's list",
        ),
        (
            ours(), theirs(orders_complete=False),
            "the broker's list of orders has more of one instant than a page holds",
        ),
        (ours(), adjusted("split"), "split: x"),
        (ours(), adjusted("split", text=""), "split"),
        (
            ours(cash=Decimal("90.5"), accrued=Decimal(2)), theirs(),
            "cash is 100 at the broker and 92.5 here",
        ),
        (
            ours(cash=Decimal(105), accrued=Decimal(0)), adjusted("cash", "", amount="-7"),
            "cash is 100 at the broker and 98 here",
        ),
    ],
)  # fmt: skip
def test_each_difference_is_told_with_both_sides_of_it(view, state, text):
    assert text in [finding.text for finding in compare(view, state, POLICY).findings]


@pytest.mark.parametrize("kind", ["split", "symbol_change", "bust", "correction"])
def test_what_changes_holdings_halts_a_symbol_that_is_traded(kind):
    assert found(ours(), adjusted(kind)) == [(f"adjusted_{kind}", "SPY", "symbol")]
    assert not compare(ours(), adjusted(kind), POLICY).is_clean


@pytest.mark.parametrize("kind", ["fee", "interest", "borrow"])
def test_what_every_day_has_is_taken_in_and_told_to_nobody(kind):
    comparison = compare(ours(), adjusted(kind), POLICY)
    assert (comparison.findings, len(comparison.adjustments)) == ((), 1)


@pytest.mark.parametrize(
    ("cash", "tolerance", "there", "gap"),
    [
        ("100", "0.01", "99.99", "0"),
        ("100", "0.01", "99.989", "-0.011"),
        ("100", "0", "100.001", "0.001"),
        ("100", "5", "105", "0"),
        ("100", "5", "94.99", "-5.01"),
    ],
)
def test_a_difference_of_cash_up_to_the_tolerance_is_none(cash, tolerance, there, gap):
    policy = ReconcilePolicy(cash_tolerance=Decimal(tolerance))
    comparison = compare(ours(cash=Decimal(cash)), theirs(cash=Decimal(there)), policy)
    assert comparison.cash_gap == Decimal(gap)
    assert comparison.is_clean
    assert len(comparison.findings) == (Decimal(gap) != 0)


def test_cash_is_not_compared_before_it_was_taken_over():
    comparison = compare(ours(), theirs(cash=Decimal(7)), POLICY)
    assert (comparison.findings, comparison.cash_gap) == ((), 0)


@pytest.mark.parametrize(
    ("order", "after", "expected"),
    [
        (unknown("pyrt-one-1"), 10, (("pyrt-one-1",), 0)),
        (unknown("pyrt-one-1"), 11, ((), 0)),
        # Seen under the broker's id, whatever name he has it under.
        (unknown("pyrt-one-1", venue_order_id="v-other"), 0, ((), 0)),
        (unknown("pyrt-one-1", venue_order_id="v-9"), 10, ((), 1)),
        (unknown("pyrt-one-1", venue_order_id="v-9"), 11, ((), 0)),
        # An answer is on its way: it is neither in doubt nor missing.
        (unknown("pyrt-one-1", is_unknown=False), 0, ((), 0)),
    ],
)
def test_what_a_full_list_lacks_is_in_doubt_or_missing_or_too_old_for_it(order, after, expected):
    state = theirs(orders=(listed("other", is_open=False),), orders_after=after)
    comparison = compare(ours(orders=(order,)), state, POLICY)
    missing = [finding for finding in comparison.findings if finding.code == "missing_order"]
    assert (comparison.absent, len(missing)) == expected


def test_each_order_of_a_list_is_looked_at_whatever_came_before_it():
    names = ("pyrt-one-1", "v", "pyrt-xyz-1", "pyrt-two-1", "by-hand")
    view = ours(is_exit=lambda venue_order_id: venue_order_id == "v-v")
    codes = [code for code, *_ in found(view, theirs(orders=tuple(map(listed, names))))]
    assert codes == ["second_node", "lost_intent", "external_order"]
    assert found(view, theirs(orders=(listed("v"),))) == []
    late = (unknown("pyrt-one-1", sent_at=1), unknown("pyrt-one-2"))
    assert compare(ours(orders=late), theirs(orders_after=5), POLICY).absent == ("pyrt-one-2",)


@pytest.mark.parametrize(
    ("times", "lost"),
    [
        ((0, MINUTE - 1), [False, False]),
        ((0, MINUTE), [False, True]),
        ((0, MINUTE - 1, MINUTE), [False, False, True]),
        ((0, MINUTE, MINUTE + 1, 3 * MINUTE), [False, True, True, True]),
    ],
)
def test_two_looks_count_that_are_a_minute_apart(times, lost):
    absences = Absences()
    found = [absences.look(["a"], ts, session_over=lambda _: True) for ts in times]
    assert [names == ["a"] for names in found] == lost


def test_one_submit_that_is_seen_or_in_its_session_says_nothing_of_another():
    absences = Absences(apart_ns=5)
    absences.look(["a", "b", "c"], 0, session_over=lambda name: name != "a")
    found = absences.look(["a", "b", "d"], 5, session_over=lambda name: name != "a")
    assert found == ["b"]


def test_a_policy_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(ConfigError) as caught:
        ReconcilePolicy(external_orders="trade")
    assert "'trade'" in caught.value.message
    assert all(name in caught.value.message for name in ("halt", "alarm", "ignore"))


def test_an_order_or_a_view_that_says_no_more_is_the_plain_one():
    """No fee has accrued, nothing has ended here, and no order of the broker's is ours."""
    order = OurOrder(
        client_order_id="a", venue_order_id="", symbol="SPY", status="SENT", is_unknown=True
    )
    view = ours()
    assert (order.sent_at, view.cash, view.accrued, list(view.known_activities)) == (0, None, 0, [])
    assert not view.has_ended("a")
    assert not view.is_exit("v")
    comparison = compare(view, theirs(), POLICY)
    assert comparison == Comparison(())
    assert (comparison.adjustments, comparison.absent, comparison.cash_gap) == ((), (), 0)

"""What answers do to an order, its requests and the record, one by one and when they cross."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyrt.core.records import ORDER_EVENT_DTYPE
from pyrt.core.types import EVENT_NAMES
from pyrt.errors import StrategyError
from pyrt.execution import TWAP
from pyrt.risk import Limits, RiskEngine, gate_for
from pyrt.testing.gates import GateRig, IdleWatcher
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import MINUTE, START, SYMBOL, play

EVENTS = {name: kind for kind, name in EVENT_NAMES.items()}


def rig(**options: Any) -> GateRig:
    return GateRig(RiskEngine(), prices=100, **options)


def requests(order: Any) -> str:
    """Return the states of what was asked: submission, change, cancel; a letter each."""
    return "".join("-ocru"[state] for state in order.to_dict()["requests"])


# What was asked of a sell limit, and the answers to it, each with the states of submission, change
# and cancel after it: - never asked, o open, c confirmed, r refused, u unknown.
CROSSINGS = [
    "accept c--",
    "reject r--",
    "fill c--",
    "unknown u-- accept c--",
    "unknown u-- reject r--",
    # It had arrived; that the venue takes it back later does not change that.
    "accept c-- reject c--",
    # What nobody asked for answers nothing.
    "accept c-- modified c--",
    "accept c-- cancel c--",
    "accept c-- unknown c--",
    "MODIFY modify_rejected or- accept cr-",
    "MODIFY accept co- modified cc-",
    "MODIFY accept co- modify_rejected cr-",
    "MODIFY accept co- unknown cu- modified cc-",
    "MODIFY accept co- unknown cu- modify_rejected cr-",
    "MODIFY accept co- cancel_rejected cor",
    "CANCEL cancel_rejected o-r accept c-r",
    "CANCEL accept c-o cancel c-c",
    "CANCEL accept c-o modified c-o",
    "CANCEL accept c-o fill c-r",
    "CANCEL accept c-o unknown c-u cancel_rejected c-r",
    "MODIFY CANCEL accept coo fill crr",
    "MODIFY CANCEL accept coo modified cco cancel ccc",
    "MODIFY CANCEL unknown uoo unknown uou unknown uuu",
    "MODIFY CANCEL accept coo unknown cou unknown cuu expire crr",
]


@pytest.mark.parametrize("row", CROSSINGS, ids=lambda row: row.replace(" ", "_"))
def test_an_answer_answers_what_was_asked(row: str) -> None:
    made = rig()
    order = made.order("sell", 10, limit_price=110)
    assert requests(order) == "o--"
    words = row.split()
    while words[0].isupper():
        what = words.pop(0)
        made.modify(order, limit_price=111) if what == "MODIFY" else made.cancel(order)
    for answer, after in zip(words[::2], words[1::2], strict=True):
        made.fill(order) if answer == "fill" else made.answer(answer, order)
        assert (answer, requests(order)) == (answer, after)
        assert order.is_pending is ("o" in after)
        assert order.is_unknown is ("u" in after)


def guarded() -> tuple[GateRig, Any, Any]:
    """Return a rig that holds ten, and the pair that guards them at the venue."""
    made = rig()
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    target, stop = made.venue.submitted[-2:]
    for order in (target, stop):
        made.answer("accept", order)
    return made, target, stop


@pytest.mark.parametrize("answer", ["modified", "modify_rejected"])
@pytest.mark.parametrize("doubt", ["", "unknown"])
def test_what_the_other_of_a_pair_takes_off_answers_no_change(doubt: str, answer: str) -> None:
    """It was taken for the answer: the change counted as made, and its outcome as known."""
    made, target, stop = guarded()
    made.modify(stop, stop_price=85)
    if doubt:
        made.answer(doubt, stop)
    made.fill(target, 4)
    made.answer("modified", stop, quantity=6)
    assert (stop.quantity, stop.is_pending, stop.is_unknown) == (6, not doubt, bool(doubt))
    made.answer(answer, stop, **({"stop_price": 85} if answer == "modified" else {}))
    assert (stop.is_pending, stop.is_unknown) == (False, False)


def test_a_smaller_quantity_that_was_asked_for_is_an_answer_once_the_other_has_ended() -> None:
    made, target, stop = guarded()
    made.answer("cancel", target)
    made.modify(stop, quantity=6)
    assert stop.is_pending
    made.answer("modified", stop, quantity=6)
    assert not stop.is_pending


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_in_doubt_bars_its_own_side(side: str) -> None:
    made = rig()
    order = made.order(side, 10)
    made.answer("unknown", order)
    other = {"buy": "sell", "sell": "buy"}[side]
    assert made.order(side, 1).reason.startswith("unknown_request")
    assert made.order(other, 1).status == "SENT"
    made.answer("accept", order)
    assert made.order(side, 1).status == "SENT"
    assert made.order(other, 1).status == "SENT"


def test_what_is_released_is_asked_for_anew() -> None:
    bare = Capabilities(order_types={"market", "limit"}, groups=())
    made = rig(capabilities=bare)
    stop = made.order("buy", 10, stop_price=105)
    assert requests(stop) == "c--"
    made.price(105)
    assert (stop.status, requests(stop)) == ("SENT", "o--")
    made.answer("reject", stop)
    assert requests(stop) == "r--"


# -- fills ---------------------------------------------------------------------------------------


def test_an_order_never_fills_beyond_its_quantity() -> None:
    made = rig()
    order = made.order("buy", 10)
    made.fill(order, 4)
    for more in (7, 6.000000001):
        with pytest.raises(StrategyError, match="order bt-1 of 10 would be filled beyond that"):
            made.fill(order, more)
        assert (order.status, order.filled_quantity) == ("PARTIALLY_FILLED", 4)
    assert made.kernel.cache.positions()[0].quantity == 4
    made.fill(order, 6)
    assert order.status == "FILLED"


def test_an_execution_that_was_counted_already_changes_nothing() -> None:
    made = rig()
    order = made.order("buy", 10)
    made.fill(order, 4)
    told = len(made.kernel.records.order_events)
    made.fill(order, 0)
    assert (order.status, order.filled_quantity) == ("PARTIALLY_FILLED", 4)
    assert len(made.kernel.records.order_events) == told


def test_an_execution_that_cannot_be_booked_leaves_the_order_as_it_was() -> None:
    """Its state had moved on, as if it had filled."""
    made = rig()
    orders: list[Any] = []

    def sell_until_nothing_holds_it() -> None:
        for _ in range(20):
            orders.append(made.order("sell", 8e9))
            made.fill(orders[-1], price=9.2e9)

    with pytest.raises(OverflowError):
        sell_until_nothing_holds_it()
    assert (orders[-1].status, orders[-1].filled_quantity) == ("SENT", 0)


# -- changes -------------------------------------------------------------------------------------


def test_new_terms_are_in_force_when_the_venue_says_so() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("accept", order)
    made.answer("modified", order, quantity="0.000000001")
    assert order.quantity == 1e-9
    made.answer("modified", order, limit_price=91)
    assert (order.quantity, order.limit_price) == (1e-9, 91)
    made.answer("modified", order, quantity=8)
    made.fill(order, 5, price=90)
    made.answer("modified", order, quantity=7)
    assert (order.status, order.quantity) == ("PARTIALLY_FILLED", 7)
    made.answer("modified", order, quantity=5)
    assert (order.status, order.quantity) == ("FILLED", 5)


def test_an_order_by_notional_is_not_filled_by_a_change_before_its_first_fill() -> None:
    made = rig()
    order = made.order("buy", notional=500)
    made.answer("accept", order)
    made.answer("modified", order)
    assert (order.status, order.quantity) == ("ACCEPTED", 0)


# -- the record ----------------------------------------------------------------------------------


def test_the_record_says_what_each_event_came_to() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=99)
    made.wait("1s")
    made.answer("accept", order)
    made.wait("1s")
    made.answer("modified", order, limit_price=98)
    made.wait("1s")
    made.fill(order, 4, price=98)
    rows = np.frombuffer(made.kernel.records.order_events.tobytes(), np.dtype(ORDER_EVENT_DTYPE))
    assert list(rows["order"]) == [1] * 4
    assert list(rows["kind"]) == [EVENTS[name] for name in ("sent", "accepted", "modified", "fill")]
    assert list(rows["ts_event"] - rows["ts_event"][0]) == [0, 10**9, 2 * 10**9, 3 * 10**9]
    # A change says its limit price, a fill what has filled by then.
    assert list(rows["value"][2:]) == [98 * 10**9, 4 * 10**9]
    assert order.ts_last == made.now


def test_what_an_algorithm_fills_is_recorded_of_its_order_too() -> None:
    made = rig()
    order = made.order("buy", 10, algorithm=TWAP("10m", slices=2))
    (child,) = made.venue.submitted
    made.wait("1s")
    made.fill(child)
    rows = np.frombuffer(made.kernel.records.order_events.tobytes(), np.dtype(ORDER_EVENT_DTYPE))
    fills = [row for row in rows if row["kind"] == EVENTS["fill"]]
    assert [(row["order"], row["value"], row["ts_event"]) for row in fills] == [
        (child.number, 5 * 10**9, made.now), (order.number, 5 * 10**9, made.now)
    ]  # fmt: skip
    assert (order.ts_last, child.ts_last) == (made.now, made.now)


def test_a_step_of_our_own_is_stamped_with_its_time() -> None:
    """A close that waits for the end of an exit leaves later than it was made."""
    made = rig()
    made.hold(10)
    stop = made.order("sell", 10, stop_price=90)
    made.answer("accept", stop)
    order = made.close()
    made.wait("1s")
    made.answer("cancel", stop)
    assert (order.status, order.ts_last - order.ts_init) == ("SENT", 10**9)


def test_what_is_told_of_an_order_bears_the_time_it_happened() -> None:
    steps = {
        0: lambda s: s.buy(SYMBOL, 10, algorithm=TWAP("10m", slices=1)),
        2: lambda s: s.buy(SYMBOL, 1e9),
    }
    made = play(
        [(100, 100, 100, 100)] * 6, steps, engine={"gate": gate_for(Limits(max_order_quantity=100))}
    )
    told = [
        (name, kind, (ts - START) / MINUTE)
        for (name, kind), (_, ts) in zip(
            made.strategies[0].events, made.strategies[0].happened, strict=True
        )
        if kind in ("fill", "denied")
    ]
    assert told == [("bt-2", "fill", 1), ("bt-1", "fill", 1), ("bt-3", "denied", 3)]


def test_whoever_watches_orders_hears_of_worked_ones_too() -> None:
    made = GateRig(IdleWatcher(), prices=100)
    order = made.order("buy", 10, algorithm=TWAP("10m", slices=1))
    made.fill(made.venue.submitted[0])
    assert (order.status, order.filled_quantity) == ("FILLED", 10)

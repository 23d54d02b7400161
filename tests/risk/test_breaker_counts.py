"""What a breaker counts from: other limits, cash from outside, a reset, a restart, limits of 0."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pyrt.risk import BreakerState, CircuitBreaker, Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

SECOND = 1_000_000_000
LEAST = Decimal("1e-18")


def breaker(**limits: Any) -> CircuitBreaker:
    return CircuitBreaker(Limits(**limits))


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), cash=100_000, prices=100)


# -- other limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "rest"), [(2, [0, 1]), (4, [1, 1, 0, 1]), (6, [1, 1, 0, 1])])
def test_a_window_of_another_length_goes_on_from_the_last_outcomes(
    length: int, rest: list[int]
) -> None:
    made = breaker(loss_rate_trades=4, reject_rate_orders=4)
    for is_bad in (0, 1, 1, 0, 1):
        made.note_trade(0, -is_bad)
        made.note_answer(0, bool(is_bad))
    made.configure(Limits(loss_rate_trades=length, reject_rate_orders=length))
    for window in (made.losses, made.rejects):
        assert (window.capacity, window.save(), window.bad) == (length, rest, sum(rest))


def test_a_restart_with_a_shorter_window_keeps_the_last_outcomes() -> None:
    made = breaker(loss_rate_trades=4, reject_rate_orders=4)
    for is_bad in (0, 1, 1, 0, 1):
        made.note_trade(0, -is_bad)
        made.note_answer(0, bool(is_bad))
    again = breaker(loss_rate_trades=3, reject_rate_orders=2)
    again.restore(json.loads(json.dumps(made.save())))
    assert (again.losses.save(), again.rejects.save()) == ([1, 0, 1], [0, 1])


DAY = 86_400 * SECOND
OF_THE_DAY = {"max_daily_loss": 100, "halt_daily_loss": 200}


def off_until(day: int, equity: float, way: str) -> CircuitBreaker:
    """Return a breaker whose limits of equity were off from 1,000 until a day of `equity`."""
    made = breaker(**OF_THE_DAY)
    made.note_equity(0, 1_000)
    made.configure(Limits(max_consecutive_losses=3))
    if way == "restart":
        without = breaker()
        without.restore(json.loads(json.dumps(made.save())))
        made = breaker(**OF_THE_DAY)
        made.restore(json.loads(json.dumps(without.save())))
    else:
        made.configure(Limits(**OF_THE_DAY))
    made.note_equity(day * DAY + SECOND, equity)
    return made


@pytest.mark.parametrize("way", ["at once", "restart"])
@pytest.mark.parametrize("equity", [500, 1_500])
def test_limits_that_come_back_on_another_day_count_from_what_there_is_then(
    equity: float, way: str
) -> None:
    made = off_until(2, equity, way)
    assert (made.state, made.take_halt(), made.day_loss) == (BreakerState.CLOSED, None, 0)
    made.note_equity(2 * DAY + 2 * SECOND, equity - 100)
    assert made.state == BreakerState.CLOSED
    made.note_equity(2 * DAY + 3 * SECOND, equity - 101)
    assert made.cause == "max_daily_loss"
    # From there on each day begins with the last equity of the one before.
    made.note_equity(3 * DAY, equity - 150)
    assert (made.state, made.day_loss) == (BreakerState.CLOSED, 49)


def test_limits_that_come_back_on_the_same_day_count_from_its_begin() -> None:
    made = off_until(0, 850, "at once")
    assert (made.cause, made.day_loss) == ("max_daily_loss", 150)


@pytest.mark.parametrize(
    ("bad", "length", "share"),
    [([], 1, 0.0), ([1], 2, 0.0), ([1, 0], 2, 0.5), ([1, 1, 0], 2, 0.5), ([1, 1, 1], 3, 1.0)],
)
def test_a_share_is_of_a_full_window(bad: list[int], length: int, share: float) -> None:
    made = breaker(loss_rate_trades=length)
    for is_bad in bad:
        made.note_trade(0, -is_bad)
    assert made.losses.share() == share


# -- cash from outside -----------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [50_000, -50_000])
def test_cash_from_outside_changes_no_loss_before_the_next_equity(amount: int) -> None:
    made = breaker(max_daily_loss=10_000)
    made.note_deposit(amount)
    made.note_equity(0, 100_000)
    made.note_equity(1, 99_000)
    made.note_deposit(amount)
    assert made.day_loss == 1_000
    assert made.drawdown == pytest.approx(1_000 / (100_000 + amount))
    near = dict(made.nearness())
    assert near["max_daily_loss"] == pytest.approx(0.1)


# -- closed by hand --------------------------------------------------------------------------------


def test_what_opened_it_is_forgotten_once_it_is_closed() -> None:
    made = breaker(max_consecutive_losses=1)
    for _ in range(2):
        made.note_trade(0, -1)
    assert (made.cause, made.consecutive_losses) == ("max_consecutive_losses", 2)
    made.close()
    assert (made.state, made.cause, made.reason) == (BreakerState.CLOSED, "", "")
    made.note_trade(0, -1)
    assert (made.state, made.consecutive_losses) == (BreakerState.CLOSED, 1)
    made.note_trade(0, -1)
    assert made.state == BreakerState.OPEN


@pytest.mark.parametrize("other", [{}, {"max_order_quantity": 1_000}])
def test_without_limits_of_its_own_nothing_opens_it(other: dict[str, Any]) -> None:
    made = breaker(cooldown="1s", **other)
    for second, equity in enumerate((100_000, 1, 0, -100_000)):
        made.note_equity(second, equity)
        made.note_trade(second, -1_000)
        made.note_answer(second, True, 3_600 * SECOND)
    assert (made.state, made.trips, made.take_halt()) == (BreakerState.CLOSED, [], None)
    assert made.nearness() == []
    gate = rig(**other)
    late = gate.order("buy", 1)
    gate.wait("1h")
    gate.answer("reject", late)
    gate.hold(100)
    gate.hold(-100, price=1)
    assert code(gate.order("buy", 1)) == ""


# -- limits of nothing and of next to nothing ------------------------------------------------------


@pytest.mark.parametrize("limit", ["max_daily_loss", "max_daily_loss_fraction", "max_drawdown"])
def test_a_limit_of_nothing_is_held_by_the_gate_too(limit: str) -> None:
    made = rig(**{limit: 0})
    made.hold(1)
    assert code(made.order("buy", 1)) == ""
    made.price(99.99)
    assert code(made.order("buy", 1)) == limit


@pytest.mark.parametrize("limit", ["halt_daily_loss", "halt_daily_loss_fraction"])
def test_a_second_tier_of_nothing_is_held_by_the_gate_too(limit: str) -> None:
    made = rig(**{limit: 0})
    made.hold(1)
    made.sample()
    assert code(made.order("buy", 1)) == ""
    made.price(99.99)
    assert code(made.order("buy", 1)) == "trading_state"


@pytest.mark.parametrize(("limits", "bad"), [
    ({"max_consecutive_losses": 0}, "trade"),
    ({"max_loss_rate": 0, "loss_rate_trades": 1}, "trade"),
    ({"max_latency": 0}, "answer"),
    ({"max_reject_rate": 0, "reject_rate_orders": 1}, "reject"),
])  # fmt: skip
def test_the_gate_opens_for_the_first_bad_outcome_where_none_is_allowed(
    limits: dict[str, Any], bad: str
) -> None:
    made = rig(**limits)
    made.hold(10)
    made.hold(-10, price=100)
    order = made.order("buy", 1)
    assert code(order) == ""
    if bad == "trade":
        made.fill(order)
        made.hold(-1, price=99.99)
    elif bad == "answer":
        made.wait(1)
        made.answer("accept", order)
    else:
        made.answer("reject", order)
    assert code(made.order("buy", 1)) == next(iter(limits))


def test_an_answer_in_time_is_no_late_one_where_none_may_be_late() -> None:
    made = breaker(max_latency=0)
    made.note_answer(0, False, 0)
    assert made.state == BreakerState.CLOSED
    made.note_answer(0, False, 1)
    assert made.reason == (
        "max_latency: circuit breaker open, an answer after 1 ns is over the limit of 0 ns"
    )


def test_of_limits_of_nothing_no_share_is_used_up() -> None:
    names = ("max_daily_loss", "max_daily_loss_fraction", "max_drawdown")
    halts = ("halt_daily_loss", "halt_daily_loss_fraction")
    made = breaker(**dict.fromkeys(names + halts, 0))
    made.note_equity(0, 100)
    assert made.nearness() == []
    made = breaker(
        max_daily_loss=LEAST, halt_daily_loss=2 * LEAST, max_daily_loss_fraction="1e-9",
        halt_daily_loss_fraction="1e-9", max_drawdown="1e-9",
    )  # fmt: skip
    made.note_equity(0, 10 * LEAST)
    made.note_equity(0, 6 * LEAST)
    assert dict(made.nearness()) == pytest.approx(
        dict(zip((*names, *halts), (4, 4e8, 4e8, 2, 4e8), strict=True))
    )


@pytest.mark.parametrize("equity", [0, -5])
def test_of_an_account_without_equity_no_share_is_used_up(equity: int) -> None:
    made = breaker(max_daily_loss_fraction=1, halt_daily_loss_fraction=1, max_drawdown=1)
    made.note_equity(0, equity)
    assert made.nearness() == []
    assert made.drawdown == 0.0


def test_an_account_that_is_measured_on_its_first_day_says_which_that_is() -> None:
    made = breaker(max_daily_loss=1)
    made.note_equity(5 * 86_400 * SECOND, 100)
    assert made.save()["day"] == 5


# -- the trial -------------------------------------------------------------------------------------


def open_again(made: GateRig) -> None:
    """Let a gate that is half-open lose its trial."""
    trial = made.order("buy", 1)
    assert code(trial) == ""
    made.fill(trial, price=100)
    made.hold(-1, price=99)
    assert made.gate.breaker.state == BreakerState.OPEN


def test_after_every_cool_down_one_entry_may_leave() -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")
    made.hold(10, price=100)
    made.hold(-10, price=99)
    for _ in range(3):
        made.wait("10s")
        open_again(made)
    assert made.gate.breaker.reason == (
        "max_consecutive_losses: circuit breaker open, the trial after the cool-down lost again"
    )


def test_a_trial_of_before_a_restart_makes_room_for_another_when_it_ends() -> None:
    first, second = (rig(max_consecutive_losses=0, cooldown="10s") for _ in range(2))
    for made in (first, second):
        if made is first:
            made.hold(10, price=100)
            made.hold(-10, price=99)
            made.wait("10s")
        else:
            # The orders of before, in the same numbers.
            made.hold(10)
            made.hold(-10)
        trial = made.order("buy", 1, limit_price=90)
    second.gate.restore(json.loads(json.dumps(first.gate.save())))
    assert second.gate.breaker.trial == trial.client_order_id
    assert code(second.order("buy", 1)) == "max_consecutive_losses"
    second.answer("cancel", trial)
    assert second.gate.breaker.trial == ""
    assert code(second.order("buy", 1)) == ""


# Limits, what opens it, an answer of the trial (rejected, after so long), whether that opens it.
REJECTS = {"max_reject_rate": 0, "reject_rate_orders": 1}
LOSSES = {"max_consecutive_losses": 0}
ANSWERS = [
    (REJECTS, (True, 0), False),
    (REJECTS, (False, SECOND), True),
    ({**REJECTS, "max_latency": SECOND}, (False, SECOND + 1), False),
    ({**REJECTS, "max_latency": SECOND}, (False, SECOND), True),
    # A rejection is no trial of what only losses have opened.
    ({**LOSSES, **REJECTS}, (True, 0), True),
    ({**LOSSES, **REJECTS}, (False, 0), True),
]


@pytest.mark.parametrize(("limits", "answer", "goes_on"), ANSWERS)
def test_answers_of_a_trial_open_the_breaker_again_only_where_they_opened_it(
    limits: dict[str, Any], answer: tuple[bool, int], goes_on: bool
) -> None:
    made = breaker(cooldown="10s", **limits)
    if limits.keys() >= LOSSES.keys():
        made.note_trade(0, -1)
    else:
        made.note_answer(0, True, 0)
    assert made.admits(10 * SECOND)
    made.note_answer(11 * SECOND, *answer)
    assert made.state == (BreakerState.HALF_OPEN if goes_on else BreakerState.OPEN)
    assert len(made.trips) == (1 if goes_on else 2)
    assert made.ts_open == (0 if goes_on else 11 * SECOND)


@pytest.mark.parametrize(("pause", "waited", "admits"), [
    ("0s", 0, True), ("10s", 10 * SECOND - 1, False), ("10s", 10 * SECOND, True),
    (None, 10 * SECOND, False),
])  # fmt: skip
def test_what_would_be_said_after_a_cool_down_is_said_before_it_is_asked_for(
    pause: str | None, waited: int, admits: bool
) -> None:
    made = rig(max_consecutive_losses=0, cooldown=pause)
    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait(waited)
    asked = {"symbol": "AAA", "side": "buy", "quantity": 1}
    said = made.kernel.strategies[0].validate(asked).code
    assert said == ("" if admits else "max_consecutive_losses")
    assert made.gate.breaker.state == BreakerState.OPEN
    assert code(made.order("buy", 1)) == said


def test_what_would_be_said_follows_the_trial() -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")

    def said() -> str:
        return str(made.kernel.strategies[0].validate(
            {"symbol": "AAA", "side": "buy", "quantity": 1}
        ).code)  # fmt: skip

    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait("10s")
    trial = made.order("buy", 1, limit_price=90)
    assert said() == "max_consecutive_losses"
    made.answer("cancel", trial)
    assert (said(), made.gate.breaker.state) == ("", BreakerState.HALF_OPEN)
    made.fill(made.order("buy", 1), price=100)
    assert said() == "max_consecutive_losses"
    made.hold(-1, price=101)
    assert (said(), made.gate.breaker.state) == ("", BreakerState.CLOSED)


@pytest.mark.parametrize(("price", "state"), [(100, "CLOSED"), (99.99, "OPEN")])
def test_a_round_trip_decides_of_what_late_answers_have_opened(price: float, state: str) -> None:
    made = rig(max_latency="1s", cooldown="10s")
    late = made.order("buy", 1, limit_price=90)
    made.wait("1.000000001s")
    made.answer("accept", late)
    assert made.gate.breaker.cause == "max_latency"
    made.wait("10s")
    trial = made.order("buy", 1)
    made.fill(trial, price=100)
    made.hold(-1, price=price)
    assert made.gate.breaker.state == BreakerState[state]


@pytest.mark.parametrize(
    ("news", "counted", "bad"),
    [
        (["accept", "fill", "fill", "cancel"], 1, 0),
        (["fill", "fill"], 1, 0),
        (["reject"], 1, 1),
        (["accept", "modified", "modify_rejected", "cancel_rejected"], 1, 0),
        (["cancel"], 0, 0),
        (["expire"], 0, 0),
    ],
)
def test_each_order_has_one_answer(news: list[str], counted: int, bad: int) -> None:
    made = rig(max_reject_rate=1, reject_rate_orders=10)
    order = made.order("buy", 10, limit_price=100)
    for what in news:
        if what == "fill":
            made.fill(order, 1)
        else:
            made.answer(what, order)
    assert (made.gate.breaker.rejects.count, made.gate.breaker.rejects.bad) == (counted, bad)


@pytest.mark.parametrize("first", ["accept", "hold", None])
def test_an_exit_that_is_taken_up_when_its_entry_fills_is_no_late_answer(first: str | None) -> None:
    made = rig(max_latency="1s", max_reject_rate=1, reject_rate_orders=10)
    entry = made.order("buy", 10, limit_price=100, take_profit=120, stop_loss=80)
    for order in (entry, *(entry.legs if first else ())):
        made.answer("accept" if order is entry else first, order)
    made.wait("1h")
    made.fill(entry)
    for leg in entry.legs if first != "accept" else ():
        made.answer("accept", leg)
    made.wait("1h")
    made.fill(entry.take_profit)
    assert (made.gate.breaker.state, made.gate.breaker.trips) == (BreakerState.CLOSED, [])
    assert made.gate.breaker.rejects.count == 3


def test_an_order_that_the_venue_holds_is_answered() -> None:
    made = rig(max_latency="1s")
    order = made.order("buy", 10, limit_price=100)
    made.answer("hold", order)
    made.wait("1h")
    made.fill(order)
    assert made.gate.breaker.trips == []
    late = made.order("buy", 10, limit_price=100)
    made.wait("1.000000001s")
    made.answer("hold", late)
    assert made.gate.breaker.cause == "max_latency"


@pytest.mark.parametrize(("answered", "counted"), [(True, 0), (False, 1)])
def test_what_was_answered_before_limits_were_set_is_not_answered_late(
    answered: bool, counted: int
) -> None:
    made = GateRig(RiskEngine(), prices=100)
    order = made.order("buy", 10, limit_price=100)
    if answered:
        made.answer("accept", order)
    limits = Limits(max_latency="1s", max_reject_rate=1, reject_rate_orders=10)
    made.gate.set_limits(limits, "Ann", "begin")
    made.wait("1h" if answered else "1s")
    made.fill(order)
    assert made.gate.breaker.trips == []
    assert made.gate.breaker.rejects.count == counted


def test_an_opening_of_before_a_restart_takes_nothing_back_after_it() -> None:
    first, second = (rig(max_consecutive_losses=0) for _ in range(2))
    first.hold(10, price=100)
    first.hold(-10, price=99)
    first.gate.reset_breaker("Ann", "looked into it")
    second.gate.restore(json.loads(json.dumps(first.gate.save())))
    entry = second.order("buy", 1, limit_price=90)
    second.answer("accept", entry)
    assert second.venue.withdrawn == []
    assert second.gate.changes == first.gate.changes
    # The next one is an opening of its own.
    second.hold(10, price=100)
    second.hold(-10, price=99)
    assert second.venue.withdrawn == [entry]
    assert [change.after for change in second.gate.changes] == ["OPEN", "CLOSED", "OPEN"]

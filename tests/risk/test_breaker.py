"""The circuit breaker: what trips it, what passes while it is open, how it recovers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pyrt.live.core.inputs import Inputs
from pyrt.risk import BreakerState, CircuitBreaker, Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def breaker(**limits: Any) -> CircuitBreaker:
    return CircuitBreaker(Limits(**limits))


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), cash=100_000, symbols=("AAA", "BBB"), prices=100)


# Limit, equity by point, and whether the last one trips.
EQUITY = [
    ({"max_daily_loss": 1_000}, [100_000, 99_000], False),
    ({"max_daily_loss": 1_000}, [100_000, 98_999.99], True),
    ({"max_daily_loss": 1_000}, [100_000, 105_000, 99_500], False),
    ({"max_daily_loss_fraction": 0.02}, [100_000, 98_000], False),
    ({"max_daily_loss_fraction": 0.02}, [100_000, 97_999.99], True),
    ({"max_drawdown": 0.1}, [100_000, 90_000], False),
    ({"max_drawdown": 0.1}, [100_000, 89_999.99], True),
    ({"max_drawdown": 0.1}, [100_000, 120_000, 108_000], False),
    ({"max_drawdown": 0.1}, [100_000, 120_000, 107_999.99], True),
    ({"max_drawdown": None}, [100_000, 1], False),
]


@pytest.mark.parametrize(("limits", "equity", "trips"), EQUITY)
def test_equity_trips_past_the_limit_only(
    limits: dict[str, Any], equity: list[float], trips: bool
) -> None:
    made = breaker(**limits)
    for second, value in enumerate(equity):
        made.note_equity(second * SECOND, value)
    assert made.state == (BreakerState.OPEN if trips else BreakerState.CLOSED)
    assert made.cause == (next(iter(limits)) if trips else "")


# Limit, equity after 50,000 were paid into 100,000, and whether it trips.
PAID_IN = [
    ({"max_daily_loss": 1_000}, 149_000, False),
    ({"max_daily_loss": 1_000}, 148_999.99, True),
    ({"max_daily_loss_fraction": 0.02}, 147_000, False),
    ({"max_daily_loss_fraction": 0.02}, 146_999.99, True),
    ({"halt_daily_loss": 1_000}, 149_000, False),
    ({"halt_daily_loss": 1_000}, 148_999.99, True),
    ({"max_drawdown": 0.1}, 135_000, False),
    ({"max_drawdown": 0.1}, 134_999.99, True),
]


@pytest.mark.parametrize(("limits", "equity", "trips"), PAID_IN)
def test_falls_are_measured_as_if_what_was_paid_in_had_always_been_there(
    limits: dict[str, Any], equity: float, trips: bool
) -> None:
    made = breaker(**limits)
    made.note_equity(0, 100_000)
    made.note_deposit(50_000)
    made.note_equity(SECOND, equity)
    struck = made.take_halt() is not None or made.state == BreakerState.OPEN
    assert struck == trips


def test_what_is_paid_out_is_no_loss() -> None:
    made = breaker(max_daily_loss=1_000, max_drawdown=0.1)
    made.note_equity(0, 100_000)
    made.note_deposit(-50_000)
    made.note_equity(SECOND, 49_000)
    assert made.state == BreakerState.CLOSED
    assert made.day_loss == 1_000
    assert made.drawdown == pytest.approx(0.02)


def test_a_day_begins_with_the_last_equity_of_the_one_before() -> None:
    made = breaker(max_daily_loss=1_000)
    made.note_equity(0, 100_000)
    made.note_equity(1, 99_100)
    made.note_equity(DAY, 98_200)
    assert made.state == BreakerState.CLOSED
    made.note_equity(DAY + 1, 98_099)
    assert made.state == BreakerState.OPEN


def test_a_daily_loss_ends_with_the_day_and_a_drawdown_does_not() -> None:
    for limits, after in (
        ({"max_daily_loss": 1_000}, BreakerState.CLOSED),
        ({"max_drawdown": 0.01}, BreakerState.OPEN),
    ):
        made = breaker(**limits)
        made.note_equity(0, 100_000)
        made.note_equity(1, 98_000)
        assert made.state == BreakerState.OPEN
        made.note_equity(DAY, 98_000)
        assert made.state == after


def test_losses_in_a_row_trip_and_a_gain_starts_the_count_anew() -> None:
    made = breaker(max_consecutive_losses=2)
    for pnl in (-1, -1, 1, -1, -1):
        made.note_trade(0, pnl)
    assert made.state == BreakerState.CLOSED
    made.note_trade(0, -1)
    assert made.state == BreakerState.OPEN
    assert made.reason.startswith("max_consecutive_losses: ")


def test_the_loss_rate_needs_a_full_window() -> None:
    made = breaker(max_loss_rate=0.5, loss_rate_trades=4)
    for pnl in (-1, -1, -1):
        made.note_trade(0, pnl)
    assert made.state == BreakerState.CLOSED
    made.note_trade(0, 1)
    assert made.state == BreakerState.OPEN


def test_the_loss_rate_looks_at_the_last_trades_only() -> None:
    made = breaker(max_loss_rate=0.5, loss_rate_trades=4)
    for pnl in (1, 1, -1, -1, 1, 1, -1, -1):
        made.note_trade(0, pnl)
    assert made.state == BreakerState.CLOSED
    assert (made.losses.bad, made.losses.count) == (2, 4)


def test_rejections_and_late_answers_trip() -> None:
    made = breaker(max_reject_rate=0.5, reject_rate_orders=2, max_latency="1s")
    made.note_answer(0, False, SECOND)
    made.note_answer(0, True)
    assert made.state == BreakerState.CLOSED
    made.note_answer(0, True)
    assert made.cause == "max_reject_rate"
    late = breaker(max_latency="1s")
    late.note_answer(0, False, SECOND + 1)
    assert late.cause == "max_latency"


def test_after_the_cool_down_one_entry_decides() -> None:
    made = breaker(max_consecutive_losses=0, cooldown="10s")
    made.note_trade(0, -1)
    assert not made.admits(10 * SECOND - 1)
    assert made.admits(10 * SECOND)
    assert made.state == BreakerState.HALF_OPEN
    made.note_trade(11 * SECOND, -1)
    assert made.state == BreakerState.OPEN
    assert made.admits(21 * SECOND)
    made.note_trade(22 * SECOND, 0)
    assert made.state == BreakerState.CLOSED
    assert len(made.trips) == 2


def test_without_a_cool_down_a_person_has_to_reset_it() -> None:
    made = rig(max_drawdown=0.01)
    made.hold(100)
    made.price(80.0)
    made.sample()
    made.wait("1d")
    assert code(made.order("buy", 1)) == "max_drawdown"
    made.gate.reset_breaker("Ann", "the data were wrong")
    assert code(made.order("buy", 1)) == ""
    assert made.gate.changes[-1].actor == "Ann"


def test_the_state_survives_a_restart_through_json() -> None:
    made = breaker(max_daily_loss=1_000, cooldown="1h", loss_rate_trades=3)
    made.note_equity(5, 100_000)
    for pnl in (-1, 1, -1, -1):
        made.note_trade(6, pnl)
    made.note_equity(7, 98_000)
    again = breaker(max_daily_loss=1_000, cooldown="1h", loss_rate_trades=3)
    again.restore(json.loads(json.dumps(made.save())))
    assert again.save() == made.save()
    assert (again.state, again.reason, again.day_loss) == (made.state, made.reason, 2_000.0)


# -- in the engine ---------------------------------------------------------------------------------


def test_an_open_breaker_lets_reductions_leave_and_takes_entries_back() -> None:
    made = rig(max_daily_loss=1_000)
    made.hold(100)
    entry = made.order("buy", 1, limit_price=80)
    exit_order = made.order("sell", 10, limit_price=120)
    made.price(89.0)
    made.sample()
    assert made.venue.withdrawn == [entry]
    denied = made.order("buy", 1)
    assert denied.reason == (
        "max_daily_loss: circuit breaker open, loss 1100.00 is over the limit of 1000.00"
    )
    assert code(made.order("sell", 90)) == ""
    assert made.cancel(exit_order)


def test_the_breaker_is_asked_at_the_very_order() -> None:
    made = rig(max_daily_loss=1_000)
    made.sample()
    made.hold(100)
    made.price(89.0)
    assert code(made.order("buy", 1)) == "max_daily_loss"


def test_on_trip_halted_denies_reductions_too() -> None:
    made = rig(max_daily_loss=1_000, on_trip="halted")
    made.hold(100)
    made.price(89.0)
    assert code(made.order("sell", 1)) == "max_daily_loss"


def test_round_trips_are_taken_from_the_books() -> None:
    made = rig(max_consecutive_losses=1)
    for price in (99, 99):
        made.hold(10, price=100)
        made.hold(-10, price=price)
    assert code(made.order("buy", 1)) == "max_consecutive_losses"
    (opened,) = [change for change in made.gate.changes if change.scope == "breaker"]
    assert (opened.before, opened.after, opened.actor) == ("CLOSED", "OPEN", "risk engine")
    assert opened.reason.startswith("max_consecutive_losses")


def test_a_gate_that_is_used_again_counts_the_trades_of_its_new_run() -> None:
    gate = RiskEngine(Limits(max_consecutive_losses=1))
    for _ in range(2):
        made = GateRig(gate, cash=100_000, symbols=("AAA",), prices=100)
        assert code(made.order("buy", 1)) == ""
        for price in (99, 99):
            made.hold(10, price=100)
            made.hold(-10, price=price)
        assert code(made.order("buy", 1)) == "max_consecutive_losses"
        assert len(made.gate.breaker.trips) == 1


def test_rejections_by_the_venue_are_counted() -> None:
    made = rig(max_reject_rate=0.5, reject_rate_orders=2)
    for _ in range(2):
        made.answer("reject", made.order("buy", 1))
    assert code(made.order("buy", 1)) == "max_reject_rate"


def test_half_open_lets_one_entry_leave() -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")
    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait("10s")
    trial = made.order("buy", 1)
    assert code(trial) == ""
    assert code(made.order("buy", 1)) == "max_consecutive_losses"
    made.fill(trial, price=100)
    made.hold(-1, price=101)
    assert code(made.order("buy", 1)) == ""


def test_an_exit_is_no_trial_of_a_half_open_breaker() -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")
    made.hold(10, "BBB", price=100)
    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait("10s")
    assert code(made.order("buy", 0.1)) == ""
    made.gate.reset_breaker("Ann", "once more")
    made.hold(10, price=100)
    made.hold(-10.1, price=99)
    made.wait("10s")
    assert code(made.order("sell", 5, "BBB")) == ""
    assert code(made.order("buy", 1)) == ""
    assert code(made.order("buy", 1)) == "max_consecutive_losses"


def test_money_that_is_paid_in_or_out_is_no_gain_and_no_loss() -> None:
    for amount in (-50_000, 50_000):
        made = rig(max_daily_loss=1_000, max_drawdown="0.02")
        made.sample()
        Inputs(made.kernel).cash(made.now, amount, "cash")
        made.sample()
        assert code(made.order("buy", 1)) == ""
        Inputs(made.kernel).cash(made.now, -1_000.01, "other")
        made.sample()
        assert code(made.order("buy", 1)) == "max_daily_loss"


def test_what_comes_while_it_is_open_neither_closes_nor_opens_it() -> None:
    made = breaker(max_consecutive_losses=0, max_reject_rate=0.5, reject_rate_orders=2)
    assert made.admits(0)
    made.note_trade(0, -1)
    for second in range(3):
        made.note_trade(second, 1)
        made.note_answer(second, True)
    assert (made.state, made.cause) == (BreakerState.OPEN, "max_consecutive_losses")
    assert len(made.trips) == 1
    assert repr(made) == f"CircuitBreaker(OPEN, {made.reason!r})"


def test_it_tells_how_near_each_fall_is_to_its_limit() -> None:
    made = breaker(max_daily_loss_fraction=0.02, max_drawdown=0.1)
    made.note_equity(0, 100_000)
    made.note_equity(1, 99_000)
    near = dict(made.nearness())
    assert near == {"max_daily_loss_fraction": 0.5, "max_drawdown": pytest.approx(0.1)}


@pytest.mark.parametrize("cause", ["max_latency", "max_consecutive_losses"])
def test_a_cool_down_from_something_else_forgives_no_loss_of_the_day(cause: str) -> None:
    made = breaker(max_daily_loss=1_000, max_latency="1s", max_consecutive_losses=0, cooldown="10s")
    made.note_equity(0, 100_000)
    made.note_equity(1, 99_100)
    if cause == "max_latency":
        made.note_answer(2, False, 2 * SECOND)
    else:
        made.note_trade(2, -1)
    assert made.cause == cause
    assert made.admits(11 * SECOND)
    made.note_trade(12 * SECOND, 1)
    assert made.state == BreakerState.CLOSED
    made.note_equity(13 * SECOND, 99_000)
    assert made.state == BreakerState.CLOSED
    made.note_equity(14 * SECOND, 98_999)
    assert made.cause == "max_daily_loss"


def test_the_second_tier_goes_by_the_day_whatever_the_first_has_gone_through() -> None:
    made = breaker(max_daily_loss=1_000, halt_daily_loss=2_000, cooldown="10s")
    made.note_equity(0, 100_000)
    made.note_equity(1, 98_900)
    assert made.admits(10 * SECOND + 1)
    # From here on the first tier has 1,000 of its own, and the second 900.
    made.note_equity(11 * SECOND, 98_000)
    assert (made.state, made.halt_reason) == (BreakerState.HALF_OPEN, None)
    made.note_equity(12 * SECOND, 97_999)
    assert made.halt_reason == "halt_daily_loss: loss 2001.00 is over the limit of 2000.00"
    near = dict(made.nearness())
    assert near["halt_daily_loss"] == pytest.approx(1.0005)
    assert near["max_daily_loss"] == pytest.approx(0.901)
    again = breaker(max_daily_loss=1_000, halt_daily_loss=2_000, cooldown="10s")
    again.restore(json.loads(json.dumps(made.save())))
    assert again.nearness() == made.nearness()


@pytest.mark.parametrize("end", ["reject", "cancel", "expire"])
def test_a_trial_that_ends_without_a_fill_leaves_room_for_another(end: str) -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")
    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait("10s")
    trial = made.order("buy", 1, limit_price=90)
    if end != "reject":
        made.answer("accept", trial)
    assert code(made.order("buy", 1)) == "max_consecutive_losses"
    made.answer(end, trial)
    another = made.order("buy", 1)
    assert code(another) == ""
    made.fill(another, price=100)
    assert code(made.order("buy", 1)) == "max_consecutive_losses"
    made.hold(-1, price=101)
    assert made.gate.breaker.state == BreakerState.CLOSED


def test_a_trial_that_filled_in_part_is_the_trial() -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")
    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait("10s")
    trial = made.order("buy", 2, limit_price=100)
    made.fill(trial, quantity=1, price=100)
    made.answer("cancel", trial)
    assert code(made.order("buy", 1)) == "max_consecutive_losses"


def test_rejections_and_late_answers_of_the_trial_open_it_again() -> None:
    for limits, answers in (
        ({"max_reject_rate": 0, "reject_rate_orders": 1}, (True, 0)),
        ({"max_latency": "1s"}, (False, 2 * SECOND)),
    ):
        made = breaker(cooldown="10s", **limits)
        made.note_answer(0, *answers)
        assert made.state == BreakerState.OPEN
        assert made.admits(10 * SECOND)
        made.note_answer(11 * SECOND, *answers)
        assert made.state == BreakerState.OPEN
        assert len(made.trips) == 2
        assert not made.admits(20 * SECOND)


def test_a_trial_survives_a_restart_by_its_name() -> None:
    made = rig(max_consecutive_losses=0, cooldown="10s")
    made.hold(10, price=100)
    made.hold(-10, price=99)
    made.wait("10s")
    trial = made.order("buy", 1, limit_price=90)
    saved = json.loads(json.dumps(made.gate.save()))
    assert saved["breaker"]["trial"] == trial.client_order_id
    again = rig(max_consecutive_losses=0, cooldown="10s")
    again.gate.restore(saved)
    again.wait("1d")
    assert code(again.order("buy", 1)) == "max_consecutive_losses"


def test_after_a_restart_the_oldest_outcome_goes_first() -> None:
    made = breaker(max_loss_rate=0.9, loss_rate_trades=3)
    for pnl in (1, -1, -1, 1, -1):
        made.note_trade(0, pnl)
    # The last three: a loss, a gain, a loss.
    assert made.losses.save() == [1, 0, 1]
    again = breaker(max_loss_rate=0.9, loss_rate_trades=3)
    again.restore(json.loads(json.dumps(made.save())))
    for one in (made, again):
        one.note_trade(1, 1)
        assert (one.losses.bad, one.losses.save()) == (1, [0, 1, 0])


def test_closed_by_hand_it_begins_to_count_anew() -> None:
    made = breaker(max_loss_rate=0.5, loss_rate_trades=2)
    for _ in range(2):
        made.note_trade(0, -1)
    assert made.state == BreakerState.OPEN
    made.close()
    made.note_trade(1, -1)
    assert made.state == BreakerState.CLOSED
    made.note_trade(1, -1)
    assert made.state == BreakerState.OPEN
    made = breaker(max_reject_rate=0.5, reject_rate_orders=2)
    for _ in range(2):
        made.note_answer(0, True, 0)
    assert made.state == BreakerState.OPEN
    made.close()
    made.note_answer(1, True, 0)
    assert made.state == BreakerState.CLOSED
    made.note_answer(1, True, 0)
    assert made.state == BreakerState.OPEN


def test_of_nothing_the_least_loss_is_past_any_share() -> None:
    made = breaker(max_daily_loss_fraction=1)
    made.note_equity(0, 0)
    made.note_equity(1, 0)
    assert made.state == BreakerState.CLOSED
    made.note_equity(2, "-0.000000000000000001")
    assert made.state == BreakerState.OPEN


# Limits of nothing at all, by the tier that they open.
NOTHING = ["max_daily_loss", "max_daily_loss_fraction", "max_drawdown"]
HALTS = ["halt_daily_loss", "halt_daily_loss_fraction"]
LEAST = Decimal("1e-18")


@pytest.mark.parametrize("limit", NOTHING + HALTS)
def test_a_limit_of_nothing_is_passed_by_the_smallest_loss_there_is(limit: str) -> None:
    made = breaker(**{limit: 0})
    # Numbered by days since 1970, the first of them is a day like any other.
    for second, equity in enumerate((1_000, 1_000, 1_000 + LEAST)):
        made.note_equity(second * SECOND, equity)
        assert made.state == BreakerState.CLOSED
        assert made.take_halt() is None
    made.note_equity(4 * SECOND, 1_000 if limit == "max_drawdown" else 1_000 - LEAST)
    assert (made.state == BreakerState.OPEN) == (limit in NOTHING)
    assert (made.take_halt() is not None) == (limit in HALTS)


def test_a_trade_that_came_to_nothing_is_no_loss_and_the_smallest_one_is() -> None:
    made = breaker(max_consecutive_losses=0)
    made.note_trade(0, 0)
    made.note_trade(0, LEAST)
    assert made.state == BreakerState.CLOSED
    made.note_trade(0, -LEAST)
    assert made.cause == "max_consecutive_losses"
    made = breaker(max_consecutive_losses=1)
    for pnl in (-LEAST, 0, -LEAST):
        made.note_trade(0, pnl)
    assert made.state == BreakerState.CLOSED
    made = breaker(max_loss_rate="0.5", loss_rate_trades=2)
    for pnl in (-LEAST, 0):
        made.note_trade(0, pnl)
    assert made.state == BreakerState.CLOSED


def test_without_a_pause_the_trial_begins_at_once() -> None:
    made = breaker(max_consecutive_losses=0, cooldown=0)
    made.note_trade(5, -1)
    assert made.state == BreakerState.OPEN
    assert made.admits(5)
    assert made.state == BreakerState.HALF_OPEN

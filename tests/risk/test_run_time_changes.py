"""What changes while a gate runs: counting that begins again, ramps, days, another run."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.account_rules import account_rules
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

WHO = ("Ann", "a test")
DAY = 19_723
"""Of the rig's first day, since 1970."""


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), symbols=("AAA", "BBB"), prices=100)


# -- counting --------------------------------------------------------------------------------------


def test_an_exit_that_ended_while_nothing_was_restricted_stands_in_no_way() -> None:
    made = rig()
    made.hold(10)
    made.gate.set_state("reducing", *WHO)
    exit = made.order("sell", 10, limit_price=120)
    made.answer("accept", exit)
    made.gate.set_state("active", *WHO)
    made.answer("cancel", exit)
    made.gate.set_state("reducing", *WHO)
    assert made.gate.claims.worst_case(0) == (10 * 10**9, 0, 0)
    assert code(made.order("sell", 10)) == ""


def test_an_entry_that_filled_under_no_limits_is_counted_once() -> None:
    made = rig(max_position_quantity=20)
    entry = made.order("buy", 10, limit_price=100)
    made.gate.set_limits(Limits(), *WHO)
    made.fill(entry)
    made.gate.set_limits(Limits(max_position_quantity=20), *WHO)
    assert made.gate.claims.worst_case(0) == (10 * 10**9, 0, 0)
    assert code(made.order("buy", 11)) == "max_position_quantity"
    assert code(made.order("buy", 10)) == ""


def test_of_several_changes_that_nobody_answered_each_is_waited_for() -> None:
    made = rig(max_position_notional=600)
    order = made.order("buy", 10, limit_price=50)
    made.answer("accept", order)
    made.gate.expect_change(order, 2, "", "60", "")
    for count in range(2):
        # At 60 all is taken; at 52 there is room for 80 more.
        assert code(made.order("buy", 1, limit_price=50)) == "max_position_notional", count
        made.answer("modified", order, limit_price=52)
    assert code(made.order("buy", 1, limit_price=50)) == ""


def test_counting_begins_and_ends_with_what_asks_for_it() -> None:
    made = rig()
    order = made.order("buy", 10, limit_price=90)
    made.answer("accept", order)
    for _ in range(2):
        made.gate.set_limits(Limits(max_open_orders=5), *WHO)
        assert (len(made.gate.claims), made.gate.claims.worst_case(0)[1]) == (1, 10 * 10**9)
        made.gate.set_limits(Limits(), *WHO)
        made.gate.resync()
        assert (len(made.gate.claims), made.gate.claims.worst_case(0)[1]) == (0, 0)
        assert made.gate.claims.totals() == (0.0, 0.0, 0.0)
    made.modify(order, quantity=20)
    made.answer("modified", order, 20)
    made.gate.set_halted("BBB", True)
    assert made.gate.claims.worst_case(0)[1] == 20 * 10**9
    made.gate.set_halted("BBB", False)
    assert len(made.gate.claims) == 0


@pytest.mark.parametrize("first", [None, 1e-9])
def test_an_order_by_notional_that_is_adopted_before_there_is_a_price_counts_once_there_is(
    first: float | None,
) -> None:
    """After a restart it counted for nothing; at a wrong price of next to nothing none could."""
    made = GateRig(RiskEngine(), prices=first)
    made.answer("accept", made.order("buy", notional="123.45"))
    made.gate.set_limits(Limits(max_position_quantity=60), *WHO)
    if first is not None:
        assert code(made.order("buy", 1)) == "overflow"
    made.price(100)
    assert code(made.order("buy", "58.7656")) == "max_position_quantity"
    assert made.gate.claims.worst_case(0)[1] == 1_234_500_000
    assert code(made.order("buy", "58.7655")) == ""


def test_before_a_run_there_is_no_time() -> None:
    gate = RiskEngine()
    gate.reset_breaker(*WHO)
    assert [(change.ts_event, change.before) for change in gate.changes] == [(0, "CLOSED")]


# -- what is told of a symbol ----------------------------------------------------------------------


def test_a_limit_state_of_before_bars_entries_once_limits_ask_for_it() -> None:
    made = rig(max_order_quantity=100, deny_limit_state=False)
    made.gate.set_status("AAA", "limit_state")
    assert made.gate.limited_symbols == ["AAA"]
    assert code(made.order("buy", 1)) == ""
    made.gate.set_limits(Limits(max_order_quantity=100), *WHO)
    assert code(made.order("buy", 1)) == "limit_state"
    made.gate.set_limits(Limits(max_order_quantity=100, deny_limit_state=False), *WHO)
    assert code(made.order("buy", 1)) == ""


@pytest.mark.parametrize("jump", [0, 100])
def test_a_price_that_moved_while_nobody_followed_it_is_no_jump(jump: float) -> None:
    made = rig(stale_data_after="1d")
    made.price(100)
    made.gate.set_limits(Limits(max_order_quantity=10), *WHO)
    made.price(150)
    made.gate.set_limits(Limits(max_tick_jump_bps=jump), *WHO)
    made.price(150)
    assert code(made.order("buy", 1)) == ""


def test_the_first_price_that_is_followed_is_no_jump() -> None:
    made = rig(max_order_quantity=10)
    made.gate.set_limits(Limits(max_tick_jump_bps=100), *WHO)
    made.price(150)
    assert code(made.order("buy", 1)) == ""
    made.price(160)
    assert code(made.order("buy", 1)) == "bad_tick"


# -- ramps -----------------------------------------------------------------------------------------


def share_by_day(made: GateRig, days: int) -> list[float]:
    found = []
    for _ in range(days):
        made.wait("1d")
        made.order("buy", 1)
        found.append(round(float(made.gate.ramp_share), 9))
    return found


def test_a_ramp_that_was_set_back_goes_on_from_there_day_by_day() -> None:
    made = rig(max_order_quantity=100, ramp_start="0.2", ramp_days=8)
    made.order("buy", 1)
    assert share_by_day(made, 8) == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    made.gate.set_ramp("0.6", *WHO)
    assert share_by_day(made, 5) == [0.7, 0.8, 0.9, 1.0, 1.0]


@pytest.mark.parametrize(
    "ramp", [{}, {"ramp_start": 1}, {"ramp_start": 1, "ramp_days": 2}, {"ramp_days": 2}], ids=str
)
def test_a_share_that_was_set_stays_where_no_ramp_rises(ramp: dict[str, int]) -> None:
    made = rig(max_order_quantity=100, **ramp)
    made.order("buy", 1)
    made.gate.set_ramp("0.5", *WHO)
    assert share_by_day(made, 4) == [0.5] * 4
    assert code(made.order("buy", 51)) == "max_order_quantity"


@pytest.mark.parametrize(
    ("limits", "below", "near"),
    [
        # Half of each limit applies; of that half 0.8 is near.
        ({"max_gross_exposure": 2_000}, 7.9, 8),
        ({"max_net_exposure": 2_000}, 7.9, 8),
        ({"max_leverage": "0.002"}, 7.9, 8),
    ],
)
def test_a_limit_is_near_as_the_ramp_has_it(
    limits: dict[str, Any], below: float, near: float
) -> None:
    told = []
    for quantity in (below, near):
        made = rig(**limits, ramp_start="0.5", warn_at="0.8")
        assert code(made.order("buy", quantity)) == ""
        told.append([(change.scope, change.reason) for change in made.gate.changes])
    name = next(iter(limits))
    assert told == [[], [(f"warning {name}", f"80% of {name} is used up")]]


@pytest.mark.parametrize(
    "name", ["max_gross_exposure", "max_net_exposure", "max_leverage", "max_open_orders"]
)
def test_what_passes_a_limit_of_nothing_is_near_to_none(name: str) -> None:
    made = rig(**{name: 0}, warn_at="0.5")
    made.gate.allow_once(name, *WHO)
    assert code(made.order("buy", 1)) == ""
    assert [change.scope for change in made.gate.changes] == [f"override {name}"] * 2


@pytest.mark.parametrize(
    ("name", "least"),
    [("max_gross_exposure", "1e-18"), ("max_net_exposure", "1e-18"), ("max_leverage", "1e-9")],
)
def test_what_passes_the_least_limit_is_near_to_it(name: str, least: str) -> None:
    made = rig(**{name: least}, warn_at="0.5")
    made.gate.allow_once(name, *WHO)
    assert code(made.order("buy", 1)) == ""
    assert [change.scope for change in made.gate.changes[2:]] == [f"warning {name}"]


def test_of_an_account_without_equity_no_leverage_is_near() -> None:
    made = GateRig(
        RiskEngine(Limits(max_leverage=1, warn_at="0.5")), cash=0, prices=100, account="margin"
    )
    made.gate.allow_once("max_leverage", *WHO)
    assert code(made.order("buy", 1)) == ""
    assert [change.after for change in made.gate.changes] == [
        str(made.now + 60 * 10**9), "let pass"
    ]  # fmt: skip


def test_what_older_versions_did_not_save_is_as_if_nothing_had_been() -> None:
    first, second = rig(max_order_age="60s"), rig(max_order_age="60s")
    saved = first.gate.save()
    for name in ("flattening", "sizes", "warned", "aged", "portfolio"):
        del saved[name]
    second.hold(10)
    second.gate.restore(saved)
    second.price(100)
    assert len(second.venue.submitted) == 1
    assert second.gate.save() == first.gate.save() | {"stops": []}


def test_volatility_opens_the_breaker_past_the_ninth_place() -> None:
    made = rig(trip_volatility="0.123456789")
    made.hold(1)
    for volatility, opened in ((0.1234567894, 0), (0.1234567896, 1), (0.2, 1)):
        made.gate.judge_volatility(made.now, volatility)
        assert len(made.gate.breaker.trips) == opened
    assert code(made.order("buy", 1)) == "trip_volatility"


@pytest.mark.parametrize(("side", "name"), [(1, "buy"), (-1, "sell")])
def test_who_trades_one_way_over_and_over_is_told_which(side: int, name: str) -> None:
    made = rig(max_repeated_executions=1)
    for _ in range(2):
        made.hold(side)
    assert made.gate.changes[-1].reason == (
        f"max_repeated_executions: more than 1 {name} orders of AAA filled in a row"
    )


# -- another run -----------------------------------------------------------------------------------


def test_a_day_that_another_run_began_is_begun_again() -> None:
    gate = RiskEngine(Limits(max_order_quantity=100, ramp_start="0.5", ramp_days=2))
    for _ in range(2):
        made = GateRig(gate, prices=100)
        made.order("buy", 1)
        assert (gate.ramp_from, gate.save()["traffic"]["day"]) == (DAY, DAY)


def test_a_reset_lets_go_of_the_account_and_the_sessions() -> None:
    made = GateRig(RiskEngine(), account=account_rules("margin").replace(on_call="block"))
    gate, kernel = made.gate, made.kernel
    assert gate.watches_orders
    gate.attach(
        account=kernel.account, cache=kernel.cache, clock=kernel.clock, desk=kernel.desk,
        records=kernel.records, strategies=kernel.strategies,
        sessions=lambda instrument: ([0], [10**9]),
    )  # fmt: skip
    assert gate.session_closes() == [10**9]
    gate.reset()
    assert (gate.watches_orders, gate.session_closes()) == (False, None)

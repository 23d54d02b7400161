"""What a gate goes on from after a restart, and what is only asked changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyrt.errors import ConfigError
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(strategies: int = 2, **limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), prices=100, strategies=strategies, account="margin"
    )


def saved(made: GateRig) -> Any:
    return json.loads(json.dumps(made.gate.save()))


# -- ramps -----------------------------------------------------------------------------------------

RAMP = {"max_order_quantity": 100, "ramp_start": 0.1, "ramp_days": 9}


@pytest.mark.parametrize("before", [{"max_order_quantity": 100}, RAMP | {"max_order_quantity": 99}])
def test_limits_of_another_version_begin_their_ramp_anew(before: dict[str, Any]) -> None:
    first = rig(**before)
    first.order("buy", 1)
    for _ in range(30):
        first.wait("1d")
        first.order("buy", 1)
    second = rig(**RAMP)
    second.wait("30d")
    second.gate.restore(saved(first))
    assert float(second.gate.ramp_share) == 0.1
    assert code(second.order("buy", 11)) == "max_order_quantity"
    assert code(second.order("buy", 10)) == ""
    shares = []
    for _ in range(3):
        second.wait("1d")
        second.order("buy", 1)
        shares.append(float(second.gate.ramp_share))
    assert shares == sorted(set(shares))
    assert shares[0] in (0.1, 0.2)
    assert shares[-1] <= 0.4


def test_limits_of_the_same_version_go_on_with_their_ramp() -> None:
    first = rig(**RAMP)
    first.order("buy", 1)
    first.wait("3d")
    first.order("buy", 1)
    second = rig(**RAMP)
    second.wait("3d")
    second.gate.restore(saved(first))
    assert float(second.gate.ramp_share) == 0.4


# -- protective stops ------------------------------------------------------------------------------


def test_best_prices_follow_the_names_of_strategies() -> None:
    first = rig(max_position_drawdown="0.1")
    first.hold(10, strategy=1)
    first.price(120)
    state = saved(first)
    assert state["stops"] == [["AAA", "B", 1, 120 * 10**9]]
    # Another strategy was put before it: A is now what B was.
    state["stops"][0][1] = "A"
    second = rig(max_position_drawdown="0.1")
    second.hold(10, strategy=0)
    second.gate.restore(state)
    second.price(107.99)
    assert second.venue.submitted[-1].quantity == 10
    third = rig(max_position_drawdown="0.1")
    third.hold(10)
    gone = [["AAA", "gone", 1, 120 * 10**9], ["ZZZ", "A", 1, 120 * 10**9], ["ZZZ", 0, 1, 1]]
    third.gate.restore(state | {"stops": gone, "day_units": {"ZZZ": 5}})
    third.price(107.99)
    assert len(third.venue.submitted) == 1


def test_stops_hold_for_positions_that_make_each_other_up() -> None:
    made = rig(max_position_loss=50)
    made.hold(10)
    made.hold(-10, strategy=1)
    made.price(94)
    exit = made.venue.submitted[-1]
    assert (exit.strategy.name, exit.side.name, exit.quantity) == ("A", "SELL", 10)


# -- orders by notional ----------------------------------------------------------------------------


def test_an_order_by_notional_counts_when_it_is_taken_over() -> None:
    # A margin account counts from the beginning: it may be called.
    made = GateRig(RiskEngine(), prices=100)
    made.order("buy", notional=1_000)
    assert len(made.gate.claims) == 0
    made.gate.set_limits(Limits(max_position_quantity=10, max_gross_exposure=1_000), "Ann", "now")
    assert (len(made.gate.claims), made.gate.claims.worst_case(0)) == (1, (0, 10 * 10**9, 0))
    assert code(made.order("buy", 0.1)) == "max_position_quantity"


@pytest.mark.parametrize(("sent", "state"), [(1, "ACTIVE"), (2, "HALTED")])
def test_duplicates_of_before_a_restart_count_on_that_day(sent: int, state: str) -> None:
    limits = {"duplicate_window": "1s", "max_duplicates": 1}
    first, second = rig(**limits), rig(**limits)
    for _ in range(2):
        first.order("buy", 1)
    second.order("buy", 2)
    second.gate.restore(saved(first))
    assert second.gate.duplicates == {"A": 1}
    for _ in range(sent):
        second.order("buy", 1)
    assert second.gate.state(strategy="A").name == state


@pytest.mark.parametrize(
    ("symbol", "strategy", "held"),
    [("AAA", "B", 10), ("AAA", 1, 10), ("AAA", 0, None), ("AAA", "A", None),
     ("AAA", 2, None), ("AAA", -1, None), ("AAA", "Z", None), ("ZZZ", "B", None)],
)  # fmt: skip
def test_a_stop_goes_on_where_its_strategy_and_symbol_are_in_the_run(
    symbol: str, strategy: Any, held: float | None
) -> None:
    limits = {"max_position_drawdown": "0.1"}
    first, second = rig(**limits), rig(**limits)
    second.hold(10, strategy=1)
    state = saved(first) | {"stops": [[symbol, strategy, 1, 120 * 10**9]]}
    second.gate.restore(state)
    # From 120 down to 107 is more than a tenth of it; from 100 it is none at all.
    second.price(107)
    assert len(second.venue.submitted) == (2 if held else 1)


# -- what is only asked ----------------------------------------------------------------------------


def test_asking_does_not_move_an_open_breaker_on() -> None:
    made = rig(max_drawdown="0.1", cooldown="60s", max_order_quantity=20_000)
    made.hold(5_000)
    made.price(50)
    made.sample()
    assert code(made.order("buy", 1)) == "max_drawdown"
    strategy = made.kernel.strategies[0]
    ask = {"symbol": "AAA", "side": "buy", "quantity": 1}
    assert strategy.validate(ask).code == "max_drawdown"
    made.wait("60s")
    before = saved(made)
    assert strategy.validate(ask).code == ""
    assert saved(made) == before
    assert before["breaker"]["state"] == 1
    assert code(made.order("buy", 1)) == ""
    # The one entry is on its way.
    assert strategy.validate(ask).code == "max_drawdown"


@pytest.mark.parametrize(
    "control", ["fat_finger", "self_match", "max_order_notionl", "trading_state", 5, "approved"]
)
def test_only_numeric_controls_can_be_passed_once(control: Any) -> None:
    made = rig(max_order_notional=500)
    with pytest.raises(ConfigError, match="is no control that one order may pass"):
        made.gate.allow_once(control, "Ann", "now and then")
    assert made.gate.changes == []
    made.gate.allow_once("max_order_notional", "Ann", "now and then")
    assert code(made.order("buy", 6)) == ""


# -- states ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "barred", "free"),
    [
        ({}, [{}, {"strategy": 1}, {"symbol": "BBB"}], []),
        ({"strategy": "A"}, [{}, {"symbol": "BBB"}], [{"strategy": 1}]),
        ({"symbol": "AAA"}, [{}, {"strategy": 1}], [{"symbol": "BBB"}]),
    ],
)
def test_a_halt_holds_after_a_restart_for_whom_it_was_set(
    scope: dict[str, str], barred: list[dict[str, Any]], free: list[dict[str, Any]]
) -> None:
    first, second = (
        GateRig(RiskEngine(), symbols=("AAA", "BBB"), prices=100, strategies=2) for _ in range(2)
    )
    first.gate.set_state("halted", "Ann", "a test", **scope)
    second.gate.restore(saved(first))
    assert second.gate.changes == first.gate.changes
    assert [code(second.order("buy", 1, **terms)) for terms in barred] == (
        ["trading_state"] * len(barred)
    )
    assert [code(second.order("buy", 1, **terms)) for terms in free] == [""] * len(free)


# -- what was told ---------------------------------------------------------------------------------


def test_of_an_old_order_it_is_not_told_again_after_a_restart() -> None:
    first, second = rig(max_order_age="60s"), rig(max_order_age="60s")
    first.order("buy", 1, limit_price=90)
    first.wait("61s")
    first.price(100)
    assert [change.after for change in first.gate.changes] == ["old"]
    state = saved(first)
    second.order("buy", 1, limit_price=90)
    second.gate.restore(state)
    second.wait("2m")
    second.price(100)
    assert [change.after for change in second.gate.changes] == ["old"]
    # What older versions have saved tells it once more.
    third = rig(max_order_age="60s")
    third.order("buy", 1, limit_price=90)
    third.gate.restore(state | {"aged": [1]})
    third.wait("2m")
    third.price(100)
    third.wait("2m")
    third.price(100)
    assert third.gate.save()["aged"] == state["aged"]
    assert [change.after for change in third.gate.changes] == ["old", "old"]


def test_what_is_saved_of_old_orders_goes_with_them() -> None:
    made = rig(max_order_age="60s")
    working = made.order("buy", 1, limit_price=60)
    for price in range(61, 90):
        made.answer("cancel", working)
        working = made.order("buy", 1, limit_price=price)
        made.answer("accept", working)
        made.wait("2m")
        made.price(100)
    state = saved(made)
    assert state["aged"] == [working.client_order_id]
    assert [c["scope"] for c in state["states"]["changes"]] == [f"order {working.client_order_id}"]
    # A report tells of all there were.
    assert len(made.gate.changes) == 29


def test_what_older_versions_saved_of_orders_that_ended_is_dropped() -> None:
    made, second = rig(max_order_age="60s"), rig(max_order_age="60s")
    made.order("buy", 1, limit_price=90)
    made.gate.set_state("reducing", "Ann", "a hunch")
    made.wait("2m")
    made.price(100)
    second.gate.restore(saved(made))
    second.price(100)
    state = saved(second)
    assert state["aged"] == []
    assert [change["scope"] for change in state["states"]["changes"]] == ["all"]


def test_a_warning_of_before_a_restart_is_told_again_on_the_next_day_only() -> None:
    limits = {"max_gross_exposure": 10_000, "warn_at": 0.7}
    first, second = rig(**limits), rig(**limits)
    first.order("buy", 75)
    second.gate.restore(saved(first))
    second.order("buy", 75)
    assert [change.scope for change in second.gate.changes] == ["warning max_gross_exposure"]
    second.wait("1d")
    second.order("buy", 1)
    assert [change.scope for change in second.gate.changes] == ["warning max_gross_exposure"] * 2


def test_a_state_of_before_a_restart_counts_what_works_already() -> None:
    first, second = (GateRig(RiskEngine(), prices=100) for _ in range(2))
    first.gate.set_state("reducing", "Ann", "a test")
    second.hold(10)
    second.order("sell", 10, limit_price=120)
    second.gate.restore(saved(first))
    assert second.gate.claims.worst_case(0) == (10 * 10**9, 0, 10 * 10**9)
    assert code(second.order("sell", 1)) == "trading_state"

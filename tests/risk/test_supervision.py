"""Margin calls, halts, overrides, duplicates, protected market orders, session days, restarts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt.core.account_rules import account_rules
from pyrt.core.instruments import Instrument, equity
from pyrt.errors import ConfigError
from pyrt.risk import Limits, RiskEngine, gate_for
from pyrt.risk.sessions import DayClock
from pyrt.testing.gates import GateRig
from tests.backtest.depths import SYMBOL, play, quotes, stamp

HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def rig(
    price: float | None = 100, *, account: Any = None, cash: Any = 100_000, **limits: Any
) -> Any:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=cash, prices=price, symbols=("AAA", "BBB"),
        account=account, strategies=2,
    )  # fmt: skip


def code(order: Any) -> str:
    return str(order.reason).partition(":")[0]


# -- margin calls ----------------------------------------------------------------------------------


def called(on_call: str) -> Any:
    """Return a rig whose equity fell below maintenance: long 2,000 at 100, now at 66."""
    made = rig(account=account_rules("margin").replace(on_call=on_call))
    made.hold(1500)
    made.hold(500, "BBB")
    made.price(66)
    made.price(66, "BBB")
    made.sample()
    return made


def test_a_call_denies_entries_until_it_is_met() -> None:
    made = called("block")
    assert made.kernel.account.margin_call == 1000
    assert code(made.order("buy", 1)) == "margin_call"
    assert code(made.order("sell", 500, "BBB")) == ""
    made.price(67)
    made.price(67, "BBB")
    made.sample()
    assert code(made.order("buy", 1)) == ""
    assert [c.scope for c in made.gate.changes] == ["margin"]


def test_a_call_is_announced_once_and_ignored_if_so_agreed() -> None:
    made = called("block")
    made.sample()
    assert len(made.gate.changes) == 1
    made = called("none")
    assert code(made.order("buy", 1)) == ""
    assert made.gate.changes == []


def test_liquidation_leaves_the_largest_position_first_and_only_what_is_needed() -> None:
    made = called("liquidate")
    (exit,) = [o for o in made.venue.submitted if o.side.name == "SELL"]
    assert (exit.symbol, exit.quantity, exit.limit_price) == ("AAA", 1500, None)
    made.sample()
    assert len(made.venue.submitted) == 3
    made.fill(exit)
    made.sample()
    # 33,000 of BBB need 8,250; equity is 32,000: no more has to go.
    assert len(made.venue.submitted) == 3
    assert made.kernel.account.margin_call == 0
    assert code(made.order("buy", 1)) == ""


def test_what_a_days_end_asked_for_stays_asked_for() -> None:
    made = rig(account="margin:4")
    made.hold(3000)
    made.kernel.account.close_day()
    made.sample()
    assert made.kernel.account.margin_call == 50_000
    assert code(made.order("buy", 1)) == "margin_call"
    made.fill(made.order("sell", 999))
    made.sample()
    assert code(made.order("buy", 1)) == "margin_call"
    made.fill(made.order("sell", 1))
    made.sample()
    assert code(made.order("buy", 1)) == ""


# -- halts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "statuses"), [({}, ["ACCEPTED"]), ({"max_order_quantity": 10}, ["DENIED"])]
)
def test_a_halt_that_the_venue_tells_bars_entries_where_there_are_limits(
    limits: dict[str, Any], statuses: list[str]
) -> None:
    """Without any, what is sent waits at the venue for the end of the halt."""
    halts = pd.DataFrame(
        [(SYMBOL, stamp(1), stamp(4), "news")], columns=["symbol", "start", "end", "reason"]
    )
    run = play(
        {"quotes": quotes((0, 99, 5, 100, 5), (3, 99, 5, 100, 5))},
        {2.0: lambda s: s.buy(SYMBOL, 3, limit_price=98)},
        halts=halts, engine={"gate": gate_for(Limits(**limits))},
    )  # fmt: skip
    assert run.statuses == statuses


def test_nothing_raises_exposure_in_a_halted_symbol() -> None:
    made = rig()
    made.hold(10)
    made.gate.set_halted("AAA", True)
    assert code(made.order("buy", 1)) == "halted"
    assert code(made.order("buy", 1, "BBB")) == ""
    assert code(made.order("sell", 5)) == ""
    made.gate.set_halted("AAA", False)
    assert code(made.order("buy", 1)) == ""
    made.gate.set_halted("AAA", False)


def test_after_a_halt_a_fresh_price_is_needed() -> None:
    made = rig(stale_data_after="1h")
    made.gate.set_halted("AAA", True)
    made.gate.set_halted("AAA", False)
    assert code(made.order("buy", 1)) == "stale_data"
    made.price(101)
    assert code(made.order("buy", 1)) == ""


# -- overrides -------------------------------------------------------------------------------------


def test_an_override_lets_one_order_past_one_control_in_time() -> None:
    made = rig(max_order_quantity=10, max_order_notional=2_000)
    made.gate.allow_once("max_order_quantity", "Ann", "rebalance", "60s")
    assert code(made.order("buy", 30)) == "max_order_notional"
    made.gate.allow_once("max_order_quantity", "Ann", "rebalance", "60s")
    assert code(made.order("buy", 20)) == ""
    assert code(made.order("buy", 20)) == "max_order_quantity"
    made.gate.allow_once("max_order_quantity", "Ann", "rebalance", "60s")
    made.wait("60s")
    assert code(made.order("buy", 20)) == "max_order_quantity"
    used = [c for c in made.gate.changes if c.after == "let pass"]
    assert [(c.scope, c.actor) for c in used] == [("override max_order_quantity", "Ann")] * 2


def test_an_override_needs_a_name_a_reason_and_a_control() -> None:
    made = rig(max_order_quantity=10)
    for control, actor, reason in (("max_size", "Ann", "x"), ("max_order_quantity", "", "x")):
        with pytest.raises(ConfigError):
            made.gate.allow_once(control, actor, reason)
    assert code(made.order("buy", 20)) == "max_order_quantity"


# -- duplicates ------------------------------------------------------------------------------------


def test_a_strategy_that_repeats_itself_is_halted() -> None:
    made = rig(duplicate_window="1s", max_duplicates=2)
    orders = [made.order("buy", 1) for _ in range(4)]
    assert [code(o) for o in orders] == ["", *["duplicate_order"] * 3]
    assert made.gate.state(strategy="A").name == "HALTED"
    assert code(made.order("buy", 2)) == "trading_state"
    assert code(made.order("buy", 2, strategy=1)) == ""
    assert made.gate.changes[-1].reason.startswith("max_duplicates: 3")


def test_duplicates_are_counted_by_the_day() -> None:
    made = rig(duplicate_window="1s", max_duplicates=2)
    for _ in range(2):
        for _ in range(3):
            made.order("buy", 1)
        made.wait("1d")
    assert made.gate.state(strategy="A").name == "ACTIVE"


# -- market orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "limit"), [("buy", 101.05), ("sell", 98.96)])
def test_a_market_order_leaves_as_a_limit_order_near_the_far_side(side: str, limit: float) -> None:
    made = GateRig(
        RiskEngine(Limits(market_protection_bps=100)), prices=100, symbols=[equity("AAA")]
    )
    made.quote(99.95, 100.05)
    order = made.order(side, 10)
    # 1 % beyond 100.05 is 101.0505, beyond 99.95 it is 98.9505: on the tick, not further.
    assert (order.limit_price, order.status) == (limit, "SENT")


def test_protection_by_nothing_is_the_far_side_itself() -> None:
    made = rig(market_protection_bps=0)
    made.quote(99.9, 100.1)
    assert (made.order("buy", 1).limit_price, made.order("sell", 1).limit_price) == (100.1, 99.9)


def test_protection_takes_the_last_price_without_a_quote_and_denies_without_any() -> None:
    made = rig(market_protection_bps=100)
    assert made.order("buy", 1).limit_price == 101
    bare = rig(None, market_protection_bps=100)
    assert code(bare.order("buy", 1)) == "market_protection_bps"
    assert bare.order("buy", 1, limit_price=5).status == "SENT"


def test_protected_orders_are_valued_at_their_limit_and_exits_stay_at_the_market() -> None:
    made = rig(market_protection_bps=100, max_order_notional=1_005)
    assert code(made.order("buy", 10)) == "max_order_notional"
    made.hold(9)
    order = made.order("sell", 9)
    assert (order.limit_price, order.status) == (None, "SENT")


def test_a_crossed_quote_is_no_quote() -> None:
    made = rig(max_slippage_bps=10)
    made.quote(101, 99)
    made.price(100)
    assert code(made.order("buy", 1)) == ""
    made.quote(99, 101)
    assert code(made.order("buy", 1)) == "max_slippage_bps"


# -- days ------------------------------------------------------------------------------------------


def test_days_end_with_sessions() -> None:
    closes = np.array([10 * DAY + 21 * HOUR, 11 * DAY + 21 * HOUR, 14 * DAY + 18 * HOUR])
    clock = DayClock(Limits(daily_reset="session"), lambda: closes)
    asked = [10 * DAY + 21 * HOUR - 1, 10 * DAY + 21 * HOUR, 11 * DAY + 20 * HOUR,
             11 * DAY + 21 * HOUR, 13 * DAY, 14 * DAY + 18 * HOUR - 1, 14 * DAY + 18 * HOUR,
             15 * DAY, 10 * DAY]  # fmt: skip
    assert [clock.day_at(ts) for ts in asked] == [10, 11, 11, 14, 14, 14, 14, 15, 10]


def test_without_sessions_days_end_at_midnight() -> None:
    clock = DayClock(Limits(daily_reset="session"))
    assert [clock.day_at(ts) for ts in (0, DAY - 1, DAY, 5 * DAY)] == [0, 0, 1, 5]
    clock = DayClock(Limits(daily_reset="13:30"))
    assert [clock.day_at(ts) for ts in (DAY, DAY + 27 * HOUR // 2)] == [0, 1]


# -- rates, restarts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "window"),
    [("max_orders_per_minute", 60), ("max_orders_per_second", 1), ("max_messages_per_minute", 60)],
)
def test_a_window_is_as_long_as_its_name_says(name: str, window: int) -> None:
    for wait, leaves in ((window * 1_000_000_000 - 1, False), (window * 1_000_000_000, True)):
        made = rig(**{name: 1})
        made.order("buy", 1)
        made.wait(wait)
        assert code(made.order("buy", 2)) == ("" if leaves else name)


def restarted(made: Any, **limits: Any) -> Any:
    saved = made.gate.save()
    fresh = rig(**limits)
    fresh.gate.restore(saved)
    return fresh


def test_day_sums_survive_a_restart_and_new_limits() -> None:
    limits = {"max_daily_notional": 5_000, "max_daily_quantity": 60}
    made = rig(**limits)
    made.order("buy", 30)
    again = restarted(made, **limits)
    assert code(again.order("buy", 21)) == "max_daily_notional"
    assert code(again.order("buy", 20)) == ""
    made = rig(**limits)
    made.order("buy", 30)
    made.gate.set_limits(Limits(max_daily_notional=4_000), "Ann", "less")
    assert code(made.order("buy", 11)) == "max_daily_notional"
    assert code(made.order("buy", 10)) == ""
    made = rig(max_daily_quantity=60)
    made.order("buy", 50)
    again = restarted(made, max_daily_quantity=60)
    assert code(again.order("buy", 11)) == "max_daily_quantity"
    assert code(again.order("buy", 11, "BBB")) == ""


def test_duplicates_and_the_best_price_survive_a_restart() -> None:
    limits = {"duplicate_window": "1s", "max_duplicates": 1, "max_position_drawdown": 0.1}
    made = rig(**limits)
    made.hold(10)
    made.price(120)
    made.order("buy", 1)
    made.order("buy", 1)
    saved = made.gate.save()
    assert saved["duplicates"] == {"A": 1}
    assert saved["stops"] == [["AAA", "A", 1, 120_000_000_000]]
    fresh = rig(**limits)
    fresh.hold(10)
    fresh.gate.restore(saved)
    # Down 11 from the best price of before: 12 are allowed; then 13.
    fresh.price(109)
    assert len(fresh.venue.submitted) == 1
    fresh.price(107)
    assert len(fresh.venue.submitted) == 2


def test_open_orders_count_once_a_permissive_gate_is_restricted() -> None:
    made = GateRig(RiskEngine(), prices=100)
    made.order("buy", 10, limit_price=90)
    made.gate.set_limits(Limits(max_position_quantity=15), "Ann", "begin")
    assert made.gate.claims.worst_case(0) == (0, 10_000_000_000, 0)
    assert code(made.order("buy", 6)) == "max_position_quantity"
    assert code(made.order("buy", 5)) == ""


def test_asking_what_would_be_said_uses_no_pardon_up() -> None:
    made = rig(max_order_quantity=10)
    made.gate.allow_once("max_order_quantity", "Ann", "rebalance", "60s")
    strategy = made.kernel.strategies[0]
    for _ in range(3):
        verdict = strategy.validate({"symbol": "AAA", "side": "buy", "quantity": 11})
        assert verdict.code == ""
    assert made.order("buy", 11).status == "SENT"
    assert made.order("buy", 11).status == "DENIED"


def test_asking_of_a_market_order_that_would_be_turned_writes_nothing() -> None:
    made = rig(market_protection_bps=100)
    sent = made.order("buy", 1)
    before = made.kernel.records.orders.count
    made.kernel.strategies[0].validate({"symbol": "AAA", "side": "buy", "quantity": 1})
    assert made.kernel.records.orders.count == before
    assert sent.order_type == "limit"


@pytest.mark.parametrize(("held", "side"), [(10, "sell"), (-10, "buy")])
def test_of_working_exits_none_is_taken_to_be_leaving(held: int, side: str) -> None:
    made = rig(max_open_orders=10)
    made.hold(held)
    made.answer("accept", made.order(side, 9, limit_price=100))
    made.gate.set_state("reducing", "Ann", "a test")
    assert code(made.order(side, 1, limit_price=100)) == ""
    # The least that there is, beyond what is held.
    denied = made.order(side, "0.000000001", limit_price=100)
    assert (denied.reason or "").startswith("trading_state: REDUCING")


def test_a_collar_of_nothing_lets_market_orders_pass() -> None:
    made = rig(price_collar_bps=0)
    assert made.order("buy", 1).status == "SENT"
    assert made.order("buy", 1, limit_price=100).status == "SENT"
    assert made.order("buy", 1, limit_price=100.01).status == "DENIED"


def test_what_no_rate_values_is_denied_by_limits_of_money() -> None:
    for limits, denied in (({"max_order_notional": 1e9}, True), ({"max_open_orders": 5}, False)):
        made = GateRig(
            RiskEngine(Limits(**limits)),
            symbols=(Instrument("SAP", currency="EUR"),),
            prices=100,
        )
        order = made.order("buy", 1)
        assert (order.status == "DENIED") is denied
        if denied:
            assert order.reason == "max_order_notional: there is no rate to value EUR at"
        made.kernel.account.set_rate("EUR", "1.1")
        assert made.order("buy", 1).status == "SENT"


@pytest.mark.parametrize("least", ["0.000000001", "1"])
def test_the_least_price_and_rate_value_an_order(least: str) -> None:
    made = GateRig(
        RiskEngine(Limits(max_order_notional=1)), symbols=(Instrument("SAP", currency="EUR"),)
    )
    made.kernel.account.set_rate("EUR", least)
    assert code(made.order("buy", 1, limit_price=least)) == ""


@pytest.mark.parametrize(("late", "opens"), [(0, False), (1, True)])
def test_an_answer_is_as_late_as_it_comes_after_its_order(late: int, opens: bool) -> None:
    made = rig(max_latency="1s")
    made.wait("1h")
    order = made.order("buy", 1)
    made.wait(1_000_000_000 + late)
    made.answer("accept", order)
    assert code(made.order("buy", 1)) == ("max_latency" if opens else "")


def test_a_price_that_jumped_bars_entries_and_no_reductions() -> None:
    made = rig(max_tick_jump_bps=100)
    made.hold(10)
    made.price(150)
    assert code(made.order("buy", 1)) == "bad_tick"
    assert made.order("sell", 10).status == "SENT"


def test_without_a_known_volume_a_lenient_gate_lets_pass() -> None:
    assert rig(max_adv_share="0.01").order("buy", 1_000).status == "SENT"


def test_an_order_says_when_it_expires() -> None:
    made = rig()
    until = made.now + DAY
    order = made.order("buy", 1, limit_price=90, time_in_force="gtd", expires_at=until)
    assert order.expires_at == until
    assert made.order("buy", 1).expires_at is None


def test_holdings_count_once_a_permissive_gate_is_restricted() -> None:
    made = GateRig(RiskEngine(), symbols=("AAA", "BBB"), prices=100)
    made.hold(10)
    made.gate.set_limits(Limits(max_open_positions=1), "Ann", "begin")
    assert code(made.order("buy", 1, "BBB")) == "max_open_positions"
    assert code(made.order("buy", 1)) == ""


# Holding 10 at 100 of an account of 100,000, every one of these is passed already.
PASSED: list[dict[str, Any]] = [
    {"max_order_quantity": 1}, {"max_order_notional": 1}, {"max_position_quantity": 1},
    {"max_position_notional": 1}, {"max_concentration": 0.001},
    {"max_sector_concentration": 0.001}, {"max_gross_exposure": 1}, {"max_net_exposure": 1},
    {"max_leverage": 0.001}, {"max_open_positions": 0}, {"max_open_orders": 0},
    {"max_daily_orders": 0}, {"max_daily_quantity": 0}, {"max_daily_notional": 0},
    {"allowed_symbols": ("BBB",)}, {"stale_data_after": "1s"}, {"fat_finger_multiple": 0.1},
    {"max_value_at_risk": 1}, {"max_expected_shortfall": 1}, {"max_volatility": 0.01},
    {"max_correlation": 0.01}, {"max_beta_exposure": 1, "market_symbol": "SPY"},
]  # fmt: skip


@pytest.mark.parametrize("limits", PASSED, ids=lambda limits: next(iter(limits)))
def test_what_reduces_leaves_past_every_limit_and_what_adds_does_not(
    limits: dict[str, Any],
) -> None:
    made = rig(fat_finger_multiple=1e9)
    made.hold(10)
    for _ in range(10):
        made.cancel(made.order("buy", 1, limit_price=1))
    made.wait("2s")
    made.gate.set_limits(Limits(**limits), "Ann", "less")
    made.gate.readings.take(
        made.now, value_at_risk=2, expected_shortfall=2, volatility=1, correlation=1,
        beta_exposure=2,
    )  # fmt: skip
    assert made.order("buy", 5).status == "DENIED"
    assert code(made.order("sell", 5)) == ""


def test_a_short_that_is_made_larger_has_to_be_affordable_as_a_whole() -> None:
    """Of 10,000 a margin account shorts 20,000 worth: 200 units at 100."""
    made = GateRig(
        RiskEngine(Limits(require_buying_power=True)), cash=10_000, prices=100, account="margin"
    )
    order = made.order("sell", 100, limit_price=100)
    made.answer("accept", order)
    assert not made.modify(order, quantity=200.000000001)
    assert made.modify(order, quantity=200)


def test_a_limit_state_bars_its_own_symbol_alone() -> None:
    made = rig(deny_limit_state=True)
    made.gate.set_status("AAA", "limit_state")
    made.gate.set_status("BBB", "halted")
    assert (made.gate.limited_symbols, made.gate.halted_symbols) == (["AAA"], ["BBB"])
    made.gate.set_status("BBB", "trading")
    assert (made.gate.limited_symbols, made.gate.halted_symbols) == (["AAA"], [])
    made.price(100.0, "BBB")
    assert code(made.order("buy", 1)) == "limit_state"
    assert code(made.order("buy", 1, "BBB")) == ""
    made.gate.set_status("AAA", "trading")
    assert code(made.order("buy", 1)) == ""


def test_two_entries_of_a_pair_on_both_sides_count_each_on_its_own() -> None:
    made = rig(max_position_quantity=10)
    terms = {"symbol": "AAA", "quantity": 10}
    pair = made.kernel.strategies[0].pair(
        {**terms, "side": "buy", "stop_price": 110}, {**terms, "side": "sell", "stop_price": 90}
    )
    made.settle()
    assert [code(order) for order in pair] == ["", ""]
    assert made.gate.claims.worst_case(0) == (0, 10_000_000_000, 10_000_000_000)
    made.answer("accept", pair[0])
    made.answer("cancel", pair[0])
    assert made.gate.claims.worst_case(0)[1] == 0


def test_what_would_be_said_of_an_order_that_does_not_fit_or_overflows() -> None:
    made = rig(max_open_orders=9)
    large = {"quantity": 9_000_000_000, "limit_price": 9_000_000_000}
    assert [code(made.order("buy", **large)) for _ in range(2)] == ["", "overflow"]
    strategy = made.kernel.strategies[0]
    for terms, name in (
        ({"quantity": 1, "reduce_only": True}, "reduce_only"),
        (large, "overflow"),
        ({"quantity": 1}, ""),
    ):
        verdict = strategy.validate({"symbol": "AAA", "side": "buy", **terms})
        assert verdict.code == name


def test_a_change_of_an_order_that_is_not_known_is_not_waited_for() -> None:
    made = rig(max_order_quantity=5)
    order = made.order("buy", 1, limit_price=99)
    made.answer("accept", order)
    made.answer("cancel", order)
    made.gate.expect_change(order, 1, 5, None, None)
    assert made.gate.claims.worst_case(0) == (0, 0, 0)


def test_the_count_of_duplicates_starts_anew_with_the_day() -> None:
    made = rig(duplicate_window="1s", max_duplicates=1)
    for _ in range(2):
        made.order("buy", 1)
    made.wait("1d")
    for _ in range(2):
        made.order("buy", 1)
    assert made.gate.save()["duplicates"] == {"A": 1}
    assert code(made.order("buy", 2)) == ""


def test_what_a_permissive_gate_is_told_of_a_symbol_leaves_its_orders_uncounted() -> None:
    made = GateRig(RiskEngine(), prices=100)
    order = made.order("buy", 10, limit_price=90)
    made.gate.set_status("AAA", "trading")
    made.answer("accept", order)
    made.answer("cancel", order)
    made.gate.set_limits(Limits(max_position_quantity=15), "Ann", "begin")
    assert len(made.gate.claims) == 0
    assert code(made.order("buy", 15)) == ""


def test_of_what_the_account_does_not_know_nothing_is_held() -> None:
    made = rig(max_gross_exposure=1_000)
    made.kernel.cache.add_instrument(Instrument("NEW"))
    made.gate.resync()
    last = len(made.kernel.cache.instruments) - 1
    assert made.gate.claims.worst_case(last) == (0, 0, 0)
    assert code(made.order("buy", 10)) == ""

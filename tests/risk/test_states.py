"""Trading states, the kill switch, strict gates, ramps, and who changed what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError, OrderError, UnknownName
from pyrt.risk import Limits, RiskEngine, TradingState, gate_for
from pyrt.risk.states import States
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

WHO = ("Ann", "a test")


def rig(limits: Limits | None = None, **options: Any) -> GateRig:
    return GateRig(RiskEngine(limits, **options), symbols=("AAA", "BBB"), prices=100, strategies=2)


def test_halted_lets_cancels_leave_and_nothing_else() -> None:
    made = rig()
    made.hold(10)
    order = made.order("sell", 5, limit_price=110)
    made.gate.resync()
    made.answer("accept", order)
    made.gate.set_state("halted", *WHO)
    assert code(made.order("buy", 1)) == "trading_state"
    assert code(made.order("sell", 1)) == "trading_state"
    assert not made.modify(order, limit_price=111)
    assert made.cancel(order)
    made.gate.set_state("active", *WHO)
    assert code(made.order("buy", 1)) == ""


def test_reducing_lets_leave_what_cannot_raise_exposure() -> None:
    made = rig()
    made.hold(10)
    made.gate.set_state("reducing", *WHO)
    assert code(made.order("buy", 1)) == "trading_state"
    assert code(made.order("sell", 11)) == "trading_state"
    assert code(made.order("sell", 6)) == ""
    assert code(made.order("sell", 5)) == "trading_state"
    assert code(made.order("sell", 4)) == ""


def test_what_was_approved_could_raise_exposure_once_all_beside_it_is_counted() -> None:
    made = rig()
    made.gate.set_limits(Limits(max_order_quantity=1_000), *WHO)
    made.hold(10)
    pair = made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    # Of two exits that cancel each other one fills.
    assert not made.gate.could_raise(pair)
    assert not made.gate.could_raise(pair.sibling)
    assert made.gate.could_raise(made.order("buy", 1, limit_price=90))
    more = made.order("sell", 1, limit_price=115)
    assert more.is_exit
    assert made.gate.could_raise(pair)
    assert made.gate.could_raise(more)
    made.answer("accept", more)
    made.cancel(more)
    # What may still fill until its cancel is through is no more than what is held.
    assert not made.gate.could_raise(pair)
    flat = made.order("sell", 1, "BBB", limit_price=120)
    assert made.gate.could_raise(flat)


@pytest.mark.parametrize(
    ("collar", "terms", "price", "is_far"),
    [
        (300, {"limit_price": 102}, 100, False),
        (300, {"limit_price": 103}, 99, True),
        (300, {"limit_price": 98}, 101, False),
        (300, {"limit_price": 98}, 102, True),
        (None, {"limit_price": 102}, 50, False),
        (300, {}, 50, False),
        # Its limit is by its trigger, wherever the market is.
        (300, {"limit_price": 102, "stop_price": 101}, 50, False),
    ],
)
def test_an_approved_order_is_far_once_the_market_has_left_its_limit(
    collar, terms, price, is_far
) -> None:
    made = rig(Limits(price_collar_bps=collar, max_order_quantity=100))
    order = made.order("buy", 1, **terms)
    assert (code(order), made.gate.price_doubt(order)) == ("", "")
    made.price(price)
    expected = "its limit price is far from the market by now (price_collar_bps)"
    assert made.gate.price_doubt(order) == (expected if is_far else "")


def test_an_approved_order_is_in_doubt_while_prices_contradict_each_other() -> None:
    made = rig(Limits(max_tick_jump_bps=500, price_collar_bps=300))
    made.price(10_000)
    made.price(10_000)
    made.price(10_000)
    order = made.order("buy", 1, limit_price=10_000)
    assert (code(order), made.gate.price_doubt(order)) == ("", "")
    doubts = []
    for _ in range(4):
        made.price(100)
        doubts.append(made.gate.price_doubt(order).rpartition(" ")[2])
    assert doubts == ["(max_tick_jump_bps)"] * 2 + ["(price_collar_bps)"] * 2


def test_a_way_out_is_never_too_far_and_without_controls_nothing_is() -> None:
    made = rig(Limits(price_collar_bps=300))
    made.hold(10)
    out = made.order("sell", 10, limit_price=98)
    free = rig()
    order = free.order("buy", 1, limit_price=100)
    for each in (made, free):
        each.price(150)
    assert made.gate.price_doubt(out) == free.gate.price_doubt(order) == ""


def test_without_controls_all_but_exits_could_raise_exposure() -> None:
    made = rig()
    made.hold(10)
    assert not made.gate.could_raise(made.order("sell", 10, limit_price=110))
    assert not made.gate.could_raise(made.order("sell", 10))
    assert made.gate.could_raise(made.order("sell", 1))


def test_the_least_order_of_who_holds_nothing_opens_while_reducing() -> None:
    least = "0.000000001"
    for units, other in ((10, "sell"), (-10, "buy")):
        made = rig()
        made.hold(units, strategy=0)
        made.gate.set_state("reducing", *WHO)
        # It would leave what the account holds, and open what its strategy does not.
        assert code(made.order(other, least, strategy=1)) == "trading_state"
        assert code(made.order(other, least, strategy=0)) == ""


def test_an_entry_is_not_brought_nearer_to_the_market_while_reducing() -> None:
    made = rig()
    entry = made.order("buy", 10, limit_price=90)
    made.answer("accept", entry)
    made.hold(5, "BBB")
    exit = made.order("sell", 5, "BBB", limit_price=110)
    made.answer("accept", exit)
    made.gate.set_state("reducing", *WHO)
    assert not made.modify(entry, limit_price=80)
    assert not made.modify(entry, limit_price=99)
    assert not made.modify(entry, quantity=5, limit_price=99)
    assert made.modify(exit, limit_price=100)
    assert made.cancel(entry)


def test_an_order_is_made_smaller_while_reducing() -> None:
    """A stop for ten stayed where six were held: it could turn the position as it stood."""
    made = rig()
    made.hold(10)
    stop = made.order("sell", 10, stop_price=90)
    made.answer("accept", stop)
    entry = made.order("buy", 10, limit_price=90)
    made.answer("accept", entry)
    made.hold(-4)
    made.gate.set_state("reducing", *WHO)
    assert made.modify(stop, quantity=6)
    assert made.modify(entry, quantity=5)


def test_reducing_lets_close_replace_the_exits_it_cancels() -> None:
    made = rig(Limits(max_order_quantity=100))
    made.hold(10)
    exit_order = made.order("sell", 10, limit_price=110)
    made.answer("accept", exit_order)
    made.gate.set_state("reducing", *WHO)
    order = made.close()
    assert order is not None
    assert exit_order in made.venue.withdrawn
    made.answer("cancel", exit_order)
    assert order.status == "SENT"
    assert code(made.order("sell", 1)) == "trading_state"


@pytest.mark.parametrize(
    ("scope", "other"),
    [({"strategy": "A"}, {"strategy": 1}), ({"symbol": "AAA"}, {"symbol": "BBB"})],
)
def test_a_state_can_be_that_of_one_strategy_or_symbol(
    scope: dict[str, str], other: dict[str, Any]
) -> None:
    made = rig()
    made.gate.set_state("halted", *WHO, **scope)
    assert code(made.order("buy", 1)) == "trading_state"
    assert code(made.order("buy", 1, **other)) == ""
    assert made.gate.state(**scope) == TradingState.HALTED
    rest = [{}, {"strategy": "A"}, {"strategy": "B"}, {"symbol": "AAA"}, {"symbol": "BBB"}]
    rest.remove(scope)
    assert [made.gate.state(**one) for one in rest] == [TradingState.ACTIVE] * 4


@pytest.mark.parametrize(("actor", "reason"), [("", "x"), ("Ann", ""), ("Ann", "  "), (None, "x")])
def test_no_change_without_an_actor_and_a_reason(actor: Any, reason: Any) -> None:
    made = rig()
    made.gate.set_state("halted", *WHO)
    with pytest.raises(ConfigError):
        made.gate.set_state("active", actor, reason)
    with pytest.raises(ConfigError):
        made.gate.set_limits(Limits(max_order_quantity=1), actor, reason)
    assert made.gate.state() == TradingState.HALTED
    assert made.gate.limits.is_empty
    assert [c.after for c in made.gate.changes] == ["HALTED"]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (("", "x"), "actor is ''; a change of all needs one"),
        (("Ann", "  "), "reason is '  '; a change of all needs one"),
        ((None, "x"), "actor is None; a change of all needs one"),
    ],
)
def test_states_note_no_change_that_nobody_stands_for(named: tuple[Any, Any], says: str) -> None:
    states = States()
    for change in (lambda: states.set("halted", *named, ts=1),
                   lambda: states.note(1, "all", "ACTIVE", "HALTED", *named)):  # fmt: skip
        with pytest.raises(ConfigError) as caught:
            change()
        assert str(caught.value) == says
    assert (states.get(), states.changes) == (TradingState.ACTIVE, [])


@pytest.mark.parametrize("wrong", [-1, 3, True, False, 1.0, None, "off", ""])
def test_a_state_is_one_of_three(wrong: Any) -> None:
    states = States()
    with pytest.raises(ConfigError) as caught:
        states.set(wrong, *WHO, ts=1)
    assert str(caught.value) == (f"state is {wrong!r}; expected 'active', 'reducing' or 'halted'")
    for given in (0, 1, 2, "active", "Reducing", "HALTED", *TradingState):
        states.set(given, *WHO, ts=1)
        name = given.upper() if isinstance(given, str) else TradingState(given).name
        assert states.get().name == name


def test_a_gate_without_anything_to_hold_hears_of_nothing() -> None:
    def hears(made: GateRig) -> tuple[bool, ...]:
        gate = made.gate
        return gate.watches_orders, gate.watches_marks, gate.watches_quotes, gate.watches_equity

    made = rig()
    assert hears(made) == (False, False, False, False)
    for scope in ({}, {"strategy": "A"}, {"symbol": "AAA"}):
        made.gate.set_state("reducing", *WHO, **scope)
        assert hears(made) == (True, False, False, False)
        made.gate.set_state("active", *WHO, **scope)
        assert hears(made) == (False, False, False, False)


@pytest.mark.parametrize("name", ["AAA", "AAA.X"])
def test_a_symbol_is_halted_by_its_own_name_and_by_that_of_its_venue(name: str) -> None:
    listed = [Instrument("AAA", venue="X"), Instrument("BBB", venue="X")]
    made = GateRig(RiskEngine(), symbols=listed, prices=100)
    made.gate.set_state("halted", *WHO, symbol=name)
    assert code(made.order("buy", 1, "AAA")) == "trading_state"
    assert code(made.order("buy", 1, "BBB")) == ""
    assert made.gate.state(symbol="AAA.X") is TradingState.HALTED
    assert made.gate.state(symbol="AAA") is TradingState.HALTED
    made.gate.set_state("active", *WHO, symbol="AAA")
    assert code(made.order("buy", 1, "AAA")) == ""


@pytest.mark.parametrize("wrong", [{"symbol": "AAB"}, {"strategy": "nobody"}])
def test_a_halt_of_what_is_not_there_is_no_halt(wrong: dict[str, str]) -> None:
    made = rig()
    with pytest.raises(UnknownName):
        made.gate.set_state("halted", *WHO, **wrong)
    with pytest.raises(UnknownName):
        made.gate.state(**wrong)
    assert made.gate.changes == []


def test_a_state_that_the_start_of_a_run_would_drop_is_refused() -> None:
    gate = RiskEngine()
    with pytest.raises(ConfigError, match="in no run yet"):
        gate.set_state("halted", *WHO)
    assert gate.changes == []
    assert gate.state() is TradingState.ACTIVE


@pytest.mark.parametrize("flatten", [False, True])
def test_a_kill_before_a_run_is_refused_and_not_told(flatten: bool) -> None:
    gate = RiskEngine()
    heard: list[str] = []
    gate.recorder = lambda method, arguments: heard.append(method)
    with pytest.raises(ConfigError, match="in no run yet"):
        gate.kill(*WHO, flatten=flatten)
    assert (heard, gate.changes) == ([], [])


def test_changes_are_on_record_with_time_actor_and_reason() -> None:
    made = rig()
    made.wait("1s")
    made.gate.set_state("reducing", "Ann", "odd prices", symbol="AAA")
    change = made.gate.changes[0]
    assert (change.scope, change.before, change.after) == ("symbol AAA", "ACTIVE", "REDUCING")
    assert (change.actor, change.reason, change.ts_event) == ("Ann", "odd prices", made.now)


def test_the_kill_switch_blocks_at_once_and_cancels_all() -> None:
    made = rig()
    orders = [made.order("buy", 1, strategy=n % 2) for n in range(10)]
    late = made.draft("buy", 1)
    made.gate.kill("Ann", "enough")
    made.settle()
    assert late.status == "DENIED"
    assert made.venue.withdrawn == sorted(orders, key=lambda o: o.strategy.number)
    assert code(made.order("buy", 1)) == "trading_state"


def test_the_kill_switch_can_leave_positions_before_it_halts() -> None:
    made = rig()
    made.hold(10)
    made.hold(-5, "BBB", strategy=1)
    made.order("sell", 10, limit_price=120)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    exits = made.venue.submitted[-2:]
    assert [(o.symbol, int(o.side), o.quantity) for o in exits] == [
        ("AAA", -1, 10.0), ("BBB", 1, 5.0),
    ]  # fmt: skip
    assert code(made.order("buy", 1)) == "trading_state"
    assert made.gate.state() == TradingState.REDUCING
    for order in exits:
        made.fill(order)
    assert made.gate.state() == TradingState.HALTED


@pytest.mark.parametrize("name", [{"symbol": "AAA"}, {"strategy": "s0"}])
def test_a_flatten_leaves_the_exits_of_what_is_halted_by_name(name: dict[str, str]) -> None:
    """They were canceled, and what they guarded was not sold: nothing leaves for it."""
    made = rig()
    made.hold(10)
    made.hold(-5, "BBB", strategy=1)
    stop = made.order("sell", 10, stop_price=90)
    entry = made.order("buy", 1, limit_price=80)
    other = made.order("buy", 5, "BBB", strategy=1, stop_price=120)
    for order in (stop, entry, other):
        made.answer("accept", order)
    if "strategy" in name:
        name = {"strategy": made.kernel.strategies[0].name}
    made.gate.set_state("halted", "Ann", "odd prices", **name)
    made.venue.withdrawn.clear()
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    assert made.venue.withdrawn == [entry, other]
    assert made.gate.state() == TradingState.REDUCING
    made.gate.set_state("active", "Ann", "looked at", **name)
    made.price(100)
    assert stop in made.venue.withdrawn


def test_exits_of_a_halted_strategy_do_not_keep_another_one_in_the_symbol() -> None:
    """They counted against its way out, which was denied for ever, or is a wash trade live."""
    made = rig()
    made.hold(-10)
    made.hold(-1, strategy=1)
    stops = [made.order("buy", 1, strategy=1, stop_price=price) for price in (110, 120)]
    for order in stops:
        made.answer("accept", order)
    name = made.kernel.strategies[1].name
    made.gate.set_state("halted", "Ann", "odd orders", strategy=name)
    made.venue.submitted.clear()
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    for order in made.venue.withdrawn:
        made.answer("cancel", order)
    made.wait("5s")
    made.price(100)
    assert [(o.side.name, o.quantity) for o in made.venue.submitted] == [("BUY", 10)]


def test_an_order_without_a_verdict_is_not_approved() -> None:
    made = rig(Limits(max_order_quantity=5))
    order, other = made.draft("buy", 5), made.draft("buy", 5)
    with pytest.raises(OrderError, match="no verdict"):
        made.approve(order)
    assert made.judge(order) is None
    with pytest.raises(OrderError, match="no verdict"):
        made.approve(other)
    assert made.approve(order).order is order
    # A verdict is used up by the next one, even by one that denies.
    assert made.judge(other) is None
    assert made.judge(made.draft("buy", 6)) is not None
    with pytest.raises(OrderError, match="no verdict"):
        made.approve(other)
    with pytest.raises(OrderError, match="no verdict"):
        made.approve(order)


# -- strict ----------------------------------------------------------------------------------------

COMPLETE = {
    "max_order_quantity": 10,
    "max_position_notional": 10_000,
    "max_gross_exposure": 10_000,
    "max_daily_loss": 1_000,
    "max_open_orders": 10,
    "max_orders_per_minute": 100,
    "price_collar_bps": 300,
    "stale_data_after": "5s",
}


def test_a_strict_gate_is_not_made_without_limits() -> None:
    for limits in (None, Limits(), {}):
        with pytest.raises(ConfigError, match="needs risk limits"):
            gate_for(limits, strict=True)


def test_a_strict_gate_with_all_limits_lets_orders_leave() -> None:
    assert Limits(**COMPLETE).missing() == ()
    assert code(rig(Limits(**COMPLETE), strict=True).order("buy", 1)) == ""


@pytest.mark.parametrize("name", COMPLETE)
def test_a_strict_gate_denies_while_a_limit_is_missing(name: str) -> None:
    limits = Limits(**{k: v for k, v in COMPLETE.items() if k != name})
    made = rig(limits, strict=True)
    denied = made.order("buy", 1).reason
    assert denied.endswith("no limit is set, and this gate is strict")
    assert denied.partition(":")[0] == limits.missing()[0]
    assert code(rig(limits).order("buy", 1)) == ""


def test_a_strict_gate_cannot_be_had_from_a_permissive_engine() -> None:
    with pytest.raises(ConfigError):
        gate_for(RiskEngine(Limits(**COMPLETE)), strict=True)


# -- ramp ------------------------------------------------------------------------------------------


def test_a_ramp_starts_at_a_share_and_rises_by_day() -> None:
    made = rig(Limits(max_order_quantity=100, ramp_start=0.1, ramp_days=9))
    assert code(made.order("buy", 10)) == ""
    assert code(made.order("buy", 11)) == "max_order_quantity"
    made.wait("1d")
    assert code(made.order("buy", 20)) == ""
    assert code(made.order("buy", 21)) == "max_order_quantity"
    made.wait("30d")
    assert code(made.order("buy", 100)) == ""
    assert code(made.order("buy", 101)) == "max_order_quantity"


def test_a_ramp_that_a_person_lowered_rises_from_there() -> None:
    made = rig(Limits(max_order_quantity=100, ramp_start=0.1, ramp_days=9))
    made.order("buy", 1)
    made.wait("4d")
    made.order("buy", 1)
    assert made.gate.ramp_share == Decimal("0.5")
    made.gate.set_ramp(0.25, "Ann", "odd fills")
    again = rig(Limits(max_order_quantity=100, ramp_start=0.1, ramp_days=9))
    again.wait("4d")
    again.gate.restore(made.gate.save())
    shares = []
    for _ in range(10):
        again.wait("1d")
        again.order("buy", 1)
        shares.append(float(again.gate.ramp_share))
    # A day and a half of the ramp come to 0.25: it goes on from the first.
    assert shares == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(("share", "next_day"), [(0.05, 0.1), (0, 0.1), (0.5, 0.5)])
def test_a_ramp_that_is_set_before_its_first_day(share: float, next_day: float) -> None:
    made = rig(Limits(max_order_quantity=100, ramp_start=0.1, ramp_days=9))
    made.gate.set_ramp(share, "Ann", "first")
    made.order("buy", 1)
    assert float(made.gate.ramp_share) == share
    made.wait("1d")
    made.order("buy", 1)
    assert float(made.gate.ramp_share) == next_day


def test_a_ramp_can_be_raised_by_an_audited_call() -> None:
    made = rig(Limits(max_order_quantity=100, ramp_start=0.1))
    made.gate.set_ramp(0.5, "Ann", "first week went well")
    assert code(made.order("buy", 50)) == ""
    assert code(made.order("buy", 51)) == "max_order_quantity"
    for share in (1.5, -0.1, float("nan"), "much", None):
        with pytest.raises(ConfigError, match="share is "):
            made.gate.set_ramp(share, "Ann", "greed")
    assert made.gate.ramp_share == Decimal("0.5")


# -- restart ---------------------------------------------------------------------------------------


def test_states_and_day_sums_survive_a_restart() -> None:
    first = rig(Limits(max_daily_orders=2))
    first.order("buy", 1)
    first.gate.set_state("halted", *WHO, symbol="AAA")
    second = rig(Limits(max_daily_orders=2))
    second.gate.restore(first.gate.save())
    assert code(second.order("buy", 1)) == "trading_state"
    assert code(second.order("buy", 1, "BBB")) == ""
    assert code(second.order("buy", 1, "BBB")) == "max_daily_orders"
    assert second.gate.changes[0].actor == "Ann"


def test_an_engine_starts_anew_with_each_run() -> None:
    engine = RiskEngine(Limits(max_daily_orders=1))
    first = GateRig(engine, prices=100)
    first.order("buy", 1)
    engine.set_state("halted", *WHO)
    second = GateRig(engine, prices=100)
    assert code(second.order("buy", 1)) == ""


def test_a_ramp_goes_on_after_a_restart() -> None:
    limits = Limits(max_order_quantity=100, ramp_start=0.1, ramp_days=10)
    first = rig(limits)
    first.gate.set_ramp(0.5, *WHO)
    second = rig(limits)
    assert code(second.order("buy", 11)) == "max_order_quantity"
    second.gate.restore(first.gate.save())
    assert code(second.order("buy", 50)) == ""
    assert code(second.order("buy", 51)) == "max_order_quantity"


def test_what_is_no_limits_changes_none() -> None:
    made = rig(Limits(max_order_quantity=1))
    with pytest.raises(ConfigError, match="expected Limits, got None"):
        made.gate.set_limits(None, *WHO)
    assert code(made.order("buy", 2)) == "max_order_quantity"
    assert repr(made.gate).startswith("RiskEngine(ACTIVE, limits ")


@pytest.mark.parametrize("state", ["closed", 3, -1, True, None])
def test_what_is_no_state_is_set_nowhere(state: Any) -> None:
    made = rig()
    with pytest.raises(ConfigError, match="expected 'active', 'reducing' or 'halted'"):
        made.gate.set_state(state, *WHO)
    assert made.gate.changes == []
    assert code(made.order("buy", 1)) == ""


def test_what_is_denied_before_it_is_weighed_is_on_record_with_what_it_came_to() -> None:
    made = GateRig(RiskEngine(Limits(max_gross_exposure=100_000)), prices=100)
    made.hold(10)
    made.gate.set_state("halted", *WHO)
    made.order("buy", 5)
    made.order("sell", 4, limit_price=120)
    denials = made.gate.report()["denials"]
    assert list(denials["control"]) == ["trading_state"] * 2
    assert list(denials["quantity"]) == [5, 4]
    assert list(denials["value"]) == [500, 480]
    # The worst of the ten that are held: five more, or none of what may be sold.
    assert list(denials["exposure"]) == [1_500, 1_000]


def test_a_change_that_is_denied_before_it_is_weighed_is_on_record_as_what_it_asks_for() -> None:
    made = GateRig(
        RiskEngine(Limits(max_gross_exposure=100_000)),
        symbols=[Instrument("AAA", tick_size="0.01")], prices=100,
    )  # fmt: skip
    order = made.order("buy", 5, limit_price=99)
    made.answer("accept", order)
    made.order("buy", 50, limit_price=90)
    assert not made.modify(order, limit_price="98.001", quantity=7)
    denials = made.gate.report()["denials"]
    assert list(denials["control"]) == ["price_tick"]
    assert list(denials["quantity"]) == [7]
    assert list(denials["value"]) == [pytest.approx(7 * 98.001)]
    assert list(denials["is_change"]) == [True]


def test_a_kill_is_over_when_all_is_flat_and_trading_can_go_on() -> None:
    made = GateRig(RiskEngine(Limits(max_gross_exposure=100_000)), prices=100)
    made.hold(10)
    made.gate.kill(*WHO, flatten=True)
    made.settle()
    made.fill(made.venue.submitted[-1])
    assert made.gate.state() == TradingState.HALTED
    made.gate.set_state("active", *WHO)
    made.hold(7)
    sent = len(made.venue.submitted)
    made.price(101)
    made.wait("1h")
    made.price(102)
    # What is held now is nobody's to leave.
    assert len(made.venue.submitted) == sent


def test_without_limits_a_denial_is_on_record_with_its_quantity() -> None:
    made = GateRig(RiskEngine(), symbols=[Instrument("AAA", tick_size="0.01")], prices=100)
    made.order("buy", 5, limit_price="99.001")
    made.order("sell", 3, limit_price="100.001")
    denials = made.gate.report()["denials"]
    assert list(denials["control"]) == ["price_tick"] * 2
    assert list(denials["quantity"]) == [5, 3]
    assert list(denials["price"]) == [100, 100]
    assert list(denials["side"]) == ["buy", "sell"]


def test_a_verdict_says_who_asked_for_what_under_which_limits_and_what_was_seen() -> None:
    wide, narrow = Limits(max_gross_exposure=10_000), Limits(max_gross_exposure=1_000)
    made = GateRig(RiskEngine(wide), symbols=("AAA", "BBB"), prices=100, strategies=2)
    order = made.order("buy", 5, limit_price=99)
    made.answer("accept", order)
    made.wait("1s")
    assert made.modify(order, quantity=8)
    made.price(101, "BBB")
    made.order("sell", 2, "BBB", 1, limit_price=110)
    made.gate.set_limits(narrow, *WHO)
    made.order("buy", 3)
    assert not made.modify(order, quantity=20)
    found = made.gate.report()["verdicts"]
    rows = list(zip(*(found[name] for name in ("strategy", "symbol", "side", "is_change")),
                    strict=True))  # fmt: skip
    assert rows == [
        ("A", "AAA", "buy", False), ("A", "AAA", "buy", True), ("B", "BBB", "sell", False),
        ("A", "AAA", "buy", False), ("A", "AAA", "buy", True),
    ]  # fmt: skip
    start = found["ts_event"][0]
    assert list(found["ts_event"] - start) == [0, *[10**9] * 4]
    assert list(found["order"]) == [1, 1, 2, 3, 1]
    assert list(found["quantity"]) == [5, 8, 2, 3, 20]
    assert list(found["price"]) == [100, 100, 101, 100, 100]
    assert list(found["value"]) == [495, 792, 220, 300, 1_980]
    assert list(found["exposure"]) == [495, 792, 1_012, 1_312, 2_200]
    assert list(found["control"]) == ["approved"] * 3 + ["max_gross_exposure"] * 2
    assert list(found["reason"]) == [""] * 3 + [
        f"max_gross_exposure: worst-case gross exposure {seen} is over the limit of 1000"
        for seen in (1312, 2200)
    ]
    assert list(found["limits_version"]) == [wide.version] * 3 + [narrow.version] * 2

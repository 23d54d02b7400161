"""Protective stops: positions are left whatever their strategy does."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


def rig(**limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=100_000, symbols=("AAA", "BBB"), prices=100,
        strategies=2,
    )  # fmt: skip


# Limits, units held from 100, prices that are reached, whether the last one leaves.
TABLE = [
    ({"max_position_loss": 100}, 10, [90], False),
    ({"max_position_loss": 100}, 10, [89.99], True),
    ({"max_position_loss": 100}, -10, [110], False),
    ({"max_position_loss": 100}, -10, [110.01], True),
    ({"max_position_loss_fraction": 0.05}, 10, [95], False),
    ({"max_position_loss_fraction": 0.05}, 10, [94.99], True),
    ({"max_position_loss_fraction": 0.05}, -10, [105.01], True),
    ({"max_position_drawdown": 0.1}, 10, [120, 108], False),
    ({"max_position_drawdown": 0.1}, 10, [120, 107.99], True),
    ({"max_position_drawdown": 0.1}, -10, [80, 88], False),
    ({"max_position_drawdown": 0.1}, -10, [80, 88.01], True),
    ({"max_position_loss_atr": 2}, 10, [96], False),
    ({"max_position_loss_atr": 2}, 10, [95.99], True),
    ({"max_position_loss_atr": None}, 10, [1], False),
    # A limit of nothing: any loss leaves.
    ({"max_position_loss": 0}, 10, [100], False),
    ({"max_position_loss": 0}, 10, [99.99], True),
    ({"max_position_loss_fraction": 0}, 10, [100], False),
    ({"max_position_loss_fraction": 0}, 10, [99.99], True),
    ({"max_position_drawdown": 0}, 10, [100.01, 100], True),
    ({"max_position_loss_atr": 0}, 10, [99.99], True),
    # The smallest position there is.
    ({"max_position_loss": 0}, 1e-9, [99.99], True),
    ({"max_position_loss": 0}, -1e-9, [100.01], True),
    ({"max_position_drawdown": 0.1}, 1e-9, [120, 107.99], True),
    ({"max_position_drawdown": 0.1}, -1e-9, [80, 88.01], True),
]


@pytest.mark.parametrize(("limits", "units", "prices", "leaves"), TABLE)
def test_a_stop_leaves_past_its_limit_only(
    limits: dict[str, Any], units: float, prices: list[float], leaves: bool
) -> None:
    made = rig(**limits)
    made.gate.set_atr("AAA", 2.0)
    made.hold(units)
    for price in prices:
        made.price(price)
    exits = made.venue.submitted[1:]
    assert [(int(o.side), o.quantity) for o in exits] == (
        [(-1 if units > 0 else 1, abs(units))] if leaves else []
    )


def test_the_exit_is_sent_once_and_again_if_it_ends_without_a_fill() -> None:
    made = rig(max_position_loss=100)
    made.hold(10)
    for price in (80.0, 79.0, 78.0):
        made.price(price)
    assert len(made.venue.submitted) == 2
    made.answer("reject", made.venue.submitted[1])
    made.price(77.0)
    assert len(made.venue.submitted) == 2
    made.wait("1s")
    made.price(76.0)
    assert len(made.venue.submitted) == 3


def test_exits_of_the_strategy_are_canceled_first() -> None:
    made = rig(max_position_loss=100)
    made.hold(10)
    own = made.order("sell", 10, limit_price=110)
    made.answer("accept", own)
    made.price(80.0)
    assert made.venue.withdrawn == [own]
    # The shares are free once the venue has canceled what holds them.
    made.answer("cancel", own)
    assert made.venue.submitted[-1].order_type == "market"


def test_each_strategys_position_has_its_own_stop() -> None:
    made = rig(max_position_loss=100)
    made.hold(10, strategy=0)
    made.hold(5, strategy=1)
    made.price(85.0)
    assert [o.strategy.name for o in made.venue.submitted[2:]] == ["A"]


@pytest.mark.parametrize(("units", "best", "last"), [(10, 150.0, 95.0), (-10, 50.0, 105.0)])
def test_a_new_position_starts_with_a_new_best_price(units: int, best: float, last: float) -> None:
    made = rig(max_position_drawdown=0.1)
    made.hold(units)
    made.price(best)
    made.hold(-units)
    made.price(100.0)
    made.hold(units)
    made.price(last)
    assert len(made.venue.submitted) == 3


def test_a_stop_is_on_record_and_passes_every_limit_of_size() -> None:
    made = rig(max_position_loss=100, max_order_quantity=10, max_daily_orders=1)
    made.hold(10)
    made.price(80.0)
    assert made.venue.submitted[-1].status == "SENT"
    assert made.gate.changes[-1].scope == "position AAA"
    assert made.gate.changes[-1].reason == (
        "max_position_loss: loss 200.00 is over the limit of 100.00"
    )


def test_nothing_is_sent_while_halted() -> None:
    made = rig(max_position_loss=100)
    made.hold(10)
    made.gate.set_state("halted", "Ann", "a test")
    made.price(80.0)
    assert len(made.venue.submitted) == 1


def test_a_range_has_to_be_a_price() -> None:
    with pytest.raises(ConfigError):
        rig().gate.set_atr("AAA", float("nan"))


class Known:
    """Knows one range of every symbol, or none."""

    def __init__(self, value: float | None) -> None:
        self.value = value

    def average(self, instrument: Any, now: int) -> float | None:
        return self.value

    def split(self, instrument: Any, now: int, factor: float) -> None:
        assert self.value is not None
        self.value *= factor


def test_a_range_that_the_data_tell_is_used_unless_somebody_states_another() -> None:
    for stated, price, leaves in ((None, 97.0, False), (None, 96.99, True), (2.0, 96.99, False)):
        made = rig(max_position_loss_atr=3)
        made.gate.stops.daily_range = Known(1.0)
        if stated is not None:
            made.gate.set_atr("AAA", stated)
        made.hold(10)
        made.price(price)
        assert (len(made.venue.submitted) == 2) is leaves


@pytest.mark.parametrize(("price", "leaves"), [(48.0, False), (47.99, True)])
def test_a_split_rescales_the_range_that_the_data_tell(price: float, leaves: bool) -> None:
    made = rig(max_position_loss_atr=2)
    made.gate.stops.daily_range = Known(2.0)
    made.hold(10)
    made.split(2)
    made.price(price)
    assert (len(made.venue.submitted) == 2) is leaves


@pytest.mark.parametrize("wrong", [0.0, -1.0, 1e9, float("nan"), float("inf")])
def test_a_range_that_is_no_price_is_refused_by_what_it_is(wrong: float) -> None:
    gate = rig(max_position_loss_atr=2).gate
    for part in (gate, gate.stops):
        with pytest.raises(ConfigError, match=f"the range of AAA is {wrong}; expected a positive"):
            part.set_atr("AAA", wrong)


def test_a_range_may_be_any_price() -> None:
    made = rig(max_position_loss_atr="0.00000001")
    made.hold(10)
    for value in (999_999_999.0, 1e-9, 4.0):
        made.gate.set_atr("AAA", value)
        assert made.gate.stops.atr == {"AAA": value}


def test_a_range_stated_before_a_run_is_known_in_it() -> None:
    gate = RiskEngine(Limits(max_position_loss_atr=2))
    gate.set_atr("AAA", 2.0)
    made = GateRig(gate, cash=100_000, symbols=("AAA",), prices=100)
    made.hold(10)
    made.price(95.99)
    assert len(made.venue.submitted) == 2


@pytest.mark.parametrize("multiple", [0, 2])
def test_a_strict_gate_denies_entries_whose_stop_nobody_could_judge(multiple: float) -> None:
    limits = Limits(
        max_position_loss_atr=multiple, max_order_quantity=100, max_position_quantity=100,
        max_leverage=1, max_daily_loss=1_000, max_open_orders=9, max_orders_per_minute=99,
        price_collar_bps=100, stale_data_after="1m",
    )  # fmt: skip
    made = GateRig(RiskEngine(limits, strict=True), cash=100_000, symbols=("AAA",), prices=100)
    denied = made.order("buy", 1)
    assert denied.reason == "max_position_loss_atr: no average range of AAA is known"
    made.gate.set_atr("AAA", 1.5)
    assert made.order("buy", 1).status == "SENT"


def test_a_position_that_turned_round_is_left_though_the_exit_of_before_still_works() -> None:
    made = rig(max_position_loss=100)
    made.hold(10)
    made.price(80.0)
    exit = made.venue.submitted[-1]
    assert (exit.side.name, exit.status) == ("SELL", "SENT")
    turn = made.order("sell", 20)
    made.fill(turn, price=80.0)
    assert made.kernel.strategies[0].position("AAA").quantity == -10
    made.price(90.0)
    assert made.venue.submitted[-1] is turn
    made.price(90.01)
    # What brings it to nothing waits until it is known what the first exit comes to.
    made.answer("reject", exit)
    last = made.venue.submitted[-1]
    assert (last.side.name, last.quantity, last.order_type) == ("BUY", 10, "market")


def test_a_split_rescales_the_range_that_was_stated() -> None:
    made = rig(max_position_loss_atr=2)
    made.gate.set_atr("AAA", 4.0)
    made.hold(10)
    made.split(2)
    # 50 less twice a range of 2.
    made.price(46.0)
    assert len(made.venue.submitted) == 1
    made.price(45.99)
    assert len(made.venue.submitted) == 2


def test_a_strategy_that_holds_nothing_any_more_has_nothing_to_leave() -> None:
    made = rig(max_position_loss=100)
    made.hold(10, strategy=1)
    made.hold(-10, strategy=1)
    made.hold(10)
    made.price(80.0)
    assert [o.strategy.name for o in made.venue.submitted[3:]] == ["A"]


def test_while_an_exit_is_on_its_way_nothing_is_told_of_a_halt() -> None:
    made = rig(max_position_loss=100)
    made.hold(10)
    made.price(80.0)
    exit = made.venue.submitted[-1]
    made.gate.set_state("halted", "Ann", "a test", symbol="AAA")
    told = [change.after for change in made.gate.changes]
    assert told == ["leaving", "HALTED"]
    made.price(79.0)
    assert [change.after for change in made.gate.changes] == told
    made.answer("expire", exit)
    made.price(78.0)
    assert [change.after for change in made.gate.changes] == [*told, "barred"]


@pytest.mark.parametrize(("units", "best"), [(10, 120), (-10, 80)])
def test_best_prices_are_those_of_a_side_before_any_price_comes(units: float, best: int) -> None:
    made = rig(max_order_quantity=100)
    made.hold(units)
    position = made.kernel.cache.positions(0, "AAA")[0]
    rows = [["AAA", 0, 1 if units > 0 else -1, best * 10**9]]
    made.gate.stops.restore(rows, lambda symbol, strategy: position)
    assert made.gate.stops.save() == rows
    made.gate.set_limits(Limits(max_position_drawdown="0.1"), "Ann", "begin")
    made.price(best * (0.9 if units > 0 else 1.1))
    assert len(made.venue.submitted) == 1
    made.price(best * (0.8999 if units > 0 else 1.1001))
    assert len(made.venue.submitted) == 2


def test_a_fall_is_told_of_from_its_best_price() -> None:
    made = rig(max_position_drawdown="0.1")
    made.hold(-10)
    made.price(80.0)
    made.price(88.5)
    assert made.gate.changes[-1].reason == (
        "max_position_drawdown: 8.5 from the best price 80 is over the limit of 8"
    )


def test_a_position_on_the_other_side_is_barred_on_its_own() -> None:
    made = rig(max_position_loss=100)
    made.hold(10)
    turn = made.order("sell", 20, limit_price=80)
    made.gate.set_state("halted", "Ann", "a test", symbol="AAA")
    made.price(80.0)
    made.price(79.0)
    made.fill(turn, price=80.0)
    made.price(90.01)
    made.price(91.0)
    assert [change.after for change in made.gate.changes] == ["HALTED", "barred", "barred"]


@pytest.mark.parametrize("units", [1, -1])
def test_the_best_price_is_the_best_by_the_smallest_step(units: int) -> None:
    made = rig(max_position_drawdown="0.1")
    made.hold(units)
    best = 100 * 10**9
    for step, follows in ((units, True), (-units, False), (2 * units, True)):
        made.price((100 * 10**9 + step) / 1e9)
        best = 100 * 10**9 + step if follows else best
        assert made.gate.save()["stops"] == [["AAA", "A", units, best]]


@pytest.mark.parametrize("name", ["AAA", "AAA.XNYS"])
def test_a_range_is_stated_by_symbol_or_by_id(name: str) -> None:
    made = GateRig(
        RiskEngine(Limits(max_position_loss_atr=2)), prices=100,
        symbols=(Instrument("AAA", venue="XNYS"), Instrument("BBB", venue="XNYS")),
    )  # fmt: skip
    made.hold(10)
    made.gate.set_atr(name, 20.0)
    made.gate.set_atr("BBB", 1.0)
    made.split(2)
    # Half of the range for twice the shares.
    made.price(50 - 20)
    assert len(made.venue.submitted) == 1
    made.price(50 - 20.01)
    assert len(made.venue.submitted) == 2

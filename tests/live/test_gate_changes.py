"""What a program in the node's process asks of the gate is written down, and played again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import StatusEvent
from pyrt.errors import ConfigError
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.replay.replay import replay
from pyrt.risk import Limits, TradingState
from pyrt.testing.files import MemoryFiles
from tests.live.test_comeback import killed
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

LIMITS = Limits(
    max_order_quantity=10, max_order_notional=5_000, max_position_notional=50_000,
    max_gross_exposure=50_000, max_daily_loss=5_000, max_open_orders=10, max_orders_per_minute=20,
    stale_data_after="10m", price_collar_bps=5_000,
)  # fmt: skip


class Buys(Strategy):
    """Buys at every bar, and keeps what was denied."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.outcomes = []
        self.lowers_at = 0

    def on_bar(self, bar):
        self.buy("SPY", 6)

    def on_order(self, event):
        if event.kind in ("denied", "accepted"):
            self.outcomes.append(event.kind if event.kind == "accepted" else event.reason[:18])


class LowersItself(Buys):
    """Lowers the ramp from within a handler, with the gate that it was given."""

    gate: Any = None

    def on_bar(self, bar):
        super().on_bar(bar)
        if len(self.outcomes) == 2:
            self.kernel_gate().set_ramp("0.1", "strategy", "enough")

    def kernel_gate(self):
        return GATES[0]


GATES: list[Any] = []


def node(files: MemoryFiles | None = None, world: World | None = None, **options: Any) -> Node:
    made = Node(
        world or World([bars([100.0] * 40)]), files or MemoryFiles(),
        **{
            "strategies": [Buys()], "run_id": "one", "limits": LIMITS,
            "policies": policies("played"), **options,
        },
    )  # fmt: skip
    made.start()
    return made


def operations(files: Any) -> list[tuple[str, str, str]]:
    return [
        (record.actor, record.action, record.reason)
        for _, record in read_records(files)
        if isinstance(record, r.Operation) and record.actor == "anna"
    ]


def outcomes(made: Node) -> list[str]:
    return list(made.kernel.strategies[0].outcomes)


def outcomes_again(made: Node) -> list[str]:
    """Play a run again, exactly; return what became of its orders."""
    again = Buys()
    result = replay(made.files, [again], run_id="one")
    assert result.is_exact, result.difference
    return list(again.outcomes)


def test_a_ramp_and_limits_that_change_on_the_way_are_on_the_tape():
    made = node()
    gate = made.driver.gate
    made.run(6 * PHASES)
    gate.set_ramp("0.5", "anna", "a new version")
    made.run(4 * PHASES)
    gate.set_limits(LIMITS.replace(max_order_quantity=5), "anna", "smaller")
    made.run(4 * PHASES)
    gate.allow_once("max_order_quantity", "anna", "one more")
    made.run(4 * PHASES)
    gate.set_state("reducing", "anna", "late", symbol="SPY")
    made.run(2 * PHASES)
    kinds = outcomes(made)
    assert {"accepted", "max_order_quantity", "trading_state: RED"} == set(kinds)
    assert kinds.count("max_order_quantity") > 5
    made.stop()
    assert operations(made.files) == [
        ("anna", "set_ramp", "a new version"),
        ("anna", "set_limits", "smaller"),
        ("anna", "allow_once", "one more"),
        ("anna", "set_state", "late"),
    ]
    assert outcomes_again(made) == kinds


def test_what_would_have_been_under_other_limits_is_not_undone_by_those_of_the_way():
    made = node()
    made.run(6 * PHASES)
    made.driver.gate.set_limits(LIMITS.replace(max_order_quantity=5), "anna", "smaller")
    made.run(6 * PHASES)
    made.stop()
    again = Buys()
    replay(made.files, [again], run_id="one", limits=LIMITS.replace(max_order_quantity=100))
    assert "max_order_quantity" not in again.outcomes


def test_a_kill_from_within_the_process_is_played_again():
    made = node()
    made.run(6 * PHASES)
    made.driver.gate.kill("anna", "enough", flatten=True)
    made.run(6 * PHASES)
    assert made.driver.gate.state() == TradingState.HALTED
    made.stop()
    again = Buys()
    result = replay(made.files, [again], run_id="one")
    assert result.is_exact, result.difference
    assert operations(made.files) == [("anna", "kill", "enough")]


@pytest.mark.parametrize("change", ["ramp", "limits"])
def test_a_run_that_goes_on_after_a_crash_has_the_ramp_and_limits_it_had(change: str):
    first = node()
    first.run(6 * PHASES)
    if change == "ramp":
        first.driver.gate.set_ramp("0.5", "anna", "a new version")
    else:
        first.driver.gate.set_limits(LIMITS.replace(max_order_quantity=5), "anna", "smaller")
    first.run(3 * PHASES)
    assert outcomes(first)[-1] == "max_order_quantity"
    files = killed(first)
    for life in ("two", "three"):
        second = node(files, first.world, run_id=life)
        assert not [a for a in second.alarms if a[0].startswith(("replay", "not_"))]
        gate = second.driver.gate
        assert gate.ramp_share == (Decimal("0.5") if change == "ramp" else None)
        assert gate.limits.max_order_quantity == (10 if change == "ramp" else 5)
        second.run(3 * PHASES)
        assert set(outcomes(second)[-3:]) == {"max_order_quantity"}
        if life == "two":
            files = killed(second)
    second.stop()
    result = replay(files, [Buys()], run_id="three")
    assert result.is_exact, result.difference
    # Once for each life that has it on its tape, and asked for once.
    assert operations(files) == operations(first.files)


def test_what_a_handler_asks_for_is_asked_for_again_by_its_replay():
    made = Node(
        World([bars([100.0] * 40)]), MemoryFiles(), [LowersItself()],
        run_id="one", limits=LIMITS, policies=policies("played"),
    )  # fmt: skip
    GATES[:] = [made.driver.gate]
    made.start()
    made.run(12 * PHASES)
    assert outcomes(made)[-1] == "max_order_quantity"
    made.stop()
    actions = [o.action for _, o in read_records(made.files) if isinstance(o, r.Operation)]
    assert "set_ramp" not in actions


def test_a_change_without_a_name_is_refused_and_not_written_down():
    made = node()
    made.run(3 * PHASES)
    gate = made.driver.gate
    for call in (
        lambda: gate.set_ramp("0.5", "", "why"),
        lambda: gate.set_ramp("1.5", "anna", "why"),
        lambda: gate.set_limits(LIMITS, "anna", " "),
        lambda: gate.set_state("sideways", "anna", "why"),
        lambda: gate.kill("anna", ""),
        lambda: gate.allow_once("nothing", "anna", "why"),
        lambda: gate.set_adv("SPY", 0),
        lambda: gate.set_atr("SPY", -1.0),
    ):
        with pytest.raises(ConfigError):
            call()
    assert gate.changes == []
    made.stop()
    assert operations(made.files) == []


def test_figures_that_a_program_states_are_on_the_tape():
    limits = LIMITS.replace(max_adv_share="0.01", max_position_loss_atr=9)
    made = node(limits=limits)
    made.run(4 * PHASES)
    made.driver.gate.set_adv("SPY", 100)
    made.driver.gate.set_atr("SPY", 2.5)
    made.run(4 * PHASES)
    kinds = outcomes(made)
    assert any(kind.startswith("max_adv_share") for kind in kinds)
    made.stop()
    assert outcomes_again(made) == kinds


def test_news_of_a_halt_is_no_change_that_somebody_asked_for():
    """It was written down twice, and played again at a time that had not come yet."""
    made = node()
    made.run(4 * PHASES)
    event = StatusEvent("SPY", made.kernel.clock.timestamp_ns + 1, "halted", "LULD")
    made.driver.take(made.kernel.clock.timestamp_ns + 2, [event])
    assert made.driver.gate.halted_symbols == ["SPY"]
    made.driver.flush_tape()
    made.journal.commit()
    second = node(killed(made), made.world, run_id="two")
    assert second.driver.gate.halted_symbols == ["SPY"]
    found = [record for _, record in read_records(second.files) if isinstance(record, r.Operation)]
    assert [record.action for record in found] == ["replay"]

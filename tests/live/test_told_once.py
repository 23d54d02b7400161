"""What follows from what a kernel has taken is written down and told: once, and by name."""

from __future__ import annotations

from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt.errors import StrategyError
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.run import LOOKING, RUNNING

NOW = 7_000


class Rig:
    """A node whose gate and strategies have done what is said; what is written and told is kept."""

    def __init__(self, phase: int = RUNNING, *, core: bool = True) -> None:
        self.gate = Stub(changes=[])
        self.saved: list[str] = []
        self.records: list[Any] = []
        self.alarms: list[tuple[str, str, int]] = []
        self.taken: list[Any] = []
        self.heard: list[Any] = []
        self.sightings = 0
        self.scribe = Stub(
            filled={}, intents=0, now=5, journal=Stub(record=self.records.append),
            save_strategy=lambda strategy: self.saved.append(strategy.name),
            save_risk=lambda: self.saved.append("risk"),
            clean=lambda text: text.replace("s3cret", "***"),
            alarm=lambda *given: self.alarms.append(given),
            note_sightings=self.look,
        )  # fmt: skip
        kernel = Stub(gate=self.gate, strategies=[Stub(name="A"), Stub(name="B")], errors=[])
        self.core = Stub(
            kernel=kernel, inputs=Stub(count=11), take=lambda now, events: self.taken.extend(events)
        )
        self.run = Stub(
            core=self.core if core else None, scribe=self.scribe, phase=phase,
            listener=lambda event, core: self.heard.append((event, core)),
        )  # fmt: skip
        self.aftermath = Aftermath(self.run)

    def look(self) -> None:
        self.sightings += 1

    def change(self, after: str, scope: str = "all", reason: str = "why") -> None:
        self.gate.changes.append(Stub(after=after, scope=scope, reason=reason))


@pytest.mark.parametrize(
    ("after", "is_told"),
    [("HALTED", True), ("REDUCING", True), ("OPEN", True), ("ACTIVE", False), ("0.5", False)],
)
def test_what_is_restricted_is_told_once_and_risk_saved_after_each_change(after, is_told):
    rig = Rig()
    rig.aftermath.settle(NOW)
    assert rig.saved == []
    rig.change(after, "symbol SPY", "odd")
    for _ in range(2):
        rig.aftermath.settle(NOW)
    assert rig.alarms == [("restricted", f"symbol SPY is {after}: odd", NOW)] * is_told
    assert rig.saved == ["risk"]
    rig.change("HALTED", "all", "more")
    rig.aftermath.settle(NOW + 1)
    assert rig.alarms[is_told:] == [("restricted", "all is HALTED: more", NOW + 1)]
    assert rig.saved == ["risk"] * 2


@pytest.mark.parametrize(
    ("after", "scope", "code", "text"),
    [
        ("near", "warning max_gross_exposure", "limit_near", "90% of it is used up"),
        ("old", "order bt-2", "old_order", "order bt-2: 90% of it is used up"),
    ],
)
def test_warnings_are_told_by_codes_of_their_own_and_not_anew_after_a_restart(
    after, scope, code, text
):
    rig = Rig()
    rig.change(after, scope, "of yesterday")
    rig.aftermath.skip_past(rig.core)
    rig.aftermath.settle(NOW)
    assert rig.alarms == []
    rig.change(after, scope, "90% of it is used up")
    for _ in range(2):
        rig.aftermath.settle(NOW)
    assert rig.alarms == [(code, text, NOW)]


def test_risk_is_saved_after_each_intent():
    rig = Rig()
    for intents, saves in ((1, 1), (1, 1), (3, 2)):
        rig.scribe.intents = intents
        rig.aftermath.settle(NOW)
        assert rig.saved == ["risk"] * saves


def test_of_what_earlier_runs_did_only_what_is_still_restricted_is_told():
    rig = Rig()
    for after, scope in (
        ("HALTED", "all"), ("HALTED", "symbol SPY"), ("ACTIVE", "all"), ("REDUCING", "all"),
        ("HALTED", "symbol BAC"), ("ACTIVE", "symbol BAC"),
    ):  # fmt: skip
        rig.change(after, scope)
    rig.aftermath.skip_past(rig.core)
    rig.aftermath.settle(NOW)
    told = ["symbol SPY is HALTED: why", "all is REDUCING: why"]
    assert [text for _, text, _ in rig.alarms] == told
    # What this run does is told, whatever was before.
    rig.change("HALTED", "all")
    rig.aftermath.settle(NOW)
    assert [text for _, text, _ in rig.alarms] == [*told, "all is HALTED: why"]


def test_a_strategy_that_was_stopped_is_written_down_and_told_once_without_its_secrets():
    rig = Rig()
    rig.core.kernel.errors.append(StrategyError("at once", strategy="A"))
    rig.aftermath.settle(NOW)
    (first,) = rig.records
    assert (first.inputs, first.since) == (11, 0)
    rig.records.clear()
    rig.alarms.clear()
    rig.core.inputs.count = 15
    errors = [StrategyError("s3cret is wrong", strategy="A"), StrategyError("no name")]
    rig.core.kernel.errors.extend(errors)
    for _ in range(2):
        rig.aftermath.settle(NOW)
    found = [(each.ts, each.strategy, each.reason, each.inputs, each.since) for each in rig.records]
    assert found == [(5, "A", "*** is wrong", 15, 11), (5, "", "no name", 15, 11)]
    assert [(code, now) for code, _, now in rig.alarms] == [("strategy_stopped", NOW)] * 2
    rig.core.kernel.errors.append(StrategyError("again", strategy="B"))
    rig.aftermath.settle(NOW)
    assert (rig.records[-1].strategy, rig.records[-1].since) == ("B", 15)


@pytest.mark.parametrize(("phase", "saved"), [(RUNNING, ["B"]), (LOOKING, [])])
def test_a_strategy_is_saved_after_its_fill_once_it_speaks(phase, saved):
    rig = Rig(phase)
    rig.scribe.filled = {"B": None}
    rig.aftermath.settle(NOW)
    assert rig.saved == saved
    assert rig.scribe.filled == ({} if saved else {"B": None})
    rig.aftermath.settle(NOW)
    assert rig.saved == saved


def test_events_are_taken_shown_and_settled_in_that_order():
    rig = Rig()
    rig.aftermath.tell(NOW, [])
    assert rig.sightings == 0
    rig.aftermath.tell(NOW, ["a", "b"])
    assert rig.taken == ["a", "b"]
    assert rig.heard == [("a", rig.core), ("b", rig.core)]
    assert rig.sightings == 1
    rig.run.listener = None
    rig.aftermath.tell(NOW, ["c"])
    assert rig.taken == ["a", "b", "c"]


def test_without_a_core_nothing_is_taken_nor_written():
    rig = Rig(core=False)
    rig.aftermath.tell(NOW, ["a"])
    rig.aftermath.listen(["a"])
    rig.aftermath.settle(NOW)
    assert (rig.taken, rig.heard, rig.sightings) == ([], [], 0)

"""What is written down, and told, after the kernel has taken something in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyrt.live.core.node import NodeCore
from pyrt.live.driver.hearing import Hearing
from pyrt.live.driver.run import LOOKING, Run
from pyrt.live.journal import records as r

RESTRICTIONS = ("HALTED", "REDUCING", "OPEN")


class Aftermath:
    """Looks at what the kernel has done since it was last asked.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._hearing = Hearing("on_event", lambda text: run.scribe.alarm("listener", text))
        self._seen_errors = 0
        self._seen_changes = 0
        self._seen_intents = 0
        self._settled_at = 0
        self._past: set[int] = set()

    def tell(self, now: int, events: list[Any]) -> None:
        """Let the kernel take events, and see what followed."""
        if self._run.core is None or not events:
            return
        self._run.core.take(now, events)
        self.listen(events)
        self.settle(now)

    def listen(self, events: Iterable[Any]) -> None:
        """Show events that were taken to whoever listens."""
        run = self._run
        if run.listener is not None and run.core is not None:
            for event in events:
                self._hearing.call(run.listener, event, run.core)

    def settle(self, now: int) -> None:
        """Write down what followed from what was just taken."""
        core, scribe = self._run.core, self._run.scribe
        if core is None:
            return
        if scribe.filled and self._run.phase != LOOKING:
            filled, scribe.filled = scribe.filled, {}
            for strategy in core.kernel.strategies:
                if strategy.name in filled:
                    scribe.save_strategy(strategy)
        self._tell_stopped(core, now)
        self._tell_restricted(core, now)
        scribe.note_sightings()
        self._settled_at = core.inputs.count

    def skip_past(self, core: NodeCore) -> None:
        """Take what earlier runs did as told; only what is still restricted is told once more."""
        changes = getattr(core.kernel.gate, "changes", ())
        latest = {change.scope: at for at, change in enumerate(changes)}
        self._past = {
            at
            for at, change in enumerate(changes)
            if at != latest[change.scope] or change.after not in RESTRICTIONS
        }

    def _tell_stopped(self, core: NodeCore, now: int) -> None:
        """Record strategies that were stopped for an error."""
        scribe, errors = self._run.scribe, core.kernel.errors
        while self._seen_errors < len(errors):
            error = errors[self._seen_errors]
            self._seen_errors += 1
            name = str(error.values.get("strategy", ""))
            scribe.journal.record(
                r.StrategyStopped(
                    ts=scribe.now,
                    strategy=name,
                    reason=scribe.clean(error.message),
                    inputs=core.inputs.count,
                    since=self._settled_at,
                )
            )
            scribe.alarm("strategy_stopped", error.message, now)

    def _tell_restricted(self, core: NodeCore, now: int) -> None:
        """Tell of restrictions and warnings; save risk after each change, and each intent."""
        scribe = self._run.scribe
        changes = getattr(core.kernel.gate, "changes", ())
        if len(changes) == self._seen_changes and scribe.intents == self._seen_intents:
            return
        for at, change in enumerate(changes[self._seen_changes :], self._seen_changes):
            if at in self._past:
                continue
            if change.after in RESTRICTIONS:
                text = f"{change.scope} is {change.after}: {change.reason}"
                scribe.alarm("restricted", text, now)
            elif change.after == "near":
                scribe.alarm("limit_near", change.reason, now)
            elif change.after == "old":
                scribe.alarm("old_order", f"{change.scope}: {change.reason}", now)
        self._seen_changes, self._seen_intents = len(changes), scribe.intents
        scribe.save_risk()

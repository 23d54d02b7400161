"""Saving strategies and risk, and stopping in order."""

from __future__ import annotations

from typing import Any

from pyrt.live.driver.acts import stop_strategies
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.operating import Operators
from pyrt.live.driver.run import NODE, RUNNING, STOPPED, STOPPING, Run
from pyrt.live.journal import records as r


class Stopping:
    """Saves on schedule, and ends a run as its policy says.

    Parameters
    ----------
    run : Run
    aftermath : Aftermath
    operators : Operators
    """

    def __init__(self, run: Run, aftermath: Aftermath, operators: Operators) -> None:
        self._run = run
        self._aftermath = aftermath
        self._operators = operators
        self._changes_before: int | None = None

    def save(self, now: int) -> None:
        """Save strategies and risk."""
        run = self._run
        run.save_at = now + run.plan.policies.save_ns
        for strategy in run.live_core.kernel.strategies:
            if strategy.running:
                run.scribe.save_strategy(strategy)
        run.scribe.save_risk()

    def stop(self, now: int, reason: str) -> None:
        """Begin to stop: strategies stop, and orders are treated as the policy says."""
        run = self._run
        if run.phase != RUNNING:
            run.phase = STOPPED if run.phase != STOPPING else run.phase
            return
        run.stop_reason = reason
        self.save(now)
        run.phase = STOPPING
        run.stop_by = now + run.plan.policies.stop_patience_ns
        policy = run.plan.policies.on_stop
        if policy == "flatten":
            self._changes_before = len(self._changes())
            self._operators.carry_out("flatten", NODE, reason)
        run.note("stop", policy=policy)
        stop_strategies(run.live_core, policy)
        run.live_core.inputs.settle()
        self._aftermath.settle(now)

    def go_on(self, now: int) -> None:
        """Finish once nothing is pending, or patience is over."""
        run, cache = self._run, self._run.live_core.kernel.cache
        assert run.stop_by is not None
        waits = any(o.is_pending for o in cache.orders_open()) or run.client.queue.outstanding
        if run.plan.policies.on_stop == "flatten":
            waits = waits or bool(cache.positions())
        if waits and now < run.stop_by:
            return
        self.finish(now)

    def finish(self, now: int) -> None:
        """Write down that the run is over."""
        run = self._run
        self._lift()
        run.scribe.save_risk()
        run.flush_tape()
        run.journal.record(r.RunStop(ts=now, reason=run.stop_reason))
        run.phase = STOPPED
        run.stop_by = run.save_at = run.look_at = None

    def _changes(self) -> list[Any]:
        """Return what has changed, for everything, in what may be traded."""
        changes = getattr(self._run.live_core.kernel.gate, "changes", ())
        return [change for change in changes if change.scope == "all"]

    def _lift(self) -> None:
        """Lift the halt that a stop by the policy `flatten` ends in: the next run may trade.

        That policy is a setting, and no operator's halt. What anybody else has restricted, before
        or meanwhile, stays, and so does the halt where something is still held.
        """
        if self._changes_before is None or self._run.live_core.kernel.cache.positions():
            return
        ours = self._changes()[self._changes_before :]
        steps = [(change.before, change.after) for change in ours]
        if steps == [("ACTIVE", "REDUCING"), ("REDUCING", "HALTED")]:
            self._operators.carry_out("resume", NODE, "flat, as the policy of stops wants it")

"""Saving strategies and risk, and stopping in order."""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile
from typing import Any

from pyrt.live.core.restore import is_canceling
from pyrt.live.driver.acts import settle, stop_strategies
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.operating import Operators
from pyrt.live.driver.run import NODE, RUNNING, STOPPED, STOPPING, Run
from pyrt.live.journal import records as r
from pyrt.risk.states import ENGINE


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
        self._policy = run.plan.policies.on_stop
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
        run.stop_reason = run.stop_reason or reason
        if run.phase != RUNNING:
            run.phase = STOPPED if run.phase != STOPPING else run.phase
            return
        self.save(now)
        run.phase = STOPPING
        run.stop_by = now + run.plan.policies.stop_patience_ns
        if self._policy == "flatten" and self._is_halted_by_a_person():
            # Nothing is left before that person says so: not here, and not by the next run either.
            self._policy = "cancel_entries"
        elif self._policy == "flatten":
            self._changes_before = len(self._changes())
            self._operators.halt_what_is_not_there()
            self._operators.carry_out("flatten", NODE, reason)
        run.note("stop", policy=self._policy)
        stop_strategies(run.live_core, self._policy)
        settle(run.live_core)
        self._aftermath.settle(now)

    def go_on(self, now: int) -> None:
        """Finish once nothing is open that has to end, or patience is over."""
        run, cache = self._run, self._run.live_core.kernel.cache
        assert run.stop_by is not None
        waits = any(_is_open(o, self._policy) for o in cache.orders_open())
        waits = waits or run.client.queue.outstanding
        if self._changes_before is not None:
            waits = waits or bool(cache.positions())
        if waits and now < run.stop_by:
            return
        self.finish(now)

    def finish(self, now: int) -> None:
        """Write down that the run is over."""
        run = self._run
        if run.phase == STOPPING:
            self._tell_left(now)
            self._tell_kept(now)
        self._lift()
        run.scribe.save_risk()
        run.journal.record(r.RunStop(ts=now, reason=run.stop_reason))
        run.phase = STOPPED
        run.stop_by = run.save_at = run.look_at = None

    def _tell_left(self, now: int) -> None:
        """Tell of what this stop had to end, or to hear of, and has not: nobody looks after it."""
        cache, wanted = self._run.live_core.kernel.cache, self._run.plan.policies.on_stop
        left = [
            f"{order.side.name.lower()} {_leaves(order):f} {order.symbol} "
            f"({order.client_order_id}): {_stands(order)}"
            for order in cache.orders_open()
            if _is_open(order, self._policy) or order.is_unknown
        ]
        if wanted == "flatten":
            left += [f"{p.quantity_exact:f} {p.symbol} is held" for p in cache.positions()]
        if left:
            text = f"the node ends, by the policy {wanted}, with this left: {'; '.join(left)}"
            self._run.scribe.alarm("left_behind", text, now)

    def _tell_kept(self, now: int) -> None:
        """Tell of exits that nobody keeps from here on: those at the broker stay, these do not."""
        cache = self._run.live_core.kernel.cache
        held = {(position.strategy, position.symbol) for position in cache.positions()}
        for order in cache.orders_open():
            if order.status != "EMULATED" or not order.is_exit:
                continue
            if (order.strategy.number, order.symbol) in held:
                text = f"{order.client_order_id}, a {order.order_type} order for {order.symbol},"
                text += " is kept by the node alone, which stops: what it guards is held without it"
                self._run.scribe.alarm("emulated_lost", text, now)

    def _changes(self) -> list[Any]:
        """Return what has changed, for everything, in what may be traded."""
        changes = getattr(self._run.live_core.kernel.gate, "changes", ())
        return [change for change in changes if change.scope == "all"]

    def _is_halted_by_a_person(self) -> bool:
        """Return whether somebody has HALTED everything, and let nothing leave since.

        The node and the risk engine may have done so after him, for reasons of their own.
        """
        halts = takewhile(lambda change: change.after == "HALTED", reversed(self._changes()))
        return any(_is_by_a_person(change) for change in halts)

    def _lift(self) -> None:
        """Lift the halt that a stop by the policy `flatten` ends in: the next run may trade.

        That policy is a setting, and no operator's halt. What anybody else has restricted, before
        or meanwhile, stays, and so does the halt where something is still held.
        """
        if self._changes_before is None or self._run.live_core.kernel.cache.positions():
            return
        ours = self._changes()[self._changes_before :]
        steps = [(change.before, change.after) for change in ours]
        is_ours = not any(map(_is_by_a_person, ours))
        if is_ours and steps == [("ACTIVE", "REDUCING"), ("REDUCING", "HALTED")]:
            self._operators.carry_out("resume", NODE, "flat, as the policy of stops wants it")


def _is_by_a_person(change: Any) -> bool:
    return change.actor not in (NODE, ENGINE)


def _is_open(order: Any, policy: str) -> bool:
    """Return whether a stop has to hear of an order yet: an answer, its end, or its fill.

    A cancel is refused also where the order has filled, and that is told by itself; and a way out
    at the market is no guard that stays: it fills now.
    """
    fills_now = order.order_type == "market" and order.time_in_force not in ("opg", "cls")
    return order.is_pending or _ends(order, policy) or (order.is_exit and fills_now)


def _ends(order: Any, policy: str) -> bool:
    """Return whether a policy of stops wants an order gone."""
    return policy in ("cancel_all", "flatten") or (policy == "cancel_entries" and not order.is_exit)


def _stands(order: Any) -> str:
    """Return how an order stands that nobody looks after any more."""
    if not (order.is_pending or order.is_unknown):
        return "it works still"
    return f"its {'cancel' if is_canceling(order) else 'last request'} is not answered"


def _leaves(order: Any) -> Decimal:
    """Return what may still fill."""
    left: Decimal = order.quantity_exact - order.filled_quantity_exact
    return left

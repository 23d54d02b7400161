"""Days of the account: when they end, and what the broker says of the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyrt.core.account_rules import account_rules
from pyrt.live.core.broker import BrokerState
from pyrt.live.core.terms import day_of, day_terms, rules_in_force, stated_day, take_terms
from pyrt.live.driver.run import RUNNING, STOPPING, Run
from pyrt.live.plan import MINUTE

SAME_CLOCK_NS = 5 * MINUTE
"""A broker whose clock is further off than this keeps a time of its own: a simulator's."""


class AccountDays:
    """Ends the account's days with the broker's sessions, and keeps to the broker's terms.

    A day ends at the close that the broker's clock announces. What it ended with is the broker's
    to say: once its balance is of that day, its figures replace ours. Where its clock is not ours,
    its balance alone tells that a day has ended.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    due : int or None
        When the day ends, ns UTC.
    on_end : callable, optional
        Called with the time when a day has ended.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._close = 0
        self.due: int | None = None
        self.on_end: Callable[[int], object] | None = None

    def begin(self, now: int, state: BrokerState) -> None:
        """Take up the day that is under way; before strategies speak."""
        self._follow_rules(now, state)
        self._run.balance_date = state.balance_date
        if state.balance_date:
            self._take(day_terms(self._run.live_core, state))
        self._tell_of_less(now, state)
        self._look_ahead(now, state)

    def look(self, now: int, state: BrokerState) -> None:
        """Follow what the broker says of the account: its margin, and the day before."""
        self._follow_rules(now, state)
        if state.balance_date > self._run.balance_date:
            self._run.balance_date = state.balance_date
            if self.due is not None and day_of(self._close) <= state.balance_date:
                self.due = None
            self._end(now, state.server_ts or now)
        if state.balance_date and state.balance_date == self._run.balance_date:
            self._follow_day(state)
        self._look_ahead(now, state)

    def turn(self, now: int) -> None:
        """End the day when it is over."""
        if self.due is not None and now >= self.due and self._run.phase in (RUNNING, STOPPING):
            self._run.balance_date = day_of(self._close)
            self.due = None
            self._end(now, self._close)

    def _end(self, now: int, ts: int) -> None:
        self._run.live_core.inputs.end_day(ts)
        if self.on_end is not None:
            self.on_end(now)

    def _look_ahead(self, now: int, state: BrokerState) -> None:
        """Note when the day ends, where the broker's clock is ours."""
        if not state.next_close or abs(state.server_ts - now) > SAME_CLOCK_NS:
            return
        if self.due is not None and max(now, state.server_ts) >= self._close:
            # The day that closes next is another; this one has yet to end.
            return
        if day_of(state.next_close) <= self._run.balance_date:
            # By a clock behind ours the day that has ended goes on.
            return
        # Bars of the last minute are on their way when the session ends.
        self._close, self.due = state.next_close, state.next_close + self._run.plan.grace_ns

    def _follow_rules(self, now: int, state: BrokerState) -> None:
        account = self._run.live_core.kernel.account
        rules = rules_in_force(self._run.plan.account, state)
        if rules == account.rules:
            return
        self._take({"rules": rules.to_dict()})
        shorts = "with" if rules.shorting else "without"
        text = f"buying power is {rules.multiplier} times free equity now, {shorts} short sales"
        self._run.scribe.alarm("account_terms", text, now)

    def _follow_day(self, state: BrokerState) -> None:
        shown = self._run.live_core.kernel.account.margin_state()
        ours = (shown["last_equity"], shown["last_maintenance_margin"])
        if ours != (state.last_equity, state.last_maintenance):
            self._take(stated_day(state))

    def _tell_of_less(self, now: int, state: BrokerState) -> None:
        """Tell of a configuration that counts on more than the broker grants."""
        named = self._run.plan.account
        if not named or not state.multiplier:
            return
        wanted, granted = account_rules(named), rules_in_force(named, state)
        if wanted != granted:
            text = (
                f"the configuration names {wanted.multiplier} times free equity, the broker grants "
                f"{state.multiplier}, {'with' if state.shorting else 'without'} short sales"
            )
            self._run.scribe.alarm("account_terms", text, now)

    def _take(self, terms: dict[str, Any]) -> None:
        self._run.note("terms", **terms)
        take_terms(self._run.live_core, terms)

"""Looking at the whole account, on schedule and after each reconnect, and acting on differences."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pyrt.core.times import format_ns, timestamp_ns
from pyrt.errors import PyrtError
from pyrt.live.core.broker import CLOCKS_APART_NS, BrokerAdjustment, BrokerState
from pyrt.live.driver.adjusting import Adjusting, adjustment_record, position_states
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.brought import is_brought
from pyrt.live.driver.days import AccountDays
from pyrt.live.driver.departure import Departure
from pyrt.live.driver.operating import Operators
from pyrt.live.driver.reconcile import (
    STRANGE,
    Absences,
    Comparison,
    OurOrder,
    OurView,
    adjusted,
    compare,
)
from pyrt.live.driver.recovery import Recovery
from pyrt.live.driver.run import LOOKING, NODE, RUNNING, STOPPED, STOPPING, Run
from pyrt.live.journal import records as r
from pyrt.live.plan import DAY, MINUTE, SECOND

LOOK_AGAIN_NS = 2 * SECOND
DIFFERS_NS = 3_500_000_000
"""Time between looks that are to show whether a difference stays: a broker's answers may be six
seconds old, so that three looks have to cover more than that."""
FAILED_NS = 5 * SECOND
"""How long the next look waits after one that failed; twice as long after each further one."""
OTHERS_NS = 10 * SECOND
"""Time between looks that others' trades on the account ask for."""
BLIND_AFTER = 3
"""Looks in a row that have failed before nothing that could raise exposure leaves any more."""
CLOCK_MIN_NS, CLOCK_MAX_NS = -2 * SECOND, CLOCKS_APART_NS
"""How far our clock may be ahead of the broker's answer to the first of a look's requests."""
QUIET_MODES = frozenset({"position_mismatch", "cash_mismatch", "reopened"})
"""Findings that count only after several looks: answers may be seconds old."""


class Reconciliation:
    """Looks, compares, journals what was found, and halts what has to be.

    Parameters
    ----------
    run : Run
    aftermath : Aftermath
    operators : Operators
    recovery : Recovery
        The first look at the account makes the core.
    departure : Departure
    days : AccountDays
    """

    def __init__(
        self,
        run: Run,
        aftermath: Aftermath,
        operators: Operators,
        recovery: Recovery,
        departure: Departure,
        days: AccountDays,
    ) -> None:
        self._run = run
        self._aftermath = aftermath
        self._operators = operators
        self._recovery = recovery
        self._departure = departure
        self._days = days
        self._absences = Absences()
        self._adjusting = Adjusting(run, self._announce)
        self._began = 0
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}
        """Code and symbol of a finding that has to be seen several times → looks in a row, and when
        the last that counts was begun."""
        self._failed = self._merge_since = 0
        self._gaps: list[Decimal] = []
        self._was_active = self._others_traded = False

    # -- looking -------------------------------------------------------------------------------

    def look(self, now: int) -> None:
        """Look at the whole account, unless a look is under way."""
        run, state = self._run, self._run.journal.state
        since = [o.ts_init for o in state.orders.values() if o.ts_init]
        begin = min(since, default=now) - DAY
        if state.closed_since:
            # What has ended before is not known any more, and would pass for a lost intent. Open
            # orders are listed whatever their age, and activities tell of what they fill.
            begin = max(begin, state.closed_since + MINUTE)
        age = max(now - begin, MINUTE)
        until = state.activities_until
        # One day of overlap: activities of one instant may come in any order.
        activities = "" if not until else format_ns(timestamp_ns(until) - DAY)
        if run.client.look(age, activities):
            run.look_at, self._began = None, now
        else:
            run.look_at = now + LOOK_AGAIN_NS

    def look_if_due(self, now: int) -> None:
        """Look when it is time to, or an order waits for it."""
        if self._departure.wants_look and now - self._began >= LOOK_AGAIN_NS:
            self._departure.wants_look = False
            self.look(now)
        if self._run.look_at is not None and now >= self._run.look_at:
            self.look(now)
        self._heed_others(now)

    def _heed_others(self, now: int) -> None:
        """Look soon after somebody else has traded in what we trade.

        A position that a person has closed is held here still: whatever closes it opens the other
        side there.
        """
        self._others_traded |= self._run.client.take_others_trade()
        is_on = self._run.phase in (RUNNING, STOPPING)
        if self._others_traded and is_on and now - self._began >= OTHERS_NS:
            self.look(now)
            # One that was under way may have begun before.
            self._others_traded = self._began != now

    def watch_stream(self, now: int) -> None:
        """Look at the account after each reconnect of the order stream.

        While a node stops as well: what leaves then may be a position's way out, and the stream may
        have missed that it is closed.
        """
        run = self._run
        is_active = run.client.trade_updates.is_active
        if is_active and not self._was_active and run.phase in (RUNNING, STOPPING):
            # What the stream has missed is merged before anything new leaves.
            self._departure.is_merging = True
            self._merge_since = now
            self.look(now)
        if self._was_active and not is_active:
            run.scribe.alarm("stream_lost", "the stream of order news is down", now)
        self._was_active = is_active

    def on_look(self, now: int, state: BrokerState) -> None:
        """Take the account as the broker states it."""
        run = self._run
        run.last_look = state
        self._failed, self._departure.is_blind = 0, False
        self._recovery.forget_failures()
        self._departure.looked_at = self._began
        if run.core is not None:
            # What is done about it happens now, not when the last event came.
            run.core.inputs.advance(now)
        is_first = run.core is None
        try:
            if is_first:
                self._recovery.recover(now, state)
            self._apply(now, state)
            if is_first:
                # A list may leave out what has ended: it is asked for by its name.
                run.client.read_doubts()
            self._adjusting.take(now, state)
            if run.phase != LOOKING:
                self._days.look(now, state)
            # One that had begun before the stream came back may have missed what it missed.
            self._departure.is_merging &= self._began < self._merge_since
        except PyrtError as error:
            if run.phase != LOOKING:
                raise
            run.give_up(error)
            return
        comparison = compare(self._view(state), state, run.plan.policies.reconcile)
        self._note_differences(comparison)
        looks = run.plan.policies.looks
        self._gaps = [*self._gaps, comparison.cash_gap][-looks:]
        fresh = self._fresh(comparison)
        if fresh and (run.phase == LOOKING or len(fresh) == len(self._seen)):
            run.look_at = now + DIFFERS_NS
            return
        pause = 0 if self._departure.is_merging else run.plan.policies.reconcile_ns
        run.look_at = now + (DIFFERS_NS if fresh else pause)
        findings = tuple(f for f in comparison.findings if (f.code, f.symbol) not in fresh)
        self._conclude(now, state, replace(comparison, findings=findings))
        if run.phase == LOOKING:
            self._recovery.speak(now, state)

    def _note_differences(self, comparison: Comparison) -> None:
        """Note since when each difference has been as it is, with nothing on its way beside it."""
        strange = {f.symbol for f in comparison.findings if f.code in STRANGE}
        known, began = self._run.differs_since, self._began
        self._run.differs_since = {
            found.symbol: (found.text, known[found.symbol][1], began)
            if known.get(found.symbol, ("",))[0] == found.text
            else (found.text, began, began)
            for found in comparison.findings
            if found.code == "position_mismatch" and found.symbol not in strange
        }

    def _fresh(self, comparison: Comparison) -> set[tuple[str, str]]:
        """Return what has not been seen in enough looks in a row yet: each counts for itself.

        A look that somebody has asked for early, as after a reconnect, may be answered with what
        the one before has shown.
        """
        seen: dict[tuple[str, str], tuple[int, int]] = {}
        for finding in comparison.findings:
            if finding.code in QUIET_MODES:
                key = (finding.code, finding.symbol)
                count, began = self._seen.get(key, (0, 0))
                is_early = 0 < self._began - began < DIFFERS_NS
                seen[key] = (count, began) if is_early else (count + 1, self._began)
        self._seen, looks = seen, self._run.plan.policies.looks
        return {key for key, (count, _) in seen.items() if count < looks}

    def on_no_look(self, now: int, text: str) -> None:
        """A look was given up: begin another later, and tell of it."""
        run = self._run
        if run.phase == STOPPED:
            return
        self._failed += 1
        longest = max(run.plan.policies.reconcile_ns, FAILED_NS)
        pause = min(FAILED_NS << min(self._failed - 1, 16), longest)
        run.look_at = now + pause
        told = f"{self._failed} looks at the account in a row have failed, the last at {text};"
        run.scribe.alarm("look_failed", f"{told} the next is in {pause / SECOND:g} s", now)
        if self._failed >= BLIND_AFTER and not self._departure.is_blind:
            self._departure.is_blind = True
            text = "the account cannot be looked at: nothing that could raise exposure leaves"
            run.scribe.alarm("blind", text, now)

    def on_unseen(self, now: int, number: int, text: str) -> None:
        """An order's fate cannot be seen: halt its symbol until somebody has looked."""
        run = self._run
        order = None if run.core is None else run.core.inputs.order(number)
        if run.core is None or order is None or not order.is_open:
            return
        run.core.inputs.advance(now)
        run.scribe.alarm("unseen_order", text, now)
        self._operators.halt(order.symbol, text)
        self._aftermath.settle(now)

    def _apply(self, now: int, state: BrokerState) -> None:
        events = self._run.client.apply(state)
        for event in events:
            if event.WHAT == "alarm":
                self._run.scribe.alarm(event.code, event.text, now)
        if events:
            self._run.live_core.take(now, events)
            self._aftermath.listen(events)
        self._aftermath.settle(now)

    # -- comparing -----------------------------------------------------------------------------

    def _view(self, state: BrokerState) -> OurView:
        kernel, known = self._run.live_core.kernel, self._run.journal.state
        positions: dict[str, Decimal] = {}
        for position in kernel.cache.positions():
            units = Decimal(position.quantity_exact)
            positions[position.symbol] = positions.get(position.symbol, Decimal(0)) + units
        orders = tuple(
            OurOrder(
                client_order_id=order.client_order_id,
                venue_order_id=self._run.client.venue_of(order.number)[0],
                symbol=order.symbol,
                status=order.status,
                is_unknown=order.is_unknown,
                sent_at=order.ts_init,
            )
            for order in kernel.cache.orders_open()
            if not is_brought(order, known.orders.get(order.client_order_id))
        )
        return OurView(
            symbols=frozenset(i.symbol for i in kernel.cache.instruments),
            positions=positions,
            orders=orders,
            is_ours=known.is_ours,
            is_known=self._is_known,
            # What has just been taken in is news all the same.
            known_activities=known.activities.keys() - self._adjusting.taken,
            booked=self._adjusting.taken,
            # Until the first comparison is through, cash is taken over and not compared.
            cash=None if self._run.phase == LOOKING else kernel.account.cash_exact,
            accrued=self._run.live_core.fee_ledger.accrued,
            has_ended=self._has_ended,
            is_exit=self._run.has_sent,
        )

    def _has_ended(self, client_order_id: str) -> bool:
        closed = self._run.journal.state.closed.get(client_order_id)
        return closed is not None and closed.ts < self._began

    def _is_known(self, client_order_id: str) -> bool:
        known = self._run.journal.state
        stem = client_order_id
        head, dash, tail = client_order_id.rpartition("-r")
        if dash and tail.isdigit():
            stem = head
        return stem in known.orders or stem in known.closed

    def _announce(self, now: int, change: BrokerAdjustment) -> None:
        """Tell of a change of what is held, and halt for it, before it is known and counts.

        Beside a difference that is fresh nothing is concluded for two looks, and a start after a
        kill tells of nothing that is known.
        """
        run = self._run
        if run.journal.state.is_new:
            return
        symbols = [one.symbol for one in run.live_core.kernel.cache.instruments]
        for finding in adjusted(symbols, [change]):
            if finding not in run.findings:
                run.findings = (*run.findings, finding)
                run.scribe.alarm(finding.code, finding.text, now)
            if finding.halts:
                self._operators.halt(finding.symbol, finding.text)

    # -- acting on it --------------------------------------------------------------------------

    def _conclude(self, now: int, state: BrokerState, comparison: Comparison) -> None:
        """Journal what was found, and halt what has to be."""
        run, scribe = self._run, self._run.scribe
        is_first = run.journal.state.is_new
        has_moved = not is_first and self._settle_cash(now, comparison)
        self._record_adjustments(now, comparison)
        if run.phase != LOOKING:
            # At a start the node takes over what nothing explains.
            has_moved |= self._close_gap(now)
        if has_moved:
            # Loss and drawdown count from there.
            scribe.save_risk()
        # What happened before the first run of this journal is nobody's news.
        findings = tuple(
            f for f in comparison.findings if not (is_first and f.code.startswith("adjusted_"))
        )
        news = [f for f in findings if f not in run.findings]
        run.findings = findings
        for finding in news:
            scribe.alarm(finding.code, finding.text, now)
        for finding in findings:
            if finding.halts == "all":
                self._operators.halt("", finding.text)
            elif finding.halts == "symbol":
                self._operators.halt(finding.symbol, finding.text)
        self._check_clock(now, state)
        self._record_account(now, state)
        self._resolve_lost(now, state, comparison)

    def _record_adjustments(self, now: int, comparison: Comparison) -> None:
        for change in comparison.adjustments:
            if change.activity_id not in self._adjusting.taken:
                after: tuple[r.PositionState, ...] = ()
                if change.kind == "dividend":
                    after = position_states(self._run.live_core, change.symbol)
                self._run.journal.record(adjustment_record(now, change, after))
        self._adjusting.taken.clear()

    def _record_account(self, now: int, state: BrokerState) -> None:
        run = self._run
        run.journal.record(
            r.Account(
                ts=now,
                account=state.account,
                cash=f"{state.cash:f}",
                equity=f"{state.equity:f}",
                positions={symbol: f"{units:f}" for symbol, units in state.positions.items()},
            )
        )
        run.journal.record(
            r.Reconciled(
                ts=now,
                reason="start" if run.phase == LOOKING else "schedule",
                findings=tuple((f.code, f.symbol, f.text) for f in run.findings),
                activities_until=state.activities_until,
            )
        )

    def _settle_cash(self, now: int, comparison: Comparison) -> bool:
        """Let accrued fees be replaced by the broker's, and book what else moved cash.

        True if there was anything.
        """
        news = [a for a in comparison.adjustments if a.activity_id not in self._adjusting.taken]
        entries = self._run.live_core.settle_cash(now, news)
        for entry in entries:
            if entry.kind == "fee_difference" and entry.amount:
                text = f"accrued {entry.accrued:f}, charged {entry.charged:f}"
                self._run.journal.record(
                    r.Adjustment(
                        ts=now,
                        activity_id=entry.activity_id,
                        kind=entry.kind,
                        symbol="",
                        quantity="0",
                        amount=f"{entry.amount:f}",
                        text=text,
                        ts_event=entry.ts_event,
                    )
                )
        return bool(entries)

    def _close_gap(self, now: int) -> bool:
        """Take over cash that the broker has stated look after look and nothing explains.

        True if there was some. It is an entry of its own, and neither gain nor loss: positions are
        never touched.
        """
        gap = self._gaps[0]
        if not gap or len(self._gaps) < self._run.plan.policies.looks or set(self._gaps) != {gap}:
            return False
        run = self._run
        self._gaps.clear()
        run.live_core.inputs.cash(now, f"{gap:f}", "cash")
        run.journal.record(
            r.Adjustment(
                ts=now,
                activity_id=f"cash-{run.plan.run_id}-{now}",
                kind="cash_difference",
                symbol="",
                quantity="0",
                amount=f"{gap:f}",
                text="nothing explains it: the broker's cash is taken over",
                ts_event=now,
            )
        )
        return True

    def _check_clock(self, now: int, state: BrokerState) -> None:
        """Tell of a clock that is not the broker's; the look itself takes some seconds."""
        run, ahead = self._run, now - state.server_ts
        if run.plan.checks_clock and state.server_ts and not CLOCK_MIN_NS < ahead < CLOCK_MAX_NS:
            text = f"this machine's clock is {ahead / SECOND:+.1f} s off the broker's"
            run.scribe.alarm("clock", text, now)

    def _resolve_lost(self, now: int, state: BrokerState, comparison: Comparison) -> None:
        """Give up submits that two full lists after their session do not have."""
        orders = {o.client_order_id: o for o in self._run.live_core.kernel.cache.orders_open()}

        def is_over(name: str) -> bool:
            order = orders[name]
            if state.session_open is not False and "/" not in order.symbol:
                return False
            return now - order.ts_init > MINUTE

        for name in self._absences.look(comparison.absent, now, session_over=is_over):
            text = "two full lists after the session do not have it"
            self._operators.resolve_lost(name, NODE, text)

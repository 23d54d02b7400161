"""The start of a run, which is also a restart and a recovery: bring back what the journal knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.errors import ConfigError, ConnectionLost
from pyrt.kernel.subscriptions import unheard
from pyrt.live.core.broker import BrokerState
from pyrt.live.core.node import NodeCore
from pyrt.live.core.restore import is_canceling
from pyrt.live.core.tape import Tape
from pyrt.live.core.terms import rules_in_force
from pyrt.live.driver.acts import make_core, settle, start_strategies, tell_missed
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.brought import end_of, with_entries
from pyrt.live.driver.comeback import HELD_HERE, Comeback, entries_of, plain
from pyrt.live.driver.days import AccountDays
from pyrt.live.driver.figures import DailyFigures
from pyrt.live.driver.history import History, Refused
from pyrt.live.driver.operating import Operators
from pyrt.live.driver.resuming import go_on_with
from pyrt.live.driver.run import LOOKING, NODE, RUNNING, Run
from pyrt.live.driver.stopping import Stopping
from pyrt.live.driver.unguarded import unguarded
from pyrt.live.journal import records as r
from pyrt.strategy.strategy import Strategy

FAILURES_MAX = 8
"""Queries that may fail, one after the other, before a start is given up."""


class Recovery:
    """Makes the core from journal and account, and lets strategies speak.

    Parameters
    ----------
    run : Run
    aftermath : Aftermath
    operators : Operators
    history : History
    stopping : Stopping
    instruments : sequence of Instrument
    strategies : sequence of Strategy
    days : AccountDays
    figures : DailyFigures
    fees : FeeModel, optional
        What fills are taken to cost until the broker says it.
    """

    def __init__(
        self,
        run: Run,
        aftermath: Aftermath,
        operators: Operators,
        history: History,
        stopping: Stopping,
        instruments: Sequence[Instrument],
        strategies: Sequence[Strategy],
        days: AccountDays,
        figures: DailyFigures,
        fees: FeeModel | None,
    ) -> None:
        self._run = run
        self._aftermath = aftermath
        self._operators = operators
        self._history = history
        self._stopping = stopping
        self._instruments = list(instruments)
        self._strategies = list(strategies)
        self._days = days
        self._figures = figures
        self._fees = fees
        self._failures = 0
        self.has_gone_on = False
        """Whether a run was brought back by its inputs; its strategies have started long ago."""
        self._going_on: list[int] = []

    def forget_failures(self) -> None:
        """Count anew: a look at the account was answered."""
        self._failures = 0

    def count_failures(self, alarm: Any) -> None:
        """Give a start up when the broker does not let us look at the account."""
        if self._run.phase == LOOKING and alarm.code == "query_failed":
            self._failures += 1
            if "HTTP 401" in alarm.text or "HTTP 403" in alarm.text:
                text = f"the broker refuses the keys: {alarm.text}"
                self._run.give_up(ConfigError(text, remedy="Look at the keys and the mode"))
            elif self._failures >= FAILURES_MAX:
                text = f"the broker does not answer: {alarm.text}"
                self._run.give_up(ConnectionLost(text, remedy="Start again when it does"))

    def recover(self, now: int, state: BrokerState) -> None:
        """Bring back what the journal knows: one path for a first start and for all others.

        Raises
        ------
        ConfigError
            If the account is another than expected, or may not trade; or if another run in this
            journal has had this one's name.
        """
        self._check_name()
        self._check_account(state)
        was_cut_off = not self._run.journal.state.ended_well
        comeback = Comeback(self._run, self._instruments, self._strategies, self._fees)
        if comeback.is_possible():
            self._go_on(now, state, comeback)
        else:
            self._begin(now, state)
            if comeback.refusal:
                text = "the last run is not played again, strategies go on from their last save: "
                self._run.scribe.alarm("not_replayed", text + comeback.refusal, now)
        self._take_over(now)
        for text in unguarded(self._run, self._going_on) if was_cut_off else ():
            self._run.scribe.alarm("unguarded", text, now)

    def _begin(self, now: int, state: BrokerState) -> None:
        """Make a core from what the journal adds up to."""
        run, known = self._run, self._run.journal.state
        self._drop_emulated(now, known.orders)
        opening = r.Opening(
            cash=f"{self._cash(state) - sum(map(Decimal, known.accrued.values())):f}",
            orders=with_entries(known.orders.values(), known.closed),
            positions=tuple(known.positions.values()),
            saves={name: saved for name, (_, saved) in known.saves.items()},
            risk=known.risk,
            account=rules_in_force(run.plan.account, state).to_dict(),
        )
        core = make_core(
            run.scribe,
            run.gate,
            self._instruments,
            self._strategies,
            run.plan,
            opening,
            Tape(),
            self._fees,
        )
        core.fee_ledger.restore(known.accrued)
        self._tell_dropped_limits(now, known.risk)
        run.journal.compact(now)
        self._record_start(now, state, core, opening)
        run.journal.begin_tape(run.plan.run_id)
        self._join(now, state, core)

    def _cash(self, state: BrokerState) -> Decimal:
        """Return what was here when the record ended: what came since is taken in like all news.

        A record that does not know it is new, or of an older version; what there was before the
        first run of a journal is what that begins with.
        """
        known = self._run.journal.state
        if known.our_cash:
            return Decimal(known.our_cash)
        news = (a for a in state.adjustments if a.activity_id not in known.activities)
        moved = Decimal(0) if known.is_new else sum((a.amount for a in news), Decimal(0))
        return state.cash - moved

    def _tell_dropped_limits(self, now: int, risk: bytes) -> None:
        """Tell where somebody had changed limits by hand: from here on the settings count again."""
        run = self._run
        start, limits = run.journal.past.start, getattr(run.gate, "limits", None)
        if start is None or limits is None or not risk:
            return
        # Where the settings are others than they were, whoever has written them knows.
        is_same = start.limits == plain(limits.to_dict())
        if is_same and msgspec.msgpack.decode(risk)["limits"] != limits.version:
            text = "limits that were changed by hand are those of the settings again"
            run.scribe.alarm("limits_reset", text, now)

    def _go_on(self, now: int, state: BrokerState, comeback: Comeback) -> None:
        """Bring the last run back by its inputs, and go on with it."""
        run = self._run
        core, rehearsal, opening = comeback.play(now)
        comeback.go_over(core, rehearsal, now)
        self._going_on = comeback.going_on
        run.flush_tape()
        here = {order.client_order_id for order in core.kernel.cache.orders_open()}
        self._note_worked(now, core)
        known = run.journal.state.orders
        self._drop_emulated(now, {n: order for n, order in known.items() if n not in here})
        last = run.journal.past.start
        assert last is not None
        run.journal.compact(now)
        # What was played is on the tape of this run, and need not be anywhere else.
        run.journal.commit(sync_inputs=True)
        self.has_gone_on = True
        self._record_start(
            now,
            state,
            core,
            opening,
            resumes=last.run_id,
            resumed_at=core.inputs.count,
            first_prefix=last.first_prefix or last.prefix,
            # Those that it began with: a change of them is among its inputs.
            limits=last.limits,
        )
        self._tell_dropped_limits(now, run.journal.state.risk)
        core.speak_to(run.scribe)
        core.doubt_halts()
        self._join(now, state, core)

    def _note_worked(self, now: int, core: NodeCore) -> None:
        """Record what algorithms have filled, where the record ends before that, or is older."""
        run, known = self._run, self._run.journal.state.orders
        worked = {name for name, order in known.items() if order.status == "EMULATED"}
        for number in range(core.kernel.cache.order_count + 1 if worked else 0):
            order = core.inputs.order(number)
            if order is not None and order.client_order_id in worked and not order.is_open:
                ended = run.scribe.state_of(order)
                run.journal.record(
                    r.Outcome(ts=now, kind="fill", ts_event=order.ts_last, order=ended)
                )

    def _join(self, now: int, state: BrokerState, core: NodeCore) -> None:
        """Make a core this run's own: from here on what it does is written down, and leaves."""
        run = self._run
        self._aftermath.skip_past(core)
        core.on_bad_event = self._operators.put_aside
        core.later.ask_history = self._history.ask
        core.later.run_slow = run.run_slow
        if self._is_to_arm(state):
            self._record_arming(now, state)
        run.scribe.attach(core)
        run.scribe.on_surprise = self._operators.halt
        run.scribe.historical = []
        run.core = core

    def _take_over(self, now: int) -> None:
        """Bring the core up to the present, and let the client know of the orders there are."""
        run, core = self._run, self._run.live_core
        if run.journal.torn is not None:
            torn = run.journal.torn
            run.scribe.alarm("torn_tail", f"{torn.size} bytes were cut off {torn.segment}", now)
        known, closed = run.journal.state.orders, run.journal.state.closed
        ended: dict[int, str] = {}
        for order in core.kernel.cache.orders_open():
            state = known.get(order.client_order_id)
            end = end_of(order, state, closed)
            if end:
                ended[order.number] = end
            elif state is not None:
                wanted = state.cancel_wanted or is_canceling(order)
                run.client.adopt(order, msgspec.structs.replace(state, cancel_wanted=wanted))
        core.inputs.advance(now)
        for number, end in ended.items():
            text = "the order that was to bring it has ended"
            core.inputs.order_event(end, number, now, text)
        if self.has_gone_on:
            self._drop_held(core)
            core.inputs.settle()

    def _drop_held(self, core: NodeCore) -> None:
        """Cancel orders that only the last run's process has held: they died with it."""
        for order in core.kernel.cache.orders_open():
            if order.status in HELD_HERE and order.number not in self._going_on:
                name = order.client_order_id
                text = f"{name}, a {order.order_type} order for {order.symbol}, was emulated"
                self._run.scribe.alarm("emulated_lost", f"{text} and died with its node")
                self._operators.carry_out("cancel", NODE, "its node has stopped", order=name)
                if order.is_exit:
                    self._run.scribe.lose_exit(order)

    def _check_name(self) -> None:
        """Refuse a name twice: the broker would take new orders for those of the run before."""
        run_id = self._run.plan.run_id
        if self._run.journal.has_run(run_id):
            raise ConfigError(
                f"there was a run {run_id} in this state folder already",
                code="run_id",
                remedy="Give another run_id, or none",
            )

    def _check_account(self, state: BrokerState) -> None:
        expected = self._run.plan.account_id
        pinned = self._run.journal.state.account
        if expected and state.account != expected:
            raise ConfigError(
                f"the keys belong to account {state.account}, not to {expected}",
                code="wrong_account",
            )
        if pinned and state.account != pinned:
            raise ConfigError(
                f"this state folder is of account {pinned}, the keys are of {state.account}",
                code="wrong_account",
                remedy="Use the keys of that account, or another state_dir",
            )
        if self._is_to_arm(state) and self._run.plan.arm != state.account:
            raise ConfigError(
                f"account {state.account} is not armed for real money in this state folder",
                code="not_armed",
                remedy="Start once with --arm and the account's number, which is then remembered",
            )
        if not state.may_trade:
            raise ConfigError(f"the account may not trade: {state.status}", code="no_trading")

    def _is_to_arm(self, state: BrokerState) -> bool:
        plan, known = self._run.plan, self._run.journal.state
        return plan.mode == "live" and known.armed != state.account

    def _record_arming(self, now: int, state: BrokerState) -> None:
        """Remember who is armed; nobody is asked again."""
        self._run.journal.record(
            r.Operation(
                ts=now,
                actor="operator",
                action="arm",
                reason="the account's number was typed at the start",
                arguments={"account": state.account},
            )
        )

    def _drop_emulated(self, now: int, orders: Mapping[str, r.OrderState]) -> None:
        """Close orders that only an earlier run has held: they died with it."""
        run = self._run
        for order in tuple(orders.values()):
            if order.status in HELD_HERE:
                name = order.client_order_id
                text = f"{name}, a {order.order_type} order for {order.symbol}, was emulated"
                run.journal.record(
                    r.NotSent(ts=now, client_order_id=name, reason=f"{text}; its node has stopped")
                )
                run.scribe.alarm("emulated_lost", f"{text} and died with its node", now)

    def _record_start(
        self, now: int, state: BrokerState, core: NodeCore, opening: r.Opening, **resumed: Any
    ) -> None:
        run, plan = self._run, self._run.plan
        limits = getattr(run.gate, "limits", None)
        resumed.setdefault("limits", {} if limits is None else plain(limits.to_dict()))
        run.journal.record(
            r.RunStart(
                ts=now,
                run_id=plan.run_id,
                prefix=plan.prefix,
                version=plan.version,
                account=state.account,
                mode=plan.mode,
                config=plan.config,
                strategies=entries_of(core.kernel.strategies),
                instruments=tuple(plain(i.to_dict()) for i in core.kernel.cache.instruments),
                default_tif=dict(plan.default_tif),
                opening=opening,
                source=plan.source,
                grace_ns=plan.grace_ns,
                sessions=plan.sessions is not None,
                **resumed,
            )
        )

    def speak(self, now: int, state: BrokerState) -> None:
        """Let strategies speak; then bring back what they saved and tell them what they missed.

        Those of a run that was brought back by its inputs have heard of everything as it came.
        """
        run, core, scribe = self._run, self._run.live_core, self._run.scribe
        self._take_cash(now, state)
        self._days.begin(now, state)
        missed, scribe.historical = scribe.historical or [], None
        if run.before_start is not None:
            run.before_start()
        run.journal.halts.load()
        self._operators.take_halts()
        run.phase = RUNNING
        if self.has_gone_on:
            run.note("go_on", orders=self._going_on)
            go_on_with(core, self._going_on)
            for number in core.later.ask_again():
                self._history.on_answer(now, Refused(number))
        else:
            saves = {name: saved for name, (_, saved) in run.journal.state.saves.items()}
            run.note("start", ts=now)
            start_strategies(core, now, saves)
            settle(core)
            run.note("missed", count=len(missed))
            tell_missed(core, missed)
            for text in unheard(core.kernel):
                scribe.alarm("unheard", text, now)
        for instrument in core.kernel.cache.instruments:
            if not instrument.tradable:
                text = f"{instrument.id}: the broker does not know it, or lets nobody trade it"
                scribe.alarm("not_tradable", text, now)
        for symbol in run.plan.assumed:
            text = f"{symbol}: the broker has not said how it trades, the usual terms are assumed"
            scribe.alarm("assumed_terms", text, now)
        settle(core)
        self._stopping.save(now)
        self._history.warm_up(now)
        self._figures.ask(now)
        self._aftermath.settle(now)

    def _take_cash(self, now: int, state: BrokerState) -> None:
        """Begin with the broker's cash, less what its fees will take of it."""
        core = self._run.live_core
        difference = state.cash - core.stated_cash
        if difference:
            core.inputs.cash(now, f"{difference:f}", "cash")

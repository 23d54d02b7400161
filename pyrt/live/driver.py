"""The whole node without I/O: start, run, reconcile, halt and stop; a shell brings bytes and time.

Start, restart and recovery are one path: look at the account, bring back what the journal knows,
apply what the broker tells, compare, and only then let strategies speak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from pyrt.core.bus import escape
from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.core.times import format_ns, timestamp_ns
from pyrt.data.timeframe import parse_timeframe
from pyrt.errors import ConfigError, PyrtError
from pyrt.live.broker import BrokerState
from pyrt.live.core import NodeCore
from pyrt.live.gateway import Gateway, Latch
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal
from pyrt.live.later import RunSlow
from pyrt.live.notes import cancel_entries, carry_out, encode_note
from pyrt.live.plan import MINUTE, SECOND, Plan
from pyrt.live.reconcile import Absences, Comparison, Finding, OurOrder, OurView, compare
from pyrt.live.restore import restore_orders, restore_positions
from pyrt.live.scribe import Scribe, decode_saved
from pyrt.live.tape import Tape
from pyrt.strategy.strategy import Strategy
from pyrt.venues.capabilities import capabilities_of

NEW, LOOKING, RUNNING, STOPPING, STOPPED = range(5)
"""Phases of a node, in their order."""
NODE = "node"
FAILURES_MAX = 8
"""Queries that may fail, one after the other, before a start is given up."""
LOOK_AGAIN_NS = 2 * SECOND
DAY_NS = 24 * 60 * MINUTE
WARM_DAY_BARS = 390
CLOCK_MIN_NS, CLOCK_MAX_NS = -2 * SECOND, 30 * SECOND
"""How far our clock may be ahead of the broker's answer to the first of a look's requests."""
HELD_HERE = frozenset({"INITIALIZED", "EMULATED", "RELEASED"})
"""States of orders that have not left the node."""
QUIET_MODES = frozenset({"position_mismatch", "cash_mismatch", "reopened"})


class Driver:
    """One run of a node: strategies, kernel, client core and journal; no clock, socket or thread.

    The shell hands in events of the client (`take`), lets time pass (`turn`), and sends what
    `take_requests` returns. The journal is committed by whoever owns it.

    Parameters
    ----------
    client : object
        The adapter's client core.
    journal : Journal
    gate : RiskGate
    instruments : sequence of Instrument
    strategies : sequence of Strategy
    plan : Plan
    fees : FeeModel, optional
        What fills are taken to cost until the broker says it.

    Attributes
    ----------
    phase : int
        NEW, LOOKING, RUNNING, STOPPING or STOPPED.
    core : NodeCore or None
        From the first look at the account on.
    error : PyrtError or None
        Why the start was given up.
    latch : Latch
        Once set, no order leaves.
    """

    def __init__(
        self,
        client: Any,
        journal: Journal,
        gate: Any,
        instruments: Sequence[Instrument],
        strategies: Sequence[Strategy],
        plan: Plan,
        *,
        fees: FeeModel | None = None,
    ) -> None:
        self.client = client
        self._fees = fees
        self.journal = journal
        self.plan = plan
        self.phase = NEW
        self.core: NodeCore | None = None
        self.error: PyrtError | None = None
        self.latch = Latch()
        self.scribe = Scribe(journal, client)
        self.last_look: BrokerState | None = None
        self.findings: tuple[Finding, ...] = ()
        self.stop_reason = ""
        self._gate = gate
        self._instruments = list(instruments)
        self._strategies = list(strategies)
        self._gateway = Gateway(
            self.scribe,
            self.latch,
            age_ns=plan.policies.order_age_ns,
            may_submit=self._waits_for,
            barred=self._barred,
        )
        self._absences = Absences()
        self._looks = self._failures = self._look_began = 0
        self.listener: Callable[[Any, NodeCore], object] | None = None
        self.run_slow: RunSlow | None = None
        self._look_at: int | None = None
        self._save_at: int | None = None
        self._stop_by: int | None = None
        self._warming: set[str] = set()
        self._halted: set[tuple[str, str]] = set()
        self._seen_errors = 0
        self._seen_changes = 0
        self._seen_intents = 0
        self._was_active = self._merging = False
        self._cash: Decimal | None = None

    # -- what the shell calls ------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether strategies have started and the node has not stopped."""
        return self.phase in (RUNNING, STOPPING)

    @property
    def is_ready(self) -> bool:
        """Whether reconciliation and warm-up are through."""
        return self.phase == RUNNING and not self._warming

    def begin(self, now: int) -> None:
        """Start: ask for the account."""
        self.phase = LOOKING
        self._look(now)

    def take(self, now: int, events: Iterable[Any]) -> None:
        """Take what the client core has made of bytes, in order."""
        mine: list[Any] = []
        for event in events:
            what = event.WHAT
            if what == "broker_state":
                self._tell(now, mine)
                mine = []
                self._on_look(now, event)
            elif what == "warm":
                self._tell(now, mine)
                mine = []
                self._on_warm(event)
            elif what in ("history", "computed"):
                self._tell(now, mine)
                mine = []
                self._on_answer(now, event)
            elif what == "alarm":
                self.scribe.alarm(event.code, event.text, now)
                self._count_failures(event)
            elif self.core is not None:
                mine.append(event)
        self._tell(now, mine)

    def take_signals(self, now: int, signals: Sequence[Signal]) -> None:
        """Take signals of models in other processes: strategies hear them on the bus."""
        if self.core is None or self.phase != RUNNING:
            return
        self.core.inputs.advance(now)
        for signal in signals:
            self._note("signal", **signal.to_dict())
            publish_signal(self.core, signal)
        self._after(now)

    def turn(self, now: int, *, timers: bool = True) -> None:
        """Let time pass: what is due happens; with `timers`, those of strategies too."""
        self.take(now, self.client.poll(now))
        if self.core is None:
            if self._look_at is not None and now >= self._look_at:
                self._look(now)
            return
        self.core.take(now, [])
        if timers and self.is_running:
            self.core.fire_timers()
        if self.journal.failure is not None:
            self._on_journal_failure()
        self._watch_stream(now)
        if self._look_at is not None and now >= self._look_at:
            self._look(now)
        if self._save_at is not None and now >= self._save_at:
            self.save(now)
        self._after(now)
        if self.phase == STOPPING:
            self._go_on_stopping(now)

    def take_requests(self, now: int) -> list[Any]:
        """Return the requests that may leave now."""
        leaving = self._gateway.let_go(self.client.take_requests(now), now)
        for request, reason in self._gateway.take_dropped():
            self.scribe.not_sent(request.order_number, reason)
            self.scribe.alarm("not_sent", f"an order did not leave: {reason}", now)
            self.take(now, self.client.not_sent(request, reason, now))
        self._flush_tape()
        return leaving

    def next_due(self, now: int) -> int | None:
        """Return when `turn` has something to do next, ns UTC."""
        due = [
            self.client.next_due(now),
            None if self.core is None else self.core.inputs.next_timer,
            self._gateway.next_due(),
            self._look_at,
            self._save_at,
            self._stop_by,
        ]
        return min((d for d in due if d is not None), default=None)

    @property
    def held_back(self) -> int:
        """How many orders wait for their record to be durable."""
        return len(self._gateway)

    # -- start ---------------------------------------------------------------------------------

    def _count_failures(self, alarm: Any) -> None:
        """Give a start up when the broker does not let us look at the account."""
        if self.phase == LOOKING and alarm.code == "query_failed":
            self._failures += 1
            if self._failures >= FAILURES_MAX or "HTTP 401" in alarm.text:
                self._give_up(ConfigError(f"the broker does not answer: {alarm.text}"))

    def _on_look(self, now: int, state: BrokerState) -> None:
        self.last_look = state
        if self.core is not None:
            # What is done about it happens now, not when the last event came.
            self.core.inputs.advance(now)
        try:
            if self.core is None:
                self._check_account(state)
                self._make_core(now, state)
            assert self.core is not None
            self._apply(now, state)
            self._merging = False
        except PyrtError as error:
            if self.phase != LOOKING:
                raise
            self._give_up(error)
            return
        comparison = self._compare(state)
        self._looks += 1
        suspicious = any(f.code in QUIET_MODES for f in comparison.findings)
        if suspicious and self._looks < self.plan.policies.looks:
            self._look_at = now + LOOK_AGAIN_NS
            return
        self._looks = 0
        self._look_at = now + self.plan.policies.reconcile_ns
        self._conclude(now, state, comparison)
        if self.phase == LOOKING:
            self._take_cash(state)
            self._start(now)

    def _take_cash(self, state: BrokerState) -> None:
        """Begin with the broker's cash: what missed fills cost is in it already."""
        assert self.core is not None
        difference = state.cash - self.core.kernel.account.cash_exact
        if difference:
            self._note("cash", amount=f"{difference:f}")
            take_cash(self.core, f"{difference:f}")

    def _check_account(self, state: BrokerState) -> None:
        expected = self.plan.account_id
        pinned = self.journal.state.account
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
        if not state.may_trade:
            raise ConfigError(f"the account may not trade: {state.status}", code="no_trading")

    def _make_core(self, now: int, state: BrokerState) -> None:
        """Bring back what the journal knows: one path for a first start and for all others."""
        known = self.journal.state
        plan = self.plan
        self._drop_emulated(now)
        orders = tuple(known.orders.values())
        positions = tuple(known.positions.values())
        opening = r.Opening(
            cash=f"{state.cash:f}",
            orders=orders,
            positions=positions,
            saves={name: saved for name, (_, saved) in known.saves.items()},
            risk=known.risk,
        )
        core = make_core(
            self.scribe,
            self._gate,
            self._instruments,
            self._strategies,
            plan,
            opening,
            Tape(),
            self._fees,
        )
        core.on_bad_event = self._on_bad_event
        core.later.ask_history = self._ask_history
        core.later.run_slow = self.run_slow
        limits = getattr(self._gate, "limits", None)
        self.journal.compact(now)
        self.journal.record(
            r.RunStart(
                ts=now,
                run_id=plan.run_id,
                prefix=plan.prefix,
                version=plan.version,
                account=state.account,
                mode=plan.mode,
                config=plan.config,
                limits={} if limits is None else plain(limits.to_dict()),
                strategies=tuple(_entry(s) for s in core.kernel.strategies),
                instruments=tuple(plain(i.to_dict()) for i in core.kernel.cache.instruments),
                default_tif=dict(plan.default_tif),
                opening=opening,
                source=plan.source,
                grace_ns=plan.grace_ns,
                sessions=plan.sessions is not None,
            )
        )
        self.journal.begin_tape(plan.run_id)
        self.scribe.attach(core)
        self.scribe.on_surprise = self._halt
        self.scribe.historical = []
        self.core = core
        if self.journal.torn is not None:
            torn = self.journal.torn
            self.scribe.alarm("torn_tail", f"{torn.size} bytes were cut off {torn.segment}", now)
        core.inputs.advance(now)
        restored = {o.client_order_id: o for o in core.kernel.cache.orders_open()}
        for order_state in orders:
            order = restored.get(order_state.client_order_id)
            if order is not None:
                self.client.adopt(order, order_state)

    def _drop_emulated(self, now: int) -> None:
        """Close orders that only an earlier run has held: they died with it."""
        for order in tuple(self.journal.state.orders.values()):
            if order.status in HELD_HERE:
                name = order.client_order_id
                text = f"{name}, a {order.order_type} order for {order.symbol}, was emulated"
                self.journal.record(
                    r.NotSent(ts=now, client_order_id=name, reason=f"{text}; its node has stopped")
                )
                self.scribe.alarm("emulated_lost", f"{text} and died with its node", now)

    def _start(self, now: int) -> None:
        """Let strategies speak; then bring back what they saved and tell them what they missed."""
        assert self.core is not None
        core, scribe = self.core, self.scribe
        missed, scribe.historical = scribe.historical or [], None
        saves = {name: saved for name, (_, saved) in self.journal.state.saves.items()}
        self.phase = RUNNING
        self._note("start", ts=now)
        start_strategies(core, now, saves)
        core.inputs.settle()
        self._note("missed", count=len(missed))
        tell_missed(core, missed)
        core.inputs.settle()
        self._save_at = now + self.plan.policies.save_ns
        self.save(now)
        if self.plan.policies.warmup:
            # The broker's time: a simulator of other days has its own.
            there = now if self.last_look is None else self.last_look.server_ts or now
            for symbol in core.bar_symbols:
                self._warming.add(symbol)
                self.client.warm(symbol, there - self._warm_span(symbol), there)
        self._after(now)

    def _warm_span(self, symbol: str) -> int:
        """Return how far back history is asked for, so that enough bars are in it."""
        assert self.core is not None
        bars = self.plan.policies.warmup
        for stream in self.core.kernel.cache.streams:
            if stream.kind == "bars" and stream.symbol == symbol:
                longest = max(stream.lookbacks, default=0)
                each = max(stream.timeframe_ns // MINUTE, 1)
                bars = max(bars, max(4 * longest, self.plan.policies.warmup) * each)
        if "/" in symbol:
            return bars * MINUTE
        # Sessions have 390 minutes, weeks five of them, and some days are holidays.
        return (bars // WARM_DAY_BARS * 7 // 5 + 5) * DAY_NS

    def _on_warm(self, event: Any) -> None:
        assert self.core is not None
        self._warming.discard(event.symbol)
        self.core.warm(event.symbol, event.bars)

    def _on_answer(self, now: int, event: Any) -> None:
        """Hand over what a strategy has asked for."""
        assert self.core is not None
        core = self.core
        core.take(now, [])
        if event.WHAT == "history":
            rows = [(b.ts_open, b.ts_close, *b.prices) for b in event.bars]
            self._note("history", number=event.number, rows=rows)
            core.later.deliver_history(event.number, rows)
        else:
            self._note("computed", number=event.number)
            core.later.deliver_result(event.number, event.result)
        core.inputs.settle()
        self._after(now)

    def _ask_history(self, number: int, symbol: str, timeframe: str, bars: int) -> None:
        look = self.last_look
        there = 0 if look is None else look.server_ts - look.ts if look.server_ts else 0
        end = self.scribe.now + there
        span = parse_timeframe(timeframe) * bars
        if "/" not in symbol:
            days = span // (WARM_DAY_BARS * MINUTE) if span % DAY_NS else span // DAY_NS
            span = (days * 7 // 5 + 5) * DAY_NS
        self.client.history(number, symbol, timeframe, end - span, end, bars)

    def _give_up(self, error: PyrtError) -> None:
        self.error = error
        self.phase = STOPPED
        self.latch.set(str(error))

    # -- events --------------------------------------------------------------------------------

    def _tell(self, now: int, events: list[Any]) -> None:
        if self.core is None or not events:
            return
        self.core.take(now, events)
        self._listen(events)
        self._after(now)

    def _listen(self, events: Iterable[Any]) -> None:
        if self.listener is not None and self.core is not None:
            for event in events:
                self.listener(event, self.core)

    def _after(self, now: int) -> None:
        """Write down what followed from what was just taken."""
        core, scribe = self.core, self.scribe
        if core is None:
            return
        if scribe.filled and self.phase != LOOKING:
            filled, scribe.filled = scribe.filled, {}
            for strategy in core.kernel.strategies:
                if strategy.name in filled:
                    scribe.save_strategy(strategy)
        errors = core.kernel.errors
        while self._seen_errors < len(errors):
            error = errors[self._seen_errors]
            self._seen_errors += 1
            name = str(error.values.get("strategy", ""))
            scribe.journal.record(
                r.StrategyStopped(ts=scribe.now, strategy=name, reason=error.message)
            )
            scribe.alarm("strategy_stopped", error.message, now)
        changes = getattr(core.kernel.gate, "changes", ())
        if len(changes) != self._seen_changes or scribe.intents != self._seen_intents:
            for change in changes[self._seen_changes :]:
                if change.after in ("HALTED", "REDUCING", "OPEN"):
                    scribe.alarm(
                        "restricted", f"{change.scope} is {change.after}: {change.reason}", now
                    )
            self._seen_changes, self._seen_intents = len(changes), scribe.intents
            scribe.save_risk()
        scribe.note_sightings()

    def _on_bad_event(self, event: Any, error: Exception) -> None:
        """Put an impossible event aside: its symbol is halted until somebody has looked."""
        assert self.core is not None
        number = getattr(event, "number", -1)
        order = self.core.inputs.order(number) if number >= 0 else None
        symbol = "" if order is None else order.symbol
        self.scribe.alarm("bad_event", f"{type(event).__name__}: {error}")
        self._halt(symbol, f"an event that cannot be: {error}")

    def _watch_stream(self, now: int) -> None:
        """Look at the account after each reconnect of the order stream."""
        is_active = self.client.trade_updates.is_active
        if is_active and not self._was_active and self.phase == RUNNING:
            # What the stream has missed is merged before anything new leaves.
            self._merging = True
            self._look(now)
        if self._was_active and not is_active:
            self.scribe.alarm("stream_lost", "the stream of order news is down", now)
        self._was_active = is_active

    def _waits_for(self) -> str:
        """Return what orders have to wait for; "" when they may leave."""
        if self.phase == LOOKING:
            return "the account is being looked at"
        if not self.client.trade_updates.is_active:
            return "the stream of order news is down"
        return "what the stream has missed is being merged" if self._merging else ""

    def _barred(self, number: int) -> str:
        """Return why an order may not leave, though it was let through: a halt came since."""
        order = None if self.core is None else self.core.inputs.order(number)
        state = getattr(self._gate, "state", None)
        if order is None or state is None:
            return ""
        scopes = (
            ("everything", state()),
            (order.symbol, state(symbol=order.symbol)),
            (order.strategy.name, state(strategy=order.strategy.name)),
        )
        return next((f"{what} is HALTED" for what, found in scopes if found.name == "HALTED"), "")

    def _on_journal_failure(self) -> None:
        if not self.latch.is_set:
            self.latch.set(f"the journal fails: {self.journal.failure}")
            self.scribe.alarm("journal", f"the journal cannot be written: {self.journal.failure}")
            self._halt("", "the journal cannot be written")

    # -- looking and comparing -----------------------------------------------------------------

    def look(self, now: int) -> None:
        """Look at the whole account, unless a look is under way."""
        self._look(now)

    def _look(self, now: int) -> None:
        state = self.journal.state
        since = [o.ts_init for o in state.orders.values() if o.ts_init]
        age = now - min(since, default=now) + DAY_NS
        until = state.activities_until
        # One day of overlap: activities of one instant may come in any order.
        activities = "" if not until else _day_before(until)
        if self.client.look(age, activities):
            self._look_at, self._look_began = None, now
        else:
            self._look_at = now + LOOK_AGAIN_NS

    def _apply(self, now: int, state: BrokerState) -> None:
        assert self.core is not None
        events = self.client.apply(state)
        if events:
            self.core.take(now, events)
            self._listen(events)
        self._after(now)

    def _compare(self, state: BrokerState) -> Comparison:
        return compare(self._view(state), state, self.plan.policies.reconcile)

    def _view(self, state: BrokerState) -> OurView:
        assert self.core is not None
        kernel, known = self.core.kernel, self.journal.state
        positions: dict[str, Decimal] = {}
        for position in kernel.cache.positions():
            units = Decimal(position.quantity_exact)
            positions[position.symbol] = positions.get(position.symbol, Decimal(0)) + units
        orders = tuple(
            OurOrder(
                client_order_id=order.client_order_id,
                venue_order_id=self.client.venue_of(order.number)[0],
                symbol=order.symbol,
                status=order.status,
                is_unknown=order.is_unknown,
                sent_at=order.ts_init,
            )
            for order in kernel.cache.orders_open()
            if order.parent is None
        )
        return OurView(
            symbols=frozenset(i.symbol for i in kernel.cache.instruments),
            positions=positions,
            orders=orders,
            is_ours=known.is_ours,
            is_known=self._is_known,
            known_activities=known.activities,
            has_ended=self._has_ended,
        )

    def _has_ended(self, client_order_id: str) -> bool:
        closed = self.journal.state.closed.get(client_order_id)
        return closed is not None and closed.ts < self._look_began

    def _is_known(self, client_order_id: str) -> bool:
        known = self.journal.state
        stem = client_order_id
        head, dash, tail = client_order_id.rpartition("-r")
        if dash and tail.isdigit():
            stem = head
        return stem in known.orders or stem in known.closed

    def _conclude(self, now: int, state: BrokerState, comparison: Comparison) -> None:
        """Journal what was found, and halt what has to be."""
        scribe = self.scribe
        is_first = self.journal.state.activities_until == "" and not self.journal.state.activities
        for change in comparison.adjustments:
            scribe.journal.record(
                r.Adjustment(
                    ts=now,
                    activity_id=change.activity_id,
                    kind=change.kind,
                    symbol=change.symbol,
                    quantity=f"{change.quantity:f}",
                    amount=f"{change.amount:f}",
                    text=change.text,
                    ts_event=change.ts_event,
                )
            )
        if self.phase != LOOKING:
            # At a start the broker's cash, which the node takes over, has them all in it.
            self._settle_cash(now, comparison)
        # What happened before the first run of this journal is nobody's news.
        findings = tuple(
            f for f in comparison.findings if not (is_first and f.code.startswith("adjusted_"))
        )
        news = [f for f in findings if f not in self.findings]
        self.findings = findings
        for finding in news:
            scribe.alarm(finding.code, finding.text, now)
        for finding in findings:
            if finding.halts == "all":
                self._halt("", finding.text)
            elif finding.halts == "symbol":
                self._halt(finding.symbol, finding.text)
        self._check_clock(now, state)
        scribe.journal.record(
            r.Account(
                ts=now,
                account=state.account,
                cash=f"{state.cash:f}",
                equity=f"{state.equity:f}",
                positions={symbol: f"{units:f}" for symbol, units in state.positions.items()},
            )
        )
        scribe.journal.record(
            r.Reconciled(
                ts=now,
                reason="start" if self.phase == LOOKING else "schedule",
                findings=tuple((f.code, f.symbol, f.text) for f in findings),
                activities_until=state.activities_until,
            )
        )
        self._resolve_lost(now, state, comparison)

    def _settle_cash(self, now: int, comparison: Comparison) -> None:
        """Let accrued fees be replaced by the broker's, and book what else moved cash."""
        assert self.core is not None
        for entry in self.core.settle_cash(now, comparison.adjustments):
            if entry.kind == "fee_difference" and entry.amount:
                text = f"accrued {entry.accrued:f}, charged {entry.charged:f}"
                self.scribe.journal.record(
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

    def _check_clock(self, now: int, state: BrokerState) -> None:
        """Tell of a clock that is not the broker's; the look itself takes some seconds."""
        ahead = now - state.server_ts
        if self.plan.checks_clock and state.server_ts and not CLOCK_MIN_NS < ahead < CLOCK_MAX_NS:
            text = f"this machine's clock is {ahead / SECOND:+.1f} s off the broker's"
            self.scribe.alarm("clock", text, now)

    def _resolve_lost(self, now: int, state: BrokerState, comparison: Comparison) -> None:
        """Give up submits that two full lists after their session do not have."""
        assert self.core is not None
        orders = {o.client_order_id: o for o in self.core.kernel.cache.orders_open()}

        def is_over(name: str) -> bool:
            order = orders[name]
            if state.session_open is not False and "/" not in order.symbol:
                return False
            return now - order.ts_init > MINUTE

        for name in self._absences.look(comparison.absent, now, session_over=is_over):
            self.resolve_lost(name, NODE, "two full lists after the session do not have it")

    def resolve_lost(self, client_order_id: str, actor: str, reason: str) -> None:
        """Declare a submit of unknown outcome lost; a later sighting reopens it.

        Raises
        ------
        ConfigError
            If there is no such order, or its outcome is known.
        """
        assert self.core is not None
        for order in self.core.kernel.cache.orders_open():
            if order.client_order_id == client_order_id and order.is_unknown:
                now = int(self.core.kernel.clock.timestamp_ns)
                self._operation(actor, "lost", reason, {"order": client_order_id})
                self.core.inputs.order_event("lost", order.number, now, reason)
                self.core.inputs.settle()
                self._after(now)
                return
        raise ConfigError(f"{client_order_id} is no order of unknown outcome", code="not_unknown")

    # -- halts and operators -------------------------------------------------------------------

    def _halt(self, symbol: str, reason: str) -> None:
        assert self.core is not None
        key = (symbol, reason)
        if key in self._halted:
            return
        self._halted.add(key)
        self._carry_out("halt", NODE, reason, symbol=symbol)

    def operate(
        self, action: str, actor: str, reason: str, *, symbol: str = "", strategy: str = ""
    ) -> str:
        """Carry out what an operator asks; journalled with who and why. Returns what was done.

        Raises
        ------
        ConfigError
            If the action is unknown, nobody or no reason is named, or the node does not run.
        """
        if self.core is None:
            raise ConfigError("the node has not started yet", code="not_running")
        if action == "resume":
            if self.journal.failure is not None:
                raise ConfigError("the journal cannot be written", code="journal")
            self._halted.clear()
            self.latch.clear()
        return self._carry_out(action, actor, reason, symbol=symbol, strategy=strategy)

    def _carry_out(
        self, action: str, actor: str, reason: str, *, symbol: str = "", strategy: str = ""
    ) -> str:
        assert self.core is not None
        given = {"symbol": symbol, "strategy": strategy}
        self._operation(actor, action, reason, given)
        self._note("operate", action=action, actor=actor, reason=reason, **given)
        done = carry_out(self.core, action, actor, reason, symbol, strategy)
        self.core.inputs.settle()
        return done

    def _operation(self, actor: str, action: str, reason: str, arguments: dict[str, Any]) -> None:
        assert self.core is not None
        self.journal.record(
            r.Operation(
                ts=self.scribe.now,
                actor=actor,
                action=action,
                reason=reason,
                arguments=arguments,
                inputs=self.core.inputs.count,
            )
        )

    # -- saving and stopping -------------------------------------------------------------------

    def save(self, now: int) -> None:
        """Save strategies and risk."""
        assert self.core is not None
        self._save_at = now + self.plan.policies.save_ns
        for strategy in self.core.kernel.strategies:
            if strategy.running:
                self.scribe.save_strategy(strategy)
        self.scribe.save_risk()

    def stop(self, now: int, reason: str = "asked to stop") -> None:
        """Begin to stop: strategies stop, and orders are treated as the policy says."""
        if self.phase != RUNNING:
            self.phase = STOPPED if self.phase != STOPPING else self.phase
            return
        assert self.core is not None
        self.stop_reason = reason
        self.save(now)
        self.phase = STOPPING
        self._stop_by = now + self.plan.policies.stop_patience_ns
        policy = self.plan.policies.on_stop
        if policy == "flatten":
            self._carry_out("flatten", NODE, reason)
        self._note("stop", policy=policy)
        stop_strategies(self.core, policy)
        self.core.inputs.settle()
        self._after(now)

    def _go_on_stopping(self, now: int) -> None:
        assert self.core is not None
        assert self._stop_by is not None
        orders = self.core.kernel.cache.orders_open()
        waits = any(o.is_pending for o in orders) or self.client.queue.outstanding
        if self.plan.policies.on_stop == "flatten":
            waits = waits or bool(self.core.kernel.cache.positions())
        if waits and now < self._stop_by:
            return
        self.finish(now)

    def finish(self, now: int) -> None:
        """Write down that the run is over."""
        self.scribe.save_risk()
        self._flush_tape()
        self.journal.record(r.RunStop(ts=now, reason=self.stop_reason))
        self.phase = STOPPED
        self._stop_by = self._save_at = self._look_at = None

    def _note(self, what: str, **arguments: Any) -> None:
        assert self.core is not None
        if self.core.inputs.tape is not None:
            self.core.inputs.tape.note(encode_note(what, **arguments))

    def _flush_tape(self) -> None:
        if self.core is not None and self.core.inputs.tape is not None:
            piece = self.core.inputs.tape.take()
            if piece:
                self.journal.record_inputs(piece)


def make_core(
    client: Any,
    gate: Any,
    instruments: Sequence[Instrument],
    strategies: Sequence[Strategy],
    plan: Plan,
    opening: r.Opening,
    tape: Tape | None,
    fees: FeeModel | None = None,
) -> NodeCore:
    """Return a node core with what a run begins with: live and in replay alike."""
    core = NodeCore(
        client,
        gate,
        instruments,
        strategies,
        cash=Decimal(opening.cash),
        prefix=plan.prefix,
        default_tif=dict(plan.default_tif) or None,
        capabilities=capabilities_of(plan.venue),
        tape=tape,
        fees=fees,
    )
    core.kernel.grace_ns = plan.grace_ns
    core.kernel.sessions = plan.sessions
    restore_positions(core.kernel, opening.positions)
    restore_orders(core.kernel, opening.orders)
    if opening.risk and hasattr(gate, "restore"):
        gate.restore(msgspec.msgpack.decode(opening.risk))
    elif hasattr(gate, "resync"):
        gate.resync()
    return core


def publish_signal(core: NodeCore, signal: Signal) -> None:
    """Let strategies hear a signal, and settle what they do about it."""
    core.kernel.bus.publish(f"signal.{escape(signal.symbol)}", signal)
    core.inputs.settle()


def take_cash(core: NodeCore, amount: str) -> None:
    """Add to cash what the broker has and we do not."""
    core.kernel.account.deposit(Decimal(amount))


def start_strategies(core: NodeCore, now: int, saves: dict[str, bytes]) -> None:
    """Call `on_start` of all, then `on_load` of those that had saved something."""
    core.start(now)
    for strategy in core.kernel.strategies:
        saved = saves.get(strategy.name)
        if saved and strategy.handles("on_load"):
            call(core, strategy, "on_load", decode_saved(saved))


def tell_missed(core: NodeCore, fills: Sequence[Any]) -> None:
    """Tell strategies of the fills that came while they did not run, oldest first."""
    for fill in fills:
        strategy = fill.order.strategy
        if strategy.running and strategy.handles("on_fill"):
            call(core, strategy, "on_fill", fill)


def call(core: NodeCore, strategy: Any, handler: str, argument: Any) -> None:
    """Call a handler; an exception stops its strategy, as in any other."""
    bus = core.kernel.bus
    bus.begin()
    try:
        getattr(strategy, handler)(argument)
    except Exception as error:
        core.kernel.calls.bus_failed(getattr(strategy, handler), argument, error)
    finally:
        bus.end()


def stop_strategies(core: NodeCore, policy: str) -> None:
    """Stop all strategies, and treat what they leave behind as the policy says."""
    core.stop()
    if policy == "cancel_entries":
        cancel_entries(core.kernel)
    elif policy == "cancel_all":
        carry_out(core, "cancel_all", NODE, "the node stops", "", "")


def plain(value: Any) -> Any:
    """Return a value as msgpack takes it: numbers exact as text, keys as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    return str(value)


def _entry(strategy: Any) -> r.StrategyEntry:
    return r.StrategyEntry(
        name=strategy.name,
        cls=type(strategy).__name__,
        params=plain(strategy.params),
        capital="" if strategy.capital is None else str(strategy.capital),
    )


def _day_before(text: str) -> str:
    return format_ns(timestamp_ns(text) - DAY_NS)

"""The whole node without I/O: start, run, reconcile, halt and stop; a shell brings bytes and time.

Start, restart and recovery are one path: look at the account, bring back what the journal knows,
apply what the broker tells, compare, and only then let strategies speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.live.driver.accepting import Accepting
from pyrt.live.driver.acts import publish_signal, settle
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.days import AccountDays
from pyrt.live.driver.departure import Departure
from pyrt.live.driver.figures import DailyFigures
from pyrt.live.driver.forgetting import Forgetting
from pyrt.live.driver.gateway import Gateway
from pyrt.live.driver.history import History
from pyrt.live.driver.limiting import Limiting
from pyrt.live.driver.operating import Operators
from pyrt.live.driver.reconciliation import Reconciliation
from pyrt.live.driver.recovery import Recovery
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPING, Run
from pyrt.live.driver.stopping import Stopping
from pyrt.live.driver.unguarded import LostExits
from pyrt.live.driver.waiting_bars import WaitingBars
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Plan
from pyrt.strategy.strategy import Strategy

OUTAGE = "the broker does not answer, or wants no requests"


class Driver(Run):
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
        super().__init__(client, journal, gate, plan)
        journal.before_record = self.flush_tape
        self._departure = departure = Departure(self)
        self._gateway = Gateway(
            self.scribe,
            self.latch,
            age_ns=plan.policies.order_age_ns,
            may_submit=departure.waits_for,
            barred=departure.barred,
            reduces=departure.reduces,
            is_moot=client.is_moot,
            is_excused=departure.is_excused,
        )
        self._aftermath = aftermath = Aftermath(self)
        self._operators = operators = Operators(self, aftermath)
        self._stopping = Stopping(self, aftermath, operators)
        self._history = History(self, aftermath)
        self._waiting_bars = WaitingBars(self)
        self._forgetting = Forgetting(self)
        self._lost_exits = LostExits(self)
        self.scribe.on_lost_exit = self._lost_exits.note
        self._days = days = AccountDays(self)
        self._figures = DailyFigures(self)
        days.on_end = self._figures.ask_after_day
        self._recovery = Recovery(
            self,
            aftermath,
            operators,
            self._history,
            self._stopping,
            instruments,
            strategies,
            days,
            self._figures,
            fees,
        )
        self._reconciliation = Reconciliation(
            self, aftermath, operators, self._recovery, departure, days
        )
        if hasattr(gate, "recorder"):
            gate.recorder = operators.record_change
        self.operate = operators.operate
        self.take_halts = operators.take_halts
        self.resolve_lost = operators.resolve_lost
        self.accept = Accepting(self, operators, aftermath).accept
        limiting = Limiting(self, self._figures)
        self.set_limit = limiting.set_limit
        self.set_ramp = limiting.set_ramp
        self.look = self._reconciliation.look
        self.save = self._stopping.save
        self.finish = self._stopping.finish

    # -- how it is -----------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether strategies have started and the node has not stopped."""
        return self.phase in (RUNNING, STOPPING)

    @property
    def is_ready(self) -> bool:
        """Whether reconciliation and warm-up are through."""
        return self.phase == RUNNING and self._history.is_warm

    @property
    def has_requests(self) -> bool:
        """Whether a request waits to leave: in the client, or here for its record."""
        return len(self.client.queue) > 0 or len(self._gateway) > 0

    @property
    def orders_wait_for(self) -> str:
        """What orders have to wait for at the moment; "" when they may leave."""
        return self._departure.waits_for()

    @property
    def held_back(self) -> int:
        """How many orders wait for their record to be durable."""
        return len(self._gateway)

    @property
    def unrecorded(self) -> list[Any]:
        """The requests that wait for their record alone: a shell may make them ready."""
        return self._gateway.unrecorded

    # -- what the shell calls ------------------------------------------------------------------

    def begin(self, now: int) -> None:
        """Start: ask for the account."""
        self.phase = LOOKING
        self.look(now)

    def take(self, now: int, events: Iterable[Any]) -> None:
        """Take what the client core has made of bytes, in order."""
        mine: list[Any] = []
        self._waiting_bars.hold()
        for event in events:
            what = event.WHAT
            if what == "alarm":
                self.scribe.alarm(event.code, event.text, now)
                self._recovery.count_failures(event)
            elif what in ("broker_state", "no_look", "unseen", "warm", "history", "computed"):
                self._aftermath.tell(now, mine)
                mine = []
                self._take_answer(now, what, event)
            elif self.core is not None:
                mine.append(event)
        self._aftermath.tell(now, mine)
        self._waiting_bars.release()

    def _take_answer(self, now: int, what: str, event: Any) -> None:
        if what == "broker_state":
            self._reconciliation.on_look(now, event)
        elif what == "no_look":
            self._reconciliation.on_no_look(now, event.text)
        elif what == "unseen":
            self._reconciliation.on_unseen(now, event.number, event.text)
        elif what == "warm":
            self._history.on_warm(event)
        elif self._figures.takes(event):
            self._figures.take(now, event)
        else:
            self._history.on_answer(now, event)

    def take_signal(self, now: int, signal: Signal) -> None:
        """Take a signal of a model in another process: strategies hear it on the bus."""
        if self.core is None or self.phase != RUNNING:
            return
        self.core.inputs.advance(now)
        self.note("signal", **signal.to_dict())
        publish_signal(self.core, signal)
        settle(self.core)
        self._aftermath.settle(now)

    def turn(self, now: int, *, timers: bool = True) -> None:
        """Let time pass: what is due happens; with `timers`, those of strategies too."""
        self.take(now, self.client.poll(now))
        if self.core is None:
            self._reconciliation.look_if_due(now)
            return
        self.core.take(now, [])
        self._days.turn(now)
        self._figures.turn(now)
        if timers and self.is_running:
            self.core.fire_timers()
        if self.journal.failure is not None:
            self._operators.on_journal_failure()
        self._reconciliation.watch_stream(now)
        self._reconciliation.look_if_due(now)
        if self.save_at is not None and now >= self.save_at:
            self.save(now)
        self._aftermath.settle(now)
        self._forgetting.turn(now)
        self._lost_exits.turn(now)
        if self.phase == STOPPING:
            self._stopping.go_on(now)

    def take_requests(self, now: int) -> list[Any]:
        """Return the requests that may leave now."""
        if self.core is not None:
            # The stream may have come back since the last turn: what it has missed comes first.
            self._reconciliation.watch_stream(now)
        leaving = self._gateway.let_go(self.client.take_requests(now), now)
        late = self.client.take_late(now - self.plan.policies.order_age_ns)
        dropped = [*self._gateway.take_dropped(), *((request, OUTAGE) for request in late)]
        for request, reason in dropped:
            if self.scribe.not_sent(request, reason):
                self.scribe.alarm("not_sent", f"an order did not leave: {reason}", now)
            self.take(now, self.client.not_sent(request, reason, now))
        for request in self._gateway.take_moot():
            self.take(now, self.client.not_needed(request, now))
        self.flush_tape()
        return leaving

    def next_due(self, now: int) -> int | None:
        """Return when `turn` has something to do next, ns UTC."""
        due = [
            self.client.next_due(now),
            None if self.core is None else self.core.inputs.next_timer,
            self._gateway.next_due(),
            self._days.due,
            self._figures.due,
            self._lost_exits.due,
            self.look_at,
            self.save_at,
            self.stop_by,
        ]
        return min((d for d in due if d is not None), default=None)

    def stop(self, now: int, reason: str = "asked to stop") -> None:
        """Begin to stop: strategies stop, and orders are treated as the policy says."""
        self._stopping.stop(now, reason)

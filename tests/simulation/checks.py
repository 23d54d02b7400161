"""What must hold, in words of its own: each check counts how often it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pyrt.live.journal.journal import read_records
from pyrt.testing.files import MemoryFiles

INVARIANTS: dict[str, str] = {
    "I1": "at most one order at the broker for each intent",
    "I2": "the node's position is the broker's, but for what was traded elsewhere",
    "I3": "no order is closed here and open there, or the other way round",
    "I4": "0 <= filled <= quantity, never going back",
    "I5": "each execution is applied once",
    "I6": "no order leaves while halted",
    "I7": "every order that leaves has a durable record before",
    "I8": "the worst-case position never passes its limit",
    "I9": "no order leaves for a halted symbol, or far from where the market is",
    "I10": "orders take only steps there are",
    "I11": "cash is what the fills have made of it",
    "I12": "the journal, read anew, tells what the node knows",
    "I13": "open orders and positions of the journal are those of the node",
    "I14": "the same seed gives the same trace",
    "I15": "time never steps back",
    "I17": "every order ends, or is open at the broker, or an alarm tells of it",
    "I18": "no more requests in a minute than the broker grants",
    "I19": "a strategy sees each fill once and in order",
    "I20": "exits of a bracket never fill more than its entry has",
    "I21": "nothing is left waiting when all is over",
    "I22": "a halt outlives a restart",
    "I25": "nothing raises out of the node",
    "I26": "limits that make no sense change nothing",
    "I27": "a cancel that was asked for takes effect, or its refusal is told",
    "I28": "alarms of another's trades, and of events that cannot be, have their cause",
    "I29": "loss of the day counts from what the day began with, and money that was moved",
}
"""Invariant → what it says, for those that this simulation checks."""

STEPS: frozenset[tuple[str, str]] = frozenset(
    (before, after)
    for before, afters in {
        "INITIALIZED": "DENIED",
        "SENT": "ACCEPTED HELD REJECTED FILLED PARTIALLY_FILLED CANCELED EXPIRED LOST TRIGGERED",
        "HELD": "ACCEPTED TRIGGERED CANCELED EXPIRED REJECTED FILLED PARTIALLY_FILLED LOST",
        "ACCEPTED": "TRIGGERED PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED LOST",
        "TRIGGERED": "PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
        "PARTIALLY_FILLED": "FILLED CANCELED EXPIRED REJECTED",
        # Late news after an end.
        "CANCELED": "PARTIALLY_FILLED FILLED",
        "EXPIRED": "PARTIALLY_FILLED FILLED",
        "REJECTED": "",
        "LOST": "ACCEPTED HELD PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED TRIGGERED",
    }.items()
    for after in afters.split()
)
"""Steps of an order's status, written from the documents and not from the node's table."""

KERNELS = frozenset(
    {
        *("Intent", "ChangeIntent", "CancelIntent", "NotSent", "Outcome", "Execution", "Seen"),
        *("StrategySave", "RiskState"),
    }
)
"""Records of the kernel's time: after a node has stood still it comes by what was due meanwhile.

Others have the machine's time; alarms have that of whoever tells of them.
"""
FINAL = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED", "LOST"})


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass
class Checks:
    """Counts checks and raises where one fails."""

    counts: Counter[str] = field(default_factory=Counter)

    def hold(self, name: str, truth: bool, what: Any = "") -> None:
        """Count a check of an invariant; Violation if it fails."""
        self.counts[name] += 1
        if not truth:
            raise Violation(f"{name}: {INVARIANTS[name]}: {what}")


class Watch:
    """Follows the records of one node, as it writes them, over all its lives.

    Parameters
    ----------
    checks : Checks
    is_cancelable : callable
        Whether the broker has an order that it would cancel, by its client order id.
    """

    def __init__(self, checks: Checks, is_cancelable: Callable[[str], bool]) -> None:
        self._checks = checks
        self._is_cancelable = is_cancelable
        self.filled: dict[str, Decimal] = {}
        self.status: dict[str, str] = {}
        self.intents: dict[str, Any] = {}
        self.executions: dict[str, list[tuple[Decimal, Decimal]]] = {}
        self.alarms: Counter[str] = Counter()
        self.cancels: dict[str, int] = {}
        """Order → when its cancel was first asked for; none that was refused."""
        self._times = {True: 0, False: 0}

    def on_record(self, record: Any) -> None:
        """Look at a record."""
        kind = type(record).__name__
        if kind == "RunStart":
            self._times = dict.fromkeys(self._times, record.ts)
        if kind != "Alarmed":
            is_kernels = kind in KERNELS
            before, self._times[is_kernels] = self._times[is_kernels], record.ts
            self._checks.hold("I15", record.ts >= before, (kind, record.ts, before))
        if kind == "Intent":
            for state in (record.order, *record.legs):
                self._checks.hold("I1", state.client_order_id not in self.intents, "an id again")
                self.intents[state.client_order_id] = state
                # It may have waited, and been spoken of meanwhile.
                self._note_status(state.client_order_id, "SENT")
        elif kind == "Execution":
            self._on_execution(record)
            self._on_status(record.order)
        elif kind == "Outcome":
            self._on_status(record.order)
            if record.kind == "cancel_rejected":
                name = record.order.client_order_id
                self._checks.hold(
                    "I27", not self._is_cancelable(name), f"{name} is told as refused"
                )
                self.cancels.pop(name, None)
        elif kind == "CancelIntent":
            self.cancels.setdefault(record.client_order_id, record.ts)
        elif kind == "NotSent" and record.client_order_id in self.intents:
            # It is recorded before the node tells itself, and may die in between.
            self._note_status(record.client_order_id, "REJECTED")
        elif kind == "Alarmed":
            self.alarms[record.code] += 1

    def _on_execution(self, record: Any) -> None:
        name = record.order.client_order_id
        quantity, cumulative = Decimal(record.quantity), Decimal(record.cumulative)
        before = self.filled.get(name, Decimal(0))
        self._checks.hold("I5", before + quantity == cumulative, (name, before, quantity))
        self._checks.hold("I4", quantity > 0 and cumulative <= Decimal(record.order.quantity), name)
        self.filled[name] = cumulative
        self.executions.setdefault(name, []).append((quantity, Decimal(record.price)))

    def _on_status(self, state: Any) -> None:
        self._note_status(state.client_order_id, state.status)

    def _note_status(self, name: str, after: str) -> None:
        before = self.status.get(name, "SENT" if name in self.intents else "INITIALIZED")
        if before != after and after != "SENT":
            self._checks.hold("I10", (before, after) in STEPS, (name, before, after))
        self.status[name] = after

    def reload(self, files: MemoryFiles, accepted: dict[str, int]) -> None:
        """A crash may have lost the last records: go on from those that the disk has kept."""
        self.filled.clear()
        self.status.clear()
        self.intents.clear()
        self.executions.clear()
        self.cancels.clear()
        self._times = dict.fromkeys(self._times, 0)
        for _, record in read_records(files):
            self.on_record(record)
        lost = set(accepted) - set(self.intents)
        self._checks.hold("I7", not lost, ("sent, and no record was kept", lost))

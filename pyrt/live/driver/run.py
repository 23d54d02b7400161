"""One run of a node: what the parts of its driver share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pyrt.errors import PyrtError
from pyrt.live.core.broker import BrokerState
from pyrt.live.core.later import RunSlow
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import NODE as NODE
from pyrt.live.core.notes import encode_note
from pyrt.live.driver.gateway import Latch
from pyrt.live.driver.reconcile import Finding
from pyrt.live.driver.scribe import Scribe
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Plan

NEW, LOOKING, RUNNING, STOPPING, STOPPED = range(5)
"""Phases of a node, in their order."""


class Run:
    """One run of a node; its parts change it, each what is its own.

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
    last_look : BrokerState or None
        The account as the broker stated it last.
    findings : tuple of Finding
        What the last comparison has shown.
    differs_since : dict
        Symbol → since when looks have shown this difference alone, with no order of others beside
        it that may fill further: what it was, when the first and when the last of them began.
    balance_date : str
        New York's date of the last day of the account that has ended; "" while it is not known.
    look_at, save_at, stop_by : int or None
        When the account is looked at, strategies are saved, and a stop is over at the latest.
    before_start : callable, optional
        Called once the core is there, right before strategies speak.
    listener : callable, optional
        Called with (event, core) after the kernel has taken an event.
    run_slow : callable, optional
        Runs strategies' slow work off the thread; set before the start.
    """

    def __init__(self, client: Any, journal: Journal, gate: Any, plan: Plan) -> None:
        self.client = client
        self.journal = journal
        self.gate = gate
        self.plan = plan
        self.latch = Latch()
        self.scribe = Scribe(journal, client)
        self.phase = NEW
        self.core: NodeCore | None = None
        self.error: PyrtError | None = None
        self.stop_reason = ""
        self.last_look: BrokerState | None = None
        self.findings: tuple[Finding, ...] = ()
        self.differs_since: dict[str, tuple[str, int, int]] = {}
        self.balance_date = ""
        self.look_at: int | None = None
        self.save_at: int | None = None
        self.stop_by: int | None = None
        self.before_start: Callable[[], object] | None = None
        self.listener: Callable[[Any, NodeCore], object] | None = None
        self.run_slow: RunSlow | None = None

    @property
    def live_core(self) -> NodeCore:
        """The core, where there has to be one."""
        assert self.core is not None
        return self.core

    def stated_otherwise(self, symbol: str) -> Decimal | None:
        """Return what the broker holds of a symbol where that is not what we hold; else None.

        As the last comparison has it: what has filled since is no difference.
        """
        differs = any(f.code == "position_mismatch" and f.symbol == symbol for f in self.findings)
        if self.last_look is None or not differs:
            return None
        return self.last_look.positions.get(symbol, Decimal(0))

    def has_sent(self, venue_order_id: str) -> bool:
        """Return whether an id of the broker's is of an order of ours, open or ended."""
        return self.client.knows(venue_order_id) or any(
            order.venue_order_id == venue_order_id for order in self.journal.state.closed.values()
        )

    def give_up(self, error: PyrtError) -> None:
        """End a start that cannot succeed."""
        self.error = error
        self.phase = STOPPED
        self.latch.set(str(error))

    def note(self, what: str, **arguments: Any) -> None:
        """Put an input that is neither an event nor time on the tape."""
        tape = self.live_core.inputs.tape
        if tape is not None:
            tape.note(encode_note(what, **arguments))

    def flush_tape(self) -> None:
        """Hand the journal what the tape has."""
        if self.core is not None and self.core.inputs.tape is not None:
            # Last of the piece, where a replay looks before it plays the rest.
            for number, ts, result in self.core.later.take_made():
                self.note("inline", number=number, ts=ts, result=result)
            piece = self.core.inputs.tape.take()
            if piece:
                self.journal.record_inputs(piece)

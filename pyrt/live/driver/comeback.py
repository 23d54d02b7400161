"""A run that a crash has cut off, gone on with: its inputs are played again into a fresh core.

What comes out is compared with what is on record, and nothing of it is sent. Where the inputs end
before the record does, the record is believed. See `docs/decisions/0016-after-a-crash.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.errors import JournalError, PyrtError
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import decode_note
from pyrt.live.core.restore import (
    is_in_doubt,
    order_state,
    position_state,
    waiting_submits,
    ways_out,
)
from pyrt.live.core.tape import Tape, survey
from pyrt.live.driver.acts import make_core
from pyrt.live.driver.brought import with_entries
from pyrt.live.driver.playback import Playback
from pyrt.live.driver.rehearsal import Rehearsal
from pyrt.live.driver.resuming import encode_states, part_with, settle_with
from pyrt.live.driver.run import NODE, Run
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_tape
from pyrt.live.journal.past import REPLAY
from pyrt.strategy.strategy import Strategy

CATCH_UP = {
    "SENT": frozenset({"HELD", "ACCEPTED", "TRIGGERED"}),
    "HELD": frozenset({"ACCEPTED", "TRIGGERED"}),
    "ACCEPTED": frozenset({"TRIGGERED"}),
}
"""What an order may be here → what the record may know better."""
NOT_LEFT = frozenset({"INITIALIZED", "RELEASED"})
HELD_HERE = NOT_LEFT | {"EMULATED"}
"""States of orders that have not left the node: they die with it."""
ENDS = {"CANCELED": "canceled", "EXPIRED": "expired", "REJECTED": "rejected", "LOST": "lost"}


@dataclass(slots=True)
class Inputs:
    """What is left of a run's inputs.

    Attributes
    ----------
    pieces : list of bytes
    count : int
    start : int or None
        The place at which its strategies were started.
    limit : int or None
        The place after which nothing is played again: the run was stopping there.
    """

    pieces: list[bytes] = field(default_factory=list)
    count: int = 0
    start: int | None = None
    limit: int | None = None


class Comeback:
    """Plays the last run of a journal again, where that is possible.

    Parameters
    ----------
    run : Run
    instruments : sequence of Instrument
    strategies : sequence of Strategy
    fees : FeeModel, optional
    """

    def __init__(
        self,
        run: Run,
        instruments: Sequence[Instrument],
        strategies: Sequence[Strategy],
        fees: FeeModel | None,
    ) -> None:
        self._run = run
        self._past = run.journal.past
        self._instruments = list(instruments)
        self._strategies = list(strategies)
        self._fees = fees
        self._inputs = Inputs()
        self.going_on: list[int] = []
        """Numbers of orders that close a position: they leave after all."""
        self.refusal = ""
        """Why a run that was cut off is not played again; "" where there is none, or it is."""

    # -- whether -------------------------------------------------------------------------------

    def is_possible(self) -> bool:
        """Return whether there is a run to go on with; `refusal` says why there is not."""
        past, most = self._past, self._run.plan.policies.replay_max
        if self._run.journal.state.ended_well or not most:
            return False
        if past.start is None:
            self.refusal = "a start died as it put the journal away"
        elif past.attempted:
            self.refusal = "the last start died while it played its inputs again"
        else:
            self.refusal = self._changed(past.start) or self._read(past.start.run_id, most)
        return not self.refusal

    def _changed(self, start: r.RunStart) -> str:
        """Return what of the settings that decide what comes out is other than it was."""
        plan, limits = self._run.plan, getattr(self._run.gate, "limits", None)
        now = {
            "strategies": entries_of(self._strategies),
            "instruments": tuple(plain(i.to_dict()) for i in self._instruments),
            "limits": {} if limits is None else plain(limits.to_dict()),
            "default_tif": dict(plan.default_tif),
            "grace_ns": plan.grace_ns,
            "mode": plan.mode,
            "sessions": plan.sessions is not None,
        }
        for name, value in now.items():
            if getattr(start, name) != value:
                return f"its {name} were others"
        if start.config.get("emulate", "missing") != plan.config.get("emulate", "missing"):
            return "what is emulated was set otherwise"
        return ""

    def _read(self, run_id: str, most: int) -> str:
        """Read the inputs, as far as they are sound and belong to the run; return what is wrong."""
        found, error_text = self._inputs, ""
        try:
            for piece in read_tape(self._run.journal.files, run_id):
                count, notes = survey(piece)
                for place, data in notes:
                    self._take_note(decode_note(data)["what"], found.count + place)
                found.pieces.append(piece)
                found.count += count
                if found.count > most or found.limit is not None:
                    break
        except (JournalError, msgspec.DecodeError) as error:
            error_text = f": {error}"
        if self._past.overrun is not None:
            # Whoever broke that handler off is not there to do it again.
            found.limit = min(found.limit or self._past.overrun, self._past.overrun)
        if found.count > most:
            return f"it has more than {most:,} inputs (replay_max)"
        if found.start is None:
            return f"its inputs are lost{error_text}"
        if found.limit is not None and found.limit < found.start:
            # Its strategies would never start.
            return "a handler was broken off by the clock as it started"
        return ""

    def _take_note(self, what: str, place: int) -> None:
        found = self._inputs
        if what == "start":
            found.start = place
        if what == "stop" and found.limit is None:
            found.limit = place - 1

    # -- doing it ------------------------------------------------------------------------------

    def play(self, now: int) -> tuple[NodeCore, Rehearsal, r.Opening]:
        """Play the inputs; return the core as the run left it, and what was found on the way.

        The tape of the new run begins with what was played, and with what is changed after it.
        """
        run, start = self._run, self._past.start
        assert start is not None
        journal = run.journal
        # Whatever dies in here is not tried a second time.
        journal.record(
            r.Operation(
                ts=now,
                actor=NODE,
                action=REPLAY,
                reason=f"{self._inputs.count} inputs of run {start.run_id}",
            )
        )
        journal.commit()
        rehearsal = Rehearsal(self._past, run.scribe)
        prefix = start.first_prefix or start.prefix
        core = make_core(
            rehearsal,
            run.gate,
            self._instruments,
            self._strategies,
            run.plan,
            start.opening,
            Tape(),
            self._fees,
            prefix=prefix,
        )
        core.later.waits_for_slow = run.run_slow is not None
        rehearsal.begin(core, self._inputs.limit)
        playback = Playback(core, start.opening.saves)
        journal.begin_tape(run.plan.run_id)
        run.core = core
        for piece in self._inputs.pieces:
            whole = playback.play(piece, rehearsal.next_place(), rehearsal.on_place)
            run.flush_tape()
            if not whole:
                break
        playback.end()
        rehearsal.end()
        self._inputs.pieces.clear()
        for record in rehearsal.unwritten:
            journal.record(msgspec.structs.replace(record, ts=now))
        return core, rehearsal, start.opening

    # -- from there on -------------------------------------------------------------------------

    def go_over(self, core: NodeCore, rehearsal: Rehearsal, now: int) -> None:
        """Leave the run that was cut off behind, with what its record knows better."""
        run, past = self._run, self._past
        reached = core.inputs.count
        halted: dict[str, str] = {}
        if rehearsal.difference:
            text = f"after a crash {rehearsal.differing} came to other orders: "
            text += rehearsal.difference
            run.scribe.alarm("replay_differs", text, now)
            if run.plan.policies.on_replay_difference == "halt":
                halted[rehearsal.differing] = text
        is_short = reached < past.place
        if is_short:
            text = f"{reached} inputs of the last run were played again, it had {past.place}"
            run.scribe.alarm("replay_short", text, now)
        for text in rehearsal.saves_differ:
            run.scribe.alarm("replay_saves", f"another state came out: {text}", now)
        if not is_short and not rehearsal.difference:
            self.going_on = [n for n in ways_out(core.kernel) if n not in rehearsal.unsent]
        self._part(core, rehearsal)
        self._tell_ends(core, rehearsal, now)
        core.fee_ledger.restore(run.journal.state.accrued)
        if is_short:
            self._take_cash(core, now)
        terms: dict[str, Any] = {
            "positions": encode_states(self._other_positions(core)),
            "risk": run.journal.state.risk if is_short else b"",
            "saves": past.saved_after(reached) if is_short else {},
            "halted": halted,
            "changing": encode_states([o for o in run.journal.state.orders.values() if o.changes]),
        }
        run.note("settle", **terms)
        settle_with(core, **terms)

    def _part(self, core: NodeCore, rehearsal: Rehearsal) -> None:
        run, known = self._run, self._run.journal.state
        kept = {*rehearsal.unsent, *self.going_on}
        rehearsal.unsent.extend(n for n in waiting_submits(core.kernel) if n not in kept)
        gone = set(rehearsal.unsent)
        here = {o.client_order_id for o in core.kernel.cache.orders_open() if o.number not in gone}
        missing = [
            order
            for name, order in known.orders.items()
            if name not in here and order.status not in HELD_HERE
        ]
        terms: dict[str, Any] = {
            "prefix": run.plan.prefix,
            "orders": encode_states(with_entries(missing, known.closed)),
            "unsent": rehearsal.unsent,
            "uncanceled": rehearsal.uncanceled,
        }
        run.note("part", **terms)
        part_with(core, **terms)

    def _tell_ends(self, core: NodeCore, rehearsal: Rehearsal, now: int) -> None:
        """Let the kernel take what the record knows of orders, and the inputs did not lead to."""
        inputs, known = core.inputs, self._run.journal.state
        for number in rehearsal.unsent:
            order = inputs.order(number)
            if order is not None and order.is_open:
                kind = "denied" if order.status in NOT_LEFT else "rejected"
                self._guarded(inputs.order_event, kind, number, now, "it never left: a crash")
        orders = {o.client_order_id: o for o in core.kernel.cache.orders_open()}
        for name, order in orders.items():
            closed = known.closed.get(name)
            if name in known.orders:
                self._catch_up(core, order, known.orders[name], now)
            elif closed is not None and closed.status == "FILLED":
                self._fit(core, order, closed.filled, now)
        for fill in self._past.executions:
            order = orders.get(fill.order.client_order_id)
            if order is not None:
                self._guarded(
                    inputs.fill, order.number, fill.ts_event, fill.quantity, fill.price,
                    fill.cumulative, fill.fee,
                )  # fmt: skip
        for name, order in orders.items():
            closed = known.closed.get(name)
            if closed is not None and closed.status in ENDS and order.is_open:
                kind = ENDS[closed.status]
                self._guarded(inputs.order_event, kind, order.number, now, "told after the record")
            elif order.is_open and is_in_doubt(order):
                text = "a crash came before its answer"
                self._guarded(inputs.order_event, "unknown", order.number, now, text)

    def _catch_up(self, core: NodeCore, order: Any, state: r.OrderState, now: int) -> None:
        """Bring an order that works to the state and the terms that the record has of it.

        A fill of what it was changed to would else be more than it can fill.
        """
        # Only what the broker has taken can be changed; what has filled was taken before.
        reached = "ACCEPTED" if state.status == "PARTIALLY_FILLED" else state.status
        if order.status in CATCH_UP and reached in CATCH_UP[order.status]:
            kind = reached.lower()
            self._guarded(core.inputs.order_event, kind, order.number, now, "told before a crash")
        here = order_state(order)
        terms = {
            name: getattr(state, name)
            for name in ("quantity", "limit_price", "stop_price")
            if getattr(state, name) and getattr(state, name) != getattr(here, name)
        }
        if terms:
            change = partial(core.inputs.order_event, **terms)
            self._guarded(change, "modified", order.number, now, "changed before a crash")

    def _fit(self, core: NodeCore, order: Any, filled: str, now: int) -> None:
        """Bring an order that has filled to the quantity it had been changed to by then."""
        if Decimal(filled) != order.quantity_exact:
            if order.status == "SENT":
                # Only what the broker has taken can be changed.
                text = "told before a crash"
                self._guarded(core.inputs.order_event, "accepted", order.number, now, text)
            change = partial(core.inputs.order_event, quantity=filled)
            self._guarded(change, "modified", order.number, now, "changed before a crash")

    def _take_cash(self, core: NodeCore, now: int) -> None:
        """Bring cash to what the record has: the risk that is taken from there counts with it."""
        ours = self._run.journal.state.our_cash
        if ours and Decimal(ours) != core.stated_cash:
            core.inputs.cash(now, f"{Decimal(ours) - core.stated_cash:f}", "cash")

    @staticmethod
    def _guarded(tell: Any, *arguments: Any) -> None:
        """Tell the kernel; what it does not admit is the broker's to show."""
        try:
            tell(*arguments)
        except PyrtError:
            return

    def _other_positions(self, core: NodeCore) -> list[r.PositionState]:
        """Return holdings of the journal that the core has otherwise."""
        names = {strategy.number: strategy.name for strategy in core.kernel.strategies}
        here = {
            f"{names[p.strategy]}|{p.instrument.id}": position_state(p, names[p.strategy])
            for p in core.kernel.cache.all_positions()
        }
        found = []
        for key, state in self._run.journal.state.positions.items():
            mine = here.get(key)
            is_same = mine is not None and msgspec.structs.replace(mine, mark=state.mark) == state
            if not is_same and (state.units or mine is not None):
                found.append(state)
        return found


def entries_of(strategies: Sequence[Any]) -> tuple[r.StrategyEntry, ...]:
    """Return strategies as the journal names them; of one class the second is ``-2``."""
    names: list[str] = []
    for strategy in strategies:
        base = name = type(strategy).__name__
        count = 2
        while name in names:
            name, count = f"{base}-{count}", count + 1
        names.append(name)
    return tuple(
        r.StrategyEntry(
            name=name,
            cls=type(strategy).__name__,
            params=plain(strategy.params),
            capital="" if strategy.capital is None else str(strategy.capital),
        )
        for name, strategy in zip(names, strategies, strict=True)
    )


def plain(value: Any) -> Any:
    """Return a value as msgpack takes it: numbers exact as text, keys as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        # The order they come in is another in each process.
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    return str(value)

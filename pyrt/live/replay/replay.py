"""A recorded run again: the same inputs into the kernel, and the same commands out, or not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError, JournalError
from pyrt.live.calendars import sessions_around
from pyrt.live.core.node import STREAM_TIMEFRAME, NodeCore
from pyrt.live.core.notes import carry_out, decode_note
from pyrt.live.core.restore import order_state
from pyrt.live.core.tape import Tape
from pyrt.live.core.terms import take_terms
from pyrt.live.driver.acts import (
    make_core,
    publish_signal,
    start_strategies,
    state_volume,
    stop_strategies,
    take_cash,
    tell_missed,
)
from pyrt.live.driver.adjusting import adjust
from pyrt.live.journal import records as r
from pyrt.live.journal.files import Files
from pyrt.live.journal.journal import read_records, read_tape
from pyrt.live.plan import Plan
from pyrt.risk.engine import RiskEngine
from pyrt.risk.limits import Limits
from pyrt.strategy.strategy import Strategy

ADJUSTED = ("strategy", "symbol", "quantity", "amount", "is_split")


class Said(msgspec.Struct, frozen=True, array_like=True):
    """One command of the kernel: when in its inputs, what, about which order, and its terms."""

    inputs: int
    what: str
    client_order_id: str
    terms: Any


@dataclass(slots=True)
class Recording:
    """A run as the journal has it."""

    start: r.RunStart
    commands: list[Said] = field(default_factory=list)
    executions: list[r.Execution] = field(default_factory=list)
    orders: dict[str, r.OrderState] = field(default_factory=dict)
    saves: list[r.StrategySave] = field(default_factory=list)
    ended: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What a replay has shown.

    Attributes
    ----------
    inputs : int
        Inputs played.
    commands : int
        Commands that came out.
    recorded_hash, replayed_hash : str
        Over all commands with their places.
    difference : str
        The first command that differs; "" when none does.
    tape_equal : bool
        Whether the inputs, recorded again, gave the same bytes.
    beyond : int
        Recorded commands after the end of the tape: a crash has cut it.
    denied : tuple of (client order id, reason)
        Recorded orders that the gate of this replay refused.
    saves : int
        States that strategies had saved, and that were come to again at the same place.
    saves_differ : tuple of str
        Those that came out otherwise.
    since : int
        Commands after the last save: what a restart from it would have to repeat.
    """

    run_id: str
    inputs: int
    commands: int
    recorded_hash: str
    replayed_hash: str
    difference: str
    tape_equal: bool
    beyond: int
    denied: tuple[tuple[str, str], ...] = ()
    equity: float = 0.0
    saves: int = 0
    saves_differ: tuple[str, ...] = ()
    since: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether the same commands and saved states came out at the same places."""
        same = not self.difference and self.recorded_hash == self.replayed_hash
        return same and self.tape_equal and not self.saves_differ


def recordings(files: Files) -> list[Recording]:
    """Return all runs of a journal, oldest first."""
    runs: list[Recording] = []
    for _, record in read_records(files, archived=True):
        if isinstance(record, r.RunStart):
            runs.append(Recording(record))
        elif runs:
            _note(runs[-1], record)
    return runs


def find_recording(files: Files, run_id: str = "") -> Recording:
    """Return a run by its id, or the last one.

    Raises
    ------
    JournalError
        If there is none.
    """
    found = [run for run in recordings(files) if run_id in ("", run.start.run_id)]
    if not found:
        raise JournalError(f"the journal has no run {run_id}".strip(), code="no_run")
    return found[-1]


def _note(run: Recording, record: r.Record) -> None:
    if isinstance(record, (r.Outcome, r.Execution, r.Intent)):
        run.orders[record.order.client_order_id] = record.order
    if isinstance(record, r.Intent):
        name = record.order.client_order_id
        terms = [_terms(record.order), *(_terms(leg) for leg in record.legs)]
        run.commands.append(Said(record.inputs, "submit", name, terms))
    elif isinstance(record, r.ChangeIntent):
        run.commands.append(Said(record.inputs, "change", record.client_order_id, record.changes))
    elif isinstance(record, r.CancelIntent):
        run.commands.append(Said(record.inputs, "cancel", record.client_order_id, None))
    elif isinstance(record, r.Execution):
        run.executions.append(record)
    elif isinstance(record, r.StrategySave):
        run.saves.append(record)
    elif isinstance(record, r.RunStop):
        run.ended = record.reason


def _terms(order: r.OrderState) -> list[Any]:
    return [
        order.client_order_id,
        order.strategy,
        order.symbol,
        order.side,
        order.order_type,
        order.quantity,
        order.time_in_force,
        order.limit_price,
        order.stop_price,
        order.trail_amount,
        order.trail_percent,
        order.notional,
        order.expires_at,
        list(order.flags),
        order.tag,
        order.ts_init,
    ]


class Player:
    """Takes a recorded run's inputs; stands where client and scribe stand when live.

    Parameters
    ----------
    recording : Recording
    strategies : sequence of Strategy
        Fresh ones, of the same classes, parameters and order.
    limits : Limits, optional
        In place of the recorded ones.

    Attributes
    ----------
    sent_at : dict
        Client order id → the market's time when it was sent, ns UTC.
    bars : dict
        (symbol, close) → open, high, low, close, volume of one-minute bars.
    """

    def __init__(
        self, recording: Recording, strategies: Sequence[Strategy], limits: Limits | None = None
    ) -> None:
        start = recording.start
        self.recording = recording
        self.said: list[Said] = []
        self.denied: list[tuple[str, str]] = []
        self._missed: list[Any] = []
        self._started = False
        self.saves = 0
        self.saves_differ: list[str] = []
        self.sent_at: dict[str, int] = {}
        self.bars: dict[tuple[str, int], tuple[float, ...]] = {}
        self._data_ts = 0
        own = Limits.from_dict(start.limits) if start.limits else None
        used = own if limits is None else limits
        plan = Plan(
            run_id=start.run_id,
            prefix=start.prefix,
            default_tif=start.default_tif,
            grace_ns=start.grace_ns,
            mode=start.config.get("mode", "paper"),
            emulate=start.config.get("emulate", "missing"),
            sessions=sessions_around(start.ts) if start.sessions else None,
        )
        self.core: NodeCore = make_core(
            self,
            RiskEngine(used, strict=own is not None),
            [Instrument(**fields) for fields in start.instruments],
            strategies,
            plan,
            start.opening,
            Tape(),
        )
        self.core.later.waits_for_slow = start.config.get("clock") != "simulator"
        self._check_strategies(start)
        bus = self.core.kernel.bus
        bus.subscribe("order.*", self._on_order, priority=-100)
        bus.subscribe("fill.*", self._on_fill, priority=-100)
        # First of all handlers: what was known when a command was given.
        for what in ("bars", "quotes", "trades"):
            bus.subscribe(f"data.{what}.*", self._on_data, priority=1000)

    def _check_strategies(self, start: r.RunStart) -> None:
        given = [(s.name, type(s).__name__) for s in self.core.kernel.strategies]
        recorded = [(entry.name, entry.cls) for entry in start.strategies]
        if given != recorded:
            raise JournalError(
                f"the run had {recorded}, not {given}",
                code="other_strategies",
                remedy="Give the file and classes that the run was started with",
            )

    # -- where the client stands ---------------------------------------------------------------

    def submit(self, order: Any) -> None:
        """Note a submit."""
        legs = [leg for leg in (order.take_profit, order.stop_loss) if leg is not None]
        if order.parent is None and order.sibling is not None:
            legs = [order.sibling]
        terms = [_terms(order_state(each)) for each in (order, *legs)]
        self._say("submit", order, terms)

    def change(self, order: Any, changes: dict[str, str]) -> None:
        """Note a replace."""
        self._say("change", order, changes)

    def withdraw(self, order: Any) -> None:
        """Note a cancel."""
        self._say("cancel", order, None)

    def subscribe(self, channel: str, symbol: str) -> None:
        """Do nothing: the tape has what came."""

    def _say(self, what: str, order: Any, terms: Any) -> None:
        count = self.core.inputs.count
        if what == "submit":
            self.sent_at[order.client_order_id] = self._data_ts
        self.said.append(Said(count, what, order.client_order_id, terms))

    # -- where the scribe stands ---------------------------------------------------------------

    def _on_order(self, event: Any) -> None:
        if event.kind == "denied":
            self.denied.append((event.client_order_id, event.reason))

    def _on_data(self, message: Any) -> None:
        self._data_ts = max(self._data_ts, message.ts_event)
        if hasattr(message, "timeframe"):
            values = (message.open, message.high, message.low, message.close, message.volume)
            if message.timeframe == STREAM_TIMEFRAME:
                self.bars[message.symbol, message.ts_event] = values

    def _on_fill(self, fill: Any) -> None:
        if not self._started:
            self._missed.append(fill)

    # -- playing -------------------------------------------------------------------------------

    def play(self, piece: bytes) -> bool:
        """Take a piece of tape; return whether it came out as it went in."""
        self.core.inputs.play(
            piece,
            self._on_note,
            lambda error: None,
            place=self._next_save,
            on_place=self.compare_saves,
        )
        tape = self.core.inputs.tape
        assert tape is not None
        return tape.take() == piece

    @property
    def _next_save(self) -> int | None:
        saves = self.recording.saves
        return saves[self.saves].inputs if self.saves < len(saves) else None

    def compare_saves(self, count: int) -> int | None:
        """Compare the states that were saved up to here; return the place of the next one."""
        while self.saves < len(self.recording.saves):
            save = self.recording.saves[self.saves]
            if save.inputs > count:
                return save.inputs
            self.saves += 1
            for strategy in self.core.kernel.strategies:
                if strategy.name == save.strategy:
                    now = r.ENCODER.encode(strategy.on_save())
                    if now != save.state:
                        self.saves_differ.append(f"{save.strategy} after input {save.inputs}")
        return None

    def _on_note(self, data: bytes) -> None:
        note = decode_note(data)
        core = self.core
        what = note["what"]
        if what == "start":
            self._started = True
            start_strategies(core, note["ts"], self.recording.start.opening.saves)
        elif what == "adjust":
            adjust(core, **{name: note[name] for name in ADJUSTED})
        elif what == "cash":
            take_cash(core, note["amount"])
        elif what == "volume":
            state_volume(core, note["symbol"], note["volume"])
        elif what == "terms":
            take_terms(core, note)
        elif what == "signal":
            publish_signal(core, Signal(**{name: note[name] for name in Signal.FIELDS}))
        elif what == "missed":
            tell_missed(core, self._missed)
        elif what == "warm":
            core.inputs.feed_past(core.kernel.cache.streams[note["stream"]], note["rows"])
        elif what == "book":
            core.inputs.feed_book(
                core.kernel.cache.streams[note["stream"]],
                note["ts"],
                note["bids"],
                note["asks"],
                note["full"],
            )
        elif core.news.take_note(note):
            pass
        elif what == "history":
            core.later.deliver_history(note["number"], note["rows"])
        elif what == "computed":
            core.later.run_again(note["number"])
        elif what == "operate":
            # What could not be carried out then was not, and was told to whoever asked.
            with suppress(ConfigError):
                carry_out(
                    core,
                    note["action"],
                    note["actor"],
                    note["reason"],
                    note["symbol"],
                    note["strategy"],
                    note.get("order", ""),
                )
        elif what == "stop":
            stop_strategies(core, note["policy"])


def replay(
    files: Files,
    strategies: Sequence[Strategy],
    *,
    run_id: str = "",
    limits: Limits | None = None,
) -> ReplayResult:
    """Play a recorded run and compare what comes out with what came out then.

    Parameters
    ----------
    files : Files
        The state folder.
    strategies : sequence of Strategy
        Fresh ones, of the same classes and parameters.
    run_id : str
        "" for the last run.
    limits : Limits, optional
        Other limits than the recorded ones: what they would have done.

    Raises
    ------
    JournalError
        If there is no such run, or it had other strategies.
    """
    recording = find_recording(files, run_id)
    player = Player(recording, strategies, limits)
    equal = True
    for piece in read_tape(files, recording.start.run_id):
        equal &= player.play(piece)
    reached = player.core.inputs.count
    player.compare_saves(reached)
    last_save = max((s.inputs for s in recording.saves if s.inputs <= reached), default=0)
    recorded = [said for said in recording.commands if said.inputs <= reached]
    return ReplayResult(
        run_id=recording.start.run_id,
        inputs=reached,
        commands=len(player.said),
        recorded_hash=hash_of(recorded),
        replayed_hash=hash_of(player.said),
        difference=first_difference(recorded, player.said),
        tape_equal=equal,
        beyond=len(recording.commands) - len(recorded),
        denied=tuple(player.denied),
        equity=player.core.kernel.account.equity,
        saves=player.saves,
        saves_differ=tuple(player.saves_differ),
        since=sum(said.inputs > last_save for said in recorded),
    )


def hash_of(commands: Sequence[Said]) -> str:
    """Return the hash of commands and their places."""
    state = hashlib.blake2b(digest_size=16)
    for said in commands:
        state.update(msgspec.msgpack.encode(said))
    return state.hexdigest()


def first_difference(recorded: Sequence[Said], replayed: Sequence[Said]) -> str:
    """Return in words where two sequences of commands part; "" where they do not."""
    for one, other in _pairs(recorded, replayed):
        if one != other:
            return f"recorded {_words(one)}, replayed {_words(other)}"
    return ""


def _pairs(
    recorded: Sequence[Said], replayed: Sequence[Said]
) -> Iterator[tuple[Said | None, Said | None]]:
    for i in range(max(len(recorded), len(replayed))):
        one = recorded[i] if i < len(recorded) else None
        other = replayed[i] if i < len(replayed) else None
        yield one, other


def _words(said: Said | None) -> str:
    if said is None:
        return "nothing"
    return f"{said.what} {said.client_order_id} after input {said.inputs}"

"""A recorded run again: the same inputs into the kernel, and the same commands out, or not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pyrt.core.instruments import Instrument
from pyrt.errors import JournalError
from pyrt.live.calendars import sessions_around
from pyrt.live.core.node import STREAM_TIMEFRAME, NodeCore
from pyrt.live.core.restore import order_state
from pyrt.live.core.tape import Tape
from pyrt.live.driver.acts import make_core
from pyrt.live.driver.playback import Playback
from pyrt.live.journal import records as r
from pyrt.live.journal.commands import Said, in_words, said_of, terms_of
from pyrt.live.journal.files import Files
from pyrt.live.journal.journal import read_records, read_tape
from pyrt.live.plan import Plan
from pyrt.risk.engine import RiskEngine
from pyrt.risk.limits import Limits
from pyrt.strategy.strategy import Strategy


@dataclass(slots=True)
class Recording:
    """A run as the journal has it.

    Attributes
    ----------
    place : int
        The last place in its inputs that a record names.
    has_ended : bool
        Whether it has stopped in order: then all its inputs were written.
    """

    start: r.RunStart
    commands: list[Said] = field(default_factory=list)
    executions: list[r.Execution] = field(default_factory=list)
    orders: dict[str, r.OrderState] = field(default_factory=dict)
    saves: list[r.StrategySave] = field(default_factory=list)
    place: int = 0
    has_ended: bool = False


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
        Recorded commands after the end of the tape, where a crash may have cut it.
    lost : int
        Inputs that are missing at the end of the tape though the run has stopped in order.
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
    lost: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether the same commands and saved states came out at the same places.

        Of a run that was cut off, as far as its tape goes: that is not synced with each record, and
        a power failure leaves it shorter.
        """
        same = not self.difference and self.recorded_hash == self.replayed_hash
        return same and self.tape_equal and not (self.saves_differ or self.lost)


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
    run.place = max(run.place, getattr(record, "inputs", 0))
    if isinstance(record, (r.Outcome, r.Execution, r.Intent)):
        run.orders[record.order.client_order_id] = record.order
    said = said_of(record)
    if said is not None:
        run.commands.append(said)
    elif isinstance(record, r.Execution):
        run.executions.append(record)
    elif isinstance(record, r.StrategySave):
        run.saves.append(record)
    elif isinstance(record, r.RunStop):
        run.has_ended = True


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
            prefix=start.first_prefix,
        )
        self._playback = Playback(self.core, start.opening.saves, keeps_limits=limits is not None)
        self.core.later.waits_for_slow = start.config.get("clock") != "simulator"
        self._check_strategies(start)
        bus = self.core.kernel.bus
        bus.subscribe("order.*", self._on_order, priority=-100)
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
        terms = [terms_of(order_state(each)) for each in (order, *legs)]
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
        if count <= self.recording.start.resumed_at:
            # Of the run before, which a crash has cut off; its own replay shows them.
            return
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

    # -- playing -------------------------------------------------------------------------------

    def play(self, piece: bytes) -> bool:
        """Take a piece of tape; return whether it came out as it went in."""
        self._playback.play(piece, self._next_save, self.compare_saves)
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
        If there is no such run, its inputs are gone, or it had other strategies.
    """
    recording = find_recording(files, run_id)
    player = Player(recording, strategies, limits)
    equal = play_all(files, player)
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
        lost=max(recording.place - reached, 0) if recording.has_ended else 0,
    )


def play_all(files: Files, player: Player) -> bool:
    """Play the inputs of a player's run; return whether they came out as they went in.

    Raises
    ------
    JournalError
        If there are none: nothing could be said of the run.
    """
    run_id = player.recording.start.run_id
    equal = [player.play(piece) for piece in read_tape(files, run_id)]
    if not player.core.inputs.count:
        raise JournalError(
            f"the inputs of run {run_id} are gone",
            code="no_inputs",
            remedy="Those of the last runs are kept, as many as tapes_kept says; or restore a "
            "backup",
        )
    return all(equal)


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
            return f"recorded {in_words(one)}, replayed {in_words(other)}"
    return ""


def _pairs(
    recorded: Sequence[Said], replayed: Sequence[Said]
) -> Iterator[tuple[Said | None, Said | None]]:
    for i in range(max(len(recorded), len(replayed))):
        one = recorded[i] if i < len(recorded) else None
        other = replayed[i] if i < len(replayed) else None
        yield one, other

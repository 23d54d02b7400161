"""What the notes on a tape say, done again: in a replay, and when a run goes on after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from pyrt.core.data import Signal
from pyrt.errors import PyrtError
from pyrt.live.core.gate_changes import change_gate, unrecorded
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import carry_out, decode_note
from pyrt.live.core.player import play
from pyrt.live.core.results import decode_result
from pyrt.live.core.tape import survey
from pyrt.live.core.terms import take_terms
from pyrt.live.driver.acts import (
    publish_signal,
    start_strategies,
    state_range,
    state_volume,
    stop_strategies,
    tell_missed,
)
from pyrt.live.driver.adjusting import adjust
from pyrt.live.driver.resuming import go_on_with, part_with, settle_with

Note = dict[str, Any]


class Playback:
    """Plays pieces of tape in a core that began as the recorded one did.

    Parameters
    ----------
    core : NodeCore
    saves : mapping
        Strategy → what it had saved when the run began.
    keeps_limits : bool
        Limits that the run was given on its way are left aside, as others are tried out.
    """

    def __init__(
        self, core: NodeCore, saves: Mapping[str, bytes], *, keeps_limits: bool = False
    ) -> None:
        self.core = core
        self._keeps_limits = keeps_limits
        self._saves = dict(saves)
        self._missed: list[Any] = []
        self.has_started = False
        self._listening = core.kernel.bus.subscribe("fill.*", self._on_fill, priority=-100)
        core.later.recorded = {}
        self._acts: dict[str, Callable[[Note], object]] = {
            "start": self._start,
            "adjust": self._adjust,
            "volume": lambda note: state_volume(core, note["symbol"], note["volume"]),
            "range": lambda note: state_range(core, note["symbol"], note["range"]),
            "terms": lambda note: take_terms(core, note),
            "signal": self._signal,
            "missed": lambda note: tell_missed(core, self._missed),
            "warm": self._warm,
            "book": self._book,
            "history_part": lambda note: core.later.keep_part(
                note["number"], note["at"], note["rows"]
            ),
            "history": lambda note: core.later.deliver_history(
                note["number"], note["rows"], note.get("at", 0)
            ),
            "computed": self._computed,
            "inline": lambda note: core.later.is_on_tape(note["number"]),
            "operate": self._operate,
            "gate": self._gate,
            "stop": lambda note: stop_strategies(core, note["policy"]),
            "part": self._part,
            "settle": self._settle,
            "go_on": lambda note: go_on_with(core, note.get("orders", ())),
            "wait": self._wait,
            "bars": lambda note: core.inputs.release_bars(note.get("until", 0)),
        }

    def end(self) -> None:
        """Listen to the core no longer; from here on it lives."""
        self.core.later.recorded = None
        self._listening.cancel()

    def play(
        self,
        piece: bytes,
        place: int | None = None,
        on_place: Callable[[int], int | None] | None = None,
    ) -> bool:
        """Take a piece; return False where it was broken off. See `pyrt.live.core.player.play`."""
        if not self.core.later.waits_for_slow:
            self._look_ahead(piece)
        return play(
            self.core.inputs,
            piece,
            self.on_note,
            lambda error: None,
            place=place,
            on_place=on_place,
        )

    def _look_ahead(self, piece: bytes) -> None:
        """Find what work done inline came to: it is asked for before its place on the tape."""
        recorded = self.core.later.recorded
        for _, data in survey(piece)[1]:
            note = decode_note(data)
            if note["what"] == "inline" and recorded is not None:
                recorded[note["number"]] = (note["ts"], note["result"])

    def on_note(self, data: bytes) -> None:
        """Do what a note says; what this version does not know is no input of the kernel's."""
        note = decode_note(data)
        act = self._acts.get(note["what"])
        if act is not None:
            act(note)
        else:
            self.core.news.take_note(note)

    def _on_fill(self, fill: Any) -> None:
        if not self.has_started:
            self._missed.append(fill)

    def _start(self, note: Note) -> None:
        self.has_started = True
        start_strategies(self.core, note["ts"], self._saves)

    def _adjust(self, note: Note) -> None:
        adjust(
            self.core,
            strategy=note["strategy"],
            symbol=note["symbol"],
            quantity=note["quantity"],
            amount=note["amount"],
            is_split=note["is_split"],
            # Tapes of earlier versions do not say: there each owner's did.
            restates=note.get("restates", True),
        )

    def _computed(self, note: Note) -> None:
        if "result" in note:
            self.core.later.deliver_result(note["number"], decode_result(note["result"]))
        else:
            self.core.later.run_again(note["number"])

    def _signal(self, note: Note) -> None:
        publish_signal(self.core, Signal(**{name: note[name] for name in Signal.FIELDS}))

    def _warm(self, note: Note) -> None:
        core = self.core
        stream = core.kernel.cache.streams[note["stream"]]
        # Tapes of earlier versions do not say: there time ended what was made of past bars.
        core.inputs.feed_past(stream, note["rows"], note.get("until", 0))

    def _wait(self, note: Note) -> None:
        core = self.core
        core.inputs.let_wait(core.kernel.cache.streams[note["stream"]], note["waits"])

    def _book(self, note: Note) -> None:
        stream = self.core.kernel.cache.streams[note["stream"]]
        self.core.inputs.feed_book(stream, note["ts"], note["bids"], note["asks"], note["full"])

    def _operate(self, note: Note) -> None:
        # What could not be carried out then was not, and was told to whoever asked.
        with suppress(PyrtError), unrecorded(self.core.kernel):
            carry_out(
                self.core,
                note["action"],
                note["actor"],
                note["reason"],
                note["symbol"],
                note["strategy"],
                note.get("order", ""),
            )

    def _gate(self, note: Note) -> None:
        if not (self._keeps_limits and note["method"] == "set_limits"):
            with suppress(PyrtError):
                change_gate(self.core.kernel, note["method"], note["arguments"])

    def _part(self, note: Note) -> None:
        names = ("prefix", "orders", "unsent", "uncanceled")
        part_with(self.core, **{name: note[name] for name in names})

    def _settle(self, note: Note) -> None:
        names = ("positions", "risk", "saves", "halted")
        changing = note.get("changing", b"")
        settle_with(self.core, **{name: note[name] for name in names}, changing=changing)

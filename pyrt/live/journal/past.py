"""The last run of a journal, as far as it was written down: what a restart goes on from."""

from __future__ import annotations

from pyrt.live.journal import records as r
from pyrt.live.journal.commands import Said, said_of

REPLAY = "replay"
"""Action of the record that is written before a run's inputs are played again."""
OVERRUN = "StrategyOverrun"


class Past:
    """Takes records as they are read; keeps what belongs to the run that began last.

    Places are numbers of inputs that the kernel had taken. What the run has taken over from one
    before it, up to `resumed_at`, is not in here.

    Attributes
    ----------
    start : RunStart or None
    commands : list of Said
    saves : list of StrategySave
        In their order.
    executions : list of Execution
    outcomes : int
        Other events of orders that are on record.
    place : int
        The last place that any record names.
    overrun : int or None
        A place before that at which a handler was broken off by the clock: no replay repeats that.
    attempted : bool
        A restart has tried to play it again, and did not come to its own start.
    """

    def __init__(self) -> None:
        self.start: r.RunStart | None = None
        self._clear()

    def _clear(self) -> None:
        self.commands: list[Said] = []
        self.saves: list[r.StrategySave] = []
        self.executions: list[r.Execution] = []
        self.outcomes = 0
        self.place = self.resumed_at = 0
        self.overrun: int | None = None
        self.attempted = False

    def take(self, record: r.Record) -> None:
        """Take one more record in."""
        if isinstance(record, r.RunStart):
            self._clear()
            self.start = record
            self.place = self.resumed_at = record.resumed_at
            return
        place = getattr(record, "inputs", 0)
        if isinstance(record, r.StrategyStopped) and OVERRUN in record.reason:
            # The same input may have left other records: its orders are canceled at once.
            before = self.place if record.since < 0 else min(self.place, record.since)
            self.overrun = before if self.overrun is None else self.overrun
        if place > self.resumed_at:
            self.place = max(self.place, place)
            self._take_placed(record)
        elif isinstance(record, r.Operation) and record.action == REPLAY:
            self.attempted = True

    def _take_placed(self, record: r.Record) -> None:
        if isinstance(record, r.Execution):
            self.executions.append(record)
        elif isinstance(record, r.Outcome):
            # Older versions have none of what an algorithm's orders filled: it is not compared.
            self.outcomes += record.kind != "fill"
        elif isinstance(record, r.StrategySave):
            self.saves.append(record)
        else:
            said = said_of(record)
            if said is not None:
                self.commands.append(said)

    def saved_after(self, place: int) -> dict[str, bytes]:
        """Return what strategies have saved last, of those that have done so after a place."""
        return {save.strategy: save.state for save in self.saves if save.inputs > place}

"""The client's place while a run is played again: commands are compared, and never sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from pyrt.live.core.node import NodeCore
from pyrt.live.core.restore import order_state
from pyrt.live.driver.scribe import QUIET_KINDS, Scribe
from pyrt.live.journal import records as r
from pyrt.live.journal.commands import Said, in_words, terms_of
from pyrt.live.journal.past import Past


class Rehearsal:
    """Takes the commands of a core that plays recorded inputs, and compares them with the record.

    What came before `past.resumed_at` has been compared when that run began. Commands at the very
    end, behind all records, are no difference: their intents were not on the disk, so they never
    left.

    Parameters
    ----------
    past : Past
        The record.
    scribe : Scribe
        Subscriptions go through it to the client, and it makes records of what has none.

    Attributes
    ----------
    compared : int
        Commands that came out as recorded.
    difference, differing : str
        The first that did not, in words, and the strategy it is of; "" while there is none.
    unsent, uncanceled : list of int
        Numbers of orders that never left, and of those whose cancel is none of the record.
    unwritten : list of Record
        What happened to orders after the end of the record.
    saves_differ : list of str
        Strategies whose saved state did not come out, and where.
    """

    def __init__(self, past: Past, scribe: Scribe) -> None:
        self._past = past
        self._scribe = scribe
        self._core: NodeCore | None = None
        self._saves = self._fills = self._outcomes = 0
        self._limit: int | None = None
        self._listening: list[Any] = []
        self.compared = 0
        self.difference = self.differing = ""
        self.unsent: list[int] = []
        self.uncanceled: list[int] = []
        self.unwritten: list[r.Record] = []
        self.saves_differ: list[str] = []

    def begin(self, core: NodeCore, limit: int | None) -> None:
        """Listen to a core; its inputs are broken off after the first `limit`."""
        self._core = core
        self._limit = limit
        self._scribe.core = core
        subscribe = core.kernel.bus.subscribe
        self._listening = [
            subscribe("order.*", self._on_order, priority=-100),
            subscribe("fill.*", self._on_fill, priority=-100),
        ]

    def end(self) -> None:
        """Judge what is left of the record, and listen no longer."""
        for subscription in self._listening:
            subscription.cancel()
        self._check_missing(self._place)

    @property
    def _place(self) -> int:
        assert self._core is not None
        return self._core.inputs.count

    @property
    def _is_compared(self) -> bool:
        """Whether what happens now is of the last run, and nothing has differed."""
        return self._place > self._past.resumed_at and not self.difference

    # -- where the client stands ---------------------------------------------------------------

    def submit(self, order: Any) -> None:
        """Compare a submit."""
        legs = [leg for leg in (order.take_profit, order.stop_loss) if leg is not None]
        if order.parent is None and order.sibling is not None:
            legs = [order.sibling]
        terms = [terms_of(order_state(each)) for each in (order, *legs)]
        if not self._compare("submit", order, terms):
            self.unsent.extend(each.number for each in (order, *legs))

    def change(self, order: Any, changes: dict[str, str]) -> None:
        """Compare a replace."""
        self._compare("change", order, changes)

    def withdraw(self, order: Any) -> None:
        """Compare a cancel; one that is not on record waits for nothing and leaves again."""
        if not self._compare("cancel", order, None) and self.difference:
            self.uncanceled.append(order.number)

    def subscribe(self, channel: str, symbol: str) -> None:
        """Hand a subscription on: what is live is wanted as it was then."""
        self._scribe.subscribe(channel, symbol)

    def _compare(self, what: str, order: Any, terms: Any) -> bool:
        """Return whether a command is on record."""
        if self._place <= self._past.resumed_at:
            return True
        if self.difference:
            return False
        said = Said(self._place, what, order.client_order_id, terms)
        commands = self._past.commands
        if self.compared < len(commands):
            wanted = commands[self.compared]
            if wanted == said:
                self.compared += 1
                return True
            self._differ(wanted, said, order.strategy.name)
        elif said.inputs < self._past.place:
            self._differ(None, said, order.strategy.name)
        return False

    def _differ(self, wanted: Said | None, said: Said | None, name: str) -> None:
        """Note the first difference; nothing after it is worth comparing."""
        self.difference = f"recorded {in_words(wanted)}, replayed {in_words(said)}"
        if wanted is not None and (said is None or said in self._past.commands):
            # The other one came: this one is missing.
            name = self._owner_of(wanted) or name
        self.differing = name
        assert self._core is not None
        self._core.inputs.break_off()

    def _owner_of(self, said: Said) -> str:
        """Return the strategy that a recorded command is of; its order may have ended by now."""
        if said.what == "submit":
            return str(said.terms[0][1])
        state, name = self._scribe.journal.state, said.client_order_id
        known = state.orders.get(name) or state.closed.get(name)
        return "" if known is None else known.strategy

    # -- places --------------------------------------------------------------------------------

    def next_place(self) -> int | None:
        """Return where there is something to look at next."""
        places = [
            place
            for place in (
                self._limit,
                self._next(self._past.commands, self.compared),
                self._next(self._past.saves, self._saves),
            )
            if place is not None
        ]
        return min(places, default=None)

    @staticmethod
    def _next(records: list[Any], at: int) -> int | None:
        return records[at].inputs if at < len(records) else None

    def on_place(self, place: int) -> int | None:
        """Look at what has to have come out by now; return the next place."""
        if self._limit is not None and place >= self._limit:
            assert self._core is not None
            self._core.inputs.break_off()
            return None
        self._check_missing(place)
        self._compare_saves(place)
        return self.next_place()

    def _check_missing(self, place: int) -> None:
        wanted = self._next(self._past.commands, self.compared)
        if not self.difference and wanted is not None and wanted <= place:
            self._differ(self._past.commands[self.compared], None, "")

    def _compare_saves(self, place: int) -> None:
        """Compare what strategies would save here with what they did save."""
        assert self._core is not None
        named = {strategy.name: strategy for strategy in self._core.kernel.strategies}
        while (self._next(self._past.saves, self._saves) or place + 1) <= place:
            save = self._past.saves[self._saves]
            self._saves += 1
            try:
                state = r.ENCODER.encode(named[save.strategy].on_save())
            except Exception as error:
                state = repr(error).encode()
            if state != save.state:
                self.saves_differ.append(f"{save.strategy} after input {save.inputs}")

    # -- what the record has no longer ---------------------------------------------------------

    def _on_order(self, event: Any) -> None:
        if event.kind in QUIET_KINDS or not self._is_compared:
            return
        self._outcomes += 1
        # Of an order that never left nothing is on record, its end neither.
        if self._outcomes > self._past.outcomes and event.order.number not in self.unsent:
            self._keep(self._scribe.outcome_of(event))

    def _on_fill(self, fill: Any) -> None:
        if not self._is_compared:
            return
        self._fills += 1
        if self._fills > len(self._past.executions):
            self._keep(self._scribe.execution_of(fill, historical=False))

    def _keep(self, record: Any) -> None:
        known = self._scribe.journal.state.orders.get(record.order.client_order_id)
        if known is not None:
            record = msgspec.structs.replace(record, order=_named(record.order, known))
        self.unwritten.append(record)


def _named(order: r.OrderState, known: r.OrderState) -> r.OrderState:
    """Return an order by the broker's names that it was `known` by at the end of the record.

    The client has not taken it over yet. What has filled since may have done so under another name,
    and is told again by the first look.
    """
    parts = known.venue_parts
    more = Decimal(order.filled) - Decimal(known.filled)
    if more > 0:
        paid = Decimal(order.filled_notional) - Decimal(known.filled_notional)
        before = next((part for part in parts if not part[0]), ("", "0", "0"))
        units, cost = Decimal(before[1]) + more, Decimal(before[2]) + paid * r.MONEY_UNIT
        parts = (*(part for part in parts if part[0]), ("", f"{units:f}", f"{cost:f}"))
    return msgspec.structs.replace(
        order,
        venue_order_id=known.venue_order_id,
        venue_filled=known.venue_filled,
        venue_cost=known.venue_cost,
        venue_parts=parts,
    )

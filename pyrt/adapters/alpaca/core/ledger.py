"""The orders of a run, and the one idempotent apply that all news of them goes through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from pyrt.adapters.alpaca.core.coin_fees import may_keep
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent, Event, FillEvent
from pyrt.adapters.alpaca.core.known import NANO, ZERO, Known, Part
from pyrt.adapters.alpaca.core.messages import OrderView

Terms = tuple[str | None, str | None, str | None]
"""Quantity, limit price and stop price that are in force now."""

FINAL = frozenset({"filled", "canceled", "expired", "rejected"})
UNTRADED = frozenset({"pending_new", "accepted", "new", "held", "rejected"})
"""Statuses in which an order has executed nothing: what a replacement shows then, it carries."""
IN_FORCE = frozenset({"new", "accepted", "held", "partially_filled", "filled"})
SUCCEEDS = IN_FORCE - {"accepted"}
"""Statuses of a replacement that tell by themselves that it has taken the other's place."""
ANSWERS = {
    "accepted": "accepted",
    "new": "accepted",
    "held": "held",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}
"""Alpaca's status → what the kernel is told; other statuses are on the way to one of these."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The latest execution as a trade update states it.

    Attributes
    ----------
    position : str
        What the account holds of its symbol afterwards; "" where that is not told.
    """

    quantity: Decimal
    price: Decimal
    position: str = ""


class Ledger:
    """Orders of one run by number, venue id and client order id.

    Parameters
    ----------
    prefix : str
        Begins the client order ids of this run.

    Attributes
    ----------
    coin_tier : int
        Number of the tier by which the account's purchases of coins are charged.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.coin_tier = 1
        self._by_number: dict[int, Known] = {}
        self._by_venue_id: dict[str, Known] = {}
        self._adopted: dict[str, Known] = {}
        self._left: dict[str, list[Known]] = {}

    def __iter__(self) -> Iterator[Known]:
        return iter(self._by_number.values())

    def add(self, known: Known) -> Known:
        """Enter an order that is about to be sent."""
        self._by_number[known.number] = known
        return known

    def adopt(self, known: Known, parts: dict[str, Part]) -> None:
        """Enter an order that an earlier run has sent, with what its venue orders have executed.

        What a replaced one has executed would else be news again.
        """
        self._by_number[known.number] = known
        self._adopted[known.client_order_id] = known
        known.parts.update(parts)
        known.carries = sum(part.filled for part in parts.values()) > known.placed.filled
        known.level()
        self._by_venue_id.update(dict.fromkeys(parts, known))

    def leave(self, entry_id: str, leg: Known) -> None:
        """Remember whose exit an order is when its entry has ended and is not known here."""
        self._left.setdefault(entry_id, []).append(leg)

    def forget(self, number: int) -> None:
        """Drop an order that has ended, with the broker's ids of it."""
        known = self._by_number.pop(number, None)
        if known is None:
            return
        for venue_id in (*known.parts, known.venue_id, known.next_id):
            self._by_venue_id.pop(venue_id, None)
        self._adopted.pop(known.client_order_id, None)
        for entry_id, legs in tuple(self._left.items()):
            if known in legs:
                legs.remove(known)
                if not legs:
                    del self._left[entry_id]

    def of(self, number: int) -> Known:
        """Return an order by our number; KeyError if it was never sent from here."""
        return self._by_number[number]

    def get(self, number: int) -> Known | None:
        """Return an order by our number, or None."""
        return self._by_number.get(number)

    def by_venue_id(self, venue_id: str) -> Known | None:
        """Return the order that a broker's id belongs to, or None."""
        return self._by_venue_id.get(venue_id)

    def is_ours(self, client_order_id: str) -> bool:
        """Return whether an id was minted by this run."""
        return client_order_id.startswith(self._prefix) or client_order_id in self._adopted

    def find(self, view: OrderView) -> Known | None:
        """Return the order that a view is about; None if it is not one of ours."""
        known = self._by_venue_id.get(view.id)
        if known is not None:
            return known
        if view.replaces and view.status in IN_FORCE and view.replaces in self._by_venue_id:
            # Whoever has replaced it elsewhere has given it an id of his own.
            return self._by_venue_id[view.replaces]
        # A replacement carries the number it replaces, and a count: `prefix7-r1`.
        adopted = self._adopted.get(re.sub(r"-r\d+$", "", view.client_order_id))
        if adopted is not None:
            return adopted
        if not view.client_order_id.startswith(self._prefix):
            return None
        digits = view.client_order_id.removeprefix(self._prefix).partition("-")[0]
        is_number = digits.isascii() and digits.isdigit() and len(digits) < 10
        return self._by_number.get(int(digits)) if is_number else None

    def apply(
        self,
        view: OrderView,
        ts: int,
        *,
        execution: Execution | None = None,
        reason: str = "",
    ) -> list[Event]:
        """Fold news about an order in, from whichever source, and return what is new in it.

        News may come twice, late or out of order: what is old changes nothing, quantities are
        cumulative, and no state follows a final one.

        Parameters
        ----------
        ts : int
            When it happened, ns UTC.
        execution : Execution, optional
            Of a fill's trade update.
        """
        known = self.find(view)
        if known is None:
            return self._apply_left(view, ts)
        self.sight(known, view)
        self._begin(known, view, execution)
        events = self._replacement(known, view, ts, reason)
        events.extend(self.resized(known, view, ts))
        events.extend(self._sized(known, view, ts, execution))
        events.extend(self._fills(known, view, ts, execution))
        answer = self._answer(known, view, ts, reason)
        if answer is not None:
            events.append(answer)
        for leg, leg_view in _paired(known.legs, view):
            self._by_venue_id[leg_view.id] = leg
            events.extend(self.apply(leg_view, ts))
        return events

    def _apply_left(self, view: OrderView, ts: int) -> list[Event]:
        """Apply what an order that is not known here shows of exits that are."""
        events: list[Event] = []
        for leg_view in self.sight_left(view):
            events.extend(self.apply(leg_view, ts))
        return events

    def sight_left(self, view: OrderView) -> list[OrderView]:
        """Return what an order that is not known here shows of exits that are; ids are noted."""
        legs = [leg for leg in self._left.get(view.client_order_id, ()) if not leg.venue_id]
        for leg, leg_view in _paired(legs, view):
            self._by_venue_id.setdefault(leg_view.id, leg)
        return [leg_view for leg_view in view.legs or () if self.find(leg_view) is not None]

    def expect(self, known: Known, venue_id: str) -> None:
        """Enter the id of a replacement; it takes over when the broker shows it in force."""
        if venue_id and venue_id not in known.parts:
            known.next_id = venue_id
            self._by_venue_id[venue_id] = known

    def sight(self, known: Known, view: OrderView) -> None:
        """Remember a venue id, and the one that follows it."""
        if known.venue_id and view.replaces == known.venue_id:
            self.expect(known, view.id)
        elif view.replaced_by is not None:
            self.expect(known, view.replaced_by)
            self._follow(known, view)
        self._by_venue_id[view.id] = known
        known.venue_id = known.venue_id or view.id

    @staticmethod
    def _begin(known: Known, view: OrderView, execution: Execution | None) -> None:
        """Enter a venue order at its first news: what was before it is known by now.

        A replacement that was told of early is looked at anew as it takes the other's place: that
        one may have executed something meanwhile. Of one that was replaced, what is shown late is
        its own.
        """
        part = known.parts.get(view.id)
        if part is not None and (part.filled or view.id != known.next_id):
            return
        # Some venues count a replacement's fills from 0, some from what its predecessor had.
        before = Decimal(view.filled_qty) - (ZERO if execution is None else execution.quantity)
        is_old = before >= known.placed.filled or view.status in UNTRADED
        known.carries |= bool(known.parts) and before > 0 and is_old
        known.parts[view.id] = known.placed if known.carries else Part()

    def succeed(self, known: Known, views: Iterable[OrderView], ts: int) -> list[Event]:
        """Put orders in force that took each other's place: one of them has executed something."""
        events: list[Event] = []
        for view in views:
            known.next_id, known.is_replaced = view.id, True
            events.extend(self._replacement(known, view, ts, ""))
        return events

    def _follow(self, known: Known, view: OrderView) -> None:
        """Go on to what has taken the place of the order in force."""
        if view.id == known.venue_id and view.status == "replaced" and view.replaced_by:
            known.next_id, known.is_replaced = view.replaced_by, True
            self._by_venue_id[view.replaced_by] = known

    def _replacement(self, known: Known, view: OrderView, ts: int, reason: str) -> list[Event]:
        """Put a replacement in force, or give it up."""
        if view.id != known.next_id or known.final:
            return []
        # Where the order before it is replaced, it was in force, however it has ended since.
        if not known.is_replaced:
            is_unfilled = not Decimal(view.filled_qty)
            # What one that was rejected shows as filled is its predecessor's.
            if view.status == "rejected" or (view.status == "canceled" and is_unfilled):
                known.next_id, known.taken_at = "", 0
                return [AnswerEvent("modify_rejected", known.number, ts, reason)]
            if view.status not in SUCCEEDS:
                return []
        known.venue_id, known.next_id, known.is_replaced = view.id, "", False
        known.taken_at = 0
        self._follow(known, view)
        known.quantity = None if view.qty is None else Decimal(view.qty)
        terms = (view.qty, view.limit_price, view.stop_price)
        return self._modified(known, ts, terms)

    @staticmethod
    def _modified(known: Known, ts: int, terms: Terms, *, is_held: bool = False) -> list[Event]:
        """Tell of new terms; what has them had arrived, though nobody may have told so."""
        modified = AnswerEvent("modified", known.number, ts, terms=terms)
        if known.acknowledged or known.held:
            return [modified]
        known.held, known.acknowledged, known.is_unknown = is_held, not is_held, False
        return [AnswerEvent("held" if is_held else "accepted", known.number, ts), modified]

    def resized(self, known: Known, view: OrderView, ts: int) -> list[Event]:
        """Tell of a quantity that the broker has changed: an exit whose sibling filled in part."""
        if view.qty is None or known.quantity is None or view.id != known.venue_id or known.final:
            return []
        quantity = Decimal(view.qty)
        if quantity == known.quantity or not known.filled <= quantity or not quantity:
            return []
        known.quantity = quantity
        is_held = view.status == "held"
        return self._modified(known, ts, (view.qty, None, None), is_held=is_held)

    def _sized(
        self, known: Known, view: OrderView, ts: int, execution: Execution | None
    ) -> list[Event]:
        """Tell how many units an order given by its notional comes to: the broker never does.

        Filled in part, it is taken to buy the rest at the average price so far.
        """
        filled = Decimal(view.filled_qty)
        if known.notional is None or known.final or filled < known.filled or not filled:
            return []
        price = Decimal(view.filled_avg_price or (execution.price if execution else ZERO))
        if not price:
            return []
        quantity = filled
        if view.status != "filled":
            rest = ((known.notional - filled * price) / price).quantize(known.unit, ROUND_DOWN)
            quantity += max(rest, known.unit)
            if known.quantity is not None and known.quantity > filled:
                return []
        if quantity == known.quantity:
            return []
        known.quantity = quantity
        return self._modified(known, ts, (f"{quantity:f}", None, None))

    def _fills(
        self, known: Known, view: OrderView, ts: int, execution: Execution | None
    ) -> list[Event]:
        if known.unplaced.filled:
            _place(known, known.parts[view.id], Decimal(view.filled_qty))
            known.level()
        part = known.parts[view.id]
        missing = Decimal(view.filled_qty) - part.filled
        if missing <= 0:
            return []
        if known.final == "rejected":
            return [Alarm("fill_after_reject", f"{known.client_order_id} was filled", ts)]
        last = execution if execution is not None and execution.quantity <= missing else None
        events: list[Event] = []
        for quantity, price, position in _steps(part, view, missing, last):
            part.filled += quantity
            part.cost += quantity * price
            known.filled += quantity
            known.cost += quantity * price
            events.append(
                FillEvent(
                    known.number,
                    ts,
                    f"{quantity:f}",
                    f"{price:f}",
                    f"{known.filled:f}",
                    position=position,
                    keeps=self._may_keep(known, quantity, ts),
                )
            )
        if events:
            known.acknowledged, known.is_unknown = True, False
            known.level()
        return events

    def _may_keep(self, known: Known, quantity: Decimal, ts: int) -> tuple[tuple[str, str], ...]:
        return may_keep(quantity, known.unit, ts, self.coin_tier) if known.buys_coins else ()

    def _answer(self, known: Known, view: OrderView, ts: int, reason: str) -> AnswerEvent | None:
        status = view.status
        if known.final or (status != "filled" and view.id != known.venue_id):
            return None
        was_unknown, known.is_unknown = known.is_unknown, False
        if status == "filled":
            # Final only when its price is known too; until then the read-back goes on.
            complete = known.parts[view.id].filled >= Decimal(view.filled_qty)
            known.final = "filled" if complete else ""
            return None
        kind = ANSWERS.get(status, "accepted" if was_unknown else "")
        if not kind or not self._is_news(known, kind):
            return None
        return AnswerEvent(kind, known.number, ts, reason)

    @staticmethod
    def _is_news(known: Known, kind: str) -> bool:
        if kind in FINAL:
            known.final = kind
            return not (kind == "rejected" and known.filled)
        if kind == "held":
            news, known.held = not known.held and not known.acknowledged, True
            return news
        news, known.acknowledged = not known.acknowledged, True
        return news


def _paired(legs: Iterable[Known], view: OrderView) -> Iterator[tuple[Known, OrderView]]:
    """Pair our exits with the broker's by what they are: it gives them ids of its own."""
    for leg_view in view.legs or ():
        kind = "limit" if leg_view.type == "limit" else "stop"
        for leg in legs:
            if leg.leg_type == kind:
                yield leg, leg_view


def _place(known: Known, part: Part, filled: Decimal) -> None:
    """Take what a venue order shows beyond its part for what was told already, while any is."""
    unplaced = known.unplaced
    quantity = min(unplaced.filled, filled - part.filled)
    if quantity <= 0:
        return
    cost = unplaced.cost
    if quantity < unplaced.filled:
        cost = (cost * quantity / unplaced.filled).quantize(NANO)
    part.filled += quantity
    part.cost += cost
    known.unplaced = Part(unplaced.filled - quantity, unplaced.cost - cost)


def _steps(
    part: Part, view: OrderView, missing: Decimal, last: Execution | None
) -> Iterator[tuple[Decimal, Decimal, str]]:
    """Yield (quantity, price, position) of what is missing; nothing while a price is not known.

    Executions we were not told of are one fill at the price that makes the average right.
    """
    rest = missing
    if last is not None:
        rest -= last.quantity
    if rest > 0:
        if view.filled_avg_price is None:
            return
        cost = Decimal(view.filled_avg_price) * Decimal(view.filled_qty) - part.cost
        if last is not None:
            cost -= last.quantity * last.price
        yield rest, (cost / rest).quantize(NANO), ""
    if last is not None:
        yield last.quantity, last.price, last.position

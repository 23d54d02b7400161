"""New terms of orders: asked for as soon as an order has an id, and until it is known what came."""

from __future__ import annotations

from decimal import Decimal

from pyrt.adapters.alpaca.core.bodies import change_body
from pyrt.adapters.alpaca.core.doubt import Doubt, OrderPathPolicy
from pyrt.adapters.alpaca.core.events import AnswerEvent, Event
from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.messages import OrderView, decoded
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue

BEING_REPLACED = frozenset({"pending_replace", "replaced"})
"""Statuses of an order that takes no cancel, while another is about to stand for it."""
LESSEN_ATTEMPTS = 8
"""So often a change that only gives up units is sent that nobody can say has arrived."""


class Changes:
    """Queues the requests that replace terms, and keeps those that cannot be sent yet.

    Parameters
    ----------
    ledger : Ledger
    queue : RequestQueue
    policy : OrderPathPolicy
    doubts : dict of int to Doubt
        Of the order path: what is open about each order.
    """

    def __init__(
        self, ledger: Ledger, queue: RequestQueue, policy: OrderPathPolicy, doubts: dict[int, Doubt]
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._policy = policy
        self._doubts = doubts

    def ask(self, number: int, terms: dict[str, str], now: int) -> list[Event]:
        """Queue the request that replaces an order's terms; at once, or as soon as it has an id."""
        known, doubt = self._ledger.of(number), self._doubts[number]
        if known.venue_id:
            self._send(number, terms)
            return []
        if known.final:
            return [_late(number, now)]
        doubt.waiting.append((now, terms))
        return []

    def send_if_known(self, number: int, now: int) -> list[Event]:
        """Send the changes that have waited for the order's id; one that is old says so."""
        known, doubt = self._ledger.of(number), self._doubts[number]
        if not known.venue_id or not doubt.waiting:
            return []
        waiting, doubt.waiting = doubt.waiting, []
        events: list[Event] = []
        for asked_at, terms in waiting:
            if known.final or doubt.cancel_wanted or now - asked_at >= self._policy.resend_ns:
                events.append(_late(number, now))
            else:
                self._send(number, terms)
        return events

    def _send(self, number: int, terms: dict[str, str]) -> None:
        known, doubt = self._ledger.of(number), self._doubts[number]
        doubt.changes += 1
        body = change_body(terms, f"{known.client_order_id}-r{doubt.changes}")
        path = f"/v2/orders/{known.venue_id}"
        # What was sent by an earlier run is known by its terms alone.
        lessens = gives_up(body, known)
        reduces = doubt.reduces or lessens
        request = HttpRequest(
            "PATCH", path, body, number, "replace", reduces=reduces, lessens=lessens
        )
        doubt.change, doubt.change_since, doubt.is_changing = request, 0, True
        known.taken_at = 0
        self._queue.add(request)

    def look(self, number: int, view: OrderView, now: int) -> list[Event]:
        """Send a change again that a look does not show; after a while say that it is not in force.

        The broker takes its id only once, and an order that is replaced no change at all.
        """
        known, doubt = self._ledger.of(number), self._doubts[number]
        request = doubt.change
        if request is None or not doubt.change_since or doubt.is_changing:
            return self._look_for_taken(known, view, now)
        if view.status in BEING_REPLACED or not request.path.endswith(f"/{view.id}"):
            doubt.change = None
            if view.status in BEING_REPLACED and view.id == known.newest_id:
                known.taken_at = now
            return []
        if known.final or known.newest_id != view.id:
            doubt.change = None
            return []
        is_young = now - doubt.change_since < self._policy.resend_ns
        if doubt.cancel_wanted and is_young:
            # Not sent again; what becomes of the cancel says nothing of it.
            return []
        if not doubt.cancel_wanted and (
            is_young or (request.lessens and request.attempt < LESSEN_ATTEMPTS)
        ):
            doubt.is_changing = True
            self._queue.retry(request, now)
            return []
        doubt.change = None
        return [AnswerEvent("modify_rejected", number, now, "the broker does not show the change")]

    def _look_for_taken(self, known: Known, view: OrderView, now: int) -> list[Event]:
        """Give a change up that the broker has taken, and that an order goes on without.

        That it was refused after all is told once, by a stream that may have been down.
        """
        goes_on = view.id == known.newest_id and view.status not in BEING_REPLACED
        is_late = known.taken_at and now - known.taken_at >= self._policy.resend_ns
        if known.final or not (goes_on and is_late):
            return []
        known.taken_at = 0
        text = "the broker has taken the change and does not show it in force"
        return [AnswerEvent("modify_rejected", known.number, now, text)]

    def drop(self, number: int, now: int) -> list[Event]:
        """Refuse the changes that still wait: the order will have no id any more."""
        waiting, self._doubts[number].waiting = self._doubts[number].waiting, []
        return [_late(number, now) for _ in waiting]


def gives_up(body: bytes, known: Known) -> bool:
    """Return whether a change does nothing but lessen an order."""
    terms = decoded(body, dict[str, str]) or {}
    if terms.keys() != {"qty", "client_order_id"} or known.quantity is None:
        return False
    return Decimal(terms["qty"]) < known.quantity


def _late(number: int, now: int) -> AnswerEvent:
    text = "the broker has not shown this order in time"
    return AnswerEvent("modify_rejected", number, now, text)

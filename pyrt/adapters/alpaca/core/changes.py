"""New terms of orders: asked for as soon as an order has an id, refused when that is too late."""

from __future__ import annotations

from decimal import Decimal

from pyrt.adapters.alpaca.core.bodies import change_body
from pyrt.adapters.alpaca.core.doubt import Doubt, OrderPathPolicy
from pyrt.adapters.alpaca.core.events import AnswerEvent, Event
from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.messages import decoded
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue


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
        self._queue.add(request)

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

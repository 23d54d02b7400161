"""The way of an order: sent under one id, unknown when in doubt, settled by evidence only."""

from __future__ import annotations

from urllib.parse import quote

from pyrt.adapters.alpaca.core.bodies import is_pair, leg_type, legs_of, order_body, reduces
from pyrt.adapters.alpaca.core.changes import BEING_REPLACED, Changes, gives_up
from pyrt.adapters.alpaca.core.doubt import Doubt, OrderPathPolicy
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent, Event, UnseenEvent
from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.messages import ErrorBody, OrderView, decoded
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue, outcome
from pyrt.core.orders import Order

REFUSALS = frozenset({400, 401, 403, 404, 422})
"""Statuses that are a refusal if the body says why; everything else in doubt is read back."""
REFUSALS_MAX = 2
"""So many refusals of a cancel are told, if a look after each has shown the order as open: what was
refused may have been another state of it than the one that a look shows."""
CONFIRM_NS = 2 * SECOND
"""How long an accepted cancel or replace may stay without visible effect before a read-back."""
OVERDUE_NS = 30 * SECOND
"""After this long without effect somebody is told, again each time it has passed."""
OVERDUE_LOOK_NS = 10 * SECOND
"""Time between looks at what has long been without effect; before, half of how long it has been."""
ROUND_MAX = 50
"""So many orders are read back at once: a way out needs some of the broker's grant meanwhile."""
LATE_REPEATS_MIN = 4
"""After so many late repeats of a way out somebody is told, again each time they have doubled."""


class OrderPath:
    """Places, replaces and cancels orders; every answer ends in the ledger.

    Parameters
    ----------
    ledger : Ledger
    queue : RequestQueue
    """

    def __init__(
        self, ledger: Ledger, queue: RequestQueue, policy: OrderPathPolicy | None = None
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._policy = policy or OrderPathPolicy()
        self._doubts: dict[int, Doubt] = {}
        self._changes = Changes(ledger, queue, self._policy, self._doubts)
        self._round: list[int] = []
        """What a round of read-backs has still to come to, last first."""

    # -- commands ------------------------------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Queue the request that places an order; its id is minted once and never changes."""
        known = self._enter(order)
        legs = legs_of(order)
        known.legs = tuple(self._enter(leg) for leg in legs)
        for entry, leg in zip(known.legs, legs, strict=True):
            entry.leg_type = leg_type(leg)
        if is_pair(order):
            known.leg_type = "limit"
        doubt = self._doubts[order.number]
        doubt.body, doubt.reduces = order_body(order), reduces(order)
        self._place(order.number, 0)

    def forget(self, number: int) -> None:
        """Drop what is kept of an order that has ended."""
        self._doubts.pop(number, None)

    def adopt(self, known: Known, *, sent_at: int, cancel_wanted: bool, changes: int) -> None:
        """Enter an order that an earlier run has sent; its bytes are not sent again from here."""
        self._doubts[known.number] = Doubt(
            sent_at=sent_at, ambiguous=True, cancel_wanted=cancel_wanted, changes=changes
        )

    def change(self, order: Order, terms: dict[str, str], now: int) -> list[Event]:
        """Queue the request that replaces an order's terms; at once, or as soon as it has an id."""
        return self._changes.ask(order.number, terms, now)

    def withdraw(self, number: int, now: int) -> list[Event]:
        """Cancel an order, as often as it takes; at once, or as soon as its id is known.

        One that has not left yet never does.
        """
        doubt = self._doubts[number]
        doubt.cancel_wanted, doubt.cancel_refusals = True, 0
        events = self._drop_moot(number, now)
        self._cancel_if_known(number, 0)
        return events

    def give_up(self, number: int, now: int) -> None:
        """Place an order no more: it was declared lost. Looks go on, for it may be there still."""
        doubt = self._doubts.get(number)
        if doubt is not None:
            doubt.given_up = True
            self._drop_moot(number, now)

    def is_moot(self, number: int) -> bool:
        """Return whether placing an order is needless.

        The broker has shown it meanwhile, it is to be canceled, or it was declared lost: what may
        be there is read back.
        """
        known, doubt = self._ledger.of(number), self._doubts[number]
        return bool(known.venue_id or known.final or doubt.cancel_wanted or doubt.given_up)

    def is_nowhere(self, number: int) -> bool:
        """Whether an order that is to be canceled has never been at the broker, for certain."""
        known, doubt = self._ledger.of(number), self._doubts[number]
        return doubt.cancel_wanted and not (doubt.ambiguous or known.venue_id or known.final)

    def end_unsent(self, number: int, now: int) -> list[Event]:
        """End an order that was canceled before it left, and what it was to bring."""
        self._doubts[number].is_submitting = False
        self._ledger.of(number).final = "canceled"
        text = "it was canceled before it left"
        changes = self._changes.drop(number, now)
        return [*changes, AnswerEvent("canceled", number, now, text), *self.end_legs(number, now)]

    def _apply(self, view: OrderView, now: int) -> list[Event]:
        events = self._ledger.apply(view, now)
        return [*events, *self.note_view(view, now)]

    def read_back(self, number: int, not_before: int = 0) -> None:
        """Queue a look at what the broker has; one that waits already is enough."""
        if self._queue.has("read_back", number):
            return
        known = self._ledger.of(number)
        path = (
            f"/v2/orders/{known.newest_id}?nested=true"
            if known.newest_id
            else f"/v2/orders:by_client_order_id?client_order_id={quote(known.client_order_id)}"
        )
        self._queue.add(HttpRequest("GET", path, b"", number, "read_back"), not_before)

    @property
    def is_amid_round(self) -> bool:
        """Whether some orders have still to be read back before all have been."""
        return bool(self._round)

    def resync(self, now: int) -> int:
        """Read back orders that are not final, the next of a round; return how many."""
        if not self._round:
            self._round = [known.number for known in self._ledger if _is_readable(known)][::-1]
        count = 0
        while self._round and count < ROUND_MAX:
            known = self._ledger.get(self._round.pop())
            if known is not None and _is_readable(known):
                self.read_back(known.number, now)
                count += 1
        return count

    def read_doubts(self) -> None:
        """Read back every order of which nobody knows whether it has arrived."""
        for known in self._ledger:
            if known.is_unknown and not known.final:
                self.read_back(known.number)

    # -- answers -------------------------------------------------------------------------------

    def receive(self, request: HttpRequest, status: int, body: bytes, now: int) -> list[Event]:
        """Take the answer to one of this path's requests."""
        if status == 429 and request.purpose != "read_back":
            return self._on_too_many(request, now)
        view = decoded(body, OrderView) if 200 <= status < 300 and body else None
        if view is not None and not view.is_sound:
            # A number that is none makes the whole answer one that makes no sense.
            view = None
        refusal = _refusal(status, body)
        if request.purpose == "submit":
            return self._on_submit(request, view, refusal, outcome(status, body), now)
        if request.purpose == "replace":
            return self._on_replace(request, view, refusal, now)
        if request.purpose == "cancel":
            return self._on_cancel(request, status, refusal, now)
        is_missing = status == 404 and refusal is not None
        return self._on_read_back(request, view, is_missing, outcome(status, body), now)

    def _on_submit(
        self,
        request: HttpRequest,
        view: OrderView | None,
        refusal: ErrorBody | None,
        came: str,
        now: int,
    ) -> list[Event]:
        number = request.order_number
        known, doubt = self._ledger.of(number), self._doubts[number]
        doubt.sent_at = doubt.sent_at or now
        doubt.is_submitting = False
        if view is not None:
            return self._apply(view, now)
        if known.venue_id:
            return []
        taken = refusal is not None and "must be unique" in refusal.message
        if refusal is not None and not taken and not doubt.ambiguous:
            known.final = "rejected"
            text = f"{refusal.code}: {refusal.message}"
            changes = self._changes.drop(number, now)
            return [*changes, AnswerEvent("rejected", number, now, text)]
        doubt.ambiguous = True
        self.read_back(number)
        if known.is_unknown:
            return []
        known.is_unknown = True
        return [AnswerEvent("unknown", number, now, came)]

    def _on_read_back(
        self,
        request: HttpRequest,
        view: OrderView | None,
        is_missing: bool,
        came: str,
        now: int,
    ) -> list[Event]:
        number = request.order_number
        doubt = self._doubts[number]
        if view is not None or is_missing:
            doubt.failures = doubt.failing_since = 0
            doubt.is_unseen = False
        if view is not None:
            canceling = doubt.canceling
            events = [*self._apply(view, now), *self._changes.look(number, view, now)]
            if doubt.canceling == canceling:
                # Otherwise this look has let a cancel go, and says nothing of its effect.
                events.extend(self._after_look(number, view, now))
            return events
        if is_missing and not self._ledger.of(number).venue_id:
            return self._not_found(request, now)
        return self._unanswered(request, came, now)

    def _unanswered(self, request: HttpRequest, came: str, now: int) -> list[Event]:
        """A look has shown nothing: look again, later each time, and never for ever in silence."""
        number = request.order_number
        known, doubt = self._ledger.of(number), self._doubts[number]
        doubt.failures += 1
        doubt.failing_since = doubt.failing_since or now
        if not self._queue.has("read_back", number):
            # One that waits already is enough.
            self._queue.retry(request, now)
        name, seconds = known.client_order_id, (now - doubt.failing_since) // SECOND
        events: list[Event] = []
        if doubt.failures % self._queue.policy.attempts == 0:
            text = f"{name}: {doubt.failures} looks in a row have shown nothing: {came}"
            events.append(Alarm("read_back_failed", text, now))
        is_over = now - doubt.failing_since >= self._policy.unseen_ns
        if known.is_unknown and is_over and not doubt.is_unseen:
            doubt.is_unseen = True
            text = f"{name} is of unknown outcome, and no look was answered for {seconds} s"
            events.append(UnseenEvent(number, now, text))
        return events

    def _on_too_many(self, request: HttpRequest, now: int) -> list[Event]:
        """The broker did nothing: ask again, but place or change nothing that has become old.

        Cancels are tried until their outcome is known, and so are orders that only reduce: what
        was kept until its price came is asked for by nobody else. So is a change by which an exit
        gives up units that are held no more.
        """
        number = request.order_number
        known, doubt = self._ledger.of(number), self._doubts[number]
        doubt.sent_at = doubt.sent_at or now
        text = "the broker has had too many requests"
        if request.purpose == "replace" and request.attempt >= self._queue.policy.attempts:
            is_open = not (known.final or doubt.cancel_wanted)
            if not (is_open and gives_up(request.body, known)):
                doubt.change = None
                return [AnswerEvent("modify_rejected", number, now, text)]
        is_old = now - doubt.sent_at >= self._policy.resend_ns
        if request.purpose == "submit" and is_old and (doubt.ambiguous or not doubt.reduces):
            doubt.is_submitting = False
            if doubt.ambiguous:
                self.read_back(number)
                return []
            known.final = "rejected"
            return [*self._changes.drop(number, now), AnswerEvent("rejected", number, now, text)]
        self._queue.retry(request, now)
        return []

    def _not_found(self, request: HttpRequest, now: int) -> list[Event]:
        """The broker does not know the order: send it again, look again, or give it up."""
        number = request.order_number
        known, doubt = self._ledger.of(number), self._doubts[number]
        age = now - doubt.sent_at
        if not known.is_unknown or doubt.is_submitting:
            return []
        doubt.late_misses += age >= self._policy.lost_ns
        if doubt.late_misses >= 2:
            known.is_unknown = False
            text = "the broker does not know the order"
            return [*self._changes.drop(number, now), AnswerEvent("lost", number, now, text)]
        is_wanted = bool(doubt.body) and not (doubt.cancel_wanted or doubt.given_up)
        is_old = age >= self._policy.resend_ns
        if is_wanted and (doubt.reduces or not is_old):
            # A way out is wanted for as long as there is something to leave, less and less often.
            doubt.late_repeats += is_old
            attempt = doubt.late_repeats if is_old else request.attempt
            delay = self._queue.policy.delay_ns(attempt, self._queue.random)
            self._place(number, now + delay, attempt=2)
            return self._not_arrived(number, now) if is_old else []
        self._queue.retry(request, now)
        return []

    def _not_arrived(self, number: int, now: int) -> list[Event]:
        """Tell of a way out that the broker does not take, however often it is sent."""
        doubt = self._doubts[number]
        times = doubt.late_repeats
        if times < LATE_REPEATS_MIN or times & (times - 1):
            return []
        name, seconds = self._ledger.of(number).client_order_id, (now - doubt.sent_at) // SECOND
        text = f"{name}, a way out, has not arrived at the broker for {seconds} s"
        return [Alarm("overdue", text, now)]

    def _on_cancel(
        self, request: HttpRequest, status: int, refusal: ErrorBody | None, now: int
    ) -> list[Event]:
        number = request.order_number
        doubt = self._doubts[number]
        if self._ledger.of(number).final:
            return []
        if refusal is not None:
            # Whether it was canceled before, has been filled or is on the way, a look tells. What
            # a replaced order was refused says nothing of the one that has taken its place.
            if request.path.endswith(f"/{doubt.canceling}"):
                doubt.cancel_refusal = f"{refusal.code}: {refusal.message}"
            self.read_back(number)
        elif 200 <= status < 300:
            self.read_back(number, now + CONFIRM_NS)
        else:
            self.read_back(number, now + SECOND)
        return []

    def _after_look(self, number: int, view: OrderView, now: int) -> list[Event]:
        """Carry on with a cancel that a read-back shows without effect."""
        known, doubt = self._ledger.of(number), self._doubts[number]
        if doubt.canceling and view.id != doubt.canceling and not known.final:
            # It shows what was replaced, and nothing of what is to be canceled.
            self.read_back(number)
            return []
        doubt.canceling = ""
        if known.final or not doubt.cancel_wanted:
            if view.status == "replaced" or (view.status == "filled" and not known.final):
                return self._still_open(number, view, now, SECOND)
            doubt.open_since = 0
            return []
        if view.status in BEING_REPLACED:
            # It takes no cancel before its successor is there, which is the one to cancel then.
            doubt.cancel_refusal = ""
            return self._still_open(number, view, now, SECOND)
        if doubt.cancel_refusal and view.status != "pending_cancel":
            text, doubt.cancel_refusal = doubt.cancel_refusal, ""
            doubt.cancel_refusals += 1
            if doubt.cancel_refusals >= REFUSALS_MAX:
                doubt.cancel_wanted = False
                return [AnswerEvent("cancel_rejected", number, now, text)]
        if view.status == "pending_cancel":
            return self._still_open(number, view, now, CONFIRM_NS)
        self._cancel_if_known(number, now + SECOND * (doubt.cancel_refusals > 0))
        return self._overdue(number, view, now)

    def _still_open(self, number: int, view: OrderView, now: int, pause: int) -> list[Event]:
        """A look has not shown what it was for: look again soon, and less often with time."""
        events = self._overdue(number, view, now)
        waited = now - self._doubts[number].open_since
        self.read_back(number, now + min(max(pause, waited // 2), OVERDUE_LOOK_NS))
        return events

    def _overdue(self, number: int, view: OrderView, now: int) -> list[Event]:
        """Tell of what is open for long, each time as long again has passed."""
        doubt = self._doubts[number]
        if not doubt.open_since:
            doubt.open_since = doubt.told_at = now
        if now - doubt.told_at < OVERDUE_NS:
            return []
        doubt.told_at = now
        name, seconds = self._ledger.of(number).client_order_id, (now - doubt.open_since) // SECOND
        text = f"{name} is still {view.status} {seconds} s after what should have changed that"
        return [Alarm("overdue", text, now)]

    def _on_replace(
        self, request: HttpRequest, view: OrderView | None, refusal: ErrorBody | None, now: int
    ) -> list[Event]:
        number = request.order_number
        doubt = self._doubts[number]
        is_latest = doubt.change is not None and doubt.change.body == request.body
        doubt.is_changing &= not is_latest
        if refusal is not None and not (is_latest and doubt.change_since):
            text = f"{refusal.code}: {refusal.message}"
            return [AnswerEvent("modify_rejected", number, now, text)]
        if view is not None:
            # In force once the broker shows it so: the old order may still fill first.
            known = self._ledger.of(number)
            self._ledger.expect(known, view.id)
            if is_latest:
                doubt.change, known.taken_at = None, now if known.next_id == view.id else 0
        elif is_latest:
            # A refusal of what may have arrived before says nothing: a look does.
            doubt.change, doubt.change_since = request, doubt.change_since or now
        self.read_back(number, now + CONFIRM_NS)
        return []

    def end_legs(self, number: int, now: int) -> list[Event]:
        """End exits that the broker has never shown, with the order that was to bring them.

        An entry that ends without a fill wakes none, and half a pair ends the other. Nobody else
        would tell of them: they have no id that could be looked at.
        """
        known = self._ledger.of(number)
        if not known.final or (known.filled and not known.leg_type):
            return []
        kind = "rejected" if known.final == "rejected" else "canceled"
        events: list[Event] = []
        for leg in known.legs:
            if not leg.final and not leg.venue_id:
                leg.final = kind
                text = f"the order that was to bring it is {known.final}"
                events.append(AnswerEvent(kind, leg.number, now, text))
        return events

    # -- shared --------------------------------------------------------------------------------

    def note_view(self, view: OrderView, now: int) -> list[Event]:
        """Act on an order that was seen: a cancel or a change may have waited for its id."""
        known, events = self._ledger.find(view), list[Event]()
        if known is not None:
            events.extend(self._drop_moot(known.number, now))
            if view.status not in BEING_REPLACED or view.id != known.newest_id:
                self._cancel_if_known(known.number, now)
            events.extend(self._changes.send_if_known(known.number, now))
        elif self._ledger.is_ours(view.client_order_id):
            events.append(Alarm("stranger", f"{view.client_order_id} is not an order of ours", now))
        # An exit's id may be shown by its entry alone, which may have ended in another run.
        for leg in view.legs or ():
            if self._ledger.find(leg) is not None:
                events.extend(self.note_view(leg, now))
        return events

    def _place(self, number: int, not_before: int, attempt: int = 1) -> None:
        doubt = self._doubts[number]
        doubt.is_submitting = True
        request = HttpRequest(
            "POST", "/v2/orders", doubt.body, number, "submit", "trading", attempt, doubt.reduces
        )
        self._queue.add(request, not_before)

    def _drop_moot(self, number: int, now: int) -> list[Event]:
        """Take back a request that has not left and need not any more."""
        if not self.is_moot(number) or not self._queue.has("submit", number):
            return []
        self._queue.drop("submit", number)
        if self.is_nowhere(number):
            return self.end_unsent(number, now)
        self._doubts[number].is_submitting = False
        if not self._ledger.of(number).venue_id:
            self.read_back(number)
        return []

    def _cancel_if_known(self, number: int, now: int) -> None:
        known = self._ledger.of(number)
        doubt = self._doubts[number]
        if doubt.cancel_wanted and not known.final and known.newest_id != doubt.canceling:
            # One at a time, until a read-back has shown what the cancel did.
            self._queue.drop("cancel", number)
            doubt.canceling, doubt.cancel_refusal = known.newest_id, ""
            path = f"/v2/orders/{known.newest_id}"
            self._queue.add(HttpRequest("DELETE", path, b"", number, "cancel"), now)

    def _enter(self, order: Order) -> Known:
        self._doubts[order.number] = Doubt()
        return self._ledger.add(Known.of(order))


def _is_readable(known: Known) -> bool:
    return not known.final and bool(known.venue_id or known.is_unknown)


def _refusal(status: int, body: bytes) -> ErrorBody | None:
    """Return what the broker refused with; None unless it is plainly a refusal."""
    if status not in REFUSALS:
        return None
    error = decoded(body, ErrorBody)
    return error if error is not None and error.message else None

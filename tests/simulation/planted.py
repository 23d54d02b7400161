"""Nodes with a fault planted in them, which the simulation has to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import AnswerEvent, Event, FillEvent
from pyrt.adapters.alpaca.core.rest import HttpRequest
from tests.simulation.chances import PATIENT_FROM
from tests.simulation.network import IN_DOUBT
from tests.simulation.world import World


def _in_doubt(request: HttpRequest, status: int) -> bool:
    return request.purpose == "submit" and (status == 0 or status >= 500)


class BlindRetry(AlpacaClient):
    """Sends an order again under another id when no answer has come: the classic mistake."""

    def receive_response(
        self, request: HttpRequest, status: int, body: bytes, now: int, headers: Any = None
    ) -> list[Event]:
        """Take an answer; in doubt, place the order anew."""
        if _in_doubt(request, status) and b"-again" not in request.body:
            fields = msgspec.json.decode(request.body)
            fields["client_order_id"] += "-again"
            self.queue.add(replace(request, body=msgspec.json.encode(fields)), now)
        return super().receive_response(request, status, body, now, headers)


class TimeoutIsRefusal(AlpacaClient):
    """Takes a time-out for a refusal: the order may be there all the same."""

    def receive_response(
        self, request: HttpRequest, status: int, body: bytes, now: int, headers: Any = None
    ) -> list[Event]:
        """Take an answer; in doubt, call the order rejected."""
        if _in_doubt(request, status):
            self.queue.answered(status, headers or {}, now)
            self.ledger.of(request.order_number).final = "rejected"
            return [AnswerEvent("rejected", request.order_number, now, "no answer")]
        return super().receive_response(request, status, body, now, headers)


class ForgetsCancels(AlpacaClient):
    """Does not know after a restart that a cancel was under way."""

    has_erred = False
    broker: Any = None

    def adopt(self, order: Any, state: Any) -> None:
        """Take over an order, and nothing of what was asked of it.

        It is an error where the order still works: most cancels have arrived before a node dies.
        """
        known = self.broker.ledger.orders.get(state.venue_order_id)
        self.has_erred |= state.cancel_wanted and known is not None and known.is_working
        super().adopt(order, msgspec.structs.replace(state, cancel_wanted=False))


class BooksTwice(AlpacaClient):
    """Tells the first fill of each life a second time, as if the order had filled so much more."""

    has_erred = False

    def receive_trade_update(self, frame: bytes, now: int) -> list[Event]:
        """Take a frame of order news; an execution is told twice."""
        events: list[Event] = []
        for event in super().receive_trade_update(frame, now):
            events.append(event)
            if isinstance(event, FillEvent) and not self.has_erred:
                self.has_erred = True
                more = Decimal(event.cumulative) + Decimal(event.quantity)
                events.append(msgspec.structs.replace(event, cumulative=f"{more:f}"))
        return events


@dataclass(frozen=True)
class Planted:
    """A faulty node, and how surely the simulation has to find it.

    Attributes
    ----------
    client : type
    share : float
        The least part of hostile schedules that must find it.
    first : int
        The first seed whose schedules are of use.
    """

    client: type[AlpacaClient]
    share: float
    first: int = 0

    @property
    def errs_in_doubt(self) -> bool:
        """Whether it errs where the fate of an order is in doubt; else it says so itself."""
        return not hasattr(self.client, "has_erred")

    def may_err(self, world: World) -> bool:
        """Return whether a schedule has what the fault needs; others need not run."""
        return not self.errs_in_doubt or any(world.chances.has(fault) for fault in IN_DOUBT)

    def was_hostile(self, world: World, clients: Sequence[Any]) -> bool:
        """Return whether the fault had its occasion at least once."""
        if self.errs_in_doubt:
            return world.posts_in_doubt > 0
        return any(client.has_erred for client in clients)


PLANTED = {
    "blind retry": Planted(BlindRetry, 0.5),
    "time-out is refusal": Planted(TimeoutIsRefusal, 0.1),
    "a cancel is forgotten": Planted(ForgetsCancels, 0.4, PATIENT_FROM),
    "a fill is booked twice": Planted(BooksTwice, 0.8),
}

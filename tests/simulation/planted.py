"""Nodes with a fault planted in them, which the simulation has to find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import AnswerEvent, Event
from pyrt.adapters.alpaca.core.rest import HttpRequest


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

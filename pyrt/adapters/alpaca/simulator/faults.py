"""Faults on request: what goes wrong with events, requests and orders, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any, TypeVar

from pyrt.adapters.alpaca.simulator.protocol.http import Response, answer, bad

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
SECONDS_MAX = 86_400
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often each fault strikes: a probability per event, frame, request or order.

    Attributes
    ----------
    drop, duplicate, delay, reorder : float
        An event is lost, sent twice, held back until after the next one, or changes places with
        one that is sent together with it.
    truncate : float
        A frame ends too early.
    mute : bool
        Streams stay open, answer pings, and say nothing.
    half_open : bool
        Connections stay open and are dead: nothing is read from them or written to them. New ones
        are taken and never answered.
    refuse : bool
        Streams refuse new connections with 429.
    refuse_tcp : bool
        All new connections are reset at once.
    linger_s : float
        Seconds for which the place of a stream that was closed stays taken.
    lost_request, lost_response : float
        A request is answered 504 without, or with, having been carried out.
    reset_request, reset_response : float
        The connection is cut instead of an answer, without, or with, the request carried out.
    throttle, fail, unavailable, html : float
        A request is answered 429, 500, 503, or 502 with a page of HTML, and not carried out.
    slow : float
        An answer comes `slow_s` later.
    slow_s : float
    stale : float
        A GET is answered as the same GET was the last time.
    reject : float
        An order is taken and rejected afterwards.
    stuck : float
        An order that is to be canceled stays pending_cancel until it fills or ends by itself.
    slow_replace : float
        An order that is to be replaced stays pending_replace for `replace_s`, works on meanwhile,
        and takes no cancel. If it ends before, or fills too much, its replacement is rejected.
    replace_s : float
    late_fill : float
        A cancel is confirmed and the order lives on: it may fill afterwards.
    lost_leg_cancel : float
        That an exit is canceled because its twin has filled is not told on the stream.
    clock_skew_s : float
        Seconds that the clock and the publishing times of events are ahead of the market.
    seed : int
        Draws begin anew with it whenever faults are set.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    truncate: float = 0.0
    mute: bool = False
    half_open: bool = False
    refuse: bool = False
    refuse_tcp: bool = False
    linger_s: float = 0.0
    lost_request: float = 0.0
    lost_response: float = 0.0
    reset_request: float = 0.0
    reset_response: float = 0.0
    throttle: float = 0.0
    fail: float = 0.0
    unavailable: float = 0.0
    html: float = 0.0
    slow: float = 0.0
    slow_s: float = 1.0
    stale: float = 0.0
    reject: float = 0.0
    stuck: float = 0.0
    slow_replace: float = 0.0
    replace_s: float = 1.0
    late_fill: float = 0.0
    lost_leg_cancel: float = 0.0
    clock_skew_s: float = 0.0
    seed: int = 0


KINDS = {field.name: type(field.default) for field in fields(Faults)}


class FaultBox:
    """Applies the faults in force."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._draws: dict[str, Random] = {}
        self._held: dict[str, list[Any]] = {}
        self._answers: dict[str, Response] = {}

    def set(self, changes: dict[str, Any]) -> Faults:
        """Put faults in force; those not named are as they were. Refused if one is unknown."""
        for name, value in changes.items():
            if name not in KINDS or isinstance(value, bool) != (KINDS[name] is bool):
                raise bad(f"invalid fault: {name}")
            if not _is_possible(name, value):
                raise bad(f"invalid {name}: {value}")
        self.faults = replace(self.faults, **changes)
        self._draws.clear()
        self._answers.clear()
        return self.faults

    # -- streams -------------------------------------------------------------------------------

    def events(self, stream: str, events: Sequence[Item]) -> list[Item]:
        """Return what of a stream's events arrives now, in which order and how often."""
        faults = self.faults
        if faults.mute:
            return []
        if not (faults.drop or faults.delay or faults.duplicate or faults.reorder):
            return [*self._held.pop(stream, []), *events]
        out: list[Item] = []
        for event in events:
            if self.strikes("drop"):
                continue
            if self.strikes("delay"):
                self._held.setdefault(stream, []).append(event)
                continue
            out.extend([event] * (2 if self.strikes("duplicate") else 1))
            out.extend(self._held.pop(stream, []))
        for at in range(1, len(out)):
            if self.strikes("reorder"):
                out[at - 1], out[at] = out[at], out[at - 1]
        return out

    def cut(self, frame: bytes) -> bytes:
        """Return what arrives of a frame."""
        if not self.strikes("truncate"):
            return frame
        return frame[: self._random("truncate").randrange(len(frame))]

    def refuses(self) -> bool:
        """Tell whether a new connection of a stream is refused."""
        return self.faults.refuse

    # -- requests ------------------------------------------------------------------------------

    def before(self) -> Response | None:
        """Return the answer to a request that is not carried out, None for all others."""
        if self.strikes("throttle"):
            return answer({"code": 42910000, "message": "rate limit exceeded"}, 429)
        if self.strikes("fail"):
            return answer({"code": 50010000, "message": "internal server error occurred"}, 500)
        if self.strikes("unavailable"):
            return answer({"message": "Service Unavailable"}, 503)
        if self.strikes("html"):
            return Response(502, HTML, {"content-type": "text/html"})
        if self.strikes("reset_request"):
            return CUT
        return _timeout() if self.strikes("lost_request") else None

    def after(self, response: Response) -> Response:
        """Return what arrives of the answer to a request that was carried out."""
        if self.strikes("reset_response"):
            return CUT
        return _timeout() if self.strikes("lost_response") else response

    def is_late(self) -> bool:
        """Tell whether an answer comes late."""
        return self.strikes("slow")

    def read(self, target: str, response: Response) -> Response:
        """Return the answer to a GET: `response`, or what it was the last time."""
        if not self.faults.stale:
            return response
        known = self._answers.get(target)
        if known is not None and self.strikes("stale"):
            return known
        self._answers[target] = response
        return response

    # -- draws ---------------------------------------------------------------------------------

    def strikes(self, name: str) -> bool:
        """Draw whether a fault strikes now; each has draws of its own."""
        probability: float = getattr(self.faults, name)
        return probability > 0 and self._random(name).random() < probability

    def _random(self, name: str) -> Random:
        if name not in self._draws:
            self._draws[name] = Random(f"{self.faults.seed}:{name}")
        return self._draws[name]


CUT = Response(0, b"")
"""Stands for an answer that does not come: the connection is cut."""


def _is_possible(name: str, value: Any) -> bool:
    if not isinstance(value, (int, float)) or value != value:
        return False
    if name == "seed":
        return isinstance(value, int)
    if name == "clock_skew_s":
        return abs(value) <= SECONDS_MAX
    return 0 <= value <= (SECONDS_MAX if name.endswith("_s") else 1)


def _timeout() -> Response:
    return answer({"message": "Gateway Timeout"}, 504)

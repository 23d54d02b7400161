"""Faults on request: what goes wrong with frames and responses, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

from pyrt.adapters.alpaca.simulator.http import Response, answer, bad

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often each fault strikes, as a probability per frame or request.

    Attributes
    ----------
    drop, duplicate, delay : float
        A pushed frame is lost, sent twice, or held back until the next frame.
    lost_request, lost_response : float
        A request is answered 504 without, or with, having been carried out.
    throttle, fail, html : float
        A request is answered 429, 500, or 502 with a page of HTML, and not carried out.
    mute : bool
        Streams stay open and say nothing.
    seed : int
        Draws begin anew with it whenever faults are set.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    lost_request: float = 0.0
    lost_response: float = 0.0
    throttle: float = 0.0
    fail: float = 0.0
    html: float = 0.0
    mute: bool = False
    seed: int = 0


class FaultBox:
    """Applies the faults in force."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._random = Random(0)
        self._held: dict[str, list[bytes]] = {}

    def set(self, changes: dict[str, Any]) -> Faults:
        """Put faults in force; those not named are as they were. Refused if one is unknown."""
        kinds = {field.name: type(field.default) for field in fields(Faults)}
        for name, value in changes.items():
            if name not in kinds or isinstance(value, bool) != (kinds[name] is bool):
                raise bad(f"invalid fault: {name}")
            if not isinstance(value, (int, float)) or (name != "seed" and not 0 <= value <= 1):
                raise bad(f"invalid {name}: {value}")
        self.faults = replace(self.faults, **changes)
        self._random = Random(self.faults.seed)
        return self.faults

    def frames(self, stream: str, frames: Sequence[bytes]) -> list[bytes]:
        """Return what of a stream's frames arrives now, in which order and how often."""
        if self.faults.mute:
            return []
        out: list[bytes] = []
        for frame in frames:
            if self._strikes(self.faults.drop):
                continue
            if self._strikes(self.faults.delay):
                self._held.setdefault(stream, []).append(frame)
                continue
            out.extend([frame] * (2 if self._strikes(self.faults.duplicate) else 1))
            out.extend(self._held.pop(stream, []))
        return out

    def before(self) -> Response | None:
        """Return the answer to a request that is not carried out, None for all others."""
        if self._strikes(self.faults.throttle):
            return answer({"code": 42910000, "message": "rate limit exceeded"}, 429)
        if self._strikes(self.faults.fail):
            return answer({"code": 50010000, "message": "internal server error occurred"}, 500)
        if self._strikes(self.faults.html):
            return Response(502, HTML, {"content-type": "text/html"})
        return _timeout() if self._strikes(self.faults.lost_request) else None

    def after(self, response: Response) -> Response:
        """Return what arrives of the answer to a request that was carried out."""
        return _timeout() if self._strikes(self.faults.lost_response) else response

    def _strikes(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability


def _timeout() -> Response:
    return answer({"message": "Gateway Timeout"}, 504)

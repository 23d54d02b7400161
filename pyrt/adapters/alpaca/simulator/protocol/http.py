"""Requests and responses of the simulator's HTTP face, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
    body : dict
        As sent.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def answer(body: Any, status: int = 200) -> Response:
    """Return a response with a JSON body."""
    return Response(status, msgspec.json.encode(body))


def refused(status: int, code: int, message: str) -> Refused:
    """Return an error with Alpaca's usual body."""
    return Refused(status, {"code": code, "message": message})


def bad(message: str) -> Refused:
    """Return the refusal of a parameter that cannot be read."""
    return refused(422, 40010001, message)


def invalid(message: str) -> Refused:
    """Return the market-data API's refusal of a parameter: 400, and no more than a message."""
    return Refused(400, {"message": message})


def truth(text: str | None) -> bool:
    """Read a query's boolean: ``true``, ``True`` and ``1`` are true."""
    return text is not None and text.lower() in TRUE


def whole(
    query: Mapping[str, str],
    name: str,
    default: int,
    most: int,
    *,
    refusal: Callable[[str], Refused] = bad,
) -> int:
    """Read a count of a query, 1 to `most`; Refused otherwise."""
    text = query.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise refusal(f"invalid {name}: {text}, must be between 1 and {most}")
    return int(text)


def names(text: str | None) -> list[str]:
    """Split a comma-joined list; empty for None."""
    return [part.strip() for part in text.split(",") if part.strip()] if text else []

"""Which handler answers which method and path of the trading API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from pyrt.adapters.alpaca.simulator.protocol.http import Refused, Response, answer, refused


@dataclass(frozen=True, slots=True)
class Request:
    """A request, taken apart.

    Attributes
    ----------
    parts : tuple of str
        What the groups of the route's pattern matched, unquoted.
    """

    method: str
    path: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: Mapping[str, Any]


Handler = Callable[[Request], Response]


class Router:
    """A table of routes, asked in the order in which they were added."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Add a route; `pattern` is a regular expression for the whole path."""
        self._routes.append((method, re.compile(pattern), handler))

    def route(self, method: str, target: str, body: bytes) -> Response:
        """Answer a request; errors become responses."""
        url = urlsplit(target)
        try:
            # Some clients end a path with a slash.
            return self._find(method, url.path.rstrip("/"), url.query, body)
        except Refused as error:
            return answer(error.body, error.status)

    def _find(self, method: str, path: str, query: str, body: bytes) -> Response:
        for route_method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is not None and route_method == method:
                parts = tuple(unquote(group) for group in match.groups())
                values = read_query(query)
                return handler(Request(method, path, parts, values, read_body(body)))
        raise refused(404, 40410000, "endpoint not found.")


LISTS = frozenset({
    *("symbols", "activity_types", "cashflow_types", "asset_class", "attributes", "markets"),
    *("ca_types", "types", "cusips", "ids", "adjustment"),
})  # fmt: skip
"""Parameters that are lists: by commas, or named once for each value, as generated clients do."""


def read_query(query: str) -> dict[str, str]:
    """Decode a query; of what is no list, the last value counts."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(query):
        plain = name.removesuffix("[]")
        known = values.get(plain)
        joins = known is not None and plain in LISTS
        values[plain] = f"{known},{value}" if joins else value
    return values


def read_body(body: bytes) -> Mapping[str, Any]:
    """Decode a JSON object; an empty body is an empty object. Refused otherwise."""
    if not body.strip():
        return {}
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise refused(400, 40010000, "request body format is invalid") from None
    if not isinstance(value, dict):
        raise refused(400, 40010000, "request body format is invalid")
    return value

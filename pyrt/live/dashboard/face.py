"""What the dashboard asks of a node; nothing else of the node is known to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pyrt.errors import ConfigError
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics
from pyrt.live.process.control import TYPED, Request, check

ACTIONS: dict[str, str] = {
    "halt": "Block every order at once and cancel what works",
    "reduce": "Let only orders leave that reduce positions",
    "cancel_all": "Cancel what works",
    "flatten": "Block entries, cancel what works, close every position",
    "resume": "Let orders leave again",
    "reset_breaker": "Close the circuit breaker by hand",
}
"""Action → what it does. `halt` is the kill switch."""
FIELDS = ("action", "actor", "reason", "symbol", "typed")


PRESSED = "dashboard"
"""The actor of a button that needs none."""


def request_of(body: dict[str, Any]) -> Request:
    """Return what a request's body asks of the node, checked as any other is.

    A button whose action needs no typed word needs no name and no reason either: stopping has to
    be quick.

    Raises
    ------
    ConfigError
        If the action is none of the page's, or lacks its typed word, its actor or its reason.
    """
    given = {name: body.get(name, "") for name in FIELDS}
    for name, text in given.items():
        if not isinstance(text, str):
            raise ConfigError(f"{name} is not a text", code=name)
    action = given["action"]
    if action not in ACTIONS:
        raise ConfigError(
            f"action is {action!r}; expected one of {', '.join(ACTIONS)}", code="action"
        )
    if action not in TYPED:
        given["actor"] = given["actor"].strip() or PRESSED
        given["reason"] = given["reason"].strip() or f"{action} pressed on the dashboard"
    return check(Request(token="", **given))


class NodeFace(Protocol):
    """A node as people see it; called in the dashboard's loop, which nothing may hold up."""

    @property
    def health(self) -> Health: ...
    @property
    def metrics(self) -> Metrics: ...
    def now(self) -> int: ...
    def state(self) -> dict[str, Any]:
        """Return what stood at its ``time``, as plain values; see `pyrt.live.dashboard.view`."""

    def prices(self, symbol: str) -> dict[str, Any]:
        """Return ``{"symbol", "ts", "close", "fills"}`` of one symbol, oldest first."""

    def log_lines(self) -> Sequence[str]: ...
    async def control(self, request: Request) -> dict[str, Any]:
        """Carry out a checked request, return what came of it; PyrtError says why it could not.

        It may wait for the node as long as others are served meanwhile.
        """

"""What the dashboard asks of a node; nothing else of the node is known to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyrt.errors import ConfigError
from pyrt.live.control import TYPED
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics

ACTIONS: dict[str, str] = {
    "halt": "Block every order at once and cancel what works",
    "reduce": "Let only orders leave that reduce positions",
    "cancel_all": "Cancel what works",
    "flatten": "Block entries, cancel what works, close every position",
    "resume": "Let orders leave again",
}
"""Action → what it does. `halt` is the kill switch."""


@dataclass(frozen=True)
class Control:
    """One action of a person on a node.

    Attributes
    ----------
    action : str
        One of `ACTIONS`.
    actor, reason : str
        Who asks and why.
    symbol : str
        "" for everything.
    """

    action: str
    actor: str
    reason: str
    symbol: str = ""

    @classmethod
    def checked(cls, body: dict[str, Any]) -> Control:
        """Return the control that a request's body asks for.

        Raises
        ------
        ConfigError
            If the action is unknown, or one with consequences lacks its typed word, its actor or
            its reason.
        """
        action = body.get("action")
        if not isinstance(action, str) or action not in ACTIONS:
            raise ConfigError(
                f"action is {action!r}; expected one of {', '.join(ACTIONS)}", code="action"
            )
        texts = {name: body.get(name, "") for name in ("actor", "reason", "symbol", "typed")}
        for name, text in texts.items():
            if not isinstance(text, str) or len(text) > 500:
                raise ConfigError(f"{name} is not a text of at most 500 characters", code=name)
        if action in TYPED:
            if texts["typed"] != TYPED[action]:
                raise ConfigError(
                    f"{action} needs the word {TYPED[action]} typed", code="confirmation"
                )
            for name in ("actor", "reason"):
                if not texts[name].strip():
                    raise ConfigError(f"{action} needs its {name}", code=name)
        actor = texts["actor"].strip() or "dashboard"
        reason = texts["reason"].strip() or f"{action} pressed on the dashboard"
        return cls(action, actor, reason, texts["symbol"])


class NodeFace(Protocol):
    """A node as people see it. Called from the dashboard's thread: nothing may wait for long."""

    @property
    def health(self) -> Health: ...
    @property
    def metrics(self) -> Metrics: ...
    def now(self) -> int: ...
    def state(self) -> dict[str, Any]:
        """Return what stands now, as plain values; see `pyrt.live.dashboard.view`."""

    def prices(self, symbol: str) -> dict[str, Any]:
        """Return ``{"symbol", "ts", "close", "fills"}`` of one symbol, oldest first."""

    def log_lines(self) -> Sequence[str]: ...
    def control(self, control: Control) -> dict[str, Any]:
        """Carry out an action and return what came of it; PyrtError says why it could not."""

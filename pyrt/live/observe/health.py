"""Whether a node is well: by component, with what each last said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyrt.core.times import format_ns
from pyrt.errors import ConfigError

OK, DEGRADED, FAILED = "ok", "degraded", "failed"
_RANK = {OK: 0, DEGRADED: 1, FAILED: 2}


@dataclass(frozen=True)
class Component:
    """What one part last said of itself.

    Attributes
    ----------
    status : {"ok", "degraded", "failed"}
    message : str
    since : int
        When it came into this status, ns UTC.
    metrics : mapping
        Numbers beside it.
    """

    status: str
    message: str
    since: int
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Health:
    """The state of a node as ``/health``, ``/ready`` and ``/live`` tell it.

    Parameters
    ----------
    last_exit : str
        Why the run before this one ended; "" where there was none.
    clean : callable
        Takes secrets out of what parts say.
    """

    def __init__(self, last_exit: str = "", clean: Callable[[str], str] = str) -> None:
        self.last_exit = last_exit
        self._clean = clean
        self.components: dict[str, Component] = {}
        self._needed: dict[str, bool] = {"reconciled": False, "warmed_up": False}
        self._beat = 0

    def report(
        self, component: str, status: str, message: str = "", *, now: int, **metrics: Any
    ) -> None:
        """Take what a part says of itself."""
        if status not in _RANK:
            raise ConfigError(f"status is {status!r}; expected one of {', '.join(_RANK)}")
        before = self.components.get(component)
        since = before.since if before is not None and before.status == status else now
        self.components[component] = Component(status, message, since, metrics)

    def reached(self, step: str) -> None:
        """Note that ``reconciled`` or ``warmed_up`` is done."""
        self._needed[_step(step)] = True

    def lost(self, step: str) -> None:
        """Note that it has to be done again: the node is not ready before."""
        self._needed[_step(step)] = False

    def beat(self, now: int) -> None:
        """Note that the trading loop has turned."""
        self._beat = now

    @property
    def status(self) -> str:
        """The worst of the parts'."""
        return max((c.status for c in self.components.values()), key=_RANK.__getitem__, default=OK)

    @property
    def is_ready(self) -> bool:
        """Whether orders may be expected: reconciled, warmed up, nothing failed."""
        return all(self._needed.values()) and self.status != FAILED

    def silence_ns(self, now: int) -> int:
        """Return how long the trading loop has not turned; 0 before it has for the first time."""
        return now - self._beat if self._beat else 0

    def is_live(self, now: int, silence_max_ns: int = 5_000_000_000) -> bool:
        """Whether the trading loop has turned lately."""
        return now - self._beat <= silence_max_ns

    def as_dict(self, now: int) -> dict[str, Any]:
        """Return everything as plain values: the body of ``/health``."""
        return {
            "status": self.status,
            "ready": self.is_ready,
            "live": self.is_live(now),
            "time": format_ns(now),
            "last_exit": self._clean(self.last_exit),
            "waiting_for": [step for step, done in self._needed.items() if not done],
            "components": {
                name: {
                    "status": part.status,
                    "message": self._clean(part.message),
                    "since": format_ns(part.since),
                    "metrics": dict(part.metrics),
                }
                for name, part in sorted(self.components.items())
            },
        }


def _step(step: str) -> str:
    if step not in ("reconciled", "warmed_up"):
        raise ConfigError(f"{step!r} is no step to readiness; expected reconciled or warmed_up")
    return step

"""Those who listen to a node: what they raise ends nothing here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

LOG = logging.getLogger("pyrt.live.node")


class Hearing:
    """Calls a listener that somebody has given us: a full disk or a closed pipe is none of ours.

    Parameters
    ----------
    name : str
        What it is given as.
    tell : callable
        Called with a text when it raises for the first time.

    Attributes
    ----------
    failures : int
        How often it has raised.
    """

    def __init__(self, name: str, tell: Callable[[str], object]) -> None:
        self._name = name
        self._tell = tell
        self.failures = 0

    def call(self, listener: Callable[..., object], *given: Any) -> None:
        """Call it; go on whatever it raises."""
        try:
            listener(*given)
        except Exception as error:
            self.failures += 1
            if self.failures == 1:
                text = f"{self._name} raised {type(error).__name__}: {error}"
                LOG.error("%s", text, exc_info=error)
                self._tell(f"{text}; it is called again, and its further errors are not told")

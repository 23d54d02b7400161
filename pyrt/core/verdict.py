"""What would become of an order if it were sent: who would refuse it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to `validate`: of an order that was judged and not sent. True if it may leave.

    Attributes
    ----------
    order : Order or dict
        What was judged, in the form it would be sent in.
    by : {"", "risk", "venue"}
        Who would refuse it: our own controls, or the venue by its rules. "" for nobody.
    reason : str
        A control's code or the venue's error code, a colon, and what is wrong; "" if nothing is.
    """

    order: Any
    by: str = ""
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether nothing speaks against the order."""
        return not self.by

    @property
    def code(self) -> str:
        """What the reason begins with, such as ``"max_order_notional"`` or ``"40310000"``."""
        return self.reason.partition(":")[0]

    def __bool__(self) -> bool:
        return self.is_accepted

"""What is open about an order on its way, and for how long that may be."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.rest import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPathPolicy:
    """How doubt is handled; durations in ns.

    Attributes
    ----------
    resend_ns : int
        While this long has not passed since the first attempt, an order that the broker does not
        know is sent again: the same bytes under the same id, which the broker takes only once. One
        that only reduces is for longer, while it has something to leave.
    lost_ns : int
        After this long, an order that the broker does not know in two looks, one after the other,
        is reported as ``lost``. One look is no evidence: it may show an earlier state.
    unseen_ns: int
        An order of unknown outcome at which no look has been answered for this long is reported
        as unseen: nobody knows what its symbol holds.
    """

    resend_ns: int = 10 * SECOND
    lost_ns: int = 120 * SECOND
    unseen_ns: int = 120 * SECOND


@dataclass(slots=True)
class Doubt:
    """What is open about one order.

    Attributes
    ----------
    is_submitting : bool
        A request that places it waits or is on its way: there is never a second one.
    canceling : str
        The broker's id that a cancel names, until a look has shown what it did; "" without one.
    cancel_refusal : str
        What that cancel was refused with; a look tells whether it stands.
    cancel_refusals : int
        Refusals that a look has shown to stand.
    reduces : bool
        It could only reduce what was held when it was sent.
    late_misses : int
        Looks after `OrderPathPolicy.lost_ns` that have not found it.
    late_repeats : int
        How often it was to be sent again after `OrderPathPolicy.resend_ns`.
    failures, failing_since : int
        Looks in a row that were not answered, and when the first of them was.
    is_unseen : bool
        That it cannot be seen has been told.
    open_since : int
        When a look first did not show what was asked for; 0 where nothing is open.
    told_at : int
        When somebody was told of that.
    given_up : bool
        Somebody has declared it lost: it is looked for, and not placed again.
    waiting : list
        Changes, and when they were asked for, of an order that the broker has not shown yet.
    change : HttpRequest or None
        The latest change, until it is answered or a look has shown it.
    change_since : int
        Since when nobody knows whether it has arrived; 0 while that is no question.
    is_changing : bool
        It waits or is on its way: there is never a second one.
    """

    body: bytes = b""
    reduces: bool = False
    sent_at: int = 0
    ambiguous: bool = False
    late_misses: int = 0
    late_repeats: int = 0
    is_submitting: bool = False
    cancel_wanted: bool = False
    canceling: str = ""
    cancel_refusal: str = ""
    cancel_refusals: int = 0
    changes: int = 0
    failures: int = 0
    failing_since: int = 0
    is_unseen: bool = False
    open_since: int = 0
    told_at: int = 0
    given_up: bool = False
    waiting: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    change: HttpRequest | None = None
    change_since: int = 0
    is_changing: bool = False

"""The queue of requests: what may be sent now, in which order, and what waits for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from pyrt.adapters.alpaca.core.pacing import SECOND, Breaker, RetryPolicy, TokenBucket

CANCEL, QUERY, REDUCE, SUBMIT = range(4)
"""Urgency: cancels leave first, then what we have to know, then what reduces, then the rest."""
TRADING = "trading"
NO_ANSWER = 0
"""Status of a request that was sent and not answered: time-out, reset, nothing to parse.

What stands in place of its body says why.
"""
CAUSE_MAX = 200


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request for the shell to send; the answer comes back with it.

    Attributes
    ----------
    order_number : int
        The order it is about; -1 for none.
    purpose : str
        Who asked: ``submit``, ``replace``, ``cancel``, ``read_back``, ``orders``, ``bars`` …
    host : str
        ``trading`` or ``data``.
    attempt : int
        1 for the first time this request is sent.
    reduces : bool
        Whether it places or changes an order that can only reduce what is held.
    lessens : bool
        Whether it changes an order, and does nothing but make it smaller.
    """

    method: str
    path: str
    body: bytes
    order_number: int = -1
    purpose: str = ""
    host: str = "trading"
    attempt: int = 1
    reduces: bool = False
    lessens: bool = False

    @property
    def urgency(self) -> int:
        """CANCEL, QUERY, REDUCE or SUBMIT."""
        if self.method == "DELETE":
            return CANCEL
        if self.method == "GET":
            return QUERY
        return REDUCE if self.reduces else SUBMIT


class RequestQueue:
    """Holds requests until tokens, breaker and back-off let them go.

    Each host grants tokens of its own. The breaker looks at the one that takes orders alone: while
    only history fails, what reduces a position leaves all the same.

    Parameters
    ----------
    random : Random
        Jitter is drawn from it.
    """

    def __init__(
        self,
        random: Random,
        *,
        policy: RetryPolicy | None = None,
        bucket: TokenBucket | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.random = random
        self._waiting: list[tuple[int, int, HttpRequest]] = []
        self._serial = 0
        self._since: dict[int, int] = {}
        """Serial of what an outage keeps from leaving → since when."""
        self.policy = policy or RetryPolicy()
        self.buckets = {TRADING: bucket or TokenBucket(), "data": TokenBucket()}
        self.breaker = breaker or Breaker()
        self.outstanding = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: HttpRequest, not_before: int = 0) -> None:
        """Queue a request to be sent at `not_before` or later."""
        self._serial += 1
        self._waiting.append((not_before, self._serial, request))

    def retry(self, request: HttpRequest, now: int) -> None:
        """Queue a request again, later each time."""
        delay = self.policy.delay_ns(request.attempt, self.random)
        self.add(replace(request, attempt=request.attempt + 1), now + delay)

    def drop(self, purpose: str, order_number: int = -1) -> None:
        """Forget waiting requests of a purpose and order."""
        self._waiting = [
            item
            for item in self._waiting
            if (item[2].purpose, item[2].order_number) != (purpose, order_number)
        ]

    def has(self, purpose: str, order_number: int = -1) -> bool:
        """Return whether such a request is waiting."""
        return any(
            (item[2].purpose, item[2].order_number) == (purpose, order_number)
            for item in self._waiting
        )

    def has_query(self) -> bool:
        """Return whether a request is waiting whose answer could close the breaker."""
        return any(item[2].urgency == QUERY and item[2].host == TRADING for item in self._waiting)

    def take(self, now: int) -> list[HttpRequest]:
        """Return what is to be sent at `now`.

        Where tokens are short, the most urgent get them. Of what leaves, cancels are first, then
        queries, then orders in the order in which they were asked for, as in a backtest.
        """
        taken: list[tuple[int, int, HttpRequest]] = []
        kept: list[tuple[int, int, HttpRequest]] = []
        for item in sorted(self._waiting, key=lambda i: (i[2].urgency, i[1])):
            if item[0] <= now and self._admits(item[2], now):
                taken.append(item)
            else:
                kept.append(item)
        self._waiting = sorted(kept, key=lambda i: i[1])
        self._note_outage(now)
        self.outstanding += len(taken)
        taken.sort(key=lambda i: (min(i[2].urgency, REDUCE), i[1]))
        return [item[2] for item in taken]

    def take_late(self, until: int) -> list[HttpRequest]:
        """Return, as `take` does, orders that could raise exposure and are kept since `until`.

        Those that the broker takes one after the other, for want of tokens, are not among them.
        """
        if not self._since:
            return []
        late = [
            item
            for item in self._waiting
            if item[2].urgency == SUBMIT and self._since.get(item[1], until + 1) <= until
        ]
        self._waiting = [item for item in self._waiting if item not in late]
        self.outstanding += len(late)
        return [item[2] for item in late]

    def answered(
        self, status: int, headers: Mapping[str, str], now: int, host: str = TRADING
    ) -> None:
        """Learn from a response of a host, or from `NO_ANSWER`."""
        self.outstanding -= 1
        bucket = self.buckets[host]
        bucket.read_headers(headers, now)
        if status == 429:
            bucket.block(now + _pause_ns(headers))
        if host != TRADING:
            return
        if status == NO_ANSWER or status >= 500:
            self.breaker.failed()
        else:
            self.breaker.succeeded()

    def next_due(self, now: int) -> int | None:
        """Return when `take` may have something; None when nothing waits."""
        if not self._waiting:
            return None
        later = [item[0] for item in self._waiting if item[0] > now]
        hosts = {item[2].host for item in self._waiting if item[0] <= now}
        return min([*later, *(self.buckets[host].next_due(now) for host in hosts)])

    def _note_outage(self, now: int) -> None:
        """Note what could leave, but for a broker that does not answer or has refused to."""
        if not (self.breaker.is_open or self.buckets[TRADING].is_blocked(now)):
            self._since = {}
            return
        ready = [serial for not_before, serial, _ in self._waiting if not_before <= now]
        self._since = {serial: self._since.get(serial, now) for serial in ready}

    def _admits(self, request: HttpRequest, now: int) -> bool:
        is_order = request.urgency >= REDUCE
        if is_order and self.breaker.is_open:
            return False
        return self.buckets[request.host].take(now, reserved=not is_order)


def outcome(status: int, body: bytes) -> str:
    """Return in words what came of a request that was not answered with sense."""
    if status != NO_ANSWER:
        return f"HTTP {status}"
    cause = body[:CAUSE_MAX].decode(errors="replace")
    return f"no answer ({cause})" if cause else "no answer"


def _pause_ns(headers: Mapping[str, str]) -> int:
    text = headers.get("retry-after", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 5
    return int(text) * SECOND if is_number else SECOND

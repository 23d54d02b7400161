"""A message bus as slow and obvious as the rules: every publication searches all subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

Handler = Callable[[Any], object]


class SlowSubscription:
    """One handler's claim; `bus.cancel` clears `is_active`."""

    def __init__(self, pattern: str, handler: Handler, priority: int = 0) -> None:
        self.pattern = pattern
        self.handler = handler
        self.priority = priority
        self.is_active = True

    def cancel(self) -> None:
        self.is_active = False


class SlowBus:
    """The delivery rules of `pyrt.core.bus.MessageBus`, one sentence of them a line."""

    def __init__(self) -> None:
        self.made: list[SlowSubscription] = []
        self.endpoints: dict[str, SlowSubscription] = {}
        self.open: dict[int, Handler] = {}
        self.queue: list[tuple[list[SlowSubscription], Any]] = []
        self.rest: list[SlowSubscription] | None = None  # of the message in delivery
        self.message: Any = None
        self.on_error: Callable[[Handler, Any, Exception], bool] | None = None
        self.depth = self.published = self.sent = self.requests = self.delivered = 0

    @property
    def pending(self) -> int:
        return len(self.queue)

    def subscribe(self, pattern: str, handler: Handler, *, priority: int = 0) -> SlowSubscription:
        if any(s.is_active and (s.pattern, s.handler) == (pattern, handler) for s in self.made):
            raise ValueError("twice")
        self.made.append(SlowSubscription(pattern, handler, priority))
        return self.made[-1]

    def unsubscribe(self, pattern: str, handler: Handler) -> None:
        found = [
            s for s in self.made if s.is_active and (s.pattern, s.handler) == (pattern, handler)
        ]
        if not found:
            raise LookupError(pattern)
        found[0].cancel()

    def publish(self, topic: str, message: Any) -> None:
        self.published += 1
        fitting = [s for s in self.made if s.is_active and fnmatchcase(topic, s.pattern)]
        if fitting:  # sorted() is stable: equal priorities stay in subscription order
            self.post(sorted(fitting, key=lambda s: -s.priority), message)

    def register(self, endpoint: str, handler: Handler) -> SlowSubscription:
        if endpoint in self.endpoints and self.endpoints[endpoint].is_active:
            raise ValueError("taken")
        self.endpoints[endpoint] = SlowSubscription(endpoint, handler)
        return self.endpoints[endpoint]

    def receiver_of(self, endpoint: str) -> SlowSubscription:
        receiver = self.endpoints.get(endpoint)
        if receiver is None or not receiver.is_active:
            raise LookupError(endpoint)
        return receiver

    def send(self, endpoint: str, message: Any) -> None:
        receiver = self.receiver_of(endpoint)
        self.sent += 1
        self.post([receiver], message)

    def request(self, endpoint: str, message: Any, *, then: Handler) -> int:
        receiver = self.receiver_of(endpoint)
        self.requests += 1
        self.sent += 1
        self.open[self.requests] = then
        number = self.requests
        self.post([receiver], message)
        return number

    def respond(self, request_id: int, message: Any) -> None:
        if request_id not in self.open:
            raise LookupError(request_id)
        self.post([SlowSubscription("", self.open.pop(request_id))], message)

    def begin(self) -> None:
        self.depth += 1

    def leave(self) -> None:
        self.depth -= 1

    def end(self) -> None:
        self.leave()
        self.flush()

    def post(self, receivers: list[SlowSubscription], message: Any) -> None:
        self.queue.append((receivers, message))
        self.flush()

    def flush(self) -> None:
        if self.depth:
            return
        self.depth += 1
        try:
            while self.rest is not None or self.queue:
                if self.rest is None:
                    receivers, self.message = self.queue.pop(0)
                    self.rest = list(receivers)
                self.deliver_rest()
                self.rest = None
        finally:
            self.depth -= 1

    def deliver_rest(self) -> None:
        assert self.rest is not None
        while self.rest:
            receiver = self.rest.pop(0)
            if not receiver.is_active:
                continue
            self.delivered += 1
            try:
                receiver.handler(self.message)
            except Exception as error:
                if not (self.on_error and self.on_error(receiver.handler, self.message, error)):
                    raise

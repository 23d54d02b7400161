"""The message bus: topics, endpoints and requests, delivered in one order for all handlers.

A message published while another is being delivered waits in a queue, first in, first out, until
the present one has reached all its handlers; so every handler sees the same order of events. A
message goes to the handlers its channel has when it is published, less those removed before their
turn: a handler added during a dispatch starts with the next message published, one removed gets no
more, and a publisher who finds `has_handlers` false may skip the message without anyone missing it.

Topics are dotted strings. In a subscription `*` stands for any run of characters, dots included,
and `?` for one character. Symbols enter a topic through `escape`.
"""
cimport cython

from pyrt.errors import ConfigError, RunawayError, UnknownName

cdef enum:
    ROUNDS_MAX = 10_000  # as the kernel allows for commands at one instant

_ESCAPES = {"%": "%25", ".": "%2E", "*": "%2A", "?": "%3F"}


def escape(str symbol not None) -> str:
    """Write a symbol so that it is one part of a topic and holds no wildcard.

    Percent-encoding of `%`, `.`, `*` and `?`; distinct symbols stay distinct.

    Examples
    --------
    >>> escape("BRK.B")
    'BRK%2EB'
    >>> unescape(escape("BRK.B"))
    'BRK.B'
    """
    return "".join([_ESCAPES.get(c, c) for c in symbol])


def unescape(str part not None) -> str:
    """Recover the symbol from a part of a topic made by `escape`."""
    for plain, code in reversed(_ESCAPES.items()):
        part = part.replace(code, plain)
    return part


def is_pattern(str topic not None) -> bool:
    """Whether `topic` holds a wildcard."""
    return "*" in topic or "?" in topic


cpdef bint matches(str pattern, str topic) except -1:
    """Whether `topic` fits `pattern`: `*` any run of characters (none too), `?` exactly one.

    Examples
    --------
    >>> matches("data.bars.*.1m", "data.bars.SPY.1m"), matches("order.?", "order.")
    (True, False)
    """
    cdef Py_ssize_t p = 0, t = 0, star = -1, retry = 0
    cdef Py_ssize_t n_pattern = len(pattern), n_topic = len(topic)
    while t < n_topic:
        if p < n_pattern and pattern[p] == "*":
            star, retry = p, t
            p += 1
        elif p < n_pattern and (pattern[p] == "?" or pattern[p] == topic[t]):
            p += 1
            t += 1
        elif star >= 0:  # let the last star take one character more
            retry += 1
            p, t = star + 1, retry
        else:
            return False
    while p < n_pattern and pattern[p] == "*":
        p += 1
    return p == n_pattern


def _delivery_order(Subscription subscription):
    return -subscription.priority, subscription.number


@cython.final
cdef class Subscription:
    """One handler's claim on a topic, a pattern or an endpoint; made by the bus."""

    cpdef int cancel(self) except -1:
        """Stop deliveries to the handler, queued messages included; a second call does nothing."""
        if self.is_active:
            self.is_active = False
            self._bus._remove(self)
        return 0

    def __repr__(self) -> str:
        state = "" if self.is_active else ", canceled"
        return f"Subscription({self.pattern!r}, priority={self.priority}{state})"


@cython.final
cdef class Channel:
    """A topic resolved to its handlers; made by `MessageBus.channel`, kept by the publisher."""

    def publish(self, message: object) -> None:
        """Deliver `message` to the handlers, or queue it while a dispatch is open.

        Parameters
        ----------
        message : object
            Any Python object; all handlers are given the same one.

        Raises
        ------
        Exception
            What a handler raised and `on_error` did not absorb, if this call is the outermost
            dispatch. The handlers not yet called and the queue are kept for `MessageBus.flush`.
        """
        self.publish_c(message)

    cdef int publish_c(self, object message) except -1:
        self._bus.published += 1
        if not self.has_handlers:
            return 0
        return self._bus.post(self._subscriptions, message)

    @property
    def subscriptions(self) -> tuple:
        """The present subscriptions, in delivery order."""
        return self._subscriptions

    cdef int _join(self, Subscription subscription) except -1:
        self._subscriptions = tuple(
            sorted(self._subscriptions + (subscription,), key=_delivery_order)
        )
        self.has_handlers = True
        return 0

    cdef int _part(self, Subscription subscription) except -1:
        self._subscriptions = tuple([s for s in self._subscriptions if s is not subscription])
        self.has_handlers = len(self._subscriptions) > 0
        return 0

    def __repr__(self) -> str:
        return f"Channel({self.topic!r}, handlers={len(self._subscriptions)})"


@cython.final
cdef class Request:
    """A question put to an endpoint; answered by `MessageBus.respond(request.id, answer)`."""

    def __repr__(self) -> str:
        return f"Request({self.id}, {self.message!r})"


@cython.final
cdef class MessageBus:
    """Carry messages between components of one engine, on one thread, in one order.

    When a handler raises, `on_error(handler, message, exception)` decides: true goes on with the
    next handler; false, or no hook, lets the exception out of the outermost dispatcher. Then the
    handlers not yet called and the queue stay as they are, and `flush`, or the next message,
    resumes with them; the handler that raised is not called again for that message. Exceptions
    that are no `Exception` (KeyboardInterrupt) always come out.

    Messages that keep begetting messages, 10,000 rounds of them in one dispatch, are a
    RunawayError that names the handler next in turn; the queue is kept as above.

    Examples
    --------
    >>> bus = MessageBus()
    >>> orders = bus.channel("order.SPY")
    >>> _ = bus.subscribe("order.*", print)
    >>> orders.publish("accepted")
    accepted
    """

    def __cinit__(self) -> None:
        self._channels = {}
        self._subscribed = {}
        self._wildcards = []
        self._endpoints = {}
        self._unanswered = {}
        self._queue = []

    # Topics

    cpdef Channel channel(self, str topic):
        """Resolve a concrete topic; the same topic gives the same channel.

        Raises
        ------
        ConfigError
            If the topic is empty or holds a wildcard.
        """
        cdef Channel channel = self._channels.get(topic)
        if channel is not None:
            return channel
        if not topic or is_pattern(topic):
            raise ConfigError(
                f"{topic!r} is not a topic to publish on",
                remedy="Give a topic without * and ?; pass symbols through escape()",
                topic=topic,
            )
        channel = Channel.__new__(Channel)
        channel.topic = topic
        channel._bus = self
        channel._subscriptions = ()
        for subscription in self._wildcards:
            if matches((<Subscription> subscription).pattern, topic):
                channel._join(subscription)
        self._channels[topic] = channel
        return channel

    def publish(self, str topic not None, message: object) -> None:
        """Publish by name; a frequent publisher keeps the `channel` instead."""
        self.channel(topic).publish_c(message)

    def subscribe(
        self, str pattern not None, handler: object, *, int priority=0
    ) -> Subscription:
        """Call `handler(message)` for every message on the topics that fit.

        Parameters
        ----------
        pattern : str
            A topic, or a pattern with `*` and `?`; it joins channels made before and after.
        handler : callable
            Called once for each of its subscriptions that fits.
        priority : int, optional
            Higher is called first; equal priorities in subscription order.

        Raises
        ------
        ConfigError
            If `handler` is not callable, the pattern is empty, or this handler already has a
            subscription to this very pattern; nothing is changed.
        """
        cdef list same = self._subscribed.get(pattern, [])
        cdef Subscription subscription
        if any([s.handler == handler for s in same]):
            raise ConfigError(f"{handler!r} already listens to {pattern!r}", pattern=pattern)
        if not pattern:
            raise ConfigError("A subscription needs a topic or a pattern")
        subscription = self._new_subscription(pattern, handler, priority)
        if is_pattern(pattern):
            self._wildcards.append(subscription)
            for channel in self._channels.values():
                if matches(pattern, (<Channel> channel).topic):
                    (<Channel> channel)._join(subscription)
        else:
            self.channel(pattern)._join(subscription)
        self._subscribed[pattern] = [*same, subscription]
        return subscription

    def unsubscribe(self, str pattern not None, handler: object) -> None:
        """Remove what `subscribe(pattern, handler)` made.

        Raises
        ------
        UnknownName
            If there is no such subscription.
        """
        for subscription in self._subscribed.get(pattern, ()):
            if subscription.handler == handler:
                (<Subscription> subscription).cancel()
                return
        raise UnknownName(f"{handler!r} does not listen to {pattern!r}", pattern=pattern)

    # Endpoints and requests

    def register(self, str endpoint not None, handler: object) -> Subscription:
        """Make `handler` the one receiver of what is sent to `endpoint`.

        Raises
        ------
        ConfigError
            If the endpoint is taken or the handler is not callable; nothing is changed.
        """
        if endpoint in self._endpoints:
            raise ConfigError(
                f"Endpoint {endpoint!r} already has a handler",
                remedy="Cancel its registration first",
                endpoint=endpoint,
            )
        subscription = self._new_subscription(endpoint, handler, 0)
        self._endpoints[endpoint] = (subscription,)
        return subscription

    def send(self, str endpoint not None, message: object) -> None:
        """Deliver `message` to the one handler of `endpoint`, or queue it during a dispatch.

        Raises
        ------
        UnknownName
            If no handler is registered; nothing is sent.
        """
        receivers = self._receivers_of(endpoint)
        self.sent += 1
        self.post(receivers, message)

    def request(self, str endpoint not None, message: object, *, then: object) -> int:
        """Send a `Request` to `endpoint`; `then(answer)` is called once when it is answered.

        Returns
        -------
        int
            The correlation id, for `respond` and `withdraw`.

        Raises
        ------
        UnknownName
            If no handler is registered; no request is open.
        """
        receivers = self._receivers_of(endpoint)
        subscription = self._new_subscription(endpoint, then, 0)
        cdef Request request = Request.__new__(Request)
        self.requests += 1
        self.sent += 1
        request.id = self.requests
        request.message = message
        self._unanswered[request.id] = (subscription,)
        self.post(receivers, request)
        return request.id

    def respond(self, int64_t request_id, message: object) -> None:
        """Give the answer to a request; it is delivered in its turn.

        Raises
        ------
        UnknownName
            If there is no such request, or it was answered or withdrawn before.
        """
        self.post(self._close_request(request_id), message)

    def withdraw(self, int64_t request_id) -> None:
        """Drop a request: its answer, when it comes, is refused with UnknownName.

        Raises
        ------
        UnknownName
            If there is no such request, or it was answered or withdrawn before.
        """
        self._close_request(request_id)

    def _receivers_of(self, str endpoint) -> tuple:
        receivers = self._endpoints.get(endpoint)
        if receivers is None:
            raise UnknownName(
                f"No handler is registered for endpoint {endpoint!r}",
                remedy=f"Known endpoints: {', '.join(sorted(self._endpoints)) or 'none'}",
                endpoint=endpoint,
            )
        return receivers

    def _close_request(self, int64_t request_id) -> tuple:
        receivers = self._unanswered.pop(request_id, None)
        if receivers is None:
            raise UnknownName(f"No open request {request_id}", request_id=request_id)
        return receivers

    # Delivery

    cpdef int begin(self) except -1:
        """Hold deliveries while the caller dispatches something itself; pair with `end`."""
        self.depth += 1
        return 0

    cpdef int end(self) except -1:
        """Close a `begin`; the outermost one delivers what was queued meanwhile."""
        self.leave()
        return self.flush()

    cpdef int leave(self) except -1:
        """Close a `begin` without delivering, as an error path does; the queue is kept."""
        assert self.depth > 0, "MessageBus.end or leave without begin"
        self.depth -= 1
        return 0

    cpdef int flush(self) except -1:
        """Deliver all that waits; does nothing inside a dispatch or a `begin`."""
        if self.depth > 0 or (self._receivers is None and self.pending == 0):
            return 0
        return self._drain()

    cdef int post(self, tuple receivers, object message) except -1:
        """Deliver to subscriptions in the order given, or queue behind what waits already."""
        if self.depth > 0 or self.pending > 0 or self._receivers is not None:
            self._queue.append(receivers)
            self._queue.append(message)
            self.pending += 1
            if self.depth > 0:
                return 0
        else:
            self._receivers = receivers
            self._message = message
            self._next = 0
        return self._drain()

    cdef int _drain(self) except -1:
        self.depth += 1
        self._rounds = 0
        self._left_in_round = self.pending
        try:
            while self._receivers is not None or self._take_next():
                try:
                    self._deliver()
                except Exception as error:
                    self._settle(error)
        finally:
            self.depth -= 1
        return 0

    cdef int _deliver(self) except -1:
        """Call the handlers still due; the place is kept in the bus, so it survives a raise."""
        cdef tuple receivers = self._receivers
        cdef object message = self._message
        cdef Subscription subscription
        while self._next < len(receivers):
            subscription = <Subscription> receivers[self._next]  # only this module makes them
            self._next += 1
            if subscription.is_active:
                self.delivered += 1
                subscription.handler(message)
        self._receivers = None
        self._message = None
        return 0

    cdef int _take_next(self) except -1:
        """Make the queue's head the message in delivery; 0 when there is none."""
        if self.pending == 0:
            return 0
        if self._left_in_round == 0:
            self._begin_round()
        self._left_in_round -= 1
        self._receivers = self._queue[self._head]
        self._message = self._queue[self._head + 1]
        self._next = 0
        self.pending -= 1
        self._queue[self._head] = self._queue[self._head + 1] = None
        self._head += 2
        if self._head > self.pending:  # half or more is spent: cutting costs O(1) per message
            del self._queue[: self._head]
            self._head = 0
        return 1

    cdef int _begin_round(self) except -1:
        """Count what has been published since the last round began as one more round."""
        cdef Subscription first
        if self._rounds == ROUNDS_MAX:
            first = self._queue[self._head][0]
            raise RunawayError(
                f"Messages beget messages without end, next for {first.handler!r} on "
                f"{first.pattern!r}",
                remedy="Let a handler stop publishing when its own message comes back",
                pattern=first.pattern,
                rounds=ROUNDS_MAX,
            )
        self._rounds += 1
        self._left_in_round = self.pending
        return 0

    cdef int _settle(self, object error) except -1:
        """Let the error out unless the hook absorbs it."""
        handler = (<Subscription> self._receivers[self._next - 1]).handler
        if self.on_error is None or not self.on_error(handler, self._message, error):
            raise error
        return 0

    cdef int _remove(self, Subscription subscription) except -1:
        cdef str pattern = subscription.pattern
        if self._endpoints.get(pattern) == (subscription,):
            del self._endpoints[pattern]
            return 0
        self._subscribed[pattern] = [
            s for s in self._subscribed[pattern] if s is not subscription
        ]
        if is_pattern(pattern):
            self._wildcards.remove(subscription)
        for channel in self._channels.values():
            if matches(pattern, (<Channel> channel).topic):
                (<Channel> channel)._part(subscription)
        return 0

    cdef Subscription _new_subscription(self, str pattern, object handler, int priority):
        if not callable(handler):
            raise ConfigError(f"{handler!r} is not callable", pattern=pattern)
        cdef Subscription subscription = Subscription.__new__(Subscription)
        self._subscriptions_made += 1
        subscription.pattern = pattern
        subscription.handler = handler
        subscription.priority = priority
        subscription.number = self._subscriptions_made
        subscription.is_active = True
        subscription._bus = self
        return subscription

    def __repr__(self) -> str:
        return (
            f"MessageBus(channels={len(self._channels)}, pending={self.pending}, "
            f"published={self.published}, delivered={self.delivered})"
        )

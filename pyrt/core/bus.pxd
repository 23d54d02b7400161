"""The message bus: topics, endpoints and requests, delivered in one order for all handlers."""
from libc.stdint cimport int64_t


cdef class Subscription:
    cdef readonly str pattern
    """The topic or wildcard pattern listened to; the endpoint's name for an endpoint."""
    cdef readonly object handler
    """Called with the message as its only argument."""
    cdef readonly int priority
    """Higher is called first; equal priorities in subscription order."""
    cdef readonly int64_t number
    """Place in the bus's count of subscriptions, from 1."""
    cdef readonly bint is_active
    """False once removed: messages already queued pass it by."""
    cdef MessageBus _bus

    cpdef int cancel(self) except -1


cdef class Channel:
    cdef readonly str topic
    """The concrete topic, without wildcards."""
    cdef readonly bint has_handlers
    """True while anyone listens; a publisher may skip making the message otherwise."""
    cdef MessageBus _bus
    cdef tuple _subscriptions
    """In delivery order; replaced, never changed, so a dispatch keeps the one it began with."""

    cdef int publish_c(self, object message) except -1
    cdef int _join(self, Subscription subscription) except -1
    cdef int _part(self, Subscription subscription) except -1


cdef class Request:
    cdef readonly int64_t id
    """Correlation id, from 1 upwards on one bus."""
    cdef readonly object message
    """What was asked."""


cdef class MessageBus:
    cdef readonly int depth
    """Dispatches and `begin` blocks now open; while > 0 messages are queued."""
    cdef readonly Py_ssize_t pending
    """Messages queued and not begun."""
    cdef readonly int64_t published
    """Messages given to channels, with handlers or without."""
    cdef readonly int64_t sent
    """Messages given to endpoints, requests included."""
    cdef readonly int64_t requests
    """Requests made; the last correlation id."""
    cdef readonly int64_t delivered
    """Handler calls begun."""
    cdef public object on_error
    """None, or `callable(handler, message, exception) -> bool`; true goes on with the dispatch."""

    cdef dict _channels
    cdef dict _subscribed
    cdef list _wildcards
    cdef dict _endpoints
    cdef dict _unanswered
    cdef int64_t _subscriptions_made
    cdef list _queue
    cdef Py_ssize_t _head
    cdef tuple _receivers
    cdef object _message
    cdef Py_ssize_t _next
    cdef int _rounds
    cdef Py_ssize_t _left_in_round

    cpdef Channel channel(self, str topic)
    cpdef int begin(self) except -1
    cpdef int end(self) except -1
    cpdef int leave(self) except -1
    cpdef int flush(self) except -1
    cdef int post(self, tuple receivers, object message) except -1
    cdef int _drain(self) except -1
    cdef int _deliver(self) except -1
    cdef int _take_next(self) except -1
    cdef int _begin_round(self) except -1
    cdef int _settle(self, object error) except -1
    cdef int _remove(self, Subscription subscription) except -1
    cdef Subscription _new_subscription(self, str pattern, object handler, int priority)

"""What the venue answers about orders: taken into order, position and account, then announced."""
cimport cython

from pyrt.core.events cimport clear_event
from pyrt.core.orders cimport no_price
from pyrt.core.pairs cimport is_venue_pair
from pyrt.core.types cimport (
    CONFIRMED, EV_CANCEL_REJECTED, EV_CANCELED, EV_DENIED, EV_FILL, EV_MODIFIED,
    EV_MODIFY_REJECTED, EV_REJECTED, EV_RELEASED, EV_SENT, EV_UNKNOWN, NONE, OPEN, REFUSED, UNKNOWN,
    is_final,
)
from pyrt.core.types import EVENT_NAMES

from pyrt.errors import StrategyError


cdef bint is_taken_off(Order order, Event* event) noexcept:
    """Whether new terms are what the other of a pair has left: they answer no change."""
    return (
        event.kind == EV_MODIFIED and 0 < event.quantity < order.units and is_venue_pair(order)
        and (event.price == no_price() or event.price == order.limit_price_raw)
        and (event.cumulative == no_price() or event.cumulative == order.stop_price_raw)
    )


@cython.final
cdef class Answers:
    """Applies order events.

    Parameters
    ----------
    cache : Cache
    clock : Clock
    records : Records
    desk : Desk
    booking : Booking
    curve : EquityCurve
    notices : Notices
    watcher : Watcher, optional
        The risk gate, where it wants to hear of orders.
    """

    def __init__(self, Cache cache, Clock clock, Records records, Desk desk, Booking booking,
                 EquityCurve curve, Notices notices, Watcher watcher=None):
        self.cache = cache
        self.clock = clock
        self.records = records
        self.desk = desk
        self.booking = booking
        self.curve = curve
        self.notices = notices
        self.watcher = watcher

    cdef int apply(self, Event* event) except -1:
        """Take one order event in; an execution that was seen before changes nothing."""
        cdef Order order = self.cache.order(event.order)
        cdef bint is_answer
        self.sink.reword(event)
        if order is None:
            raise StrategyError(
                f"an event {EVENT_NAMES.get(event.kind, event.kind)} came for order number "
                f"{event.order}, which is not open", code="unknown_order",
            )
        if event.kind == EV_FILL:
            if event.cumulative <= order.filled:
                return 0
            self.take_fill(order, event)
        else:
            order.transition(event.kind)
            is_answer = not is_taken_off(order, event)
            if event.kind == EV_MODIFIED:
                self.take_change(order, event)
                if order.filled and order.leaves() == 0:
                    # What an order by notional came to may be known only after its last fill.
                    order.transition(EV_FILL)
            self.take_answer(order, event, is_answer)
            if event.reason:
                order.reason_ = self.records.texts.names[event.reason]
        order.ts_last = event.ts_event
        self.records.event(
            event.ts_event, order.number, event.kind, order.status_,
            event.price if event.kind == EV_MODIFIED else event.cumulative,
        )
        self.desk.settle(order)
        self.sink.account(order, event)
        if order.origin is not None:
            self.gate.recount(order.origin)
        if self.watcher is not None and self.watcher.watches_orders:
            self.watcher.on_order(order, event.kind, self.clock.now)
        self.notices.of_order(order, event)
        return self.sink.on_order(order, event)

    cdef int announce(self, Order order, int kind, int64_t ts, int64_t quantity,
                      int64_t price) except -1:
        """Record and tell what has been accounted for already."""
        cdef Event event
        clear_event(&event)
        event.kind = kind
        event.order = order.number
        event.ts_event = ts
        event.quantity = quantity
        event.price = price
        event.cumulative = order.filled
        self.records.event(ts, order.number, kind, order.status_, order.filled)
        if self.watcher is not None and self.watcher.watches_orders:
            self.watcher.on_order(order, kind, self.clock.now)
        return self.notices.of_order(order, &event)

    cdef int note(self, Order order, int kind, int64_t value) except -1:
        """Record and announce a step that we take ourselves."""
        cdef Event event
        order.transition(kind)
        order.ts_last = self.clock.now
        self.records.event(self.clock.now, order.number, kind, order.status_, value)
        clear_event(&event)
        event.kind = kind
        event.order = order.number
        event.ts_event = self.clock.now
        return self.notices.of_order(order, &event)

    cdef int refuse(self, Order order, int kind, str reason) except -1:
        """Answer in the venue's place: a denial, or a change refused."""
        cdef Event event
        clear_event(&event)
        event.kind = kind
        event.order = order.number
        event.ts_event = self.clock.now
        event.ts_init = self.clock.now
        event.reason = self.records.texts.number(reason)
        return self.apply(&event)

    cdef int take_answer(self, Order order, Event* event, bint is_answer) except -1:
        """Close or mark the request this event answers; not a change where it answers none."""
        cdef int kind = event.kind
        cdef int step = -order.unknown()
        if kind == EV_UNKNOWN:
            if order.submit_request == OPEN:
                order.submit_request = UNKNOWN
            elif order.cancel_request == OPEN:
                order.cancel_request = UNKNOWN
            elif order.modify_request == OPEN:
                order.modify_request = UNKNOWN
        else:
            # That a change or a cancel was refused is no evidence that the order has arrived.
            if kind == EV_RELEASED:
                # Only now somebody else is asked; that it was kept was our own answer.
                order.submit_request = OPEN
            elif order.submit_request in (OPEN, UNKNOWN) and kind not in (
                    EV_SENT, EV_MODIFY_REJECTED, EV_CANCEL_REJECTED):
                order.submit_request = REFUSED if kind in (EV_REJECTED, EV_DENIED) else CONFIRMED
            if kind == EV_CANCEL_REJECTED:
                order.cancel_request = REFUSED
            elif kind == EV_CANCELED and order.cancel_request != NONE:
                order.cancel_request = CONFIRMED
            elif kind == EV_MODIFY_REJECTED:
                order.modify_request = REFUSED
            elif kind == EV_MODIFIED and order.modify_request != NONE and is_answer:
                order.modify_request = CONFIRMED
        if is_final(order.status_):
            # Of an order that has ended nothing more is told: what was asked for came too late.
            if order.cancel_request == UNKNOWN:
                order.cancel_request = REFUSED
            if order.modify_request == UNKNOWN:
                order.modify_request = REFUSED
        # An order counts once, of however many requests the outcome is unknown.
        step += order.unknown()
        if step and order.side_sign > 0:
            order.position.unknown_buys += step
        elif step:
            order.position.unknown_sells += step
        return 0

    cdef int take_fill(self, Order order, Event* event) except -1:
        """Admit and book an execution; raises with nothing changed if the table refuses it."""
        cdef int64_t before = order.filled
        cdef int status = order.status_
        if before + event.quantity > order.units:
            raise StrategyError(
                f"order {order.client_order_id} of {order.quantity:g} would be filled beyond that",
                code="overfill",
            )
        order.filled = before + event.quantity
        try:
            order.transition(EV_FILL)
            self.booking.fill(order, event)
        except BaseException:
            order.filled = before
            order.status_ = status
            raise
        self.take_answer(order, event, True)
        self.curve.touch()
        return 0

    cdef int take_change(self, Order order, Event* event) except -1:
        """Put the new terms in force."""
        if event.quantity > 0:
            order.units = event.quantity
        if event.price != no_price():
            order.limit_price_raw = event.price
        if event.cumulative != no_price():
            order.stop_price_raw = event.cumulative
        return 0

"""Orders that hang together at a simulated venue: exits of an entry, pairs, and their ends."""
from libc.stdint cimport INT64_MAX

from pyrt.core.types cimport EV_ACCEPTED, EV_CANCELED, EV_EXPIRED, EV_FILL, EV_HELD, MARKET, STOP


cdef class VenueFamilies(VenueVoice):
    """Working orders and what they bring with them; `SimVenue` sets its fields."""

    # -- working orders ------------------------------------------------------------------------

    cdef int enroll(self, VenueOrder order) except -1:
        """Take an order in, after all that have come before it."""
        order.turn = self.arrivals
        self.arrivals += 1
        self.live[order.number] = order
        return 0

    cdef int hold(self, VenueOrder parent) except -1:
        """Keep the children of an order until it fills."""
        cdef VenueOrder child
        for child in (parent.take_profit, parent.stop_loss):
            if child is None:
                continue
            child.issued = parent.issued
            child.learned = parent.learned
            child.arrival = child.effective = parent.arrival
            child.ordered = child.type
            child.misses = parent.misses
            child.expires = parent.expires
            child.held = True
            self.enroll(child)
            self.say(child, EV_HELD, None)
        return 0

    cdef int activate(self, VenueOrder order, int64_t price) except -1:
        """Put an order among the working ones; trailing orders begin at `price`."""
        cdef VenueBook book = self.books[order.index]
        if order.trails() and price > 0 and order.follow(price):
            self.say_terms(order)
        order.held = False
        order.fresh = True
        book.orders.append(order)
        return self.watch(order.index)

    cdef int watch(self, int32_t index) except -1:
        """Keep the list of instruments with working orders."""
        cdef VenueBook book = self.books[index]
        if book.watched == (len(book.orders) > 0):
            return 0
        book.watched = not book.watched
        if book.watched:
            self.waiting[index] = None
        else:
            del self.waiting[index]
        return 0

    # -- contingencies -------------------------------------------------------------------------

    cdef int after_fill(self, VenueBook book, VenueOrder order, int64_t quantity,
                        int64_t net) except -1:
        """Let contingencies follow: wake children, shrink or cancel the other of a pair."""
        cdef VenueOrder sibling = order.sibling
        order.fresh = False
        if order.room != INT64_MAX:
            order.room -= quantity
        self.wake_children(book, order, net)
        if self.means.reserves:
            self.means.follow(order, book.last_price)
        if order.filled == order.units:
            self.finish(order, EV_FILL, None)
        if sibling is None or sibling.done:
            return 0
        if sibling.room != INT64_MAX:
            sibling.room -= quantity
        if order.done or sibling.cancels or sibling.units - quantity <= sibling.filled:
            # What has filled in part goes on: the end of the other is not its end.
            sibling.sibling = None
            return self.finish(sibling, EV_CANCELED, "oco: the other order of the pair has filled")
        sibling.units -= quantity
        return self.say_terms(sibling)

    cdef int wake_children(self, VenueBook book, VenueOrder order, int64_t quantity) except -1:
        """Let exits work for what their entry has filled."""
        cdef VenueOrder child
        for child in (order.take_profit, order.stop_loss):
            if child is None or child.done:
                continue
            child.room += quantity
            if not child.held:
                continue
            child.woken = self.now
            if (self.child_rule == NEXT_BAR and order.ordered != MARKET
                    and not target_is_certain(book, order)):
                child.skips = book.bar
            self.say(child, EV_ACCEPTED, None)
            self.activate(child, book.last_price)
        return 0

    cdef int end_exits(self, VenueBook book, int32_t owner, int64_t held) except -1:
        """End an owner's exits on whose side nothing is held any more, once a fill took from it.

        Those of an entry that can still fill stay.
        """
        cdef VenueOrder order
        for order in book.orders:  # an end makes a new list
            if (order.guards and not order.done and order.owner == owner
                    and order.room == INT64_MAX and order.side * held >= 0):
                self.finish(order, EV_CANCELED, "exit: the position it guards has been left")
        return 0

    # -- ends ----------------------------------------------------------------------------------

    cdef int finish(self, VenueOrder order, int kind, str reason) except -1:
        """End an order; what it held or was paired with ends or shrinks with it."""
        if order.done:
            return 0
        order.done = True
        self.live.pop(order.number, None)
        if self.means.reserves:
            self.means.release(order.number)
        if kind != EV_FILL:
            self.say(order, kind, reason)
            self.finish_pair(order, kind, reason)
        self.settle_children(order)
        if not order.held:
            (<VenueBook>self.books[order.index]).compact()
            self.watch(order.index)
        return 0

    def finish_pair(self, VenueOrder order, int kind, str reason):
        """End the other order of a pair, for the same reason where that is time."""
        if order.sibling is None or order.sibling.done:
            return
        if kind == EV_EXPIRED:
            self.finish(order.sibling, EV_EXPIRED, reason)
        else:
            self.finish(order.sibling, EV_CANCELED, "oco: the other order of the pair has ended")

    cdef int settle_children(self, VenueOrder order) except -1:
        """Children of an order that ended keep what it filled, or go with it."""
        cdef VenueOrder child
        for child in (order.take_profit, order.stop_loss):
            if child is None or child.done:
                continue
            if order.filled == 0:
                self.finish(child, EV_CANCELED, "parent: the entry ended without a fill")
            elif child.room <= 0:
                self.finish(child, EV_CANCELED, "parent: the entry ended and nothing of it is left")
            else:
                if child.filled + child.room < child.units:
                    child.units = child.filled + child.room
                    self.say_terms(child)
                child.room = INT64_MAX
        return 0


cdef bint target_is_certain(VenueBook book, VenueOrder order) noexcept:
    """Whether the price went from a stop entry on to the target, whatever its path in the bar.

    Trigger and target lie in one direction, and the bar does not reach the stop-loss.
    """
    cdef VenueOrder target = order.take_profit, stop = order.stop_loss
    if order.ordered != STOP or target is None:
        return False
    if order.side > 0:
        return target.limit_price <= book.high and (stop is None or stop.stop_price < book.low)
    return target.limit_price >= book.low and (stop is None or stop.stop_price > book.high)

"""Orders that an algorithm works through smaller ones: what was sent, filled, and is left.

The order itself is EMULATED until it ends and never leaves; the orders its algorithm sends pass
risk and venue like any other and carry it as `origin`. What they fill it has filled; what works and
what has filled together never exceed its quantity.
"""
cimport cython

from pyrt.core.int128 cimport i128_add, i128_notional
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.splits cimport split_units
from pyrt.core.types cimport EV_CANCELED, EV_EMULATED, EV_FILL, EV_MODIFIED, is_final
from pyrt.execution.triggers cimport split_prices, tell, units_told

from fractions import Fraction

from pyrt.errors import OrderError


@cython.final
cdef class Parents:
    """Keeps account of the orders that algorithms work.

    Parameters
    ----------
    desk, clock, inbox, texts
        Of the kernel.
    world : object
        With `guarded(owner, method, *arguments)`, `listen`, `unlisten` and facts of the market; see
        `pyrt.execution.manager`.
    """

    def __init__(self, Desk desk, Clock clock, EventQueue inbox, Texts texts, world):
        self.desk = desk
        self.clock = clock
        self.inbox = inbox
        self.texts = texts
        self.world = world
        self.open = {}

    def __repr__(self):
        return f"Parents of {len(self.open)} orders"

    cdef int begin(self, Order order) except -1:
        """Take an approved order over."""
        self.open[order.number] = [order, None, {}, None]
        tell(self.inbox, order, EV_EMULATED, self.clock.now, 0)
        return 0

    def children(self, Order order not None):
        """Return the open orders of an order's algorithm, oldest first."""
        found = self.open.get(order.number)
        return [] if found is None else list(found[2].values())

    def spawn(self, Order origin not None, quantity, dict terms):
        """Send a part of an order; OrderError if it is more than is left, or if it has ended."""
        entry = self.open.get(origin.number)
        if entry is None or entry[1] is not None:
            raise OrderError(
                f"order {origin.client_order_id} has ended or is being canceled; nothing more of "
                "it is sent", code="beyond_parent",
            )
        cdef Order child = self.desk.spawn(
            origin, origin.instrument.quantity_raw(quantity), terms
        )
        entry[2][child.number] = child
        return child

    def left(self, Order order not None):
        """Return the units of an order that neither filled nor work, as a Decimal."""
        return decimal_from_scaled(
            max(order.leaves() - order.allotted, 0), order.instrument.decimals
        )

    def finish(self, Order order not None, str reason):
        """End an order: what works of it is canceled, the rest is given up for a reason."""
        if order.number in self.open:
            self.withdraw(order, reason)

    cdef int withdraw(self, Order order, str reason) except -1:
        entry = self.open[order.number]
        if entry[1] is not None:
            return 0
        entry[1] = reason or ""
        # Its children may take a while to end: nothing is added to them.
        order.algorithm.stop()
        for child in entry[2].values():
            self.desk.cancel((<Order>child).strategy, child)
        return self.end(order)

    def split(self, Py_ssize_t index, int64_t new, int64_t old):
        """Restate the orders of an instrument as a venue does; less than a step ends one.

        What one has filled stays on record in old units, so its total is the sum of both.
        """
        cdef Order order
        cdef Event* event
        cdef int64_t left
        for entry in list(self.open.values()):
            order = entry[0]
            if order.instrument.index != index or is_final(order.status_):
                continue
            left = units_told(self.inbox, order) - order.filled
            left = split_units(order.instrument, left, new, old)
            if left == 0:
                self.withdraw(order, "split: nothing of the quantity is left")
                continue
            split_prices(order, new, old)
            event = tell(self.inbox, order, EV_MODIFIED, self.clock.now, 0)
            event.quantity = order.filled + left
            event.price = order.limit_price_raw
            event.cumulative = order.stop_price_raw
            # Its algorithm is told when its parts have been restated too.
            entry[3] = Fraction(new, old)

    cdef int account(self, Order child, Event* event) except -1:
        """Let an order have filled, and have working, what its algorithm's orders do."""
        cdef Order order = child.origin, each
        cdef int64_t quantity
        entry = self.open.get(order.number)
        if event.kind == EV_FILL:
            quantity = min(event.quantity, order.units - order.filled)
            if quantity:
                order.filled += quantity
                order.filled_notional = i128_add(order.filled_notional, i128_notional(
                    event.price, quantity, order.instrument.factor))
                order.transition(EV_FILL)
                order.ts_last = event.ts_event
        if entry is not None:
            # Summed anew: a part may have become smaller, or fill after its end.
            order.allotted = 0
            for each in entry[2].values():
                if not is_final(each.status_):
                    order.allotted += each.leaves()
        return self.desk.settle(order)

    cdef int on_order(self, Order order, Event* event) except -1:
        """Follow orders that are worked, and the orders that work them."""
        if order.origin is not None:
            return self.on_child(order, event)
        if order.number not in self.open:
            return 0
        if event.kind == EV_EMULATED and self.open[order.number][1] is None:
            self.world.guarded(order.strategy, order.algorithm.begin, self)
        elif event.kind == EV_MODIFIED:
            self.restate(order)
        elif is_final(order.status_):
            self.forget(order)
        return 0

    def restate(self, Order order not None):
        """Tell an algorithm of a split that has restated its order."""
        entry = self.open[order.number]
        ratio = entry[3]
        entry[3] = None
        if ratio is not None and entry[1] is None:
            self.world.guarded(order.strategy, order.algorithm.on_split, ratio)

    cdef int on_child(self, Order child, Event* event) except -1:
        cdef Order order = child.origin
        entry = self.open.get(order.number)
        if event.kind == EV_FILL:
            self.world.announce(order, EV_FILL, event.ts_event, event.quantity, event.price)
        if entry is None or child.number not in entry[2]:
            return 0
        if is_final(child.status_):
            del entry[2][child.number]
        if is_final(order.status_):
            self.forget(order)
        elif entry[1] is not None:
            return self.end(order)
        elif event.kind == EV_FILL:
            self.world.guarded(order.strategy, order.algorithm.on_fill, child)
        elif is_final(child.status_):
            self.world.guarded(order.strategy, order.algorithm.on_end, child)
        return 0

    def forget(self, Order order not None):
        """Let go of an order that has ended."""
        order.algorithm.stop()
        self.open.pop(order.number, None)

    cdef int end(self, Order order) except -1:
        """End an order that is being withdrawn, when nothing of it works any more."""
        cdef Event* event
        entry = self.open[order.number]
        if entry[2] or is_final(order.status_):
            return 0
        event = tell(
            self.inbox, order, EV_CANCELED, self.clock.now,
            self.texts.number(entry[1]) if entry[1] else 0,
        )
        event.cumulative = order.filled
        return 0

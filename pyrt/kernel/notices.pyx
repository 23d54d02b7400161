"""Telling a strategy, and whoever listens on the bus, what became of an order."""
cimport cython

from pyrt.core.orders cimport OrderEvent
from pyrt.core.types cimport EV_FILL, is_final
from pyrt.core.types import EVENT_NAMES, LIQUIDITY_NAMES


@cython.final
cdef class Notices:
    """Makes the views of order events and calls who wants them; none is made if nobody does.

    Parameters
    ----------
    calls : Calls
    account : Account
    records : Records
    strategies : list of StrategyCore
        By their numbers.
    hooks : list of Hooks
        By the strategies' numbers.
    """

    def __init__(self, Calls calls, Account account, Records records, list strategies, list hooks):
        self.calls = calls
        self.bus = calls.bus
        self.clock = calls.clock
        self.account = account
        self.records = records
        self.strategies = strategies
        self.hooks = hooks

    cdef int of_order(self, Order order, Event* event) except -1:
        """Announce an event of an order; its state is the new one already."""
        cdef Hooks hooks = <Hooks>self.hooks[order.position.strategy]
        if not (hooks.listens or hooks.orders.has_handlers or hooks.fills.has_handlers
                or hooks.positions.has_handlers):
            return 0
        self.bus.begin()
        try:
            self.tell(self.strategies[order.position.strategy], hooks, order, event)
        finally:
            self.bus.end()
        return 0

    cdef int tell(self, StrategyCore owner, Hooks hooks, Order order, Event* event) except -1:
        cdef OrderEvent view
        narrow = hooks.narrow.get(event.kind) if hooks.narrow else None
        if hooks.on_order is not None or narrow is not None or hooks.orders.has_handlers:
            view = OrderEvent.__new__(OrderEvent)
            view.order = order
            view.kind = EVENT_NAMES[event.kind]
            view.ts_event = event.ts_event
            view.ts_init = self.clock.now
            view.status = order.status
            view.reason = self.records.texts.names[event.reason]
            if hooks.orders.has_handlers:
                hooks.orders.publish_c(view)
            if owner.running and hooks.on_order is not None:
                self.calls.call(owner, hooks.on_order, view)
            if owner.running and narrow is not None:
                self.calls.call(owner, narrow, view)
        # What its algorithm's orders fill has been told as theirs.
        if event.kind == EV_FILL and order.algorithm is None:
            self.of_fill(owner, hooks, order, event)
        return 0

    cdef int of_fill(self, StrategyCore owner, Hooks hooks, Order order, Event* event) except -1:
        cdef Fill fill
        if hooks.on_fill is not None or hooks.fills.has_handlers:
            fill = self.fill_of(order, event)
            if hooks.fills.has_handlers:
                hooks.fills.publish_c(fill)
            if owner.running and hooks.on_fill is not None:
                self.calls.call(owner, hooks.on_fill, fill)
        if hooks.positions.has_handlers:
            hooks.positions.publish_c(order.position)
        if owner.running and hooks.on_position is not None:
            self.calls.call(owner, hooks.on_position, order.position)
        return 0

    cdef Fill fill_of(self, Order order, Event* event):
        cdef Fill fill = Fill.__new__(Fill)
        fill.order = order
        fill.instrument = order.instrument
        fill.side_sign = order.side_sign
        fill.units = event.quantity
        fill.price_raw = event.price
        fill.fee_raw = event.fee
        fill.taken = event.taken
        fill.fee_currency = (
            order.instrument.base_currency if event.taken
            else self.account.currencies[event.fee_currency]
        )
        fill.liquidity = LIQUIDITY_NAMES[event.liquidity]
        fill.execution_id = f"{order.client_order_id}-{event.cumulative}"
        fill.ts_event = event.ts_event
        fill.ts_init = self.clock.now
        fill.ts_open = event.ts_open or event.ts_event
        fill.is_last = is_final(order.status_)
        return fill

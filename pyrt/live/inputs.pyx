"""The kernel's two inputs as a live world gives them: decoded messages, one at a time."""
cimport cython
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.core.events cimport Event, clear_event
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_from_object
from pyrt.core.orders cimport Order, no_price
from pyrt.core.ports cimport ApprovedOrder, Command, Venue
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport EV_BAR, EV_FILL, EV_MODIFIED, EV_QUOTE, EV_TRADE
from pyrt.core.types import EVENT_NAMES, LIQUIDITY_NAMES
from pyrt.kernel.kernel cimport Kernel

KINDS = {name: kind for kind, name in EVENT_NAMES.items()}


@cython.final
cdef class Outlet(Venue):
    """The kernel's way out: hands approved commands to a client core.

    Parameters
    ----------
    client : object
        With `submit(order)`, `change(order, changes)` and `withdraw(order)`.
    """

    cdef readonly object client

    def __init__(self, client):
        self.client = client

    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1:
        self.client.submit(approved.order)
        return 0

    cdef int change(self, Command command, int64_t now) except -1:
        changes = {}
        if command.units:
            decimals = command.order.instrument.decimals
            changes["quantity"] = f"{decimal_from_scaled(command.units, decimals):f}"
        for name, raw in (("limit_price", command.limit_price), ("stop_price", command.stop_price),
                          ("trail", command.trail)):
            if raw != no_price():
                changes[name] = f"{decimal_from_scaled(raw, 9):f}"
        self.client.change(command.order, changes)
        return 0

    cdef int withdraw(self, Order order, int64_t now) except -1:
        self.client.withdraw(order)
        return 0


@cython.final
cdef class Inputs:
    """Feeds a kernel with what a client core has decoded.

    Parameters
    ----------
    kernel : Kernel
    """

    cdef readonly Kernel kernel

    def __init__(self, Kernel kernel):
        self.kernel = kernel

    @property
    def next_timer(self):
        """When a timer or the end of an aggregated bar is due, ns UTC; None when neither is."""
        cdef int64_t due = self.next_due()
        return None if due == INT64_MAX else due

    cdef int64_t next_due(self) noexcept:
        return min(self.kernel.clock.next_due, self.kernel.aggregates_due)

    def order(self, int number):
        """Return an order by its number; None if there is none."""
        return self.kernel.cache.order(number)

    def advance(self, int64_t ts):
        """Move time forward; what is due at earlier times happens at its own time."""
        while self.next_due() < ts:
            self.kernel.advance(self.next_due())
            self.end_bars()
            self.fire_timers()
        self.kernel.advance(ts)

    def end_bars(self):
        """Hand on aggregated bars that are over, after the bars that completed them."""
        if self.kernel.aggregates_due <= self.kernel.clock.now:
            self.kernel.close_aggregates(self.kernel.clock.now)
        if self.kernel.aggregated:
            self.kernel.deliver_aggregates()
        self.kernel.settle()

    def fire_timers(self):
        """Fire what is due now."""
        self.kernel.fire_timers(self.kernel.clock.now)
        self.kernel.settle()

    def bar(self, Stream stream not None, int64_t ts_open, int64_t ts_close, double open,
            double high, double low, double close, double volume):
        """Take one bar; commands of its handlers wait for `settle`, coarser bars for `end_bars`."""
        cdef Event event
        clear_event(&event)
        event.kind = EV_BAR
        event.stream = stream.index
        event.instrument = stream.instrument.index
        event.ts_open = ts_open
        event.ts_event = ts_close
        event.ts_init = self.kernel.clock.now
        event.values[0] = open
        event.values[1] = high
        event.values[2] = low
        event.values[3] = close
        event.values[4] = volume
        self.kernel.process(&event)

    def quote(self, Stream stream not None, int64_t ts_event, double bid_price, double bid_size,
              double ask_price, double ask_size):
        """Take a best bid and offer; a price of 0 means that side is empty."""
        cdef Event event
        clear_event(&event)
        event.kind = EV_QUOTE
        event.stream = stream.index
        event.instrument = stream.instrument.index
        event.ts_event = ts_event
        event.ts_init = self.kernel.clock.now
        event.values[0] = bid_price
        event.values[1] = bid_size
        event.values[2] = ask_price
        event.values[3] = ask_size
        self.kernel.process(&event)

    def trade(self, Stream stream not None, int64_t ts_event, double price, double size,
              int aggressor=0):
        """Take a print; `aggressor` is 1 for a buyer, -1 for a seller, 0 if not told."""
        cdef Event event
        clear_event(&event)
        event.kind = EV_TRADE
        event.stream = stream.index
        event.instrument = stream.instrument.index
        event.ts_event = ts_event
        event.ts_init = self.kernel.clock.now
        event.values[0] = price
        event.values[1] = size
        event.quantity = aggressor
        self.kernel.process(&event)

    def sample(self):
        """Write a point of the equity curve for the present."""
        self.kernel.sample(self.kernel.clock.now)

    def order_event(self, str kind, int number, int64_t ts_event, str reason="", *,
                    quantity=None, limit_price=None, stop_price=None):
        """Take what a broker said about an order, other than a fill.

        Parameters
        ----------
        quantity, limit_price, stop_price : number or str, optional
            Terms now in force, for ``modified``; None leaves a term as it is.
        """
        cdef Event event
        cdef Order order = self.kernel.cache.order(number)
        clear_event(&event)
        event.kind = KINDS[kind]
        event.order = number
        event.ts_event = ts_event
        event.ts_init = self.kernel.clock.now
        event.reason = self.kernel.records.texts.number(reason)
        if event.kind == EV_MODIFIED:
            event.price = no_price() if limit_price is None else nano_from_object(limit_price)
            event.cumulative = no_price() if stop_price is None else nano_from_object(stop_price)
            if quantity is not None:
                event.quantity = order.instrument.quantity_raw(quantity)
        self.kernel.process(&event)

    def fill(self, int number, int64_t ts_event, quantity, price, cumulative, fee=0,
             str liquidity=""):
        """Take an execution; one that was seen before changes nothing."""
        cdef Event event
        cdef Order order = self.kernel.cache.order(number)
        clear_event(&event)
        event.kind = EV_FILL
        event.order = number
        event.ts_event = ts_event
        event.ts_init = self.kernel.clock.now
        event.quantity = order.instrument.quantity_raw(quantity)
        event.cumulative = order.instrument.quantity_raw(cumulative)
        event.price = nano_from_object(price)
        event.fee = money_from_object(fee)
        event.liquidity = LIQUIDITY_NAMES.index(liquidity)
        self.kernel.process(&event)

    def settle(self):
        """Send what was issued, process what came back."""
        self.kernel.settle()

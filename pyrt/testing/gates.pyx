"""A kernel around a gate and a venue that only listens: limits tried out order by order."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.accounts cimport Account
from pyrt.core.events cimport Event, clear_event
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport nano_from_object
from pyrt.core.orders cimport Order, no_price
from pyrt.core.ports cimport ApprovedOrder, Command, Venue
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    EV_ACCEPTED, EV_CANCEL_REJECTED, EV_CANCELED, EV_EXPIRED, EV_FILL, EV_HELD, EV_MODIFIED,
    EV_MODIFY_REJECTED, EV_QUOTE, EV_REJECTED, EV_SPLIT, EV_TRADE, EV_TRIGGERED, EV_UNKNOWN,
)
from pyrt.kernel.kernel cimport Kernel
from pyrt.risk.watch cimport Watcher
from pyrt.strategy.core cimport StrategyCore

from pyrt.core.times import duration_ns
from pyrt.strategy.strategy import Strategy

cdef int64_t START_NS = 1_704_067_200_000_000_000
cdef dict ANSWERS = {
    "accept": EV_ACCEPTED, "reject": EV_REJECTED, "cancel": EV_CANCELED, "expire": EV_EXPIRED,
    "unknown": EV_UNKNOWN, "cancel_rejected": EV_CANCEL_REJECTED, "modified": EV_MODIFIED,
    "modify_rejected": EV_MODIFY_REJECTED, "trigger": EV_TRIGGERED, "hold": EV_HELD,
}


@cython.final
cdef class ListeningVenue(Venue):
    """Keeps what arrives and answers nothing; `GateRig.answer` and `fill` speak for it."""

    cdef readonly list submitted
    cdef readonly list changed
    cdef readonly list withdrawn

    def __init__(self):
        self.submitted = []
        self.changed = []
        self.withdrawn = []

    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1:
        self.submitted.append(approved.order)
        return 0

    cdef int change(self, Command command, int64_t now) except -1:
        self.changed.append((command.order, command.units, command.limit_price))
        return 0

    cdef int withdraw(self, Order order, int64_t now) except -1:
        self.withdrawn.append(order)
        return 0


@cython.final
cdef class IdleWatcher(Watcher):
    """Asks to hear everything, and does nothing about it: the hooks are those of `Watcher`."""

    def __init__(self):
        self.watches_marks = self.watches_quotes = True
        self.watches_orders = self.watches_equity = True


@cython.final
cdef class GateRig:
    """A gate in its real kernel, with orders, prices and answers given by hand.

    Parameters
    ----------
    gate : RiskGate
    cash : number
    symbols : sequence of str or Instrument
        The first serves where a call names none.
    prices : number, optional
        First price of every symbol; None for none.
    strategies : int
        How many strategies may order; they are called "A", "B", ...
    account : AccountRules, str or mapping, optional
        Of the broker; a cash account by default.
    capabilities : Capabilities or mapping, optional
        What the venue can do, or by kind of instrument; the rest is emulated. All by default.

    Examples
    --------
    >>> from pyrt.risk import Limits, RiskEngine
    >>> rig = GateRig(RiskEngine(Limits(max_order_notional=500)), prices=100)
    >>> rig.order("buy", 5).status, rig.order("buy", 6).reason
    ('SENT', 'max_order_notional: order value 600 is over the limit of 500')
    """

    cdef readonly Kernel kernel
    cdef readonly ListeningVenue venue
    cdef readonly list symbols
    cdef list trades
    cdef list quotes

    def __init__(self, gate, *, cash=1_000_000, symbols=("AAA",), prices=None, int strategies=1,
                 account=None, capabilities=None):
        cdef Instrument instrument
        self.kernel = Kernel(
            Account(cash, "USD", account), gate, keep_closed=True,
            capabilities=(
                capabilities if capabilities is None or isinstance(capabilities, dict)
                else {"": capabilities}
            ),
        )
        self.venue = ListeningVenue()
        self.kernel.connect(self.venue)
        self.symbols = []
        self.trades = []
        self.quotes = []
        for given in symbols:
            instrument = given if isinstance(given, Instrument) else Instrument(given)
            self.kernel.add_instrument(instrument)
            self.symbols.append(instrument.symbol)
            for kind, streams in (("trades", self.trades), ("quotes", self.quotes)):
                streams.append(self.kernel.add_stream(
                    kind, instrument, f"data.{kind}.{instrument.id}"
                ))
        for number in range(strategies):
            self.kernel.add_strategy(Strategy(), chr(ord("A") + number))
        self.kernel.start(START_NS)
        for symbol in self.symbols if prices is not None else ():
            self.price(prices, symbol)

    @property
    def gate(self):
        """The gate under test."""
        return self.kernel.gate

    @property
    def now(self):
        """The clock, ns UTC."""
        return self.kernel.clock.now

    cdef Py_ssize_t place(self, symbol) except -1:
        return 0 if symbol is None else self.symbols.index(symbol)

    # -- time and market -----------------------------------------------------------------------

    def wait(self, length):
        """Let time pass, and what is due by then: ns, or a text such as "5s"."""
        self.kernel.advance(self.kernel.clock.now + <int64_t>duration_ns(length))
        self.kernel.fire_timers(self.kernel.clock.now)
        self.kernel.settle()

    def price(self, double value, symbol=None):
        """Let a trade happen at a price."""
        cdef Event event
        clear_event(&event)
        event.kind = EV_TRADE
        event.stream = (<Stream>self.trades[self.place(symbol)]).index
        event.values[0] = value
        event.values[1] = 1.0
        event.ts_event = event.ts_init = self.kernel.clock.now
        self.kernel.process(&event)
        self.kernel.settle()

    def quote(self, double bid, double ask, symbol=None, *, bint marks=True):
        """Let a quote come, 0 for a side that is not there; it moves the last price to its middle.

        With `marks` False it leaves the last price alone, as where trades are heard as well.
        """
        cdef Event event
        cdef Stream stream = self.quotes[self.place(symbol)]
        clear_event(&event)
        stream.set_marks(marks)
        event.kind = EV_QUOTE
        event.stream = stream.index
        event.values[0] = bid
        event.values[1] = event.values[3] = 1.0
        event.values[2] = ask
        event.ts_event = event.ts_init = self.kernel.clock.now
        self.kernel.process(&event)
        self.kernel.settle()

    def split(self, int64_t new, int64_t old=1, symbol=None):
        """Let `old` units become `new` ones, in holdings and in the last price."""
        cdef Event event
        clear_event(&event)
        event.kind = EV_SPLIT
        event.instrument = (<Stream>self.trades[self.place(symbol)]).instrument.index
        event.quantity = new
        event.price = old
        event.ts_event = event.ts_init = self.kernel.clock.now
        self.kernel.process(&event)
        self.kernel.settle()

    def sample(self):
        """Let a point of the equity curve be taken now."""
        self.kernel.sample(self.kernel.clock.now)
        self.kernel.settle()

    # -- orders --------------------------------------------------------------------------------

    def order(self, str side, quantity=None, symbol=None, int strategy=0, **terms):
        """Place an order as a strategy would and return it; it has its verdict already."""
        cdef Order order = self.draft(side, quantity, symbol, strategy, **terms)
        self.kernel.settle()
        return order

    def draft(self, str side, quantity=None, symbol=None, int strategy=0, **terms):
        """Place an order whose verdict waits for `settle`."""
        cdef StrategyCore owner = self.kernel.strategies[strategy]
        return self.kernel.desk.place(
            owner, self.symbols[self.place(symbol)], 1 if side == "buy" else -1, quantity, terms
        )

    def settle(self):
        """Let everything issued be judged and sent."""
        self.kernel.settle()

    def modify(self, Order order, **changes):
        """Ask for a change and return whether the gate let it go."""
        cdef Py_ssize_t before = len(self.venue.changed)
        self.kernel.desk.modify(order.strategy, order, changes)
        self.kernel.settle()
        return len(self.venue.changed) > before

    def cancel(self, Order order):
        """Ask for a cancel and return whether it left."""
        cdef Py_ssize_t before = len(self.venue.withdrawn)
        self.kernel.desk.cancel(order.strategy, order)
        self.kernel.settle()
        return len(self.venue.withdrawn) > before

    def close(self, symbol=None, int strategy=0):
        """Leave a position as `Strategy.close` does; None if there is nothing to do."""
        cdef Order order = self.kernel.desk.target(
            self.kernel.strategies[strategy], self.symbols[self.place(symbol)], 0, None
        )
        self.kernel.settle()
        return order

    def judge(self, Order order):
        """Return the gate's reason against an order, or None, without sending it."""
        return self.kernel.gate.judge(order, self.kernel.clock.now)

    def approve(self, Order order):
        """Return the approval that a venue would be given; OrderError without a verdict."""
        return self.kernel.gate.approve(order)

    # -- what the venue says -------------------------------------------------------------------

    def answer(self, str what, Order order, quantity=None, limit_price=None, stop_price=None):
        """Let the venue answer: accept, trigger, reject, cancel, expire, unknown, modified, ...

        ``modified`` puts `quantity` (a new total), `limit_price` and `stop_price` in force.
        """
        cdef Event event
        clear_event(&event)
        event.kind = ANSWERS[what]
        event.order = order.number
        event.ts_event = event.ts_init = self.kernel.clock.now
        event.price = event.cumulative = no_price()
        if quantity is not None:
            event.quantity = order.instrument.quantity_raw(quantity)
        if limit_price is not None:
            event.price = nano_from_object(limit_price)
        if stop_price is not None:
            event.cumulative = nano_from_object(stop_price)
        self.kernel.process(&event)
        self.kernel.settle()

    def fill(self, Order order, quantity=None, price=None, bint settles=True):
        """Let an order fill: all that is left, and at the last price, unless stated.

        What it leads to waits for `settle` where it does not settle.
        """
        cdef Event event
        clear_event(&event)
        event.kind = EV_FILL
        event.order = order.number
        event.ts_event = event.ts_init = self.kernel.clock.now
        event.quantity = order.leaves()
        if quantity is not None:
            event.quantity = order.instrument.quantity_raw(quantity)
        event.price = order.position.mark if price is None else nano_from_object(price)
        event.cumulative = order.filled + event.quantity
        self.kernel.process(&event)
        if settles:
            self.kernel.settle()

    def hold(self, quantity, symbol=None, int strategy=0, price=None):
        """Give a strategy a position by a filled order; negative is short."""
        order = self.order("buy" if quantity > 0 else "sell", abs(quantity), symbol, strategy)
        assert order.status == "SENT", order.reason
        self.fill(order, price=price)
        return order

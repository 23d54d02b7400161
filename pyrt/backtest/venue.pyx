"""The simulated venue: takes orders, executes them, keeps the broker's account."""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, HALF_EVEN, TOWARD_ZERO, i128_muldiv, i128_neg, i128_notional, i128_to_i64,
    i128_to_int,
)
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    CLS, DAY, EV_ACCEPTED, EV_CANCELED, EV_EXPIRED, EV_FILL, EV_HELD,
    EV_MODIFIED, EV_MODIFY_REJECTED, EV_REJECTED, EV_SPLIT, FOK, GTD, IOC, LIMIT,
    MARKET, OPG, STOP_LIMIT, TAKER, TRAILING_STOP_LIMIT,
)
from pyrt.errors import ConfigError

TIMINGS = {"next_open": NEXT_OPEN, "same_close": SAME_CLOSE, "next_close": NEXT_CLOSE}
PATHS = {
    "adverse_first": ADVERSE_FIRST, "open_high_low_close": OPEN_HIGH_LOW_CLOSE,
    "open_low_high_close": OPEN_LOW_HIGH_CLOSE, "nearest_first": NEAREST_FIRST,
}
CHILD_RULES = {"rest_of_bar": REST_OF_BAR, "next_bar": NEXT_BAR}


def named(str what, value, choices):
    """Return the code of a named choice; ConfigError naming the choices otherwise."""
    if value not in choices:
        raise ConfigError(f"{what} is {value!r}; expected one of {', '.join(choices)}")
    return choices[value]


cdef str money(int128 raw):
    """An amount for a message, rounded away from zero to the cent."""
    cents = i128_to_int(i128_muldiv(raw, 1, 10_000_000_000_000_000, AWAY_FROM_ZERO))
    return f"{decimal_from_scaled(cents, 2):,.2f}"


@cython.final
cdef class SimVenue:
    """Order intake, execution, contingencies and expiry; matchers decide when and at what price.

    It knows nothing of strategies: commands come in by number, events go out through `out`.

    Parameters
    ----------
    account : Account
        The broker's books; executions are checked against it and booked in it.
    fees : FeeModel
    slippage : Slippage
    texts : Texts
        Shared numbering of reasons.
    fill : {"next_open", "same_close", "next_close"}
        When a market order meets a market of bars.
    path : {"adverse_first", "open_high_low_close", "open_low_high_close", "nearest_first"}
        The way a bar's price is taken to have gone.
    touch_fills : bool
        Whether a limit order fills when its price is touched and not crossed.
    participation : float
        Largest share of a bar's volume that fills, over all orders; 0 for no cap.
    latency_ns : int
        From sending a command to its effect.
    children : {"rest_of_bar", "next_bar"}
        Whether children of an entry that fills inside a bar's path meet the rest of that path.
    """

    def __init__(self, Account account, FeeModel fees, Slippage slippage, *, Texts texts=None,
                 fill="next_open", path="adverse_first", bint touch_fills=False,
                 double participation=0.0, int64_t latency_ns=0, children="rest_of_bar"):
        if not 0.0 <= participation <= 1.0:
            raise ConfigError(f"participation is {participation!r}; expected a share, 0 to 1")
        if latency_ns < 0:
            raise ConfigError(f"latency is {latency_ns} ns; expected >= 0")
        self.account = account
        self.fees = fees
        self.slippage = slippage
        self.texts = Texts() if texts is None else texts
        self.timing = named("fill", fill, TIMINGS)
        self.path = named("path", path, PATHS)
        self.child_rule = named("children", children, CHILD_RULES)
        self.touch_fills = touch_fills
        self.participation = participation
        self.latency_ns = latency_ns
        self.out = EventQueue()
        self.delayed = EventQueue()
        self.books = []
        self.live = {}
        self.waiting = []
        self.next_expiry = INT64_MAX
        self.next_delayed = INT64_MAX

    def add_instrument(self, Instrument instrument, sessions=None):
        """Open a book; `sessions` are (opens, closes) in ns UTC, or None for UTC days."""
        if instrument.index != len(self.books):
            raise ConfigError(f"instrument {instrument.id} is not the next one of the run")
        self.books.append(VenueBook(instrument, sessions))
        self.account.add_instrument(instrument)

    def set_output(self, EventQueue out):
        """Send events to a queue of the receiver's."""
        self.out = out

    # -- intake --------------------------------------------------------------------------------

    cdef int accept(self, VenueOrder order) except -1:
        """Take an order that arrives; its children are held until it fills."""
        cdef VenueBook book = self.books[order.index]
        cdef VenueOrder child
        book.read_close()
        order.issued = self.now
        order.arrival = self.now + self.latency_ns
        order.expires = self.when_expires(book, order)
        self.live[order.number] = order
        if order.expires <= order.arrival:
            return self.finish(order, EV_REJECTED, "no_session: the calendar has no session left")
        if order.post_only and book.last_price > 0 and (
                book.last_price < order.limit_price if order.side > 0
                else book.last_price > order.limit_price):
            return self.finish(order, EV_REJECTED, "post_only: it would take liquidity")
        self.say(order, EV_ACCEPTED, None)
        for child in (order.take_profit, order.stop_loss):
            if child is not None:
                child.issued = order.issued
                child.arrival = order.arrival
                child.expires = order.expires
                child.held = True
                self.live[child.number] = child
                self.say(child, EV_HELD, None)
        self.activate(order, book.last_price)
        if (self.timing == SAME_CLOSE and order.type == MARKET and book.last_ts == self.now
                and order.tif != OPG and order.tif != CLS):
            self.execute(book, order, self.slippage.apply(
                order.instrument, order.side, book.last_price, order.units, book.high - book.low
            ), order.arrival, TAKER, 0)
            if order.tif == IOC or order.tif == FOK:
                self.finish(order, EV_CANCELED, "ioc: no more could be filled at once")
        if order.expires < self.next_expiry:
            self.next_expiry = order.expires
        return 0

    cdef int64_t when_expires(self, VenueBook book, VenueOrder order) except? -1:
        if order.tif == GTD:
            return order.expires
        if order.tif == DAY or order.tif == CLS:
            book.find_session(order.arrival)
            return book.session_close
        if order.tif == OPG:
            order.not_before = book.next_open(order.arrival)
            if order.not_before == INT64_MAX:
                return order.arrival
            book.find_session(order.not_before)
            return book.session_close
        return INT64_MAX

    cdef int activate(self, VenueOrder order, int64_t price) except -1:
        """Put an order among the working ones; trailing orders begin at `price`."""
        cdef VenueBook book = self.books[order.index]
        if order.trails() and price > 0:
            if order.type == TRAILING_STOP_LIMIT and order.best == 0:
                order.limit_offset = order.limit_price - order.trail_stop(price)
            order.follow(price)
            self.say_terms(order)
        if order.held and self.child_rule == NEXT_BAR:
            order.issued = self.now
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
            self.waiting = sorted([*self.waiting, index])
        else:
            self.waiting = [i for i in self.waiting if i != index]
        return 0

    cdef int cancel_number(self, int32_t number) except -1:
        """Cancel an order and the children it holds; refused when it is done."""
        cdef VenueOrder order = self.live.get(number)
        if order is None:
            return 0
        return self.finish(order, EV_CANCELED, None)

    cdef int change(self, int32_t number, int64_t units, int64_t limit_price, int64_t stop_price,
                    int64_t trail) except -1:
        """Put new terms in force; an order that is held or working keeps its place in time."""
        cdef VenueOrder order = self.live.get(number)
        if order is None:
            return 0
        if units > 0:
            if units <= order.filled:
                return self.say(order, EV_MODIFY_REJECTED, "quantity: not above what is filled")
            order.units = units
        if limit_price != no_price():
            order.limit_price = limit_price
        if stop_price != no_price():
            order.stop_price = stop_price
        if trail != no_price():
            if order.trail_amount != no_price():
                order.trail_amount = trail
            else:
                order.trail_percent = trail
            if order.best:
                order.stop_price = order.trail_stop(order.best)
        order.fresh = True
        return self.say_terms(order)

    # -- execution -----------------------------------------------------------------------------

    cdef int64_t execute(self, VenueBook book, VenueOrder order, int64_t price, int64_t ts,
                         int liquidity, int64_t ts_open) except? -1:
        """Fill as much as size, volume and the account allow; return the units filled."""
        cdef Instrument instrument = order.instrument
        cdef int64_t quantity = self.size_of(book, order, price)
        cdef int128 fee, missing
        cdef int64_t after
        cdef Event* event
        if order.done or quantity == 0:
            return 0
        fee = self.fees.fee(
            instrument, order.side, quantity, price, liquidity, ts, order.filled
        )
        missing = self.account.shortfall(order.index, order.side, quantity, price, fee)
        if missing > 0 and order.resizes:
            quantity = self.affordable(order, quantity, price)
            if quantity > 0:
                order.units = order.filled + quantity
                self.say_terms(order)
                fee = self.fees.fee(
                    instrument, order.side, quantity, price, liquidity, ts, order.filled
                )
                missing = 0
        if missing > 0:
            self.refuse(order, quantity, price, fee, missing)
            return 0
        after = self.account.holdings[order.index].units + order.side * quantity
        if after < 0 and order.side < 0 and not instrument.shortable:
            self.finish(
                order, EV_REJECTED if order.filled == 0 else EV_CANCELED,
                f"not_shortable: {instrument.id} cannot be sold short, and "
                f"{instrument.quantity_float(after - order.side * quantity):g} are held",
            )
            return 0
        self.account.trade(order.index, order.side, quantity, price)
        self.account.pay(self.account.holdings[order.index].currency, i128_neg(fee))
        book.add_units(order.owner, order.side * quantity)
        book.budget -= quantity
        order.filled += quantity
        event = self.emit(order, EV_FILL, ts)
        event.quantity = quantity
        event.price = price
        event.cumulative = order.filled
        event.fee = fee
        event.fee_currency = self.account.holdings[order.index].currency
        event.liquidity = liquidity
        event.ts_open = ts_open
        self.after_fill(book, order, quantity)
        return quantity

    cdef int64_t size_of(self, VenueBook book, VenueOrder order, int64_t price) except? -1:
        """Units to fill at this price now; settles the quantity of an order by notional."""
        cdef int64_t quantity
        if order.notional != 0 and order.units == 0:
            quantity = i128_to_i64(i128_muldiv(
                order.notional, 1, i128_notional(price, 1, order.instrument.factor), TOWARD_ZERO
            ))
            order.units = order.instrument.round_quantity_raw(quantity)
            if order.units == 0:
                self.finish(order, EV_REJECTED, f"notional: too small for one step at this price")
                return 0
            self.say_terms(order)
        quantity = order.leaves()
        if quantity > book.budget:
            if order.tif == FOK:
                return 0
            quantity = order.instrument.round_quantity_raw(book.budget)
            order.blocked = True
        return quantity

    cdef int64_t affordable(self, VenueOrder order, int64_t quantity, int64_t price) except? -1:
        """The largest quantity, on the step, that the account can pay for; fees included."""
        cdef Instrument instrument = order.instrument
        cdef int128 missing, one = i128_notional(price, 1, instrument.factor)
        cdef int64_t less
        cdef int i
        for i in range(64):
            missing = self.account.shortfall(
                order.index, order.side, quantity, price,
                self.fees.fee(instrument, order.side, quantity, price, TAKER, self.now, order.filled),
            )
            if missing <= 0:
                return quantity
            less = i128_to_i64(i128_muldiv(missing, 1, one, AWAY_FROM_ZERO))
            quantity = instrument.round_quantity_raw(quantity - less)
            if quantity <= 0:
                return 0
        return 0

    cdef int refuse(self, VenueOrder order, int64_t quantity, int64_t price, int128 fee,
                    int128 missing) except -1:
        """Reject what cannot be afforded, with the numbers."""
        cdef Instrument instrument = order.instrument
        cdef int128 notional = i128_notional(price, quantity, instrument.factor)
        return self.finish(
            order, EV_REJECTED if order.filled == 0 else EV_CANCELED,
            f"insufficient_buying_power: {'buying' if order.side > 0 else 'selling'} "
            f"{instrument.quantity_float(quantity):g} {instrument.id} at "
            f"{decimal_from_scaled(price, 9)} is {money(notional)} {instrument.currency} plus "
            f"{money(fee)} fees, {money(missing)} more than the account can cover",
        )

    cdef int after_fill(self, VenueBook book, VenueOrder order, int64_t quantity) except -1:
        """Let contingencies follow: wake children, shrink or cancel the sibling."""
        cdef VenueOrder child, sibling = order.sibling
        order.fresh = False
        for child in (order.take_profit, order.stop_loss):
            if child is not None and child.held and not child.done:
                self.say(child, EV_ACCEPTED, None)
                self.activate(child, book.last_price)
        if order.filled == order.units or (order.parent is not None and order.leaves() == 0
                                           and order.parent.done):
            self.finish(order, EV_FILL, None)
        if sibling is not None and not sibling.done:
            if order.done:
                self.finish(sibling, EV_CANCELED, "oco: the other order of the pair has filled")
            else:
                sibling.units -= quantity
                self.say_terms(sibling)
        return 0

    # -- ends ----------------------------------------------------------------------------------

    cdef int finish(self, VenueOrder order, int kind, str reason) except -1:
        """End an order; what it held or was paired with ends or shrinks with it."""
        cdef VenueOrder child
        if order.done:
            return 0
        order.done = True
        self.live.pop(order.number, None)
        if kind != EV_FILL:
            self.say(order, kind, reason)
            if order.sibling is not None and not order.sibling.done:
                self.finish(order.sibling, EV_CANCELED, "oco: the other order of the pair has ended")
        self.settle_children(order)
        if not order.held:
            (<VenueBook>self.books[order.index]).compact()
            self.watch(order.index)
        return 0

    cdef int settle_children(self, VenueOrder order) except -1:
        """Children of an order that ended keep what it filled, or go with it."""
        cdef VenueOrder child
        for child in (order.take_profit, order.stop_loss):
            if child is None or child.done:
                continue
            if order.filled == 0:
                self.finish(child, EV_CANCELED, "parent: the entry ended without a fill")
            elif order.filled < child.units:
                child.units = order.filled
                self.say_terms(child)
        return 0

    cdef int expire(self, int64_t ts) except -1:
        """End what is due at `ts`; closing orders execute at the last price instead."""
        cdef VenueOrder order
        cdef VenueBook book
        self.now = ts
        for order in list(self.live.values()):
            if order.done or order.expires > ts:
                continue
            book = self.books[order.index]
            if order.tif == CLS and not order.held and book.last_ts > order.issued:
                self.meet_close(book, order, ts)
            if not order.done:
                self.finish(order, EV_EXPIRED, "time_in_force: it has ended")
        return self.find_next_expiry()

    def meet_close(self, VenueBook book, VenueOrder order, int64_t ts):
        """Execute a closing order at the session's last price."""
        cdef int64_t price = book.last_price
        if order.type == LIMIT and (
                price > order.limit_price if order.side > 0 else price < order.limit_price):
            return
        book.budget = INT64_MAX
        self.execute(book, order, price, ts, TAKER, 0)

    cdef int find_next_expiry(self) except -1:
        cdef VenueOrder order
        self.next_expiry = INT64_MAX
        for order in self.live.values():
            if order.expires < self.next_expiry:
                self.next_expiry = order.expires
        return 0

    # -- speaking ------------------------------------------------------------------------------

    cdef Event* emit(self, VenueOrder order, int kind, int64_t ts) except NULL:
        """Return a record to fill in; it is learned of at `ts`, which may be after now."""
        cdef Event* event
        if ts > self.now:
            event = self.delayed.push()
            if self.next_delayed > ts:
                self.next_delayed = ts
        else:
            event = self.out.push()
        event.kind = kind
        event.order = order.number
        event.instrument = order.index
        event.ts_event = ts
        event.ts_init = ts
        return event

    cdef int say(self, VenueOrder order, int kind, str reason) except -1:
        cdef Event* event = self.emit(
            order, kind, order.arrival if order.arrival > self.now else self.now
        )
        event.cumulative = order.filled
        if reason is not None:
            event.reason = self.texts.number(reason)
        return 0

    cdef int say_terms(self, VenueOrder order) except -1:
        """Announce the terms in force."""
        cdef Event* event = self.emit(
            order, EV_MODIFIED, order.arrival if order.arrival > self.now else self.now
        )
        event.quantity = order.units
        event.price = order.limit_price
        event.cumulative = order.stop_price
        return 0

    cdef int release_delayed(self, int64_t ts) except -1:
        """Hand out what is learned of by `ts`."""
        cdef Event event
        cdef Event* head
        self.now = ts
        while self.delayed.count and self.delayed.items[self.delayed.head].ts_event <= ts:
            self.delayed.pop(&event)
            head = self.out.push()
            head[0] = event
        self.next_delayed = (
            self.delayed.items[self.delayed.head].ts_event if self.delayed.count else INT64_MAX
        )
        return 0

    # -- corporate actions ---------------------------------------------------------------------

    cdef int corporate_action(self, Event* event) except -1:
        """Apply a split or dividend to the broker's account and to resting orders."""
        cdef VenueBook book = self.books[event.instrument]
        cdef VenueOrder order
        cdef Py_ssize_t index = event.instrument
        cdef int64_t units = self.account.holdings[index].units, mark = self.account.holdings[index].mark
        cdef int64_t whole, stub
        self.now = event.ts_event
        if event.kind != EV_SPLIT:
            self.account.pay(
                self.account.holdings[index].currency,
                i128_notional(event.price, units, book.instrument.factor),
            )
            return 0
        mark = scaled(mark, event.price, event.quantity)
        book.last_price = scaled(book.last_price, event.price, event.quantity)
        stub = 0
        for owner in list(book.units):
            whole = book.units[owner]
            units = i128_to_i64(i128_muldiv(whole, event.quantity, event.price, TOWARD_ZERO))
            stub += units - book.instrument.round_quantity_raw(units)
            book.units[owner] = book.instrument.round_quantity_raw(units)
        self.account.set_units(index, sum(book.units.values()), mark)
        self.account.pay(
            self.account.holdings[index].currency,
            i128_notional(mark, stub, book.instrument.factor),
        )
        for order in list(self.live.values()):
            if order.index == event.instrument:
                self.split_order(order, event.quantity, event.price)
        return 0

    def split_order(self, VenueOrder order, int64_t numerator, int64_t denominator):
        """Re-state an open order in new units; a quantity below one step ends it."""
        cdef int64_t filled = scaled(order.filled, numerator, denominator)
        if order.filled:
            # What is filled stays on record in old units: the rest is canceled, as brokers do.
            self.finish(order, EV_CANCELED, "split: the order was partly filled before it")
            return
        order.units = order.instrument.round_quantity_raw(
            scaled(order.units, numerator, denominator) + filled
        )
        for name in ("limit_price", "stop_price", "trail_amount", "best"):
            self.split_price(order, name, numerator, denominator)
        if order.units == 0 and order.notional == 0:
            self.finish(order, EV_CANCELED, "split: nothing of the quantity is left")
        else:
            self.say_terms(order)

    def split_price(self, VenueOrder order, str name, int64_t numerator, int64_t denominator):
        """Re-state one price of an order, on the tick, never better than before."""
        if name == "limit_price" and order.limit_price != no_price():
            order.limit_price = order.instrument.round_price_raw(
                scaled(order.limit_price, denominator, numerator), order.side
            )
        elif name == "stop_price" and order.stop_price != no_price():
            order.stop_price = order.instrument.round_price_raw(
                scaled(order.stop_price, denominator, numerator), -order.side
            )
        elif name == "trail_amount" and order.trail_amount != no_price():
            order.trail_amount = scaled(order.trail_amount, denominator, numerator)
        elif name == "best" and order.best:
            order.best = scaled(order.best, denominator, numerator)


cdef int64_t scaled(int64_t value, int64_t numerator, int64_t denominator) except? -1:
    return i128_to_i64(i128_muldiv(value, numerator, denominator, HALF_EVEN))

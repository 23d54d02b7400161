"""The simulated venue: takes orders, executes them, keeps the broker's account."""
cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN

from pyrt.backtest.families cimport NEXT_BAR, REST_OF_BAR
from pyrt.backtest.latency cimport (
    CANCELLATION, CHANGE, SUBMISSION, ConstantLatency, LatencyModel,
)
from pyrt.backtest.means cimport Means
from pyrt.backtest.queue cimport Exact, QueueModel
from pyrt.core.book cimport OrderBook
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    CLS, DAY, EV_ACCEPTED, EV_CANCELED, EV_EXPIRED, EV_MODIFY_REJECTED, EV_REJECTED, FOK, GTD, IOC,
    LIMIT, MARKET, OPG, TAKER, TRAILING_STOP_LIMIT,
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


cdef class Matcher:
    """Meets orders with a market that stands: what a venue calls at their arrival."""

    cdef int arrive(self, VenueBook book, VenueOrder order) except -1:
        raise TypeError(f"{type(self).__name__} does not define arrive()")


@cython.final
cdef class SimVenue(VenueFills):
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
        From sending a command to its effect, where that is always the same.
    latency : LatencyModel
        In place of `latency_ns`.
    queue : QueueModel
        The place of a resting order at its price; see `pyrt.backtest.queue`.
    consumes : bool
        Whether what our fills took from a level stays taken until it shows another size.
    children : {"rest_of_bar", "next_bar"}
        Whether children of a limit or stop entry meet the rest of the bar it fills in, or begin
        with the next; see `ChildRule`.
    """

    def __init__(self, Account account, FeeModel fees, Slippage slippage, *, Texts texts=None,
                 fill="next_open", path="adverse_first", bint touch_fills=False,
                 double participation=0.0, int64_t latency_ns=0, children="rest_of_bar",
                 LatencyModel latency=None, QueueModel queue=None, bint consumes=True):
        if not 0.0 <= participation <= 1.0:
            raise ConfigError(f"participation is {participation!r}; expected a share, 0 to 1")
        if latency_ns < 0:
            raise ConfigError(f"latency is {latency_ns} ns; expected >= 0")
        self.account = account
        fees.begin()
        self.fees = fees
        self.means = Means(account, fees)
        self.slippage = slippage
        self.texts = Texts() if texts is None else texts
        self.timing = named("fill", fill, TIMINGS)
        self.path = named("path", path, PATHS)
        self.child_rule = named("children", children, CHILD_RULES)
        self.touch_fills = touch_fills
        self.participation = participation
        self.set_latency(ConstantLatency(latency_ns) if latency is None else latency)
        self.queue = Exact() if queue is None else queue
        self.consumes = consumes
        self.out = EventQueue()
        self.delayed = EventQueue()
        self.pending = []
        self.books = []
        self.live = {}
        self.waiting = {}
        self.next_expiry = INT64_MAX
        self.next_delayed = INT64_MAX
        self.opens_over = INT64_MIN

    def add_instrument(self, Instrument instrument, sessions=None):
        """Open a book; `sessions` are (opens, closes) in ns UTC, or None for UTC days."""
        if instrument.index != len(self.books):
            raise ConfigError(f"instrument {instrument.id} is not the next one of the run")
        self.books.append(VenueBook(instrument, sessions))
        self.account.add_instrument(instrument)

    def follow(self, int32_t index, str source, *, bint prints=False, bint standing=False,
               bint by_order=False):
        """Say what decides the fills of an instrument.

        Parameters
        ----------
        index : int
        source : {"bars", "trades", "quotes", "book"}
        prints : bool
            Whether trades take part beside quotes or a book.
        standing : bool
            Whether an order meets the market as it stands when it arrives, or with its next event.
        by_order : bool
            Whether the book shows single orders.
        """
        cdef VenueBook book = self.books[index]
        book.quoted = source == "quotes"
        book.by_order = by_order
        book.prints = prints
        book.standing = standing and source in ("quotes", "book")
        if book.quoted:
            book.depth = OrderBook(
                book.instrument.symbol, "L1", size_decimals=book.instrument.decimals
            )
        elif source == "book":
            book.depth = OrderBook(book.instrument.symbol, "L3" if by_order else "L2")

    def expect_auctions(self, int32_t index):
        """Let orders for the opening and the close wait for auctions."""
        (<VenueBook>self.books[index]).has_auctions = True

    def limit_shorts(self, int32_t index, quantity):
        """Let no more than `quantity` of an instrument be sold short."""
        cdef VenueBook book = self.books[index]
        book.available = book.instrument.quantity_raw(quantity)

    cdef int mark_unread(self, VenueBook book) except -1:
        """Mark what is held at a price that nobody has needed until now, if there is one."""
        cdef Py_ssize_t index = book.instrument.index
        if self.account.holdings[index].units == 0 or (
                book.unread_close == 0.0 and book.unread_bid == 0.0):
            return 0
        book.read_close()
        return self.account.set_mark(index, book.mark)

    cdef int64_t share(self, int64_t units) noexcept:
        """What of displayed or traded units may be ours."""
        if self.participation > 0.0 and units < INT64_MAX:
            return <int64_t>(<double>units * self.participation)
        return units

    cdef bint keeps_bars(self) noexcept:
        """Whether a bar that nobody waits for matters later: its range and volume at its close."""
        return self.timing == SAME_CLOSE

    # -- intake --------------------------------------------------------------------------------

    cdef int accept(self, VenueOrder order) except -1:
        """Take an order that arrives; its children are held until it fills."""
        cdef VenueBook book = self.books[order.index]
        book.read_close()
        order.issued = self.now
        order.arrival = order.effective = self.arrival_of(SUBMISSION, order.index)
        order.ordered = order.type
        if self.opens_over >= self.now:
            order.misses = self.now
        order.expires = book.end_of(order)
        self.enroll(order)
        if order.expires <= order.arrival:
            return self.finish(order, EV_REJECTED, (
                "expired: it has ended before it arrives" if order.tif == GTD
                else "no_session: the calendar has no session left"
            ))
        if order.post_only and order.arrival <= self.now and self.would_take(book, order):
            return self.finish(order, EV_REJECTED, "post_only: it would take liquidity")
        if book.halted and (order.tif == IOC or order.tif == FOK):
            return self.finish(order, EV_REJECTED, f"halted: {book.halt_reason}")
        if self.means.reserves:
            reason = self.means.admit(order, book.last_price)
            if reason is not None:
                return self.finish(order, EV_REJECTED, reason)
        self.say(order, EV_ACCEPTED, None)
        self.hold(order)
        self.activate(order, book.last_price)
        if (self.timing == SAME_CLOSE and order.type == MARKET and book.last_ts == self.now
                and order.tif != OPG and order.tif != CLS):
            self.fill_at_close(book, order)
        if book.standing and not order.done:
            self.reach(book, order)
        if not order.done and order.expires < self.next_expiry:
            self.next_expiry = order.expires
        return 0

    cdef int refuse(self, VenueOrder order, str reason) except -1:
        """Turn away an order that arrives, and the exits it carries, for a rule's reason."""
        cdef VenueOrder each
        cdef int64_t arrival = self.arrival_of(SUBMISSION, order.index)
        for each in (order, order.take_profit, order.stop_loss):
            if each is not None:
                each.done = True
                each.effective = arrival
                self.say(each, EV_REJECTED, reason)
        return 0

    cdef int reach(self, VenueBook book, VenueOrder order) except -1:
        """Let an order meet the market as it stands, when it arrives."""
        if order.arrival <= self.now:
            return self.matcher.arrive(book, order)
        self.pending.append((order.arrival, self.now, order.number, ()))
        if order.arrival < self.next_delayed:
            self.next_delayed = order.arrival
        return 0

    cdef bint would_take(self, VenueBook book, VenueOrder order) except -1:
        """Whether a limit order would meet the other side of the market at once."""
        if book.depth is not None:
            book.catch_up()
            if order.side > 0:
                return order.limit_price >= book.best_ask()
            return order.limit_price <= book.best_bid()
        if book.last_price <= 0:
            return False
        if order.side > 0:
            return book.last_price < order.limit_price
        return book.last_price > order.limit_price

    cdef int turn_to_limit(self, VenueOrder order, int64_t price) except -1:
        """Give a market-to-limit order the price it meets as its limit."""
        order.type = LIMIT
        order.limit_price = price
        return self.say_terms(order)

    cdef int set_status(self, int32_t index, bint halted, str reason) except -1:
        """Stop or resume trading in an instrument; orders stay, and can be sent and canceled."""
        cdef VenueBook book = self.books[index]
        book.halted = halted
        book.halt_reason = reason
        return 0

    cdef int set_bands(self, int32_t index, int64_t lower, int64_t upper) except -1:
        """Bar trading outside two prices; orders beyond them wait for bands that hold them."""
        cdef VenueBook book = self.books[index]
        book.lower_band = lower
        book.upper_band = upper
        return 0

    cdef int fill_at_close(self, VenueBook book, VenueOrder order) except -1:
        """A market order under `same_close`: it is filled at the close it was decided on."""
        cdef int64_t price = self.slippage.apply(
            order.instrument, order.side, book.last_price, order.leaves(), book.high - book.low,
            book.volume,
        )
        self.execute(book, order, price, order.arrival, TAKER, 0)
        if not order.done and (order.tif == IOC or order.tif == FOK):
            self.finish(order, EV_CANCELED, "time_in_force: no more could be filled at once")
        return 0

    # -- changes and cancels -------------------------------------------------------------------

    cdef int cancel_number(self, int32_t number) except -1:
        """Cancel an order and the children it holds, once the command has arrived."""
        return self.take_command(number, CANCELLATION, None)

    cdef int change(self, int32_t number, int64_t units, int64_t limit_price, int64_t stop_price,
                    int64_t trail) except -1:
        """Put new terms in force once they have arrived: total units, or 0, and prices."""
        return self.take_command(number, CHANGE, (units, limit_price, stop_price, trail))

    def refuse_change(self, int32_t number, str reason):
        """Turn a change away for a rule's reason, once it has arrived and if the order is there."""
        self.take_command(number, CHANGE, (reason,))

    cdef int take_command(self, int32_t number, int kind, tuple terms) except -1:
        cdef VenueOrder order
        cdef int64_t arrival = self.now
        if not self.is_constant or self.latency_ns:
            order = self.live.get(number)
            if order is None:
                return 0
            arrival = self.arrival_of(kind, order.index)
        if arrival <= self.now and not self.pending:
            order = self.live.get(number)
            if self.carry_out(order, terms):
                renew(order, self.now, self.now)
            return 0
        self.pending.append((arrival, self.now, number, terms))
        if arrival < self.next_delayed:
            self.next_delayed = arrival
        return 0

    cdef int carry_out(self, VenueOrder order, tuple terms) except -1:
        """Return whether an order has new terms now; one that is done has said so already."""
        if order is None:
            return 0
        if terms is None:
            self.finish(order, EV_CANCELED, None)
            return 0
        if not terms:
            self.matcher.arrive(self.books[order.index], order)
            return 0
        if len(terms) == 1:
            self.say(order, EV_MODIFY_REJECTED, terms[0])
            return 0
        return self.alter(order, terms[0], terms[1], terms[2], terms[3])

    cdef int alter(self, VenueOrder order, int64_t units, int64_t limit_price, int64_t stop_price,
                   int64_t trail) except -1:
        """Change the terms of an order; return whether it asks for more, or at other prices.

        One that asks for less at its price keeps its place in the queue; a new price, or more,
        goes behind all others.
        """
        cdef VenueOrder child
        cdef VenueBook book
        cdef bint keeps = units <= order.units and (
            limit_price == no_price() or limit_price == order.limit_price)
        cdef bint triggers_anew = trail not in (
            no_price(), order.trail_amount, order.trail_percent
        ) or stop_price not in (no_price(), order.stop_price)
        if 0 < units <= order.filled:
            self.say(order, EV_MODIFY_REJECTED, "quantity: not above what is filled")
            return 0
        if units > 0:
            order.units = units
        if stop_price != no_price():
            order.stop_price = stop_price
        if trail != no_price():
            if order.trail_amount != no_price():
                order.trail_amount = trail
            else:
                order.trail_percent = trail
            if order.best:
                order.stop_price = order.trail_stop(order.best)
                if order.type == TRAILING_STOP_LIMIT:
                    order.limit_price = order.stop_price + order.limit_offset
        if limit_price != no_price():
            order.limit_price = limit_price
            order.limit_offset = limit_price - order.stop_price if order.best else 0
        if self.means.reserves:
            self.means.follow(order, (<VenueBook>self.books[order.index]).last_price)
        self.say_terms(order)
        for child in (order.take_profit, order.stop_loss):
            if units > 0 and child is not None and not child.done:
                # Exits cover what the entry may become, less what the pair has left already.
                child.units = units - (0 if child.sibling is None else child.sibling.filled)
                self.say_terms(child)
        if keeps:
            return triggers_anew
        order.fresh = True
        order.queued = False
        book = self.books[order.index]
        if not order.held and len(book.orders) > 1:
            book.orders.remove(order)
            book.orders.append(order)
        if book.standing and not order.held:
            self.matcher.arrive(book, order)
        return 1

    cdef int hasten(self, VenueBook book, int64_t ts_open, int64_t length) except -1:
        """Carry out what was sent before a bar began and arrives inside it.

        A latency shorter than the bar moves the stamp of what it brings about, not the bar.
        """
        cdef VenueOrder order
        cdef list later
        if not self.pending or (self.is_constant and self.latency_ns >= length):
            return 0
        later = []
        for command in self.pending:
            arrival, issued, number, terms = command
            order = self.live.get(number)
            if (terms == () or order is None or order.index != book.instrument.index
                    or issued > ts_open or arrival - issued >= length):
                later.append(command)
                continue
            order.effective = max(order.effective, <int64_t>arrival)
            self.carry_out(order, terms)
        self.pending = later
        return 0

    # -- ends ----------------------------------------------------------------------------------

    cdef int expire(self, int64_t ts) except -1:
        """End what is due at `ts`; closing orders execute at the last price instead."""
        cdef VenueOrder order
        cdef VenueBook book
        self.now = ts
        for order in list(self.live.values()):
            if order.done or order.expires > ts:
                continue
            book = self.books[order.index]
            if self.comes_after_all(book, order):
                self.carry(book, order, ts)
                continue
            if (order.tif == CLS and not order.held and not book.has_auctions
                    and book.last_ts > order.issued):
                self.meet_last_price(book, order, ts)
            if not order.done:
                self.finish(order, EV_EXPIRED, "time_in_force: it has ended")
        return self.find_next_expiry()

    cdef bint comes_after_all(self, VenueBook book, VenueOrder order) except -1:
        """Whether a market order came inside the last bar of its session: that had no open left."""
        return (
            order.ordered == MARKET and order.tif == DAY and self.timing == NEXT_OPEN
            and book.bar_close >= order.expires and order.issued < order.expires
            and (book.opened < order.issued or book.opened == order.misses)
        )

    cdef int carry(self, VenueBook book, VenueOrder order, int64_t ts) except -1:
        """Let an order last until the end of the session after `ts`, its exits with it."""
        cdef VenueOrder each
        book.find_session(ts)
        for each in (order, order.take_profit, order.stop_loss):
            if each is not None:
                each.expires = book.session_close
        return 0

    def meet_last_price(self, VenueBook book, VenueOrder order, int64_t ts):
        """Execute a closing order whose session ends without a bar that ends with it."""
        book.read_close()
        if order.type == MARKET or (
                order.type == LIMIT and crosses(order, book.last_price, self.touch_fills)):
            book.budget = INT64_MAX
            self.execute(book, order, book.last_price, ts, TAKER, 0)

    cdef int find_next_expiry(self) except -1:
        cdef VenueOrder order
        self.next_expiry = INT64_MAX
        for order in self.live.values():
            if order.expires < self.next_expiry:
                self.next_expiry = order.expires
        return 0

    # -- speaking ------------------------------------------------------------------------------

    cdef int64_t last_delayed(self) except? -1:
        """When the last of what is under way now is due; INT64_MIN where nothing is."""
        cdef EventQueue queue = self.delayed
        cdef int64_t last = INT64_MIN
        cdef Py_ssize_t i
        for i in range(queue.count):
            last = max(last, queue.items[(queue.head + i) & (queue.capacity - 1)].ts_init)
        for command in self.pending:
            last = max(last, <int64_t>command[0])
        return last

    cdef int release_delayed(self, int64_t ts) except -1:
        """Hand out what is learned of by `ts`, and carry out what has arrived by then."""
        cdef VenueOrder order
        cdef Event event
        cdef Event* head
        self.now = ts
        while self.delayed.count and self.delayed.items[self.delayed.head].ts_init <= ts:
            self.delayed.pop(&event)
            head = self.out.push()
            head[0] = event
        while self.pending and self.pending[0][0] <= ts:
            _, issued, number, terms = self.pending.pop(0)
            order = self.live.get(number)
            if self.carry_out(order, terms):
                renew(order, issued, ts)
        self.next_delayed = INT64_MAX
        if self.delayed.count:
            self.next_delayed = self.delayed.items[self.delayed.head].ts_init
        if self.pending:
            self.next_delayed = min(self.next_delayed, <int64_t>self.pending[0][0])
        return 0


cdef void renew(VenueOrder order, int64_t issued, int64_t arrival) noexcept:
    """Let an order with new terms be as new as they are: they are not for prices of before.

    One that was still under way itself when they were sent counts from their arrival.
    """
    order.issued = issued if order.arrival <= issued else arrival
    order.arrival = arrival


cdef bint crosses(VenueOrder order, int64_t price, bint touch_fills) noexcept:
    """Whether a market at `price` fills a limit: beyond it, or at it where touching fills."""
    if price == order.limit_price:
        return touch_fills
    return price < order.limit_price if order.side > 0 else price > order.limit_price

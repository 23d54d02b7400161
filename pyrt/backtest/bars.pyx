"""Matching on bars: a bar is two moments, its open and the path to its close.

At the open, orders that wait fill at the open price: a gap through a stop or limit fills there.
Between open and close the price is taken to have walked open → one extreme → the other → close;
which extreme comes first is the named path. Stops and limits met on the way fill at their own
price, in the order in which the path meets them.
"""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.backtest.venue cimport (
    ADVERSE_FIRST, NEAREST_FIRST, NEXT_CLOSE, OPEN_HIGH_LOW_CLOSE, OPEN_LOW_HIGH_CLOSE, crosses,
)
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    CLS, EV_CANCELED, EV_TRIGGERED, FOK, IOC, LIMIT, LIMIT_IF_TOUCHED, MAKER, MARKET,
    MARKET_IF_TOUCHED, MARKET_TO_LIMIT, OPG, STOP, STOP_LIMIT, TAKER,
)


cdef inline bint waits_for_trigger(VenueOrder order) noexcept:
    return order.type == STOP or order.type == STOP_LIMIT or order.trails()


cdef inline bint waits_for_touch(VenueOrder order) noexcept:
    return order.type == MARKET_IF_TOUCHED or order.type == LIMIT_IF_TOUCHED


cdef list in_order_of_arrival(list books):
    """The working orders of some books, as they came."""
    cdef VenueBook book
    cdef VenueOrder order
    cdef list ranked
    if len(books) == 1 and len((<VenueBook>books[0]).orders) < 2:
        return list((<VenueBook>books[0]).orders)
    ranked = []
    for book in books:
        for order in book.orders:
            ranked.append((order.turn, order))
    if len(ranked) > 1:
        ranked.sort()
    return [pair[1] for pair in ranked]


@cython.final
cdef class BarMatcher:
    """Walks each bar for the orders that wait in its instrument.

    A limit order fills only if its price is crossed, not when it is merely touched, unless the
    venue says `touch_fills`.
    """

    def __init__(self, SimVenue venue):
        self.venue = venue

    # -- the two moments -----------------------------------------------------------------------

    cdef int take_bar(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                      const double* prices) except -1:
        """Read the bar's prices into the book; volume already taken at its open stays taken."""
        book.open_price = nano_from_double(prices[0])
        book.high = nano_from_double(prices[1])
        book.low = nano_from_double(prices[2])
        book.close = nano_from_double(prices[3])
        book.volume = prices[4]
        if book.opened != ts_open or ts_open != book.bar:
            book.budget = INT64_MAX
            if self.venue.participation > 0.0:
                book.budget = book.instrument.volume_units(prices[4] * self.venue.participation)
        book.bar = ts_open
        book.bar_close = ts_close
        return 0

    cdef int turn_to(self, VenueBook book, int64_t ts) except -1:
        """Make the moment `ts` of the book's bar the one being matched."""
        self.ts_open = book.bar
        self.ts_close = book.bar_close
        self.ts = self.venue.now = ts
        return 0

    cdef int open(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                  const double* prices) except -1:
        """The open of a bar: whoever waits in the instrument meets its open price."""
        cdef VenueOrder order
        self.begin_open(book, ts_open, ts_close, prices)
        for order in in_order_of_arrival([book]):
            self.meet_open(book, order)
        return self.end_open(book)

    cdef int begin_open(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                        const double* prices) except -1:
        """Read the bar and carry out what arrives with it."""
        cdef VenueOrder order
        self.take_bar(book, ts_open, ts_close, prices)
        self.turn_to(book, ts_open)
        book.opened = ts_open
        self.venue.hasten(book, ts_open, ts_close - ts_open)
        for order in book.orders:
            order.blocked = False
        return 0

    cdef int end_open(self, VenueBook book) except -1:
        """Let the open be the last price, and trailing triggers follow it."""
        self.turn_to(book, book.bar)
        self.note_price(book, book.open_price, book.bar)
        return self.let_trail(book, book.open_price)

    cdef int close(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                   const double* prices) except -1:
        """The path from open to close, then the close itself."""
        cdef VenueOrder order
        self.take_bar(book, ts_open, ts_close, prices)
        self.turn_to(book, ts_close)
        owners = set()
        for order in book.orders:
            order.blocked = False
            owners.add(order.owner)
        for owner in sorted(owners):
            self.walk(book, owner)
        self.meet_close(book)
        return self.note_price(book, book.close, ts_close)

    cdef int note_price(self, VenueBook book, int64_t price, int64_t ts) except -1:
        book.last_price = book.mark = price
        book.unread_close = 0.0
        book.last_ts = ts
        return self.venue.account.set_mark(book.instrument.index, price)

    cdef bint takes_part(self, VenueBook book, VenueOrder order) except -1:
        """Whether an order was there before this bar began, and may trade in its session."""
        cdef int64_t since = order.issued
        # Latency shorter than the bar moves the stamp of a fill, not the bar that fills.
        if order.arrival - order.issued >= self.ts_close - self.ts_open:
            since = order.arrival
        return since <= self.ts_open != order.skips and not book.halted and (
            order.extended_hours or book.has_session(self.ts_open, self.ts_close)
        )

    cdef int let_trail(self, VenueBook book, int64_t price) except -1:
        """Let trailing triggers follow the price of this moment."""
        cdef VenueOrder order
        for order in book.orders:
            if order.trails() and self.takes_part(book, order) and order.follow(price):
                self.venue.say_terms(order)
        return 0

    # -- the open ------------------------------------------------------------------------------

    cdef int meet_open(self, VenueBook book, VenueOrder order) except -1:
        """Fill or trigger one order at the open price; what must trade at once then ends."""
        cdef int64_t price = book.open_price
        cdef bint opening = order.tif == OPG
        self.turn_to(book, book.bar)
        if order.done or order.misses == self.ts_open or not self.takes_part(book, order):
            return 0
        if order.tif == CLS or (opening and self.ts_close <= order.not_before):
            return 0
        if order.type == MARKET and self.venue.timing == NEXT_CLOSE and not opening:
            return 0
        if order.waits():
            if order.type == MARKET:
                self.take(book, order, price)
            elif order.type == MARKET_TO_LIMIT:
                self.venue.turn_to_limit(order, price)
                self.venue.execute(book, order, price, self.stamp(order), TAKER, 0)
            elif order.type == LIMIT:
                if crosses(order, price, self.venue.touch_fills):
                    # What would take is refused at its arrival: a post-only order was there first.
                    self.venue.execute(
                        book, order, price, self.stamp(order), MAKER if order.post_only else TAKER,
                        0,
                    )
            elif self.reaches(order, price):
                self.meet(book, order, price)
        order.fresh = False
        if opening or order.tif == IOC or order.tif == FOK:
            self.venue.finish(order, EV_CANCELED, "time_in_force: no more could be filled at once")
        return 0

    cdef bint reaches(self, VenueOrder order, int64_t price) noexcept:
        """Whether a market at `price` triggers a stop or an if-touched order."""
        if order.stop_price == no_price():
            return False
        if waits_for_trigger(order) == (order.side > 0):
            return price >= order.stop_price
        return price <= order.stop_price

    cdef int64_t stamp(self, VenueOrder order) noexcept:
        return order.effective if order.effective > self.ts else self.ts

    cdef int64_t span(self) noexcept:
        """Start of the bar a fill on its path lies in; 0 for one at its open."""
        return self.ts_open if self.ts != self.ts_open else 0

    cdef int take(self, VenueBook book, VenueOrder order, int64_t price) except -1:
        """Take liquidity at `price`, worsened by slippage."""
        price = self.venue.worsened(order, price, book.high - book.low, book.volume)
        return self.venue.execute(book, order, price, self.stamp(order), TAKER, self.span())

    # -- the path ------------------------------------------------------------------------------

    cdef int walk(self, VenueBook book, int32_t owner) except -1:
        """Open → one extreme → the other → close, for one owner's orders."""
        cdef int64_t at = book.open_price, end
        cdef bint high_left = True, low_left = True, up
        self.note_doubt(book, owner)
        while high_left or low_left:
            up = self.high_first(book, owner) if high_left and low_left else high_left
            end = book.high if up else book.low
            at = self.segment(book, owner, at, end, high_left and low_left)
            if at == end and up:
                high_left = False
            elif at == end:
                low_left = False
        self.segment(book, owner, at, book.close, False)
        return 0

    cdef bint high_first(self, VenueBook book, int32_t owner) except -1:
        """Which extreme the named path visits first."""
        cdef int64_t held
        cdef VenueOrder order
        if self.venue.path == OPEN_HIGH_LOW_CLOSE:
            return True
        if self.venue.path == OPEN_LOW_HIGH_CLOSE:
            return False
        if self.venue.path == NEAREST_FIRST:
            return book.high - book.open_price <= book.open_price - book.low
        held = book.held_by(owner)
        if held != 0:
            return held < 0
        # Flat: against a buy that enters, first up (it fills late or high), then down (its stop).
        for order in book.orders:
            if order.owner == owner and order.waits() and self.takes_part(book, order):
                return order.side > 0
        return True

    cdef int64_t segment(self, VenueBook book, int32_t owner, int64_t start, int64_t end,
                         bint may_turn) except? -1:
        """Move the price from `start` to `end`, meeting orders in the order the price does.

        Returns the price reached: `end`, or an earlier one where a fill has changed which extreme
        is the adverse one and the other is still to come (`may_turn`).
        """
        cdef VenueOrder order
        cdef int64_t at = start, held
        cdef bint up = end >= start
        while True:
            order = self.nearest(book, owner, at, end)
            if order is None:
                break
            at = self.trigger(order, at, end)
            self.note_price(book, at, self.ts)
            held = book.held_by(owner)
            self.meet(book, order, at)
            if book.held_by(owner) == held:
                continue
            self.note_doubt_after(book, owner, at, up)
            if (may_turn and at != end and self.venue.path == ADVERSE_FIRST
                    and self.high_first(book, owner) != up):
                end = at
                break
        self.note_price(book, end, self.ts)
        for order in book.orders:
            if order.owner == owner:
                order.fresh = False
                if order.trails() and self.takes_part(book, order) and order.follow(end):
                    self.venue.say_terms(order)
        return end

    cdef VenueOrder nearest(self, VenueBook book, int32_t owner, int64_t start, int64_t end):
        """The order a price from `start` to `end` meets first; of equals the first that came."""
        cdef VenueOrder order, found = None
        cdef int64_t price, best = 0
        for order in book.orders:
            if order.owner != owner or not order.waits() or not self.takes_part(book, order):
                continue
            price = self.trigger(order, start, end)
            if price == no_price():
                continue
            if found is None or (price < best if end >= start else price > best) or (
                    price == best and order.turn < found.turn):
                found = order
                best = price
        return found

    cdef int64_t trigger(self, VenueOrder order, int64_t start, int64_t end) except? -1:
        """Where between `start` and `end` the price meets the order; no_price() if nowhere."""
        cdef bint touch, falling
        cdef int64_t target
        if order.type == MARKET or order.tif == CLS or order.tif == OPG:
            return no_price()
        if order.type == LIMIT:
            target = order.limit_price
            touch = self.venue.touch_fills
        else:
            target = order.stop_price
            touch = True
            if target == no_price():
                return target
        # Sell stops and what buys low wait for a fall, the others for a rise.
        falling = waits_for_trigger(order) == (order.side < 0)
        if (start < target if falling else start > target) or (
                start == target and (order.fresh or order.type != LIMIT)):
            return start
        if (end < target if falling else end > target) or (end == target and touch):
            return target
        return no_price()

    cdef int meet(self, VenueBook book, VenueOrder order, int64_t price) except -1:
        """The market is at `price`, where the order is triggered or fills."""
        if order.type == LIMIT:
            if order.fresh and not order.post_only:
                self.take(book, order, price)
            else:
                self.venue.execute(book, order, price, self.stamp(order), MAKER, self.span())
            # Nothing left to take in this bar, or it would be met again at once.
            order.blocked = True
            return 0
        self.venue.turn(order)
        self.venue.say(order, EV_TRIGGERED, None)
        if order.type == MARKET:
            return self.take(book, order, price)
        # Its limit is met at this price, or rests; on a path `segment` looks again.
        order.fresh = True
        if self.ts == self.ts_open and (
                price <= order.limit_price if order.side > 0 else price >= order.limit_price):
            return self.take(book, order, price)
        return 0

    # -- doubt ---------------------------------------------------------------------------------

    cdef int note_doubt(self, VenueBook book, int32_t owner) except -1:
        """Count the bar if it holds both a stop and a limit of one side: their order is a guess."""
        cdef bint[3] stops = [False, False, False]
        cdef bint[3] limits = [False, False, False]
        cdef VenueOrder order
        self.doubted = False
        for order in book.orders:
            if order.owner != owner or not order.waits() or not self.takes_part(book, order):
                continue
            if waits_for_trigger(order) and book.low <= order.stop_price <= book.high:
                stops[order.side + 1] = True
            elif order.type == LIMIT and book.low <= order.limit_price <= book.high:
                limits[order.side + 1] = True
        if (stops[0] and limits[0]) or (stops[2] and limits[2]):
            self.doubted = True
            self.venue.ambiguous_bars += 1
        return 0

    cdef int note_doubt_after(self, VenueBook book, int32_t owner, int64_t at, bint up) except -1:
        """Count the bar if an exit woken at `at` lies where the price may have been before."""
        cdef int64_t price, held = book.held_by(owner)
        cdef VenueOrder order
        for order in book.orders:
            if (self.doubted or order.owner != owner or order.woken != self.ts or not order.waits()
                    or not self.takes_part(book, order) or held * order.side >= 0):
                continue
            price = order.limit_price if order.type == LIMIT else order.stop_price
            if book.low <= price < at if up else at < price <= book.high:
                self.doubted = True
                self.venue.ambiguous_bars += 1
        return 0

    # -- the close -----------------------------------------------------------------------------

    cdef int meet_close(self, VenueBook book) except -1:
        """Market orders under next_close, and closing orders whose session ends here."""
        cdef VenueOrder order
        for order in in_order_of_arrival([book]):
            if not order.waits() or not self.takes_part(book, order):
                continue
            if order.tif == CLS:
                if self.ts >= order.expires and (
                        order.type == MARKET
                        or (order.type == LIMIT
                            and crosses(order, book.close, self.venue.touch_fills))):
                    self.take(book, order, book.close)
            elif order.type == MARKET and order.tif != OPG and self.venue.timing == NEXT_CLOSE:
                self.take(book, order, book.close)
                if order.tif == IOC or order.tif == FOK:
                    self.venue.finish(
                        order, EV_CANCELED, "time_in_force: no more could be filled at once"
                    )
        return 0

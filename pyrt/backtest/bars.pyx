"""Matching on bars: a bar is two moments, its open and the path to its close.

At the open, orders that wait fill at the open price: a gap through a stop or limit fills there.
Between open and close the price is taken to have walked open → one extreme → the other → close;
which extreme comes first is the named path. Stops and limits met on the way fill at their own
price, in the order in which the path meets them.
"""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.backtest.venue cimport (
    NEAREST_FIRST, NEXT_CLOSE, OPEN_HIGH_LOW_CLOSE, OPEN_LOW_HIGH_CLOSE,
)
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    CLS, EV_CANCELED, EV_TRIGGERED, FOK, IOC, LIMIT, LIMIT_IF_TOUCHED, MAKER, MARKET,
    MARKET_IF_TOUCHED, OPG, STOP, STOP_LIMIT, TAKER, TRAILING_STOP, TRAILING_STOP_LIMIT,
)


cdef inline bint waits_for_trigger(VenueOrder order) noexcept:
    return order.type == STOP or order.type == STOP_LIMIT or order.trails()


cdef inline bint waits_for_touch(VenueOrder order) noexcept:
    return order.type == MARKET_IF_TOUCHED or order.type == LIMIT_IF_TOUCHED


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
        """Read the bar's prices into the book; the open price is then what is known."""
        book.open_price = nano_from_double(prices[0])
        book.high = nano_from_double(prices[1])
        book.low = nano_from_double(prices[2])
        book.close = nano_from_double(prices[3])
        book.budget = INT64_MAX
        if self.venue.participation > 0.0:
            book.budget = book.instrument.volume_units(prices[4] * self.venue.participation)
        self.ts_open = ts_open
        return 0

    cdef int open(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                  const double* prices) except -1:
        """The open of a bar: whoever waits in the instrument meets its open price."""
        cdef VenueOrder order
        self.take_bar(book, ts_open, ts_close, prices)
        self.ts = ts_open
        self.venue.now = ts_open
        book.opened = ts_open
        for order in list(book.orders):
            order.blocked = False
            if not order.done and self.takes_part(book, order, ts_close):
                self.meet_open(book, order)
        self.note_price(book, book.open_price, ts_open)
        for order in book.orders:
            if order.trails() and self.takes_part(book, order, ts_close):
                order.follow(book.open_price)
        return 0

    cdef int close(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                   const double* prices) except -1:
        """The path from open to close, then the close itself."""
        cdef int64_t budget = book.budget
        cdef VenueOrder order
        if book.orders:
            self.take_bar(book, ts_open, ts_close, prices)
            if book.opened == ts_open:
                book.budget = budget
            self.ts = ts_close
            self.venue.now = ts_close
            owners = []
            for order in book.orders:
                order.blocked = False
                if order.owner not in owners:
                    owners.append(order.owner)
            for owner in sorted(owners):
                self.walk(book, owner)
            self.meet_close(book)
            self.note_price(book, book.close, ts_close)
            return 0
        self.venue.now = ts_close
        return self.pass_by(book, ts_close, prices[3])

    cdef int note_price(self, VenueBook book, int64_t price, int64_t ts) except -1:
        book.last_price = price
        book.unread_close = 0.0
        book.last_ts = ts
        return self.venue.account.set_mark(book.instrument.index, price)

    cdef bint takes_part(self, VenueBook book, VenueOrder order, int64_t ts_close) except -1:
        """Whether an order was there before this bar began, and may trade in its session."""
        cdef int64_t since = order.issued
        # Latency shorter than the bar moves the stamp of a fill, not the bar that fills.
        if order.arrival - order.issued >= ts_close - self.ts_open:
            since = order.arrival
        return since <= self.ts_open and (
            order.extended_hours or book.in_session(self.ts_open)
        )

    # -- the open ------------------------------------------------------------------------------

    cdef int meet_open(self, VenueBook book, VenueOrder order) except -1:
        cdef int64_t price = book.open_price
        cdef int side = order.side
        if order.tif == CLS:
            return 0
        if order.tif == OPG:
            if self.ts_open < order.not_before:
                return 0
        elif order.type == MARKET and self.venue.timing == NEXT_CLOSE:
            return 0
        if order.type == MARKET:
            self.take(book, order, price)
        elif order.type == LIMIT:
            if self.crosses(order, price):
                self.venue.execute(book, order, price, self.stamp(order), TAKER, 0)
        elif waits_for_trigger(order):
            if order.stop_price != no_price() and (
                    price >= order.stop_price if side > 0 else price <= order.stop_price):
                self.meet(book, order, price)
        elif waits_for_touch(order) and (
                price <= order.stop_price if side > 0 else price >= order.stop_price):
            self.meet(book, order, price)
        order.fresh = False
        if not order.done and order.tif in (IOC, FOK, OPG):
            self.venue.finish(order, EV_CANCELED, "time_in_force: no more could be filled at once")
        return 0

    cdef bint crosses(self, VenueOrder order, int64_t price) noexcept:
        """Whether a market at `price` fills a limit: beyond it, or at it where touching fills."""
        if price == order.limit_price:
            return self.venue.touch_fills
        return price < order.limit_price if order.side > 0 else price > order.limit_price

    cdef int64_t stamp(self, VenueOrder order) noexcept:
        return order.arrival if order.arrival > self.ts else self.ts

    cdef int take(self, VenueBook book, VenueOrder order, int64_t price) except -1:
        """Take liquidity at `price`, worsened by slippage."""
        price = self.venue.slippage.apply(
            order.instrument, order.side, price, order.leaves(), book.high - book.low
        )
        self.venue.execute(
            book, order, price, self.stamp(order), TAKER,
            self.ts_open if self.ts != self.ts_open else 0,
        )
        return 0

    # -- the path ------------------------------------------------------------------------------

    cdef int walk(self, VenueBook book, int32_t owner) except -1:
        """Open → first extreme → second extreme → close, for one owner's orders."""
        cdef bint up = self.high_first(book, owner)
        cdef int64_t first = book.high if up else book.low
        cdef int64_t second = book.low if up else book.high
        self.count_ambiguous(book, owner)
        self.segment(book, owner, book.open_price, first)
        self.segment(book, owner, first, second)
        self.segment(book, owner, second, book.close)
        return 0

    cdef bint high_first(self, VenueBook book, int32_t owner) except -1:
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
        # Flat: against a buy that enters, first up (its limit fills late), then down (its stop).
        for order in book.orders:
            if order.owner == owner:
                return order.side > 0
        return True

    cdef int count_ambiguous(self, VenueBook book, int32_t owner) except -1:
        """Count the bar if it holds both a stop and a limit of one side: their order is a guess."""
        cdef bint[3] stops = [False, False, False]
        cdef bint[3] limits = [False, False, False]
        cdef VenueOrder order
        for order in book.orders:
            if order.owner != owner:
                continue
            if waits_for_trigger(order) and book.low <= order.stop_price <= book.high:
                stops[order.side + 1] = True
            elif order.type == LIMIT and book.low <= order.limit_price <= book.high:
                limits[order.side + 1] = True
        if (stops[0] and limits[0]) or (stops[2] and limits[2]):
            self.venue.ambiguous_bars += 1
        return 0

    cdef int segment(self, VenueBook book, int32_t owner, int64_t start, int64_t end) except -1:
        """Move the price from `start` to `end`, meeting orders in the order the price does."""
        cdef VenueOrder order, nearest
        cdef int64_t price, best, at = start
        while True:
            nearest = None
            best = 0
            for order in book.orders:
                if order.owner != owner or order.done or order.blocked or order.held:
                    continue
                if not self.takes_part(book, order, self.ts):
                    continue
                price = self.trigger(order, at, end)
                if price == no_price():
                    continue
                if nearest is None or (price < best if end >= at else price > best):
                    nearest = order
                    best = price
            if nearest is None:
                break
            at = best
            self.note_price(book, at, self.ts)
            self.meet(book, nearest, at)
        self.note_price(book, end, self.ts)
        for order in book.orders:
            order.fresh = False
            if order.owner == owner and order.trails() and self.takes_part(book, order, self.ts):
                order.follow(end)
        return 0

    cdef int64_t trigger(self, VenueOrder order, int64_t start, int64_t end) except? -1:
        """Where between `start` and `end` the price meets the order; no_price() if nowhere."""
        cdef int64_t target
        cdef int type = order.type
        if type == MARKET or order.tif == CLS or order.tif == OPG:
            return no_price()
        if waits_for_trigger(order):
            target = order.stop_price
            if target == no_price():
                return target
            if order.side > 0:
                return start if start >= target else target if end >= target else no_price()
            return start if start <= target else target if end <= target else no_price()
        target = order.stop_price if waits_for_touch(order) else order.limit_price
        if order.side > 0:
            if start < target or (start == target and (order.fresh or waits_for_touch(order))):
                return start
            if end < target or (end == target and (self.venue.touch_fills or waits_for_touch(order))):
                return target
            return no_price()
        if start > target or (start == target and (order.fresh or waits_for_touch(order))):
            return start
        if end > target or (end == target and (self.venue.touch_fills or waits_for_touch(order))):
            return target
        return no_price()

    cdef int meet(self, VenueBook book, VenueOrder order, int64_t price) except -1:
        """The market is at `price`, where the order is triggered or fills."""
        if order.type == LIMIT:
            self.venue.execute(
                book, order, price, self.stamp(order), TAKER if order.fresh else MAKER,
                self.ts_open if self.ts != self.ts_open else 0,
            )
            # Nothing left to take in this bar, or it would be met again at once.
            order.blocked = order.blocked or not order.done
            return 0
        if order.type in (STOP, TRAILING_STOP, MARKET_IF_TOUCHED):
            order.type = MARKET
            self.venue.say(order, EV_TRIGGERED, None)
            return self.take(book, order, price)
        order.type = LIMIT
        order.fresh = True
        self.venue.say(order, EV_TRIGGERED, None)
        if self.ts == self.ts_open and (
                price <= order.limit_price if order.side > 0 else price >= order.limit_price):
            self.venue.execute(book, order, price, self.stamp(order), TAKER, 0)
        return 0

    # -- the close -----------------------------------------------------------------------------

    cdef int meet_close(self, VenueBook book) except -1:
        """Market orders under next_close, and closing orders whose session ends here."""
        cdef VenueOrder order
        for order in list(book.orders):
            if order.done or not self.takes_part(book, order, self.ts):
                continue
            if order.tif == CLS:
                if self.ts >= order.expires and (order.type == MARKET
                                                 or self.crosses(order, book.close)):
                    self.take(book, order, book.close)
            elif order.type == MARKET and order.tif != OPG and self.venue.timing == NEXT_CLOSE:
                self.take(book, order, book.close)
                if not order.done and order.tif in (IOC, FOK):
                    self.venue.finish(
                        order, EV_CANCELED, "time_in_force: no more could be filled at once"
                    )
        return 0

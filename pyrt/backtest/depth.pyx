"""Matching with a market that shows its depth: quotes, books of levels, books of orders.

An order that takes liquidity walks the levels of the other side, each up to the size it shows. An
order that rests is met at its own price when the other side comes to it, when a print goes
through it, and when a print at its price is larger than what stands ahead of it; how that
shrinks is the queue model's. A crossed market is not met.
"""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.backtest.book cimport by_priority
from pyrt.backtest.places cimport follow_levels, join, leave, steps_over
from pyrt.backtest.queue cimport QueueModel
from pyrt.core.book_feed cimport SNAPSHOT
from pyrt.core.book_side cimport Level
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    EV_CANCELED, EV_REJECTED, EV_TRIGGERED, FOK, IOC, LIMIT, LIMIT_IF_TOUCHED, MAKER, MARKET,
    MARKET_IF_TOUCHED, MARKET_TO_LIMIT, OPG, STOP, TAKER,
)

from pyrt.data.columns import BOOK_ACTIONS as _NAMES

cdef int ADD = _NAMES.index("add")
cdef int CANCEL = _NAMES.index("cancel")
cdef int MODIFY = _NAMES.index("modify")
cdef int TRADE = _NAMES.index("trade")
cdef int FILL = _NAMES.index("fill")
cdef int REDUCE = _NAMES.index("reduce")
cdef int DELETE = _NAMES.index("delete")
cdef int HIDDEN_FILL = _NAMES.index("hidden_fill")

AT_ONCE = "time_in_force: no more could be filled at once"


@cython.final
cdef class DepthMatcher(Matcher):
    """Meets orders with quotes, with batches of book events and with prints.

    Parameters
    ----------
    venue : SimVenue
    """

    def __init__(self, SimVenue venue):
        self.venue = venue

    # -- what comes ----------------------------------------------------------------------------

    cdef int meet_quote(self, VenueBook book, Event* event, int64_t now) except -1:
        cdef bint bid = event.values[0] > 0.0, ask = event.values[2] > 0.0
        cdef Py_ssize_t index = book.instrument.index
        self.venue.now = now
        if bid and ask:
            book.note_quote(event)
        else:
            # The last price, and the mark, are those of the last quote with both sides.
            self.venue.mark_unread(book)
            book.read_close()
            book.bid_price = nano_from_double(event.values[0]) if bid else 0
            book.ask_price = nano_from_double(event.values[2]) if ask else 0
            book.note_sizes(event)
        if not book.watched and self.venue.account.holdings[index].units == 0:
            return 0
        if bid and ask:
            book.read_close()
            self.venue.account.set_mark(index, book.mark)
        if not book.watched:
            return 0
        book.catch_up()
        if book.prints:
            follow_levels(self.venue.queue, book)
        return self.cross(book)

    cdef int meet_batch(self, VenueBook book, Cursor cursor, Event* event, int64_t now) except -1:
        """One batch of book events; nothing is applied while no order and no holding needs it."""
        self.venue.now = now
        if cursor.rows is not book.rows:
            book.take_rows(cursor.rows, cursor.actions)
            book.event_prices = cursor.columns[0]
            book.event_sizes = cursor.columns[1]
        book.last_ts = event.ts_event
        if not book.watched:
            book.known = event.price
            if self.venue.account.holdings[book.instrument.index].units != 0:
                book.catch_up()
                self.mark(book)
            return 0
        book.catch_up()
        if book.by_order:
            self.replay(book, event.quantity, event.price)
        else:
            book.known = event.price
            book.catch_up()
            follow_levels(self.venue.queue, book)
        self.mark(book)
        return self.cross(book)

    cdef int mark(self, VenueBook book) except -1:
        """Let the middle of the book be the last price, where it has one."""
        cdef int64_t bid = book.best_bid(), ask = book.best_ask()
        if bid == 0 or ask == INT64_MAX or bid > ask:
            return 0
        book.take_touch(bid, ask)
        return self.venue.account.set_mark(book.instrument.index, book.mark)

    cdef int meet_print(self, VenueBook book, Event* event, int64_t now) except -1:
        """Let a print fill what rests on the side that it took from."""
        cdef int64_t price = nano_from_double(event.values[0]), units, budget, before
        cdef int64_t at = 0, ours = 0  # what waits of ours at the print's price, and which
        cdef int aggressor = <int>event.quantity
        cdef VenueOrder order
        cdef QueueModel queue = self.venue.queue
        self.venue.now = now
        book.last_ts = event.ts_event
        if not book.watched:
            return 0
        book.catch_up()
        self.look(book)
        if aggressor == 0 and price >= self.ask:
            aggressor = 1
        elif aggressor == 0 and price <= self.bid:
            aggressor = -1
        budget = self.venue.share(book.instrument.volume_units(event.values[1]))
        for order in by_priority(book.orders):
            # A print that was there before the order was sent does not meet it.
            if (order.type != LIMIT or order.fresh or order.side == aggressor
                    or order.issued >= now or not book.may_trade(order, self.venue.now)):
                continue
            if price < order.limit_price if order.side > 0 else price > order.limit_price:
                units = order.leaves()
            elif price != order.limit_price:
                continue
            elif self.venue.touch_fills:
                units = order.leaves()
            elif not order.queued or order.ahead_ids is not None:
                # Its place is not known, or the book's own events tell more exactly.
                continue
            else:
                order.ahead = queue.trade(order.ahead, event.values[1])
                order.traded += event.values[1]
                units = steps_over(order)
                before = ours if price == at else 0
                if before > 0 and order.ahead < 0.0:
                    # What is left over goes to those of ours that stand before it first.
                    order.ahead = 0.0
                    units -= before
                ours = before + order.leaves()
                at = price
            self.fill_from(book, order, units, &budget)
        return 0

    cdef int fill_from(self, VenueBook book, VenueOrder order, int64_t units,
                       int64_t* budget) except -1:
        """Fill a resting order with a part of what traded."""
        cdef int64_t before = order.filled
        if units <= 0 or budget[0] <= 0:
            return 0
        book.budget = min(units, budget[0])
        if order.display and order.shown < book.budget:
            book.budget = order.shown
        self.venue.execute(book, order, order.limit_price, self.venue.now, MAKER, 0)
        budget[0] -= order.filled - before
        book.budget = INT64_MAX
        order.blocked = False
        if order.filled == before:
            return 0
        if order.ahead < 0.0:
            order.ahead = 0.0
        if order.display and not order.done:
            order.shown -= order.filled - before
            if order.shown <= 0:
                # The next part of an iceberg goes behind all others.
                return join(self.venue.queue, book, order)
        return 0

    # -- orders that arrive --------------------------------------------------------------------

    cdef int arrive(self, VenueBook book, VenueOrder order) except -1:
        if order.done or order.held or not order.fresh:
            return 0
        book.catch_up()
        if not self.look(book):
            return 0
        return self.meet(book, order)

    cdef bint look(self, VenueBook book) except -1:
        """Read the touch; whether the market can be met."""
        self.bid = book.best_bid()
        self.ask = book.best_ask()
        if self.bid > self.ask:
            return False
        return self.bid > 0 or self.ask < INT64_MAX

    cdef int cross(self, VenueBook book) except -1:
        """Let all that waits meet the market as it is now."""
        cdef VenueOrder order
        if not self.look(book):
            return 0
        for order in by_priority(book.orders):
            self.meet(book, order)
        return 0

    cdef int meet(self, VenueBook book, VenueOrder order) except -1:
        """Meet one order with a two-sided market."""
        cdef bint fresh
        if not book.may_trade(order, self.venue.now):
            return 0
        self.trigger(order)
        fresh = order.fresh or order.type == MARKET
        if order.type == MARKET_TO_LIMIT and self.facing(book, order).count:
            self.venue.turn_to_limit(order, self.ask if order.side > 0 else self.bid)
        if order.type == MARKET:
            self.take(book, order)
        elif order.type == LIMIT and self.marketable(order):
            if not order.fresh:
                self.give(book, order)
            elif order.post_only:
                # What has filled in part is refused by ending it.
                return self.venue.finish(
                    order, EV_CANCELED if order.filled else EV_REJECTED,
                    "post_only: it would take liquidity",
                )
            else:
                self.take(book, order)
        if order.done or not fresh:
            return 0
        order.fresh = False
        if order.tif in (IOC, FOK, OPG):
            return self.venue.finish(order, EV_CANCELED, AT_ONCE)
        if order.type == LIMIT:
            return join(self.venue.queue, book, order)
        return 0

    cdef bint marketable(self, VenueOrder order) noexcept:
        if order.side > 0:
            return self.ask <= order.limit_price
        return 0 < self.bid and self.bid >= order.limit_price

    cdef int trigger(self, VenueOrder order) except -1:
        """Let triggers follow and fire: buys look at the ask, sells at the bid."""
        cdef int64_t price = self.ask if order.side > 0 else self.bid
        cdef bint hit
        if order.type in (LIMIT, MARKET, MARKET_TO_LIMIT) or price == 0 or price == INT64_MAX:
            return 0
        if order.type in (MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED):
            hit = price <= order.stop_price if order.side > 0 else price >= order.stop_price
        else:
            hit = order.stop_price != no_price() and (
                price >= order.stop_price if order.side > 0 else price <= order.stop_price
            )
            if not hit and order.trails() and order.follow(price):
                self.venue.say_terms(order)
        if not hit:
            return 0
        self.venue.turn(order)
        order.fresh = True
        return self.venue.say(order, EV_TRIGGERED, None)

    # -- liquidity -----------------------------------------------------------------------------

    cdef BookSide facing(self, VenueBook book, VenueOrder order):
        return book.depth.ask_side if order.side > 0 else book.depth.bid_side

    cdef int take(self, VenueBook book, VenueOrder order) except -1:
        """Walk the levels of the other side as far as the limit goes."""
        if order.tif == FOK:
            if self.reachable(book, order) < order.leaves():
                return 0
            order.assured = True
        return self.walk(book, order, no_price(), TAKER)

    cdef int give(self, VenueBook book, VenueOrder order) except -1:
        """The other side has come to a resting order: it fills at its own price."""
        return self.walk(book, order, order.limit_price, MAKER)

    cdef int walk(self, VenueBook book, VenueOrder order, int64_t price, int liquidity) except -1:
        """Fill from the levels within the limit, at `price`, or at each level's where none is."""
        cdef BookSide side = self.facing(book, order)
        cdef Level level
        cdef bint more = side.best(&level)
        cdef int64_t before, at, first = level.size if more else 0
        while more and not order.done:
            if order.type == LIMIT and (
                    level.price > order.limit_price if order.side > 0
                    else level.price < order.limit_price):
                break
            if book.bars(level.price):
                break
            book.budget = self.venue.share(
                book.offered(side, level.price, level.size) if self.venue.consumes
                else book.to_units(level.size)
            )
            before = order.filled
            if book.budget > 0:
                at = level.price if price == no_price() else price
                if order.type == MARKET or (order.ordered == STOP and liquidity == TAKER):
                    at = self.venue.worsened(
                        order, at, self.ask - self.bid,
                        0.0 if first == INT64_MAX else book.to_quantity(first),
                    )
                    at = max(book.lower_band, min(at, book.upper_band))
                self.venue.execute(book, order, at, self.venue.now, liquidity, 0)
                if self.venue.consumes and order.filled > before and level.size < INT64_MAX:
                    book.note_taken(side, level.price, level.size, order.filled - before)
                order.blocked = False
                if order.leaves() <= 0 and order.units:
                    break
            more = side.next(&level)
        book.budget = INT64_MAX
        if order.display and not order.done:
            order.shown = min(order.display, order.leaves())
        return 0

    cdef int64_t reachable(self, VenueBook book, VenueOrder order) except? -1:
        """Units that an order would find within its limit."""
        cdef BookSide side = self.facing(book, order)
        cdef Level level
        cdef bint more = side.best(&level)
        cdef int64_t found = 0, units
        while more and found < order.leaves():
            if order.type == LIMIT and (
                    level.price > order.limit_price if order.side > 0
                    else level.price < order.limit_price):
                break
            if book.bars(level.price):
                break
            units = self.venue.share(
                book.offered(side, level.price, level.size) if self.venue.consumes
                else book.to_units(level.size)
            )
            units = order.instrument.round_quantity_raw(units) if units < INT64_MAX else units
            found = INT64_MAX if units > INT64_MAX - found else found + units
            more = side.next(&level)
        return found

    # -- queues of orders ----------------------------------------------------------------------

    cdef int replay(self, VenueBook book, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Apply a batch of order events one by one, following who leaves and who executes."""
        cdef Py_ssize_t i
        cdef VenueOrder order
        cdef bint snapshot = False
        for i in range(start, stop):
            if book.rows.marks[i] & <int>SNAPSHOT:
                snapshot = True
            else:
                self.follow_event(book, i)
            book.known = i + 1
            book.catch_up()
        if snapshot:
            for order in book.orders:
                if order.queued:
                    # Ids of before mean nothing now: it joins again, behind all.
                    join(self.venue.queue, book, order)
        return 0

    cdef int follow_event(self, VenueBook book, Py_ssize_t i) except -1:
        """What one event means for our places, before it is applied."""
        cdef int action = book.actions[i]
        cdef int64_t order_id = book.rows.order_ids[i], size = book.rows.sizes[i]
        cdef int index = book.depth.orders.find(order_id)
        cdef VenueOrder order
        if action == ADD or action == TRADE:
            return 0
        if action == FILL or action == HIDDEN_FILL:
            self.executed(book, i, order_id)
            if book.rows.dialect == "mbo":
                # The cancel that follows takes it out of the book, and out of our way.
                return 0
        if action == MODIFY:
            if index >= 0 and (book.depth.orders.orders[index].price == book.rows.prices[i]
                               and size <= book.depth.orders.orders[index].size):
                size = book.depth.orders.orders[index].size - size
            else:
                size = INT64_MAX
        elif action == DELETE:
            size = INT64_MAX
        elif action != CANCEL and action != REDUCE and action != FILL:
            return 0
        for order in book.orders:
            if order.ahead_ids is not None:
                if index < 0 and (book.rows.prices[i] != order.limit_price
                                  or book.rows.sides[i] != order.side):
                    continue
                leave(book, order, order_id, book.rows.sizes[i] if index < 0 else size)
        return 0

    cdef int executed(self, VenueBook book, Py_ssize_t i, int64_t order_id) except -1:
        """An execution against a resting order: ours that stand before it would have had it."""
        cdef int64_t price = nano_from_double(book.event_prices[i]), budget
        cdef int index = book.depth.orders.find(order_id)
        cdef int side = book.rows.sides[i]
        cdef VenueOrder order
        if index >= 0:
            side = book.depth.orders.orders[index].side
        budget = self.venue.share(book.instrument.volume_units(book.event_sizes[i]))
        for order in by_priority(book.orders):
            if (order.type != LIMIT or order.fresh or order.side != side
                    or order.issued >= self.venue.now or not book.may_trade(order, self.venue.now)):
                continue
            if price == order.limit_price:
                # What is hidden trades after all that is shown: it says nothing at our price.
                if (order.ahead_ids is None or order_id in order.ahead_ids
                        or book.actions[i] == HIDDEN_FILL or (order.ahead > 0.0 and index < 0)):
                    continue
            elif not (price < order.limit_price if side > 0 else price > order.limit_price):
                continue
            self.fill_from(book, order, order.leaves(), &budget)
        return 0

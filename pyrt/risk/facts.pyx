"""The facts of one order: its terms, the worst case it would make, and the market it meets."""
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from pyrt.core.int128 cimport (
    CEILING, FLOOR, i128_add, i128_high, i128_muldiv, i128_notional, i128_sub, i128_to_i64, int128,
)
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport Order, no_price, trailing_stop_price
from pyrt.core.records cimport OrderRow
from pyrt.core.types cimport EMULATED, LIMIT, MARKET
from pyrt.risk.checks cimport Caps, Case
from pyrt.risk.claims cimport Book, Claim, larger, magnitude, stands_alone
from pyrt.risk.readings cimport Readings
from pyrt.risk.watch cimport Watcher

cdef int64_t ONE = 1_000_000_000


cdef int64_t worst_price(int side, int64_t limit, int64_t stop, int64_t mark) noexcept:
    """Price to value an order at: what it can cost at most, or bring in at least the last price.

    A buy never pays more than its limit. A short at its limit or above is larger than at the
    last price; a triggered market order is taken to fill no better than trigger and last price.
    """
    if limit != no_price():
        return limit if side > 0 or limit > mark else mark
    if stop != no_price() and stop > mark:
        return stop
    return mark


cdef int64_t trigger_of(Order order, int64_t stop, int64_t trail, int64_t mark) except? -2:
    """Trigger price: of one that trails and is not told yet, what it would be at the last price.

    A change of its distance (`trail`, no_price() for none) counts at the further of the two.
    """
    cdef int64_t amount = order.trail_amount_raw, percent = order.trail_percent_raw, moved
    if (amount == no_price() and percent == no_price()) or mark <= 0:
        return stop
    if stop != no_price() and trail == no_price():
        return stop
    if trail != no_price():
        amount, percent = (
            (trail, no_price()) if amount != no_price() else (no_price(), trail)
        )
    moved = trailing_stop_price(order.instrument, order.side_sign, amount, percent, mark)
    return moved if stop == no_price() or order.side_sign * (moved - stop) > 0 else stop


cdef inline int128 bound_of(int64_t share, int128 equity, int128 observed) except? -2:
    """A share (in 1e-9) of equity as money; -1 where the limit is off.

    Where the upper halves show that `observed` is within, that itself is returned, which passes:
    the exact quotient costs more than all other checks together.
    """
    if share < 0:
        return -1
    if (<int128>i128_high(observed) + 1) * ONE <= <int128>share * i128_high(equity):
        return observed
    return i128_muldiv(larger(equity, 0), share, ONE, FLOOR)


cdef inline int64_t beyond(int64_t distance, int64_t reference, int64_t limit) except? -1:
    """A distance over its reference in 1e-9, rounded up; 0 if that is not over the limit."""
    if <int128>distance * ONE <= <int128>limit * reference:
        return 0
    return i128_to_i64(i128_muldiv(distance, ONE, reference, CEILING))


cdef class Facts(Watcher):
    """Finds what an order comes to, from limits, holdings and claims; keeps nothing of it."""

    # -- terms of an order ---------------------------------------------------------------------

    cdef Caps* caps_of(self, Order order) except NULL:
        cdef Book* book = self.book_of(order)
        if book.caps == 0:
            self.touch(order.instrument)
        return &self.caps.rows[book.caps - 1]

    cdef int touch(self, Instrument instrument) except -1:
        """Look up which limits and which sector an instrument belongs to."""
        cdef Book* book = self.claims.book(instrument.index)
        cdef int sector = self.claims.sector(instrument.sector)
        book.caps = self.caps.number(instrument)
        if sector != book.sector:
            self.claims.sectors[book.sector] = i128_sub(
                self.claims.sectors[book.sector], book.worst
            )
            self.claims.sectors[sector] = i128_add(self.claims.sectors[sector], book.worst)
            book.sector = sector
        return 0

    cdef int read_terms(self, Order order) except -1:
        """Value what the order may still do, and what of it is new to the worst case."""
        cdef Terms* terms = &self.terms
        cdef Book* book = self.book_of(order)
        cdef int64_t mark = order.position.mark
        cdef Claim own = self.claims.open.get(order.number) if terms.is_change else None
        cdef int64_t asked
        if self.jump >= 0 and book.reference:
            mark = book.reference
        if order.trail_amount_raw != no_price() or order.trail_percent_raw != no_price():
            terms.stop_price = trigger_of(order, terms.stop_price, terms.trail, mark)
        terms.price = worst_price(order.side_sign, terms.limit_price, terms.stop_price, mark)
        terms.leaves = terms.units - order.filled
        if own is not None and own.waiting:
            # What this change leaves alone may become what one before it asks for.
            terms.price = max(terms.price, own.dearest())
            terms.leaves = max(terms.leaves, own.asked - order.filled)
        if own is not None:
            asked = own.asked if terms.units == order.units else max(own.asked, terms.units)
            terms.leaves = min(terms.leaves, self.claims.group_room(own, asked))
        if order.notional_raw != 0 and terms.units == 0:
            terms.leaves = self.units_for(order, terms.price)
            terms.value = self.account.to_base(
                self.account.holdings[order.instrument.index].currency, order.notional_raw
            )
        elif terms.price > 0:
            terms.value = self.claims.value_of(order.instrument.index, terms.leaves, terms.price)
        else:
            terms.value = 0
        self.read_counted(order, own)
        terms.raises = self.can_raise(order, book, own)
        return 0

    cdef int read_counted(self, Order order, Claim own) except -1:
        """Find what will count for the order, and what of that does already.

        `own` is the claim of one that is changed. Beside other changes, or the other of a pair, the
        most counts at the dearest price; a quantity alone at the price it has counted at.
        """
        cdef Terms* terms = &self.terms
        cdef Claim known = own
        cdef Claim other = None
        cdef int128 value = terms.value
        if terms.is_change:
            if own is not None and not stands_alone(order):
                other = self.claims.open.get(order.sibling.number)
                if own.units == 0:
                    # It stands for both.
                    known = other
        elif (order.sibling is not None and order.sibling.side_sign == order.side_sign
                and (order.is_child
                     or (order.sibling.status_ != EMULATED and not order.keeps_exits))):
            # Of two exits that are kept here one leaves while the other waits for its end.
            known = other = self.claims.open.get(order.sibling.number)
        terms.sum_units = terms.leaves
        terms.sum_price = terms.price
        if own is not None and (own.waiting or other is not None or not terms.is_priced):
            terms.sum_units = max(terms.sum_units, self.claims.wanted(own))
            terms.sum_price = max(terms.sum_price, own.dearest())
        if other is not None:
            terms.sum_units = max(terms.sum_units, self.claims.wanted(other))
            terms.sum_price = max(terms.sum_price, other.dearest())
        if terms.sum_units != terms.leaves or terms.sum_price != terms.price:
            value = self.claims.value_of(
                order.instrument.index, terms.sum_units, terms.sum_price
            )
        terms.counted_units = 0
        terms.counted_value = 0
        if known is not None:
            terms.counted_units = known.units
            terms.counted_value = known.value
        terms.more_units = max(0, terms.sum_units - terms.counted_units)
        terms.more_value = larger(i128_sub(value, terms.counted_value), 0)
        return 0

    cdef int64_t units_for(self, Order order, int64_t price) except? -1:
        """Units that an order by notional may buy at a price, rounded up; 0 without one."""
        if price <= 0:
            return 0
        return i128_to_i64(i128_muldiv(
            order.notional_raw, 1, i128_notional(price, 1, order.instrument.factor), CEILING
        ))

    cdef bint can_raise(self, Order order, Book* book, Claim own) except -1:
        """Whether the order could make the position larger or turn it, all working ones filled.

        Exits whose cancel is under way leave room for what replaces them, as long as even both
        together cannot make the position larger than it is. `own` is the claim of an order that is
        changed. Beside other changes it counts at the most of them at their dearest price, which
        is more than they come to: that a change finds room in that does not make it smaller.
        """
        cdef bint is_alone = own is None or not own.waiting
        if self.terms.is_change and is_alone and (
                self.terms.more_units == 0 and self.terms.more_value == 0):
            return False
        return self.can_enter(order, book)

    cdef bint can_enter(self, Order order, Book* book) except -1:
        return self.terms.leaves <= 0 or self.lifts(order, book, self.terms.more_units)

    cdef bint lifts(self, Order order, Book* book, int64_t more) except -1:
        """Whether `more` units beside what works on an order's side could do that."""
        cdef int64_t held = self.account.holdings[order.instrument.index].units
        cdef int64_t own = -order.side_sign * order.position.units
        cdef int64_t size = held if held >= 0 else -held
        cdef int64_t leaving
        cdef int128 after
        if held == 0 or (held > 0) == (order.side_sign > 0):
            return True
        if order.side_sign > 0:
            after, leaving = book.buys, book.buys_leaving
        else:
            after, leaving = book.sells, book.sells_leaving
        after = after + more
        # A strategy may leave all that it holds, where another's holding makes the account's less.
        return after - leaving > max(size, own) or after - size > size

    cdef bint opens_own(self, Order order) except -1:
        """Whether the strategy's own position could get larger, or turn."""
        cdef int64_t own = -order.side_sign * order.position.units
        return not self.terms.is_change and self.terms.leaves > max(own, 0)

    cdef bint enters(self, Order order) except -1:
        """Whether an order, changed or new, could make a position larger.

        One that is changed counts in full already, so no limit is asked of it again; but nobody
        brings an entry nearer to the market while entries are barred.
        """
        return self.terms.raises or (
            self.terms.is_change and not self.shrinks(order)
            and self.can_enter(order, self.book_of(order))
        )

    cdef bint shrinks(self, Order order) noexcept:
        """Whether a change does nothing but make an order smaller: it brings nothing nearer."""
        return (
            0 < self.terms.units < order.units and self.terms.trail == no_price()
            and self.terms.limit_price == order.limit_price_raw
            and self.terms.stop_price == order.stop_price_raw
        )

    # -- facts of the case ---------------------------------------------------------------------

    cdef int fill_case(self, Order order, Caps* caps, int64_t now) except -1:
        cdef Case* case = &self.case
        cdef Book* book = self.book_of(order)
        cdef int64_t held = self.account.holdings[order.instrument.index].units
        cdef int64_t after
        case.units = max(self.terms.units, self.terms.leaves)
        case.value = self.terms.value
        if order.side_sign > 0:
            after = i128_to_i64(<int128>held + book.buys + self.terms.more_units)
        else:
            after = i128_to_i64(<int128>held - book.sells - self.terms.more_units)
        case.position_units = after if after >= 0 else -after
        case.goes_short = order.side_sign < 0 and after < 0
        case.shortable = order.instrument.shortable
        case.open_positions = self.claims.open_symbols + (not book.is_open)
        case.open_orders = len(self.claims.open)
        case.daily_orders = self.traffic.orders_today
        case.daily_units = self.terms.more_units
        if book.day == self.day:
            case.daily_units = i128_to_i64(<int128>case.daily_units + book.day_units)
        if self.terms.price <= 0 and order.notional_raw != 0 and self.terms.units == 0:
            # How many units a value buys is unknown without a price: more than any limit.
            case.units = case.position_units = case.daily_units = INT64_MAX
        case.daily_value = i128_add(self.traffic.value_today, self.terms.more_value)
        if not self.terms.is_change:
            case.daily_orders += 1
            case.open_orders += (
                1 + (order.take_profit is not None) + (order.stop_loss is not None)
            )
        if self.caps.needs_value:
            self.fill_portfolio(order, caps)
        if self.reads_portfolio:
            self.fill_readings(order, caps, now)
        return self.fill_market(order, caps, now)

    cdef int fill_readings(self, Order order, Caps* caps, int64_t now) except -1:
        """Portfolio risk as it was last computed, and how old that is."""
        cdef Case* case = &self.case
        cdef Readings readings = self.readings
        cdef int128 beta_value = readings.beta_part(
            order.instrument, self.book_of(order), self.terms.more_value
        )
        case.risk_age = INT64_MAX if readings.ts == INT64_MIN else now - readings.ts
        case.value_at_risk = readings.value_at_risk
        case.shortfall = readings.shortfall
        case.volatility = readings.volatility
        case.correlation = readings.correlation
        if order.side_sign > 0:
            case.beta_exposure = magnitude(i128_add(readings.beta_exposure, beta_value))
        else:
            case.beta_exposure = magnitude(i128_sub(readings.beta_exposure, beta_value))
        return 0

    cdef int fill_portfolio(self, Order order, Caps* caps) except -1:
        """Worst-case values, with this order in them."""
        cdef Case* case = &self.case
        cdef Terms* terms = &self.terms
        cdef Py_ssize_t index = order.instrument.index
        cdef Book* book
        cdef int128 longs, shorts, worst, more, net, equity
        self.claims.catch_up()
        self.claims.refresh(index)
        book = self.claims.book(index)
        longs = i128_add(book.held, book.buy_value)
        shorts = i128_sub(book.held, book.sell_value)
        if order.side_sign > 0:
            longs = i128_add(longs, terms.more_value)
            case.position_value = magnitude(longs)
        else:
            shorts = i128_sub(shorts, terms.more_value)
            case.position_value = magnitude(shorts)
        worst = larger(magnitude(longs), magnitude(shorts))
        more = i128_sub(worst, book.worst)
        case.gross = i128_add(i128_add(self.account.exposure_raw(), self.claims.extra), more)
        case.sector_value = i128_add(self.claims.sectors[book.sector], more)
        equity = self.account.equity_raw()
        case.concentration_bound = bound_of(caps.concentration, equity, case.position_value)
        case.sector_bound = bound_of(
            caps.sector_concentration, equity, case.sector_value
        )
        case.leverage_bound = bound_of(caps.leverage, equity, case.gross)
        if caps.net_exposure >= 0:
            net = i128_sub(equity, self.account.cash_raw())
            if order.side_sign > 0:
                net = i128_add(net, i128_add(self.claims.buy_value, terms.more_value))
            else:
                net = i128_sub(net, i128_add(self.claims.sell_value, terms.more_value))
            case.net = magnitude(net)
        if caps.buying_power:
            case.missing_cash = self.missing_power(order, book)
        return 0

    cdef int128 missing_power(self, Order order, Book* book) except? -1:
        """What buying power lacks for this order, beside all others that wait."""
        cdef Terms* terms = &self.terms
        cdef int side = order.side_sign
        cdef Py_ssize_t index = order.instrument.index
        cdef int64_t waiting = (book.buys if side > 0 else book.sells) - terms.counted_units
        cdef int64_t opposed = -side * self.account.holdings[index].units
        cdef int128 value, others = self.claims.power
        if terms.counted_units != 0:
            value = i128_sub(
                book.buy_value if side > 0 else book.sell_value, terms.counted_value
            )
            others = i128_add(
                i128_sub(others, book.buy_power if side > 0 else book.sell_power),
                self.claims.power_of(index, side, waiting, value),
            )
        # What is held is left by those that came before; this one has the rest of it.
        waiting = min(waiting, opposed) if opposed > 0 else 0
        return i128_add(others, self.account.to_base(
            self.account.holdings[index].currency,
            self.account.shortfall(
                index, side, i128_to_i64(<int128>terms.sum_units + waiting), terms.sum_price, 0
            ),
        ))

    cdef int fill_market(self, Order order, Caps* caps, int64_t now) except -1:
        """How fresh, how far and how dear: facts that need the market."""
        cdef Case* case = &self.case
        cdef Book* book = self.book_of(order)
        case.is_suspect = book.suspects > 0
        case.is_halted = len(self.halted) > 0 and order.instrument.index in self.halted
        case.is_limited = len(self.limited) > 0 and order.instrument.index in self.limited
        case.age_ns = 0
        if caps.stale_ns >= 0:
            case.age_ns = INT64_MAX if book.ts_reference == INT64_MIN else now - book.ts_reference
        case.is_closed = caps.open_session and not order.queue and not self.hours.is_open(
            order.instrument, now
        )
        case.collar_distance = 0
        if caps.collar >= 0 and self.terms.limit_price != no_price():
            case.collar_distance = self.collar_distance(order, caps.collar)
        case.slippage = 0
        if caps.slippage >= 0 and order.type == MARKET and self.terms.raises:
            case.slippage = self.slippage_of(order, caps.slippage)
        return 0

    cdef int64_t collar_distance(self, Order order, int64_t collar) except? -1:
        """Distance of the limit price from its reference in 1e-9; 0 within the collar.

        INT64_MAX without a reference.
        """
        cdef Book* book = self.book_of(order)
        cdef int64_t reference = order.position.mark
        cdef int64_t distance
        if self.terms.stop_price != no_price():
            reference = self.terms.stop_price
        elif self.jump >= 0 and book.reference:
            reference = book.reference
        if reference <= 0:
            return INT64_MAX if self.terms.raises else 0
        distance = order.side_sign * (self.terms.limit_price - reference)
        if distance < 0:
            # Too good to fill is a mistake for an entry, and what an exit waits for.
            distance = -distance if self.terms.raises else 0
        return beyond(distance, reference, collar)

    cdef int64_t slippage_of(self, Order order, int64_t limit) except? -1:
        """Expected cost against the middle in 1e-9; 0 within the limit.

        INT64_MAX where nothing is known, if the gate is strict; else 0.
        """
        cdef Book* book = self.book_of(order)
        cdef int64_t middle = order.position.mark
        cdef int64_t expected = 0
        if book.bid > 0:
            middle = book.bid + (book.ask - book.bid) // 2
            expected = book.ask if order.side_sign > 0 else book.bid
        if self.depth is not None:
            found = self.depth(order.symbol, order.side.name.lower(), order.quantity)
            if found is not None:
                expected = nano_from_double(found)
        if expected <= 0 or middle <= 0:
            return INT64_MAX if self.strict else 0
        return beyond(max(0, order.side_sign * (expected - middle)), middle, limit)

    cdef bint turned_into_limit(self, Order order, Caps* caps) except -1:
        """Send a market order that would cost too much as a limit order at what it may cost."""
        cdef Book* book = self.book_of(order)
        cdef int64_t middle, limit
        if self.terms.is_change or order.notional_raw != 0 or book.bid <= 0:
            return False
        if self.limits.slippage_action != "limit":
            return False
        middle = book.bid + (book.ask - book.bid) // 2
        limit = middle + order.side_sign * i128_to_i64(
            i128_muldiv(middle, caps.slippage, ONE, FLOOR)
        )
        self.make_limit(order, limit)
        return True

    cdef str protect_market(self, Order order, Caps* caps):
        """Let a market order leave as a limit order not far beyond the far side of the quote."""
        cdef Book* book = self.book_of(order)
        cdef int64_t far = order.position.mark
        if order.notional_raw != 0 or self.terms.is_change:
            return None
        if self.jump >= 0 and book.reference:
            far = book.reference
        if book.bid > 0:
            far = book.ask if order.side_sign > 0 else book.bid
        if far <= 0:
            return f"market_protection_bps: {order.symbol} has no price to protect the order by"
        self.make_limit(order, far + order.side_sign * i128_to_i64(
            i128_muldiv(far, caps.protection, ONE, FLOOR)
        ))
        self.read_terms(order)
        return None

    cdef int make_limit(self, Order order, int64_t price) except -1:
        """Turn a market order into a limit order, on the tick and not beyond `price`."""
        cdef int64_t least = max(order.instrument.tick, 1)
        order.limit_price_raw = max(
            least, order.instrument.round_price_raw(price, order.side_sign)
        )
        order.type = LIMIT
        self.terms.limit_price = order.limit_price_raw
        if not self.is_preview:
            (<OrderRow*>self.records.orders.at(order.number - 1)).type = LIMIT
        return 0

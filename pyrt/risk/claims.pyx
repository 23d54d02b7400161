"""Worst cases: what working orders could make of each position, summed up as events come in."""
cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset
from posix.stdlib cimport posix_memalign

from pyrt.core.int128 cimport (
    CEILING, i128_add, i128_muldiv, i128_notional, i128_sub, i128_to_double, i128_to_i64,
    i128_to_int,
)
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport EMULATED, EV_MODIFY_REJECTED, OPEN, is_final


cdef int128 opening_part(int128 value, int64_t units, int64_t held) except? -1:
    """The part of a value of `units` that is left once they have taken `held` back."""
    if held <= 0:
        return value
    return 0 if held >= units else i128_muldiv(value, units - held, units, CEILING)


cdef int64_t joint_total(Order order, int64_t units) noexcept:
    """Units that an order of so many and the other of its pair fill together.

    The other's fills have been taken off its quantity already.
    """
    return units if order.sibling is None else units + order.sibling.filled


cdef tuple terms_of(Order order):
    return (order.units, order.limit_price_raw, order.stop_price_raw)


cdef bint is_in_force(Order order, tuple asked) except -1:
    """Whether an order has the terms that a change asked for; prices that trail are not asked."""
    cdef int64_t units = asked[0], limit = asked[1], stop = asked[2]
    if units != 0 and units != order.units:
        return False
    if order.trail_amount_raw != no_price() or order.trail_percent_raw != no_price():
        return True
    if limit != no_price() and limit != order.limit_price_raw:
        return False
    return stop == no_price() or stop == order.stop_price_raw


@cython.final
@cython.freelist(64)
cdef class Claim:
    """What one approved order may still do."""


@cython.final
cdef class Claims:
    """Sums over approved orders and holdings, O(1) an event in symbols and in orders.

    The worst case of a symbol is the larger of |held + buys| and |held - sells|. Values are in
    base currency: what is held at the last price, an order at its own worst price. Of a
    one-cancels-other pair the larger member counts, unless the pair is emulated: then both.
    Exits held for an entry count up to what the entry has filled.

    Parameters
    ----------
    account : Account
        Whose holdings and rates count.
    """

    def __init__(self, Account account):
        self.account = account
        self.rules_seen = account.rules
        self.open = {}
        self.sector_numbers = {}
        self.sector("")

    def __dealloc__(self):
        free(self.books)
        free(self.sectors)

    # -- books ---------------------------------------------------------------------------------

    cdef int fetch_facts(self, Order order, Py_ssize_t index) except -1:
        """Ask for all memory that a verdict reads of one symbol, before any of it is waited for.

        Among thousands of symbols nothing of one is in the processor's cache, and a dozen misses
        at once take hardly longer than one. That is why the instrument's index is given: it would
        have to be waited for.
        """
        cdef char* place
        if index < self.n_books:
            place = <char*>&self.books[index]
            fetch(place)
            fetch(place + LINE)
            fetch(place + 2 * LINE)
            fetch(place + 3 * LINE)
        if index < self.account.n_holdings:
            fetch(&self.account.holdings[index].units)
        fetch(&order.units)
        fetch(&order.notional_raw)
        fetch(&order.reduce_only)
        fetch(&order.ts_init)
        fetch(&order.keeps_exits)
        fetch(<void*>order.instrument)
        fetch(&order.instrument.index)
        fetch(&order.instrument.factor)
        fetch(&order.position.strategy)
        fetch(&order.position.mark)
        return 0

    cdef int reserve(self, Py_ssize_t count) except -1:
        cdef Py_ssize_t i
        cdef void* room = NULL
        cdef Book* books
        if posix_memalign(&room, LINE, count * sizeof(Book)) != 0:
            raise MemoryError
        books = <Book*>room
        if self.n_books:
            memcpy(books, self.books, self.n_books * sizeof(Book))
        memset(&books[self.n_books], 0, (count - self.n_books) * sizeof(Book))
        for i in range(self.n_books, count):
            books[i].day = books[i].ts_reference = books[i].ts_like = INT64_MIN
            books[i].own_bid = books[i].own_ask = no_price()
        free(self.books)
        self.books = books
        self.n_books = count
        return 0

    cdef int sector(self, str name) except -1:
        """Return the number of a sector, a new one where needed."""
        cdef int128* sectors
        found = self.sector_numbers.get(name)
        if found is not None:
            return found
        sectors = <int128*>realloc(self.sectors, (self.n_sectors + 1) * sizeof(int128))
        if sectors == NULL:
            raise MemoryError
        self.sectors = sectors
        self.sectors[self.n_sectors] = 0
        self.sector_numbers[name] = self.n_sectors
        self.n_sectors += 1
        return <int>self.n_sectors - 1

    cdef int128 held_value(self, Py_ssize_t index) except? -1:
        """Signed value of what is held, at the last price, in base currency."""
        if index >= self.account.n_holdings:
            return 0
        return self.value_of(
            index, self.account.holdings[index].units, self.account.holdings[index].mark
        )

    cdef int128 value_of(self, Py_ssize_t index, int64_t units, int64_t price) except? -1:
        return self.account.to_base(
            self.account.holdings[index].currency,
            i128_notional(price, units, self.account.holdings[index].factor),
        )

    cdef int recount(self, Py_ssize_t index) except -1:
        """Bring the sums up to date after a change of holding, price or claims."""
        cdef Book* book = self.book(index)
        cdef int128 held = self.held_value(index)
        cdef int128 long_worst = i128_add(held, book.buy_value)
        cdef int128 short_worst = i128_sub(held, book.sell_value)
        cdef int128 worst = larger(magnitude(long_worst), magnitude(short_worst))
        cdef int128 more = i128_sub(worst, book.worst)
        cdef int128 extra = i128_sub(more, i128_sub(magnitude(held), magnitude(book.held)))
        cdef bint is_open = (
            book.buys != 0 or book.sells != 0
            or (index < self.account.n_holdings and self.account.holdings[index].units != 0)
        )
        extra = i128_add(self.extra, extra)
        self.sectors[book.sector] = i128_add(self.sectors[book.sector], more)
        self.extra = extra
        book.held = held
        book.worst = worst
        self.open_symbols += is_open - book.is_open
        book.is_open = is_open
        return self.count_power(index) if self.keeps_power else 0

    cdef int refresh(self, Py_ssize_t index) except -1:
        """Bring the sums up to date where the value of what is held has changed since."""
        return self.recount(index) if self.held_value(index) != self.book(index).held else 0

    cdef int count_power(self, Py_ssize_t index) except -1:
        """Keep what the waiting orders of a symbol take of the buying power, by side."""
        cdef Book* book = self.book(index)
        cdef int128 buys = self.power_of(index, 1, book.buys, book.buy_value)
        cdef int128 sells = self.power_of(index, -1, book.sells, book.sell_value)
        self.power = i128_add(self.power, i128_sub(buys, book.buy_power))
        book.buy_power = buys
        self.power = i128_add(self.power, i128_sub(sells, book.sell_power))
        book.sell_power = sells
        return 0

    cdef int128 power_of(self, Py_ssize_t index, int side, int64_t units,
                         int128 value) except? -1:
        """What waiting orders of a side take of the buying power: as far as they open."""
        cdef int64_t back = 0
        if index < self.account.n_holdings:
            back = max(0, -side * self.account.holdings[index].units)
        return self.account.power_of_waiting(
            index, side, units - back, opening_part(value, units, back)
        )

    # -- claims --------------------------------------------------------------------------------

    cdef Claim add(self, Order order, int64_t price, int64_t estimate, int64_t now):
        """Count an approved order; children of it are counted from the entry's first fill on."""
        cdef Claim claim = Claim.__new__(Claim)
        claim.order = order
        claim.price = price
        claim.estimate = estimate
        claim.total = joint_total(order, order.units)
        claim.resting = no_price()
        claim.ts_sent = now
        claim.waiting = claim.in_force = None
        self.open[order.number] = claim
        self.follow(order)
        return claim

    cdef int64_t group_room(self, Claim claim, int64_t asked) noexcept:
        """Units that an exit and its sibling may still fill together, its quantity up to `asked`.

        Exits of an entry fill what the entry has filled, a pair of exits its own quantity: the
        venue takes what one fills off the other, though it may tell so later.
        """
        cdef Order order = claim.order
        cdef int64_t room
        if claim.is_restated:
            return INT64_MAX
        if order.parent is None and (
                order.sibling is None or order.status_ == EMULATED or order.keeps_exits):
            # What one of a pair that we keep has filled is taken off the other's quantity.
            return INT64_MAX
        if order.parent is None:
            room = max(claim.total, joint_total(order, asked))
        else:
            room = order.parent.filled
        room -= order.filled
        if order.sibling is not None:
            room -= order.sibling.filled
        return room if room > 0 else 0

    cdef int64_t wanted(self, Claim claim) except? -1:
        """Units that one order may still fill, taken alone."""
        cdef Order order = claim.order
        cdef int64_t units = order.leaves() - order.allotted
        if is_final(order.status_):
            return 0
        if order.units == 0 and claim.estimate:
            units = claim.estimate
        if claim.asked - order.filled > units:
            units = claim.asked - order.filled
        return min(units, self.group_room(claim, claim.asked))

    cdef int follow(self, Order order) except -1:
        """Recount an order, its sibling and its children after something happened to it."""
        cdef object found = self.open.get(order.number)
        cdef Claim claim, other
        cdef int64_t units
        cdef bint leaving = order.cancel_request == OPEN
        if found is None:
            return self.recount(order.instrument.index)
        claim = <Claim>found
        units = self.wanted(claim)
        found = None if order.sibling is None else self.open.get(order.sibling.number)
        if found is None:
            self.put(claim, units, self.worth(claim, units), leaving)
        elif stands_alone(order):
            other = <Claim>found
            self.put(claim, units, self.worth(claim, units), leaving)
            units = self.wanted(other)
            self.put(
                other, units, self.worth(other, units), order.sibling.cancel_request == OPEN
            )
        else:
            other = <Claim>found
            units = max(units, self.wanted(other))
            leaving = leaving and order.sibling.cancel_request == OPEN
            if other.dearest() > claim.dearest():
                # The dearer member stands for the pair.
                claim, other = other, claim
            self.put(other, 0, 0, False)
            self.put(
                claim, units,
                self.value_of(order.instrument.index, units, claim.dearest()), leaving,
            )
        if is_final(order.status_):
            claim = <Claim>self.open.pop(order.number)
            if found is not None:
                self.put(claim, 0, 0, False)
                self.follow(order.sibling)
        if order.take_profit is not None:
            self.follow(order.take_profit)
        if order.stop_loss is not None:
            self.follow(order.stop_loss)
        return self.recount(order.instrument.index)

    cdef int128 worth(self, Claim claim, int64_t units) except? -1:
        """Value of what one order may still do, up to `units`, taken alone.

        One change under way comes as a whole or not at all; of several, each may come alone.
        """
        cdef Order order = claim.order
        cdef Py_ssize_t index = order.instrument.index
        cdef int64_t before, after, price = claim.dearest()
        cdef tuple asked
        if not claim.waiting or len(claim.waiting) > 1 or claim.refused or order.units == 0:
            return self.value_of(index, units, price)
        asked = claim.waiting[0]
        before = after = min(order.leaves() - order.allotted, units)
        if asked[0] != 0:
            after = min(max(<int64_t>asked[0] - order.filled, 0), units)
        if asked[1] != no_price() or asked[2] != no_price():
            price = claim.asked_price
        return larger(
            self.value_of(index, before, claim.price), self.value_of(index, after, price)
        )

    cdef int put(self, Claim claim, int64_t units, int128 value, bint leaving) except -1:
        """Let a claim stand for `units` of its book, and a value."""
        cdef Book* book = self.book(claim.order.instrument.index)
        cdef int128 change = i128_sub(value, claim.value)
        cdef int64_t gone = units if leaving else 0
        cdef int64_t was_gone = claim.units if claim.leaving else 0
        if claim.order.side_sign > 0:
            i128_to_i64(<int128>book.buys + units - claim.units)
            self.buy_value = i128_add(self.buy_value, change)
            book.buy_value = i128_add(book.buy_value, change)
            book.buys += units - claim.units
            book.buys_leaving += gone - was_gone
        else:
            i128_to_i64(<int128>book.sells + units - claim.units)
            self.sell_value = i128_add(self.sell_value, change)
            book.sell_value = i128_add(book.sell_value, change)
            book.sells += units - claim.units
            book.sells_leaving += gone - was_gone
        claim.units = units
        claim.value = value
        claim.leaving = leaving
        return 0

    # -- changes -------------------------------------------------------------------------------

    cdef int ask(self, Claim claim, int64_t units, int64_t limit, int64_t stop,
                 int64_t price) except -1:
        """Count a change that left, with the worst price that it can lead to.

        `units` is 0 and limit and stop are no_price() where it asks for none, or nobody knows.
        """
        if claim.waiting is None:
            claim.waiting = []
        if not claim.waiting:
            claim.in_force = terms_of(claim.order)
        claim.waiting.append((units, limit, stop))
        claim.asked = max(claim.asked, units)
        claim.asked_price = max(claim.asked_price, price)
        return 0

    cdef int take_answer(self, Claim claim, int kind) except -1:
        """Forget the change that this answers; all of them once each is answered.

        A venue takes changes up in their order, and tells terms of its own accord too: those of a
        trigger that trails, or once more what was in force. It refuses in any order: one that was
        refused stays until as many are left as were, for nobody says which. What waits too long
        counts too much, never too little.
        """
        cdef list waiting = claim.waiting
        if kind != EV_MODIFY_REJECTED:
            claim.total = max(claim.total, joint_total(claim.order, claim.order.units))
        if kind == EV_MODIFY_REJECTED and claim.denied:
            claim.denied -= 1
            return 0
        if not waiting:
            return 0
        if kind == EV_MODIFY_REJECTED:
            claim.refused += 1
        else:
            self.forget_granted(claim)
        if len(waiting) <= claim.refused:
            waiting.clear()
            claim.refused = claim.asked_price = 0
        claim.asked = max([terms[0] for terms in waiting], default=0)
        return 0

    cdef int forget_granted(self, Claim claim) except -1:
        """Forget the first change that asked for what is in force now.

        New prices that nobody asked for are what a venue has made of a change of them; a new
        quantity is what the other of a pair has left of it.
        """
        cdef list waiting = claim.waiting
        cdef tuple terms, before = claim.in_force
        claim.in_force = terms_of(claim.order)
        for terms in waiting:
            if is_in_force(claim.order, terms):
                waiting.remove(terms)
                return 0
        if claim.in_force[1:] != before[1:]:
            for terms in waiting:
                if terms[0] == 0:
                    waiting.remove(terms)
                    return 0
        return 0

    # -- what changes many at once -------------------------------------------------------------

    cdef int restate(self, Py_ssize_t index) except -1:
        """After a split, count exits in full: what was filled before is in other units."""
        cdef Claim claim
        for claim in list(self.open.values()):
            if claim.order.instrument.index == index and (
                    claim.order.parent is None or claim.order.parent.filled):
                claim.is_restated = True
                self.follow(claim.order)
        return 0

    cdef int catch_up(self) except -1:
        """Count anew what other rates, rules or lending make of waiting orders."""
        cdef Py_ssize_t i
        cdef bint lends
        if self.rates_seen != self.account.rate_changes:
            self.revalue()
        if self.keeps_power:
            lends = self.account.lends()
            if lends != self.lends_seen or self.rules_seen is not self.account.rules:
                self.lends_seen = lends
                self.rules_seen = self.account.rules
                for i in range(min(self.n_books, self.account.n_holdings)):
                    self.count_power(i)
        return 0

    cdef int revalue(self) except -1:
        """Value what is in other currencies anew, after a change of their rates."""
        cdef Claim claim
        cdef Py_ssize_t i
        self.rates_seen = self.account.rate_changes
        for claim in list(self.open.values()):
            if self.account.holdings[claim.order.instrument.index].currency:
                self.follow(claim.order)
        for i in range(min(self.n_books, self.account.n_holdings)):
            if self.account.holdings[i].currency:
                self.recount(i)
        return 0

    # -- face ----------------------------------------------------------------------------------

    def __len__(self):
        return len(self.open)

    def worst_case(self, int index):
        """Return (held, buys, sells) of an instrument in units, signed and unsigned."""
        cdef Book* book = self.book(index)
        held = self.account.holdings[index].units if index < self.account.n_holdings else 0
        return held, book.buys, book.sells

    def power_taken(self):
        """Return what waiting orders take of the buying power, as a Decimal in base currency.

        It is kept while a limit asks for buying power.
        """
        self.catch_up()
        return decimal_from_scaled(i128_to_int(self.power), 18)

    def sector_values(self):
        """Return the worst-case value of each sector, as Decimals in base currency."""
        return {
            name: decimal_from_scaled(i128_to_int(self.sectors[<int>number]), 18)
            for name, number in self.sector_numbers.items()
        }

    def totals(self):
        """Return worst-case gross exposure, and pending buys and sells, in base currency."""
        return (
            i128_to_double(i128_add(self.account.exposure_raw(), self.extra)),
            i128_to_double(self.buy_value), i128_to_double(self.sell_value),
        )

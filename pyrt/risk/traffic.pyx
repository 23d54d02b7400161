"""Controls over the flow of orders: throttles, duplicates, fat fingers, self-matches, day sums."""
cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport INT64_MIN, int64_t, uint64_t
from libc.string cimport memset

from pyrt.core.int128 cimport i128_add, i128_from_int, i128_to_double, i128_to_int, int128
from pyrt.core.numbers cimport nano_to_double
from pyrt.core.orders cimport Order, no_price
from pyrt.risk.claims cimport Book, Claim, Claims
from pyrt.risk.windows cimport RateWindow, RecentKeys, SizeHistory

from heapq import heappop, heappush

cdef int64_t SECOND_NS = 1_000_000_000
cdef int64_t MINUTE_NS = 60_000_000_000
cdef Py_ssize_t HISTORY_MIN = 10
# Odd and without a pattern: a product's high bits depend on every bit of what it is made of.
cdef uint64_t MIXER = 0x9E3779B97F4A7C15


cdef RateWindow window_or_none(object limit, int64_t window_ns):
    return None if limit is None else RateWindow(limit, window_ns)


cdef str over_rate(str code, Py_ssize_t limit, str span):
    return f"{code}: the limit of {limit} orders in a {span} is used up"


cdef inline int64_t* best_ever(Book* book, int side) noexcept:
    """The best of own limit prices on a side, those included that may not rest any more."""
    return &book.own_bid if side > 0 else &book.own_ask


cdef inline uint64_t mark_of(Order order) noexcept:
    """One bit of 64: orders with the same terms have the same."""
    cdef uint64_t mixed = <uint64_t>order.units
    mixed = (mixed ^ <uint64_t>order.limit_price_raw) * MIXER
    mixed = (mixed ^ <uint64_t>order.stop_price_raw ^ <uint64_t>order.side_sign) * MIXER
    return <uint64_t>1 << (mixed >> 58)


cdef inline bint meets(int side, int64_t limit, int64_t resting) noexcept:
    """Whether an order would meet one that rests at a price on the other side."""
    if resting == no_price():
        return False
    return limit == no_price() or side * (limit - resting) >= 0


@cython.final
cdef class Traffic:
    """What an order is judged by beside other orders; each check gives a reason or None.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits):
        self.limits = limits
        self.per_second = window_or_none(limits.max_orders_per_second, SECOND_NS)
        self.per_minute = window_or_none(limits.max_orders_per_minute, MINUTE_NS)
        self.messages = window_or_none(limits.max_messages_per_minute, MINUTE_NS)
        self.reserve = limits.cancel_reserve
        if limits.duplicate_window:
            self.recent = RecentKeys(limits.duplicate_window)
        multiple = limits.fat_finger_multiple
        self.fat_multiple = -1.0 if multiple is None else float(multiple)
        self.self_match = limits.deny_self_match
        self.histories = []
        self.offers = []
        self.bids = []
        self.runs = {}
        self.day = INT64_MIN

    cdef int roll(self, int64_t day) except -1:
        """Begin another day: the sums start at nothing."""
        if day != self.day:
            self.day = day
            self.orders_today = 0
            self.value_today = 0
        return 0

    # -- judging -------------------------------------------------------------------------------

    cdef str judge_flow(self, Order order, int64_t limit, int64_t stop, double value, int64_t now,
                        Claims claims):
        """Judge a new order that may raise exposure by those before it."""
        cdef str reason
        if self.fat_multiple >= 0.0:
            reason = self.judge_size(order, value)
            if reason is not None:
                return reason
        if self.recent is not None and self.is_duplicate(order, now, claims):
            return (
                f"duplicate_order: the same order was sent less than "
                f"{self.recent.window_ns / 1e9:g} s ago"
            )
        if self.self_match:
            return self.judge_self_match(order, limit, stop, claims)
        return None

    cdef bint is_duplicate(self, Order order, int64_t now, Claims claims) except -1:
        """Whether the window holds an order with the same terms.

        Where no order of the symbol bears its mark there is none, and nothing has to be looked up.
        """
        cdef Book* book = claims.book(order.instrument.index)
        if book.ts_like <= now - self.recent.window_ns or not book.likes & mark_of(order):
            return False
        return self.recent.has(self.key_of(order), now)

    cdef str judge_rates(self, int64_t now, bint is_order):
        """Judge a submission (or, not is_order, a change) by how many there were."""
        if is_order and self.per_second is not None:
            if self.per_second.is_full(now, self.per_second.limit):
                return over_rate("max_orders_per_second", self.per_second.limit, "second")
        if is_order and self.per_minute is not None:
            if self.per_minute.is_full(now, self.per_minute.limit):
                return over_rate("max_orders_per_minute", self.per_minute.limit, "minute")
        if self.messages is not None:
            if self.messages.is_full(now, self.messages.limit - self.reserve):
                return (
                    f"max_messages_per_minute: {self.messages.limit - self.reserve} messages left "
                    f"in the last minute, and {self.reserve} are kept for cancels"
                )
        return None

    cdef str judge_size(self, Order order, double value):
        cdef int number = order.position.strategy
        cdef SizeHistory history
        cdef double median
        if number >= len(self.histories):
            return None
        history = <SizeHistory>self.histories[number]
        if history.count < HISTORY_MIN:
            return None
        median = history.median()
        if value <= self.fat_multiple * median:
            return None
        return (
            f"fat_finger: order value {value:.2f} is over {self.fat_multiple:g} times the median "
            f"{median:.2f} of the last {history.count} orders"
        )

    cdef str judge_self_match(self, Order order, int64_t limit, int64_t stop, Claims claims):
        """Deny what would meet an own resting order; without a limit, any there is."""
        cdef int side = order.side_sign
        cdef int64_t best
        if limit == no_price() and stop != no_price():
            return None
        best = best_ever(claims.book(order.instrument.index), -side)[0]
        if not meets(side, limit, best):
            return None
        best = self.best_resting(order.instrument.index, -side, claims)
        if not meets(side, limit, best):
            return None
        return (
            f"self_match: an own {'sell' if side > 0 else 'buy'} order rests at "
            f"{nano_to_double(best):g}"
        )

    cdef int64_t best_resting(self, int index, int side, Claims claims) except? -1:
        """Best limit price of own orders that rest on a side; no_price() without any."""
        cdef list heaps = self.bids if side > 0 else self.offers
        cdef list heap
        cdef int64_t* best = best_ever(claims.book(index), side)
        cdef Claim claim
        heap = <list>heaps[index] if index < len(heaps) else []
        while heap:
            best[0] = -side * <int64_t>heap[0][0]
            found = claims.open.get(heap[0][1])
            if found is not None:
                claim = <Claim>found
                if claim.resting == best[0] and claim.order.leaves() > 0:
                    return best[0]
            heappop(heap)
        best[0] = no_price()
        return no_price()

    # -- counting ------------------------------------------------------------------------------

    cdef bytes key_of(self, Order order):
        """The order's terms as bytes: a key that is made and hashed in one piece."""
        cdef Likeness key
        memset(&key, 0, sizeof(Likeness))
        key.units = order.units
        key.limit_price = order.limit_price_raw
        key.stop_price = order.stop_price_raw
        key.trail_amount = order.trail_amount_raw
        key.trail_percent = order.trail_percent_raw
        key.notional = order.notional_raw
        key.strategy = order.position.strategy
        key.instrument = order.instrument.index
        key.side = order.side_sign
        key.type = order.type
        return PyBytes_FromStringAndSize(<char*>&key, sizeof(Likeness))

    cdef int count(self, Order order, int128 value, int128 more, int64_t now,
                   Claims claims) except -1:
        """Count an approved order of a value, `more` of which is new to the worst case."""
        cdef int number = order.position.strategy
        self.orders_today += 1
        self.value_today = i128_add(self.value_today, more)
        if self.recent is not None:
            self.recent.add(self.key_of(order), now)
            self.mark(order, claims.book(order.instrument.index), now)
        if self.fat_multiple >= 0.0:
            while number >= len(self.histories):
                self.histories.append(SizeHistory(self.limits.fat_finger_orders))
            (<SizeHistory>self.histories[number]).add(i128_to_double(value))
        return self.count_message(now, True)

    cdef int mark(self, Order order, Book* book, int64_t now) except -1:
        if book.ts_like <= now - self.recent.window_ns:
            book.likes = 0
        book.likes |= mark_of(order)
        book.ts_like = now
        return 0

    cdef int count_change(self, int128 more, int64_t now) except -1:
        """Count an approved change."""
        self.value_today = i128_add(self.value_today, more)
        return self.count_message(now, False)

    cdef int count_message(self, int64_t now, bint is_order) except -1:
        if is_order and self.per_second is not None:
            self.per_second.add(now)
        if is_order and self.per_minute is not None:
            self.per_minute.add(now)
        if self.messages is not None:
            self.messages.add(now)
        return 0

    cdef int rest(self, Claim claim, Claims claims) except -1:
        """Note the limit price at which an order may rest, for the orders to come."""
        cdef Order order = claim.order
        cdef list heaps = self.bids if order.side_sign > 0 else self.offers
        cdef int64_t* best = best_ever(
            claims.book(order.instrument.index), order.side_sign
        )
        if not self.self_match or claim.resting == no_price():
            return 0
        while order.instrument.index >= len(heaps):
            heaps.append([])
        heappush(heaps[order.instrument.index], (-order.side_sign * claim.resting, order.number))
        if best[0] == no_price() or order.side_sign * (claim.resting - best[0]) > 0:
            best[0] = claim.resting
        return 0

    cdef bint repeats(self, Order order, int64_t now):
        """Count a filled order; True when its strategy bought (or sold) too often in a row."""
        cdef RateWindow window
        run = self.runs.get(order.position)
        if run is None or run[0] != order.side_sign:
            window = RateWindow(
                self.limits.max_repeated_executions, self.limits.repeated_execution_window
            )
            self.runs[order.position] = [order.side_sign, window]
        else:
            window = <RateWindow>run[1]
        if window.is_full(now, window.limit):
            return True
        window.add(now)
        return False

    cdef int mark_all(self, Claims claims) except -1:
        """Look up every order of symbols that had one: marks are those of another window."""
        cdef Py_ssize_t i
        for i in range(claims.n_books):
            if claims.books[i].ts_like != INT64_MIN:
                claims.books[i].likes = ~<uint64_t>0
        return 0

    def inherit(self, Traffic old not None, Claims claims):
        """Go on from what was counted under other limits."""
        self.day = old.day
        self.orders_today = old.orders_today
        self.value_today = old.value_today
        self.take_sizes([history.save() for history in old.histories])
        self.offers, self.bids = old.offers, old.bids
        if self.limits.max_repeated_executions is not None:
            for position, (side, theirs) in old.runs.items():
                mine = RateWindow(
                    self.limits.max_repeated_executions, self.limits.repeated_execution_window
                )
                mine.refill(theirs)
                self.runs[position] = [side, mine]
        if self.recent is not None and old.recent is not None and claims is not None:
            self.recent.inherit(old.recent)
            self.mark_all(claims)
        for mine, theirs in ((self.per_second, old.per_second), (self.per_minute, old.per_minute),
                             (self.messages, old.messages)):
            if mine is not None and theirs is not None:
                mine.refill(theirs)

    # -- restart -------------------------------------------------------------------------------

    def save_sizes(self, list names not None):
        """Return the values of each strategy's last orders, by its name."""
        return {
            name: history.save() for name, history in zip(names, self.histories) if history.count
        }

    def restore_sizes(self, dict saved not None, list names not None):
        """Take over what `save_sizes` returned."""
        self.take_sizes([saved.get(name, ()) for name in names])

    def take_sizes(self, list sizes not None):
        """Remember values of orders, by number of strategy, as far as limits ask for them."""
        cdef SizeHistory history
        self.histories = []
        for values in sizes if self.fat_multiple >= 0.0 else ():
            history = SizeHistory(self.limits.fat_finger_orders)
            for size in values:
                history.add(size)
            self.histories.append(history)

    def save(self):
        """Return the sums of the day as plain values; windows of a minute start anew."""
        return {
            "day": self.day, "orders_today": self.orders_today,
            "value_today": str(i128_to_int(self.value_today)),
        }

    def restore(self, saved):
        """Take over what `save` returned."""
        self.day = saved["day"]
        self.orders_today = saved["orders_today"]
        self.value_today = i128_from_int(int(saved["value_today"]))

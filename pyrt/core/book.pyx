"""The order book: one symbol's resting liquidity, by level or by order.

Prices are kept in 1e-9 and sizes in 10**-size_decimals, both int64, so that totals stay exact
however many orders come and go. Whatever is read is float64.
"""
cimport cython
from libc.math cimport NAN
from libc.stdint cimport INT64_MAX, int32_t, int64_t

from pyrt.core.book_checkpoint cimport load, save
from pyrt.core.book_depth cimport (
    average_price, depth, float_levels, ladder, raw_levels, size_up_to, to_float,
)
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.book_side cimport BookSide
from pyrt.core.book_state cimport BookState
from pyrt.core.int128 cimport int128
from pyrt.core.numbers cimport nano_from_object, nano_to_double, units_from_object

from pyrt.core.book_checkpoint import with_decimals
from pyrt.core.book_dialects import SIDES as _SIDES
from pyrt.core.book_tables import read_table
from pyrt.errors import ConfigError, DataError, PrecisionError

LEVELS = ("L1", "L2", "L3")


cdef int sign_of(object side) except 0:
    sign = _SIDES.get(side.strip().lower() if isinstance(side, str) else side)
    if not sign:
        raise ConfigError(
            f"{side!r} is not a side", remedy='Use "B" or "A", "buy" or "sell", 1 or -1', side=side
        )
    return sign


@cython.final
cdef class OrderBook(BookState):
    """A book of one symbol, fed with tables or single changes.

    The book shows what its feed says and never corrects it: a *locked* book (best bid equal to
    best ask) and a *crossed* one (bid above ask) are kept as they are, with a spread of 0 or
    below. In the middle of an event (`in_batch`) a cross means nothing; after an event it is
    counted in `crossed_count`. It is normal before an opening auction.

    Parameters
    ----------
    symbol : str
        A label, and the rows to pick from a table of several symbols.
    level : {"L2", "L1", "L3"}
        What is shown. L1: the best level only; it is fed with quotes, or with anything deeper,
        which it keeps to know the next best. L2: totals by price. L3: single orders and their
        place in the queue too.
    max_levels : int, optional
        Levels kept a side; worse ones are dropped as better ones come, and are not there when
        the better ones go.
    size_decimals : int, optional
        Sizes are whole numbers of ``10**-size_decimals``, 0 to 9. By default 9, and as many
        fewer as the sizes of a table need to fit.

    Attributes
    ----------
    on_gap : callable or None
        Called with the book after an `apply` that found changes missing: ask for a snapshot.

    Raises
    ------
    ConfigError
        If `level`, `max_levels` or `size_decimals` is none of the above.

    Examples
    --------
    >>> book = OrderBook("SPY")
    >>> book.apply_table({"side": ["B", "A"], "price": [9.99, 10.01], "size": [300, 100],
    ...                   "action": ["set", "set"]})
    2
    >>> book.best_bid, book.best_ask, book.mid, book.imbalance(1)
    (9.99, 10.01, 10.0, 0.5)
    >>> book
    OrderBook('SPY', level='L2', 1 bids, 1 asks)
    bid size  price  ask size
              10.01       100
         300   9.99
    """

    def __init__(self, str symbol, level="L2", *, max_levels=None, size_decimals=None):
        if level not in LEVELS:
            raise ConfigError(f"no book level {level!r}", remedy="It is L1, L2 or L3", level=level)
        if max_levels is not None and max_levels < 1:
            raise ConfigError(f"max_levels is {max_levels}; at least 1", max_levels=max_levels)
        if size_decimals is not None and not 0 <= size_decimals <= 9:
            raise ConfigError(f"size_decimals is {size_decimals}; 0 to 9")
        self.symbol = symbol
        self.level = level
        self.max_levels = max_levels or 0
        self.decimals_given = size_decimals is not None
        self.size_decimals = 9 if size_decimals is None else size_decimals

    # -- feeding ---------------------------------------------------------------------------

    def prepare(self, table, dialect=None, *, contiguous=None):
        """Check and code a table once, to apply it in parts with `apply`.

        Takes and raises what `apply_table` does; the book is not changed.
        """
        columns = read_table(
            table,
            dialect,
            symbol=self.symbol,
            size_decimals=self.size_decimals,
            may_lower=not self.decimals_given,
            contiguous=contiguous,
        )
        if self.level == "L3" and columns.dialect == "quotes":
            raise DataError("quotes hold no orders: they cannot feed an L3 book")
        if self.level == "L2" and columns.dialect == "quotes":
            raise DataError("quotes hold one level a side", remedy='Use OrderBook(..., level="L1")')
        return columns

    def apply_table(self, table, dialect=None, *, contiguous=None):
        """Apply a table of book events, in row order.

        Parameters
        ----------
        table : pandas.DataFrame, pyarrow.Table or dict of arrays
            Columns in any order: ``side price size action``, ``order_id`` where orders are
            followed, and as far as they are there ``flags sequence sequence_prev sequence_first
            message ts_event symbol``. Quotes: ``bid_price bid_size ask_price ask_size``.
        dialect : {"l2", "mbo", "lobster", "quotes"}, optional
            Recognized where not given. ``"l2"``: set, delete and snapshot by price; flags 1
            (snapshot) and 2 (last of its message). ``"mbo"``: add, cancel, modify, clear, while
            trade and fill change nothing; flags 128 (last of its event), 32 (snapshot) and 4 (the
            feed lost something). ``"lobster"``: add, reduce, delete, fill, while hidden_fill
            changes nothing; orders from before the feed are taken off their level's total.
        contiguous : bool, optional
            Whether numbers without ``sequence_prev`` or ``sequence_first`` go up by one; by
            default yes, but not where most of them jump, and not in ``"mbo"``.

        Returns
        -------
        int
            Rows applied, those that change nothing included. Left out are rows that the book is
            already beyond: messages numbered at or below the last snapshot, repeats.

        Raises
        ------
        DataError
            If the table is not of one clear dialect, or rows make no sense (they are named);
            the book is unchanged.
        PrecisionError
            If sizes do not fit the book's unit; the book is unchanged.
        OverflowError
            If a level's total leaves 64 bits; the rows before are applied.

        Notes
        -----
        A number skipped marks the book `is_stale` and asks for a snapshot (`needs_snapshot`,
        `gap_count`, `on_gap`). The book still takes changes, keeps them (as it does before the
        first snapshot) and puts those newer than the snapshot on top of it when it comes.
        """
        columns = self.prepare(table, dialect, contiguous=contiguous)
        return self.apply(columns)

    def apply(self, BookColumns columns, Py_ssize_t start=0, stop=None):
        """Apply rows `start` to `stop` of prepared columns; returns and raises as `apply_table`."""
        return self.apply_columns(columns, start, columns.count if stop is None else stop)

    cdef Py_ssize_t apply_columns(
        self, BookColumns columns, Py_ssize_t start, Py_ssize_t stop
    ) except -1:
        cdef int64_t gaps = self.gap_count
        cdef Py_ssize_t applied
        if columns.size_decimals != self.size_decimals:
            self.use_decimals(columns.size_decimals)
        applied = columns.apply(self, start, stop)
        if self.gap_count != gaps and self.on_gap is not None:
            self.on_gap(self)
        return applied

    cdef int use_decimals(self, int size_decimals) except -1:
        """Change the unit of sizes, when nothing that rests is lost by it."""
        if self.decimals_given:
            raise PrecisionError(
                f"columns with {size_decimals} size decimals for a book with {self.size_decimals}"
            )
        if self.bid_side.count or self.ask_side.count:
            self.restore(with_decimals(self.checkpoint(), size_decimals))
        self.size_decimals = size_decimals
        return 0

    cdef int64_t size_of(self, object size) except -1:
        """Read a size at a level or of an order."""
        cdef int64_t units = units_from_object(size, self.size_decimals)
        if units < 0:
            raise ConfigError(f"a size in the book is not negative: {size}", value=size)
        return units

    def set(self, side, price, size):
        """Make `size` the total at `price` on a side; 0 removes the level."""
        self.set_level(
            sign_of(side), nano_from_object(price), self.size_of(size)
        )

    def add(self, order_id, side, price, size):
        """Append an order to the queue at `price`."""
        self.add_order(
            sign_of(side),
            nano_from_object(price),
            self.size_of(size),
            order_id,
        )

    def reduce(self, order_id, size):
        """Take `size` off an order, which leaves at 0; return whether the id was resting."""
        return self.reduce_order(order_id, self.size_of(size)) != 0

    def delete(self, order_id):
        """Remove an order; return whether the id was resting."""
        return self.delete_order(order_id) != 0

    def modify(self, order_id, side, price, size):
        """Give an order a new price and size; return whether the id was resting.

        It keeps its place in the queue only if the price stays and the size does not grow. An
        unknown id is added.
        """
        return self.modify_order(
            sign_of(side),
            nano_from_object(price),
            self.size_of(size),
            order_id,
        ) != 0

    def mark_stale(self):
        """Say that changes were lost, as by a broken connection; the next snapshot mends it.

        The gap is counted and the feed asked for a snapshot; what comes meanwhile is applied.
        """
        self.in_snapshot = False
        self.note_gap()
        if self.on_gap is not None:
            self.on_gap(self)

    def clear(self):
        """Empty the book and forget its place in the feed, as after a reconnection."""
        self.clear_levels()
        self.sequence = 0
        self.message = 0
        self.synced = False
        self.at_snapshot = False
        self.in_snapshot = False
        self.dropping = False
        self.unended = False
        self.in_batch = False
        self.is_stale = False
        self.needs_snapshot = False
        self.pending = None

    # -- the touch -------------------------------------------------------------------------

    @property
    def best_bid(self):
        """Best bid, NaN when there is none."""
        return nano_to_double(self.bid_side.best_price()) if self.bid_side.count else NAN

    @property
    def best_ask(self):
        """Best ask, NaN when there is none."""
        return nano_to_double(self.ask_side.best_price()) if self.ask_side.count else NAN

    @property
    def best_bid_size(self):
        """Size at the best bid, 0.0 when there is none."""
        return to_float(<int64_t>depth(self.bid_side, 1), self.size_decimals)

    @property
    def best_ask_size(self):
        """Size at the best ask, 0.0 when there is none."""
        return to_float(<int64_t>depth(self.ask_side, 1), self.size_decimals)

    @property
    def spread(self):
        """Best ask minus best bid, <= 0 when locked or crossed; NaN without both sides."""
        if not (self.bid_side.count and self.ask_side.count):
            return NAN
        return <double>(
            <int128>self.ask_side.best_price() - self.bid_side.best_price()
        ) / 1e9

    @property
    def mid(self):
        """Mean of best bid and ask; NaN without both sides."""
        if not (self.bid_side.count and self.ask_side.count):
            return NAN
        return <double>(
            <int128>self.ask_side.best_price() + self.bid_side.best_price()
        ) / 2e9

    @property
    def spread_bps(self):
        """Spread in 1/10,000 of the mid; NaN without both sides or with a mid of 0."""
        mid = self.mid
        return NAN if mid == 0.0 else self.spread / mid * 10_000.0

    @property
    def micro_price(self):
        """Mean of bid and ask weighted by the size opposite; NaN without both sides or sizes."""
        cdef double bid = depth(self.bid_side, 1), ask = depth(self.ask_side, 1)
        if not (self.bid_side.count and self.ask_side.count) or bid + ask == 0.0:
            return NAN
        return (self.best_bid * ask + self.best_ask * bid) / (bid + ask)

    @property
    def is_crossed(self):
        """Whether the best bid is above the best ask."""
        return self.bid_side.best_price() > self.ask_side.best_price()

    @property
    def is_locked(self):
        """Whether the best bid equals the best ask."""
        return (
            self.bid_side.count > 0 and self.bid_side.best_price() == self.ask_side.best_price()
        )

    # -- depth -----------------------------------------------------------------------------

    cdef Py_ssize_t shown(self, object n) except -1:
        """How many levels a question about `n` of them sees."""
        if n is not None and n < 0:
            raise ConfigError(f"a number of levels cannot be {n}", n=n)
        if self.level == "L1":
            return 1 if n is None or n > 0 else 0
        return <Py_ssize_t>INT64_MAX if n is None else n

    def bids(self, n=None):
        """Return the best `n` bids (default all): float64, shape (<= n, 2), price and size."""
        return float_levels(self.bid_side, self.shown(n), self.size_decimals)

    def asks(self, n=None):
        """Return the best `n` asks (default all): float64, shape (<= n, 2), price and size."""
        return float_levels(self.ask_side, self.shown(n), self.size_decimals)

    def raw_levels(self, side, n=None):
        """Return the best levels of a side as int64: price in 1e-9, size in the book's unit."""
        cdef BookSide levels = self.bid_side if sign_of(side) > 0 else self.ask_side
        return raw_levels(levels, self.shown(n))

    @property
    def bid_count(self):
        """Number of bid levels shown."""
        return min(self.shown(None), self.bid_side.count)

    @property
    def ask_count(self):
        """Number of ask levels shown."""
        return min(self.shown(None), self.ask_side.count)

    @property
    def order_count(self):
        """Number of orders followed."""
        return self.orders.count

    def size_at(self, side, price):
        """Return the size shown at a price of a side, 0.0 where there is no level."""
        cdef BookSide levels = self.bid_side if sign_of(side) > 0 else self.ask_side
        return to_float(levels.size_at(nano_from_object(price)), self.size_decimals)

    def imbalance(self, n=1):
        """Return (bids - asks) / (bids + asks) over the sizes of the best `n` levels.

        In [-1, 1]: 1 when there are only bids; NaN when there is nothing.
        """
        cdef Py_ssize_t levels = self.shown(n)
        cdef double bid = depth(self.bid_side, levels), ask = depth(self.ask_side, levels)
        return NAN if bid + ask == 0.0 else (bid - ask) / (bid + ask)

    cdef BookSide facing(self, object side):
        return self.ask_side if sign_of(side) > 0 else self.bid_side

    def average_price(self, side, quantity):
        """Return the average price at which a "buy" or "sell" of `quantity` would trade.

        It walks the other side from the best level; NaN if that side holds less.
        """
        cdef int64_t size = units_from_object(quantity, self.size_decimals)
        if size <= 0:
            raise ConfigError(f"a quantity to trade is positive, not {quantity}", value=quantity)
        price = average_price(self.facing(side), size)
        return NAN if price is None else price

    def quantity_for_price(self, side, price):
        """Return how much a "buy" or "sell" limited to `price` finds on the other side."""
        return to_float(
            size_up_to(self.facing(side), nano_from_object(price)), self.size_decimals
        )

    def queue_ahead(self, int64_t order_id):
        """Return the size that trades before an order at its level; NaN for an unknown id.

        Size that no known order accounts for counts as ahead.
        """
        cdef int64_t ahead = self.size_ahead(order_id)
        return NAN if ahead < 0 else to_float(ahead, self.size_decimals)

    def orders_at(self, side, price):
        """Return the known orders of a level, first in the queue first: (order_id, size) pairs."""
        cdef BookSide levels = self.bid_side if sign_of(side) > 0 else self.ask_side
        cdef int32_t index
        found = []
        if levels.by_order and levels.locate(<int64_t>nano_from_object(price) * levels.sign):
            index = levels.blocks[levels.finger].chains[levels.slot].head
            while index >= 0:
                found.append((
                    self.orders.orders[index].order_id,
                    to_float(self.orders.orders[index].size, self.size_decimals),
                ))
                index = self.orders.orders[index].next
        return found

    # -- copies ----------------------------------------------------------------------------

    def without_own(self, orders):
        """Return a copy, by price, from which our own resting orders are taken.

        Parameters
        ----------
        orders : iterable of (side, price, quantity)
            Levels that hold nothing else are not in the copy; none goes below zero.
        """
        cdef OrderBook other = OrderBook(
            self.symbol, self.level, size_decimals=self.size_decimals
        )
        cdef BookSide levels
        cdef int64_t price
        other.bid_side.copy_from(self.bid_side)
        other.ask_side.copy_from(self.ask_side)
        other.sequence = self.sequence
        other.ts_event = self.ts_event
        other.is_stale = self.is_stale
        for side, at, quantity in orders:
            levels = other.bid_side if sign_of(side) > 0 else other.ask_side
            price = nano_from_object(at)
            levels.set(
                price,
                max(0, levels.size_at(price) - self.size_of(quantity)),
            )
        return other

    def checkpoint(self):
        """Return all that `restore` needs: a dict of numbers and NumPy arrays, pickle-able."""
        return dict(save(self), decimals_given=bool(self.decimals_given))

    def restore(self, checkpoint):
        """Take over a `checkpoint` of this or another book, symbol and level included."""
        self.clear()
        load(self, checkpoint)
        self.decimals_given = checkpoint["decimals_given"]

    def __reduce__(self):
        return _rebuild, (self.checkpoint(),)

    @property
    def nbytes(self):
        """Bytes that levels, orders and kept changes hold, beside the object itself."""
        pending = self.pending.nbytes() if self.pending is not None else 0
        return self.bid_side.nbytes() + self.ask_side.nbytes() + self.orders.nbytes() + pending

    def check(self):
        """Raise AssertionError if the levels are out of order or negative; for tests."""
        self.bid_side.check()
        self.ask_side.check()

    def __repr__(self):
        marks = "".join(
            f", {text}" for shown, text in (
                (self.order_count, f"{self.order_count} orders"),
                (self.sequence, f"sequence {self.sequence}"),
                (self.is_stale, "stale"),
                (self.is_crossed, "crossed"),
            ) if shown
        )
        head = (
            f"OrderBook({self.symbol!r}, level={self.level!r}, "
            f"{self.bid_count} bids, {self.ask_count} asks{marks})"
        )
        if not (self.bid_side.count or self.ask_side.count):
            return head
        return head + "\n" + ladder(
            self.bid_side, self.ask_side, min(5, self.shown(None)), self.size_decimals
        )


def _rebuild(checkpoint):
    book = OrderBook(checkpoint["symbol"])
    book.restore(checkpoint)
    return book

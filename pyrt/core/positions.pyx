"""A strategy's holding in one symbol, exact; and the round trip it is in."""
cimport cython
from libc.stdlib cimport free, realloc

from pyrt.core.int128 cimport (
    HALF_EVEN, TOWARD_ZERO, i128_add, i128_muldiv, i128_notional, i128_sub, i128_to_double,
    i128_to_i64, i128_to_int,
)
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_to_double
from pyrt.core.types import Side
from pyrt.errors import ConfigError


cdef int128 lot_share(Lot* lot, int64_t quantity) except? -1:
    """Cost of part of a lot: exact, unless a split has left a unit's cost off the 1e-18 grid."""
    if quantity == 0:
        return 0
    return i128_muldiv(lot.cost, quantity, lot.quantity, HALF_EVEN)


@cython.final
cdef class Position:
    """Units of one instrument and what they cost; netting: long, short, and through zero.

    What is open costs a sum of money, and closing releases part of it: under average cost the
    closed share of the whole; under FIFO what the oldest lots cost, and of the last one of them
    the closed share. A share is rounded half to even in 1e-18 and the remainder stays open; of a
    lot that no split has restated it is never rounded. Prices per unit are derived, not stored.

    Parameters
    ----------
    instrument : Instrument
    strategy : int
        Number of the owner; -1 for the account as a whole.
    cost : {"average", "fifo"}
    """

    def __init__(self, Instrument instrument, int strategy=-1, *, str cost="average"):
        if cost not in ("average", "fifo"):
            raise ConfigError(f"cost is {cost!r}; expected 'average' or 'fifo'")
        self.instrument = instrument
        self.strategy = strategy
        self.fifo = cost == "fifo"

    def __dealloc__(self):
        free(self.lots)

    # -- exact core ----------------------------------------------------------------------------

    cdef int128 fill(self, int side, int64_t quantity, int64_t price, int128 fee) except? -1:
        """Fold one execution in and return what it realized, net of `fee`; all or nothing.

        `quantity` is unsigned. Units against the position close it first; the rest opens the
        other side.
        """
        cdef int64_t held = self.units if self.units >= 0 else -self.units
        cdef int64_t closing = 0, opening, units
        cdef int128 released, opening_cost, result, realized, fees, open_cost
        if self.units != 0 and (side > 0) != (self.units > 0):
            closing = min(held, quantity)
        opening = quantity - closing
        released = self.cost_of(closing)
        opening_cost = side * i128_notional(price, opening, self.instrument.factor)
        result = i128_sub(
            -side * i128_notional(price, closing, self.instrument.factor), i128_add(released, fee)
        )
        realized = i128_add(self.realized, result)
        fees = i128_add(self.fees, fee)
        open_cost = i128_add(i128_sub(self.open_cost, released), opening_cost)
        units = i128_to_i64(<int128>self.units + <int128>side * <int128>quantity)
        if self.fifo and opening:
            self.reserve_lot()
        # Nothing fails from here on.
        if self.fifo and closing:
            self.drop_lots(closing)
        if self.fifo and opening:
            self.push_lot(opening, side * opening_cost)
        self.units = units
        self.open_cost = open_cost
        self.realized = realized
        self.fees = fees
        self.mark = price
        return result

    cdef int128 cost_of(self, int64_t quantity) except? -1:
        """Signed cost that closing `quantity` units of the open side releases."""
        cdef int64_t held = self.units if self.units >= 0 else -self.units
        cdef int128 cost = 0
        cdef Lot* lot = self.lots + self.lot_head
        if quantity == 0:
            return 0
        if quantity == held:
            return self.open_cost
        if not self.fifo:
            return i128_muldiv(self.open_cost, quantity, held, HALF_EVEN)
        while quantity >= lot.quantity:
            quantity -= lot.quantity
            cost = i128_add(cost, lot.cost)
            lot += 1
        cost = i128_add(cost, lot_share(lot, quantity))
        return cost if self.units > 0 else -cost

    cdef int drop_lots(self, int64_t quantity) except -1:
        """Take the oldest units off the lots."""
        cdef Lot* lot
        while quantity > 0:
            lot = &self.lots[self.lot_head]
            if lot.quantity <= quantity:
                quantity -= lot.quantity
                self.lot_head += 1
                self.lot_count -= 1
            else:
                lot.cost -= lot_share(lot, quantity)
                lot.quantity -= quantity
                quantity = 0
        if self.lot_count == 0:
            self.lot_head = 0
        return 0

    cdef int reserve_lot(self) except -1:
        """Make room for one more lot, so that pushing it cannot fail half-way."""
        cdef Py_ssize_t i
        cdef Lot* lots
        if self.lot_head + self.lot_count < self.lot_capacity:
            return 0
        if self.lot_head > self.lot_capacity // 2:
            for i in range(self.lot_count):
                self.lots[i] = self.lots[self.lot_head + i]
            self.lot_head = 0
            return 0
        lots = <Lot*>realloc(self.lots, (self.lot_capacity * 2 + 8) * sizeof(Lot))
        if lots == NULL:
            raise MemoryError
        self.lots = lots
        self.lot_capacity = self.lot_capacity * 2 + 8
        return 0

    cdef int push_lot(self, int64_t quantity, int128 cost) except -1:
        self.lots[self.lot_head + self.lot_count].quantity = quantity
        self.lots[self.lot_head + self.lot_count].cost = cost
        self.lot_count += 1
        return 0

    cdef int64_t split(self, int64_t numerator, int64_t denominator) except? -1:
        """Turn `denominator` old units into `numerator` new ones, less than a unit is lost.

        The cost stays with the units; where none are left it is realized. Returns the signed
        number of new units that do not fill a step and are paid out in cash; they are still held
        when this returns.
        """
        cdef int64_t units = i128_to_i64(
            i128_muldiv(self.units, numerator, denominator, TOWARD_ZERO)
        )
        cdef int64_t mark = i128_to_i64(i128_muldiv(self.mark, denominator, numerator, HALF_EVEN))
        if units == 0:
            self.realized = i128_sub(self.realized, self.open_cost)
            self.open_cost = 0
            self.lot_head = self.lot_count = 0
        elif self.fifo:
            self.split_lots(numerator, denominator)
        self.units = units
        self.mark = mark
        return units - self.instrument.round_quantity_raw(units)

    cdef int split_lots(self, int64_t numerator, int64_t denominator) except -1:
        """Restate where each lot ends, counted from the oldest unit; its cost goes with it.

        Ends between two units are rounded down, so that all lots together are what is held, and
        none gains or loses a whole unit however many there are. A lot of which no unit is left
        gives its cost to the next one, the newest to the one before.
        """
        cdef Py_ssize_t i, kept = 0
        cdef int64_t old_end = 0, end = 0, new_end
        cdef int128 cost = 0
        cdef Lot* lots = self.lots + self.lot_head
        for i in range(self.lot_count):
            old_end += lots[i].quantity
            new_end = i128_to_i64(i128_muldiv(old_end, numerator, denominator, TOWARD_ZERO))
            cost = i128_add(cost, lots[i].cost)
            if new_end == end:
                continue
            lots[kept].quantity = new_end - end
            lots[kept].cost = cost
            kept += 1
            end, cost = new_end, 0
        lots[kept - 1].cost = i128_add(lots[kept - 1].cost, cost)
        self.lot_count = kept
        return 0

    cdef int128 value(self) except? -1:
        """Signed market value at the last price, in 1e-18."""
        return i128_notional(self.mark, self.units, self.instrument.factor)

    # -- face ----------------------------------------------------------------------------------

    def apply(self, fill):
        """Fold one fill into the position and return what it realized.

        Parameters
        ----------
        fill : Fill
            For this instrument, and not older than the last fill applied.

        Returns
        -------
        float
            Profit or loss net of the fee, quote currency.

        Raises
        ------
        InstrumentMismatch
            If the fill is for another instrument; nothing is changed.
        OverflowError
            If a product leaves the 128-bit range; nothing is changed.
        """
        from_fill = fill.raw_for(self.instrument)
        side, quantity, price, fee = from_fill
        return i128_to_double(self.fill(side, quantity, price, money_from_object(fee)))

    def apply_split(self, int64_t numerator, int64_t denominator=1):
        """Turn `denominator` old units into `numerator` new ones; the cost stays with them.

        A whole that falls between two units is rounded toward zero, and so is the end of each lot
        counted from the oldest unit. The cost of a holding of which no unit is left is realized.

        Returns
        -------
        Decimal
            Signed quantity that does not fill a step of the instrument: still held, and for a
            broker to pay out.

        Raises
        ------
        ConfigError
            If a number is not positive; nothing is changed.
        OverflowError
            If the units or the last price leave the 64-bit range; nothing is changed.

        Examples
        --------
        >>> from pyrt.core.orders import Fill
        >>> position = Position(Instrument("AAPL", step_size="1"))
        >>> position.apply(Fill(position.instrument, "buy", 5, "100.00"))
        0.0
        >>> position.apply_split(3, 2), position.quantity, position.cost_basis
        (Decimal('0.5'), 7.5, 500.0)
        """
        if numerator <= 0 or denominator <= 0:
            raise ConfigError(
                f"a split of {denominator} into {numerator}; expected two numbers above 0"
            )
        return decimal_from_scaled(self.split(numerator, denominator), self.instrument.decimals)

    @property
    def symbol(self):
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def quantity(self):
        """Signed quantity held, as a float."""
        return self.instrument.quantity_float(self.units)

    @property
    def quantity_exact(self):
        """Signed quantity held, as a Decimal."""
        return decimal_from_scaled(self.units, self.instrument.decimals)

    @property
    def working_quantity(self):
        """Signed quantity of working orders: buys minus sells, leaves only."""
        return self.instrument.quantity_float(self.buy_working - self.sell_working)

    @property
    def side(self):
        """Side.BUY when long, Side.SELL when short, None when no units are held."""
        return None if self.units == 0 else Side.BUY if self.units > 0 else Side.SELL

    @property
    def is_flat(self):
        """No units held, and no order of this owner working or unknown in the symbol."""
        return self.flat()

    @property
    def is_long(self):
        """More than zero units held."""
        return self.units > 0

    @property
    def is_short(self):
        """Less than zero units held."""
        return self.units < 0

    @property
    def average_price(self):
        """Open cost per unit held, as a float; NaN without units."""
        if self.units == 0:
            return float("nan")
        return i128_to_double(self.open_cost) / self.quantity / self.instrument.multiplier

    @property
    def last_price(self):
        """Price of the last mark; NaN before the first."""
        return nano_to_double(self.mark) if self.mark else float("nan")

    @property
    def cost_basis(self):
        """Signed cost of the open units, quote currency."""
        return i128_to_double(self.open_cost)

    @property
    def cost_basis_exact(self):
        """Signed cost of the open units, as a Decimal."""
        return decimal_from_scaled(i128_to_int(self.open_cost), 18)

    @property
    def market_value(self):
        """Signed value of the open units at the last price, quote currency."""
        return i128_to_double(self.value())

    @property
    def market_value_exact(self):
        """Signed value of the open units at the last price, as a Decimal."""
        return decimal_from_scaled(i128_to_int(self.value()), 18)

    @property
    def realized_pnl(self):
        """Profit or loss of closed units, net of all fees, quote currency."""
        return i128_to_double(self.realized)

    @property
    def realized_pnl_exact(self):
        """Profit or loss of closed units, net of all fees, as a Decimal."""
        return decimal_from_scaled(i128_to_int(self.realized), 18)

    @property
    def unrealized_pnl(self):
        """Market value minus cost of the open units, quote currency."""
        return i128_to_double(i128_sub(self.value(), self.open_cost))

    @property
    def unrealized_pnl_exact(self):
        """Market value minus cost of the open units, as a Decimal."""
        return decimal_from_scaled(i128_to_int(i128_sub(self.value(), self.open_cost)), 18)

    @property
    def unrealized_pnl_percent(self):
        """Unrealized profit or loss in percent of the cost basis; NaN without units."""
        if self.open_cost == 0:
            return float("nan")
        return 100.0 * self.unrealized_pnl / abs(i128_to_double(self.open_cost))

    @property
    def realized_pnl_percent(self):
        """Realized profit or loss in percent of the value of all entries; NaN before the first."""
        if self.entered_notional == 0:
            return float("nan")
        return 100.0 * i128_to_double(self.realized) / i128_to_double(self.entered_notional)

    @property
    def total_fees(self):
        """Fees paid since the start, quote currency."""
        return i128_to_double(self.fees)

    def to_dict(self):
        """Return the position as plain values; exact numbers as text."""
        return {
            "symbol": self.instrument.id, "strategy": self.strategy,
            "quantity": str(self.quantity_exact), "cost_basis": str(self.cost_basis_exact),
            "realized_pnl": str(self.realized_pnl_exact), "last_price": self.last_price,
            "market_value": str(self.market_value_exact),
            "unrealized_pnl": str(self.unrealized_pnl_exact),
        }

    def __repr__(self):
        return (
            f"Position({self.instrument.id!r}, quantity={self.quantity:g}, "
            f"average_price={self.average_price:g}, realized_pnl={self.realized_pnl:.2f})"
        )

"""What an account can pay for: shortfalls, the largest affordable quantity, and refusals."""
cimport cython

from pyrt.core.account_books cimport CASH_ACCOUNT
from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, i128_from_int, i128_muldiv, i128_neg, i128_notional, i128_sub, i128_to_int,
)
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object


cdef str money(int128 raw):
    """An amount for a message, rounded away from zero to the cent."""
    cents = i128_to_int(i128_muldiv(raw, 1, 10_000_000_000_000_000, AWAY_FROM_ZERO))
    return f"{decimal_from_scaled(cents, 2):,.2f}"


@cython.final
cdef class Means:
    """Asks an account what an execution would leave, fee included.

    Parameters
    ----------
    account : Account
    fees : FeeModel
    """

    def __init__(self, Account account, FeeModel fees):
        self.account = account
        self.fees = fees
        self.reserves = account.kind != CASH_ACCOUNT
        self.held = {}

    cdef int128 fee(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                    int64_t ts) except? -1:
        return self.fees.fee(
            order.instrument, order.side, quantity, price, liquidity, ts, order.filled
        )

    cdef int128 missing(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                        int64_t ts) except? -1:
        """What the account lacks for this execution and its fee; <= 0 when it can be afforded."""
        return self.account.shortfall(
            order.index, order.side, quantity, price,
            self.fee(order, quantity, price, liquidity, ts),
        )

    cdef int64_t affordable(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                            int64_t ts) except? -1:
        """The largest quantity, on the step, that the account can pay for; fees included.

        A larger quantity never costs less, so bisection finds it.
        """
        cdef int64_t step = order.instrument.step, middle
        cdef int64_t low = 0, high = (quantity + step - 1) // step
        while high - low > 1:
            middle = low + (high - low) // 2
            if self.missing(order, middle * step, price, liquidity, ts) <= 0:
                low = middle
            else:
                high = middle
        return low * step

    cdef str refusal(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                     int64_t ts):
        """Why an execution cannot be afforded, with the numbers."""
        cdef Instrument instrument = order.instrument
        cdef int128 notional = i128_notional(price, quantity, instrument.factor)
        cdef int128 fee = self.fee(order, quantity, price, liquidity, ts)
        cdef int128 missing = self.missing(order, quantity, price, liquidity, ts)
        return (
            f"insufficient_buying_power: {'buying' if order.side > 0 else 'selling'} "
            f"{instrument.quantity_float(quantity):g} {instrument.id} at "
            f"{decimal_from_scaled(price, 9)} is {money(notional)} {instrument.currency} plus "
            f"{money(fee)} fees, {money(missing)} more than the account can cover"
        )

    # -- orders that wait ----------------------------------------------------------------------

    cdef int128 reserve_of(self, VenueOrder order, int64_t last) except? -1:
        if order.done or order.held or order.reduce_only:
            return 0
        if order.units == 0 and order.notional != 0:
            return money_from_object(self.account.reserves_value(
                order.instrument,
                decimal_from_scaled(order.side * i128_to_int(order.notional), 18),
                last_price=decimal_from_scaled(last, 9),
            ))
        return self.account.reserve_of(
            order.instrument, order.side, order.leaves(), order.limit_price, order.stop_price,
            last,
        )

    cdef str admit(self, VenueOrder order, int64_t last):
        """Reserve what an order that arrives will cost, or say why it cannot be carried.

        What nothing is lent on needs cash, shorts need an account that may borrow.
        """
        cdef int128 value = self.reserve_of(order, last), power
        cdef Instrument instrument = order.instrument
        cdef bint lent = self.account.holdings[order.index].lends
        if value == 0:
            return None
        if order.side < 0 and not (lent and self.account.shorts()):
            return f"not_shortable: this account may not sell {instrument.id} short"
        power = self.account.power_raw() if lent else self.account.unmargined_raw()
        power = i128_sub(power, self.account.reserved)
        if value > power:
            return (
                f"insufficient_buying_power: {'buying' if order.side > 0 else 'selling'} "
                f"{instrument.quantity_float(order.leaves()):g} {instrument.id} reserves "
                f"{money(value)} {self.account.base_currency}, and the buying power is "
                f"{money(power if power > 0 else 0)}"
            )
        self.account.reserve(value)
        self.held[order.number] = i128_to_int(value)
        return None

    cdef int follow(self, VenueOrder order, int64_t last) except -1:
        """Reserve anew after a fill, a change, or when an exit begins to work."""
        cdef int128 value = self.reserve_of(order, last)
        self.release(order.number)
        if value != 0:
            self.account.reserve(value)
            self.held[order.number] = i128_to_int(value)
        return 0

    cdef int release(self, int32_t number) except -1:
        """Free what an order has reserved."""
        value = self.held.pop(number, 0)
        if value:
            self.account.reserve(i128_neg(i128_from_int(value)))
        return 0

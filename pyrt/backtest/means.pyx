"""What an account can pay for: shortfalls, the largest affordable quantity, and refusals."""
cimport cython

from pyrt.core.int128 cimport AWAY_FROM_ZERO, i128_muldiv, i128_notional, i128_to_int
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport decimal_from_scaled


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

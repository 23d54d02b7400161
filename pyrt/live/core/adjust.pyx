"""Changes of what strategies hold that no fill made: splits, busts, prices stated by a broker."""
from libc.stdint cimport int64_t

from pyrt.core.int128 cimport i128_sub
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport money_from_object, nano_from_object
from pyrt.core.positions cimport Position
from pyrt.kernel.kernel cimport Kernel
from pyrt.live.core.restore cimport begin_trip, number_of

from decimal import Decimal


def adjust_position(Kernel kernel not None, str strategy, str symbol, quantity, amount, *,
                    bint is_split=False, bint restates=True):
    """Change a holding; cash is somebody else's to change.

    Parameters
    ----------
    quantity : number or str
        Signed units that are gained.
    amount : number or str
        What cash gains by it: the cost of the holding falls by that, unless `is_split`, whose cost
        stays with the units. What is left of the cost of a holding that is gone is realized.
    restates : bool
        Whether a split restates what else there is of the symbol: what risk knows of its prices,
        and orders that are kept here, or wait. Once for a split, with the last of those who hold
        it.

    Returns
    -------
    Position

    Raises
    ------
    JournalError
        If there is no such strategy; nothing is changed.
    """
    cdef Position position = kernel.cache.position(number_of(kernel, strategy), symbol)
    cdef int64_t held = position.units
    cdef int64_t units = held + position.instrument.quantity_raw(quantity)
    cdef Py_ssize_t index = position.instrument.index
    cdef int64_t before
    # What is gone, or has changed sides, was no split.
    is_split = is_split and held != 0 and units != 0 and (held > 0) == (units > 0)
    if is_split:
        position.split(abs_of(units), abs_of(held))
    else:
        if position.mark == 0 and units != held:
            # What no market has shown a price of yet is worth what it was traded at.
            position.mark = kernel.account.holdings[index].mark or price_of(quantity, amount)
        position.units = units
        position.open_cost = i128_sub(position.open_cost, money_from_object(amount))
        if units == 0:
            position.realized = i128_sub(position.realized, position.open_cost)
            position.open_cost = 0
    before = kernel.account.holdings[index].units
    kernel.account.set_units(index, before + position.units - held, position.mark)
    if is_split:
        # What was carried is the account's, of all who hold: its ratio counts once.
        kernel.account.split_carried(
            index, before, abs_of(units) if restates else 1, abs_of(held) if restates else 1
        )
    begin_trip(position)
    kernel.curve.touch()
    if is_split and restates:
        kernel.restate(index, abs_of(units), abs_of(held))
        kernel.deliver()
    return position


cdef int64_t price_of(object quantity, object amount) except? -1:
    return nano_from_object(round(abs(Decimal(str(amount)) / Decimal(str(quantity))), 9))


cdef int64_t abs_of(int64_t units) noexcept:
    return units if units > 0 else -units


def mark_holding(Kernel kernel not None, str symbol, price):
    """Value what is held of a symbol at a price, before the market has shown one to us."""
    cdef Instrument instrument = kernel.cache.instrument(symbol)
    cdef Position position
    cdef int64_t raw = nano_from_object(price)
    kernel.account.set_mark(instrument.index, raw)
    for position in kernel.cache.by_instrument[instrument.index]:
        position.mark = raw
    kernel.curve.touch()

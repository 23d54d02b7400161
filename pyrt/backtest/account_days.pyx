"""Days of the account: what the broker charges and settles when a session ends."""
from pyrt.core.events cimport clear_event
from pyrt.core.int128 cimport i128_from_int
from pyrt.core.types cimport EV_CASH, EV_RATE
from pyrt.execution.booking cimport BORROW_FEE, INTEREST


cdef int apply_to_account(SimVenue venue, Kernel kernel, Event* event) except -1:
    """Let the broker's books and ours take in a day's end or a currency's rate.

    What the broker charges reaches us as movements of cash, so both agree whatever is under way.
    """
    cdef Event charge
    if event.kind == EV_RATE:
        venue.account.rate[event.fee_currency] = event.price
        return kernel.process(event)
    for what, index, currency, amount in venue.account.end_day(<int>event.quantity):
        clear_event(&charge)
        charge.kind = EV_CASH
        charge.ts_event = charge.ts_init = event.ts_event
        charge.quantity = INTEREST if what == "interest" else BORROW_FEE
        charge.instrument = index
        charge.fee_currency = currency
        charge.fee = i128_from_int(amount)
        kernel.process(&charge)
    return kernel.process(event)

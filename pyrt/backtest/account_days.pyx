"""Days of the account: what the broker charges and settles when a session ends."""
from pyrt.backtest.book cimport VenueBook
from pyrt.core.events cimport clear_event
from pyrt.core.int128 cimport i128_from_int, i128_neg, i128_to_int, int128
from pyrt.core.margin cimport Holding
from pyrt.core.numbers cimport money_from_object, nano_to_double
from pyrt.core.types cimport EV_CASH, EV_RATE
from pyrt.execution.booking cimport BORROW_FEE, INTEREST


cdef int charge_shorts(SimVenue venue, int nights, list charges) except -1:
    """Charge what a model of one's own asks for the shorts that are held."""
    cdef VenueBook book
    cdef Holding* holding
    cdef int128 amount
    for book in venue.books:
        holding = &venue.account.holdings[book.instrument.index]
        if holding.units >= 0:
            continue
        amount = i128_neg(money_from_object(venue.borrow(
            book.instrument, book.instrument.quantity_float(-holding.units),
            nano_to_double(holding.mark), nights,
        )))
        if amount != 0:
            venue.account.pay(holding.currency, amount)
            charges.append(
                ("borrow", book.instrument.index, holding.currency, i128_to_int(amount))
            )
    return 0


cdef int apply_to_account(SimVenue venue, Kernel kernel, Event* event) except -1:
    """Let the broker's books and ours take in a day's end or a currency's rate.

    What the broker charges reaches us as movements of cash, so both agree whatever is under way.
    """
    cdef Event charge
    cdef list charges = []
    if event.kind == EV_RATE:
        venue.account.take_rate(event.fee_currency, event.price)
        return kernel.process(event)
    if venue.borrow is not None and event.quantity > 0:
        charge_shorts(venue, <int>event.quantity, charges)
    charges += venue.account.end_day(<int>event.quantity)
    for what, index, currency, amount in charges:
        clear_event(&charge)
        charge.kind = EV_CASH
        charge.ts_event = charge.ts_init = event.ts_event
        charge.quantity = INTEREST if what == "interest" else BORROW_FEE
        charge.instrument = index
        charge.fee_currency = currency
        charge.fee = i128_from_int(amount)
        kernel.process(&charge)
    return kernel.process(event)

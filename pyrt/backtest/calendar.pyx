"""What the calendar brings: corporate actions, halts, bands, auctions, days of the account."""
from libc.math cimport INFINITY
from libc.stdint cimport INT64_MAX

from pyrt.backtest.account_days cimport apply_to_account
from pyrt.backtest.auctions cimport meet_auction, reopen
from pyrt.backtest.book cimport VenueBook
from pyrt.backtest.corporate cimport apply_action
from pyrt.core.events cimport Event, clear_event
from pyrt.core.numbers cimport nano_to_double
from pyrt.core.types cimport (
    EV_CUSTOM, EV_DAY_END, EV_DIVIDEND, EV_RATE, EV_SPLIT, EV_STATUS, ST_HALTED, ST_TRADING,
)

cdef dict KINDS = {
    "split": EV_SPLIT, "dividend": EV_DIVIDEND, "day_end": EV_DAY_END, "rate": EV_RATE,
    "halt": EV_STATUS, "resume": EV_STATUS, "status": EV_STATUS, "auction": EV_CUSTOM,
    "reopen": EV_CUSTOM, "band": EV_CUSTOM,
}
# What a custom row is, in an event's flags.
cdef int AUCTION = 0
cdef int REOPENING = 1
cdef int BAND = 2
# A status that only says how the touch stands to the price bands.
cdef int OF_BANDS = 1
cdef dict CUSTOM = {"auction": AUCTION, "reopen": REOPENING, "band": BAND}


cdef int apply_row(SimVenue venue, Kernel kernel, object row, int64_t now) except -1:
    """Let the venue, then the kernel, take in a row (ts, kind, instrument, number, number)."""
    cdef Event event
    read_row(kernel, row, &event)
    if event.kind == EV_DAY_END or event.kind == EV_RATE:
        return apply_to_account(venue, kernel, &event)
    if event.kind == EV_STATUS:
        return change_status(venue, kernel, &event, now)
    if event.kind == EV_CUSTOM:
        return band_or_auction(venue, kernel, &event, now)
    apply_action(venue, &event)
    return kernel.process(&event)


cdef int read_row(Kernel kernel, object row, Event* event) except -1:
    ts, kind, instrument, first, second = row
    clear_event(event)
    event.kind = KINDS[kind]
    event.instrument = instrument
    event.ts_event = event.ts_init = ts
    if event.kind == EV_STATUS:
        if kind == "status":
            event.flags = first
            event.quantity = OF_BANDS
            first = "price bands"
        else:
            event.flags = ST_HALTED if kind == "halt" else ST_TRADING
        event.reason = kernel.records.texts.number(first)
        return 0
    if event.kind == EV_CUSTOM:
        event.flags = CUSTOM[kind]
        first, second = second, first
    event.quantity = first
    event.price = second
    event.fee_currency = first if kind == "rate" else 0
    return 0


cdef int change_status(SimVenue venue, Kernel kernel, Event* event, int64_t now) except -1:
    """Stop or resume trading, or say how a symbol stands to its price bands."""
    cdef VenueBook book = venue.books[event.instrument]
    venue.now = now
    if event.quantity == OF_BANDS:
        # A halt for another reason is not the bands' to end.
        return 0 if book.halted else kernel.process(event)
    venue.set_status(
        event.instrument, event.flags == ST_HALTED, kernel.records.texts.names[event.reason]
    )
    return kernel.process(event)


cdef int band_or_auction(SimVenue venue, Kernel kernel, Event* event, int64_t now) except -1:
    """Set price bands, or let orders meet an auction."""
    cdef VenueBook book = venue.books[event.instrument]
    if event.flags == BAND:
        kernel.tell_bands(
            book.instrument.symbol, nano_to_double(event.price),
            INFINITY if event.quantity == INT64_MAX else nano_to_double(event.quantity),
            event.ts_event,
        )
        return venue.set_bands(event.instrument, event.price, event.quantity)
    if event.flags == REOPENING:
        return reopen(venue, book, event.price, event.quantity, now)
    return meet_auction(venue, book, event.price, event.quantity, now)

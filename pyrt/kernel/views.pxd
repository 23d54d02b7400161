"""The objects handlers are given, made from an event when a handler needs one."""
from pyrt.core.data cimport Bar, Quote, Trade
from pyrt.core.events cimport Event
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport EV_BAR, EV_BOOK, EV_QUOTE


cdef inline Bar bar_of(Stream stream, Event* event):
    cdef Bar bar = Bar.__new__(Bar)
    bar.symbol = stream.symbol
    bar.timeframe = stream.timeframe
    write_bar(bar, event)
    return bar


cdef inline void write_bar(Bar bar, Event* event) noexcept:
    """Let a bar of the event's stream show the event."""
    bar.open = event.values[0]
    bar.high = event.values[1]
    bar.low = event.values[2]
    bar.close = event.values[3]
    bar.volume = event.values[4]
    bar.ts_open = event.ts_open
    bar.ts_event = event.ts_event
    bar.ts_init = event.ts_init


cdef inline Quote quote_of(Stream stream, Event* event):
    cdef Quote quote = Quote.__new__(Quote)
    quote.symbol = stream.symbol
    write_quote(quote, event)
    return quote


cdef inline void write_quote(Quote quote, Event* event) noexcept:
    """Let a quote of the event's stream show the event."""
    quote.bid_price = event.values[0]
    quote.bid_size = event.values[1]
    quote.ask_price = event.values[2]
    quote.ask_size = event.values[3]
    quote.ts_event = event.ts_event
    quote.ts_init = event.ts_init


cdef inline Trade trade_of(Stream stream, Event* event):
    cdef Trade trade = Trade.__new__(Trade)
    trade.symbol = stream.symbol
    write_trade(trade, event)
    return trade


cdef inline void write_trade(Trade trade, Event* event) noexcept:
    """Let a trade of the event's stream show the event."""
    trade.price = event.values[0]
    trade.size = event.values[1]
    trade.aggressor = event.quantity
    trade.ts_event = event.ts_event
    trade.ts_init = event.ts_init


cdef inline object view_of(Stream stream, Event* event):
    """Make what a handler of this event is given."""
    if event.kind == EV_BAR:
        return bar_of(stream, event)
    if event.kind == EV_BOOK:
        return stream.book
    return quote_of(stream, event) if event.kind == EV_QUOTE else trade_of(stream, event)

"""What the kernel knows now, by number and by name: instruments, streams, positions, orders."""
cimport cython

from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport ACCEPTED, LIMIT, PARTIALLY_FILLED, TRIGGERED

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError, UnknownName

cdef tuple RESTING = (ACCEPTED, TRIGGERED, PARTIALLY_FILLED)


@cython.final
cdef class Cache:
    """Every lookup here is O(1) in the number of orders, closed ones included."""

    def __init__(self, *, bint keep_closed=False, str cost="average"):
        self.instruments = []
        self.by_name = {}
        self.streams = []
        self.stream_by_topic = {}
        self.books = []
        self.slots = []
        self.by_instrument = []
        self.by_number = []
        self.open_by_strategy = []
        self.keep_closed = keep_closed
        self.cost = cost

    def add_instrument(self, Instrument instrument):
        """Give the instrument its dense index; ConfigError if its id is taken by another."""
        known = self.by_name.get(instrument.id)
        if known is instrument:
            return instrument
        if known is not None and known.id == instrument.id:
            raise ConfigError(f"instrument {instrument.id!r} is defined twice")
        instrument.bind(len(self.instruments))
        self.instruments.append(instrument)
        self.by_instrument.append([])
        self.by_name[instrument.id] = instrument
        if instrument.venue:
            # A bare symbol is accepted while only one venue lists it.
            bare = self.by_name.get(instrument.symbol)
            self.by_name[instrument.symbol] = instrument if bare is None else False
        return instrument

    def add_strategy(self):
        """Make room for one more strategy and return its number."""
        self.books.append({})
        self.slots.append([])
        self.open_by_strategy.append({})
        return len(self.books) - 1

    def add_stream(self, Stream stream):
        """Register a stream under its topic."""
        self.streams.append(stream)
        self.stream_by_topic[stream.topic] = stream

    def stream(self, str topic):
        """Return the stream of a topic, or None."""
        return self.stream_by_topic.get(topic)

    # -- market data ---------------------------------------------------------------------------

    def bars(self, str symbol, str timeframe):
        """Return the last bars, of a timeframe or of a name, that a strategy keeps.

        Raises
        ------
        ConfigError
            If none are kept.
        """
        return self.kept("bars", symbol, timeframe)

    def trades(self, str symbol):
        """Return the last trades that a strategy keeps; ConfigError if none are kept."""
        return self.kept("trades", symbol, "")

    def quotes(self, str symbol):
        """Return the last quotes that a strategy keeps; ConfigError if none are kept."""
        return self.kept("quotes", symbol, "")

    def quote(self, str symbol):
        """Return the last quote; None before the first, ConfigError if quotes are not kept."""
        return self.kept("quotes", symbol, "").last

    def trade(self, str symbol):
        """Return the last trade; None before the first, ConfigError if trades are not kept."""
        return self.kept("trades", symbol, "").last

    def book(self, str symbol):
        """Return the OrderBook as it is known now; None where no book events come."""
        cdef Instrument instrument = self.find(symbol)
        cdef Stream stream
        for stream in self.streams:
            if stream.kind == "book" and stream.instrument is instrument:
                stream.catch_up()
                return stream.book
        return None

    cdef Recent kept(self, str kind, str symbol, str timeframe):
        cdef Instrument instrument = self.find(symbol)
        cdef Stream stream
        for stream in self.streams:
            if (stream.instrument is instrument and stream.kind == kind
                    and stream.timeframe == timeframe and stream.recent is not None):
                return stream.recent
        given = repr(symbol) + (f", {timeframe!r}" if kind == "bars" else "")
        raise ConfigError(
            f"{timeframe} {kind} of {symbol} are not kept".lstrip(),
            remedy=f"Call self.keep_{kind}({given}) in on_start",
        )

    def own_orders(self, str symbol):
        """Return (side, price, quantity) of our own orders that rest in a symbol, oldest first.

        Those of all strategies that the venue has shown to rest: limits, and stops and if-touched
        orders with a limit once they are triggered. Of an iceberg it is what is shown.
        """
        cdef Order order
        found = []
        for order in self.orders_open(None, symbol):
            if order.limit_price_raw == no_price() or order.status_ not in RESTING:
                continue
            if order.type != LIMIT and order.status_ == ACCEPTED:
                continue
            left = order.quantity - order.filled_quantity
            if order.display:
                left = min(left, order.instrument.quantity_float(order.display))
            found.append(("buy" if order.side_sign > 0 else "sell", order.limit_price, left))
        return found

    # -- instruments and positions -------------------------------------------------------------

    def instrument(self, str name):
        """Return the instrument of a symbol or id; UnknownName with a suggestion otherwise."""
        return self.find(name)

    cdef Instrument find(self, str name):
        found = self.by_name.get(name)
        if found is None:
            raise UnknownName(
                f"no instrument {name!r} in this run",
                remedy=did_you_mean(str(name), [str(n) for n in self.by_name]),
                name=name,
            )
        if found is False:
            raise UnknownName(
                f"{name!r} is listed on several venues",
                remedy="Write it as SYMBOL.VENUE", name=name,
            )
        return found

    cdef Position position(self, int32_t strategy, str symbol):
        cdef dict book = <dict>self.books[strategy]
        found = book.get(symbol)
        if found is None:
            found = self.position_at(strategy, self.find(symbol))
            book[symbol] = found
        return <Position>found

    cdef Position position_at(self, int32_t strategy, Instrument instrument):
        cdef list slots = <list>self.slots[strategy]
        while len(slots) <= instrument.index:
            slots.append(None)
        found = slots[instrument.index]
        if found is None:
            found = Position(instrument, strategy, cost=self.cost)
            (<Position>found).mark = self.last_mark(instrument)
            slots[instrument.index] = found
            (<list>self.by_instrument[instrument.index]).append(found)
            (<dict>self.books[strategy])[instrument.id] = found
        return <Position>found

    cdef int64_t last_mark(self, Instrument instrument) except? -1:
        """The last price that marks an instrument's positions, in 1e-9; 0 before the first."""
        cdef Stream stream
        for stream in self.streams:
            if stream.marks and stream.instrument is instrument:
                return nano_from_double(stream.last_price)
        return 0

    def positions_in(self, Instrument instrument):
        """Return the list of Positions that exist in an instrument, kept up to date here."""
        return self.by_instrument[instrument.index]

    def positions(self, strategy=None, symbol=None):
        """Return Positions with units, of one strategy or of all, of one symbol or of all."""
        chosen = range(len(self.slots)) if strategy is None else (strategy,)
        if symbol is not None:
            index = self.find(symbol).index
            found = [self.slots[s][index] for s in chosen if index < len(self.slots[s])]
        else:
            found = [p for s in chosen for p in self.slots[s]]
        return [p for p in found if p is not None and (<Position>p).units != 0]

    def all_positions(self):
        """Return every Position there has been, those without units too."""
        return [p for slots in self.slots for p in slots if p is not None]

    def orders_open(self, strategy=None, symbol=None):
        """Return open Orders, oldest first, of one strategy or of all, of one symbol or of all."""
        if strategy is not None:
            orders = list(self.open_by_strategy[strategy].values())
        else:
            orders = [o for owned in self.open_by_strategy for o in owned.values()]
            orders.sort(key=lambda o: (<Order>o).number)
        if symbol is None:
            return orders
        instrument = self.find(symbol)
        return [o for o in orders if (<Order>o).instrument is instrument]

    cdef int add_order(self, Order order) except -1:
        # A list, since numbers are dense: a dictionary costs several times as much an order.
        while len(self.by_number) <= order.number:
            self.by_number.append(None)
        self.by_number[order.number] = order
        (<dict>self.open_by_strategy[order.position.strategy])[order.number] = order
        return 0

    cdef int drop_order(self, Order order) except -1:
        (<dict>self.open_by_strategy[order.position.strategy]).pop(order.number, None)
        if not self.keep_closed:
            self.by_number[order.number] = None
        return 0

    @property
    def order_count(self):
        """The number that the next order gets: they are dense, and begin at 1."""
        return len(self.by_number)

    def release(self, int32_t number):
        """Keep a closed order no longer; whoever holds it has it still.

        Returns
        -------
        bool
            False, and nothing is changed, while it or one that belongs to it is open.
        """
        cdef Order order = self.order(number)
        if order is None:
            return True
        for one in (order, order.parent, order.sibling, order.take_profit, order.stop_loss):
            if one is not None and self.is_open(<Order>one):
                return False
        self.by_number[number] = None
        return True

    cdef bint is_open(self, Order order) except -1:
        if not self.keep_closed:
            return self.order(order.number) is order
        return order.number in <dict>self.open_by_strategy[order.position.strategy]

    cdef Order order(self, int32_t number):
        """Return an order by number; None when it is closed and not kept."""
        return <Order>self.by_number[number] if 0 <= number < len(self.by_number) else None

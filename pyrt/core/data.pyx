"""Market data as handlers see it: immutable views made one per event."""
cimport cython


@cython.final
@cython.no_gc
@cython.freelist(32)
cdef class Bar:
    """One bar, [ts_open, ts_event); known only at its end, `ts_event`."""

    FIELDS = (
        "symbol", "timeframe", "open", "high", "low", "close", "volume", "ts_open", "ts_event",
        "ts_init",
    )

    def __init__(self, str symbol, str timeframe, double open, double high, double low,
                 double close, double volume, int64_t ts_open, int64_t ts_event,
                 int64_t ts_init=-1):
        self.symbol = symbol
        self.timeframe = timeframe
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.ts_open = ts_open
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, Bar) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return Bar, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"Bar({fields})"


@cython.final
@cython.no_gc
@cython.freelist(32)
cdef class Quote:
    """Best bid and offer; a missing side is NaN."""

    FIELDS = ("symbol", "bid_price", "bid_size", "ask_price", "ask_size", "ts_event", "ts_init")

    def __init__(self, str symbol, double bid_price, double bid_size, double ask_price,
                 double ask_size, int64_t ts_event, int64_t ts_init=-1):
        self.symbol = symbol
        self.bid_price = bid_price
        self.bid_size = bid_size
        self.ask_price = ask_price
        self.ask_size = ask_size
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, Quote) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return Quote, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"Quote({fields})"


@cython.final
@cython.no_gc
@cython.freelist(32)
cdef class Trade:
    """A print on the market."""

    FIELDS = ("symbol", "price", "size", "aggressor", "ts_event", "ts_init")

    def __init__(self, str symbol, double price, double size, int aggressor, int64_t ts_event,
                 int64_t ts_init=-1):
        self.symbol = symbol
        self.price = price
        self.size = size
        self.aggressor = aggressor
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, Trade) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return Trade, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"Trade({fields})"


@cython.final
@cython.no_gc
@cython.freelist(32)
cdef class BookDelta:
    """One change of an order book."""

    FIELDS = (
        "symbol", "action", "side", "price", "size", "order_id", "flags", "sequence", "ts_event",
        "ts_init",
    )

    def __init__(self, str symbol, str action, str side, double price, double size,
                 int64_t order_id, int flags, int64_t sequence, int64_t ts_event,
                 int64_t ts_init=-1):
        self.symbol = symbol
        self.action = action
        self.side = side
        self.price = price
        self.size = size
        self.order_id = order_id
        self.flags = flags
        self.sequence = sequence
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, BookDelta) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return BookDelta, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"BookDelta({fields})"


@cython.final
@cython.no_gc
cdef class Status:
    """A change of a symbol"s trading state."""

    FIELDS = ("symbol", "status", "reason", "ts_event", "ts_init")

    def __init__(self, str symbol, str status, str reason, int64_t ts_event, int64_t ts_init=-1):
        self.symbol = symbol
        self.status = status
        self.reason = reason
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, Status) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return Status, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"Status({fields})"


@cython.final
@cython.no_gc
cdef class CorporateAction:
    """A split or a cash dividend, in force from `ts_event` on."""

    FIELDS = ("symbol", "kind", "numerator", "denominator", "amount", "ts_event", "ts_init")

    def __init__(self, str symbol, str kind, int64_t numerator, int64_t denominator,
                 double amount, int64_t ts_event, int64_t ts_init=-1):
        self.symbol = symbol
        self.kind = kind
        self.numerator = numerator
        self.denominator = denominator
        self.amount = amount
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, CorporateAction) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return CorporateAction, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"CorporateAction({fields})"


@cython.final
cdef class CustomData:
    """Any other timed data; `value` must survive MessagePack to be recorded."""

    FIELDS = ("name", "value", "ts_event", "ts_init")

    def __init__(self, str name, value, int64_t ts_event, int64_t ts_init=-1):
        self.name = name
        self.value = value
        self.ts_event = ts_event
        self.ts_init = ts_event if ts_init < 0 else ts_init

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, CustomData) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return CustomData, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"CustomData({fields})"


@cython.final
@cython.no_gc
cdef class Signal:
    """A wish of a model or another process, sent over the bus."""

    FIELDS = ("symbol", "side", "quantity", "confidence", "ts_event")

    def __init__(self, str symbol, str side, double quantity, double confidence, int64_t ts_event):
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.confidence = confidence
        self.ts_event = ts_event

    def to_dict(self):
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return isinstance(other, Signal) and self.to_dict() == other.to_dict()

    def __hash__(self):
        return hash((self.FIELDS, tuple(map(repr, self.to_dict().values()))))

    def __reduce__(self):
        return Signal, tuple(getattr(self, name) for name in self.FIELDS)

    def __repr__(self):
        fields = ", ".join(f"{k}={v!r}" for k, v in self.to_dict().items())
        return f"Signal({fields})"

"""What outlives a handler: rows in growable columns, and the texts they point to."""
cimport cython
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset
from cpython.bytes cimport PyBytes_FromStringAndSize

# int128 fields are two little-endian words, low first.
ORDER_DTYPE = [
    ("ts_init", "<i8"), ("ts_last", "<i8"), ("quantity", "<i8"), ("filled", "<i8"),
    ("limit_price", "<i8"), ("stop_price", "<i8"), ("instrument", "<i4"), ("strategy", "<i4"),
    ("tag", "<i4"), ("reason", "<i4"), ("parent", "<i4"), ("type", "u1"),
    ("time_in_force", "u1"), ("status", "u1"), ("side", "i1"),
]
ORDER_EVENT_DTYPE = [
    ("ts_event", "<i8"), ("value", "<i8"), ("order", "<i4"), ("kind", "u1"), ("status", "u1"),
    ("reserved", "<i2"),
]
FILL_DTYPE = [
    ("fee_low", "<u8"), ("fee_high", "<i8"),
    ("ts_event", "<i8"), ("quantity", "<i8"), ("price", "<i8"), ("position", "<i8"),
    ("taken", "<i8"), ("reserved", "<i8"),
    ("order", "<i4"), ("instrument", "<i4"), ("bar", "<i4"), ("strategy", "<i2"),
    ("flags", "u1"), ("side", "i1"),
]
TRIP_DTYPE = [
    ("entry_notional_low", "<u8"), ("entry_notional_high", "<i8"),
    ("exit_notional_low", "<u8"), ("exit_notional_high", "<i8"),
    ("pnl_low", "<u8"), ("pnl_high", "<i8"), ("fees_low", "<u8"), ("fees_high", "<i8"),
    ("entry_time", "<i8"), ("exit_time", "<i8"), ("quantity", "<i8"), ("instrument", "<i4"),
    ("strategy", "<i4"), ("bars", "<i4"), ("tag", "<i4"), ("side", "<i4"), ("reserved", "<i4"),
]
LEDGER_DTYPE = [
    ("amount_low", "<u8"), ("amount_high", "<i8"), ("ts_event", "<i8"), ("instrument", "<i4"),
    ("currency", "<i2"), ("kind", "<i2"),
]
EQUITY_DTYPE = [("ts_event", "<i8"), ("equity", "<f8"), ("cash", "<f8"), ("exposure", "<f8")]


@cython.final
cdef class Rows:
    """Fixed-size records in blocks; a row never moves, and growing copies nothing."""

    def __cinit__(self, Py_ssize_t size):
        self.size = size

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.n_blocks):
            free(self.blocks[i])
        free(self.blocks)

    def __len__(self):
        return self.count

    cdef int grow(self) except -1:
        """Add a block."""
        cdef char** blocks = <char**>realloc(self.blocks, (self.n_blocks + 1) * sizeof(char*))
        if blocks == NULL:
            raise MemoryError
        self.blocks = blocks
        self.blocks[self.n_blocks] = <char*>malloc(BLOCK_ROWS * self.size)
        if self.blocks[self.n_blocks] == NULL:
            raise MemoryError
        # Touched at once, so that no row later waits for the system to give a page.
        memset(self.blocks[self.n_blocks], 0, BLOCK_ROWS * self.size)
        self.n_blocks += 1
        return 0

    cdef void* append(self) except NULL:
        """Return a zeroed row at the end."""
        cdef void* row = self.extend()
        memset(row, 0, self.size)
        return row

    def tobytes(self):
        """Return the rows as bytes; the layout is the dtype of the same name in this module."""
        cdef Py_ssize_t block, start, rows
        cdef bytes joined = PyBytes_FromStringAndSize(NULL, self.count * self.size)
        cdef char* target = joined
        for block in range(self.n_blocks):
            start = block * BLOCK_ROWS
            rows = min(self.count - start, BLOCK_ROWS)
            memcpy(target + start * self.size, self.blocks[block], rows * self.size)
        return joined


@cython.final
cdef class Texts:
    """Each distinct text once, by a small number; 0 is the empty text."""

    def __cinit__(self):
        self.names = [""]
        self.known = {"": 0}

    cdef int32_t number(self, str text) except -1:
        found = self.known.get(text)
        if found is None:
            found = len(self.names)
            self.known[text] = found
            self.names.append(text)
        return found


@cython.final
cdef class Records:
    """Everything a run leaves behind."""

    def __cinit__(self):
        self.orders = Rows(sizeof(OrderRow))
        self.order_events = Rows(sizeof(OrderEventRow))
        self.fills = Rows(sizeof(FillRow))
        self.trips = Rows(sizeof(TripRow))
        self.ledger = Rows(sizeof(LedgerRow))
        self.equity = Rows(sizeof(EquityRow))
        self.texts = Texts()

    cdef int event(self, int64_t ts, int32_t order, int kind, int status, int64_t value) except -1:
        cdef OrderEventRow* row = <OrderEventRow*>self.order_events.append()
        row.ts_event = ts
        row.order = order
        row.kind = kind
        row.status = status
        row.value = value
        return 0

    cdef int entry(self, int64_t ts, int kind, int instrument, int currency,
                   int128 amount) except -1:
        cdef LedgerRow* row = <LedgerRow*>self.ledger.append()
        row.ts_event = ts
        row.kind = kind
        row.instrument = instrument
        row.currency = currency
        row.amount = amount
        return 0

"""The last events of a stream, kept in a ring for those who look back."""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from pyrt.core.data import Bar, Quote, Trade
from pyrt.core.types cimport EV_TRADE
from pyrt.errors import ConfigError

KEPT = {"bars": 1_440, "trades": 10_000, "quotes": 1}
"""How many are kept of each kind where no number is given; bars: of each timeframe."""

cdef dict VALUES = {
    "bars": ("open", "high", "low", "close", "volume"),
    "quotes": ("bid_price", "bid_size", "ask_price", "ask_size"),
    "trades": ("price", "size"),
}
cdef dict STAMPS = {
    "bars": ("ts_open", "ts_event", "ts_init"),
    "quotes": ("ts_event", "ts_init"),
    "trades": ("aggressor", "ts_event", "ts_init"),
}


@cython.final
cdef class Recent:
    """The last bars, quotes or trades of a stream, oldest first; it changes with each event.

    A sequence: `recent[-1]` is the newest, and slices are lists. A column, such as
    `recent.close` or `recent.price`, is an array of its own, oldest first: float64, and int64 for
    times and the aggressor.

    Parameters
    ----------
    kind : {"bars", "quotes", "trades"}
    symbol, timeframe : str
    capacity : int, optional
        How many are kept; the oldest makes room. `KEPT` says how many by default.

    Examples
    --------
    >>> recent = Recent("trades", "SPY", "", 3)
    >>> len(recent), recent.last, recent.price.tolist()
    (0, None, [])
    """

    def __init__(self, str kind, str symbol, str timeframe, capacity=None):
        if kind not in VALUES:
            raise ConfigError(f"{kind!r} are not kept", remedy=f"Kept are {', '.join(VALUES)}")
        self.kind = kind
        self.symbol = symbol
        self.timeframe = timeframe
        self.widen(KEPT[kind] if capacity is None else capacity)

    def __dealloc__(self):
        free(self.rows)

    cdef int take(self, const Event* event) noexcept:
        """Keep an event; the oldest makes room."""
        cdef Row* row = &self.rows[self.at]
        row.ts_open = event.quantity if event.kind == EV_TRADE else event.ts_open
        row.ts_event = event.ts_event
        row.ts_init = event.ts_init
        memcpy(row.values, event.values, sizeof(row.values))
        self.at += 1
        if self.at == self.capacity:
            self.at = 0
        if self.count < self.capacity:
            self.count += 1
        self.total += 1
        return 0

    cdef int widen(self, Py_ssize_t capacity) except -1:
        """Keep at least `capacity`; what is held stays."""
        cdef Row* rows
        cdef Py_ssize_t i, n = self.count
        if capacity < 1:
            raise ConfigError(f"{capacity} {self.kind} cannot be kept; expected 1 or more")
        if capacity <= self.capacity:
            return 0
        rows = <Row*>malloc(capacity * sizeof(Row))
        if rows == NULL:
            raise MemoryError
        for i in range(n):
            rows[i] = self.row(i)[0]
        free(self.rows)
        self.rows = rows
        self.capacity = capacity
        self.at = n
        return 0

    cdef Row* row(self, Py_ssize_t i) except NULL:
        """The i-th of those held, oldest first."""
        cdef Py_ssize_t place = self.at - self.count + i
        return &self.rows[place + self.capacity if place < 0 else place]

    cdef object view(self, Py_ssize_t i):
        cdef Row* row = self.row(i)
        cdef double* x = row.values
        if self.kind == "bars":
            return Bar(self.symbol, self.timeframe, x[0], x[1], x[2], x[3], x[4],
                       row.ts_open, row.ts_event, row.ts_init)
        if self.kind == "quotes":
            return Quote(self.symbol, x[0], x[1], x[2], x[3], row.ts_event, row.ts_init)
        return Trade(self.symbol, x[0], x[1], row.ts_open, row.ts_event, row.ts_init)

    # -- face ----------------------------------------------------------------------------------

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        cdef Py_ssize_t n = self.count, i
        if isinstance(index, slice):
            return [self.view(i) for i in range(*index.indices(n))]
        i = index
        if i < 0:
            i += n
        if not 0 <= i < n:
            raise IndexError(f"{self!r} has no element {index}")
        return self.view(i)

    def __iter__(self):
        return iter(self[:])

    @property
    def last(self):
        """The newest; None before the first."""
        return self.view(self.count - 1) if self.total else None

    @property
    def columns(self):
        """Names of its columns."""
        return VALUES[self.kind] + STAMPS[self.kind]

    def column(self, str name, n=None):
        """Return a column as an array, oldest first: of the last `n`, or of all that is kept.

        Raises
        ------
        AttributeError
            If there is no such column.
        """
        cdef Py_ssize_t i, first, count = self.count
        cdef int which
        cdef double[::1] numbers
        cdef int64_t[::1] stamps
        if name not in self.columns:
            raise AttributeError(
                f"{self.kind} have no {name!r}; their columns are {', '.join(self.columns)}"
            )
        first = 0 if n is None else max(0, count - <Py_ssize_t>n)
        if name in VALUES[self.kind]:
            which = VALUES[self.kind].index(name)
            numbers = np.empty(count - first)
            for i in range(first, count):
                numbers[i - first] = self.row(i).values[which]
            return np.asarray(numbers)
        stamps = np.empty(count - first, np.int64)
        which = ("ts_event", "ts_init").index(name) if name in ("ts_event", "ts_init") else 2
        for i in range(first, count):
            row = self.row(i)
            stamps[i - first] = (
                row.ts_event if which == 0 else row.ts_init if which == 1 else row.ts_open
            )
        return np.asarray(stamps)

    def __getattr__(self, str name):
        return self.column(name)

    def __repr__(self):
        what = " ".join(part for part in (self.symbol, self.timeframe, self.kind) if part)
        return f"Recent({what}, {self.count} of {self.capacity})"

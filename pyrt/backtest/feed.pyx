"""The replay feed: cursors over columns, merged in the one order that all runs share.

Rows are ordered by (ts_init, rank, timeframe, stream priority, row). What is in memory is ordered
once, when it is loaded; what is streamed is ordered window by window: as far as every stream's
chunk reaches.
"""
cimport cython

from dataclasses import replace

import numpy as np

from pyrt.core.book_feed cimport LAST, BookColumns
from pyrt.core.types cimport EV_BAR, EV_BOOK, EV_QUOTE, EV_TRADE
from pyrt.core.book_tables import read_table
from pyrt.data.columns import BOOK_ACTIONS as _ACTION_NAMES
from pyrt.data.columns import array_names
from pyrt.errors import ConfigError

KINDS = {"bars": EV_BAR, "quotes": EV_QUOTE, "trades": EV_TRADE, "book": EV_BOOK}
VALUES = {
    "bars": ("open", "high", "low", "close", "volume"),
    "quotes": ("bid_price", "bid_size", "ask_price", "ask_size"),
    "trades": ("price", "size"),
}


cdef const int64_t* int64_column(object array, list held) except? NULL:
    cdef const int64_t[::1] view = np.ascontiguousarray(array, np.int64)
    held.append(view)
    return &view[0] if view.shape[0] else NULL


cdef const double* double_column(object array, list held) except? NULL:
    cdef const double[::1] view = np.ascontiguousarray(array, np.float64)
    held.append(view)
    return &view[0] if view.shape[0] else NULL


def coded_events(chunk):
    """Return the rows of a `BookColumns` table, coded for an `OrderBook`."""
    import pyarrow

    table = {
        name: getattr(chunk, name) for name in array_names(chunk)
        if name not in ("action", "ts_init")
    }
    table["action"] = pyarrow.DictionaryArray.from_arrays(chunk.action, list(_ACTION_NAMES))
    if not np.asarray(chunk.sequence).any():
        del table["sequence"]
    return read_table(table, chunk.dialect or None, may_lower=True)


def batches_of(chunk):
    """Return a table of book events coded, and the row behind each batch; int64, shape (n,)."""
    rows = coded_events(chunk)
    return rows, np.asarray(batch_stops(rows, chunk))


cdef object batch_stops(BookColumns rows, chunk):
    """Where batches end: at marked ends, else where the number or the stamp changes."""
    marks = np.asarray(rows.marks)
    if rows.has_last:
        ends = (marks & <int>LAST) != 0
    else:
        ends = np.zeros(len(marks), bool)
        ends[:-1] = np.diff(chunk.ts_init) != 0
        if rows.sequences.shape[0]:
            ends[:-1] |= np.diff(np.asarray(rows.sequences)) != 0
    if len(ends):
        # What a chunk ends with may go on in the next one: it waits there, see `Feed.arrange`.
        ends[-1] = True
    return np.flatnonzero(ends).astype(np.int64) + 1


@cython.final
cdef class Cursor:
    """A position in one stream's columns.

    Parameters
    ----------
    stream : Stream
    chunk : BarColumns, QuoteColumns, TradeColumns or BookColumns
        The first rows.
    source : callable, optional
        Returns the following chunk, or None at the end.
    drives : bool
        Whether its rows decide fills.
    """

    def __init__(self, Stream stream, chunk, source=None, *, bint drives=True):
        if chunk.kind not in KINDS:
            raise ConfigError(f"{chunk.kind} cannot be replayed; expected {', '.join(KINDS)}")
        self.stream = stream
        self.stream_index = stream.index
        self.instrument_index = stream.instrument.index
        self.kind = KINDS[chunk.kind]
        self.rank = 1 if self.kind == EV_BAR else 3
        self.source = source
        self.drives = drives
        self.load(chunk)

    cdef int load(self, object chunk) except -1:
        """Point at the columns of a chunk; they are kept alive here."""
        cdef int i
        cdef const int8_t[::1] aggressor
        self.held = []
        self.chunk = chunk
        self.n = self.limit = len(chunk)
        self.at = 0
        if self.kind == EV_BOOK:
            return self.load_book(chunk)
        self.ts_init = int64_column(chunk.ts_init, self.held)
        if self.kind == EV_BAR:
            self.ts_event = int64_column(chunk.ts_close, self.held)
            self.ts_open = int64_column(chunk.ts_open, self.held)
        else:
            self.ts_event = int64_column(chunk.ts_event, self.held)
        for i, name in enumerate(VALUES[chunk.kind]):
            self.columns[i] = double_column(getattr(chunk, name), self.held)
        if self.kind == EV_TRADE:
            aggressor = np.ascontiguousarray(chunk.aggressor, np.int8)
            self.held.append(aggressor)
            self.aggressor = &aggressor[0] if self.n else NULL
        return 0

    cdef int load_book(self, object chunk) except -1:
        """Code book events, and find the batches that they come in: those are the rows here."""
        self.rows = coded_events(chunk)
        self.stream.take_rows(self.rows)
        stops = batch_stops(self.rows, chunk)
        self.n = self.limit = len(stops)
        self.stops = int64_column(stops, self.held)
        # A batch is complete, and known, with its last event.
        self.ts_init = int64_column(chunk.ts_init[stops - 1], self.held)
        self.ts_event = int64_column(chunk.ts_event[stops - 1], self.held)
        cdef const int8_t[::1] actions = chunk.action
        self.held.append(actions)
        self.actions = &actions[0] if self.n else NULL
        # As recorded: executions change no book, so the coded rows leave their numbers out.
        self.columns[0] = double_column(chunk.price, self.held)
        self.columns[1] = double_column(chunk.size, self.held)
        return 0

    @property
    def order_key(self):
        """Streams that are due at one instant go by this."""
        return self.rank, self.stream.timeframe_ns, self.stream.index

    def times(self):
        """Return ts_init of the rows not yet taken, shape (n,)."""
        if self.kind == EV_BOOK:
            return np.array([self.ts_init[i] for i in range(self.at, self.n)], np.int64)
        return np.asarray(self.chunk.ts_init)[self.at:]

    def rest(self, chunk, join):
        """Replace the chunk by its rows not yet taken, followed by `chunk`."""
        start = self.at if self.kind != EV_BOOK else (self.stops[self.at - 1] if self.at else 0)
        self.load(join(self.chunk, start, chunk))


@cython.final
cdef class Feed:
    """Cursors merged into one sequence of rows.

    Parameters
    ----------
    cursors : list of Cursor
        In order of stream priority.
    """

    def __init__(self, list cursors):
        self.cursors = sorted(cursors, key=lambda cursor: cursor.order_key)
        for i, cursor in enumerate(self.cursors):
            (<Cursor>cursor).number = i
        self.single = len(self.cursors) == 1
        self.order = np.empty(0, np.int32)
        if self.single:
            self.only = self.cursors[0]
        self.arrange()

    def arrange(self):
        """Order the rows of the window: up to where every unfinished stream's chunk reaches."""
        cdef Cursor cursor
        open_ends = [(<Cursor>c).ts_init[(<Cursor>c).n - 1] for c in self.cursors
                     if (<Cursor>c).source is not None and (<Cursor>c).n > (<Cursor>c).at]
        # Rows of the last stamp may go on in the next chunk: they wait for it.
        horizon = min(open_ends) if open_ends else None
        pieces, numbers = [], []
        for cursor in self.cursors:
            times = cursor.times()
            if horizon is not None:
                times = times[: np.searchsorted(times, horizon, side="left")]
            cursor.limit = cursor.at + len(times)
            pieces.append(times)
            numbers.append(cursor.number)
        self.at = 0
        if self.single:
            self.n = self.only.limit - self.only.at
            return
        self.n = sum(map(len, pieces))
        merged = np.repeat(np.array(numbers, np.int32), [len(p) for p in pieces])
        if pieces:
            merged = merged[np.argsort(np.concatenate(pieces), kind="stable")]
        self.order = merged

    cdef Cursor head(self):
        """The cursor whose row is next; None at the end."""
        if self.at == self.n:
            if not self.refill():
                return None
        if self.single:
            return self.only
        return <Cursor>self.cursors[self.order[self.at]]

    cdef int step(self) noexcept:
        """Take the next row."""
        self.at += 1
        return 0

    cdef int refill(self) except -1:
        """Read on where a window ended; 0 when there is nothing more."""
        cdef Cursor cursor
        cdef bint more = True
        while more:
            more = False
            for cursor in self.cursors:
                if cursor.source is None or cursor.n - cursor.at > 1:
                    continue
                chunk = cursor.source()
                more = True
                if chunk is None:
                    cursor.source = None
                else:
                    cursor.rest(chunk, self.join)
            if not more and not any((<Cursor>c).at < (<Cursor>c).n for c in self.cursors):
                return 0
            self.arrange()
            if self.n:
                return 1
            if not more:
                # One stream's whole chunk carries one stamp: read on where the horizon lies.
                for cursor in self.cursors:
                    if cursor.source is not None:
                        chunk = cursor.source()
                        more = True
                        if chunk is None:
                            cursor.source = None
                        else:
                            cursor.rest(chunk, self.join)
        return 0

    @staticmethod
    def join(old, int start, new):
        """Return the rows of `old` from `start` on, followed by `new`."""
        if start == len(old):
            return new
        joined = {
            name: np.concatenate((getattr(old, name)[start:], getattr(new, name)))
            for name in array_names(old) if getattr(old, name) is not None
        }
        return replace(old, **joined)

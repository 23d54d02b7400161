"""The replay feed: cursors over columns, merged in the one order that all runs share."""
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t
from pyrt.backtest.book cimport VenueBook
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.events cimport Event
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport EV_BAR, EV_BOOK, EV_QUOTE

ctypedef const double* Column

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define pyrt_prefetch(address) __builtin_prefetch((const void*)(address))
    #else
    #define pyrt_prefetch(address) ((void)(address))
    #endif
    """
    void pyrt_prefetch(void* address) noexcept

@cython.final
cdef class Cursor:
    cdef readonly Stream stream
    cdef readonly int32_t number
    cdef int32_t stream_index
    cdef int32_t instrument_index
    cdef VenueBook book
    """The venue's book of its instrument; set by the runner."""
    cdef object view
    """What handlers were given of its last row; None before."""
    cdef list heard
    """The handlers that `is_driven` was found for; None for none."""
    cdef bint is_driven
    """The one handler that the loop in the interpreter calls is the only one of the stream."""
    cdef int kind
    """EV_BAR, EV_QUOTE, EV_TRADE or EV_BOOK."""
    cdef int rank
    """1 for what ends, 3 for what happens."""
    cdef readonly bint drives
    """Its rows decide fills of the instrument."""
    cdef Py_ssize_t at
    """The next row."""
    cdef Py_ssize_t n
    cdef Py_ssize_t limit
    """Rows of the current window end here."""
    cdef const int64_t* ts_init
    cdef const int64_t* ts_event
    cdef const int64_t* ts_open
    cdef Column[5] columns
    cdef const int8_t* aggressor
    cdef BookColumns rows
    """Book events, coded; a row of the cursor is a batch of them."""
    cdef const int64_t* stops
    """Where each batch ends in `rows`."""
    cdef const int8_t* actions
    """What each event is called, an index into `pyrt.data.columns.BOOK_ACTIONS`."""
    cdef object source
    """Callable that returns the next chunk of columns or None; None for data in memory."""
    cdef object chunk
    cdef list held
    cdef inline void fill(self, Event* event) noexcept:
        """Copy the next row into an event that was cleared once; it stays the next row.

        What rows of any kind hold is written for each, so that rows of several kinds may go
        through one record; all other fields are left as `clear_event` makes them.
        """
        cdef Py_ssize_t i = self.at
        event.kind = self.kind
        event.stream = self.stream_index
        event.instrument = self.instrument_index
        event.ts_init = self.ts_init[i]
        event.ts_event = self.ts_event[i]
        event.price = 0
        if self.kind == EV_BAR:
            event.quantity = 0
            event.ts_open = self.ts_open[i]
            event.values[0] = self.columns[0][i]
            event.values[1] = self.columns[1][i]
            event.values[2] = self.columns[2][i]
            event.values[3] = self.columns[3][i]
            event.values[4] = self.columns[4][i]
            return
        event.ts_open = 0
        event.values[4] = 0.0
        if self.kind == EV_QUOTE:
            event.quantity = 0
            event.values[0] = self.columns[0][i]
            event.values[1] = self.columns[1][i]
            event.values[2] = self.columns[2][i]
            event.values[3] = self.columns[3][i]
            return
        event.values[2] = event.values[3] = 0.0
        if self.kind == EV_BOOK:
            event.values[0] = event.values[1] = 0.0
            event.quantity = self.stops[i - 1] if i else 0
            event.price = self.stops[i]
            return
        event.quantity = self.aggressor[i]
        event.values[0] = self.columns[0][i]
        event.values[1] = self.columns[1][i]
    cdef inline void bring_near(self) noexcept:
        """Have what the next row will touch fetched: its columns, its stream, its view."""
        cdef char* near
        cdef int k
        pyrt_prefetch(<void*>(self.ts_init + self.at))
        pyrt_prefetch(<void*>(self.ts_event + self.at))
        for k in range(4):
            pyrt_prefetch(<void*>(self.columns[k] + self.at))
        if self.kind == EV_BAR:
            pyrt_prefetch(<void*>(self.ts_open + self.at))
            pyrt_prefetch(<void*>(self.columns[4] + self.at))
        near = <char*><void*>self.stream
        pyrt_prefetch(near)
        pyrt_prefetch(near + 64)
        near = <char*><void*>self.view
        pyrt_prefetch(near)
        pyrt_prefetch(near + 64)
        near = <char*><void*>self.book
        pyrt_prefetch(near + 24)
    cdef int load(self, object chunk) except -1
    cdef int load_book(self, object chunk) except -1

@cython.final
cdef class Feed:
    cdef readonly list cursors
    cdef int32_t[::1] order
    """Cursor numbers of the window's rows, in order; unused with one cursor."""
    cdef Py_ssize_t at
    cdef Py_ssize_t n
    cdef bint single
    cdef Cursor only
    cdef inline Cursor present(self):
        """The cursor of the next row of several in the window; those after it are made ready.

        With many streams, what a row touches lies in lines of memory that the rows of all other
        streams have pushed out of the nearest cache since.
        """
        cdef int32_t* order = &self.order[0] + self.at
        cdef char* near
        if self.at + 3 < self.n:
            near = <char*><void*>(<list>self.cursors)[order[3]]
            pyrt_prefetch(near)
            pyrt_prefetch(near + 64)
            pyrt_prefetch(near + 128)
            (<Cursor>(<list>self.cursors)[order[2]]).bring_near()
        return <Cursor>self.cursors[order[0]]
    cdef Cursor head(self)
    cdef int step(self) noexcept
    cdef int refill(self) except -1

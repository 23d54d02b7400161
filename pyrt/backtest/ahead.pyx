"""Conditions of a stream judged over many of its rows at once, before they are taken.

No handler hears of a row that makes no condition true, so such rows can be taken by the column.
Which they are is found out by twins of the stream's indicators that run ahead of them by a window;
the indicators themselves follow when rows are taken, and so are at every call what they would be
had each row come by itself. The row that makes a condition true is none of these: it is tested
again, by the indicators and conditions themselves.
"""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memchr

from pyrt.core.conditions cimport SCAN_ROWS, TRUE, Signal
from pyrt.core.panel cimport PANEL_ROWS, Line
from pyrt.core.ports cimport Indicator
from pyrt.core.streams cimport Feed

cdef enum:
    INPUTS_MAX = 8

ctypedef double* Target


cdef bint reads_columns(Feed feed) noexcept:
    """Whether all that an indicator takes lies in columns: a time has to be made first."""
    cdef int i
    for i in range(feed.width):
        if feed.columns[i] < 0:
            return False
    return True


@cython.final
cdef class Ahead:
    """Looks ahead on one stream of bars."""

    def __dealloc__(self):
        free(self.unread)

    cdef int begin(self, Cursor cursor) except -1:
        """Look at what the stream feeds, and make the twins."""
        cdef Feed feed
        cdef Indicator indicator, twin
        self.cursor = cursor
        self.stream = cursor.stream
        self.panel = Panel()
        self.indicators = []
        self.twins = []
        self.signals = None
        self.chunk = None
        self.is_usable = False
        self.base = self.origin = 0
        self.n = 0
        if self.stream.recent is not None:
            return 0  # what keeps the last events takes them one by one
        # Fed by this stream since it began, or new now: there is no other way to know their state.
        self.origin = 0 if self.are_at(self.stream.count) else self.stream.count
        self.base = self.origin
        for feed in self.stream.feeds:
            indicator = feed.indicator
            twin = indicator.twin()
            if twin is None or not reads_columns(feed):
                return 0
            self.indicators.append(indicator)
            self.twins.append(twin)
        if not self.are_at(self.stream.count - self.origin):
            return 0
        if not self.panel.hold(self.indicators):
            return 0
        free(self.unread)
        self.unread = <double*>malloc(max(self.panel.n_lines, 1) * PANEL_ROWS * sizeof(double))
        if self.unread == NULL:
            raise MemoryError
        self.is_usable = True
        return 0

    cdef int look_up(self) except -1:
        """Notice what was attached, added, reset or updated by hand since the last look."""
        if (self.stream.n_feeds != len(self.indicators)
                or not self.are_at(self.stream.count - self.origin)):
            self.is_usable = False
        # The window may lie behind: rows were taken one by one meanwhile.
        while self.is_usable and self.stream.count >= self.base + self.n:
            self.is_usable = self.reaches(self.base + self.n)
        if self.is_usable and (
                self.chunk is not self.cursor.chunk or self.signals is not self.stream.signals):
            self.lay()
        return 0

    cdef bint are_at(self, Py_ssize_t rows) except -1:
        """Whether everything fed has taken so many rows, and nobody else has touched it."""
        cdef Feed feed
        for feed in self.stream.feeds:
            if not feed.indicator.has_taken(rows):
                return False
        return True

    cdef bint reaches(self, Py_ssize_t number) except -1:
        """Move the window to begin at event `number`; False where that row is gone."""
        cdef Py_ssize_t row = self.cursor.at - (self.stream.count - number), i
        if row < 0:
            return False
        self.base = number
        self.n = min(PANEL_ROWS, self.cursor.n - row)
        if self.n < 1:
            return False
        self.chunk = None
        for i in range(len(self.twins)):
            self.give(self.twins[i], i, row, self.n, self.panel.line(i, 0))
        return True

    cdef int give(self, object indicator, Py_ssize_t number, Py_ssize_t row, Py_ssize_t rows,
                  double* written) except -1:
        """Let an indicator take rows of the columns; its outputs go to lines from `written` on."""
        cdef Feed feed = self.stream.feeds[number]
        cdef Indicator taker = indicator
        cdef Line[INPUTS_MAX] x
        cdef Target[INPUTS_MAX] y
        cdef int k
        for k in range(feed.width):
            x[k] = self.cursor.columns[feed.columns[k]] + row
        for k in range(taker.n_outputs()):
            y[k] = written + k * PANEL_ROWS
        return taker.take_rows(x, y, rows)

    cdef int lay(self) except -1:
        """Show the conditions where their numbers stand now."""
        cdef Py_ssize_t first = self.cursor.at - (self.stream.count - self.base)
        cdef Signal signal
        cdef int k
        for k in range(5):
            self.panel.columns[k] = self.cursor.columns[k] + first
        self.panel.times = self.cursor.ts_event + first
        for signal in self.stream.signals:
            if not signal.condition.lay(self.panel):
                self.is_usable = False
        self.chunk = self.cursor.chunk
        self.signals = self.stream.signals
        return 0

    cdef Py_ssize_t quiet(self, Py_ssize_t limit) except -1:
        """Return how many of the next rows, at most `limit`, make no condition true."""
        cdef Py_ssize_t start, taken = 0, rows, found, block = 16
        cdef Signal signal
        self.look_up()
        if not self.is_usable:
            return 0
        start = self.stream.count - self.base
        limit = min(limit, self.n - start)
        for signal in self.signals:
            if signal.condition.stateful:
                signal.condition.restart()
        while taken < limit:
            rows = min(block, limit - taken)
            found = self.scan(start + taken, rows)
            taken += found
            if found < rows:
                break
            block = min(SCAN_ROWS, 4 * block)
        return taken

    cdef Py_ssize_t scan(self, Py_ssize_t start, Py_ssize_t limit) except -1:
        """Return how many rows of the window from `start` on make no condition true."""
        cdef signed char[SCAN_ROWS] verdicts
        cdef const void* hit
        cdef list signals = self.signals
        cdef Py_ssize_t taken = self.stream.count - self.base
        cdef Py_ssize_t i
        for i in range(len(signals)):
            if limit and (<Signal>signals[i]).condition.scan(verdicts, start, limit, taken):
                hit = memchr(verdicts, TRUE, limit)
                if hit != NULL:
                    limit = <const signed char*>hit - verdicts
        return limit

    cdef int take(self, Py_ssize_t rows) except -1:
        """Let indicators and conditions take the next rows in, and count them."""
        cdef Py_ssize_t i, start = self.stream.count - self.base
        cdef Signal signal
        if rows < 1:
            return 0
        for i in range(len(self.indicators)):
            self.give(self.indicators[i], i, self.cursor.at, rows, self.unread)
        for signal in self.signals:
            if signal.condition.stateful:
                signal.condition.reach(start, start + rows)
        for signal in self.signals:
            if signal.condition.stateful:
                signal.condition.pass_rows(start + rows - 1, self.stream.count + rows)
        self.stream.count += rows
        return 0

"""Rows of data taken while no order waits and nothing but data is due."""
cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.ahead cimport Ahead
from pyrt.backtest.bars cimport BarMatcher
from pyrt.backtest.book cimport VenueBook
from pyrt.backtest.depth cimport DepthMatcher
from pyrt.backtest.feed cimport Cursor, Feed
from pyrt.backtest.ticks cimport TickMatcher
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.bus cimport MessageBus
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event
from pyrt.core.ports cimport Owner
from pyrt.execution.desk cimport Desk
from pyrt.kernel.aggregates cimport Aggregates
from pyrt.kernel.calls cimport Calls
from pyrt.kernel.curve cimport EquityCurve
from pyrt.kernel.kernel cimport Kernel
from pyrt.kernel.market cimport Market

cdef enum:
    STRETCH_ROWS = 8192  # about as many rows a stretch has at most: then Ctrl-C is looked for

@cython.final
cdef class Calm:
    cdef Kernel kernel
    cdef Market market
    cdef Clock clock
    cdef Aggregates aggregates
    cdef Calls calls
    cdef EquityCurve curve
    cdef MessageBus bus
    cdef Desk desk
    cdef SimVenue venue
    cdef BarMatcher bars
    cdef TickMatcher ticks
    cdef DepthMatcher depth
    cdef Feed feed
    cdef bint has_ticks
    cdef bint keeps_bars
    cdef bint marks_later
    """The broker's account is marked when a stretch ends: nobody looks at it before."""
    cdef readonly int64_t events_processed
    """Rows of the data's tables given to the kernel."""
    cdef int64_t sampled
    """The instant of the last point of equity."""
    cdef int64_t next_sample
    """On ticks: the start of the next second of data time."""
    cdef int64_t next_day
    """On ticks: the start of the next UTC day."""

    cdef int64_t due
    """Of the stretch: when something other than a row of data is due."""
    cdef int64_t now
    """The instant under way."""
    cdef int rank
    """Of what is taken at that instant; 0 between two instants."""
    cdef Py_ssize_t taken
    """Rows taken in the stretch."""
    cdef object handler
    """The handler that `drive` calls; None where compiled code calls them all."""
    cdef Owner owner
    """Whose handler it is."""
    cdef bint calling
    """`drive` has been given a view and has not come back yet."""
    cdef Cursor cursor
    """The one whose row that view shows."""
    cdef Event event
    cdef Ahead ahead
    """Looks for rows that no handler hears of; None before it is needed."""
    cdef bint looks_ahead
    """Of the stretch: the rows are bars of a single stream that only conditions read."""
    cdef PyObject* last
    """The view `drive` has at hand; NULL where that is not known."""

    cdef int play(self, int64_t due) except -1
    cdef int hand_out(self) except -1
    cdef int mark_held(self) except -1
    cdef int choose_handler(self) except -1
    cdef int look(self, Cursor cursor) except -1
    cdef bint advance(self) except -1
    cdef bint ends_instant(self) except -1
    cdef bint pass_quiet(self, Cursor cursor) except -1
    cdef Py_ssize_t instants(self, Cursor cursor, Py_ssize_t limit) noexcept
    cdef int take_quiet(self, Cursor cursor, Py_ssize_t rows) except -1
    cdef int take_held(self, Cursor cursor, Py_ssize_t rows) except -1
    cdef bint begins_instant(self, Cursor cursor, int64_t ts) except -1
    cdef bint take(self, Cursor cursor) except -1
    cdef int show(self, Cursor cursor) except -1
    cdef int called(self) except -1
    cdef int meet_tick(self, Cursor cursor, VenueBook book, Event* event, int64_t now) except -1
    cdef int sample(self, int64_t now) except -1
    cdef int turn_day(self, int64_t ts) except -1
    cdef int catch_up(self) except -1

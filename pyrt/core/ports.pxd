"""What siblings need of each other, as `cdef` base classes without behavior."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position

cdef class Indicator:
    cdef readonly bint ready
    """True from the update at which every output is defined."""
    cdef readonly double value
    """The (first) output; NaN until `ready`."""
    cdef readonly Py_ssize_t lookback
    """Updates that pass before the first defined output (TA-Lib's meaning of lookback)."""
    cdef readonly tuple inputs
    """Names of the columns one update takes, in order: a subset of open, high, low, close, volume,
    or the stand-in "value" for a single free series (`attach(..., input=...)` chooses)."""
    cdef int feed(self, const double* x) except -1
    cdef Indicator twin(self)
    cdef int n_outputs(self) noexcept
    cdef bint has_taken(self, Py_ssize_t rows) noexcept
    cdef int take_rows(self, const double* const* x, double* const* y, Py_ssize_t n) except -1

cdef class Owner:
    """Whoever issues commands: a strategy, by its number in the run."""
    cdef readonly int32_t number
    cdef readonly bint running

cpdef enum CommandKind:
    SUBMIT = 0
    MODIFY = 1
    CANCEL = 2

@cython.final
cdef class Command:
    """A wish about one order, on its way from a handler to the venue."""
    cdef int kind
    cdef Order order
    cdef int64_t units
    """New total quantity; 0 for unchanged. The prices: no_price() for unchanged."""
    cdef int64_t limit_price
    cdef int64_t stop_price
    cdef int64_t trail
    cdef int64_t ts
    """When it was issued."""
    cdef int asked
    """Bits of what others have been asked for before it leaves: each of it once."""

cdef class ApprovedOrder:
    """An order with a verdict; only a risk gate makes one, and a venue takes nothing else."""
    cdef readonly Order order

cdef class RiskGate:
    """Judges what is about to leave."""
    cdef ApprovedOrder approve(self, Order order)
    cdef str judge(self, Order order, int64_t now)
    cdef str judge_change(self, Command command, int64_t now)
    cdef str preview(self, Order order, int64_t now)
    cdef int recount(self, Order order) except -1
    cdef int note_status(self, int32_t index, int status) except -1

cdef class Venue:
    """Takes commands; what comes of them arrives later as events."""
    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1
    cdef int change(self, Command command, int64_t now) except -1
    cdef int withdraw(self, Order order, int64_t now) except -1
    cdef str refusal(self, Order order, int64_t now)

cdef class CommandSink:
    """Works orders between risk and venue: what the venue lacks, and what algorithms send."""
    cdef readonly Py_ssize_t watching
    """Orders that wait for a price; while there are none, prices need not be shown."""
    cdef str place(self, Order order)
    cdef str forecast(self, Order order)
    cdef bint has(self, Order order)
    cdef int withdraw(self, Order order) except -1
    cdef str change(self, Command command)
    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1
    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1
    cdef int reword(self, Event* event) except -1
    cdef int account(self, Order order, Event* event) except -1
    cdef int on_order(self, Order order, Event* event) except -1

cdef class FeeModel:
    """Computes what one execution costs."""
    cdef bint in_kind
    """Some fees are taken in what is bought: then `taken` is asked, too."""
    cdef int64_t taken(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                       int liquidity, int64_t ts) except? -1
    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1
    cdef int begin(self) except -1
    cdef int book(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                  int liquidity, int64_t ts) except -1

cdef class OrderDesk:
    """Turns a strategy's wishes into orders and commands."""
    cdef Order place(self, Owner owner, str symbol, int side, object quantity, dict terms)
    cdef Order draft(self, Owner owner, str symbol, int side, object quantity, dict terms)
    cdef int cancel(self, Owner owner, Order order) except -1
    cdef int modify(self, Owner owner, Order order, dict changes) except -1
    cdef int cancel_all(self, Owner owner, str symbol) except -1
    cdef Order target(self, Owner owner, str symbol, object quantity, str tag)
    cdef Order target_percent(self, Owner owner, str symbol, double fraction)
    cdef Position position_of(self, Owner owner, str symbol)

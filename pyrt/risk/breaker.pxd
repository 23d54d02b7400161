"""The circuit breaker: closed, open, half-open; what trips it and how it recovers."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.int128 cimport int128
from pyrt.risk.sessions cimport DayClock

cpdef enum BreakerState:
    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2

@cython.final
cdef class Outcomes:
    cdef readonly Py_ssize_t capacity
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t bad
    cdef unsigned char[::1] ring
    cdef Py_ssize_t next
    cdef int add(self, bint is_bad) except -1

@cython.final
cdef class CircuitBreaker:
    cdef readonly int state
    cdef readonly object limits
    cdef readonly str cause
    """Code of the control that opened it; "" while closed."""
    cdef readonly str reason
    """The same in words, with numbers."""
    cdef readonly int64_t ts_open
    cdef readonly list trips
    """(ts, reason) of every opening."""
    cdef readonly int consecutive_losses
    cdef readonly Outcomes losses
    cdef readonly Outcomes rejects
    cdef bint watches_equity
    cdef bint watches_trades
    cdef bint watches_answers
    cdef int128 loss_max
    cdef int128 halt_max
    cdef int64_t halt_share
    cdef int64_t halted_day
    """The day on which the second tier has struck; it does so once a day."""
    cdef readonly str halt_reason
    """Why everything is to be halted; None while it is not."""
    cdef int64_t loss_share
    cdef int64_t drawdown_share
    cdef int64_t latency_max
    cdef int64_t cooldown
    cdef DayClock days
    cdef int losses_max
    cdef int128 day_open
    """Equity with which the day began."""
    cdef int128 loss_base
    """What the day's loss is measured from: that, or the equity after the last cool-down."""
    cdef int128 equity
    cdef int128 peak
    cdef int64_t day
    cdef int probes
    cdef readonly str trial
    """Client order id of the one entry that may leave while half-open; "" for none yet."""
    cdef bint started
    cdef bint asleep
    """No limit has asked for equity: what it has come to since is not known."""

    cdef int observe(self, int64_t now, int128 equity) except -1
    cdef int shift(self, int128 amount) except -1
    cdef int new_day(self, int64_t now) except -1
    cdef int judge_equity(self, int64_t now) except -1
    cdef int judge_halt(self) except -1
    cdef int128 bound(self, int128 whole, int64_t share) except? -1
    cdef int add_trade(self, int64_t now, int128 pnl) except -1
    cdef int add_answer(self, int64_t now, bint is_rejected, int64_t latency_ns) except -1
    cdef int trip(self, int64_t now, str code, str text) except -1
    cdef int rebase(self) except -1
    cdef int cool(self, int64_t now) except -1
    cdef bint allows_entry(self, int64_t now)
    cdef bint would_admit(self, int64_t now)
    cdef int end_trial(self) except -1

"""The equity curve: points of the account in time, and what a strategy calls its own of it."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.cache cimport Cache
from pyrt.core.records cimport EquityRow, Records, Rows
from pyrt.risk.watch cimport Watcher

@cython.final
cdef class EquityCurve:
    cdef Account account
    cdef Cache cache
    cdef Rows rows
    """The points."""
    cdef list strategies
    cdef Watcher watcher
    """The gate, if it wants to hear of equity; else None."""
    cdef readonly double initial
    """Equity before the first event, base currency."""
    cdef readonly double paid_in
    """What was paid in since, less what was paid out."""
    cdef readonly double day
    """Equity at the end of the previous UTC day."""
    cdef readonly double last
    """Equity at the last point that was computed."""
    cdef int64_t next_day
    """When the UTC day of the last point ends."""
    cdef double last_cash
    cdef double last_exposure
    cdef bint booked
    """Cash may have changed since the last point."""
    cdef bint quiet
    """No holding and no booking since the last point: the next one equals it."""

    cdef inline void touch(self) noexcept:
        """Say that something was booked."""
        self.quiet = False
        self.booked = True
    cdef inline int sample(self, int64_t ts) except -1:
        """Write one point."""
        cdef EquityRow* row
        if not self.quiet or ts >= self.next_day:
            return self.measure(ts)
        row = <EquityRow*>self.rows.extend()
        row.ts_event = ts
        row.equity = self.last
        row.cash = self.last_cash
        row.exposure = self.last_exposure
        return 0
    cdef int measure(self, int64_t ts) except -1
    cdef int shift(self, double amount) except -1
    cdef bint can_follow(self, Py_ssize_t index) except -1
    cdef int follow(self, Py_ssize_t index, const int64_t* ts, const double* prices,
                    Py_ssize_t n) except -1

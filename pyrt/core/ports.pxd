"""What siblings need of each other, as `cdef` base classes without behaviour."""

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

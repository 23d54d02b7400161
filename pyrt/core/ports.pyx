"""What siblings need of each other, as `cdef` base classes without behaviour."""
from libc.math cimport NAN


cdef class Indicator:
    """A streaming computation over one series of inputs.

    The engine calls `feed` with one double per name in `inputs`, in that order, before it calls
    the handlers of the same event.
    """

    def __cinit__(self):
        self.ready = False
        self.value = NAN
        self.lookback = 0
        self.inputs = ("value",)

    cdef int feed(self, const double* x) except -1:
        """Take one observation; `x` holds `len(self.inputs)` doubles."""
        raise TypeError(f"{type(self).__name__} does not define feed()")

# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""The base of indicators written in Python."""

from libc.math cimport NAN

import numpy as np

from pyrt.errors import DataError
from pyrt.indicators.inputs import as_column
from pyrt.indicators.compose cimport Composable


cdef class PyIndicator(Composable):
    """An indicator that one Python method computes.

    A subclass defines `compute`, which takes one value for each name in `inputs` and returns the
    output, or None (or NaN) while it warms up. Class attributes `inputs` and `lookback` say what it
    takes (default: one free series) and how long that lasts (default 0; history is read by it).
    Constructor arguments are kept, to start afresh with them: state belongs in `__init__`. Rows
    with NaN are gaps: `compute` does not see them, and the output is NaN.

    Examples
    --------
    >>> class Midrange(PyIndicator):
    ...     inputs = ("high", "low")
    ...
    ...     def compute(self, high, low):
    ...         return (high + low) / 2
    >>> Midrange().batch([3.0, 5.0], [1.0, 2.0])
    array([2. , 3.5])
    """

    def __cinit__(self, *args, **kwargs):
        inputs = type(self).inputs
        if isinstance(inputs, tuple):
            self.inputs = inputs
        lookback = type(self).lookback
        if isinstance(lookback, int):
            self.lookback = lookback
        self.outputs = ("value",)
        self.given = args
        self.named = kwargs

    def compute(self, *values):
        """Return the output for one row; to be defined by the subclass."""
        raise NotImplementedError(f"{type(self).__name__} does not define compute()")

    cdef int take(self, tuple row) except -1:
        cdef bint gap = any(value != value for value in row)
        result = None if gap else self.compute(*row)
        self.value = NAN if result is None else result
        if self.value == self.value:
            self.ready = True
        return 0

    cdef int feed(self, const double* x) except -1:
        return self.take(tuple([x[k] for k in range(len(self.inputs))]))

    def update(self, *values):
        """Take one value for each name in `inputs`; NaN is a gap."""
        if len(values) != len(self.inputs):
            raise TypeError(f"update() takes {self.inputs}, got {len(values)} values")
        self.take(tuple([float(value) for value in values]))

    def batch(self, *columns):
        """Compute the output for whole columns with a fresh twin; this object is not touched."""
        cdef PyIndicator twin = type(self)(*self.given, **self.named)
        if len(columns) != len(self.inputs):
            raise DataError(f"batch() takes {self.inputs}, got {len(columns)} columns")
        owner = type(self).__name__ + ".batch"
        arrays = [as_column(owner, name, column) for name, column in zip(self.inputs, columns)]
        if len({len(a) for a in arrays}) > 1:
            raise DataError(
                f"{owner} takes columns of equal length, "
                f"got shapes {', '.join(str(a.shape) for a in arrays)}"
            )
        result = np.empty(len(arrays[0]))
        for i, row in enumerate(zip(*[a.tolist() for a in arrays], strict=True)):
            twin.take(row)
            result[i] = twin.value
        return result

    def reset(self):
        """Forget every update: the indicator is as newly constructed."""
        self.value = NAN
        self.ready = False
        self.__init__(*self.given, **self.named)

    @property
    def values(self):
        """The value, as a tuple."""
        return (self.value,)

    @property
    def period(self):
        """Rows until the first output, as far as `lookback` tells."""
        return self.lookback + 1

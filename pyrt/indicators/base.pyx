# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""The base of compiled indicators: one C kernel behind `update`, `feed` and `batch`.

A kernel is a method `run(x, y, n)`: take `n` rows from the input columns `x`, write the outputs
to the columns `y`, keep the state in the object. `feed` calls it with one row, `batch` with long
stretches, so both give the same bits. A kernel never sees NaN and may write anything while it
warms up: gaps and warm-up are handled here, once.

**The NaN rule.** A row in which any input is NaN is a gap: its outputs are NaN and the state is
left alone, so the next row continues as if the gap had not been offered. Leading NaN, as a chained
indicator sees them, therefore only delay the warm-up. `ready` stays true over a gap. An infinity
is a number: it spoils a window for as long as it is inside and a recursion for good (`reset()`).
"""

from libc.math cimport NAN, isfinite
from libc.stdlib cimport calloc, free

from pyrt.core.ports cimport Indicator

import numpy as np

from pyrt.errors import ConfigError, DataError
from pyrt.indicators.inputs import as_column


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* Whether n values may hold NaN: their sum then is NaN. So it is of infinities of both signs,
       which only raise the question. Eight sums side by side, since an addition takes a while. */
    static int pyrt_suspect(const double* x, Py_ssize_t n) {
        Py_ssize_t i = 0;
        double sum = 0.0;
    #ifdef __SSE2__
        __m128d a = _mm_setzero_pd(), b = a, c = a, d = a;
        double parts[2];
        for (; i + 7 < n; i += 8) {
            a = _mm_add_pd(a, _mm_loadu_pd(x + i));
            b = _mm_add_pd(b, _mm_loadu_pd(x + i + 2));
            c = _mm_add_pd(c, _mm_loadu_pd(x + i + 4));
            d = _mm_add_pd(d, _mm_loadu_pd(x + i + 6));
        }
        _mm_storeu_pd(parts, _mm_add_pd(_mm_add_pd(a, b), _mm_add_pd(c, d)));
        sum = parts[0] + parts[1];
    #endif
        for (; i < n; i++) sum += x[i];
        return sum != sum;
    }
    """
    int pyrt_suspect(const double*, Py_ssize_t) noexcept nogil


cdef bint maybe_gap(
    const double* const* x, int n_in, Py_ssize_t start, Py_ssize_t stop
) noexcept nogil:
    """Whether a row of [start, stop) may be a gap."""
    cdef int k
    for k in range(n_in):
        if pyrt_suspect(x[k] + start, stop - start):
            return True
    return False


cdef bint is_gap(const double* const* x, int n_in, Py_ssize_t row) noexcept nogil:
    """Whether a row holds NaN."""
    cdef int k
    cdef bint bad = False
    for k in range(n_in):
        bad |= x[k][row] != x[k][row]
    return bad


cdef class Native(Composable):
    """A compiled indicator; its subclasses say which columns it takes.

    Attributes
    ----------
    ready : bool
        True from the update at which every output is defined.
    value : float
        The first output; NaN until `ready` and on a gap row.
    lookback : int
        Updates that pass before the first defined output.
    inputs, outputs : tuple of str
        Names of what one update takes and gives.
    """

    def __cinit__(self):
        self.memory = NULL
        self.n_in = 1
        self.n_out = 1
        self.stretch = CHUNK
        self.outputs = ("value",)
        self.arguments = ()
        self.names = ()
        self.out[0] = NAN

    def __dealloc__(self):
        release(&self.memory)

    cdef double output_at(self, int k) noexcept:
        return self.out[k]

    cdef int begin(
        self, tuple names, tuple arguments, Py_ssize_t lookback, tuple outputs=("value",)
    ) except -1:
        """Set what every constructor sets, and drop all state of an earlier life."""
        cdef int k
        release(&self.memory)
        self.lives += 1
        self.names = names
        self.arguments = arguments
        self.lookback = lookback
        self.outputs = outputs
        self.n_in = len(self.inputs)
        self.n_out = len(outputs)
        self.rows = 0
        self.seen = 0
        self.ready = False
        self.value = NAN
        for k in range(self.n_out):
            self.out[k] = NAN
        return 0

    cdef double* reserve(self, Py_ssize_t doubles) except NULL:
        """Hand out zeroed memory that lives until the next `begin` or the object's end."""
        cdef void** block = <void**>calloc(1, sizeof(void*) * 2 + doubles * sizeof(double))
        if block == NULL:
            raise MemoryError(f"{doubles} doubles for {type(self).__name__}")
        block[0] = self.memory
        self.memory = block
        return <double*>(block + 2)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        """Take `n` rows without NaN; write every output of every row."""

    cdef Py_ssize_t flow(self, const double* x, double* y, Py_ssize_t n) noexcept nogil:
        """Run as a stage of another kernel; return how many of the `n` rows are undefined.

        The undefined rows come first: they belong to this stage's warm-up, and `y` holds nothing
        of use there. For one input and one output.
        """
        cdef Py_ssize_t blank = self.lookback - self.seen
        if n > 0:
            self.run(&x, &y, n)
            self.seen = self.seen + n
        return min(max(blank, 0), n)

    cdef int feed(self, const double* x) except -1:
        cdef const double* px[MAX_INPUTS]
        cdef double* py[MAX_OUTPUTS]
        cdef int k
        cdef bint gap = False
        for k in range(self.n_in):
            px[k] = x + k
            gap |= x[k] != x[k]
        for k in range(self.n_out):
            py[k] = &self.out[k]
        if not gap:
            self.run(px, py, 1)
            self.seen += 1
        self.rows += 1
        if self.seen > self.lookback and not gap:
            self.ready = True
        else:
            for k in range(self.n_out):
                self.out[k] = NAN
        self.value = self.out[0]
        return 0

    cdef Indicator twin(self):
        if not type(self).__module__.startswith("pyrt.indicators."):
            return None
        return type(self)(*self.arguments)

    cdef int n_outputs(self) noexcept:
        return self.n_out

    cdef bint has_taken(self, Py_ssize_t rows) noexcept:
        return self.lives == 1 and self.rows == rows

    cdef int take_rows(self, const double* const* x, double* const* y, Py_ssize_t n) except -1:
        cdef int k
        if n < 1:
            return 0
        self.sweep(x, y, n)
        for k in range(self.n_out):
            self.out[k] = y[k][n - 1]
        self.value = self.out[0]
        if self.seen > self.lookback:
            self.ready = True
        return 0

    cdef void span(
        self, const double* const* x, double* const* y, Py_ssize_t start, Py_ssize_t stop
    ) noexcept nogil:
        """Run the rows [start, stop), which have no gap, and blank those of the warm-up."""
        cdef const double* px[MAX_INPUTS]
        cdef double* py[MAX_OUTPUTS]
        cdef int k
        cdef Py_ssize_t i, blank = start + self.lookback - self.seen
        for k in range(self.n_in):
            px[k] = x[k] + start
        for k in range(self.n_out):
            py[k] = y[k] + start
        self.run(px, py, stop - start)
        self.seen = self.seen + stop - start
        self.rows = self.rows + stop - start
        for k in range(self.n_out):
            for i in range(start, min(blank, stop)):
                y[k][i] = NAN

    cdef void sweep(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        """Run all `n` rows in chunks, splitting them at gaps."""
        cdef Py_ssize_t start = 0, stop, i, j
        cdef int k
        while start < n:
            stop = min(start + self.stretch, n)
            if self.stateless or not maybe_gap(x, self.n_in, start, stop):
                self.span(x, y, start, stop)
            else:
                i = start
                while i < stop:
                    j = i
                    while j < stop and not is_gap(x, self.n_in, j):
                        j += 1
                    if j > i:
                        self.span(x, y, i, j)
                    if j < stop:
                        for k in range(self.n_out):
                            y[k][j] = NAN
                        self.rows = self.rows + 1
                    i = j + 1
            start = stop

    cdef object compute(self, tuple columns):
        """Run a fresh twin of this indicator over whole columns; this object is not touched."""
        cdef const double* px[MAX_INPUTS]
        cdef double* py[MAX_OUTPUTS]
        cdef const double[::1] source
        cdef double[::1] target
        cdef Native twin = type(self)(*self.arguments)
        cdef Py_ssize_t n
        cdef int k
        owner = type(self).__name__ + ".batch"
        arrays = [as_column(owner, name, column) for name, column in zip(self.inputs, columns)]
        if len({len(a) for a in arrays}) != 1:
            raise DataError(
                f"{owner} takes columns of equal length, "
                f"got shapes {', '.join(str(a.shape) for a in arrays)}"
            )
        n = len(arrays[0])
        # One block for all: the C library gives the pages of several back and fetches them again,
        # at each call, and a page fetched costs more than most kernels take for its rows.
        results = list(np.empty((self.n_out, n))) if self.n_out > 1 else [np.empty(n)]
        if n == 0:
            return results[0] if self.n_out == 1 else tuple(results)
        for k in range(self.n_in):
            source = arrays[k]
            px[k] = &source[0]
        for k in range(self.n_out):
            target = results[k]
            py[k] = &target[0]
        with nogil:
            twin.sweep(px, py, n)
        return results[0] if self.n_out == 1 else tuple(results)

    def reset(self):
        """Forget every update: the indicator is as newly constructed."""
        self.__init__(*self.arguments)

    @property
    def values(self):
        """Latest outputs as a tuple, in the order of `outputs`."""
        return tuple([self.out[k] for k in range(self.n_out)])

    @property
    def parameters(self):
        """Parameter values by name."""
        return dict(zip(self.names, self.arguments))

    @property
    def period(self):
        """The first parameter where it is a number of rows, else rows until the first output."""
        if self.arguments and isinstance(self.arguments[0], int):
            return self.arguments[0]
        return self.lookback + 1

    def __repr__(self):
        given = ", ".join(f"{n}={a!r}" for n, a in zip(self.names, self.arguments))
        return f"{type(self).__name__}({given})"


cdef void release(void** memory) noexcept:
    """Free the chain of blocks and leave it empty."""
    cdef void* block = memory[0]
    cdef void* following
    while block != NULL:
        following = (<void**>block)[0]
        free(block)
        block = following
    memory[0] = NULL


cdef int whole(str name, object value, int low) except? -1:
    """Check a whole-number parameter: at least `low`, at most 100,000 (TA-Lib's bound)."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ConfigError(f"{name} is {value!r}; expected a whole number", name=name, value=value)
    if not low <= value <= 100_000:
        raise ConfigError(
            f"{name} is {value}; expected {low} to 100000", name=name, value=value
        )
    return value


cdef double number(str name, object value, double low, double high) except? -1.0:
    """Check a real parameter: finite, from `low` to `high`."""
    cdef double x
    try:
        x = value
    except TypeError:
        raise ConfigError(f"{name} is {value!r}; expected a number", name=name, value=value)
    if not (low <= x <= high and isfinite(x)):
        raise ConfigError(
            f"{name} is {value}; expected {low:g} to {high:g}", name=name, value=value
        )
    return x


cdef class Series(Native):
    """An indicator over one free series."""

    def update(self, double value):
        """Take one value; NaN is a gap."""
        self.feed(&value)

    def batch(self, value):
        """Compute the outputs for a whole column.

        Parameters
        ----------
        value : array_like of float, shape (n,)

        Returns
        -------
        ndarray of float64, shape (n,), or a tuple of them
            One per name in `outputs`; NaN during warm-up and on gap rows.
        """
        return self.compute((value,))


cdef class HighLow(Native):
    """An indicator over highs and lows, or over any two series."""

    def __cinit__(self):
        self.inputs = ("high", "low")

    def update(self, double high, double low):
        """Take one row; NaN in it is a gap."""
        cdef double[2] x = [high, low]
        self.feed(x)

    def batch(self, high, low):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((high, low))


cdef class OpenClose(Native):
    """An indicator over opens and closes."""

    def __cinit__(self):
        self.inputs = ("open", "close")

    def update(self, double open, double close):
        """Take one row; NaN in it is a gap."""
        cdef double[2] x = [open, close]
        self.feed(x)

    def batch(self, open, close):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((open, close))


cdef class CloseVolume(Native):
    """An indicator over closes and volumes."""

    def __cinit__(self):
        self.inputs = ("close", "volume")

    def update(self, double close, double volume):
        """Take one row; NaN in it is a gap."""
        cdef double[2] x = [close, volume]
        self.feed(x)

    def batch(self, close, volume):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((close, volume))


cdef class HighLowClose(Native):
    """An indicator over highs, lows and closes."""

    def __cinit__(self):
        self.inputs = ("high", "low", "close")

    def update(self, double high, double low, double close):
        """Take one row; NaN in it is a gap."""
        cdef double[3] x = [high, low, close]
        self.feed(x)

    def batch(self, high, low, close):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((high, low, close))


cdef class HighLowVolume(Native):
    """An indicator over highs, lows and volumes."""

    def __cinit__(self):
        self.inputs = ("high", "low", "volume")

    def update(self, double high, double low, double volume):
        """Take one row; NaN in it is a gap."""
        cdef double[3] x = [high, low, volume]
        self.feed(x)

    def batch(self, high, low, volume):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((high, low, volume))


cdef class OpenHighLowClose(Native):
    """An indicator over price bars."""

    def __cinit__(self):
        self.inputs = ("open", "high", "low", "close")

    def update(self, double open, double high, double low, double close):
        """Take one row; NaN in it is a gap."""
        cdef double[4] x = [open, high, low, close]
        self.feed(x)

    def batch(self, open, high, low, close):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((open, high, low, close))


cdef class HighLowCloseVolume(Native):
    """An indicator over highs, lows, closes and volumes."""

    def __cinit__(self):
        self.inputs = ("high", "low", "close", "volume")

    def update(self, double high, double low, double close, double volume):
        """Take one row; NaN in it is a gap."""
        cdef double[4] x = [high, low, close, volume]
        self.feed(x)

    def batch(self, high, low, close, volume):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((high, low, close, volume))


cdef class OpenHighLowCloseVolume(Native):
    """An indicator over price bars with volume."""

    def __cinit__(self):
        self.inputs = ("open", "high", "low", "close", "volume")

    def update(self, double open, double high, double low, double close, double volume):
        """Take one row; NaN in it is a gap."""
        cdef double[5] x = [open, high, low, close, volume]
        self.feed(x)

    def batch(self, open, high, low, close, volume):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((open, high, low, close, volume))


cdef class Quotes(Native):
    """An indicator over best bids and offers with their sizes."""

    def __cinit__(self):
        self.inputs = ("bid_price", "bid_size", "ask_price", "ask_size")

    def update(self, double bid_price, double bid_size, double ask_price, double ask_size):
        """Take one row; NaN in it is a gap."""
        cdef double[4] x = [bid_price, bid_size, ask_price, ask_size]
        self.feed(x)

    def batch(self, bid_price, bid_size, ask_price, ask_size):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((bid_price, bid_size, ask_price, ask_size))


cdef class HighLowCloseVolumeTime(Native):
    """An indicator over highs, lows, closes, volumes and the times they became known, ns UTC."""

    def __cinit__(self):
        self.inputs = ("high", "low", "close", "volume", "ts_event")

    def update(self, double high, double low, double close, double volume, double ts_event):
        """Take one row; NaN in it is a gap."""
        cdef double[5] x = [high, low, close, volume, ts_event]
        self.feed(x)

    def batch(self, high, low, close, volume, ts_event):
        """Compute the outputs for whole columns; see `Series.batch`."""
        return self.compute((high, low, close, volume, ts_event))

# cython: cdivision=True
# IEEE division is what is wanted; what is not finite becomes NaN in `step`.
"""Running a set of features over bars: fed, filled and normalized row by row.

Streaming and batch go through `FeatureKernel.step`, so both give the same bits.

**Order.** A feature is computed, then an undefined value is filled forward (if asked for), then
defined values are normalized with the statistics of all its values up to and including this row.
Statistics take in computed values only, not filled ones.
"""
cimport cython
from libc.math cimport NAN, cos, isfinite, log, sin, sqrt
from libc.stdlib cimport calloc, free

import numpy as np

from pyrt.errors import ConfigError
from pyrt.indicators.features_columns import COLUMN_NAMES

cdef double TURN = 6.283185307179586
NORMALIZATIONS = (None, "zscore", "minmax")


cdef class Same(Composable):
    """The column as it is."""

    cdef int feed(self, const double* x) except -1:
        self.value = x[0]
        self.ready = self.ready or x[0] == x[0]
        return 0

    def reset(self):
        """Forget the latest value."""
        self.value = NAN
        self.ready = False

    def __repr__(self):
        return "Same()"


cdef class LogReturn(Composable):
    """Logarithm of the ratio to the value `n` rows without a gap before; NaN on a gap."""

    def __cinit__(self, int n):
        if n < 1:
            raise ConfigError(f"LogReturn looks back 1 row or more, not {n}")
        self.ring = <double*>calloc(n, sizeof(double))
        if self.ring == NULL:
            raise MemoryError
        self.period_ = n
        self.lookback = n

    def __dealloc__(self):
        free(self.ring)

    cdef int feed(self, const double* x) except -1:
        cdef Py_ssize_t at = self.seen % self.period_
        self.value = NAN
        if x[0] != x[0]:
            return 0
        if self.seen >= self.period_:
            self.value = log(x[0] / self.ring[at])
            self.ready = True
        self.ring[at] = x[0]
        self.seen += 1
        return 0

    def reset(self):
        """Forget every row."""
        self.seen = 0
        self.value = NAN
        self.ready = False

    def __repr__(self):
        return f"LogReturn({self.period_})"


cdef class Ratio(Composable):
    """One indicator over another, less a constant; each takes inputs of its own.

    Parameters
    ----------
    above, below : indicator
        Owned by the ratio; the inputs of `above` come first.
    minus : float
        Subtracted from the quotient: 1 makes relative distances.
    """

    def __init__(self, Indicator above, Indicator below, double minus=0.0):
        self.above = above
        self.below = below
        self.minus = minus
        self.split = len(above.inputs)
        self.inputs = above.inputs + below.inputs
        self.lookback = max(above.lookback, below.lookback)

    cdef int feed(self, const double* x) except -1:
        self.above.feed(x)
        self.below.feed(x + self.split)
        self.value = self.above.value / self.below.value - self.minus
        self.ready = self.above.ready and self.below.ready
        return 0

    def reset(self):
        """Forget every row, in both."""
        self.above.reset()
        self.below.reset()
        self.value = NAN
        self.ready = False

    def __repr__(self):
        return f"Ratio({self.above!r}, {self.below!r}, {self.minus!r})"


cdef class Cycle(Composable):
    """A quantity that comes round, as a place on the circle.

    Parameters
    ----------
    length : float
        Where it comes round: 1440 for the minutes of the day.
    phase : {"sin", "cos"}
    """

    def __init__(self, double length, str phase):
        if phase not in ("sin", "cos"):
            raise ConfigError(f"phase is {phase!r}; expected 'sin' or 'cos'")
        self.length = length
        self.phase = phase
        self.rate = TURN / length
        self.is_sine = phase == "sin"

    cdef int feed(self, const double* x) except -1:
        self.value = sin(x[0] * self.rate) if self.is_sine else cos(x[0] * self.rate)
        self.ready = True
        return 0

    def reset(self):
        """Forget the latest value."""
        self.value = NAN
        self.ready = False

    def __repr__(self):
        return f"Cycle({self.length!r}, {self.phase!r})"


@cython.final
cdef class Node:
    """One feature: an indicator, where its inputs stand in the row, and which output is read."""

    def __init__(self, str name, Composable indicator not None, tuple inputs, str output):
        cdef int k
        outputs = getattr(indicator, "outputs", ("value",))
        if len(inputs) != len(indicator.inputs) or len(inputs) > MAX_FEATURE_INPUTS:
            raise ConfigError(
                f"feature {name!r}: {indicator!r} takes {len(indicator.inputs)} columns "
                f"({', '.join(indicator.inputs)}), not {len(inputs)}"
            )
        for column in inputs:
            if column not in COLUMN_NAMES:
                raise ConfigError(
                    f"feature {name!r} reads {column!r}, which bars do not have",
                    remedy=f"Use one of {', '.join(COLUMN_NAMES)}",
                )
        if output and output not in outputs:
            raise ConfigError(
                f"feature {name!r}: {indicator!r} has no output {output!r}",
                remedy=f"It has {', '.join(outputs)}",
            )
        self.indicator = indicator
        self.which = outputs.index(output) if output else 0
        self.width = len(inputs)
        for k in range(self.width):
            self.slots[k] = COLUMN_NAMES.index(inputs[k])


@cython.final
cdef class FeatureKernel:
    """A set of features over one stream of bars.

    Parameters
    ----------
    nodes : list of Node
        Each with an indicator of its own.
    normalization : {None, "zscore", "minmax"}
    fills : bool
        Whether an undefined value repeats the feature's last defined one.
    tz : str
        Clock of the calendar columns.
    """

    def __cinit__(self, list nodes, normalization, bint fills, str tz):
        self.n = len(nodes)
        self.row = <double*>calloc(self.n + 1, sizeof(double))
        self.last = <double*>calloc(self.n + 1, sizeof(double))
        self.known = <bint*>calloc(self.n + 1, sizeof(bint))
        self.scales = <Scale*>calloc(self.n + 1, sizeof(Scale))
        if self.row == NULL or self.last == NULL or self.known == NULL or self.scales == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.row)
        free(self.last)
        free(self.known)
        free(self.scales)

    def __init__(self, list nodes, normalization, bint fills, str tz):
        cdef Py_ssize_t k
        if normalization not in NORMALIZATIONS:
            raise ConfigError(
                f"normalize is {normalization!r}; expected None, 'zscore' or 'minmax'"
            )
        self.nodes = nodes
        self.normalization = NORMALIZATIONS.index(normalization)
        self.fills = fills
        self.columns = BarColumns(tz)
        self.undefined = self.n
        for k in range(self.n):
            self.row[k] = self.last[k] = NAN

    cdef int step(self, int64_t ts, double first, double high, double low, double close,
                  double volume) except -1:
        """Take one bar and write `row`."""
        cdef double[MAX_FEATURE_INPUTS] x
        cdef Node node
        cdef double value
        cdef Py_ssize_t k
        cdef int i
        self.columns.take(ts, first, high, low, close, volume)
        for k in range(self.n):
            node = <Node>self.nodes[k]
            for i in range(node.width):
                x[i] = self.columns.at[node.slots[i]]
            node.indicator.feed(x)
            value = node.indicator.value
            if node.which:
                value = node.indicator.output_at(node.which)
            if isfinite(value) and node.indicator.ready:
                self.take_value(k, value)
                value = self.scaled(k, value)
            elif self.fills and self.known[k]:
                value = self.scaled(k, self.last[k])
            else:
                value = NAN
            self.row[k] = value
        return 0

    cdef void take_value(self, Py_ssize_t k, double x) noexcept:
        """Add a computed value to the feature's statistics (Welford's recurrence)."""
        cdef Scale* scale = &self.scales[k]
        cdef double before
        if not self.known[k]:
            self.known[k] = True
            self.undefined -= 1
        self.last[k] = x
        scale.n += 1
        if self.normalization == 1:
            before = x - scale.mean
            scale.mean += before / scale.n
            scale.squares += before * (x - scale.mean)
        elif self.normalization == 2:
            scale.low = x if scale.n == 1 else min(scale.low, x)
            scale.high = x if scale.n == 1 else max(scale.high, x)

    cdef double scaled(self, Py_ssize_t k, double x) noexcept:
        """Normalize by what is known up to now; a feature that never moved gives 0."""
        cdef Scale* scale = &self.scales[k]
        if self.normalization == 1:
            return (x - scale.mean) / sqrt(scale.squares / scale.n) if scale.squares > 0.0 else 0.0
        if self.normalization == 2:
            return (x - scale.low) / (scale.high - scale.low) if scale.high > scale.low else 0.0
        return x

    def update(self, int64_t ts, double first, double high, double low, double close,
               double volume):
        """Take one bar; `ts` is its close, ns UTC."""
        self.step(ts, first, high, low, close, volume)

    def values(self):
        """Return the latest row, a fresh array of float64, shape (n_features,)."""
        result = np.empty(self.n)
        cdef double[::1] target = result
        cdef Py_ssize_t k
        for k in range(self.n):
            target[k] = self.row[k]
        return result

    @property
    def ready(self):
        """Whether every feature has been defined at least once."""
        return self.undefined == 0

    def run(self, const int64_t[::1] ts, const double[::1] first, const double[::1] high,
            const double[::1] low, const double[::1] close, const double[::1] volume,
            double[:, ::1] values, unsigned char[::1] ready):
        """Take whole columns; write one row of `values` and one of `ready` per bar.

        Shapes are (n_bars,), but for `values` (n_bars, n_features); the caller has checked them.
        """
        cdef Py_ssize_t i, k
        for i in range(ts.shape[0]):
            self.step(ts[i], first[i], high[i], low[i], close[i], volume[i])
            for k in range(self.n):
                values[i, k] = self.row[k]
            ready[i] = self.undefined == 0

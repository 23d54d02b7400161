# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# IEEE division is what is wanted: x / 0 is an infinity, 0 / 0 NaN.
"""Chains of indicators and arithmetic on them: `EMA(9).of(RSI(14))`, `SMA(5) - SMA(20)`.

What is built of indicators is an indicator. It owns them: it feeds each once per row, however often
it occurs, so none of them is to be fed elsewhere.
"""

cimport cython
from libc.math cimport NAN

import numpy as np

from pyrt.errors import ConfigError, DataError
from pyrt.indicators.inputs import as_column
from pyrt.indicators.signals_compare import compare


cdef class Composable(Indicator):
    """An indicator that takes part in chains and arithmetic."""

    cdef double output_at(self, int k) noexcept:
        """The latest value of output `k`."""
        return self.value

    def of(self, Composable source):
        """Compute this indicator over another's (first) output.

        Rows on which the source is NaN, its warm-up above all, are gaps to this indicator.

        Parameters
        ----------
        source : indicator
            Owned by the result from now on.

        Returns
        -------
        indicator
            With the source's inputs; `lookback` is the sum of both.

        Raises
        ------
        ConfigError
            If this indicator takes more than one series.
        """
        return Chain(self, source)

    def output(self, str name):
        """Pick one output by name, to chain it or calculate with it."""
        return Output(self, name)

    def __add__(self, other):
        return Operation("+", self, other)

    def __radd__(self, other):
        return Operation("+", other, self)

    def __sub__(self, other):
        return Operation("-", self, other)

    def __rsub__(self, other):
        return Operation("-", other, self)

    def __mul__(self, other):
        return Operation("*", self, other)

    def __rmul__(self, other):
        return Operation("*", other, self)

    def __truediv__(self, other):
        return Operation("/", self, other)

    def __rtruediv__(self, other):
        return Operation("/", other, self)

    def __neg__(self):
        return Operation("-", 0.0, self)

    def __lt__(self, other):
        return compare("<", self, other)

    def __le__(self, other):
        return compare("<=", self, other)

    def __gt__(self, other):
        return compare(">", self, other)

    def __ge__(self, other):
        return compare(">=", self, other)

    def __hash__(self):
        # A class that says how it compares is not hashable unless it says so too.
        return object.__hash__(self)


@cython.final
cdef class Constant(Composable):
    """A number where an indicator may stand."""

    def __init__(self, double value):
        self.inputs = ()
        self.value = value
        self.ready = True

    cdef int feed(self, const double* x) except -1:
        return 0

    def reset(self):
        """Do nothing: a number has no past."""


cdef class Derived(Composable):
    """An indicator made of others."""

    cdef int join(self, tuple operands, Py_ssize_t lookback) except -1:
        """Take over the operands and everything below them."""
        cdef int i, k
        self.order = []
        for operand in operands:
            below = (<Derived>operand).order if isinstance(operand, Derived) else []
            for item in [*below, operand]:
                if not any(item is known for known in self.order):
                    self.order.append(item)
        names = []
        for item in self.order:
            if not isinstance(item, Derived):
                names.extend(name for name in item.inputs if name not in names)
        if len(self.order) > MAX_NODES or len(names) > MAX_COLUMNS:
            raise ConfigError(
                f"{len(self.order)} indicators over {len(names)} columns; "
                f"one expression takes {MAX_NODES} and {MAX_COLUMNS}"
            )
        for i, item in enumerate(self.order):
            if not isinstance(item, Derived):
                for k, name in enumerate(item.inputs):
                    self.slots[i][k] = names.index(name)
        self.inputs = tuple(names)
        self.outputs = ("value",)
        self.lookback = lookback
        self.value = NAN
        self.ready = False
        return 0

    cdef int refresh(self) except -1:
        """Set `value` and `ready` from the operands, which have been fed."""
        return 0

    cdef object evaluate(self, list arrays):
        """Compute the output from the operands' columns, in the order of `join`."""

    cdef int feed(self, const double* x) except -1:
        cdef double row[MAX_COLUMNS]
        cdef Composable node
        cdef int i = 0, k
        for item in self.order:
            node = <Composable>item
            if isinstance(node, Derived):
                (<Derived>node).refresh()
            else:
                for k in range(len(node.inputs)):
                    row[k] = x[self.slots[i][k]]
                node.feed(row)
            i += 1
        return self.refresh()

    def update(self, *values):
        """Take one value for each name in `inputs`, in that order; NaN is a gap."""
        cdef double row[MAX_COLUMNS]
        cdef int k
        if len(values) != len(self.inputs):
            raise TypeError(f"update() takes {self.inputs}, got {len(values)} values")
        for k in range(len(values)):
            row[k] = values[k]
        self.feed(row)

    def batch(self, *columns):
        """Compute the output for whole columns, one for each name in `inputs`.

        Parameters
        ----------
        *columns : array_like of float, shape (n,)

        Returns
        -------
        ndarray of float64, shape (n,)
            NaN during warm-up and on gap rows; the same bits as updates give.
        """
        if len(columns) != len(self.inputs):
            raise DataError(f"batch() takes {self.inputs}, got {len(columns)} columns")
        given = {
            name: as_column(f"{self!r}.batch", name, column)
            for name, column in zip(self.inputs, columns)
        }
        known = {}
        with np.errstate(all="ignore"):
            for item in self.order:
                known[id(item)] = self.column_of(item, given, known)
            return self.column_of(self, given, known)

    cdef object column_of(self, object item, dict given, dict known):
        if isinstance(item, Derived):
            return (<Derived>item).evaluate(
                [known[id(operand)] for operand in (<Derived>item).operands()]
            )
        if isinstance(item, Constant):
            return item.value
        return item.batch(*[given[name] for name in item.inputs])

    cdef tuple operands(self):
        """What this node is computed from, directly."""
        return ()

    def reset(self):
        """Forget every update, in all indicators below as well."""
        for item in self.order:
            item.reset()
        self.value = NAN
        self.ready = False

    @property
    def owned_indicators(self):
        """Every indicator below, which this one feeds and nobody else may."""
        found = [*self.order]
        for item in [*self.order, self]:
            if isinstance(item, Chain):
                found.append((<Chain>item).outer)
        return tuple(found)

    @property
    def values(self):
        """The value, as a tuple."""
        return (self.value,)

    @property
    def period(self):
        """Rows until the first output."""
        return self.lookback + 1


cdef object first_of(object column):
    return column[0] if isinstance(column, tuple) else column


@cython.final
cdef class Chain(Derived):
    """An indicator over another's output."""

    cdef Composable outer
    cdef Composable source

    def __init__(self, Composable outer, Composable source):
        if len(outer.inputs) != 1 or isinstance(outer, Derived):
            raise ConfigError(
                f"{outer!r} takes {outer.inputs}; of() needs an indicator of one series"
            )
        self.outer = outer
        self.source = source
        self.join((source,), outer.lookback + source.lookback)
        self.outputs = getattr(outer, "outputs", ("value",))

    cdef tuple operands(self):
        return (self.source,)

    cdef int refresh(self) except -1:
        self.outer.feed(&self.source.value)
        self.value = self.outer.value
        self.ready = self.outer.ready
        return 0

    cdef double output_at(self, int k) noexcept:
        return self.outer.output_at(k)

    cdef object evaluate(self, list arrays):
        return self.outer.batch(first_of(arrays[0]))

    def reset(self):
        """Forget every update, in all indicators below as well."""
        Derived.reset(self)
        self.outer.reset()

    @property
    def values(self):
        """Latest outputs of the outer indicator."""
        return self.outer.values

    def __getattr__(self, name):
        return getattr(self.outer, name)

    def __repr__(self):
        return f"{self.outer!r}.of({self.source!r})"


@cython.final
cdef class Output(Derived):
    """One of an indicator's outputs."""

    cdef Composable source
    cdef int which
    cdef str name

    def __init__(self, Composable source, str name):
        names = getattr(source, "outputs", ("value",))
        if name not in names:
            raise ConfigError(f"{source!r} has no output {name!r}; it has {', '.join(names)}")
        self.source = source
        self.which = names.index(name)
        self.name = name
        self.join((source,), source.lookback)

    cdef tuple operands(self):
        return (self.source,)

    cdef int refresh(self) except -1:
        self.value = self.source.output_at(self.which)
        self.ready = self.source.ready
        return 0

    cdef object evaluate(self, list arrays):
        return arrays[0][self.which] if isinstance(arrays[0], tuple) else arrays[0]

    def __repr__(self):
        return f"{self.source!r}.output({self.name!r})"


@cython.final
cdef class Operation(Derived):
    """Two indicators, or one and a number, joined by +, -, * or /."""

    cdef Composable left
    cdef Composable right
    cdef str sign

    def __init__(self, str sign, left, right):
        self.left = left if isinstance(left, Composable) else Constant(left)
        self.right = right if isinstance(right, Composable) else Constant(right)
        self.sign = sign
        self.join((self.left, self.right), max(self.left.lookback, self.right.lookback))

    cdef tuple operands(self):
        return (self.left, self.right)

    cdef int refresh(self) except -1:
        cdef double a = self.left.value, b = self.right.value
        if self.sign == "+":
            self.value = a + b
        elif self.sign == "-":
            self.value = a - b
        elif self.sign == "*":
            self.value = a * b
        else:
            self.value = a / b
        self.ready = self.left.ready and self.right.ready
        return 0

    cdef object evaluate(self, list arrays):
        a, b = first_of(arrays[0]), first_of(arrays[1])
        if self.sign == "+":
            return np.add(a, b)
        if self.sign == "-":
            return np.subtract(a, b)
        return np.multiply(a, b) if self.sign == "*" else np.divide(a, b)

    def __repr__(self):
        left = self.left.value if isinstance(self.left, Constant) else self.left
        right = self.right.value if isinstance(self.right, Constant) else self.right
        return f"({left!r} {self.sign} {right!r})"

"""Numbers that conditions read, and comparisons between them.

A condition reads indicators (their first output), columns of the event ("close", "bid_price"), and
constants. A comparison with NaN on a side is undefined, see `pyrt.core.conditions`.
"""
cimport cython

from pyrt.core.conditions cimport UNDEFINED
from pyrt.core.panel cimport Line, Panel
from pyrt.core.ports cimport Indicator

from pyrt.core.streams import COLUMNS
from pyrt.errors import ConfigError

SIGNS = ("<", "<=", ">", ">=")


cdef class Source:
    """A number that is there at each event: an indicator's, a column's, or a constant."""

    def __cinit__(self):
        self.at = NULL
        self.column = -1

    cdef double fetch(self, const Event* event) except? -1.0:
        """Return the number where neither `at` nor `column` says it."""
        raise TypeError(f"{type(self).__name__} is bound to no stream")

    cdef Line line_in(self, Panel panel) except? NULL:
        """Where the number stands in a panel, row by row; NULL where it does not."""
        if self.column >= 0:
            return panel.columns[self.column]
        if self.kept is None:
            return NULL
        return panel.line_of(<Indicator>self.kept, 0)

    cdef bint lay(self, Panel panel) except -1:
        """Read from a panel from now on; False where that cannot be."""
        self.step = 0
        self.laid = &self.constant
        if self.at != &self.constant:
            self.step = 1
            self.laid = self.line_in(panel)
        return self.laid != NULL

    cdef int renew(self) except -1:
        """Bring a number that no row of data changes up to date, before rows are judged by it."""
        return 0

    def indicators(self):
        """The indicator read, in a list; empty for columns and constants."""
        return [] if self.kept is None else [self.kept]

    def bind(self, stream):
        """Find the number in the events of `stream`."""

    def settle(self, place):
        """Find the number where a condition is tested; `place` is what `Condition.bind` gets."""
        self.bind(place.stream)

    def __lt__(self, other):
        return compare("<", self, other)

    def __le__(self, other):
        return compare("<=", self, other)

    def __gt__(self, other):
        return compare(">", self, other)

    def __ge__(self, other):
        return compare(">=", self, other)

    def __hash__(self):
        return object.__hash__(self)

    def __repr__(self):
        return f"{self.constant:g}" if self.kept is None else repr(self.kept)


@cython.final
cdef class Column(Source):
    """A column of the events, such as the close of a bar.

    Parameters
    ----------
    name : str
        One of open, high, low, close, volume, bid_price, bid_size, ask_price, ask_size, price,
        size.

    Raises
    ------
    ConfigError
        If no kind of stream has such a column.
    """

    def __init__(self, str name):
        known = sorted({one for columns in COLUMNS.values() for one in columns})
        if name not in known:
            raise ConfigError(
                f"no stream has a column {name!r}", remedy=f"Use one of {', '.join(known)}"
            )
        self.name = name

    def bind(self, stream):
        """Find the column in the events of `stream`; ConfigError if they have none of the name."""
        known = COLUMNS.get(stream.kind, {})
        if self.name not in known:
            raise ConfigError(
                f"{stream!r} has no {self.name!r}", remedy=f"It has {', '.join(known) or 'none'}"
            )
        self.column = known[self.name]

    def __repr__(self):
        return f"column({self.name!r})"


def column(str name):
    """Return a column of the events, to compare: ``column("close") > self.upper``."""
    return Column(name)


cdef Source source_of(object given):
    """Take an indicator, the name of a column, a number, or a source as it is."""
    cdef Source made
    cdef Indicator indicator
    if isinstance(given, Source):
        return given
    if isinstance(given, str):
        return Column(given)
    made = Source()
    if isinstance(given, Indicator):
        indicator = given
        made.kept = indicator
        made.at = &indicator.value
        return made
    if isinstance(given, bool):
        raise ConfigError(f"{given!r} is not a number to compare with")
    try:
        made.constant = given
    except TypeError:
        raise ConfigError(
            f"{given!r} cannot be compared",
            remedy="Give an indicator, the name of a column, or a number",
        )
    if made.constant != made.constant:
        raise ConfigError("a comparison with NaN is never true")
    made.at = &made.constant
    return made


@cython.final
cdef class Comparison(Condition):
    """Two numbers compared at each event.

    Parameters
    ----------
    sign : {"<", "<=", ">", ">="}
    left, right : indicator, str, float or Source
        A text is the name of a column.
    """

    def __init__(self, str sign, left, right):
        if sign not in SIGNS:
            raise ConfigError(f"{sign!r} is not one of {', '.join(SIGNS)}")
        self.sign = sign
        self.left = source_of(left)
        self.right = source_of(right)
        self.left_at = self.left.at
        self.right_at = self.right.at
        self.when_less = sign[0] == "<"
        self.when_equal = sign[1:] == "="
        self.when_more = sign[0] == ">"

    cdef int test(self, const Event* event, int64_t tick) except -1:
        cdef double a, b
        a = self.left_at[0] if self.left_at != NULL else self.left.read(event)
        b = self.right_at[0] if self.right_at != NULL else self.right.read(event)
        if a < b:
            return self.when_less
        if a > b:
            return self.when_more
        return self.when_equal if a == b else UNDEFINED

    cdef bint lay(self, Panel panel) except -1:
        return self.left.lay(panel) and self.right.lay(panel)

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        cdef Py_ssize_t i, p = self.left.step, q = self.right.step
        cdef const double* a = self.left.laid + start * p
        cdef const double* b = self.right.laid + start * q
        cdef signed char less = self.when_less, equal = self.when_equal, more = self.when_more
        cdef signed char verdict
        self.left.renew()
        self.right.renew()
        for i in range(n):
            verdict = UNDEFINED
            if a[i * p] < b[i * q]:
                verdict = less
            if a[i * p] > b[i * q]:
                verdict = more
            if a[i * p] == b[i * q]:
                verdict = equal
            verdicts[i] = verdict
        return True

    def indicators(self):
        """The indicators on both sides."""
        return self.left.indicators() + self.right.indicators()

    def bind(self, place):
        """Find the columns; see `Condition.bind`."""
        self.left.settle(place)
        self.right.settle(place)
        Condition.bind(self, place)

    def __repr__(self):
        return f"({self.left!r} {self.sign} {self.right!r})"


def compare(str sign, left, right):
    """Return the condition that `left` stands to `right` as `sign` says."""
    return Comparison(sign, left, right)

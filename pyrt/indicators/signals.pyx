"""Conditions on numbers over time: crosses, runs, memories of a condition, hysteresis.

The previous value is the one at the previous event of the stream. Where it or the present one is
NaN, crosses and runs are undefined, see `pyrt.core.conditions`: a cross is never reported out of a
warm-up or a gap.
"""
cimport cython
from libc.math cimport NAN
from libc.string cimport memset

from pyrt.core.conditions cimport FALSE, TRUE, UNDEFINED
from pyrt.core.panel cimport Line, Panel
from pyrt.indicators.signals_compare cimport source_of

from pyrt.errors import ConfigError


@cython.final
cdef class Output(Source):
    """One of the outputs of an indicator that has several.

    Parameters
    ----------
    indicator : indicator
        Attached to a stream; it is read, not owned.
    name : str
        One of its `outputs`.
    """

    def __init__(self, Composable indicator not None, str name):
        names = getattr(indicator, "outputs", ("value",))
        if name not in names:
            raise ConfigError(f"{indicator!r} has no output {name!r}; it has {', '.join(names)}")
        self.kept = self.indicator = indicator
        self.which = names.index(name)
        self.name = name

    cdef double fetch(self, const Event* event) except? -1.0:
        return self.indicator.output_at(self.which)

    cdef Line line_in(self, Panel panel) except? NULL:
        return panel.line_of(self.indicator, self.which)

    def __repr__(self):
        return f"output({self.indicator!r}, {self.name!r})"


def output(indicator, str name):
    """Return one output of an indicator, to compare: ``"close" < output(bands, "lower")``."""
    return Output(indicator, name)


@cython.final
cdef class Cross(Remembering):
    """True at the event at which one number passes another.

    Parameters
    ----------
    left, right : indicator, str, float or Source
    direction : {1, -1}
        1: left was at or below right at the event before, and is above now; -1: the reverse.
    """

    def __init__(self, left, right, int direction):
        self.left = source_of(left)
        self.right = source_of(right)
        self.direction = direction
        self.before_left = self.before_right = NAN

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        cdef double a = self.left.read(event), b = self.right.read(event)
        cdef double p = self.before_left, q = self.before_right
        self.before_left = a
        self.before_right = b
        if a != a or b != b or p != p or q != q:
            return UNDEFINED
        if self.direction > 0:
            return p <= q and a > b
        return p >= q and a < b

    cdef bint lay(self, Panel panel) except -1:
        return self.left.lay(panel) and self.right.lay(panel)

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        cdef Py_ssize_t i, s = self.left.step, t = self.right.step
        cdef const double* left = self.left.laid + start * s
        cdef const double* right = self.right.laid + start * t
        cdef double a, b, p = self.before_left, q = self.before_right
        self.left.renew()
        self.right.renew()
        if start != taken:
            p, q = left[-s], right[-t]
        for i in range(n):
            a, b = left[i * s], right[i * t]
            if a != a or b != b or p != p or q != q:
                verdicts[i] = UNDEFINED
            elif self.direction > 0:
                verdicts[i] = p <= q and a > b
            else:
                verdicts[i] = p >= q and a < b
            p, q = a, b
        return True

    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1:
        self.before_left = self.left.laid[last * self.left.step]
        self.before_right = self.right.laid[last * self.right.step]
        return 0

    def indicators(self):
        """The indicators on both sides."""
        return self.left.indicators() + self.right.indicators()

    def bind(self, place):
        """Find the columns; see `Condition.bind`."""
        self.left.settle(place)
        self.right.settle(place)
        Remembering.bind(self, place)

    def __repr__(self):
        name = "cross_above" if self.direction > 0 else "cross_below"
        return f"{name}({self.left!r}, {self.right!r})"


def cross_above(left, right):
    """Return the condition that `left` passes from at or below `right` to above it.

    Parameters
    ----------
    left, right : indicator, str, float or Source
        A text is the name of a column of the events: "close", "bid_price".

    Examples
    --------
    >>> cross_above("close", 100)
    cross_above(column('close'), 100)
    """
    return Cross(left, right, 1)


def cross_below(left, right):
    """Return the condition that `left` passes from at or above `right` to below it."""
    return Cross(left, right, -1)


@cython.final
cdef class Run(Foreseeing):
    """True while a number has moved one way at each of the last `steps` events.

    Parameters
    ----------
    source : indicator, str or Source
    steps : int
    direction : {1, -1}
    """

    def __init__(self, source, steps, int direction):
        self.source = source_of(source)
        self.steps = count("n", steps)
        self.direction = direction
        self.memory.before = NAN

    cdef int step(self, Way* memory, double now) noexcept:
        """Take one value into a memory and return the verdict."""
        cdef double before = memory.before
        memory.before = now
        if now != now:
            memory.known = memory.steps = 0
            return UNDEFINED
        memory.known += 1
        if now > before if self.direction > 0 else now < before:
            memory.steps += 1
        else:
            memory.steps = 0
        if memory.known <= self.steps:
            return UNDEFINED
        return memory.steps >= self.steps

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        return self.step(&self.memory, self.source.read(event))

    cdef bint lay(self, Panel panel) except -1:
        return self.source.lay(panel)

    cdef int fork(self) except -1:
        self.ahead = self.memory
        return self.source.renew()

    cdef int merge(self) except -1:
        self.memory = self.ahead
        return 0

    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        cdef const double* numbers = self.source.laid + start * self.source.step
        for i in range(n):
            verdicts[i] = self.step(&self.ahead, numbers[i * self.source.step])
        return 0

    def indicators(self):
        """The indicator followed, if it is one."""
        return self.source.indicators()

    def bind(self, place):
        """Find the column; see `Condition.bind`."""
        self.source.settle(place)
        Remembering.bind(self, place)

    def __repr__(self):
        return f"{'rising' if self.direction > 0 else 'falling'}({self.source!r}, {self.steps})"


def rising(source, n=1):
    """Return the condition that `source` is higher than the event before, `n` times in a row."""
    return Run(source, n, 1)


def falling(source, n=1):
    """Return the condition that `source` is lower than the event before, `n` times in a row."""
    return Run(source, n, -1)


cdef class Watching(Foreseeing):
    """A condition that remembers what another one was."""

    cdef int judge_inner(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                         Py_ssize_t taken) except -1:
        """Write the verdicts of the other condition on rows of a panel, where all are false too."""
        if not self.inner.scan(verdicts, start, n, taken):
            memset(verdicts, FALSE, n)
        return 0

    cdef bint lay(self, Panel panel) except -1:
        return self.inner.lay(panel)

    cdef int restart(self) except -1:
        Foreseeing.restart(self)
        return self.inner.restart()

    cdef int reach(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        Foreseeing.reach(self, start, stop)
        return self.inner.reach(start, stop)

    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1:
        Foreseeing.pass_rows(self, last, tick)
        return self.inner.pass_rows(last, tick)

    def parts(self):
        """The condition remembered."""
        return (self.inner,)


@cython.final
cdef class Within(Watching):
    """True while another condition was true at one of the last `events` events, now included."""

    def __init__(self, Condition inner not None, events):
        self.inner = inner
        self.events = count("n", events)

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        return self.step(&self.left, self.inner.test(event, tick))

    cdef int step(self, int64_t* left, int verdict) noexcept:
        """Take one verdict on the inner condition into a memory and return that on this one."""
        if verdict == TRUE:
            left[0] = self.events
        elif left[0] > 0:
            left[0] -= 1
        return TRUE if left[0] > 0 else verdict

    cdef int fork(self) except -1:
        self.ahead = self.left
        return 0

    cdef int merge(self) except -1:
        self.left = self.ahead
        return 0

    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        self.judge_inner(verdicts, start, n, taken)
        for i in range(n):
            verdicts[i] = self.step(&self.ahead, verdicts[i])
        return 0

    def __repr__(self):
        return f"within({self.inner!r}, {self.events})"


def within(Condition condition not None, n):
    """Return the condition that `condition` was true at one of the last `n` events."""
    return Within(condition, n)


@cython.final
cdef class Becoming(Watching):
    """True at the event at which another condition turns from false to true."""

    def __init__(self, Condition inner not None):
        self.inner = inner
        self.before = UNDEFINED

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        return self.step(&self.before, self.inner.test(event, tick))

    cdef int step(self, int* memory, int verdict) noexcept:
        """Take one verdict on the inner condition into a memory and return that on this one."""
        cdef int before = memory[0]
        memory[0] = verdict
        if before == UNDEFINED or verdict == UNDEFINED:
            return UNDEFINED
        return verdict == TRUE and before == FALSE

    cdef int fork(self) except -1:
        self.ahead = self.before
        return 0

    cdef int merge(self) except -1:
        self.before = self.ahead
        return 0

    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        self.judge_inner(verdicts, start, n, taken)
        for i in range(n):
            verdicts[i] = self.step(&self.ahead, verdicts[i])
        return 0

    def __repr__(self):
        return f"becomes({self.inner!r})"


def becomes(Condition condition not None):
    """Return the condition that `condition` was false at the event before and is true now."""
    return Becoming(condition)


@cython.final
cdef class Hysteresis(Foreseeing):
    """True from the event at which a number reaches `enter` until it reaches `leave`.

    Parameters
    ----------
    source : indicator, str or Source
    enter, leave : float
        With `enter` above `leave` the condition holds while the number is high, else while it is
        low. It begins as false.
    """

    def __init__(self, source, double enter, double leave):
        if not (enter < leave or enter > leave):
            raise ConfigError(f"hysteresis needs two levels, not {enter!r} and {leave!r}")
        self.source = source_of(source)
        self.enter = enter
        self.leave = leave

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        return self.step(&self.is_on, self.source.read(event))

    cdef int step(self, bint* memory, double now) noexcept:
        """Take one value into a memory and return the verdict."""
        cdef bint is_high = self.enter > self.leave
        if now != now:
            return UNDEFINED
        if now >= self.enter if is_high else now <= self.enter:
            memory[0] = True
        elif now <= self.leave if is_high else now >= self.leave:
            memory[0] = False
        return memory[0]

    cdef bint lay(self, Panel panel) except -1:
        return self.source.lay(panel)

    cdef int fork(self) except -1:
        self.ahead = self.is_on
        return self.source.renew()

    cdef int merge(self) except -1:
        self.is_on = self.ahead
        return 0

    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        cdef const double* numbers = self.source.laid + start * self.source.step
        for i in range(n):
            verdicts[i] = self.step(&self.ahead, numbers[i * self.source.step])
        return 0

    def indicators(self):
        """The indicator followed, if it is one."""
        return self.source.indicators()

    def bind(self, place):
        """Find the column; see `Condition.bind`."""
        self.source.settle(place)
        Remembering.bind(self, place)

    def __repr__(self):
        return f"hysteresis({self.source!r}, {self.enter:g}, {self.leave:g})"


def hysteresis(source, double enter, double leave):
    """Return the condition that `source` reached `enter` and has not reached `leave` since."""
    return Hysteresis(source, enter, leave)


cdef int64_t count(str name, object value) except -1:
    """Check a number of events: whole, at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000_000:
        raise ConfigError(f"{name} is {value!r}; expected a whole number of events, at least 1")
    return value

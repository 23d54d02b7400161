"""Conditions a strategy waits for, tested in C once per event, and how they combine.

**The rule.** A condition is true, false or undefined. It is undefined while a number it needs is
NaN: an indicator that warms up, a gap, a missing previous value. `~` of undefined is undefined;
`&` is false if one side is false, `|` is true if one side is true, whatever the other. Handlers are
called when a condition is true and at no other time, so nothing happens during a warm-up, however
the condition is written.

A condition belongs to one strategy and one stream, and sees each event of that stream once.
"""
cimport cython
from libc.string cimport memset

from pyrt.errors import ConfigError


class Place:
    """Where a condition is tested: what it may ask for while it is bound.

    Attributes
    ----------
    owner : Strategy
    stream : Stream
    position : callable
        Symbol → the strategy's Position.
    sessions : callable
        () → (opens, closes) of the stream's instrument, ns UTC, or None where it has none.
    """

    def __init__(self, owner, stream, position, sessions):
        self.owner = owner
        self.stream = stream
        self.position = position
        self.sessions = sessions


cdef class Condition:
    """What may be true of an event; combine with `&`, `|` and `~`."""

    def __cinit__(self, *args, **kwargs):
        self.cost = 2

    cdef int test(self, const Event* event, int64_t tick) except -1:
        """Return the verdict on the event, which is number `tick` of its stream."""
        raise TypeError(f"{type(self).__name__} does not define test()")

    cdef bint lay(self, Panel panel) except -1:
        """Read from the lines of a panel from now on; False where that cannot be."""
        return False

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        """Judge `n` rows of the panel, at most SCAN_ROWS; return whether one may not be false.

        Nothing moves on: the next row to be taken is `taken`, at or before `start`. Where it
        returns False the verdicts are not written.
        """
        raise TypeError(f"{type(self).__name__} does not define scan()")

    cdef int restart(self) except -1:
        """Forget what was found of rows ahead: positions may have changed since."""
        return 0

    cdef int reach(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Get ready to move on over the rows [start, stop), `start` being the next to be taken."""
        return 0

    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1:
        """Move on over the panel's rows up to `last`, as `test` at each of them would.

        That row is event number `tick`. `reach` comes first, to all conditions of the stream: one
        may look at another that would have moved on already.
        """
        return 0

    def parts(self):
        """Conditions this one is made of, directly."""
        return ()

    def indicators(self):
        """Indicators read here and below, in the order they are written."""
        return [one for part in self.parts() for one in part.indicators()]

    def symbols(self):
        """Symbols whose positions are looked at, here and below."""
        return [one for part in self.parts() for one in part.symbols()]

    def bind(self, place):
        """Settle the stream and strategy this condition is tested for.

        Raises
        ------
        ConfigError
            If it is bound elsewhere, or the stream lacks something it needs; a condition that
            failed to bind is not to be used again.
        """
        known = self.place
        if known is not None and (
                known.stream is not place.stream or known.owner is not place.owner):
            raise ConfigError(
                f"{self!r} is in use on {known.stream!r} already",
                remedy="Write the condition once for each stream and strategy",
            )
        for part in self.parts():
            part.bind(place)
        self.place = place

    def __and__(self, other):
        if not isinstance(self, Condition) or not isinstance(other, Condition):
            return NotImplemented
        return Both(self, other)

    def __or__(self, other):
        if not isinstance(self, Condition) or not isinstance(other, Condition):
            return NotImplemented
        return Either(self, other)

    def __invert__(self):
        return Opposite(self)

    def __bool__(self):
        # `a and b`, `0 < x < 1` and `if condition:` would drop half of what is written.
        raise TypeError(f"{self!r} is tested by the engine; combine with &, | and ~ instead")


cdef class Remembering(Condition):
    """A condition with a memory: tested twice in one event, it moves on once."""

    def __cinit__(self, *args, **kwargs):
        self.stateful = True
        self.tick = -1
        self.verdict = UNDEFINED

    cdef int test(self, const Event* event, int64_t tick) except -1:
        if tick != self.tick:
            self.verdict = self.advance(event, tick)
            self.tick = tick
        return self.verdict

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        """Take one event in and return the verdict on it."""
        raise TypeError(f"{type(self).__name__} does not define advance()")


cdef class Foreseeing(Remembering):
    """A condition whose memory depends on all rows before: a copy of it runs ahead over a panel."""

    def __cinit__(self, *args, **kwargs):
        self.origin = -1

    cdef int fork(self) except -1:
        """Copy the memory."""
        raise TypeError(f"{type(self).__name__} does not define fork()")

    cdef int merge(self) except -1:
        """Let the copy be the memory."""
        raise TypeError(f"{type(self).__name__} does not define merge()")

    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1:
        """Let the copy take rows; see `scan`."""
        raise TypeError(f"{type(self).__name__} does not define run_ahead()")

    cdef int catch_up(self, Py_ssize_t row, Py_ssize_t taken) except -1:
        """Bring the copy to where `row` is the next it takes."""
        cdef Py_ssize_t n
        if self.origin != taken or self.reached > row:
            self.fork()
            self.origin = self.reached = taken
        while self.reached < row:
            n = min(row - self.reached, SCAN_ROWS)
            self.run_ahead(self.unread, self.reached, n, taken)
            self.reached += n
        return 0

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        self.catch_up(start, taken)
        self.run_ahead(verdicts, start, n, taken)
        self.reached = start + n
        return True

    cdef int restart(self) except -1:
        self.origin = -1
        return 0

    cdef int reach(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        return self.catch_up(stop, start)

    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1:
        if tick != self.tick:  # it may stand in several places
            self.merge()
            self.tick = tick
        return 0


cdef class Pair(Condition):
    """Two conditions joined."""

    def __init__(self, Condition left not None, Condition right not None):
        cdef bint swaps = right.cost < left.cost and not left.stateful
        self.left = left
        self.right = right
        self.first = right if swaps else left
        self.second = left if swaps else right
        self.stateful = left.stateful or right.stateful
        self.cost = left.cost + right.cost

    def parts(self):
        """Both sides."""
        return self.left, self.right

    cdef bint lay(self, Panel panel) except -1:
        return self.left.lay(panel) and self.right.lay(panel)

    cdef int restart(self) except -1:
        self.left.restart()
        return self.right.restart()

    cdef int reach(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        self.left.reach(start, stop)
        return self.right.reach(start, stop)

    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1:
        self.left.pass_rows(last, tick)
        return self.right.pass_rows(last, tick)


@cython.final
cdef class Both(Pair):
    """True while both are true, false while one is false."""

    cdef int test(self, const Event* event, int64_t tick) except -1:
        cdef int a = self.first.test(event, tick), b
        if a == FALSE and not self.second.stateful:
            return FALSE
        b = self.second.test(event, tick)
        if a == FALSE or b == FALSE:
            return FALSE
        return TRUE if a == TRUE and b == TRUE else UNDEFINED

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        cdef signed char* others = self.others
        if not self.first.scan(verdicts, start, n, taken):
            return False
        if not self.second.scan(others, start, n, taken):
            return False
        for i in range(n):
            if verdicts[i] == FALSE or others[i] == FALSE:
                verdicts[i] = FALSE
            else:
                verdicts[i] |= others[i]
                if verdicts[i] != TRUE:
                    verdicts[i] = UNDEFINED
        return True

    def __repr__(self):
        return f"({self.left!r} & {self.right!r})"


@cython.final
cdef class Either(Pair):
    """True while one is true, false while both are false."""

    cdef int test(self, const Event* event, int64_t tick) except -1:
        cdef int a = self.first.test(event, tick), b
        if a == TRUE and not self.second.stateful:
            return TRUE
        b = self.second.test(event, tick)
        if a == TRUE or b == TRUE:
            return TRUE
        return FALSE if a == FALSE and b == FALSE else UNDEFINED

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        cdef signed char* others = self.others
        if not self.first.scan(verdicts, start, n, taken):
            return self.second.scan(verdicts, start, n, taken)
        if not self.second.scan(others, start, n, taken):
            return True
        for i in range(n):
            if verdicts[i] == TRUE or others[i] == TRUE:
                verdicts[i] = TRUE
            elif verdicts[i] != FALSE or others[i] != FALSE:
                verdicts[i] = UNDEFINED
        return True

    def __repr__(self):
        return f"({self.left!r} | {self.right!r})"


@cython.final
cdef class Opposite(Condition):
    """True while the other is false."""

    cdef readonly Condition inner

    def __init__(self, Condition inner not None):
        self.inner = inner
        self.stateful = inner.stateful
        self.cost = inner.cost

    cdef int test(self, const Event* event, int64_t tick) except -1:
        cdef int verdict = self.inner.test(event, tick)
        return verdict if verdict == UNDEFINED else 1 - verdict

    cdef bint lay(self, Panel panel) except -1:
        return self.inner.lay(panel)

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        if not self.inner.scan(verdicts, start, n, taken):
            memset(verdicts, TRUE, n)
            return True
        for i in range(n):
            if verdicts[i] != UNDEFINED:
                verdicts[i] = 1 - verdicts[i]
        return True

    cdef int restart(self) except -1:
        return self.inner.restart()

    cdef int reach(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        return self.inner.reach(start, stop)

    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1:
        return self.inner.pass_rows(last, tick)

    def parts(self):
        """The condition denied."""
        return (self.inner,)

    def __repr__(self):
        return f"~{self.inner!r}"


@cython.final
cdef class Signal:
    """A condition, and what is called while it is true.

    Parameters
    ----------
    condition : Condition
        Bound to the stream this goes to.
    owner : Owner
    handler : callable
    takes_view : bool
        Whether `handler` is given the bar, quote or trade.
    """

    def __init__(self, Condition condition not None, Owner owner not None, handler, *,
                 bint takes_view):
        self.condition = condition
        self.owner = owner
        self.handler = handler
        self.takes_view = takes_view

    def __repr__(self):
        return f"Signal({self.condition!r})"

"""Conditions on a position: which way it is held, and when it is to be left.

Exits look at the price of the event they are tested on: the close of a bar, the price of a trade,
the bid for a long position and the ask for a short one. They are false while nothing is held. What
sends the order is the handler, so the fill comes at the next market moment; a level that is to hold
inside a bar is an order at the venue (`stop_loss=`, `trail_percent=`), not a condition.
"""
cimport cython
from libc.string cimport memset

from pyrt.core.conditions cimport FALSE, UNDEFINED
from pyrt.core.panel cimport Panel
from pyrt.errors import ConfigError

PRICES = {"bars": (3, 3), "trades": (0, 0), "quotes": (0, 2)}


@cython.final
cdef class Holding(Condition):
    """True while the strategy's position in a symbol is flat, long or short.

    Flat means what `Position.is_flat` means: no units and nothing working or unknown.

    Parameters
    ----------
    symbol : str
    side : {"flat", "long", "short"}
    """

    def __init__(self, str symbol, str side):
        self.wanted = {"flat": 0, "long": 1, "short": -1}[side]
        self.symbol = symbol
        self.side = side
        self.cost = 1

    def symbols(self):
        """The symbol looked at."""
        return [self.symbol]

    def bind(self, place):
        """Look the position up; see `Condition.bind`."""
        Condition.bind(self, place)
        self.position = place.position(self.symbol)

    cdef int test(self, const Event* event, int64_t tick) except -1:
        if self.wanted == 0:
            return self.position.flat()
        if self.wanted > 0:
            return self.position.units > 0
        return self.position.units < 0

    cdef bint lay(self, Panel panel) except -1:
        return self.position is not None

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        # No row of data changes what is held.
        if not self.test(NULL, 0):
            return False
        memset(verdicts, 1, n)
        return True

    def __repr__(self):
        return f"is_{self.side}({self.symbol!r})"


def is_flat(str symbol):
    """Return the condition that nothing is held, working or unknown in `symbol`."""
    return Holding(symbol, "flat")


def is_long(str symbol):
    """Return the condition that more than zero units of `symbol` are held."""
    return Holding(symbol, "long")


def is_short(str symbol):
    """Return the condition that less than zero units of `symbol` are held."""
    return Holding(symbol, "short")


cdef class Exit(Foreseeing):
    """A reason to leave a position, by its distance.

    Parameters
    ----------
    symbol : str
    distance : float
        What the subclass says: a fraction of a price, or a number of events; > 0.

    Raises
    ------
    ConfigError
        If the distance is not a positive number.
    """

    def __init__(self, str symbol, double distance):
        if not 0.0 < distance < 1e18:
            raise ConfigError(f"{type(self).__name__} takes a distance above 0, not {distance!r}")
        self.symbol = symbol
        self.distance = distance

    def symbols(self):
        """The symbol whose position is to be left."""
        return [self.symbol]

    def bind(self, place):
        """Look the position up; see `Condition.bind`.

        Raises
        ------
        ConfigError
            If the stream's prices are not those of the symbol.
        """
        cdef Position position = place.position(self.symbol)
        stream = place.stream
        if stream.kind not in PRICES or position.instrument is not stream.instrument:
            raise ConfigError(
                f"{self!r} needs prices of {self.symbol}; {stream!r} has none",
                remedy="Give stream= its bars, quotes or trades",
            )
        Condition.bind(self, place)
        self.position = position
        self.long_column, self.short_column = PRICES[stream.kind]

    cdef int look(self) except -2:
        """Take in what is held now; return its side."""
        cdef Position position = self.position
        cdef int side = (position.units > 0) - (position.units < 0)
        if side == 0:
            self.side = 0
            return 0
        if side != self.side or position.trip.entry_time != self.entry_time:
            self.memory.fresh = True
        elif position.units == self.units and position.open_cost == self.cost:
            return side
        self.side = side
        self.entry_time = position.trip.entry_time
        self.units = position.units
        self.cost = position.open_cost
        self.average = position.average_price
        return side

    cdef int advance(self, const Event* event, int64_t tick) except -1:
        cdef int side = self.look()
        if side == 0:
            return FALSE
        return self.step(
            &self.memory, event.values[self.long_column if side > 0 else self.short_column]
        )

    cdef int step(self, Held* memory, double price) noexcept:
        """Take one price into a memory and return the verdict while something is held."""
        cdef int verdict
        if price != price:
            return UNDEFINED
        verdict = self.judge(memory, price)
        memory.fresh = False
        return verdict

    cdef int judge(self, Held* memory, double price) noexcept:
        """Return the verdict on a price, which is none that is NaN."""
        return UNDEFINED

    cdef bint lay(self, Panel panel) except -1:
        self.prices = panel.columns[self.long_column]
        return True

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        # No row of data changes what is held.
        if self.look() == 0:
            return False
        return Foreseeing.scan(self, verdicts, start, n, taken)

    cdef int fork(self) except -1:
        self.look()
        self.ahead = self.memory
        return 0

    cdef int merge(self) except -1:
        self.memory = self.ahead
        return 0

    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        if self.side == 0:
            memset(verdicts, FALSE, n)
            return 0
        for i in range(n):
            verdicts[i] = self.step(&self.ahead, self.prices[start + i])
        return 0

    def __repr__(self):
        return f"{type(self).__name__}({self.symbol!r}, {self.distance:g})"


@cython.final
cdef class StopHit(Exit):
    """True while the price is `distance` (a fraction) or more to the bad side of the average."""

    cdef int judge(self, Held* memory, double price) noexcept:
        if self.side > 0:
            return price <= self.average * (1.0 - self.distance)
        return price >= self.average * (1.0 + self.distance)


@cython.final
cdef class TargetHit(Exit):
    """True while the price is `distance` (a fraction) or more to the good side of the average."""

    cdef int judge(self, Held* memory, double price) noexcept:
        if self.side > 0:
            return price >= self.average * (1.0 + self.distance)
        return price <= self.average * (1.0 - self.distance)


@cython.final
cdef class TrailHit(Exit):
    """True while the price is `distance` (a fraction) or more off the best since entry.

    The best begins with the average price and takes in the prices of the stream's events.
    """

    cdef int judge(self, Held* memory, double price) noexcept:
        if memory.fresh:
            memory.best = self.average
        if self.side > 0:
            memory.best = max(memory.best, price)
            return price <= memory.best * (1.0 - self.distance)
        memory.best = min(memory.best, price)
        return price >= memory.best * (1.0 + self.distance)


@cython.final
cdef class HeldFor(Exit):
    """True from the event on that is number `distance` of those that saw the position held."""

    cdef int judge(self, Held* memory, double price) noexcept:
        memory.events = 1 if memory.fresh else memory.events + 1
        return memory.events >= self.distance


def exit_condition(str symbol, *, stop=None, target=None, trail=None, bars=None):
    """Return the condition that one of the given reasons to leave a position holds.

    Parameters
    ----------
    symbol : str
    stop, target : float, optional
        Loss and gain as a fraction of the average price: 0.02 is 2 %.
    trail : float, optional
        Distance from the best price since entry, as a fraction of it.
    bars : int, optional
        Events of the stream with the position held.

    Raises
    ------
    ConfigError
        If no reason is given, or one is not above 0; if a loss or a distance is not below 1.
    """
    for name, share in (("stop", stop), ("trail", trail)):
        if share is not None and share >= 1:
            raise ConfigError(
                f"{name} is {share!r}; expected a fraction of the price, below 1",
                remedy="Write 0.02 for 2 %",
            )
    reasons = ((StopHit, stop), (TargetHit, target), (TrailHit, trail), (HeldFor, bars))
    found = [make(symbol, distance) for make, distance in reasons if distance is not None]
    if not found:
        raise ConfigError("an exit needs a reason", remedy="Give stop=, target=, trail= or bars=")
    condition = found[0]
    for other in found[1:]:
        condition = condition | other
    return condition

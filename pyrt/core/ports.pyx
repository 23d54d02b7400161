"""What siblings need of each other, as `cdef` base classes without behavior."""
cimport cython
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

    cdef Indicator twin(self):
        """Return a new indicator like this one that takes rows by the column, None if none can."""
        return None

    cdef int n_outputs(self) noexcept:
        """How many columns `take_rows` writes."""
        return 0

    cdef bint has_taken(self, Py_ssize_t rows) noexcept:
        """Whether it has taken that many rows and nothing else was ever done to it."""
        return False

    cdef int take_rows(self, const double* const* x, double* const* y, Py_ssize_t n) except -1:
        """Do what `feed` does with each of `n` rows, and write their outputs."""
        raise TypeError(f"{type(self).__name__} does not define take_rows()")


cdef class Owner:
    """Whoever issues commands: a strategy, by its number in the run."""

    def __cinit__(self, *args, **kwargs):
        self.number = -1


@cython.final
@cython.freelist(32)
cdef class Command:
    """A wish about one order, on its way from a handler to the venue."""


@cython.no_gc
@cython.freelist(32)
cdef class ApprovedOrder:
    """An order with a verdict; only a risk gate makes one, and a venue takes nothing else."""

    def __init__(self):
        raise TypeError("an ApprovedOrder is made by a RiskGate only")


cdef class RiskGate:
    """Judges what is about to leave.

    `judge` returns None to approve, or the reason, beginning with the control's code and a colon.
    """

    cdef ApprovedOrder approve(self, Order order):
        cdef ApprovedOrder approved = ApprovedOrder.__new__(ApprovedOrder)
        approved.order = order
        return approved

    cdef str judge(self, Order order, int64_t now):
        raise TypeError(f"{type(self).__name__} does not define judge()")

    cdef str judge_change(self, Command command, int64_t now):
        raise TypeError(f"{type(self).__name__} does not define judge_change()")

    cdef str preview(self, Order order, int64_t now):
        """Judge an order that is not to be sent: nothing is counted, noted or used up."""
        return self.judge(order, now)

    cdef int recount(self, Order order) except -1:
        """The order has changed on our side, or is to be judged anew: count it accordingly."""
        return 0

    def halts(self, Order order not None):
        """Return whether nothing but cancels leaves for this order's strategy and symbol."""
        return False

    cdef int note_status(self, int32_t index, int status) except -1:
        """The venue says whether and how an instrument trades, a `TradingStatus`."""
        return 0


cdef class Venue:
    """Takes commands; what comes of them arrives later as events."""

    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1:
        raise TypeError(f"{type(self).__name__} does not define submit()")

    cdef int change(self, Command command, int64_t now) except -1:
        raise TypeError(f"{type(self).__name__} does not define change()")

    cdef int withdraw(self, Order order, int64_t now) except -1:
        raise TypeError(f"{type(self).__name__} does not define withdraw()")

    cdef str refusal(self, Order order, int64_t now):
        """Say how an order that is not to be sent would be refused; None if nothing speaks
        against it, or nothing is known."""
        return None


cdef class CommandSink:
    """Works orders between risk and venue: what the venue lacks, and what algorithms send."""

    cdef str place(self, Order order):
        """Look at an approved order: None if it is to be sent, "" if it is kept, else why not."""
        raise TypeError(f"{type(self).__name__} does not define place()")

    cdef str forecast(self, Order order):
        """Say what `place` would, of an order that is not to be sent; nothing is kept of it."""
        raise TypeError(f"{type(self).__name__} does not define forecast()")

    cdef bint has(self, Order order):
        """Whether commands about the order end here."""
        raise TypeError(f"{type(self).__name__} does not define has()")

    cdef int withdraw(self, Order order) except -1:
        raise TypeError(f"{type(self).__name__} does not define withdraw()")

    cdef str change(self, Command command):
        """Change the terms of an order that is here; return why not, or None."""
        raise TypeError(f"{type(self).__name__} does not define change()")

    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1:
        """Take a bar that marks positions, before any handler sees it."""
        raise TypeError(f"{type(self).__name__} does not define on_bar()")

    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1:
        """Take a quote, or a trade as both sides of one."""
        raise TypeError(f"{type(self).__name__} does not define on_tick()")

    def split(self, Py_ssize_t index, int64_t new, int64_t old):
        """Restate what is here of an instrument of which `old` units have become `new` ones."""
        raise TypeError(f"{type(self).__name__} does not define split()")

    cdef int reword(self, Event* event) except -1:
        """Put what the venue says into the words the order's terms ask for."""
        raise TypeError(f"{type(self).__name__} does not define reword()")

    cdef int account(self, Order order, Event* event) except -1:
        """Follow an order's change of state before anybody hears of it."""
        raise TypeError(f"{type(self).__name__} does not define account()")

    cdef int on_order(self, Order order, Event* event) except -1:
        """Act on an order's change of state, after its strategy has heard of it."""
        raise TypeError(f"{type(self).__name__} does not define on_order()")


cdef class FeeModel:
    """Computes what one execution costs, in 1e-18 of the quote currency; positive when paid."""

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        raise TypeError(f"{type(self).__name__} does not define fee()")

    cdef int64_t taken(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                       int liquidity, int64_t ts) except? -1:
        """Units of what is bought that the venue keeps; `fee` does not count their value."""
        return 0

    cdef int begin(self) except -1:
        """A run begins: forget what an earlier one has accrued."""
        return 0

    cdef int book(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                  int liquidity, int64_t ts) except -1:
        """An execution has been charged: models that charge by day or by volume add it up."""
        return 0


cdef class OrderDesk:
    """Turns a strategy's wishes into orders and commands."""

    cdef Order place(self, Owner owner, str symbol, int side, object quantity, dict terms):
        raise TypeError(f"{type(self).__name__} does not define place()")

    cdef Order draft(self, Owner owner, str symbol, int side, object quantity, dict terms):
        """Make an order that is not to be sent; nobody else hears of it."""
        raise TypeError(f"{type(self).__name__} does not define draft()")

    cdef int cancel(self, Owner owner, Order order) except -1:
        raise TypeError(f"{type(self).__name__} does not define cancel()")

    cdef int modify(self, Owner owner, Order order, dict changes) except -1:
        raise TypeError(f"{type(self).__name__} does not define modify()")

    cdef int cancel_all(self, Owner owner, str symbol) except -1:
        raise TypeError(f"{type(self).__name__} does not define cancel_all()")

    cdef Order target(self, Owner owner, str symbol, object quantity, str tag):
        raise TypeError(f"{type(self).__name__} does not define target()")

    cdef Order target_percent(self, Owner owner, str symbol, double fraction):
        raise TypeError(f"{type(self).__name__} does not define target_percent()")

    cdef Position position_of(self, Owner owner, str symbol):
        raise TypeError(f"{type(self).__name__} does not define position_of()")

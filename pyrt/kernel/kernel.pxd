"""The kernel: two inputs, `advance` and `process`; both worlds call these and nothing else."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.bus cimport Channel, MessageBus
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.conditions cimport Signal
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command, RiskGate, Venue
from pyrt.core.records cimport Records
from pyrt.core.streams cimport Stream
from pyrt.data.aggregation cimport Aggregator
from pyrt.execution.booking cimport Booking
from pyrt.execution.desk cimport Desk
from pyrt.risk.watch cimport Watcher
from pyrt.strategy.core cimport StrategyCore

@cython.final
cdef class Hooks:
    """The handlers one strategy defines, looked up once; None where it defines none."""
    cdef object on_order
    cdef object on_fill
    cdef object on_position
    cdef object on_timer
    cdef object on_status
    cdef dict narrow
    """Event kind → bound method."""
    cdef bint listens
    """It defines any handler of orders, fills or positions."""
    cdef Channel orders
    cdef Channel fills
    cdef Channel positions

@cython.final
cdef class Kernel:
    cdef readonly Clock clock
    cdef readonly Cache cache
    cdef readonly MessageBus bus
    cdef readonly Account account
    cdef readonly Records records
    cdef readonly Desk desk
    cdef readonly Booking booking
    cdef readonly RiskGate gate
    cdef readonly Venue venue
    cdef readonly EventQueue inbox
    """What the venue and the world answer; processed in order by `settle`."""
    cdef readonly list strategies
    cdef list hooks
    cdef readonly str on_error
    """"raise", "halt" or "log"."""
    cdef readonly object portfolio
    cdef readonly list errors
    cdef public object history
    """Callable (symbol, timeframe, bars) → list of Bar known now; set by the world."""
    cdef public object open_stream
    """Callable (kind, symbol, timeframe) → bool: asks the world for a stream that is not there."""
    cdef public object sessions
    """Callable: calendar name → (opens, closes) or None; set by the world."""
    cdef public int64_t grace_ns
    """How long an aggregated bar waits for late data after its end."""
    cdef public int64_t compute_latency_ns
    cdef int64_t handlers_from
    """Rows with an earlier ts_init feed indicators, never handlers."""
    cdef readonly int64_t events_processed
    cdef int64_t opening_equity_day
    cdef double day_equity
    cdef double last_equity
    cdef double initial_equity
    cdef double last_cash
    cdef bint booked
    """Cash may have changed since the last equity sample."""
    cdef bint quiet
    """No holding and no booking since the last equity sample."""
    cdef list aggregated
    """Bars completed from finer ones and not yet delivered: (stream, row)."""
    cdef readonly int64_t aggregates_due
    cdef Watcher watcher
    """The gate, if it wants to hear more than orders; else None."""

    cdef int advance(self, int64_t ts) except -1
    cdef int process(self, Event* event) except -1
    cdef int settle(self) except -1
    cdef int deliver(self) except -1
    cdef int fire_timers(self, int64_t ts) except -1
    cdef int sample(self, int64_t ts) except -1

    cdef int on_bar(self, Stream stream, Event* event) except -1
    cdef int on_quote(self, Stream stream, Event* event) except -1
    cdef int on_trade(self, Stream stream, Event* event) except -1
    cdef int mark(self, Stream stream, double price) except -1
    cdef object raise_signals(self, Stream stream, Event* event)
    cdef int call_signal(self, Signal signal, object view) except -1
    cdef int dispatch(self, Stream stream, object view) except -1
    cdef int failed_in_dispatch(self, StrategyCore owner, object method, object view) except -1
    cdef int call(self, StrategyCore owner, object method, object argument) except -1
    cdef int failed(self, StrategyCore owner, object method, object argument,
                    object error) except -1
    cdef int on_order_event(self, Event* event) except -1
    cdef int take_fill(self, Order order, Event* event) except -1
    cdef int take_change(self, Order order, Event* event) except -1
    cdef int take_answer(self, Order order, Event* event) except -1
    cdef int notify(self, Order order, Event* event) except -1
    cdef int notify_fill(self, Order order, Event* event, Hooks hooks) except -1
    cdef int execute(self, Command command) except -1
    cdef int submit(self, Order order) except -1
    cdef int deny(self, Order order, str reason) except -1
    cdef int note(self, Order order, int kind, int64_t value) except -1
    cdef int on_corporate_action(self, Event* event) except -1
    cdef object collect(self, Aggregator aggregator, Stream target, int n)
    cdef int aggregate_bar(self, Stream stream, Event* event) except -1
    cdef int aggregate_trade(self, Stream stream, Event* event) except -1
    cdef int deliver_aggregates(self) except -1
    cdef int close_aggregates(self, int64_t ts) except -1

"""What a kernel is made of, and what strategies may ask of it besides commands."""
from libc.stdint cimport int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.bus cimport MessageBus
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport EventQueue
from pyrt.core.ports cimport CommandSink, RiskGate, Venue
from pyrt.core.records cimport Records
from pyrt.execution.booking cimport Booking
from pyrt.execution.desk cimport Desk
from pyrt.kernel.aggregates cimport Aggregates
from pyrt.kernel.answers cimport Answers
from pyrt.kernel.calls cimport Calls
from pyrt.kernel.curve cimport EquityCurve
from pyrt.kernel.market cimport Market
from pyrt.risk.watch cimport Watcher

cdef class Wiring:
    cdef readonly Clock clock
    cdef readonly Cache cache
    cdef readonly MessageBus bus
    cdef readonly Account account
    cdef readonly Records records
    cdef readonly Desk desk
    cdef readonly Booking booking
    cdef readonly RiskGate gate
    cdef readonly CommandSink sink
    """What stands between gate and venue: emulation, execution algorithms."""
    cdef readonly Venue venue
    cdef readonly EventQueue inbox
    """What the venue and the world answer; processed in order by `settle`."""
    cdef readonly list strategies
    cdef list hooks
    cdef readonly Calls calls
    cdef Aggregates aggregates
    cdef Market market
    cdef readonly EquityCurve curve
    cdef Answers answers
    cdef readonly object portfolio
    cdef Watcher watcher
    """The gate, if it wants to hear more than orders; else None."""
    cdef public object world
    """Answers `request_history` and `compute` later, when live; None where that is done at once."""
    cdef public object history
    """Callable (symbol, timeframe, bars) → list of Bar known now; set by the world."""
    cdef public object open_stream
    """Callable (kind, symbol, timeframe) → bool: asks the world for a stream that is not there."""
    cdef public object sessions
    """Callable: calendar name → (opens, closes) or None; set by the world."""
    cdef public int rounds_max
    """How often handlers may answer with commands what came of their commands, at one instant."""
    cdef public int64_t grace_ns
    """How long an aggregated bar waits for late data after its end."""
    cdef public bint books_show_own
    """Whether order books that come in hold our own resting orders: a real venue's do."""
    cdef public int64_t compute_latency_ns
    """How long after the call a result of `compute` is delivered."""

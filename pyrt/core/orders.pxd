"""Orders: one state machine, one table of transitions, and the requests about them."""
cimport cython
from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint8_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.positions cimport Position

cdef enum:
    N_STATUS = 14
    N_EVENTS = 36

cdef inline int64_t no_price() noexcept:
    """Stands for a price that an order does not have; no price is that low."""
    return INT64_MIN

cdef signed char[N_STATUS][N_EVENTS] NEXT_STATUS

cdef int next_status(int status, int kind) noexcept

cdef int64_t trailing_stop_price(Instrument instrument, int side, int64_t amount,
                                 int64_t percent, int64_t price) except? -1

@cython.final
cdef class Order:
    cdef readonly Instrument instrument
    cdef Position position
    """The owning strategy's position in the instrument."""
    cdef readonly object strategy
    cdef readonly int32_t number
    """Sequence number in the run; part of the client order id."""
    cdef str prefix
    cdef str own_id
    """Client order id of an order that an earlier run has sent; None for those of this one."""
    cdef readonly int side_sign
    cdef int type
    cdef int tif
    cdef int status_
    cdef int64_t units
    """Total quantity, unsigned units."""
    cdef int64_t filled
    cdef int64_t limit_price_raw
    cdef int64_t stop_price_raw
    cdef int64_t trail_amount_raw
    """Distance in 1e-9 of the quote currency; no_price() where none."""
    cdef int64_t trail_percent_raw
    """Distance in 1e-9 percent; no_price() where none."""
    cdef int64_t expires_ns
    """For gtd; 0 elsewhere."""
    cdef int128 notional_raw
    """Ordered value where the order was given as money; 0 elsewhere."""
    cdef int128 filled_notional
    cdef int64_t display
    """Units of an iceberg shown at a time; 0 to show all."""
    cdef bint cancels_pair
    """Its first fill, were it partial, cancels the other of its pair; else that shrinks."""
    cdef readonly bint post_only
    cdef readonly bint reduce_only
    cdef readonly bint extended_hours
    cdef readonly bint queue
    cdef readonly str tag
    cdef int32_t tag_number
    cdef uint8_t submit_request
    cdef uint8_t modify_request
    cdef uint8_t cancel_request
    cdef readonly int64_t ts_init
    cdef readonly int64_t ts_last
    cdef public str venue_order_id
    cdef str reason_
    cdef readonly Order parent
    cdef readonly Order take_profit
    cdef readonly Order stop_loss
    cdef readonly Order sibling
    """The other one of a one-cancels-the-other pair."""
    cdef readonly bint keeps_exits
    """Its exits, or the other one of its pair, are kept on our side: the venue hears of the order
    alone."""
    cdef readonly object algorithm
    """What works it through smaller orders; None for an order that is sent itself."""
    cdef readonly Order origin
    """The order whose algorithm sent this one; None for a strategy's own."""
    cdef int64_t taken
    """Units of what it has filled that the venue kept as its fee."""
    cdef int64_t allotted
    """Units that orders of its algorithm are working now."""
    cdef readonly bint is_exit
    """Sent only to leave a position: a child, or an order that could take back what was held then,
    and no more."""
    cdef bint is_child
    """Leg of a bracket, OTO or OCO."""
    cdef bint moves
    """Sent to take the position to `target`: what it was to trade may be less when it leaves."""
    cdef int64_t target
    cdef bint resizes
    """May shrink to what the account can afford when it meets the market."""
    cdef int64_t counted
    """Units of it in the position's working quantity."""

    cdef int transition(self, int kind) except -1
    cdef inline int64_t leaves(self) noexcept:
        return self.units - self.filled
    cdef bint unknown(self) noexcept

@cython.final
cdef class OrderEvent:
    cdef readonly Order order
    cdef readonly str kind
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init
    cdef readonly str status
    cdef readonly str reason

@cython.final
cdef class Fill:
    cdef readonly Order order
    cdef readonly Instrument instrument
    cdef readonly int side_sign
    cdef int64_t units
    cdef int64_t price_raw
    cdef int128 fee_raw
    """Value of the fee, in the instrument's currency."""
    cdef int64_t taken
    """Units of the asset bought that are the fee; 0 where it is money."""
    cdef readonly str fee_currency
    cdef readonly str liquidity
    cdef readonly str execution_id
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init
    cdef readonly int64_t ts_open
    """For a fill inside a bar's path: the bar's start; the fill lies in [ts_open, ts_event]."""
    cdef readonly bint is_last

"""Our orders in Alpaca's words: exact decimals, made from what an order holds."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order


cdef struct Terms:
    int side            # 1 buys, -1 sells
    int type
    int tif
    int64_t units       # in the instrument's quantity unit
    int128 notional       # 1e-18 dollars; 0 for an order of units
    int64_t filled
    int64_t limit_price     # 1e-9; no_price() where there is none, as below
    int64_t stop_price
    int64_t trail_amount
    int64_t trail_percent
    bint extended_hours


cdef object price_of(int64_t raw)
cdef str class_of(Instrument instrument)
cdef str group_of(Order order)
cdef str status_of(Order order)
cdef object open_order_of_terms(
    Instrument instrument, str name, object client_order_id, str status, str order_class,
    Terms terms, bint is_leg, str pair,
)

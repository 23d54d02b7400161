"""Our orders in Alpaca's words: exact decimals, made from what an order holds."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order

cdef object price_of(int64_t raw)
cdef str class_of(Instrument instrument)
cdef str group_of(Order order)
cdef str status_of(Order order)

"""The gate every order passes: is it well-formed for its instrument and this position?"""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport ApprovedOrder, Command, RiskGate

cdef class BasicGate(RiskGate):
    cdef str judge_reduce_only(self, Order order)
    cdef str judge_leg(self, Order leg)
    cdef str judge_grid(self, Order order, int64_t units, int64_t limit_price, int64_t stop_price)
    cdef str judge_exit(self, Order order, int64_t units)

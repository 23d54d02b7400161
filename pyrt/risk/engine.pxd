"""The risk engine: one gate with all controls, states, breaker, stops and record of verdicts."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.risk.claims cimport Book, Claim
from pyrt.risk.keeper cimport Keeper

@cython.final
cdef class RiskEngine(Keeper):
    cdef str begun(self, int64_t now)
    cdef str weighed(self, Order order, int64_t now)
    cdef int ask_for(self, Order order) except -1
    cdef int weigh_for_record(self, Order order) except -1
    cdef int note(self, Order order, int64_t now, str reason) except -1
    cdef str deny(self, Order order, int64_t now, str reason)
    cdef Claim claim_of(self, Order order)
    cdef int count_day(self, Book* book) except -1
    cdef int accept_change(self, Command command, int64_t now) except -1
    cdef int take_terms(self, Claim claim, int kind) except -1
    cdef bint believe(self, Book* book, int64_t price, int64_t now) except -1

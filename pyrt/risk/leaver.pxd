"""Leaving positions: protective stops, the kill switch, and the orders that do it."""
from libc.stdint cimport int64_t
from pyrt.core.ports cimport OrderDesk
from pyrt.core.positions cimport Position
from pyrt.risk.warden cimport Warden

cdef class Leaver(Warden):
    cdef OrderDesk desk

    cdef int protect(self, Py_ssize_t index, int64_t now) except -1
    cdef int leave(
        self, Position position, str reason, int64_t now, int64_t rest=*, bint at_once=*
    ) except -1
    cdef bint is_halted(self, Position position) except -1
    cdef int flatten(self, int64_t now, bint at_once) except -1
    cdef bint flatten_one(self, Position position, int64_t now, bint at_once) except -1
    cdef int stop_all(self, object actor, object reason, bint flatten) except -1

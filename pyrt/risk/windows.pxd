"""Counts over sliding windows: how often, how alike, how large beside what was usual."""
cimport cython
from libc.stdint cimport int64_t

@cython.final
cdef class RateWindow:
    cdef readonly int64_t window_ns
    cdef readonly Py_ssize_t limit
    cdef int64_t[::1] times
    cdef Py_ssize_t next
    cdef Py_ssize_t seen
    cdef bint is_full(self, int64_t now, Py_ssize_t allowed)
    cdef int add(self, int64_t now) except -1

@cython.final
cdef class RecentKeys:
    cdef readonly int64_t window_ns
    cdef dict last
    cdef Py_ssize_t purge_at
    cdef bint has(self, object key, int64_t now) except -1
    cdef int add(self, object key, int64_t now) except -1
    cdef int purge(self, int64_t now) except -1

@cython.final
cdef class SizeHistory:
    cdef readonly Py_ssize_t capacity
    cdef readonly Py_ssize_t count
    cdef double[::1] arrived
    cdef double[::1] sorted_
    cdef Py_ssize_t next
    cdef double median(self)
    cdef int add(self, double size) except -1
    cdef int remove(self, double size) except -1
    cdef int insert(self, double size) except -1

"""Counts over sliding windows: how often, how alike, how large beside what was usual."""
cimport cython
from libc.stdint cimport int64_t

import numpy as np

from pyrt.errors import ConfigError


@cython.final
cdef class RateWindow:
    """Counts events in every window of a length, exactly: a ring of the last times.

    Parameters
    ----------
    limit : int
        Events admitted in any window; the memory needed.
    window_ns : int
        Length of the window; an event exactly that old is outside.
    """

    def __init__(self, Py_ssize_t limit, int64_t window_ns):
        if limit < 0 or window_ns <= 0:
            raise ConfigError(f"a window of {window_ns} ns cannot admit {limit} events")
        self.limit = limit
        self.window_ns = window_ns
        self.times = np.zeros(max(limit, 1), dtype=np.int64)

    cdef bint is_full(self, int64_t now, Py_ssize_t allowed):
        """Whether `allowed` events (at most `limit`) lie in the window that ends now."""
        cdef Py_ssize_t oldest
        if allowed <= 0:
            return True
        if self.seen < allowed:
            return False
        oldest = self.next - allowed
        if oldest < 0:
            oldest += self.times.shape[0]
        return now - self.times[oldest] < self.window_ns

    cdef int add(self, int64_t now) except -1:
        self.times[self.next] = now
        self.next += 1
        if self.next == self.times.shape[0]:
            self.next = 0
        if self.seen < self.times.shape[0]:
            self.seen += 1
        return 0

    def refill(self, RateWindow other):
        """Take over the times that another window remembers, oldest first."""
        cdef Py_ssize_t i, start = other.next - other.seen
        for i in range(start, other.next):
            self.add(other.times[i if i >= 0 else i + other.times.shape[0]])

    def admit(self, int64_t now):
        """Count one event at `now` and return True, or return False if the window is full."""
        if self.is_full(now, self.limit):
            return False
        self.add(now)
        return True

    def count(self, int64_t now):
        """Return how many of the remembered events lie in the window that ends now."""
        ages = now - np.asarray(self.times)[:self.seen]
        return int(np.count_nonzero(ages < self.window_ns))


@cython.final
cdef class RecentKeys:
    """Remembers when each key was last seen, for the length of a window.

    Parameters
    ----------
    window_ns : int
        A key seen exactly that long ago is forgotten.
    """

    def __init__(self, int64_t window_ns):
        self.window_ns = window_ns
        self.last = {}
        self.purge_at = 1024

    cdef bint has(self, object key, int64_t now) except -1:
        seen = self.last.get(key)
        return seen is not None and now - <int64_t>seen < self.window_ns

    cdef int add(self, object key, int64_t now) except -1:
        self.last[key] = now
        if len(self.last) >= self.purge_at:
            self.purge(now)
        return 0

    cdef int purge(self, int64_t now) except -1:
        """Drop what has left the window; the next purge comes when the rest has doubled."""
        self.last = {key: seen for key, seen in self.last.items() if now - seen < self.window_ns}
        self.purge_at = max(1024, 2 * len(self.last))
        return 0

    def __len__(self):
        return len(self.last)

    def inherit(self, RecentKeys other not None):
        """Go on from what another window has seen."""
        self.last = dict(other.last)

    def repeats(self, object key, int64_t now):
        """Return whether `key` is in the window, and note it as seen at `now`."""
        found = self.has(key, now)
        self.add(key, now)
        return found


@cython.final
cdef class SizeHistory:
    """Median of the last sizes, kept sorted.

    Parameters
    ----------
    capacity : int
        How many sizes are remembered.
    """

    def __init__(self, Py_ssize_t capacity):
        if capacity < 1:
            raise ConfigError(f"a history of {capacity} sizes has no median")
        self.capacity = capacity
        self.arrived = np.zeros(capacity)
        self.sorted_ = np.zeros(capacity)

    cdef double median(self):
        """Middle size, or the mean of the two in the middle; there is one at least."""
        cdef Py_ssize_t half = self.count >> 1
        if self.count & 1:
            return self.sorted_[half]
        return 0.5 * (self.sorted_[half - 1] + self.sorted_[half])

    cdef int add(self, double size) except -1:
        if self.count == self.capacity:
            self.remove(self.arrived[self.next])
        self.insert(size)
        self.arrived[self.next] = size
        self.next += 1
        if self.next == self.capacity:
            self.next = 0
        return 0

    cdef int remove(self, double size) except -1:
        cdef Py_ssize_t i = 0
        while self.sorted_[i] != size:
            i += 1
        self.count -= 1
        while i < self.count:
            self.sorted_[i] = self.sorted_[i + 1]
            i += 1
        return 0

    cdef int insert(self, double size) except -1:
        cdef Py_ssize_t i = self.count
        while i > 0 and self.sorted_[i - 1] > size:
            self.sorted_[i] = self.sorted_[i - 1]
            i -= 1
        self.sorted_[i] = size
        self.count += 1
        return 0

    def save(self):
        """Return the remembered sizes, oldest first."""
        cdef list arrived = np.asarray(self.arrived)[:self.count].tolist()
        return arrived[self.next:] + arrived[:self.next] if self.next < self.count else arrived

    def push(self, double size):
        """Add one size and return the median of what is remembered then."""
        if not size - size == 0.0:
            raise ConfigError(f"{size} is not a size")
        self.add(size)
        return self.median()

"""Measures the stages of the kernel's work: counted in C, told once a second."""
cimport cython
from libc.stdint cimport int64_t, uint32_t

from pyrt.kernel.probe cimport Probe

from time import perf_counter_ns

from pyrt.kernel.probe import Stage
from pyrt.live.observe.latency import BOUNDS_NS

cdef int N_STAGES = 4
cdef int N_BOUNDS = 21
cdef int MESSAGES = 200
cdef uint32_t SAMPLED = 1 << 26


@cython.final
cdef class StageProbe(Probe):
    """Counts how long books, indicators, handlers and risk take.

    Of the messages between two calls of `tell` the first 200 are measured, and of the others one
    in 64, drawn: a clock read three times a message would cost as much as the work. Orders are
    all measured.

    Parameters
    ----------
    stages : dict of str to LatencyHistogram
        Those named as a `Stage` is, in lower case, get what was counted when `tell` is called.
    """

    cdef dict stages
    cdef int64_t[21] bounds
    cdef int64_t[4][22] counts
    cdef int64_t[4] totals
    cdef int64_t[4] longest
    cdef int left
    """So many messages are measured before the draw."""
    cdef uint32_t draw

    def __init__(self, dict stages not None):
        cdef int i
        self.stages = stages
        self.left = MESSAGES
        if len(BOUNDS_NS) != N_BOUNDS or len(Stage) != N_STAGES:
            raise ValueError("buckets or stages are other than this was made for")
        for i in range(N_BOUNDS):
            self.bounds[i] = BOUNDS_NS[i]

    cdef int64_t now(self) except? -1:
        return perf_counter_ns()

    cdef int64_t sample(self) except? -1:
        if self.left > 0:
            self.left -= 1
            return perf_counter_ns()
        # A generator of its own: each n-th message could always be one symbol's.
        self.draw = self.draw * 1664525 + 1013904223
        return perf_counter_ns() if self.draw < SAMPLED else 0

    cdef int64_t lap(self, int stage, int64_t since) except? -1:
        cdef int64_t now, lasted
        cdef int low = 0, high = N_BOUNDS, middle
        if since == 0:
            return 0
        now = perf_counter_ns()
        lasted = now - since
        if not 0 <= stage < N_STAGES:
            raise ValueError(f"there is no stage {stage}")
        while low < high:
            middle = (low + high) // 2
            if self.bounds[middle] < lasted:
                low = middle + 1
            else:
                high = middle
        self.counts[stage][low] += 1
        self.totals[stage] += lasted
        if lasted > self.longest[stage]:
            self.longest[stage] = lasted
        return now

    def note(self, int stage, int64_t lasted_ns):
        """Count one duration, as `lap` does."""
        self.lap(stage, perf_counter_ns() - lasted_ns)

    def tell(self):
        """Add what was counted since the last call to the histograms."""
        cdef int stage, i
        self.left = MESSAGES
        for stage in range(N_STAGES):
            counts = []
            for i in range(N_BOUNDS + 1):
                counts.append(self.counts[stage][i])
                self.counts[stage][i] = 0
            total, longest = self.totals[stage], self.longest[stage]
            self.totals[stage] = self.longest[stage] = 0
            self.stages[Stage(stage).name.lower()].add(counts, total, longest)

"""Measures the stages of the kernel's work: counted in C, told once a second."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.kernel.probe cimport Probe

from time import perf_counter_ns

from pyrt.kernel.probe import Stage
from pyrt.live.observe.latency import BOUNDS_NS

cdef int N_STAGES = 4
cdef int N_BOUNDS = 21


@cython.final
cdef class StageProbe(Probe):
    """Counts how long books, indicators, handlers and risk take.

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

    def __init__(self, dict stages not None):
        cdef int i
        self.stages = stages
        if len(BOUNDS_NS) != N_BOUNDS or len(Stage) != N_STAGES:
            raise ValueError("buckets or stages are other than this was made for")
        for i in range(N_BOUNDS):
            self.bounds[i] = BOUNDS_NS[i]

    cdef int64_t now(self) except? -1:
        return perf_counter_ns()

    cdef int64_t lap(self, int stage, int64_t since) except? -1:
        cdef int64_t now = perf_counter_ns()
        cdef int64_t lasted = now - since
        cdef int low = 0, high = N_BOUNDS, middle
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
        for stage in range(N_STAGES):
            counts = []
            for i in range(N_BOUNDS + 1):
                counts.append(self.counts[stage][i])
                self.counts[stage][i] = 0
            total, longest = self.totals[stage], self.longest[stage]
            self.totals[stage] = self.longest[stage] = 0
            self.stages[Stage(stage).name.lower()].add(counts, total, longest)

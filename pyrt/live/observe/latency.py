"""Latency histograms cheap enough for every event: one bisection, one addition."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS_NS: tuple[int, ...] = tuple(step * 10**power for power in range(3, 10) for step in (1, 2, 5))
"""1 µs, 2 µs, 5 µs, … 5 s."""
STAGES = ("decode", "book", "indicators", "handler", "risk", "encode", "ack", "fill")
"""What lies between a frame and a fill, in order."""


class LatencyHistogram:
    """Counts of durations in buckets of 1, 2, 5 × powers of ten, from a microsecond to seconds.

    Attributes
    ----------
    counts : list of int
        One a bucket, the last for what is longer than every bound; not cumulative.
    total_ns, count, max_ns : int
    """

    __slots__ = ("count", "counts", "max_ns", "total_ns")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_NS) + 1)
        self.total_ns = 0
        self.count = 0
        self.max_ns = 0

    def observe(self, duration_ns: int) -> None:
        """Count one duration; a clock that stepped back counts as 0."""
        duration_ns = max(duration_ns, 0)
        self.counts[bisect_left(BOUNDS_NS, duration_ns)] += 1
        self.total_ns += duration_ns
        self.count += 1
        if duration_ns > self.max_ns:
            self.max_ns = duration_ns

    def add(self, counts: Sequence[int], total_ns: int, max_ns: int) -> None:
        """Add what was counted elsewhere, in the same buckets."""
        self.counts = [here + there for here, there in zip(self.counts, counts, strict=True)]
        self.total_ns += total_ns
        self.count += sum(counts)
        self.max_ns = max(self.max_ns, max_ns)

    def quantile(self, share: float) -> int:
        """Return the bound, in ns, below which at least `share` of all durations lie.

        It is exact to a bucket; the largest of all is given where no bound is large enough; 0
        before the first.
        """
        wanted = share * self.count
        seen = 0
        for bound, count in zip(BOUNDS_NS, self.counts):
            seen += count
            if seen >= wanted and seen:
                return min(bound, self.max_ns)
        return self.max_ns

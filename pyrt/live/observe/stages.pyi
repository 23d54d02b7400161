"""Measures the stages of the kernel's work: counted in C, told once a second."""

from typing import final

from pyrt.kernel.probe import Probe
from pyrt.live.observe.latency import LatencyHistogram

BOUNDS_NS: tuple[int, ...]

@final
class StageProbe(Probe):
    def __init__(self, stages: dict[str, LatencyHistogram]) -> None: ...
    def note(self, stage: int, lasted_ns: int) -> None: ...
    def tell(self) -> None: ...

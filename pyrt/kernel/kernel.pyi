"""The kernel: two inputs, `advance` and `process`; both worlds call these and nothing else."""

from typing import final

from pyrt.kernel.wiring import Wiring

@final
class Kernel(Wiring):
    def start(self, ts: int) -> None: ...
    def stop(self) -> None: ...

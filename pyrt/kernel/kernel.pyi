"""The kernel: two inputs, `advance` and `process`; both worlds call these and nothing else."""

from typing import Any, final

from pyrt.core.types import TRADING_STATUS_NAMES as TRADING_STATUS_NAMES
from pyrt.core.verdict import Verdict
from pyrt.kernel.wiring import Wiring
from pyrt.strategy.core import StrategyCore

@final
class Kernel(Wiring):
    def start(self, ts: int) -> None: ...
    def stop(self) -> None: ...
    def tell_bands(self, symbol: str, lower: float, upper: float, ts_event: int) -> None: ...
    def validate(
        self, owner: StrategyCore, symbol: str, side: int, quantity: Any, terms: dict[str, Any]
    ) -> Verdict: ...

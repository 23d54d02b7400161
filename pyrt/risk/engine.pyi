"""The risk engine: one gate with all controls, states, breaker, stops and record of verdicts."""

from typing import final

from pyrt.risk.keeper import Keeper
from pyrt.risk.limits import Limits

@final
class RiskEngine(Keeper):
    def __init__(self, limits: Limits | None = None, *, strict: bool = False) -> None: ...

"""Volatility estimated from the prices of bars, per row (not annualized)."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, OpenHighLowClose

@final
class PARKINSON(HighLow):
    def __init__(self, timeperiod: int = 20) -> None: ...

@disjoint_base
class Mean(OpenHighLowClose):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class GARMANKLASS(Mean): ...

@final
class ROGERSSATCHELL(Mean): ...

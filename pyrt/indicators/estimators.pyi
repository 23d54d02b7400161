"""Volatility estimated from the prices of bars, per row (not annualized)."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, OpenHighLowClose, Series

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

@final
class YANGZHANG(OpenHighLowClose):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class REALIZEDVOL(Series):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class BIPOWERVOL(Series):
    def __init__(self, timeperiod: int = 20) -> None: ...

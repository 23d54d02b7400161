"""Rates of change: a value beside the one some rows before it."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import Series

@disjoint_base
class Lagged(Series):
    def __init__(self, timeperiod: int = 10) -> None: ...

@final
class MOM(Lagged): ...

@final
class ROC(Lagged): ...

@final
class ROCP(Lagged): ...

@final
class ROCR(Lagged): ...

@final
class ROCR100(Lagged): ...

"""Oscillators of momentum: rises against falls, smoothed rates, distance from a trend."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import Series

@disjoint_base
class Rises(Series):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class RSI(Rises): ...

@final
class CMO(Rises): ...

@final
class CMOU(Series):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class ER(Series):
    def __init__(self, timeperiod: int = 10) -> None: ...

@final
class TRIX(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class TSI(Series):
    def __init__(self, firstperiod: int = 25, secondperiod: int = 13) -> None: ...

@final
class DPO(Series):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class COPPOCK(Series):
    def __init__(self, wmaperiod: int = 10, roc1period: int = 11, roc2period: int = 14) -> None: ...

@final
class VHF(Series):
    def __init__(self, timeperiod: int = 28) -> None: ...

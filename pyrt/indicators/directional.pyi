"""Wilder's directional movement, and the vortex."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, HighLowClose

@final
class PLUS_DM(HighLow):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class MINUS_DM(HighLow):
    def __init__(self, timeperiod: int = 14) -> None: ...

@disjoint_base
class Directional(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class PLUS_DI(Directional): ...

@final
class MINUS_DI(Directional): ...

@final
class DX(Directional):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class ADX(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class ADXR(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class VORTEX(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...
    @property
    def plusvi(self) -> float: ...
    @property
    def minusvi(self) -> float: ...

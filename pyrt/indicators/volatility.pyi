"""True range and what is averaged of it, and other measures of how far prices swing."""

from typing import Any, final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, HighLowClose, Series

@final
class TRANGE(HighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@disjoint_base
class Ranges(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class ATR(Ranges): ...

@final
class NATR(Ranges): ...

@final
class ADR(HighLow):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class CVI(HighLow):
    def __init__(self, timeperiod: int = 10, rocperiod: int = 10) -> None: ...

@final
class MASSI(HighLow):
    def __init__(self, fastperiod: int = 9, slowperiod: int = 25) -> None: ...

@final
class RVI(Series):
    def __init__(self, timeperiod: int = 14, stddevperiod: int = 10) -> None: ...

@final
class VOLRATIO(HighLowClose):
    def __init__(self, fastperiod: int = 10, slowperiod: int = 30) -> None: ...

"""Indicators that weigh prices by volume. What adds up over the whole series is compensated."""

from typing import Any, final

from pyrt.indicators.base import (
    CloseVolume,
    HighLowClose,
    HighLowCloseVolume,
    HighLowVolume,
    Series,
)

@final
class AD(HighLowCloseVolume):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class ADOSC(HighLowCloseVolume):
    def __init__(self, fastperiod: int = 3, slowperiod: int = 10) -> None: ...

@final
class OBV(CloseVolume):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class MFI(HighLowCloseVolume):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class CMF(HighLowCloseVolume):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class EFI(CloseVolume):
    def __init__(self, timeperiod: int = 13) -> None: ...

@final
class ERI(HighLowClose):
    def __init__(self, timeperiod: int = 13) -> None: ...
    @property
    def bullpower(self) -> float: ...
    @property
    def bearpower(self) -> float: ...

@final
class MARKETFI(HighLowVolume):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class RVOL(Series):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class VWAP(HighLowCloseVolume):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class WAD(HighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

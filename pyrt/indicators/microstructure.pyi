"""What quotes and the volume of trades tell: imbalances, fair prices, price impact, toxicity."""

from typing import Any, final

from pyrt.indicators.base import CloseVolume, Quotes

@final
class MICROPRICE(Quotes):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class BOOKIMBALANCE(Quotes):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class BOOKRATIO(Quotes):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class SPREAD(Quotes):
    def __init__(self, timeperiod: int = 100) -> None: ...
    @property
    def spread(self) -> float: ...
    @property
    def average(self) -> float: ...

@final
class OFI(Quotes):
    def __init__(self, timeperiod: int = 10) -> None: ...

@final
class KYLELAMBDA(CloseVolume):
    def __init__(self, timeperiod: int = 50) -> None: ...

@final
class AMIHUD(CloseVolume):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class VPIN(CloseVolume):
    def __init__(self, timeperiod: int = 50, sigmaperiod: int = 50) -> None: ...

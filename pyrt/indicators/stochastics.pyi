"""Where the close stands in the range of the last bars."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLowClose, Series

@final
class WILLR(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@disjoint_base
class Stochastic(HighLowClose): ...

@final
class STOCHF(Stochastic):
    def __init__(
        self, fastk_period: int = 5, fastd_period: int = 3, fastd_matype: int = 0
    ) -> None: ...
    @property
    def fastk(self) -> float: ...
    @property
    def fastd(self) -> float: ...

@disjoint_base
class Slow(Stochastic): ...

@final
class STOCH(Slow):
    def __init__(
        self,
        fastk_period: int = 5,
        slowk_period: int = 3,
        slowk_matype: int = 0,
        slowd_period: int = 3,
        slowd_matype: int = 0,
    ) -> None: ...
    @property
    def slowk(self) -> float: ...
    @property
    def slowd(self) -> float: ...

@final
class KDJ(Slow):
    def __init__(
        self,
        fastk_period: int = 9,
        slowk_period: int = 3,
        slowk_matype: int = 13,
        slowd_period: int = 3,
        slowd_matype: int = 13,
    ) -> None: ...
    @property
    def k(self) -> float: ...
    @property
    def d(self) -> float: ...
    @property
    def j(self) -> float: ...

@final
class STOCHRSI(Series):
    def __init__(
        self,
        timeperiod: int = 14,
        fastk_period: int = 5,
        fastd_period: int = 3,
        fastd_matype: int = 0,
    ) -> None: ...
    @property
    def fastk(self) -> float: ...
    @property
    def fastd(self) -> float: ...

@final
class SMI(HighLowClose):
    def __init__(
        self, timeperiod: int = 13, fastperiod: int = 2, slowperiod: int = 25, signalperiod: int = 9
    ) -> None: ...
    @property
    def smi(self) -> float: ...
    @property
    def smisignal(self) -> float: ...

@final
class CCI(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class ULTOSC(HighLowClose):
    def __init__(
        self, timeperiod1: int = 7, timeperiod2: int = 14, timeperiod3: int = 28
    ) -> None: ...

"""Small models of a price: a level with a slope, the pull back to a mean, roughness."""

from typing import final

from pyrt.indicators.base import Series

@final
class KALMAN(Series):
    def __init__(self, levelnoise: float = 0.01, slopenoise: float = 0.0001) -> None: ...
    @property
    def level(self) -> float: ...
    @property
    def slope(self) -> float: ...

@final
class HALFLIFE(Series):
    def __init__(self, timeperiod: int = 60) -> None: ...

@final
class HURST(Series):
    def __init__(self, timeperiod: int = 100) -> None: ...

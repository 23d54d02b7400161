"""Moving averages chosen by number (`matype`), and the one whose period is a series."""

from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrt.indicators.base import Native, Series

KINDS: tuple[type[Native] | None, ...]

@final
class Same(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class FirstOutput(Series):
    def __init__(self, inner: Native) -> None: ...

@final
class MA(Series):
    def __init__(self, timeperiod: int = 30, matype: int = 0) -> None: ...

@final
class MAVP(Native):
    def __init__(self, minperiod: int = 2, maxperiod: int = 30, matype: int = 0) -> None: ...
    def update(self, value: float, periods: float) -> None: ...
    def batch(self, value: ArrayLike, periods: ArrayLike) -> NDArray[np.float64]: ...

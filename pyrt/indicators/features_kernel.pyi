from typing import Self, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from pyrt.core.ports import Indicator
from pyrt.indicators.compose import Composable
from pyrt.indicators.features_columns import COLUMN_NAMES as COLUMN_NAMES

NORMALIZATIONS: tuple[str | None, ...]

class Same(Composable):
    def reset(self) -> None: ...

@disjoint_base
class LogReturn(Composable):
    @property
    def period_(self) -> int: ...
    def __new__(cls, n: int) -> Self: ...
    def reset(self) -> None: ...

@disjoint_base
class Ratio(Composable):
    @property
    def above(self) -> Indicator: ...
    @property
    def below(self) -> Indicator: ...
    @property
    def minus(self) -> float: ...
    def __init__(self, above: Indicator, below: Indicator, minus: float = 0.0) -> None: ...
    def reset(self) -> None: ...

@disjoint_base
class Cycle(Composable):
    @property
    def length(self) -> float: ...
    @property
    def phase(self) -> str: ...
    def __init__(self, length: float, phase: str) -> None: ...
    def reset(self) -> None: ...

@final
class Node:
    def __init__(
        self, name: str, indicator: Composable, inputs: tuple[str, ...], output: str
    ) -> None: ...

@final
class FeatureKernel:
    @property
    def ready(self) -> bool: ...
    def __init__(
        self, nodes: list[Node], normalization: str | None, fills: bool, tz: str
    ) -> None: ...
    def update(
        self, ts: int, first: float, high: float, low: float, close: float, volume: float
    ) -> None: ...
    def values(self) -> NDArray[np.float64]: ...
    def run(
        self,
        ts: NDArray[np.int64],
        first: NDArray[np.float64],
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        volume: NDArray[np.float64],
        values: NDArray[np.float64],
        ready: NDArray[np.uint8],
    ) -> None: ...

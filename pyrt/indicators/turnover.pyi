"""Lines that add up the price's relative moves, chosen or weighed by volume."""

from typing import Any, final

from typing_extensions import disjoint_base

from pyrt.indicators.base import CloseVolume

@disjoint_base
class Turnover(CloseVolume):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class NVI(Turnover): ...

@final
class PVI(Turnover): ...

@final
class PVT(CloseVolume):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

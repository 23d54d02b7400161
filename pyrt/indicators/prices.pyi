"""Prices made of a bar's prices."""

from typing import Any, final

from pyrt.indicators.base import HighLow, HighLowClose, OpenHighLowClose

@final
class AVGPRICE(OpenHighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class MEDPRICE(HighLow):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class TYPPRICE(HighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class WCLPRICE(HighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class BOP(OpenHighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class HA(OpenHighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def haopen(self) -> float: ...
    @property
    def hahigh(self) -> float: ...
    @property
    def halow(self) -> float: ...
    @property
    def haclose(self) -> float: ...

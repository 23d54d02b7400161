from typing import final

from pyrt.data.aggregation import Aggregator
from pyrt.data.aggregation_activity import ActivityBars

@final
class RangeBars(ActivityBars):
    def __init__(self, size: float, *, quote_price: str = "mid") -> None: ...

@final
class RenkoBars(ActivityBars):
    def __init__(self, size: float, *, quote_price: str = "mid") -> None: ...

@final
class HeikinAshiBars(Aggregator): ...

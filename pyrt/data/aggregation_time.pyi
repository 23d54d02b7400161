from typing import final

from numpy.typing import ArrayLike

from pyrt.data.aggregation import Aggregator

@final
class TimeBars(Aggregator):
    def __init__(
        self,
        timeframe: str,
        *,
        sessions: tuple[ArrayLike, ArrayLike] | None = None,
        grace_ns: int = 0,
        fill_gaps: bool = False,
        quote_price: str = "mid",
    ) -> None: ...
    @property
    def timeframe(self) -> str: ...
    @property
    def grace_ns(self) -> int: ...
    @property
    def fill_gaps(self) -> bool: ...

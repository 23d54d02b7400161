from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

BAR_DTYPE: np.dtype[np.void]

def check_positive(name: str, value: float) -> float: ...

@final
class BarRows: ...

@disjoint_base
class Aggregator:
    def __init__(self, quote_price: str = "mid") -> None: ...
    @property
    def late(self) -> int: ...
    @property
    def outside(self) -> int: ...
    @property
    def next_due(self) -> int: ...
    @property
    def bars(self) -> NDArray[Any]: ...
    def update_bar(
        self,
        ts_open: int,
        ts_close: int,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float = 0.0,
    ) -> int: ...
    def update_trade(self, ts: int, price: float, size: float, aggressor: int = 0) -> int: ...
    def update_quote(self, ts: int, bid: float, ask: float) -> int: ...
    def update_time(self, ts: int) -> int: ...
    def update_end(self) -> int: ...
    def batch_bars(
        self,
        ts_open: ArrayLike,
        ts_close: ArrayLike,
        open: ArrayLike,
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike,
        *,
        finish: bool = False,
    ) -> NDArray[Any]: ...
    def batch_trades(
        self,
        ts: ArrayLike,
        price: ArrayLike,
        size: ArrayLike,
        aggressor: ArrayLike | None = None,
        *,
        finish: bool = False,
    ) -> NDArray[Any]: ...
    def batch_quotes(
        self, ts: ArrayLike, bid: ArrayLike, ask: ArrayLike, *, finish: bool = False
    ) -> NDArray[Any]: ...

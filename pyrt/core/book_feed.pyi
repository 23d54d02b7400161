"""Rows of book events, ready to be applied, and the loops that apply them."""

from enum import IntEnum
from typing import final

import numpy as np
import numpy.typing as npt

class BookAction(IntEnum):
    NOTHING = 0
    SET = 1
    ADD = 2
    REDUCE = 3
    REMOVE = 4
    MODIFY = 5
    CLEAR = 6
    QUOTE = 7
    NO_QUOTE = 8

class BookMark(IntEnum):
    FIRST = 1
    LAST = 2
    SNAPSHOT = 4
    DOUBTFUL = 8

def nano_column(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]: ...

@final
class BookColumns:
    @property
    def dialect(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def size_decimals(self) -> int: ...
    @property
    def has_last(self) -> bool: ...
    def __init__(
        self,
        dialect: str,
        *,
        actions: npt.NDArray[np.int8],
        sides: npt.NDArray[np.int8],
        marks: npt.NDArray[np.uint8],
        prices: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.int64],
        sequences: npt.NDArray[np.int64],
        needs: npt.NDArray[np.int64],
        order_ids: npt.NDArray[np.int64],
        ts_events: npt.NDArray[np.int64],
        size_decimals: int,
        has_last: bool,
    ) -> None: ...
    def __len__(self) -> int: ...

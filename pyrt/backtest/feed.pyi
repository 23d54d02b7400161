"""The replay feed: cursors over columns, merged in the one order that all runs share.

Rows are ordered by (ts_init, rank, timeframe, stream priority, row). What is in memory is ordered
once, when it is loaded; what is streamed is ordered window by window: as far as every stream's
chunk reaches.
"""

from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from pyrt.core.book_feed import BookColumns
from pyrt.core.streams import Stream

KINDS: dict[str, int]
VALUES: dict[str, tuple[str, ...]]

def coded_events(chunk: Any) -> BookColumns: ...
def batches_of(chunk: Any) -> tuple[BookColumns, Any]: ...

@final
class Cursor:
    @property
    def stream(self) -> Stream: ...
    @property
    def number(self) -> int: ...
    @property
    def drives(self) -> bool: ...
    def __init__(
        self, stream: Stream, chunk: Any, source: Any = None, *, drives: bool = True
    ) -> None: ...
    @property
    def order_key(self) -> tuple[int, int, int]: ...
    def times(self) -> NDArray[np.int64]: ...
    def rest(self, chunk: Any, join: Callable[[Any, int, Any], Any]) -> None: ...

@final
class Feed:
    @property
    def cursors(self) -> list[Cursor]: ...
    def __init__(self, cursors: list[Cursor]) -> None: ...
    def arrange(self) -> None: ...
    @staticmethod
    def join(old: Any, start: int, new: Any) -> Any: ...

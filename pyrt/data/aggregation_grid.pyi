from typing import final

from numpy.typing import ArrayLike

@final
class TimeGrid:
    def __init__(
        self, timeframe: str, sessions: tuple[ArrayLike, ArrayLike] | None = None
    ) -> None: ...
    @property
    def step_ns(self) -> int: ...
    @property
    def has_pauses(self) -> bool: ...
    def interval(self, ts: int) -> tuple[int, int] | None: ...

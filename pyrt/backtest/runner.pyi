"""The backtest's loop: one instant after the other, ranks within it, until the data end."""

from collections.abc import Sequence
from typing import Any, final

from pyrt.backtest.feed import Feed
from pyrt.backtest.venue import SimVenue
from pyrt.kernel.kernel import Kernel

@final
class Runner:
    @property
    def events_processed(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    def __init__(
        self,
        kernel: Kernel,
        venue: SimVenue,
        feed: Feed,
        *,
        actions: Sequence[Any] = (),
        progress: Any = None,
        pace: Any = None,
    ) -> None: ...
    def run(self) -> None: ...
    def stop(self) -> None: ...

"""Orders that ended long ago leave memory; the journal has them, and reconciliation what follows.

A fill that the broker reports for an order later than that shows as a difference of positions, and
halts its symbol.
"""

from __future__ import annotations

from collections import deque

from pyrt.live.driver.run import Run
from pyrt.live.plan import MINUTE

KEPT_NS = 60 * MINUTE
"""How long an order is known at least, from when it was made."""


class Forgetting:
    """Drops what kernel, scribe and client keep of orders that have ended.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._marks: deque[tuple[int, int]] = deque()
        self._next = 0
        self._left: list[int] = []
        self._look_at = 0

    def turn(self, now: int) -> None:
        """Forget what is old enough, once a minute."""
        if now < self._look_at:
            return
        self._look_at = now + MINUTE
        self._marks.append((now, self._run.live_core.kernel.cache.order_count))
        old = self._next
        while self._marks and self._marks[0][0] <= now - KEPT_NS:
            old = self._marks.popleft()[1]
        if old > self._next or self._left:
            numbers = [*self._left, *range(self._next, old)]
            self._next = old
            self._left = [number for number in numbers if not self._forget(number)]

    def _forget(self, number: int) -> bool:
        """Forget an order; return False while it, or one that belongs to it, is open."""
        run = self._run
        if not run.live_core.kernel.cache.release(number):
            return False
        run.live_core.forget(number)
        run.scribe.forget(number)
        run.client.forget(number)
        return True

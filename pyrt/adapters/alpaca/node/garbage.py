"""When a node looks for garbage: while it waits, and not in the middle of a message."""

from __future__ import annotations

import gc

YOUNG = 300
"""So many new objects are looked through at once; it takes less than a tenth of a millisecond."""
LATE = 10_000
"""A node that never waits collects all the same, once there are so many."""
OLDER_EVERY = 50
"""One look in so many goes through older ones too, and one in so many of these through all."""


class Garbage:
    """Takes Python's collector over for as long as a node trades.

    Left alone it starts whenever enough objects were made, which an order makes more of than a
    message of the market: the look through the older ones then holds that very order up.
    """

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None
        self._rounds = 0

    def begin(self) -> None:
        """Keep what is there: it stays, and need not be looked at again."""
        self._before = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(LATE, *self._before[1:])

    def collect(self) -> None:
        """Collect if it is worth it; called when nothing waits."""
        if gc.get_count()[0] < YOUNG:
            return
        self._rounds += 1
        reaches_older = self._rounds % OLDER_EVERY == 0
        reaches_all = self._rounds % OLDER_EVERY**2 == 0
        gc.collect(reaches_older + reaches_all)

    def end(self) -> None:
        """Give the collector back as it was."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None

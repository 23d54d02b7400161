"""Requests a minute, and the headers that tell a client how many are left."""

from __future__ import annotations

MINUTE = 60.0


class RateLimit:
    """Counts requests in fixed minutes.

    Parameters
    ----------
    limit : int
        Requests a minute; Alpaca's is 200.
    """

    def __init__(self, limit: int = 200) -> None:
        self.limit = limit
        self._minute = -1
        self._used = 0

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Count one request at `now` (s, UNIX); return whether it passes, and the headers."""
        minute = int(now // MINUTE)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        passes = self._used < self.limit
        self._used += passes
        return passes, {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.limit - self._used),
            "x-ratelimit-reset": str((minute + 1) * int(MINUTE)),
        }

"""What a client may have: requests a minute, connections, symbols."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of an account; 0 switches one off.

    Attributes
    ----------
    requests : int
        Requests a minute, trading and data together; Alpaca's is 200.
    connections : int
        Open connections of each streaming endpoint; Alpaca's is 1.
    symbols : int
        Symbols of trades and quotes together on the feed `iex`; 30 on Alpaca's basic plan.
    orderbooks : int
        Pairs whose order books are subscribed; 10 on the basic plan.
    refused_feeds : tuple of str
        Feeds that the account's plan does not include: they are refused with 409.
    slow_frames : int
        Frames that wait for a client before it is closed as too slow.
    """

    requests: int = 200
    connections: int = 1
    symbols: int = 30
    orderbooks: int = 10
    refused_feeds: tuple[str, ...] = ()
    slow_frames: int = 1024


class RateLimit:
    """Counts requests in fixed minutes.

    Parameters
    ----------
    limit : int
        Requests a minute; Alpaca's is 200, and 0 is no limit.
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
        passes = not self.limit or self._used < self.limit
        self._used += passes
        shown = self.limit or 1_000_000
        return passes, {
            "x-ratelimit-limit": str(shown),
            "x-ratelimit-remaining": str(max(shown - self._used, 0)),
            "x-ratelimit-reset": str((minute + 1) * int(MINUTE)),
        }

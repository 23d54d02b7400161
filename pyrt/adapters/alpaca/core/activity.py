"""A line that answers pings and yet carries no data: told by sessions and by what was usual."""

from __future__ import annotations

from collections.abc import Callable

from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.venues.sessions import NS_PER_DAY, sessions

SessionOf = Callable[[int], tuple[int, int] | None]
"""Time, ns UTC → (open, close) of the session that it lies in; None while the market is closed."""


def never_open(now: int) -> None:
    """Know of no session: then no silence means anything."""


def regular_hours(start: int) -> SessionOf:
    """Return the sessions of New York's exchanges around `start`, ns UTC."""
    table = sessions("XNYS", start - 10 * NS_PER_DAY, start + 365 * NS_PER_DAY)

    def session_of(now: int) -> tuple[int, int] | None:
        if not table.start_ns <= now < table.end_ns or not table.is_open(now):
            return None
        row = table.session_of(now)
        return int(table.open[row]), int(table.close[row])

    return session_of


class Activity:
    """Knows how long a stream has been silent while it should have spoken.

    Parameters
    ----------
    session_of : callable
        For the symbols of the stream.
    least_ns : int
        No silence below this is conspicuous: bars come once a minute at best.
    factor : int
        Silence this many times the longest one so far is.
    """

    def __init__(
        self,
        session_of: SessionOf = never_open,
        *,
        least_ns: int = 150 * SECOND,
        factor: int = 3,
    ) -> None:
        self.session_of = session_of
        self._least_ns = least_ns
        self._factor = factor
        self._heard_at = 0
        self._longest = 0
        self._session: tuple[int, int] | None = None

    def began(self, now: int) -> None:
        """Note that the subscription stands: from now on there should be data."""
        self._heard_at = now
        self._session = None

    def heard(self, now: int) -> None:
        """Note that data came."""
        if self._session is not None and now < self._session[1]:
            self._longest = max(self._longest, now - max(self._heard_at, self._session[0]))
        else:
            self._session = self.session_of(now)
        self._heard_at = now

    def is_mute(self, now: int) -> bool:
        """Return whether the stream is silent for longer than its symbols ever were.

        Symbols that trade once an hour make their stream patient, and a stream that has never
        spoken is not judged: its symbols may not trade at all.
        """
        if now - self._heard_at <= self._least_ns or not self._longest:
            return False
        session = self.session_of(now)
        if session is None:
            return False
        silence = now - max(self._heard_at, session[0])
        return silence > max(self._least_ns, self._factor * self._longest)

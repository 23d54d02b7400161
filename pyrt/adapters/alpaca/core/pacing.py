"""When to send and when to wait: back-off, a token bucket with a reserve, a breaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how late to try again; durations in ns.

    Attributes
    ----------
    attempts : int
        In all, the first one included.
    jitter : float
        Fraction by which a delay may differ either way, so that clients do not march in step.
    """

    attempts: int = 3
    initial_ns: int = SECOND
    factor: float = 2.0
    jitter: float = 0.15
    cap_ns: int = 30 * SECOND

    def delay_ns(self, failures: int, random: Random) -> int:
        """Return how long to wait after the given number of failures in a row, at least 1."""
        # The exponent is bounded because a float overflows long before a day of failures is over.
        plain = self.initial_ns * self.factor ** min(failures - 1, 64)
        spread = 1 + self.jitter * (2 * random.random() - 1)
        return int(min(plain, self.cap_ns) * spread)


RECONNECT = RetryPolicy(attempts=0, cap_ns=60 * SECOND)
"""Reconnects never give up; `attempts` is not looked at."""


class TokenBucket:
    """Requests that may still be sent; the last `reserve` of them only by cancels and queries.

    Parameters
    ----------
    rate_per_minute : int
        What the broker grants; its headers correct this.
    reserve : int
        Tokens that submits and replaces leave alone.
    """

    def __init__(self, rate_per_minute: int = 200, reserve: int = 40) -> None:
        self._rate = rate_per_minute
        self._reserve = reserve
        self._tokens = float(rate_per_minute)
        self._filled_at: int | None = None
        self._blocked_until = 0

    @property
    def tokens(self) -> int:
        """Whole tokens left at the last look."""
        return int(self._tokens)

    def take(self, now: int, *, reserved: bool) -> bool:
        """Take one token; return whether there was one.

        Parameters
        ----------
        reserved : bool
            Whether the request may use the reserve.
        """
        self._refill(now)
        floor = 0 if reserved else min(self._reserve, self._rate // 2)
        if now < self._blocked_until or self._tokens < floor + 1:
            return False
        self._tokens -= 1
        return True

    def read_headers(self, headers: Mapping[str, str], now: int) -> None:
        """Learn limit and remainder from a response; names in lower case, garbage is ignored."""
        limit = _number(headers.get("x-ratelimit-limit"))
        if limit:
            self._rate = limit
        remaining = _number(headers.get("x-ratelimit-remaining"))
        if remaining is not None:
            self._refill(now)
            self._tokens = min(self._tokens, float(remaining))

    def block(self, until: int) -> None:
        """Send nothing before `until`: the broker has said that it is too much."""
        self._blocked_until = max(self._blocked_until, until)

    def is_blocked(self, now: int) -> bool:
        """Return whether the broker has said to send nothing yet."""
        return now < self._blocked_until

    def next_due(self, now: int) -> int:
        """Return when it is worth to look again."""
        return max(self._blocked_until, now + 60 * SECOND // self._rate)

    def _refill(self, now: int) -> None:
        if self._filled_at is not None:
            # A clock that was set back earns nothing, and costs nothing.
            now = max(now, self._filled_at)
            earned = (now - self._filled_at) * self._rate / (60 * SECOND)
            self._tokens = min(float(self._rate), self._tokens + earned)
        self._filled_at = now


class Breaker:
    """Stops submits after failures in a row; one good read closes it again.

    Parameters
    ----------
    threshold : int
        Failures in a row that open it.
    """

    def __init__(self, threshold: int = 5) -> None:
        self._threshold = threshold
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether submits have to wait."""
        return self._failures >= self._threshold

    def failed(self) -> None:
        """Count a time-out or a 5xx."""
        self._failures += 1

    def succeeded(self) -> None:
        """Take note of an answer that made sense."""
        self._failures = 0


def _number(text: str | None) -> int | None:
    plain = "" if text is None else text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 16 else None

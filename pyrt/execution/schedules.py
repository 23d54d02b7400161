"""Algorithms that follow a schedule: equal parts in time, and parts by a profile of volume."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pyrt.errors import ConfigError
from pyrt.execution.algorithms import ExecutionAlgorithm, shares_of, span
from pyrt.execution.profiles import VolumeProfile

if TYPE_CHECKING:
    from pyrt.core.clock import TimerEvent
    from pyrt.core.orders import Order

__all__ = ["TWAP", "VWAP"]


class Schedule(ExecutionAlgorithm):
    """Sends at the start of each slice what brings the order to that slice's share of the whole.

    What an earlier slice left behind (rounding, an order that was canceled) is sent with the next.
    Orders that still work are counted as sent. When the last slice is over, what works is canceled
    and what remains is given up.
    """

    _duration: int
    _slices: int

    def _shares(self) -> list[Fraction]:
        """Share of the whole by the end of each slice; the last one is 1."""
        raise NotImplementedError

    def on_start(self) -> None:
        """Send the first slice and set the times of the others."""
        self._plan = self._shares()
        self._begun = self.now
        self._next = 0
        self._before = self._share_before = Fraction(0)
        self._slice()

    def on_timer(self, event: TimerEvent) -> None:
        """Send the slice that begins now, or end the order with the last.

        Slices that are over by now, as a node was down, are sent with it.
        """
        while self._next < len(self._plan) and self._start_of(self._next + 1) <= self.now:
            self._next += 1
        if self._next == len(self._plan):
            self.finish(f"algorithm: {self._left()} were left at its end")
        else:
            self._slice()

    def on_split(self, ratio: Fraction) -> None:
        """Share what is left among the slices that are left: what was sent is in other units."""
        self._before = Fraction(self.sent)
        self._share_before = self._plan[self._next - 1]

    def on_end(self, child: Order) -> None:
        """A slice that is refused is tried again with the next one."""

    def _start_of(self, part: int) -> int:
        return self._begun + self._duration * part // len(self._plan)

    def _left(self) -> str:
        working = sum((child.leaves_quantity for child in self.children), 0.0)
        return f"{float(self.remaining) + working:g}"

    def _due(self) -> Fraction:
        """Units that bring the order to the share of the slice that begins."""
        rest = 1 - self._share_before
        share = (self._plan[self._next] - self._share_before) / rest if rest else Fraction(1)
        return self._before + (Fraction(self.quantity) - self._before) * share - Fraction(self.sent)

    def _slice(self) -> None:
        due = self._due()
        self._next += 1
        self.set_timer(f"slice-{self._next}", at=self._start_of(self._next))
        if due > 0:
            self.send(min(due, Fraction(self.remaining)))


class TWAP(Schedule):
    """Equal parts at equal times: time-weighted average price.

    Parameters
    ----------
    duration : int, str or timedelta
        From the first part to the end, such as ``"30m"``.
    slices : int, optional
        How many parts; the first is sent at once, the last one slice before the end.
    interval : int, str or timedelta, optional
        Instead of `slices`: the time between parts.

    Examples
    --------
    >>> TWAP("30m", slices=6)
    TWAP('30m', slices=6)
    """

    def __init__(self, duration: Any, slices: int | None = None, *, interval: Any = None) -> None:
        self._given = duration
        self._duration = span("duration", duration)
        if (slices is None) == (interval is None):
            raise ConfigError("a TWAP has either slices or an interval")
        if interval is not None:
            slices = -(-self._duration // span("interval", interval))
        if not isinstance(slices, int) or slices < 1:
            raise ConfigError(f"slices is {slices!r}; expected a whole number above zero")
        self._slices = slices

    def _shares(self) -> list[Fraction]:
        return shares_of([1] * self._slices)

    def __repr__(self) -> str:
        return f"TWAP({self._given!r}, slices={self._slices})"


class VWAP(Schedule):
    """Parts in proportion to the volume a profile expects: volume-weighted average price.

    Parameters
    ----------
    duration : int, str or timedelta
        From the first part to the end.
    profile : sequence of numbers, or VolumeProfile
        Weights of equal slices of the duration; or what history shows by the time of day, which
        needs `slices`.
    slices : int, optional
        How many parts, with a `VolumeProfile`.

    Examples
    --------
    >>> VWAP("1h", profile=[5, 3, 2, 2])
    VWAP('1h', slices=4)
    """

    def __init__(
        self,
        duration: Any,
        profile: Iterable[Any] | VolumeProfile,
        *,
        slices: int | None = None,
    ) -> None:
        self._given = duration
        self._duration = span("duration", duration)
        self._profile: VolumeProfile | None = None
        if isinstance(profile, VolumeProfile):
            if not isinstance(slices, int) or slices < 1:
                raise ConfigError(f"slices is {slices!r}; expected a whole number above zero")
            self._profile = profile
            self._slices = slices
            return
        self._weights = list(profile)
        shares_of(self._weights)
        if slices not in (None, len(self._weights)):
            raise ConfigError(f"slices is {slices!r}, and the profile has {len(self._weights)}")
        self._slices = len(self._weights)

    def _shares(self) -> list[Fraction]:
        if self._profile is None:
            return shares_of(self._weights)
        edges = [
            self.now + self._duration * part // self._slices for part in range(self._slices + 1)
        ]
        weights = self._profile.weights_between(edges)
        # Where history shows no volume at all, time is all there is to go by.
        return shares_of(weights if any(weights) else [1] * self._slices)

    def __repr__(self) -> str:
        return f"VWAP({self._given!r}, slices={self._slices})"

"""The last gate before a socket: what may leave now, what waits, what is dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyrt.live.driver.scribe import SUBMITS, Scribe


class Latch:
    """A switch that stays: once set, no submit and no replace leaves. Any thread may set it.

    Attributes
    ----------
    reason : str
    asked_ns : int
        When somebody has asked for it last, by the machine's monotonic time; 0 for never.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""
        self.asked_ns = 0

    @property
    def is_set(self) -> bool:
        """Whether it is set."""
        return self._event.is_set()

    def set(self, reason: str, asked_ns: int = 0) -> None:
        """Set it; the first reason stays."""
        self.asked_ns = max(self.asked_ns, asked_ns)
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def clear(self) -> None:
        """Let orders leave again."""
        self.reason = ""
        self._event.clear()


@dataclass(frozen=True, slots=True)
class _Held:
    request: Any
    sequence: int
    since: int
    reduces: bool


class Gateway:
    """Lets requests go: queries and cancels at once, orders when their record is durable.

    Parameters
    ----------
    scribe : Scribe
    latch : Latch
    age_ns : int
        An order that has waited this long is dropped, unless it is an exit that was kept here:
        nobody would ask for that again.
    may_submit : callable
        Returns "" while orders may leave, or what they have to wait for.
    barred : callable
        Takes an order's number, and whether it is but made smaller; returns "" or why that may not
        leave any more.
    reduces : callable
        Takes an order's number; returns whether it does nothing but leave what is held now.
    is_moot : callable
        Takes a request; returns whether it need not leave any more.
    is_excused : callable
        Takes an order's number and when it was handed over; returns whether it need not wait for
        what orders have to wait for.
    """

    def __init__(
        self,
        scribe: Scribe,
        latch: Latch,
        *,
        age_ns: int,
        may_submit: Callable[[], str],
        barred: Callable[[int, bool], str],
        reduces: Callable[[int], bool],
        is_moot: Callable[[Any], bool],
        is_excused: Callable[[int, int], bool],
    ) -> None:
        self._scribe = scribe
        self._latch = latch
        self._age_ns = age_ns
        self._may_submit = may_submit
        self._barred = barred
        self._reduces = reduces
        self._is_moot = is_moot
        self._is_excused = is_excused
        self._held: list[_Held] = []
        self.dropped: list[tuple[Any, str]] = []
        self.moot: list[Any] = []
        self.unrecorded: list[Any] = []
        """What the last `let_go` kept for no other reason than that its record is not durable."""

    def __len__(self) -> int:
        return len(self._held)

    def let_go(self, requests: list[Any], now: int) -> list[Any]:
        """Return which of these, and of those held back, leave now.

        What is dropped is in `dropped`, with the reason, until `take_dropped`.
        """
        leaving: list[Any] = []
        for request in requests:
            if request.purpose in SUBMITS:
                number = request.order_number
                sequence = self._scribe.sequence_of(number)
                # Asked again after a while, it is to leave no more than when it was asked first. A
                # change may be what makes the order fit, and says nothing of what it is now.
                is_repeat = request.attempt > 1 and request.purpose == "submit"
                reduces = self._reduces(number) or (is_repeat and request.reduces)
                self._held.append(_Held(request, sequence, now, reduces))
            else:
                leaving.append(request)
        self.unrecorded = []
        if not self._held:
            return leaving
        journal = self._scribe.journal
        waits_for = self._may_submit()
        kept: list[_Held] = []
        for held in self._held:
            request = held.request
            barred = self._barred(request.order_number, request.lessens) or self._outlived(held)
            if self._is_moot(held.request):
                self.moot.append(held.request)
            elif self._latch.is_set:
                self.dropped.append((held.request, self._latch.reason))
            elif barred:
                self.dropped.append((held.request, barred))
            elif journal.failure is not None:
                self.dropped.append((held.request, f"the journal fails: {journal.failure}"))
            elif held.sequence <= journal.durable and (
                not waits_for or self._is_excused(held.request.order_number, held.since)
            ):
                leaving.append(held.request)
            elif now - held.since >= self._age_ns and self._ages(held):
                why = waits_for or "its record was not durable in time"
                self.dropped.append((held.request, why))
            else:
                kept.append(held)
                if not waits_for:
                    self.unrecorded.append(held.request)
        self._held = kept
        return leaving

    def _outlived(self, held: _Held) -> str:
        """Return why an order that was to leave a position would open one by now."""
        if held.reduces and not self._reduces(held.request.order_number):
            return "what it was to leave has been left meanwhile"
        return ""

    def _ages(self, held: _Held) -> bool:
        """Return whether an order can become too old to leave."""
        return not self._scribe.is_met_exit(held.request.order_number)

    def take_dropped(self) -> list[tuple[Any, str]]:
        """Return what was dropped since the last call: (request, reason)."""
        taken, self.dropped = self.dropped, []
        return taken

    def take_moot(self) -> list[Any]:
        """Return what has become needless since the last call."""
        taken, self.moot = self.moot, []
        return taken

    def next_due(self) -> int | None:
        """Return when something held back grows too old, ns UTC."""
        return min((h.since + self._age_ns for h in self._held if self._ages(h)), default=None)

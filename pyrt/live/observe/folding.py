"""Which alerts are held back: what repeats, and what is too many of one kind."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.live.observe.alerts import Alert

FOLD_NS = 60_000_000_000
"""Within this long the same alert is sent once, and its repetitions are counted."""
OF_A_CODE_MAX = {"info": 5, "warning": 5, "critical": 30}
"""Level → alerts of one code within that time, whatever they say."""
FORGET_NS = 3_600_000_000_000
"""How often something came again is no news any more after this long."""
LAST_ONE = "; more of them within the minute are in the log alone"


@dataclass
class _Told:
    ts: int
    repeats: int = 0


class Folding:
    """Lets alerts through, but for repetitions and floods; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # In the order of their times.
        self._told: dict[tuple[str, str], _Told] = {}
        self._times: dict[str, deque[int]] = {}
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many texts are remembered."""
        return len(self._told)

    def take(self, alert: Alert) -> Alert | None:
        """Return an alert as it is to be sent, with what was held back; None to hold it back."""
        with self._lock:
            now, key = alert.ts_event, (alert.code, alert.text)
            self._forget(now)
            told = self._told.get(key)
            if told is not None and _is_recent(told.ts, now):
                told.repeats += 1
                return None
            left = self._left(alert)
            if not left:
                self._held[alert.code] = self._held.get(alert.code, 0) + 1
                return None
            repeats = self._held.pop(alert.code, 0)
            if told is not None:
                repeats += self._told.pop(key).repeats
            self._told[key] = _Told(now)
            self._times[alert.code].append(now)
            text = alert.text + LAST_ONE if left == 1 else alert.text
            return replace(alert, text=text, repeats=repeats)

    def _left(self, alert: Alert) -> int:
        """Return how many of its code may be sent now."""
        times = self._times.setdefault(alert.code, deque())
        while times and not _is_recent(times[0], alert.ts_event):
            times.popleft()
        return max(0, OF_A_CODE_MAX[alert.level] - len(times))

    def _forget(self, now: int) -> None:
        while self._told:
            key = next(iter(self._told))
            if abs(now - self._told[key].ts) < FORGET_NS:
                break
            del self._told[key]


def _is_recent(ts: int, now: int) -> bool:
    # A clock that was set back makes nothing recent: it would hold alerts back until then.
    return 0 <= now - ts < FOLD_NS

"""Alerts that wait for a sender: a bounded queue in which a critical one finds room."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.live.observe.alerts import Alert


class Waiting:
    """First come, first served; where it is full, a critical alert takes a lesser one's place.

    Parameters
    ----------
    most : int
        Alerts that it holds.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._alerts: deque[Alert] = deque()
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, alert: Alert) -> Alert | None:
        """Queue an alert; return the one for which there is no room: itself, or a lesser one."""
        with self._changed:
            gives_way = None
            if len(self._alerts) >= self._most:
                place = self._lesser() if alert.level == "critical" else None
                if place is None:
                    return alert
                gives_way = self._alerts[place]
                del self._alerts[place]
            self._alerts.append(alert)
            self._changed.notify()
            return gives_way

    def take(self) -> Alert | None:
        """Wait for the next; None once it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._alerts or self._is_closed)
            return self._alerts.popleft() if self._alerts else None

    def close(self) -> None:
        """Let whoever takes come to an end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def clear(self) -> list[Alert]:
        """Give up what waits, and return it."""
        with self._changed:
            rest = list(self._alerts)
            self._alerts.clear()
            return rest

    def _lesser(self) -> int | None:
        """Return the place of the oldest that is not critical."""
        levels = enumerate(alert.level for alert in self._alerts)
        return next((place for place, level in levels if level != "critical"), None)

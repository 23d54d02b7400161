"""Alerts to people: queued, delivered by a thread of their own, folded when they repeat."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyrt.core.times import format_ns
from pyrt.errors import ConfigError
from pyrt.live.observe.folding import Folding
from pyrt.live.observe.waiting import Waiting

LOG = logging.getLogger("pyrt.live.alerts")
LEVELS = ("info", "warning", "critical")
RETRIES_S = (0.5, 2.0, 10.0, 60.0)
"""Waits between attempts, the last again and again; the first attempt is made at once."""
ATTEMPTS_MAX = 1_440
"""About a day: what is still not through then tells nobody anything new."""


@dataclass(frozen=True)
class Alert:
    """Something a person should know.

    Attributes
    ----------
    level : {"info", "warning", "critical"}
    code : str
        A stable name; the runbook has a section under it.
    text : str
    ts_event : int
        ns UTC.
    values : dict
        Numbers and names beside it.
    repeats : int
        How often the same, or too many of its code, came while it was held back.
    """

    level: str
    code: str
    text: str
    ts_event: int
    values: dict[str, Any] = field(default_factory=dict)
    repeats: int = 0

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ConfigError(f"level is {self.level!r}; expected one of {', '.join(LEVELS)}")

    def line(self) -> str:
        """Return it as one line of text."""
        more = "".join(f" {name}={value}" for name, value in self.values.items())
        again = f" (and {self.repeats} more)" if self.repeats else ""
        return f"[{self.level}] {self.code}: {self.text}{more}{again} at {format_ns(self.ts_event)}"


class Refused(OSError):
    """Whoever is asked does not want this alert: asking again is of no use."""


class Sender(Protocol):
    """A way to a person; `send` raises when the alert did not get through.

    `Refused` says that this one never will; anything else is tried again, for a day.
    """

    @property
    def name(self) -> str: ...
    def send(self, alert: Alert) -> None: ...


class Alerter:
    """Delivers alerts over every sender, from a thread that nobody waits for.

    Parameters
    ----------
    senders : sequence of Sender
    queue_max : int
        Alerts held for each sender while it is slow; beyond it the newest is dropped, counted and
        logged. A critical one takes the place of the oldest lesser one.
    clock, sleep : callable
        ns UTC; seconds. For tests.

    Attributes
    ----------
    delivered, failed : dict of str to int
        Sender's name → alerts that got through; that did not after every attempt.
    dropped : int
        Alerts for which there was no room, or no time at the end, counted for each sender.
    problems : list of str
        What the last attempt of a sender has come to, where it got nothing through.
    """

    def __init__(
        self,
        senders: Sequence[Sender] = (),
        *,
        queue_max: int = 1_000,
        clock: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.senders = tuple(senders)
        self.delivered = {sender.name: 0 for sender in senders}
        self.failed = {sender.name: 0 for sender in senders}
        self.last_delivered_ts = 0
        self.dropped = 0
        self._clock = clock
        self._sleep = sleep
        # By place: two channels of one service have the same name.
        self._queues = [Waiting(queue_max) for _ in senders]
        self._problems = ["" for _ in senders]
        self._folding = Folding()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._counting = threading.Lock()

    def start(self) -> Alerter:
        """Begin to deliver; each sender in a thread of its own, so that none holds up another."""
        for place, sender in enumerate(self.senders):
            thread = threading.Thread(
                target=self._deliver_all,
                args=(place,),
                name=f"alerts-{sender.name}",
                daemon=True,
            )
            thread.start()
            self._threads.append(thread)
        return self

    @property
    def problems(self) -> list[str]:
        """Who did not get the last alert through, and why; empty when all is well."""
        return [problem for problem in self._problems if problem]

    def send(self, level: str, code: str, text: str, **values: Any) -> None:
        """Queue an alert; never waits, never raises for what happens outside."""
        alert = Alert(level, code, text, self._clock(), values)
        LOG.log(
            {"info": logging.INFO, "warning": logging.WARNING}.get(level, logging.CRITICAL),
            "%s: %s",
            code,
            text,
            extra={"alert": code, **{f"value_{name}": value for name, value in values.items()}},
        )
        passed = self._folding.take(alert)
        if passed is not None:
            self._put(passed)

    def heartbeat(self) -> None:
        """Send the test that shows every day that alerts get through."""
        self._put(Alert("info", "heartbeat", "alerts get through", self._clock()))

    def close(self, patience_s: float = 5.0) -> None:
        """Deliver what is queued, for so long at most, then end the threads."""
        for waiting in self._queues:
            waiting.close()
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._closing.set()
        for waiting in self._queues:
            for alert in waiting.clear():
                self._drop(alert)

    def _put(self, alert: Alert) -> None:
        for waiting in self._queues:
            too_many = waiting.put(alert)
            if too_many is not None:
                self._drop(too_many)

    def _drop(self, alert: Alert) -> None:
        with self._counting:
            self.dropped += 1
        LOG.error("an alert was dropped: %s: %s", alert.code, alert.text)

    def _deliver_all(self, place: int) -> None:
        while not self._closing.is_set():
            alert = self._queues[place].take()
            if alert is None:
                return
            self._deliver(place, alert)

    def _deliver(self, place: int, alert: Alert) -> None:
        sender = self.senders[place]
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._sleep(RETRIES_S[min(attempt, len(RETRIES_S)) - 1])
            if self._closing.is_set():
                break
            try:
                sender.send(alert)
            except Refused as error:
                self._problems[place] = f"{sender.name}: {error}"
                LOG.error("%s does not want %s: %s", sender.name, alert.code, error)
                break
            except Exception as error:
                self._problems[place] = f"{sender.name}: {str(error) or type(error).__name__}"
                if isinstance(error, (ValueError, TypeError)) and not isinstance(error, OSError):
                    # It has no form, as a number that is none: for a day it would hold up all that
                    # come after it. What a line says in its certificates is an OSError too.
                    LOG.error("%s has no form for %s: %s", sender.name, alert.code, error)
                    break
                # Whatever else a sender raises, it is tried again.
                LOG.warning("%s did not take %s: %s", sender.name, alert.code, error)
                continue
            self._problems[place] = ""
            with self._counting:
                self.delivered[sender.name] += 1
            self.last_delivered_ts = self._clock()
            return
        with self._counting:
            self.failed[sender.name] += 1
        LOG.error("%s: %s was given up: %s", sender.name, alert.code, alert.text)

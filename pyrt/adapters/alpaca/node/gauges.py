"""What a node's metrics and health say of it, looked up once a second."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyrt.live.dashboard.view import Connection
from pyrt.live.observe.alarms import CODES
from pyrt.live.observe.health import DEGRADED, FAILED, OK, Health
from pyrt.live.observe.metrics import Metrics
from pyrt.live.process.heartbeat import WATCHDOG_BEAT, WATCHDOG_SILENCE_S, silence_s
from pyrt.live.process.memory import resident_bytes

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode

EVERY_S = 1.0
"""Between looks."""
OUTCOMES = ("sent", "accepted", "fill", "canceled", "denied", "rejected", "expired", "unknown")


class Gauges:
    """Brings metrics and health up to date; in the node's thread, but for what a scrape tells.

    Parameters
    ----------
    folder : Path
        The state folder, where the watchdog's beat is.
    metrics : Metrics
    health : Health
    """

    def __init__(self, folder: Path, metrics: Metrics, health: Health) -> None:
        self._folder = folder
        self._metrics = metrics
        self._health = health
        self._seen: dict[str, tuple[bool, int, int]] = {}
        self._frames: dict[str, int] = {}
        self._ineligible: dict[str, int] = {}
        self._pending = (0, 0)
        self._lag_s = 0.0
        metrics.read_from(self._tell)
        # What has not happened yet is shown as 0: a rule sees the first time only against that.
        for code in CODES:
            metrics.count("alarms", code, by=0)

    def _tell(self, metrics: Metrics) -> None:
        """Set what a loop that hangs cannot say of itself; called where metrics are read."""
        now = time.time_ns()
        metrics.set("loop_up", int(self._health.is_live(now)))
        metrics.set("ready", int(self._health.is_ready))
        late_s = self._health.silence_ns(now) / 1e9 - EVERY_S
        metrics.set("loop_lag_seconds", max(self._lag_s, late_s))

    def begin(self, strategies: list[str]) -> None:
        """Show as 0 what can happen from now on."""
        count = self._metrics.count
        count("rejects", by=0)
        for outcome in OUTCOMES:
            count("order_events", outcome, by=0)
        for strategy in strategies:
            count("exceptions", strategy, by=0)

    def look(self, node: LiveNode, lag_s: float) -> None:
        """Look at everything that can be seen at this stage of the node's life."""
        now = time.time_ns()
        report, put = self._health.report, self._metrics.set
        self._health.beat(now)
        self._lag_s = lag_s
        put("resident_memory_bytes", resident_bytes())
        report("loop", OK if lag_s < 1.0 else DEGRADED, f"{lag_s:.3f} s late", now=now)
        if not node.config.shadow:
            self._look_at_watchdog(node, now)
        if node.driver is not None:
            self._look_at_driver(node.driver, now)
        for connection in self.connections(node):
            up = connection.is_up
            put("connection_uptime_seconds", (now - connection.since) / 1e9 * up, connection.name)
            report(connection.name, status_of(connection), connection.state, now=now)
        self._count_messages(node)
        self._count_ineligible(node)

    def _look_at_driver(self, driver: Any, now: int) -> None:
        report, put = self._health.report, self._metrics.set
        failure, journal = driver.journal.failure, driver.journal
        report("journal", FAILED if failure else OK, str(failure or ""), now=now)
        put("queue_depth", journal.last - journal.durable, "journal")
        put("queue_depth", driver.held_back, "orders held back")
        put("journal_lag_seconds", self._journal_lag(journal.last, journal.durable, now))
        latched = driver.latch.is_set
        report("orders", DEGRADED if latched else OK, driver.latch.reason, now=now)
        has_looked = driver.last_look is not None and driver.core is not None
        (self._health.reached if has_looked else self._health.lost)("reconciled")
        (self._health.reached if driver.is_ready else self._health.lost)("warmed_up")

    def _journal_lag(self, last: int, durable: int, now: int) -> float:
        """Return the age of the oldest record that is not durable, as far as looks can tell."""
        if durable >= last:
            self._pending = (0, 0)
            return 0.0
        if durable >= self._pending[0]:
            self._pending = (last, now)
        return (now - self._pending[1]) / 1e9

    def _look_at_watchdog(self, node: LiveNode, now: int) -> None:
        silence = silence_s(self._folder, WATCHDOG_BEAT)
        up, has_beaten = silence <= WATCHDOG_SILENCE_S, math.isfinite(silence)
        self._metrics.set("watchdog_up", int(up))
        if has_beaten or node.config.watchdog:
            text = "up" if up else "silent" if has_beaten else "not there yet"
            self._health.report("watchdog", OK if up else DEGRADED, text, now=now)

    def _count_messages(self, node: LiveNode) -> None:
        for name, frames in node.received().items():
            before = self._frames.get(name, 0)
            # A connection that was made again counts from its beginning.
            self._metrics.count(
                "messages", name, by=frames - before if frames >= before else frames
            )
            self._frames[name] = frames

    def _count_ineligible(self, node: LiveNode) -> None:
        for name, stream in node.streams():
            # The stream of order news has no prints.
            count = getattr(stream, "ineligible", None)
            if count is not None:
                by = count - self._ineligible.get(name, 0)
                self._metrics.count("ineligible_prints", name, by=by)
                self._ineligible[name] = count

    def connections(self, node: LiveNode) -> Iterator[Connection]:
        """Return the node's connections as they are."""
        now = time.time_ns()
        for name, stream in node.streams():
            up, since, count = self._seen.get(name, (False, 0, -1))
            if stream.is_active != up:
                up, since = stream.is_active, now
                count += up
            self._metrics.count("reconnects", name, by=int(up and count > 0 and since == now))
            self._seen[name] = (up, since, count)
            state = "up" if up else "down"
            if unserved := getattr(stream, "unserved", ()):
                state += f", not sent: {', '.join(unserved)}"
            yield Connection(name, state, up, since, max(count, 0))


def status_of(connection: Connection) -> str:
    """Return how well a connection is: a symbol that is not sent is traded blind."""
    if connection.state not in ("up", "down"):
        return FAILED
    return OK if connection.is_up else DEGRADED

"""What people were not told: lost lines of the log and alerts, in metrics and in health."""

from __future__ import annotations

from pyrt.live.observe.alerts import Alerter
from pyrt.live.observe.health import DEGRADED, OK, Health
from pyrt.live.observe.logs import Logs
from pyrt.live.observe.metrics import Metrics

LATELY_NS = 60_000_000_000
"""For so long after a line was lost the log counts as degraded."""


class Losses:
    """Counts what was lost on the way to people; looked up once a second.

    Parameters
    ----------
    metrics : Metrics
    health : Health
    """

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._metrics = metrics
        self._health = health
        self._counted: dict[tuple[str, ...], int] = {}
        self._lost_at: int | None = None

    def look_at_logs(self, logs: Logs, now: int) -> None:
        """Look at what was not written."""
        lost = self._count(logs.dropped, "log_records_dropped")
        lost += self._count(logs.failed, "log_records_failed")
        if lost:
            self._lost_at = now
        lost_lately = self._lost_at is not None and now - self._lost_at < LATELY_NS
        text = f"{logs.dropped} lines did not fit, {logs.failed} could not be written"
        if not logs.is_writing:
            text = "nobody writes"
        is_well = logs.is_writing and not lost_lately
        self._health.report("logs", OK if is_well else DEGRADED, "" if is_well else text, now=now)

    def look_at_alerts(self, alerter: Alerter, now: int) -> None:
        """Look at what got through, and who did not get his last one."""
        self._count(sum(alerter.delivered.values()), "alerts", "delivered")
        self._count(sum(alerter.failed.values()), "alerts", "failed")
        self._count(alerter.dropped, "alerts", "dropped")
        problems = alerter.problems
        self._metrics.set("alerts_failing", len(problems))
        if alerter.senders:
            status = DEGRADED if problems else OK
            self._health.report("alerts", status, "; ".join(problems), now=now)

    def _count(self, total: int, name: str, *labels: str) -> int:
        """Bring a counter up to a total; return by how much."""
        more = total - self._counted.get((name, *labels), 0)
        self._counted[name, *labels] = total
        # Also by nothing: a rule sees the first time only against a 0.
        self._metrics.count(name, *labels, by=more)
        return more

"""Losses: what did not reach people is a number, and a part of health."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from pyrt.live.observe.alerts import Alert, Alerter, Refused
from pyrt.live.observe.health import Health
from pyrt.live.observe.losses import LATELY_NS, Losses
from pyrt.live.observe.metrics import Metrics

T = 1_700_000_000_000_000_000


def test_lines_that_are_lost_are_counted_and_told_for_a_minute() -> None:
    metrics, health = Metrics(), Health()
    losses = Losses(metrics, health)
    logs: Any = SimpleNamespace(dropped=0, failed=0, is_writing=True)
    losses.look_at_logs(logs, T)
    told = [(health.components["logs"].status, health.components["logs"].message)]
    names = ("log_records_dropped", "log_records_failed")
    shown = {name: rows for _, name, _, _, rows in metrics.families()}
    assert shown == {name: [((), 0)] for name in names}, "a rule needs the 0"
    logs.dropped, logs.failed = 3, 2
    for later in (1, LATELY_NS, LATELY_NS + 1):
        losses.look_at_logs(logs, T + later)
        told.append((health.components["logs"].status, health.components["logs"].message))
    lost = "3 lines did not fit, 2 could not be written"
    assert told == [("ok", ""), ("degraded", lost), ("degraded", lost), ("ok", "")]
    assert [metrics.value(name) for name in names] == [3, 2]


def test_a_log_that_nobody_writes_is_degraded() -> None:
    health = Health()
    logs: Any = SimpleNamespace(dropped=0, failed=0, is_writing=False)
    Losses(Metrics(), health).look_at_logs(logs, T)
    part = health.components["logs"]
    assert (part.status, part.message) == ("degraded", "nobody writes")


class Sender:
    """Answers as it is told."""

    name = "chat"

    def __init__(self) -> None:
        self.error: Exception | None = None

    def send(self, alert: Alert) -> None:
        if self.error is not None:
            raise self.error


def wait_for(alerter: Alerter, count: int) -> None:
    """Wait until so many alerts have come to an end, one way or the other."""
    until = time.monotonic() + 10
    while sum(alerter.delivered.values()) + sum(alerter.failed.values()) < count:
        assert time.monotonic() < until, (alerter.delivered, alerter.failed)
        time.sleep(0.001)


def test_alerts_that_reach_nobody_are_counted_and_told_until_one_does() -> None:
    metrics, health, sender = Metrics(), Health(), Sender()
    losses, told = Losses(metrics, health), []
    alerter = Alerter([sender, Sender()]).start()
    errors = (None, Refused("answered 404"), ValueError("no form"), None)
    for number, error in enumerate(errors, 1):
        sender.error = error
        alerter.send("warning", "code", f"text {number}")
        wait_for(alerter, 2 * number)
        losses.look_at_alerts(alerter, T)
        part = health.components["alerts"]
        told.append((part.status, part.message, metrics.value("alerts_failing")))
    assert told == [
        ("ok", "", 0), ("degraded", "chat: answered 404", 1), ("degraded", "chat: no form", 1),
        ("ok", "", 0),
    ]  # fmt: skip
    alerter.close()
    outcomes = ("delivered", "failed", "dropped")
    assert [metrics.value("alerts", outcome) for outcome in outcomes] == [6, 2, 0]


def test_a_sender_that_is_asked_again_and_again_is_a_problem_meanwhile() -> None:
    sender, seen = Sender(), []
    sender.error = TimeoutError()

    def sleep(_: float) -> None:
        seen.append(alerter.problems)
        sender.error = None

    alerter = Alerter([sender], sleep=sleep).start()
    alerter.send("warning", "code", "text")
    alerter.close()
    assert (seen, alerter.problems) == ([["chat: TimeoutError"]], [])


def test_without_a_way_to_people_health_says_nothing_of_them() -> None:
    metrics, health = Metrics(), Health()
    Losses(metrics, health).look_at_alerts(Alerter(), T)
    assert "alerts" not in health.components
    assert [name for _, name, *_ in metrics.families()] == ["alerts", "alerts_failing"]

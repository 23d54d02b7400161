"""Losses: what did not reach people is a number, and a part of health."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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

"""What people see of a node whose loop hangs, or of which a look fails."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyrt.adapters.alpaca.node import eyes as eyes_module
from pyrt.adapters.alpaca.node.eyes import Eyes
from pyrt.adapters.alpaca.node.gauges import Gauges
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics

SECOND = 1_000_000_000


class Node:
    """A node of which a look fails while `fails` is set."""

    def __init__(self) -> None:
        self.config = SimpleNamespace(
            alerts=(), log_level="INFO", mode="paper", dashboard=False, shadow=True
        )
        self.run_id = "n1"
        self.driver = self.core = None
        self.fails = False

    def streams(self) -> list[Any]:
        return []

    def received(self) -> dict[str, int]:
        return {}

    def tell_stages(self) -> None:
        if self.fails:
            raise ValueError("no such stage")


def node() -> Any:
    return Node()


def test_a_loop_that_hangs_is_late_and_down_when_metrics_are_read(tmp_path: Path) -> None:
    metrics, health = Metrics(), Health()
    gauges = Gauges(tmp_path, metrics, health)

    def read() -> tuple[float, float]:
        metrics.refresh()
        return metrics.value("loop_up"), metrics.value("loop_lag_seconds")

    assert read() == (0, 0)
    gauges.look(node(), 0.25)
    assert read() == (1, 0.25)
    health.beat(time.time_ns() - 9 * SECOND)
    up, lag_s = read()
    assert (up, lag_s >= 8) == (0, True)
    gauges.look(node(), 8.5)
    assert read() == (1, 8.5)


def test_readiness_is_told_as_it_is_when_metrics_are_read(tmp_path: Path) -> None:
    metrics, health = Metrics(), Health()
    Gauges(tmp_path, metrics, health)
    health.reached("reconciled")
    health.reached("warmed_up")
    metrics.refresh()
    assert metrics.value("ready") == 1
    health.report("journal", "failed", now=1)
    metrics.refresh()
    assert metrics.value("ready") == 0


def test_a_look_that_fails_is_told_and_looks_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eyes_module, "EVERY_S", 0.001)
    seen = node()

    async def until(eyes: Eyes, status: str) -> str:
        async with asyncio.timeout(20):
            while True:
                part = eyes.health.components.get("figures")
                if part is not None and part.status == status:
                    return part.message
                await asyncio.sleep(0.001)

    async def live() -> None:
        eyes = Eyes(tmp_path)
        eyes.open(seen)
        try:
            assert "figures" not in eyes.health.components
            seen.fails = True
            assert await until(eyes, "failed") == "ValueError: no such stage"
            seen.fails = False
            assert await until(eyes, "ok") == ""
        finally:
            await eyes.end()

    asyncio.run(live())
    log = (tmp_path / "logs" / "pyrt.log").read_text()
    assert log.count("what people see of the node is not up to date") == 1

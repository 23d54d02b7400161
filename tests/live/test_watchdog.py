"""A node and its watchdog, between them: who beats, who leaves with whom, and who is missed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from pyrt.adapters.alpaca.node import companions
from pyrt.live.driver.run import RUNNING, STOPPED, STOPPING
from pyrt.live.process.heartbeat import NODE_BEAT, read_beat


class Lived:
    """A node of which its companions see this much; its alarms are kept."""

    def __init__(self, phase: int = RUNNING) -> None:
        self.alarms: list[str] = []
        self.driver = SimpleNamespace(phase=phase, scribe=SimpleNamespace(alarm=self.alarm))
        self.run_id = "one"
        self.has_turned = True

    def alarm(self, code: str, text: str, ts: int) -> None:
        self.alarms.append(code)


# -- the node's beat ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "beat"), [(RUNNING, "failed"), (STOPPING, "failed"), (STOPPED, "stopped")]
)
def test_only_a_stop_that_is_through_is_one_in_order(tmp_path, phase, beat):
    """One that an error or a second interrupt cuts off leaves orders that nobody looks after."""
    node = Lived()

    async def live():
        heart = companions.Heart(tmp_path)
        await heart.begin(node)
        node.driver.phase = phase
        await heart.end()

    asyncio.run(live())
    assert read_beat(tmp_path, NODE_BEAT).phase == beat

"""A node and its watchdog, between them: who beats, who leaves with whom, and who is missed."""

from __future__ import annotations

import asyncio
import os
import sys
import time
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


def test_what_ends_the_nodes_terminal_does_not_end_the_watchdog(tmp_path):
    """Ctrl-C, or a session that is dropped, goes to all processes of it at once."""
    place = tmp_path / "session"
    code = f"import os; open({str(tmp_path / 'part')!r}, 'w').write(str(os.getsid(0)))"
    code += f"; os.rename({str(tmp_path / 'part')!r}, {str(place)!r})"

    async def live():
        heart = companions.Heart(tmp_path, [sys.executable, "-c", code])
        await heart.begin(Lived())
        until = time.monotonic() + 20
        while not place.exists():
            assert time.monotonic() < until
            await asyncio.sleep(0.005)
        await heart.end()

    asyncio.run(live())
    assert int(place.read_text()) != os.getsid(0)

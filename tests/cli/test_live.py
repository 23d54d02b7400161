"""`pyrt live`: the signals by which it stops in order, and what its node is given."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.beside import eyes_of
from pyrt.cli import live
from pyrt.errors import ConfigError, Stopped
from pyrt.live.profiles import load_config

from .conftest import Shell


class Waits:
    """A node that runs until it is asked to stop, twice."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.asked = asyncio.Event()

    def stop(self, reason: str) -> None:
        self.reasons.append(reason)
        self.asked.set()

    async def run_async(self) -> list[str]:
        for number in (signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0)
        await asyncio.wait_for(self.asked.wait(), 20)
        while self.reasons[-1] != "SIGTERM":
            await asyncio.sleep(0.001)
        return self.reasons


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(),
    reason="signals do not reach this thread",
)
@pytest.mark.parametrize(
    ("before", "reasons"),
    [(signal.SIG_DFL, ["SIGHUP", "SIGTERM"]), (signal.SIG_IGN, ["SIGTERM"])],
)
def test_a_node_whose_terminal_is_closed_stops_in_order(before, reasons):
    """Unless it was started to outlive it, as `nohup` does."""
    old = signal.signal(signal.SIGHUP, before)
    # Where nothing takes it, the signal would end the tests.
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    try:
        assert asyncio.run(live._until_interrupted(Waits())) == reasons
    finally:
        signal.signal(signal.SIGHUP, old)


SETTINGS = """\
symbols = ["SPY"]
state_dir = "state"
watchdog = true
[[alerts]]
form = "slack"
url_env = "HOOK"
[limits]
"""
GIVEN = """\
APCA_API_KEY_ID=PKX
APCA_API_SECRET_KEY=canary-4e
PYRT_NODE_STATE_DIR=other
HOOK=https://hooks.test/T0/canary-5d
"""


def test_a_node_has_all_of_its_env_file_as_config_check_says(
    pyrt: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so has the watchdog that it starts: they have to mean the same folder."""
    made: list[Any] = []

    class Made:
        run_id = "one"

        def __init__(self, config: Any, credentials: Credentials, **given: Any) -> None:
            made.append((config, credentials, given["environment"]))
            self.config = config

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "watchdog_command":
                made.append(value)
                raise Stopped("as far as this test goes")
            super().__setattr__(name, value)

    monkeypatch.setattr("pyrt.adapters.alpaca.node.live.LiveNode", Made)
    monkeypatch.setattr(live, "_close_up", lambda: None)
    monkeypatch.delenv("HOOK", raising=False)
    (folder / "node.toml").write_text(SETTINGS)
    (folder / "env").write_text(GIVEN)
    (folder / "env").chmod(0o600)
    given = ("--config", "node.toml", "--env-file", "env")
    assert pyrt("live", "flip.py", *given).code == 130
    (config, keys, environment), command = made
    assert (config.state_dir, keys.key) == ("other", "PKX")
    assert environment["HOOK"].endswith("canary-5d")
    assert command[-2:] == ["--env-file", "env"]


def test_alerts_take_their_secrets_from_what_the_node_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node.toml").write_text(SETTINGS)
    (tmp_path / "state").mkdir(mode=0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK", "https://hooks.test/T0/another")
    config = load_config(tmp_path / "node.toml", environment={})
    eyes = eyes_of(config, Credentials("PKX", "canary-4e"), "", {})
    assert eyes is not None
    node: Any = SimpleNamespace(config=config)
    with pytest.raises(ConfigError, match="HOOK is not set"):
        eyes.open(node)

"""The number of a real account is shown to whoever starts a node at a terminal, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyrt.adapters.alpaca.simulator.trading import account as simulated
from pyrt.errors import ConfigError
from pyrt.live.observe.senders import Webhook
from pyrt.live.observe.targets import AlertTarget
from tests.security.test_consent import attempt

NUMBER, OTHER = "912345678", "987654321"
"""A real account has digits alone: nothing about them looks like a secret."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Serve an account of that number; return what people are sent of it."""
    sent: list[str] = []
    monkeypatch.setattr(simulated, "ACCOUNT_NUMBER", NUMBER)
    monkeypatch.setattr(Webhook, "send", lambda self, alert: sent.append(alert.line()))
    monkeypatch.setenv("HOOK", "https://hooks.test/secret")
    return sent


def start(tmp_path: Path, account: str, arm: str = "", mode: str = "live") -> None:
    key = "AKLIVE" if mode == "live" else "PKPAPER"
    alerts = (AlertTarget(form="slack", url_env="HOOK"),)
    attempt(tmp_path, mode=mode, key=key, account=account, arm=arm, alerts=alerts)


def refused_by_its_folder(tmp_path: Path) -> None:
    start(tmp_path, "", mode="paper")
    simulated.ACCOUNT_NUMBER = OTHER
    start(tmp_path, "", mode="paper")


@pytest.mark.parametrize(
    ("begin", "said", "shown"),
    [
        (lambda path: start(path, NUMBER), f"account {NUMBER} is not armed", ["…5678"]),
        (lambda path: start(path, NUMBER, OTHER), f"account {NUMBER} is not armed", ["…5678"]),
        (
            lambda path: start(path, OTHER, OTHER),
            f"the keys belong to account {NUMBER}, not to {OTHER}",
            ["…5678", "…4321"],
        ),
        (
            refused_by_its_folder,
            f"this state folder is of account {NUMBER}, the keys are of {OTHER}",
            ["…5678", "…4321"],
        ),
    ],
    ids=["no arm", "another arm", "another account", "another folder"],
)
def test_a_start_that_is_refused_for_its_account_names_it_to_nobody_else(
    tmp_path: Path, told: list[str], begin: Callable[[Path], Any], said: str, shown: list[str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        begin(tmp_path)
    assert said in str(refusal.value), "a person at the terminal has to read what to type"
    log = (tmp_path / "state" / "logs" / "pyrt.log").read_text("utf-8")
    last_exit = (tmp_path / "state" / "last-exit").read_text("utf-8")
    assert "node_failed" in told[-1]
    for text in (log, last_exit, "\n".join(told)):
        assert all(each in text for each in shown)
        assert NUMBER not in text
        assert OTHER not in text

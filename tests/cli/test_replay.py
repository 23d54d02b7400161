"""`pyrt live` on a recording: the same program, by configuration."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Shell

NODE = """\
symbols = ["SPY"]
replay = "spy.csv"
replay_speed = "{speed}"
replay_cash = 50000.0
replay_label = "open"
"""


def rows(pyrt: Shell, folder: Path, speed: str) -> list[dict]:
    (folder / "node.toml").write_text(NODE.format(speed=speed))
    shown = pyrt("live", "flip.py", "--config", "node.toml", "--json")
    assert shown.code == 0, shown.err
    return [json.loads(line) for line in shown.out.splitlines()]


def test_a_node_runs_on_a_recording_without_keys(pyrt: Shell, folder: Path) -> None:
    found = rows(pyrt, folder, "max")
    fills = [row for row in found if row["type"] == "fill"]
    orders = [row for row in found if row["type"] == "order"]
    assert len(fills) == 10
    assert {row["event"] for row in orders} == {"sent", "accepted"}
    assert all(row["symbol"] == "SPY" and row["quantity"] == 5 for row in fills)
    assert [row["type"] for row in found].count("account") == 1
    assert found[-1]["type"] == "account"
    assert found[-1]["equity"] > 50_000


def test_the_pace_changes_nothing_but_the_time_it_takes(pyrt: Shell, folder: Path) -> None:
    # A day of data in less than a microsecond: paced, and over at once.
    assert rows(pyrt, folder, "1e9x") == rows(pyrt, folder, "max")


def test_a_speed_that_is_none_is_named(pyrt: Shell, folder: Path) -> None:
    (folder / "node.toml").write_text(NODE.format(speed="fast"))
    shown = pyrt("live", "flip.py", "--config", "node.toml")
    assert shown.code == 2
    assert "speed is 'fast'" in shown.err

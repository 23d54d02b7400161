"""What `pyrt control` prints for a person."""

from __future__ import annotations

import os
from typing import Any

import pytest
from click.testing import CliRunner

from pyrt.cli.control import control

STATUS: dict[str, Any] = {
    "phase": "running",
    "latched": "",
    "journal": {"records": 31, "durable": 31, "failure": ""},
    "findings": [],
    "limits": {"max_order_notional": "1000", "stale_data_after": 1_500_000_000},
    "ramp": None,
    "halted_symbols": ["QQQ", "SPY"],
    "positions": [{"symbol": "SPY", "quantity": "1"}, {"symbol": "QQQ", "quantity": "-2"}],
}
PRINTED = """\
phase           running
latched
journal         records=31  durable=31
findings
limits          max_order_notional=1000  stale_data_after=1.5s
ramp
halted_symbols  QQQ
                SPY
positions       symbol=SPY  quantity=1
                symbol=QQQ  quantity=-2
"""


@pytest.mark.parametrize(
    ("answer", "printed"),
    [(STATUS, PRINTED), ({"done": "everything is halted"}, "everything is halted\n")],
)
def test_an_answer_is_printed_a_line_for_each_value_and_row(monkeypatch, answer, printed):
    monkeypatch.setattr("pyrt.live.process.control.ask", lambda *args, **named: answer)
    assert CliRunner().invoke(control, ["state", "status"]).output == printed


def test_who_has_a_number_and_no_name_is_heard_all_the_same(monkeypatch):
    """In a container any number may run it."""
    asked: dict[str, str] = {}

    def ask(folder: Any, action: str, **given: str) -> dict[str, str]:
        asked.update(given)
        return {"done": "everything is halted"}

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 5000")

    monkeypatch.setattr("pyrt.live.process.control.ask", ask)
    monkeypatch.setattr("getpass.getuser", nameless)
    done = CliRunner().invoke(control, ["state", "halt", "--reason", "odd"])
    assert (done.exit_code, asked["actor"]) == (0, f"user {os.geteuid()}")

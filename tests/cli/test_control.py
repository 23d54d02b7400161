"""What `pyrt control` prints for a person."""

from __future__ import annotations

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

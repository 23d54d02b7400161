"""What health says of a connection, up, down, or up without a symbol that was asked for."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.gauges import Gauges
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics

ACKNOWLEDGED = '[{"T":"subscription","bars":["SPY"]}]'
REFUSED = '[{"T":"error","code":405,"msg":"symbol limit exceeded"}]'


def stream(*answers: str) -> MarketData:
    """Return a stream that asked for SPY and QQQ, after these answers."""
    made = MarketData(Random(1), Credentials("PKTEST", "canary-77"))
    made.subscribe("bars", ["SPY", "QQQ"])
    made.wants_connection(1)
    made.opened(1)
    made.receive('[{"T":"success","msg":"authenticated"}]', 1)
    for answer in answers:
        made.receive(answer, 1)
    return made


@pytest.mark.parametrize(
    ("answers", "status", "message"),
    [
        ([], "degraded", "down"),
        (['[{"T":"subscription","bars":["QQQ","SPY"]}]'], "ok", "up"),
        ([ACKNOWLEDGED], "failed", "up, not sent: QQQ"),
        # Both together, then each by itself.
        ([REFUSED] * 3, "failed", "up, not sent: QQQ, SPY"),
    ],
)
def test_a_symbol_that_is_not_sent_is_a_failure(
    tmp_path: Path, answers: list[str], status: str, message: str
) -> None:
    health = Health()
    node: Any = SimpleNamespace(
        config=SimpleNamespace(shadow=True),
        driver=None,
        streams=lambda: [("stocks", stream(*answers))],
        received=dict,
    )
    Gauges(tmp_path, Metrics(), health).look(node, 0.0)
    part = health.components["stocks"]
    assert (part.status, part.message) == (status, message)
    for step in ("reconciled", "warmed_up"):
        health.reached(step)
    assert health.is_ready == (status != "failed")

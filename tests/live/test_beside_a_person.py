"""A person who trades the account beside its node: what he has closed is soon not held here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyrt.live.plan import SECOND, Policies
from pyrt.testing.files import MemoryFiles
from tests.live.looks import Quiet
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

LOOKS = 3
CALM_S, SOON_S = 120, 20


def wait(node: Node, since: int, seconds: int) -> int:
    for _ in range(seconds):
        since += SECOND
        node.settle(since)
    return since


def holding() -> tuple[Node, int]:
    """Return a node that holds ten and looks by the minute, some time after its last look."""
    node = Node(
        World([bars([100.0] * 20)]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=LOOKS, warmup=0),
    )  # fmt: skip
    node.start()
    node.run(3)
    node.kernel.strategies[0].buy("SPY", 10)
    node.driver.core.inputs.settle()
    node.run(6)
    return node, wait(node, node.world.now, CALM_S)


def at_the_page(node: Node, quantity: int, symbol: str = "SPY") -> None:
    """Sell at the broker's page, and let it fill."""
    terms = {"symbol": symbol, "qty": f"{quantity}", "side": "sell", "type": "market"}
    body = json.dumps({**terms, "time_in_force": "day"}).encode()
    assert node.world.simulator.request("POST", "/v2/orders", body).status == 200
    node.run(6)


def held_there(node: Node) -> list[Any]:
    held = json.loads(node.world.simulator.request("GET", "/v2/positions", b"").body)
    return [position["qty"] for position in held]


def test_what_a_person_has_closed_is_not_sold_again_by_a_strategy_soon_after():
    node, now = holding()
    at_the_page(node, 10)
    assert held_there(node) == []
    now = wait(node, now, SOON_S)
    strategy = node.kernel.strategies[0]
    order = strategy.close("SPY")
    node.driver.core.inputs.settle()
    node.run(6)
    assert (order.status, held_there(node)) == ("DENIED", [])
    assert "position_mismatch" in {code for code, _ in node.alarms}


def update(symbol: str, filled: int) -> bytes:
    order = {
        "id": "v-9", "client_order_id": "a-person", "symbol": symbol, "side": "buy",
        "type": "market", "time_in_force": "day", "status": "partially_filled", "qty": "500",
        "filled_qty": f"{filled}", "filled_avg_price": "100",
    }  # fmt: skip
    told = {"event": "partial_fill", "timestamp": "2024-01-02T15:00:00Z", "order": order}
    data = {**told, "qty": "1", "price": "100"}
    return json.dumps({"stream": "trade_updates", "data": data}).encode()


@pytest.mark.parametrize(("symbol", "looks"), [("SPY", (3, 4)), ("QQQ", (0, 1))])
def test_an_order_in_many_parts_asks_for_a_look_each_ten_seconds_and_of_other_symbols_for_none(
    symbol, looks
):
    node, now = holding()
    asked: list[str] = []

    def noted(request, answer):
        asked.append(request.purpose)
        return answer(request)

    node.on_request = noted
    for part in range(1, 301):
        now += SECOND // 10
        node.driver.take(now, node.client.receive_trade_update(update(symbol, part), now))
        node.settle(now)
    assert asked.count("snapshot:clock") in looks

"""Each fault as a client meets it: set by the control API, felt on real sockets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from pyrt.adapters.alpaca.simulator.faults import Faults
from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from tests.adapters.simulator.exchange import CLOSES
from tests.adapters.simulator.test_sockets import enter, listen
from tests.adapters.simulator.world import World, wait_for
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

ORDER = {"symbol": "SPY", "side": "buy", "type": "limit", "time_in_force": "day", "qty": 1}
NONE = dataclasses.asdict(Faults())


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    falling = [*CLOSES, *(95.0 - number for number in range(60))]
    made = World([minute_bars("SPY", falling)], limits=Limits(requests=0, connections=0))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _well(world: World) -> Iterator[None]:
    yield
    assert world.control("faults", **NONE) == NONE
    wait_for(lambda: not world.server._stocks.outlets and not world.server._trades.outlets)


def ask(world: World, method: str, path: str, body: Any = None) -> httpx.Response:
    url = world.urls["rest_url"] + path
    return httpx.request(method, url, headers=world.headers, json=body, timeout=5)


def buy(world: World, limit_price: float = 20.0) -> httpx.Response:
    return ask(world, "POST", "/v2/orders", {**ORDER, "limit_price": limit_price})


def shown(world: World, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ask(world, "GET", f"/v2/orders/{order['id']}").json()
    return found


@pytest.mark.parametrize(
    ("fault", "status", "kind", "carried_out"),
    [
        ("throttle", 429, "application/json", 0),
        ("fail", 500, "application/json", 0),
        ("unavailable", 503, "application/json", 0),
        ("html", 502, "text/html", 0),
        ("lost_request", 504, "application/json", 0),
        ("lost_response", 504, "application/json", 1),
    ],
)
def test_a_request_fails_before_or_after_it_was_carried_out(
    world: World, fault: str, status: int, kind: str, carried_out: int
) -> None:
    before = len(world.core.desk.orders)
    world.control("faults", **{fault: 1.0})
    answer = buy(world)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(kind)
    assert len(world.core.desk.orders) - before == carried_out
    world.control("faults", **{fault: 0.0})
    assert buy(world).status_code == 200


def test_a_read_shows_what_it_showed_before(world: World) -> None:
    order = buy(world).json()
    world.control("faults", stale=1.0)
    assert shown(world, order)["status"] == "new"
    assert ask(world, "DELETE", f"/v2/orders/{order['id']}").status_code == 204
    assert shown(world, order)["status"] == "new"
    world.control("faults", stale=0.0)
    assert shown(world, order)["status"] == "canceled"


def told(world: World, count: int, **faults: float) -> list[str]:
    """Return the events that a listening client hears of one order, with faults in force."""
    with connect(world.urls["trading_stream_url"]) as ws:
        listen(world, ws)
        world.control("faults", **faults)
        buy(world)
        return [json.loads(ws.recv(5))["data"]["event"] for _ in range(count)]


def test_events_of_orders_are_doubled_delayed_and_out_of_order(world: World) -> None:
    assert told(world, 4, duplicate=1.0) == ["pending_new", "pending_new", "new", "new"]
    world.control("faults", **NONE)
    assert told(world, 2, reorder=1.0) == ["new", "pending_new"]
    world.control("faults", **NONE)
    with connect(world.urls["trading_stream_url"]) as ws:
        listen(world, ws)
        world.control("faults", delay=1.0)
        buy(world)
        with pytest.raises(TimeoutError):
            ws.recv(0.2)
        world.control("faults", delay=0.0)
        buy(world)
        events = [json.loads(ws.recv(5))["data"]["event"] for _ in range(4)]
        assert events == ["pending_new", "new", "pending_new", "new"]


def test_events_of_orders_and_bars_are_lost(world: World) -> None:
    with connect(world.urls["trading_stream_url"]) as ws:
        listen(world, ws)
        with connect(world.urls["stock_stream_url"]) as data:
            enter(world, data, bars=["SPY"])
            world.control("faults", drop=1.0)
            buy(world)
            world.advance()
            for each in (ws, data):
                with pytest.raises(TimeoutError):
                    each.recv(0.1)
            world.control("faults", drop=0.0)
            world.advance()
            assert json.loads(data.recv(5))[0]["T"] == "b"


def test_bars_are_doubled(world: World) -> None:
    with connect(world.urls["stock_stream_url"]) as ws:
        enter(world, ws, bars=["SPY"])
        world.control("faults", duplicate=1.0)
        world.advance()
        bar, twin = json.loads(ws.recv(5))
        assert bar == twin


def test_an_order_is_rejected_stuck_or_filled_after_its_cancel(world: World) -> None:
    world.control("faults", reject=1.0)
    assert shown(world, buy(world).json())["status"] == "rejected"
    world.control("faults", reject=0.0, stuck=1.0)
    stuck = buy(world).json()
    assert ask(world, "DELETE", f"/v2/orders/{stuck['id']}").status_code == 204
    assert shown(world, stuck)["status"] == "pending_cancel"
    world.control("faults", stuck=0.0, late_fill=1.0)
    late = buy(world, 60.0).json()
    assert ask(world, "DELETE", f"/v2/orders/{late['id']}").status_code == 204
    assert shown(world, late)["status"] == "canceled"
    world.advance(42)
    assert shown(world, late)["status"] == "filled"


def test_the_clock_is_ahead_of_the_market(world: World) -> None:
    before = world.get("/v2/clock").json()["timestamp"]
    world.control("faults", clock_skew_s=90.0)
    after = world.get("/v2/clock").json()["timestamp"]
    assert (before[:10], after[11:16] > before[11:16]) == (after[:10], True)


def test_faults_are_read_back_and_nonsense_changes_none(world: World) -> None:
    url = f"{world.urls['control_url']}/faults"
    assert world.control("faults", drop=0.25)["drop"] == 0.25
    for body in ({"drop": 2}, {"dropp": 0.5}, {"mute": 1}, {"slow_s": -1}, {"drop": "much"}):
        assert httpx.post(url, json=body).status_code == 422
    assert world.control("faults")["drop"] == 0.25

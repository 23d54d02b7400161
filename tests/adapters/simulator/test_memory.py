"""A simulator comes back to where it was; what passed is in a file."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from pyrt.adapters.alpaca.simulator.server.memory import Memory
from pyrt.errors import ConfigError
from tests.adapters.simulator.ticks import quotes, trades
from tests.adapters.simulator.world import World, wait_for
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

PATHS = (
    *("/v2/account", "/v2/positions", "/v2/orders?status=all&nested=true", "/v2/watchlists"),
    *("/v2/account/activities", "/v2/account/configurations", "/v2/clock"),
    "/v2/account/portfolio/history?timeframe=1Min",
)
ORDER = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 10}


def tables() -> list[Any]:
    prints = [(20.0 * n, 50.0 + n / 100, 100) for n in range(60)]
    return [
        minute_bars("SPY", [100.0 + n % 5 for n in range(30)]),
        quotes("IWM", 900),
        trades("QQQ", prints),
    ]


@contextmanager
def world(path: Path, identity: str = "same", **settings: Any) -> Any:
    made = World(tables(), shell={"memory": Memory(path, identity)}, **settings)
    try:
        yield made
    finally:
        made.close()


def post(made: World, path: str, body: Any) -> Any:
    url = made.urls["rest_url"] + path
    answer = httpx.post(url, headers=made.headers, json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def trade(made: World, move: Callable[[], None]) -> None:
    """Do something of everything that changes a simulator."""
    post(made, "/v2/orders", ORDER)
    move()
    post(made, "/v2/orders", {**ORDER, "symbol": "IWM", "qty": 700})
    made.control("faults", stuck=0.5, seed=3)
    made.control("halt", symbol="QQQ", seconds=60)
    move()
    for n in range(4):
        order = post(made, "/v2/orders", {**ORDER, "type": "limit", "limit_price": 80 + n})
        url = f"{made.urls['rest_url']}/v2/orders/{order['id']}"
        assert httpx.delete(url, headers=made.headers).status_code == 204
    exits = {"take_profit": {"limit_price": 104}, "stop_loss": {"stop_price": 99}}
    post(made, "/v2/orders", {**ORDER, "order_class": "bracket", **exits})
    post(made, "/v2/watchlists", {"name": "mine", "symbols": ["SPY"]})
    move()


def test_in_lockstep_everything_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with world(path) as made:
        trade(made, lambda: made.control("advance", instants=7))
        before = [made.get(target).json() for target in PATHS]
        assert len(before[1]) == 2
        assert {order["status"] for order in before[2]} >= {"filled", "pending_cancel", "canceled"}
    with world(path) as made:
        assert [made.get(target).json() for target in PATHS] == before
        assert made.server.faults.faults.stuck == 0.5
        made.control("advance", instants=40)
        again = [made.get(target).json() for target in PATHS]
    with world(path) as made:
        assert [made.get(target).json() for target in PATHS] == again
        assert made.core.now > 0


def test_what_a_kill_leaves_is_everything(tmp_path: Path) -> None:
    path, left = tmp_path / "state.sqlite", tmp_path / "left"
    left.mkdir()
    with world(path) as made:
        trade(made, lambda: made.control("advance", instants=7))
        chain = post(made, "/v2/orders", {**ORDER, "type": "limit", "limit_price": 70})
        for price in (71, 72):
            url = f"{made.urls['rest_url']}/v2/orders/{chain['id']}"
            answer = httpx.patch(url, headers=made.headers, json={"limit_price": price})
            chain = answer.json()
        before = [made.get(target).json() for target in PATHS]
        # A process that is killed closes nothing: what is on disk while it runs is all there is.
        for part in tmp_path.glob("state.sqlite*"):
            shutil.copy(part, left / part.name)
    with world(left / path.name) as made:
        assert [made.get(target).json() for target in PATHS] == before
        known = {order["id"]: order for order in before[2]}
        links = [known[chain["replaces"]], chain]
        assert (links[0]["replaced_by"], links[0]["status"]) == (chain["id"], "replaced")
        assert known[links[0]["replaces"]]["replaced_by"] == links[0]["id"]
        again = httpx.post(
            f"{made.urls['rest_url']}/v2/orders",
            headers=made.headers,
            json={**ORDER, "client_order_id": before[2][-1]["client_order_id"]},
        )
        assert again.json()["message"] == "client_order_id must be unique"


def test_with_a_running_clock_everything_but_time_is_as_it_was(tmp_path: Path) -> None:
    path, untimed = tmp_path / "state.sqlite", PATHS[2:4]
    with world(path, speed=30) as made:
        trade(made, lambda: time.sleep(0.3))
        before = [made.get(target).json() for target in untimed]
        now = made.core.now
    with world(path, speed=0.001) as made:
        # Time is noted once a second of the wall clock, which is half a minute here.
        assert abs(made.core.now - now) < 60_000_000_000
        after = [made.get(target).json() for target in untimed]
    known = {order["id"]: order for order in after[0]}
    assert [order["id"] for order in before[0]] == list(known)
    for order in before[0]:
        if order["status"] == "canceled" and order["legs"] is None:
            assert known[order["id"]] == order
    assert after[1] == before[1]


def test_a_file_belongs_to_one_simulator(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    Memory(path, "one").close()
    with pytest.raises(ConfigError, match="other data or options"):
        Memory(path, "another")
    (tmp_path / "text").write_text("no database, but long enough to be looked at" * 50)
    with pytest.raises(ConfigError, match="no state of a simulator"):
        Memory(tmp_path / "text", "one")
    with pytest.raises(ConfigError, match="unable to open"):
        Memory(tmp_path / "nowhere" / "state.sqlite", "one")


def test_traffic_is_written_without_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    made = World(tables(), shell={"record": str(path)})
    with connect(made.urls["stock_stream_url"]) as socket:
        socket.recv()
        key, secret = made.keys
        socket.send(json.dumps({"action": "auth", "key": key, "secret": secret}))
        socket.recv()
        socket.send(json.dumps({"action": "subscribe", "bars": ["*"]}))
        socket.recv()
        post(made, "/v2/orders", ORDER)
        made.advance()
        wait_for(lambda: '"T":"b"' in json.dumps(socket.recv()).replace("\\", ""))
    made.control("halt", symbol="SPY")
    made.control("faults", drop=2)
    assert made.get("/v2/events/trades?since=2013-10-07&until=2013-10-08").text.count("data: ")
    made.close()
    assert made.keys[1] not in path.read_text()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    (order,) = [row for row in rows if row.get("path") == "/v2/orders"]
    assert (order["path"], order["status"]) == ("/v2/orders", 200)
    assert json.loads(order["answer"])["status"] == "pending_new"
    frames = [row for row in rows if row.get("path") == "/v2/iex"]
    assert {row["kind"] for row in frames} == {"sent", "received"}
    told = [row for row in rows if str(row.get("path")).startswith("/v2/events/trades")]
    assert {row["kind"] for row in told} == {"sent"}
    controls = [row for row in rows if str(row.get("path")).startswith("/control/")]
    assert [(row["path"], row["status"]) for row in controls] == [
        ("/control/halt", 200),
        ("/control/faults", 422),
    ]
    assert all("data" in row or base64.b64decode(row["data_base64"]) for row in frames)

"""What clients in any language rely on in HTTP itself: who they are, headers, connections."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.adapters.simulator.exchange import CLOSES
from tests.adapters.simulator.world import World
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

ORDER = {"symbol": "SPY", "side": "buy", "type": "limit", "time_in_force": "day", "qty": 1}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World([minute_bars("SPY", CLOSES)])
    yield made
    made.close()


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world.urls["rest_url"], headers=world.headers) as made:
        yield made


def basic(*pair: str) -> str:
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()


def test_keys_and_oauth_tokens_open_the_account_and_nothing_else_does(world: World) -> None:
    key, secret = world.keys
    cases: list[tuple[dict[str, str], int]] = [
        ({"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}, 200),
        ({"apca-api-key-id": key, "apca-api-secret-key": secret}, 200),
        ({"Authorization": f"Bearer {secret}"}, 200),
        ({"Authorization": "Bearer other"}, 401),
        # That is how brokers' clients say who they are; it is not for one account.
        ({"Authorization": basic(key, secret)}, 401),
        ({"APCA-API-KEY-ID": key}, 401),
        ({"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": "wrong"}, 401),
        ({}, 401),
    ]
    for headers, status in cases:
        answer = httpx.get(f"{world.urls['rest_url']}/v2/account", headers=headers)
        assert answer.status_code == status, headers
        if status == 401:
            assert answer.json() == {"code": 40110000, "message": "request is not authorized"}


def test_answers_carry_kind_limits_and_an_id_of_their_own(client: httpx.Client) -> None:
    answers = [client.get(path) for path in ("/v2/clock", "/v2/clock", "/v2/nothing")]
    for answer in answers:
        assert answer.headers["content-type"].startswith("application/json")
        assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(
            answer.headers
        )
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_one_connection_serves_many_requests_compressed_or_not(client: httpx.Client) -> None:
    ports = set()
    for coding in ("gzip, deflate, br", "identity"):
        with client.stream("GET", "/v2/clock", headers={"Accept-Encoding": coding}) as answer:
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
            assert answer.read().startswith(b'{"is_open"')
    assert len(ports) == 1


def test_a_cancel_is_answered_without_a_body(client: httpx.Client) -> None:
    made: Any = client.post("/v2/orders", json={**ORDER, "limit_price": "90"}).json()
    gone = client.delete(f"/v2/orders/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert gone.headers.get("content-length") in (None, "0")


def test_a_stream_is_taken_with_a_subprotocol_that_it_does_not_know(world: World) -> None:
    # Browsers' clients name one; the answer names none, as Alpaca's does.
    headers = {"Sec-WebSocket-Protocol": "json"}
    with connect(world.urls["stock_stream_url"], additional_headers=headers) as ws:
        assert ws.recv(5) == '[{"T":"success","msg":"connected"}]'
        assert ws.subprotocol is None


def test_requests_of_one_tick_have_times_of_their_own_so_that_lists_can_be_paged() -> None:
    # As fast as it gets: between two ticks of the simulator several requests come.
    world = World([minute_bars("SPY", CLOSES)], speed=1)
    try:
        with httpx.Client(base_url=world.urls["rest_url"], headers=world.headers) as client:
            order = {**ORDER, "limit_price": "90", "time_in_force": "gtc"}
            placed = [client.post("/v2/orders", json=order).json()["id"] for _ in range(24)]
            seen: list[str] = []
            query = {"status": "all", "limit": "5"}
            while rows := client.get("/v2/orders", params=query).json():
                seen += [row["id"] for row in rows]
                query["until"] = rows[-1]["submitted_at"]
    finally:
        world.close()
    assert seen == placed[::-1]

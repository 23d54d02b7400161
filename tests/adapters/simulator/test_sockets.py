"""The simulator's sockets: handshakes, limits, slow clients, encodings, faults of connections."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import msgpack
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from tests.adapters.simulator.exchange import CLOSES
from tests.adapters.simulator.world import World, wait_for
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

ORDER = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 1}
PACKED = {"Content-Type": "application/msgpack"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World([minute_bars("SPY", CLOSES * 40), minute_bars("BTC/USD", [20.0] * 300)])
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _well(world: World) -> Iterator[None]:
    yield
    broken = world.server.faults.faults
    world.control("faults", half_open=False, refuse=False, refuse_tcp=False, linger_s=0.0)
    kept = dict.fromkeys(("truncate", "reset_request", "reset_response", "slow"), 0.0)
    world.control("faults", **kept, mute=False)
    assert broken is not None
    wait_for(lambda: not world.server._stocks.outlets and not world.server._trades.outlets)


def enter(world: World, ws: Any, **channels: Any) -> Any:
    """Go through the handshake of a market-data stream."""
    assert json.loads(ws.recv(5))[0]["msg"] == "connected"
    ws.send(json.dumps({"action": "auth", "key": world.keys[0], "secret": world.keys[1]}))
    assert json.loads(ws.recv(5))[0]["msg"] == "authenticated"
    ws.send(json.dumps({"action": "subscribe", **channels}))
    return json.loads(ws.recv(5))[0]


def listen(world: World, ws: Any, *, old: bool = True) -> Any:
    """Go through the handshake of the trade-updates stream, in one of its two forms."""
    key, secret = world.keys
    if old:
        ws.send(
            json.dumps({"action": "authenticate", "data": {"key_id": key, "secret_key": secret}})
        )
    else:
        ws.send(json.dumps({"action": "auth", "key": key, "secret": secret}))
    assert json.loads(ws.recv(5))["data"]["status"] == "authorized"
    ws.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates", "nonsense"]}}))
    assert json.loads(ws.recv(5))["data"]["streams"] == ["trade_updates"]


def order(world: World) -> None:
    url = f"{world.urls['rest_url']}/v2/orders"
    assert httpx.post(url, headers=world.headers, json=ORDER, timeout=5).status_code == 200


def test_a_second_connection_is_one_too_many(world: World) -> None:
    with connect(world.urls["stock_stream_url"]) as first:
        enter(world, first, bars=["SPY"])
        with connect(world.urls["stock_stream_url"]) as second:
            assert json.loads(second.recv(5))[0]["msg"] == "connected"
            assert json.loads(second.recv(5))[0]["code"] == 406
            with pytest.raises(ConnectionClosed):
                second.recv(5)
        world.advance()
        assert json.loads(first.recv(5))[0]["T"] == "b"
    with connect(world.urls["trading_stream_url"]) as first:
        listen(world, first)
        with pytest.raises(InvalidStatus) as caught, connect(world.urls["trading_stream_url"]):
            pass
        assert caught.value.response.status_code == 429


def test_a_place_lingers_after_its_connection(world: World) -> None:
    world.control("faults", linger_s=60.0)
    with connect(world.urls["stock_stream_url"]) as first:
        enter(world, first, bars=["SPY"])
    wait_for(lambda: not world.server._stocks.outlets)
    with connect(world.urls["stock_stream_url"]) as second:
        second.recv(5)
        assert json.loads(second.recv(5))[0]["code"] == 406
    world.server._stocks._lingering.clear()


def test_errors_close_or_leave_the_connection(world: World) -> None:
    with connect(world.urls["stock_stream_url"]) as ws:
        ack = enter(world, ws, trades=[f"S{n}" for n in range(31)])
        assert ack["code"] == 405
        ws.send("{")
        assert json.loads(ws.recv(5))[0]["code"] == 400
        assert world.control("error", path="/v2/iex", code=411) == {"clients": 1}
        assert json.loads(ws.recv(5))[0] == {"T": "error", "code": 411, "msg": "insufficient scope"}
        world.control("error", path="/v2/iex", code=407)
        assert json.loads(ws.recv(5))[0]["code"] == 407
        with pytest.raises(ConnectionClosed):
            ws.recv(5)
    with connect(world.urls["stock_stream_url"]) as ws:
        ws.recv(5)
        ws.send(json.dumps({"action": "auth", "key": "PK", "secret": "wrong"}))
        assert json.loads(ws.recv(5))[0]["code"] == 402
        with pytest.raises(ConnectionClosed):
            ws.recv(5)


def test_keys_in_the_upgrade_and_fragments_and_packed_frames_are_understood(world: World) -> None:
    headers = {**PACKED, **world.headers}
    with connect(world.urls["crypto_stream_url"], additional_headers=headers) as ws:
        answers = [msgpack.unpackb(ws.recv(5))[0]["msg"] for _ in range(2)]
        assert answers == ["connected", "authenticated"]
        wanted = msgpack.packb({"orderbooks": ["BTC/USD"], "bars": ["*"], "action": "subscribe"})
        ws.send([wanted[:9], wanted[9:], b""])
        ack = msgpack.unpackb(ws.recv(5))[0]
        assert (ack["T"], ack["orderbooks"]) == ("subscription", ["BTC/USD"])
        book = msgpack.unpackb(ws.recv(5))[0]
        assert (book["T"], book["r"]) == ("o", True)
        world.advance()
        kinds = [message["T"] for message in msgpack.unpackb(ws.recv(5))]
        assert kinds == ["o", "b"]


@pytest.mark.parametrize("old", [True, False])
def test_trade_updates_come_as_json_in_binary_frames_or_packed(world: World, old: bool) -> None:
    with connect(world.urls["trading_stream_url"]) as ws:
        ws.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        refusal = json.loads(ws.recv(5))["data"]
        assert refusal == {"status": "unauthorized", "action": "listen"}
        listen(world, ws, old=old)
        order(world)
        frame = ws.recv(5)
        assert isinstance(frame, bytes)
        assert json.loads(frame)["data"]["event"] == "pending_new"
    wait_for(lambda: not world.server._trades.outlets)
    with connect(world.urls["trading_stream_url"], additional_headers=PACKED) as ws:
        key, secret = world.keys
        ws.send(msgpack.packb({"action": "auth", "key": key, "secret": secret}))
        assert msgpack.unpackb(ws.recv(5))["data"]["status"] == "authorized"


def test_events_are_served_from_any_point_of_the_past(world: World) -> None:
    order(world)
    url = f"{world.urls['rest_url']}/v2/events/trades"
    span = {"since": "2013-10-07", "until": "2013-10-30"}
    told = httpx.get(url, headers=world.headers, params=span, timeout=5)
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: ")]
    assert events
    assert events == sorted(events, key=lambda event: event["event_id"])
    last = {"since_id": events[-1]["event_id"], "until_id": "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"}
    assert httpx.get(url, headers=world.headers, params=last, timeout=5).text.count("data: ") == 1
    bad = httpx.get(url, headers=world.headers, params={"until": "2013-10-30"}, timeout=5)
    assert bad.status_code == 422
    heard: list[Any] = []

    def follow() -> None:
        with httpx.stream("GET", url, headers=world.headers, timeout=5) as stream:
            for line in stream.iter_lines():
                heard.append(line)
                if line.startswith("data: "):
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    wait_for(lambda: heard)
    order(world)
    thread.join(5)
    assert json.loads(heard[-1][6:])["event"] == "pending_new"


# -- faults of connections -------------------------------------------------------------------------


def test_a_request_or_its_answer_is_lost_with_the_connection(world: World) -> None:
    for fault, carried_out in (("reset_request", 0), ("reset_response", 1)):
        before = len(world.core.desk.orders)
        world.control("faults", **{fault: 1.0})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            order(world)
        assert len(world.core.desk.orders) - before == carried_out
        world.control("faults", **{fault: 0.0})


def test_connections_are_reset_or_never_answered(world: World) -> None:
    world.control("faults", refuse_tcp=True)
    with pytest.raises(httpx.TransportError):
        world.get("/v2/clock")
    world.control("faults", refuse_tcp=False, half_open=True)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(world.urls["rest_url"] + "/v2/clock", headers=world.headers, timeout=0.3)
    world.control("faults", half_open=False)
    assert world.get("/v2/clock").status_code == 200


def test_a_half_open_stream_is_silent_and_does_not_answer_pings(world: World) -> None:
    with connect(world.urls["stock_stream_url"]) as ws:
        enter(world, ws, bars=["SPY"])
        world.control("faults", half_open=True)
        pong = ws.ping()
        world.advance()
        assert not pong.wait(0.3)
        with pytest.raises(TimeoutError):
            ws.recv(0.1)
        world.control("faults", half_open=False)


def test_a_mute_stream_answers_pings_and_says_nothing(world: World) -> None:
    with connect(world.urls["stock_stream_url"]) as ws:
        enter(world, ws, bars=["SPY"])
        world.control("faults", mute=True)
        world.advance()
        assert ws.ping().wait(5)
        with pytest.raises(TimeoutError):
            ws.recv(0.1)


def test_streams_refuse_and_frames_are_cut(world: World) -> None:
    world.control("faults", refuse=True)
    with pytest.raises(InvalidStatus), connect(world.urls["stock_stream_url"]):
        pass
    world.control("faults", refuse=False)
    with connect(world.urls["trading_stream_url"]) as ws:
        listen(world, ws)
        world.control("faults", truncate=1.0)
        order(world)
        with pytest.raises(json.JSONDecodeError):
            json.loads(ws.recv(5))


def test_an_answer_comes_late(world: World) -> None:
    world.control("faults", slow=1.0, slow_s=0.4)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(world.urls["rest_url"] + "/v2/clock", headers=world.headers, timeout=0.2)


# -- many clients ----------------------------------------------------------------------------------


def test_a_client_that_does_not_read_is_closed_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pyrt.adapters.alpaca.simulator.server.app.PATIENCE_S", 0.01)
    monkeypatch.setattr("pyrt.adapters.alpaca.simulator.server.outlets.CLOSE_S", 0.1)
    made = World([minute_bars("SPY", CLOSES)], limits=Limits(connections=0, slow_frames=4))
    asleep = socket.socket()
    asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    asleep.connect(("127.0.0.1", int(made.urls["rest_url"].rpartition(":")[2])))
    url, terms = (
        made.urls["stock_stream_url"],
        {"max_queue": 1, "ping_interval": None, "close_timeout": 0.2},
    )
    # One message as large as a frame gets: sockets hold a few of them only.
    large = {"T": "t", "S": "SPY", "i": 1, "p": 1.0, "s": 1, "c": ["x" * 500_000]}
    try:
        with connect(url) as busy, connect(url, sock=asleep, **terms) as idle:
            for ws in (busy, idle):
                enter(made, ws, trades=["*"])
            hub, sent = made.server._stocks, 0
            while len(hub.outlets) == 2:
                made.control("publish", messages=[large])
                assert json.loads(busy.recv(5))[0]["T"] == "t"
                sent += 1
                assert sent < 500
            made.control("publish", messages=[{**large, "c": []}])
            assert json.loads(busy.recv(5))[0]["c"] == []
    finally:
        made.close()


def test_a_hundred_clients_hear_the_same() -> None:
    made = World([minute_bars("SPY", CLOSES)], limits=Limits(connections=0))

    async def one(ready: asyncio.Barrier) -> Any:
        async with connect_async(made.urls["stock_stream_url"]) as ws:
            await ws.recv()
            key, secret = made.keys
            await ws.send(json.dumps({"action": "auth", "key": key, "secret": secret}))
            await ws.recv()
            await ws.send(json.dumps({"action": "subscribe", "bars": ["*"]}))
            await ws.recv()
            await ready.wait()
            return await asyncio.wait_for(ws.recv(), 10)

    async def all_of_them() -> list[Any]:
        ready = asyncio.Barrier(101)
        tasks = [asyncio.create_task(one(ready)) for _ in range(100)]
        await ready.wait()
        await asyncio.to_thread(made.advance)
        return await asyncio.gather(*tasks)

    try:
        frames = asyncio.run(all_of_them())
        assert len(frames) == 100
        assert len(set(frames)) == 1
    finally:
        made.close()

"""A broker without a market, for measuring a node: fast, and told by its caller what goes wrong.

It speaks as much of Alpaca's protocol as a node asks of it: both streams, orders that fill at once
or rest, the lists that reconciliation reads. Market data come as fast as is wanted, made up
beforehand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pyrt import NodeConfig

ACCOUNT = "PA7STUB"
PRICE = Decimal("100.00")
KEY, SECRET = "PKSTUB", "stub-secret"
SYMBOL = "SPY"


def stamp() -> str:
    """Return the present as the broker writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Stub:
    """One account, its orders and its streams.

    Attributes
    ----------
    delay_s : float
        Every answer takes this long.
    lose_answers : int
        So many orders are carried out and answered 504.
    lose_updates : int
        So many trade updates are not sent.
    rests : bool
        Whether limit orders rest; else everything fills at once.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.lose_answers = self.lose_updates = 0
        self.rests = False
        self.orders: dict[str, dict[str, Any]] = {}
        self.by_client: dict[str, dict[str, Any]] = {}
        self.activities: list[dict[str, Any]] = []
        self.units = Decimal(0)
        self.cash = Decimal(1_000_000)
        self.posted_at: list[int] = []
        self.canceled_at: list[int] = []
        self.trades: WebSocket | None = None
        self.data: WebSocket | None = None
        self.data_ready = asyncio.Event()

    # -- streams -------------------------------------------------------------------------------

    async def serve_trades(self, stream: WebSocket) -> None:
        """Take the handshake of the trade-updates stream, and hold it."""
        await stream.accept()
        await stream.receive_text()
        await stream.send_text('{"stream":"authorization","data":{"status":"authorized"}}')
        await stream.receive_text()
        await stream.send_text('{"stream":"listening","data":{"streams":["trade_updates"]}}')
        self.trades = stream
        await self._hold(stream)

    async def serve_data(self, stream: WebSocket) -> None:
        """Take the handshake of the market-data stream, and hold it."""
        await stream.accept()
        await stream.send_text('[{"T":"success","msg":"connected"}]')
        await stream.receive_text()
        await stream.send_text('[{"T":"success","msg":"authenticated"}]')
        wanted = json.loads(await stream.receive_text())
        channels = {name: wanted.get(name, []) for name in ("bars", "quotes", "trades")}
        await stream.send_text(json.dumps([{"T": "subscription", **channels}]))
        self.data = stream
        self.data_ready.set()
        await self._hold(stream)

    @staticmethod
    async def _hold(stream: WebSocket) -> None:
        try:
            while True:
                await stream.receive_text()
        except (WebSocketDisconnect, RuntimeError):
            return

    async def tell(self, event: str, order: dict[str, Any], **more: Any) -> None:
        """Push a trade update."""
        if self.lose_updates > 0:
            self.lose_updates -= 1
            return
        data = {"event": event, "timestamp": stamp(), "order": order, **more}
        if self.trades is not None:
            try:
                await self.trades.send_bytes(
                    msgspec.json.encode({"stream": "trade_updates", "data": data})
                )
            except (WebSocketDisconnect, RuntimeError):
                self.trades = None

    # -- orders --------------------------------------------------------------------------------

    async def place(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take an order; it fills at once unless it is to rest."""
        known = self.by_client.get(body["client_order_id"])
        if known is not None:
            return {"code": 40010001, "message": "client_order_id must be unique"}
        number, now = len(self.orders) + 1, stamp()
        order = {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "client_order_id": body["client_order_id"],
            "symbol": body["symbol"],
            "side": body["side"],
            "type": body["type"],
            "time_in_force": body["time_in_force"],
            "qty": body["qty"],
            "limit_price": body.get("limit_price"),
            "filled_qty": "0",
            "filled_avg_price": None,
            "status": "new",
            "created_at": now,
            "submitted_at": now,
            "updated_at": now,
        }
        self.orders[order["id"]] = self.by_client[order["client_order_id"]] = order
        await self.tell("new", order)
        if not (self.rests and body["type"] == "limit"):
            await self.fill(order)
        return order

    async def fill(self, order: dict[str, Any]) -> None:
        """Execute an order whole."""
        quantity = Decimal(order["qty"])
        signed = quantity if order["side"] == "buy" else -quantity
        self.units += signed
        self.cash -= signed * PRICE
        now = stamp()
        order.update(status="filled", filled_qty=order["qty"], filled_avg_price=f"{PRICE}")
        order.update(filled_at=now, updated_at=now)
        self.activities.append({
            "id": f"{datetime.now(UTC):%Y%m%d%H%M%S000}::{len(self.activities):08d}",
            "activity_type": "FILL", "transaction_time": now, "type": "fill",
            "price": f"{PRICE}", "qty": order["qty"], "side": order["side"],
            "symbol": order["symbol"], "leaves_qty": "0", "order_id": order["id"],
            "cum_qty": order["qty"], "order_status": "filled",
        })  # fmt: skip
        await self.tell("fill", order, qty=order["qty"], price=f"{PRICE}")

    # -- requests ------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        came = time.monotonic_ns()
        path, method = request.url.path, request.method
        body = await request.body()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if method == "POST" and path == "/v2/orders":
            self.posted_at.append(came)
            placed = await self.place(msgspec.json.decode(body))
            if self.lose_answers > 0:
                self.lose_answers -= 1
                return Response(b'{"message":"Gateway Timeout"}', 504)
            return _json(placed, 422 if "code" in placed else 200)
        if method == "DELETE":
            self.canceled_at.append(came)
            return await self._cancel(path)
        return self._read(path, dict(request.query_params))

    async def _cancel(self, path: str) -> Response:
        identity = path.rpartition("/")[2]
        chosen = list(self.orders.values()) if identity == "orders" else [self.orders[identity]]
        for order in chosen:
            if order["status"] == "new":
                order.update(status="canceled", canceled_at=stamp(), updated_at=stamp())
                await self.tell("canceled", order)
        return Response(b"[]", 207) if identity == "orders" else Response(b"", 204)

    def _read(self, path: str, query: dict[str, str]) -> Response:
        if path == "/v2/clock":
            return _json({"timestamp": stamp(), "is_open": True})
        if path == "/v2/orders":
            is_open = query.get("status") == "open"
            return _json([o for o in self.orders.values() if not is_open or o["status"] == "new"])
        if path == "/v2/orders:by_client_order_id":
            found = self.by_client.get(query["client_order_id"])
            return _json(found or {"code": 40410000, "message": "not found"}, 200 if found else 404)
        if path.startswith("/v2/orders/"):
            found = self.orders.get(path.rpartition("/")[2])
            return _json(found or {"code": 40410000, "message": "not found"}, 200 if found else 404)
        if path == "/v2/account/activities":
            after = query.get("page_token", "")
            return _json([a for a in self.activities if a["id"] > after][:100])
        if path == "/v2/account":
            return _json({
                "account_number": ACCOUNT, "status": "ACTIVE", "cash": f"{self.cash}",
                "equity": f"{self.cash + self.units * PRICE}", "buying_power": "4000000",
            })  # fmt: skip
        if path == "/v2/assets/" + SYMBOL:
            return _json({"symbol": SYMBOL, "class": "us_equity", "tradable": True})
        if path == "/v2/positions":
            held = {"symbol": SYMBOL, "qty": f"{self.units}", "avg_entry_price": "100"}
            return _json([held] if self.units else [])
        return _json({"message": "not found"}, 404)

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                WebSocketRoute("/stream", self.serve_trades),
                WebSocketRoute("/v2/iex", self.serve_data),
                Route("/{path:path}", self.answer, methods=["GET", "POST", "PATCH", "DELETE"]),
            ]
        )


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def listener() -> socket.socket:
    """Return a listening socket of this machine, on a free port."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)
    return bound


def server(stub: Stub) -> uvicorn.Server:
    """Return a server of a stub; its `should_exit` ends it."""
    config = uvicorn.Config(
        stub.app(), log_level="critical", access_log=False, ws_per_message_deflate=False,
        ws_ping_interval=None, timeout_graceful_shutdown=1,
    )  # fmt: skip
    return uvicorn.Server(config)


def config_for(port: int, folder: Path, **changes: Any) -> NodeConfig:
    """Return the settings of a node against a stub."""
    base = f"127.0.0.1:{port}"
    return NodeConfig(
        symbols=(SYMBOL,),
        trading_url=f"http://{base}",
        data_url=f"http://{base}",
        stream_url=f"ws://{base}/stream",
        data_stream_url=f"ws://{base}/v2/iex",
        state_dir=str(folder),
        warmup=0,
        handler_timeout_s=0.0,
        on_stop="leave",
        **changes,
    )


def quotes(number: int, count: int) -> str:
    """Return a frame of quotes, with all the fields that the broker sends."""
    now = stamp()
    return json.dumps(
        [
            {
                "T": "q", "S": SYMBOL, "bx": "V", "bp": 99.99, "bs": 100 + (number + i) % 7,
                "ax": "Q", "ap": 100.01, "as": 200, "c": ["R"], "z": "B", "t": now,
            }
            for i in range(count)
        ],
        separators=(",", ":"),
    )  # fmt: skip


async def pump(stub: Stub, rate: int, per_frame: int, seconds: float) -> int:
    """Send quotes at a rate for a time, in bursts of 1 ms; return how many were sent."""
    await stub.data_ready.wait()
    assert stub.data is not None
    frames = [quotes(number, per_frame) for number in range(64)]
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        while sent < rate * elapsed:
            await stub.data.send_text(frames[sent // per_frame % 64])
            sent += per_frame
        await asyncio.sleep(0.001)
    return sent


async def serve(rate: int, per_frame: int, seconds: float) -> None:
    """Serve a stub, pump quotes, and print what there was, one line of JSON each."""
    stub, bound = Stub(), listener()
    stub.rests = True
    running = server(stub)
    task = asyncio.create_task(running.serve(sockets=[bound]))
    print(json.dumps({"port": bound.getsockname()[1]}), flush=True)
    sent = await pump(stub, rate, per_frame, seconds)
    await asyncio.sleep(3)
    counts = {"sent": sent, "orders": len(stub.orders), "cancels": len(stub.canceled_at)}
    print(json.dumps({**counts, "units": f"{stub.units}"}), flush=True)
    running.should_exit = running.force_exit = True
    await task


def main() -> None:
    """Serve as long as the quotes last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--per-frame", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    asyncio.run(serve(given.rate, given.per_frame, given.seconds))


if __name__ == "__main__":
    main()

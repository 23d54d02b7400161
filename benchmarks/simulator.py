"""The simulator behind its sockets: orders and messages a second of its processor time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from websockets.asyncio.client import connect

from benchmarks.timing import FIRST_NS, Row, row

QUOTES = 3_000_000
STEP_NS = 40_000_000
ORDERS = 3_000
WORKERS = 4
CANCEL_EVERY = 50
CLIENTS = 100
SECONDS = 5.0
TICKS_S = os.sysconf("SC_CLK_TCK")


class Served:
    """A simulator process, its URLs and its processor time."""

    def __init__(self, process: subprocess.Popen[str], urls: dict[str, str]) -> None:
        self._stat = Path(f"/proc/{process.pid}/stat")
        self.urls = urls
        self.headers = {"APCA-API-KEY-ID": urls["key"], "APCA-API-SECRET-KEY": urls["secret"]}

    def cpu_s(self) -> float:
        """Return the processor time used so far, s."""
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_S


@contextmanager
def served(speed: str) -> Iterator[Served]:
    """Serve made-up quotes of one symbol until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quotes.parquet"
        table().to_parquet(path)
        limits = ["--requests", "0", "--connections", "0"]
        command = [sys.executable, "-P", "-m", "pyrt.cli", "simulator", "--data", str(path)]
        process = subprocess.Popen(
            [*command, "--speed", speed, *limits, "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            yield Served(process, json.loads(process.stdout.readline()))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def table() -> pd.DataFrame:
    """Return quotes of one symbol, 40 ms apart, on a walk."""
    draws = np.random.default_rng(1)
    bid = np.round(100 + np.cumsum(draws.integers(-1, 2, QUOTES)) / 1000, 2)
    return pd.DataFrame({
        "ts_event": FIRST_NS + np.arange(QUOTES) * STEP_NS,
        "symbol": "SPY",
        "bid_price": bid,
        "bid_size": 500.0,
        "ask_price": bid + 0.01,
        "ask_size": 500.0,
    })  # fmt: skip


# -- orders ----------------------------------------------------------------------------------------


async def ask(streams: Any, server: Served, method: str, body: dict[str, Any] | None) -> int:
    """Send one request on an open connection and return the status of its answer."""
    reader, writer = streams
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} /v2/orders HTTP/1.1", "host: localhost", f"content-length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in server.headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + data)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head[9:12])


async def place_orders(server: Served) -> float:
    """Return the orders that the server takes in a second of its processor time."""
    host, port = server.urls["rest_url"].removeprefix("http://").split(":")
    numbers = iter(range(ORDERS))

    async def work() -> None:
        streams = await asyncio.open_connection(host, int(port))
        order = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit"}
        for number in numbers:
            terms = {"limit_price": str(60 + number % 20), "time_in_force": "day"}
            status = await ask(streams, server, "POST", {**order, **terms})
            assert status == 200, status
            if number % CANCEL_EVERY == 0:
                await ask(streams, server, "DELETE", None)

    before = server.cpu_s()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return ORDERS / (server.cpu_s() - before)


# -- messages --------------------------------------------------------------------------------------


async def hear(server: Served, clients: int) -> float:
    """Return the messages that all clients get in a second of the server's processor time."""
    heard = [0] * clients
    ready = asyncio.Semaphore(0)

    async def listen(number: int) -> None:
        async with connect(server.urls["stock_stream_url"], compression=None) as socket:
            await socket.recv()
            keys = {"key": server.urls["key"], "secret": server.urls["secret"]}
            for message in ({"action": "auth", **keys}, {"action": "subscribe", "quotes": ["*"]}):
                await socket.send(json.dumps(message))
                await socket.recv()
            ready.release()
            while True:
                heard[number] += (await socket.recv(decode=False)).count(b'"T":"q"')

    tasks = [asyncio.create_task(listen(number)) for number in range(clients)]
    for _ in tasks:
        await ready.acquire()
    before, began = server.cpu_s(), sum(heard)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        await asyncio.sleep(0.1)
        for task in tasks:
            assert not task.done(), task.exception()
    rate = (sum(heard) - began) / (server.cpu_s() - before)
    for task in tasks:
        task.cancel()
    return rate


def measure() -> list[Row]:
    """Measure the simulator; the whole takes half a minute."""
    found = []
    with served("1x") as server:
        found.append(row("simulator_orders", asyncio.run(place_orders(server)), "orders/s"))
    with served("4000x") as server:
        rate = asyncio.run(hear(server, 1))
        found.append(row("simulator_messages", rate, "messages/s"))
    with served("60x") as server:
        rate = asyncio.run(hear(server, CLIENTS))
        found.append(row("simulator_100_clients", rate, "messages/s"))
    return found

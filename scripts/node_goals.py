"""Measure a live node against its goals, over loopback sockets and on this disk; print a table.

    make goals
    make goals ARGS="--minutes 10 --goals G14"

The figures are of this machine and of what else runs on it. The node has one core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from pyrt import LiveNode, Strategy
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.live.driver.run import RUNNING
from scripts import comeback_figures, journal_figures, market_hours
from scripts.goal_rows import Row, row, table
from scripts.node_load import load
from scripts.stub_broker import KEY, SECRET, SYMBOL, Stub, config_for, listener, server

MS = 1_000_000
ORDERS = 50
GOALS = "G7,G8,G9,G10,G11,G13,G14,memory"
HOURS, SYMBOLS, MANY = 24, 4, 100
"""Of the market, and of a node: for its growth, and for its size."""


# -- a node and its broker in one process ----------------------------------------------------------


class Hands(Strategy):
    """Does nothing by itself; `act` is called in the node's thread."""

    def on_start(self) -> None:
        self.subscribe_quotes(SYMBOL)
        self.quotes = 0

    def on_quote(self, quote: Any) -> None:
        self.quotes += 1


QUOTE = {
    "T": "q", "S": SYMBOL, "t": "2024-01-02T15:00:00Z", "bp": 99.99, "bs": 1, "ap": 100.01,
    "as": 1, "bx": "V", "ax": "V", "c": ["R"], "z": "B",
}  # fmt: skip


class Bench:
    """A node in the running loop, against a stub in a thread of its own."""

    def __init__(self, folder: Path, delay_s: float = 0.05, **changes: Any) -> None:
        self.stub = Stub()
        self.stub.delay_s = delay_s
        bound = listener()
        self.port = bound.getsockname()[1]
        self._server = server(self.stub)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [bound]}, daemon=True
        )
        self.node = LiveNode(config_for(self.port, folder, **changes), Credentials(KEY, SECRET))
        self.node.add_strategy(Hands())
        self._task: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Bench:
        self._thread.start()
        self._task = asyncio.create_task(self.node.run_async())
        await self.until(lambda: self.is_trading)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stub.delay_s = 0.0
        self.node.stop()
        assert self._task is not None
        await self._task
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=5)

    @property
    def is_trading(self) -> bool:
        """Whether orders may leave."""
        driver = self.node.driver
        return (
            driver is not None
            and driver.phase == RUNNING
            and driver.client.trade_updates.is_active
            and not driver.orders_wait_for
        )

    @property
    def strategy(self) -> Any:
        """The strategy."""
        assert self.node.core is not None
        return self.node.core.kernel.strategies[0]

    def act(self, what: Callable[[Any], Any]) -> Any:
        """Let the strategy do something, as a handler would."""
        assert self.node.core is not None
        done = what(self.strategy)
        self.node.core.inputs.settle()
        self.node.wake()
        return done

    async def until(self, condition: Callable[[], bool], seconds: float = 90.0) -> float:
        """Wait for a condition; return how long it took, ms."""
        began = time.perf_counter()
        while not condition():
            if time.perf_counter() - began > seconds:
                raise TimeoutError("it did not happen")
            await asyncio.sleep(0.001)
        return (time.perf_counter() - began) * 1e3


# -- goals -----------------------------------------------------------------------------------------


def restart(records: int) -> Row:
    """G7: a journal of so many records opened again."""
    elapsed, used, size = journal_figures.restart_s(records)
    text = f"{elapsed:.2f} s ({used:.2f} s of processor, {size / 1e6:.1f} MB)"
    return Row("G7", f"restart at {records:,} records", "≤ 1 s", text, elapsed <= 1)


def comeback(inputs: int) -> Row:
    """G7: a run of so many inputs, killed, played again and gone on with."""
    elapsed, used, played = comeback_figures.restart_s(inputs)
    text = f"{elapsed:.2f} s ({used:.2f} s of processor)"
    return Row("G7", f"{played:,} inputs played again", "≤ 1 s", text, elapsed <= 1)


def durable() -> Row:
    """G13: an intent on the disk, as long as the disk takes."""
    median, late = journal_figures.commit_ms()
    text = f"p50 {median:.2f} ms, p99 {late:.2f} ms"
    return Row("G13", "intent on the disk before it is sent", "≤ 10 ms p99", text, late <= 10)


async def stream_loss(folder: Path, times: int) -> list[Row]:
    """G8: a closed line, and one that is dead without a word."""
    detected, back = [], []
    async with Bench(folder) as bench:
        core = bench.node.driver.client.trade_updates
        for _ in range(times):
            began = time.perf_counter()
            stream, bench.stub.trades = bench.stub.trades, None
            loop = bench._server.servers[0].get_loop()
            asyncio.run_coroutine_threadsafe(stream.close(), loop)
            detected.append(await bench.until(lambda: not core.is_active))
            await bench.until(lambda: bench.is_trading)
            back.append((time.perf_counter() - began) * 1e3)
        flows = [await _data_again(bench) for _ in range(times)]
        half_open = await _half_open(bench)
    return [
        row("G8", "data flows again after a closed stream", 5_000, flows),
        row("G8", "a closed stream is noticed", 1_000, detected, 1.0),
        row("G8", "reconciled and trading again after it", 10_000, back),
        row("G8", "a half-open stream is noticed", 15_000, [half_open], 1.0),
    ]


async def _data_again(bench: Bench) -> float:
    """Close the stream of market data in order; return when a quote has come again, ms."""
    await bench.until(lambda: bench.stub.data is not None)
    loop, seen = bench._server.servers[0].get_loop(), bench.strategy.quotes
    stream, bench.stub.data = bench.stub.data, None
    began = time.perf_counter()
    asyncio.run_coroutine_threadsafe(stream.close(), loop)
    while bench.strategy.quotes == seen:
        if bench.stub.data is not None and bench.node.driver.client.market_data.is_active:
            told = bench.stub.data.send_bytes(msgspec.json.encode([QUOTE]))
            asyncio.run_coroutine_threadsafe(told, loop)
        await asyncio.sleep(0.01)
        if time.perf_counter() - began > 60:
            raise TimeoutError("no data")
    return (time.perf_counter() - began) * 1e3


async def _half_open(bench: Bench) -> float:
    """Let the broker say nothing more on a line that stays open; return when it is noticed."""
    core = bench.node.driver.client.trade_updates
    loop = bench._server.servers[0].get_loop()

    def freeze() -> None:
        for protocol in list(bench._server.server_state.connections):
            if "websocket" in type(protocol).__name__.lower():
                protocol.transport.pause_reading()

    loop.call_soon_threadsafe(freeze)
    return await bench.until(lambda: not core.is_active)


async def missing_fill(folder: Path, times: int) -> Row:
    """G9: a fill of which the stream never tells."""
    found = []
    async with Bench(folder, delay_s=0.0) as bench:
        for number in range(times):
            # The answer to the order tells nothing of the fill either: it came before it.
            bench.stub.rests = True
            price = 99 + number % 2
            order = bench.act(lambda s, p=price: s.buy(SYMBOL, 1, limit_price=p))
            await bench.until(lambda o=order: o.status == "ACCEPTED")
            bench.stub.lose_updates = 1
            began = time.perf_counter()
            loop = bench._server.servers[0].get_loop()
            known = bench.stub.by_client[order.client_order_id]
            asyncio.run_coroutine_threadsafe(bench.stub.fill(known), loop).result()
            await bench.until(lambda o=order: o.status == "FILLED")
            found.append((time.perf_counter() - began) * 1e3)
    return row("G9", "a fill missing on the stream, position right", 10_000, found)


async def unknown_outcome(folder: Path, times: int) -> Row:
    """G10: an order that was taken and answered with a time-out."""
    found = []
    async with Bench(folder) as bench:
        for number in range(times):
            bench.stub.lose_answers, bench.stub.lose_updates = 1, 2
            began = time.perf_counter()
            act = (lambda s: s.buy(SYMBOL, 1)) if number % 2 == 0 else (lambda s: s.close(SYMBOL))
            order = bench.act(act)
            await bench.until(lambda o=order: o.status == "FILLED")
            found.append((time.perf_counter() - began) * 1e3)
        placed = len(bench.stub.orders)
    assert placed == times, "an order was sent twice"
    return row("G10", "an unknown outcome resolved by read-back", 10_000, found)


async def kill(folder: Path, orders: int) -> list[Row]:
    """G11: the kill switch with orders working and orders on their way."""
    async with Bench(folder, delay_s=0.0) as bench:
        bench.stub.rests = True
        for number in range(orders):
            price = round(50 + number * 0.01, 2)
            bench.act(lambda s, p=price: s.buy(SYMBOL, 1, limit_price=p))
        await bench.until(lambda: len(bench.stub.orders) == orders)
        cache = bench.node.core.kernel.cache
        await bench.until(lambda: all(o.status == "ACCEPTED" for o in cache.orders_open()))
        bench.act(lambda s: s.buy(SYMBOL, 1, limit_price=40))
        began = time.monotonic_ns()
        bench.node.driver.latch.set("measured")
        bench.node.driver.operate("halt", "goals", "measured")
        bench.node.wake()
        await bench.until(lambda: len(bench.stub.canceled_at) >= orders)
        last = max(bench.stub.posted_at)
        canceled = (max(bench.stub.canceled_at) - began) / MS
        open_left = sum(order["status"] == "new" for order in bench.stub.orders.values())
    late = max(0.0, (last - began) / MS)
    return [
        row("G11", "last submit at the broker after the kill", 10, [late], 1.0),
        row("G11", f"cancels of {orders} orders at the broker", 250, [canceled], 1.0),
        Row("G11", "orders left working", "0", str(open_left), open_left == 0),
    ]


# -- all -------------------------------------------------------------------------------------------


def memory() -> list[Row]:
    """Memory over hours of the market, and of a node with many symbols."""
    found = market_hours.measure(SYMBOLS, HOURS)
    grown, fills = market_hours.growth(found["sizes"]), found["fills"]
    text = f"{grown:+.1f} MB at {found['sizes'][-1]:.0f} MB, {fills:,} fills"
    many = market_hours.measure(MANY, market_hours.WARM_HOURS)
    size = max(many["sizes"])
    return [
        Row("", f"memory over {HOURS} simulated market hours", "< 5 MB more", text, grown < 5),
        Row("", f"{MANY} symbols, resident", "≤ 400 MB", f"{size:.0f} MB", size <= 400),
    ]


async def measure(given: argparse.Namespace) -> list[Row]:
    """Measure the goals that were named."""
    rows: list[Row] = []
    wanted = given.goals.split(",")
    with tempfile.TemporaryDirectory(dir=".") as name:
        base = Path(name)
        if "G7" in wanted:
            rows.append(restart(given.records))
            rows.append(comeback(given.records))
        if "G8" in wanted:
            rows += await stream_loss(base / "g8", given.times)
        if "G9" in wanted:
            rows.append(await missing_fill(base / "g9", given.times))
        if "G10" in wanted:
            rows.append(await unknown_outcome(base / "g10", given.times))
        if "G11" in wanted:
            rows += await kill(base / "g11", ORDERS)
        if "G13" in wanted:
            rows.append(durable())
        if "G14" in wanted:
            rows += await load(base / "g14", given.rate, given.minutes)
        if "memory" in wanted:
            rows += memory()
    return rows


def main() -> int:
    """Print the table; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--goals", default=GOALS, help="those to measure")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20, help="repetitions of G8 to G10")
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--minutes", type=float, default=1.0)
    rows = asyncio.run(measure(parser.parse_args()))
    print(table(rows))
    return 0 if all(each.is_met for each in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

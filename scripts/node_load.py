"""Measure a node under load: quotes at a rate, orders among them, on one core."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pyrt import LiveNode, Strategy
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.shell.lines import Line
from pyrt.errors import ConfigError
from pyrt.live.process.memory import resident_bytes
from scripts import probe_figures
from scripts.goal_rows import Row, row
from scripts.stub_broker import KEY, SECRET, SYMBOL, config_for

MS = 1_000_000
PAIRS = 40
"""Of rounds with stage probes and without."""


class Loaded(Strategy):
    """Takes every quote; rests an order and cancels it, buys and sells, all the time."""

    every: int = 25_000

    def on_start(self) -> None:
        self.subscribe_quotes(SYMBOL)
        self.count = 0
        self.resting: Any = None

    def on_quote(self, quote: Any) -> None:
        self.count += 1
        step = self.count % (4 * self.every)
        if step == self.every:
            self.resting = self.buy(SYMBOL, 1, limit_price=50)
        elif step == 2 * self.every and self.resting is not None and self.resting.is_open:
            self.cancel(self.resting)
        elif step == 3 * self.every and self.position(SYMBOL).is_flat:
            self.buy(SYMBOL, 1)
        elif step == 0 and self.position(SYMBOL).is_long:
            self.close(SYMBOL)


class Stopwatch:
    """Notes the times of a node's orders on their way: frame, intent, disk, bytes."""

    def __init__(self, node: LiveNode) -> None:
        self.intent: list[float] = []
        self.bytes_after_disk: list[float] = []
        self.cancel: list[float] = []
        self.sync: list[float] = []
        self._came = 0
        self._waiting: list[tuple[int, int]] = []
        """(sequence, when it was on the disk or 0) of orders whose bytes have not left."""
        self._durable: dict[int, int] = {}
        self._canceled: list[int] = []
        receive = node._turns.receive

        def timed(take: Any, rank: int) -> None:
            came = time.monotonic_ns()

            def take_it(now: int) -> Any:
                self._came = came
                return take(now)

            receive(take_it, rank)

        # A stopwatch between the shell and the core; no node has one of its own.
        node._turns.receive = timed  # type: ignore[method-assign]

    def attach(self, driver: Any) -> None:
        """Listen to a driver's scribe and journal."""
        scribe, journal = driver.scribe, driver.journal
        submit, withdraw, commit = scribe.submit, scribe.withdraw, journal.commit

        def on_submit(order: Any) -> None:
            submit(order)
            self.intent.append((time.monotonic_ns() - self._came) / MS)
            self._waiting.append((scribe.sequence_of(order.number), 0))

        def on_withdraw(order: Any) -> None:
            self._canceled.append(time.monotonic_ns())
            withdraw(order)

        def on_commit() -> Any:
            began = time.monotonic_ns()
            done = commit()
            ended = time.monotonic_ns()
            self.sync.append((ended - began) / MS)
            for sequence, _ in list(self._waiting):
                if sequence <= journal.durable:
                    self._durable.setdefault(sequence, ended)
            return done

        scribe.submit, scribe.withdraw, journal.commit = on_submit, on_withdraw, on_commit

    def wrote(self, data: bytes) -> None:
        """Note bytes that go to a socket."""
        now = time.monotonic_ns()
        if data.startswith(b"POST /v2/orders") and self._waiting:
            sequence, _ = self._waiting.pop(0)
            # Not noted yet: the bytes left before the commit had even returned.
            on_disk = self._durable.pop(sequence, now)
            self.bytes_after_disk.append(max(0, now - on_disk) / MS)
        elif data.startswith(b"DELETE") and self._canceled:
            self.cancel.append((now - self._canceled.pop(0)) / MS)


@contextmanager
def watched_sockets(watch: Stopwatch) -> Iterator[None]:
    """Let a stopwatch see what goes to HTTP sockets."""
    put = Line.put

    def wrote(self: Line, data: bytes) -> None:
        watch.wrote(data[:24])
        put(self, data)

    # A line has no hook where bytes leave; put back below.
    Line.put = wrote  # type: ignore[method-assign]
    try:
        yield
    finally:
        Line.put = put  # type: ignore[method-assign]


async def load(folder: Path, rate: int, minutes: float) -> list[Row]:
    """G14: quotes at a rate, orders among them."""
    seconds = minutes * 60
    command = [sys.executable, "-m", "scripts.stub_broker", "--rate", str(rate)]
    stub = subprocess.Popen(
        [*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert stub.stdout is not None
    port = json.loads(stub.stdout.readline())["port"]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    node = LiveNode(config_for(port, folder), Credentials(KEY, SECRET))
    watch = Stopwatch(node)
    strategy = Loaded()
    node.add_strategy(strategy)
    with watched_sockets(watch):
        task = asyncio.create_task(node.run_async())
        while node.driver is None:
            await asyncio.sleep(0.001)
        watch.attach(node.driver)
        memory, used, began = [], time.process_time(), time.monotonic()
        while stub.poll() is None and not task.done():
            await asyncio.sleep(1.0)
            memory.append(resident_bytes() / 1e6)
            if time.monotonic() - began > seconds + 30:
                break
        used = time.process_time() - used
        counts = json.loads(stub.stdout.readline())
        node.stop()
        with suppress(ConfigError):
            # The stub has gone by now: nobody states the account at the end.
            await task
    os.sched_setaffinity(0, cores)
    lost = counts["sent"] - strategy.count
    share, bare = probe_figures.overhead(PAIRS)
    probes, message = share * bare, used / max(strategy.count, 1) * 1e9
    # Rows of market data wait for their file, up to 12 MB of them: the floor is what may not rise.
    later = memory[len(memory) // 3 : -2] or memory
    middle, last = later[: len(later) // 2] or later, later[len(later) // 2 :]
    grown = min(last) - min(middle)
    taken = f"{strategy.count:,} of {counts['sent']:,}, {used / seconds:.0%} of a core"
    placed = f"{len(watch.intent)} of {counts['orders']}"
    size = f"{grown:+.1f} MB at {later[-1]:.0f} MB"
    timed = f"{probes:.0f} ns of {message:,.0f} ns, {probes / message:.2%}"
    once = len(watch.intent) == counts["orders"]
    return [
        Row("G14", f"{rate:,} messages/s for {minutes:g} min", "0 lost", taken, lost == 0),
        Row("G14", "orders mixed in, each once", "all", placed, once),
        Row("G14", "memory's floor, last third to the one before", "flat", size, grown < 5),
        row("G14", "frame to intent handed over", 1, watch.intent),
        row("G14", "durable to the order's bytes", 1, watch.bytes_after_disk),
        row("G14", "this disk's write and sync (beside it)", 10, watch.sync),
        Row(
            "G14",
            "stage probes, of a message's processor time",
            "≤ 1 %",
            timed,
            probes <= message / 100,
        ),
        row("G15", "cancel to its bytes inside that load", 5, watch.cancel),
    ]

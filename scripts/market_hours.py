"""Measure the memory of a node over market hours that a simulator lets pass in lockstep.

    python -m scripts.market_hours --symbols 4 --hours 24

The node is a process of its own, with journal, recorded market data and dashboard; it trades every
symbol twice an hour. It notes its resident memory at each hour of the market.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from pyrt import LiveNode, NodeConfig, Strategy
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node import recorder
from pyrt.adapters.alpaca.node.eyes import Eyes
from pyrt.indicators import EMA, SMA
from pyrt.live.process.memory import resident_bytes

OPENINGS = tuple(f"2024-01-{day:02}T14:30" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12))
"""Of sessions of 390 minutes: stocks trade in nothing else."""
SESSION = 390
MINUTE = 60_000_000_000
HOUR = 60
WARM_HOURS = 4
"""Until then windows, pools and tables fill that have a bound."""
PIECE_S = 1.0
PATIENCE_S = 600


class Rounds(Strategy):
    """Two averages a symbol, and a round trip in it twice an hour."""

    symbols: str = ""

    def on_start(self) -> None:
        self.count: dict[str, int] = {}
        self.minutes = 0
        self.sizes: list[float] = []
        self.fills = 0
        for symbol in self.symbols.split():
            bars = self.subscribe_bars(symbol, "1m")
            self.attach(SMA(20), bars)
            self.attach(EMA(50), bars)

    def on_bar(self, bar: Any) -> None:
        count = self.count[bar.symbol] = self.count.get(bar.symbol, 0) + 1
        if count % 30 == 10:
            self.buy(bar.symbol, 1)
        elif count % 30 == 20:
            self.close(bar.symbol)
        if count > self.minutes:
            self.minutes = count
            if count % HOUR == 0:
                gc.collect()
                self.sizes.append(resident_bytes() / 1e6)

    def on_fill(self, fill: Any) -> None:
        self.fills += 1


def names(count: int) -> list[str]:
    """Return made-up symbols."""
    return [f"S{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(count)]


def write_bars(folder: Path, symbols: list[str], hours: int) -> None:
    """Write minute bars of so many hours, each symbol a walk of its own."""
    random = np.random.default_rng(0)
    opened = np.array(OPENINGS, "datetime64[ns]").astype("int64")
    stamps = (opened[:, None] + MINUTE * np.arange(SESSION)).ravel()[: hours * HOUR]
    for symbol in symbols:
        close = (100 + np.cumsum(random.normal(0, 0.02, len(stamps)))).round(2)
        table = {
            "ts_event": stamps, "ts_close": stamps + MINUTE, "symbol": symbol, "open": close,
            "high": close + 0.02, "low": close - 0.02, "close": close, "volume": 1000.0,
        }  # fmt: skip
        pd.DataFrame(table).to_parquet(folder / f"{symbol}.parquet")


# -- the node's process ----------------------------------------------------------------------------


async def live(urls: dict[str, str], symbols: list[str], folder: Path) -> dict[str, Any]:
    """Run a node until the data are over; return what it noted."""
    # Here a minute of the market passes in a moment of the wall, by which pieces are written.
    recorder.WRITE_S = PIECE_S
    config = NodeConfig(
        symbols=tuple(symbols),
        clock="simulator",
        trading_url=urls["rest_url"],
        data_url=urls["data_url"],
        stream_url=urls["trading_stream_url"],
        data_stream_url=urls["stock_stream_url"],
        state_dir=str(folder),
        handler_timeout_s=0.0,
        dashboard=True,
        dashboard_port=0,
    )
    node = LiveNode(config, Credentials(urls["key"], urls["secret"]))
    strategy = Rounds(symbols=" ".join(symbols))
    node.add_strategy(strategy)
    # In lockstep a node has nothing beside it by itself.
    node.companions += [recorder.Recorder(folder), Eyes(folder)]
    await node.run_async()
    return {"sizes": strategy.sizes, "fills": strategy.fills}


# -- both ------------------------------------------------------------------------------------------


def measure(symbols: int, hours: int) -> dict[str, Any]:
    """Return the node's resident memory at each hour, MB, and how many fills it had.

    Raises
    ------
    RuntimeError
        If the node or the simulator ends early.
    """
    with tempfile.TemporaryDirectory(dir=".") as name:
        base = Path(name)
        (base / "bars").mkdir()
        write_bars(base / "bars", names(symbols), hours)
        command = [
            sys.executable, "-m", "pyrt.cli", "simulator", "--data", str(base / "bars"),
            "--speed", "lockstep", "--port", "0", "--symbols", "0", "--requests", "0", "--json",
        ]  # fmt: skip
        simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert simulator.stdout is not None
            urls = json.loads(simulator.stdout.readline())
            return _advance(urls, symbols, base / "state")
        finally:
            simulator.terminate()
            simulator.wait()


def _advance(urls: dict[str, str], symbols: int, folder: Path) -> dict[str, Any]:
    given = json.dumps({"urls": urls, "symbols": names(symbols), "folder": str(folder)})
    node = subprocess.Popen(
        [sys.executable, "-m", "scripts.market_hours", "--node", given],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdout is not None
    began = time.monotonic()
    with httpx.Client(base_url=urls["control_url"], timeout=PATIENCE_S) as control:
        while not control.post("/time").json()["clients"]:
            if node.poll() is not None or time.monotonic() - began > PATIENCE_S:
                raise RuntimeError("the node did not start")
            time.sleep(0.05)
        while not control.post("/advance", json={"instants": 10}).json()["done"]:
            if node.poll() is not None:
                raise RuntimeError("the node has ended before its data")
    out, _ = node.communicate(timeout=PATIENCE_S)
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def growth(sizes: list[float]) -> float:
    """Return by how much memory grew from the warm hours to the end, MB."""
    warm = sizes[min(WARM_HOURS, len(sizes)) - 1 :]
    return warm[-1] - warm[0]


def main() -> int:
    """Print memory hour by hour; or be the node."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--symbols", type=int, default=4)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--node", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.node:
        told = json.loads(given.node)
        print(json.dumps(asyncio.run(live(told["urls"], told["symbols"], Path(told["folder"])))))
        return 0
    found = measure(given.symbols, given.hours)
    print(" ".join(f"{size:.1f}" for size in found["sizes"]))
    print(f"{growth(found['sizes']):+.1f} MB after {WARM_HOURS} h, {found['fills']} fills")
    return 0


if __name__ == "__main__":
    sys.exit(main())

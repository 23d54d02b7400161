"""The programs themselves: `pyrt simulator` and `pyrt live` as processes, killed and started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from pyrt.errors import ConfigError
from pyrt.live.process.control import ask

PYRT = (sys.executable, "-m", "pyrt.cli")
PATIENCE_S = 60.0

STRATEGY = '''
from pyrt import Strategy


class Swing(Strategy):
    """Buys and sells all the time, and keeps a stop while it holds something."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        position = self.position("SPY")
        if position.is_flat:
            self.buy("SPY", 5)
        elif position.is_long and self.bars % 3 == 0:
            self.close("SPY")

    def on_save(self):
        return {"bars": self.bars}

    def on_load(self, state):
        self.bars = state["bars"]


class Swings(Strategy):
    """The same in eight symbols: one whose order is in doubt does not stop the others."""

    def on_start(self):
        for symbol in ("SPY", "QQQ", "IWM", "DIA", "XLF", "XLE", "XLK", "GLD"):
            self.subscribe_bars(symbol, "1m")

    def on_bar(self, bar):
        position = self.position(bar.symbol)
        if position.is_flat:
            self.buy(bar.symbol, 5)
        elif position.is_long:
            self.close(bar.symbol)


class Stuck(Strategy):
    """Never comes back from its third bar."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        while self.bars >= 3:
            pass
'''


SYMBOLS = ("SPY", "QQQ", "IWM", "DIA", "XLF", "XLE", "XLK", "GLD")
"""What `Swings` trades."""


def write_bars(path: Path, symbols: Sequence[str]) -> None:
    """Write a day of one-minute bars."""
    frames = [bars_of(symbol, seed=5 + at) for at, symbol in enumerate(symbols)]
    pd.concat(frames).sort_values("ts_event", kind="stable").to_parquet(path)


def bars_of(symbol: str, count: int = 600, seed: int = 5) -> pd.DataFrame:
    """Return a day of a random walk."""
    steps = np.random.default_rng(seed).normal(0, 0.1, count)
    close = (100 + np.cumsum(steps)).round(2)
    opens = np.concatenate((close[:1], close[:-1]))
    return pd.DataFrame(
        {
            "ts_event": pd.date_range("2013-10-07 13:30", periods=count, freq="1min", tz="UTC"),
            "symbol": symbol,
            "open": opens,
            "high": np.maximum(opens, close) + 0.02,
            "low": np.minimum(opens, close) - 0.02,
            "close": close,
            "volume": 10_000.0,
        }
    )


class Exchange:
    """A `pyrt simulator` process."""

    def __init__(
        self, folder: Path, *, speed: str = "300x", symbols: Sequence[str] = ("SPY",)
    ) -> None:
        bars = folder / "bars.parquet"
        write_bars(bars, symbols)
        command = [
            *PYRT, "simulator", "--data", str(bars), "--label", "open", "--speed", speed,
            "--port", "0", "--requests", "0", "--connections", "0", "--json",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.urls = json.loads(self._process.stdout.readline())
        self.port = httpx.URL(self.urls["rest_url"]).port
        headers = {"APCA-API-KEY-ID": self.urls["key"], "APCA-API-SECRET-KEY": self.urls["secret"]}
        self._http = httpx.Client(base_url=self.urls["rest_url"], headers=headers, timeout=20)

    def get(self, path: str, **query: Any) -> Any:
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def orders(self) -> list[dict[str, Any]]:
        """Return all orders, oldest first, page by page."""
        found: dict[str, dict[str, Any]] = {}
        after = "2000-01-01T00:00:00Z"
        while True:
            query = {"status": "all", "limit": 500, "direction": "asc", "after": after}
            page = [o for o in self.get("/v2/orders", **query) if o["id"] not in found]
            if not page:
                return list(found.values())
            found.update({order["id"]: order for order in page})
            after = page[-1]["submitted_at"]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._http.post(path, json=body).json()

    def close(self) -> None:
        self._http.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()


class Program:
    """A `pyrt live` process with a state folder; `port` where a proxy stands between."""

    def __init__(
        self,
        folder: Path,
        exchange: Exchange,
        cls: str = "Swing",
        *,
        port: int | None = None,
        **more: Any,
    ) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.environment = {
            **os.environ,
            "APCA_API_KEY_ID": exchange.urls["key"],
            "APCA_API_SECRET_KEY": exchange.urls["secret"],
        }
        (folder / "strategies.py").write_text(STRATEGY)
        given = {
            "trading_url": "rest_url",
            "data_url": "data_url",
            "stream_url": "trading_stream_url",
            "data_stream_url": "stock_stream_url",
        }
        ports = f":{exchange.port}", f":{port or exchange.port}"
        settings = {
            "symbols": ["SPY"],
            **{name: exchange.urls[there].replace(*ports) for name, there in given.items()},
            "state_dir": str(self.state),
            "warmup": 0,
            **more,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        (folder / "node.toml").write_text("\n".join(lines) + "\n")
        self.arguments = [
            "live", f"{folder / 'strategies.py'}:{cls}", "--config", str(folder / "node.toml"),
            "--json",
        ]  # fmt: skip
        self.process: subprocess.Popen[str] | None = None

    def start(self, wait_s: float = PATIENCE_S) -> None:
        """Start, and wait until the node answers."""
        with (
            (self.folder / "err.txt").open("a") as errors,
            (self.folder / "out.txt").open("a") as output,
        ):
            self.process = subprocess.Popen(
                [*PYRT, *self.arguments],
                stdout=output,
                stderr=errors,
                text=True,
                env=self.environment,
            )
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            assert self.process.poll() is None, (self.folder / "err.txt").read_text()
            if self.is_running():
                return
            time.sleep(0.05)
        raise AssertionError("the node does not run: " + (self.folder / "err.txt").read_text())

    def is_running(self) -> bool:
        """Return whether a node of this folder answers, and trades."""
        try:
            return bool(ask(self.state, "status")["phase"] == "running")
        except ConfigError:
            return False

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)

    def run_more(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `pyrt` command in the node's surroundings."""
        return subprocess.run(
            [*PYRT, *arguments], capture_output=True, text=True, env=self.environment, timeout=60
        )

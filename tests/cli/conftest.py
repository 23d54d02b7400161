"""A directory with strategy files and bars, and the command run in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrt.cli import main

CROSS = '''\
from __future__ import annotations

from typing import Optional

from pyrt import Strategy


class Flip(Strategy):
    """Buys on every `every`-th bar while flat, and leaves one bar later."""

    symbol: str = "SPY"
    every: int = 10
    size: float = 5
    shares: tuple[float, ...] = ()
    loud: bool = False
    note: Optional[str] = None

    def on_start(self):
        self.subscribe_bars(self.symbol, "1d")
        self.count = 0
        if self.loud:
            print("loud", self.shares, self.note)

    def on_bar(self, bar):
        self.count += 1
        if self.position(self.symbol).is_flat and self.count % self.every == 0:
            self.buy(self.symbol, self.size)
        elif self.position(self.symbol).is_long:
            self.close(self.symbol)
'''
FAULTY = """\
from pyrt import Strategy


class Faulty(Strategy):
    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1d")

    def on_bar(self, bar):
        self.divide(0)

    def divide(self, by):
        return 1 / by
"""
PAIR = """\
from pyrt import Strategy


class First(Strategy):
    size: float = 1

    def on_start(self):
        self.subscribe_bars("SPY", "1d")

    def on_bar(self, bar):
        if self.position("SPY").is_flat:
            self.buy("SPY", self.size)


class Second(First):
    speed: int = 2
"""


def daily_bars(n: int = 60) -> pd.DataFrame:
    """Bars of n days that climb by 1 a day: open 100 + i, close half a point above."""
    opens = 100.0 + np.arange(n)
    index = pd.date_range("2024-01-01", periods=n, freq="D", tz="UTC", name="date")
    return pd.DataFrame(
        {
            "open": opens,
            "high": opens + 0.75,
            "low": opens - 0.25,
            "close": opens + 0.5,
            "volume": 1_000.0,
        },
        index=index,
    )


@dataclass(frozen=True)
class Shown:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Shell = Callable[..., Shown]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("flip.py", CROSS), ("faulty.py", FAULTY), ("pair.py", PAIR)):
        (tmp_path / name).write_text(text)
    daily_bars().to_csv(tmp_path / "spy.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(name="pyrt")
def _pyrt(folder: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    def call(*args: str) -> Shown:
        code = main(list(args))
        captured = capsys.readouterr()
        return Shown(code, captured.out, captured.err)

    return call

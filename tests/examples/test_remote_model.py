"""The model in another process: its signals, and what the strategy beside the node does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrt import Signal, Strategy, backtest
from pyrt.core.data import Bar

pytest.importorskip("zmq")

from pyrt.links import Publisher, SignalInlet

from .loading import example

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "remote_model.py"
MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000


def closes(n: int = 120) -> np.ndarray:
    return np.round(100 + np.cumsum(np.random.default_rng(3).normal(0, 0.2, n)), 2)


def expected_sides(values: np.ndarray) -> list[str]:
    """The model's signals by pandas: changes of "above the mean of the 20 before"."""
    mean = pd.Series(values).rolling(20).mean().shift()
    side = np.where((values > mean) & mean.notna(), "buy", "flat")
    before = np.concatenate((["flat"], side[:-1]))
    return list(side[side != before])


def test_a_model_in_another_process_takes_part(tmp_path: Path) -> None:
    feed, signals = f"ipc://{tmp_path}/feed", f"ipc://{tmp_path}/signals"
    values = closes()
    with Publisher(feed) as publisher, SignalInlet(signals, age_max_s=1e10) as inlet:
        command = [sys.executable, str(EXAMPLE), "--feed", feed, "--signals", signals]
        with subprocess.Popen(
            [*command, "--bars", str(len(values))], stdout=-1, text=True
        ) as model:
            _wait_for_reader(publisher)
            for i, close in enumerate(values):
                ts = START + i * MINUTE
                bar = Bar("SPY", "1m", close, close, close, close, 1.0, ts, ts + MINUTE)
                publisher.publish("data.bars.SPY.1m", {"type": "Bar", **bar.to_dict()})
            said, _ = model.communicate(timeout=60)
        got: list[Signal] = []
        while batch := inlet.poll():
            got += batch
    assert [signal.side for signal in got] == expected_sides(values)
    assert said.startswith(f"{len(got)} signals")
    assert inlet.missed == 0


def _wait_for_reader(publisher: Publisher) -> None:
    """Wait until the model has subscribed; the socket says so with one frame."""
    assert publisher._socket.poll(30_000), "the model never subscribed"


def test_the_trader_holds_what_signals_ask_for() -> None:
    module = example("remote_model")

    class Oracle(Strategy):
        def on_start(self) -> None:
            self.subscribe_bars("SPY", "1m")
            self.seen = 0

        def on_bar(self, bar: Bar) -> None:
            self.seen += 1
            wishes = {2: ("buy", 10.0, 1.0), 4: ("sell", 5.0, 0.9), 6: ("buy", 99.0, 0.1),
                      8: ("flat", 0.0, 1.0)}  # fmt: skip
            if self.seen in wishes:
                side, quantity, confidence = wishes[self.seen]
                self.publish("signal.SPY", Signal("SPY", side, quantity, confidence, bar.ts_event))

    values = closes(12)
    frame = pd.DataFrame(
        dict.fromkeys(("open", "high", "low", "close"), values),
        index=pd.date_range("2024-01-01", periods=12, freq="min", tz="UTC"),
    ).assign(volume=1.0)
    result = backtest(
        [Oracle(), module.SignalTrader()], frame, symbol="SPY", label="open", timeframe="1m"
    )
    signed = result.fills["quantity"] * result.fills["side"].map({"buy": 1, "sell": -1})
    assert list(signed) == [10.0, -15.0, 5.0]
    assert list(result.fills["price"]) == [values[2], values[4], values[8]]

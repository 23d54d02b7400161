"""Harder strategies in both worlds, and planted faults that the comparison has to find."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from msgspec.structs import replace

from pyrt import Strategy, backtest
from pyrt.adapters.alpaca import client as client_module
from pyrt.adapters.alpaca.events import BarEvent
from pyrt.core import records
from pyrt.indicators import SMA
from tests.live.lockstep import Lockstep
from tests.live.test_walking_skeleton import MINUTE, bars


class SmaCross(Strategy):
    symbol: str = "SPY"

    def on_start(self):
        stream = self.subscribe_bars(self.symbol, "1m")
        self.fast_ma = self.attach(SMA(3), stream)
        self.slow_ma = self.attach(SMA(8), stream)

    def on_bar(self, bar):
        if not self.slow_ma.ready:
            return
        position = self.position(self.symbol)
        if self.fast_ma.value > self.slow_ma.value and position.is_flat:
            self.buy(self.symbol, 100)
        elif self.fast_ma.value < self.slow_ma.value and position.is_long:
            self.close(self.symbol)


class Pair(Strategy):
    """Hedges in `on_fill`, and leaves by a timer."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.subscribe_bars("QQQ", "1m")
        self.set_timer("leave", "5m")

    def on_bar(self, bar):
        if bar.symbol == "SPY" and bar.close < bar.open and self.position("SPY").is_flat:
            self.buy("SPY", 4)

    def on_fill(self, fill):
        if fill.symbol == "SPY" and fill.side.name == "BUY":
            self.sell("QQQ", 3)
        elif fill.symbol == "SPY" and self.position("QQQ").is_short:
            self.close("QQQ")

    def on_timer(self, event):
        if self.position("SPY").is_long:
            self.close("SPY")


def walk(seed: int, symbol: str, count: int = 300):
    steps = np.random.default_rng(seed).normal(0, 0.2, count)
    return bars((100 + np.cumsum(steps)).round(2).tolist(), symbol)


def fills_of(columns) -> list:
    rows = np.frombuffer(columns, records.FILL_DTYPE)
    return rows[["ts_event", "quantity", "price", "side", "instrument"]].tolist()


class Both:
    """What the two worlds made of one strategy."""

    def __init__(self, kinds: tuple[type[Strategy], ...], data: list) -> None:
        self.result = backtest([kind() for kind in kinds], data, progress=False)
        self.world = Lockstep([kind() for kind in kinds], data)
        self.world.run()

    @property
    def live_fills(self) -> list:
        return fills_of(self.world.node.kernel.records.fills.tobytes())

    @property
    def fills(self) -> list[tuple[int, Decimal, Decimal]]:
        frame = self.result.fills
        return [
            (int(ts), Decimal(str(q)), Decimal(str(p)))
            for ts, q, p in zip(
                frame["ts_event"].astype("int64"), frame["quantity"], frame["price"], strict=True
            )
        ]

    def agree(self) -> bool:
        live = [(ts, Decimal(q) / 10**9, Decimal(p) / 10**9) for ts, q, p, *_ in self.live_fills]
        equity = self.world.node.kernel.account.equity
        return self.fills == live and self.result.equity.iloc[-1] == equity


class Resting(Strategy):
    """Keeps an order far from the market resting in each symbol all the time."""

    def on_start(self):
        self.rested = set()
        for symbol in ("SPY", "QQQ"):
            self.subscribe_bars(symbol, "1m")

    def on_bar(self, bar):
        if bar.symbol not in self.rested:
            self.rested.add(bar.symbol)
            self.buy(bar.symbol, 1, limit_price=50, time_in_force="gtc")


class Ladder(SmaCross):
    """Takes profit by a limit order sent in `on_fill`, and withdraws it when the cross turns."""

    def on_fill(self, fill):
        if fill.side.name == "BUY":
            self.sell("SPY", 40, limit_price=round(float(fill.price) + 0.3, 2))
        elif self.position("SPY").is_flat:
            self.cancel_all("SPY")

    def on_bar(self, bar):
        if self.slow_ma.ready and self.fast_ma.value < self.slow_ma.value:
            self.cancel_all("SPY")
        super().on_bar(bar)


CASES = [
    pytest.param((SmaCross,), ("SPY",), id="cross"),
    pytest.param((Ladder,), ("SPY",), id="ladder"),
    pytest.param(
        (Pair, Resting),
        ("SPY", "QQQ"),
        id="pair_with_resting",
    ),
    pytest.param(
        (Pair,),
        ("SPY", "QQQ"),
        id="pair",
    ),
]


@pytest.mark.parametrize(("kinds", "symbols"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_both_worlds_trade_alike(kinds, symbols, seed):
    both = Both(kinds, [walk(seed + i, symbol) for i, symbol in enumerate(symbols)])
    assert len(both.fills) > 10
    assert both.agree()


# -- faults planted in the client; each has to show --------------------------------------------


def shifted(bar: BarEvent) -> BarEvent:
    return replace(bar, prices=tuple(p + 0.25 if i == 3 else p for i, p in enumerate(bar.prices)))


def single_precision(fill):
    return replace(fill, price=f"{np.float32(fill.price):.9f}")


def halved(fill):
    return replace(fill, quantity=str(Decimal(fill.quantity) / 2))


def late(fill):
    return replace(fill, ts_event=fill.ts_event + MINUTE)


@pytest.mark.parametrize("fault", [single_precision, halved, late])
def test_a_fault_in_fills_is_found(fault, monkeypatch):
    plain = client_module.AlpacaClient.receive_trade_update

    def planted(self, frame, now=None):
        events = plain(self, frame, now)
        return [fault(e) if e.WHAT == "fill" else e for e in events]

    monkeypatch.setattr(client_module.AlpacaClient, "receive_trade_update", planted)
    assert not Both((SmaCross,), [walk(0, "SPY")]).agree()


@pytest.mark.parametrize("fault", ["dropped", "shifted"])
def test_a_fault_in_bars_is_found(fault, monkeypatch):
    plain = client_module.AlpacaClient.receive_market_data
    count = 0

    def planted(self, frame, now=None):
        nonlocal count
        count += 1
        events = plain(self, frame, now)
        if fault == "dropped":
            return [] if count % 20 == 0 else events
        return [shifted(e) if count % 2 else e for e in events]

    monkeypatch.setattr(client_module.AlpacaClient, "receive_market_data", planted)
    assert not Both((SmaCross,), [walk(0, "SPY")]).agree()

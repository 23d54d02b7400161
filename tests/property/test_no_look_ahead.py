"""Adding or changing future data never changes a past decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.indicators import ATR, EMA, RSI, SMA
from tests.backtest.harness import START, frame
from tests.property.ledger import random_bars
from tests.recorded import recorded


class Diarist(Strategy):
    """Writes down every decision and everything it was told."""

    symbol: str = "AAA"

    def on_start(self) -> None:
        self.diary: list[tuple[Any, ...]] = []
        self.prepare()

    def prepare(self) -> None:
        raise NotImplementedError

    def note(self, *what: Any) -> None:
        self.diary.append((self.now, *map(repr, what)))  # NaN is not equal to itself

    def on_fill(self, fill: Any) -> None:
        self.note("fill", fill.quantity, fill.price, fill.ts_event)

    def on_order(self, event: Any) -> None:
        self.note(event.kind, event.client_order_id, event.reason)


class Cross(Diarist):
    """Two averages, market orders and targets."""

    def prepare(self) -> None:
        bars = self.subscribe_bars(self.symbol, "1m")
        self.fast, self.slow = self.attach(SMA(5), bars), self.attach(SMA(20), bars)

    def on_bar(self, bar: Any) -> None:
        self.note("bar", bar.close, self.fast.value, self.slow.value, self.account.equity)
        if self.slow.ready:
            self.target_percent(self.symbol, 0.9 if self.fast.value > self.slow.value else -0.4)


class Brackets(Diarist):
    """Indicators of the range, limit entries with exits."""

    def prepare(self) -> None:
        bars = self.subscribe_bars(self.symbol, "1m")
        self.range, self.strength = self.attach(ATR(14), bars), self.attach(RSI(14), bars)

    def on_bar(self, bar: Any) -> None:
        self.note("bar", bar.close, self.range.value, self.strength.value)
        if not self.range.ready or not self.position(self.symbol).is_flat:
            return
        away = round(self.range.value, 2)
        self.buy(
            self.symbol,
            10,
            limit_price=round(bar.close - away / 2, 2),
            take_profit=round(bar.close + away, 2),
            stop_loss=round(bar.close - 2 * away, 2),
        )


class Coarse(Diarist):
    """Bars aggregated from minutes, a trailing stop and a timer."""

    def prepare(self) -> None:
        self.fives = self.attach(EMA(4), self.subscribe_bars(self.symbol, "5m"))
        self.hours = self.attach(EMA(3), self.subscribe_bars(self.symbol, "1h"))
        self.set_timer("clock", "17m")

    def on_bar(self, bar: Any) -> None:
        self.note("bar", bar.timeframe, bar.open, bar.high, bar.low, bar.close, bar.volume)
        if bar.timeframe == "5m" and self.hours.ready and self.position(self.symbol).is_flat:
            side = self.buy if self.fives.value > self.hours.value else self.sell
            side(self.symbol, 5)
        elif bar.timeframe == "1h" and self.position(self.symbol).quantity > 0:
            self.sell(self.symbol, 5, trail_percent=0.5)

    def on_timer(self, event: Any) -> None:
        self.note("timer", self.fives.value, self.position(self.symbol).quantity)
        if self.position(self.symbol).quantity < 0:
            self.close(self.symbol)


STRATEGIES = [Cross, Brackets, Coarse]


def diary(kind: type[Diarist], data: Any, symbol: str = "AAA", **options: Any) -> list[Any]:
    strategy = kind(symbol=symbol)
    backtest(strategy, data, label="open", progress=False, symbol=symbol, fees="bps:1", **options)
    return strategy.diary


def assert_same_past(full: list[Any], other: list[Any], until: int, *, ends: bool) -> None:
    """Both diaries agree before `until`; a run that ends there agrees in all it says."""
    past = [entry for entry in full if entry[0] < until]
    assert len(past) > 10
    assert other[: len(past)] == past
    if ends:
        assert other == full[: len(other)]


def shaken(data: pd.DataFrame, after: int, seed: int) -> pd.DataFrame:
    """The same bars up to a row; noise of a third in all prices and volumes after it."""
    changed = data.astype(float).copy()
    rng = np.random.default_rng(seed)
    factor = rng.uniform(0.7, 1.3, len(data) - after)
    for name in ("open", "high", "low", "close"):
        changed.iloc[after:, changed.columns.get_loc(name)] *= factor
    changed.iloc[after:, changed.columns.get_loc("volume")] *= factor[::-1]
    return changed.round(2)


@pytest.mark.parametrize("cut", [137, 301, 420, 599])
@pytest.mark.parametrize("kind", STRATEGIES)
@pytest.mark.parametrize("fill", ["next_open", "same_close"])
def test_what_comes_later_changes_nothing_before(kind: type[Diarist], cut: int, fill: str) -> None:
    data = frame(random_bars(3, 700, 100.0).tolist(), start=START)
    full = diary(kind, data, fill=fill, participation=0.2)
    until = int(data.index[cut].value)
    truncated = diary(kind, data.iloc[:cut], fill=fill, participation=0.2)
    assert_same_past(full, truncated, until, ends=True)
    noisy = diary(kind, shaken(data, cut, cut), fill=fill, participation=0.2)
    assert_same_past(full, noisy, until, ends=False)
    assert noisy != full


@pytest.mark.parametrize("kind", STRATEGIES)
def test_recorded_minutes_with_sessions_change_nothing_before(kind: type[Diarist]) -> None:
    table = pd.read_parquet(recorded("eq_bars_1m.parquet"))
    table = table[(table.symbol == "SPY") & (table.ts_event > 1_690_000_000_000_000_000)]
    table = table.drop(columns=["symbol"]).reset_index(drop=True)
    full = diary(kind, table, "SPY", calendar="XNYS")
    for cut in (250, 500):
        until = int(table.ts_close[cut - 1])
        truncated = diary(kind, table.iloc[:cut], "SPY", calendar="XNYS")
        assert_same_past(full, truncated, until, ends=True)

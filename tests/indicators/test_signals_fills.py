"""A strategy written with `when` fills exactly as the same strategy written with `on_bar`."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import Strategy
from pyrt.indicators import (
    RSI,
    SMA,
    column,
    cross_above,
    cross_below,
    is_flat,
    is_long,
    is_short,
    time_of_day,
)
from tests.indicators.signal_runs import run, walk
from tests.recorded import recorded


class Cross(Strategy):
    """The moving-average cross, by hand."""

    fast: int = 5
    slow: int = 20
    size: float = 10

    def on_start(self) -> None:
        self.bars = self.subscribe_bars("X", "1m")
        self.fast_ma = self.attach(SMA(self.fast), self.bars)
        self.slow_ma = self.attach(SMA(self.slow), self.bars)

    def on_bar(self, bar: Any) -> None:
        if not self.slow_ma.ready:
            return
        if self.fast_ma.value > self.slow_ma.value and self.position("X").is_flat:
            self.buy("X", self.size)
        elif self.fast_ma.value < self.slow_ma.value and self.position("X").is_long:
            self.close("X")


class CrossWhen(Strategy):
    """The moving-average cross, declared."""

    fast: int = 5
    slow: int = 20
    size: float = 10

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        fast, slow = self.attach(SMA(self.fast), bars), self.attach(SMA(self.slow), bars)
        self.when((fast > slow) & is_flat("X"), self.enter)
        self.when((fast < slow) & is_long("X"), self.leave)

    def enter(self) -> None:
        self.buy("X", self.size)

    def leave(self) -> None:
        self.close("X")


class Edges(Strategy):
    """Long on a cross up, short on a cross down, out by the oscillator; by hand."""

    def on_start(self) -> None:
        self.bars = self.subscribe_bars("X", "1m")
        self.average = self.attach(SMA(8), self.bars)
        self.rsi = self.attach(RSI(6), self.bars)
        self.before: tuple[float, float] | None = None

    def on_bar(self, bar: Any) -> None:
        now = (bar.close, self.average.value) if self.average.ready else None
        before, self.before = self.before, now
        crossed_up = crossed_down = False
        if now and before:
            crossed_up = before[0] <= before[1] and now[0] > now[1]
            crossed_down = before[0] >= before[1] and now[0] < now[1]
        if crossed_up and not self.position("X").is_long:
            self.target_position("X", 5)
        if crossed_down and not self.position("X").is_short:
            self.target_position("X", -5)
        if self.rsi.ready and self.rsi.value > 80 and self.position("X").is_long:
            self.close("X")


class EdgesWhen(Strategy):
    """The same, declared."""

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        average, rsi = self.attach(SMA(8), bars), self.attach(RSI(6), bars)
        up, down = cross_above("close", average), cross_below("close", average)
        self.when(up & ~is_long("X"), lambda bar: self.target_position("X", 5))
        self.when(down & ~is_short("X"), lambda bar: self.target_position("X", -5))
        self.when((rsi > 80) & is_long("X"), lambda: self.close("X"))


class Guarded(Strategy):
    """Enters on a rising average within hours; leaves by stop, target, trail or time; by hand."""

    def on_start(self) -> None:
        self.bars = self.subscribe_bars("X", "1m")
        self.average = self.attach(SMA(5), self.bars)
        self.entry = self.best = 0.0
        self.held = self.side = 0

    def on_bar(self, bar: Any) -> None:
        self.check_exit(bar.close)
        local = pd.Timestamp(bar.ts_event, tz="UTC").tz_convert("America/New_York")
        minutes = local.hour * 60 + local.minute
        in_hours = 9 * 60 + 35 <= minutes < 15 * 60 + 50
        if in_hours and self.average.ready and self.position("X").is_flat:
            if bar.close > self.average.value:
                self.buy("X", 7)
            elif bar.close < self.average.value:
                self.sell("X", 7)

    def check_exit(self, price: float) -> None:
        position = self.position("X")
        side = (position.quantity > 0) - (position.quantity < 0)
        if side == 0:
            self.side = 0
            return
        if side != self.side:
            self.side, self.held, self.best = side, 0, position.average_price
        self.held += 1
        average = position.average_price
        self.best = max(self.best, price) if side > 0 else min(self.best, price)
        worse, better = 1 - side * 0.002, 1 + side * 0.003
        stopped = price <= average * worse if side > 0 else price >= average * worse
        reached = price >= average * better if side > 0 else price <= average * better
        trail = self.best * (1 - side * 0.0025)
        trailed = price <= trail if side > 0 else price >= trail
        if stopped or reached or trailed or self.held >= 12:
            self.close("X")


class GuardedWhen(Strategy):
    """The same, declared."""

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        average = self.attach(SMA(5), bars)
        hours = time_of_day("09:35", "15:50", "America/New_York") & is_flat("X")
        self.exit_on("X", stop=0.002, target=0.003, trail=0.0025, bars=12, stream=bars)
        self.when((column("close") > average) & hours, lambda: self.buy("X", 7))
        self.when((column("close") < average) & hours, lambda: self.sell("X", 7))


PAIRS = [(Cross, CrossWhen), (Edges, EdgesWhen), (Guarded, GuardedWhen)]


def fills_of(strategy: Strategy, data: Any) -> Any:
    """Return what was filled, without the names that tell the strategies apart."""
    result = run(strategy, data, cash=10_000_000)
    return result.fills.drop(columns=["strategy", "client_order_id", "execution_id"])


def assert_same_fills(by_hand: Strategy, declared: Strategy, data: Any) -> None:
    expected = fills_of(by_hand, data)
    found = fills_of(declared, data)
    assert len(expected) > 20
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("by_hand", "declared"), PAIRS)
def test_both_forms_fill_alike(by_hand: Any, declared: Any, seed: int) -> None:
    # The span crosses the change of clocks in New York on 2024-03-10.
    data = walk(4_000, seed, step=12, tz_start="2024-03-08 12:00")
    assert_same_fills(by_hand(), declared(), data)


@pytest.mark.parametrize(
    ("table", "symbol"),
    [("crypto_bars_1m_BTCPERP_202201", None), ("eq_bars_1m_5us_20181112_20181121", "AAPL")],
)
@pytest.mark.parametrize(("by_hand", "declared"), PAIRS)
def test_both_forms_fill_alike_on_real_bars(
    by_hand: Any, declared: Any, table: str, symbol: str | None
) -> None:
    data = pd.read_parquet(recorded(f"{table}.parquet"))
    data = data[data.symbol == (symbol or data.symbol.iloc[0])].head(6_000)
    data = data.set_index(pd.DatetimeIndex(data.pop("ts_event"), tz="UTC"))
    data = data[["open", "high", "low", "close", "volume"]]
    assert_same_fills(by_hand(), declared(), data)

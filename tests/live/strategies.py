"""Strategies that both worlds run: they act in every handler there is."""

from __future__ import annotations

import numpy as np

from pyrt import Strategy
from pyrt.indicators import SMA
from tests.live.test_walking_skeleton import bars


class Cross(Strategy):
    """Holds while the fast average is above the slow one."""

    symbol: str = "SPY"
    timeframe: str = "1m"
    fast: int = 3
    slow: int = 8

    def on_start(self):
        stream = self.subscribe_bars(self.symbol, self.timeframe)
        self.fast_ma = self.attach(SMA(self.fast), stream)
        self.slow_ma = self.attach(SMA(self.slow), stream)

    def on_bar(self, bar):
        if not self.slow_ma.ready:
            return
        position = self.position(self.symbol)
        if self.fast_ma.value > self.slow_ma.value and position.is_flat:
            self.buy(self.symbol, 100)
        elif self.fast_ma.value < self.slow_ma.value and position.is_long:
            self.close(self.symbol)


class Hasty(Strategy):
    """Changes its mind about each order before the broker has heard of it."""

    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        position = self.position(self.symbol)
        if position.is_flat:
            order = self.buy(self.symbol, 10, limit_price=round(bar.close - 5, 2))
            self.modify(order, limit_price=round(bar.close + 0.02, 2))
        elif position.is_long and self.bars % 3 == 0:
            self.close(self.symbol)


class Busy(Strategy):
    """Acts in `on_fill`, on timers, on two symbols, with brackets, and takes partial fills."""

    main: str = "SPY"
    side: str = "QQQ"

    def on_start(self):
        self.subscribe_bars(self.main, "1m")
        self.subscribe_bars(self.side, "1m")
        self.set_timer("trim", "7m")
        self.prices = {}

    def on_bar(self, bar):
        self.prices[bar.symbol] = bar.close
        if bar.symbol != self.main or not self.position(self.main).is_flat:
            return
        if bar.close < bar.open:
            self.buy(
                self.main,
                40,
                take_profit=round(bar.close + 0.3, 2),
                stop_loss=round(bar.close - 0.3, 2),
            )

    def on_fill(self, fill):
        if fill.symbol != self.main or self.side not in self.prices:
            return
        if fill.side.name == "BUY":
            limit = round(self.prices[self.side] + 0.01, 2)
            self.buy(self.side, float(fill.quantity), limit_price=limit)
        elif self.position(self.side).is_long:
            self.close(self.side)

    def on_timer(self, event):
        if self.position(self.side).quantity > 10:
            self.sell(self.side, 5)
        if self.position(self.main).quantity == 3:
            self.close(self.main)
        elif self.position(self.main).is_flat and self.main in self.prices:
            self.buy(self.main, 3)


class Ladder(Cross):
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


class Pairs(Strategy):
    """Enters by whichever of two orders is met first, and leaves likewise; in turn all kinds."""

    symbol: str = "SPY"
    partial: str = "reduce"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.turn = 0

    def on_bar(self, bar):
        if self.orders(self.symbol):
            if self.turn % 5 == 4 and bar.close > bar.open:
                self.cancel_all(self.symbol)
            return
        self.turn += 1
        held = self.position(self.symbol).quantity
        near, far = (round(bar.close + way * 0.15, 2) for way in (-1, 1))
        if held:
            side, size = ("sell", held) if held > 0 else ("buy", -held)
            kinds = [{"limit_price": far}, {"stop_price": near}]
            if held < 0:
                kinds = [{"limit_price": near}, {"stop_price": far}]
            if self.turn % 2:
                # No pair of exits that brokers know: one of them trails.
                kinds[1] = {"trail_amount": 0.2}
            self.tie([(side, size, kind) for kind in kinds])
        elif self.turn % 3 == 0:
            self.tie([("buy", 40, {"limit_price": near}), ("buy", 40, {"stop_price": far})])
        elif self.turn % 3 == 1:
            self.tie([("buy", 40, {"stop_price": far}), ("sell", 40, {"stop_price": near})])
        else:
            self.tie([("buy", 40, {"limit_price": near}), ("sell", 25, {"limit_price": far})])

    def tie(self, described):
        one, other = (
            {"side": side, "symbol": self.symbol, "quantity": size, **kind}
            for side, size, kind in described
        )
        self.pair(one, other, partial=self.partial)


def walk(seed: int, symbol: str, count: int = 300):
    """Return minute bars of a random walk in cents, inside one New York session."""
    steps = np.random.default_rng(seed).normal(0, 0.2, count)
    return bars((100 + np.cumsum(steps)).round(2).tolist(), symbol)

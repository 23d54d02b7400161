"""Strategies that do anything, drawn from a seed: a backtest and a node agree to the last fill.

What is asked for at one instant leaves a node cancels first, and a backtest in the order it was
asked for: so there is one thing at an instant here in a symbol. `docs/alpaca.md` says so.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import numpy as np
import pytest

from pyrt import Strategy
from tests.live.worlds import backtested, lived
from tests.minutes import minute_bars

SEEDS = range(300 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 12)
SIZES = (1, 3, 7, 12, 30, 0.5, 2.25)


class Anything(Strategy):
    """One thing at a time: every command, every type and time in force that Alpaca takes."""

    symbols: tuple[str, ...] = ("SPY",)
    seed: int = 0

    def on_start(self) -> None:
        self.last: dict[str, float] = {}
        self.acted_at = 0
        for symbol in self.symbols:
            self.subscribe_bars(symbol, "1m")
        if self.seed % 3 == 0:
            self.set_timer("now and then", "7m")

    def on_bar(self, bar: Any) -> None:
        self.last[bar.symbol] = bar.close
        self.act(bar.symbol, bar.ts_event)

    def on_timer(self, event: Any) -> None:
        if self.last:
            self.act(self.symbols[0], event.ts_event + 1)

    def on_fill(self, fill: Any) -> None:
        if self.seed % 2 and self.position("SPY").quantity > 0 and self.is_new_instant():
            self.sell("SPY", 1, limit_price=round(self.last["SPY"] + 0.2, 2))

    def is_new_instant(self) -> bool:
        before, self.acted_at = self.acted_at, self.clock.timestamp_ns
        return before < self.acted_at or len(self.symbols) > 1

    def act(self, symbol: str, when: int) -> None:
        if not self.is_new_instant():
            return
        draw = Random(f"{self.seed}:{symbol}:{when}")
        price, size = self.last[symbol], draw.choice(SIZES)
        things = (self.enter, self.wait, self.bracket, self.alter, self.leave)
        if draw.random() < 0.7:
            draw.choice(things)(draw, symbol, price, size)

    def enter(self, draw: Random, symbol: str, price: float, size: float) -> None:
        if draw.random() < 0.4:
            self.buy(symbol, notional=draw.choice((50, 123.45, 1000)))
            return
        draw.choice((self.buy, self.buy, self.sell))(symbol, size)

    def wait(self, draw: Random, symbol: str, price: float, size: float) -> None:
        way, units = draw.choice((1, 1, -1)), max(1, int(size))
        send = self.buy if way > 0 else self.sell
        near, stop = round(price + draw.uniform(-0.4, 0.4), 2), round(price + 0.2 * way, 2)
        terms: dict[str, Any] = draw.choice(
            (
                {"limit_price": near, "time_in_force": draw.choice((None, "gtc", "ioc", "fok"))},
                {"stop_price": stop, "time_in_force": draw.choice((None, "gtc"))},
                {"stop_price": stop, "limit_price": round(stop + 0.15 * way, 2)},
                {"trail_amount": 0.3},
                {"trail_percent": 0.5},
            )
        )
        send(symbol, units, **terms)

    def bracket(self, draw: Random, symbol: str, price: float, size: float) -> None:
        terms: dict[str, Any] = {"stop_loss": round(price - 0.3, 2)}
        if draw.random() < 0.7:
            terms["take_profit"] = round(price + 0.3, 2)
        if draw.random() < 0.5:
            terms["limit_price"] = round(price - 0.05, 2)
        self.buy(symbol, max(1, int(size)), **terms)

    def alter(self, draw: Random, symbol: str, price: float, size: float) -> None:
        orders = self.orders(symbol)
        if not orders:
            return
        order, units = draw.choice(orders), max(1, int(size))
        if draw.random() < 0.4:
            self.cancel(order)
        elif order.limit_price is not None:
            self.modify(order, limit_price=round(price + draw.uniform(-0.4, 0.4), 2))
        elif order.notional is None and units > order.filled_quantity:
            self.modify(order, quantity=units)

    def leave(self, draw: Random, symbol: str, price: float, size: float) -> None:
        choice = draw.randrange(5)
        held = self.position(symbol).quantity
        if choice == 0:
            self.close(symbol)
        elif choice == 1:
            self.target_position(symbol, draw.choice((0, 5, 20)))
        elif choice == 2:
            self.target_percent(symbol, draw.choice((0, 0.1, 0.3)))
        elif choice == 3:
            self.cancel_all(symbol if draw.random() < 0.5 else None)
        elif held > 0:
            self.sell(symbol, held, limit_price=round(price + 0.1, 2), reduce_only=True)


def walk(seed: int, symbol: str) -> Any:
    steps = np.random.default_rng(seed).normal(0, 0.15, 120)
    return minute_bars(symbol, (100 + np.cumsum(steps)).round(2).tolist(), reach=0.05)


def both(seed: int) -> tuple[int, str]:
    """Return the number of fills in a backtest, and where the node's run differs."""
    symbols = ("SPY",) if seed % 2 else ("SPY", "QQQ")
    options = {} if seed % 5 else {"participation": 0.02}
    data = [walk(seed * 7 + i, symbol) for i, symbol in enumerate(symbols)]
    expected = backtested([Anything(symbols=symbols, seed=seed)], data, **options)
    return len(expected.fills), expected.differs_in(
        lived([Anything(symbols=symbols, seed=seed)], data, **options)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_anything_a_strategy_does_comes_out_alike(seed: int) -> None:
    fills, difference = both(seed)
    assert fills > 10
    assert difference == ""

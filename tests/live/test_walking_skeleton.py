"""One strategy, two worlds: backtest, and node, client and simulator cores in lockstep."""

from __future__ import annotations

import numpy as np
import pytest

from pyrt import Strategy, backtest
from pyrt.core import records
from pyrt.data.columns import BarColumns
from tests.live.lockstep import Lockstep
from tests.minutes import MINUTE, START, minute_bars


def bars(closes: list[float], symbol: str = "SPY") -> BarColumns:
    return minute_bars(symbol, closes, gap=0.01, reach=0.05)


class OneOrder(Strategy):
    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.fills = []
        self.sent = False

    def on_bar(self, bar):
        if not self.sent:
            self.sent = True
            self.buy(self.symbol, 10)

    def on_fill(self, fill):
        self.fills.append((fill.ts_event, fill.side, fill.quantity_exact, fill.price_exact))


class Swing(OneOrder):
    """Buys dips and sells rises, so that many orders and both sides occur."""

    def on_bar(self, bar):
        position = self.position(self.symbol)
        if bar.close < bar.open and position.is_flat:
            self.buy(self.symbol, 7, limit_price=round(bar.close - 0.02, 2))
        elif bar.close > bar.open and position.is_long:
            self.close(self.symbol)


def recorded_fills(kernel) -> bytes:
    """The fills as both worlds record them."""
    rows = np.frombuffer(kernel.records.fills.tobytes(), records.FILL_DTYPE)
    return rows[["ts_event", "quantity", "price", "side", "instrument"]].tolist()


def in_both_worlds(strategy: Strategy, columns: BarColumns):
    twin = strategy.fresh()
    result = backtest(strategy, columns, venue="alpaca", progress=False)
    world = Lockstep([twin], [columns])
    world.run()
    return strategy, twin, result, world


def test_one_market_order_fills_alike_in_both_worlds():
    tested, live, result, world = in_both_worlds(OneOrder(), bars([100.0, 101.0, 102.0, 103.0]))
    assert len(tested.fills) == 1
    ts, _, quantity, price = tested.fills[0]
    # Sent at the close of the first bar, filled at the open of the second.
    assert (ts, float(quantity), float(price)) == (START + MINUTE, 10.0, 100.01)
    assert live.fills == tested.fills
    assert world.node.kernel.account.equity_exact == world.broker.account.equity_exact
    assert result.equity.iloc[-1] == world.node.kernel.account.equity


@pytest.mark.parametrize("seed", range(5))
def test_many_orders_fill_alike_in_both_worlds(seed):
    walk = 100 + np.cumsum(np.random.default_rng(seed).normal(0, 0.2, 380)).round(2)
    tested, live, result, world = in_both_worlds(Swing(), bars(walk.tolist()))
    assert len(tested.fills) > 20
    assert live.fills == tested.fills
    assert result.equity.iloc[-1] == world.node.kernel.account.equity


def test_a_fill_told_twice_is_booked_once():
    world = Lockstep([OneOrder()], [bars([100.0, 101.0, 102.0, 103.0])])
    take = world.simulator.take_trade_updates
    world.simulator.take_trade_updates = lambda: [f for frame in take() for f in (frame, frame)]
    world.run()
    assert len(world.node.kernel.strategies[0].fills) == 1
    assert world.node.kernel.account.cash_exact == world.broker.account.cash_exact


def test_a_lost_fill_shows_as_a_difference():
    """The comparison can fail: without the fill's frame the two worlds disagree."""
    world = Lockstep([OneOrder()], [bars([100.0, 101.0, 102.0, 103.0])])
    take = world.simulator.take_trade_updates
    world.simulator.take_trade_updates = lambda: [f for f in take() if b'"fill"' not in f]
    world.run()
    assert world.node.kernel.account.cash_exact != world.broker.account.cash_exact


def test_an_order_of_unknown_outcome_blocks_another_of_its_side():
    class Twice(OneOrder):
        def on_bar(self, bar):
            self.last = self.buy(self.symbol, 1)

    world = Lockstep([Twice()], [bars([100.0, 101.0, 102.0])])
    request = world.simulator.request

    def lose_the_answer(method, path, body):
        answer = request(method, path, body)
        world.simulator.take_trade_updates()
        return type(answer)(504, b"<html>")

    world.simulator.request = lose_the_answer
    take = world.simulator.take_trade_updates
    world.simulator.take_trade_updates = lambda: take() and []
    world.run()
    strategy = world.node.kernel.strategies[0]
    assert strategy.last.status == "DENIED"
    assert strategy.last.reason.startswith("unknown_request: ")

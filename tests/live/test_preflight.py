"""Asking inside of a node: limits and Alpaca's rules answer, and no byte leaves."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.live.core.preflight import KernelBooks
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.adapters.client.exchange import bars
from tests.live.whole import Node, World

LIMITS = Limits(
    max_order_quantity=100,
    max_position_notional=50_000,
    max_gross_exposure=90_000,
    max_daily_loss=5_000,
    max_open_orders=10,
    max_orders_per_minute=30,
    price_collar_bps=1_000,
    stale_data_after="10m",
)


class Idle(Strategy):
    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.buy_at = 2
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == self.buy_at:
            self.buy("SPY", 10)
        if self.count == self.buy_at + 2:
            self.buy("SPY", 5, limit_price=95)


@pytest.fixture
def node():
    world = World([bars([100.0 + i / 10 for i in range(8)])])
    made = Node(world, MemoryFiles(), [Idle()], run_id="pre", limits=LIMITS)
    made.start()
    made.run()
    yield made
    made.journal.close()


@pytest.mark.parametrize(
    ("terms", "by", "code"),
    [
        ({"side": "buy", "quantity": 10}, "", ""),
        ({"side": "buy", "quantity": 101}, "risk", "max_order_quantity"),
        ({"side": "buy", "quantity": 10, "limit_price": 50}, "risk", "price_collar_bps"),
        ({"side": "buy", "quantity": 10, "limit_price": "100.123"}, "venue", "42210000"),
        ({"side": "buy", "quantity": 10, "stop_price": 95}, "venue", "42210000"),
        # Ten are held, and a cash account may not turn.
        ({"side": "sell", "quantity": 11}, "venue", "40310000"),
        # A buy rests at 95: a market sell could meet it.
        ({"side": "sell", "quantity": 10}, "venue", "40310000"),
    ],
)
def test_limits_and_rules_answer_and_nothing_leaves(node, terms, by, code):
    posted = len(node.world.posted)
    (strategy,) = node.kernel.strategies
    verdict = strategy.validate({"symbol": "SPY", **terms})
    assert (verdict.by, verdict.code) == (by, code)
    node.settle(node.world.now)
    assert len(node.world.posted) == posted == 2


def test_the_books_are_those_of_the_kernel(node):
    books = KernelBooks(node.kernel)
    (held,) = books.positions().values()
    (resting,) = books.open_orders()
    assert (held.symbol, held.quantity) == ("SPY", 10)
    assert (resting.side, resting.quantity, resting.limit_price) == ("buy", 5, 95)
    assert (resting.status, resting.is_leg) == ("new", False)
    assert books.free_funds == node.kernel.account.cash_exact
    assert books.market("SPY").last is not None
    assert books.asset_facts("QQQ") is None

"""Quotes whose middle is no price: what is held keeps its worth, here and in a backtest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pyrt import BacktestEngine, Strategy
from pyrt.adapters.alpaca.core.events import QuoteEvent
from pyrt.data.tables import Loaded
from pyrt.risk import BreakerState, Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.backtest.test_calm import both_ways
from tests.kernel.test_one_instant import START, quotes
from tests.live.cores import NOW, SECOND, core_of, trade
from tests.risk.test_checks import code

DOUBTFUL = [(1, 100.01), (99.99, 200), (150, 1), (90, 100.01), (99, 1e6)]


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), cash=100_000, symbols=("AAA",), prices=100)


@pytest.mark.parametrize(("bid", "ask"), DOUBTFUL)
@pytest.mark.parametrize("units", [500, -500])
def test_one_opens_no_breaker_and_sells_nothing(bid: float, ask: float, units: int) -> None:
    gate = RiskEngine(
        Limits(max_daily_loss=1_000, max_drawdown=0.01, halt_daily_loss=2_000, halt_flattens=True,
               max_position_loss_fraction=0.05, max_position_drawdown=0.05)
    )  # fmt: skip
    made = GateRig(gate, cash=100_000, symbols=("AAA",), prices=100, account="margin")
    made.hold(units)
    for touch in ((99.99, 100.01), (bid, ask), (99.99, 100.01)):
        made.quote(*touch)
        made.sample()
        assert made.kernel.account.equity == 100_000
    assert gate.breaker.state == BreakerState.CLOSED
    assert len(made.venue.submitted) == 1


@pytest.mark.parametrize(("bid", "ask", "worth"), [
    (95, 105, 100), (50, 60, 60), (150, 300, 150), (76, 84, 80), (75, 84, 84), (1, 2, 2),
])  # fmt: skip
def test_a_wide_one_says_that_the_price_is_between_its_sides(
    bid: float, ask: float, worth: float
) -> None:
    made = rig()
    made.hold(500)
    made.quote(bid, ask)
    assert made.kernel.account.equity == 100_000 + 500 * (worth - 100)


def with_one(at: int, bid: float, ask: float) -> Any:
    """Twenty quotes around 100, one of them another."""
    table = quotes("A", START + np.arange(20) * SECOND, price=99.995)
    bids, asks = table.bid_price.copy(), table.ask_price.copy()
    bids[at], asks[at] = bid, ask
    return replace(table, bid_price=bids, ask_price=asks)


class Holder(Strategy):
    """Buys at its first quote, and notes what it is worth."""

    def on_start(self) -> None:
        self.subscribe_quotes("A")
        self.heard: list[float] = []

    def on_quote(self, quote: Any) -> None:
        self.heard.append(self.portfolio.equity)
        if len(self.heard) == 1:
            self.buy("A", 100)


@pytest.mark.parametrize(("bid", "ask"), DOUBTFUL)
@pytest.mark.parametrize("at", [5, 19])
def test_a_backtest_takes_them_the_same_way(bid: float, ask: float, at: int) -> None:
    (holder,), result = both_ways([with_one(at, bid, ask)], lambda: [Holder()])
    assert len(holder.heard) == 20
    assert min(holder.heard) > 999_998
    assert max(holder.heard) < 1_000_002
    assert abs(result.equity.iloc[-1] - 1_000_000) < 2


class Shorter(Holder):
    """Sells short at its first quote, and one more at its sixth."""

    def on_quote(self, quote: Any) -> None:
        self.heard.append(self.portfolio.equity)
        if len(self.heard) in (1, 6):
            self.sell("A", 90 if len(self.heard) == 1 else 1)


@pytest.mark.parametrize("paced", [False, True])
def test_the_broker_of_a_backtest_asks_no_margin_for_one(paced: bool) -> None:
    engine = BacktestEngine(cash=1_000_000)
    engine.add_venue(account="margin")
    engine.add_loaded(Loaded((with_one(5, 99.99, 20_000.0),), (0,), {}))
    engine.add_strategy(Shorter())
    if paced:
        engine.pace = lambda ts: None
    result = engine.run()
    assert list(result.orders["status"]) == ["FILLED", "FILLED"]


class Listener(Strategy):
    def on_start(self) -> None:
        self.subscribe_quotes("SPY")

    def on_quote(self, quote: Any) -> None:
        """Its quotes mark what is held."""


@pytest.mark.parametrize(("bid", "ask"), DOUBTFUL)
@pytest.mark.parametrize("first", [True, False])
def test_a_node_goes_on_after_one(bid: float, ask: float, first: bool) -> None:
    gate = RiskEngine(Limits(max_daily_loss=1_000, halt_daily_loss=2_000, halt_flattens=True))
    listener = Listener()
    core, wire = core_of(gate, [listener])
    touches = [(99.99, 100.01), (bid, ask), (99.99, 100.01)]
    trade(core, 0, "buy", "SPY", 500, 100)
    wire.take()
    # One that comes before any other finds what the fill was worth.
    for i, (low, high) in enumerate(touches[first:], start=1):
        at = NOW + i * SECOND
        core.take(at, [QuoteEvent("SPY", at, low, 1.0, high, 1.0)])
        assert core.kernel.account.equity == 100_000
    assert wire.take() == []
    order = listener.buy("SPY", 1)
    core.inputs.settle()
    assert code(order) == ""

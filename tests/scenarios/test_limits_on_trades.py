"""Limit orders where trades decide alone: who takes, who rests, and at what price; by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy, backtest
from pyrt.risk import Limits, RiskEngine
from tests.backtest.depths import SYMBOL, play, prints

AT_100 = prints((0, 100, 5, ""), (1, 100, 5, ""), (2, 100, 5, ""))


def buy(quantity: float, **terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


def sell(quantity: float, **terms: Any) -> Any:
    return lambda s: s.sell(SYMBOL, quantity, **terms)


# fmt: off
ROWS = [
    # It comes when the last trade is beyond its limit: it takes the next one's price.
    (buy(3, limit_price=200), (101, 102), [(1, 3, 101, "taker")]),
    (buy(3, limit_price=200, time_in_force="ioc"), (101, 102), [(1, 3, 101, "taker")]),
    (buy(3, limit_price=101), (101, 102), [(1, 3, 101, "taker")]),
    (sell(3, limit_price=50), (101, 102), [(1, -3, 101, "taker")]),
    # That trade may be out of its reach: from then on it rests.
    (buy(3, limit_price=101), (102, 99), [(2, 3, 101, "maker")]),
    (buy(3, limit_price=101, time_in_force="ioc"), (102, 99), []),
    # The size of one trade is too small: the rest takes of the next, it does not rest at 200.
    (buy(8, limit_price=200), (101, 102), [(1, 5, 101, "taker"), (2, 3, 102, "taker")]),
    (buy(8, stop_price=101, limit_price=200), (101, 102),
     [(1, 5, 101, "taker"), (2, 3, 102, "taker")]),
    # What comes to a market that is not beyond its limit rests, and is made at its own price.
    (buy(3, limit_price=99), (98, 97), [(1, 3, 99, "maker")]),
    (buy(3, limit_price=100), (100, 99), [(2, 3, 100, "maker")]),
    (buy(3, limit_price=99, post_only=True), (98, 97), [(1, 3, 99, "maker")]),
    (buy(3, take_profit=101.5), (101, 103), [(1, 3, 101, "taker"), (2, -3, 101.5, "maker")]),
]
# fmt: on


@pytest.mark.parametrize(("command", "later", "fills"), ROWS)
def test_a_limit_takes_a_trades_price_or_makes_its_own(
    command: Any, later: tuple[float, float], fills: Any
) -> None:
    trades = prints((0, 100, 5, ""), (1, later[0], 5, ""), (2, later[1], 5, ""))
    assert play({"trades": trades}, {0.5: command}).with_liquidity == fills


class Waits(Strategy):
    """Sends an order for X when Y trades, before X does."""

    def on_start(self) -> None:
        self.subscribe_trades("Y")

    def on_trade(self, trade: Any) -> None:
        self.buy(SYMBOL, 3, limit_price=200)


def test_a_limit_that_comes_before_any_trade_takes_the_first() -> None:
    earlier = prints((-1, 10, 1, ""))
    fills = backtest(Waits(), {SYMBOL: AT_100, "Y": earlier}).fills
    assert [(f.price, f.liquidity) for f in fills.itertuples()] == [(100, "taker")]


def test_a_limit_moved_beyond_the_last_trade_takes_the_next() -> None:
    run = play(
        {"trades": AT_100},
        {0.5: buy(3, limit_price=90), 1.5: lambda s: s.modify(s.made[0], limit_price=105)},
    )
    assert run.with_liquidity == [(2, 3, 100, "taker")]


def test_a_protected_market_order_pays_what_was_traded() -> None:
    gate = RiskEngine(Limits(market_protection_bps=100))
    run = play({"trades": AT_100}, {0.5: buy(8)}, engine={"gate": gate})
    assert run.with_liquidity == [(1, 5, 100, "taker"), (2, 3, 100, "taker")]

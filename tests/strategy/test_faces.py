"""What a person sees of orders, events, fills, positions and the account."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from pyrt import Strategy, backtest


def bars() -> pd.DataFrame:
    index = pd.date_range("2024-03-04 14:30", periods=8, freq="1min", tz="UTC")
    price = [100.0, 100.0, 100.0, 101.0, 102.0, 103.0, 104.0, 105.0]
    return pd.DataFrame(
        {"open": price, "high": price, "low": price, "close": price, "volume": 1e6}, index=index
    )


class Looks(Strategy):
    """Buys 10, sells them two bars later, and notes what everything looks like."""

    def on_start(self) -> None:
        self.subscribe_bars("ABC", "1m")
        self.seen: dict[str, object] = {}
        self.events: list[str] = []
        self.bars = 0

    def on_bar(self, bar: object) -> None:
        self.bars += 1
        if self.bars == 2:
            self.order = self.buy("ABC", 10, limit_price=100, stop_price=99.5)
            self.sized = self.buy("ABC", notional=1)
            self.seen["new"] = repr(self.order), repr(self.sized)
            self.seen["average"] = self.order.average_price
            self.seen["display"] = self.order.display_quantity
            self.seen["nothing"] = self.position("ABC").realized_pnl_percent
        if self.bars == 5:
            self.close("ABC")
        if self.bars == 7:
            position = self.position("ABC")
            self.seen["position"] = repr(position)
            self.seen["percent"] = position.realized_pnl_percent
            self.seen["fees"] = position.total_fees
            self.seen["account"] = repr(self.account)
            self.seen["closed"] = self.order.is_closed

    def on_order(self, event: object) -> None:
        self.events.append(repr(event))

    def on_fill(self, fill: object) -> None:
        self.seen.setdefault("fill", repr(fill))


@pytest.fixture(scope="module")
def looks() -> Looks:
    strategy = Looks()
    backtest(
        strategy,
        bars(),
        symbol="ABC",
        label="open",
        fees="fixed:1",
        touch_fills=True,
        progress=False,
    )
    return strategy


def test_an_order_says_what_it_is_and_how_far(looks: Looks) -> None:
    assert looks.seen["new"] == (
        "Order(bt-1 buy 10 ABC stop_limit limit 100 stop 99.5 gtc: INITIALIZED, filled 0)",
        "Order(bt-2 buy notional 1 ABC market gtc: INITIALIZED, filled 0)",
    )
    assert looks.seen["closed"] is True


def test_figures_that_are_not_there_yet_are_nan_or_none(looks: Looks) -> None:
    assert math.isnan(looks.seen["average"])
    assert looks.seen["display"] is None
    assert math.isnan(looks.seen["nothing"])


def test_events_and_fills_name_order_and_symbol(looks: Looks) -> None:
    assert looks.events[0] == "OrderEvent(sent bt-1 ABC)"
    assert str(looks.seen["fill"]).endswith("ABC @ 100, fee 1 USD)")


def test_a_position_that_is_closed_keeps_what_it_made(looks: Looks) -> None:
    # 10.01 bought at 100 with two fees of 1, sold at 103 with one: 30.03 - 3 of 1,001.
    assert looks.seen["position"] == (
        "Position('ABC', quantity=0, average_price=nan, realized_pnl=27.03)"
    )
    assert looks.seen["percent"] == pytest.approx(100 * 27.03 / 1001)
    assert looks.seen["fees"] == 3.0
    assert looks.seen["account"] == "Account(cash=100027.03 USD, equity=100027.03)"

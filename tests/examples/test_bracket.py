"""Brackets and the trailing stop against a walk through the bars, price by price."""

from __future__ import annotations

import pytest

from .loading import daily, example
from .paper import Paper, assert_same_fills

TARGET, STOP, TRAIL, CHANNEL, SIZE = 1.12, 0.94, 0.91, 50, 50.0


class Exits:
    """The two exits of a bracket and the trailing stop, as one bar after the other meets them.

    Inside a bar the price is taken to go open, low, high, close, as it does for who is long.
    """

    def __init__(self, close: float) -> None:
        self.target: float | None = round(close * TARGET, 2)
        self.stop: float | None = round(close * STOP, 2)
        self.best: float | None = None

    def open(self, price: float) -> list[float]:
        """Exits at an open beyond a level; the trailing stop follows the open."""
        done = []
        if (self.stop is not None and price <= self.stop) or (
            self.target is not None and price > self.target
        ):
            done.append(price)
            self.stop = self.target = None
        if self.best is not None and price <= self.best * TRAIL:
            done.append(price)
            self.best = None
        elif self.best is not None:
            self.best = max(self.best, price)
        return done

    def walk(self, low: float, high: float, close: float) -> list[float]:
        """Exits between the open and the close, in the order in which the price meets them."""
        done = []
        if self.stop is not None and low <= self.stop:
            done.append(self.stop)
            self.stop = self.target = None
        if self.best is not None and low <= self.best * TRAIL:
            done.append(self.best * TRAIL)
            self.best = None
        done.sort(reverse=True)
        if self.target is not None and high > self.target:
            done.append(self.target)
            self.stop = self.target = None
        if self.best is not None:
            self.best = max(self.best, high)
        if self.best is not None and close <= self.best * TRAIL:
            done.append(self.best * TRAIL)
            self.best = None
        return done


def walk_through() -> Paper:
    bars = daily("GOOG")
    paper = Paper()
    exits: Exits | None = None
    entering = False
    for i, (stamp, bar) in enumerate(bars.iterrows()):
        date = f"{stamp:%Y-%m-%d}"
        if entering:
            paper.trade(date, "GOOG", SIZE, bar["open"])
            paper.trade(date, "GOOG", SIZE, bar["open"])
            entering = False
            assert exits is not None
            exits.best = bar["open"]
        elif exits is not None:
            for price in exits.open(bar["open"]):
                paper.trade(date, "GOOG", -SIZE, price)
        if exits is not None:
            for price in exits.walk(bar["low"], bar["high"], bar["close"]):
                paper.trade(date, "GOOG", -SIZE, price)
        if paper.held("GOOG") == 0 and i >= CHANNEL:
            exits = None
            if bar["close"] > bars["high"].iloc[i - CHANNEL : i].max():
                exits, entering = Exits(bar["close"]), True
    return paper


@pytest.fixture(scope="module", name="result")
def _result() -> object:
    pytest.importorskip("bokeh_sampledata")
    return example("bracket").run()


def test_every_exit_is_where_a_walk_through_the_bars_finds_it(result) -> None:
    paper = walk_through()
    assert_same_fills(result, paper)
    assert len(paper.fills) == 87


def test_of_each_bracket_one_exit_fills_and_the_other_is_canceled(result) -> None:
    orders = result.orders[result.orders["tag"] == "bracket"]
    counts = orders.groupby(["type", "status"]).size()
    assert counts["market", "FILLED"] == 22
    assert counts["limit", "FILLED"] == counts["stop", "CANCELED"] == 10
    assert counts["stop", "FILLED"] == counts["limit", "CANCELED"] == 12


def test_targets_fill_as_maker_and_stops_as_taker(result) -> None:
    joined = result.fills.merge(result.orders, on="client_order_id", suffixes=("", "_order"))
    inside = joined[joined["price"] == joined["limit_price"]]
    assert len(inside) > 0
    assert set(inside["liquidity"]) == {"maker"}
    assert set(joined[joined["type"].isin(["stop", "trailing_stop"])]["liquidity"]) == {"taker"}

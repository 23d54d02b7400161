"""The slippage guard looks into the book: average price by hand, and what it denies."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt.core import OrderBook
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.depth import book_depth, walked
from pyrt.testing.gates import GateRig
from tests.backtest.depths import SYMBOL, levels, play, quotes

LEVELS = [
    ("bid", 99.9, 10.0),
    ("bid", 99.5, 20.0),
    ("ask", 100.1, 10.0),
    ("ask", 100.5, 20.0),
    ("ask", 101.0, 5.0),
]


@pytest.fixture
def book() -> OrderBook:
    made = OrderBook("AAA", level="L2")
    table = pd.DataFrame(
        {
            "ts_event": [1] * len(LEVELS),
            "side": [side for side, *_ in LEVELS],
            "price": [price for _, price, _ in LEVELS],
            "size": [size for *_, size in LEVELS],
            "action": ["set"] * len(LEVELS),
            "flags": [0] * (len(LEVELS) - 1) + [2],
            "sequence": range(len(LEVELS)),
        }
    )
    made.apply_table(table, dialect="l2")
    return made


@pytest.mark.parametrize(
    ("side", "quantity", "price"),
    [
        ("buy", 10, 100.1),
        ("buy", 15, (1001 + 5 * 100.5) / 15),
        ("buy", 35, (1001 + 2010 + 505) / 35),
        # Ten more than there are, at the last level seen.
        ("buy", 45, (1001 + 2010 + 505 + 1010) / 45),
        ("sell", 10, 99.9),
        ("sell", 30, (999 + 1990) / 30),
    ],
)
def test_the_average_is_that_of_the_levels_taken(
    book: OrderBook, side: str, quantity: float, price: float
) -> None:
    assert book_depth({"AAA": book})("AAA", side, quantity) == pytest.approx(price)


def test_without_a_book_or_a_side_nothing_is_expected(book: OrderBook) -> None:
    depth = book_depth({"AAA": book, "NEW": OrderBook("NEW", level="L2")})
    assert depth("BBB", "buy", 1) is None
    assert depth("NEW", "buy", 1) is None
    assert depth("AAA", "buy", 0) is None


@pytest.mark.parametrize(
    ("quantity", "action", "outcome"),
    [
        (15, "deny", ("SENT", None)),
        (30, "deny", ("DENIED", None)),
        (30, "limit", ("SENT", 100.3)),
    ],
)
def test_an_order_too_large_for_the_book_is_refused_or_converted(
    book: OrderBook, quantity: float, action: str, outcome: Any
) -> None:
    made = GateRig(RiskEngine(Limits(max_slippage_bps=30, slippage_action=action)), prices=100)
    made.gate.depth = book_depth({"AAA": book})
    made.quote(99.9, 100.1)
    # 15 cost 100.233 on average, 23 bps above the middle; 30 cost 100.367.
    order = made.order("buy", quantity)
    assert (order.status, order.limit_price) == outcome


def test_fifty_levels_are_walked_unless_stated() -> None:
    made = OrderBook("AAA", level="L2")
    count = 60
    made.apply_table(
        pd.DataFrame(
            {
                "ts_event": [1] * count, "side": ["ask"] * count, "size": [1.0] * count,
                "price": [100.0 + place for place in range(count)], "action": ["set"] * count,
                "flags": [0] * (count - 1) + [2], "sequence": range(count),
            }
        ),
        dialect="l2",
    )  # fmt: skip
    # The mean of 100 to 149 for fifty, and 149 for each of ten more.
    expected = (50 * 124.5 + 10 * 149.0) / 60
    assert walked(made, "buy", 60) == pytest.approx(expected)
    assert book_depth({"AAA": made})("AAA", "buy", 60) == pytest.approx(expected)
    assert book_depth({"AAA": made}, levels=1)("AAA", "buy", 60) == 100.0
    assert walked(made, "sell", 1) is None
    assert walked(made, "buy", 5e-324) == 100.0
    assert walked(made, "buy", -1) is None


def test_the_book_that_a_strategy_follows_is_looked_into_as_it_stands() -> None:
    # 10 at 100.1, and 20 more at 101 or, later, at 100.2.
    asks = [(0, "ask", 100.1, 10), (0, "ask", 101, 50), (2, "ask", 101, 0), (2, "ask", 100.2, 50)]
    run = play(
        {
            "quotes": quotes((0, 99.9, 5, 100.1, 10), (5, 99.9, 5, 100.1, 10)),
            "book": levels((0, "bid", 99.9, 10), *asks),
        },
        {second: lambda strategy: strategy.buy(SYMBOL, 30) for second in (1.0, 3.0)},
        engine={"gate": RiskEngine(Limits(max_slippage_bps=30))},
    )
    assert run.statuses == ["DENIED", "FILLED"]

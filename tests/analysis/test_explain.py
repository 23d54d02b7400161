"""Orders that did not trade, and the reasons given."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pyrt.analysis import BacktestResult, RunRecord
from pyrt.analysis.record import ORDER_COLUMNS

from .builders import trading_record

NAN = math.nan


def order(**changes: Any) -> dict[str, Any]:
    """A limit order to buy 10 A at 90, sent at 100 ns and canceled."""
    terms: dict[str, Any] = {
        "ts_event": 100,
        "symbol": "A",
        "strategy": "S",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": 10.0,
        "filled_quantity": 0.0,
        "limit_price": 90.0,
        "stop_price": None,
        "time_in_force": "day",
        "status": "CANCELED",
        "reason": "",
        "client_order_id": "O1",
        "tag": None,
        "parent": "",
    }
    return terms | changes


def explained(*orders: dict[str, Any], **changes: Any) -> Any:
    table = {name: [terms[name] for terms in orders] for name in ORDER_COLUMNS}
    bars = {
        "ts_event": [100, 200, 300],
        "open": [95.0, 96.0, 97.0],
        "high": [99.0, 98.0, 101.0],
        "low": [89.0, 92.0, 91.0],
        "close": [96.0, 97.0, 92.0],
        "volume": [1.0, 1.0, 1.0],
    }
    run = RunRecord(initial_cash=1.0, orders=table, prices={"A": bars}, **changes)
    return BacktestResult(run).explain()


def test_only_orders_with_something_left_are_listed() -> None:
    result = BacktestResult(trading_record(symbols=("SPY", "AAPL")))
    found = result.explain()
    assert found["status"].tolist() == ["DENIED", "DENIED"]
    assert found["explanation"][0].startswith("max_order_notional: 99,000,000.00 is above")


def test_a_limit_out_of_reach_names_the_nearest_price_while_it_worked() -> None:
    # The bar that closed at 100 was over when the order was sent: its low of 89 does not count.
    (why,) = explained(order())["explanation"]
    assert "limit 90 was not reached: the lowest price while it worked was 91 (1.11 % away)" in why


def test_the_history_of_the_order_ends_the_search() -> None:
    events = {"ts_event": [100, 200], "client_order_id": ["O1", "O1"], "status": ["A", "C"]}
    (why,) = explained(order(), order_events=events)["explanation"]
    assert "was 92 (2.22 % away)" in why


def test_a_limit_touched_but_not_crossed_is_said_so() -> None:
    (why,) = explained(order(limit_price=91.0, status="EXPIRED"))["explanation"]
    assert why == "its time in force ended before it filled; limit 91 was touched, not crossed"


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"side": "SELL", "limit_price": 110.0}, "limit 110 was not reached: the highest price"),
        ({"limit_price": None, "stop_price": 105.0}, "stop 105 was not reached: the highest price"),
        (
            {"side": "SELL", "limit_price": NAN, "stop_price": 80.0},
            "stop 80 was not reached: the lowest price",
        ),
        ({"filled_quantity": 4.0, "status": "EXPIRED"}, "4 of 10 filled"),
        ({"status": "ACCEPTED"}, "still working at the end"),
        ({"status": "REJECTED", "reason": "cash 5.00 < 900.00"}, "cash 5.00 < 900.00"),
    ],
)
def test_each_fate_is_put_in_words(terms: dict[str, Any], words: str) -> None:
    (why,) = explained(order(**terms))["explanation"]
    assert words in why


def test_a_refused_order_is_not_compared_with_the_market() -> None:
    (why,) = explained(order(status="DENIED", reason="max_open_orders: 5"))["explanation"]
    assert why == "max_open_orders: 5"


def test_a_symbol_without_bars_still_gets_its_status() -> None:
    (why,) = explained(order(symbol="B"))["explanation"]
    assert why == "canceled before it filled"

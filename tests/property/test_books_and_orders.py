"""Random orders against random books: whatever is drawn, nothing fills that could not."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyrt.core.book import OrderBook
from tests.backtest.depths import LAST, SYMBOL, play, stamp

PRICES = st.integers(95, 105)
SIZES = st.integers(0, 9)
EVENT = st.tuples(st.sampled_from("BA"), PRICES, SIZES)
PRINT = st.tuples(PRICES, st.integers(1, 9), st.sampled_from(("buy", "sell", "")))
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "limit_price": PRICES,
        "time_in_force": st.sampled_from(("gtc", "ioc", "fok")),
    },
)
ORDER = st.tuples(st.sampled_from(("buy", "sell")), st.integers(1, 12), TERMS)
EXAMPLE = st.tuples(
    st.lists(EVENT, min_size=5, max_size=30),
    st.lists(PRINT, max_size=12),
    st.lists(ORDER, min_size=1, max_size=8),
    st.sampled_from((None, "power:2", "log")),
)


def book_table(events: list[Any]) -> pd.DataFrame:
    """One event a second; levels are set and removed as drawn, so books may lock and cross."""
    rows = [
        (stamp(i), side, float(price), float(size), "set" if size else "delete", LAST)
        for i, (side, price, size) in enumerate(events)
    ]
    names = ["ts_event", "side", "price", "size", "action", "flags"]
    return pd.DataFrame(rows, columns=names)


def print_table(prints: list[Any]) -> pd.DataFrame:
    rows = [(stamp(i + 0.7), float(p), float(s), a) for i, (p, s, a) in enumerate(prints)]
    return pd.DataFrame(rows, columns=["ts_event", "price", "size", "aggressor"])


def command(side: str, quantity: int, terms: dict[str, Any]) -> Any:
    return lambda s: getattr(s, side)(SYMBOL, quantity, **terms)


@given(EXAMPLE)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_fills_stay_within_orders_and_what_the_market_shows(example: Any) -> None:
    events, traded, orders, queue = example
    tables = {"book": book_table(events)}
    if traded:
        tables["trades"] = print_table(traded)
    steps = {i + 0.5: command(*order) for i, order in enumerate(orders)}
    run = play(tables, steps, queue=queue, cash=10_000_000)
    again = play(tables, steps, queue=queue, cash=10_000_000)
    assert again.outcome.run_hash == run.outcome.run_hash

    rows = run.table("orders")
    by_id = {o["client_order_id"]: o for o in rows}
    filled = dict.fromkeys(by_id, 0.0)
    for f in run.table("fills"):
        order = by_id[f["client_order_id"]]
        filled[f["client_order_id"]] += float(f["quantity"])
        limit = order["limit_price"]
        # No price is worse than the limit, and none lies outside what was ever shown.
        if limit == limit:
            sign = 1 if f["side"] == "buy" else -1
            assert sign * f["price"] <= sign * limit
        assert 95 <= f["price"] <= 105
    for key, quantity in filled.items():
        assert quantity == float(by_id[key]["filled_quantity"]) <= float(by_id[key]["quantity"])
        if by_id[key]["status"] == "FILLED":
            assert quantity == float(by_id[key]["quantity"])
    _check_takers(run, events)


def _check_takers(run: Any, events: list[Any]) -> None:
    """What is taken between two changes of the book is there, level by level."""
    taken: dict[tuple[str, float], float] = {}
    book = OrderBook(SYMBOL)
    table = book_table(events)
    columns = book.prepare(table)
    applied = 0
    for second, quantity, price, liquidity in run.with_liquidity:
        until = min(len(table), int(second) + 1)
        if until > applied:
            for side, at, _ in events[applied:until]:
                taken.pop((side, float(at)), None)
            book.apply(columns, applied, until)
            applied = until
        book.check()
        if liquidity == "taker":
            side = "A" if quantity > 0 else "B"
            taken[side, price] = taken.get((side, price), 0.0) + abs(quantity)
            assert taken[side, price] <= book.size_at(side, price)
            best = book.best_ask if quantity > 0 else book.best_bid
            assert price >= best if quantity > 0 else price <= best


@given(EXAMPLE, st.integers(1, 20))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_comes_later_changes_nothing_before(example: Any, cut: int) -> None:
    events, traded, orders, queue = example
    cut = min(cut, len(events) - 1)

    def fills(events: list[Any]) -> list[Any]:
        tables = {"book": book_table(events)}
        if traded:
            tables["trades"] = print_table(traded)
        steps = {i + 0.5: command(*order) for i, order in enumerate(orders)}
        found = play(tables, steps, queue=queue, cash=10_000_000).with_liquidity
        # What is set for a time after the last row never comes.
        return [f for f in found if f[0] <= cut - 1]

    assert fills(events[:cut]) == fills(events)

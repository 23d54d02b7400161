"""The simulator's venue on recorded books, and its price bands: what fills, and what is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pandas as pd
import pytest

from pyrt import load
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.market.touch import touch_of, with_quotes
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.adapters.alpaca.simulator.streams.frames import Luld, OrderBook, Status
from tests.backtest.depths import SECOND, levels, prints, quotes, stamp

COIN = "BTC/USD"
BOOK = levels(
    (0, "B", 99, 2), (0, "B", 98, 4), (0, "A", 100, 1), (0, "A", 101, 3), (0, "A", 102, 9),
    (10, "A", 100, 0.5),
    (20, "A", 100, 0), (20, "B", 99.5, 1),
)  # fmt: skip


def tables_of(symbol: str, **tables: pd.DataFrame) -> list[Any]:
    return [
        column
        for kind, table in tables.items()
        for column in load(table, symbol=symbol, kind=kind).columns
    ]


def step_to(core: SimulatorCore, seconds: float) -> None:
    while core.run(stamp(seconds)):
        pass


def place(core: SimulatorCore, **terms: Any) -> dict[str, Any]:
    body = {"symbol": COIN, "side": "buy", "type": "market", "time_in_force": "gtc", **terms}
    answer = core.request("POST", "/v2/orders", msgspec.json.encode(body))
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.body)


def shown(core: SimulatorCore, order: dict[str, Any]) -> tuple[str, str, str | None]:
    found = msgspec.json.decode(core.request("GET", f"/v2/orders/{order['id']}", b"").body)
    return found["status"], found["filled_qty"], found["filled_avg_price"]


def test_the_touch_of_a_book_is_its_quotes() -> None:
    (book,) = tables_of(COIN, book=BOOK)
    touch = touch_of(book)
    assert [(ts - stamp(0)) // SECOND for ts in touch.ts_event.tolist()] == [0, 10, 20]
    assert touch.bid_price.tolist() == [99, 99, 99.5]
    assert touch.ask_price.tolist() == [100, 100, 101]
    assert touch.ask_size.tolist() == [1, 0.5, 3]
    # Without two sides there is no price; beside other data nothing is made.
    (half,) = tables_of("ETH/USD", book=levels((0, "B", 9, 1), (1, "B", 8, 1)))
    assert with_quotes([half]) == []
    both = tables_of(COIN, book=BOOK, quotes=quotes((0, 99, 1, 100, 1)))
    assert with_quotes(both) == both


def test_a_market_order_walks_a_recorded_book() -> None:
    core = make_core(tables_of(COIN, book=BOOK))
    step_to(core, 10)
    order = place(core, qty="3")
    # 0.5 at 100 as the book stands now, 2.5 at 101.
    assert shown(core, order) == ("filled", "3", "100.833333333")
    assert [m.a[0].s for m in core.take_messages() if isinstance(m, OrderBook)] == [1, 0.5]


def test_a_limit_rests_until_the_book_comes_to_it() -> None:
    book = pd.concat(
        [
            BOOK,
            levels((30, "A", 99.5, 0.4), (40, "A", 99.5, 0), (50, "B", 99.5, 0), (50, "A", 99, 5)),
        ]
    )
    core = make_core(tables_of(COIN, book=book))
    step_to(core, 20)
    order = place(core, qty="1", type="limit", limit_price="99.5")
    assert shown(core, order)[0] == "new"
    step_to(core, 30)
    assert shown(core, order)[:2] == ("partially_filled", "0.4")
    step_to(core, 50)
    assert shown(core, order) == ("filled", "1", "99.5")


def test_a_start_within_a_recorded_book_knows_it() -> None:
    core = make_core(tables_of(COIN, book=BOOK), start=stamp(12))
    assert str(core.market.exchange.last_price(COIN)) == "99.5"
    step_to(core, 20)
    assert shown(core, place(core, qty="4")) == ("filled", "4", "101.25")


def test_a_halted_coin_of_a_book_does_not_trade() -> None:
    core = make_core(tables_of(COIN, book=BOOK))
    step_to(core, 0)
    core.interventions.act("halt", {"symbol": COIN})
    order = place(core, qty="1")
    step_to(core, 10)
    assert shown(core, order)[0] == "new"
    core.interventions.act("resume", {"symbol": COIN})
    step_to(core, 20)
    assert shown(core, order)[:2] == ("filled", "1")


# -- limit up, limit down ----------------------------------------------------------------------

STOCK = {
    "trades": prints((0, 100, 100, ""), (400, 94, 100, ""), (410, 94.2, 100, "")),
    "quotes": quotes(
        (0, 99.9, 5, 100.1, 5), (50, 94.8, 5, 95.0, 5), (399, 93.9, 5, 94.1, 5),
        (420, 94.0, 5, 94.3, 5),
    ),
}  # fmt: skip


def told(core: SimulatorCore) -> list[tuple[Any, ...]]:
    """Return (second, what) of messages of bands and halts."""
    found: list[tuple[Any, ...]] = []
    for message in core.take_messages():
        second = (message.t.ns - stamp(0)) / SECOND if isinstance(message, (Luld, Status)) else 0
        if isinstance(message, Luld):
            found.append((second, message.d, message.u, message.i))
        elif isinstance(message, Status):
            found.append((second, message.sc, message.rc))
    return found


def test_bands_and_pauses_are_worked_out_held_and_told() -> None:
    core = make_core(tables_of("SPY", **STOCK), luld="tier1", account="cash")
    step_to(core, 100)
    order = place(core, symbol="SPY", qty="2", time_in_force="day")
    step_to(core, 399)
    assert shown(core, order)[0] == "new"
    step_to(core, 420)
    # The first print after five minutes is the auction in which the order trades.
    assert shown(core, order) == ("filled", "2", "94")
    assert told(core) == [
        (0, 95.0, 105.0, "B"), (65, "2", "M"), (400, 89.3, 98.7, "B"), (400, "3", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("luld", [None, {}])
def test_without_a_rule_there_is_no_pause(luld: Any) -> None:
    core = make_core(tables_of("SPY", **STOCK), luld=luld, account="cash")
    step_to(core, 100)
    order = place(core, symbol="SPY", qty="2", time_in_force="day")
    step_to(core, 399)
    assert shown(core, order) == ("filled", "2", "94.1")


def test_a_start_within_a_pause_keeps_it() -> None:
    core = make_core(tables_of("SPY", **STOCK), luld="tier1", account="cash", start=stamp(200))
    order = place(core, symbol="SPY", qty="2", time_in_force="day")
    step_to(core, 399)
    assert shown(core, order)[0] == "new"
    step_to(core, 420)
    assert shown(core, order) == ("filled", "2", "94")

"""Recorded quotes, prints and books: fills as in a backtest, messages, history."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pyrt import Strategy, backtest
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.adapters.alpaca.simulator.streams.frames import (
    Bar,
    CoinQuote,
    DailyBar,
    Luld,
    OrderBook,
    Quote,
    Trade,
    encode,
)
from tests.adapters.simulator.ticks import SECOND, book, quotes, trades
from tests.minutes import MINUTE, START, minute_bars

EVERY = 7
PRINTS = [(1, 10.0, 100), (30, 10.5, 300), (59.5, 10.25, 100), (61, 10.75, 200), (130, 11, 50)]


def ask(core: SimulatorCore, method: str, path: str, body: Any = None) -> Any:
    data = b"" if body is None else msgspec.json.encode(body)
    answer = core.request(method, path, data)
    assert answer.status in (200, 204), answer.body
    return msgspec.json.decode(answer.body) if answer.body else None


def place(core: SimulatorCore, **terms: Any) -> Any:
    order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 10}
    return ask(core, "POST", "/v2/orders", {**order, **terms})


class Every(Strategy):
    """Alternates market orders and limits at the touch on each seventh quote."""

    def on_start(self):
        self.subscribe_quotes("SPY")
        self.seen = 0

    def on_quote(self, quote):
        self.seen += 1
        if self.seen % EVERY == 0:
            at = {} if self.seen % 2 else {"limit_price": quote.bid_price}
            self.buy("SPY", 10, time_in_force="day", **at)


def test_fills_on_quotes_are_those_of_a_backtest() -> None:
    table = quotes("SPY")
    told = backtest(Every(), table, venue="alpaca", fees="none", progress=False).fills
    expected = [
        (row.ts_event.value, Decimal(str(round(row.price, 9))), Decimal(str(row.quantity)))
        for row in told.itertuples()
    ]
    core, seen = make_core([table]), 0
    for step, _ in enumerate(core.instants()):
        if step % 3 != 2:
            continue
        for message in core.take_messages():
            if isinstance(message, Quote):
                seen += 1
                if seen % EVERY == 0:
                    at = {} if seen % 2 else {"type": "limit", "limit_price": message.bp}
                    place(core, **at)
    rows = ask(core, "GET", "/v2/account/activities/FILL?direction=asc")
    from pyrt.core.times import timestamp_ns

    got = [
        (timestamp_ns(row["transaction_time"]), Decimal(row["price"]), Decimal(row["qty"]))
        for row in rows
    ]
    assert len(got) > 20
    assert got == expected


def test_running_in_batches_comes_to_the_same_as_step_by_step() -> None:
    def finish(core: SimulatorCore, in_batches: bool) -> tuple[list[bytes], list[bytes]]:
        core.run(START + 3 * SECOND)
        place(core, type="limit", limit_price=99.99, qty=900)
        place(core, type="limit", limit_price=100.05, qty=100)
        messages: list[Any] = []
        if in_batches:
            while core.run(START + 600 * SECOND):
                messages += core.take_messages()
        else:
            for _ in core.instants():
                messages += core.take_messages()
        messages += core.take_messages()
        return [encode([m], packed=False) for m in messages], core.take_trade_updates()

    tables = [quotes("SPY"), trades("QQQ", PRINTS), minute_bars("IWM", [50.0] * 3)]
    first, second = (finish(make_core(tables), is_fast) for is_fast in (False, True))
    assert first == second
    assert any(b'"event":"fill"' in frame for frame in first[1])


def test_prints_become_minute_bars_with_their_count_and_average() -> None:
    core = make_core([trades("SPY", PRINTS)])
    core.run(START + 3 * MINUTE)
    messages = core.take_messages()
    assert [type(m) for m in messages[:7]] == [
        *(Trade, Trade, Trade, Quote, Bar, DailyBar, Luld),
    ]
    first, second, *_ = [m for m in messages if isinstance(m, Bar) and type(m) is Bar]
    assert (first.o, first.h, first.l, first.c, first.v, first.n) == (10, 10.5, 10, 10.25, 500, 3)
    assert first.vw == pytest.approx((1000 + 3150 + 1025) / 500)
    assert (first.t.text, second.v, second.n) == ("2013-10-07T13:30:00Z", 200, 1)
    day = [m for m in messages if isinstance(m, DailyBar)][-1]
    assert (day.o, day.h, day.l, day.c, day.v, day.n) == (10, 11, 10, 11, 750, 5)
    assert day.t.text == "2013-10-07T04:00:00Z"


def test_a_print_through_a_limit_fills_it_and_history_shows_what_is_known() -> None:
    core = make_core([trades("SPY", PRINTS)])
    core.run(START + 2 * SECOND)
    order = place(core, type="limit", limit_price=10.30, qty=50)
    core.run(START + 60 * SECOND)
    filled = ask(core, "GET", f"/v2/orders/{order['id']}")
    assert (filled["status"], filled["filled_avg_price"]) == ("filled", "10.3")
    assert filled["filled_at"] == "2013-10-07T13:30:59.5Z"
    page = ask(core, "GET", "/v2/stocks/SPY/trades?limit=2")
    assert [row["p"] for row in page["trades"]] == [10.0, 10.5]
    more = ask(core, "GET", f"/v2/stocks/SPY/trades?page_token={page['next_page_token']}")
    assert [row["p"] for row in more["trades"]] == [10.25]
    assert more["next_page_token"] is None
    newest = ask(core, "GET", "/v2/stocks/SPY/trades?limit=2&sort=desc")
    assert [row["p"] for row in newest["trades"]] == [10.25, 10.5]
    rest = f"/v2/stocks/SPY/trades?sort=desc&page_token={newest['next_page_token']}"
    assert [row["p"] for row in ask(core, "GET", rest)["trades"]] == [10.0]


def test_recorded_books_are_streamed_as_changes_and_shown_whole() -> None:
    rows = [
        (1, "snapshot", "bid", 99.0, 2.0),
        (1, "snapshot", "ask", 101.0, 3.0),
        (2, "set", "bid", 100.0, 1.0),
        (3, "delete", "bid", 99.0, 0.0),
    ]
    core = make_core([minute_bars("BTC/USD", [100.0] * 3), book("BTC/USD", rows)])
    core.run(START + 5 * SECOND)
    books = [m for m in core.take_messages() if isinstance(m, OrderBook)]
    assert [m.r is True for m in books] == [True, False, False]
    assert [(level.p, level.s) for level in books[2].b] == [(99.0, 0.0)]
    path = "/v1beta3/crypto/us/latest/orderbooks?symbols=BTC/USD"
    assert ask(core, "GET", path)["orderbooks"]["BTC/USD"] == {
        "t": "2013-10-07T13:30:03Z",
        "b": [{"p": 100.0, "s": 1.0}],
        "a": [{"p": 101.0, "s": 3.0}],
    }


def test_quotes_of_coins_are_books_of_one_level_where_none_is_recorded() -> None:
    core = make_core([quotes("BTC/USD", 5)])
    core.run(START + 10 * SECOND)
    messages = core.take_messages()
    last = [m for m in messages if isinstance(m, CoinQuote)][-1]
    shown = ask(core, "GET", "/v1beta3/crypto/us/latest/orderbooks?symbols=BTC/USD")
    assert shown["orderbooks"]["BTC/USD"]["b"] == [{"p": last.bp, "s": last.bs}]


def test_rows_before_the_start_are_history_and_not_sent() -> None:
    core = make_core([minute_bars("SPY", [100.0, 101.0, 102.0, 103.0])], start=START + 2 * MINUTE)
    assert core.now == START + 2 * MINUTE
    assert len(ask(core, "GET", "/v2/stocks/SPY/bars?timeframe=1Min")["bars"]) == 2
    core.run(START + 4 * MINUTE)
    sent = [m.c for m in core.take_messages() if type(m) is Bar]
    assert sent == [102.0, 103.0]
    assert place(make_core([quotes("SPY")], start=START + 20 * SECOND))["status"] == "pending_new"

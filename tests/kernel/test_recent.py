"""What is kept of market data: the last events of a stream, the same in both worlds."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.data.aggregation_activity import VolumeBars
from pyrt.errors import ConfigError, StrategyError
from tests.backtest.depths import SYMBOL, levels, play, prints, quotes
from tests.live.worlds import backtested, lived

MINUTE = 60_000_000_000


def ticks(n: int, seed: int = 3) -> pd.DataFrame:
    """Random prints, several a second."""
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-02T14:30", tz="UTC").value
    times = start + np.cumsum(random.integers(1, 2 * 10**9, n))
    return pd.DataFrame(
        {
            "ts_event": times,
            "price": 100 + np.round(random.normal(0, 0.2, n).cumsum(), 2),
            "size": random.integers(1, 50, n).astype(float),
            "aggressor": random.choice(["buy", "sell", ""], n),
        }
    )


class Twin(Strategy):
    """Keeps what it hears in deques of its own and compares at every event."""

    symbol: str = SYMBOL
    kept: int = 7
    check_every: int = 1

    def on_start(self) -> None:
        self.subscribe_trades(self.symbol)
        self.subscribe_bars(self.symbol, "10s")
        self.subscribe_bars(self.symbol, VolumeBars(200), name="volume")
        self.own: dict[str, deque[Any]] = {
            name: deque(maxlen=self.kept) for name in ("trades", "10s", "volume")
        }
        self.seen: list[Any] = []
        self.prints = self.keep_trades(self.symbol, self.kept)
        self.bars_10s = self.keep_bars(self.symbol, "10s", self.kept)
        self.keep_bars(self.symbol, "volume", self.kept)
        assert len(self.prints) == 0
        assert self.prints.last is None

    def on_trade(self, trade: Any) -> None:
        self.own["trades"].append(trade)
        assert list(self.cache.trades(self.symbol)) == list(self.own["trades"])
        assert self.cache.trade(self.symbol) == trade
        assert self.prints.price.tolist() == [t.price for t in self.own["trades"]]
        assert self.prints.aggressor.tolist() == [t.aggressor for t in self.own["trades"]]

    def on_bar(self, bar: Any) -> None:
        self.own[bar.timeframe].append(bar)
        kept = self.cache.bars(self.symbol, bar.timeframe)
        assert list(kept) == list(self.own[bar.timeframe])
        for name in kept.columns:
            assert kept.column(name).tolist() == [getattr(b, name) for b in kept]
        self.seen.append((bar.timeframe, kept.close.tolist()))


def test_what_is_kept_is_what_was_heard_last() -> None:
    strategy = Twin()
    backtest(strategy, {SYMBOL: ticks(400)}, progress=False)
    assert strategy.prints.total == 400
    assert len(strategy.own["10s"]) == len(strategy.own["volume"]) == 7


def test_elements_and_columns_read_like_a_sequence() -> None:
    strategy = Twin(kept=50)
    table = ticks(30)
    backtest(strategy, {SYMBOL: table}, progress=False)
    kept = strategy.prints
    assert len(kept) == 30
    assert kept[0].price == table["price"][0]
    assert kept[-1] == kept[29] == kept.last
    assert [t.size for t in kept[-3:]] == table["size"][-3:].tolist()
    assert kept.column("ts_event", 4).tolist() == table["ts_event"][-4:].tolist()
    assert kept.column("size", 99).tolist() == table["size"].tolist()
    for beyond in (30, -31):
        with pytest.raises(IndexError):
            kept[beyond]
    with pytest.raises(AttributeError, match="their columns are price, size, aggressor"):
        kept.close  # noqa: B018 - reading it is what raises


def test_defaults_are_those_of_the_documentation() -> None:
    class Keeper(Strategy):
        def on_start(self) -> None:
            self.sizes = [
                self.keep_trades(SYMBOL).capacity,
                self.keep_bars(SYMBOL, "1m").capacity,
                self.keep_bars(SYMBOL, "5m").capacity,
            ]
            # Asking for more widens it for all; asking for less changes nothing.
            self.sizes.append(self.keep_trades(SYMBOL, 20_000).capacity)
            self.sizes.append(self.keep_trades(SYMBOL, 5).capacity)

    strategy = Keeper()
    backtest(strategy, {SYMBOL: ticks(10)}, progress=False)
    assert strategy.sizes == [10_000, 1_440, 1_440, 20_000, 20_000]


def test_a_wider_ring_keeps_what_it_held() -> None:
    class Widens(Strategy):
        def on_start(self) -> None:
            self.kept = self.keep_trades(SYMBOL, 5)
            self.subscribe_trades(SYMBOL)

        def on_trade(self, trade: Any) -> None:
            if self.kept.total == 8:
                self.keep_trades(SYMBOL, 9)

    strategy = Widens()
    table = ticks(11)
    backtest(strategy, {SYMBOL: table}, progress=False)
    assert strategy.kept.price.tolist() == table["price"][3:].tolist()


def test_what_is_not_kept_says_how_to_keep_it() -> None:
    class Reader(Strategy):
        def on_start(self) -> None:
            self.subscribe_trades(SYMBOL)

        def on_trade(self, trade: Any) -> None:
            self.cache.trades(SYMBOL)

    with pytest.raises(StrategyError, match=r"trades of X are not kept.*keep_trades\('X'\)"):
        backtest(Reader(), {SYMBOL: ticks(3)}, progress=False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.keep_trades(SYMBOL, 0), "0 trades cannot be kept"),
        (lambda s: s.keep_bars(SYMBOL, "rather"), "no bars of X are called 'rather'"),
        (lambda s: s.subscribe_book(SYMBOL).keep(), "'book' are not kept"),
    ],
)
def test_what_cannot_be_kept_is_refused(call: Any, message: str) -> None:
    tables = {"book": levels((0, "B", 99, 5)), "trades": prints((1, 99, 1, ""))}
    with pytest.raises(StrategyError, match=message) as caught:
        play(tables, {0.5: call})
    assert isinstance(caught.value.__cause__, ConfigError)


def test_the_last_quote_and_the_book_are_at_hand() -> None:
    seen: list[Any] = []

    def look(strategy: Any) -> None:
        seen.append(strategy.cache.quote(SYMBOL))
        seen.append(strategy.cache.book(SYMBOL).best_bid)

    tables = {
        "book": levels((0, "B", 99, 5), (2, "B", 99.5, 1), (4, "B", 99.7, 1)),
        "quotes": quotes((1, 99, 5, 100, 5), (3, 99, 7, 100, 6)),
    }
    play(tables, {0.5: lambda s: s.keep_quotes(SYMBOL) and None, 2.5: look, 3.5: look})
    assert [seen[0].bid_size, seen[2].bid_size] == [5, 7]
    assert [seen[1], seen[3]] == [99.5, 99.5]


def test_warm_up_fills_what_is_kept_from_the_start() -> None:
    bars = pd.DataFrame(
        {"open": 1.0, "high": 1.0, "low": 1.0, "close": np.arange(1.0, 31.0), "volume": 1.0},
        index=pd.date_range("2024-01-02T14:30", periods=30, freq="1min", tz="UTC"),
    ).assign(open=lambda f: f.close, high=lambda f: f.close, low=lambda f: f.close)

    class Late(Strategy):
        def on_start(self) -> None:
            self.subscribe_bars(SYMBOL, "1m")
            self.kept = self.keep_bars(SYMBOL, "1m")
            self.first = -1

        def on_bar(self, bar: Any) -> None:
            if self.first < 0:
                self.first = len(self.kept)

    strategy = Late()
    backtest(strategy, {SYMBOL: bars}, label="open", start=bars.index[20], warmup=5, progress=False)
    assert strategy.first == 6


class Recorder(Strategy):
    """Writes down what the store shows at each bar, and trades a little."""

    symbol: str = "SPY"

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "10s")
        self.keep_trades(self.symbol, 50)
        self.keep_bars(self.symbol, "10s", 5)
        self.shown: list[Any] = []

    def on_bar(self, bar: Any) -> None:
        trades, bars = self.cache.trades(self.symbol), self.cache.bars(self.symbol, "10s")
        self.shown.append((trades.price.tolist(), trades.ts_event.tolist(), bars.close.tolist()))


def test_both_worlds_keep_the_same() -> None:
    from pyrt import load

    table = ticks(300, seed=5).drop(columns="aggressor")
    data = load(table, symbol="SPY").columns
    tested, live = Recorder(), Recorder()
    backtested([tested], data)
    lived([live], data)
    assert len(tested.shown) > 10
    shared = min(len(tested.shown), len(live.shown))
    assert live.shown[:shared] == tested.shown[:shared]
    assert abs(len(live.shown) - len(tested.shown)) <= 1


# -- our own orders ----------------------------------------------------------------------------


def test_our_own_orders_are_those_that_rest() -> None:
    seen: list[Any] = []
    book = levels((0, "B", 99, 5), (0, "A", 101, 5), (3, "A", 99.5, 2), (5, "A", 101, 4))
    steps = {
        0.5: lambda s: s.buy(SYMBOL, 4, limit_price=99.5),
        0.6: lambda s: s.sell(SYMBOL, 9, limit_price=102, display_quantity=3),
        0.7: lambda s: s.sell(SYMBOL, 1, stop_price=90, limit_price=89),
        1.0: lambda s: seen.append(s.cache.own_orders(SYMBOL)),
        4.0: lambda s: seen.append(s.cache.own_orders(SYMBOL)),
    }
    play({"book": book}, steps)
    assert seen == [
        [("buy", 99.5, 4), ("sell", 102, 3)],
        [("buy", 99.5, 2), ("sell", 102, 3)],
    ]


def test_a_book_without_our_orders_leaves_the_others() -> None:
    seen: list[Any] = []

    def look(strategy: Any) -> None:
        kernel = strategy.portfolio._kernel
        recorded = strategy.book(SYMBOL, own=False).bids().tolist()
        kernel.books_show_own = True
        seen.append((recorded, strategy.book(SYMBOL, own=False).bids().tolist()))
        kernel.books_show_own = False

    book = levels((0, "B", 99, 5), (0, "B", 98, 1), (0, "A", 101, 5), (9, "A", 101, 4))
    steps = {
        0.5: lambda s: s.buy(SYMBOL, 4, limit_price=99),
        0.6: lambda s: s.buy(SYMBOL, 1, limit_price=98),
        1.0: look,
    }
    play({"book": book}, steps)
    # A recorded book has none of ours; a venue's own book has.
    assert seen == [([[99, 5], [98, 1]], [[99, 1]])]

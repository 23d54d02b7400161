"""Bars of all kinds in a strategy: made on the way from trades, quotes or smaller bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest, load
from pyrt.data.aggregation_activity import (
    ImbalanceBars,
    RunsBars,
    TickBars,
    ValueBars,
    VolumeBars,
)
from pyrt.data.aggregation_price import HeikinAshiBars, RangeBars, RenkoBars
from pyrt.data.aggregation_time import TimeBars
from pyrt.errors import StrategyError
from pyrt.risk import RiskEngine
from tests.live.cores import core_of

SECOND = 1_000_000_000
START = 1_704_207_600 * SECOND


class Hears(Strategy):
    """Keeps the bars of one subscription."""

    def __init__(self, make, **options):
        super().__init__()
        self._make, self._options = make, options
        self.bars = []

    def on_start(self):
        self.stream = self.subscribe_bars("X", self._make(), **self._options)

    def on_bar(self, bar):
        self.bars.append(bar)


def trades(count: int = 3000) -> pd.DataFrame:
    draw = np.random.default_rng(3)
    ts = START + np.cumsum(draw.integers(1, 900, count)) * 1_000_000
    price = (100 + np.cumsum(draw.integers(-2, 3, count)) / 100).round(2)
    return pd.DataFrame({"ts_event": ts, "price": price, "size": draw.integers(1, 300, count)})


def heard(make, data, kind: str, **options):
    strategy = Hears(make, **options)
    backtest(strategy, data, symbol="X", kind=kind, progress=False)
    return strategy


def rows(bars) -> list[tuple]:
    return [(b.ts_open, b.ts_event, b.open, b.high, b.low, b.close, b.volume) for b in bars]


def test_bars_of_a_number_of_trades():
    table = trades()
    price, size = table["price"].to_numpy(), table["size"].to_numpy(float)
    stamps = table["ts_event"].to_numpy()
    expected = []
    for at in range(0, len(price) - len(price) % 100, 100):
        part = price[at : at + 100]
        expected.append(
            (stamps[at], stamps[at + 99], part[0], part.max(), part.min(), part[-1],
             size[at : at + 100].sum())
        )  # fmt: skip
    assert rows(heard(lambda: TickBars(100), table, "trades").bars) == expected


def test_bars_of_a_volume():
    table = trades()
    expected, volume, first = [], 0.0, None
    for row in table.itertuples():
        first = first or row.ts_event
        volume += row.size
        if volume >= 5000:
            expected.append((first, row.ts_event, volume))
            volume, first = 0.0, None
    made = heard(lambda: VolumeBars(5000), table, "trades").bars
    assert [(b.ts_open, b.ts_event, b.volume) for b in made] == expected


KINDS = [
    lambda: TickBars(50),
    lambda: VolumeBars(9000),
    lambda: ValueBars(400_000),
    lambda: ImbalanceBars("tick", 40),
    lambda: ImbalanceBars("volume", 40),
    lambda: ImbalanceBars("value", 40),
    lambda: RunsBars("volume", 40),
    lambda: RangeBars(0.10),
    lambda: RenkoBars(0.05),
    lambda: TimeBars("10s"),
]


@pytest.mark.parametrize("make", KINDS)
def test_a_strategy_gets_the_bars_a_table_gives(make):
    table = trades()
    arrays = (
        table["ts_event"].to_numpy(),
        table["price"].to_numpy(float),
        table["size"].to_numpy(float),
    )
    expected = make().batch_trades(*arrays)
    made = heard(make, table, "trades").bars
    assert len(made) > 5
    names = ("ts_open", "ts_close", "open", "high", "low", "close", "volume")
    table_rows = [tuple(row[name] for name in names) for row in expected]
    # A strategy's timed bars also end by the clock, in the last interval that is over.
    assert rows(made)[: len(table_rows)] == table_rows
    assert len(made) - len(table_rows) <= 1


def test_bars_from_quotes_where_there_is_nothing_else():
    table = trades()
    quotes = pd.DataFrame(
        {
            "ts_event": table["ts_event"],
            "bid_price": table["price"] - 0.01,
            "bid_size": 100.0,
            "ask_price": table["price"] + 0.01,
            "ask_size": 100.0,
        }
    )
    made = heard(lambda: "10s", quotes, "quotes").bars
    mid = pd.Series(
        ((quotes["bid_price"] + quotes["ask_price"]) * 0.5).to_numpy(),
        pd.to_datetime(quotes["ts_event"], utc=True),
    )
    expected = mid.resample("10s").ohlc().dropna()
    assert len(made) >= len(expected) - 1 > 100
    for bar, (label, row) in zip(made, expected.iterrows(), strict=False):
        assert bar.ts_open == label.value
        assert (bar.open, bar.high, bar.low, bar.close) == tuple(row)
    assert heard(lambda: RangeBars(0.1), quotes, "quotes").bars
    assert heard(lambda: TickBars(100, quote_price="bid"), quotes, "quotes").bars


def minutes(count: int = 60) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    close = 100 + np.cumsum(draw.normal(0, 0.2, count)).round(2)
    index = pd.date_range("2024-01-02 15:00", periods=count, freq="1min", tz="UTC")
    return pd.DataFrame(
        {"open": close, "high": close + 0.1, "low": close - 0.1, "close": close, "volume": 1000.0},
        index=index,
    )


def test_heikin_ashi_of_any_timeframe():
    strategy = Hears(HeikinAshiBars, source="5m", name="ha5")
    backtest(strategy, minutes(), symbol="X", label="open", timeframe="1m", progress=False)
    five = (
        minutes()
        .resample("5min")
        .agg({"open": "first", "high": "max", "low": "min", "close": "last"})
    )
    opened, last, expected = 0.0, 0.0, []
    for row in five.itertuples():
        close = (row.open + row.high + row.low + row.close) / 4
        opened = (row.open + row.close) / 2 if not expected else (opened + last) / 2
        expected.append((opened, max(row.high, opened, close), min(row.low, opened, close), close))
        last = close
    assert [(b.open, b.high, b.low, b.close) for b in strategy.bars] == [
        pytest.approx(row) for row in expected
    ]
    assert {b.timeframe for b in strategy.bars} == {"ha5"}


def test_several_kinds_in_one_strategy_beside_each_other():
    class Several(Strategy):
        def on_start(self):
            self.counts = {}
            self.subscribe_bars("X", "1m")
            self.subscribe_bars("X", "5m")
            self.subscribe_bars("X", VolumeBars(3000), name="volume")
            self.subscribe_bars("X", "10m")

        def on_bar(self, bar):
            self.counts[bar.timeframe] = self.counts.get(bar.timeframe, 0) + 1

    strategy = Several()
    result = backtest(strategy, minutes(), symbol="X", label="open", timeframe="1m", progress=False)
    assert strategy.counts == {"1m": 60, "5m": 12, "10m": 6, "volume": 20}
    assert result.events_processed == 60


def test_bars_that_follow_no_clock_mark_no_position():
    class Holds(Strategy):
        def on_start(self):
            self.subscribe_bars("X", "1m")
            self.subscribe_bars("X", RenkoBars(5), source="1m")
            self.buy("X", 10)

        def on_bar(self, bar):
            pass

    table = minutes()
    result = backtest(Holds(), table, symbol="X", label="open", timeframe="1m", progress=False)
    bought = result.fills["price"].iloc[0]
    assert result.equity.iloc[-1] == pytest.approx(
        100_000 + 10 * (table["close"].iloc[-1] - bought)
    )


BESIDE = {
    "1m": lambda strategy: strategy.subscribe_bars("SPY", "1m"),
    "30s": lambda strategy: strategy.subscribe_bars("SPY", "30s"),
    "trades": lambda strategy: strategy.subscribe_trades("SPY"),
    "quotes": lambda strategy: strategy.subscribe_quotes("SPY"),
}


class Asks(Strategy):
    """Does one thing at its start."""

    def __init__(self, ask):
        super().__init__()
        self._ask = ask

    def on_start(self):
        self._ask(self)


def sources(streams) -> dict[str, str]:
    """Return what each kind of bars is made of."""
    return {
        type(aggregator).__name__ + target.timeframe * isinstance(aggregator, TimeBars): s.topic
        for s in streams
        for aggregator, target in s.aggregates
    }


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize(
    ("make", "source"),
    [
        (lambda: VolumeBars(5000), "trades.SPY"),
        (lambda: ValueBars(500_000), "trades.SPY"),
        (lambda: TickBars(100), "trades.SPY"),
        (lambda: RangeBars(0.10), "trades.SPY"),
        (lambda: ImbalanceBars("tick", 50), "trades.SPY"),
        (lambda: RenkoBars(0.05), "trades.SPY"),
        (HeikinAshiBars, "bars.SPY.1m"),
        (lambda: TimeBars("5m"), "bars.SPY.1m"),
    ],
)
def test_in_a_node_bars_are_made_of_the_same_whoever_asks_first(make, source, beside):
    """Somebody else's minute bars, or quotes, became what they were made of."""
    name = type(make()).__name__

    def asks(strategy):
        strategy.subscribe_bars("SPY", make(), name="made")

    for order in ([asks, BESIDE[beside]], [BESIDE[beside], asks]):
        core, _ = core_of(RiskEngine(), [Asks(ask) for ask in order])
        made = sources(core.kernel.cache.streams)
        assert made.pop("TimeBarsmade" if name == "TimeBars" else name) == f"data.{source}"


@pytest.mark.parametrize("is_first", [True, False])
def test_in_a_backtest_bars_are_made_of_the_same_whoever_asks_first(is_first):
    """Of prints, Heikin-Ashi bars were of minutes, or of what somebody else had asked for."""
    smooth, other = Hears(HeikinAshiBars), Hears(lambda: "5m")
    backtest(
        [smooth, other] if is_first else [other, smooth], trades(), symbol="X", kind="trades",
        progress=False,
    )  # fmt: skip
    assert {bar.ts_event - bar.ts_open for bar in smooth.bars} == {60 * SECOND}


def test_what_makes_no_sense_is_named():
    def fails(match, make, **options):
        with pytest.raises(StrategyError, match=match):
            backtest(
                Hears(make, **options), minutes(), symbol="X", label="open", timeframe="1m",
                progress=False,
            )  # fmt: skip

    fails("RangeBars cannot be made from 1m", lambda: RangeBars(1), source="1m")
    fails("there are no trades of X", lambda: RangeBars(1))
    fails("cannot be called '5m'", lambda: VolumeBars(1), name="5m")
    fails("expected a timeframe or an aggregator, got 5", lambda: 5)


def test_what_minutes_do_not_add_up_to_is_made_of_prints():
    """It was made of minutes wherever they were there, too, and ended with one that has no part."""
    prints = load(trades(), symbol="X", kind="trades")
    bars = load(minutes(), symbol="X", label="open", timeframe="1m")
    alone, beside = Hears(lambda: "90s"), Hears(lambda: "90s")
    backtest(alone, prints.columns, progress=False)
    backtest(beside, [*prints.columns, *bars.columns], progress=False)
    assert len(alone.bars) > 5
    assert rows(beside.bars)[: len(alone.bars)] == rows(alone.bars)

"""Time bars of recorded prints, quotes and bars against pandas resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pyrt.data.aggregation_activity import TickBars, VolumeBars
from pyrt.data.aggregation_time import TimeBars
from tests.recorded import recorded

PRICES = ["open", "high", "low", "close"]
FREQUENCIES = {"1s": "1s", "1m": "1min", "5m": "5min", "1h": "1h", "1d": "1D"}


def load(name: str, columns: list[str], symbol: str | None = None) -> pd.DataFrame:
    frame = pd.read_parquet(recorded(f"{name}.parquet"), columns=[*columns, "symbol"])
    return frame if symbol is None else frame[frame.symbol == symbol]


@pytest.fixture(scope="module")
def spy() -> pd.DataFrame:
    """Five sessions of SPY prints, 04:00 to 20:00 New York, 1.9 million rows."""
    frame = load("eq_trades_SPY_20131007_20131011", ["ts_event", "price", "size"])
    return frame.set_index(pd.to_datetime(frame.ts_event, utc=True))


def resampled(trades: pd.DataFrame, frequency: Any, **options: Any) -> pd.DataFrame:
    """OHLCV, count and VWAP by pandas; intervals without trades left out."""
    groups = trades.assign(value=trades.price * trades["size"]).resample(frequency, **options)
    bars = groups.price.ohlc()
    bars["volume"] = groups["size"].sum()
    bars["count"] = groups.price.count()
    bars["vwap"] = groups.value.sum() / bars.volume
    return bars[bars["count"] > 0]


def check(rows: NDArray[Any], bars: pd.DataFrame) -> None:
    """Everything equal; the VWAP but for pandas' compensated sums."""
    assert len(rows) == len(bars) > 0
    starts = bars.index.as_unit("ns").asi8  # type: ignore[attr-defined]
    assert (rows["ts_open"] == starts).all()
    for name in [*PRICES, "volume", "count"]:
        assert (rows[name] == bars[name].to_numpy()).all(), name
    np.testing.assert_allclose(rows["vwap"], bars.vwap, rtol=1e-12)


def columns(trades: pd.DataFrame) -> list[Any]:
    return [trades[name].to_numpy() for name in ("ts_event", "price", "size")]


@pytest.mark.parametrize("timeframe", FREQUENCIES)
def test_spy_prints_equal_pandas_resampling(spy: pd.DataFrame, timeframe: str) -> None:
    rows = TimeBars(timeframe).batch_trades(*columns(spy), finish=True)
    check(rows, resampled(spy, FREQUENCIES[timeframe]))


def test_a_week_of_spy_equals_pandas_weeks_from_monday(spy: pd.DataFrame) -> None:
    rows = TimeBars("1w").batch_trades(*columns(spy), finish=True)
    check(rows, resampled(spy, "W-MON", label="left", closed="left"))


@pytest.mark.parametrize(("timeframe", "frequency"), [("1h", "1h"), ("45m", "45min")])
def test_spy_sessions_equal_pandas_day_by_day(
    spy: pd.DataFrame, timeframe: str, frequency: str
) -> None:
    days = pd.date_range("2013-10-07", "2013-10-11", tz="America/New_York")
    opens, closes = ((days + pd.Timedelta(hours=h)).as_unit("ns").asi8 for h in (9.5, 16))
    bars = TimeBars(timeframe, sessions=(opens, closes))
    rows = bars.batch_trades(*columns(spy), finish=True)
    by_day = [
        resampled(
            spy[(spy.ts_event >= a) & (spy.ts_event < b)],
            frequency,
            origin=pd.Timestamp(a, tz="UTC"),
        )
        for a, b in zip(opens, closes)
    ]
    inside = sum(int(day["count"].sum()) for day in by_day)
    assert bars.outside == len(spy) - inside > 0
    check(rows, pd.concat(by_day))
    first_of_day = np.append(True, np.diff(rows["ts_open"]) > 10**13)
    assert (rows["ts_open"][first_of_day] == opens).all()
    assert (rows["ts_close"][np.append(first_of_day[1:], True)] == closes).all()


def test_minutes_of_spy_prints_add_up_to_the_same_hours(spy: pd.DataFrame) -> None:
    minutes = TimeBars("1m").batch_trades(*columns(spy), finish=True)
    names = ["ts_open", "ts_close", *PRICES, "volume"]
    hours = TimeBars("1h").batch_bars(*(minutes[name] for name in names), finish=True)
    direct = TimeBars("1h").batch_trades(*columns(spy), finish=True)
    for name in names:
        assert (hours[name] == direct[name]).all(), name


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_spy_minutes_equal_pandas_resampling(timeframe: str) -> None:
    frame = load("eq_bars_1m", ["ts_event", "ts_close", *PRICES, "volume"], "SPY")
    rows = TimeBars(timeframe).batch_bars(*(frame[c].to_numpy() for c in frame.columns[:7]))
    frame = frame.set_index(pd.to_datetime(frame.ts_event, utc=True))
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    bars = frame.resample(FREQUENCIES[timeframe]).agg(how).dropna()
    assert len(bars) - len(rows) in (0, 1)  # the last one is under way unless its end was given
    for name in how:
        assert (rows[name] == bars[name].to_numpy()[: len(rows)]).all(), name


@pytest.mark.parametrize("price", ["bid", "ask", "mid"])
def test_bac_quotes_equal_pandas_resampling(price: str) -> None:
    frame = load("eq_quotes_BAC_20131007_20131011", ["ts_event", "bid_price", "ask_price"])
    table = [frame[c].to_numpy() for c in ("ts_event", "bid_price", "ask_price")]
    rows = TimeBars("1m", quote_price=price).batch_quotes(*table, finish=True)
    bid, ask = frame.bid_price, frame.ask_price
    chosen = {"bid": bid, "ask": ask, "mid": 0.5 * (bid + ask)}[price]
    chosen.index = pd.to_datetime(frame.ts_event, utc=True)
    groups = chosen.resample("1min")
    bars = groups.ohlc().dropna()
    assert len(rows) == len(bars)
    assert (rows["count"] == groups.count().loc[bars.index].to_numpy()).all()
    for name in PRICES:
        assert (rows[name] == bars[name].to_numpy()).all(), name


def test_activity_bars_of_spy_equal_numpy_grouping(spy: pd.DataFrame) -> None:
    n = 1_000
    ticks = TickBars(n).batch_trades(*columns(spy))
    price = spy.price.to_numpy()[: len(ticks) * n].reshape(-1, n)
    assert len(ticks) == len(spy) // n
    assert (ticks["high"] == price.max(axis=1)).all()
    assert (ticks["close"] == price[:, n - 1]).all()
    volume = VolumeBars(500_000).batch_trades(*columns(spy))
    ends = np.cumsum(volume["count"])
    total = np.cumsum(spy["size"].to_numpy())
    bounds = np.append(0.0, total[ends - 1])
    assert (np.diff(bounds) == volume["volume"]).all()
    assert (volume["volume"] >= 500_000).all()
    assert (total[ends - 2] - bounds[: len(ends)] < 500_000).all()  # not one print too many

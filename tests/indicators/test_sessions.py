"""The session-anchored average price, against pandas and the clock, and pivots by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.errors import ConfigError
from pyrt.indicators import CAMARILLA, FIBPIVOTS, MICROPRICE, PIVOTS, RVWAP, SESSIONVWAP
from pyrt.indicators.sessions import Clock
from tests.indicators.series import walk

HOUR = 3_600_000_000_000


def moments(text: str, periods: int, freq: str, tz: str) -> pd.DatetimeIndex:
    return pd.date_range(text, periods=periods, freq=freq, tz=tz)


def grouped(stamps: pd.DatetimeIndex, keys: pd.Index, bars: dict[str, np.ndarray], width: float):
    """The running average of each group and its band, from the whole prefix each time."""
    price = (bars["high"] + bars["low"] + bars["close"]) / 3
    volume = bars["volume"]
    mean, band = np.empty(len(stamps)), np.empty(len(stamps))
    for i in range(len(stamps)):
        start = i
        while start > 0 and keys[start - 1] == keys[i]:
            start -= 1
        p, v = price[start : i + 1], volume[start : i + 1]
        mean[i] = np.average(p, weights=v)
        band[i] = mean[i] + width * np.sqrt(np.average((p - mean[i]) ** 2, weights=v))
    return mean, band


@pytest.mark.parametrize(
    ("anchor", "start", "tz"),
    [
        ("day", "00:00", "UTC"),
        ("day", "18:00", "America/New_York"),
        ("day", "09:30", "America/New_York"),
        ("week", "00:00", "Europe/Berlin"),
        ("month", "17:00", "America/New_York"),
    ],
)
def test_average_starts_afresh_with_each_session(anchor: str, start: str, tz: str) -> None:
    stamps = moments("2024-03-05 00:30", 600, "2h30min", "UTC")  # clocks change on March 10 and 31
    bars = walk(600)
    # the nanosecond before belongs to the session; its local day, shifted by the start, is the key
    local = (stamps - pd.Timedelta(1)).tz_convert(tz).tz_localize(None) - pd.Timedelta(
        start + ":00"
    )
    keys = {
        "day": local.normalize(),
        "week": local.to_period("W-SUN").start_time,
        "month": local.to_period("M").start_time,
    }[anchor]
    mean, band = grouped(stamps, keys, bars, 1.5)
    columns = [bars[name] for name in ("high", "low", "close", "volume")]
    ts = stamps.as_unit("ns").asi8.astype(float)
    vwap, upper, lower = SESSIONVWAP(1.5, anchor, start, tz).batch(*columns, ts)
    np.testing.assert_allclose(vwap, mean, rtol=1e-12)
    np.testing.assert_allclose(upper, band, rtol=1e-9)
    np.testing.assert_allclose(upper - vwap, vwap - lower, rtol=1e-7, atol=1e-10)


def test_the_bar_that_closes_at_the_end_is_the_sessions_last() -> None:
    clock = Clock("day", "18:00", "America/New_York")
    end = pd.Timestamp("2024-07-02 18:00", tz="America/New_York").value
    assert clock.bounds(float(end)) == (end - 24 * HOUR, end)
    assert clock.bounds(float(end + 1_000_000)) == (end, end + 24 * HOUR)


def test_a_day_on_which_clocks_change_has_23_hours() -> None:
    clock = Clock("day", "00:00", "America/New_York")
    noon = pd.Timestamp("2024-03-10 12:00", tz="America/New_York").value
    start, end = clock.bounds(float(noon))
    assert end - start == 23 * HOUR


@pytest.mark.parametrize(
    "given", [{"anchor": "year"}, {"start": "noon"}, {"tz": "Mars"}, {"nbdev": -1.0}]
)
def test_a_session_nobody_knows_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SESSIONVWAP(**given)


def test_no_volume_no_price() -> None:
    vwap, _, _ = SESSIONVWAP().batch([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [0.0, 3.0], [1e9, 2e9])
    assert np.isnan(vwap[0])
    assert vwap[1] == 2.0


def test_it_is_fed_with_the_time_by_the_engine_and_trades_are_bars_of_one_price() -> None:
    class Reader(Strategy):
        def on_start(self) -> None:
            trades = self.subscribe_trades("X")
            self.anchored = self.attach(SESSIONVWAP(tz="UTC"), trades)
            self.rolling = self.attach(RVWAP(2), trades)
            self.seen: list[tuple[float, float]] = []

        def on_trade(self, trade: object) -> None:
            self.seen.append((self.anchored.value, self.rolling.value))

    stamps = moments("2024-05-01 23:58", 4, "1min", "UTC")
    table = pd.DataFrame(
        {"ts_event": stamps.asi8, "price": [10.0, 20.0, 40.0, 50.0], "size": [1.0, 3.0, 1.0, 1.0]}
    )
    table["ts_event"] = stamps.as_unit("ns").asi8
    strategy = Reader()
    backtest(strategy, {"X": table}, progress=False)
    anchored, rolling = zip(*strategy.seen)
    # 00:00 still belongs to the first day; then the new one stands at its own price
    assert anchored == pytest.approx((10.0, 17.5, 22.0, 50.0))
    assert rolling[1:] == pytest.approx((17.5, 25.0, 45.0))


def test_quotes_feed_indicators_of_quotes() -> None:
    class Reader(Strategy):
        def on_start(self) -> None:
            self.micro = self.attach(MICROPRICE(), self.subscribe_quotes("X"))
            self.seen: list[float] = []

        def on_quote(self, quote: object) -> None:
            self.seen.append(self.micro.value)

    stamps = moments("2024-05-01 12:00", 2, "1s", "UTC")
    table = pd.DataFrame(
        {
            "ts_event": stamps.as_unit("ns").asi8,
            "bid_price": [10.0, 10.0],
            "bid_size": [300.0, 100.0],
            "ask_price": [11.0, 11.0],
            "ask_size": [100.0, 100.0],
        }
    )
    strategy = Reader()
    backtest(strategy, {"X": table}, progress=False)
    assert strategy.seen == [10.75, 10.5]


def test_classic_pivots_by_hand() -> None:
    # high 12, low 8, close 10: pivot 10, range 4
    levels = [column[0] for column in PIVOTS().batch([12.0], [8.0], [10.0])]
    assert levels == [10.0, 12.0, 14.0, 16.0, 8.0, 6.0, 4.0]


def test_fibonacci_pivots_by_hand() -> None:
    levels = [column[0] for column in FIBPIVOTS().batch([12.0], [8.0], [10.0])]
    assert levels == pytest.approx([10.0, 11.528, 12.472, 14.0, 8.472, 7.528, 6.0])


def test_camarilla_levels_by_hand() -> None:
    # range 12: 1.1 ranges are 13.2; a twelfth 1.1, a sixth 2.2, a quarter 3.3, half 6.6
    levels = [column[0] for column in CAMARILLA().batch([110.0], [98.0], [100.0])]
    assert levels == pytest.approx([101.1, 102.2, 103.3, 106.6, 98.9, 97.8, 96.7, 93.4])

"""Which days the returns of a run are of, and how many of them it counts to a year."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import BacktestResult, Strategy, backtest
from pyrt.core.instruments import Instrument
from pyrt.data import load
from pyrt.facade import result_of
from tests.backtest.harness import play

WEEKDAYS = pd.bdate_range("2024-01-22", periods=15)
ALL_DAYS = pd.date_range("2024-01-22", periods=15)


class Listens(Strategy):
    timeframe: str = "1d"

    def on_start(self) -> None:
        self.subscribe_bars("X", self.timeframe)


def flat(index: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), 100.0), index=index).assign(
        volume=1.0
    )


def run(index: pd.DatetimeIndex, timeframe: str = "1d", **options: Any) -> BacktestResult:
    options = {"symbol": "X", "label": "open", "progress": False} | options
    return backtest(Listens(timeframe=timeframe), flat(index), timeframe=timeframe, **options)


@pytest.mark.parametrize(
    ("index", "options", "periods", "reason"),
    [
        (WEEKDAYS, {}, 252, "data on weekdays only"),
        (ALL_DAYS, {}, 365, "data on seven days a week"),
        (WEEKDAYS, {"calendar": "24/7"}, 365, "calendar 24/7"),
        (WEEKDAYS, {"calendar": "XNYS"}, 252, "calendar XNYS"),
        (WEEKDAYS, {"tz": "Asia/Tokyo"}, 252, "data on weekdays only"),
    ],
)
def test_a_year_is_of_the_calendar_named_or_of_the_days_there_are(
    index: pd.DatetimeIndex, options: dict[str, Any], periods: float, reason: str
) -> None:
    summary = run(index, **options).summary
    assert (summary["periods_per_year"], summary["periods_reason"]) == (periods, reason)


def test_a_described_instrument_names_its_calendar() -> None:
    table = flat(WEEKDAYS.tz_localize("UTC"))
    instrument = Instrument("X", calendar="XNYS")
    made = play({"X": table}, Listens(), instrument=instrument, timeframe="1d")
    assert result_of(made.outcome).summary["periods_reason"] == "calendar XNYS"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Europe/London", "UTC"])
@pytest.mark.parametrize("naive", [True, False])
def test_days_are_named_where_the_data_name_them(zone: str, naive: bool) -> None:
    if naive:
        result = run(WEEKDAYS, tz=zone)
    else:
        result = run(WEEKDAYS.tz_localize(zone))
    assert result.returns.index.tolist() == WEEKDAYS.tolist()


def test_minutes_of_an_evening_belong_to_the_local_day() -> None:
    # What New York trades after seven in the evening is of the next day in UTC.
    index = pd.date_range("2024-01-02 18:00", "2024-01-02 23:00", freq="1h")
    index = index.append(index + pd.Timedelta(days=1))
    days = run(index, "1h", tz="America/New_York").returns.index
    assert days.strftime("%m-%d").tolist() == ["01-02", "01-03"]


def test_a_calendar_that_is_named_goes_before_the_zone_of_the_data() -> None:
    result = run(WEEKDAYS, tz="America/New_York", calendar="24/7")
    assert "timezone" not in result.provenance
    assert result.provenance["calendar"] == "24/7"


def test_an_offset_that_no_name_leads_to_leaves_days_of_utc() -> None:
    pytz = pytest.importorskip("pytz")

    class Hears(Strategy):
        def on_start(self) -> None:
            self.subscribe_trades("X")

    times = (WEEKDAYS + pd.Timedelta(hours=22)).tz_localize(pytz.FixedOffset(-300))
    prints = pd.DataFrame({"ts_event": times, "price": 100.0, "size": 1.0})
    result = backtest(Hears(), prints, symbol="X", progress=False)
    assert "timezone" not in result.provenance
    assert result.returns.index[0] == WEEKDAYS[0] + pd.Timedelta(days=1)


def test_data_of_several_zones_have_days_of_utc() -> None:
    index = WEEKDAYS.tz_localize("America/New_York")
    tables = {"X": flat(index), "Y": flat(WEEKDAYS.tz_localize("Asia/Tokyo"))}
    data = load(tables, timeframe="1d", label="open")
    result = backtest(Listens(), data, progress=False)
    assert not {"timezone", "calendar"} & result.provenance.keys()

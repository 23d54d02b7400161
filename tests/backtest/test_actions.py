"""When splits and dividends are in force: before the first trade of their ex-date, not sooner."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy, backtest
from pyrt.data import ParquetStream
from pyrt.errors import DataError

EX_DATE = "2024-01-09"
"""A Tuesday."""
SPLIT = [{"symbol": "X", "ex_date": EX_DATE, "kind": "split", "split_ratio": 4.0}]
NEW_YORK = "America/New_York"
DAYS = pd.bdate_range("2024-01-02", periods=8)


class Guarded(Strategy):
    """Buys 100 at the first bar, with exits that a split which is not seen at its bar sets off."""

    timeframe: str = "1d"

    def on_start(self) -> None:
        self.subscribe_bars("X", self.timeframe)
        self.seen = 0

    def on_bar(self, bar: Any) -> None:
        self.seen += 1
        if self.seen == 1:
            self.buy("X", 100, stop_loss=90, take_profit=130)


def bars(index: pd.DatetimeIndex, before: Any) -> pd.DataFrame:
    """Return flat bars, at 100 where `before` says that the split is still to come, then at 25."""
    prices = pd.Series(before, index).map({True: 100.0, False: 25.0})
    names = ("open", "high", "low", "close")
    return pd.DataFrame({**dict.fromkeys(names, prices), "volume": 1e4}, index=index)


def by_date(index: pd.DatetimeIndex) -> pd.DataFrame:
    return bars(index, [str(stamp.date()) < EX_DATE for stamp in index])


def kept(frame: pd.DataFrame, timeframe: str = "1d", **options: Any) -> tuple[float, int]:
    """Return the final equity of a run over the split, and how many fills it had."""
    strategy = Guarded(timeframe=timeframe)
    options = {"corporate_actions": SPLIT, "progress": False} | options
    result = backtest(strategy, frame, symbol="X", timeframe=timeframe, **options)
    return result.summary["final_equity"], len(result.fills)


@pytest.mark.parametrize("options", [{}, {"tz": NEW_YORK}, {"tz": "Asia/Tokyo"},
                                     {"calendar": "XNYS"}])  # fmt: skip
def test_days_that_are_dates_split_on_their_date(options: dict[str, Any]) -> None:
    assert kept(by_date(DAYS), **options) == (100_000, 1)


@pytest.mark.parametrize("zone", ["UTC", NEW_YORK, "Asia/Tokyo", "Etc/GMT+5"])
def test_days_of_a_zone_split_at_its_midnight(zone: str) -> None:
    assert kept(by_date(DAYS.tz_localize(zone))) == (100_000, 1)


@pytest.mark.parametrize("ex_date", [EX_DATE, pd.Timestamp(EX_DATE), pd.Timestamp(EX_DATE).date(),
                                     pd.Timestamp(EX_DATE, tz=NEW_YORK)])  # fmt: skip
def test_an_ex_date_may_be_written_in_any_form(ex_date: Any) -> None:
    frame = by_date(DAYS.tz_localize(NEW_YORK))
    assert kept(frame, corporate_actions=[{**SPLIT[0], "ex_date": ex_date}]) == (100_000, 1)


@pytest.mark.parametrize(
    ("zone", "options"), [(NEW_YORK, {}), ("UTC", {"tz": NEW_YORK}), ("UTC", {"calendar": "XNYS"})]
)
def test_hours_after_the_close_of_the_eve_are_before_the_split(
    zone: str, options: dict[str, Any]
) -> None:
    """In winter the last of them, until eight in New York, are past midnight of UTC."""
    hours = pd.date_range("2024-01-08 12:00", periods=21, freq="1h", tz=NEW_YORK)
    frame = by_date(hours)
    frame.index = hours.tz_convert(zone)
    assert kept(frame, "1h", label="open", **options) == (100_000, 1)


@pytest.mark.parametrize("calendar", ["XASX", "CMES", "XHKG"])
def test_a_session_that_opens_on_the_evening_before_opens_after_the_split(calendar: str) -> None:
    assert kept(by_date(DAYS), calendar=calendar) == (100_000, 1)


def test_an_ex_date_without_a_session_begins_at_its_midnight() -> None:
    """The 8th of January, a Monday, is a holiday in Tokyo; the Friday before is not touched."""
    days = DAYS[~DAYS.isin(pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-08"]))]
    action = {**SPLIT[0], "ex_date": "2024-01-08"}
    options = {"calendar": "XTKS", "corporate_actions": [action]}
    assert kept(by_date(days), **options) == (100_000, 1)


@pytest.mark.parametrize("options", [{}, {"calendar": "XASX"}])
def test_rows_that_come_later_move_no_split(options: dict[str, Any]) -> None:
    frame = by_date(DAYS if options else DAYS.tz_localize(NEW_YORK))
    assert kept(frame[:6], **options) == kept(frame, **options) == (100_000, 1)


def test_a_stream_splits_when_its_table_does(tmp_path: Any) -> None:
    frame = by_date(DAYS.tz_localize(NEW_YORK))
    frame.index.name = "timestamp"
    frame.to_parquet(tmp_path / "x.parquet")
    engine = BacktestEngine()
    engine.add_venue()
    engine.add_stream(ParquetStream(tmp_path / "x.parquet", "bars", "X", timeframe="1d"))
    engine.add_corporate_actions(SPLIT)
    engine.add_strategy(Guarded())
    result = engine.run()
    assert (result.summary["final_equity"], len(result.fills)) == (100_000, 1)


def test_prints_split_at_the_midnight_of_their_zone() -> None:
    hours = pd.date_range("2024-01-08 12:00", periods=21, freq="1h", tz=NEW_YORK)
    before = [str(stamp.date()) < EX_DATE for stamp in hours]
    prints = pd.DataFrame({"price": [100.0 if b else 25.0 for b in before], "size": 1e4}, hours)

    class Takes(Guarded):
        def on_start(self) -> None:
            self.subscribe_trades("X")
            self.seen = 0

        on_trade = Guarded.on_bar

    options = {"corporate_actions": SPLIT, "progress": False}
    result = backtest(Takes(), prints, symbol="X", **options)
    assert (result.summary["final_equity"], len(result.fills)) == (100_000, 1)


def test_a_zone_without_a_name_asks_for_one() -> None:
    from dateutil.tz import gettz

    hours = pd.date_range("2024-01-08 12:00", periods=21, freq="1h", tz=gettz(NEW_YORK))
    frame = by_date(hours)
    with pytest.raises(DataError, match="tz="):
        kept(frame, "1h", label="open")
    assert kept(frame, "1h", label="open", tz=NEW_YORK) == (100_000, 1)


def test_a_split_is_no_loss_to_who_buys_and_holds() -> None:
    options = {"corporate_actions": SPLIT, "progress": False}
    frame = by_date(DAYS)
    frame.loc[frame.index[-1], ["open", "high", "low", "close"]] = 27.0
    summary = backtest(Guarded(), frame, symbol="X", timeframe="1d", **options).summary
    assert summary["buy_and_hold_return"] == pytest.approx(0.08)

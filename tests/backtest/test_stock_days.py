"""Days under Alpaca's rules: a listed stock's is its session, a coin's is the day of UTC."""

from __future__ import annotations

import pandas as pd
import pytest
from exchange_calendars import get_calendar

from pyrt import Strategy, backtest
from pyrt.data import tables
from pyrt.errors import DataError

HOLIDAYS = pd.bdate_range("2018-01-01", "2022-12-31").difference(
    get_calendar("XNYS", start="2018-01-01").sessions
)
DAYS = ("2024-11-26", "2024-11-27", "2024-11-29", "2024-12-02")


class Listens(Strategy):
    symbol: str = "SPY"

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "1d")
        self.ends: list[str] = []

    def on_bar(self, bar) -> None:
        self.ends.append(pd.Timestamp(bar.ts_event, unit="ns").isoformat())
        if len(self.ends) == 1:
            self.buy(self.symbol, 1)


def days(dates) -> pd.DataFrame:
    index = pd.DatetimeIndex(dates)
    return pd.DataFrame(
        {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1e6}, index=index
    )


def test_a_day_ends_with_its_session_and_half_days_end_early():
    listens = Listens()
    result = backtest(listens, {"SPY": days(DAYS)}, venue="alpaca", progress=False)
    assert listens.ends == [
        "2024-11-26T21:00:00",
        "2024-11-27T21:00:00",
        "2024-11-29T18:00:00",
        "2024-12-02T21:00:00",
    ]
    # What is ordered after a close waits for the next session's open.
    assert list(result.fills["ts_event"]) == [pd.Timestamp("2024-11-27T14:30Z")]


class Protected(Listens):
    """Buys twice with exits that are never met, and holds on."""

    time_in_force: str = "day"

    def on_bar(self, bar) -> None:
        self.ends.append("")
        if len(self.ends) in (1, 2):
            terms = {"take_profit": 120, "stop_loss": 80, "time_in_force": self.time_in_force}
            self.buy(self.symbol, 1, **terms)


@pytest.mark.parametrize(("time_in_force", "told"), [("day", ["after 2 entries"]), ("gtc", [])])
def test_exits_that_end_with_their_day_are_told(time_in_force, told):
    """As an entry's time in force is `day` by default here, so is that of its stop."""
    strategy = Protected(time_in_force=time_in_force)
    result = backtest(strategy, {"SPY": days(DAYS)}, venue="alpaca", progress=False)
    assert [message[:15] for message in result.messages] == told
    assert all('write time_in_force="gtc"' in message for message in result.messages)


class Turns(Listens):
    """Buys, then turns round: in two orders, where no order crosses zero."""

    def on_bar(self, bar) -> None:
        super().on_bar(bar)
        if len(self.ends) == 2:
            self.target_position(self.symbol, -6)


@pytest.mark.parametrize("last", ["filled", "no bar"])
def test_a_market_order_inside_the_last_bar_of_a_session_belongs_to_the_next(last: str):
    """On daily bars it always expired: the open that it came after was the only one."""
    result = backtest(
        Turns(), {"SPY": days(DAYS[: 4 if last == "filled" else 3])}, venue="alpaca", progress=False
    )
    orders = result.orders
    assert list(orders["status"][:2]) == ["FILLED", "FILLED"]
    assert orders["status"].iloc[2] == ("FILLED" if last == "filled" else "ACCEPTED")
    stamps = ["2024-11-27T14:30Z", "2024-11-29T14:30Z", "2024-12-02T14:30Z"]
    expected = [pd.Timestamp(ts) for ts in stamps[: 3 if last == "filled" else 2]]
    assert list(result.fills["ts_event"]) == expected


class Late(Listens):
    """Sends an order while a session is under way, between its bars."""

    def on_bar(self, bar) -> None:
        self.ends.append(bar.ts_event)
        if len(self.ends) == 1:
            self.set_alert("late", "2024-11-27T15:00Z", self.enter)

    def enter(self, event) -> None:
        self.buy(self.symbol, 1)


def test_of_a_session_without_a_bar_behind_it_nothing_is_carried_further():
    """A day without a bar ends what was carried over: it was good for one day."""
    result = backtest(Late(), {"SPY": days(("2024-11-26", "2024-11-27", "2024-12-02"))},
                      venue="alpaca", progress=False)  # fmt: skip
    assert list(result.orders["status"]) == ["EXPIRED"]


def test_a_coin_s_day_ends_at_midnight():
    listens = Listens(symbol="BTC/USD")
    dates = ("2024-11-29", "2024-11-30", "2024-12-01")
    backtest(listens, {"BTC/USD": days(dates)}, venue="alpaca", label="open", progress=False)
    assert listens.ends == ["2024-11-30T00:00:00", "2024-12-01T00:00:00", "2024-12-02T00:00:00"]


def test_days_that_are_no_sessions_are_kept():
    listens = Listens()
    dates = ("2024-11-27", "2024-11-28", "2024-11-29")
    backtest(listens, {"SPY": days(dates)}, venue="alpaca", label="open", progress=False)
    assert listens.ends == ["2024-11-28T00:00:00", "2024-11-29T00:00:00", "2024-11-30T00:00:00"]


def test_a_row_that_comes_later_does_not_change_when_the_days_before_it_ended():
    """1,000 sessions decide; the holiday after them is a fault, with its row."""
    sessions = pd.bdate_range("2018-01-01", "2022-12-31").difference(HOLIDAYS)
    dates = [*sessions[:1_050], pd.Timestamp("2022-07-04")]
    with pytest.raises(DataError, match=r"row 1050: 2022-07-04 is no session of XNYS.*24/7"):
        backtest(Listens(), {"SPY": days(dates)}, venue="alpaca", label="open", progress=False)
    listens = Listens()
    options = {"venue": "alpaca", "label": "open", "calendar": "24/7", "progress": False}
    backtest(listens, {"SPY": days(dates)}, **options)
    assert listens.ends[-1] == "2022-07-05T00:00:00"


def test_stocks_beside_coins_keep_their_sessions():
    stock, coin = Listens(), Listens(symbol="BTC/USD")
    data = {"SPY": days(DAYS), "BTC/USD": days(DAYS)}
    backtest([stock, coin], data, venue="alpaca", label="open", progress=False)
    assert stock.ends[0] == "2024-11-26T21:00:00"
    assert coin.ends[0] == "2024-11-27T00:00:00"


def test_data_are_read_once(monkeypatch: pytest.MonkeyPatch):
    reads = []
    whole = tables.build_bars

    def counted(*args):
        reads.append(args)
        return whole(*args)

    monkeypatch.setattr(tables, "build_bars", counted)
    backtest(Listens(), {"SPY": days(DAYS)}, venue="alpaca", progress=False)
    assert len(reads) == 1

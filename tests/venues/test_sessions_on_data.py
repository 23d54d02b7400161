"""Sessions against recorded market data: bars of US equities lie where the table says they must."""

from __future__ import annotations

import numpy as np
import pytest

from pyrt.venues.extended_hours import Phase, extended_hours
from pyrt.venues.sessions import sessions
from tests.recorded import RECORDED

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no market data at {RECORDED}")


def column(name: str, *columns: str) -> list[np.ndarray]:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(RECORDED / f"{name}.parquet", columns=list(columns))
    return [table.column(one).to_numpy() for one in columns]


def test_every_daily_bar_since_1998_is_a_session_and_no_session_is_missing():
    dates, symbols = column("eq_bars_1d_1998_2021", "date", "symbol")
    days = dates.astype("datetime64[D]").astype(np.int64)[symbols == "SPY"]
    table = sessions("XNYS", int(days.min()) * 86_400 * 10**9, int(days.max()) * 86_400 * 10**9)
    closes = table.close_of_date(days)
    assert (np.diff(closes) > 0).all()
    inside = (table.date >= days.min()) & (table.date <= days.max())
    missing = np.setdiff1d(table.date[inside], days)
    assert len(missing) <= 2, missing.astype("datetime64[D]")


def test_minute_bars_of_regular_sessions_open_inside_them():
    (ts,) = column("eq_bars_1m_5us_20181112_20181121", "ts_event")
    table = sessions("XNYS", int(ts.min()), int(ts.max()))
    assert table.is_open(ts).all()
    assert len(np.unique(table.session_of(ts))) == 8


def test_prints_of_a_whole_day_fall_into_the_extended_hours():
    (ts,) = column("eq_trades_SPY_20131007_20131011", "ts_event")
    hours = extended_hours(int(ts.min()), int(ts.max()))
    phases = {hours.phase(int(t)) for t in ts[:: len(ts) // 5000]}
    assert phases == {Phase.PRE_MARKET, Phase.REGULAR, Phase.AFTER_HOURS}

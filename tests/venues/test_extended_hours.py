"""Extended hours of US equities: one row a verdict, both sides of each limit."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pyrt.errors import DataError
from pyrt.venues.extended_hours import Phase, extended_hours
from pyrt.venues.sessions import NS_PER_DAY

NY = ZoneInfo("America/New_York")
SECOND = 1_000_000_000


def ny(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=NY).timestamp()) * SECOND


HOURS = extended_hours(ny("2024-01-02"), ny("2024-12-31"))


@pytest.mark.parametrize(
    ("at", "before", "after", "why"),
    [
        ("2024-03-06 04:00", Phase.OVERNIGHT, Phase.PRE_MARKET, "pre-market opens at 04:00"),
        ("2024-03-06 09:30", Phase.PRE_MARKET, Phase.REGULAR, "regular opens at 09:30"),
        ("2024-03-06 16:00", Phase.REGULAR, Phase.AFTER_HOURS, "regular ends at 16:00"),
        ("2024-03-06 20:00", Phase.AFTER_HOURS, Phase.OVERNIGHT, "overnight follows after-hours"),
        ("2024-03-08 20:00", Phase.AFTER_HOURS, Phase.CLOSED, "no overnight into Saturday"),
        ("2024-03-10 20:00", Phase.CLOSED, Phase.OVERNIGHT, "overnight starts Sunday evening"),
        ("2024-03-11 04:00", Phase.OVERNIGHT, Phase.PRE_MARKET, "the morning after summer time"),
        ("2024-11-04 04:00", Phase.OVERNIGHT, Phase.PRE_MARKET, "the morning after winter time"),
        ("2024-07-03 13:00", Phase.REGULAR, Phase.AFTER_HOURS, "half day ends at 13:00"),
        ("2024-07-03 17:00", Phase.AFTER_HOURS, Phase.CLOSED, "after-hours of a half day"),
        ("2024-07-03 20:00", Phase.CLOSED, Phase.CLOSED, "no overnight into a holiday"),
        ("2024-07-04 20:00", Phase.CLOSED, Phase.OVERNIGHT, "overnight out of a holiday"),
        ("2024-11-27 20:00", Phase.AFTER_HOURS, Phase.CLOSED, "the eve of Thanksgiving"),
    ],
)
def test_phases_change_at_the_stated_instants(at, before, after, why):
    ts = ny(at)
    assert HOURS.phase(ts - 1) is before, why
    assert HOURS.phase(ts) is after, why


def test_daylight_saving_moves_the_windows_in_utc():
    table = HOURS.sessions
    offsets = (HOURS.pre_market_open % NS_PER_DAY) // (3600 * SECOND)
    assert set(offsets.tolist()) == {8, 9}
    summer = (table.open % NS_PER_DAY) == (13 * 60 + 30) * 60 * SECOND
    np.testing.assert_array_equal(offsets == 8, summer)


def test_parts_of_a_date_follow_each_other():
    table = HOURS.sessions
    assert (HOURS.overnight_open < HOURS.pre_market_open).all()
    assert (HOURS.pre_market_open < table.open).all()
    assert (table.close < HOURS.after_hours_close).all()
    assert (HOURS.after_hours_close[:-1] <= HOURS.overnight_open[1:]).all()


def test_after_hours_belong_to_the_date_that_closed():
    row = HOURS.sessions.row_of_date(dt.date(2024, 3, 6))
    assert HOURS.trading_row(ny("2024-03-06 19:59")) == row
    assert HOURS.trading_row(ny("2024-03-06 20:00")) == row + 1
    assert HOURS.trading_row(ny("2024-03-06 10:00")) == row
    assert HOURS.trading_row(ny("2024-03-05 20:00")) == row


def test_the_half_day_rule_can_be_replaced():
    longer = extended_hours(
        ny("2024-01-02"), ny("2024-12-31"), early_after_hours_close=dt.time(20, 0)
    )
    assert longer.phase(ny("2024-07-03 19:59")) is Phase.AFTER_HOURS


def test_a_market_elsewhere_has_no_such_windows():
    with pytest.raises(DataError, match="09:30 New York"):
        extended_hours(ny("2024-01-02"), ny("2024-12-31"), calendar="XLON")

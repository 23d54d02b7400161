"""Portfolio history over days worked out by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from tests.adapters.simulator.test_life import DAY, ask, place, two_days
from tests.minutes import MINUTE, START

PATH = "/v2/account/portfolio/history"
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def core() -> SimulatorCore:
    """An account that bought 100 at 100 on Monday and looks at them on Tuesday, at 200."""
    made = two_days()
    made.run(START + MINUTE)
    place(made, qty=100)
    made.run(START + DAY + 3 * MINUTE)
    return made


def history(core: SimulatorCore, query: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(core, "GET", f"{PATH}?{query}")
    lengths = {len(found[name]) for name in ("timestamp", "equity", "profit_loss")}
    assert lengths == {len(found["profit_loss_pct"])}
    return found


def times(found: dict[str, Any]) -> list[str]:
    moments = [dt.datetime.fromtimestamp(ts, NEW_YORK) for ts in found["timestamp"]]
    return [f"{moment:%d %H:%M}" for moment in moments]


def test_market_hours_are_shown_from_the_open_to_the_close(core: SimulatorCore) -> None:
    found = history(core, "period=2D&timeframe=15Min")
    shown = times(found)
    assert shown[:2] == ["07 09:30", "07 09:45"]
    assert shown[26:] == ["07 16:00", "08 09:30"]
    assert found["equity"][-2:] == [100_000.0, 110_000.0]


def test_extended_hours_begin_at_four_and_end_at_eight(core: SimulatorCore) -> None:
    for query in ("intraday_reporting=extended_hours", "extended_hours=true"):
        shown = times(history(core, f"period=2D&timeframe=1H&{query}"))
        assert (shown[0], shown[16], shown[17]) == ("07 04:00", "07 20:00", "08 04:00")
        assert shown[-1] == "08 09:00"


def test_continuous_reporting_knows_no_night(core: SimulatorCore) -> None:
    shown = times(history(core, "period=1D&timeframe=1H&intraday_reporting=continuous"))
    assert shown[:2] == ["07 09:00", "07 10:00"]
    assert len(shown) == 25


def test_profit_begins_anew_each_day_unless_told_otherwise(core: SimulatorCore) -> None:
    daily = history(core, "period=2D&timeframe=15Min")
    assert daily["profit_loss"][-2:] == [0.0, 10_000.0]
    through = history(core, "start=2013-10-08T00:00:00Z&timeframe=15Min&pnl_reset=no_reset")
    assert (through["base_value"], through["base_value_asof"]) == (100_000.0, "2013-10-07")
    assert through["profit_loss"] == [10_000.0]
    assert through["profit_loss_pct"] == [0.1]


def test_days_are_stamped_with_the_end_of_their_after_hours(core: SimulatorCore) -> None:
    found = history(core, "period=1A&timeframe=1D&cashflow_types=ALL")
    assert times(found) == ["07 20:00", "08 20:00"]
    assert found["equity"] == [100_000.0, 110_000.0]
    assert found["profit_loss"] == [0.0, 10_000.0]
    assert "base_value_asof" not in found
    assert set(found["cashflow"]) == {"JNLC"}


@pytest.mark.parametrize(
    ("query", "timeframe"),
    [
        *(("period=1D", "1Min"), ("period=1W", "15Min"), ("period=29D", "15Min")),
        *(("period=30D", "1D"), ("period=1M", "1D"), ("period=3M", "1D"), ("", "1D")),
    ],
)
def test_the_timeframe_follows_the_length(core: SimulatorCore, query: str, timeframe: str) -> None:
    assert history(core, query)["timeframe"] == timeframe


@pytest.mark.parametrize("period", ["1D", "5D", "1W", "2W", "1M", "3M", "6M", "1A", "5A"])
@pytest.mark.parametrize("timeframe", ["1Min", "5Min", "15Min", "1H", "1D"])
@pytest.mark.parametrize("reporting", ["market_hours", "extended_hours", "continuous"])
def test_every_combination_is_answered_or_refused(
    core: SimulatorCore, period: str, timeframe: str, reporting: str
) -> None:
    query = f"period={period}&timeframe={timeframe}&intraday_reporting={reporting}"
    answer = core.request("GET", f"{PATH}?{query}", b"")
    is_long = period in ("3M", "6M", "1A", "5A")
    assert answer.status == (422 if is_long and timeframe != "1D" else 200)
    if answer.status == 200:
        found = history(core, query)
        assert found["timeframe"] == timeframe
        assert found["timestamp"] == sorted(set(found["timestamp"]))
        assert found["equity"][-1] == 110_000.0


@pytest.mark.parametrize(
    "query",
    [
        *("period=0D", "period=1Y", "period=D", "timeframe=2Min", "timeframe=1d"),
        *("intraday_reporting=always", "pnl_reset=never"),
        "period=1D&start=2013-10-07&end=2013-10-08",
        "start=2013-10-08&end=2013-10-07",
        "start=yesterday",
    ],
)
def test_what_makes_no_sense_is_refused(core: SimulatorCore, query: str) -> None:
    assert core.request("GET", f"{PATH}?{query}", b"").status == 422


def test_before_the_account_there_is_nothing(core: SimulatorCore) -> None:
    found = history(core, "start=2012-01-01&end=2012-02-01&timeframe=1D")
    assert (found["timestamp"], found["base_value"]) == ([], 110_000.0)


def test_months_and_years_end_on_a_day_that_there_is(core: SimulatorCore) -> None:
    # Neither starts before the account: what counts is that they can be asked for.
    for start in ("2013-01-31", "2012-02-29"):
        for period in ("1M", "1A", "13M"):
            assert history(core, f"start={start}T12:00:00Z&period={period}&timeframe=1D")

"""Clocks and calendars of the world's markets, against days worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.adapters.alpaca.simulator.trading.markets import MARKETS, Day, market_of
from tests.adapters.simulator.exchange import Bench


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def days(bench: Bench, market: str, query: str) -> list[dict[str, Any]]:
    status, body = bench.ask("GET", f"/v3/calendar/{market}?{query}")
    assert status == 200, body
    return list(body["calendar"])


def clock(bench: Bench, markets: str, time: str) -> list[dict[str, Any]]:
    status, body = bench.ask("GET", f"/v3/clock?markets={markets}&time={time}")
    assert status == 200, body
    return list(body["clocks"])


def test_a_half_day_ends_early_and_so_do_its_after_hours(bench: Bench) -> None:
    whole, half = days(bench, "NYSE", "start=2013-11-27&end=2013-11-30")
    assert whole["post_end"] == "2013-11-27T20:00:00-05:00"
    assert half == {
        "date": "2013-11-29",
        "pre_start": "2013-11-29T04:00:00-05:00",
        "pre_end": "2013-11-29T09:30:00-05:00",
        "core_start": "2013-11-29T09:30:00-05:00",
        "core_end": "2013-11-29T13:00:00-05:00",
        "post_start": "2013-11-29T13:00:00-05:00",
        "post_end": "2013-11-29T17:00:00-05:00",
        "settlement_date": "2013-12-04",
    }
    older = bench.ask("GET", "/v2/calendar?start=2013-11-29&end=2013-11-29")[1]
    assert (older[0]["close"], older[0]["session_close"]) == ("13:00", "1700")


def test_a_market_keeps_its_own_holidays_zone_and_lunch(bench: Bench) -> None:
    # 1 October 2013: a holiday in Hong Kong only.
    (hong_kong,) = days(bench, "HKEX", "start=2013-10-01&end=2013-10-02")
    assert hong_kong["date"] == "2013-10-02"
    assert hong_kong["lunch_start"] == "2013-10-02T12:00:00+08:00"
    assert hong_kong["core_end"] == "2013-10-02T16:00:00+08:00"
    (london,) = days(bench, "XLON", "start=2013-08-26&end=2013-08-27")
    assert london["core_start"] == "2013-08-27T08:00:00+01:00"
    assert days(bench, "LSE", "start=2013-08-27&end=2013-08-27&timezone=UTC")[0]["core_start"] == (
        "2013-08-27T07:00:00Z"
    )


def test_banks_keep_federal_holidays_that_exchanges_do_not(bench: Bench) -> None:
    # Columbus Day, 14 October 2013.
    assert [row["date"] for row in days(bench, "SIFMA", "start=2013-10-14&end=2013-10-15")] == [
        "2013-10-15"
    ]
    assert len(days(bench, "NYSE", "start=2013-10-14&end=2013-10-15")) == 2


def test_overnight_trading_begins_on_the_evening_before(bench: Bench) -> None:
    (monday,) = days(bench, "BOATS", "start=2013-10-07&end=2013-10-07")
    assert monday["core_start"] == "2013-10-06T20:00:00-04:00"
    assert monday["core_end"] == "2013-10-07T04:00:00-04:00"


@pytest.mark.parametrize(
    ("time", "phase", "until"),
    [
        ("2013-10-07T07:59:59Z", "closed", "2013-10-07T04:00:00-04:00"),
        ("2013-10-07T08:00:00Z", "pre", "2013-10-07T09:30:00-04:00"),
        ("2013-10-07T13:30:00Z", "core", "2013-10-07T16:00:00-04:00"),
        ("2013-10-07T20:00:00Z", "post", "2013-10-07T20:00:00-04:00"),
        ("2013-10-08T00:00:00Z", "closed", "2013-10-08T04:00:00-04:00"),
    ],
)
def test_a_clock_tells_the_part_of_the_day(bench: Bench, time: str, phase: str, until: str) -> None:
    (told,) = clock(bench, "NYSE", time)
    assert (told["phase"], told["phase_until"]) == (phase, until)
    assert told["is_market_day"]


def test_clocks_of_several_markets_each_in_its_zone(bench: Bench) -> None:
    new_york, tokyo = clock(bench, "NYSE,JPX", "2013-10-07T03:00:00.5Z")
    assert new_york["timestamp"] == "2013-10-06T23:00:00.5-04:00"
    assert not new_york["is_market_day"]
    assert tokyo["timestamp"] == "2013-10-07T12:00:00.5+09:00"
    assert (tokyo["phase"], tokyo["phase_until"]) == ("lunch", "2013-10-07T12:30:00+09:00")
    assert tokyo["next_market_open"] == "2013-10-08T09:00:00+09:00"
    assert tokyo["next_market_close"] == "2013-10-07T15:00:00+09:00"


@pytest.mark.parametrize("year", [1975, 2029, 2030, 2050])
def test_years_far_from_now_have_their_own_days(bench: Bench, year: int) -> None:
    (told,) = clock(bench, "NYSE", f"{year}-07-03T12:00:00Z")
    assert told["timestamp"].startswith(f"{year}-07-03T08:00:00")
    # Independence Day is a holiday in every year.
    assert not told["next_market_open"].startswith(f"{year}-07-04")
    assert told["next_market_open"].startswith(f"{year}-07-0")


@pytest.mark.parametrize(
    "path",
    [
        "/v3/clock?time=9999-01-01T00:00:00Z",
        "/v3/clock?time=0001-01-01T00:00:00Z",
        "/v3/clock?time=soon",
        "/v3/clock?markets=NYSE,XXXX",
        "/v3/calendar/XXXX",
        "/v3/calendar/NYSE?start=tomorrow",
        "/v3/calendar/NYSE?timezone=CET",
        "/v3/calendar/TADAWUL?start=1980-01-01&end=1980-02-01",
        "/v3/calendar/NYSE?start=0001-01-01&end=9999-12-31",
        "/v3/calendar/NYSE?start=9999-12-31",
    ],
)
def test_what_cannot_be_known_is_a_bad_request(bench: Bench, path: str) -> None:
    status, body = bench.ask("GET", path)
    assert status == 400
    assert body["message"]


def test_every_market_is_known_by_each_of_its_names() -> None:
    for market in MARKETS:
        assert market_of(market.acronym) is market_of(market.mic or market.acronym) is market


def test_lunch_lies_within_the_core_session() -> None:
    day = Day(None, (("core", 1, 2), ("lunch", 2, 3), ("core", 3, 4)))  # type: ignore[arg-type]
    assert day.core == (1, 4)

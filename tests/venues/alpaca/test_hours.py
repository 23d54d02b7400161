"""Windows, first status and expiry, by the clock of New York, both sides of each limit."""

from __future__ import annotations

import pytest

from pyrt.venues.alpaca import AlpacaOptions, AlpacaRules, MarketFacts, market_facts
from pyrt.venues.extended_hours import extended_hours

from .build import CRYPTO, Row, judge, ny, order, verdict

HOURS = extended_hours(ny("2026-01-02"), ny("2026-12-31"))
RULES = AlpacaRules()
LIMIT = {"type": "limit", "limit_price": "99"}


def at(text: str) -> MarketFacts:
    return market_facts(HOURS, ny(text))


def window(time_in_force: str, text: str) -> dict[str, object]:
    return {"ts": ny(text), "market_facts": at(text)}


OPG = {"time_in_force": "opg"}
CLS = {"time_in_force": "cls"}
# 2026-11-27 is a half day: the market closes at 13:00.
ROWS = [
    Row("opening auction from 19:00", None, OPG, window("opg", "2026-11-03 19:00:00")),
    Row("not a second before", "opg_window", OPG, window("opg", "2026-11-03 18:59:59")),
    Row("until 09:28", None, OPG, window("opg", "2026-11-03 09:27:59")),
    Row("not at 09:28", "opg_window", OPG, window("opg", "2026-11-03 09:28:00")),
    Row("past midnight", None, OPG, window("opg", "2026-11-03 00:00:00")),
    Row("not at noon", "opg_window", OPG, window("opg", "2026-11-03 12:00:00")),
    Row("in summer time too", None, OPG, window("opg", "2026-07-01 09:27:59")),
    Row("limit on open", "opg_window", {**OPG, **LIMIT}, window("opg", "2026-11-03 09:28:00")),
    Row("closing auction until 15:50", None, CLS, window("cls", "2026-11-03 15:49:59")),
    Row("not at 15:50", "cls_window", CLS, window("cls", "2026-11-03 15:50:00")),
    Row("not after the close", "cls_window", CLS, window("cls", "2026-11-03 16:30:00")),
    Row("not until 19:00", "cls_window", CLS, window("cls", "2026-11-03 18:59:59")),
    Row("again from 19:00", None, CLS, window("cls", "2026-11-03 19:00:00")),
    Row("before the open", None, CLS, window("cls", "2026-11-03 08:00:00")),
    Row("half day until 12:50", None, CLS, window("cls", "2026-11-27 12:49:59")),
    Row("half day not at 12:50", "cls_window", CLS, window("cls", "2026-11-27 12:50:00")),
    Row("half day not after it", "cls_window", CLS, window("cls", "2026-11-27 14:00:00")),
    Row("half day not at 18:00", "cls_window", CLS, window("cls", "2026-11-27 18:00:00")),
    Row("without facts, 15:50", "cls_window", CLS, {"ts": ny("2026-11-03 15:50")}),
    Row("without facts, before", None, CLS, {"ts": ny("2026-11-03 15:49")}),
    Row("a market order in extended hours", "extended_hours_gtc", {"extended_hours": True}),
    Row("a day limit in extended hours", None, {**LIMIT, "extended_hours": True}),
    Row(
        "an auction order in extended hours",
        "extended_hours_gtc",
        {**LIMIT, "extended_hours": True, "time_in_force": "opg"},
    ),
    Row(
        "a market order in extended hours of 2025",
        "extended_hours_day",
        {"extended_hours": True},
        {"ts": ny("2025-12-31 12:00")},
    ),
    Row("a day order is taken at night", None, {}, window("day", "2026-11-03 03:00:00")),
    Row("and on Saturday", None, {}, window("day", "2026-11-07 12:00:00")),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_windows(row):
    assert verdict(row) == row.rule


def test_window_messages():
    opening = judge(order(**OPG), ts=ny("2026-11-03 12:00"))
    assert opening is not None
    assert (opening.http_status, opening.code) == (403, 40310000)
    assert opening.message == "opg orders must be submitted after 7:00pm and before 9:28am"
    half_day = judge(order(**CLS), **window("cls", "2026-11-27 12:55:00"))
    assert half_day is not None
    assert half_day.message == "cls orders must be submitted after 7:00pm and before 12:50pm"


@pytest.mark.parametrize(
    ("text", "changes", "status"),
    [
        ("2026-11-03 12:00", {}, "pending_new"),
        ("2026-11-03 09:30", {}, "pending_new"),
        ("2026-11-03 09:29", {}, "accepted"),
        ("2026-11-03 16:00", {}, "accepted"),
        ("2026-11-03 17:00", {**LIMIT, "extended_hours": True}, "pending_new"),
        ("2026-11-03 08:00", {**LIMIT, "extended_hours": True}, "pending_new"),
        ("2026-11-03 02:00", {**LIMIT, "extended_hours": True}, "pending_new"),
        ("2026-11-07 12:00", {**LIMIT, "extended_hours": True}, "accepted"),
        ("2026-11-03 08:00", OPG, "accepted"),
        ("2026-11-03 12:00", CLS, "pending_new"),
        ("2026-11-07 12:00", CRYPTO, "pending_new"),
    ],
)
def test_first_status(text, changes, status):
    assert RULES.initial_status(order(**changes), at(text)) == status


@pytest.mark.parametrize(
    ("text", "changes", "expires"),
    [
        # A captured order: sent in a summer session, expires at 20:00 UTC, the close.
        ("2026-07-24 10:42", {}, "2026-07-24 16:00"),
        ("2026-11-03 15:59", {}, "2026-11-03 16:00"),
        ("2026-11-03 16:00", {}, "2026-11-04 16:00"),
        ("2026-11-03 03:00", {}, "2026-11-03 16:00"),
        ("2026-11-06 17:00", {}, "2026-11-09 16:00"),
        ("2026-11-25 17:00", {}, "2026-11-27 13:00"),
        ("2026-11-03 12:00", {**LIMIT, "extended_hours": True}, "2026-11-03 20:00"),
        ("2026-11-03 18:00", {**LIMIT, "extended_hours": True}, "2026-11-03 20:00"),
        ("2026-11-03 20:00", {**LIMIT, "extended_hours": True}, "2026-11-04 20:00"),
        ("2026-11-27 14:00", {**LIMIT, "extended_hours": True}, "2026-11-27 17:00"),
        ("2026-11-03 12:00", {"time_in_force": "gtc"}, "2027-02-01 16:15"),
        # 90 days of the calendar, across the change to summer time.
        ("2026-02-02 12:00", {"time_in_force": "gtc"}, "2026-05-03 16:15"),
        ("2026-11-03 08:00", OPG, "2026-11-03 09:30"),
        ("2026-11-03 20:00", OPG, "2026-11-04 09:30"),
        ("2026-11-03 12:00", CLS, "2026-11-03 16:00"),
    ],
)
def test_expiry(text, changes, expires):
    assert RULES.expires_at(order(**changes), at(text), ny(text)) == ny(expires)


@pytest.mark.parametrize("changes", [{"time_in_force": "ioc"}, {"time_in_force": "fok"}, CRYPTO])
def test_nothing_is_stated_about_the_expiry_of_immediate_orders_and_coins(changes):
    assert (
        RULES.expires_at(order(**changes), at("2026-11-03 12:00"), ny("2026-11-03 12:00")) is None
    )


def test_the_age_limit_is_an_option():
    rules = AlpacaRules(AlpacaOptions(gtc_days=30))
    text = "2026-11-03 12:00"
    request = order(time_in_force="gtc")
    assert rules.expires_at(request, at(text), ny(text)) == ny("2026-12-03 16:15")


@pytest.mark.parametrize(
    ("asset_class", "expected"), [("us_equity", "day"), ("crypto", "gtc"), ("us_option", "day")]
)
def test_default_time_in_force(asset_class, expected):
    assert RULES.default_time_in_force(asset_class) == expected

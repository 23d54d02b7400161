"""Requests in the forms that clients in other languages send them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.simulator.exchange import Bench

START = "2013-10-07T13:30:00"
READS = [
    # Times: with nanoseconds, with an offset, plain dates; lists by commas, quoted or not.
    f"/v2/stocks/bars?symbols=SPY%2CQQQ&timeframe=1Min&start={START}.000000001Z&limit=3",
    f"/v2/stocks/bars?symbols=SPY,QQQ&timeframe=1Min&start={START}%2B00:00&end=2013-10-08",
    f"/v2/stocks/SPY/bars?timeframe=1Min&start={START}-00:00&adjustment=raw&feed=iex&sort=asc",
    "/v2/stocks/SPY/bars?timeframe=1Hour&start=2013-10-07&asof=-&currency=USD",
    "/v2/stocks/SPY/trades?start=2013-10-07&limit=1",
    "/v2/stocks/SPY/trades/latest?feed=iex",
    "/v2/stocks/SPY/snapshot",
    "/v2/stocks/snapshots?symbols=SPY,QQQ&feed=sip",
    "/v1beta3/crypto/us/bars?symbols=BTC%2FUSD&timeframe=1Min",
    "/v1beta3/crypto/us/latest/bars?symbols=BTC/USD",
    "/v1beta1/news?symbols=SPY&limit=5&include_content=false",
    "/v2/assets?status=active&asset_class=us_equity&attributes=",
    "/v2/assets/BTC%2FUSD",
    "/v2/assets/BTC/USD",
    "/v2/calendar?start=2013-10-01&end=2013-10-31",
    "/v2/orders?status=all&limit=500&after=2013-10-07T00:00:00Z&direction=asc&nested=true",
    "/v2/orders?status=all&nested=1&symbols=SPY,QQQ&side=buy",
    "/v2/account",
    "/v2/account/configurations",
    "/v2/account/activities?activity_types=FILL,DIV&page_size=100&direction=desc",
    "/v2/account/activities/FILL?after=2013-10-07T00:00:00Z",
    "/v2/account/portfolio/history?period=1D&timeframe=5Min&extended_hours=false",
    "/v2/positions",
    "/v2/options/contracts?underlying_symbols=SPY&limit=10",
    "/v2/corporate_actions/announcements?ca_types=Dividend&since=2013-10-01&until=2013-10-20",
    "/v1/corporate-actions?symbols=SPY&types=cash_dividend,forward_split",
]
PLACED = [
    # Numbers as texts, as numbers, with zeros at the end; fields that are null or empty.
    {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "90.00"},
    {"symbol": "SPY", "qty": 1, "side": "buy", "type": "limit", "limit_price": 90.5},
    {"symbol": "SPY", "qty": "1.000", "notional": None, "side": "buy", "type": "market"},
    {"symbol": "SPY", "notional": "25.5", "side": "buy", "type": "market", "order_class": ""},
    {"symbol": "SPY", "qty": "1", "side": "buy", "type": "market", "order_class": "simple"},
    {
        "symbol": "SPY",
        "qty": "1",
        "side": "buy",
        "type": "market",
        "stop_loss": None,
        "limit_price": None,
        "stop_price": None,
        "extended_hours": False,
        "legs": None,
    },
    {"symbol": "SPY", "qty": "1", "side": "buy", "type": "market", "client_order_id": "a/b:c d"},
]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.buy(1)
    made.step()
    return made


@pytest.mark.parametrize("path", READS)
def test_what_other_clients_read_is_answered(bench: Bench, path: str) -> None:
    status, body = bench.ask("GET", path)
    assert status == 200, body


@pytest.mark.parametrize("path", ["/v2/clock/", "/v2/orders/?status=closed", "/v2/positions/"])
def test_a_slash_at_the_end_changes_nothing(bench: Bench, path: str) -> None:
    plain = bench.core.request("GET", path.replace("/?", "?").rstrip("/"), b"")
    assert bench.core.request("GET", path, b"") == plain
    assert plain.status == 200


@pytest.mark.parametrize("number", range(len(PLACED)))
def test_orders_are_taken_in_the_forms_that_other_clients_write(bench: Bench, number: int) -> None:
    body: dict[str, Any] = {"time_in_force": "day", **PLACED[number]}
    status, order = bench.ask("POST", "/v2/orders", body)
    assert status == 200, order
    undashed = order["id"].replace("-", "")
    assert bench.ask("GET", f"/v2/orders/{undashed}")[1]["id"] == order["id"]
    name = order["client_order_id"].replace("/", "%2F").replace(" ", "+")
    found = bench.ask("GET", f"/v2/orders:by_client_order_id?client_order_id={name}")[1]
    assert found["id"] == order["id"]


def test_closing_everything_takes_any_word_for_true(bench: Bench) -> None:
    bench.buy(1, type="limit", limit_price=90)
    status, rows = bench.ask("DELETE", "/v2/positions?cancel_orders=True")
    assert status == 207
    assert [row["status"] for row in rows] == [200]


def test_watchlists_go_by_id_and_by_name(bench: Bench) -> None:
    _, made = bench.ask("POST", "/v2/watchlists", {"name": "mine", "symbols": ["SPY"]})
    by_name = "/v2/watchlists:by_name?name=mine"
    assert bench.ask("GET", by_name)[1]["id"] == made["id"]
    assert bench.ask("POST", f"/v2/watchlists/{made['id']}", {"symbol": "QQQ"})[0] == 200
    found = bench.ask("GET", f"/v2/watchlists/{made['id']}")[1]
    assert [asset["symbol"] for asset in found["assets"]] == ["SPY", "QQQ"]
    assert bench.ask("DELETE", f"/v2/watchlists/{made['id']}/SPY")[0] == 200
    assert bench.ask("DELETE", by_name)[0] == 204


def test_settings_are_changed_one_by_one(bench: Bench) -> None:
    path = "/v2/account/configurations"
    before = bench.ask("GET", path)[1]
    after = bench.ask("PATCH", path, {"no_shorting": True, "max_margin_multiplier": "2"})[1]
    assert after == {**before, "no_shorting": True, "max_margin_multiplier": "2"}


def test_an_account_has_what_older_clients_insist_on(bench: Bench) -> None:
    # C# and Rust read these as a boolean, a whole number and a decimal, always.
    account = bench.ask("GET", "/v2/account")[1]
    names = ("pattern_day_trader", "daytrade_count", "daytrading_buying_power")
    assert [account[name] for name in names] == [False, 0, "0"]


def test_corporate_actions_are_known_by_their_older_name(bench: Bench) -> None:
    query = "symbols=SPY&start=2013-01-01"
    new, old = (
        bench.core.request("GET", f"/{version}/corporate-actions?{query}", b"")
        for version in ("v1", "v1beta1")
    )
    assert new == old
    assert new.status == 200


@pytest.mark.parametrize(
    ("joined", "apart"),
    [
        ("/v2/stocks/bars?timeframe=1Min&{}", "symbols=SPY&symbols=QQQ"),
        ("/v2/stocks/bars?timeframe=1Min&{}", "symbols[]=SPY&symbols[]=QQQ"),
    ],
)
def test_lists_are_joined_by_commas_or_named_value_by_value(
    bench: Bench, joined: str, apart: str
) -> None:
    listed = bench.ask("GET", joined.format("symbols=SPY,QQQ"))
    assert set(listed[1]["bars"]) == {"SPY", "QQQ"}
    assert bench.ask("GET", joined.format(apart)) == listed


def test_activities_of_several_kinds_are_asked_for_value_by_value(bench: Bench) -> None:
    path = "/v2/account/activities?{}"
    listed = bench.ask("GET", path.format("activity_types=FILL,JNLC"))
    assert {row["activity_type"] for row in listed[1]} == {"FILL", "JNLC"}
    apart = "activity_types=FILL&activity_types=JNLC"
    assert bench.ask("GET", path.format(apart)) == listed
    # Of what is no list, the last value counts.
    assert len(bench.ask("GET", path.format("page_size=5&page_size=1"))[1]) == 1

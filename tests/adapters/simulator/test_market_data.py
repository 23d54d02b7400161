"""History at the simulator: paging, timeframes, nothing of the future."""

from __future__ import annotations

import pytest

from tests.adapters.simulator.exchange import CLOSES, Bench


def test_pages_hold_every_bar_once_across_symbols() -> None:
    bench = Bench()
    bench.step(4)
    seen, token = [], ""
    while token is not None:
        path = f"/v2/stocks/bars?symbols=SPY,QQQ&timeframe=1Min&limit=3&page_token={token}"
        page = bench.ask("GET", path)[1]
        seen += [(symbol, bar["t"]) for symbol, rows in page["bars"].items() for bar in rows]
        token = page["next_page_token"]
    assert len(seen) == len(set(seen)) == 10
    assert [symbol for symbol, _ in seen] == ["QQQ"] * 5 + ["SPY"] * 5


def test_the_future_is_not_shown_and_order_can_be_turned() -> None:
    bench = Bench()
    bench.step(2)
    rows = bench.ask("GET", "/v2/stocks/SPY/bars?timeframe=1Min&sort=desc")[1]["bars"]
    assert [row["c"] for row in rows] == CLOSES[2::-1]


def test_longer_bars_are_made_of_shorter_ones() -> None:
    bench = Bench()
    bench.step(7)
    rows = bench.ask("GET", "/v2/stocks/bars?symbols=SPY&timeframe=5Min")[1]["bars"]["SPY"]
    assert [(r["o"], r["h"], r["l"], r["c"], r["v"]) for r in rows] == [
        (100.0, 104.25, 99.75, 104.0, 5000.0),
        (104.0, 105.25, 102.75, 103.0, 3000.0),
    ]
    (day,) = bench.ask("GET", "/v2/stocks/bars?symbols=SPY&timeframe=1D")[1]["bars"]["SPY"]
    assert (day["t"], day["v"]) == ("2013-10-07T04:00:00Z", 8000.0)


@pytest.mark.parametrize("text", ["0Min", "60Min", "24Hour", "2Day", "5Month", "x", "5m", "1"])
def test_a_timeframe_outside_the_grammar_is_refused(text: str) -> None:
    assert Bench().ask("GET", f"/v2/stocks/bars?symbols=SPY&timeframe={text}")[0] == 400


@pytest.mark.parametrize("feed", ["iex", "sip", "otc", "boats", "delayed_sip", "overnight", "test"])
def test_history_has_fewer_feeds_than_the_latest_values(feed: str) -> None:
    bench = Bench()
    past = bench.ask("GET", f"/v2/stocks/bars?symbols=SPY&timeframe=1Min&feed={feed}")[0]
    latest = bench.ask("GET", f"/v2/stocks/bars/latest?symbols=SPY&feed={feed}")[0]
    late = feed in ("delayed_sip", "overnight")
    assert (past, latest) == (
        400 if late or feed == "test" else 200,
        400 if feed == "test" else 200,
    )


def test_the_latest_and_snapshots_show_the_last_bar_that_ended() -> None:
    bench = Bench()
    bench.step()
    assert bench.ask("GET", "/v2/stocks/SPY/trades/latest")[1]["trade"]["p"] == 101.0
    coins = "/v1beta3/crypto/us"
    found = bench.ask("GET", f"{coins}/latest/quotes?symbols=BTC/USD")[1]["quotes"]
    assert found["BTC/USD"]["bp"] == 20.0
    snapshots = bench.ask("GET", f"{coins}/snapshots?symbols=BTC/USD")[1]["snapshots"]
    assert snapshots["BTC/USD"]["minuteBar"]["c"] == 20.0
    assert bench.ask("GET", "/v2/stocks/bars?timeframe=1Min")[0] == 400
    assert bench.ask("GET", "/v2/stocks/bars?symbols=SPY&page_token=!")[0] == 400

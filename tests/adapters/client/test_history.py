"""Bars of the past: what is asked for, what its pages hold, and what comes where none do."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, BarEvent, HistoryEvent, WarmEvent
from pyrt.adapters.alpaca.core.history import BarHistory, wire_timeframe
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.past import LATE_NS, STALE_AFTER, TOLD_AGAIN_NS
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.core.times import format_ns
from pyrt.errors import ConfigError
from tests.adapters.client.test_gaps import ROW, broken_and_back, minutes, page, warming
from tests.adapters.client.test_streams import KEYS, MINUTE, NOW, activate, bar_frame

HOUR = 60 * MINUTE


def query_of(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


# -- requests and pages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1m", "1Min"), ("59m", "59Min"), ("60m", "1Hour"), ("1h", "1Hour"), ("120m", "2Hour"),
        ("23h", "23Hour"), ("24h", "1Day"), ("1440m", "1Day"), ("1d", "1Day"), ("7d", "1Week"),
        ("1w", "1Week"),
    ],
)  # fmt: skip
def test_the_broker_has_a_word_for_a_length(text, word):
    assert wire_timeframe(text) == word


@pytest.mark.parametrize("text", ["1s", "59s", "90s", "61m", "90m", "25h", "36h", "2d", "6d", "2w"])
def test_a_length_that_the_broker_has_no_bars_of_is_refused_by_its_name(text):
    with pytest.raises(ConfigError, match=f"no bars of '{text}'"):
        wire_timeframe(text)


def test_a_request_for_stocks_names_its_feed_and_one_for_coins_has_none():
    stocks = BarHistory(("SPY", "QQQ"), NOW, NOW + HOUR, "15m", feed="sip", purpose="mine")
    request = stocks.request()
    assert (request.method, request.host, request.purpose) == ("GET", "data", "mine")
    assert urlsplit(request.path).path == "/v2/stocks/bars"
    asked = {
        "symbols": "SPY,QQQ", "timeframe": "15Min", "start": "2013-10-07T13:30:00Z",
        "end": "2013-10-07T14:30:00Z", "limit": "10000", "feed": "sip", "adjustment": "raw",
    }  # fmt: skip
    assert query_of(request) == asked
    assert query_of(stocks.request("tok")) == {**asked, "page_token": "tok"}
    coins = BarHistory(("BTC/USD",), NOW).request()
    assert urlsplit(coins.path).path == "/v1beta3/crypto/us/bars"
    assert query_of(coins) == {
        "symbols": "BTC/USD", "timeframe": "1Min", "start": "2013-10-07T13:30:00Z",
        "limit": "10000",
    }  # fmt: skip
    plain = BarHistory(("SPY",), NOW)
    assert (coins.purpose, plain.asked_at, plain.keep) == ("bars", 0, 0)


def rows(*stamps: str, **changes: float) -> list[dict]:
    return [{**ROW, "t": f"2013-10-07T{stamp}Z", **changes} for stamp in stamps]


def test_pages_are_merged_and_come_in_the_order_of_time():
    history = BarHistory(("SPY", "QQQ"), NOW, timeframe="1h")
    first = {"bars": {"SPY": rows("13:00:00", "14:00:00")}, "next_page_token": "tok"}
    # What no market can have made is left out.
    odd = rows("15:00:00", l=-1.0)
    second = {"bars": {"SPY": odd, "QQQ": rows("14:00:00", "13:00:00")}, "next_page_token": ""}
    following = history.receive(msgspec.json.encode(first))
    assert following == history.request("tok")
    assert not history.is_complete
    assert history.receive(msgspec.json.encode(second)) is None
    assert history.is_complete
    at = NOW - 30 * MINUTE
    prices = (1.0, 2.0, 0.5, 1.5, 100.0)
    assert history.bars == [
        BarEvent(symbol, ts, ts + HOUR, prices)
        for ts in (at, at + HOUR)
        for symbol in ("QQQ", "SPY")
    ]


@pytest.mark.parametrize("body", [b'{"bars":null}', b"{}", b'{"bars":{"SPY":[]}}'])
def test_a_page_without_bars_is_the_last(body):
    history = BarHistory(("SPY",), NOW)
    assert history.receive(body) is None
    assert (history.bars, history.is_complete) == ([], True)


def test_a_page_that_makes_no_sense_leaves_nothing_behind():
    history = BarHistory(("SPY",), NOW)
    spoiled = {"bars": {"SPY": [*rows("13:30:00"), {**ROW, "t": "tomorrow"}]}}
    with pytest.raises(msgspec.DecodeError, match="tomorrow"):
        history.receive(msgspec.json.encode(spoiled))
    assert (history.bars, history.is_complete) == ([], False)


# -- what strategies ask for -----------------------------------------------------------------------


def asked_for(bars: int = 0, symbol: str = "SPY", timeframe: str = "1m"):
    client = AlpacaClient("run-", KEYS, feed="sip")
    client.history(7, symbol, timeframe, NOW, NOW + 3 * MINUTE, bars)
    (request,) = client.take_requests(LATE_NS)
    return client, request


@pytest.mark.parametrize(
    ("keep", "expected"), [(0, [0, 1, 2]), (1, [2]), (2, [1, 2]), (3, [0, 1, 2]), (9, [0, 1, 2])]
)
def test_the_last_bars_that_have_ended_are_answered_under_their_number(keep, expected):
    client, request = asked_for(keep)
    assert (request.purpose, query_of(request)["feed"]) == ("history:7", "sip")
    assert query_of(request)["end"] == "2013-10-07T13:33:00Z"
    # Minute 2 ends with the span; minute 3 has only begun.
    (event,) = client.receive_response(request, 200, page(0, 1, 2, 3), NOW)
    assert type(event) is HistoryEvent
    assert (event.number, minutes(list(event.bars))) == (7, expected)
    assert client.receive_response(request, 200, page(0, 1, 2, 3), NOW) == []


@pytest.mark.parametrize(
    ("timeframe", "after", "waits"),
    [
        ("1m", 0, LATE_NS),
        ("1m", SECOND // 10, LATE_NS - SECOND // 10),
        ("1m", LATE_NS, 0),
        ("1m", 30 * SECOND, 0),
        ("5m", SECOND, LATE_NS - SECOND),
        ("5m", MINUTE + SECOND, 0),
        ("1d", SECOND, 0),
    ],
)
def test_bars_are_asked_for_when_history_has_the_one_that_has_just_ended(timeframe, after, waits):
    """A handler of a bar that asked at once was answered without that bar."""
    client, now = client_of("iex"), NOW + 10 * MINUTE + after
    client.poll(now)
    client.history(7, "SPY", timeframe, NOW, now, 3)
    if waits:
        assert client.take_requests(now + waits - 1) == []
    assert query_of(*client.take_requests(now + waits))["end"] == format_ns(now)


def test_what_is_looked_back_on_is_in_units_of_today_and_a_gap_as_it_was_sent():
    """Over a split indicators warmed up on a jump, and volumes of shares that are none any more."""
    _, warm = warming(NOW)
    assert query_of(warm)["adjustment"] == "split"
    assert query_of(asked_for(symbol="SPY")[1])["adjustment"] == "split"
    assert "adjustment" not in query_of(asked_for(symbol="BTC/USD")[1])
    assert query_of(broken_and_back()[1])["adjustment"] == "raw"


def retried(client: AlpacaClient, request: HttpRequest, status: int) -> list[list]:
    """Answer a request and its repeats in that way until none is left."""
    told, now = [], NOW
    while True:
        told.append(client.receive_response(request, status, b"{}x", now))
        now += 60 * SECOND
        requests = client.take_requests(now)
        if not requests:
            return told
        (request,) = requests


@pytest.mark.parametrize(
    ("status", "attempts"),
    [(399, 3), (400, 1), (403, 1), (428, 1), (429, 3), (430, 1), (499, 1), (500, 3), (0, 3)],
)
def test_a_refusal_is_the_end_and_anything_else_is_tried_three_times(status, attempts):
    told = retried(*asked_for(), status)
    alarms = [[e.text for e in events if type(e) is Alarm] for events in told]
    came = f"HTTP {status}" if status else "no answer ({}x)"
    assert alarms == [[f"history:7: {came}"]] * attempts
    assert [e for events in told for e in events if type(e) is HistoryEvent] == [
        HistoryEvent(7, ())
    ]
    assert told[-1][-1] == HistoryEvent(7, ())


def test_a_page_of_garbage_is_asked_for_again():
    told = retried(*asked_for(), 200)
    assert [len(events) for events in told] == [1, 1, 2]
    assert told[0][0].code == "query_failed"


# -- warming up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "attempts"), [(403, 1), (500, 3), (429, 3)])
def test_indicators_stay_cold_and_the_stream_goes_on_where_the_past_does_not_come(status, attempts):
    client, request = warming(NOW)
    activate(client.market_data)
    assert client.receive_market_data(bar_frame(0), NOW) == []
    told = retried(client, request, status)
    assert len(told) == attempts
    alarm, warm, bar = told[-1]
    assert alarm.text == f"warm:SPY: HTTP {status}"
    assert (warm, minutes([bar])) == (WarmEvent("SPY", ()), [0])
    assert minutes(client.receive_market_data(bar_frame(1), NOW)) == [1]


@pytest.mark.parametrize(("since", "asks"), [(-1, False), (0, False), (1, True)])
def test_only_a_stream_that_began_after_the_asking_can_have_left_something_out(since, asks):
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    client.poll(NOW)
    client.warm("SPY", NOW - HOUR, NOW)
    (request,) = client.take_requests(NOW + LATE_NS)
    activate(client.market_data, NOW + since)
    told = client.receive_response(request, 200, page(), NOW + MINUTE)
    assert told == [WarmEvent("SPY", ())]
    gaps = client.take_requests(NOW + MINUTE + LATE_NS)
    # Nothing has passed yet, and history did not have the minute that ended when it was asked for.
    assert [query_of(gap)["start"] for gap in gaps] == ["2013-10-07T13:29:00Z"] * asks
    assert (client.receive_market_data(bar_frame(1), NOW + 2 * MINUTE) == []) is asks


def test_no_gap_is_asked_for_while_the_past_is_on_its_way():
    client, request = warming(NOW)
    client.past.fill_gap("SPY", NOW, NOW)
    assert client.take_requests(NOW) == []
    assert type(client.receive_response(request, 200, page(), NOW)[0]) is WarmEvent
    client.past.fill_gap("SPY", NOW, NOW)
    (gap,) = client.take_requests(NOW + LATE_NS)
    assert query_of(gap)["start"] == "2013-10-07T13:31:00Z"
    assert "end" not in query_of(gap)


# -- gaps whose history does not come --------------------------------------------------------------


def test_what_is_stale_is_told_again_when_five_minutes_have_passed_to_the_nanosecond():
    client, request = broken_and_back()
    began = NOW + 3 * MINUTE
    times = [began + SECOND, began + 2 * SECOND, began + 90 * SECOND]
    stale = times[-1]
    times += [stale + TOLD_AGAIN_NS - 1, stale + TOLD_AGAIN_NS, stale + TOLD_AGAIN_NS + 1]
    told = [client.receive_response(request, 500, b"", now) for now in times]
    codes = [[alarm.code for alarm in alarms] for alarms in told]
    assert codes == [["query_failed"], ["query_failed"], ["stale_bars"], [], ["stale_bars"], []]
    assert told[2][0].text == (
        f"bars of SPY wait for {STALE_AFTER} requests and 90 s for those before "
        f"({request.purpose}: HTTP 500); nothing that could raise exposure in it leaves"
    )
    assert "wait for 5 requests and 390 s" in told[4][0].text
    assert client.stale_reason("SPY") == "SPY is stale: the bars of a gap have not come"
    resumed, *bars = client.receive_response(request, 200, page(1, 2), stale + 400 * SECOND)
    assert resumed == Alarm("bars_resumed", "SPY goes on after 490 s", stale + 400 * SECOND)
    assert minutes(bars) == [1, 2]


def test_a_break_more_keeps_the_count_of_a_gap_and_when_it_began():
    client, request = broken_and_back()
    for second in (0, 1):
        client.receive_response(request, 500, b"", NOW + 3 * MINUTE + second)
    client.market_data.closed(NOW + 4 * MINUTE)
    activate(client.market_data, NOW + 6 * MINUTE)
    client.poll(NOW + 6 * MINUTE)
    (request,) = client.take_requests(NOW + HOUR)
    (alarm,) = client.receive_response(request, 500, b"", NOW + 13 * MINUTE)
    assert "wait for 3 requests and 600 s" in alarm.text
    client.market_data.closed(NOW + 14 * MINUTE)
    activate(client.market_data, NOW + 16 * MINUTE)
    client.poll(NOW + 16 * MINUTE)
    (request,) = client.take_requests(NOW + HOUR)
    assert client.receive_response(request, 500, b"", NOW + 17 * MINUTE) == []


def test_a_symbol_dropped_while_it_is_stale_begins_anew():
    client, request = broken_and_back()
    for _ in range(STALE_AFTER):
        client.receive_response(request, 500, b"", NOW + 3 * MINUTE)
    assert client.receive_market_data(bar_frame(3), NOW + 4 * MINUTE) == []
    client.past.drop_gap("SPY")
    assert client.stale_reason("SPY") == ""
    # The repeat that waited is gone, and what the first one brings late is not taken.
    assert client.take_requests(NOW + HOUR) == []
    assert client.receive_response(request, 200, page(1, 2), NOW + 5 * MINUTE) == []
    assert minutes(client.receive_market_data(bar_frame(5), NOW + 6 * MINUTE)) == [5]
    client.past.fill_gap("SPY", NOW + 5 * MINUTE, NOW + 8 * MINUTE)
    (request,) = client.take_requests(NOW + 8 * MINUTE + LATE_NS)
    (alarm,) = client.receive_response(request, 500, b"", NOW + 8 * MINUTE)
    assert alarm == Alarm("query_failed", f"{request.purpose}: HTTP 500", NOW + 8 * MINUTE)
    assert client.receive_market_data(bar_frame(9), NOW + 10 * MINUTE) == []


# -- feeds that history has by another name, or not at all -----------------------------------------

QUARTER = 15 * MINUTE


def client_of(feed: str) -> AlpacaClient:
    client = AlpacaClient("run-", KEYS, feed=feed)
    for symbol in ("SPY", "BTC/USD"):
        client.subscribe("bars", symbol)
    client.poll(NOW)
    return client


def only(requests: list[HttpRequest]) -> dict[str, str]:
    (request,) = requests
    return query_of(request)


def test_history_of_a_delayed_feed_is_that_of_sip_and_ends_before_what_is_refused():
    client = client_of("delayed_sip")
    client.warm("SPY", NOW - HOUR, NOW)
    query = only(client.take_requests(NOW))
    assert (query["feed"], query["end"]) == ("sip", "2013-10-07T13:14:55Z")
    client.history(7, "SPY", "1m", NOW - HOUR, NOW, 3)
    query = only(client.take_requests(NOW))
    assert (query["feed"], query["end"]) == ("sip", "2013-10-07T13:14:55Z")
    # After a crash the last bar may be younger than that.
    client.warm("SPY", NOW - MINUTE, NOW)
    query = only(client.take_requests(NOW))
    assert query["end"] == query["start"]


def test_the_gap_of_a_delayed_feed_ends_where_its_stream_goes_on():
    """The stream brings what ended a quarter of an hour ago; what is younger is refused."""
    client = client_of("delayed_sip")
    stream = client.market_data
    activate(stream)
    client.receive_market_data(bar_frame(0), NOW + QUARTER + MINUTE)
    now = NOW + QUARTER + 3 * MINUTE + 30 * SECOND
    stream.closed(now - 2 * SECOND)
    activate(stream, now)
    client.poll(now)
    assert client.take_requests(now) == []
    (gap,) = client.take_requests(now + LATE_NS)
    query = query_of(gap)
    assert (query["feed"], query["start"]) == ("sip", "2013-10-07T13:31:00Z")
    assert query["end"] == "2013-10-07T13:33:30Z"
    # Minute 3 is whole by now, and has not ended for the stream.
    events = client.receive_response(gap, 200, page(1, 2, 3), now + LATE_NS)
    assert minutes(events) == [1, 2]
    assert minutes(client.receive_market_data(bar_frame(3), now + MINUTE)) == [3]


@pytest.mark.parametrize("since", [-1, 1])
def test_what_the_past_of_a_delayed_feed_leaves_out_is_a_gap(since):
    client = client_of("delayed_sip")
    if since < 0:
        activate(client.market_data, NOW + since)
    client.warm("SPY", NOW - HOUR, NOW)
    (request,) = client.take_requests(NOW)
    if since > 0:
        activate(client.market_data, NOW + since)
    (warm,) = client.receive_response(request, 200, page(), NOW + SECOND)
    assert type(warm) is WarmEvent
    query = only(client.take_requests(NOW + SECOND + LATE_NS))
    assert (query["start"], query["end"]) == ("2013-10-07T13:14:00Z", "2013-10-07T13:15:01Z")


def test_a_feed_without_history_is_asked_for_none_and_its_bars_do_not_wait():
    client = client_of("test")
    client.warm("SPY", NOW - HOUR, NOW)
    client.history(7, "SPY", "1m", NOW - HOUR, NOW, 3)
    assert client.poll(NOW) == [WarmEvent("SPY", ()), HistoryEvent(7, ())]
    stream = client.market_data
    activate(stream)
    assert minutes(client.receive_market_data(bar_frame(0), NOW + MINUTE)) == [0]
    stream.closed(NOW + MINUTE)
    activate(stream, NOW + 3 * MINUTE)
    assert client.receive_market_data(bar_frame(2), NOW + 3 * MINUTE) == []
    assert minutes(client.poll(NOW + 3 * MINUTE)) == [2]
    assert minutes(client.receive_market_data(bar_frame(3), NOW + 4 * MINUTE)) == [3]
    assert client.take_requests(NOW + HOUR) == []


@pytest.mark.parametrize("feed", ["delayed_sip", "test"])
def test_history_of_coins_has_no_feed(feed):
    client = client_of(feed)
    client.warm("BTC/USD", NOW - HOUR, NOW)
    query = only(client.take_requests(NOW))
    assert ("feed" in query, query["end"]) == (False, "2013-10-07T13:30:00Z")

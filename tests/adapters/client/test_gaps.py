"""Gaps of a stream: filled in order from history, waited for without end, never passed over."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import BarEvent, WarmEvent
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.past import LATE_NS, STALE_AFTER, TOLD_AGAIN_NS
from pyrt.adapters.alpaca.core.streams import IDLE
from tests.adapters.client.test_streams import BAR, KEYS, MINUTE, NOW, activate, bar_frame

ROW = {name: value for name, value in BAR.items() if name not in ("T", "S")}


def page(*minutes: int, token: str | None = None) -> bytes:
    """A page of history with the bars of these minutes."""
    rows = [{**ROW, "t": f"2013-10-07T13:{30 + m}:00Z"} for m in minutes]
    return msgspec.json.encode({"bars": {"SPY": rows}, "next_page_token": token})


def minutes(events: list) -> list[int]:
    """The minutes of the bars among these."""
    return [(e.ts_open - NOW) // MINUTE for e in events if type(e) is BarEvent]


def codes(events: list) -> list[str]:
    return [e.code for e in events if e.WHAT == "alarm"]


def test_the_gap_of_a_break_is_filled_in_order_and_nothing_is_doubled():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    stream = client.market_data
    activate(stream)
    assert [bar.ts_open for bar in stream.receive(bar_frame(0), NOW)] == [NOW]
    stream.closed(NOW)
    assert stream.state == IDLE
    activate(stream, NOW + 5 * MINUTE)
    # The stream is ahead of the history: its bar waits.
    assert client.receive_market_data(bar_frame(4), NOW + 5 * MINUTE) == []
    client.poll(NOW + 5 * MINUTE)
    (request,) = client.take_requests(NOW + 5 * MINUTE + LATE_NS)
    assert "start=2013-10-07T13%3A31%3A00" in request.path
    rows = [{**ROW, "t": f"2013-10-07T13:{30 + m}:00Z"} for m in (1, 2, 4)]
    page = msgspec.json.encode({"bars": {"SPY": rows}, "next_page_token": None})
    bars = client.receive_response(request, 200, page, NOW + 5 * MINUTE)
    assert [(bar.ts_open - NOW) // MINUTE for bar in bars] == [1, 2, 4]
    assert client.receive_market_data(bar_frame(4), NOW) == []
    assert len(client.receive_market_data(bar_frame(5), NOW)) == 1


def broken_and_back() -> tuple[AlpacaClient, object]:
    """A client whose line has broken and come back; and its request for the gap's bars."""
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    activate(client.market_data)
    client.receive_market_data(bar_frame(0), NOW)
    client.market_data.closed(NOW)
    activate(client.market_data, NOW + MINUTE * 3)
    client.poll(NOW + MINUTE * 3)
    (request,) = client.take_requests(NOW + MINUTE * 3 + LATE_NS)
    return client, request


def test_bars_do_not_wait_for_a_history_that_is_refused():
    client, request = broken_and_back()
    assert client.receive_market_data(bar_frame(3), NOW + MINUTE * 3) == []
    refusal = b'{"message":"subscription does not permit querying recent SIP data"}'
    alarm, bar = client.receive_response(request, 403, refusal, NOW + MINUTE * 3)
    assert (alarm.code, bar.ts_open) == ("query_failed", NOW + MINUTE * 3)
    assert len(client.receive_market_data(bar_frame(4), NOW + MINUTE * 4)) == 1


@pytest.mark.parametrize("body", [b'{"bars":{"SPY":[{"t":"soon"', b"\xc1", b'{"bars":"\xc1"}'])
def test_a_page_of_history_that_makes_no_sense_is_asked_for_again_as_a_whole(body):
    client, request = broken_and_back()
    rows = [{**ROW, "t": t} for t in ("2013-10-07T13:31:00Z", "tomorrow")]
    odd = msgspec.json.encode({"bars": {"SPY": rows}, "next_page_token": None})
    for wrong in (body, odd):
        (alarm,) = client.receive_response(request, 200, wrong, NOW + MINUTE * 3)
        assert alarm.code == "query_failed"
    good = msgspec.json.encode({"bars": {"SPY": rows[:1]}, "next_page_token": None})
    bars = client.receive_response(request, 200, good, NOW + MINUTE * 3)
    assert [bar.ts_open for bar in bars] == [NOW + MINUTE]


def test_pages_of_a_gap_are_followed_to_the_last():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    activate(client.market_data)
    client.receive_market_data(bar_frame(0), NOW)
    client.market_data.closed(NOW)
    activate(client.market_data, NOW + MINUTE * 3)
    client.poll(NOW + MINUTE * 3)
    (first,) = client.take_requests(NOW + MINUTE * 3 + LATE_NS)
    pages = [
        ({"SPY": [{**ROW, "t": "2013-10-07T13:31:00Z"}]}, "tok"),
        ({"SPY": [{**ROW, "t": "2013-10-07T13:32:00Z"}]}, None),
    ]
    text = [msgspec.json.encode({"bars": b, "next_page_token": t}) for b, t in pages]
    assert client.receive_response(first, 200, text[0], NOW + MINUTE * 3) == []
    (second,) = client.take_requests(NOW + MINUTE * 3)
    assert "page_token=tok" in second.path
    assert len(client.receive_response(second, 200, text[1], NOW + MINUTE * 3)) == 2


def test_a_gap_whose_history_does_not_come_is_asked_for_without_end_and_its_symbol_is_stale():
    client, request = broken_and_back()
    now, told, waits = NOW + 3 * MINUTE, [], []
    for attempt in range(1, 41):
        events = client.receive_response(request, (500, 0, 503, 429)[attempt % 4], b"", now)
        assert minutes(events) == []
        told += [(now, code) for code in codes(events)]
        assert bool(client.stale_reason("SPY")) is (attempt >= STALE_AFTER)
        assert client.stale_reason("QQQ") == ""
        later = now
        while not (requests := client.take_requests(later)):
            later = client.queue.next_due(later)
        waits.append((later - now) / SECOND)
        (request,), now = requests, later
    assert waits[:3] == pytest.approx([1, 2, 4], rel=0.16)
    assert max(waits) <= 30 * 1.15
    assert waits[-1] == pytest.approx(30, rel=0.16)
    # The first two attempts, then that it is stale, then no more often than every five minutes.
    assert [code for _, code in told[:3]] == ["query_failed", "query_failed", "stale_bars"]
    times = [ts for ts, code in told if code == "stale_bars"]
    assert all(b - a >= TOLD_AGAIN_NS for a, b in pairwise(times))
    assert len(times) >= 3
    # The stream's bars have waited; nothing is lost, and nothing is out of order.
    assert client.receive_market_data(bar_frame(4), now) == []
    events = client.receive_response(request, 200, page(1, 2, 3), now)
    assert codes(events) == ["bars_resumed"]
    assert minutes(events) == [1, 2, 3, 4]
    assert client.stale_reason("SPY") == ""
    assert len(client.queue) == 0


@pytest.mark.parametrize("status", [403, 500, 200])
def test_the_answer_about_an_older_gap_does_not_stand_for_a_newer_one(status):
    client, old = broken_and_back()
    # While it is on its way the line breaks again.
    client.market_data.closed(NOW + 4 * MINUTE)
    activate(client.market_data, NOW + 6 * MINUTE)
    client.poll(NOW + 6 * MINUTE)
    (new,) = client.take_requests(NOW + 6 * MINUTE + LATE_NS)
    assert client.receive_market_data(bar_frame(6), NOW + 7 * MINUTE) == []
    late = client.receive_response(old, status, page(1, 2), NOW + 7 * MINUTE)
    assert late == []
    assert client.take_requests(NOW + 60 * MINUTE) == []
    events = client.receive_response(new, 200, page(1, 2, 3, 4, 5), NOW + 7 * MINUTE)
    assert minutes(events) == [1, 2, 3, 4, 5, 6]
    assert minutes(client.receive_market_data(bar_frame(7), NOW + 8 * MINUTE)) == [7]


def test_a_repeat_that_waits_for_an_older_gap_is_not_sent_any_more():
    client, old = broken_and_back()
    for _ in range(STALE_AFTER):
        client.receive_response(old, 500, b"", NOW + 3 * MINUTE)
    assert client.stale_reason("SPY")
    client.market_data.closed(NOW + 4 * MINUTE)
    activate(client.market_data, NOW + 6 * MINUTE)
    client.poll(NOW + 6 * MINUTE)
    (new,) = client.take_requests(NOW + 60 * MINUTE)
    assert new.purpose != old.purpose
    # A break more does not make what is missing fresh.
    assert client.stale_reason("SPY")
    client.receive_response(new, 200, page(1), NOW + 60 * MINUTE)
    assert client.stale_reason("SPY") == ""


def test_a_symbol_that_nobody_wants_any_more_is_not_asked_for():
    client, request = broken_and_back()
    for _ in range(STALE_AFTER):
        client.receive_response(request, 500, b"", NOW + 3 * MINUTE)
    client.unsubscribe("bars", "SPY")
    assert client.stale_reason("SPY") == ""
    assert client.take_requests(NOW + 60 * MINUTE) == []
    # Wanted again, its bars do not wait for anything.
    client.subscribe("bars", "SPY")
    assert minutes(client.receive_market_data(bar_frame(9), NOW + 10 * MINUTE)) == [9]


# -- what history has, and when --------------------------------------------------------------------


def back_at(now: int) -> AlpacaClient:
    """A client whose line has broken after the bar of minute 0, and come back at `now`."""
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    activate(client.market_data)
    client.receive_market_data(bar_frame(0), NOW + MINUTE)
    client.market_data.closed(now - 2 * SECOND)
    activate(client.market_data, now)
    client.poll(now)
    return client


@pytest.mark.parametrize(
    ("after", "waits"), [(0, 5), (0.8, 4.2), (4.9, 0.1), (5, 0), (30, 0), (59.9, 0)]
)
def test_a_gap_is_asked_for_when_history_has_the_minute_that_has_just_ended(after, waits):
    """The stream has sent it already, and history has it seconds later: it was in neither."""
    now = NOW + 2 * MINUTE + int(after * 10) * SECOND // 10
    client = back_at(now)
    due = now + int(waits * 10) * SECOND // 10
    if due > now:
        assert client.take_requests(due - 1) == []
        assert client.next_due(now) == due
    (request,) = client.take_requests(due)
    assert minutes(client.receive_response(request, 200, page(1), due)) == [1]
    assert minutes(client.receive_market_data(bar_frame(2), NOW + 3 * MINUTE)) == [2]


def test_the_running_minute_is_not_taken_from_history():
    """What it shows of it is a part, and the stream's whole bar would come second."""
    now = NOW + 2 * MINUTE + 30 * SECOND
    client = back_at(now)
    (request,) = client.take_requests(now)
    # The answer comes when the minute is over: the bar in it is a part all the same.
    assert minutes(client.receive_response(request, 200, page(1, 2), now + 31 * SECOND)) == [1]
    assert minutes(client.receive_market_data(bar_frame(2), now + 31 * SECOND)) == [2]


def test_what_has_ended_when_a_gap_is_asked_for_again_is_taken():
    now = NOW + 2 * MINUTE + 30 * SECOND
    client = back_at(now)
    (request,) = client.take_requests(now)
    client.receive_response(request, 500, b"", NOW + 3 * MINUTE)
    (request,) = client.take_requests(NOW + 3 * MINUTE + 10 * SECOND)
    events = client.receive_response(request, 200, page(1, 2, 3), NOW + 3 * MINUTE + 10 * SECOND)
    assert minutes(events) == [1, 2]


@pytest.mark.parametrize("days", [-1, 11, 4000])
def test_bars_of_a_simulators_own_days_wait_for_no_clock_of_ours(days):
    now = NOW + days * 1440 * MINUTE
    client = back_at(now)
    (request,) = client.take_requests(now)
    assert minutes(client.receive_response(request, 200, page(1, 2), now)) == [1, 2]


# -- where the past ends and the stream begins -----------------------------------------------------


def warming(end: int) -> tuple[AlpacaClient, object]:
    """A client that has asked for bars up to `end`, before its stream stands."""
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    client.poll(end)
    client.warm("SPY", NOW - 60 * MINUTE, end)
    (request,) = client.take_requests(end)
    return client, request


def test_minutes_between_the_past_and_the_first_bar_of_the_stream_are_asked_for():
    client, request = warming(NOW + 2 * MINUTE + 59 * SECOND)
    (warm,) = client.receive_response(request, 200, page(0, 1, 2), NOW + 3 * MINUTE)
    # The bar of minute 2 had not ended when it was asked for; the stream stands after it has.
    assert minutes(list(warm.bars)) == [0, 1]
    activate(client.market_data, NOW + 3 * MINUTE + SECOND)
    assert client.receive_market_data(bar_frame(3), NOW + 4 * MINUTE) == []
    client.poll(NOW + 4 * MINUTE)
    (gap,) = client.take_requests(NOW + 4 * MINUTE + LATE_NS)
    assert "start=2013-10-07T13%3A32%3A00" in gap.path
    assert minutes(client.receive_response(gap, 200, page(2, 3), NOW + 4 * MINUTE)) == [2, 3]


def test_a_past_that_comes_after_the_stream_began_leaves_no_minute_out():
    client, request = warming(NOW + 2 * MINUTE + 59 * SECOND)
    activate(client.market_data, NOW + 3 * MINUTE + SECOND)
    client.poll(NOW + 3 * MINUTE + SECOND)
    assert client.take_requests() == []
    assert client.receive_market_data(bar_frame(3), NOW + 4 * MINUTE) == []
    (warm,) = client.receive_response(request, 200, page(0, 1), NOW + 4 * MINUTE)
    assert type(warm) is WarmEvent
    (gap,) = client.take_requests(NOW + 4 * MINUTE + LATE_NS)
    assert "start=2013-10-07T13%3A32%3A00" in gap.path
    assert minutes(client.receive_response(gap, 200, page(2), NOW + 4 * MINUTE)) == [2, 3]


def test_a_stream_that_stood_before_needs_no_more_than_the_past():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    activate(client.market_data)
    client.poll(NOW + MINUTE)
    client.warm("SPY", NOW - 60 * MINUTE, NOW + MINUTE)
    assert client.receive_market_data(bar_frame(1), NOW + 2 * MINUTE) == []
    (request,) = client.take_requests(NOW + MINUTE + LATE_NS)
    warm, bar = client.receive_response(request, 200, page(0), NOW + 2 * MINUTE)
    assert (minutes(list(warm.bars)), minutes([bar])) == ([0], [1])
    assert client.take_requests(NOW + 2 * MINUTE) == []


@pytest.mark.parametrize("answered_first", [False, True])
@pytest.mark.parametrize(("began", "served"), [(-1, 2), (3, 4), (-1, 40)])
def test_a_minute_that_ends_as_its_symbol_is_asked_for_on_an_old_line_is_not_missing(
    began, served, answered_first
):
    """The line stands; bars are subscribed to some tenths of a second about a minute's end."""
    tenth = SECOND // 10
    client = AlpacaClient("run-", KEYS)
    stream = client.market_data
    activate(stream, NOW - 30 * SECOND)
    stream.receive(b'[{"T":"subscription","bars":[]}]', NOW - 30 * SECOND)
    began, served = NOW + began * tenth, NOW + served * tenth
    client.poll(began)
    client.subscribe("bars", "SPY")
    client.warm("SPY", NOW - 60 * MINUTE, began)
    (request,) = client.take_requests(began)
    past = [{**ROW, "t": f"2013-10-07T13:{minute}:00Z"} for minute in (27, 28)]
    body = msgspec.json.encode({"bars": {"SPY": past}, "next_page_token": None})
    answer = [
        lambda: client.receive_response(request, 200, body, served),
        lambda: client.receive_market_data('[{"T":"subscription","bars":["SPY"]}]', served),
    ]
    events = [e for take in (answer if answered_first else answer[::-1]) for e in take()]
    events += client.poll(served)
    assert [type(event) for event in events] == [WarmEvent]
    assert client.take_requests(NOW + LATE_NS - 1) == []
    (request,) = client.take_requests(NOW + LATE_NS)
    assert "start=2013-10-07T13%3A29%3A00" in request.path
    missed = [{**ROW, "t": "2013-10-07T13:29:00Z"}]
    body = msgspec.json.encode({"bars": {"SPY": missed}, "next_page_token": None})
    assert minutes(client.receive_response(request, 200, body, NOW + LATE_NS)) == [-1]
    assert minutes(client.receive_market_data(bar_frame(0), NOW + MINUTE)) == [0]


def test_what_the_run_before_a_crash_has_heard_is_not_asked_for_again():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    end = NOW + 2 * MINUTE + 3 * SECOND
    client.poll(end)
    client.warm("SPY", NOW + 2 * MINUTE, end)
    (request,) = client.take_requests(end)
    activate(client.market_data, end + SECOND)
    client.receive_response(request, 200, page(), end + SECOND)
    (gap,) = client.take_requests(NOW + 2 * MINUTE + LATE_NS)
    assert "start=2013-10-07T13%3A32%3A00" in gap.path


@pytest.mark.parametrize("stood", [False, True], ids=["not_yet", "no_longer"])
def test_bars_wait_on_where_the_past_comes_while_the_line_does_not_stand(stood):
    client, request = warming(NOW + 2 * MINUTE + 59 * SECOND)
    if stood:
        activate(client.market_data, NOW + 3 * MINUTE)
        client.market_data.closed(NOW + 3 * MINUTE + SECOND)
    (warm,) = client.receive_response(request, 200, page(), NOW + 3 * MINUTE + 2 * SECOND)
    assert warm == WarmEvent("SPY", ())
    assert client.waiting_bars == {"SPY"}
    activate(client.market_data, NOW + 5 * MINUTE + 20 * SECOND)
    client.poll(NOW + 5 * MINUTE + 20 * SECOND)
    (gap,) = client.take_requests(NOW + 5 * MINUTE + 20 * SECOND)
    assert "start=2013-10-07T13%3A32%3A00" in gap.path
    told = client.receive_response(gap, 200, page(2, 3, 4), NOW + 5 * MINUTE + 21 * SECOND)
    assert minutes(told) == [2, 3, 4]
    assert client.waiting_bars == frozenset()


def test_a_line_that_breaks_before_its_first_bar_has_lost_those_since_it_was_served():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    stream = client.market_data
    activate(stream, NOW + 10 * SECOND)
    for at in (30 * SECOND, 2 * MINUTE + 30 * SECOND):
        stream.closed(NOW + at)
        assert client.waiting_bars == {"SPY"}
        activate(stream, NOW + at + MINUTE)
        client.poll(NOW + at + MINUTE)
        # Nobody has answered when it breaks again.
        (gap,) = client.take_requests(NOW + at + MINUTE)
        assert "start=2013-10-07T13%3A30%3A00" in gap.path
    now = NOW + 3 * MINUTE + 31 * SECOND
    assert minutes(client.receive_response(gap, 200, page(0, 1, 2), now)) == [0, 1, 2]
    assert client.waiting_bars == frozenset()


def test_a_line_that_breaks_before_a_symbol_is_served_has_lost_nothing_of_it():
    client = AlpacaClient("run-", KEYS)
    client.subscribe("bars", "SPY")
    stream = client.market_data
    activate(stream)
    client.unsubscribe("bars", "SPY")
    stream.closed(NOW + MINUTE)
    client.subscribe("bars", "SPY")
    assert client.waiting_bars == frozenset()
    activate(stream, NOW + 2 * MINUTE)
    client.poll(NOW + 2 * MINUTE)
    assert client.take_requests(NOW + 3 * MINUTE) == []

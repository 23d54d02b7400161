"""The queue of requests: what waits, what may leave, and what answers make of both."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from pyrt.adapters.alpaca.core.pacing import SECOND, Breaker
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue
from tests.adapters.client.test_connections import Middle
from tests.adapters.client.test_pacing import DELETE, GET, POST


def waiting(queue: RequestQueue) -> list[tuple[str, int]]:
    """What a queue of plenty lets go at last: purposes and numbers."""
    return [(r.purpose, r.order_number) for r in queue.take(10_000 * SECOND)]


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [("", 1), ("0", 0), ("7", 7), ("9999", 9999), ("10000", 1), ("-7", 1), ("1.5", 1), ("²", 1)],
)
def test_a_host_that_has_had_too_much_is_left_alone_for_as_long_as_it_says(text, pause_s):
    """A date, a word or three hours is taken for a second."""
    queue = RequestQueue(Random(0))
    queue.answered(429, {"retry-after": text} if text else {}, 5 * SECOND)
    queue.add(DELETE)
    until = (5 + pause_s) * SECOND
    assert queue.take(until - 1) == []
    assert queue.next_due(until - 1) >= until
    assert queue.take(until) == [DELETE]


@pytest.mark.parametrize(
    ("status", "fails"),
    [(0, True), (200, False), (404, False), (429, False), (499, False), (500, True)],
)
def test_the_fifth_failure_in_a_row_opens_the_breaker(status, fails):
    queue = RequestQueue(Random(0))
    for count in range(1, 7):
        queue.answered(status, {}, 0)
        assert queue.breaker.is_open is (fails and count >= 5)
    assert queue.outstanding == -6


def test_an_answer_lets_the_count_of_failures_begin_anew():
    queue = RequestQueue(Random(0))
    for status in (500, 500, 500, 500, 404, 500, 500, 500, 500):
        queue.answered(status, {}, 0)
    assert not queue.breaker.is_open
    queue.answered(500, {}, 0)
    assert queue.breaker.is_open


def test_what_an_answer_says_is_left_is_what_may_leave():
    queue = RequestQueue(Random(0))
    queue.answered(200, {"x-ratelimit-remaining": "1"}, 0)
    for _ in range(2):
        queue.add(DELETE)
    assert queue.take(0) == [DELETE]
    assert queue.take(SECOND // 10) == []


def test_a_query_of_the_trading_host_alone_can_close_the_breaker():
    queue = RequestQueue(Random(0))
    for request in (POST, DELETE, replace(GET, host="data")):
        queue.add(request)
        assert not queue.has_query()
    queue.add(GET)
    assert queue.has_query()


@pytest.mark.parametrize(
    ("method", "reduces", "passes"),
    [
        ("DELETE", False, True),
        ("GET", False, True),
        ("PATCH", True, False),
        ("POST", True, False),
        ("POST", False, False),
    ],
)
def test_an_open_breaker_holds_back_what_places_or_changes_though_it_reduces(
    method, reduces, passes
):
    queue = RequestQueue(Random(0), breaker=Breaker(0))
    queue.add(HttpRequest(method, "/", b"", 1, "it", reduces=reduces))
    assert bool(queue.take(0)) is passes


def test_a_queue_counts_what_waits_and_what_is_on_its_way():
    queue = RequestQueue(Random(0))
    assert (len(queue), queue.outstanding, queue.next_due(0)) == (0, 0, None)
    queue.add(GET, 2 * SECOND)
    queue.add(DELETE, 3 * SECOND)
    assert (len(queue), queue.next_due(0)) == (2, 2 * SECOND)
    assert queue.take(2 * SECOND - 1) == []
    assert queue.take(2 * SECOND) == [GET]
    assert (len(queue), queue.outstanding) == (1, 1)
    # What may leave now is looked at when its host has its next token, and not at once again.
    assert queue.next_due(3 * SECOND) == 3 * SECOND + 300_000_000
    queue.add(POST, 3 * SECOND + 300_000_001)
    assert queue.next_due(3 * SECOND) == 3 * SECOND + 300_000_000
    queue.add(POST, 3 * SECOND + 299_999_999)
    assert queue.next_due(3 * SECOND) == 3 * SECOND + 299_999_999


def test_requests_of_one_purpose_and_order_are_found_and_dropped_and_no_others():
    queue = RequestQueue(Random(0))
    probe = HttpRequest("GET", "/v2/account", b"", purpose="probe")
    rows = [GET, POST, replace(GET, order_number=2), probe]
    for row in rows:
        queue.add(row)
    assert all(queue.has(row.purpose, row.order_number) for row in rows)
    assert queue.has("probe")
    assert not queue.has("read_back")
    assert not queue.has("submit", 2)
    queue.drop("read_back")
    queue.drop("probe", 1)
    assert len(queue) == 4
    queue.drop("read_back", 1)
    queue.drop("probe")
    assert waiting(queue) == [("read_back", 2), ("submit", 1)]


def test_a_repeat_is_the_same_request_later_each_time():
    queue = RequestQueue(Middle())
    request, now, waits = replace(POST, body=b"{}", reduces=True), 0, []
    for attempt in range(1, 8):
        assert request == replace(POST, body=b"{}", reduces=True, attempt=attempt)
        queue.retry(request, now)
        later = queue.next_due(now)
        assert queue.take(later - 1) == []
        (request,) = queue.take(later)
        waits.append((later - now) // SECOND)
        now = later
    assert waits == [1, 2, 4, 8, 16, 30, 30]

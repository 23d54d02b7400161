"""Back-off, token bucket, breaker and the queue that obeys them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from pyrt.adapters.alpaca.core.pacing import SECOND, Breaker, RetryPolicy, TokenBucket
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue

POST = HttpRequest("POST", "/v2/orders", b"", 1, "submit")
GET = HttpRequest("GET", "/v2/orders/x", b"", 1, "read_back")
DELETE = HttpRequest("DELETE", "/v2/orders/x", b"", 1, "cancel")


def test_delays_double_up_to_the_cap_and_jitter_stays_within_its_bound():
    policy = RetryPolicy(jitter=0.0)
    random = Random(0)
    assert [policy.delay_ns(n, random) // SECOND for n in (1, 2, 3, 6, 500)] == [1, 2, 4, 30, 30]
    delays = [RetryPolicy().delay_ns(1, random) for _ in range(200)]
    assert 0.85 * SECOND <= min(delays) < max(delays) <= 1.15 * SECOND


def test_submits_leave_the_reserve_to_cancels():
    bucket = TokenBucket(rate_per_minute=10, reserve=4)
    submits = sum(bucket.take(0, reserved=False) for _ in range(20))
    cancels = sum(bucket.take(0, reserved=True) for _ in range(20))
    assert (submits, cancels) == (6, 4)
    # 10 a minute: one more after six seconds.
    assert not bucket.take(5 * SECOND, reserved=True)
    assert bucket.take(7 * SECOND, reserved=True)


def test_headers_lower_what_is_left_and_garbage_is_ignored():
    bucket = TokenBucket(rate_per_minute=200)
    bucket.read_headers({"x-ratelimit-limit": "100", "x-ratelimit-remaining": "3"}, 0)
    assert bucket.tokens == 3
    bucket.read_headers({"x-ratelimit-limit": "-", "x-ratelimit-remaining": "many"}, 0)
    assert bucket.tokens == 3


def test_cancels_leave_first_then_queries_then_submits():
    queue = RequestQueue(Random(0))
    for request in (POST, GET, DELETE):
        queue.add(request)
    assert [r.method for r in queue.take(0)] == ["DELETE", "GET", "POST"]


def test_an_open_breaker_holds_submits_only_and_an_answer_closes_it():
    queue = RequestQueue(Random(0), breaker=Breaker(threshold=3))
    for _ in range(3):
        queue.answered(503, {}, 0)
    queue.add(POST)
    queue.add(GET)
    queue.add(DELETE)
    assert [r.method for r in queue.take(0)] == ["DELETE", "GET"]
    queue.answered(404, {}, 0)
    assert [r.method for r in queue.take(0)] == ["POST"]


def test_after_429_nothing_leaves_until_the_time_named():
    queue = RequestQueue(Random(0))
    queue.answered(429, {"retry-after": "7"}, 0)
    queue.add(DELETE)
    assert queue.take(6 * SECOND) == []
    assert queue.next_due(6 * SECOND) == 7 * SECOND
    assert queue.take(7 * SECOND) == [DELETE]


def test_orders_that_an_outage_keeps_become_too_old_unless_they_reduce():
    queue = RequestQueue(Random(0))
    opening, closing = replace(POST, order_number=1), replace(POST, order_number=2, reduces=True)
    for _ in range(5):
        queue.answered(503, {}, 0)
    for request in (opening, closing, replace(GET, purpose="probe")):
        queue.add(request)
    queue.add(replace(POST, order_number=3), not_before=9 * SECOND)
    assert [r.method for r in queue.take(SECOND)] == ["GET"]
    before = queue.outstanding
    assert queue.take_late(SECOND - 1) == []
    queue.take(4 * SECOND)
    assert queue.take_late(SECOND) == [opening]
    assert queue.outstanding == before + 1
    assert queue.take_late(4 * SECOND) == []
    queue.answered(200, {}, 5 * SECOND)
    assert queue.take(5 * SECOND) == [closing]


def test_an_order_becomes_too_old_behind_a_429_and_not_for_want_of_tokens():
    queue = RequestQueue(Random(0), bucket=TokenBucket(rate_per_minute=1, reserve=0))
    queue.answered(429, {"retry-after": "7"}, 0)
    queue.add(POST)
    assert queue.take(SECOND) == []
    assert queue.take_late(SECOND) == [POST]
    for request in (POST, POST):
        queue.add(request)
    assert queue.take(7 * SECOND) == [POST]
    # The second one has its turn in a minute.
    assert queue.take(8 * SECOND) == queue.take_late(8 * SECOND) == []
    assert queue.take(68 * SECOND) == [POST]


def test_where_tokens_are_short_cancels_go_first_and_what_reduces_before_what_opens():
    queue = RequestQueue(Random(0), bucket=TokenBucket(rate_per_minute=4, reserve=0))
    opening = [replace(POST, order_number=n) for n in (1, 2, 3)]
    closing = replace(POST, order_number=4, reduces=True)
    for request in (*opening, closing, GET, DELETE):
        queue.add(request)
    # Four tokens; orders that leave together keep the order in which they were sent.
    assert queue.take(0) == [DELETE, GET, opening[0], closing]
    assert queue.take(16 * SECOND) == [opening[1]]


def test_with_tokens_enough_orders_leave_as_they_were_sent():
    queue = RequestQueue(Random(0))
    both = [replace(POST, order_number=1), replace(POST, order_number=2, reduces=True)]
    for request in both:
        queue.add(request)
    assert queue.take(0) == both


def test_tokens_come_back_at_the_granted_rate_and_no_faster():
    bucket = TokenBucket(200)
    while bucket.take(0, reserved=True):
        pass
    assert bucket.tokens == 0
    # 200 a minute: one each 0.3 s.
    assert not bucket.take(3 * SECOND // 10 - 1, reserved=True)
    assert bucket.take(3 * SECOND // 10 + 1, reserved=True)
    assert bucket.take(30 * SECOND + 3 * SECOND // 10 + 1, reserved=True)
    assert bucket.tokens == 99
    assert bucket.take(600 * SECOND, reserved=True)
    assert bucket.tokens == 199


def test_hosts_have_tokens_of_their_own_and_only_the_trading_one_has_a_breaker():
    queue = RequestQueue(Random(0))
    bars = replace(GET, host="data")
    for _ in range(20):
        queue.answered(503, {}, 0, "data")
    queue.answered(429, {"retry-after": "60", "x-ratelimit-limit": "10000"}, 0, "data")
    for request in (POST, bars):
        queue.add(request)
    # Entries and exits leave; history waits for its own host.
    assert queue.take(0) == [POST]
    assert queue.next_due(0) == 60 * SECOND
    for _ in range(300):
        queue.add(DELETE)
    assert len(queue.take(SECOND)) == 200
    for _ in range(5):
        queue.answered(0, {}, SECOND)
    assert queue.breaker.is_open
    queue.answered(200, {}, SECOND, "data")
    assert queue.breaker.is_open
    assert not queue.has_query()


def test_a_bucket_keeps_half_at_most_in_reserve():
    """Three a minute: the reserve of forty would let no order leave, ever."""
    bucket = TokenBucket(rate_per_minute=3)
    assert [bucket.take(0, reserved=False) for _ in range(3)] == [True, True, False]
    assert bucket.take(0, reserved=True)
    assert not bucket.take(0, reserved=True)


def test_two_hundred_a_minute_are_taken_for_granted_and_forty_kept_back():
    bucket = TokenBucket()
    assert bucket.tokens == 200
    assert sum(bucket.take(0, reserved=False) for _ in range(300)) == 160
    assert sum(bucket.take(0, reserved=True) for _ in range(300)) == 40
    # Worth a look again when the next token is there.
    assert bucket.next_due(7) == 7 + 300_000_000


@pytest.mark.parametrize(
    ("headers", "tokens", "due_s"),
    [
        ({}, 200, 0.3),
        ({"x-ratelimit-remaining": " 0 "}, 0, 0.3),
        ({"x-ratelimit-remaining": "199"}, 199, 0.3),
        # What was left unused so far does not come back for being told.
        ({"x-ratelimit-remaining": "201"}, 200, 0.3),
        ({"x-ratelimit-limit": "100"}, 200, 0.6),
        ({"x-ratelimit-limit": "0"}, 200, 0.3),
        ({"x-ratelimit-limit": "-5", "x-ratelimit-remaining": "-5"}, 200, 0.3),
        ({"x-ratelimit-limit": "1.5", "x-ratelimit-remaining": ""}, 200, 0.3),
        ({"x-ratelimit-limit": "²", "x-ratelimit-remaining": "²"}, 200, 0.3),
        ({"x-ratelimit-limit": "6" + "0" * 14}, 200, 0.0),
        ({"x-ratelimit-limit": "6" + "0" * 15, "x-ratelimit-remaining": "0" * 16}, 200, 0.3),
    ],
)
def test_what_headers_say_is_taken_where_it_is_a_number(headers, tokens, due_s):
    bucket = TokenBucket()
    bucket.read_headers(headers, 0)
    assert bucket.tokens == tokens
    assert bucket.next_due(0) == int(due_s * SECOND)


def test_what_headers_leave_grows_from_when_they_came():
    bucket = TokenBucket(60)
    bucket.read_headers({}, 0)
    bucket.read_headers({"x-ratelimit-remaining": "5"}, 10 * SECOND)
    assert bucket.take(11 * SECOND, reserved=True)
    assert bucket.tokens == 5


def test_a_clock_that_goes_back_neither_earns_nor_costs_and_a_pause_is_never_cut_short():
    bucket = TokenBucket(60)
    for _ in range(10):
        assert bucket.take(10 * SECOND, reserved=True)
    assert bucket.take(4 * SECOND, reserved=True)
    assert bucket.tokens == 49
    assert bucket.take(11 * SECOND, reserved=True)
    assert bucket.tokens == 49
    bucket.block(20 * SECOND)
    bucket.block(15 * SECOND)
    assert not bucket.take(20 * SECOND - 1, reserved=True)
    assert bucket.next_due(15 * SECOND) == 20 * SECOND
    assert bucket.take(20 * SECOND, reserved=True)


def test_jitter_goes_as_far_either_way():
    class Edge(Random):
        def __init__(self, value: float) -> None:
            self.value = value

        def random(self) -> float:
            return self.value

    policy = RetryPolicy(initial_ns=100, factor=3.0, jitter=0.25, cap_ns=1_000)
    for value, delays in ((0.0, (75, 225, 750)), (0.5, (100, 300, 1000)), (1.0, (125, 375, 1250))):
        assert tuple(policy.delay_ns(n, Edge(value)) for n in (1, 2, 4)) == delays

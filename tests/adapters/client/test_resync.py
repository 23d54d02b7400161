"""Open orders are read back on schedule, as often as the broker's grant of requests lets us."""

from __future__ import annotations

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.pacing import SECOND

NOW = 1_700_000_000 * SECOND


def client_with(count, **options):
    client = AlpacaClient("run-", **options)
    for number in range(1, count + 1):
        known = client.ledger.add(Known(number, f"run-{number}"))
        known.venue_id = f"venue-{number}"
        client.orders.adopt(known, sent_at=NOW, cancel_wanted=False, changes=0)
    return client


@pytest.mark.parametrize(
    ("count", "every_s"),
    [(0, 8), (1, 8), (13, 8), (50, 30)],
)
def test_read_backs_come_each_eight_seconds_and_less_often_with_many_orders(count, every_s):
    client = client_with(count, resync_ns=8 * SECOND)
    client.trade_updates._wants_resync = True
    client.poll(NOW)
    assert client._resync_at == NOW + int(every_s * SECOND)
    asked = [request for request in client.take_requests(NOW) if request.purpose == "read_back"]
    assert len(asked) == count
    # Half of two hundred requests a minute, at most.
    assert count / every_s * 60 <= 100


def test_news_of_others_have_orders_read_back_at_once_and_then_not_for_each_of_them():
    client, left = client_with(50, resync_ns=8 * SECOND), []
    for tenth in range(400):
        client.trade_updates._wants_resync = True
        now = NOW + tenth * SECOND // 10
        client.poll(now)
        left.append(len(client.take_requests(now)))
    assert left[0] == 50
    assert left[300] == 50
    assert sum(left) == 100
    # An order that leaves a position needs a token beyond those that read-backs may use up.
    assert client.queue.buckets["trading"].tokens > 100


def test_orders_that_are_final_or_forgotten_are_read_back_no_more():
    client = client_with(3, resync_ns=8 * SECOND)
    client.ledger.of(1).final = "filled"
    client.forget(2)
    client.trade_updates._wants_resync = True
    client.poll(NOW)
    asked = [request for request in client.take_requests(NOW) if request.purpose == "read_back"]
    assert [request.order_number for request in asked] == [3]


def read_backs(client, now):
    return [r.order_number for r in client.take_requests(now) if r.purpose == "read_back"]


def test_two_hundred_orders_are_read_back_in_parts_that_leave_a_way_out_its_tokens():
    client, asked = client_with(200, resync_ns=8 * SECOND), []
    client.trade_updates._wants_resync = True
    for second in range(121):
        now = NOW + second * SECOND
        client.poll(now)
        asked.append(read_backs(client, now))
        assert client.queue.buckets["trading"].tokens > 100
    parts = {second: numbers for second, numbers in enumerate(asked) if numbers}
    assert sorted(parts) == [0, 30, 60, 90, 120]
    assert [n for second in (0, 30, 60, 90) for n in parts[second]] == list(range(1, 201))
    assert parts[120] == list(range(1, 51))


def test_news_amid_a_round_ask_for_another_and_what_ended_meanwhile_is_left_out():
    client, asked = client_with(60), {}
    client.trade_updates._wants_resync = True
    for second in range(61):
        now = NOW + second * SECOND
        if second == 10:
            client.trade_updates._wants_resync = True
            client.ledger.of(55).final = "filled"
            client.forget(60)
        client.poll(now)
        if numbers := read_backs(client, now):
            asked[second] = numbers
    # Eight are left after half a minute; a round anew comes when their share of the grant is over.
    assert asked[0] == list(range(1, 51))
    assert asked[30] == [51, 52, 53, 54, 56, 57, 58, 59]
    assert asked[35] == list(range(1, 51))
    assert sorted(asked) == [0, 30, 35]

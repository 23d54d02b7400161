"""A price that is stamped later than it is: put aside and told, and what follows it is heard."""

from __future__ import annotations

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, BarEvent
from pyrt.core.times import format_ns
from pyrt.live.core.broker import CLOCKS_APART_NS
from tests.adapters.client.test_streams import BAR, KEYS, MINUTE, NOW

DAY = 24 * 60 * MINUTE
TRADE = {"T": "t", "p": 100.0, "s": 1}
QUOTE = {"T": "q", "bp": 99.0, "bs": 1, "ap": 100.0, "as": 1}
BOOK = {"T": "o", "b": [], "a": [], "r": True}
TOLD = "put aside: prices of SPY are stamped later than it is"


def checking() -> AlpacaClient:
    return AlpacaClient("run-", KEYS, symbols=("SPY",), checks_clock=True)


def received(client: AlpacaClient, row: dict, stamp: int, now: int = NOW) -> list:
    frame = msgspec.json.encode([{"S": "SPY", "t": format_ns(stamp), **row}])
    return client.receive_market_data(frame, now)


def look(client: AlpacaClient, server_ts: int) -> None:
    """Let the account be looked at, by whose clock it is `server_ts`."""
    answers = {
        "/v2/clock": {"timestamp": format_ns(server_ts), "is_open": True},
        "/v2/account": {"account_number": "PA1", "cash": "1000", "equity": "1000"},
    }
    assert client.look()
    for _ in range(len(answers) + 5):
        request = client.take_requests(NOW + 5 * MINUTE).pop()
        body = msgspec.json.encode(answers.get(request.path.partition("?")[0], []))
        events = client.receive_response(request, 200, body, NOW)
        if events:
            return
    pytest.fail("the look has no end")


@pytest.mark.parametrize("row", [TRADE, QUOTE, BOOK, BAR, {**BAR, "T": "d"}])
@pytest.mark.parametrize(("ahead", "passes"), [(0, True), (1, False), (DAY, False)])
def test_a_price_is_put_aside_that_is_stamped_later_than_clocks_are_apart(row, ahead, passes):
    client = checking()
    latest = NOW + CLOCKS_APART_NS - (MINUTE if row is BAR else 0)
    event = received(client, row, latest + ahead)[0]
    assert isinstance(event, Alarm) is not passes
    assert passes or event == Alarm("bad_tick", TOLD, NOW)


def test_bars_are_heard_after_one_of_another_day():
    """The later stamp was the last one, and every bar behind it an old one."""
    client = checking()
    received(client, BAR, NOW + DAY)
    (bar,) = received(client, BAR, NOW, NOW + MINUTE)
    assert isinstance(bar, BarEvent)


def test_a_simulator_that_keeps_its_own_time_is_believed():
    client = AlpacaClient("run-", KEYS)
    assert isinstance(received(client, BAR, NOW + DAY)[0], BarEvent)


@pytest.mark.parametrize(("behind", "passes"), [(MINUTE, True), (-MINUTE, False), (0, False)])
def test_where_our_clock_is_behind_the_brokers_its_clock_counts(behind, passes):
    client = checking()
    for there in (DAY, behind):
        look(client, NOW + there)
    assert isinstance(received(client, TRADE, NOW + MINUTE)[0], Alarm) is not passes

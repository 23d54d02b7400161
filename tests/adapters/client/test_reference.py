"""Assets become instruments, answers are kept, and calendars that differ are told."""

from __future__ import annotations

import asyncio
import os
import pwd
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.account.reading import Reader
from pyrt.adapters.alpaca.account.reference import (
    AssetView,
    CalendarDay,
    Reference,
    differences,
    instrument_of,
)
from pyrt.adapters.alpaca.node.assembly import look_up
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.live.config import NodeConfig
from tests.adapters.simulator.exchange import CLOSES
from tests.minutes import minute_bars


class Wire:
    """The simulator core behind a reader; counts what it is asked."""

    def __init__(self) -> None:
        self.core = make_core([minute_bars("SPY", CLOSES), minute_bars("BTC/USD", [20.0] * 8)])
        self.asked: list[str] = []

    async def send(self, request: Any) -> Answer:
        self.asked.append(request.path)
        answer = self.core.request(request.method, request.path, request.body)
        return Answer(answer.status, bytes(answer.body), answer.headers)


def test_an_asset_becomes_the_instrument_that_it_is():
    coin = AssetView(
        symbol="BTC/USD",
        asset_class="crypto",
        min_trade_increment="0.0001",
        price_increment="0.5",
    )
    found = instrument_of(coin)
    steps = [Decimal(str(step)) for step in (found.step_size, found.tick_size)]
    assert (found.kind, *steps) == (
        "crypto",
        Decimal("0.0001"),
        Decimal("0.5"),
    )
    share = AssetView(symbol="GME", shortable=False, marginable=False, fractionable=False)
    found = instrument_of(share)
    assert (found.shortable, found.marginable, found.fractionable) == (False, False, False)
    assert not instrument_of(AssetView(symbol="OLD", status="inactive")).tradable
    assert not instrument_of(AssetView(symbol="OTC", tradable=False)).tradable


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, (None, None)),
        ({"margin_requirement_long": "30", "margin_requirement_short": "30"}, ("0.3", "0.3")),
        ({"margin_requirement_long": "75", "margin_requirement_short": "100"}, ("0.75", "1")),
        ({"maintenance_margin_requirement": 40}, ("0.4", "0.4")),
        (
            {"maintenance_margin_requirement": 40.5, "margin_requirement_short": "90"},
            ("0.405", "0.9"),
        ),
        ({"margin_requirement_long": "", "margin_requirement_short": None}, (None, None)),
    ],
)
def test_the_margin_of_an_asset_is_that_of_its_instrument(stated, expected):
    body = msgspec.json.encode({"symbol": "GME", "class": "us_equity", **stated})
    found = instrument_of(msgspec.json.decode(body, type=AssetView))
    wanted = tuple(None if share is None else Decimal(share) for share in expected)
    assert (found.margin_long, found.margin_short) == wanted


def test_answers_are_kept_for_a_while(tmp_path):
    wire = Wire()
    reference = Reference(Reader(wire.send), tmp_path)
    ask = reference.instruments(["SPY", "BTC/USD"])
    assert [i.kind for i in asyncio.run(ask)] == ["equity", "crypto"]
    assert wire.asked == ["/v2/assets/SPY", "/v2/assets/BTC%2FUSD"]
    asyncio.run(reference.instruments(["SPY", "BTC/USD"]))
    assert len(wire.asked) == 2
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        os.utime(path, (0, 0))
    asyncio.run(reference.instruments(["SPY"]))
    assert len(wire.asked) == 3


@pytest.mark.parametrize("what", ["no folder", "no file"])
def test_a_place_that_keeps_nothing_costs_a_request_and_no_start(tmp_path, what):
    """A service has no home: its start ended here."""
    place, wire = tmp_path / "kept", Wire()
    if what == "no folder":
        place.write_text("somebody's")
    else:
        (place / "asset-SPY.json").mkdir(parents=True)
    reference = Reference(Reader(wire.send), place)
    for _ in range(2):
        (found,) = asyncio.run(reference.instruments(["SPY"]))
        assert found.kind == "equity"
    assert wire.asked == ["/v2/assets/SPY"] * 2


def test_a_user_without_any_home_has_a_start_too(tmp_path, monkeypatch):
    """As a number of a container that nobody has given a name."""

    def unknown(number: int) -> Any:
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    config = NodeConfig(symbols=("SPY",), state_dir=str(tmp_path))
    wire = Wire()
    for _ in range(2):
        (found,), _ = asyncio.run(look_up(config, wire))
        assert found.kind == "equity"
    assert wire.asked == ["/v2/assets/SPY"] * 2


class Failing(Wire):
    """Answers some questions with what it is told to, so many times."""

    def __init__(self, **failures: list[Answer]) -> None:
        super().__init__()
        self.failures = failures

    async def send(self, request: Any) -> Answer:
        left = self.failures.get(request.path.rpartition("/")[2])
        if not left:
            return await super().send(request)
        self.asked.append(request.path)
        return left.pop()


NONE = Answer(0)
GARBAGE = Answer(200, b'{"symbol": 1}')


@pytest.mark.parametrize(
    ("failures", "assumed", "asked"),
    [
        ({}, (), 2),
        # One question that failed was enough for all that is traded to be as usual.
        ({"SPY": [GARBAGE]}, ("SPY",), 2),
        ({"SPY": [Answer(403, b"{}")]}, ("SPY",), 2),
        ({"SPY": [NONE]}, (), 3),
        # After so many that nobody answers, he is not asked for each symbol of a long list.
        ({"SPY": [NONE] * 3}, ("SPY", "BTC/USD"), 3),
    ],
)
def test_a_question_that_fails_leaves_the_others_what_the_broker_says(
    failures, assumed, asked, tmp_path, monkeypatch
):
    async def skip(seconds: float) -> None:
        assert seconds < 3

    monkeypatch.setattr(asyncio, "sleep", skip)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = NodeConfig(symbols=("SPY", "BTC/USD"))
    wire = Failing(**failures)
    listing = asyncio.run(look_up(config, wire))
    assert [i.symbol for i in listing.instruments] == ["SPY", "BTC/USD"]
    assert listing.assumed == assumed
    assert len(wire.asked) == asked


def test_an_old_answer_is_better_than_none(tmp_path, monkeypatch):
    """A node that came back in an outage took usual terms for those that it had known."""

    async def skip(seconds: float) -> None:
        assert seconds < 3

    monkeypatch.setattr(asyncio, "sleep", skip)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = NodeConfig(symbols=("SPY",))
    first = asyncio.run(look_up(config, Wire()))
    (kept,) = tmp_path.rglob("asset-SPY.json")
    os.utime(kept, (0, 0))
    again = asyncio.run(look_up(config, Failing(SPY=[NONE] * 3)))
    assert again.instruments[0].to_dict() == first.instruments[0].to_dict()
    assert again.assumed == ()
    # What the broker refuses is an answer.
    assert asyncio.run(look_up(config, Failing(SPY=[Answer(403, b"{}")]))).assumed == ("SPY",)


def test_what_the_broker_does_not_know_may_not_be_traded(tmp_path):
    (found,) = asyncio.run(Reference(Reader(Wire().send)).instruments(["NOPE"]))
    assert not found.tradable


def test_the_brokers_calendar_is_ours_where_nothing_is_wrong():
    ask = Reference(Reader(Wire().send)).calendar_differences(date(2013, 11, 25), date(2013, 12, 6))
    assert asyncio.run(ask) == []


@pytest.mark.parametrize(
    ("days", "lines"),
    [
        (
            [("2024-11-28", "09:30", "16:00"), ("2024-11-29", "09:30", "16:00")],
            [
                "2024-11-28: 09:30-16:00 at the broker, no session here",
                "2024-11-29: 09:30-16:00 at the broker, 09:30-13:00 here",
            ],
        ),
        (
            [("2024-11-29", "09:30", "13:00")],
            [],
        ),
        (
            [],
            ["2024-11-29: no session at the broker, 09:30-13:00 here"],
        ),
    ],
)
def test_a_session_that_differs_is_told(days, lines):
    found = [CalendarDay(date=day, open=opened, close=closed) for day, opened, closed in days]
    assert differences(found, date(2024, 11, 28), date(2024, 11, 29)) == lines

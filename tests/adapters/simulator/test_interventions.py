"""Halts, corrected and canceled prints, messages on request, and the feed `test`."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.protocol.http import Refused
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.adapters.alpaca.simulator.streams.frames import (
    Bar,
    CancelError,
    Correction,
    Quote,
    Status,
    UpdatedBar,
    encode,
)
from pyrt.core.times import timestamp_ns
from tests.adapters.simulator.exchange import CLOSES
from tests.adapters.simulator.test_ticks import PRINTS, SECOND, ask, place, quotes, trades
from tests.minutes import MINUTE, START, minute_bars


def of(core: SimulatorCore, kind: type) -> list[Any]:
    return [message for message in core.take_messages() if type(message) is kind]


@pytest.mark.parametrize("ticks", [False, True])
def test_nobody_trades_while_a_symbol_is_halted(ticks: bool) -> None:
    core = make_core([quotes("SPY", 600) if ticks else minute_bars("SPY", CLOSES)])
    core.run(START + MINUTE)
    core.interventions.act("halt", {"symbol": "SPY", "seconds": 120, "rc": "T1", "rm": "News"})
    order = place(core)
    assert order["status"] == "pending_new"
    core.run(START + 3 * MINUTE - 1)
    assert ask(core, "GET", f"/v2/orders/{order['id']}")["filled_qty"] == "0"
    (halt,) = of(core, Status)
    assert (halt.sc, halt.sm, halt.rc, halt.rm) == ("2", "Trading Halt", "T1", "News")
    core.run(START + 5 * MINUTE)
    (resume,) = of(core, Status)
    assert (resume.sc, resume.t.ns) == ("3", START + 3 * MINUTE)
    filled = ask(core, "GET", f"/v2/orders/{order['id']}")
    assert filled["status"] == "filled"
    assert timestamp_ns(filled["filled_at"]) >= START + 3 * MINUTE


def test_revised_prints_are_told_and_their_bar_is_sent_again() -> None:
    core = make_core([trades("SPY", PRINTS)])
    core.run(START + 2 * MINUTE)
    core.take_messages()
    core.interventions.act("correct", {"symbol": "SPY", "id": 2, "price": 10.4, "size": 200})
    core.interventions.act("bust", {"symbol": "SPY", "id": 1})
    told = core.take_messages()
    correction, cancel = told
    assert isinstance(correction, Correction)
    assert (correction.oi, correction.op, correction.os) == (2, 10.5, 300)
    assert (correction.cp, correction.cs) == (10.4, 200)
    assert isinstance(cancel, CancelError)
    assert (cancel.i, cancel.p, cancel.a) == (1, 10.0, "C")
    core.run(START + 2 * MINUTE + 31 * SECOND)
    last = of(core, UpdatedBar)[-1]
    assert (last.o, last.h, last.l, last.c, last.v, last.n) == (10.4, 10.4, 10.25, 10.25, 300, 2)
    assert last.t.text == "2013-10-07T13:30:00Z"
    rows = ask(core, "GET", "/v2/stocks/SPY/trades")["trades"]
    assert [row.get("u") for row in rows] == ["canceled", "corrected", None, None, None]


def test_where_a_bar_stands_for_its_print_the_bar_is_revised() -> None:
    core = make_core([minute_bars("SPY", CLOSES)])
    core.run(START + 2 * MINUTE)
    core.interventions.act("correct", {"symbol": "SPY", "price": 101.5})
    core.run(START + 3 * MINUTE)
    (bar,) = of(core, UpdatedBar)
    assert (bar.o, bar.c, bar.v) == (100.0, 101.5, 1000)


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("halt", {"symbol": "XYZ"}, 404),
        ("halt", {"symbol": "SPY", "seconds": -1}, 422),
        ("bust", {"symbol": "SPY", "id": 99}, 404),
        ("correct", {"symbol": "SPY", "price": "high"}, 422),
        ("correct", {"symbol": "SPY", "price": -1.0}, 422),
        ("publish", {"messages": [{"T": "?", "S": "SPY"}]}, 422),
        ("publish", {"messages": [{"T": "q", "S": "SPY"}]}, 422),
        ("publish", {}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(action: str, body: Any, status: int) -> None:
    core = make_core([minute_bars("SPY", CLOSES)])
    core.run(START + MINUTE)
    core.take_messages()
    with pytest.raises(Refused) as caught:
        core.interventions.act(action, body)
    assert caught.value.status == status
    assert core.take_messages() == []


def test_any_message_can_be_published() -> None:
    core = make_core([minute_bars("SPY", CLOSES)])
    quote = {"T": "q", "S": "SPY", "bp": 1.0, "bs": 1, "ap": 2.0, "as": 2}
    core.interventions.act("publish", {"messages": [{**quote, "t": "2013-10-07T13:30:00.5Z"}]})
    (message,) = of(core, Quote)
    assert (message.ask_size, message.t.text) == (2, "2013-10-07T13:30:00.5Z")
    assert core.interventions.act("dance", {}) is None


def test_the_test_feed_runs_while_somebody_listens() -> None:
    core = make_core([minute_bars("SPY", CLOSES)])
    core.run(START + MINUTE)
    core.take_messages()
    core.fake.listen(core.now, is_heard=True)
    core.run(START + 2 * MINUTE)
    fakes = [m for m in core.take_messages() if m.S == "FAKEPACA"]
    assert len(fakes) == 121
    assert type(fakes[-1]) is Bar
    assert fakes[-1].t.ns == START + MINUTE
    core.fake.listen(core.now, is_heard=False)
    core.run(START + 3 * MINUTE)
    assert not [m for m in core.take_messages() if m.S == "FAKEPACA"]


def test_published_bars_count_shares_in_whole_numbers() -> None:
    core = make_core([minute_bars("SPY", CLOSES)])
    bar = {"T": "b", "S": "SPY", "o": 1, "h": 2, "l": 1, "c": 2, "v": 100, "n": 1, "vw": 1.5}
    core.interventions.act("publish", {"messages": [bar]})
    (message,) = of(core, Bar)
    # A typed client reads a stock's volume as an integer, and fails on 100.0.
    assert b'"v":100,' in encode([message], packed=False)

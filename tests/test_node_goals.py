"""The script that measures a node judges rightly, and its stub keeps the books it claims to."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

pytest.importorskip("uvicorn")

from scripts.goal_rows import Row, quantile, row, table
from scripts.market_hours import growth
from scripts.node_goals import GOALS, comeback
from scripts.stub_broker import Stub

ORDER = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": "3"}


def test_durations_are_judged_by_their_quantile():
    values = [float(value) for value in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0)) == (51, 100, 100)
    assert row("G1", "x", 100, values).is_met
    assert not row("G1", "x", 99, values).is_met
    # Nothing measured is nothing met.
    assert not row("G1", "x", 99, []).is_met


def test_a_missed_goal_is_marked():
    text = table([Row("G7", "a", "≤ 1", "2", False), Row("G8", "b", "≤ 1", "0", True)])
    assert [line.endswith("MISSED") for line in text.splitlines()[1:]] == [True, False]
    assert "G14" in GOALS.split(",")


def test_growth_is_counted_from_when_what_has_a_bound_is_full():
    assert growth([100.0, 150.0, 180.0, 200.0, 201.0, 199.0, 203.5]) == 3.5
    assert growth([100.0]) == 0.0


def test_the_stub_fills_once_and_refuses_a_second_use_of_an_id():
    async def work():
        stub = Stub()
        first = await stub.place({**ORDER, "client_order_id": "a"})
        again = await stub.place({**ORDER, "client_order_id": "a"})
        await stub.place({**ORDER, "client_order_id": "b", "side": "sell", "qty": "1"})
        stub.rests = True
        resting = await stub.place({**ORDER, "client_order_id": "c", "type": "limit"})
        return stub, first, again, resting

    stub, first, again, resting = asyncio.run(work())
    assert (first["status"], resting["status"]) == ("filled", "new")
    assert again["code"] == 40010001
    assert (stub.units, stub.cash) == (Decimal(2), Decimal(1_000_000 - 200))
    assert len(stub.activities) == 2


def test_a_killed_run_is_measured_until_it_is_what_it_was():
    row = comeback(600)
    assert row.goal == "G7"
    # Whether its state is what it was is held by what measures it.
    count, text = row.what.split(" ", 1)
    assert (600 <= int(count) < 610, text) == (True, "inputs played again")

"""Exits of which one cancels the other, under Alpaca's rules: their units are held once."""

from __future__ import annotations

import pytest

from tests.backtest.harness import play
from tests.scenarios.test_alpaca_venue import FLAT, OPEN, Heard, hold, listed, rest, run


def test_the_exits_of_a_bracket_can_be_moved():
    """Each seemed to hold what the other was for: no stop of a bracket could be trailed."""

    def move(s):
        s.modify(s.made[0].stop_loss, stop_price=95)
        s.modify(s.made[0].take_profit, limit_price=105)

    script = Heard(
        {0: rest("buy", 10, take_profit=110, stop_loss=90), 2: move}, symbol="SPY"
    )  # fmt: skip
    made = play({"SPY": (FLAT,) * 6}, script, start=OPEN, instrument=listed("SPY"), name="alpaca")
    assert script.refusals == []
    assert [o["limit_price"] for o in made.table("orders")][1] == 105
    assert [o["stop_price"] for o in made.table("orders")][2] == 95


@pytest.mark.parametrize("pair", [{"take_profit": 110, "stop_loss": 90}, {}])
def test_beside_two_exits_what_they_do_not_guard_can_be_sold(pair):
    steps = {
        0: rest("buy", 10, **pair),
        1: hold(10),
        2: lambda s: None if pair else s.oco("SPY", 10, take_profit=110, stop_loss=90),
        3: rest("sell", 10),
        4: rest("sell", 1),
    }
    made = run(steps)
    assert [fill[1] for fill in made.fills] == [10, 10, -10]
    assert made.reasons[-1] == (
        "40310000: insufficient qty available for order (requested: 1, available: 0)"
    )

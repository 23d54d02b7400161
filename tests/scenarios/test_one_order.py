"""One order on one or two bars: where each type fills, worked by hand.

The order is sent at the close of a first bar that stands at 100. Bars are (open, high, low,
close); bar 1 runs from minute 1 to minute 2. A fill at an open is stamped with it, one on the path
with the bar's close.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.errors import StrategyError
from tests.backtest.harness import SYMBOL, play

FLAT = (100, 100, 100, 100)


@dataclass(frozen=True)
class Row:
    """One verdict: this order on these bars under these settings fills so."""

    name: str
    side: str
    terms: dict[str, Any]
    bars: tuple[tuple[float, ...], ...]
    fills: list[tuple[float, float, float]]
    venue: dict[str, Any] = field(default_factory=dict)
    status: str = "FILLED"


def up(name: str, terms: dict[str, Any], *bars: Any, **rest: Any) -> Row:
    return Row(name, "buy", terms, bars, **rest)


def down(name: str, terms: dict[str, Any], *bars: Any, **rest: Any) -> Row:
    return Row(name, "sell", terms, bars, **rest)


TOUCH = {"touch_fills": True}
OPEN = "ACCEPTED"

# Tables are kept a verdict to a line.
# fmt: off
MARKET = [
    up("next open", {}, (101, 103, 99, 102), fills=[(1, 10, 101)]),
    down("next open sells", {}, (101, 103, 99, 102), fills=[(1, -10, 101)]),
    up("same close", {}, (101, 103, 99, 102), fills=[(1, 10, 100)], venue={"fill": "same_close"}),
    up("next close", {}, (101, 103, 99, 102), fills=[(2, 10, 102)], venue={"fill": "next_close"}),
    up("no next bar", {}, fills=[], status=OPEN),
    up("no next bar, same close", {}, fills=[(1, 10, 100)], venue={"fill": "same_close"}),
    up("no next bar, next close", {}, fills=[], status=OPEN, venue={"fill": "next_close"}),
]

LIMIT = [
    up("crossed", {"limit_price": 99}, (100, 101, 98, 100), fills=[(2, 10, 99)]),
    up("touched", {"limit_price": 99}, (100, 101, 99, 100), fills=[], status=OPEN),
    up("touched, fills", {"limit_price": 99}, (100, 101, 99, 100), fills=[(2, 10, 99)],
       venue=TOUCH),
    up("not reached", {"limit_price": 99}, (100, 101, 99.5, 100), fills=[], status=OPEN,
       venue=TOUCH),
    up("gap below", {"limit_price": 99}, (97, 101, 96, 100), fills=[(1, 10, 97)]),
    up("open at the limit", {"limit_price": 99}, (99, 101, 99, 100), fills=[], status=OPEN),
    up("open at the limit, touching fills", {"limit_price": 99}, (99, 101, 99, 100),
       fills=[(1, 10, 99)], venue=TOUCH),
    up("open at the limit, then through", {"limit_price": 99}, (99, 101, 98, 100),
       fills=[(2, 10, 99)]),
    up("second bar", {"limit_price": 99}, (100, 101, 99.5, 100), (100, 100, 98, 99),
       fills=[(3, 10, 99)]),
    up("marketable", {"limit_price": 105}, (101, 103, 99, 102), fills=[(1, 10, 101)]),
    up("marketable under next close", {"limit_price": 105}, (101, 103, 99, 102),
       fills=[(1, 10, 101)], venue={"fill": "next_close"}),
    down("crossed", {"limit_price": 101}, (100, 102, 99, 100), fills=[(2, -10, 101)]),
    down("touched", {"limit_price": 101}, (100, 101, 99, 100), fills=[], status=OPEN),
    down("touched, fills", {"limit_price": 101}, (100, 101, 99, 100), fills=[(2, -10, 101)],
         venue=TOUCH),
    down("gap above", {"limit_price": 101}, (103, 104, 99, 100), fills=[(1, -10, 103)]),
]

STOP = [
    up("through", {"stop_price": 102}, (100, 103, 99, 100), fills=[(2, 10, 102)]),
    up("touched", {"stop_price": 102}, (100, 102, 99, 100), fills=[(2, 10, 102)]),
    up("not reached", {"stop_price": 102}, (100, 101.99, 99, 100), fills=[], status=OPEN),
    up("gap", {"stop_price": 102}, (105, 106, 99, 100), fills=[(1, 10, 105)]),
    up("open at the stop", {"stop_price": 102}, (102, 106, 99, 100), fills=[(1, 10, 102)]),
    down("through", {"stop_price": 98}, (100, 103, 97, 100), fills=[(2, -10, 98)]),
    down("gap", {"stop_price": 98}, (95, 96, 94, 95), fills=[(1, -10, 95)]),
]

STOP_LIMIT = [
    up("limit above the stop", {"stop_price": 102, "limit_price": 103}, (100, 104, 99, 100),
       fills=[(2, 10, 102)]),
    up("limit at the stop", {"stop_price": 102, "limit_price": 102}, (100, 104, 99, 100),
       fills=[(2, 10, 102)]),
    up("limit below the stop, met on the way back", {"stop_price": 102, "limit_price": 101},
       (100, 104, 99, 100), fills=[(2, 10, 101)]),
    up("limit below the stop, not met", {"stop_price": 102, "limit_price": 101},
       (101.5, 104, 101.2, 103), fills=[], status="TRIGGERED"),
    up("gap within the limit", {"stop_price": 102, "limit_price": 106}, (105, 107, 104, 105),
       fills=[(1, 10, 105)]),
    up("gap to the limit", {"stop_price": 102, "limit_price": 105}, (105, 107, 105, 106),
       fills=[(1, 10, 105)]),
    up("gap beyond the limit, met later", {"stop_price": 102, "limit_price": 104},
       (105, 107, 103, 105), fills=[(2, 10, 104)]),
    up("gap beyond the limit, not met", {"stop_price": 102, "limit_price": 104},
       (105, 107, 104.5, 105), fills=[], status="TRIGGERED"),
    up("triggered in one bar, filled in the next", {"stop_price": 102, "limit_price": 101},
       (101.5, 104, 101.2, 103), (103, 103, 100, 101), fills=[(3, 10, 101)]),
    up("stop not reached", {"stop_price": 102, "limit_price": 103}, (100, 101, 99, 100), fills=[],
       status=OPEN),
    down("limit below the stop", {"stop_price": 98, "limit_price": 97}, (100, 101, 96, 97),
         fills=[(2, -10, 98)]),
    down("gap beyond the limit, met on the way up", {"stop_price": 98, "limit_price": 97},
         (95, 99, 94, 96), fills=[(2, -10, 97)]),
]

# A sell trails below the best price since it was sent (100): 2 below, or 2 %.
TRAILING = [
    down("amount, falls at once", {"trail_amount": 2}, (100, 100, 97, 98), fills=[(2, -10, 98)]),
    down("amount, follows the high first", {"trail_amount": 2}, (100, 105, 99, 104),
         fills=[(2, -10, 103)], venue={"path": "open_high_low_close"}),
    down("amount, the low comes first and is above", {"trail_amount": 2}, (100, 105, 99, 104),
         fills=[], status=OPEN, venue={"path": "open_low_high_close"}),
    down("amount, the close comes down from the high", {"trail_amount": 2}, (100, 105, 99, 102),
         fills=[(2, -10, 103)], venue={"path": "open_low_high_close"}),
    down("amount, gap through", {"trail_amount": 2}, (96, 97, 95, 96), fills=[(1, -10, 96)]),
    down("amount, follows over bars", {"trail_amount": 2}, (101, 104, 101, 104),
         (104, 104, 101, 102), fills=[(3, -10, 102)]),
    down("percent", {"trail_percent": 2}, (100, 100, 97, 98), fills=[(2, -10, 98)]),
    down("percent of the best price", {"trail_percent": 2}, (149, 150, 149, 150),
         (149, 149, 140, 141), fills=[(3, -10, 147)]),
    up("amount", {"trail_amount": 2}, (100, 103, 100, 101), fills=[(2, 10, 102)]),
    up("amount, follows the low first", {"trail_amount": 2}, (100, 103, 95, 99),
       fills=[(2, 10, 97)], venue={"path": "open_low_high_close"}),
    up("percent", {"trail_percent": 2}, (100, 103, 100, 101), fills=[(2, 10, 102)]),
    # The limit keeps its distance from the trigger: sent at 100, trigger 98, limit 97.
    down("with limit, in range", {"trail_amount": 2, "limit_price": 97}, (100, 100, 96, 97),
         fills=[(2, -10, 98)]),
    down("with limit, gap beyond it", {"trail_amount": 2, "limit_price": 97}, (96, 96.5, 95, 96),
         fills=[], status="TRIGGERED"),
    down("with limit, both have followed", {"trail_amount": 2, "limit_price": 97},
         (103, 104, 103, 104), (101.5, 102, 101.5, 102), fills=[(2, -10, 101.5)]),
]

IF_TOUCHED = [
    up("MIT touched", {"trigger_price": 98}, (100, 101, 98, 100), fills=[(2, 10, 98)]),
    up("MIT not reached", {"trigger_price": 98}, (100, 101, 98.5, 100), fills=[], status=OPEN),
    up("MIT gap", {"trigger_price": 98}, (96, 101, 95, 100), fills=[(1, 10, 96)]),
    down("MIT touched", {"trigger_price": 102}, (100, 102, 98, 100), fills=[(2, -10, 102)]),
    up("LIT, limit above", {"trigger_price": 98, "limit_price": 99}, (100, 101, 97, 100),
       fills=[(2, 10, 98)]),
    up("LIT, limit below, met", {"trigger_price": 98, "limit_price": 97}, (100, 101, 96, 100),
       fills=[(2, 10, 97)]),
    up("LIT, limit below, not met", {"trigger_price": 98, "limit_price": 97}, (100, 101, 97.5, 99),
       fills=[], status="TRIGGERED"),
    down("LIT, limit below", {"trigger_price": 102, "limit_price": 101}, (100, 103, 99, 100),
         fills=[(2, -10, 102)]),
]

AT_ONCE = [
    up("ioc market", {"time_in_force": "ioc"}, (101, 103, 99, 102), fills=[(1, 10, 101)]),
    up("ioc limit met at the open", {"time_in_force": "ioc", "limit_price": 102},
       (101, 103, 99, 102), fills=[(1, 10, 101)]),
    up("ioc limit not met at the open", {"time_in_force": "ioc", "limit_price": 100},
       (101, 103, 99, 102), fills=[], status="CANCELED"),
    up("ioc limit does not wait for the path", {"time_in_force": "ioc", "limit_price": 99},
       (101, 103, 98, 102), fills=[], status="CANCELED"),
    up("fok in full", {"time_in_force": "fok"}, (101, 103, 99, 102, 100), fills=[(1, 10, 101)],
       venue={"participation": 0.1}),
    up("fok not in full", {"time_in_force": "fok"}, (101, 103, 99, 102, 99), fills=[],
       status="CANCELED", venue={"participation": 0.1}),
    up("ioc in part", {"time_in_force": "ioc"}, (101, 103, 99, 102, 50), fills=[(1, 5, 101)],
       status="CANCELED", venue={"participation": 0.1}),
    up("ioc under next close", {"time_in_force": "ioc"}, (101, 103, 99, 102), fills=[(2, 10, 102)],
       venue={"fill": "next_close"}),
]

# fmt: on

TABLE = [*MARKET, *LIMIT, *STOP, *STOP_LIMIT, *TRAILING, *IF_TOUCHED, *AT_ONCE]


@pytest.mark.parametrize(
    "row", TABLE, ids=lambda r: f"{'-'.join(r.terms) or 'market'}: {r.side} {r.name}"
)
def test_an_order_fills_where_the_table_says(row: Row) -> None:
    run = play(
        (FLAT, *row.bars),
        {0: lambda s: getattr(s, row.side)(SYMBOL, 10, **row.terms)},
        **row.venue,
    )
    assert run.fills == row.fills
    assert run.statuses == [row.status]


def test_a_trigger_in_percent_rounds_to_the_tick_away_from_the_price() -> None:
    """2 % of 100.01 is 2.0002: the distance is never less, so 98.0098 becomes 98.00."""
    tick = Instrument(SYMBOL, tick_size="0.01")
    run = play(
        [(100.01, 100.01, 100.01, 100.01), (100, 100, 97, 97)],
        {0: lambda s: s.sell(SYMBOL, 10, trail_percent=2)},
        instrument=tick,
    )
    assert run.fills == [(2, -10, 98.0)]
    buy = play(
        [(100.01, 100.01, 100.01, 100.01), (100.02, 103, 100.02, 103)],
        {0: lambda s: s.buy(SYMBOL, 10, trail_percent=2)},
        instrument=Instrument(SYMBOL, tick_size="0.01"),
    )
    # 100.01 + 2.0002 = 102.0102, on the tick never closer: 102.02.
    assert buy.fills == [(2, 10, 102.02)]


def test_an_order_of_on_start_meets_the_first_open() -> None:
    run = play([(100, 101, 99, 100)], {-1: lambda s: s.buy(SYMBOL, 10)})
    assert run.fills == [(0, 10, 100)]


def test_a_trailing_stop_sent_before_any_price_begins_at_the_first_open() -> None:
    run = play(
        [(100, 100, 99, 99.5), (99, 99, 97.5, 98)],
        {-1: lambda s: s.sell(SYMBOL, 10, trail_amount=2, limit_price=97)},
    )
    assert run.fills == [(2, -10, 98)]
    assert run.strategies[0].made[0].limit_price == 97.0


def test_a_trailing_order_shows_its_current_trigger() -> None:
    shown: list[float] = []
    play(
        [FLAT, (103, 104, 103, 104), (104, 105, 104, 105)],
        {
            0: lambda s: s.sell(SYMBOL, 10, trail_amount=2),
            1: lambda s: shown.append(s.made[0].stop_price),
            2: lambda s: shown.append(s.made[0].stop_price),
        },
    )
    assert shown == [102, 103]


def test_post_only_is_refused_where_it_would_take() -> None:
    run = play(
        [FLAT, (101, 103, 99, 102)],
        {
            0: lambda s: [
                s.buy(SYMBOL, 10, limit_price=101, post_only=True),
                s.buy(SYMBOL, 10, limit_price=99.5, post_only=True),
            ]
        },
    )
    assert run.statuses == ["REJECTED", "FILLED"]
    assert run.reasons[0].startswith("post_only:")
    assert run.table("fills")[0]["liquidity"] == "maker"


def test_an_order_that_has_not_filled_has_no_average_price() -> None:
    orders: list[Any] = []
    play([(100, 101, 99, 100)] * 2, {0: lambda s: orders.append(s.buy(SYMBOL, 1, limit_price=50))})
    assert math.isnan(orders[0].average_price)


def test_a_post_only_order_that_a_gap_meets_has_made_and_not_taken() -> None:
    flat = (100, 100, 100, 100)
    run = play(
        [flat, (98, 99, 97, 98)],
        {0: lambda s: s.buy(SYMBOL, 10, limit_price=99, post_only=True)},
    )
    assert run.fills == [(1, 10, 98)]
    assert [f["liquidity"] for f in run.table("fills")] == ["maker"]
    for tif in ("ioc", "fok"):
        with pytest.raises(StrategyError, match="a post_only order rests"):
            play([flat], {0: lambda s, t=tif: s.buy(
                SYMBOL, 10, limit_price=99, post_only=True, time_in_force=t)})  # fmt: skip

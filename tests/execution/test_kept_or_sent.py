"""What is sent, what is kept and what is refused by the table of a venue, and said in advance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyrt.core.instruments import Instrument, crypto, listed
from pyrt.core.records import ORDER_EVENT_DTYPE
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import EVERYTHING, Capabilities
from tests.backtest.harness import MINUTE, START, SYMBOL, Script, play

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
TAKES = "post_only: it would take liquidity"
NANO = 1e-9


def rig(**options: Any) -> Any:
    return GateRig(RiskEngine(), **{"prices": 100, "capabilities": BARE, **options})


# -- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "limit", "takes"),
    [
        ("buy", 99.99, False), ("buy", 100, True), ("buy", 100.01, True),
        ("sell", 100.01, False), ("sell", 100, True), ("sell", 99.99, True),
    ],
)  # fmt: skip
def test_what_is_to_rest_is_denied_where_it_would_take(
    side: str, limit: float, takes: bool
) -> None:
    order = rig().order(side, 1, limit_price=limit, post_only=True)
    assert (order.status, order.reason) == (("DENIED", TAKES) if takes else ("SENT", ""))


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_without_a_price_nothing_is_known_to_take(side: str) -> None:
    assert rig(prices=None).order(side, 1, limit_price=100, post_only=True).status == "SENT"


def test_the_smallest_price_is_one() -> None:
    made = rig(prices=NANO, symbols=[Instrument("AAA", tick_size="0.000000001")])
    assert made.order("buy", 1, limit_price=NANO, post_only=True).reason == TAKES
    assert made.order("buy", 1, trail_amount=1).stop_price == 1 + NANO


def test_nothing_waits_for_prices_that_do_not_come() -> None:
    made = rig()
    made.kernel.add_instrument(Instrument("BBB"))
    strategy = made.kernel.strategies[0]
    assert made.order("buy", 1, stop_price=110).status == "EMULATED"
    sent, blind = strategy.buy("BBB", 1, limit_price=90), strategy.buy("BBB", 1, stop_price=110)
    made.settle()
    reason = "emulation: no data of BBB come in that could trigger it"
    assert (sent.status, blind.status, blind.reason) == ("SENT", "DENIED", reason)


# -- by kind of instrument -------------------------------------------------------------------------


def test_a_venue_may_lack_for_one_kind_what_it_has_for_others() -> None:
    made = rig(
        capabilities={"": EVERYTHING, "crypto": BARE}, symbols=[listed("SPY"), crypto("BTC/USD")]
    )
    for symbol, status in (("SPY", "SENT"), ("BTC/USD", "EMULATED")):
        assert made.order("buy", 1, symbol, stop_price=110).status == status
        order = made.order("buy", 1, symbol, take_profit=110, stop_loss=90)
        assert {leg.status for leg in order.legs} == {status}
        display = made.order("buy", 10, symbol, limit_price=90, display_quantity=5)
        assert (display.status, display.display_quantity) == (status, 5)


# -- said in advance -------------------------------------------------------------------------------

# fmt: off
FORECASTS = [
    # What the venue knows besides market and limit, the terms; by whom it is refused, and the form.
    ({}, {"limit_price": 90}, "", "gtc", False),
    ({}, {"stop_price": 110}, "", "gtc", False),
    ({}, {"limit_price": 100, "post_only": True}, "risk", "gtc", False),
    ({}, {"limit_price": 90, "expires_at": START + 90 * MINUTE}, "", "gtc", False),
    ({"times": {"gtd"}}, {"limit_price": 90, "expires_at": START + 90 * MINUTE}, "", "gtd", False),
    ({}, {"limit_price": 90, "time_in_force": "day"}, "", "day", False),
    ({"times": {"gtd"}}, {"limit_price": 90, "time_in_force": "day"}, "", "day", False),
    ({}, {"take_profit": 110, "stop_loss": 90}, "", "gtc", True),
    ({"groups": {"bracket"}}, {"take_profit": 110, "stop_loss": 90}, "", "gtc", False),
    ({"groups": {"bracket"}}, {"stop_loss": 90}, "", "gtc", True),
    ({}, {"stop_price": 110, "time_in_force": "fok"}, "risk", "fok", False),
]
# fmt: on


@pytest.mark.parametrize(("more", "terms", "by", "tif", "keeps"), FORECASTS)
def test_what_would_become_of_an_order_is_said_in_advance(
    more: Any, terms: Any, by: str, tif: str, keeps: bool
) -> None:
    table = Capabilities(
        order_types={"market", "limit"}, times_in_force={"day", "gtc", *more.get("times", ())},
        groups=more.get("groups", ()), instructions=(),
    )  # fmt: skip
    said: list[Any] = []

    def ask(s: Any) -> list[Any]:
        terms_ = {"time_in_force": "gtc", **terms}
        if "expires_at" in terms_:
            del terms_["time_in_force"]
        said.append(s.validate({"side": "buy", "symbol": SYMBOL, "quantity": 2, **terms_}))
        return []

    made = play([FLAT] * 3, {1: ask}, emulate=table)
    (verdict,) = said
    assert (verdict.by, verdict.order.time_in_force) == (by, tif)
    assert verdict.order.keeps_exits is keeps
    assert made.table("orders") == []


def test_what_would_be_kept_is_not_shown_to_the_venue() -> None:
    """Alpaca would refuse it for its words, which it never hears."""
    said: list[Any] = []

    def ask(s: Any) -> list[Any]:
        for terms in ({"limit_price": 90}, {"stop_price": 110}):
            ask_ = {"side": "buy", "symbol": "BTC/USD", "quantity": 1, "time_in_force": "day"}
            said.append(s.validate({**ask_, **terms}))
        return []

    play(
        {"BTC/USD": [FLAT] * 3}, Script({1: ask}, symbol="BTC/USD"), start=START,
        instrument=listed("BTC/USD"), name="alpaca", fees="none", emulate="all",
    )  # fmt: skip
    assert [(verdict.by, verdict.code) for verdict in said] == [("venue", "42210000"), ("", "")]


def test_a_venue_that_can_do_everything_judges_by_itself() -> None:
    script = Script({1: lambda s: [s.validate({"side": "buy", "symbol": SYMBOL, "quantity": 1})]})
    play([FLAT] * 3, script)
    assert [verdict.by for verdict in script.made] == [""]


# -- met once --------------------------------------------------------------------------------------


def test_what_has_left_is_not_met_again() -> None:
    made = rig()
    near, far = made.order("buy", 1, stop_price=105), made.order("buy", 1, stop_price=110)
    for price in (105, 106, 107):
        made.price(price)
        assert made.venue.submitted == [near]
    made.price(110)
    assert made.venue.submitted == [near, far]
    assert made.kernel.sink.watching == 0


def test_what_is_ended_from_outside_is_not_met() -> None:
    made = rig()
    order = made.order("buy", 1, stop_price=105)
    made.answer("cancel", order)
    assert (order.status, made.kernel.sink.watching) == ("CANCELED", 0)
    made.price(110)
    assert made.venue.submitted == []


def guarded(made: GateRig, **stop: Any) -> Any:
    """Return a limit at the venue and the kept order it is paired with, for ten that are held."""
    made.hold(10)
    plan = {"side": "sell", "symbol": "AAA", "quantity": 10}
    pair = made.kernel.strategies[0].pair({**plan, "limit_price": 110}, {**plan, **stop})
    made.settle()
    made.answer("accept", pair[0])
    return pair


def test_an_order_that_was_met_asks_once_for_the_end_of_the_other() -> None:
    made = rig()
    limit, stop = guarded(made, stop_price=90)
    made.price(90)
    made.answer("unknown", limit)
    for price in (89, 88):
        made.price(price)
    assert made.venue.withdrawn == [limit]
    made.answer("cancel", limit)
    assert stop.status == "SENT"


def test_what_trails_stands_once_it_was_met() -> None:
    made = rig()
    limit, stop = guarded(made, trail_amount=5)
    assert stop.stop_price == 95
    made.price(95)
    made.price(105)
    assert stop.stop_price == 95
    made.answer("cancel", limit)
    assert stop.status == "SENT"


def test_the_record_of_a_change_has_the_new_limit() -> None:
    made = rig()
    order = made.order("buy", 1, stop_price=105, limit_price=106)
    made.modify(order, limit_price=107)
    rows = np.frombuffer(made.kernel.records.order_events.tobytes(), ORDER_EVENT_DTYPE)
    assert list(rows["value"])[-1] == 107 * 10**9


# -- what follows a position -----------------------------------------------------------------------


def reducing(made: GateRig) -> Any:
    made.hold(10)
    order = made.order("sell", 10, limit_price=120, reduce_only=True)
    made.answer("accept", order)
    return order


def test_a_cut_is_asked_for_once_a_fill_and_not_at_other_news() -> None:
    made = rig()
    order = reducing(made)
    made.hold(-4)
    asked = [(order, 6 * 10**9)]
    assert [change[:2] for change in made.venue.changed] == asked
    other = made.order("buy", 1, limit_price=80)
    made.answer("accept", other)
    made.cancel(other)
    made.answer("cancel", other)
    assert [change[:2] for change in made.venue.changed] == asked


@pytest.mark.parametrize("sold", [0, 1])
def test_an_order_that_reduces_no_more_than_is_held_is_left_alone(sold: float) -> None:
    made = rig()
    order = reducing(made)
    made.fill(order, 4)
    made.hold(1)
    assert made.venue.changed == []
    if sold:
        made.hold(-2)
        assert [units for _, units, _ in made.venue.changed] == [9 * 10**9]


def test_an_order_of_another_symbol_is_left_alone() -> None:
    made = rig(symbols=("AAA", "BBB"))
    reducing(made)
    made.hold(10, "BBB")
    made.hold(-10, "BBB")
    assert (made.venue.changed, made.venue.withdrawn) == ([], [])


def test_a_kept_order_that_only_reduces_ends_with_the_position() -> None:
    made = rig()
    made.hold(10)
    order = made.order("sell", 10, stop_price=90, reduce_only=True)
    made.hold(-4)
    assert (order.status, order.quantity) == ("EMULATED", 6)
    made.hold(-6)
    assert (order.status, order.reason) == ("CANCELED", "reduce_only: nothing is left to reduce")


# -- what comes after the end of one of a pair -----------------------------------------------------


def left_after(made: GateRig) -> Any:
    """Return a limit for 20 that has ended, and the stop-limit for ten that has left for it."""
    plan = {"side": "buy", "symbol": "AAA"}
    limit, stop = made.kernel.strategies[0].pair(
        {**plan, "quantity": 20, "limit_price": 98},
        {**plan, "quantity": 10, "stop_price": 102, "limit_price": 104},
    )
    made.settle()
    made.answer("accept", limit)
    made.price(102)
    made.answer("cancel", limit)
    made.answer("accept", stop)
    return limit, stop


def test_late_fills_of_one_instant_are_each_taken_from_the_order_that_has_left() -> None:
    made = rig()
    limit, stop = left_after(made)
    made.fill(limit, 2, settles=False)
    # Commands about others, and others about it, say nothing of its quantity.
    strategy = made.kernel.strategies[0]
    other = made.draft("buy", 3, limit_price=90)
    strategy.modify(other, quantity=2)
    strategy.modify(stop, limit_price=103)
    made.fill(limit, 3, settles=False)
    made.settle()
    asked = [units // 10**9 for order, units, _ in made.venue.changed if order is stop]
    assert asked == [8, 0, 5]
    assert made.venue.withdrawn == [limit]


def test_a_late_fill_of_the_last_unit_ends_the_order_that_has_left() -> None:
    made = rig(symbols=[Instrument("AAA", step_size="0.000000001")])
    limit, stop = left_after(made)
    made.fill(limit, 10 - NANO, settles=False)
    made.fill(limit, NANO, settles=False)
    made.settle()
    assert [units for _, units, _ in made.venue.changed] == [1]
    assert made.venue.withdrawn == [limit, stop]

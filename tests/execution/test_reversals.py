"""Targets across zero where the venue lets no order flip a position: left first, opened then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.strategy.strategy import Strategy
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import ALPACA, Capabilities
from tests.backtest.harness import SYMBOL, Probe, Run, play

FLAT = (100, 100, 100, 100)
NOT_LEFT = "target: AAA was not left, and at the venue no order crosses zero"
WITHDRAWN = "canceled: it had not left yet"


def rig(held: float = 10, *, flips: bool = False, **limits: Any) -> GateRig:
    made = GateRig(
        RiskEngine(Limits(**limits)), prices=100, account="margin",
        capabilities=Capabilities(flips=flips),
    )  # fmt: skip
    if held:
        made.hold(held)
        made.venue.submitted.clear()
    return made


def target(made: GateRig, quantity: float) -> Any:
    order = made.kernel.strategies[0].target_position("AAA", quantity)
    made.settle()
    return order


def opening(made: GateRig) -> Any:
    """Return the order that was made last."""
    return made.kernel.cache.orders_open()[-1]


def sent(made: GateRig) -> list[tuple[str, float]]:
    return [(order.side.name, order.quantity) for order in made.venue.submitted]


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_held_is_left_and_then_the_other_side_is_opened(sign: int) -> None:
    made = rig(10 * sign)
    way_out = target(made, -6 * sign)
    there, back = ("SELL", "BUY")[::sign], 0
    assert sent(made) == [(there[back], 10)]
    assert made.venue.submitted == [way_out]
    rest = opening(made)
    assert (rest.side.name, rest.quantity, rest.status) == (there[0], 6, "INITIALIZED")
    made.answer("accept", way_out)
    made.fill(way_out, 4)
    assert rest.status == "INITIALIZED"
    made.fill(way_out)
    assert made.venue.submitted == [way_out, rest]
    made.fill(rest)
    assert made.kernel.strategies[0].position("AAA").quantity == -6 * sign


def test_where_a_venue_flips_one_order_is_sent() -> None:
    made = rig(flips=True)
    target(made, -10)
    assert sent(made) == [("SELL", 20)]


def test_asked_again_before_the_fill_nothing_more_is_done() -> None:
    made = rig()
    way_out = target(made, -10)
    assert target(made, -10) is None
    made.answer("accept", way_out)
    assert target(made, -10) is None
    made.fill(way_out, 4)
    assert target(made, -10) is None
    assert made.kernel.strategies[0].position("AAA").working_quantity == -16
    made.fill(way_out)
    assert target(made, -10) is None
    assert sent(made) == [("SELL", 10), ("SELL", 10)]


@pytest.mark.parametrize(
    ("wanted", "then"),
    [
        (-15, [("SELL", 15)]),
        (-4, [("SELL", 4)]),
        (0, []),
    ],
)
def test_another_target_replaces_what_waits(wanted: float, then: Any) -> None:
    made = rig()
    way_out = target(made, -10)
    made.answer("accept", way_out)
    first = opening(made)
    target(made, wanted)
    assert (first.status, first.reason) == ("DENIED", WITHDRAWN)
    assert made.venue.submitted == [way_out]
    made.fill(way_out)
    assert sent(made)[1:] == then


def test_a_target_on_the_side_that_is_held_drops_what_waits() -> None:
    made = rig()
    way_out = target(made, -10)
    made.answer("accept", way_out)
    rest = opening(made)
    target(made, 5)
    assert rest.status == "DENIED"
    assert sent(made) == [("SELL", 10), ("BUY", 5)]


def test_exits_are_canceled_before_what_they_hold_is_sold() -> None:
    made = rig()
    stop = made.order("sell", 10, stop_price=90)
    made.answer("accept", stop)
    way_out = target(made, -5)
    assert made.venue.withdrawn == [stop]
    assert made.venue.submitted == [stop]
    assert target(made, -5) is None
    # What the exit has sold meanwhile is not sold again.
    made.fill(stop, 7)
    made.answer("cancel", stop)
    assert made.venue.submitted == [stop, way_out]
    assert way_out.quantity == 3
    made.fill(way_out)
    assert sent(made)[2:] == [("SELL", 5)]


def test_an_exit_that_leaves_all_lets_the_other_side_open() -> None:
    made = rig()
    stop = made.order("sell", 10, stop_price=90)
    made.answer("accept", stop)
    way_out = target(made, -5)
    made.fill(stop)
    assert way_out.status == "DENIED"
    assert sent(made) == [("SELL", 10), ("SELL", 5)]


@pytest.mark.parametrize("end", ["reject", "cancel", "expire"])
def test_nothing_is_opened_where_the_position_is_not_left(end: str) -> None:
    made = rig()
    way_out = target(made, -10)
    rest = opening(made)
    if end != "reject":
        made.answer("accept", way_out)
        made.fill(way_out, 4)
    made.answer(end, way_out)
    assert (rest.status, rest.reason) == ("DENIED", NOT_LEFT)
    assert made.venue.submitted == [way_out]
    assert made.kernel.strategies[0].position("AAA").working_quantity == 0


def test_it_waits_for_as_long_as_the_position_is_being_left() -> None:
    made = rig()
    way_out = target(made, -10)
    rest = opening(made)
    made.answer("unknown", way_out)
    made.wait("1d")
    assert rest.status == "INITIALIZED"
    made.answer("accept", way_out)
    made.wait("1d")
    assert rest.status == "INITIALIZED"
    made.fill(way_out)
    assert rest.status == "SENT"


def test_each_of_the_two_is_judged_when_it_leaves() -> None:
    made = rig(5, max_position_quantity=6)
    way_out = target(made, -10)
    assert sent(made) == [("SELL", 5)]
    rest = opening(made)
    made.fill(way_out)
    assert rest.status == "DENIED"
    assert rest.reason.startswith("max_position_quantity")


def test_what_waits_ends_with_all_orders_of_its_symbol() -> None:
    made = rig()
    way_out = target(made, -10)
    rest = opening(made)
    made.kernel.strategies[0].cancel_all("AAA")
    made.settle()
    assert (rest.status, rest.reason) == ("DENIED", WITHDRAWN)
    made.fill(way_out)
    assert made.venue.submitted == [way_out]


def test_a_share_of_the_capital_across_zero_comes_in_two() -> None:
    made = rig()
    made.kernel.strategies[0].target_percent("AAA", -0.01)
    made.settle()
    made.fill(made.venue.submitted[0])
    assert sent(made) == [("SELL", 10), ("SELL", 100)]


def test_after_a_close_the_other_side_waits_for_its_fill() -> None:
    made = rig()
    way_out = made.close()
    made.answer("accept", way_out)
    rest = target(made, -10)
    assert (rest.quantity, rest.status) == (10, "INITIALIZED")
    made.fill(way_out)
    assert made.venue.submitted == [way_out, rest]


@pytest.mark.parametrize("end", ["fill", "cancel", "reject"])
@pytest.mark.parametrize("exits", [{}, {"stop_loss": 110}])
def test_what_follows_a_close_waits_for_its_fill(end: str, exits: Any) -> None:
    made = rig()
    strategy = made.kernel.strategies[0]
    way_out = strategy.close("AAA")
    entry = made.order("sell", 16, **exits)
    made.settle()
    assert made.venue.submitted == [way_out]
    if end != "reject":
        made.answer("accept", way_out)
        made.fill(way_out, 4)
    family = (entry, *entry.legs)
    assert {order.status for order in family} == {"INITIALIZED"}
    if end == "fill":
        made.fill(way_out)
        assert made.venue.submitted == [way_out, entry]
        assert {order.status for order in family} == {"SENT"}
    else:
        # Sent now, it would close what is left, or be refused.
        made.answer(end, way_out)
        assert made.venue.submitted == [way_out]
        assert {order.status for order in family} == {"DENIED"}
        assert entry.reason == "close: AAA was not left, and at the venue no order crosses zero"


def test_a_close_overnight_ends_what_waits_for_the_one_before_it() -> None:
    """It bought back what had not been sold, was refused, and the entry went without its exits."""
    made = rig()
    strategy = made.kernel.strategies[0]
    way_out = strategy.close("AAA")
    entry = made.order("sell", 10, stop_loss=130)
    made.settle()
    made.answer("accept", way_out)
    made.wait("6h")
    assert strategy.close("AAA") is None
    made.settle()
    assert entry.status == entry.stop_loss.status == "DENIED"
    made.fill(way_out)
    assert (made.venue.submitted, strategy.position("AAA").quantity) == ([way_out], 0)


def test_a_split_restates_what_is_to_be_opened() -> None:
    made = rig()
    way_out = target(made, -6)
    rest = opening(made)
    made.split(2)
    assert (rest.quantity, rest.status) == (12, "INITIALIZED")
    # The venue restates what it has.
    made.answer("accept", way_out)
    made.answer("modified", way_out, 20)
    made.fill(way_out)
    assert made.venue.submitted == [way_out, rest]


def test_in_a_halt_exits_go_on_guarding() -> None:
    made = rig()
    stop = made.order("sell", 10, stop_price=90)
    made.answer("accept", stop)
    made.gate.set_state("halted", "Ann", "odd prices")
    order = target(made, -5)
    assert order.reason.startswith("trading_state: HALTED")
    assert not made.venue.withdrawn
    assert made.kernel.cache.orders_open() == [stop]


# -- entries on their way --------------------------------------------------------------------------


def test_an_entry_that_still_works_is_called_back_and_not_traded_against() -> None:
    """The opposite order was refused: a wash trade, or a short sale while a buy is open."""
    made = rig(0)
    entry = made.order("buy", 10)
    made.answer("accept", entry)
    way_out = made.close()
    assert (made.venue.submitted, made.venue.withdrawn) == ([entry], [entry])
    made.answer("cancel", entry)
    assert (way_out.status, made.venue.submitted) == ("DENIED", [entry])


@pytest.mark.parametrize(("filled", "wanted"), [(4, 0), (10, 0), (4, 1)])
def test_what_fills_all_the_same_is_left(filled: float, wanted: float) -> None:
    made = rig(0)
    entry = made.order("buy", 10)
    made.answer("accept", entry)
    made.fill(entry, 1)
    order = target(made, wanted) or made.kernel.strategies[0].close("AAA")
    made.fill(entry, filled - 1)
    if filled < 10:
        assert made.venue.submitted == [entry]
        made.answer("cancel", entry)
    assert sent(made) == [("BUY", 10), ("SELL", filled - wanted)]
    made.fill(order)
    assert made.kernel.strategies[0].position("AAA").quantity == wanted


@pytest.mark.parametrize("wanted", [4, 0])
@pytest.mark.parametrize("end", ["cancel", "fill"])
def test_what_is_held_is_kept_from_an_entry_that_is_undone(wanted: float, end: str) -> None:
    made = rig()
    entry = made.order("buy", 5)
    made.answer("accept", entry)
    order = target(made, wanted)
    assert (made.venue.submitted, made.venue.withdrawn) == ([entry], [entry])
    made.fill(entry) if end == "fill" else made.answer("cancel", entry)
    assert made.venue.submitted == [entry, order]
    assert order.quantity == (15 if end == "fill" else 10) - wanted


def test_a_refused_cancel_is_waited_out_and_what_is_held_is_left_then() -> None:
    made = rig()
    entry = made.order("buy", 5)
    made.answer("accept", entry)
    order = made.close()
    made.answer("cancel_rejected", entry)
    made.wait("9s")
    assert made.venue.submitted == [entry]
    made.wait("2s")
    assert (made.venue.submitted, order.quantity) == ([entry, order], 10)


def test_where_nothing_is_held_and_the_entry_does_not_end_the_close_says_so() -> None:
    made = rig(0)
    entry = made.order("buy", 5)
    made.answer("accept", entry)
    order = made.close()
    made.answer("cancel_rejected", entry)
    made.wait("11s")
    assert (order.status, order.reason) == ("DENIED", "target: an order for AAA was not canceled")


def test_an_entry_is_called_back_with_time_to_answer_however_long_the_close_has_waited() -> None:
    """Its submission was not answered: the close left with the cancel, and opened a position."""
    made = rig(0)
    entry = made.order("sell", 10)
    order = made.close()
    made.wait("11s")
    assert (made.venue.submitted, made.venue.withdrawn) == ([entry], [entry])
    made.answer("reject", entry)
    assert (order.status, made.venue.submitted) == ("DENIED", [entry])


def test_exits_are_canceled_with_time_to_answer_however_long_the_target_has_waited() -> None:
    made = rig()
    stop = made.order("sell", 10, stop_price=90)
    made.answer("accept", stop)
    more = made.order("sell", 1, limit_price=200)
    order = target(made, -5)
    made.wait("11s")
    assert made.venue.withdrawn == [stop, more]
    made.answer("cancel", stop)
    made.answer("cancel", more)
    assert made.venue.submitted == [stop, more, order]
    made.fill(order)
    assert [size for _, size in sent(made)[3:]] == [5]


def test_a_second_close_while_an_entry_is_called_back_asks_for_nothing() -> None:
    made = rig(0)
    entry = made.order("buy", 5)
    made.answer("accept", entry)
    order = made.close()
    assert made.close() is None
    made.answer("cancel", entry)
    assert (order.status, made.venue.submitted) == ("DENIED", [entry])


def test_across_zero_an_entry_is_called_back_first() -> None:
    made = rig()
    entry = made.order("buy", 5)
    made.answer("accept", entry)
    order = target(made, -6)
    made.answer("cancel", entry)
    assert sent(made) == [("BUY", 5), ("SELL", 10)]
    made.fill(order)
    assert sent(made)[2:] == [("SELL", 6)]


def test_a_bracket_entry_is_called_back_with_its_exits() -> None:
    made = rig(0)
    entry = made.order("buy", 5, stop_loss=90, take_profit=120)
    made.answer("accept", entry)
    order = made.close()
    for leg in entry.legs:
        made.answer("cancel", leg)
    assert made.venue.withdrawn == [*entry.legs, entry]
    made.answer("cancel", entry)
    assert (order.status, made.venue.submitted) == ("DENIED", [entry])


def test_where_a_venue_flips_an_entry_on_its_way_is_traded_against() -> None:
    made = rig(0, flips=True)
    entry = made.order("buy", 5)
    made.answer("accept", entry)
    made.close()
    assert sent(made) == [("BUY", 5), ("SELL", 5)]


# -- in a backtest -------------------------------------------------------------------------------


def to(quantity: float) -> Callable[[Any], Any]:
    return lambda s: s.target_position(SYMBOL, quantity)


def run(steps: Any, bars: int = 12, **venue: Any) -> Run:
    return play([FLAT] * bars, steps, name="alpaca", account="alpaca", start=OPEN, **venue)


OPEN = 1_704_067_200_000_000_000 + (24 + 15) * 3600 * 10**9
"""Of 2024-01-02, 10:00 in New York."""


def test_a_backtest_under_alpacas_rules_changes_sides() -> None:
    """One sale of 20 was refused: it was larger than the long position."""
    made = run({0: to(10), 3: to(-10)})
    assert made.statuses == ["FILLED"] * 3
    assert [(size, price) for _, size, price in made.fills] == [(10, 100), (-10, 100), (-10, 100)]


def test_a_fill_with_the_end_of_a_bar_lets_the_other_side_open() -> None:
    """Nothing followed it at that instant, so what waited was never looked at again."""
    made = run({0: to(10), 3: to(-10)}, fill="next_close")
    assert made.statuses == ["FILLED"] * 3
    assert [(at, size) for at, size, _ in made.fills] == [(2, 10), (5, -10), (6, -10)]


@pytest.mark.parametrize("kind", ["trades", "quotes"])
def test_a_fill_on_a_tick_lets_the_other_side_open(kind: str) -> None:
    columns = {"trades": ("price", "size"), "quotes": ("bid", "ask", "bid_size", "ask_size")}[kind]
    seconds = pd.DatetimeIndex(OPEN + np.arange(8) * 1_000_000_000, tz="UTC", name="timestamp")
    turn = Turn(kind)
    probe = Probe(cash=100_000)
    probe.add_venue("alpaca", account="alpaca", fees="none")
    probe.add_data(pd.DataFrame(dict.fromkeys(columns, 100.0), index=seconds), symbol=SYMBOL)
    probe.add_strategy(turn)
    Run(probe, probe.execute(), [turn], OPEN).check_books()
    assert turn.held == [0, 10, 10, 10, 0, -10, -10, -10]


class Turn(Strategy):
    """Is long from the first tick on, and short from the fourth."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self.held: list[float] = []

    def on_start(self) -> None:
        getattr(self, f"subscribe_{self._kind}")(SYMBOL)

    def on_trade(self, trade: Any) -> None:
        self._turn()

    def on_quote(self, quote: Any) -> None:
        self._turn()

    def _turn(self) -> None:
        self.held.append(self.position(SYMBOL).quantity)
        if len(self.held) in (1, 4):
            self.target_position(SYMBOL, 10 if len(self.held) == 1 else -10)


def test_a_share_of_the_capital_is_sold_short_in_whole_units() -> None:
    """It always came to a fraction, which Alpaca sells nobody short."""
    made = run({0: lambda s: s.target_percent(SYMBOL, -0.123456)})
    ((_, size, _),) = made.fills
    assert size == int(size) < 0


@pytest.mark.parametrize("decimals", [9, 2, 0])
def test_a_whole_unit_is_what_the_instrument_takes_for_one(decimals: int) -> None:
    """Of an instrument with fewer decimals nothing was ever sold short, and no word said."""
    shares = Instrument("AAA", kind="equity", decimals=decimals)
    made = GateRig(
        RiskEngine(), prices=100, symbols=[shares], account="margin", cash=10_050,
        capabilities=ALPACA["equity"],
    )  # fmt: skip
    made.kernel.strategies[0].target_percent("AAA", -0.5)
    made.settle()
    assert sent(made) == [("SELL", 50)]


def test_a_backtest_on_daily_bars_calls_an_entry_back() -> None:
    """The close of an entry that waits for the open was refused, and the entry filled."""
    made = run({0: lambda s: (s.buy(SYMBOL, 10), s.close(SYMBOL))})
    assert made.statuses == ["CANCELED", "DENIED"]
    assert not made.fills


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(0, 7), st.integers(-9, 9), max_size=6), st.integers(-9, 9))
def test_whatever_was_wanted_before_the_last_target_is_reached(
    wanted: dict[int, int], last: int
) -> None:
    steps = {at: to(quantity) for at, quantity in wanted.items()}
    made = run({**steps, **{at: to(last) for at in (8, 9, 10, 11, 12)}}, bars=16)
    assert sum(size for _, size, _ in made.fills) == last
    assert "INITIALIZED" not in made.statuses
    # Only one of the other side that still works is in the way of a change of mind.
    assert all("wash trade" in reason for reason in made.reasons if reason.startswith("40310000"))

"""Orders kept on our side when several things come at one instant, or late: by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import listed
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest import depths
from tests.backtest.harness import MINUTE, START, SYMBOL, Run, Script, play
from tests.execution.brackets import held_in_part

FLAT = (100, 100, 100, 100)
WIDE = (100, 103, 97, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
UNTIL = START + 4 * MINUTE


def run(bars: Any, steps: Any, **options: Any) -> Run:
    return play(bars, steps, **{"emulate": BARE, **options})


def order(side: str, quantity: float, **terms: Any) -> dict[str, Any]:
    return {"side": side, "symbol": SYMBOL, "quantity": quantity, **terms}


def buy(quantity: float, **terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


def rig(**options: Any) -> GateRig:
    return GateRig(RiskEngine(), prices=100, capabilities=BARE, **options)


def positions(made: GateRig) -> float:
    return float(made.kernel.strategies[0].position("AAA").quantity)


# -- both of a pair at one price -----------------------------------------------------------------


@pytest.mark.parametrize("sides", [("buy", "sell"), ("sell", "buy")])
def test_a_bar_that_meets_both_of_a_pair_lets_one_leave(sides: tuple[str, str]) -> None:
    """Each asked for the end of the other, and neither left."""
    stops = {"buy": 102, "sell": 98}
    first, second = (order(side, 10, stop_price=stops[side]) for side in sides)
    made = run([FLAT, WIDE, FLAT, FLAT], {0: lambda s: s.pair(first, second)})
    assert made.fills == [(2, 10 if sides[0] == "buy" else -10, 100)]
    assert made.statuses == ["FILLED", "CANCELED"]


def test_a_bar_that_meets_both_exits_leaves_the_position() -> None:
    """The position was left without any exit."""
    exits = {"take_profit": {"trigger_price": 102}, "stop_loss": 98}
    made = run([FLAT, FLAT, WIDE, FLAT, FLAT], {0: buy(10, **exits)})
    assert made.fills == [(1, 10, 100), (3, -10, 100)]
    assert made.statuses == ["FILLED", "FILLED", "CANCELED"]


# -- several fills at one instant ----------------------------------------------------------------

BOOK = (
    (0, "B", 98, 20), (0, "A", 100, 5), (0, "A", 101, 10), (3, "A", 100, 0), (3, "A", 101, 0),
    (3, "A", 102, 0), (4, "A", 111, 50), (9, "B", 90, 1),
)  # fmt: skip
PRINTS = ((0, 100, 1, "buy"), (4, 111, 1, "buy"), (5, 112, 1, "buy"))


@pytest.mark.parametrize(
    ("limited", "kept", "fills", "sizes"),
    [
        # Two levels fill 15 of 20 at one instant: 5 are left to the stop.
        (20, 20, [(0.5, 5, 100), (0.5, 10, 101), (4, 5, 111)], [20, 5]),
        (20, 16, [(0.5, 5, 100), (0.5, 10, 101), (4, 1, 111)], [20, 1]),
        # Together they take all that the stop was to buy, though neither does alone.
        (20, 15, [(0.5, 5, 100), (0.5, 10, 101)], [20, 10]),
        (20, 12, [(0.5, 5, 100), (0.5, 10, 101)], [20, 7]),
        (15, 40, [(0.5, 5, 100), (0.5, 10, 101)], [15, 35]),
    ],
)
def test_each_of_two_fills_at_one_instant_takes_from_the_kept_one(
    limited: int, kept: int, fills: Any, sizes: Any
) -> None:
    first = {"side": "buy", "symbol": depths.SYMBOL, "quantity": limited, "limit_price": 101}
    second = {"side": "buy", "symbol": depths.SYMBOL, "quantity": kept, "stop_price": 110}
    made = depths.play(
        {"book": depths.levels(*BOOK), "trades": depths.prints(*PRINTS)},
        {0.5: lambda s: s.pair(first, second)},
        emulate=BARE,
    )
    assert made.filled == fills
    assert [float(row["quantity"]) for row in made.table("orders")] == sizes


# -- what comes after the entry's end ------------------------------------------------------------


STOP = {"stop_price": 96, "limit_price": 90}


@pytest.mark.parametrize("late", ["cancel_rejected", "unknown"])
def test_an_answer_after_the_entrys_end_leaves_its_exits_as_they_are(late: str) -> None:
    """They were watched twice then: a stop-limit left twice, which broke the run."""
    made = rig()
    entry = held_in_part(made, stop_loss=STOP)
    made.answer(late, entry)
    assert made.kernel.sink.emulator.watching == 1
    made.price(95)
    exit_ = entry.stop_loss
    assert (exit_.status, exit_.quantity, exit_.limit_price) == ("SENT", 6, 90)
    assert made.venue.submitted == [entry, exit_]
    assert made.kernel.sink.emulator.watching == 0


@pytest.mark.parametrize("late", ["cancel_rejected", "fill"])
def test_what_one_exit_has_filled_stays_off_the_other(late: str) -> None:
    made = rig()
    entry = held_in_part(made, take_profit=110, stop_loss=STOP)
    profit, loss = entry.take_profit, entry.stop_loss
    made.answer("accept", profit)
    made.fill(profit, 4, price=110)
    assert (profit.quantity, loss.quantity) == (6, 2)
    made.fill(entry, 1) if late == "fill" else made.answer(late, entry)
    # Bought 6 (7 with the late one), sold 4 of them.
    assert loss.quantity == positions(made) == (3 if late == "fill" else 2)


def test_a_late_fill_of_the_entry_is_guarded_by_a_kept_exit() -> None:
    made = rig()
    entry = held_in_part(made, stop_loss=STOP)
    made.fill(entry, 3)
    made.price(95)
    assert entry.stop_loss.quantity == positions(made) == 9
    assert made.venue.submitted == [entry, entry.stop_loss]


def test_an_entry_that_ends_without_a_fill_takes_its_exits_with_it() -> None:
    made = rig()
    entry = made.order("buy", 10, limit_price=100, take_profit=110, stop_loss=STOP)
    made.answer("accept", entry)
    made.cancel(entry)
    made.answer("cancel", entry)
    for leg in entry.legs:
        assert leg.status == "CANCELED"
        assert leg.reason == "parent: the entry ended without a fill"
    assert made.kernel.sink.emulator.watching == 0


# -- time ----------------------------------------------------------------------------------------

EXITS = [
    {"stop_loss": 90},
    {"take_profit": 110},
    {"take_profit": 110, "stop_loss": 90},
    {"take_profit": {"trigger_price": 110}, "stop_loss": {"trail_amount": 9}},
]


@pytest.mark.parametrize("exits", EXITS)
@pytest.mark.parametrize("emulate", ["missing", BARE, Capabilities(groups=())])
def test_exits_end_at_their_time_whoever_keeps_them(exits: Any, emulate: Any) -> None:
    made = run([FLAT] * 8, {0: buy(10, expires_at=UNTIL, **exits)}, emulate=emulate)
    assert made.fills == [(1, 10, 100)]
    # Where the first ends at the venue, that has ended the other.
    assert made.statuses[:2] == ["FILLED", "EXPIRED"]
    assert made.statuses[2:] in ([], ["EXPIRED"], ["CANCELED"])
    ends = [ts for kind, ts in made.strategies[0].happened if kind in ("expired", "canceled")]
    assert ends == [UNTIL] * len(exits)


def test_brackets_of_a_venue_without_such_a_time_are_ended_by_us() -> None:
    """Alpaca holds the exits, as good till canceled: they stayed there for ever."""
    opening = START + (24 + 14) * 3600 * 10**9 + 30 * 60 * 10**9
    until = opening + 4 * MINUTE
    made = play(
        [FLAT] * 8,
        {0: buy(10, take_profit=110, stop_loss=90, expires_at=until)},
        name="alpaca", fees="none", start=opening, instrument=listed(SYMBOL),
    )  # fmt: skip
    assert made.statuses[0] == "FILLED"
    assert set(made.statuses[1:]) <= {"EXPIRED", "CANCELED"}
    assert made.kernel.cache.orders_open() == []


@pytest.mark.parametrize("emulate", ["missing", BARE])
def test_exits_of_the_day_end_with_it_whoever_keeps_them(emulate: Any) -> None:
    steps = {1436: buy(10, stop_loss=90, time_in_force="day")}
    made = run([FLAT] * 1450, steps, emulate=emulate)
    assert made.statuses == ["FILLED", "EXPIRED"]


@pytest.mark.parametrize("quantity", [2, 1.5])
def test_an_order_that_waits_ends_at_its_own_time(quantity: float) -> None:
    """Parts of a share leave as orders of the day; until they do, their own time counts."""
    steps = {0: buy(quantity, stop_price=110, expires_at=UNTIL)}
    made = run([FLAT] * 8, steps, instrument=listed(SYMBOL))
    assert made.statuses == ["EXPIRED"]
    assert made.strategies[0].happened[-1] == ("expired", UNTIL)


# -- commands that cross a release ---------------------------------------------------------------


class Follows(Script):
    """Does something with what is left of a pair when one of it is canceled."""

    def __init__(self, steps: Any, act: Any) -> None:
        super().__init__(steps)
        self._act = act

    def on_order(self, event: Any) -> None:
        super().on_order(event)
        if event.kind == "canceled":
            for left in self.orders(SYMBOL):
                self._act(self, left)


DIP, BREAK_UP = order("buy", 10, limit_price=98), order("buy", 10, stop_price=102)


def test_a_cancel_before_a_released_order_has_left_is_heeded() -> None:
    """It went to the venue, which knew no such order; then the order left."""
    follows = Follows({0: lambda s: s.pair(DIP, BREAK_UP)}, lambda s, left: s.cancel(left))
    made = run([FLAT, (100, 103, 100, 103), FLAT, FLAT], follows)
    assert made.fills == []
    assert made.statuses == ["CANCELED", "DENIED"]
    assert made.reasons[1] == "canceled: it had not left yet"


def test_a_change_before_a_released_order_has_left_is_refused() -> None:
    follows = Follows(
        {0: lambda s: s.pair(DIP, BREAK_UP)}, lambda s, left: s.modify(left, quantity=3)
    )
    made = run([FLAT, (100, 103, 100, 103), FLAT, FLAT], follows)
    assert ("bt-2", "modify_rejected") in follows.events
    assert made.fills == [(2, 10, 100)]
    assert not follows.made[1].is_pending


# -- a fill that crosses the cancel of its order ---------------------------------------------------


def guarded(made: GateRig, partial: str) -> Any:
    """Return a limit that works, and a kept stop, for ten that are held."""
    made.hold(10)
    pair = made.kernel.strategies[0].pair(
        order("sell", 10, limit_price=110), order("sell", 10, stop_price=90), partial=partial
    )
    made.settle()
    made.answer("accept", pair[0])
    return pair


@pytest.mark.parametrize("partial", ["reduce", "cancel"])
def test_the_rest_of_a_limit_that_is_canceled_leaves_with_the_stop(partial: str) -> None:
    """Both ended where a part was to cancel the other, and nothing guarded the rest."""
    made = rig()
    limit, stop = guarded(made, partial)
    made.price(90)
    assert (made.venue.withdrawn, stop.status) == ([limit], "EMULATED")
    made.fill(limit, 4)
    made.answer("cancel", limit)
    assert (stop.status, stop.quantity) == ("SENT", positions(made)) == ("SENT", 6)


@pytest.mark.parametrize("partial", ["reduce", "cancel"])
def test_a_limit_that_could_not_be_canceled_goes_on(partial: str) -> None:
    made = rig()
    limit, stop = guarded(made, partial)
    made.price(90)
    made.answer("cancel_rejected", limit)
    assert (limit.status, stop.status) == ("ACCEPTED", "EMULATED")
    made.price(89)
    assert made.venue.withdrawn == [limit, limit]
    made.fill(limit)
    assert (limit.status, stop.status) == ("FILLED", "CANCELED")
    assert stop.reason == "oco: the other order of the pair has filled"
    assert positions(made) == 0


def test_a_fill_after_the_end_of_the_limit_is_taken_from_the_stop_that_has_left() -> None:
    made = rig()
    limit, stop = guarded(made, "reduce")
    made.price(90)
    made.answer("cancel", limit)
    made.answer("accept", stop)
    assert (stop.status, stop.quantity) == ("ACCEPTED", 10)
    made.fill(limit, 4)
    assert [(each.client_order_id, units) for each, units, _ in made.venue.changed] == [
        (stop.client_order_id, 6 * 10**9)
    ]
    made.answer("modified", stop, quantity=6)
    made.fill(stop, 5)
    # One is left of it: an execution of one more ends it.
    made.fill(limit, 1)
    assert made.venue.withdrawn == [limit, stop]


# -- a kept entry whose exits are the venue's ------------------------------------------------------

ENTRY = {"trigger_price": 98, "take_profit": 110, "stop_loss": 90}
HOLDS = Capabilities(order_types={"market", "limit"}, groups={"oto", "bracket", "oco"})


def waiting() -> tuple[GateRig, Any]:
    made = GateRig(RiskEngine(), prices=100, capabilities=HOLDS)
    return made, made.order("buy", 10, **ENTRY)


def test_exits_leave_with_the_entry_that_is_released() -> None:
    made, entry = waiting()
    assert [each.status for each in (entry, *entry.legs)] == ["EMULATED", *["INITIALIZED"] * 2]
    made.price(98)
    assert [each.status for each in (entry, *entry.legs)] == ["SENT"] * 3


@pytest.mark.parametrize("end", ["cancel", "expire", "close"])
def test_exits_of_an_entry_that_never_left_end_with_it(end: str) -> None:
    """They stayed open for ever, unknown to the venue."""
    steps = {
        "cancel": {0: buy(10, **ENTRY), 2: lambda s: s.cancel(s.made[0])},
        "expire": {0: buy(10, expires_at=UNTIL, **ENTRY)},
        "close": {0: buy(10, **ENTRY), 2: lambda s: s.close(SYMBOL)},
    }
    made = run([FLAT] * 8, steps[end], emulate=HOLDS)
    assert made.statuses == ["EXPIRED" if end == "expire" else "CANCELED", "DENIED", "DENIED"]
    assert made.kernel.cache.orders_open() == []


@pytest.mark.parametrize("leg", [0, 1])
def test_an_entry_whose_exit_was_canceled_first_leaves_alone(leg: int) -> None:
    """It broke the run as it left: the exit could not be sent any more."""
    made, entry = waiting()
    exits = entry.legs
    made.cancel(exits[leg])
    assert [each.status for each in exits] == ["DENIED", "DENIED"]
    made.price(98)
    assert (entry.status, made.venue.submitted) == ("SENT", [entry])
    assert len(entry.legs) == 0
    assert made.kernel.cache.orders_open() == [entry]


@pytest.mark.parametrize("leg", [0, 1])
def test_an_exit_that_is_canceled_as_its_entry_is_released_ends_before_it_leaves(leg: int) -> None:
    made, entry = waiting()
    exits = entry.legs
    # The cancel waits while the price releases the entry, and is taken first.
    entry.strategy.cancel(exits[leg])
    made.price(98)
    assert [each.status for each in exits] == ["DENIED", "DENIED"]
    assert (entry.status, made.venue.submitted) == ("SENT", [entry])
    assert len(entry.legs) == 0


# -- in a halt -------------------------------------------------------------------------------------


def with_exits() -> tuple[GateRig, Any, Any]:
    """Hold 10, the take-profit at the venue and the stop kept here."""
    made = GateRig(RiskEngine(), prices=100, capabilities=BARE)
    entry = made.order("buy", 10, take_profit=110, stop_loss=90)
    made.fill(entry)
    take, stop = entry.legs
    made.answer("accept", take)
    return made, take, stop


def put(made: GateRig, state: str) -> None:
    made.gate.set_state(state, actor="me", reason="a test")


def test_a_kept_exit_that_is_met_in_a_halt_leaves_after_it() -> None:
    made, take, stop = with_exits()
    put(made, "halted")
    for price in (89, 88):
        made.price(price)
        # The other one of the pair is not canceled for what could not leave.
        assert (stop.status, take.status, made.venue.withdrawn) == ("EMULATED", "ACCEPTED", [])
    put(made, "active")
    assert stop.status == "EMULATED"
    made.price(89)
    assert made.venue.withdrawn == [take]
    made.answer("cancel", take)
    assert stop.status == "SENT"


def test_an_exit_whose_way_is_free_only_in_a_halt_waits_for_its_end() -> None:
    made, take, stop = with_exits()
    made.price(89)
    put(made, "halted")
    made.answer("cancel", take)
    assert stop.status == "EMULATED"
    put(made, "active")
    made.price(91)
    assert stop.status == "EMULATED"
    made.price(89)
    assert stop.status == "SENT"


def test_exits_of_an_entry_that_fills_in_a_halt_are_kept_until_it_ends() -> None:
    made = GateRig(RiskEngine(), prices=100, capabilities=BARE)
    entry = made.order("buy", 10, take_profit=110, stop_loss=90)
    put(made, "halted")
    made.fill(entry)
    take, stop = entry.legs
    assert [take.status, stop.status] == ["EMULATED", "EMULATED"]
    put(made, "active")
    made.price(111)
    assert (take.status, stop.status) == ("SENT", "CANCELED")


def test_a_kept_entry_that_is_met_in_a_halt_is_denied() -> None:
    made = GateRig(RiskEngine(), prices=100, capabilities=BARE)
    entry = made.order("buy", 10, stop_price=110)
    put(made, "halted")
    made.price(111)
    assert entry.status == "DENIED"
    assert entry.reason.startswith("trading_state: HALTED")

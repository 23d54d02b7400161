"""Pairs of any two orders at venues that know none: the units are there once, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pyrt.core.instruments import listed
from pyrt.errors import StrategyError
from pyrt.risk import Limits, RiskEngine, gate_for
from pyrt.strategy.strategy import Strategy
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities, capabilities_of
from tests.backtest.harness import START, SYMBOL, Run, Script, play

FLAT = (100, 100, 100, 100)
ALPACA = capabilities_of("alpaca")[""]
OPENING = START + (24 + 14) * 3600 * 10**9 + 30 * 60 * 10**9


def order(side: str, quantity: float, **terms: Any) -> dict[str, Any]:
    return {"side": side, "symbol": SYMBOL, "quantity": quantity, **terms}


def pair(first: Any, second: Any, **options: Any) -> Any:
    return lambda s: s.pair(first, second, **options)


def at_alpaca(bars: Any, steps: Any, **options: Any) -> Run:
    script = steps if isinstance(steps, Strategy) else Script(steps)
    return play(
        bars, script, start=OPENING, instrument=listed(SYMBOL), name="alpaca", fees="none",
        **options,
    )  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A pair sent at the close of bar 0 (100), the bars after it, and what becomes of it."""

    name: str
    first: dict[str, Any]
    second: dict[str, Any]
    bars: list[tuple[float, ...]]
    fills: list[tuple[float, float, float]]
    statuses: list[str]


DIP = order("buy", 10, limit_price=98)
BREAK_UP = order("buy", 10, stop_price=102)
BREAK_DOWN = order("sell", 10, stop_price=98)
RICH = order("sell", 10, limit_price=102)

# fmt: off
ROWS = [
    Row("the limit fills", DIP, BREAK_UP, [(100, 100, 97, 99), FLAT],
        [(2, 10, 98)], ["FILLED", "CANCELED"]),
    Row("the stop is met, the limit goes first", DIP, BREAK_UP,
        [(100, 103, 100, 103), (104, 104, 104, 104)], [(2, 10, 104)], ["CANCELED", "FILLED"]),
    # The limit is enlisted first: it is the one that can rest.
    Row("given the other way round", BREAK_UP, DIP, [(100, 100, 97, 99), FLAT],
        [(2, 10, 98)], ["FILLED", "CANCELED"]),
    Row("two stops, the upper one", BREAK_UP, BREAK_DOWN,
        [(100, 103, 100, 103), (104, 104, 97, 98)], [(2, 10, 104)], ["FILLED", "CANCELED"]),
    Row("two stops, the lower one", BREAK_UP, BREAK_DOWN,
        [(100, 100, 97, 97), (96, 103, 96, 103), (105, 105, 105, 105)],
        [(2, -10, 96)], ["CANCELED", "FILLED"]),
    Row("two limits, the one that rests", DIP, RICH, [(100, 101, 97, 99), (103, 103, 103, 103)],
        [(2, 10, 98)], ["FILLED", "CANCELED"]),
    Row("two limits, the one that is kept", DIP, RICH,
        [(100, 103, 99, 102), (102, 103, 101, 102)], [(3, -10, 102)], ["CANCELED", "FILLED"]),
    Row("neither", DIP, BREAK_UP, [(100, 101, 99, 100)], [], ["ACCEPTED", "EMULATED"]),
    Row("touched from above, or a stop", order("buy", 10, trigger_price=98), BREAK_UP,
        [(100, 100, 97, 97), (96, 96, 96, 96)], [(2, 10, 96)], ["FILLED", "CANCELED"]),
    Row("a market order and a stop", BREAK_UP, order("buy", 10), [FLAT, (100, 103, 100, 103)],
        [(1, 10, 100)], ["CANCELED", "FILLED"]),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "_"))
def test_a_pair_at_alpaca_ends_as_the_table_says(row: Row) -> None:
    run = at_alpaca([FLAT, *row.bars], {0: pair(row.first, row.second)})
    assert run.fills == row.fills
    assert run.statuses == row.statuses
    # Where nothing is known natively the same code does the same.
    bare = Capabilities(
        order_types={"market", "limit"}, groups=(), times_in_force={"day", "gtc"}, instructions=()
    )
    again = play([FLAT, *row.bars], {0: pair(row.first, row.second)}, emulate=bare)
    assert (again.fills, again.statuses) == (row.fills, row.statuses)


def test_the_stop_leaves_after_the_limit_is_canceled() -> None:
    run = at_alpaca([FLAT, (100, 103, 100, 103), FLAT], {0: pair(DIP, BREAK_UP)})
    at = run.strategies[0].events.index
    assert at(("bt-1", "canceled")) < at(("bt-2", "released")) < at(("bt-2", "sent"))


PARTS = [(*FLAT, 1e6), (100, 100, 97, 99, 100), (100, 103, 100, 103, 1e6), (*FLAT, 1e6)]


def test_a_part_of_the_limit_leaves_the_rest_to_the_stop() -> None:
    """4 % of 100 fill: 4 of 10 at 98; the stop, met later, buys 6 and no more."""
    run = at_alpaca(PARTS, {0: pair(DIP, BREAK_UP)}, participation=0.04)
    assert run.fills == [(2, 4, 98), (3, 6, 100)]
    assert run.statuses == ["CANCELED", "FILLED"]
    assert [float(o["quantity"]) for o in run.table("orders")] == [10, 6]


def test_a_part_cancels_the_other_where_that_is_asked_for() -> None:
    run = at_alpaca(PARTS, {0: pair(DIP, BREAK_UP, partial="cancel")}, participation=0.04)
    assert run.fills == [(2, 4, 98)]
    assert run.statuses == ["PARTIALLY_FILLED", "CANCELED"]


@pytest.mark.parametrize("sizes", [(10, 10), (10, 4), (10, 30)])
def test_what_has_filled_in_part_goes_on_when_the_other_has_ended(sizes: Any) -> None:
    """At the venue the end of the one ended the other too: the rest never filled."""
    first, second = ({**t, "quantity": q} for t, q in zip((DIP, BREAK_UP), sizes, strict=True))
    bars = [*PARTS[:2], (100, 100, 97, 99, 1e6), FLAT]
    for emulate in ("missing", Capabilities(groups=())):
        partial = "reduce" if sizes == (10, 4) else "cancel"
        run = play(
            bars, {0: pair(first, second, partial=partial)}, participation=0.04, emulate=emulate
        )
        assert run.fills == [(2, 4, 98), (3, 6, 98)]
        assert run.statuses == ["FILLED", "CANCELED"]


def test_exits_of_which_a_part_cancels_the_other_are_not_sent_as_alpacas() -> None:
    """Its own pairs shrink: one that is to be canceled is ours to do."""
    bars = [(*FLAT, 1e6), (*FLAT, 1e6), (100, 112, 100, 100, 100), (100, 100, 89, 95, 1e6), FLAT]
    exits = {"take_profit": 110, "stop_loss": 90, "partial": "cancel"}
    run = at_alpaca(
        bars, {0: lambda s: s.buy(SYMBOL, 10), 1: lambda s: s.oco(SYMBOL, 10, **exits)},
        participation=0.04,
    )  # fmt: skip
    assert run.fills[1:] == [(3, -4, 110)]
    assert run.statuses == ["FILLED", "PARTIALLY_FILLED", "CANCELED"]
    assert "emulated" in [kind for number, kind in run.strategies[0].events if number == "bt-3"]


def test_a_pair_that_guards_what_is_held_is_alpacas_own() -> None:
    """It must survive the node: nothing of it is kept here."""
    stop, profit = order("sell", 10, stop_price=97), order("sell", 10, limit_price=104)
    for bar, fill in (((101, 105, 99, 101), (3, -10, 104)), ((99, 99, 96, 98), (3, -10, 97))):
        steps = {0: lambda s: s.buy(SYMBOL, 10), 1: pair(stop, profit)}
        run = at_alpaca([FLAT, FLAT, bar], steps)
        assert run.fills[1:] == [fill]
        assert "emulated" not in {kind for _, kind in run.strategies[0].events}
    # More than is held is no guard.
    steps = {0: lambda s: s.buy(SYMBOL, 5), 1: pair(stop, profit)}
    run = at_alpaca([FLAT, FLAT, FLAT], steps)
    assert "emulated" in {kind for _, kind in run.strategies[0].events}


def test_an_end_of_one_ends_the_other() -> None:
    for which in (0, 1):
        steps = {0: pair(DIP, BREAK_UP), 1: lambda s, i=which: s.cancel(s.made[i])}
        run = at_alpaca([FLAT, FLAT, (100, 103, 97, 103), FLAT], steps)
        assert (run.fills, run.statuses) == ([], ["CANCELED", "CANCELED"])


def test_half_of_a_pair_that_is_denied_takes_the_other_with_it() -> None:
    small = gate_for(Limits(max_order_quantity=10))
    big = {**BREAK_UP, "quantity": 20}
    for terms in ((DIP, big), (big, DIP), (BREAK_DOWN, big), (big, BREAK_DOWN)):
        run = at_alpaca([FLAT, (100, 103, 97, 103), FLAT], {0: pair(*terms)},
                        engine={"gate": small})  # fmt: skip
        assert run.fills == []
        assert set(run.statuses) <= {"DENIED", "CANCELED"}
        assert "DENIED" in run.statuses
        # Nothing of it has left.
        assert "sent" not in {kind for _, kind in run.strategies[0].events}


def test_two_of_one_side_work_once_for_the_position() -> None:
    """A target that the pair reaches asks for nothing more; it was counted twice."""
    seen: list[Any] = []

    def look(s: Any) -> Any:
        seen.append(s.position(SYMBOL).working_quantity)
        return s.target_position(SYMBOL, 10)

    for options in ({}, {"emulate": Capabilities(groups=())}):
        run = play([FLAT, FLAT, FLAT], {0: pair(DIP, BREAK_UP), 1: look}, **options)
        assert len(run.table("orders")) == 2
    assert seen == [10, 10]


def test_each_side_of_a_straddle_counts_against_limits() -> None:
    """The second was taken for the first's other side, and passed."""
    limits = Limits(max_position_quantity=15)
    for emulate in ("missing", Capabilities(groups=())):
        run = play(
            [FLAT, FLAT],
            {0: pair(order("buy", 15, stop_price=102), order("sell", 20, stop_price=98))},
            emulate=emulate,
            engine={"gate": gate_for(limits)},
        )
        denied = [o for o in run.table("orders") if o["status"] == "DENIED"]
        assert any("max_position_quantity" in o["reason"] for o in denied)
        assert run.kernel.cache.orders_open() == []


@pytest.mark.parametrize(("quantity", "worst"), [(15, 25), (16, 20)])
@pytest.mark.parametrize("which", [0, 1])
def test_a_change_of_either_half_counts_beside_the_other(
    which: int, quantity: float, worst: int
) -> None:
    """Both may fill here. A change of the dearer half was judged as if both were its own."""
    run = play(
        [FLAT, FLAT, FLAT],
        {0: pair(DIP, BREAK_UP), 1: lambda s: s.modify(s.made[which], quantity=quantity)},
        emulate=Capabilities(groups=()),
        engine={"gate": gate_for(Limits(max_position_quantity=25))},
    )
    assert run.kernel.gate.claims.worst_case(0) == (0, worst * 10**9, 0)
    denied = list(run.kernel.gate.report()["denials"]["control"])
    assert denied == ([] if worst == 25 else ["max_position_quantity"])


def test_what_a_kept_exit_is_released_for_counts_in_full() -> None:
    """The 10 that the other exit had sold were taken off its 24 once more."""
    venue = Capabilities(order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=())
    rig = GateRig(RiskEngine(Limits(max_open_orders=9)), prices=100, capabilities=venue)
    rig.hold(34)
    target = rig.order("sell", 34, oco=True, take_profit=120, stop_loss=80)
    rig.answer("accept", target)
    rig.fill(target, 10)
    rig.price(79)
    rig.answer("cancel", target)
    stop = rig.venue.submitted[-1]
    assert (stop.quantity, stop.status) == (24, "SENT")
    assert rig.gate.claims.worst_case(0) == (24 * 10**9, 0, 24 * 10**9)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"take_profit": 110}, "takes no take_profit"),
        ({"stop_loss": 90}, "takes no stop_loss"),
        ({"algorithm": object()}, "takes no algorithm"),
    ],
)
def test_terms_that_a_pair_would_drop_are_refused(terms: Any, reason: str) -> None:
    with pytest.raises(StrategyError, match=reason):
        play([FLAT, FLAT], {0: pair({**DIP, **terms}, BREAK_UP)})


def test_a_kept_order_cannot_be_post_only() -> None:
    kept = {**RICH, "post_only": True}
    run = at_alpaca([FLAT, FLAT], {0: pair(DIP, kept)})
    assert run.statuses == ["DENIED", "DENIED"]
    assert "post_only" in run.reasons[1]


def test_exits_that_alpaca_cannot_hold_are_kept_until_the_entry_has_filled() -> None:
    """Its brackets take stops that stand still: one that trails is ours."""
    bars = [FLAT, FLAT, (100, 106, 100, 106), (106, 106, 103, 103), FLAT]
    steps = {0: lambda s: s.buy(SYMBOL, 10, take_profit=110, stop_loss={"trail_amount": 2})}
    run = at_alpaca(bars, steps)
    # Trails from the high of 106 to 104; the low meets it, the next open fills.
    assert run.fills == [(1, 10, 100), (4, -10, 100)]
    assert run.statuses == ["FILLED", "CANCELED", "FILLED"]


class Random(Strategy):
    """Sends pairs of all kinds, changes and cancels them, for ever."""

    seed: int = 0

    def on_start(self) -> None:
        self.subscribe_bars(SYMBOL, "1m")
        self.draw = np.random.default_rng(self.seed)
        self.pairs: list[Any] = []

    def on_bar(self, bar: Any) -> None:
        draw = self.draw
        for made in self.pairs:
            filled = [o.filled_quantity_exact for o in made]
            assert sum(filled) <= 20
            if len({o.side for o in made}) == 1 and sum(filled) == 20:
                assert all(o.is_closed for o in made)
        if self.orders(SYMBOL):
            for one in self.orders(SYMBOL):
                if draw.random() < 0.05:
                    self.cancel(one)
            return

        def one(side: str) -> dict[str, Any]:
            way = 1 if side == "buy" else -1
            far = round(float(draw.uniform(0.05, 0.5)), 2)
            kind = str(draw.choice(["limit_price", "stop_price", "trigger_price", "trail_amount"]))
            if kind == "trail_amount":
                return order(side, 20, trail_amount=far)
            beyond = way if kind == "stop_price" else -way
            return order(side, 20, **{kind: round(bar.close + beyond * far, 2)})

        self.pairs.append(self.pair(
            one(str(draw.choice(["buy", "sell"]))), one(str(draw.choice(["buy", "sell"]))),
            partial=str(draw.choice(["reduce", "cancel"])),
        ))  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_a_random_pair_never_fills_more_than_its_quantity(seed: int) -> None:
    steps = np.random.default_rng(100 + seed).normal(0, 0.2, 300)
    close = (100 + np.cumsum(steps)).round(2)
    bars = [
        (o, round(max(o, c) + 0.05, 2), round(min(o, c) - 0.05, 2), c, 200)
        for o, c in zip(np.append(100.0, close[:-1]), close, strict=True)
    ]
    run = at_alpaca(bars, Random(seed=seed), participation=0.06)
    assert len(run.fills) > 20
    assert sum(len({f for f in p if f.filled_quantity}) for p in run.strategies[0].pairs) > 10


@pytest.mark.parametrize("first", [True, False])
def test_a_kept_order_of_a_denied_pair_can_be_canceled_at_the_same_instant(first: bool) -> None:
    """It had ended with the other one, which was not heard yet: it was taken for one that waits."""
    made = GateRig(
        RiskEngine(Limits(max_order_quantity=12)), symbols=[SYMBOL], prices=100, account="margin",
        capabilities=ALPACA,
    )  # fmt: skip
    made.hold(10)
    strategy = made.kernel.strategies[0]
    orders = [order("sell", 5, stop_price=95), order("buy", 20, stop_price=107)]
    pair = strategy.pair(*orders if first else orders[::-1])
    strategy.cancel_all(SYMBOL)
    made.settle()
    small, large = pair if first else pair[::-1]
    assert small.status in ("CANCELED", "DENIED")
    assert (large.status, large.filled_quantity) == ("DENIED", 0)
    assert strategy.orders() == []

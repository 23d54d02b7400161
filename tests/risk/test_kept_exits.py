"""Exits that are kept on our side: no limit keeps them from leaving what their entry opened."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, gate_for
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Run, play

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, groups=(), times_in_force={"day", "gtc"}, instructions=()
)
UP, DOWN = (100, 112, 100, 111), (100, 100, 88, 89)
ENOUGH = [
    {"max_position_quantity": 10}, {"max_position_notional": 1_000}, {"max_gross_exposure": 1_000},
    {"max_net_exposure": 1_000}, {"max_daily_orders": 1}, {"max_daily_quantity": 10},
    {"max_daily_notional": 1_000}, {"max_orders_per_minute": 1},
    {"max_messages_per_minute": 2, "cancel_reserve": 1},
]  # fmt: skip


def run(side: str, bars: list[Any], **limits: Any) -> Run:
    """Enter with 10 at 100, exits at 90 and 110; the limits are enough for the entry alone."""
    take, stop = (110, 90) if side == "buy" else (90, 110)
    return play(
        [FLAT, FLAT, *bars, FLAT],
        {0: lambda s: getattr(s, side)(SYMBOL, 10, take_profit=take, stop_loss=stop)},
        emulate=BARE, account="margin", engine={"gate": gate_for(Limits(**limits))},
    )  # fmt: skip


@pytest.mark.parametrize("limits", ENOUGH, ids=lambda each: next(iter(each)))
@pytest.mark.parametrize(
    ("side", "sign", "bar", "price"),
    [("buy", 1, UP, 110), ("buy", 1, DOWN, 88), ("sell", -1, DOWN, 90), ("sell", -1, UP, 112)],
)
def test_exits_of_an_entry_leave_within_what_the_entry_was_let_go_for(
    side: str, sign: int, bar: Any, price: float, limits: dict[str, Any]
) -> None:
    after = [(price,) * 4] if price in (88, 112) else []
    made = run(side, [bar, *after], **limits)
    assert made.fills == [(1, 10 * sign, 100), (3, -10 * sign, price)]
    assert sorted(made.statuses) == ["CANCELED", "FILLED", "FILLED"]
    assert made.kernel.gate.claims.worst_case(0) == (0, 0, 0)
    assert made.kernel.gate.claims.totals() == (0, 0, 0)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_exits_that_wait_count_no_other_position_than_the_one_they_leave(side: str) -> None:
    made = run(side, [FLAT], max_position_quantity=10)
    claims = made.kernel.gate.claims
    held, buys, sells = claims.worst_case(0)
    assert held == (10 if side == "buy" else -10) * 10**9
    # Both are counted where one is kept here.
    assert (buys, sells) == ((0, 20 * 10**9) if side == "buy" else (20 * 10**9, 0))


@pytest.mark.parametrize("emulate", [BARE, "missing"])
@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    "limits",
    [{"max_gross_exposure": 1_000}, {"max_position_notional": 1_000}, {"max_open_orders": 9},
     {"max_position_quantity": 10}, {"max_daily_orders": 1}],
)  # fmt: skip
def test_a_pair_of_exits_for_what_is_held_may_be_sent_while_nothing_may_raise_exposure(
    limits: dict[str, Any], side: str, emulate: Any
) -> None:
    """Wherever it is kept: one of the two leaves, for the ten that are held."""
    gate = gate_for(Limits(**limits))
    take, stop = (110, 90) if side == "buy" else (90, 110)

    def guard(strategy: Any) -> Any:
        gate.set_state("reducing", "Ann", "a test")
        return strategy.oco(SYMBOL, 10, take_profit=take, stop_loss=stop)

    made = play(
        [FLAT, FLAT, FLAT, (stop,) * 4, (stop,) * 4],
        {0: lambda s: getattr(s, side)(SYMBOL, 10), 1: guard},
        emulate=emulate, account="margin", engine={"gate": gate},
    )  # fmt: skip
    assert made.statuses == ["FILLED", "CANCELED", "FILLED"]
    assert made.kernel.gate.claims.worst_case(0) == (0, 0, 0)


# -- pairs of entries ------------------------------------------------------------------------------

ENTRY = {"symbol": SYMBOL, "side": "buy", "quantity": 10}
TIGHT = {"max_position_quantity": 20, "max_gross_exposure": 2_000}


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("place", "change", "worst"),
    [
        (0, {"limit_price": 97}, (20, 1_990)), (1, {"stop_price": 101}, (20, 1_990)),
        (0, {"quantity": 9}, (19, 1_902)), (1, {"quantity": 9}, (19, 1_898)),
        (0, {"limit_price": 98.01}, None), (1, {"stop_price": 102.01}, None),
        (0, {"quantity": 10.01}, None), (1, {"quantity": 10.01}, None),
    ],
)  # fmt: skip
def test_each_of_a_pair_kept_here_counts_at_its_own_price_and_so_does_a_change(
    place: int, change: dict[str, float], worst: tuple[int, int] | None, first: int
) -> None:
    """Ten at 98 and ten at 102 are all of 2,000."""
    pair = [{**ENTRY, "limit_price": 98}, {**ENTRY, "stop_price": 102}]
    made = play(
        [FLAT] * 5,
        {
            0: lambda s: s.pair(*(pair if first == 0 else pair[::-1])),
            1: lambda s: s.modify(s.made[place ^ first], **change),
        },
        emulate=BARE, account="margin", engine={"gate": gate_for(Limits(**TIGHT))},
    )  # fmt: skip
    claims = made.kernel.gate.claims
    units, value = worst or (20, 2_000)
    assert claims.worst_case(0) == (0, units * 10**9, 0)
    assert claims.totals() == (value, value, 0)
    told = {kind for _, kind in made.strategies[0].events}
    assert ("modified" in told, "modify_rejected" in told) == (worst is not None, worst is None)


def test_what_one_exit_fills_is_no_longer_what_the_other_may_fill() -> None:
    """Four of the ten leave at 110: the stop that is kept is for six."""
    part = [(*FLAT, 1e6), (*FLAT, 1e6), (100, 112, 100, 100, 100), (*FLAT, 1e6)]
    made = play(
        part, {0: lambda s: s.buy(SYMBOL, 10, take_profit=110, stop_loss=90)}, emulate=BARE,
        account="margin", participation=0.04, engine={"gate": gate_for(Limits(**TIGHT))},
    )  # fmt: skip
    assert made.fills[1:] == [(3, -4, 110)]
    assert made.kernel.gate.claims.worst_case(0) == (6 * 10**9, 0, 12 * 10**9)


def test_what_a_protected_order_leaves_as_is_on_its_record() -> None:
    made = play(
        [FLAT] * 3, {0: lambda s: [s.sell(SYMBOL, 2, stop_price=90), s.buy(SYMBOL, 1),
                                   s.sell(SYMBOL, 2, stop_price=80)]},
        account="margin", engine={"gate": gate_for(Limits(market_protection_bps=50))},
    )  # fmt: skip
    assert [row["type"] for row in made.table("orders")] == ["stop", "limit", "stop"]


@pytest.mark.parametrize(
    ("most", "statuses"), [(19.99, ["DENIED"] * 2), (20, ["ACCEPTED", "EMULATED"])]
)
def test_a_pair_of_entries_kept_here_is_judged_by_what_both_come_to(
    most: float, statuses: list[str]
) -> None:
    pair = ({**ENTRY, "limit_price": 98}, {**ENTRY, "stop_price": 102})
    made = play(
        [FLAT] * 3, {0: lambda s: s.pair(*pair)}, emulate=BARE, account="margin",
        engine={"gate": gate_for(Limits(max_position_quantity=most))},
    )  # fmt: skip
    assert made.statuses == statuses

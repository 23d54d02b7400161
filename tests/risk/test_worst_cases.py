"""Worst cases at their edges: huge quantities, triggers that trail, splits, rates, days."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine, gate_for
from pyrt.testing.gates import GateRig
from tests.backtest.harness import play
from tests.risk.test_checks import code


def rig(account: str = "margin", prices: float | None = 100.0, **limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=1_000_000, symbols=("AAA", "BBB"), prices=prices,
        strategies=2, account=account,
    )  # fmt: skip


# -- orders that limits are set over ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "terms", "worst"),
    [
        ("buy", {}, 1_000), ("sell", {}, 1_000), ("buy", {"stop_price": 110}, 1_100),
        ("sell", {"stop_price": 90}, 1_000), ("sell", {"limit_price": 110}, 1_100),
        ("buy", {"limit_price": 90}, 900), ("sell", {"limit_price": 90}, 1_000),
        ("buy", {"trail_amount": 5}, 1_050), ("sell", {"trail_amount": 5}, 1_000),
        ("buy", {"stop_price": 110, "limit_price": 120}, 1_200),
    ],
)  # fmt: skip
def test_an_order_that_works_already_counts_at_its_worst_price(
    side: str, terms: dict[str, float], worst: float
) -> None:
    made = GateRig(RiskEngine(), prices=100, cash=1_000_000, account="margin")
    made.answer("accept", made.order(side, 10, **terms))
    made.gate.set_limits(Limits(max_gross_exposure=1e6), "Ann", "begin")
    assert made.gate.claims.totals()[1:] == ((worst, 0) if side == "buy" else (0, worst))


# -- quantities near the end of what 64 bits hold: 9.22e9 units of nine decimals -------------------


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_sum_that_no_longer_fits_is_denied_and_not_taken_for_a_small_one(side: str) -> None:
    made = rig(prices=0.00001, max_position_quantity=9e9)
    assert code(made.order(side, 5e9)) == ""
    # Together 10e9, which 64 bits would show as 8.4e9 on the other side.
    assert code(made.order(side, 5e9, limit_price=0.00002)) == "overflow"
    assert code(made.order(side, 4e9)) == ""
    assert code(made.order(side, 1)) == "max_position_quantity"


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_nearly_as_large_as_can_be_counted_lives_as_any_other(side: str) -> None:
    made = rig(prices=0.00001, max_position_quantity=9e9)
    order = made.order(side, 8e9, limit_price=0.00001)
    made.answer("accept", order)
    held, waiting = (1, 1) if side == "buy" else (-1, 2)
    worst = [0, 0, 0]
    worst[waiting] = 8 * 10**18
    assert made.gate.claims.worst_case(0) == tuple(worst)
    made.fill(order, 3e9)
    worst[0], worst[waiting] = held * 3 * 10**18, 5 * 10**18
    assert made.gate.claims.worst_case(0) == tuple(worst)
    made.answer("cancel", order)
    worst[waiting] = 0
    assert made.gate.claims.worst_case(0) == tuple(worst)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_worked_before_there_were_limits_and_does_not_fit_together_is_told(side: str) -> None:
    made = GateRig(RiskEngine(), prices=0.00001, cash=1_000_000)
    for price in (0.00001, 0.00002):
        assert made.order(side, 5e9, limit_price=price).status == "SENT"
    with pytest.raises(OverflowError):
        made.gate.set_limits(Limits(max_position_quantity=9e9), "Ann", "begin")


def test_units_of_a_day_that_no_longer_fit_are_denied() -> None:
    made = rig(prices=0.00001, max_daily_quantity=9e9)
    order = made.order("buy", 5e9)
    made.answer("reject", order)
    assert code(made.order("buy", 5e9)) == "overflow"
    assert code(made.order("buy", 4e9)) == ""


# -- triggers that trail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "worst"),
    [
        ({"trail_amount": 50}, 150),
        ({"trail_percent": 50}, 150),
        ({"trail_percent": 0.001}, 100.001),
        ({"stop_price": 150}, 150),
        ({"trail_amount": 50, "limit_price": 160}, 160),
    ],
)
def test_a_buy_that_trails_counts_at_the_trigger_it_would_have_now(
    terms: dict[str, float], worst: float
) -> None:
    made = rig(max_order_notional=10 * worst)
    assert code(made.order("buy", 10, **terms)) == ""
    assert code(made.order("buy", 10.001, **terms)) == "max_order_notional"
    assert made.gate.claims.totals()[1] == pytest.approx(10 * worst)


def test_a_sale_that_trails_counts_at_the_last_price() -> None:
    made = rig(max_order_notional=1_000)
    assert code(made.order("sell", 10, trail_amount=50)) == ""
    assert code(made.order("sell", 10.001, trail_amount=50)) == "max_order_notional"


def test_what_the_venue_tells_of_a_trigger_is_what_counts() -> None:
    made = rig(max_gross_exposure=10_000)
    order = made.order("buy", 10, trail_amount=50)
    made.answer("accept", order)
    assert made.gate.claims.totals()[1] == 1_500
    made.price(80)
    made.answer("modified", order)
    assert made.gate.claims.totals()[1] == 1_300


def test_a_wider_distance_is_judged_at_the_trigger_it_leads_to() -> None:
    made = rig(max_order_notional=2_000)
    order = made.order("buy", 10, trail_amount=50)
    made.answer("accept", order)
    assert made.modify(order, trail_amount=100)
    assert made.gate.claims.totals()[1] == 2_000
    assert not made.modify(order, trail_amount=100.01)


@pytest.mark.parametrize(
    ("distance", "wider", "wide"),
    [
        ({"trail_amount": 20}, {"trail_amount": 40}, 90),
        ({"trail_percent": 20}, {"trail_percent": 80}, 90),
    ],
)
def test_a_wider_distance_is_one_in_its_own_unit(
    distance: dict[str, float], wider: dict[str, float], wide: float
) -> None:
    made = rig(prices=50, max_order_notional=10 * wide)
    order = made.order("buy", 10, **distance)
    made.answer("accept", order)
    assert made.modify(order, **wider)
    assert made.gate.claims.totals()[1] == 10 * wide
    assert not made.modify(order, **{name: value + 0.01 for name, value in wider.items()})


def test_a_distance_wider_by_the_least_there_is_moves_the_trigger() -> None:
    made = rig(max_order_notional=1_500)
    order = made.order("buy", 10, trail_amount=50)
    made.answer("accept", order)
    made.answer("modified", order)
    assert not made.modify(order, trail_amount="50.000000001")
    assert made.modify(order, trail_amount=50)


def test_what_trails_no_price_yet_cannot_be_valued() -> None:
    for terms in ({"trail_amount": 5}, {"trail_percent": 5}):
        made = rig(prices=None, max_order_notional=1_000)
        order = made.order("buy", 1, **terms)
        assert order.reason == "max_order_notional: AAA has no price to value the order at"


FLAT = (100, 100, 100, 100)


@pytest.mark.parametrize(
    ("change", "worst"),
    [
        ({"quantity": 11}, 11 * 105), ({"trail_amount": 1}, 10 * 105), ({"trail_amount": 5}, 1_080),
        ({"trail_amount": 9}, 10 * 112), ({"trail_amount": "2.000000001"}, "1050.00000001"),
        ({"trail_amount": "2.01"}, "1050.1"),
    ],
)  # fmt: skip
def test_a_trigger_that_the_venue_has_told_is_the_nearest_that_counts(
    change: dict[str, Any], worst: Any
) -> None:
    """It stays at 105 while the price goes up to 103; what trails that by less is no nearer."""
    mark = 103
    made = play(
        [FLAT, FLAT, (100, 103, 100, mark), (mark, mark, mark, mark)],
        {0: lambda s: s.buy("AAA", 10, trail_amount=5),
         2: lambda s: s.modify(s.made[0], **change)},
        account="margin", engine={"gate": gate_for(Limits(max_order_notional=1e6))},
    )  # fmt: skip
    verdicts = made.kernel.gate.report()["verdicts"]
    assert verdicts["is_change"].tolist() == [False, True]
    assert verdicts["value"][-1] == pytest.approx(float(worst), abs=1e-9)


def test_a_trigger_that_trails_meets_no_order_that_rests() -> None:
    made = rig(deny_self_match=True)
    made.answer("accept", made.order("sell", 1, limit_price=120))
    assert code(made.order("buy", 1, trail_amount=5)) == ""
    assert code(made.order("buy", 1)) == "self_match"


# -- prices that are not believed yet --------------------------------------------------------------


@pytest.mark.parametrize("jump", [0, 100])
@pytest.mark.parametrize(
    ("terms", "value"),
    [
        ({}, 1_000), ({"trail_amount": 20}, 1_200), ({"trail_percent": 50}, 1_500),
        ({"side": "sell"}, 1_000), ({"side": "sell", "limit_price": 90}, 1_000),
        ({"side": "sell", "limit_price": 110}, 1_100), ({"stop_price": 130}, 1_300),
    ],
)  # fmt: skip
def test_an_order_is_valued_at_the_last_price_that_was_believed(
    terms: dict[str, Any], value: float, jump: int
) -> None:
    made = rig(max_tick_jump_bps=jump, max_gross_exposure=1e6)
    made.price(150)
    assert code(made.order(**{"side": "buy", "quantity": 10, **terms})) == "bad_tick"
    assert made.gate.report()["verdicts"]["value"].tolist() == [value]
    made.price(100)
    assert code(made.order(**{"side": "buy", "quantity": 10, **terms})) == ""
    assert made.gate.report()["verdicts"]["value"].tolist() == [value, value]


def test_a_price_that_moved_while_none_was_followed_is_the_one_that_counts() -> None:
    made = rig(max_tick_jump_bps=100)
    made.order("buy", 1)
    # Under a limit of quantities alone no price is followed.
    made.gate.set_limits(Limits(max_order_quantity=99), "Ann", "quantities only")
    made.price(150)
    made.order("buy", 2)
    assert made.gate.report()["verdicts"]["value"].tolist() == [100, 300]
    made.gate.set_limits(Limits(market_protection_bps=0, price_collar_bps=0), "Ann", "prices")
    assert made.order("buy", 1).limit_price == 150
    assert code(made.order("buy", 1, limit_price=150)) == ""
    limits = Limits(max_tick_jump_bps=100, max_order_notional=1_200)
    made.gate.set_limits(limits, "Ann", "values again")
    assert code(made.order("buy", 10)) == "max_order_notional"
    assert code(made.order("buy", 8)) == ""
    made.price(151)
    assert code(made.order("buy", 7)) == ""
    # One that has jumped stays in doubt under new limits.
    made.price(170)
    made.gate.set_limits(limits.replace(max_order_quantity=99), "Ann", "quantities too")
    assert code(made.order("buy", 7)) == "bad_tick"
    assert made.gate.report()["verdicts"]["value"][-1] == 7 * 151


@pytest.mark.parametrize("jump", [0, 100])
def test_what_an_exit_gives_away_is_told_from_the_last_price_that_was_believed(jump: int) -> None:
    made = rig(max_tick_jump_bps=jump, price_collar_bps=300)
    made.hold(10)
    made.price(150)
    assert code(made.order("sell", 5, limit_price=96.99)) == "price_collar_bps"
    assert code(made.order("sell", 5, limit_price=97)) == ""
    # Without the control that judges prices the last one counts.
    made.gate.set_limits(Limits(price_collar_bps=300), "Ann", "believe all")
    assert code(made.order("sell", 5, limit_price=97)) == "price_collar_bps"


def test_a_market_order_is_protected_from_the_last_price_that_was_believed() -> None:
    for jump in (0, 100):
        made = rig(max_tick_jump_bps=jump, market_protection_bps=50)
        made.price(150)
        order = made.order("buy", 10)
        assert (code(order), order.limit_price) == ("bad_tick", 100.5)
        limit = made.order("buy", 10, limit_price=100)
        assert made.gate.report()["verdicts"]["value"].tolist() == [1_005, 1_000]
        assert code(limit) == "bad_tick"
    # Without the control that judges prices the last one counts.
    made = rig(market_protection_bps=50)
    made.price(150)
    assert made.order("buy", 10).limit_price == 150.75


# -- splits ----------------------------------------------------------------------------------------


def test_a_pair_of_exits_counts_in_new_shares_after_a_split() -> None:
    made = rig(require_shortable=True, max_position_quantity=100)
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    pair = made.venue.submitted[-2:]
    for order in pair:
        made.answer("accept", order)
    made.split(2)
    for order in pair:
        made.answer("modified", order, quantity=20)
    assert made.gate.claims.worst_case(0) == (20 * 10**9, 0, 20 * 10**9)
    made.gate.set_state("reducing", "Ann", "nothing may turn the position")
    assert code(made.order("sell", 10)) == "trading_state"


def test_exits_of_an_entry_count_in_new_shares_after_a_split() -> None:
    made = rig(max_position_quantity=100)
    entry = made.order("buy", 10, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.fill(entry)
    for order in entry.legs:
        made.answer("accept", order)
    assert made.gate.claims.worst_case(0) == (10 * 10**9, 0, 10 * 10**9)
    made.split(3)
    for order in entry.legs:
        made.answer("modified", order, quantity=30)
    assert made.gate.claims.worst_case(0) == (30 * 10**9, 0, 30 * 10**9)
    made.fill(entry.take_profit, 12)
    assert made.gate.claims.worst_case(0)[0] == 18 * 10**9
    assert made.gate.claims.worst_case(0)[2] >= 18 * 10**9


@pytest.mark.parametrize("first", [0, 1])
def test_exits_count_in_full_from_the_split_on(first: int) -> None:
    made = rig(max_position_quantity=100)
    entry = made.order("buy", 10, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.fill(entry)
    for order in entry.legs:
        made.answer("accept", order)
    made.fill(entry.legs[first], 4)
    assert made.gate.claims.worst_case(0) == (6 * 10**9, 0, 6 * 10**9)
    made.split(2)
    # What its sibling has filled is in other units: the other exit counts with all it may fill.
    assert made.gate.claims.worst_case(0) == (12 * 10**9, 0, 10 * 10**9)


def test_exits_that_wait_for_their_entry_count_nothing_after_a_split_either() -> None:
    made = rig(max_position_quantity=100)
    entry = made.order("buy", 10, limit_price=90, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.split(2)
    assert made.gate.claims.worst_case(0) == (0, 10 * 10**9, 0)


def test_a_split_that_leaves_nothing_of_a_holding_frees_its_place() -> None:
    made = GateRig(
        RiskEngine(Limits(max_open_positions=1)), symbols=(Instrument("AAA", decimals=0), "BBB"),
        prices=100,
    )  # fmt: skip
    made.hold(5)
    assert code(made.order("buy", 1, "BBB")) == "max_open_positions"
    made.split(1, 10)
    assert made.gate.claims.worst_case(0) == (0, 0, 0)
    assert code(made.order("buy", 1, "BBB")) == ""


# -- values that move with prices ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ({"max_position_notional": 2_400}, 2),
        ({"max_concentration": "0.0024"}, 2.01),
        ({"max_gross_exposure": 2_400}, 2),
        ({"max_sector_concentration": "0.0024"}, 2.01),
    ],
)
def test_what_is_held_counts_at_the_last_price(limits: dict[str, Any], most: float) -> None:
    """Ten of 100 are worth 2,000 at 200; the account has 1,001,000 then, and 0.24 % is 2,402.4."""
    for quantity, reason in ((most + 0.01, next(iter(limits))), (most, "")):
        made = rig(**limits)
        made.hold(10)
        made.price(200)
        assert code(made.order("buy", quantity)) == reason


def test_what_is_held_elsewhere_moves_its_sector_with_its_price() -> None:
    listed = [Instrument(name, sector="steel") for name in ("AAA", "BBB")]
    made = GateRig(
        RiskEngine(Limits(max_sector_concentration="0.0025")), symbols=listed, prices=100,
        account="margin",
    )  # fmt: skip
    made.hold(10)
    made.price(200)
    # The account has 1,001,000 by now, of which 2,502.50 may be steel.
    assert code(made.order("buy", 5.03, "BBB", limit_price=100)) == "max_sector_concentration"
    assert code(made.order("buy", 5.02, "BBB", limit_price=100)) == ""


@pytest.mark.parametrize("held", [10, -10])
def test_a_price_moves_what_a_holding_makes_up_for_of_what_works(held: int) -> None:
    made = rig(max_gross_exposure=2_000)
    made.hold(held)
    made.order("sell" if held > 0 else "buy", 15, limit_price=100)
    waiting = (0, 1_500) if held > 0 else (1_500, 0)
    assert made.gate.claims.totals() == (1_000, *waiting)
    made.price(50)
    # Of 500 held an order of 1,500 leaves 1,000 on the other side.
    assert made.gate.claims.totals() == (1_000, *waiting)
    assert code(made.order("buy", 10.01, "BBB", limit_price=100)) == "max_gross_exposure"
    assert code(made.order("buy", 10, "BBB", limit_price=100)) == ""


def test_a_price_in_doubt_moves_what_a_holding_makes_up_for_as_it_moves_the_holding() -> None:
    made = rig(max_gross_exposure=2_000, max_tick_jump_bps=100)
    made.hold(10)
    made.order("sell", 15, limit_price=100)
    made.price(50)
    assert code(made.order("buy", 1)) == "bad_tick"
    # The account holds 500 by now, and the sale would leave 1,000 short.
    assert made.gate.claims.totals() == (1_000, 0, 1_500)
    assert code(made.order("buy", 10.01, "BBB", limit_price=100)) == "max_gross_exposure"
    assert code(made.order("buy", 10, "BBB", limit_price=100)) == ""


# Held, bought and sold at 100, and the worst case in money.
WORST = [
    (0, 5, 0, 500), (0, 0, 5, 500), (0, 5, 7, 700), (0, 7, 5, 700),
    (10, 5, 0, 1_500), (10, 0, 5, 1_000), (10, 0, 25, 1_500), (10, 5, 25, 1_500),
    (10, 6, 25, 1_600), (-10, 0, 5, 1_500), (-10, 5, 0, 1_000), (-10, 25, 0, 1_500),
    (-10, 25, 6, 1_600),
]  # fmt: skip


@pytest.mark.parametrize(("held", "bought", "sold", "worst"), WORST)
def test_the_worst_of_a_symbol_is_that_of_its_worse_side(
    held: int, bought: int, sold: int, worst: int
) -> None:
    made = rig(max_gross_exposure=worst + 1_000)
    if held:
        made.hold(held)
    for side, units in (("buy", bought), ("sell", sold)):
        if units:
            made.order(side, units, limit_price=100)
    assert made.gate.claims.totals() == (worst, 100 * bought, 100 * sold)
    for reason in ("max_gross_exposure", ""):
        assert code(made.order("buy", 10 if not reason else 10.01, "BBB")) == reason


@pytest.mark.parametrize(
    "limits",
    [{"max_position_notional": 2_000}, {"max_gross_exposure": 2_000},
     {"max_concentration": "0.002"}, {"max_sector_concentration": "0.002"}],
)  # fmt: skip
@pytest.mark.parametrize(
    ("held", "waiting", "side", "most"),
    [
        (0, 5, "sell", 15), (0, 5, "buy", 15), (10, 5, "sell", 25), (10, 5, "buy", 5),
        (-10, 5, "sell", 5), (-10, 5, "buy", 25), (-10, 25, "buy", 5), (10, 25, "sell", 5),
    ],
)  # fmt: skip
def test_an_order_adds_to_what_is_held_and_waits_on_its_own_side(
    held: int, waiting: int, side: str, most: int, limits: dict[str, Any]
) -> None:
    made = rig(**limits)
    if held:
        made.hold(held)
    assert code(made.order(side, waiting, limit_price=100)) == ""
    assert code(made.order(side, most + 0.01, limit_price=100)) == next(iter(limits))
    assert code(made.order(side, most, limit_price=100)) == ""


# -- rates -----------------------------------------------------------------------------------------


def test_a_change_of_rate_moves_the_worst_case_before_any_price_comes() -> None:
    euro = Instrument("EEE", currency="EUR", sector="abroad")
    home = Instrument("USA", sector="home")
    made = GateRig(
        RiskEngine(Limits(max_gross_exposure=3_000, max_sector_concentration=1)),
        cash=1_000_000, symbols=(euro, home), account="margin",
    )  # fmt: skip
    account = made.kernel.account
    account.set_rate("EUR", 1)
    for symbol in ("EEE", "USA"):
        made.price(100, symbol)
    assert code(made.order("buy", 10, "EEE", limit_price=100)) == ""
    assert made.gate.claims.totals()[0] == 1_000
    account.set_rate("EUR", 2)
    # 10 at 100 and twice the rate are 2,000 now: there is room for 1,000 and no more.
    assert code(made.order("buy", 10.01, "USA", limit_price=100)) == "max_gross_exposure"
    assert code(made.order("buy", 10, "USA", limit_price=100)) == ""
    assert made.gate.claims.totals()[0] == 3_000


# -- prices of what is turned into a limit order ---------------------------------------------------


@pytest.mark.parametrize("bps", [9_999, 10_000, 20_000])
def test_a_protected_sale_has_a_price_above_nothing(bps: int) -> None:
    made = GateRig(
        RiskEngine(Limits(market_protection_bps=bps)), prices=100, account="margin",
        symbols=(Instrument("AAA", tick_size="0.01"),),
    )  # fmt: skip
    order = made.order("sell", 1)
    assert (order.order_type, order.limit_price) == ("limit", 0.01)
    order = rig(market_protection_bps=bps + 1).order("sell", 1, "BBB")
    assert (order.order_type, order.limit_price) == ("limit", 0.000000001)


# -- sums by sector --------------------------------------------------------------------------------


def test_sectors_have_the_worst_cases_of_their_symbols() -> None:
    listed = [Instrument("AAA", sector="steel"), Instrument("BBB", sector="steel"),
              Instrument("CCC", sector="tea"), Instrument("DDD")]  # fmt: skip
    made = GateRig(
        RiskEngine(Limits(max_sector_concentration=1)), symbols=listed, prices=100,
        account="margin",
    )  # fmt: skip
    made.hold(3)
    made.order("sell", 5, "AAA", limit_price=100)
    made.order("buy", 4, "BBB", limit_price="90.5")
    made.order("buy", 2, "CCC", limit_price=100)
    made.order("sell", 1, "DDD", limit_price=100)
    values = made.gate.claims.sector_values()
    assert values == {"": 100, "steel": 300 + 362, "tea": 200}


# -- days ------------------------------------------------------------------------------------------


def test_what_a_change_adds_is_the_first_thing_counted_on_a_new_day() -> None:
    made = rig(max_daily_quantity=10)
    order = made.order("buy", 5, limit_price=90)
    made.answer("accept", order)
    made.wait("1d")
    assert made.modify(order, quantity=12)
    made.answer("modified", order, quantity=12)
    # 7 of 10 are used up.
    assert code(made.order("buy", 3.1)) == "max_daily_quantity"
    assert code(made.order("buy", 3)) == ""


def test_what_would_be_said_on_a_new_day_is_of_that_day() -> None:
    made = rig(max_daily_orders=2, duplicate_window="1s", max_duplicates=5)
    asked = {"symbol": "AAA", "side": "buy", "quantity": 1}
    for code_of in ("", "duplicate_order"):
        assert code(made.order("buy", 2)) == code_of
    assert made.kernel.strategies[0].validate(asked).code == ""
    assert made.gate.save()["duplicates"] == {"A": 1}
    made.wait("5s")
    made.order("buy", 2)
    assert made.kernel.strategies[0].validate(asked).code == "max_daily_orders"
    made.wait("1d")
    assert made.kernel.strategies[0].validate(asked).code == ""
    assert made.gate.save()["duplicates"] == {}

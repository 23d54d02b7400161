"""Sizes, shorts, flips, affordability, partial fills and targets, worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.core.instruments import Instrument
from tests.backtest.harness import SYMBOL, Script, play

FLAT = (100, 100, 100, 100)


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


# -- participation ---------------------------------------------------------------------------------


def test_a_market_order_takes_its_share_of_each_bar() -> None:
    bars = [FLAT, *[(p, p, p, p, 1000) for p in (100, 101, 102)]]
    run = play(bars, {0: lambda s: s.buy(SYMBOL, 250)}, participation=0.1)
    assert run.fills == [(1, 100, 100), (2, 100, 101), (3, 50, 102)]
    assert run.statuses == ["FILLED"]


def test_orders_share_what_a_bar_offers_in_their_order() -> None:
    bars = [FLAT, (100, 100, 98, 99, 1000)]
    run = play(
        bars,
        {0: lambda s: [s.buy(SYMBOL, 60), s.buy(SYMBOL, 60), s.buy(SYMBOL, 60, limit_price=99)]},
        participation=0.1,
    )
    assert run.fills == [(1, 60, 100), (1, 40, 100)]
    assert run.statuses == ["FILLED", "PARTIALLY_FILLED", "ACCEPTED"]


def test_the_path_uses_what_the_open_has_left() -> None:
    bars = [FLAT, (100, 100, 98, 99, 1000)]
    run = play(
        bars,
        {0: lambda s: [s.buy(SYMBOL, 60), s.buy(SYMBOL, 60, limit_price=99)]},
        participation=0.1,
    )
    assert run.fills == [(1, 60, 100), (2, 40, 99)]


def test_same_close_takes_its_share_of_the_bar_just_ended() -> None:
    run = play(
        [(100, 101, 99, 100, 1000), (101, 102, 100, 101, 1000)],
        {0: lambda s: s.buy(SYMBOL, 150)},
        participation=0.1,
        fill="same_close",
    )
    assert run.fills == [(1, 100, 100), (1, 50, 101)]


def test_a_bar_without_volume_fills_nothing_under_a_cap() -> None:
    run = play(
        [FLAT, (*FLAT, 0), (*FLAT, 1000)], {0: lambda s: s.buy(SYMBOL, 50)}, participation=0.1
    )
    assert run.fills == [(2, 50, 100)]


def test_a_capped_fill_is_rounded_down_to_the_step() -> None:
    lot = Instrument(SYMBOL, step_size=10)
    run = play(
        [FLAT, (*FLAT, 259), (*FLAT, 1000)],
        {0: lambda s: s.buy(SYMBOL, 50)},
        participation=0.1,
        instrument=lot,
    )
    assert run.fills == [(1, 20, 100), (2, 30, 100)]


# -- fractions and notional ------------------------------------------------------------------------


def test_fractions_are_exact() -> None:
    run = play([FLAT, *flat(33.33)], {0: lambda s: s.buy(SYMBOL, "0.000000001")})
    assert run.kernel.account.cash_exact == Decimal("99999.99999996667")


def test_an_order_by_value_buys_what_the_open_gives_on_the_step() -> None:
    run = play(
        [FLAT, *flat(30)],
        {0: lambda s: s.buy(SYMBOL, notional=100)},
        instrument=Instrument(SYMBOL, step_size="0.01"),
    )
    assert run.fills == [(1, 3.33, 30)]
    assert run.strategies[0].made[0].quantity == 3.33


def test_an_order_by_value_below_one_step_is_rejected() -> None:
    run = play(
        [FLAT, *flat(30)],
        {0: lambda s: s.buy(SYMBOL, notional=20)},
        instrument=Instrument(SYMBOL, step_size=1),
    )
    assert (run.fills, run.statuses) == ([], ["REJECTED"])
    assert run.reasons[0].startswith("notional:")


# -- shorts and flips ------------------------------------------------------------------------------


def test_a_short_needs_its_value_in_cash_and_earns_when_the_price_falls() -> None:
    run = play(
        flat(100, 100, 90, 90),
        {0: lambda s: s.sell(SYMBOL, 10), 2: lambda s: s.close(SYMBOL)},
        cash=1000,
    )
    assert run.fills == [(1, -10, 100), (3, 10, 90)]
    assert run.kernel.account.cash_exact == 1100


def test_a_short_beyond_the_collateral_is_rejected_with_the_numbers() -> None:
    run = play(flat(100, 100), {0: lambda s: s.sell(SYMBOL, 11)}, cash=1000, fees="fixed:2")
    assert run.statuses == ["REJECTED"]
    assert run.reasons == [
        "insufficient_buying_power: selling 11 AAA at 100 is 1,100.00 USD plus 2.00 fees, "
        "102.00 more than the account can cover"
    ]


def test_a_purchase_beyond_the_cash_is_rejected_with_the_numbers() -> None:
    run = play(flat(100, 101), {0: lambda s: s.buy(SYMBOL, 10)}, cash=1000)
    assert run.statuses == ["REJECTED"]
    assert "buying 10 AAA at 101 is 1,010.00 USD plus 0.00 fees, 10.00 more" in run.reasons[0]


def test_exactly_affordable_is_affordable() -> None:
    run = play(flat(100, 100), {0: lambda s: s.buy(SYMBOL, 10)}, cash="1001", fees="fixed:1")
    assert run.statuses == ["FILLED"]
    assert run.kernel.account.cash_exact == 0


def test_what_only_shrinks_a_position_is_always_affordable() -> None:
    run = play(
        flat(100, 100, 200, 200),
        {0: lambda s: s.sell(SYMBOL, 10), 2: lambda s: s.buy(SYMBOL, 5)},
        cash=1000,
    )
    # The short has lost 1000: the equity is gone and buying back is still possible.
    assert [f[1] for f in run.fills] == [-10, 5]


def test_one_order_flips_a_position_through_zero() -> None:
    run = play(
        flat(100, 100, 110, 110), {0: lambda s: s.buy(SYMBOL, 10), 2: lambda s: s.sell(SYMBOL, 15)}
    )
    position = run.strategies[0].position(SYMBOL)
    assert (position.quantity, position.average_price, position.realized_pnl) == (-5, 110, 100)
    trades = run.table("trades")
    assert [(t["side"], t["quantity"], t["pnl"]) for t in trades] == [("long", 10, 100)]


def test_fees_of_a_flip_are_shared_by_units() -> None:
    run = play(
        flat(100, 100, 110, 110, 110),
        {
            0: lambda s: s.buy(SYMBOL, 10),
            2: lambda s: s.sell(SYMBOL, 15),
            3: lambda s: s.close(SYMBOL),
        },
        fees="fixed:3",
    )
    # Long: 3 + 10/15 of 3; short: 5/15 of 3 + 3.
    assert [t["fees"] for t in run.table("trades")] == [5, 4]


def test_what_cannot_be_sold_short_is_rejected() -> None:
    coin = Instrument(SYMBOL, shortable=False)
    run = play(flat(100, 100), {0: lambda s: s.sell(SYMBOL, 1)}, instrument=coin)
    assert run.reasons[0].startswith("not_shortable:")


def test_an_order_off_the_tick_is_denied_with_both_neighbors() -> None:
    run = play(
        flat(100, 100),
        {0: lambda s: s.buy(SYMBOL, 1, limit_price=99.995)},
        instrument=Instrument(SYMBOL, tick_size="0.01"),
    )
    assert run.statuses == ["DENIED"]
    assert "99.99 and 100" in run.reasons[0]


# -- targets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "quantity"),
    [(100, 10), (125, 8), (80, 10)],
)
def test_a_full_target_shrinks_to_what_the_open_affords(price: float, quantity: float) -> None:
    run = play(
        flat(100, price),
        {0: lambda s: s.target_percent(SYMBOL, 1.0)},
        cash=1000,
        instrument=Instrument(SYMBOL, step_size=1),
    )
    assert run.fills == [(1, quantity, price)]
    assert run.strategies[0].made[0].quantity == quantity
    assert run.statuses == ["FILLED"]


def test_a_full_target_leaves_room_for_the_fee() -> None:
    run = play(
        flat(100, 100), {0: lambda s: s.target_percent(SYMBOL, 1.0)}, cash=1000, fees="bps:10"
    )
    # q × 100 × 1.001 ≤ 1000: 9.990009990 units of 1e-9.
    assert run.table("fills")[0]["quantity"] == 9.99000999
    assert 0 <= run.kernel.account.cash_exact < Decimal("0.0000002")


def test_a_target_counts_what_is_held_and_working() -> None:
    run = play(
        flat(100, 100, 100, 100),
        {
            0: lambda s: [s.target_percent(SYMBOL, 0.5), s.target_percent(SYMBOL, 0.5)],
            1: lambda s: s.target_percent(SYMBOL, 0.5),
            2: lambda s: [s.target_position(SYMBOL, -3), s.target_position(SYMBOL, -3)],
        },
        cash=1000,
        instrument=Instrument(SYMBOL, step_size=1),
    )
    assert [f[1] for f in run.fills] == [5, -8]


def test_strategies_share_the_account_and_keep_their_own_positions() -> None:
    one = Script({0: lambda s: s.target_percent(SYMBOL, 1.0)})
    two = Script({0: lambda s: s.sell(SYMBOL, 2)})
    run = play(
        flat(100, 100, 100), [one, two], cash=1000, instrument=Instrument(SYMBOL, step_size=1)
    )
    assert [f[1] for f in run.fills] == [5, -2]
    assert one.position(SYMBOL).quantity == 5
    assert two.position(SYMBOL).quantity == -2
    assert run.sim.account.cash_exact == 1000 - 500 + 200

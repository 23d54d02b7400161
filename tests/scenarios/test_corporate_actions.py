"""Splits and dividends on positions, open orders and cash; kernel and venue agree on all of it.

Bars are minutes around a midnight, the first moment of the ex-date: the close of bar 1 is
midnight, bar 2 is the first of the new day.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from tests.backtest.harness import MINUTE, START, SYMBOL, Run, Script, play

BEFORE = START + 1438 * MINUTE


def split(ratio: float) -> list[dict[str, Any]]:
    return [{"symbol": SYMBOL, "ex_date": "2024-01-02", "kind": "split", "split_ratio": ratio}]


def dividend(amount: float) -> list[dict[str, Any]]:
    return [
        {"symbol": SYMBOL, "ex_date": "2024-01-02", "kind": "cash_dividend", "cash_amount": amount}
    ]


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


def over_night(bars: Any, steps: Any, actions: Any, **options: Any) -> Run:
    return play(bars, steps, actions=actions, start=BEFORE, **options)


def test_a_split_multiplies_units_and_keeps_the_cost() -> None:
    run = over_night(flat(700, 700, 100, 101), {-1: lambda s: s.buy(SYMBOL, 3)}, split(7))
    position = run.strategies[0].position(SYMBOL)
    assert position.quantity == 21
    assert position.cost_basis_exact == 2100
    assert position.average_price == 100
    assert position.unrealized_pnl_exact == 21
    assert run.kernel.account.equity_exact == 100_021


def test_a_short_position_splits_too() -> None:
    run = over_night(flat(700, 700, 100, 101), {-1: lambda s: s.sell(SYMBOL, 3)}, split(7))
    position = run.strategies[0].position(SYMBOL)
    assert (position.quantity, position.cost_basis_exact) == (-21, -2100)
    assert position.unrealized_pnl_exact == -21


@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_what_does_not_fill_a_step_is_paid_out_at_the_new_price(cost: str) -> None:
    """7 shares 3-for-2 are 10.5: ten shares, and half a share in cash at 80."""
    run = over_night(
        flat(120, 120, 80, 80),
        {-1: lambda s: s.buy(SYMBOL, 7)},
        split(1.5),
        instrument=Instrument(SYMBOL, step_size=1),
        engine={"cost": cost},
    )
    position = run.strategies[0].position(SYMBOL)
    assert position.quantity == 10
    assert run.kernel.account.cash_exact == 100_000 - 840 + 40
    assert position.cost_basis_exact == 800
    assert position.realized_pnl_exact == 0
    assert run.kernel.account.equity_exact == 100_000


def test_a_reverse_split_that_leaves_less_than_a_step_ends_the_round_trip() -> None:
    run = over_night(
        flat(2, 2, 20, 20, 20),
        {-1: lambda s: s.buy(SYMBOL, 5), 2: lambda s: s.buy(SYMBOL, 1)},
        split(0.1),
        instrument=Instrument(SYMBOL, step_size=1),
    )
    assert run.kernel.account.cash_exact == 100_000 - 10 + 10 - 20
    trips = run.table("trades")
    assert [(t["quantity"], t["pnl"]) for t in trips] == [(0.5, 0)]
    assert run.strategies[0].position(SYMBOL).quantity == 1


@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_units_of_which_a_reverse_split_leaves_nothing_are_lost_at_their_cost(cost: str) -> None:
    run = over_night(
        flat(700, 700, 7000, 7000),
        {-1: lambda s: s.buy(SYMBOL, 3e-9)},
        split(0.1),
        engine={"cost": cost},
    )
    position = run.strategies[0].position(SYMBOL)
    assert (position.quantity, position.realized_pnl_exact) == (0, Decimal("-0.0000021"))
    assert run.kernel.account.equity_exact == 100_000 - Decimal("0.0000021")
    run.check_books()


def test_a_round_trip_over_a_split_has_the_profit_of_its_cash_flows() -> None:
    run = over_night(
        flat(120, 120, 80, 90, 90),
        {-1: lambda s: s.buy(SYMBOL, 7), 2: lambda s: s.close(SYMBOL)},
        split(1.5),
        instrument=Instrument(SYMBOL, step_size=1),
        fees="fixed:1",
    )
    # −840 − 1, 40 for the half share, 900 − 1: the split's cash is no trade and pays no fee.
    assert run.kernel.account.cash_exact == 100_000 + 98
    trip = run.table("trades")[0]
    assert (trip["pnl"], trip["fees"], trip["quantity"]) == (98, 2, 10.5)
    assert trip["entry_price"] == 80
    assert run.strategies[0].position(SYMBOL).realized_pnl_exact == 98


def test_open_orders_are_restated_by_a_split() -> None:
    run = over_night(
        [*flat(700, 700), (100, 101, 96.5, 98)],
        {
            0: lambda s: [
                s.buy(SYMBOL, 3, limit_price=686),  # 98 × 21
                s.sell(SYMBOL, 2, stop_price=679),  # 97 × 14
                s.sell(SYMBOL, 1, limit_price=714),
            ]
        },  # 102
        split(7),
    )
    assert run.fills == [(3, 21, 98), (3, -14, 97)]
    resting = run.strategies[0].made[2]
    assert (resting.limit_price, resting.quantity) == (102, 7)


def test_restated_prices_lie_on_the_tick_and_are_no_better() -> None:
    orders: list[Any] = []
    over_night(
        flat(100, 100, 33.4),
        {
            0: lambda s: orders.extend(
                [
                    s.buy(SYMBOL, 3, limit_price=90.01),
                    s.sell(SYMBOL, 3, limit_price=110.01),
                    s.buy(SYMBOL, 3, stop_price=110.01),
                ]
            )
        },
        split(3),
        instrument=Instrument(SYMBOL, tick_size="0.01"),
    )
    # 30.00333 down for the buyer; 36.67 exactly for the seller and the trigger.
    shown = [orders[0].limit_price, orders[1].limit_price, orders[2].stop_price]
    assert shown == [30, 36.67, 36.67]


def test_what_a_split_finds_left_of_an_order_goes_on_in_new_units() -> None:
    run = over_night(
        [(100, 100, 100, 100), (100, 100, 100, 100, 60), (25, 25, 25, 25)],
        {0: lambda s: s.buy(SYMBOL, 10)},
        split(4),
        participation=0.1,
    )
    # 6 of 10 before it; the other 4 are 16 after it.
    assert [fill[1:] for fill in run.fills] == [(6, 100), (16, 25)]
    order = run.strategies[0].made[0]
    assert (order.status, order.filled_quantity, order.quantity) == ("FILLED", 22, 22)


def test_an_order_of_less_than_a_step_after_a_split_is_canceled() -> None:
    run = over_night(
        flat(2, 2, 20),
        {0: lambda s: s.buy(SYMBOL, 5, limit_price=1)},
        split(0.1),
        instrument=Instrument(SYMBOL, step_size=1),
    )
    assert run.statuses == ["CANCELED"]
    assert run.reasons == ["split: nothing of the quantity is left"]


def test_the_exits_of_a_bracket_cover_the_new_units() -> None:
    run = over_night(
        [*flat(700, 700), (100, 104, 99, 103)],
        {-1: lambda s: s.buy(SYMBOL, 3, take_profit=721, stop_loss=630)},
        split(7),
    )
    assert run.fills == [(0, 3, 700), (3, -21, 103)]
    assert run.statuses == ["FILLED", "FILLED", "CANCELED"]


def test_a_partly_filled_order_keeps_working_for_the_rest_in_new_units() -> None:
    bars = [(*FLAT700, 10), (*FLAT700, 0), (100, 100, 100, 100, 1000)]
    run = over_night(
        bars, {-1: lambda s: s.buy(SYMBOL, 3, limit_price=707)}, split(7), participation=0.1
    )
    assert run.fills == [(0, 1, 700), (2, 14, 100)]
    assert run.statuses == ["FILLED"]
    # 1 old share on record and 14 new ones; 7 + 14 are held.
    assert run.strategies[0].made[0].quantity == 15
    assert run.strategies[0].position(SYMBOL).quantity == 21


FLAT700 = (700, 700, 700, 700)


def test_a_trailing_stop_trails_on_in_new_prices() -> None:
    run = over_night(
        [*flat(700, 700), (100, 102, 100, 102), (101, 101, 99, 99)],
        {0: lambda s: s.sell(SYMBOL, 2, trail_amount=14)},
        split(7),
    )
    # The distance becomes 2, the best price 100, then 102: the trigger is 100.
    assert run.fills == [(4, -14, 100)]


def test_a_trailing_stop_sent_after_a_split_begins_at_the_new_price() -> None:
    class AtMidnight(Script):
        def on_start(self) -> None:
            super().on_start()
            self.set_alert("now", START + 1440 * MINUTE, self.act)

        def act(self, event: object) -> None:
            self.made.append(self.sell(SYMBOL, 2, trail_amount=2))

    strategy = AtMidnight({})
    over_night([*flat(700, 700), (100, 100.5, 99.5, 100)], strategy, split(7))
    assert strategy.made[0].stop_price == 98.5


def test_strategies_with_opposite_holdings_split_apart() -> None:
    one, two = Script({-1: lambda s: s.buy(SYMBOL, 3)}), Script({-1: lambda s: s.sell(SYMBOL, 3)})
    run = over_night(
        flat(30, 30, 20), [one, two], split(1.5), instrument=Instrument(SYMBOL, step_size=1)
    )
    assert one.position(SYMBOL).quantity == 4
    assert two.position(SYMBOL).quantity == -4
    assert run.kernel.account.cash_exact == 100_000


@pytest.mark.parametrize("account", ["alpaca", "margin:4"])
@pytest.mark.parametrize("ratio", [4, 1.5])
def test_what_was_held_overnight_is_no_purchase_of_the_day_of_its_split(account, ratio) -> None:
    """1,799 shares worth 80 are carried, 44 % of them paid: enough overnight, not to begin with."""
    run = over_night(
        flat(100, 80, 80 / ratio, 80 / ratio),
        {-1: lambda s: s.buy(SYMBOL, 1799)},
        split(ratio),
        account=account,
        instrument=Instrument(SYMBOL, step_size=7),
    )
    for books in (run.kernel.account, run.sim.account):
        state = books.margin_state()
        unused = state["last_equity"] - state["last_maintenance_margin"]
        assert state["daytrading_buying_power"] == 4 * unused > 0
        books.close_day()
        assert books.margin_call == 0


def test_a_dividend_is_paid_per_unit_and_a_short_pays_it() -> None:
    one, two = Script({-1: lambda s: s.buy(SYMBOL, 10)}), Script({-1: lambda s: s.sell(SYMBOL, 4)})
    run = over_night(flat(100, 100, 99), [one, two], dividend(0.82))
    assert one.position(SYMBOL).realized_pnl_exact == Decimal("8.2")
    assert two.position(SYMBOL).realized_pnl_exact == Decimal("-3.28")
    assert run.kernel.account.cash_exact == 100_000 - 600 + Decimal("4.92")


def test_bought_at_the_ex_dates_open_there_is_no_dividend() -> None:
    run = over_night(flat(100, 100, 99), {1: lambda s: s.buy(SYMBOL, 10)}, dividend(0.82))
    assert run.fills == [(2, 10, 99)]
    assert run.kernel.account.cash_exact == 100_000 - 990


def test_a_dividend_lowers_resting_buys_and_protective_sells_only() -> None:
    orders: list[Any] = []
    over_night(
        flat(100, 100, 99),
        {
            0: lambda s: orders.extend(
                [
                    s.buy(SYMBOL, 1, limit_price=95),
                    s.sell(SYMBOL, 1, stop_price=94),
                    s.sell(SYMBOL, 1, limit_price=105),
                    s.buy(SYMBOL, 1, stop_price=106),
                    s.sell(SYMBOL, 1, stop_price=94, limit_price=93),
                ]
            )
        },
        dividend(1),
    )
    assert [(o.limit_price, o.stop_price) for o in orders] == [
        (94, None),
        (None, 93),
        (105, None),
        (None, 106),
        (92, 93),
    ]


def test_a_position_carried_over_a_dividend_earns_it_in_its_round_trip() -> None:
    run = over_night(
        flat(100, 100, 99, 99),
        {-1: lambda s: s.buy(SYMBOL, 10), 2: lambda s: s.close(SYMBOL)},
        dividend(1),
    )
    assert run.table("trades")[0]["pnl"] == 0
    assert run.kernel.account.cash_exact == 100_000


@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_units_that_a_reverse_split_leaves_nothing_of_are_a_loss_in_the_ledger(cost: str) -> None:
    run = over_night(
        flat(100, 100, 1000, 1000),
        {-1: lambda s: s.buy(SYMBOL, "0.000000001")},
        split(0.1),
        engine={"ledger": True, "cost": cost},
    )
    position = run.strategies[0].position(SYMBOL)
    lost = Decimal("0.0000001")
    assert (position.quantity, position.cost_basis_exact) == (0, 0)
    assert position.realized_pnl_exact == -lost
    assert run.kernel.account.equity_exact == 100_000 - lost
    ledger = run.kernel.booking.ledger
    assert ledger.differences(run.kernel.account, run.kernel.cache.all_positions()) == {}

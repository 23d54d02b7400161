"""Each control on both sides of its limit, at it, and without it; worked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.instruments import Instrument, crypto
from pyrt.core.orders import Order
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


def rig(price: float | None = 100.0, *, strict: bool = False, **limits: Any) -> GateRig:
    """A rig with three symbols at one price and an account of 100,000."""
    return GateRig(
        RiskEngine(Limits(**limits), strict=strict),
        cash=100_000,
        symbols=("AAA", "BBB", "CCC"),
        prices=price,
        strategies=2,
    )


def code(order: Order) -> str:
    """What denied an order; "" for one that left."""
    assert order.status == ("DENIED" if order.reason else "SENT")
    return order.reason.partition(":")[0]


# One order into an empty account: limit, its value, the order, whether it leaves.
SINGLE = [
    ("max_order_quantity", 10, {"quantity": 9.999}, True),
    ("max_order_quantity", 10, {"quantity": 10}, True),
    ("max_order_quantity", 10, {"quantity": 10.000000001}, False),
    ("max_order_quantity", None, {"quantity": 1_000_000}, True),
    ("max_order_quantity", 0, {"quantity": 0.000000001}, False),
    ("max_order_notional", 1_000, {"quantity": 9.999}, True),
    ("max_order_notional", 1_000, {"quantity": 10}, True),
    ("max_order_notional", 1_000, {"quantity": 10.000000001}, False),
    ("max_order_notional", None, {"quantity": 1_000_000}, True),
    # A buy costs its limit at most; a short at a higher limit is larger than at the last price.
    ("max_order_notional", 1_000, {"quantity": 20, "limit_price": 50}, True),
    ("max_order_notional", 1_000, {"quantity": 10, "limit_price": 101}, False),
    ("max_order_notional", 1_000, {"side": "sell", "quantity": 20, "limit_price": 50}, False),
    ("max_order_notional", 1_000, {"side": "sell", "quantity": 10, "limit_price": 101}, False),
    ("max_order_notional", 1_000, {"quantity": 10, "stop_price": 101}, False),
    ("max_order_notional", 1_000, {"quantity": 10, "stop_price": 99}, True),
    ("max_order_notional", 1_000, {"notional": 1_000}, True),
    ("max_order_notional", 1_000, {"notional": 1_000.01}, False),
    ("max_position_quantity", 10, {"quantity": 10}, True),
    ("max_position_quantity", 10, {"quantity": 10.5}, False),
    ("max_position_quantity", 10, {"side": "sell", "quantity": 10}, True),
    ("max_position_quantity", 10, {"side": "sell", "quantity": 10.5}, False),
    ("max_position_notional", 1_000, {"quantity": 10}, True),
    ("max_position_notional", 1_000, {"quantity": 10.01}, False),
    ("max_gross_exposure", 1_000, {"quantity": 10}, True),
    ("max_gross_exposure", 1_000, {"quantity": 10.01}, False),
    ("max_net_exposure", 1_000, {"side": "sell", "quantity": 10}, True),
    ("max_net_exposure", 1_000, {"side": "sell", "quantity": 10.01}, False),
    ("max_leverage", 0.5, {"quantity": 500}, True),
    ("max_leverage", 0.5, {"quantity": 500.01}, False),
    ("max_concentration", 0.1, {"quantity": 100}, True),
    ("max_concentration", 0.1, {"quantity": 100.01}, False),
    ("max_sector_concentration", 0.1, {"quantity": 100}, True),
    ("max_sector_concentration", 0.1, {"quantity": 100.01}, False),
    # A limit of nothing is one: the least order goes past it.
    *(
        (name, 0, {"quantity": 0.000000001}, False)
        for name in (
            "max_order_notional",
            "max_position_quantity",
            "max_position_notional",
            "max_gross_exposure",
            "max_net_exposure",
            "max_leverage",
            "max_concentration",
            "max_sector_concentration",
            "max_daily_quantity",
            "max_daily_notional",
        )
    ),
    # A share of a billionth: a ten thousandth of 100,000.
    ("max_leverage", "0.000000001", {"quantity": 0.000001}, True),
    ("max_leverage", "0.000000001", {"quantity": 0.0000011}, False),
    ("max_open_orders", 1, {"quantity": 1}, True),
    ("max_open_orders", 0, {"quantity": 1}, False),
    ("max_open_orders", 2, {"quantity": 1, "take_profit": 110, "stop_loss": 90}, False),
    ("max_open_orders", 3, {"quantity": 1, "take_profit": 110, "stop_loss": 90}, True),
    ("max_open_positions", 1, {"quantity": 1}, True),
    ("max_open_positions", 0, {"quantity": 1}, False),
    ("max_daily_orders", 1, {"quantity": 1}, True),
    ("max_daily_orders", 0, {"quantity": 1}, False),
    ("max_daily_quantity", 5, {"quantity": 5}, True),
    ("max_daily_quantity", 5, {"quantity": 5.1}, False),
    ("max_daily_notional", 500, {"quantity": 5}, True),
    ("max_daily_notional", 500, {"quantity": 5.1}, False),
    ("price_collar_bps", 300, {"quantity": 1, "limit_price": 103}, True),
    ("price_collar_bps", 300, {"quantity": 1, "limit_price": 103.01}, False),
    ("price_collar_bps", 300, {"quantity": 1, "limit_price": 103.000000001}, False),
    ("price_collar_bps", 300, {"quantity": 1, "limit_price": 96.999999999}, False),
    ("price_collar_bps", 300, {"quantity": 1, "limit_price": 97}, True),
    ("price_collar_bps", 0, {"quantity": 1, "limit_price": 100}, True),
    ("price_collar_bps", 0, {"quantity": 1, "limit_price": 100.000000001}, False),
    ("price_collar_bps", 300, {"quantity": 1, "limit_price": 96.99}, False),
    ("price_collar_bps", None, {"quantity": 1, "limit_price": 1}, True),
    ("price_collar_bps", 300, {"quantity": 1, "stop_price": 120, "limit_price": 123}, True),
    ("price_collar_bps", 300, {"quantity": 1, "stop_price": 120, "limit_price": 124}, False),
    ("price_collar_bps", 300, {"quantity": 1}, True),
    ("allowed_symbols", ("AAA", "BBB"), {"quantity": 1}, True),
    ("allowed_symbols", ("BBB",), {"quantity": 1}, False),
    ("allowed_symbols", (), {"quantity": 1}, False),
    ("require_buying_power", True, {"quantity": 1_000}, True),
    ("require_buying_power", True, {"quantity": 1_000.01}, False),
    ("require_buying_power", False, {"quantity": 1_000.01}, True),
    # A short locks its value beside the proceeds.
    ("require_buying_power", True, {"side": "sell", "quantity": 1_000}, True),
    ("require_buying_power", True, {"side": "sell", "quantity": 1_000.01}, False),
]


@pytest.mark.parametrize(("name", "value", "order", "leaves"), SINGLE)
def test_a_control_denies_past_its_limit_only(
    name: str, value: Any, order: dict[str, Any], leaves: bool
) -> None:
    made = rig(**{name: value}).order(**{"side": "buy", **order})
    assert code(made) == ("" if leaves else name)


def test_the_reason_carries_what_was_seen_and_the_limit() -> None:
    order = rig(max_order_notional=50_000).order("buy", 501)
    assert order.reason == "max_order_notional: order value 50100 is over the limit of 50000"


def test_an_order_that_cannot_be_valued_is_denied_under_a_limit_of_money() -> None:
    assert code(rig(None, max_order_notional=1e9).order("buy", 1)) == "max_order_notional"
    assert code(rig(None, max_order_notional=1e9).order("buy", 1, limit_price=5)) == ""
    assert code(rig(None, max_order_quantity=1e9).order("buy", 1)) == ""


def test_a_collar_without_a_reference_denies() -> None:
    assert (
        code(rig(None, price_collar_bps=300).order("buy", 1, limit_price=5)) == "price_collar_bps"
    )


@pytest.mark.parametrize("named", ["AAA", "AAA.X", "BBB"])
def test_a_symbol_is_allowed_by_its_name_and_by_that_of_its_venue(named: str) -> None:
    spot = Instrument("AAA", venue="X")
    assert spot.id == "AAA.X"
    for own, most in ((named, 5), ("BBB", 9)):
        limits = Limits(
            allowed_symbols=(named,), max_order_quantity=9, symbols={own: {"max_order_quantity": 5}}
        )
        made = GateRig(RiskEngine(limits), symbols=(spot,), prices=100)
        refused = "allowed_symbols" if named == "BBB" else ""
        assert code(made.order("buy", most)) == refused
        assert code(made.order("buy", most + 1)) == (refused or "max_order_quantity")


def test_limits_of_a_symbol_take_the_place_of_the_general_ones() -> None:
    made = rig(max_order_quantity=10, symbols={"BBB": {"max_order_quantity": 20}})
    assert code(made.order("buy", 15)) == "max_order_quantity"
    assert code(made.order("buy", 15, "BBB")) == ""
    assert code(made.order("buy", 21, "BBB")) == "max_order_quantity"


def test_a_limit_for_one_symbol_alone_leaves_the_others_free() -> None:
    made = rig(symbols={"BBB": {"max_position_quantity": 20}})
    assert code(made.order("buy", 1_000)) == ""
    assert code(made.order("buy", 21, "BBB")) == "max_position_quantity"


def test_quantities_are_compared_in_the_instruments_own_unit() -> None:
    coin = Instrument("SHIB/USD", decimals=0)
    made = GateRig(RiskEngine(Limits(max_order_quantity=1_000)), symbols=(coin,), prices=1)
    assert code(made.order("buy", 1_000)) == ""
    assert code(made.order("buy", 1_001)) == "max_order_quantity"


# -- the worst case --------------------------------------------------------------------------------


def test_working_orders_count_before_they_fill() -> None:
    made = rig(max_position_quantity=100)
    first = made.order("buy", 60)
    assert code(made.order("buy", 41)) == "max_position_quantity"
    assert code(made.order("buy", 40)) == ""
    made.fill(first)
    assert code(made.order("buy", 1)) == "max_position_quantity"


def test_orders_of_the_other_side_do_not_net() -> None:
    made = rig(max_position_quantity=100)
    assert code(made.order("buy", 100)) == ""
    assert code(made.order("sell", 100)) == ""
    assert code(made.order("sell", 1)) == "max_position_quantity"


def test_a_canceled_order_gives_its_room_back_when_the_venue_says_so() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 100)
    made.cancel(order)
    assert code(made.order("buy", 1)) == "max_position_quantity"
    made.answer("cancel", order)
    assert code(made.order("buy", 100)) == ""


@pytest.mark.parametrize("answer", ["reject", "expire", "cancel"])
def test_every_end_of_an_order_frees_its_room(answer: str) -> None:
    made = rig(max_gross_exposure=10_000)
    order = made.order("buy", 100)
    assert code(made.order("buy", 1, "BBB")) == "max_gross_exposure"
    made.answer(answer, order)
    assert code(made.order("buy", 100, "BBB")) == ""


def test_an_unknown_order_counts_in_full() -> None:
    made = rig(max_position_quantity=100)
    made.answer("unknown", made.order("buy", 100))
    assert code(made.order("sell", 100)) == ""
    assert code(made.order("sell", 1)) == "max_position_quantity"
    assert made.order("buy", 1).reason.startswith("unknown_request")


def test_a_partial_fill_moves_units_from_working_to_held() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 100)
    made.fill(order, 30)
    made.answer("cancel", order)
    assert code(made.order("buy", 71)) == "max_position_quantity"
    assert code(made.order("buy", 70)) == ""


def test_a_late_fill_after_a_cancel_counts() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 50)
    made.answer("cancel", order)
    made.fill(order)
    assert code(made.order("buy", 51)) == "max_position_quantity"


def test_two_strategies_share_the_limits_of_the_account() -> None:
    made = rig(max_position_quantity=100)
    made.order("buy", 60, strategy=0)
    assert code(made.order("buy", 60, strategy=1)) == "max_position_quantity"


def test_one_order_after_the_other_is_judged_in_order_of_issue() -> None:
    made = rig(max_position_quantity=100)
    orders = [made.draft("buy", 60) for _ in range(3)]
    made.settle()
    assert [o.status for o in orders] == ["SENT", "DENIED", "DENIED"]


def test_a_pair_counts_its_larger_member_only() -> None:
    made = rig(max_position_quantity=100)
    made.hold(100)
    pair = made.order("sell", 100, take_profit=110, stop_loss=90, oco=True)
    assert pair.status == "SENT"
    assert pair.sibling is not None
    assert pair.sibling.status == "SENT"
    _, buys, sells = made.gate.claims.worst_case(0)
    assert (buys, sells) == (0, 100 * 10**9)


def test_exits_held_for_an_entry_count_once_it_has_filled() -> None:
    made = rig(max_position_quantity=100)
    entry = made.order("buy", 100, take_profit=110, stop_loss=90)
    assert made.gate.claims.worst_case(0) == (0, 100 * 10**9, 0)
    made.fill(entry, 40)
    assert made.gate.claims.worst_case(0) == (40 * 10**9, 60 * 10**9, 40 * 10**9)
    made.answer("cancel", entry)
    made.answer("accept", entry.take_profit)
    made.answer("accept", entry.stop_loss)
    assert made.gate.claims.worst_case(0) == (40 * 10**9, 0, 40 * 10**9)
    made.fill(entry.take_profit, 10)
    assert made.gate.claims.worst_case(0) == (30 * 10**9, 0, 30 * 10**9)


def test_open_positions_count_symbols_held_or_ordered() -> None:
    made = rig(max_open_positions=2)
    made.hold(1, "AAA")
    order = made.order("buy", 1, "BBB")
    assert code(made.order("buy", 1, "CCC")) == "max_open_positions"
    assert code(made.order("buy", 1, "AAA")) == ""
    made.answer("cancel", order)
    assert code(made.order("buy", 1, "CCC")) == ""


def test_gross_exposure_adds_long_and_short_and_follows_prices() -> None:
    made = rig(max_gross_exposure=10_000)
    made.hold(40, "AAA")
    made.hold(-40, "BBB")
    assert code(made.order("buy", 20.1, "CCC")) == "max_gross_exposure"
    made.price(125.0, "AAA")
    assert code(made.order("buy", 10.1, "CCC")) == "max_gross_exposure"
    assert code(made.order("buy", 10, "CCC")) == ""


def test_net_exposure_nets_what_is_held_but_not_what_works() -> None:
    made = rig(max_net_exposure=1_000)
    made.hold(10, "AAA")
    assert code(made.order("buy", 1, "BBB")) == "max_net_exposure"
    made.hold(-10, "BBB")
    assert code(made.order("buy", 10, "CCC")) == ""
    assert code(made.order("buy", 1, "CCC")) == "max_net_exposure"


def test_a_sector_is_limited_as_a_whole() -> None:
    symbols = [Instrument("X", sector="tech"), Instrument("Y", sector="tech"), Instrument("Z")]
    made = GateRig(
        RiskEngine(Limits(max_sector_concentration=0.1)), cash=100_000, symbols=symbols, prices=100
    )
    made.hold(60, "X")
    assert code(made.order("buy", 41, "Y")) == "max_sector_concentration"
    assert code(made.order("buy", 40, "Y")) == ""
    assert code(made.order("buy", 90, "Z")) == ""


def test_what_was_held_before_the_gate_knew_of_it_counts_in_its_own_sector() -> None:
    symbols = [Instrument("X", sector="tech"), Instrument("Y", sector="tech"), Instrument("Z")]
    made = GateRig(
        RiskEngine(Limits(max_sector_concentration=0.1)), cash=100_000, symbols=symbols, prices=100
    )
    # As a reconciliation does: the account holds it, its price comes, all is counted anew.
    made.kernel.account.execute(symbols[0], 60, 100)
    made.price(100, "X")
    made.gate.resync()
    assert code(made.order("buy", 40.01, "Y")) == "max_sector_concentration"
    assert code(made.order("buy", 40, "Y")) == ""
    assert code(made.order("buy", 100.01, "Z")) == "max_sector_concentration"
    assert code(made.order("buy", 100, "Z")) == ""


# -- reducing --------------------------------------------------------------------------------------


def test_what_only_reduces_passes_limits_of_size_and_exposure() -> None:
    made = rig(max_order_quantity=10, max_order_notional=1_000, max_gross_exposure=2_000)
    made.hold(10)
    made.hold(10)
    made.price(500.0)
    assert code(made.order("sell", 20)) == ""


def test_a_sale_beyond_the_holding_is_judged_in_full() -> None:
    made = rig(max_order_quantity=10)
    made.hold(10)
    made.hold(10)
    assert code(made.order("sell", 20.5)) == "max_order_quantity"


def test_an_exit_limit_far_in_the_money_passes_the_collar_and_a_giveaway_does_not() -> None:
    made = rig(price_collar_bps=300)
    made.hold(10)
    assert code(made.order("sell", 5, limit_price=120)) == ""
    assert code(made.order("sell", 5, limit_price=96)) == "price_collar_bps"


# -- changes ---------------------------------------------------------------------------------------


def test_a_change_is_judged_like_a_new_order() -> None:
    made = rig(max_order_quantity=10, max_order_notional=1_000)
    order = made.order("buy", 5, limit_price=100)
    made.answer("accept", order)
    assert not made.modify(order, quantity=11)
    assert not made.modify(order, limit_price=201)
    assert made.modify(order, quantity=10)


def test_a_change_under_way_counts_the_larger_of_old_and_new() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 80, limit_price=100)
    made.answer("accept", order)
    assert made.modify(order, quantity=20)
    assert code(made.order("buy", 30)) == "max_position_quantity"
    made.answer("modified", order, quantity=20)
    assert code(made.order("buy", 80)) == ""


def test_a_refused_change_leaves_the_old_terms_counted() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 20, limit_price=100)
    made.answer("accept", order)
    assert made.modify(order, quantity=100)
    assert code(made.order("buy", 1)) == "max_position_quantity"
    made.answer("modify_rejected", order)
    assert code(made.order("buy", 80)) == ""


def test_of_several_changes_under_way_the_largest_counts_until_all_are_answered() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 20, limit_price=100)
    made.answer("accept", order)
    assert made.modify(order, quantity=80)
    assert made.modify(order, limit_price=99)
    assert code(made.order("buy", 30)) == "max_position_quantity"
    made.answer("modify_rejected", order)
    assert code(made.order("buy", 30)) == "max_position_quantity"
    made.answer("modified", order, limit_price=99)
    assert code(made.order("buy", 80)) == ""


def test_a_change_that_is_denied_says_nothing_of_one_under_way() -> None:
    made = rig(max_position_quantity=100)
    order = made.order("buy", 20, limit_price=100)
    made.answer("accept", order)
    assert made.modify(order, quantity=80)
    assert not made.modify(order, quantity=101)
    assert code(made.order("buy", 30)) == "max_position_quantity"
    made.answer("modify_rejected", order)
    assert code(made.order("buy", 80)) == ""


def test_terms_that_a_venue_tells_of_its_own_accord_answer_no_change() -> None:
    made = rig(max_position_quantity=100, max_gross_exposure=12_000)
    order = made.order("buy", 20, trail_amount=10)
    made.answer("accept", order)
    assert made.modify(order, quantity=80)
    # The trigger trails the price while the change is on its way.
    made.answer("modified", order, limit_price=None)
    assert code(made.order("buy", 30)) == "max_position_quantity"
    made.answer("modified", order, quantity=80)
    assert code(made.order("buy", 30)) == "max_position_quantity"
    assert made.modify(order, quantity=10)
    made.answer("modified", order, quantity=10)
    assert code(made.order("buy", 90)) == ""


def test_an_exit_grows_to_what_its_entry_brings_and_no_further() -> None:
    made = rig(max_position_quantity=60)
    entry = made.order("buy", 10, take_profit=104)
    made.answer("accept", entry)
    exit = entry.take_profit
    assert exit is not None
    assert not made.modify(exit, quantity=11)
    assert made.modify(exit, quantity=6)
    assert made.modify(exit, quantity=10)


def test_a_change_of_the_trigger_is_judged_at_the_new_one() -> None:
    made = rig(max_order_notional=1_000)
    order = made.order("buy", 5, stop_price=110)
    made.answer("accept", order)
    assert not made.modify(order, stop_price=200.01)
    assert made.modify(order, stop_price=200)


def test_a_change_needs_cash_for_what_it_adds_only() -> None:
    made = rig(require_buying_power=True)
    order = made.order("buy", 900, limit_price=100)
    made.answer("accept", order)
    assert not made.modify(order, quantity=1_000.01)
    assert made.modify(order, quantity=1_000)


def test_a_change_needs_cash_beside_all_that_waits() -> None:
    for side, symbol in (("buy", "AAA"), ("buy", "BBB"), ("sell", "AAA"), ("sell", "CCC")):
        made = rig(require_buying_power=True)
        first, second = (made.order(side, 300, symbol, limit_price=100) for _ in range(2))
        other = made.order(side, 100, "BBB" if symbol == "AAA" else "AAA", limit_price=100)
        for order in (first, second, other):
            made.answer("accept", order)
        # 300 wait beside it, and 100 of another symbol: 600 of the thousand are left.
        assert not made.modify(second, quantity=600.01)
        assert made.modify(second, quantity=600)
    # Short 500, the account has 150,000: 1,500 in all, of which 300 wait beside it.
    made = rig(require_buying_power=True)
    made.hold(-500)
    first, second = (made.order("buy", 300, limit_price=100) for _ in range(2))
    for order in (first, second):
        made.answer("accept", order)
    assert not made.modify(second, quantity=1_200.01)
    assert made.modify(second, quantity=1_200)
    lots = Instrument("LOT", decimals=0)
    made = GateRig(RiskEngine(Limits(require_buying_power=True)), cash=1_000, symbols=(lots,))
    order = made.order("buy", 1, limit_price=100)
    made.answer("accept", order)
    assert not made.modify(order, quantity=11)
    assert made.modify(order, quantity=10)


def test_a_share_of_equity_that_is_gone_is_asked_of_its_own_symbol_alone() -> None:
    made = rig(symbols={"BBB": {"max_concentration": "0.5"}})
    made.hold(-1_000)
    made.price(300)
    assert made.kernel.account.equity == -100_000
    assert code(made.order("buy", 1, "CCC")) == ""
    assert code(made.order("buy", 1, "BBB")) == "max_concentration"


# -- permissions and market ------------------------------------------------------------------------


def test_a_short_needs_an_instrument_that_can_be_borrowed() -> None:
    made = GateRig(
        RiskEngine(Limits(require_shortable=True)), symbols=(crypto("BTC/USD"),), prices=100
    )
    assert code(made.order("sell", 1)) == "require_shortable"
    made.hold(2)
    assert code(made.order("sell", 2)) == ""
    assert code(made.order("sell", 1)) == "require_shortable"
    shares = GateRig(RiskEngine(Limits(require_shortable=True)), symbols=("AAA",), prices=100)
    assert code(shares.order("sell", 1)) == ""


def test_what_was_seen_of_one_order_is_not_held_against_the_next() -> None:
    made = rig(price_collar_bps=300, max_slippage_bps=10)
    made.quote(99.8, 100.2)
    assert code(made.order("buy", 1, limit_price=110)) == "price_collar_bps"
    assert code(made.order("buy", 1)) == "max_slippage_bps"
    assert code(made.order("buy", 1, limit_price=100)) == ""
    assert code(made.order("buy", 1, limit_price=110)) == "price_collar_bps"
    made.quote(100, 100)
    assert code(made.order("buy", 1)) == ""


def test_of_data_of_no_age_at_all_those_of_this_instant_are_fresh() -> None:
    made = rig(stale_data_after=0)
    assert code(made.order("buy", 1)) == ""
    made.wait(1)
    assert code(made.order("buy", 1)) == "stale_data"


def test_stale_data_stop_what_raises_exposure() -> None:
    made = rig(stale_data_after="5s")
    made.hold(10)
    made.wait("5s")
    assert code(made.order("buy", 1)) == ""
    made.wait("1ns")
    assert code(made.order("buy", 1)) == "stale_data"
    assert code(made.order("sell", 1)) == ""
    made.price(100.0)
    assert code(made.order("buy", 1)) == ""


def test_data_that_never_came_are_stale() -> None:
    assert code(rig(None, stale_data_after="5s").order("buy", 1)) == "stale_data"


def test_a_price_that_jumps_is_believed_when_two_more_confirm_it() -> None:
    made = rig(max_tick_jump_bps=500)
    made.price(106.0)
    assert code(made.order("buy", 1)) == "bad_tick"
    made.price(100.5)
    assert code(made.order("buy", 1)) == ""
    for _ in range(2):
        made.price(110.0)
        assert code(made.order("buy", 1)) == "bad_tick"
    made.price(110.0)
    assert code(made.order("buy", 1)) == ""


def test_slippage_is_expected_from_the_quote() -> None:
    made = rig(max_slippage_bps=10)
    made.quote(99.9, 100.1)
    assert code(made.order("buy", 1)) == ""
    made.quote(99.8, 100.2)
    assert code(made.order("buy", 1)) == "max_slippage_bps"
    assert code(made.order("buy", 1, limit_price=100.2)) == ""


def test_slippage_is_told_from_the_middle_of_the_quote_and_not_from_the_last_price() -> None:
    made = rig(max_slippage_bps=10)
    for last in (100.15, 100, 99.85):
        made.quote(99.8, 100.2)
        made.price(last)
        assert {code(made.order(side, 1)) for side in ("buy", "sell")} == {"max_slippage_bps"}


def test_slippage_is_told_from_quotes_also_where_trades_mark_positions() -> None:
    """Where a strategy heard trades as well the gate heard of no quote, and let all pass."""
    made = rig(max_slippage_bps=10)
    made.quote(99.8, 100.2, marks=False)
    assert code(made.order("buy", 1)) == "max_slippage_bps"
    made.quote(99.9, 100.1, marks=False)
    assert code(made.order("buy", 1)) == ""


@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("sides", [(0, 100.2), (99.8, 0), (float("nan"), 100.2)])
def test_a_quote_of_one_side_tells_of_no_slippage_and_keeps_no_older_one(
    sides: tuple[float, float], marks: bool
) -> None:
    for strict, denied in ((False, ""), (True, "max_slippage_bps")):
        made = rig(strict=strict, **(STRICT if strict else {"max_slippage_bps": 10}))
        made.quote(99.9, 100.1)
        made.quote(*sides, marks=marks)
        assert code(made.order("buy", 1)) == denied


def test_slippage_beyond_the_limit_can_become_a_limit_order() -> None:
    made = rig(max_slippage_bps=10, slippage_action="limit")
    made.quote(99.8, 100.2)
    bought, sold = made.order("buy", 1), made.order("sell", 1)
    assert (bought.order_type, bought.limit_price) == ("limit", 100.1)
    assert (sold.order_type, sold.limit_price) == ("limit", 99.9)


def test_slippage_at_the_limit_leaves_an_order_as_it_is() -> None:
    made = rig(max_slippage_bps=10, slippage_action="limit")
    made.quote(99.9, 100.1)
    assert {made.order(side, 1).order_type for side in ("buy", "sell")} == {"market"}
    made.quote(99.9, 100.100000002)
    assert made.order("buy", 1).order_type == "limit"
    made = rig(max_slippage_bps=0)
    made.quote(100, 100)
    assert code(made.order("buy", 1)) == ""
    made.quote(100, 100.000000001)
    assert code(made.order("buy", 1)) == "max_slippage_bps"


def test_a_limit_that_is_made_is_rounded_toward_the_middle() -> None:
    made = rig(max_slippage_bps=10, slippage_action="limit")
    made.quote(99.800000003, 100.200000003)
    # A thousandth of 100.000000003 is 0.100000000003.
    assert made.order("buy", 1).limit_price == 100.100000003
    assert made.order("sell", 1).limit_price == 99.900000003
    made = rig(market_protection_bps=50)
    made.quote(100.000000001, 100.000000001)
    assert made.order("buy", 1).limit_price == 100.500000001
    assert made.order("sell", 1).limit_price == 99.500000001


def test_a_crossed_quote_is_no_quote() -> None:
    made = rig(max_slippage_bps=10)
    made.quote(101, 99)
    assert code(made.order("buy", 1)) == ""
    made = rig(max_slippage_bps=10, slippage_action="limit")
    made.quote(101, 99)
    made.gate.depth = lambda symbol, side, quantity: 101.0
    order = made.order("buy", 1)
    assert (code(order), order.order_type) == ("max_slippage_bps", "market")


def test_a_quote_of_one_side_is_no_quote() -> None:
    made = rig(max_slippage_bps=10)
    made.quote(0, 100)
    made.price(100)
    assert code(made.order("buy", 1)) == ""
    made = rig(max_slippage_bps=10, slippage_action="limit")
    made.quote(0, 100)
    made.price(100)
    made.gate.depth = lambda symbol, side, quantity: 101.0
    order = made.order("buy", 1)
    assert (code(order), order.order_type) == ("max_slippage_bps", "market")
    made = rig(market_protection_bps=50)
    made.quote(0, 101)
    made.price(100)
    assert made.order("buy", 1).limit_price == 100.5
    assert made.order("sell", 1).limit_price == 99.5


LEAST = 0.000000001
STRICT = {
    "max_order_quantity": 1e9, "max_position_quantity": 1e9, "max_leverage": 10,
    "max_daily_loss": 1e9, "max_open_orders": 99, "max_orders_per_minute": 99,
    "price_collar_bps": 0, "stale_data_after": "1h", "max_slippage_bps": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "order", "denied"),
    [
        ({"max_order_notional": "0.00000001"}, {"quantity": 10}, ""),
        ({"max_order_notional": "0.00000001"}, {"quantity": 10.1}, "max_order_notional"),
        ({"max_order_notional": "0.00000002"}, {"quantity": 10, "trail_amount": LEAST}, ""),
        ({"max_order_notional": "0.0000000199"}, {"quantity": 10, "trail_amount": LEAST},
         "max_order_notional"),
        ({"max_order_quantity": 1e6}, {"notional": 0.001}, ""),
        ({"max_order_quantity": 1e6}, {"notional": 0.001000001}, "max_order_quantity"),
        ({"price_collar_bps": 0}, {"quantity": 1, "limit_price": LEAST}, ""),
        ({"price_collar_bps": 0}, {"quantity": 1, "limit_price": 2 * LEAST}, "price_collar_bps"),
    ],
)  # fmt: skip
def test_the_least_price_is_a_price(
    limits: dict[str, Any], order: dict[str, Any], denied: str
) -> None:
    assert code(rig(LEAST, **limits).order("buy", **order)) == denied


def test_the_least_price_is_one_to_quote_and_to_protect_by() -> None:
    made = rig(LEAST, strict=True, **STRICT)
    made.quote(LEAST, LEAST)
    assert code(made.order("buy", 1)) == ""
    made = rig(LEAST, market_protection_bps=0)
    assert made.order("buy", 1).limit_price == LEAST
    made.quote(LEAST, LEAST)
    made.price(5 * LEAST)
    assert made.order("buy", 1).limit_price == LEAST
    made = rig(LEAST, max_slippage_bps=0, slippage_action="limit")
    made.quote(LEAST, 3 * LEAST)
    assert made.order("buy", 1).limit_price == 2 * LEAST


def test_units_that_a_value_buys_are_rounded_up() -> None:
    for most, denied in (("33.333333333", "max_order_quantity"), ("33.333333334", "")):
        assert code(rig(3, max_order_quantity=most).order("buy", notional=100)) == denied


def test_a_share_of_equity_is_rounded_down() -> None:
    made = GateRig(
        RiskEngine(Limits(max_leverage="0.5")), cash=Decimal("100000.000000000000000001"),
        symbols=("AAA",), prices=100,
    )  # fmt: skip
    assert code(made.order("buy", 500)) == ""
    # A billionth at a billionth: half of the last digit of equity is less.
    assert code(made.order("buy", LEAST, limit_price=LEAST)) == "max_leverage"


def test_the_last_unit_that_is_held_can_be_left() -> None:
    for side, other in (("buy", "sell"), ("sell", "buy")):
        made = GateRig(RiskEngine(), symbols=(Instrument("LOT", decimals=0),), prices=100)
        made.fill(made.order(side, 1))
        made.gate.set_limits(Limits(max_order_quantity=0), "Ann", "exits only")
        assert code(made.order(other, 1)) == ""
        assert code(made.order(side, 1)) == "max_order_quantity"


def test_a_lenient_gate_lets_pass_what_no_slippage_is_known_of() -> None:
    assert code(rig(max_slippage_bps=0).order("buy", 1)) == ""
    made = rig(None, max_slippage_bps=10)
    made.gate.depth = lambda symbol, side, quantity: 101.0
    assert code(made.order("buy", 1)) == ""


def test_an_order_without_a_price_is_on_record_without_a_value() -> None:
    made = rig(None, max_open_orders=9)
    made.order("buy", 10, limit_price=100)
    made.order("buy", 10)
    assert made.gate.report()["verdicts"]["value"].tolist() == [1_000, 0]


@pytest.mark.parametrize(
    ("limits", "denied"),
    [
        # Ten at 101.505, half a percent beyond the middle of 99 and 103, are 1015.05.
        ({"max_order_notional": "1015.05"}, ""),
        ({"max_order_notional": "1015.04"}, "max_order_notional"),
        ({"max_position_notional": "1015.04"}, "max_position_notional"),
        ({"max_gross_exposure": "1015.04"}, "max_gross_exposure"),
        ({"price_collar_bps": 151}, ""),
        ({"price_collar_bps": 150}, "price_collar_bps"),
    ],
)
def test_an_order_that_became_a_limit_order_is_judged_at_its_limit(
    limits: dict[str, Any], denied: str
) -> None:
    made = rig(max_slippage_bps=50, slippage_action="limit", **limits)
    made.quote(99.0, 103.0)
    order = made.order("buy", 10)
    assert code(order) == denied
    assert (order.order_type, order.limit_price) == ("limit", 101.505)


def test_an_order_that_became_a_limit_order_counts_at_its_limit() -> None:
    made = rig(max_slippage_bps=50, slippage_action="limit", max_gross_exposure="2029.05")
    made.quote(99.0, 103.0)
    assert code(made.order("buy", 10)) == ""
    assert code(made.order("buy", 10, limit_price=101.5)) == "max_gross_exposure"
    assert code(made.order("buy", 10, limit_price=101.4)) == ""


def test_a_look_into_the_book_takes_the_place_of_the_quote() -> None:
    made = rig(max_slippage_bps=10)
    made.quote(99.95, 100.05)
    made.gate.depth = lambda symbol, side, quantity: 100.05 + 0.01 * quantity
    assert code(made.order("buy", 5)) == ""
    assert code(made.order("buy", 6)) == "max_slippage_bps"


def test_what_leaves_the_range_of_numbers_is_denied() -> None:
    contract = Instrument("BIG", multiplier=1_000_000)
    made = GateRig(RiskEngine(Limits(max_order_notional=1e17)), symbols=(contract,), prices=9e9)
    assert made.order("buy", 9e9).reason.startswith("overflow")


def test_what_leaves_the_range_of_numbers_is_denied_in_a_change_and_when_asked() -> None:
    contract = Instrument("BIG", multiplier=1_000_000)
    made = GateRig(RiskEngine(Limits(max_order_notional=1e17)), symbols=(contract,), prices=9e9)
    order = made.order("buy", 1, limit_price=9e9)
    made.answer("accept", order)
    made.fill(order, 0.25)
    assert not made.modify(order, quantity=9e9)
    verdicts = made.gate.report()["verdicts"]
    assert verdicts["control"][-1] == "overflow"
    assert verdicts["quantity"][-1] == pytest.approx(9e9 - 0.25, abs=0.01)
    assert (made.judge(made.draft("buy", 9e9)) or "").startswith("overflow")


def test_what_is_denied_before_it_is_weighed_and_does_not_fit_is_on_record() -> None:
    contract = Instrument("BIG", multiplier=1_000_000, tick_size="0.01")
    made = GateRig(RiskEngine(Limits(max_order_notional=1e17)), symbols=(contract,), prices=9e9)
    order = made.order("buy", 1, limit_price=8e9)
    made.answer("accept", order)
    made.fill(order, 0.25)
    verdicts = made.gate.report()["verdicts"]
    assert verdicts["value"].tolist() == [8e15]
    for asked in (
        lambda: made.modify(order, quantity=8e9, limit_price="8000000000.001"),
        lambda: made.order("buy", 8e9 - 0.25, limit_price="8000000000.001"),
    ):
        asked()
        verdicts = made.gate.report()["verdicts"]
        assert verdicts["control"][-1] == "price_tick"
        assert verdicts["quantity"][-1] == 8e9 - 0.25
        assert (verdicts["value"][-1], verdicts["exposure"][-1]) == (0, 0)


def test_a_collar_is_measured_from_the_last_price_that_was_believed() -> None:
    made = rig(price_collar_bps=300, max_tick_jump_bps=500)
    made.price(103.0)
    assert code(made.order("buy", 1, limit_price=106.09)) == ""
    assert code(made.order("buy", 1, limit_price=106.1)) == "price_collar_bps"


def test_a_market_order_is_protected_beyond_the_last_price_without_a_quote() -> None:
    made = rig(market_protection_bps=50, max_tick_jump_bps=500)
    order = made.order("buy", 1)
    assert (order.order_type, order.limit_price) == ("limit", 100.5)


def test_an_order_by_notional_stays_what_it_is() -> None:
    made = rig(max_slippage_bps=10, slippage_action="limit")
    made.quote(99.8, 100.2)
    assert code(made.order("buy", notional=100)) == "max_slippage_bps"
    made = rig(market_protection_bps=50)
    assert made.order("buy", notional=100).order_type == "market"


def test_a_collar_of_nothing_lets_an_order_get_smaller_where_no_price_is_known() -> None:
    made = rig(None, max_open_orders=9)
    order = made.order("buy", 10, limit_price=100)
    made.answer("accept", order)
    made.gate.set_limits(Limits(price_collar_bps=0), "Ann", "a test")
    assert code(made.order("buy", 1, limit_price=100)) == "price_collar_bps"
    assert made.modify(order, quantity=9)
    made.answer("modified", order, quantity=9)
    made.hold(2, price=100)
    assert code(made.order("buy", 1, limit_price=100)) == ""
    assert code(made.order("buy", 1, limit_price=100.01)) == "price_collar_bps"
    assert code(made.order("sell", 1, limit_price=99.99)) == "price_collar_bps"
    assert code(made.order("sell", 1, limit_price=100.01)) == ""


def test_of_a_symbol_without_a_price_nothing_is_said_of_its_age() -> None:
    made = rig(None, stale_data_after="1s")
    order = made.order("buy", 1, limit_price=100)
    assert order.reason == "stale_data: AAA has no price or quote to judge by"


@pytest.mark.parametrize(
    "name", ["max_order_quantity", "max_position_quantity", "max_daily_quantity"]
)
def test_units_that_a_value_buys_are_not_known_without_a_price(name: str) -> None:
    made = rig(None, **{name: 1e9})
    order = made.order("buy", notional=100)
    assert order.reason == f"{name}: AAA has no price or quote to judge by"
    assert code(made.order("buy", 1)) == ""
    made.price(100.0)
    assert code(made.order("buy", notional=100)) == ""


@pytest.mark.parametrize(
    ("most", "expected"), [(15, ["", ""]), (14.999, ["oco", "max_position_quantity"])]
)
def test_two_entries_of_one_pair_and_side_count_as_the_larger(
    most: float, expected: list[str]
) -> None:
    made = rig(max_position_quantity=most)
    strategy = made.kernel.strategies[0]
    terms = {"side": "buy", "symbol": "AAA"}
    pair = strategy.pair(
        {**terms, "quantity": 10, "limit_price": 90},
        {**terms, "quantity": 15, "stop_price": 110},
    )
    made.settle()
    assert [code(order) for order in pair] == expected

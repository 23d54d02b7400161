"""The words of each control, with what it saw and its limit in the unit of that limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyrt.core.instruments import Instrument, crypto
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(limits: dict[str, Any], *, prices: float | None = 100.0, strict: bool = False) -> GateRig:
    made = GateRig(
        RiskEngine(Limits(**limits), strict=strict),
        cash=100_000, symbols=(Instrument("AAA", sector="tech"), "BBB"), prices=prices,
        strategies=2, account="margin",
    )  # fmt: skip
    made.gate.readings.take(
        made.now, value_at_risk=12.5, expected_shortfall=20.25, volatility=0.0125,
        correlation=0.75, beta_exposure=50,
    )  # fmt: skip
    return made


def nothing(made: GateRig) -> None:
    """There is nothing to do before the order."""


# Ten at 100 of an account of 100,000: limits, what comes before, terms, and the words.
WORDS: list[tuple[dict[str, Any], Callable[[GateRig], Any], dict[str, Any], str]] = [
    ({"allowed_symbols": ("BBB",)}, nothing, {},
     "allowed_symbols: the symbol is not among those allowed"),
    ({"max_order_quantity": 9.5}, nothing, {},
     "max_order_quantity: quantity 10 is over the limit of 9.5"),
    ({"max_order_notional": 999.5}, nothing, {},
     "max_order_notional: order value 1000 is over the limit of 999.5"),
    ({"price_collar_bps": 150}, nothing, {"limit_price": 102},
     "price_collar_bps: distance of the limit price in basis points, 200 is over the limit of 150"),
    ({"max_slippage_bps": 2.5}, lambda made: made.quote(99.9, 100.1), {},
     "max_slippage_bps: expected slippage in basis points, 10 is over the limit of 2.5"),
    ({"max_position_quantity": 14.5}, lambda made: made.hold(5), {},
     "max_position_quantity: worst-case position 15 is over the limit of 14.5"),
    ({"max_position_notional": 1_499}, lambda made: made.hold(5), {},
     "max_position_notional: worst-case position value 1500 is over the limit of 1499"),
    ({"max_concentration": 0.0145}, lambda made: made.hold(5), {},
     "max_concentration: worst-case position value 1500 is over the limit of 1450"),
    ({"max_sector_concentration": 0.0095}, nothing, {},
     "max_sector_concentration: worst-case sector value 1000 is over the limit of 950"),
    ({"max_open_positions": 1}, lambda made: made.hold(5, "BBB"), {},
     "max_open_positions: number of open positions 2 is over the limit of 1"),
    ({"max_open_orders": 1}, lambda made: made.order("buy", 1, "BBB", limit_price=9), {},
     "max_open_orders: number of open orders 2 is over the limit of 1"),
    ({"max_gross_exposure": 1_499}, lambda made: made.hold(-5, "BBB"), {},
     "max_gross_exposure: worst-case gross exposure 1500 is over the limit of 1499"),
    ({"max_net_exposure": 501}, lambda made: made.hold(-4, "BBB"), {},
     "max_net_exposure: worst-case net exposure 600 is over the limit of 501"),
    ({"max_leverage": 0.0145}, lambda made: made.hold(-5, "BBB"), {},
     "max_leverage: worst-case gross exposure 1500 is over the limit of 1450"),
    ({"max_daily_orders": 1}, lambda made: made.order("buy", 1, "BBB"), {},
     "max_daily_orders: number of orders today 2 is over the limit of 1"),
    ({"max_daily_quantity": 14.5}, lambda made: made.hold(5), {},
     "max_daily_quantity: quantity ordered today 15 is over the limit of 14.5"),
    ({"max_daily_notional": 1_499}, lambda made: made.hold(5, "BBB"), {},
     "max_daily_notional: value ordered today 1500 is over the limit of 1499"),
    ({"max_value_at_risk": 12.25}, nothing, {},
     "max_value_at_risk: value at risk 12.5 is over the limit of 12.25"),
    ({"max_expected_shortfall": 20}, nothing, {},
     "max_expected_shortfall: expected shortfall 20.25 is over the limit of 20"),
    ({"max_volatility": 0.012}, nothing, {},
     "max_volatility: volatility 0.0125 is over the limit of 0.012"),
    ({"max_correlation": 0.5}, nothing, {},
     "max_correlation: mean correlation 0.75 is over the limit of 0.5"),
    ({"max_beta_exposure": 1_049, "market_symbol": "SPY"}, nothing, {},
     "max_beta_exposure: beta-weighted exposure 1050 is over the limit of 1049"),
    ({"max_risk_age": "1.5s", "max_value_at_risk": 99, "risk_every": "99d"},
     lambda made: made.wait("2s"), {},
     "max_risk_age: age of the portfolio risk in seconds, 2 is over the limit of 1.5"),
    ({"stale_data_after": "1.5s"}, lambda made: made.wait("2s"), {},
     "stale_data: age of the last price in seconds, 2 is over the limit of 1.5"),
    ({"max_tick_jump_bps": 100}, lambda made: made.price(102), {},
     "bad_tick: the last price jumped and is not confirmed yet"),
    ({"max_order_quantity": 99}, lambda made: made.gate.set_halted("AAA", True), {},
     "halted: trading in the symbol is halted"),
    ({}, lambda made: made.gate.set_status("AAA", "limit_state"), {},
     "limit_state: the symbol stands at a price band, and a pause may follow"),
    ({"require_buying_power": True}, nothing, {"quantity": 2_001},
     "require_buying_power: cash missing 50 is over the limit of 0"),
    ({"max_adv_share": 0.01}, lambda made: made.gate.set_adv("AAA", 999), {},
     "max_adv_share: quantity 10 is over 0.01 of the average daily volume 999"),
    ({"max_orders_per_second": 1}, lambda made: made.order("buy", 1), {},
     "max_orders_per_second: the limit of 1 orders in a second is used up"),
    ({"max_orders_per_minute": 1}, lambda made: made.order("buy", 1), {},
     "max_orders_per_minute: the limit of 1 orders in a minute is used up"),
    ({"max_messages_per_minute": 3, "cancel_reserve": 2}, lambda made: made.order("buy", 1), {},
     "max_messages_per_minute: 1 messages left in the last minute, and 2 are kept for cancels"),
    ({"duplicate_window": "1.5s"}, lambda made: made.order("buy", 10), {},
     "duplicate_order: the same order was sent less than 1.5 s ago"),
    ({"deny_self_match": True}, lambda made: made.order("sell", 1, limit_price=101.25), {},
     "self_match: an own sell order rests at 101.25"),
    ({"deny_self_match": True}, lambda made: made.order("buy", 1, limit_price=99.5),
     {"side": "sell"}, "self_match: an own buy order rests at 99.5"),
    ({"fat_finger_multiple": 2.5}, lambda made: [made.order("buy", 3) for _ in range(12)], {},
     "fat_finger: order value 1000.00 is over 2.5 times the median 300.00 of the last 12 orders"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "before", "terms", "words"), WORDS, ids=[row[3].partition(":")[0] for row in WORDS]
)
def test_a_denial_says_what_was_seen_and_what_the_limit_is(
    limits: dict[str, Any], before: Callable[[GateRig], Any], terms: dict[str, Any], words: str
) -> None:
    made = rig(limits)
    before(made)
    order = made.order(**{"side": "buy", "quantity": 10, **terms})
    assert order.reason == words


@pytest.mark.parametrize(
    ("limits", "terms", "words"),
    [
        ({"market_protection_bps": 10}, {},
         "market_protection_bps: AAA has no price to protect the order by"),
        ({"max_open_orders": 9, "max_leverage": 2}, {},
         "max_leverage: AAA has no price to value the order at"),
        ({"price_collar_bps": 100}, {"limit_price": 100},
         "price_collar_bps: AAA has no price or quote to judge by"),
        ({"stale_data_after": "1s"}, {}, "stale_data: AAA has no price or quote to judge by"),
    ],
)  # fmt: skip
def test_a_denial_for_want_of_a_price_says_so(
    limits: dict[str, Any], terms: dict[str, Any], words: str
) -> None:
    assert rig(limits, prices=None).order("buy", 10, **terms).reason == words


def test_a_denial_says_in_which_state_the_gate_is() -> None:
    made = rig({"max_order_quantity": 99})
    made.hold(5)
    made.gate.set_state("reducing", "Ann", "a test")
    words = "trading_state: REDUCING, and this order could raise exposure"
    assert made.order("buy", 1).reason == words
    made.gate.set_state("halted", "Ann", "a test")
    assert made.order("buy", 1).reason == "trading_state: HALTED, only cancels leave"


def test_a_short_of_what_cannot_be_borrowed_is_named() -> None:
    made = GateRig(
        RiskEngine(Limits(require_shortable=True)), symbols=(crypto("BTC/USD"),), prices=100
    )
    assert made.order("sell", 1).reason == (
        "require_shortable: the position would be short, and the instrument cannot be borrowed"
    )


# All that a strict gate asks for.
STRICT: dict[str, Any] = {
    "max_order_quantity": 1e6, "max_position_quantity": 1e6, "max_leverage": 10,
    "max_daily_loss": 1e9, "max_open_orders": 10, "max_orders_per_minute": 100,
    "price_collar_bps": 500, "stale_data_after": "1h",
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"max_open_orders": None}, "max_open_orders: no limit is set, and this gate is strict"),
        ({"max_position_loss_atr": 2}, "max_position_loss_atr: no average range of AAA is known"),
        ({"max_adv_share": 0.1}, "max_adv_share: no daily volume of AAA is known"),
        ({"max_value_at_risk": 9e9}, "max_risk_age: portfolio risk has not been computed yet"),
    ],
)
def test_a_strict_gate_says_what_it_does_not_know(more: dict[str, Any], words: str) -> None:
    made = GateRig(RiskEngine(Limits(**{**STRICT, **more}), strict=True), prices=100)
    assert made.order("buy", 1).reason == words
    assert GateRig(RiskEngine(Limits(**more)), prices=100).order("buy", 1).reason == ""


# -- pardons ---------------------------------------------------------------------------------------


def test_a_pardon_is_for_its_own_control_alone() -> None:
    made = rig({"max_order_quantity": 5})
    made.gate.allow_once("max_order_notional", "Ann", "another control")
    assert code(made.order("buy", 6)) == "max_order_quantity"
    assert code(made.order("buy", 5)) == ""


def test_what_would_be_said_follows_a_pardon_until_its_time_is_over() -> None:
    made = rig({"max_order_quantity": 5})
    made.gate.allow_once("max_order_quantity", "Ann", "a large one", "60s")
    strategy = made.kernel.strategies[0]
    ask = {"symbol": "AAA", "side": "buy", "quantity": 6}
    made.wait(59_999_999_999)
    assert strategy.validate(ask).code == ""
    made.wait(1)
    assert strategy.validate(ask).code == "max_order_quantity"
    assert made.gate.changes[-1].after != "let pass"

"""Every limit set at once, generously: nothing is denied but by the one that is tightened."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.risk.limit_names import COUNTS, DURATIONS, MONEY, QUANTITIES, RATIOS, SHARES_OF_ONE
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

CHOSEN: dict[str, Any] = {
    "risk_level": "0.9", "risk_window": 20, "risk_every": "1h", "market_symbol": "AAA",
    "ramp_start": 1, "ramp_days": 1, "cancel_reserve": 1, "cooldown": "1h", "warn_at": 1,
    "fat_finger_orders": 20, "loss_rate_trades": 10, "reject_rate_orders": 10, "adv_sessions": 5,
    "atr_sessions": 5, "daily_reset": "12:00", "on_trip": "halted", "slippage_action": "limit",
    "allowed_symbols": ("AAA", "BBB"), "symbols": {"BBB": {"max_order_quantity": 10_000}},
    "duplicate_window": "1ms",
    # In steps of one in ten thousand; 10,000 would protect a sale at a price of nothing.
    "market_protection_bps": 9_000,
}  # fmt: skip


def generous() -> dict[str, Any]:
    """A value for every limit there is, far from what these tests do."""
    values: dict[str, Any] = {}
    for field in fields(Limits):
        name = field.name
        if name in CHOSEN:
            values[name] = CHOSEN[name]
        elif name in DURATIONS:
            values[name] = "1000d"
        elif name in SHARES_OF_ONE:
            values[name] = 1
        elif name in RATIOS:
            values[name] = 9_000
        elif name in COUNTS:
            values[name] = 1_000
        elif name in QUANTITIES or name in MONEY:
            values[name] = 10_000_000
        else:
            values[name] = True
    return values


def rig(**tight: Any) -> GateRig:
    limits = Limits(**{**generous(), **tight})
    return GateRig(
        RiskEngine(limits, strict=True), cash=1_000_000, symbols=("AAA", "BBB", "CCC"), prices=100,
        account="margin",
    )  # fmt: skip


def with_figures(made: GateRig) -> GateRig:
    """State what a strict gate asks for: ranges, volumes, and portfolio risk."""
    for symbol in made.symbols:
        made.gate.set_atr(symbol, 1.0)
        made.gate.set_adv(symbol, 1_000_000)
    made.gate.readings.take(
        made.now, value_at_risk=10.0, expected_shortfall=20.0, volatility=0.01, correlation=0.5,
        beta_exposure=50.0,
    )  # fmt: skip
    return made


def test_every_limit_is_set_here() -> None:
    plain = Limits()
    same = [name for name, value in generous().items() if getattr(plain, name) == value]
    # What is on by default, and an order that may leave at any share of its limits.
    assert same == ["deny_limit_state"]


def test_an_order_far_from_every_limit_leaves() -> None:
    made = with_figures(rig())
    order = made.order("buy", 1)
    assert (order.status, order.reason) == ("SENT", "")
    made.fill(order)
    made.wait("1s")
    assert code(made.order("sell", 1)) == ""


# Limit, its value, an order that goes past it, and the control that says so.
TIGHT = [
    ({"allowed_symbols": ("BBB",)}, {}, "allowed_symbols"),
    ({"max_order_quantity": 4}, {}, "max_order_quantity"),
    ({"max_order_notional": 499}, {}, "max_order_notional"),
    ({"price_collar_bps": 100}, {"limit_price": 102}, "price_collar_bps"),
    ({"max_position_quantity": 4}, {}, "max_position_quantity"),
    ({"max_position_notional": 499}, {}, "max_position_notional"),
    ({"max_concentration": "0.0004"}, {}, "max_concentration"),
    ({"max_sector_concentration": "0.0004"}, {}, "max_sector_concentration"),
    ({"max_open_positions": 0}, {}, "max_open_positions"),
    ({"max_open_orders": 0}, {}, "max_open_orders"),
    ({"max_gross_exposure": 499}, {}, "max_gross_exposure"),
    ({"max_net_exposure": 499}, {}, "max_net_exposure"),
    ({"max_leverage": "0.0004"}, {}, "max_leverage"),
    ({"max_adv_share": "0.000001"}, {}, "max_adv_share"),
    ({"max_daily_orders": 0}, {}, "max_daily_orders"),
    ({"max_daily_quantity": 4}, {}, "max_daily_quantity"),
    ({"max_daily_notional": 499}, {}, "max_daily_notional"),
    ({"max_value_at_risk": 9}, {}, "max_value_at_risk"),
    ({"max_expected_shortfall": 19}, {}, "max_expected_shortfall"),
    ({"max_volatility": "0.009"}, {}, "max_volatility"),
    ({"max_correlation": "0.49"}, {}, "max_correlation"),
    ({"max_beta_exposure": 549}, {}, "max_beta_exposure"),
    ({"max_orders_per_second": 0}, {}, "max_orders_per_second"),
    ({"max_orders_per_minute": 0}, {}, "max_orders_per_minute"),
    ({"max_messages_per_minute": 1}, {}, "max_messages_per_minute"),
]


@pytest.mark.parametrize(("tight", "order", "denied_by"), TIGHT)
def test_the_limit_that_is_tight_denies(
    tight: dict[str, Any], order: dict[str, Any], denied_by: str
) -> None:
    made = with_figures(rig(**tight))
    terms = {"quantity": 5, "limit_price": 100, **order}
    assert code(made.order("buy", **terms)) == denied_by
    assert code(with_figures(rig()).order("buy", **terms)) == ""


def test_what_cannot_be_paid_for_is_denied() -> None:
    assert code(with_figures(rig()).order("buy", 50_000)) == "require_buying_power"

"""/v2/account and its configurations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad
from pyrt.adapters.alpaca.simulator.protocol.wires import ACCOUNT_ID, eastern, text, utc_text
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.venues.alpaca.fees import CRYPTO_SCHEDULES, crypto_tier

ACCOUNT_NUMBER = "PA0000000"
EPOCH, DOLLAR = dt.date(1970, 1, 1), 10**18
DAY_TRADES: dict[str, Any] = {
    "pattern_day_trader": False,
    "daytrade_count": 0,
    "daytrading_buying_power": "0",
}
"""Withdrawn in July 2026; the clients for C# and Rust still cannot read an account without them."""
CONFIGURABLE: dict[str, tuple[Any, ...]] = {
    "dtbp_check": ("both", "entry", "exit"),
    "pdt_check": ("both", "entry", "exit"),
    "trade_confirm_email": ("all", "none"),
    "max_margin_multiplier": ("1", "2", "4"),
    "max_options_trading_level": (0, 1, 2, 3),
    "fractional_trading": (False, True),
    "no_shorting": (False, True),
    "suspend_trade": (False, True),
    "ptp_no_exception_entry": (False, True),
    "disable_overnight_trading": (False, True),
}


def account_body(desk: Desk) -> dict[str, Any]:
    """Return the JSON object of the account."""
    state, reserved = desk.account.margin_state(), desk.reserved()
    multiplier = min(state["multiplier"], int(desk.configurations["max_margin_multiplier"]))
    powers = {
        "buying_power": desk.free_funds,
        "regt_buying_power": state["regt_buying_power"] + state["reserved"],
        "effective_buying_power": desk.free_funds,
        "non_marginable_buying_power": desk.unmargined_funds,
    }
    equity = text(state["equity"])
    return {
        "id": ACCOUNT_ID,
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": ACCOUNT_NUMBER,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "currency": desk.account.base_currency,
        **{name: text(max(power - reserved, Decimal(0))) for name, power in powers.items()},
        "options_buying_power": "0",
        "cash": text(state["cash"]),
        "accrued_fees": "0",
        "portfolio_value": equity,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": utc_text(desk.start),
        "trade_suspended_by_user": desk.configurations["suspend_trade"],
        "multiplier": str(multiplier),
        "shorting_enabled": bool(state["can_short"]) and not desk.configurations["no_shorting"],
        "equity": equity,
        "last_equity": text(state["last_equity"]),
        "long_market_value": text(state["long_market_value"]),
        "short_market_value": text(state["short_market_value"]),
        "position_market_value": text(state["long_market_value"] + state["short_market_value"]),
        "initial_margin": text(state["initial_margin"]),
        "maintenance_margin": text(state["maintenance_margin"]),
        "last_maintenance_margin": text(state["last_maintenance_margin"]),
        "sma": text(state["sma"]),
        "balance_asof": desk.balance_date,
        "crypto_tier": _coin_tier(desk),
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": "0",
        **DAY_TRADES,
    }


def _coin_tier(desk: Desk) -> int:
    """Return the number of the tier that coins are charged by today."""
    if desk.coin_fees is None:
        return 1
    today = eastern(desk.now).date()
    traded = desk.coin_fees.volume_before((today - EPOCH).days) // DOLLAR
    return crypto_tier(max(today, CRYPTO_SCHEDULES[0][0]), traded).tier


def configure(desk: Desk, body: Mapping[str, Any]) -> dict[str, Any]:
    """Change some of the account's configurations; Refused leaves all as they were."""
    known = {name: value for name, value in body.items() if name in CONFIGURABLE}
    for name, value in known.items():
        choices = CONFIGURABLE[name]
        if not any(value is choice or _equals(value, choice) for choice in choices):
            raise bad(f"invalid {name}: {value}")
    desk.configurations.update(known)
    return desk.configurations


def _equals(value: Any, choice: Any) -> bool:
    return type(value) is type(choice) and bool(value == choice)

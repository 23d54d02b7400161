"""/v2/account and what belongs to it: configurations, activities, portfolio history."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.desk import Desk
from pyrt.adapters.alpaca.simulator.http import bad, names, whole
from pyrt.adapters.alpaca.simulator.wires import ACCOUNT_ID, SECOND, eastern, instant, text
from pyrt.core.times import format_ns

FAR = 1 << 62
STEPS = {"1Min": 60, "5Min": 300, "15Min": 900, "1H": 3600, "1D": 86_400}
CONFIGURABLE: dict[str, tuple[Any, ...]] = {
    "dtbp_check": ("both", "entry", "exit"),
    "pdt_check": ("both", "entry", "exit"),
    "trade_confirm_email": ("all", "none"),
    "max_margin_multiplier": ("1", "2", "4"),
    "max_options_trading_level": (None, 0, 1, 2, 3),
    "fractional_trading": (False, True),
    "no_shorting": (False, True),
    "suspend_trade": (False, True),
    "ptp_no_exception_entry": (False, True),
    "disable_overnight_trading": (False, True),
}


def account_body(desk: Desk) -> dict[str, Any]:
    """Return the JSON object of the account: a cash account, whose buying power is cash."""
    longs = sum((max(desk.value(s), Decimal(0)) for s in desk.holdings), Decimal(0))
    shorts = sum((min(desk.value(s), Decimal(0)) for s in desk.holdings), Decimal(0))
    equity, power = text(desk.equity), text(desk.buying_power())
    margin = text(longs - shorts)
    return {
        "id": ACCOUNT_ID,
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": "PA0000000",
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": desk.exchange.venue.account.base_currency,
        "buying_power": power,
        "regt_buying_power": power,
        "effective_buying_power": power,
        "non_marginable_buying_power": power,
        "options_buying_power": "0",
        "cash": text(desk.cash),
        "accrued_fees": "0",
        "portfolio_value": equity,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": format_ns(desk.start),
        "trade_suspended_by_user": desk.configurations["suspend_trade"],
        "multiplier": "1",
        "shorting_enabled": not desk.configurations["no_shorting"],
        "equity": equity,
        "last_equity": equity if desk.last_equity is None else text(desk.last_equity),
        "long_market_value": text(longs),
        "short_market_value": text(shorts),
        "position_market_value": text(longs + shorts),
        "initial_margin": margin,
        "maintenance_margin": margin,
        "last_maintenance_margin": "0",
        "sma": "0",
        "balance_asof": f"{eastern(desk.now):%Y-%m-%d}",
        "crypto_tier": 1,
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": "0",
    }


def configure(desk: Desk, body: Mapping[str, Any]) -> dict[str, Any]:
    """Change some of the account's configurations; Refused leaves all as they were."""
    for name, value in body.items():
        if name not in CONFIGURABLE or value not in CONFIGURABLE[name]:
            raise bad(f"invalid {name}: {value}")
    desk.configurations.update(body)
    return desk.configurations


def list_activities(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a page of activities: newest first unless asked otherwise."""
    kinds = names(query.get("activity_types"))
    category = query.get("category")
    if kinds and category:
        raise bad("only one of activity_types or category is accepted")
    if category not in (None, "trade_activity", "non_trade_activity"):
        raise bad(f"invalid category: {category}")
    size = whole(query, "page_size", 100, 100)
    after = instant(query.get("after"), "after", -1)
    until = instant(query.get("until"), "until", FAR)
    rows = [
        row
        for row in desk.activities
        if (not kinds or row["activity_type"] in kinds)
        and category != "non_trade_activity"
        and after < instant(row["transaction_time"], "time", 0) < until
        and ("date" not in query or _day(row) == query["date"][:10])
    ]
    if query.get("direction", "desc") == "desc":
        rows.reverse()
    return _page(rows, query.get("page_token"), size)


def _day(row: Mapping[str, Any]) -> str:
    return f"{eastern(instant(row['transaction_time'], 'time', 0)):%Y-%m-%d}"


def _page(rows: list[dict[str, Any]], token: str | None, size: int) -> list[dict[str, Any]]:
    if not token:
        return rows[:size]
    ids = [row["id"] for row in rows]
    if token not in ids:
        raise bad("invalid page_token")
    first = ids.index(token) + 1
    return rows[first : first + size]


def portfolio_history(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the equity at the ends of equal steps, the last value of each step."""
    name = query.get("timeframe") or "1D"
    if name not in STEPS:
        raise bad(f"invalid timeframe: {name}")
    step = STEPS[name] * SECOND
    start = instant(query.get("start"), "start", -1)
    end = instant(query.get("end"), "end", FAR)
    points: dict[int, Decimal] = {}
    for ts, equity in [*desk.equity_curve, (desk.now, desk.equity)]:
        if start <= ts <= end:
            points[ts // step * step] = equity
    values = [float(equity) for equity in points.values()]
    base = values[0] if values else float(desk.equity)
    return {
        "timestamp": [ts // SECOND for ts in points],
        "equity": values,
        "profit_loss": [value - base for value in values],
        "profit_loss_pct": [value / base - 1 if base else None for value in values],
        "base_value": base,
        "base_value_asof": f"{eastern(desk.start):%Y-%m-%d}",
        "timeframe": name,
        "cashflow": {},
    }

"""/v2/account/activities: fills, fees, dividends, splits, and pages of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad, names, whole
from pyrt.adapters.alpaca.simulator.protocol.wires import eastern, instant, text, utc_text
from pyrt.adapters.alpaca.simulator.trading.desk import Desk

FAR = 1 << 62


def add_booking(
    desk: Desk, kind: str, amount: Decimal, description: str, ts: int | None = None, **more: Any
) -> None:
    """Add an activity that is no trade; `amount` is what it changed cash by."""
    ts = desk.now if ts is None else ts
    desk.bookings += 1
    day = eastern(ts)
    desk.activities.append({
        "id": f"{day:%Y%m%d}000000000::{desk.made_id('booking', desk.bookings)}",
        "activity_type": kind,
        "date": f"{day:%Y-%m-%d}",
        "created_at": utc_text(ts),
        "net_amount": text(amount),
        "description": description,
        "status": "executed",
        "currency": desk.account.base_currency,
        **more,
    })  # fmt: skip


def list_activities(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a page of activities: newest first unless asked otherwise."""
    kinds = names(query.get("activity_types"))
    category = query.get("category")
    if kinds and category:
        raise bad("only one of activity_types or category is accepted")
    if category not in (None, "trade_activity", "non_trade_activity"):
        raise bad(f"invalid category: {category}")
    direction = query.get("direction", "desc")
    if direction not in ("asc", "desc"):
        raise bad(f"invalid direction: {direction}")
    size = whole(query, "page_size", 100, 100)
    after = instant(query.get("after"), "after", -1)
    until = instant(query.get("until"), "until", FAR)
    date = instant(query.get("date"), "date", -1)
    rows = [
        row
        for row in desk.activities
        if (not kinds or row["activity_type"] in kinds)
        and (category is None or (category == "trade_activity") == _is_trade(row))
        and after < _time(row) < until
        and (date < 0 or _day(row) == query["date"].strip()[:10])
    ]
    if direction == "desc":
        rows.reverse()
    return _page(rows, query.get("page_token"), size)


def _is_trade(row: Mapping[str, Any]) -> bool:
    return "transaction_time" in row


def _time(row: Mapping[str, Any]) -> int:
    return instant(row.get("transaction_time") or row["created_at"], "time", 0)


def _day(row: Mapping[str, Any]) -> str:
    return str(row.get("date") or f"{eastern(_time(row)):%Y-%m-%d}")


def _page(rows: list[dict[str, Any]], token: str | None, size: int) -> list[dict[str, Any]]:
    if not token:
        return rows[:size]
    ids = [row["id"] for row in rows]
    if token not in ids:
        raise bad(f"invalid page_token: {token}")
    first = ids.index(token) + 1
    return rows[first : first + size]

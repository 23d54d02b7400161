"""/v2/corporate_actions/announcements: splits and dividends in the older form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pyrt.adapters.alpaca.simulator.market.actions import announcement_body
from pyrt.adapters.alpaca.simulator.protocol.http import bad, names, refused
from pyrt.adapters.alpaca.simulator.trading.desk import Desk

KINDS = ("dividend", "merger", "spinoff", "split")
DATES = ("declaration_date", "ex_date", "record_date", "payable_date")
SPAN_MAX = dt.timedelta(days=90)


def list_announcements(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the announcements of some kinds and days, 90 days at most."""
    kinds = [kind.lower() for kind in names(query.get("ca_types"))]
    if not kinds or not set(kinds) <= set(KINDS):
        raise bad(f"invalid ca_types: {query.get('ca_types', '')}")
    since, until = _day(query, "since"), _day(query, "until")
    if not dt.timedelta(0) <= until - since <= SPAN_MAX:
        raise bad("the date range is limited to 90 days")
    date_type = query.get("date_type", DATES[0]).lower()
    if date_type not in DATES:
        raise bad(f"invalid date_type: {query['date_type']}")
    return [
        row
        for row in map(announcement_body, desk.actions.all)
        if row["ca_type"] in kinds
        and str(since) <= row[date_type] <= str(until)
        and query.get("symbol") in (None, row["initiating_symbol"])
        and query.get("cusip") in (None, row["initiating_original_cusip"])
    ]


def find_announcement(desk: Desk, key: str) -> dict[str, Any]:
    """Return an announcement by its id; Refused if there is none."""
    for action in desk.actions.all:
        if action.id == key:
            return announcement_body(action)
    raise refused(404, 40410000, f"corporate action announcement not found for {key}")


def _day(query: Mapping[str, str], name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(query[name][:10])
    except (KeyError, ValueError):
        raise bad(f"invalid {name}: {query.get(name, '')}") from None

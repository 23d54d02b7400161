"""One offline HTML file: the figures, and charts drawn by the JavaScript that plotly ships."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

from pyrt.analysis import export, sections, text
from pyrt.analysis.curves import DailyCurve, buy_and_hold, monthly_returns
from pyrt.analysis.encoding import pack_numbers, pack_times
from pyrt.analysis.explain import untraded
from pyrt.analysis.record import RunRecord, Table, floats, rows, stamps, texts
from pyrt.errors import ConfigError

SCRIPTS = (
    "columns.js",
    "timeline.js",
    "detail.js",
    "fills.js",
    "chart.js",
    "readout.js",
    "tables.js",
)
MAX_BARS = 4_000_000
"""Bars one page carries; symbols beyond it, fewest fills first, are left out and named."""

_TOKEN = re.compile(r"\{\{(\w+)\}\}")


def render(
    record: RunRecord, summary: Mapping[str, Any], daily: DailyCurve, *, timezone: str = "UTC"
) -> str:
    """Return the report as one HTML document that needs no network.

    Parameters
    ----------
    record : RunRecord
    summary : mapping
        From `pyrt.analysis.summary.summarize`.
    daily : DailyCurve
        Of the same run.
    timezone : str
        IANA name of the zone in which times are shown.

    Raises
    ------
    ConfigError
        If the time zone is unknown.
    """
    _check_zone(timezone)
    symbols, omitted = _charted(record)
    parts = {
        "title": escape(text.title(record)),
        "heading": escape(text.title(record)),
        "span": sections.span(record, summary),
        "cards": sections.cards(summary),
        "notice": sections.notice(summary),
        "zone": escape(timezone),
        "omitted": escape(omitted),
        "statistics": sections.statistics(summary),
        "returns": sections.monthly(*monthly_returns(daily)) + sections.histogram(daily),
        "trades": sections.trades() if rows(record.trades) else "",
        "positions": sections.positions(record),
        "untraded": sections.untraded(untraded(record), timezone),
        "origin": sections.origin(record, summary),
        "footer": sections.footer(record, summary),
        "data": _json(_data(record, daily, symbols, timezone)),
        "plotly": get_plotlyjs().replace("</script", "<\\/script"),
        "style": _template("report.css"),
        "script": "\n".join(_template(name) for name in (*SCRIPTS, "main.js")),
    }
    # One pass: text that came from the user is never searched for tokens.
    return _TOKEN.sub(lambda match: parts[match[1]], _template("report.html"))


def _check_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"No time zone is called {timezone!r}",
            remedy='Write an IANA name such as "America/New_York"',
            timezone=timezone,
        ) from error


def _template(name: str) -> str:
    return (files("pyrt.analysis") / "templates" / name).read_text(encoding="utf-8")


def _json(document: Any) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(export.plain(document), separators=(",", ":")).replace("<", "\\u003c")


def _charted(record: RunRecord) -> tuple[list[str], str]:
    """Choose the symbols whose bars go into the page, most fills first, and name the others."""
    filled: dict[str, int] = {}
    for symbol in texts(record.fills, "symbol"):
        filled[symbol] = filled.get(symbol, 0) + 1
    chosen: list[str] = []
    left_out = total = 0
    for symbol in sorted(record.prices, key=lambda name: (-filled.get(name, 0), name)):
        count = rows(record.prices[symbol])
        if count == 0 or (chosen and total + count > MAX_BARS):
            left_out += 1
            continue
        chosen.append(symbol)
        total += count
    note = f"Prices of {left_out:,} symbols with the fewest fills are left out." if left_out else ""
    return chosen, note


def _data(
    record: RunRecord, daily: DailyCurve, symbols: list[str], timezone: str
) -> dict[str, Any]:
    held = buy_and_hold(record, record.equity_ts)
    counts, edges = _bins(daily)
    return {
        "zone": timezone,
        "initial_cash": record.initial_cash,
        "equity": {
            "ts": pack_times(record.equity_ts),
            "equity": pack_numbers(record.equity),
            "held": pack_numbers(held) if len(held) else None,
        },
        "prices": {symbol: _bars(record, symbol) for symbol in symbols},
        "fills": sections.packed_fills(record),
        "trades": sections.packed_trades(record),
        "histogram": {"counts": counts.tolist(), "edges": edges.tolist()},
    }


def _bars(record: RunRecord, symbol: str) -> dict[str, Any]:
    table: Table = record.prices[symbol]
    ts = stamps(table, "ts_event")
    shared = len(ts) == len(record.equity_ts) and bool(np.all(ts == record.equity_ts))
    packed: dict[str, Any] = {"ts": None if shared else pack_times(ts)}
    for name in ("open", "high", "low", "close", "volume"):
        packed[name] = pack_numbers(floats(table, name))
    return packed


def _bins(daily: DailyCurve) -> tuple[Any, Any]:
    """Histogram of daily returns with an edge at zero, so that no bin mixes gains and losses."""
    returns = daily.returns[np.isfinite(daily.returns)]
    if len(returns) < 2 or float(np.max(np.abs(returns))) == 0.0:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    low, high = min(float(np.min(returns)), 0.0), max(float(np.max(returns)), 0.0)
    width = (high - low) / max(8, min(60, int(2.0 * len(returns) ** 0.5)))
    edges = width * np.arange(np.floor(low / width), np.ceil(high / width) + 1)
    return np.histogram(returns, edges)

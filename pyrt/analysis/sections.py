"""The parts of the report that need no script: cards, tables, provenance; all text escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pyrt.analysis import export, text
from pyrt.analysis.curves import DailyCurve
from pyrt.analysis.encoding import pack_numbers, pack_texts, pack_times
from pyrt.analysis.labels import LABELS, format_value
from pyrt.analysis.record import RunRecord, floats, rows, stamps, texts
from pyrt.analysis.summary import iso

MAX_UNTRADED = 500
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_CARDS = (
    ("total_return", "buy_and_hold_return", "buy and hold"),
    ("annual_return", "volatility", "volatility"),
    ("sharpe", "sortino", "Sortino"),
    ("max_drawdown", "max_drawdown_duration", "longest"),
    ("profit_factor", "expectancy", "expectancy"),
    ("win_rate", "trades", "round trips"),
    ("final_equity", "fees", "fees"),
)
_SIGNED = frozenset({"total_return", "annual_return"})


def span(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return the line under the title: symbols, dates, currency."""
    symbols = sorted(set(record.prices) | set(texts(record.fills, "symbol")))
    shown = ", ".join(symbols[:6]) + (f" and {len(symbols) - 6:,} more" if len(symbols) > 6 else "")
    if summary["start"] is None:
        return escape(shown or "No events")
    dates = f"{summary['start'][:10]} to {summary['end'][:10]}"
    days = f"{summary['days']:,} day{'' if summary['days'] == 1 else 's'}"
    return escape(" · ".join(part for part in (shown, dates, days, record.currency) if part))


def cards(summary: Mapping[str, Any]) -> str:
    """Return the leading figures, each with a second one under it."""
    return "".join(_card(summary, *card) for card in _CARDS)


def notice(summary: Mapping[str, Any]) -> str:
    """Return a panel that says why nothing, or not everything, was traded; empty otherwise."""
    note = text.untraded_note(summary)
    if summary["fills"] == 0:
        why = f"Orders: {note}." if note else "The strategies issued no order."
        return f'<section class="panel notice"><p>Nothing was traded. {escape(why)}</p></section>'
    return ""


def statistics(summary: Mapping[str, Any]) -> str:
    """Return the statistics table, one panel a group."""
    groups = dict.fromkeys(label.group for label in LABELS)
    return "".join(_group(group, summary) for group in groups)


def monthly(months: NDArray[np.int64], returns: NDArray[np.float64]) -> str:
    """Return the monthly returns as a table of years by months, shaded by their size."""
    if len(months) == 0:
        return ""
    cells = dict(zip(months.tolist(), returns.tolist()))
    largest = max(abs(value) for value in cells.values()) or 1.0
    head = "".join(f"<th>{name}</th>" for name in (*_MONTHS, "Year"))
    years = range(1970 + min(cells) // 12, 1971 + max(cells) // 12)
    body = "".join(_year(year, cells, largest) for year in reversed(years))
    return (
        '<div class="panel"><h2>Monthly returns, %</h2><div class="scroll"><table class="months">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )


def histogram(daily: DailyCurve) -> str:
    """Return the place of the chart of daily returns; empty when there is nothing to draw."""
    if len(daily.returns) < 2 or not bool(np.any(daily.returns)):
        return ""
    return '<div class="panel"><h2>Daily returns</h2><div id="histogram"></div></div>'


def trades() -> str:
    """Return the frame of the list of round trips, which the page's script fills."""
    outcomes = (("all", "All", "true"), ("won", "Won", "false"), ("lost", "Lost", "false"))
    buttons = "".join(
        f'<button data-outcome="{key}" aria-pressed="{on}">{name}</button>'
        for key, name, on in outcomes
    )
    return (
        '<section id="trades" class="panel"><div class="toolbar"><h2>Round trips</h2>'
        '<input data-filter type="search" placeholder="Symbol, side, tag" aria-label="Filter">'
        f'<div class="group">{buttons}</div><span data-place></span><div class="group">'
        '<button data-page="-1" aria-label="Previous page">&#8592;</button>'
        '<button data-page="1" aria-label="Next page">&#8594;</button></div></div>'
        '<div class="scroll"><table><thead></thead><tbody></tbody></table></div>'
        '<p class="hint">Click a round trip to see it in the chart, a heading to sort.</p>'
        "</section>"
    )


def positions(record: RunRecord) -> str:
    """Return the positions still open at the end; empty when there are none."""
    if not rows(record.positions):
        return ""
    names = ("quantity", "average_price", "market_value", "realized_pnl", "unrealized_pnl")
    columns = [floats(record.positions, name) for name in names]
    lines = []
    for i, symbol in enumerate(texts(record.positions, "symbol")):
        figures = "".join(_figure(column[i], signed=n > 2) for n, column in enumerate(columns))
        strategy = escape(texts(record.positions, "strategy")[i])
        lines.append(f"<tr><td>{escape(symbol)}</td><td>{strategy}</td>{figures}</tr>")
    titles = ("Quantity", "Average price", "Market value", "Realized P&L", "Unrealized P&L")
    head = "<th>Symbol</th><th>Strategy</th>" + _heads(titles)
    return _table_panel("Open positions", head, lines)


def untraded(table: Mapping[str, Sequence[Any]], timezone: str) -> str:
    """Return the orders that did not trade in full, and why; empty when all did."""
    count = len(table["symbol"])
    if not count:
        return ""
    lines = [_untraded_line(table, i, timezone) for i in range(min(count, MAX_UNTRADED))]
    head = "<th>Time</th><th>Symbol</th><th>Order</th><th>Status</th><th>Why</th>"
    more = f", the first {MAX_UNTRADED:,} shown" if count > MAX_UNTRADED else ""
    return _table_panel(f"Orders not traded in full: {count:,}{more}", head, lines)


def origin(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return parameters, provenance and messages."""
    strategies = "".join(_parameters(entry) for entry in record.parameters)
    reason = f"{summary['periods_per_year']:g} ({summary['periods_reason']})"
    facts: dict[str, Any] = {"run hash": record.run_hash or "-"}
    facts |= dict(sorted(_brief(export.plain(record.provenance)).items()))
    facts |= {
        "periods a year": reason,
        "risk-free rate": f"{summary['risk_free']:.2%} a year",
        "initial cash": f"{record.initial_cash:,.2f} {record.currency}",
        "events": f"{record.events_processed:,} in {record.elapsed_s:.3f} s, "
        f"loaded in {record.load_s:.3f} s",
    }
    notes = "".join(f"<li>{escape(str(message))}</li>" for message in record.messages)
    said = (
        f'<div class="panel"><h2>Messages</h2><ul class="messages">{notes}</ul></div>'
        if notes
        else ""
    )
    provenance = f'<div class="panel whole"><h2>Provenance</h2>{_facts(facts)}</div>'
    return strategies + said + provenance


def footer(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return the conventions behind the figures in a sentence."""
    periods = f"{summary['periods_per_year']:g} periods a year ({summary['periods_reason']})"
    return escape(
        f"Returns are daily and simple, drawdowns over every point of the equity curve; {periods}, "
        f"risk-free rate {summary['risk_free']:.2%}; amounts in {record.currency}."
    )


def packed_fills(record: RunRecord) -> dict[str, Any]:
    """Return the fills as packed columns for the chart."""
    fills = record.fills
    packed: dict[str, Any] = {"ts": pack_times(stamps(fills, "ts_event"))}
    packed |= {n: pack_numbers(floats(fills, n)) for n in ("quantity", "price", "fee")}
    return packed | {n: pack_texts(texts(fills, n)) for n in ("symbol", "side", "strategy")}


def packed_trades(record: RunRecord) -> dict[str, Any]:
    """Return the round trips as packed columns for the list."""
    table = record.trades
    numbers = ("quantity", "entry_price", "exit_price", "pnl", "fees", "return_pct")
    packed: dict[str, Any] = {n: pack_times(stamps(table, n)) for n in ("entry_time", "exit_time")}
    packed |= {n: pack_numbers(floats(table, n)) for n in numbers}
    return packed | {n: pack_texts(texts(table, n)) for n in ("symbol", "side", "strategy", "tag")}


def _card(summary: Mapping[str, Any], key: str, second: str, caption: str) -> str:
    label = next(label for label in LABELS if label.key == key)
    tone = _tone(summary[key]) if key in _SIGNED else ""
    # A narrow card breaks its line before the figure, not before the unit.
    figure = format_value(second, summary).replace(" ", "\N{NO-BREAK SPACE}")
    return (
        f'<div class="card" title="{escape(label.help)}"><span>{escape(label.text)}</span>'
        f'<b class="{tone}">{escape(format_value(key, summary))}</b>'
        f"<small>{escape(caption)} {escape(figure)}</small></div>"
    )


def _group(group: str, summary: Mapping[str, Any]) -> str:
    lines = "".join(
        f'<tr><td title="{escape(label.help)}">{escape(label.text)}</td>'
        f'<td class="figure">{escape(format_value(label.key, summary))}</td></tr>'
        for label in LABELS
        if label.group == group
    )
    return f'<div class="panel"><h2>{escape(group)}</h2><table><tbody>{lines}</tbody></table></div>'


def _year(year: int, cells: Mapping[int, float], largest: float) -> str:
    first = 12 * (year - 1970)
    inside = [cells[month] for month in range(first, first + 12) if month in cells]
    shaded = "".join(_month(cells.get(first + month), largest) for month in range(12))
    total = math.prod(1.0 + value for value in inside) - 1.0 if inside else None
    shown = "" if total is None else _narrow(total)
    tone = "" if total is None else _tone(total)
    return f'<tr><th>{year}</th>{shaded}<td class="total {tone}">{shown}</td></tr>'


def _month(value: float | None, largest: float) -> str:
    if value is None:
        return "<td></td>"
    share = 8 + 52 * min(abs(value) / largest, 1.0)
    side = "gain-soft" if value > 0.0 else "loss-soft"
    shade = f"color-mix(in srgb, var(--{side}) {share:.0f}%, transparent)" if value else "none"
    return f'<td style="background:{shade}">{_narrow(value)}</td>'


def _narrow(share: float) -> str:
    """Return a share in percent with as many decimals as a cell has room for."""
    percent = 100.0 * share
    decimals = 2 if abs(percent) < 10.0 else 1 if abs(percent) < 100.0 else 0
    return f"{percent:z,.{decimals}f}"


def _untraded_line(table: Mapping[str, Sequence[Any]], i: int, timezone: str) -> str:
    def cell(name: str) -> str:
        value = table[name][i]
        return "" if value is None else escape(str(value))

    terms = f"{cell('side').lower()} {_plain(table['quantity'][i])} {cell('type').lower()}"
    for name, word in (("limit_price", "at"), ("stop_price", "stop")):
        price = table[name][i]
        if price is not None and not math.isnan(float(price)):
            terms += f" {_plain(price)}" if terms.endswith(word) else f" {word} {_plain(price)}"
    filled = float(table["filled_quantity"][i] or 0.0)
    done = f", {_plain(filled)} filled" if filled else ""
    return (
        f"<tr><td>{_clock(int(table['ts_event'][i]), timezone)}</td><td>{cell('symbol')}</td>"
        f"<td>{terms} {cell('time_in_force')}{done}</td>"
        f'<td><span class="status">{cell("status")}</span></td>'
        f'<td class="prose">{cell("explanation")}</td></tr>'
    )


def _clock(ts: int, timezone: str) -> str:
    if timezone == "UTC":
        return iso(ts)[:19].replace("T", " ")
    moment = np.datetime64(ts // 1_000_000_000, "s").item()
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(timezone))
    return f"{local:%Y-%m-%d %H:%M:%S}"


def _parameters(entry: Mapping[str, Any]) -> str:
    facts = _facts(export.plain(entry.get("params", {}))) or "<p>No parameters.</p>"
    return f'<div class="panel"><h2>{escape(str(entry.get("name", "?")))}</h2>{facts}</div>'


def _brief(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return provenance without what was read of each of perhaps thousands of tables."""
    brief = dict(provenance)
    loads = brief.get("data")
    if isinstance(loads, list):
        brief["data"] = [
            {name: value for name, value in load.items() if name != "tables"}
            if isinstance(load, Mapping)
            else load
            for load in loads
        ]
    return brief


def _facts(facts: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(_said(value))}</dd></div>"
        for name, value in facts.items()
    )
    return f"<dl>{lines}</dl>" if lines else ""


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(item)}" for name, item in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_said(item) for item in value) or "-"
    return "-" if value is None else str(value)


def _table_panel(title: str, head: str, lines: Sequence[str]) -> str:
    return (
        f'<section class="panel"><h2>{escape(title)}</h2><div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _heads(titles: Sequence[str]) -> str:
    return "".join(f'<th class="figure">{escape(title)}</th>' for title in titles)


def _figure(value: float, *, signed: bool) -> str:
    tone = f" {_tone(value)}" if signed else ""
    return f'<td class="figure{tone}">{value:,.2f}</td>'


def _plain(value: Any) -> str:
    return f"{float(value):,.10g}"


def _tone(value: float) -> str:
    return "gain" if value > 0.0 else "loss" if value < 0.0 else ""

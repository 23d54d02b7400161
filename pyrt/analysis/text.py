"""The summary as a table for terminals: ASCII, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pyrt.analysis.labels import LABELS, format_value
from pyrt.analysis.record import RunRecord

WIDTH = 80
_COLUMN = 38
_PAIRS = (("Return", "Risk"), ("Trades", "Activity"))


def title(record: RunRecord) -> str:
    """Return the strategies with their parameters, as written in code."""
    return ", ".join(_call(entry) for entry in record.parameters) or "Backtest"


def one_line(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return the run on one line, for ``repr``."""
    figures = (
        f"return {format_value('total_return', summary)}",
        f"Sharpe {format_value('sharpe', summary)}",
        f"drawdown {format_value('max_drawdown', summary)}",
        f"{summary['trades']:,} round trips",
        f"equity {format_value('final_equity', summary)} {record.currency}",
    )
    names = ", ".join(str(entry.get("name", "?")) for entry in record.parameters)
    return f"<BacktestResult {names or 'no strategy'}: {', '.join(figures)}>"


def table(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return the whole summary as lines of at most `WIDTH` columns."""
    lines = [_cut(title(record)), _cut(_span(record, summary)), "=" * WIDTH]
    for left, right in _PAIRS:
        lines += _side_by_side(_block(left, summary), _block(right, summary))
        lines.append("-" * WIDTH)
    lines += [_cut(line) for line in _footer(record, summary)]
    return "\n".join(line.rstrip() for line in lines)


def untraded_note(summary: Mapping[str, Any]) -> str:
    """Return how many orders did not trade, by status; empty when all did."""
    kinds = ("denied", "rejected", "canceled", "expired")
    counts = [f"{summary[f'orders_{k}']:,} {k}" for k in kinds if summary[f"orders_{k}"]]
    return ", ".join(counts)


def _call(entry: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in entry.get("params", {}).items())
    return f"{entry.get('name', '?')}({given})"


def _span(record: RunRecord, summary: Mapping[str, Any]) -> str:
    if summary["start"] is None:
        return "no events"
    start, end = (summary[key].replace("T", " ").rstrip("Z")[:16] for key in ("start", "end"))
    return f"{start} to {end} UTC, amounts in {record.currency}"


def _footer(record: RunRecord, summary: Mapping[str, Any]) -> list[str]:
    rate, periods = 100.0 * summary["risk_free"], summary["periods_per_year"]
    lines = [
        f"{periods:g} periods a year ({summary['periods_reason']}), risk-free rate {rate:g} %",
        _speed(record),
    ]
    if note := untraded_note(summary):
        lines.append(f"Orders not traded: {note}; .explain() says why")
    elif summary["orders"] == 0:
        lines.append("No order was issued")
    for message in record.messages:
        lines += textwrap.wrap(f"Note: {message}", WIDTH, subsequent_indent="  ")
    if record.run_hash:
        lines.append(f"Run {record.run_hash[:16]}")
    return lines


def _speed(record: RunRecord) -> str:
    took = f"{record.events_processed:,} events in {record.elapsed_s:.3f} s"
    if record.elapsed_s > 0.0:
        took += f" ({record.events_processed / record.elapsed_s:,.0f}/s)"
    return f"{took}, loaded in {record.load_s:.3f} s"


def _block(group: str, summary: Mapping[str, Any]) -> list[str]:
    lines = []
    for label in LABELS:
        if label.group == group:
            value = format_value(label.key, summary)
            lines.append(f"{label.text:<20}{value:>{_COLUMN - 20}}")
    return lines


def _side_by_side(left: Sequence[str], right: Sequence[str]) -> list[str]:
    gap = " " * (WIDTH - 2 * _COLUMN)
    height = max(len(left), len(right))
    padded = [list(block) + [""] * (height - len(block)) for block in (left, right)]
    return [f"{a:<{_COLUMN}}{gap}{b}" for a, b in zip(*padded)]


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."

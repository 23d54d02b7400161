"""A small equity curve as inline SVG, and the notebook view built on it; no dependency."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.analysis import text
from pyrt.analysis.curves import extremes
from pyrt.analysis.labels import LABELS, format_value
from pyrt.analysis.record import RunRecord

WIDTH, HEIGHT, MARGIN = 640, 160, 4

Floats = NDArray[np.float64]


def equity_svg(equity: Floats, initial: float) -> str:
    """Return the equity curve as an SVG element that takes the color of the text around it.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
    initial : float
        Drawn as a dashed line.
    """
    if len(equity) == 0:
        return ""
    values = equity[extremes(equity, WIDTH)]
    low, high = min(float(np.min(values)), initial), max(float(np.max(values)), initial)
    span = (high - low) or 1.0
    x = np.linspace(MARGIN, WIDTH - MARGIN, len(values))
    y = HEIGHT - MARGIN - (values - low) / span * (HEIGHT - 2 * MARGIN)
    base = HEIGHT - MARGIN - (initial - low) / span * (HEIGHT - 2 * MARGIN)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist()))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" style="max-width:{WIDTH}px" role="img" '
        f'aria-label="equity curve"><line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{base:.1f}" '
        f'y2="{base:.1f}" stroke="currentColor" stroke-opacity=".35" stroke-dasharray="4 4"/>'
        f'<polyline points="{points}" fill="none" stroke="#2f6feb" stroke-width="1.6"/></svg>'
    )


def notebook_html(record: RunRecord, summary: Mapping[str, Any]) -> str:
    """Return the summary and the equity curve as an HTML fragment; user text is escaped."""
    groups = list(dict.fromkeys(label.group for label in LABELS))
    tables = "".join(_group_table(group, summary) for group in groups)
    note = text.untraded_note(summary)
    warning = f"<p>Orders not traded: {escape(note)}</p>" if note else ""
    warning += "".join(f"<p>Note: {escape(str(message))}</p>" for message in record.messages)
    rate = f"{summary['periods_per_year']:g} periods a year, risk-free {summary['risk_free']:.2%}"
    return (
        '<div style="font-family:system-ui,sans-serif;font-size:13px">'
        f'<p style="font-weight:600;margin:4px 0">{escape(text.title(record))}</p>'
        f"{equity_svg(np.asarray(record.equity), record.initial_cash)}"
        f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start;gap:24px">{tables}</div>'
        f"{warning}"
        f'<p style="opacity:.65">{escape(rate)}, amounts in {escape(record.currency)}</p></div>'
    )


def _group_table(group: str, summary: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><td style="text-align:left" title="{escape(label.help)}">{escape(label.text)}</td>'
        '<td style="text-align:right;font-variant-numeric:tabular-nums">'
        f"{escape(format_value(label.key, summary))}</td></tr>"
        for label in LABELS
        if label.group == group
    )
    return (
        f'<table><thead><tr><th colspan="2" style="text-align:left">{escape(group)}</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )

"""Lines of the table of goals: what was asked, what was measured, and whether that meets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    goal: str
    what: str
    asked: str
    measured: str
    is_met: bool


def quantile(values: list[float], share: float) -> float:
    """Return the value below which a share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def row(goal: str, what: str, limit_ms: float, values_ms: list[float], share: float = 0.99) -> Row:
    """Judge the quantile of some durations."""
    found = quantile(values_ms, share)
    name = f"p{share * 100:.0f}"
    most = max(values_ms, default=float("nan"))
    middle = quantile(values_ms, 0.5)
    text = f"p50 {middle:,.2f}, {name} {found:,.2f} ms, max {most:,.2f} ({len(values_ms)})"
    return Row(goal, what, f"≤ {limit_ms:,.0f} ms {name}", text, found <= limit_ms)


def table(rows: list[Row]) -> str:
    """Return rows as a table in text."""
    lines = [f"{'':4} {'goal':52} {'asked':18} measured"]
    for each in rows:
        mark = "" if each.is_met else "  MISSED"
        lines.append(f"{each.goal:4} {each.what:52} {each.asked:18} {each.measured}{mark}")
    return "\n".join(lines)

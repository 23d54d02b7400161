"""How each statistic is named, grouped, formatted and explained to a reader."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = "-"


@dataclass(frozen=True)
class Label:
    """The reader's face of one key of the summary.

    Attributes
    ----------
    key : str
        Key in the summary.
    text : str
        Human name.
    unit : str
        ``%``, ``$`` (the account's currency), ``s`` (a duration) or empty.
    group : str
        Heading under which it is shown.
    help : str
        One sentence of definition.
    """

    key: str
    text: str
    unit: str
    group: str
    help: str


LABELS = (
    Label("total_return", "Total return", "%", "Return", "Final equity over initial cash, less 1."),
    Label(
        "annual_return",
        "Annual return",
        "%",
        "Return",
        "Compound daily return scaled to the stated periods per year.",
    ),
    Label("cagr", "CAGR", "%", "Return", "Compound return per calendar year of 365.25 days."),
    Label(
        "buy_and_hold_return",
        "Buy and hold",
        "%",
        "Return",
        "Every symbol bought in equal parts at its first open and held, without fees.",
    ),
    Label("net_profit", "Net profit", "$", "Return", "Final equity less initial cash."),
    Label("final_equity", "Final equity", "$", "Return", "Marked to market at the last instant."),
    Label("best_day", "Best day", "%", "Return", "Largest daily return."),
    Label("worst_day", "Worst day", "%", "Return", "Smallest daily return."),
    Label(
        "sharpe", "Sharpe ratio", "", "Risk", "Mean daily excess return over its deviation, a year."
    ),
    Label(
        "sortino",
        "Sortino ratio",
        "",
        "Risk",
        "Mean daily excess return over the downside deviation of all days, a year.",
    ),
    Label("calmar", "Calmar ratio", "", "Risk", "Annual return over maximum drawdown."),
    Label("volatility", "Volatility", "%", "Risk", "Deviation of daily returns, a year."),
    Label(
        "max_drawdown",
        "Max drawdown",
        "%",
        "Risk",
        "Deepest fall from a peak, over every point of the equity curve.",
    ),
    Label(
        "max_drawdown_duration",
        "Longest drawdown",
        "s",
        "Risk",
        "Longest time from a peak to its recovery, or to the end.",
    ),
    Label("var_95", "Daily VaR 95", "%", "Risk", "Loss exceeded on one day in twenty."),
    Label("es_95", "Daily ES 95", "%", "Risk", "Mean loss of the worst 5 % of days."),
    Label(
        "tail_ratio", "Tail ratio", "", "Risk", "95th percentile of returns over the 5th, absolute."
    ),
    Label("skew", "Skew", "", "Risk", "Bias-corrected skewness of daily returns."),
    Label("kurtosis", "Excess kurtosis", "", "Risk", "Bias-corrected; 0 for a normal law."),
    Label("alpha", "Alpha", "%", "Risk", "Jensen's alpha to buy and hold, a year."),
    Label("beta", "Beta", "", "Risk", "Slope of daily returns on those of buy and hold."),
    Label("trades", "Round trips", "", "Trades", "Entries that came back to flat."),
    Label("win_rate", "Win rate", "%", "Trades", "Share of round trips with a net profit."),
    Label("profit_factor", "Profit factor", "", "Trades", "Sum of profits over sum of losses."),
    Label("expectancy", "Expectancy", "$", "Trades", "Mean net profit of a round trip."),
    Label("avg_win", "Average win", "$", "Trades", "Mean profit of the winners, net of fees."),
    Label("avg_loss", "Average loss", "$", "Trades", "Mean loss of the losers, net of fees."),
    Label("best_trade", "Best trade", "$", "Trades", "Largest net profit of a round trip."),
    Label("worst_trade", "Worst trade", "$", "Trades", "Largest net loss of a round trip."),
    Label("avg_holding", "Average holding", "s", "Trades", "Mean time from entry to exit."),
    Label("max_holding", "Longest holding", "s", "Trades", "Longest time from entry to exit."),
    Label("exposure", "Time in market", "%", "Activity", "Share of time with any position open."),
    Label(
        "avg_leverage",
        "Average leverage",
        "",
        "Activity",
        "Time-weighted gross exposure over equity.",
    ),
    Label(
        "turnover",
        "Turnover",
        "",
        "Activity",
        "Value of all fills, buys and sells, over mean daily equity.",
    ),
    Label("annual_turnover", "Turnover a year", "", "Activity", "Turnover over years of data."),
    Label("fees", "Fees paid", "$", "Activity", "All fees; those taken in kind at fill price."),
    Label("orders", "Orders", "", "Activity", "Orders the strategies issued."),
    Label("fills", "Fills", "", "Activity", "Executions of those orders."),
    Label(
        "open_positions",
        "Open positions",
        "",
        "Activity",
        "Positions still open at the last event.",
    ),
)


def format_value(key: str, summary: Mapping[str, Any]) -> str:
    """Return one statistic as text with its unit, ``-`` where it is undefined."""
    value, unit = summary[key], _UNITS[key]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return _FORMATS[unit](value)


def format_duration(seconds: float) -> str:
    """Return a duration in its two leading units: ``34 d 2 h``, ``5 m 30 s``, ``250 ms``."""
    if seconds < 1.0:
        return f"{1000.0 * seconds:.3g} ms" if seconds else "0 s"
    whole = round(seconds)
    sizes = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    for at, (name, size) in enumerate(sizes):
        if whole >= size:
            rest = (whole % size) // sizes[at + 1][1] if at < 3 else 0
            return f"{whole // size:,} {name}" + (f" {rest} {sizes[at + 1][0]}" if rest else "")
    return "0 s"


def _number(value: float) -> str:
    return f"{value:,d}" if isinstance(value, int) else f"{value:z,.2f}"


_UNITS = {label.key: label.unit for label in LABELS}
_FORMATS: dict[str, Callable[[float], str]] = {
    "%": lambda value: f"{100.0 * value:z,.2f} %",
    "$": lambda value: f"{value:z,.2f}",
    "s": format_duration,
    "": _number,
}

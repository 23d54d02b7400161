"""`--require metric=bound`: conditions on a summary that set the exit code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyrt.core.suggest import did_you_mean
from pyrt.errors import ConfigError, UnknownName

AT_MOST = frozenset(
    {
        *("max_drawdown", "max_drawdown_duration", "max_drawdown_daily"),
        *("volatility", "var_95", "es_95", "beta"),
        *("exposure", "avg_leverage", "turnover", "annual_turnover", "fees"),
        *("orders_denied", "orders_rejected", "orders_canceled", "orders_expired"),
        *("open_positions", "avg_holding", "max_holding"),
    }
)
"""Figures for which `metric=bound` means at most; for all others it means at least."""

_FORM = re.compile(r"\s*(\w+)\s*(<=|>=|=)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition: the figure `metric` is at least, or at most, `bound`."""

    metric: str
    at_most: bool
    bound: float

    def is_met(self, summary: Mapping[str, Any]) -> bool:
        """Return whether a summary satisfies it; a figure that is undefined never does."""
        value = float(summary[self.metric])
        return value <= self.bound if self.at_most else value >= self.bound

    def shortfall(self, summary: Mapping[str, Any]) -> str:
        """Return what is wrong as a line for the terminal."""
        value = float(summary[self.metric])
        found = "undefined" if math.isnan(value) else f"{value:.6g}"
        side = "at most" if self.at_most else "at least"
        return f"{self.metric} is {found}, required {side} {self.bound:g}"


def read_requirements(texts: Iterable[str]) -> list[Requirement]:
    """Return requirements from `metric=bound`, `metric>=bound` and `metric<=bound`.

    Raises
    ------
    UnknownName
        If a summary has no such figure; close names are suggested.
    ConfigError
        If the form is another one, or the bound is no number.
    """
    listed = list(texts)
    known = figures() if listed else []
    return [_read(text, known) for text in listed]


def figures() -> list[str]:
    """Return the names of all numbers in a summary."""
    from pyrt.analysis.record import RunRecord
    from pyrt.analysis.result import BacktestResult

    summary = BacktestResult(RunRecord(initial_cash=1.0)).summary
    return [name for name, value in summary.items() if isinstance(value, int | float)]


def _read(text: str, known: list[str]) -> Requirement:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ConfigError(f"{text!r} requires nothing", remedy="Write it as sharpe=1.0")
    name, sign, number = match.groups()
    if name not in known:
        raise UnknownName(
            f"a summary has no figure {name!r}", remedy=did_you_mean(name, known), name=name
        )
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if math.isnan(bound):
        raise ConfigError(f"{name} is required to be {number!r}", remedy="Give a number") from None
    return Requirement(name, sign == "<=" or (sign == "=" and name in AT_MOST), bound)

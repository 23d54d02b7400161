"""Pandas views of a run; the one module of analysis that loads pandas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pyrt.analysis.curves import DailyCurve
from pyrt.analysis.labels import LABELS
from pyrt.analysis.record import RunRecord, Table, floats, stamps, texts
from pyrt.analysis.sessions import NS_PER_DAY

_TIMES = frozenset({"ts_event", "entry_time", "exit_time"})
_NUMBERS = frozenset(
    {
        *("quantity", "price", "fee", "filled_quantity", "limit_price", "stop_price"),
        *("entry_price", "exit_price", "pnl", "fees", "return_pct"),
        *("average_price", "market_value", "realized_pnl", "unrealized_pnl"),
        *("amount", "equity", "realized", "unrealized"),
    }
)


def table_frame(table: Table, names: Iterable[str]) -> pd.DataFrame:
    """Return a table as a DataFrame with typed columns, also when it has no rows."""
    return pd.DataFrame({name: _column(table, name) for name in names})


def curve_frame(record: RunRecord) -> pd.DataFrame:
    """Return equity, cash and gross exposure indexed by ``ts_event`` (UTC)."""
    columns = {name: getattr(record, name) for name in ("equity", "cash", "gross_exposure")}
    return pd.DataFrame(columns, index=utc_index(record.equity_ts), dtype=np.float64)


def equity_series(record: RunRecord) -> pd.Series[float]:
    """Return equity indexed by ``ts_event`` (UTC)."""
    return pd.Series(
        record.equity, index=utc_index(record.equity_ts), name="equity", dtype=np.float64
    )


def returns_series(daily: DailyCurve) -> pd.Series[float]:
    """Return daily returns indexed by naive dates named ``date``."""
    index = day_index(daily.days[: len(daily.returns)])
    return pd.Series(daily.returns, index=index, name="returns", dtype=np.float64)


def stats_series(summary: dict[str, Any]) -> pd.Series[Any]:
    """Return the summary under human labels with units in brackets; durations are Timedeltas."""
    currency = summary["currency"]
    shown: dict[str, Any] = {"Start": summary["start"], "End": summary["end"]}
    for label in LABELS:
        unit = {"$": f" [{currency}]", "%": " [%]"}.get(label.unit, "")
        shown[label.text + unit] = _in_unit(summary[label.key], label.unit)
    shown["Periods per year"] = summary["periods_per_year"]
    shown["Risk-free rate [%]"] = 100.0 * summary["risk_free"]
    return pd.Series(shown, name="value", dtype=object)


def pyfolio_frames(
    record: RunRecord, daily: DailyCurve
) -> tuple[pd.Series[float], pd.DataFrame, pd.DataFrame]:
    """Return (returns, positions, transactions) as pyfolio's tearsheets take them.

    Positions are the values held at the end of each day, rebuilt from the fills: signed quantity
    times the day's last close (the last fill's price where the run recorded no bars) and the
    contract's multiplier, and a ``cash`` column. Splits are not applied to the quantities.
    """
    index = day_index(daily.days).tz_localize("UTC")
    returns = returns_series(daily).tz_localize("UTC")
    at = record.equity_ts[daily.positions]
    held = {s: _values(record, s, at) for s in sorted(set(texts(record.fills, "symbol")))}
    held["cash"] = np.asarray(record.cash, dtype=np.float64)[daily.positions]
    positions = pd.DataFrame(held, index=index)
    transactions = pd.DataFrame(
        {
            "amount": signed_quantity(record.fills),
            "price": floats(record.fills, "price"),
            "symbol": texts(record.fills, "symbol"),
        },
        index=utc_index(stamps(record.fills, "ts_event")),
    )
    return returns, positions, transactions


def utc_index(ts: Any) -> pd.DatetimeIndex:
    """Return int64 nanoseconds as a UTC index named ``ts_event``."""
    values = np.asarray(ts, dtype=np.int64).view("datetime64[ns]")
    return pd.DatetimeIndex(values, name="ts_event").tz_localize("UTC")


def day_index(days: Any) -> pd.DatetimeIndex:
    """Return days since 1970-01-01 as a naive index named ``date``."""
    values = (np.asarray(days, dtype=np.int64) * NS_PER_DAY).view("datetime64[ns]")
    return pd.DatetimeIndex(values, name="date")


def signed_quantity(fills: Table) -> Any:
    """Return fill quantities, negative for sells."""
    sides = np.array([side.upper().startswith("B") for side in texts(fills, "side")], dtype=bool)
    return np.where(sides, 1.0, -1.0) * floats(fills, "quantity")


def _column(table: Table, name: str) -> Any:
    if name in _TIMES:
        return pd.Series(utc_index(stamps(table, name)), dtype="datetime64[ns, UTC]")
    if name in _NUMBERS:
        return floats(table, name)
    if name == "bars":
        return stamps(table, name)
    return pd.Series(texts(table, name), dtype=object)


def _in_unit(value: Any, unit: str) -> Any:
    if unit == "%":
        return 100.0 * value
    if unit == "s":
        return pd.Timedelta(seconds=value) if value == value else pd.NaT
    return value


def _values(record: RunRecord, symbol: str, at: Any) -> Any:
    """Market value of a symbol's net position at the given instants."""
    chosen = np.array([name == symbol for name in texts(record.fills, "symbol")], dtype=bool)
    filled = stamps(record.fills, "ts_event")[chosen]
    held = np.concatenate(([0.0], np.cumsum(signed_quantity(record.fills)[chosen])))
    quantity = held[np.searchsorted(filled, at, side="right")]
    bars = record.prices.get(symbol, {})
    ts, marks = stamps(bars, "ts_event"), floats(bars, "close")
    if len(ts) == 0:
        ts, marks = filled, floats(record.fills, "price")[chosen]
    marks = np.concatenate(([0.0], marks))
    units = quantity * _multiplier(record.fills, chosen)
    return units * marks[np.searchsorted(ts, at, side="right")]


def _multiplier(fills: Table, chosen: Any) -> float:
    """Units of a contract, of the fills of one symbol: what their value is of quantity × price."""
    if "notional" not in fills:
        return 1.0
    plain = np.sum((floats(fills, "quantity") * floats(fills, "price"))[chosen])
    return float(np.sum(floats(fills, "notional")[chosen]) / plain) if plain else 1.0

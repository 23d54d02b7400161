"""Curves derived from a run: one equity per day, its returns, and buy-and-hold beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyrt.analysis import sessions, statistics
from pyrt.analysis.record import RunRecord, Table, floats, rows, stamps, texts

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]


@dataclass(frozen=True)
class DailyCurve:
    """Equity at the end of each day.

    Attributes
    ----------
    days : ndarray of int64, shape (n_days,)
        Days since 1970-01-01 that have equity.
    positions : ndarray of intp, shape (n_days,)
        Index of each day's last point in the run's equity curve.
    equity : ndarray of float64, shape (n_days,)
    returns : ndarray of float64, shape (m,)
        The first day's return is on the initial cash; m = n_days, or less after a ruin (see
        `statistics.simple_returns`).
    """

    days: Stamps
    positions: NDArray[np.intp]
    equity: Floats
    returns: Floats


def daily_curve(record: RunRecord) -> DailyCurve:
    """Reduce a run's equity to the last point of each day (see `sessions.session_days`)."""
    days = sessions.session_days(
        record.equity_ts,
        calendar=record.provenance.get("calendar"),
        timezone=record.provenance.get("timezone"),
    )
    last = sessions.last_of_day(days)
    equity = np.asarray(record.equity, dtype=np.float64)[last]
    returns = statistics.simple_returns(np.concatenate(([record.initial_cash], equity)))
    return DailyCurve(days[last], last, equity, returns)


def monthly_returns(daily: DailyCurve) -> tuple[NDArray[np.int64], Floats]:
    """Return months since 1970-01, ascending, and the compound return of each one's days."""
    days = daily.days[: len(daily.returns)].astype("datetime64[D]")
    months = days.astype("datetime64[M]").astype(np.int64)
    if len(months) == 0:
        return months, np.empty(0)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(months)) + 1))
    return months[starts], np.multiply.reduceat(1.0 + daily.returns, starts) - 1.0


def with_start(record: RunRecord) -> tuple[Stamps, Floats]:
    """Return the equity curve led by the initial cash at the first instant."""
    if len(record.equity_ts) == 0:
        return record.equity_ts, record.equity
    ts = np.concatenate((record.equity_ts[:1], record.equity_ts))
    return ts, np.concatenate(([record.initial_cash], record.equity))


def buy_and_hold(record: RunRecord, ts: Stamps) -> Floats:
    """Return the equity of buying every symbol of the run in equal parts and doing nothing.

    Each symbol gets the same share of the initial cash, is bought at the open of its first bar
    that closes within the run (in cash until then) and is valued at its last close, in the units
    that splits have made of what was bought. No fees, no dividends.

    Parameters
    ----------
    record : RunRecord
    ts : ndarray of int64, shape (n,)
        Instants at which to value it.

    Returns
    -------
    ndarray of float64, shape (n,)
        Empty when the run recorded no prices.
    """
    growths = [
        _growth(table, record.equity_ts, ts, _splits(record, symbol))
        for symbol, table in record.prices.items()
    ]
    held = [growth for growth in growths if growth is not None]
    if not held:
        return np.empty(0)
    total = np.zeros(len(ts))
    for growth in held:
        total += growth
    return record.initial_cash * total / len(held)


def extremes(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return the positions of the least and greatest value of each of ``most / 2`` stretches."""
    n = len(values)
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, most // 2 + 1).astype(np.intp)
    kept = [0, n - 1]
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist()):
        part = values[start:stop]
        kept += [start + int(np.argmin(part)), start + int(np.argmax(part))]
    return np.unique(kept)


def _splits(record: RunRecord, symbol: str) -> list[tuple[int, float]]:
    """Return when a symbol has split, and the new units for an old one."""
    at, ratios = stamps(record.splits, "ts_event").tolist(), floats(record.splits, "ratio").tolist()
    names = texts(record.splits, "symbol")
    return [(ts, ratio) for ts, ratio, name in zip(at, ratios, names) if name == symbol]


def _growth(
    table: Table, run: Stamps, ts: Stamps, splits: Sequence[tuple[int, float]]
) -> Floats | None:
    """Worth over entry price at each instant, 1 before the entry; None without a usable price."""
    if rows(table) == 0 or len(run) == 0:
        return None
    closed, closes = stamps(table, "ts_event"), floats(table, "close")
    first = int(np.searchsorted(closed, run[0]))
    if first == len(closed):
        return None
    entry = float(floats(table, "open")[first])
    if not entry > 0.0:
        entry = float(closes[first])
    if not entry > 0.0:
        return None
    grown = closes / entry
    for split, ratio in splits:
        if split >= closed[first]:
            # A bar that ends with the instant of a split is the last in old units.
            grown[closed > split] *= ratio
    at = np.searchsorted(closed, ts, side="right") - 1
    return np.where(at >= first, grown[np.maximum(at, 0)], 1.0)

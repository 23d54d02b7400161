"""Profit and loss of a run by trade, day, symbol or strategy; the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyrt.analysis.curves import DailyCurve
from pyrt.analysis.record import RunRecord, Table, in_base, texts
from pyrt.errors import ConfigError

KINDS = ("trade", "day", "symbol", "strategy")


def profit_by(kind: str, record: RunRecord, daily: Callable[[], DailyCurve]) -> Table:
    """Return columns of profit and loss, fees taken off.

    Amounts are in base currency: what was made in another is converted at its last rate, as in the
    account's equity and in `Strategy.equity`, and counts as nothing without one. Round trips alone
    are told in the quote currency of their instrument.

    Parameters
    ----------
    kind : {"trade", "day", "symbol", "strategy"}
        ``trade``: one row a round trip, in the instrument's currency. ``day``: change of equity
        by session, charges and dividends included. ``symbol``, ``strategy``: realized, unrealized
        and their sum.
    record : RunRecord
    daily : callable
        Returns the run's daily curve.
    """
    if kind == "trade":
        return {
            name: record.trades.get(name, ())
            for name in ("symbol", "strategy", "exit_time", "pnl", "fees")
        }
    if kind == "day":
        return _by_day(record, daily())
    if kind in ("symbol", "strategy"):
        return _by_name(record, kind)
    raise ConfigError(f"pnl by {kind!r}; expected one of {', '.join(KINDS)}")


def _by_day(record: RunRecord, curve: DailyCurve) -> Table:
    before = np.concatenate(([record.initial_cash], curve.equity[:-1]))
    return {
        "day": curve.days.astype("datetime64[D]").astype(str),
        "equity": curve.equity,
        "pnl": curve.equity - before,
    }


def _by_name(record: RunRecord, kind: str) -> Table:
    """Open positions tell all they ever realized; of the others the round trips do."""
    sums: dict[str, list[float]] = {}
    held = set(zip(texts(record.positions, "strategy"), texts(record.positions, "symbol")))
    owners = zip(texts(record.trades, "strategy"), texts(record.trades, "symbol"))
    for owner, pnl in zip(owners, in_base(record, record.trades, "pnl").tolist()):
        parts = sums.setdefault(owner[kind == "symbol"], [0.0, 0.0])
        if owner not in held:
            parts[0] += pnl
    for name, realized, unrealized in zip(
        texts(record.positions, kind),
        in_base(record, record.positions, "realized_pnl").tolist(),
        in_base(record, record.positions, "unrealized_pnl").tolist(),
    ):
        parts = sums.setdefault(name, [0.0, 0.0])
        parts[0] += realized
        parts[1] += unrealized
    names = sorted(sums)
    return {
        kind: names,
        "realized": np.asarray([sums[name][0] for name in names], float),
        "unrealized": np.asarray([sums[name][1] for name in names], float),
        "pnl": np.asarray([sum(sums[name]) for name in names], float),
    }

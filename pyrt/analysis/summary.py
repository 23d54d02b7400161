"""The summary of a run: every statistic under its machine name, computed once."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.analysis import sessions, statistics
from pyrt.analysis.curves import DailyCurve, buy_and_hold, with_start
from pyrt.analysis.record import RunRecord, floats, in_base, rows, stamps, texts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNTRADED = ("DENIED", "REJECTED", "CANCELED", "EXPIRED")


def summarize(
    record: RunRecord,
    daily: DailyCurve,
    *,
    risk_free: float = 0.0,
    periods_per_year: float | None = None,
) -> dict[str, Any]:
    """Compute every statistic of a run.

    Parameters
    ----------
    record : RunRecord
    daily : DailyCurve
        Of the same run.
    risk_free : float
        Annual rate.
    periods_per_year : float, optional
        Overrides the number inferred from the data.

    Returns
    -------
    dict
        Keys in the order of ``docs/statistics.md``. Fractions are fractions, durations seconds,
        times ISO 8601 UTC, amounts in the account's currency. Undefined is NaN.
    """
    year = sessions.annualization(daily.days, record.provenance.get("calendar"))
    if periods_per_year is not None:
        year = sessions.Annualization(float(periods_per_year), "given")
    result = _span(record)
    result |= _returns(record, daily, year.periods_per_year, risk_free)
    result |= _benchmark(record, daily, year.periods_per_year, risk_free)
    result |= _round_trips(record)
    result |= _activity(record, daily)
    result |= {
        "periods_per_year": year.periods_per_year,
        "periods_reason": year.reason,
        "risk_free": float(risk_free),
        "days": len(daily.days),
        "currency": record.currency,
    }
    return result


def iso(ts: int) -> str:
    """Return nanoseconds since the epoch as ISO 8601 UTC, with as many digits as it needs."""
    moment = _EPOCH + timedelta(seconds=int(ts) // statistics.NS_PER_SECOND)
    fraction = int(ts) % statistics.NS_PER_SECOND
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{digits}Z"


def _span(record: RunRecord) -> dict[str, Any]:
    ts, n = record.equity_ts, len(record.equity_ts)
    final = float(record.equity[-1]) if n else float(record.initial_cash)
    return {
        "start": iso(ts[0]) if n else None,
        "end": iso(ts[-1]) if n else None,
        "duration": _seconds(record),
        "initial_cash": float(record.initial_cash),
        "final_equity": final,
        "net_profit": final - float(record.initial_cash),
    }


def _seconds(record: RunRecord) -> float:
    ts = record.equity_ts
    return int(ts[-1] - ts[0]) / statistics.NS_PER_SECOND if len(ts) else 0.0


def _returns(
    record: RunRecord, daily: DailyCurve, year: float, risk_free: float
) -> dict[str, float]:
    returns = daily.returns
    ts, equity = with_start(record)
    final = float(equity[-1]) if len(equity) else float(record.initial_cash)
    yearly = statistics.annual_return(returns, year)
    deepest = statistics.max_drawdown(equity)
    return {
        "total_return": statistics.total_return(record.initial_cash, final),
        "annual_return": yearly,
        "cagr": statistics.cagr(record.initial_cash, final, _seconds(record)),
        "volatility": statistics.volatility(returns, year),
        "sharpe": statistics.sharpe(returns, year, risk_free),
        "sortino": statistics.sortino(returns, year, risk_free),
        "calmar": statistics.calmar(yearly, deepest),
        "max_drawdown": deepest,
        "max_drawdown_duration": statistics.longest_drawdown(ts, equity),
        "max_drawdown_daily": statistics.max_drawdown(
            np.concatenate(([record.initial_cash], daily.equity))
        ),
        "var_95": statistics.value_at_risk(returns),
        "es_95": statistics.expected_shortfall(returns),
        "tail_ratio": statistics.tail_ratio(returns),
        "best_day": float(np.max(returns)) if len(returns) else math.nan,
        "worst_day": float(np.min(returns)) if len(returns) else math.nan,
        "skew": statistics.skew(returns),
        "kurtosis": statistics.kurtosis(returns),
    }


def _benchmark(
    record: RunRecord, daily: DailyCurve, year: float, risk_free: float
) -> dict[str, float]:
    held = buy_and_hold(record, record.equity_ts[daily.positions])
    if len(held) == 0:
        return {"buy_and_hold_return": math.nan, "alpha": math.nan, "beta": math.nan}
    returns = statistics.simple_returns(np.concatenate(([record.initial_cash], held)))
    n = min(len(returns), len(daily.returns))
    alpha, beta = statistics.alpha_beta(daily.returns[:n], returns[:n], year, risk_free)
    return {
        "buy_and_hold_return": statistics.total_return(record.initial_cash, float(held[-1])),
        "alpha": alpha,
        "beta": beta,
    }


def _round_trips(record: RunRecord) -> dict[str, float]:
    pnl = in_base(record, record.trades, "pnl")
    held = stamps(record.trades, "exit_time") - stamps(record.trades, "entry_time")
    seconds = held / statistics.NS_PER_SECOND
    return {
        "trades": len(pnl),
        "win_rate": statistics.win_rate(pnl),
        "profit_factor": statistics.profit_factor(pnl),
        "expectancy": float(np.mean(pnl)) if len(pnl) else math.nan,
        "avg_win": statistics.mean_where(pnl, pnl > 0.0),
        "avg_loss": statistics.mean_where(pnl, pnl < 0.0),
        "best_trade": float(np.max(pnl)) if len(pnl) else math.nan,
        "worst_trade": float(np.min(pnl)) if len(pnl) else math.nan,
        "avg_holding": float(np.mean(seconds)) if len(pnl) else math.nan,
        "max_holding": float(np.max(seconds)) if len(pnl) else math.nan,
    }


def _activity(record: RunRecord, daily: DailyCurve) -> dict[str, Any]:
    exposure = np.asarray(record.gross_exposure, dtype=np.float64)
    fees, by_currency = _fees(record)
    turnover = _turnover(record, daily)
    years = _seconds(record) / statistics.SECONDS_PER_YEAR
    statuses = Counter(status.upper() for status in texts(record.orders, "status"))
    return {
        "exposure": statistics.time_share(record.equity_ts, exposure > 0.0),
        "avg_leverage": _leverage(record, exposure),
        "turnover": turnover,
        "annual_turnover": turnover / years if years > 0.0 else math.nan,
        "fees": fees,
        "fees_by_currency": by_currency,
        "fills": rows(record.fills),
        "orders": rows(record.orders),
        **{f"orders_{status.lower()}": statuses[status] for status in UNTRADED},
        "open_positions": rows(record.positions),
    }


def _leverage(record: RunRecord, exposure: NDArray[np.float64]) -> float:
    """Time-weighted gross exposure over equity, of the instants with positive equity."""
    solvent = record.equity > 0.0
    ratio = np.divide(exposure, record.equity, out=np.zeros(len(exposure)), where=solvent)
    return statistics.time_mean(record.equity_ts, ratio)


def _turnover(record: RunRecord, daily: DailyCurve) -> float:
    """Value of all fills, buys and sells, over the mean daily equity."""
    fills = record.fills
    if "notional" in fills:
        traded = float(np.sum(np.abs(in_base(record, fills, "notional"))))
    else:
        values = floats(fills, "quantity") * in_base(record, fills, "price")
        traded = float(np.sum(np.abs(values)))
    mean = float(np.mean(daily.equity)) if len(daily.equity) else math.nan
    return traded / mean if mean > 0.0 else math.nan


def _fees(record: RunRecord) -> tuple[float, dict[str, float]]:
    """Fees in the account's currency, and each currency's own sum.

    A fee taken in kind (crypto bought, fee in the coin) is valued at its fill's price, one in the
    quote currency at the last rate; one in a third currency cannot be valued here and makes the
    total NaN.
    """
    fees, prices = floats(record.fills, "fee"), in_base(record, record.fills, "price")
    currencies = texts(record.fills, "fee_currency")
    if set(currencies) <= {record.currency}:
        total = float(np.sum(fees))
        return total, {record.currency: total} if total else {}
    symbols = texts(record.fills, "symbol")
    by_currency: dict[str, float] = {}
    total = 0.0
    for i, currency in enumerate(currencies):
        fee = float(fees[i])
        if fee == 0.0:
            continue
        name = currency or record.currency
        by_currency[name] = by_currency.get(name, 0.0) + fee
        total += fee * _rate(name, record, symbols[i], float(prices[i]))
    return total, dict(sorted(by_currency.items()))


def _rate(currency: str, record: RunRecord, symbol: str, price: float) -> float:
    if currency == record.currency:
        return 1.0
    return (
        price if symbol.split(".")[0].startswith(currency) else record.rates.get(symbol, math.nan)
    )

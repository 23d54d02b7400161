"""The summary of runs small enough to work out by hand, and of the awkward ones."""

from __future__ import annotations

import math
from pathlib import Path

import empyrical
import numpy as np
import pytest

from pyrt.analysis import BacktestResult, RunRecord
from pyrt.analysis.curves import buy_and_hold, daily_curve, extremes, monthly_returns
from pyrt.analysis.labels import LABELS
from pyrt.analysis.record import FILL_COLUMNS

from .builders import DAY, MINUTE, MONDAY, daily_record, trading_record


def fills(*rows: tuple) -> dict[str, list]:
    """Fills given as (symbol, side, quantity, price, fee, fee currency)."""
    table: dict[str, list] = {name: [] for name in FILL_COLUMNS}
    for i, (symbol, side, quantity, price, fee, currency) in enumerate(rows):
        row = (i, symbol, "S", side, quantity, price, fee, currency, "TAKER", f"O{i}", f"E{i}")
        for name, value in zip(FILL_COLUMNS, row, strict=True):
            table[name].append(value)
    return table


def test_daily_statistics_are_those_of_the_daily_returns() -> None:
    result = BacktestResult(trading_record(20_000, every=70))
    r = result.returns.to_numpy()
    summary = result.summary
    assert summary["sharpe"] == pytest.approx(empyrical.sharpe_ratio(r))
    assert summary["sortino"] == pytest.approx(empyrical.sortino_ratio(r))
    assert summary["annual_return"] == pytest.approx(empyrical.annual_return(r))
    assert summary["max_drawdown_daily"] == pytest.approx(-empyrical.max_drawdown(r))
    assert summary["max_drawdown"] >= summary["max_drawdown_daily"]
    assert np.prod(1.0 + r) - 1.0 == pytest.approx(summary["total_return"])


def test_the_first_return_is_on_the_initial_cash() -> None:
    record = daily_record([101_000.0, 102_010.0])
    assert daily_curve(record).returns == pytest.approx([0.01, 0.01])


def test_fees_in_kind_are_valued_at_the_fill() -> None:
    table = fills(
        ("BTC/USD", "BUY", 1.0, 50_000.0, 0.002, "BTC"), ("BTC/USD", "SELL", 1.0, 51_000, 10, "USD")
    )
    summary = BacktestResult(daily_record([100_000.0], fills=table)).summary
    assert summary["fees"] == pytest.approx(0.002 * 50_000.0 + 10.0)
    assert summary["fees_by_currency"] == {"BTC": 0.002, "USD": 10.0}


def test_fees_in_a_third_currency_leave_the_total_undefined() -> None:
    table = fills(("BTC/USD", "BUY", 1.0, 50_000.0, 3.0, "BNB"))
    summary = BacktestResult(daily_record([100_000.0], fills=table)).summary
    assert math.isnan(summary["fees"])
    assert summary["fees_by_currency"] == {"BNB": 3.0}


def test_turnover_counts_buys_and_sells_over_mean_daily_equity() -> None:
    table = fills(("A", "BUY", 10.0, 100.0, 0.0, "USD"), ("A", "SELL", 10.0, 110.0, 0.0, "USD"))
    record = daily_record([1_000.0, 1_100.0], initial_cash=1_000.0, fills=table)
    assert BacktestResult(record).summary["turnover"] == pytest.approx(2_100.0 / 1_050.0)


def test_turnover_takes_the_notional_where_the_fills_carry_one() -> None:
    table = fills(("ES", "BUY", 1.0, 100.0, 0.0, "USD")) | {"notional": [5_000.0]}
    record = daily_record([1_000.0], initial_cash=1_000.0, fills=table)
    assert BacktestResult(record).summary["turnover"] == pytest.approx(5.0)


def test_orders_are_counted_by_how_they_ended() -> None:
    summary = BacktestResult(trading_record()).summary
    assert summary["orders"] == summary["fills"] + 1
    assert summary["orders_denied"] == 1
    assert summary["orders_expired"] == 0


def test_round_trips_and_holding_times() -> None:
    summary = BacktestResult(trading_record(around_the_clock=True, every=50)).summary
    assert summary["avg_holding"] == pytest.approx(50 * 60.0)
    assert summary["exposure"] == pytest.approx(0.5, abs=0.03)


def test_crypto_days_are_annualized_with_365() -> None:
    summary = BacktestResult(trading_record(20_000, around_the_clock=True)).summary
    assert summary["periods_per_year"] == 365.0
    assert summary["periods_reason"] == "data on seven days a week"


def test_given_periods_and_rate_are_used_and_stated() -> None:
    result = BacktestResult(trading_record(), risk_free=0.05, periods_per_year=260)
    assert (result.summary["periods_per_year"], result.summary["risk_free"]) == (260.0, 0.05)
    plain = BacktestResult(trading_record(), periods_per_year=260)
    assert result.summary["sharpe"] < plain.summary["sharpe"]


UNDEFINED_WHEN_FLAT = {"sharpe", "sortino", "calmar", "tail_ratio", "skew", "kurtosis"}


def test_a_flat_run_without_trades_has_zeros_and_named_gaps() -> None:
    summary = BacktestResult(daily_record(np.full(30, 100_000.0))).summary
    undefined = {
        key for key, value in summary.items() if isinstance(value, float) and math.isnan(value)
    }
    no_trades = {
        *("win_rate", "profit_factor", "expectancy", "avg_win", "avg_loss", "best_trade"),
        *("worst_trade", "avg_holding", "max_holding"),
    }
    no_prices = {"alpha", "beta", "buy_and_hold_return"}
    assert undefined == UNDEFINED_WHEN_FLAT | no_trades | no_prices
    assert summary["total_return"] == summary["volatility"] == summary["max_drawdown"] == 0.0


def test_negative_equity_is_summarized() -> None:
    summary = BacktestResult(daily_record([50_000.0, -20_000.0, -30_000.0])).summary
    assert summary["total_return"] == pytest.approx(-1.3)
    assert summary["max_drawdown"] == pytest.approx(1.3)
    assert math.isnan(summary["annual_return"])
    assert summary["worst_day"] == pytest.approx(-1.4)


def test_a_run_without_events_is_summarized() -> None:
    summary = BacktestResult(RunRecord(initial_cash=1_000.0)).summary
    assert summary["start"] is None
    assert summary["final_equity"] == 1_000.0
    assert summary["total_return"] == 0.0


def test_every_label_has_a_value() -> None:
    summary = BacktestResult(trading_record()).summary
    assert {label.key for label in LABELS} <= set(summary)


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text("utf-8")
    assert [key for key in BacktestResult(trading_record()).summary if f"`{key}`" not in page] == []


def test_buy_and_hold_splits_the_cash_and_enters_each_symbol_at_its_first_open() -> None:
    bar = {"high": [0.0] * 2, "low": [0.0] * 2, "volume": [0.0] * 2}
    early = {"ts_event": [10, 20], "open": [10.0, 11.0], "close": [11.0, 15.0], **bar}
    late = {"ts_event": [20, 30], "open": [50.0, 40.0], "close": [40.0, 100.0], **bar}
    ts = np.array([10, 20, 30])
    record = RunRecord(
        initial_cash=1_000.0,
        equity_ts=ts,
        equity=np.full(3, 1_000.0),
        prices={"EARLY": early, "LATE": late},
    )
    held = buy_and_hold(record, ts)
    assert held == pytest.approx([500 * 1.1 + 500, 500 * 1.5 + 400, 500 * 1.5 + 1_000])


def test_buy_and_hold_has_the_units_that_splits_make_of_what_was_bought() -> None:
    """Four for one after the close at 20: 30 are worth 120. One before the entry does nothing."""
    bar = {"high": [0.0] * 4, "low": [0.0] * 4, "volume": [0.0] * 4}
    prices = {"ts_event": [10, 20, 30, 40], "close": [100.0, 110.0, 30.0, 6.0], **bar}
    ts = np.array([10, 20, 30, 40])
    splits = [(5, "A", 3.0), (20, "A", 4.0), (20, "B", 7.0), (35, "A", 5.0), (40, "A", 2.0)]
    record = RunRecord(
        initial_cash=1_000.0,
        equity_ts=ts,
        equity=np.full(4, 1_000.0),
        prices={"A": {**prices, "open": [100.0] * 4}},
        splits=dict(zip(("ts_event", "symbol", "ratio"), zip(*splits))),
    )
    assert buy_and_hold(record, ts) == pytest.approx([1_000, 1_100, 1_200, 1_200])


def test_alpha_and_beta_of_a_run_that_holds_are_zero_and_one() -> None:
    record = trading_record(20_000)
    held = buy_and_hold(record, record.equity_ts)
    same = trading_record(20_000, equity=held)
    summary = BacktestResult(same).summary
    assert summary["beta"] == pytest.approx(1.0)
    assert summary["alpha"] == pytest.approx(0.0, abs=1e-12)
    assert summary["total_return"] == pytest.approx(summary["buy_and_hold_return"])


def test_monthly_returns_compound_the_days_of_each_month() -> None:
    record = daily_record(100_000.0 * 1.001 ** np.arange(1, 41))
    months, returns = monthly_returns(daily_curve(record))
    assert [str(np.datetime64(int(m), "M")) for m in months] == ["2020-01", "2020-02"]
    assert returns == pytest.approx([1.001**20 - 1.0, 1.001**20 - 1.0])


def test_thinning_keeps_the_highest_and_the_lowest_point() -> None:
    values = np.random.default_rng(3).normal(size=10_000)
    values[[4_321, 7_777]] = 50.0, -50.0
    kept = extremes(values, 200)
    assert {0, 4_321, 7_777, 9_999} <= set(kept.tolist())
    assert len(kept) <= 202
    assert np.all(np.diff(kept) > 0)


def test_a_record_names_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match="fills lacks ts_event"):
        trading_record(fills={"symbol": []}).check()
    ts = MONDAY * DAY + np.array([MINUTE, MINUTE])
    with pytest.raises(ValueError, match="strictly"):
        daily_record([1.0, 2.0], equity_ts=ts).check()
    with pytest.raises(ValueError, match="cash has 1 points"):
        daily_record([1.0, 2.0], cash=np.zeros(1)).check()
    with pytest.raises(ValueError, match="not finite"):
        daily_record([1.0, math.nan]).check()
    trading_record().check()

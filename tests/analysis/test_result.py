"""What a user reads from a result."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import ffn
import numpy as np
import pandas as pd
import pytest

from pyrt.analysis import BacktestResult, RunRecord, record
from pyrt.errors import MissingExtra

from .builders import daily_record, trading_record


@pytest.fixture(scope="module", name="result")
def _result() -> BacktestResult:
    return BacktestResult(trading_record(4_000, symbols=("SPY", "AAPL")))


def test_tables_have_the_columns_users_rely_on(result: BacktestResult) -> None:
    assert tuple(result.fills.columns) == record.FILL_COLUMNS
    assert tuple(result.orders.columns) == record.ORDER_COLUMNS
    assert tuple(result.trades.columns) == record.TRADE_COLUMNS
    assert tuple(result.positions.columns) == record.POSITION_COLUMNS


def test_times_are_utc_nanoseconds(result: BacktestResult) -> None:
    stamps = [result.fills["ts_event"], result.trades["entry_time"], result.trades["exit_time"]]
    assert {str(column.dtype) for column in stamps} == {"datetime64[ns, UTC]"}
    assert result.fills["ts_event"].astype("int64").tolist() == list(
        result.record.fills["ts_event"]
    )


def test_equity_is_a_series_with_a_utc_index(result: BacktestResult) -> None:
    assert result.equity.index.name == "ts_event"
    assert str(result.equity.index.dtype) == "datetime64[ns, UTC]"
    assert result.equity.iloc[-1] == result.summary["final_equity"]
    assert list(result.equity_curve.columns) == ["equity", "cash", "gross_exposure"]


def test_returns_are_naive_days_that_ffn_accepts(result: BacktestResult) -> None:
    assert result.returns.index.tz is None
    assert result.returns.index.is_normalized
    assert ffn.calc_sharpe(result.returns, nperiods=252) == pytest.approx(result.summary["sharpe"])


def test_tables_without_rows_keep_their_columns_and_types() -> None:
    empty = BacktestResult(RunRecord(initial_cash=1.0))
    assert tuple(empty.fills.columns) == record.FILL_COLUMNS
    assert str(empty.fills["ts_event"].dtype) == "datetime64[ns, UTC]"
    assert empty.fills["price"].dtype == np.float64
    assert len(empty.explain()) == len(empty.equity) == len(empty.returns) == 0


def test_stats_carry_units_in_their_labels(result: BacktestResult) -> None:
    assert result.stats["Total return [%]"] == 100.0 * result.summary["total_return"]
    assert result.stats["Net profit [USD]"] == result.summary["net_profit"]
    assert isinstance(result.stats["Average holding"], pd.Timedelta)


def test_pyfolio_positions_and_cash_add_up_to_equity(result: BacktestResult) -> None:
    returns, positions, transactions = result.to_pyfolio()
    last = result.equity.groupby(result.equity.index.normalize()).last()
    assert positions.sum(axis=1).to_numpy() == pytest.approx(last.to_numpy())
    assert returns.index.tz is not None
    assert transactions["amount"].sum() == 200.0  # both symbols are held at the end
    assert len(transactions) == len(result.fills)


def test_json_has_a_fixed_order_and_no_nan(result: BacktestResult, tmp_path: Path) -> None:
    text = result.to_json(tmp_path / "run.json")
    assert (tmp_path / "run.json").read_text(encoding="utf-8") == text + "\n"
    assert text == BacktestResult(result.record).to_json()
    document = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert document["fills"] == len(result.fills)
    assert document["orders"] == len(result.orders)
    assert document["summary"]["sharpe"] == result.summary["sharpe"]
    assert list(document["provenance"]) == sorted(document["provenance"])


def test_undefined_and_infinite_figures_are_null_in_json() -> None:
    flat = BacktestResult(daily_record([1e5, 1e5], provenance={"fee": math.inf, "at": np.int64(3)}))
    document = json.loads(flat.to_json())
    assert document["summary"]["sharpe"] is None
    assert document["provenance"] == {"at": 3, "fee": None}


def test_the_printed_table_is_ascii_and_fits_80_columns(result: BacktestResult) -> None:
    lines = str(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert str(result).isascii()
    assert "Orders not traded: 2 denied; .explain() says why" in lines


def test_the_printed_table_says_when_there_was_no_order() -> None:
    assert "No order was issued" in str(BacktestResult(daily_record([1e5, 1e5])))
    assert "no events" in str(BacktestResult(RunRecord(initial_cash=1.0)))


def test_what_a_run_has_to_say_stands_in_the_table_and_the_notebook(
    result: BacktestResult,
) -> None:
    """An interrupted run must not pass for a whole one."""
    assert "Note: warm-up: 250 bars" in str(result).splitlines()
    assert "<p>Note: warm-up: 250 bars</p>" in result._repr_html_()


def test_repr_is_one_line(result: BacktestResult) -> None:
    assert repr(result).startswith("<BacktestResult EveryOther: return ")
    assert "\n" not in repr(result)


def test_the_notebook_view_draws_the_curve_and_escapes_names() -> None:
    named = [{"name": "<img src=x>", "params": {"a": "<b>"}}]
    html = BacktestResult(trading_record(parameters=named))._repr_html_()
    assert "<svg" in html
    assert "<polyline" in html
    assert "<img" not in html
    assert "<b>" not in html


def test_a_result_travels_as_its_columns(result: BacktestResult) -> None:
    again = pickle.loads(pickle.dumps(result))
    assert "fills" not in vars(again)
    assert again.to_json() == result.to_json()


def test_making_a_result_computes_nothing() -> None:
    made = BacktestResult(trading_record())
    assert set(vars(made)) == {"record", "_risk_free", "_periods_per_year"}


def test_importing_and_summarizing_loads_neither_pandas_nor_plotly() -> None:
    script = (
        "import sys, numpy as np\n"
        "from pyrt.analysis import BacktestResult, RunRecord\n"
        "ts = np.arange(1, 9) * 86_400_000_000_000\n"
        "run = RunRecord(initial_cash=1.0, equity_ts=ts, equity=np.linspace(1, 2, 8),\n"
        "                cash=np.ones(8), gross_exposure=np.ones(8))\n"
        "text = str(BacktestResult(run)) + BacktestResult(run).to_json()\n"
        "heavy = {'pandas', 'pyarrow', 'plotly', 'exchange_calendars'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_charts_without_plotly_name_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    result = BacktestResult(trading_record())
    with pytest.raises(MissingExtra, match=r"pip install pyrt\[analysis\]"):
        result.plot()
    with pytest.raises(MissingExtra, match=r"pip install pyrt\[analysis\]"):
        result.report(tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_the_figure_has_both_curves_and_the_drawdown(result: BacktestResult) -> None:
    figure = result.plot()
    assert [trace.name for trace in figure.data] == ["Equity", "Buy and hold", "Drawdown"]
    assert min(figure.data[2].y) == pytest.approx(-result.summary["max_drawdown"])

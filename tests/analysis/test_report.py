"""The report as a file: complete, offline, safe against what users put into names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from pyrt.analysis import BacktestResult, RunRecord
from pyrt.analysis.labels import format_value
from pyrt.analysis.sections import _untraded_line, monthly
from pyrt.errors import ConfigError

from .builders import daily_record, trading_record

HOSTILE = "</script><script>document.title='owned'</script>{{data}}<img src=x onerror=alert(1)>"


def own_part(document: str) -> str:
    """The document without plotly's code."""
    return re.sub(r"<script>/\*\*\n\* plotly\.js.*?</script>", "", document, flags=re.DOTALL)


def written(record: RunRecord, path: Path, **options: str) -> str:
    return BacktestResult(record).report(path / "report.html", **options).read_text("utf-8")


def hostile_record() -> RunRecord:
    """A run whose every text is an attack."""
    plain = trading_record(600)
    tables = {
        name: {
            key: [HOSTILE if isinstance(value, str) and key != "side" else value for value in col]
            for key, col in getattr(plain, name).items()
        }
        for name in ("fills", "orders", "trades", "positions")
    }
    return trading_record(
        600,
        **tables,
        prices={HOSTILE: plain.prices["SPY"]},
        parameters=[{"name": HOSTILE, "params": {HOSTILE: HOSTILE}}],
        provenance={HOSTILE: {"a": HOSTILE}},
        messages=[HOSTILE],
        currency="USD",
        run_hash=HOSTILE,
    )


def test_the_file_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    document = own_part(written(trading_record(), tmp_path))
    assert len(document) < 300_000
    assert "http" not in document.replace("http-equiv", "")
    assert not re.search(r"\b(src|href)=", document)
    assert "default-src 'none'" in document


def test_all_sections_are_there(tmp_path: Path) -> None:
    document = own_part(written(trading_record(every=100), tmp_path))
    for heading in (
        *("Equity, drawdown, price and fills", "Return", "Risk", "Trades", "Activity"),
        *("Monthly returns, %", "Daily returns", "Round trips", "Open positions"),
        *("Orders not traded in full: 1", "EveryOther", "Provenance", "Messages"),
    ):
        assert f">{heading}</h2>" in document, heading
    assert "max_order_notional: 99,000,000.00 is above 50,000.00" in document
    assert "252 (data on weekdays only)" in document
    assert not re.search(r"\{\{\w+\}\}", document)


@pytest.mark.parametrize(
    ("kind", "limit", "stop", "words"),
    [
        ("stop", None, 99.0, "sell 5 stop 99 gtc"),
        ("limit", 101.0, None, "sell 5 limit at 101 gtc"),
        ("stop_limit", 98.0, 99.0, "sell 5 stop_limit at 98 stop 99 gtc"),
    ],
)
def test_an_orders_terms_are_told_once(kind, limit, stop, words) -> None:
    table = {
        "side": ["SELL"], "quantity": [5.0], "type": [kind], "limit_price": [limit],
        "stop_price": [stop], "filled_quantity": [0.0], "ts_event": [0], "symbol": ["A"],
        "time_in_force": ["gtc"], "status": ["CANCELED"], "explanation": [""],
    }  # fmt: skip
    assert f"<td>{words}</td>" in _untraded_line(table, 0, "UTC")


def test_months_and_years_show_as_many_digits_as_their_cells_have_room_for() -> None:
    returns = np.array([-0.00001, 0.0123, -0.2631, 1.5, 0.1])
    cells = re.findall(r"<td[^>]*>([^<]+)</td>", monthly(np.arange(600, 605), returns))
    assert cells == ["0.00", "1.23", "-26.3", "150", "10.0", "105"]


def test_a_figure_that_rounds_to_nothing_has_no_sign() -> None:
    assert format_value("var_95", {"var_95": -0.00001}) == "0.00 %"
    assert format_value("net_profit", {"net_profit": -0.001}) == "0.00"


def test_texts_of_users_are_escaped_everywhere(tmp_path: Path) -> None:
    document = own_part(written(hostile_record(), tmp_path))
    assert "<img" not in document
    assert "<script>document.title" not in document
    assert document.count("<script") == 3  # theme, data and program; plotly's is cut out


def test_the_data_block_is_json_of_the_run(tmp_path: Path) -> None:
    record = trading_record()
    block = re.search(
        r'<script type="application/json" id="run-data">(.*?)</script>', written(record, tmp_path)
    )
    assert block is not None
    data = json.loads(block[1])
    assert data["fills"]["ts"]["n"] == len(record.fills["ts_event"])
    assert data["prices"]["SPY"]["ts"] is None  # shared with the equity curve
    assert sum(data["histogram"]["counts"]) == len(BacktestResult(record).returns)


@pytest.mark.parametrize(
    "record",
    [
        RunRecord(initial_cash=1.0),
        daily_record([1e5]),
        daily_record(np.full(5, 1e5)),
        daily_record([5e4, -2e4, -3e4]),
        trading_record(prices={}),
        trading_record(3),
    ],
    ids=["no events", "one point", "flat", "ruin", "no prices", "three bars"],
)
def test_awkward_runs_have_a_report_too(record: RunRecord, tmp_path: Path) -> None:
    document = written(record, tmp_path)
    assert document.startswith("<!doctype html>")
    assert document.rstrip().endswith("</html>")


def test_a_run_without_fills_says_so(tmp_path: Path) -> None:
    orders = trading_record().orders
    denied = {name: column[-1:] for name, column in orders.items()}
    run = daily_record([1e5, 1e5], orders=denied)
    assert "Nothing was traded. Orders: 1 denied." in written(run, tmp_path)


def test_times_are_shown_in_the_zone_asked_for(tmp_path: Path) -> None:
    document = own_part(written(trading_record(), tmp_path, timezone="America/New_York"))
    assert "2020-01-06 09:31:00" in document
    assert "Times are America/New_York" in document


def test_an_unknown_zone_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Mars/Base"):
        written(trading_record(), tmp_path, timezone="Mars/Base")
    assert not list(tmp_path.iterdir())


def test_symbols_beyond_the_limit_are_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyrt.analysis.report.MAX_BARS", 1_500)
    document = own_part(written(trading_record(1_000, symbols=("A", "B", "C")), tmp_path))
    assert "Prices of 2 symbols with the fewest fills are left out." in document


@pytest.mark.parametrize(("values", "words"), [([100.0], "1 day "), ([100.0, 101.0], "2 days ")])
def test_the_line_under_the_title_counts_days(
    tmp_path: Path, values: list[float], words: str
) -> None:
    BacktestResult(daily_record(values)).report(tmp_path / "r.html")
    assert f"· {words}·" in own_part((tmp_path / "r.html").read_text("utf-8"))

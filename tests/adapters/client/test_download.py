"""History to Parquet: complete, resumable, incremental, and refused where it does not hold."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import pytest

from pyrt import backtest, load
from pyrt.adapters.alpaca.account.download import (
    Wanted,
    bars_of,
    check_bars,
    download,
    download_actions,
    months,
    table_of,
)
from pyrt.adapters.alpaca.account.reading import Reader
from pyrt.adapters.alpaca.core.events import BarEvent
from pyrt.adapters.alpaca.core.pacing import RetryPolicy
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.cli import main
from pyrt.core.times import timestamp_ns
from pyrt.errors import BrokerError, ConfigError, ConnectionLost, DataError
from tests.minutes import MINUTE, minute_bars

SESSION = timestamp_ns("2013-10-07T13:30:00Z")
NEXT = timestamp_ns("2013-11-01T13:30:00Z")


class Wire:
    """The simulator core behind a reader; may fail, and counts what it is asked."""

    def __init__(self, tables: list[Any] | None = None) -> None:
        self.core = make_core(tables or [_long(SESSION), _long(SESSION, "QQQ")])
        for _ in self.core.instants():
            pass
        self.asked: list[str] = []
        self.fails: list[Answer] = []

    async def send(self, request: Any) -> Answer:
        self.asked.append(request.path)
        if self.fails:
            return self.fails.pop(0)
        answer = self.core.request(request.method, request.path, request.body)
        return Answer(answer.status, bytes(answer.body), answer.headers)

    @property
    def reader(self) -> Reader:
        return Reader(self.send, policy=RetryPolicy(initial_ns=1_000))


def _long(start: int, symbol: str = "SPY", count: int = 390) -> Any:
    return minute_bars(symbol, [100.0 + number % 7 for number in range(count)], start)


def both_months() -> list[Any]:
    """One session in October and one in November, in one table."""
    return [_joined(_long(SESSION), _long(NEXT))]


def _joined(*tables: Any) -> Any:
    import pandas as pd

    frames = []
    for table in tables:
        named = {name: getattr(table, name) for name in ("open", "high", "low", "close", "volume")}
        frames.append(
            pd.DataFrame({"ts_event": table.ts_open, "ts_close": table.ts_close, **named})
        )
    return load(pd.concat(frames), symbol="SPY").columns[0]


def wanted(**changes: Any) -> Wanted:
    terms = {"symbols": ("SPY",), "start": SESSION, "end": SESSION + 390 * MINUTE}
    return Wanted(**{**terms, **changes})


def run(wire: Wire, what: Wanted, folder: Path) -> Any:
    return asyncio.run(download(wire.reader, what, folder))


def test_what_is_fetched_backtests_as_the_source(tmp_path):
    wire = Wire()
    report = run(wire, wanted(symbols=("SPY", "QQQ")), tmp_path)
    assert (report.rows, report.fetched) == (780, 780)
    assert report.gaps == {"SPY": 0, "QQQ": 0}
    assert report.missing_sessions == {"SPY": [], "QQQ": []}
    (columns,) = load(tmp_path / "SPY" / "2013-10.parquet").columns
    source = _long(SESSION)
    for name in ("ts_open", "ts_close", "open", "high", "low", "close", "volume"):
        assert (getattr(columns, name) == getattr(source, name)).all(), name


def test_what_is_there_is_not_fetched_again(tmp_path):
    wire = Wire(both_months())
    span = wanted(end=NEXT + 390 * MINUTE)
    assert run(wire, span, tmp_path).fetched == 780
    asked = len(wire.asked)
    report = run(wire, span, tmp_path)
    assert (report.fetched, report.kept, report.rows) == (0, 2, 780)
    assert len(wire.asked) == asked


def test_a_month_goes_on_where_it_ended(tmp_path):
    wire = Wire()
    half = SESSION + 200 * MINUTE
    assert run(wire, wanted(end=half), tmp_path).fetched == 200
    report = run(wire, wanted(), tmp_path)
    assert (report.fetched, report.rows) == (190, 390)
    assert "start=2013-10-07T16%3A50%3A00Z" in wire.asked[-1]


def test_what_is_not_settled_yet_is_asked_for_again(tmp_path, monkeypatch):
    wire = Wire()
    now = SESSION + 200 * MINUTE
    monkeypatch.setattr("pyrt.adapters.alpaca.account.download.time.time_ns", lambda: now)
    # The end lies in the future; what ended in the last quarter of an hour may still change.
    assert run(wire, wanted(), tmp_path).rows == 200
    report = run(wire, wanted(), tmp_path)
    assert (report.kept, report.fetched, report.rows) == (0, 16, 200)
    now = SESSION + 500 * MINUTE
    report = run(wire, wanted(), tmp_path)
    assert (report.fetched, report.rows) == (206, 390)
    assert run(wire, wanted(), tmp_path).kept == 1


def test_the_day_that_ends_in_the_next_month_is_in_its_own(tmp_path, monkeypatch):
    wire = Wire([_days("2013-10-30", "2013-10-31", "2013-11-01")])
    span = wanted(
        start=timestamp_ns("2013-10-30T00:00:00Z"),
        end=timestamp_ns("2013-11-02T00:00:00Z"),
        timeframe="1d",
    )
    # On the evening of the 31st that day's bar is there and has not ended.
    now = timestamp_ns("2013-10-31T22:00:00Z")
    monkeypatch.setattr("pyrt.adapters.alpaca.account.download.time.time_ns", lambda: now)
    assert run(wire, span, tmp_path).rows == 1
    now = timestamp_ns("2013-11-10T00:00:00Z")
    report = run(wire, span, tmp_path)
    assert (report.rows, report.missing_sessions) == (3, {"SPY": []})
    loaded = load(tmp_path / "SPY", calendar="XNYS").columns[0]
    ends = ("2013-10-30T20:00:00Z", "2013-10-31T20:00:00Z", "2013-11-01T20:00:00Z")
    assert loaded.ts_init.tolist() == [timestamp_ns(text) for text in ends]


def _days(*dates: str) -> Any:
    """A few minutes of each of these sessions, in one table."""
    return _joined(*(_long(timestamp_ns(f"{day}T13:30:00Z"), count=5) for day in dates))


@pytest.mark.parametrize("timeframe", ["30s", "90m", "36h", "2d", "2w"])
def test_timeframes_that_the_broker_does_not_have_are_refused_at_once(timeframe):
    with pytest.raises(ConfigError, match="Alpaca has no bars of"):
        wanted(timeframe=timeframe)


def test_a_symbol_without_a_single_bar_is_told(tmp_path):
    report = run(Wire(), wanted(symbols=("SPY", "SPYY")), tmp_path)
    assert (report.empty, report.rows) == (["SPYY"], 390)


def test_what_a_killed_download_has_left_half_written_is_removed(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = tmp_path / "SPY"
    folder.mkdir()
    stale = folder / f"2013-10.{gone.pid}.part"
    busy = folder / f"2013-10.{os.getppid()}.part"
    for part in (stale, busy):
        part.write_bytes(b"half")
    run(Wire(), wanted(), tmp_path)
    assert (stale.exists(), busy.exists()) == (False, True)


def test_what_is_too_much_is_asked_for_when_the_broker_says(tmp_path, monkeypatch):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("pyrt.adapters.alpaca.account.reading.asyncio.sleep", sleep)
    monkeypatch.setattr("pyrt.adapters.alpaca.account.reading.time.time", lambda: 1_000.0)
    wire = Wire()
    headers = ({"retry-after": "7"}, {"x-ratelimit-reset": "1030"}, {"x-ratelimit-reset": "9999"})
    wire.fails = [Answer(429, b"{}", each) for each in (*headers, {})]
    assert run(wire, wanted(), tmp_path).rows == 390
    assert [round(seconds) for seconds in slept if seconds >= 1] == [7, 30, 61]
    wire.fails = [Answer(429, b"{}", {})] * 100
    with pytest.raises(ConnectionLost):
        run(wire, wanted(symbols=("QQQ",)), tmp_path)


def test_an_interruption_costs_the_month_it_was_at(tmp_path):
    wire = Wire(both_months())
    span = wanted(end=NEXT + 390 * MINUTE)
    send, count = wire.send, iter(range(100))

    async def cut(request):
        if next(count) == 1:
            raise KeyboardInterrupt
        return await send(request)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(download(Reader(cut), span, tmp_path))
    report = run(wire, span, tmp_path)
    assert (report.kept, report.fetched, report.rows) == (1, 390, 780)
    assert not list(tmp_path.rglob("*.part"))


def test_missing_sessions_and_gaps_are_told(tmp_path):
    table = _long(SESSION)
    keep = [number for number in range(390) if number not in (5, 6)]
    from pyrt.data.columns import take

    report = run(Wire([take(table, keep)]), wanted(end=SESSION + 3 * 24 * 60 * MINUTE), tmp_path)
    assert report.gaps == {"SPY": 2}
    assert report.missing_sessions == {"SPY": ["2013-10-08", "2013-10-09"]}


def test_a_folder_keeps_to_its_terms(tmp_path):
    wire = Wire()
    run(wire, wanted(), tmp_path)
    with pytest.raises(ConfigError, match="holds bars of"):
        run(wire, wanted(feed="sip"), tmp_path)


def test_reads_are_tried_again_and_refusals_are_not(tmp_path, caplog):
    wire = Wire()
    wire.fails = [Answer(0), Answer(502, b"<html>")]
    assert run(wire, wanted(), tmp_path).rows == 390
    assert len([r for r in caplog.records if "attempt" in r.getMessage()]) == 2
    wire.fails = [Answer(0)] * 3
    with pytest.raises(ConnectionLost, match="3 attempts"):
        run(wire, wanted(symbols=("QQQ",)), tmp_path)
    wire.fails = [Answer(403, b'{"code":42210000,"message":"no permit"}')]
    with pytest.raises(BrokerError, match="no permit") as caught:
        run(wire, wanted(symbols=("QQQ",)), tmp_path)
    assert caught.value.code == "42210000"


@pytest.mark.parametrize(
    ("at", "prices"),
    [
        (SESSION, (1.0, 0.5, 0.4, 0.9, 1.0)),
        (SESSION - MINUTE, (1.0, 2.0, 0.5, 1.5, 1.0)),
        (SESSION, (1.0, 2.0, 0.5, 1.5, -1.0)),
    ],
)
def test_bars_that_cannot_be_are_refused(at, prices):
    with pytest.raises(DataError, match="does not hold together"):
        check_bars("SPY", [BarEvent("SPY", at, at + MINUTE, prices)], (SESSION, SESSION + MINUTE))


def test_doubled_bars_are_refused():
    bar = BarEvent("SPY", SESSION, SESSION + MINUTE, (1.0, 2.0, 0.5, 1.5, 1.0))
    with pytest.raises(DataError):
        check_bars("SPY", [bar, bar], (SESSION, SESSION + MINUTE))


def test_bars_go_through_a_table_unchanged():
    bar = BarEvent("SPY", SESSION, SESSION + MINUTE, (1.1, 2.2, 0.3, 1.7, 12.0))
    assert bars_of("SPY", table_of("SPY", [bar])) == [bar]


def test_months_are_clipped_to_the_span():
    found = list(months(SESSION, NEXT + MINUTE))
    november = timestamp_ns("2013-11-01T00:00:00Z")
    assert found == [("2013-10", SESSION, november), ("2013-11", november, NEXT + MINUTE)]


def test_corporate_actions_become_the_table_of_a_backtest(tmp_path):
    pages = [
        {
            "corporate_actions": {
                "forward_splits": [
                    {"symbol": "SPY", "ex_date": "2013-10-08", "new_rate": 2, "old_rate": 1}
                ]
            },
            "next_page_token": "more",
        },
        {
            "corporate_actions": {
                "cash_dividends": [{"symbol": "SPY", "ex_date": "2013-10-07", "rate": 0.25}]
            },
            "next_page_token": None,
        },
    ]
    asked = []

    async def send(request):
        asked.append(request.path)
        return Answer(200, json.dumps(pages.pop(0)).encode())

    path = tmp_path / "actions.parquet"
    assert asyncio.run(download_actions(Reader(send), ["SPY"], SESSION, NEXT, path)) == 2
    assert "page_token=more" in asked[1]
    import pandas as pd

    frame = pd.read_parquet(path)
    assert frame["kind"].tolist() == ["cash_dividend", "split"]
    from pyrt import Strategy

    class Idle(Strategy):
        def on_start(self):
            self.subscribe_bars("SPY", "1m")

    result = backtest(Idle(), _long(SESSION), corporate_actions=path, progress=False)
    assert result.events_processed == 390


DIVIDEND = {"symbol": "FCF", "ex_date": "2023-05-04", "process_date": "2023-05-19", "rate": 0.125}
SPECIAL = {"symbol": "FCF", "ex_date": "2023-05-10", "process_date": "2023-05-09", "rate": 4.0}
"""With due bills the ex-date is the day after the payment."""


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2023-04-01", "2023-05-11", [0.125, 4.0]),
        ("2023-04-01", "2023-05-10", [0.125]),
        ("2023-04-01", "2023-05-04", []),
        ("2023-05-04", "2023-05-05", [0.125]),
        ("2023-05-05", "2023-06-30", [4.0]),
        ("2023-05-10", "2023-05-11", [4.0]),
        ("2023-05-11", "2023-06-30", []),
    ],
)
def test_actions_are_those_of_an_ex_date_in_the_span(tmp_path, start, end, expected):
    """The broker looks for dates of payment: a dividend paid behind the span was not there."""

    async def send(request):
        query = parse_qs(urlsplit(request.path).query)
        (first,), (last,) = query["start"], query["end"]
        rows = [row for row in (DIVIDEND, SPECIAL) if first <= row["process_date"] <= last]
        body = {"corporate_actions": {"cash_dividends": rows}, "next_page_token": None}
        return Answer(200, json.dumps(body).encode())

    path, span = tmp_path / "actions.parquet", (timestamp_ns(start), timestamp_ns(end))
    count = asyncio.run(download_actions(Reader(send), ["FCF"], *span, path))
    frame = pq.read_table(path)
    assert (count, frame["cash_amount"].to_pylist()) == (len(expected), expected)


def test_the_shell_downloads(tmp_path, monkeypatch, capsys):
    pytest.importorskip("uvicorn")
    from tests.live.wire import Served

    with Served(make_core([_long(SESSION, count=30)])) as served:
        while served.advance():
            pass
        monkeypatch.setenv("APCA_API_KEY_ID", served.urls["key"])
        monkeypatch.setenv("APCA_API_SECRET_KEY", served.urls["secret"])
        span = ["--start", "2013-10-07T13:30:00Z", "--end", "2013-10-07T14:00:00Z"]
        place = ["--out", str(tmp_path), "--data-url", served.urls["data_url"]]
        command = ["data", "download", "--symbols", "SPY", *span, *place, "--json"]
        assert main(command) == 0, capsys.readouterr().err
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["fetched"]) == (30, 30)

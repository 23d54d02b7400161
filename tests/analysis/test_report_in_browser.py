"""The report in headless Chromium: it draws, pans, zooms, and marks every fill in view once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyrt.analysis import BacktestResult, RunRecord

from .browser import Browser, find_chromium
from .builders import DAY, MINUTE, MONDAY, daily_record, trading_record
from .test_report import hostile_record

pytestmark = [
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed"),
    pytest.mark.timeout(180),
]

LONG = trading_record(120_000, every=37)
SETTLED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"


@pytest.fixture(scope="module", name="browser")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module", name="page")
def _page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BacktestResult(LONG).report(tmp_path_factory.mktemp("report") / "long.html")


def shown(browser: Browser, page: Path) -> None:
    """Have the page open with all of the run in view; loaded only if another one is there."""
    if browser.evaluate("location.href") != page.as_uri():
        browser.open(page)
    browser.evaluate("pyrtReport.chart.show(...pyrtReport.chart.whole()).then(() => 0)")


def opened(browser: Browser, record: RunRecord, directory: Path, **options: str) -> None:
    browser.open(BacktestResult(record).report(directory / "report.html", **options))


def fills_between(record: RunRecord, symbol: str, start_ms: float, end_ms: float) -> list[float]:
    """Times of a symbol's fills, from the record, not from the page."""
    ts = np.asarray(record.fills["ts_event"]) / 1e6
    named = np.array([name == symbol for name in record.fills["symbol"]])
    return sorted(ts[named & (ts >= start_ms) & (ts <= end_ms)].tolist())


def in_view(browser: Browser) -> tuple[list[float], int]:
    times = browser.evaluate("pyrtReport.visibleFills().map((fill) => fill.ts)")
    return times, browser.evaluate("pyrtReport.marks()")


def stamp(day: int, minute: int) -> float:
    """Milliseconds of a minute of the run's first weeks; half past it, so between bars."""
    return ((MONDAY + day) * DAY + minute * MINUTE + MINUTE // 2) / 1e6


def test_the_page_opens_without_errors_or_requests(browser: Browser, page: Path) -> None:
    browser.requests.clear()
    browser.open(page)
    assert browser.problems == []
    assert {url.split(":")[0] for url in browser.requests} <= {"file", "data", "blob"}


def test_every_fill_has_one_mark_when_all_is_in_view(browser: Browser, page: Path) -> None:
    shown(browser, page)
    times, marks = in_view(browser)
    assert marks == len(times) == len(LONG.fills["ts_event"]) > 3_000


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (stamp(0, 900), stamp(0, 1_000)),  # candles, a handful of fills
        (stamp(0, 1_230), stamp(1, 880)),  # across a night
        (stamp(0, 1_300), stamp(1, 900)),  # from within a night
        (stamp(4, 1_250), stamp(7, 900)),  # across a weekend
        (stamp(0, 870), stamp(11, 1_300)),  # marks as elements
        (stamp(0, 870), stamp(60, 1_300)),  # marks as triangles of one path
    ],
)
def test_marks_in_view_are_the_fills_in_the_window(
    browser: Browser, page: Path, start: float, end: float
) -> None:
    shown(browser, page)
    browser.evaluate(f"pyrtReport.setWindow({start}, {end})")
    times, marks = in_view(browser)
    assert times == fills_between(LONG, "SPY", start, end)
    assert marks == len(times) > 0
    window = browser.evaluate("pyrtReport.window()")
    assert window == pytest.approx({"start": start, "end": end}, abs=1.0)


def test_marks_survive_changes_of_detail(browser: Browser, page: Path) -> None:
    windows = ("0.25, 8000.25", "1000.25, 1200.25", "0.25, 30000.25", "500.25, 9000.25")
    for window in (*windows, *reversed(windows)):
        shown(browser, page)
        browser.evaluate(f"pyrtReport.chart.show({window}).then(() => 0)")
        times, marks = in_view(browser)
        assert marks == len(times) > 0


def test_panning_by_plotly_itself_renews_the_marks(browser: Browser, page: Path) -> None:
    shown(browser, page)
    for left in (1_000.25, 1_400.25, 90_000.25):
        browser.evaluate(
            f"Plotly.relayout('chart', {{'xaxis.range': [{left}, {left + 2_000}]}}).then(() => 0)"
        )
        times, marks = in_view(browser)
        window = browser.evaluate("pyrtReport.window()")
        assert times == fills_between(LONG, "SPY", window["start"], window["end"])
        assert marks == len(times) > 40


def test_dragging_pans(browser: Browser, page: Path) -> None:
    shown(browser, page)
    browser.evaluate("pyrtReport.chart.show(5000.25, 7000.25).then(() => 0)")
    browser.evaluate("document.getElementById('chart').scrollIntoView()")
    mouse = {"y": 120, "button": "left", "clickCount": 1}
    browser.send("Input.dispatchMouseEvent", type="mousePressed", x=900, **mouse)
    for x in (850, 750, 600, 500):
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, **mouse)
    browser.send("Input.dispatchMouseEvent", type="mouseReleased", x=500, **mouse)
    browser.evaluate(SETTLED)
    left, right = browser.evaluate("pyrtReport.chart.window")
    assert left > 5_400.0
    assert right - left == pytest.approx(2_000.0)
    times, marks = in_view(browser)
    window = browser.evaluate("pyrtReport.window()")
    assert times == fills_between(LONG, "SPY", window["start"], window["end"])
    assert marks == len(times) > 40


def test_what_is_drawn_stays_small_and_keeps_the_extremes(browser: Browser, page: Path) -> None:
    shown(browser, page)
    drawn = browser.evaluate(
        "pyrtReport.chart.element.data.map((t) => [t.name, t.y ? t.y.length : t.open.length])"
    )
    sizes = dict(drawn)
    assert max(sizes[name] for name in ("Equity", "Drawdown", "Close")) < 6_000
    peaks = browser.evaluate(
        "[Math.max(...pyrtReport.chart.element.data.find((t) => t.name === 'Equity').y),"
        " Math.max(...pyrtReport.chart.element.data.find((t) => t.name === 'High').y),"
        " Math.min(...pyrtReport.chart.element.data.find((t) => t.name === 'Low').y)]"
    )
    bars = LONG.prices["SPY"]
    expected = [np.max(LONG.equity), np.max(bars["high"]), np.min(bars["low"])]
    assert peaks == pytest.approx(expected)


def test_a_click_on_a_round_trip_zooms_to_it(browser: Browser, page: Path) -> None:
    shown(browser, page)
    browser.evaluate("document.querySelectorAll('#trades tbody tr')[7].click()")
    window = browser.evaluate("pyrtReport.window()")
    entry, leave = (LONG.trades[name][7] / 1e6 for name in ("entry_time", "exit_time"))
    assert window["start"] < entry < leave < window["end"]
    assert window["end"] - window["start"] < 4 * DAY / 1e6
    assert {entry, leave} <= set(in_view(browser)[0])


def test_the_list_sorts_filters_and_turns_pages(browser: Browser, page: Path) -> None:
    shown(browser, page)
    column = "[...document.querySelectorAll('#trades tbody tr')].map((r) => +r.dataset.number)"
    assert browser.evaluate(column) == list(range(1, 26))
    browser.evaluate("document.querySelector('#trades [data-page=\"1\"]').click()")
    assert browser.evaluate(column)[0] == 26
    browser.evaluate("document.querySelector('#trades th[data-key=\"pnl\"]').click()")
    worst = int(np.argmin(LONG.trades["pnl"])) + 1
    assert browser.evaluate(column)[0] == worst
    browser.evaluate("document.querySelector('#trades [data-outcome=\"won\"]').click()")
    place = browser.evaluate("document.querySelector('#trades [data-place]').textContent")
    won = int(np.sum(np.round(LONG.trades["pnl"], 6) > 0))
    assert place.endswith(f"of {won:,}")


def test_positions_and_times_are_inverse_maps(browser: Browser, page: Path) -> None:
    shown(browser, page)
    off = browser.evaluate(
        "Math.max(...Array.from({length: 5000}, (_, i) => i * 23.9 - 7.3).map((x) =>"
        " Math.abs(pyrtReport.chart.timeline.positionOf(pyrtReport.chart.timeline.timeAt(x)) - x)))"
    )
    assert off < 1e-3


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    opened(browser, hostile_record(), tmp_path)
    browser.evaluate("document.querySelector('#trades tbody tr').click()")
    browser.evaluate(SETTLED)
    assert browser.problems == []
    assert not browser.evaluate("document.title").startswith("owned")
    assert browser.evaluate("document.querySelectorAll('img').length") == 0


def test_several_symbols_can_be_chosen(browser: Browser, tmp_path: Path) -> None:
    record = trading_record(3_000, symbols=("SPY", "AAPL"), every=80)
    opened(browser, record, tmp_path, timezone="America/New_York")
    choose = "(() => { const s = document.getElementById('symbol'); s.value = 'AAPL';"
    browser.evaluate(choose + " s.dispatchEvent(new Event('change')); })()")
    times, marks = in_view(browser)
    assert marks == len(times) == record.fills["symbol"].count("AAPL")
    assert browser.problems == []


AWKWARD: dict[str, Any] = {
    "no events": RunRecord(initial_cash=1.0),
    "flat": daily_record(np.full(5, 1e5)),
    "ruin": daily_record([5e4, -2e4, -3e4]),
    "no prices": trading_record(prices={}),
    "three bars": trading_record(3),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_runs_open_without_errors(browser: Browser, tmp_path: Path, name: str) -> None:
    opened(browser, AWKWARD[name], tmp_path)
    browser.evaluate("document.getElementById('theme').click()")
    if len(AWKWARD[name].equity):
        browser.evaluate("document.getElementById('log').click()")
    browser.evaluate(SETTLED)
    assert browser.problems == []

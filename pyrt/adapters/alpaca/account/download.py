"""History to Parquet: month by month, resumable, incremental, and checked when it is there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.account.reading import Reader
from pyrt.adapters.alpaca.core.events import BarEvent
from pyrt.adapters.alpaca.core.history import BarHistory, wire_timeframe
from pyrt.core.times import format_ns
from pyrt.data.timeframe import parse_timeframe
from pyrt.errors import ConfigError, DataError
from pyrt.venues.sessions import NS_PER_DAY, sessions

SECOND = 1_000_000_000
MANIFEST = "manifest.json"
UNSETTLED_NS = 900 * SECOND
"""The latest bars may still come or change: what is younger is asked for again the next time."""
Progress = Callable[[str, int], object]
"""Called with a line on what was fetched, and how many months are behind us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to fetch; times in ns UTC, `end` not included.

    Attributes
    ----------
    adjustment : str
        ``raw``, ``split``, ``dividend`` or ``all``.
    """

    symbols: tuple[str, ...]
    start: int
    end: int
    timeframe: str = "1m"
    feed: str = "iex"
    adjustment: str = "raw"

    def __post_init__(self) -> None:
        if not self.symbols:
            raise ConfigError("no symbols are named", remedy="Name some: --symbols SPY,QQQ")
        if self.start >= self.end:
            raise ConfigError(
                f"the span from {format_ns(self.start)} to {format_ns(self.end)} is empty"
            )
        wire_timeframe(self.timeframe)

    @property
    def terms(self) -> dict[str, str]:
        """What all files of one folder have in common."""
        return {
            "timeframe": self.timeframe,
            "feed": self.feed,
            "adjustment": self.adjustment,
            "source": "alpaca",
        }


@dataclass(slots=True)
class Report:
    """What a download came to.

    Attributes
    ----------
    rows, fetched, kept : int
        Bars on disk for the span, bars fetched now, months that were there already.
    empty : list of str
        Symbols without a single bar in the whole span: most likely they are no symbols.
    missing_sessions : dict
        Symbol → dates of sessions without a single bar.
    gaps : dict
        Symbol → missing bars inside sessions; minutes without a trade have none.
    files : list of Path
    """

    rows: int = 0
    fetched: int = 0
    kept: int = 0
    empty: list[str] = field(default_factory=list)
    missing_sessions: dict[str, list[str]] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "rows": self.rows,
            "fetched": self.fetched,
            "kept_months": self.kept,
            "empty": self.empty,
            "missing_sessions": self.missing_sessions,
            "gaps": self.gaps,
            "files": [str(path) for path in self.files],
        }


def months(start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yield (name, first ns, first ns after) of the months that a span touches, clipped to it.

    Examples
    --------
    >>> [name for name, *_ in months(1_381_152_600 * 10**9, 1_383_300_000 * 10**9)]
    ['2013-10', '2013-11']
    """
    moment = datetime.fromtimestamp(start // SECOND, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    while (first := int(moment.timestamp()) * SECOND) < end:
        following = (moment + timedelta(days=32)).replace(day=1)
        after = int(following.timestamp()) * SECOND
        yield f"{moment:%Y-%m}", max(first, start), min(after, end)
        moment = following


class Store:
    """One symbol's folder of monthly files, and the manifest that says what they hold.

    Raises
    ------
    ConfigError
        If the folder holds bars of other terms: another feed, timeframe or adjustment.
    """

    def __init__(self, folder: Path, symbol: str, terms: dict[str, str]) -> None:
        self.folder = folder / symbol.replace("/", "-")
        self.symbol = symbol
        self._path = self.folder / MANIFEST
        self._manifest: dict[str, Any] = {**terms, "symbol": symbol, "months": {}}
        _sweep(self.folder)
        if self._path.exists():
            found = json.loads(self._path.read_text("utf-8"))
            other = {n: found.get(n) for n in terms if found.get(n) != terms[n]}
            if other:
                raise ConfigError(
                    f"{self.folder} holds bars of {other}",
                    code="other_terms",
                    remedy="Choose another folder for them",
                )
            self._manifest = found

    def covered(self, month: str) -> tuple[int, int] | None:
        """Return the span of a month that is on disk, ns UTC; None where nothing is."""
        entry = self._manifest["months"].get(month)
        if entry is None or not self.path(month).exists():
            return None
        return entry["start"], entry["end"]

    def path(self, month: str) -> Path:
        """Return a month's file."""
        return self.folder / f"{month}.parquet"

    def read(self, month: str) -> Any:
        """Return a month's rows as a table."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path(month))

    def write(self, month: str, bars: Sequence[BarEvent], span: tuple[int, int]) -> None:
        """Put a month in place, whole or not at all, and note its span."""
        import pyarrow.parquet as pq

        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.path(month).with_suffix(f".{os.getpid()}.part")
        table = table_of(self.symbol, bars, self._manifest["timeframe"])
        pq.write_table(table, fresh, compression="zstd")
        fresh.replace(self.path(month))
        entry = {"start": span[0], "end": span[1], "rows": len(bars)}
        self._manifest["months"][month] = entry
        fresh = self._path.with_suffix(f".{os.getpid()}.part")
        fresh.write_text(json.dumps(self._manifest, indent=1, sort_keys=True), "utf-8")
        fresh.replace(self._path)


def _sweep(folder: Path) -> None:
    """Remove what downloads that were killed have left half written."""
    for part in folder.glob("*.part"):
        pid = part.name.split(".")[-2]
        if pid.isdigit() and int(pid) != os.getpid() and not _lives(int(pid)):
            part.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def table_of(symbol: str, bars: Sequence[BarEvent], timeframe: str = "1m") -> Any:
    """Return bars as a table that `pyrt.load` reads: stamped at their open, closes beside.

    Days and weeks of stocks have no closes: their midnights name sessions, and it is for a
    calendar to say when those end.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {"ts_event": pa.array([bar.ts_open for bar in bars], pa.int64())}
    if "/" in symbol or parse_timeframe(timeframe) < NS_PER_DAY:
        columns["ts_close"] = pa.array([bar.ts_close for bar in bars], pa.int64())
    columns["symbol"] = pa.array([symbol] * len(bars), pa.string())
    for index, name in enumerate(("open", "high", "low", "close", "volume")):
        columns[name] = pa.array([bar.prices[index] for bar in bars], pa.float64())
    return pa.table(columns)


def bars_of(symbol: str, table: Any, timeframe: str = "1m") -> list[BarEvent]:
    """Return a table's rows as bars."""
    names = ("ts_event", "open", "high", "low", "close", "volume")
    columns = [table.column(name).to_pylist() for name in names]
    span = parse_timeframe(timeframe)
    return [
        BarEvent(symbol, opened, opened + span, tuple(prices))
        for opened, *prices in zip(*columns, strict=True)
    ]


async def download(
    reader: Reader, wanted: Wanted, folder: Path, progress: Progress = lambda line, done: None
) -> Report:
    """Fetch what is missing of a span, and check what is then on disk.

    Months that are complete are not asked for again; one that was fetched in part goes on from
    where it ended. Interrupted, the next call goes on with the month it was at.

    Raises
    ------
    DataError
        If what came does not hold together; the month is not kept.
    ConnectionLost, BrokerError
        As the reader raises them; what is on disk stays.
    """
    report = Report()
    done = 0
    for symbol in wanted.symbols:
        store = Store(folder, symbol, wanted.terms)
        for month, start, end in months(wanted.start, wanted.end):
            covered = store.covered(month)
            if covered is not None and covered[0] <= start and end <= covered[1]:
                report.kept += 1
            else:
                report.fetched += await _fetch_month(reader, wanted, store, month, (start, end))
            done += 1
            report.files.append(store.path(month))
            progress(f"{symbol} {month}", done)
        _check_symbol(store, wanted, report)
    return report


async def _fetch_month(
    reader: Reader, wanted: Wanted, store: Store, month: str, span: tuple[int, int]
) -> int:
    """Fetch a month, or what is missing at its end; return how many bars came."""
    start, end = span
    known: list[BarEvent] = []
    covered = store.covered(month)
    if covered is not None and covered[0] <= start <= covered[1]:
        begin, start = covered
        past = bars_of(store.symbol, store.read(month), wanted.timeframe)
        known = [bar for bar in past if bar.ts_open < start]
        span = begin, end
    # A bar that is open, or has just ended, is asked for again: it opened after `settled`.
    settled = min(end, time.time_ns() - UNSETTLED_NS - parse_timeframe(wanted.timeframe))
    found = await fetch(reader, wanted, store.symbol, start, end)
    bars = [*known, *found]
    check_bars(store.symbol, bars, span)
    store.write(month, bars, (span[0], max(settled, start)))
    return len(found)


async def fetch(
    reader: Reader, wanted: Wanted, symbol: str, start: int, end: int
) -> list[BarEvent]:
    """Fetch the bars that open in [start, end) and have ended, page after page."""
    history = BarHistory(
        (symbol,),
        start,
        end - 1,
        timeframe=wanted.timeframe,
        feed=wanted.feed,
        adjustment=wanted.adjustment,
    )
    request = history.request()
    while True:
        answer = await reader.read(request)
        following = history.receive(answer.body)
        if following is None:
            # The last day of a month ends in the next one; what is open has no close yet.
            now = time.time_ns()
            return [
                bar for bar in history.bars if start <= bar.ts_open < end and bar.ts_close <= now
            ]
        request = following


def check_bars(symbol: str, bars: Sequence[BarEvent], span: tuple[int, int]) -> None:
    """Refuse bars that are out of order, doubled, outside of their span, or impossible.

    Raises
    ------
    DataError
        Naming the first that is wrong.
    """
    last = -1
    for bar in bars:
        opened, high, low, close, volume = bar.prices
        sound = low <= min(opened, close) and max(opened, close) <= high and low > 0
        if not sound or volume < 0 or not span[0] <= bar.ts_open < span[1] or bar.ts_open <= last:
            raise DataError(
                f"the bar of {symbol} at {format_ns(bar.ts_open)} does not hold together: "
                f"{bar.prices}",
                code="bad_bar",
            )
        last = bar.ts_open


def _check_symbol(store: Store, wanted: Wanted, report: Report) -> None:
    """Count rows and what is missing inside the sessions of the span."""
    opens: list[int] = []
    for month, start, end in months(wanted.start, wanted.end):
        column = store.read(month).column("ts_event").to_numpy()
        opens.extend(column[(column >= start) & (column < end)].tolist())
    report.rows += len(opens)
    if not opens:
        report.empty.append(store.symbol)
    if "/" in store.symbol:
        return
    stamps = np.array(opens, np.int64)
    table = sessions("XNYS", wanted.start - 7 * NS_PER_DAY, wanted.end + 7 * NS_PER_DAY)
    length = parse_timeframe(wanted.timeframe)
    missing: list[str] = []
    gaps = 0
    for opened, closed, day in zip(table.open, table.close, table.date, strict=True):
        if opened < wanted.start or closed > wanted.end:
            continue
        first = opened if length < NS_PER_DAY else opened - opened % NS_PER_DAY
        count = int(((stamps >= first) & (stamps < closed)).sum())
        if not count:
            missing.append((date(1970, 1, 1) + timedelta(days=int(day))).isoformat())
        elif length < NS_PER_DAY:
            gaps += max(0, -(-int(closed - opened) // length) - count)
    report.missing_sessions[store.symbol] = missing
    report.gaps[store.symbol] = gaps


# -- corporate actions -----------------------------------------------------------------------------

BEFORE_EX = timedelta(days=30)
AFTER_EX = timedelta(days=366)
"""How far the date by which the broker looks for an action may lie from its ex-date.

It looks for the day of processing, of dividends that of payment: weeks after the ex-date, of some
foreign shares half a year, and with due bills a few days before it.
"""


async def download_actions(
    reader: Reader, symbols: Sequence[str], start: int, end: int, path: Path
) -> int:
    """Fetch splits and cash dividends into one table that backtests take; return its rows.

    They are those whose ex-date lies in [start, end).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, last = (date.fromisoformat(format_ns(ts)[:10]) for ts in (start, end - 1))
    rows: list[tuple[str, str, str, float | None, float | None]] = []
    span = f"start={first - BEFORE_EX}&end={last + AFTER_EX}"
    query = f"symbols={','.join(symbols)}&{span}&limit=1000"
    token = ""
    while True:
        page = f"{query}&page_token={token}" if token else query
        body = await reader.get(f"/v1/corporate-actions?{page}", host="data")
        found = _action_rows(body.get("corporate_actions") or {})
        rows.extend(row for row in found if str(first) <= row[1] <= str(last))
        token = body.get("next_page_token") or ""
        if not token:
            break
    rows.sort(key=lambda row: (row[1], row[0], row[2]))
    names = ("symbol", "ex_date", "kind", "split_ratio", "cash_amount")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    kinds = (pa.string(), pa.string(), pa.string(), pa.float64(), pa.float64())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    table = pa.table(dict(zip(names, arrays, strict=True)))
    table = table.set_column(1, "ex_date", table.column("ex_date").cast(pa.date32()))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.part")
    pq.write_table(table, fresh)
    fresh.replace(path)
    return len(rows)


def _action_rows(
    actions: dict[str, Any],
) -> Iterator[tuple[str, str, str, float | None, float | None]]:
    for kind in ("forward_splits", "reverse_splits"):
        for each in actions.get(kind) or ():
            ratio = float(each["new_rate"]) / float(each["old_rate"])
            yield each["symbol"], each["ex_date"], "split", ratio, None
    for each in actions.get("cash_dividends") or ():
        yield each["symbol"], each["ex_date"], "cash_dividend", None, float(each["rate"])

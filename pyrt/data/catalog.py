"""A catalog: a directory of Parquet files by kind, symbol and timeframe, with disjoint spans."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pyrt.core.suggest import did_you_mean
from pyrt.data.arrow import to_arrow
from pyrt.data.bars import build_bars
from pyrt.data.columns import BarColumns, Columns, take
from pyrt.data.containers import from_arrow
from pyrt.data.files import open_parquet
from pyrt.data.options import Options
from pyrt.data.report import Report
from pyrt.data.slicing import cut, moment
from pyrt.data.ticks import build_ticks
from pyrt.data.timeframe import format_timeframe, parse_timeframe
from pyrt.errors import ConfigError, DataError, UnknownName

MARKER = "pyrt-catalog.json"
"""File at the root that makes a directory a catalog and names the version of its layout."""

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file of a catalog: rows known from `start_ns` to `end_ns`, both included."""

    kind: str
    symbol: str
    timeframe: str
    start_ns: int
    end_ns: int
    path: Path


class Catalog:
    """Market data on disk, by symbol and time.

    Files lie at ``kind/symbol/[timeframe/]start_end.parquet`` below the root, symbols
    percent-encoded, stamps in nanoseconds UTC; each is a table that `load` reads by itself.

    Parameters
    ----------
    root : str or Path
        Made by the first `write` if it is not there.

    Raises
    ------
    DataError
        If the directory holds a catalog of another version.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        marker = self.root / MARKER
        if marker.is_file():
            version = json.loads(marker.read_text()).get("version")
            if version != FORMAT_VERSION:
                raise DataError(
                    f"the catalog {self.root} has version {version}",
                    code="catalog_version",
                    remedy=f"This pyrt reads version {FORMAT_VERSION}: update it, or write anew",
                    version=version,
                )

    def write(self, columns: Columns) -> Path:
        """Store columns as one file and return its path; the file is whole or not there.

        Raises
        ------
        DataError
            If there are no rows, or their span overlaps that of a stored file; nothing is written.
        """
        if not len(columns):
            raise DataError("there are no rows to store", code="empty", remedy="Give rows")
        timeframe = columns.timeframe if isinstance(columns, BarColumns) else ""
        first, last = int(columns.ts_init[0]), int(columns.ts_init[-1])
        for entry in self.entries(columns.kind, columns.symbol, timeframe or None):
            if first <= entry.end_ns and entry.start_ns <= last:
                raise DataError(
                    f"{columns.symbol}: these rows overlap those of {entry.path.name}",
                    code="catalog_overlap",
                    remedy=f"Cut them, or remove {entry.path} first",
                    path=str(entry.path),
                )
        folder = self.root / columns.kind / quote(columns.symbol, safe="") / timeframe
        folder.mkdir(parents=True, exist_ok=True)
        self._mark()
        path = folder / f"{first}_{last}.parquet"
        _write_whole(path, to_arrow(columns))
        return path

    def entries(
        self, kind: str | None = None, symbol: str | None = None, timeframe: str | None = None
    ) -> list[Entry]:
        """Return the stored files, sorted, of a kind, symbol and timeframe or of all."""
        found = (_entry(path, self.root) for path in self.root.rglob("*.parquet"))
        length = None if timeframe is None else format_timeframe(parse_timeframe(timeframe))
        return sorted(
            entry
            for entry in found
            if kind in (None, entry.kind)
            and symbol in (None, entry.symbol)
            and length in (None, entry.timeframe)
        )

    def symbols(self, kind: str = "bars") -> list[str]:
        """Return the symbols that have data of a kind, sorted."""
        return sorted({entry.symbol for entry in self.entries(kind)})

    def read(
        self,
        kind: str,
        symbol: str,
        timeframe: str | None = None,
        *,
        start: Any = None,
        end: Any = None,
    ) -> Columns:
        """Return the rows of one symbol.

        Parameters
        ----------
        kind, symbol : str
        timeframe : str, optional
            Needed where bars of several are stored.
        start, end : str, date, datetime, Timestamp or int, optional
            As in `load`, except that nothing before `start` is kept.

        Raises
        ------
        UnknownName
            If there is no such data; close names are suggested.
        ConfigError
            If several timeframes are stored and none is given.
        DataError
            If a file does not hold together, or no row lies in the span.
        """
        entries = self._require(kind, symbol, timeframe)
        start_ns = None if start is None else moment(start, None)
        end_ns = None if end is None else moment(end, None, is_end=True)
        chosen = [
            entry
            for entry in entries
            if (start_ns is None or entry.end_ns >= start_ns)
            and (end_ns is None or entry.start_ns <= end_ns)
        ]
        columns = _read_entries(chosen) if chosen else None
        if columns is not None:
            columns, before = cut(columns, start_ns, end_ns, 0)
            columns = take(columns, slice(before, None))
        if columns is None or not len(columns):
            raise DataError(
                f"{symbol}: no {kind} in that span",
                code="empty",
                remedy=f"Stored are {len(entries)} files; see Catalog.entries()",
                symbol=symbol,
            )
        return columns

    def read_all(
        self, kind: str, symbols: tuple[str, ...] | None = None, *, end: int | None = None
    ) -> Iterator[Columns]:
        """Yield everything of a kind, or of some symbols: one entry a symbol and timeframe."""
        for symbol in symbols or tuple(self.symbols(kind)):
            entries = self._require(kind, symbol, None, several=True)
            for timeframe in dict.fromkeys(entry.timeframe for entry in entries):
                yield self.read(kind, symbol, timeframe or None, end=end)

    def _require(
        self, kind: str, symbol: str, timeframe: str | None, *, several: bool = False
    ) -> list[Entry]:
        entries = self.entries(kind, symbol, timeframe)
        if not entries:
            known = self.symbols(kind)
            what = f"{timeframe} {kind}" if timeframe and symbol in known else kind
            stored = [e.timeframe for e in self.entries(kind, symbol)] if symbol in known else known
            raise UnknownName(
                f"the catalog {self.root} has no {what} of {symbol!r}",
                code="unknown_symbol",
                remedy=did_you_mean((timeframe or "") if symbol in known else symbol, stored),
                symbol=symbol,
            )
        stored = list(dict.fromkeys(entry.timeframe for entry in entries))
        if len(stored) > 1 and not several:
            raise ConfigError(
                f"the catalog has {symbol} at {', '.join(stored)}",
                code="timeframe",
                remedy=f'Write timeframe="{stored[0]}"',
            )
        return entries

    def _mark(self) -> None:
        marker = self.root / MARKER
        if not marker.exists():
            marker.write_text(json.dumps({"version": FORMAT_VERSION}) + "\n")


def is_catalog(data: Any) -> bool:
    """Tell whether `data` is the path of a catalog's root."""
    return isinstance(data, str | os.PathLike) and (Path(data) / MARKER).is_file()


def _entry(path: Path, root: Path) -> Entry:
    kind, symbol, *timeframe = path.relative_to(root).parts[:-1]
    start, _, end = path.stem.partition("_")
    name = timeframe[0] if timeframe else ""
    return Entry(kind, unquote(symbol), name, int(start), int(end), path)


def _read_entries(entries: list[Entry]) -> Columns:
    import pyarrow as pa

    first = entries[0]
    tables = []
    for entry in entries:
        with open_parquet(entry.path) as file:
            tables.append(file.read())
    # One symbol a directory, so its column says nothing new.
    joined = pa.concat_tables(
        [_with_arrival(t.drop_columns(["symbol"]), first.kind) for t in tables]
        if any("ts_recv" in t.column_names for t in tables)
        else [t.drop_columns(["symbol"]) for t in tables]
    )
    table = replace(from_arrow(joined, str(first.path.parent)), symbol=first.symbol)
    report = Report(table.source)
    if first.kind == "bars":
        options = Options(timeframe_ns=parse_timeframe(first.timeframe))
        built = build_bars(table, first.kind, options, report)
    else:
        built = build_ticks(table, first.kind, Options(), report)
    report.raise_if_any()
    columns: Columns = built.columns[0]
    return columns


def _with_arrival(table: Any, kind: str) -> Any:
    """Return the table with the column ts_recv, last; rows were known when they happened if it
    was not stored."""
    if "ts_recv" in table.column_names:
        arrival = table.column("ts_recv")
        table = table.drop_columns(["ts_recv"])
    else:
        arrival = table.column("ts_close" if kind == "bars" else "ts_event")
    return table.append_column("ts_recv", arrival)


def _write_whole(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq

    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        pq.write_table(table, part, compression="zstd", row_group_size=1 << 17)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)

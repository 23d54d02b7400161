"""Streams from Parquet: chunks of columns read ahead on a second thread, in bounded memory."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.bars import Built, build_bars
from pyrt.data.clocks import iso
from pyrt.data.columns import BarColumns, Columns, array_names, hasher_of, take
from pyrt.data.containers import (
    RawTable,
    from_arrow,
    open_parquet,
    parquet_columns,
    require_file,
)
from pyrt.data.hashing import ContentHasher
from pyrt.data.inference import Decision
from pyrt.data.options import Options, make_options
from pyrt.data.recognize import recognize
from pyrt.data.report import Report
from pyrt.data.slicing import moment
from pyrt.data.suggest import did_you_mean
from pyrt.data.ticks import build_ticks
from pyrt.errors import ConfigError, DataError, UnknownName

CHUNK_ROWS = 1 << 17
"""Rows of a chunk unless asked otherwise: a few megabytes."""

READ_AHEAD = 3
"""Chunks that wait to be taken; with the one being read and the one in use, this bounds memory."""

_ACROSS_ROWS = ("sort", "drop_duplicates", "ffill")


class ParquetStream:
    """The rows of one symbol from Parquet files, chunk by chunk.

    Chunks pass the same checks as a table that is loaded whole, the borders between them included.
    The timeframe and the label are decided on the first chunk and hold for all. Where chunks begin
    and end depends on the files and `chunk_rows` alone, never on timing.

    Parameters
    ----------
    paths : str, Path, or list of these
        Read one after the other, in this order.
    kind : str, optional
        ``"bars"``, ``"quotes"``, ``"trades"`` or ``"book"``; recognized by the columns.
    symbol : str, optional
        Needed where the files hold several, or name none.
    timeframe, label, tz, calendar, repair, start, end :
        As in `load`; repairs that look at other rows are refused, and nothing before `start` is
        kept.
    chunk_rows : int
        Rows read at a time, 1,000 at least.

    Raises
    ------
    ConfigError
        If an option is none of those allowed.
    UnknownName
        If a file does not exist.
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        kind: str | None = None,
        symbol: str | None = None,
        *,
        timeframe: str | None = None,
        label: str | None = None,
        tz: object = None,
        calendar: str | None = None,
        repair: str | Iterable[str] | None = None,
        start: Any = None,
        end: Any = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self.paths = (
            [Path(paths)]
            if isinstance(paths, str | os.PathLike)
            else [Path(path) for path in paths]
        )
        for path in self.paths:
            require_file(path)
        options = make_options(
            symbol=symbol,
            default_symbol=None,
            timeframe=timeframe,
            label=label,
            tz=tz,
            calendar=calendar,
            repair=repair,
            kind=kind,
            price=None,
            adjusted=False,
        )
        _require_row_by_row(options, chunk_rows)
        self.rows = 0
        """Rows handed out so far."""
        self._reader = _Reader(
            self.paths,
            options,
            None if start is None else moment(start, options.tz),
            None if end is None else moment(end, options.tz, is_end=True),
            chunk_rows,
        )
        self._queue: queue.Queue[Columns | BaseException | None] = queue.Queue(READ_AHEAD)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended = False

    def next_chunk(self) -> Columns | None:
        """Return the next rows, at least one, or None after the last.

        Raises
        ------
        DataError
            If rows do not hold together, naming their numbers over all files; the stream has
            ended then.
        UnknownName
            If no row is of the symbol; close names are suggested.
        """
        if self._ended:
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pyrt-parquet", daemon=True)
            self._thread.start()
        item = self._queue.get()
        if isinstance(item, BaseException):
            self.close()
            raise item
        if item is None:
            self.close()
            return None
        self.rows += len(item)
        return item

    def content_hash(self) -> bytes:
        """Return the hash that the same rows have when they are loaded whole.

        Raises
        ------
        DataError
            If the stream was not read to its end.
        """
        if not self._reader.finished or self._reader.hasher is None or not self._ended:
            raise DataError(
                "the content hash of a stream is known at its end",
                code="stream_open",
                remedy="Take chunks until next_chunk() returns None",
            )
        return self._reader.hasher.digest()

    def close(self) -> None:
        """End the stream and its thread; further chunks are None."""
        self._ended = True
        self._stop.set()
        if self._thread is not None:
            # The reader may wait for room in the queue: make some until it has seen the flag.
            while self._thread.is_alive():
                try:
                    self._queue.get_nowait()
                except queue.Empty:
                    self._thread.join(0.01)
            self._thread = None

    def __enter__(self) -> ParquetStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Columns]:
        while (chunk := self.next_chunk()) is not None:
            yield chunk

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            for chunk in self._reader.chunks():
                self._queue.put(chunk)
                if self._stop.is_set():
                    return
        except BaseException as error:  # handed to the thread that asks for the chunk
            last = error
        self._queue.put(last)


def _require_row_by_row(options: Options, chunk_rows: int) -> None:
    for name in _ACROSS_ROWS:
        if name in options.repairs:
            raise ConfigError(
                f'a stream cannot repair with "{name}": the rows it needs may have gone',
                code="repair",
                remedy="Load the file with that repair once and store it: Catalog(...).write(...)",
            )
    if options.kind in ("quotebars", "closes"):
        raise ConfigError(
            f"a stream has no {options.kind}",
            code="kind",
            remedy="Load them, and store the bars in a catalog",
        )
    if chunk_rows < 1_000:
        raise ConfigError(
            f"chunk_rows={chunk_rows} is too few", code="chunk_rows", remedy="Give 1,000 or more"
        )


class _Reader:
    """What runs on the second thread: batches of rows in, checked chunks out."""

    def __init__(
        self,
        paths: list[Path],
        options: Options,
        start_ns: int | None,
        end_ns: int | None,
        chunk_rows: int,
    ) -> None:
        self.hasher: ContentHasher | None = None
        self.finished = False
        self._paths = paths
        self._options = options
        self._start_ns, self._end_ns = start_ns, end_ns
        self._chunk_rows = chunk_rows
        self._symbol = options.symbols[0] if options.symbols else None
        self._decision: Decision | None = None
        self._edge: int | None = None
        self._seen: dict[str, None] = {}
        self._rows_of_file = 0

    def chunks(self) -> Iterator[Columns]:
        offset = 0
        for path in self._paths:
            for first_row, batch in self._batches(path):
                chunk = self._chunk(path, batch, offset + first_row)
                if chunk is not None and len(chunk):
                    self._add(chunk)
                    yield chunk
                if self._past_end():
                    self.finished = True
                    return
            offset += self._rows_of_file
        if self.hasher is None and self._symbol not in self._seen and self._seen:
            raise UnknownName(
                f"no row is of the symbol {self._symbol!r}",
                code="unknown_symbol",
                remedy=did_you_mean(str(self._symbol), self._seen),
                symbol=self._symbol,
            )
        self.finished = True

    def _batches(self, path: Path) -> Iterator[tuple[int, Any]]:
        """Yield the number of the first row and the rows, row groups before the start left out."""
        import pyarrow as pa

        with open_parquet(path) as file:
            names = parquet_columns(file.schema_arrow.names)
            row = 0
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if not self._ends_before_start(file, group):
                    at = row
                    for batch in file.iter_batches(
                        self._chunk_rows, row_groups=[group], columns=names, use_threads=False
                    ):
                        yield at, pa.Table.from_batches([batch])
                        at += len(batch)
                row += rows
            self._rows_of_file = row

    def _ends_before_start(self, file: Any, group: int) -> bool:
        # The first group is always read: the timeframe and the label are decided on it.
        if self._start_ns is None or (self._decision is None and self._edge is None):
            return False
        meta = file.metadata.row_group(group)
        latest: dict[str, int] = {}
        for index in range(meta.num_columns):
            column = meta.column(index)
            stats = column.statistics
            if stats is not None and stats.has_min_max and isinstance(stats.max, int):
                latest[column.path_in_schema] = stats.max
        known = latest.get("ts_recv", latest.get("ts_event"))
        return known is not None and known < self._start_ns

    def _chunk(self, path: Path, batch: Any, first_row: int) -> Columns | None:
        table = self._of_symbol(from_arrow(batch, path.name), first_row)
        if table is None:
            return None
        kind = recognize({*table.names, *table.columns}, self._options.kind, table.source)
        report = Report(table.source)
        if kind == "bars":
            built = build_bars(table, kind, self._options, report, self._decision)
        elif kind in ("quotes", "trades", "book"):
            built = build_ticks(table, kind, self._options, report)
        else:
            raise DataError(
                f"{table.source}: a stream has no {kind}",
                code="kind",
                remedy="Load them, and store the bars in a catalog",
            )
        report.raise_if_any()
        if not built.columns:
            return None
        self._decision = built.decision
        return self._joined(built, first_row)

    def _of_symbol(self, table: RawTable, first_row: int) -> RawTable | None:
        """Return the rows of the stream's symbol, with their numbers over all files."""
        import pyarrow.compute as pc

        numbers: NDArray[np.int64] = np.arange(first_row, first_row + table.rows)
        column = table.columns.get("symbol")
        if column is None:
            if self._symbol is None:
                self._refuse(table.source, "the file does not say which symbol it is of")
            return RawTable(
                table.source, table.columns, table.rows, table.names, self._symbol, "", numbers
            )
        present = [str(word) for word in pc.unique(column.cast("string")).to_pylist()]
        self._seen |= dict.fromkeys(present)
        if self._symbol is None:
            if len(self._seen) > 1:
                self._refuse(table.source, f"it holds {', '.join(list(self._seen)[:3])}")
            self._symbol = present[0]
        if self._symbol not in present:
            return None
        columns = {name: values for name, values in table.columns.items() if name != "symbol"}
        rows = table.rows
        if len(present) > 1:
            mask = pc.equal(column.cast("string"), self._symbol)
            columns = {name: values.filter(mask) for name, values in columns.items()}
            numbers = numbers[mask.to_numpy()]
            rows = len(numbers)
        return RawTable(table.source, columns, rows, table.names, self._symbol, "", numbers)

    def _refuse(self, source: str, what: str) -> None:
        raise DataError(
            f"{source}: {what}, and a stream is of one symbol",
            code="symbol",
            remedy='Write symbol="SPY"',
        )

    def _joined(self, built: Built, first_row: int) -> Columns:
        """Return the rows of the span, after the check that they follow on the chunk before."""
        columns: Columns = built.columns[0]
        is_bars = isinstance(columns, BarColumns)
        begins = columns.ts_open if isinstance(columns, BarColumns) else columns.ts_init
        ends = columns.ts_close if isinstance(columns, BarColumns) else columns.ts_init
        if self._edge is not None and int(begins[0]) < self._edge:
            raise DataError(
                f"{columns.symbol}: row {first_row} ({iso(begins[0])}) comes before the end of the "
                f"rows before it ({iso(self._edge)})",
                code="unsorted",
                remedy="Give the files in order of time, each sorted; rows count from 0",
                rows={"unsorted": [first_row]},
            )
        self._edge = int(ends[-1])
        low = 0 if self._start_ns is None else int(np.searchsorted(begins, self._start_ns))
        high = len(columns)
        if self._end_ns is not None:
            high = int(np.searchsorted(ends, self._end_ns, "right" if is_bars else "left"))
        if low == 0 and high == len(columns):
            return columns
        return take(columns, slice(low, max(low, high)))

    def _past_end(self) -> bool:
        return self._end_ns is not None and self._edge is not None and self._edge > self._end_ns

    def _add(self, chunk: Columns) -> None:
        if self.hasher is None:
            self.hasher = hasher_of(chunk)
        self.hasher.update(*(getattr(chunk, name) for name in array_names(chunk)))

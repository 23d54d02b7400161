"""What a stream does on its second thread: batches of Parquet rows in, checked chunks out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.core.suggest import did_you_mean
from pyrt.data.bars import Built, build_bars
from pyrt.data.clocks import iso
from pyrt.data.columns import BarColumns, Columns, array_names, hasher_of, take
from pyrt.data.containers import RawTable, from_arrow
from pyrt.data.files import open_parquet, parquet_columns
from pyrt.data.hashing import ContentHasher
from pyrt.data.inference import SAMPLE_ROWS, Decision
from pyrt.data.options import Options
from pyrt.data.recognize import recognize
from pyrt.data.report import Report
from pyrt.data.ticks import build_ticks
from pyrt.errors import DataError, UnknownName

ACROSS_ROWS = ("sort", "drop_duplicates", "ffill")
"""Repairs that look at other rows, which may have gone."""


class Reader:
    """The chunks of one symbol; parameters as those of `ParquetStream`, checked.

    Attributes
    ----------
    finished : bool
        Every row has been handed out.
    hasher : ContentHasher or None
        Over the rows handed out; None before the first.
    """

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
        self.day_zone: str | None = None
        """The zone that the first rows state their days in; None before they are read."""
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
        """Yield the number of the first row and the rows, small row groups joined."""
        import pyarrow as pa

        held, first = None, 0
        for at, table in self._groups(path):
            if held is not None and first + held.num_rows == at:
                at, table = first, pa.concat_tables([held, table]).unify_dictionaries()
            elif held is not None:
                yield first, held
            if table.num_rows > self._chunk_rows:
                yield at, table.slice(0, self._chunk_rows)
                at, table = at + self._chunk_rows, table.slice(self._chunk_rows)
            # A decision is to see as many rows as it may look at.
            held, first = (table, at) if table.num_rows < SAMPLE_ROWS else (None, 0)
            if held is None:
                yield at, table
        if held is not None:
            yield first, held

    def _groups(self, path: Path) -> Iterator[tuple[int, Any]]:
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
        # The first rows are always read: the timeframe and the label are decided on them.
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
        report = Report(table.source, ACROSS_ROWS)
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
        self.day_zone = self.day_zone or built.day_zone
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

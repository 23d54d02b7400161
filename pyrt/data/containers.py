"""Containers: every form in which users hold tables becomes columns under lower-case names.

A column stays what it was (a pandas Series or Index, an Arrow chunked array); `pyrt.data.cells`
and `pyrt.data.stamps` turn it into NumPy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.columns import BarColumns, BookColumns, Columns, QuoteColumns, TradeColumns
from pyrt.data.files import INDEX_NAMES, PARQUET_SUFFIXES, read_file
from pyrt.data.recognize import known_name, normalize
from pyrt.errors import DataError

COLUMNS = (BarColumns, QuoteColumns, TradeColumns, BookColumns)
INDEX = "@index"
"""Name under which a frame's index travels when it has no name that says more."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as given, its columns unread.

    Attributes
    ----------
    source : str
        Names it in messages and in the provenance.
    columns : dict of str to object
        Normalized name to pandas Series, pandas Index or pyarrow ChunkedArray.
    rows : int
    names : tuple of str
        Every column's normalized name, those that mean nothing here included.
    symbol : str or None
        Given by the container: a key of a dict, a column group of a wide frame.
    vendor : str
        ``"yfinance"`` where the container's form is that library's own, else empty.
    row_index : ndarray of int64, shape (rows,), or None
        Row numbers in the container, where rows were left out of it.
    """

    source: str
    columns: dict[str, Any]
    rows: int
    names: tuple[str, ...]
    symbol: str | None = None
    vendor: str = ""
    row_index: NDArray[np.int64] | None = None


def open_tables(data: Any) -> list[RawTable | Columns]:
    """Return the tables that `data` holds, in its own order.

    Raises
    ------
    DataError
        If it is no container of tables, or two of its columns have one name.
    UnknownName
        If a path does not exist; close names are suggested.
    """
    if isinstance(data, COLUMNS):
        return [data]
    if isinstance(data, str | os.PathLike):
        if not os.fspath(data):
            raise DataError("the path of the data is empty", code="no_path", remedy="Name a file")
        return [_open_path(Path(data))]
    if isinstance(data, Mapping):
        _require_symbols(data)
        return [table for key, value in data.items() for table in _named(str(key), value)]
    if isinstance(data, list | tuple):
        return _open_list(data)
    return _open_object(data)


def _open_object(data: Any) -> list[RawTable | Columns]:
    kind = type(data).__module__.partition(".")[0]
    if kind == "pandas" and hasattr(data, "columns"):
        return list(_open_frame(data))
    if kind == "pyarrow" and hasattr(data, "column_names"):
        return [from_arrow(data, "Arrow table")]
    columns = getattr(data, "columns", None)
    if isinstance(columns, tuple) and all(isinstance(one, COLUMNS) for one in columns):
        return list(columns)  # what `load` returned
    if hasattr(data, "__arrow_c_stream__") and kind != "pandas":
        import pyarrow as pa

        return [from_arrow(pa.table(data), f"{type(data).__name__} ({kind})")]
    raise DataError(
        f"{type(data).__name__} is no table of market data",
        code="no_table",
        remedy="Give a DataFrame, a dict of symbol to DataFrame, a Parquet or CSV path, "
        "a directory or list of Parquet files, an Arrow table, or columns",
        type=type(data).__name__,
    )


def _require_symbols(entries: Mapping[Any, Any]) -> None:
    """Raise for a dict of columns, or of one row: what it holds is a frame's to put together."""
    if {normalize(key) for key in entries} >= {"open", "high", "low", "close"}:
        raise DataError(
            "the dict has columns as its keys, not symbols",
            code="no_table",
            remedy="Make a frame of it: pandas.DataFrame(data)",
        )


def _named(symbol: str, value: Any) -> list[RawTable | Columns]:
    tables = open_tables(value)
    named: list[RawTable | Columns] = []
    for table in tables:
        if isinstance(table, RawTable):
            if table.symbol is not None:
                raise DataError(
                    f"the entry {symbol!r} holds a table of several symbols",
                    code="symbol",
                    remedy="Give that table by itself",
                    symbol=symbol,
                )
            table = replace(table, source=f"{symbol} ({table.source})", symbol=symbol)
        elif table.symbol != symbol:
            raise DataError(
                f"the entry {symbol!r} holds columns of {table.symbol!r}",
                code="symbol",
                remedy="Give them the same name",
                symbol=symbol,
            )
        named.append(table)
    return named


def _open_list(items: list[Any] | tuple[Any, ...]) -> list[RawTable | Columns]:
    if not items:
        raise DataError("the list of tables is empty", code="no_table", remedy="Give a table")
    if all(isinstance(item, str | os.PathLike) for item in items):
        return [_join_files([Path(item) for item in items])]
    return [table for item in items for table in open_tables(item)]


_LETTERS = {"t": "timestamp", "o": "open", "h": "high", "l": "low", "c": "close"}
"""The fields of bars as Alpaca's answers spell them."""


def _open_frame(frame: Any) -> Iterable[RawTable]:
    import pandas as pd

    source = f"DataFrame of {len(frame):,} rows"
    if isinstance(frame.columns, pd.MultiIndex):
        yield from _open_wide(frame, source)
        return
    if set(_LETTERS) <= set(frame.columns):
        frame = frame.rename(columns={**_LETTERS, "v": "volume", "n": "trade_count", "vw": "vwap"})
    yield RawTable(source, _frame_columns(frame, source), len(frame), _names(frame.columns))


def _open_wide(frame: Any, source: str) -> Iterable[RawTable]:
    """Split a frame whose columns have a level of fields and a level of symbols.

    Such a frame is a union of spans: a row without any value of a symbol is no row of it.
    """
    fields = {"open", "high", "low", "close"}
    levels = [
        level
        for level in range(frame.columns.nlevels)
        if fields <= {normalize(v) for v in frame.columns.get_level_values(level)}
    ]
    if len(levels) != 1 or frame.columns.nlevels != 2:
        raise DataError(
            f"{source}: no level of its MultiIndex columns holds open, high, low and close",
            code="columns",
            remedy="Give two levels, fields and symbols, as yfinance does",
        )
    vendor = "yfinance" if set(frame.columns.names) == {"Price", "Ticker"} else ""
    symbols = list(dict.fromkeys(frame.columns.get_level_values(1 - levels[0])))
    for symbol in symbols:
        part = frame.xs(symbol, axis=1, level=1 - levels[0])
        kept = None
        if len(symbols) > 1:
            present = part.notna().any(axis=1).to_numpy()
            if not present.all():
                kept = np.flatnonzero(present)
                part = part.iloc[kept]
        name = f"{symbol} of a {source}"
        columns = _frame_columns(part, name)
        names = _names(part.columns)
        yield RawTable(name, columns, len(part), names, str(symbol), vendor, kept)


def _frame_columns(frame: Any, source: str) -> dict[str, Any]:
    import pandas as pd

    index = frame.index
    columns: dict[str, Any] = {}
    if isinstance(index, pd.MultiIndex):
        for level in range(index.nlevels):
            values = index.get_level_values(level)
            default = "timestamp" if values.dtype.kind == "M" else "symbol"
            columns[normalize(index.names[level] or default)] = values
    elif index.name is not None and known_name(normalize(index.name)):
        columns[normalize(index.name)] = index
    elif not pd.api.types.is_integer_dtype(index.dtype):
        columns[INDEX] = index
    for position, label in enumerate(frame.columns):
        _put(columns, label, frame.iloc[:, position], source)
    return columns


def from_arrow(table: Any, source: str, names: Iterable[str] | None = None) -> RawTable:
    """Return an Arrow table's columns; pandas' own index columns are known by their names."""
    columns: dict[str, Any] = {}
    for position, label in enumerate(table.column_names):
        _put(columns, _index_name(label), table.column(position), source)
    return RawTable(source, columns, table.num_rows, _names(names or table.column_names))


def _names(labels: Iterable[object]) -> tuple[str, ...]:
    return tuple(normalize(label) for label in labels)


def _index_name(label: str) -> str:
    return INDEX if label in INDEX_NAMES else label


def _put(columns: dict[str, Any], label: object, values: Any, source: str) -> None:
    name = normalize(label)
    if not known_name(name) and name != INDEX:
        return
    if name in columns:
        raise DataError(
            f"{source}: two columns are called {name!r} once case and spaces are put aside",
            code="columns",
            remedy="Drop or rename one",
            column=name,
        )
    columns[name] = values


def _open_path(path: Path) -> RawTable:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.name.lower().endswith(PARQUET_SUFFIXES))
        if not files:
            raise DataError(
                f"the directory {path} holds no Parquet file",
                code="no_table",
                remedy="Give a directory of .parquet files, or a file",
                path=str(path),
            )
        return _join_files(files)
    if any(sign in path.name for sign in "*?[") and not path.exists():
        matching = sorted(path.parent.glob(path.name))
        if matching:
            return _join_files(matching)
    table, names = read_file(path)
    return from_arrow(table, path.name, names)


def _join_files(paths: list[Path]) -> RawTable:
    import pyarrow as pa

    read = [read_file(path) for path in paths]
    try:
        joined = pa.concat_tables([table for table, _ in read], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"the files {paths[0].name} to {paths[-1].name} do not fit together: {error}",
            code="columns",
            remedy="Give files of one kind with the same column types",
        ) from error
    more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
    return from_arrow(joined, f"{paths[0].name}{more}", read[0][1])

"""Files: Parquet and CSV as Arrow tables of the columns that mean something to a loader."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyrt.core.suggest import did_you_mean
from pyrt.data.recognize import known_name, normalize
from pyrt.errors import DataError, UnknownName

PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
"""Endings, in lower case, of the names of Parquet files."""

INDEX_NAMES = ("", "Unnamed: 0", "__index_level_0__")
"""What pandas calls the column of an index without a name, in CSV and in Parquet."""

_CSV_SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".csv.bz2", ".txt")


def read_file(path: Path) -> tuple[Any, list[str]]:
    """Return a Parquet or CSV file as an Arrow table, and the names of all its columns.

    Of a Parquet file only the columns that mean something here are read.

    Raises
    ------
    UnknownName
        If it does not exist.
    DataError
        If it is neither, or cannot be read.
    """
    require_file(path)
    name = path.name.lower()
    import pyarrow as pa

    try:
        if name.endswith(PARQUET_SUFFIXES):
            return _read_parquet(path)
        if name.endswith(_CSV_SUFFIXES):
            return _read_csv(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{path} cannot be read: {error}",
            code="unreadable",
            remedy="Check that the file is whole and of the type its name says",
            path=str(path),
        ) from error
    raise DataError(
        f"{path.name} is neither Parquet nor CSV by its name",
        code="no_table",
        remedy=f"Name it {path.stem}.parquet or {path.stem}.csv, or read it and give the frame",
        path=str(path),
    )


def require_file(path: Path) -> None:
    """Raise `UnknownName`, with names that are close, unless the path is an existing file."""
    if path.is_file():
        return
    beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    raise UnknownName(
        f"there is no file {path}",
        code="unknown_file",
        remedy=did_you_mean(path.name, beside) if beside else f"{path.parent} has no files",
        path=str(path),
    )


def _read_parquet(path: Path) -> tuple[Any, list[str]]:
    with open_parquet(path) as file:
        names = list(file.schema_arrow.names)
        return file.read(columns=parquet_columns(names)), names


def open_parquet(path: Path) -> Any:
    """Return an open `pyarrow.parquet.ParquetFile` that reads repeated text once a row group."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        metadata, names = file.metadata, file.schema_arrow.names
    texts = [name for name in names if normalize(name) in ("symbol", "side", "action", "aggressor")]
    return pq.ParquetFile(path, metadata=metadata, read_dictionary=texts, pre_buffer=False)


def parquet_columns(names: Iterable[str]) -> list[str]:
    """Return the file's columns that are worth reading, under the file's own names."""
    return [name for name in names if known_name(normalize(name)) or name in INDEX_NAMES]


def _read_csv(path: Path) -> tuple[Any, list[str]]:
    import pyarrow as pa
    import pyarrow.csv as csv

    # Stamps are read as text: Arrow would drop the offsets they were written with.
    with csv.open_csv(path) as reader:
        names = reader.schema.names
        types = {
            field.name: pa.string()
            for field in reader.schema
            if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)
        }
    types |= {name: pa.string() for name in names if normalize(name) in ("symbol", "ticker")}
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types))
    return table, names

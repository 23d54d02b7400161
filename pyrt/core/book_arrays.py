"""The columns of any table as NumPy arrays: pandas, Arrow, or a mapping of sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pyrt.core.singles import from_single
from pyrt.errors import DataError

Array = npt.NDArray[Any]
Table = Any


def table_columns(table: Table) -> dict[str, Any]:
    """Return the columns by lower-case name, without copying.

    Parameters
    ----------
    table : pandas.DataFrame, pyarrow.Table, pyarrow.RecordBatch or mapping of arrays
        Anything with ``to_arrow()``, such as a Polars frame, is taken too.

    Raises
    ------
    DataError
        If it is none of these, or the columns differ in length.
    """
    if hasattr(table, "to_arrow"):
        table = table.to_arrow()
    if isinstance(table, Mapping):
        columns = {str(name).lower(): values for name, values in table.items()}
    elif hasattr(table, "column_names"):
        columns = {str(name).lower(): table.column(name) for name in table.column_names}
    elif hasattr(table, "columns") and hasattr(table, "iloc"):
        columns = {str(name).lower(): table[name] for name in table.columns}
    else:
        raise DataError(
            f"a table of book events cannot be a {type(table).__name__}",
            remedy="Give a pandas DataFrame, a pyarrow Table or a dict of arrays",
        )
    scalars = [name for name, values in columns.items() if not hasattr(values, "__len__")]
    if scalars:
        raise DataError(f"columns {', '.join(scalars)} are not arrays", columns=scalars)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"columns of different lengths: {lengths}", lengths=lengths)
    return columns


def _flat(column: Any) -> Any:
    """Return an Arrow column as one Array; anything else unchanged."""
    if hasattr(column, "unify_dictionaries"):
        column = column.unify_dictionaries()
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def _is_arrow(column: Any) -> bool:
    return hasattr(column, "null_count")


def as_array(column: Any) -> Array:
    """Return a column as a NumPy array of whatever kind it has; missing values become NaN."""
    if _is_arrow(column):
        return np.asarray(_flat(column).to_numpy(zero_copy_only=False))
    if hasattr(column, "to_numpy"):
        return np.asarray(column.to_numpy())
    return np.asarray(column)


def float_column(column: Any, name: str) -> npt.NDArray[np.float64]:
    """Return a column as float64, missing values as NaN.

    Raises
    ------
    DataError
        If it does not hold numbers.
    """
    try:
        if getattr(column, "dtype", None) == np.float32:
            values = from_single(as_array(column))
        elif hasattr(column, "isna") and hasattr(column, "to_numpy"):
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            values = as_array(column)
            single = values.dtype == np.float32
            values = from_single(values) if single else values.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"column {name!r} does not hold numbers: {error}", column=name) from error
    return np.ascontiguousarray(values)


def int_column(column: Any, name: str, missing: int) -> npt.NDArray[np.int64]:
    """Return a column as int64: whole numbers, digits as text, or times as ns since 1970 UTC.

    Raises
    ------
    DataError
        If it holds anything else.
    """
    try:
        values = _whole(column, missing)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {name!r} does not hold whole numbers: {error}", column=name
        ) from error
    return np.ascontiguousarray(values)


def _whole(column: Any, missing: int) -> npt.NDArray[np.int64]:
    # Integers beside missing values must not pass through float64: ids have up to 64 bits.
    if _is_arrow(column) and column.null_count:
        try:
            column = _flat(column).fill_null(missing)
        except (TypeError, ValueError):
            column = _flat(column)
    elif hasattr(column, "isna") and getattr(column.dtype, "kind", "") in "iu":
        return np.asarray(column.to_numpy(dtype=np.int64, na_value=missing))
    elif hasattr(column, "isna") and getattr(column.dtype, "kind", "") == "M":
        column = column.to_numpy(dtype="datetime64[ns]")
    values = as_array(column)
    if values.dtype.kind == "M":
        empty = np.isnat(values)
        return np.where(empty, missing, values.astype("datetime64[ns]").astype(np.int64))
    if values.dtype.kind == "O":
        return np.array([missing if _is_missing(v) else int(v) for v in values], dtype=np.int64)
    if values.dtype.kind == "f":
        empty = np.isnan(values)
        whole = np.where(empty, missing, values)
        if not np.array_equal(whole, np.rint(whole)) or np.abs(whole).max(initial=0) >= 2.0**63:
            raise ValueError("there are fractions, or values beyond 64 bits")
        return whole.astype(np.int64)
    return values.astype(np.int64, copy=False)


def _is_missing(value: Any) -> bool:
    return value is None or value != value or str(value) in ("<NA>", "NaT", "")


def coded_column(column: Any) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Return a column of few distinct values as codes and the values; a missing one is code -1."""
    if _is_arrow(column):
        flat = _flat(column)
        if not hasattr(flat, "dictionary"):
            flat = flat.dictionary_encode()
        codes = flat.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return codes.astype(np.int64), [_text(v) for v in flat.dictionary.to_pylist()]
    if hasattr(column, "factorize"):
        codes, values = column.factorize()
        return np.asarray(codes, dtype=np.int64), [_text(v) for v in values]
    array = np.asarray(column)
    if array.dtype.kind != "O":
        values, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.int64).reshape(-1), [_text(v) for v in values.tolist()]
    known: dict[Any, int] = {}
    coded = [-1 if _is_missing(v) else known.setdefault(_text(v), len(known)) for v in array]
    return np.array(coded, dtype=np.int64), list(known)


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value

"""Cells: a column of any container becomes float64, int64 or text codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.core.singles import from_single
from pyrt.data.columns import Float64s, Int64s
from pyrt.data.report import Report

EXACT_MAX = 2.0**53
"""Above it float64 does not tell whole numbers from their neighbors."""


def is_arrow(values: Any) -> bool:
    """Tell whether a column is a pyarrow chunked array (else it is pandas')."""
    return type(values).__module__.partition(".")[0] == "pyarrow"


def as_float(values: Any, name: str, report: Report) -> Float64s:
    """Return a column as contiguous float64, missing cells as NaN; a view where that is possible.

    A cell that is no number is reported and becomes 0.
    """
    if is_arrow(values):
        return _arrow_float(values, name, report)
    if values.dtype == np.float32:
        return from_single(values.to_numpy())
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiu":
        return np.ascontiguousarray(values.to_numpy(), dtype=np.float64)
    if values.dtype.kind in "fiu":  # pandas' nullable and Arrow-backed numbers
        return np.ascontiguousarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return _object_float(values.to_numpy(dtype=object), name, report)


def _arrow_float(values: Any, name: str, report: Report) -> Float64s:
    import pyarrow as pa

    kind = values.type
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return _object_float(np.array(values.to_pylist(), dtype=object), name, report)
    if kind == pa.float32():
        return from_single(values.to_numpy())
    if kind != pa.float64():
        values = values.cast(pa.float64(), safe=False)
    return np.ascontiguousarray(values.to_numpy())


def _object_float(cells: NDArray[Any], name: str, report: Report) -> Float64s:
    """Read Python objects; Decimal and numbers pass, text does not (its format is a guess)."""
    result = np.zeros(len(cells))
    bad: list[int] = []
    for row, cell in enumerate(cells):
        if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
            result[row] = np.nan
        elif isinstance(cell, str | bytes | bool):
            bad.append(row)
        else:
            try:
                result[row] = float(cell)
            except (TypeError, ValueError):
                bad.append(row)
    if bad:
        report.add(
            "not_a_number",
            f"{name} is {cells[bad[0]]!r}, no number",
            f'convert it first: frame["{name}"] = pandas.to_numeric(frame["{name}"])',
            rows=np.array(bad),
        )
    return result


def as_int(values: Any, name: str, report: Report) -> Int64s:
    """Return a column of whole numbers as int64; anything else is reported and becomes 0.

    Whole numbers in floats, as pandas makes them of integers beside missing cells, are taken as
    far as a float tells each from its neighbors.
    """
    floats = _floats_of(values)
    if floats is not None:
        return _whole_floats(floats, name, report)
    if is_arrow(values):
        import pyarrow as pa

        whole = pa.types.is_integer(values.type)
        missing = values.is_null().to_numpy() if values.null_count else None
        if whole and missing is not None:
            values = values.fill_null(0)
        cells = values.to_numpy() if whole else None
    else:
        whole = values.dtype.kind in "iu"
        missing = values.isna() if whole and values.hasnans else None
        cells = values.to_numpy(dtype=np.int64, na_value=0) if whole else None
    if cells is None:
        kind = values.type if is_arrow(values) else values.dtype
        report.add("not_whole", f"{name} has type {kind}", "give whole numbers as int64")
        return np.zeros(len(values), dtype=np.int64)
    if missing is not None:
        rows = np.flatnonzero(np.asarray(missing))
        report.add("missing", f"{name} is missing", "fill or drop these rows", rows=rows)
    return np.ascontiguousarray(cells, dtype=np.int64)


def _floats_of(values: Any) -> Float64s | None:
    """Return a column of float64, missing cells as NaN; None if it is of another type."""
    if not is_arrow(values):
        is_float = values.dtype == np.float64
        return np.asarray(values, dtype=np.float64) if is_float else None
    import pyarrow as pa

    return np.asarray(values.to_numpy()) if values.type == pa.float64() else None


def _whole_floats(cells: Float64s, name: str, report: Report) -> Int64s:
    missing = np.isnan(cells)
    known = np.where(missing, 0.0, cells)
    wrong = (known != np.rint(known)) | (np.abs(known) > EXACT_MAX)
    if wrong.any():
        shown = float(known[wrong][0])
        report.add(
            "not_whole",
            f"{name} is {shown!r} in float64, no whole number or one too large for it",
            "give whole numbers as int64",
            rows=np.flatnonzero(wrong),
        )
        return np.zeros(len(cells), dtype=np.int64)
    if missing.any():
        rows = np.flatnonzero(missing)
        report.add("missing", f"{name} is missing", "fill or drop these rows", rows=rows)
    return known.astype(np.int64)


def as_codes(values: Any) -> tuple[NDArray[np.int64], list[str]]:
    """Return text as codes and the texts in order of first appearance; -1 is a missing cell."""
    if is_arrow(values):
        return _arrow_codes(values)
    import pandas as pd

    codes, texts = pd.factorize(values)
    return np.asarray(codes, dtype=np.int64), [_word(text) for text in texts]


def _arrow_codes(values: Any) -> tuple[NDArray[np.int64], list[str]]:
    import pyarrow as pa

    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    whole = values.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # what combining gives for no chunk at all
        return np.zeros(0, dtype=np.int64), []
    indices = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    texts = [_word(text) for text in whole.dictionary.to_pylist()]
    return _by_appearance(indices, texts)


def _by_appearance(
    indices: NDArray[np.int64], texts: list[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Renumber codes so that a dictionary's own order, or unused entries, change nothing."""
    used, first = np.unique(indices, return_index=True)
    first, used = first[used >= 0], used[used >= 0]
    order = used[np.argsort(first)]
    renumbered = np.full(len(texts) + 1, -1, dtype=np.int64)  # the last slot is where -1 points
    renumbered[order] = np.arange(len(order))
    return renumbered[indices], [texts[code] for code in order]


def _word(text: Any) -> str:
    return text.decode() if isinstance(text, bytes) else str(text)

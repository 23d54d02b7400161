"""Columns as Arrow tables, in the layout that `load` reads; the catalog stores these."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyrt.data.columns import BOOK_ACTIONS, BarColumns, Columns, array_names

_SIDE_WORDS = ("A", "N", "B")
_AGGRESSOR_WORDS = ("sell", "unknown", "buy")


def to_arrow(columns: Columns) -> Any:
    """Return columns as a `pyarrow.Table`; numbers are not copied.

    Bars get `ts_event` (their open) and `ts_close`; `ts_recv` is there where rows were known at
    another time than they happened. Codes become words. The symbol is a column, so that a file
    made of the table stands by itself.
    """
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    for name in array_names(columns):
        values = getattr(columns, name)
        if name == "ts_init":
            known = columns.ts_close if isinstance(columns, BarColumns) else columns.ts_event
            if not np.array_equal(values, known):
                arrays["ts_recv"] = pa.array(values)
        elif name in ("side", "aggressor"):
            arrays[name] = _words(values + 1, _SIDE_WORDS if name == "side" else _AGGRESSOR_WORDS)
        elif name == "action":
            arrays[name] = _words(values, BOOK_ACTIONS)
        else:
            arrays["ts_event" if name == "ts_open" else name] = pa.array(values)
    arrays["symbol"] = _words(np.zeros(len(columns), dtype=np.int8), (columns.symbol,))
    timeframe = columns.timeframe if isinstance(columns, BarColumns) else ""
    metadata = {"pyrt.kind": columns.kind, "pyrt.timeframe": timeframe}
    return pa.table(arrays).replace_schema_metadata(metadata)


def _words(codes: Any, words: tuple[str, ...]) -> Any:
    import pyarrow as pa

    indices = pa.array(codes.astype(np.int8))
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))

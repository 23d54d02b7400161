"""Loading and checking tables, Parquet streams and catalogs; aggregation and replay.

Importing this loads nothing else: names are imported when they are first used, pandas and pyarrow
when a table is read.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.data.catalog import Catalog
    from pyrt.data.columns import (
        BarColumns,
        BookColumns,
        Columns,
        QuoteColumns,
        TradeColumns,
    )
    from pyrt.data.stream import ParquetStream
    from pyrt.data.tables import Loaded, load
    from pyrt.data.timeframe import format_timeframe, parse_timeframe

__all__ = [
    "BarColumns",
    "BookColumns",
    "Catalog",
    "Columns",
    "Loaded",
    "ParquetStream",
    "QuoteColumns",
    "TradeColumns",
    "format_timeframe",
    "load",
    "parse_timeframe",
]

_HOMES = {
    "catalog": ("Catalog",),
    "columns": ("BarColumns", "BookColumns", "Columns", "QuoteColumns", "TradeColumns"),
    "stream": ("ParquetStream",),
    "tables": ("Loaded", "load"),
    "timeframe": ("format_timeframe", "parse_timeframe"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

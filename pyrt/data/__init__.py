"""Loading and checking tables, Parquet streams and catalogs; aggregation and replay.

Importing this loads neither pandas nor pyarrow; reading a table does.
"""

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

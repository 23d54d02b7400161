"""Columns that are there already: the checks of a load, without the reading."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyrt.data.bars import Built
from pyrt.data.checks import (
    OHLC,
    check_bars,
    check_order,
    check_overlap,
    check_quotes,
    check_trades,
    count_off_grid,
)
from pyrt.data.columns import BarColumns, Columns, QuoteColumns, TradeColumns, array_names
from pyrt.data.report import Report
from pyrt.data.rows import Rows


def check_columns(columns: Columns) -> Built:
    """Return columns as a table's build, after the checks that their kind must pass.

    Raises
    ------
    DataError
        If a row does not hold together; nothing is repaired here.
    """
    report = Report(f"columns of {columns.symbol}")
    fields = {name: getattr(columns, name) for name in array_names(columns)}
    rows = Rows(fields, [columns.symbol])
    record: dict[str, Any] = {
        "symbol": columns.symbol,
        "kind": columns.kind,
        "rows": len(columns),
    }
    if isinstance(columns, BarColumns):
        check_bars(rows, report)
        check_order(rows, "ts_open", report, unique=True)
        check_overlap(rows, report, columns.timeframe)
        record |= {
            "timeframe": columns.timeframe,
            "timeframe_how": "given",
            "label": "ts_close",
            "label_how": "columns carry both ends",
            "gaps": int(np.count_nonzero(columns.ts_open[1:] > columns.ts_close[:-1])),
        }
        prices = [fields[name] for name in OHLC]
    else:
        check_order(rows, "ts_init", report, unique=False)
        prices = [fields[name] for name in fields if name.endswith("price")]
        if isinstance(columns, QuoteColumns):
            check_quotes(rows, report)
        elif isinstance(columns, TradeColumns):
            check_trades(rows, report)
    report.raise_if_any()
    record["off_grid_prices"] = sum(count_off_grid(column) for column in prices)
    return Built([columns], [record], {})

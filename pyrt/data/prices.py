"""Prices of bars: as they are, of quote bars, of closes alone, adjusted if asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.cells import as_float
from pyrt.data.checks import OHLC, to_grid
from pyrt.data.containers import RawTable
from pyrt.data.options import Options
from pyrt.data.report import Report
from pyrt.errors import DataError


def read_prices(
    table: RawTable, kind: str, options: Options, report: Report
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return open, high, low, close and volume, and what the provenance says about them."""
    columns = table.columns
    notes = {"adjustment": "unknown"}
    if kind == "quotebars":
        fields = _quote_bars(table, options, report, notes)
    elif kind == "closes":
        name = "close" if "close" in columns else "adj_close"
        close = as_float(columns[name], name, report)
        fields = dict.fromkeys(OHLC, close)
        notes["prices"] = f"open, high and low repeat {name}"
        if name == "adj_close":
            notes["adjustment"] = "splits and dividends (column adj_close)"
    else:
        fields = {name: as_float(columns[name], name, report) for name in OHLC}
        if "adj_close" in columns:
            _adjust(table, fields, options, report, notes)
    if "volume" in columns and kind != "quotebars":
        fields["volume"] = as_float(columns["volume"], "volume", report)
    else:
        fields["volume"] = np.zeros(table.rows)
        notes["volume"] = "there is none; zeros"
    return fields, notes


def _quote_bars(
    table: RawTable, options: Options, report: Report, notes: dict[str, str]
) -> dict[str, NDArray[Any]]:
    if options.price is None:
        raise DataError(
            f"{table.source}: its bars have a bid and an ask",
            code="price",
            remedy='Write price="mid" (or "bid", "ask") to make bars of them',
        )
    notes["prices"] = f"{options.price} of quote bars"
    sides = ("bid", "ask") if options.price == "mid" else (options.price,)
    read = {
        side: {n: as_float(table.columns[f"{side}_{n}"], f"{side}_{n}", report) for n in OHLC}
        for side in sides
    }
    if options.price != "mid":
        return dict(read[options.price])
    return {name: to_grid((read["bid"][name] + read["ask"][name]) / 2) for name in OHLC}


def _adjust(
    table: RawTable,
    fields: dict[str, NDArray[Any]],
    options: Options,
    report: Report,
    notes: dict[str, str],
) -> None:
    if not options.adjusted:
        notes["adjustment"] = "as given; the column adj_close was not used"
        return
    adjusted = as_float(table.columns["adj_close"], "adj_close", report)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = adjusted / fields["close"]
    for name in ("open", "high", "low"):
        fields[name] = fields[name] * factor
    fields["close"] = adjusted
    # Rounding may leave the close a few units in the last place outside the bar.
    fields["high"] = np.maximum(fields["high"], adjusted)
    fields["low"] = np.minimum(fields["low"], adjusted)
    notes["adjustment"] = "splits and dividends (column adj_close)"

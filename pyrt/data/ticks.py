"""Ticks: from a raw table to `QuoteColumns`, `TradeColumns` or `BookColumns`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.core.book_arrays import int_column
from pyrt.data.bars import Built, pick_time, time_name
from pyrt.data.cells import as_codes, as_float, as_int, is_arrow
from pyrt.data.checks import PRICE_MAX, check_order, check_quotes, check_trades, count_off_grid
from pyrt.data.columns import (
    BOOK_ACTIONS,
    BUY,
    NEITHER,
    SELL,
    BookColumns,
    Int8s,
    QuoteColumns,
    TradeColumns,
    array_names,
)
from pyrt.data.containers import RawTable
from pyrt.data.options import Options
from pyrt.data.repairs import Repairs, drop_missing, drop_unsound, put_in_order
from pyrt.data.report import Report
from pyrt.data.rows import Rows, gather
from pyrt.data.stamps import read_stamps, resolve

_SIDES = {
    "b": BUY,
    "buy": BUY,
    "bid": BUY,
    "a": SELL,
    "s": SELL,
    "sell": SELL,
    "ask": SELL,
    "n": NEITHER,
    "none": NEITHER,
    "": NEITHER,
    "unknown": NEITHER,
}
_TYPES = {"quotes": QuoteColumns, "trades": TradeColumns, "book": BookColumns}
_PRICES = {"quotes": ("bid_price", "ask_price"), "trades": ("price",), "book": ("price",)}


def build_ticks(table: RawTable, kind: str, options: Options, report: Report) -> Built:
    """Return the quotes, trades or book events of a table, one set of columns a symbol.

    Parameters
    ----------
    table : RawTable
    kind : str
        ``"quotes"``, ``"trades"`` or ``"book"``.
    options : Options
    report : Report
        Gets every fault; the columns mean nothing if there is one.
    """
    read = {"quotes": _quotes, "trades": _trades, "book": _book}[kind]
    times, zone = _times(table, options, report)
    fields = times | read(table, report)
    rows = gather(table, fields, options, report)
    repairs: Repairs = {}
    drop_missing(rows, ("price", "size") if kind == "trades" else (), options, repairs)
    put_in_order(rows, "ts_init", options, repairs, unique=False)
    if kind == "quotes":
        drop_unsound(rows, _sound_quotes(rows), options, repairs)
        check_quotes(rows, report)
        _blank_absent(rows)
    elif kind == "trades":
        price, size = rows["price"], rows["size"]
        sound = (price > 0) & (price < PRICE_MAX) & (size >= 0) & (size < np.inf)
        drop_unsound(rows, sound, options, repairs)
        check_trades(rows, report)
    else:
        _check_book(rows, report)
    check_order(rows, "ts_init", report, unique=False)
    return replace(_split(rows, kind, repairs, options.dialect), day_zone=zone)


def _times(
    table: RawTable, options: Options, report: Report
) -> tuple[dict[str, NDArray[Any]], str]:
    """Return the fields of time, and the zone that they are stated in."""
    name, column = pick_time(table)
    shown = time_name(name)
    stamps = read_stamps(column, shown, options, report)
    ts_event = resolve(stamps, shown, options, report)
    ts_init = ts_event
    if "ts_recv" in table.columns:
        read = read_stamps(table.columns["ts_recv"], "ts_recv", options, report)
        ts_init = resolve(read, "ts_recv", options, report)
    fields = {"stamp": ts_event, "ts_event": ts_event, "ts_init": ts_init}
    return fields, options.tz or stamps.zone or "UTC"


def _quotes(table: RawTable, report: Report) -> dict[str, NDArray[Any]]:
    names = ("bid_price", "bid_size", "ask_price", "ask_size")
    return {name: _float_or_zero(table, name, report) for name in names}


def _trades(table: RawTable, report: Report) -> dict[str, NDArray[Any]]:
    fields: dict[str, NDArray[Any]] = {
        name: as_float(table.columns[name], name, report) for name in ("price", "size")
    }
    name = "aggressor" if "aggressor" in table.columns else "side"
    fields["aggressor"] = _side(table, name, report)
    return fields


def _book(table: RawTable, report: Report) -> dict[str, NDArray[Any]]:
    fields: dict[str, NDArray[Any]] = {
        name: as_float(table.columns[name], name, report) for name in ("price", "size")
    }
    fields["side"] = _side(table, "side", report)
    fields["action"] = _coded(table, "action", dict(zip(BOOK_ACTIONS, range(99))), report)
    for name, dtype in (("flags", np.int32), ("sequence", np.int64)):
        fields[name] = _int_or_zero(table, name, report).astype(dtype)
    if "order_id" in table.columns:
        fields["order_id"] = as_int(table.columns["order_id"], "order_id", report)
    for name in ("sequence_first", "sequence_prev"):
        if name in table.columns:
            fields[name] = int_column(table.columns[name], name, -1)
    return fields


def _float_or_zero(table: RawTable, name: str, report: Report) -> NDArray[Any]:
    column = table.columns.get(name)
    return np.zeros(table.rows) if column is None else as_float(column, name, report)


def _int_or_zero(table: RawTable, name: str, report: Report) -> NDArray[Any]:
    column = table.columns.get(name)
    return np.zeros(table.rows, np.int64) if column is None else as_int(column, name, report)


def _side(table: RawTable, name: str, report: Report) -> Int8s:
    """Return a column of sides as 1, -1, 0; numbers of that code pass through."""
    column = table.columns.get(name)
    if column is None:
        return np.zeros(table.rows, dtype=np.int8)
    if not is_arrow(column) and column.dtype.kind in "iu":
        return np.asarray(np.sign(column.to_numpy()), dtype=np.int8)
    if is_arrow(column) and str(column.type).startswith(("int", "uint")):
        return np.asarray(np.sign(column.to_numpy()), dtype=np.int8)
    return _coded(table, name, _SIDES, report)


def _coded(table: RawTable, name: str, known: dict[str, int], report: Report) -> Int8s:
    """Return a column of words as their codes; missing words are 0, unknown ones reported."""
    codes, words = as_codes(table.columns[name])
    meanings = [known.get(word.strip().lower()) for word in words]
    for code, (word, meaning) in enumerate(zip(words, meanings)):
        if meaning is None:
            report.add(
                name,
                f"{name} is {word!r}",
                f"write one of {', '.join(filter(None, known))}",
                rows=np.flatnonzero(codes == code),
            )
    values = np.array([*(meaning or 0 for meaning in meanings), 0], dtype=np.int8)
    return values[codes]


def _sound_quotes(rows: Rows) -> NDArray[np.bool_]:
    sound = np.ones(len(rows), dtype=bool)
    for side in ("bid", "ask"):
        price, size = rows[f"{side}_price"], rows[f"{side}_size"]
        whole = (price > 0) & (price < PRICE_MAX) & (size >= 0) & (size < np.inf)
        sound &= whole | np.isnan(price)
    return sound


def _blank_absent(rows: Rows) -> None:
    """Give a missing side size 0, whatever the source wrote beside it."""
    for side in ("bid", "ask"):
        absent = np.isnan(rows[f"{side}_price"])
        if absent.any():
            rows.fields[f"{side}_size"] = np.where(absent, 0.0, rows[f"{side}_size"])


def _check_book(rows: Rows, report: Report) -> None:
    """Report events without a price or size; a clear carries neither."""
    clears = rows["action"] == BOOK_ACTIONS.index("clear")
    price, size = rows["price"], rows["size"]
    for name, sound in (
        ("price", (price > 0) & (price < PRICE_MAX)),
        ("size", (size >= 0) & (size < np.inf)),
    ):
        where = np.flatnonzero(~(sound | clears))
        if len(where):
            report.add(
                name,
                f"{name} is {rows[name][where[0]]}",
                "correct the source: a book cannot leave events out",
                rows=rows.numbers(where),
            )


def _split(rows: Rows, kind: str, repairs: Repairs, dialect: str | None) -> Built:
    columns: list[Any] = []
    extra = {"dialect": dialect} if kind == "book" and dialect else {}
    records: list[dict[str, Any]] = []
    names = [name for name in array_names(_TYPES[kind]) if name in rows.fields]
    for symbol, span in rows.spans():
        arrays = {name: rows[name][span] for name in names}
        columns.append(_TYPES[kind](symbol, **arrays, **extra))
        record: dict[str, Any] = {
            "symbol": symbol,
            "kind": kind,
            "rows": span.stop - span.start,
            "off_grid_prices": sum(count_off_grid(arrays[name]) for name in _PRICES[kind]),
            "repairs_of_table": repairs,
        }
        if kind == "quotes":
            bid, ask = arrays["bid_price"], arrays["ask_price"]
            record["crossed"] = int(np.count_nonzero(bid > ask))
            record["one_sided"] = int(np.count_nonzero(np.isnan(bid) | np.isnan(ask)))
        records.append(record)
    return Built(columns, records, repairs)

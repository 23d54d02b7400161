"""Bars: from a raw table to `BarColumns`, with what was decided, repaired and counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.checks import OHLC, check_bars, check_order, check_overlap, count_off_grid
from pyrt.data.clocks import NAT
from pyrt.data.columns import BarColumns
from pyrt.data.containers import INDEX, RawTable
from pyrt.data.inference import SAMPLE_ROWS, Decision, decide, evidence_of, open_sign
from pyrt.data.intervals import add_intervals, gap_positions
from pyrt.data.options import Options
from pyrt.data.prices import read_prices
from pyrt.data.recognize import TIME_NAMES
from pyrt.data.repairs import Repairs, drop_missing, put_in_order, repair_bars
from pyrt.data.report import Report
from pyrt.data.rows import Rows, gather
from pyrt.data.stamps import Stamps, read_stamps, resolve
from pyrt.data.timeframe import DAY_NS, format_timeframe
from pyrt.errors import DataError


@dataclass(frozen=True, slots=True)
class Built:
    """Columns of one table and their part of the provenance; the zone that its days are of."""

    columns: list[Any]
    records: list[dict[str, Any]]
    repairs: Repairs
    decision: Decision | None = None
    day_zone: str = "UTC"


def build_bars(
    table: RawTable,
    kind: str,
    options: Options,
    report: Report,
    decision: Decision | None = None,
) -> Built:
    """Return the bars of a table, one `BarColumns` a symbol.

    Parameters
    ----------
    table : RawTable
    kind : str
        ``"bars"``, ``"quotebars"`` or ``"closes"``.
    options : Options
    report : Report
        Gets every fault; the columns mean nothing if there is one.
    decision : Decision, optional
        How an earlier chunk of the same table was read.
    """
    fields, notes = read_prices(table, kind, options, report)
    stamps, dates = _times(table, fields, options, report)
    rows = gather(table, fields, options, report)
    repairs: Repairs = {}
    drop_missing(rows, (*OHLC, "volume"), options, repairs)
    put_in_order(rows, "stamp", options, repairs, unique=True)
    repair_bars(rows, options, repairs)
    if not report.has("not_a_number"):
        check_bars(rows, report)
    check_order(rows, "stamp", report, unique=True)
    if decision is None:
        sign = open_sign(table.names, table.vendor)
        evidence = evidence_of(stamps, dates=dates, closes="ts_close" in rows.fields, sign=sign)
        decision = decide(rows, evidence, options, report)
    if decision.date_zone is None or decision.timeframe_ns % DAY_NS:
        name = time_name(pick_time(table)[0])
        wall = Stamps(rows["stamp"], stamps.zone)
        rows.fields["stamp"] = resolve(wall, name, options, report)
    calendar = add_intervals(rows, stamps, decision, options, report)
    check_overlap(rows, report, format_timeframe(decision.timeframe_ns))
    zone = _day_zone(stamps, decision, options)
    return replace(_split(rows, decision, calendar, notes, repairs), day_zone=zone)


def _day_zone(stamps: Stamps, decision: Decision, options: Options) -> str:
    """Return the zone in which a table names its days, or states its times."""
    if decision.date_zone == "dates":
        return options.tz or "UTC"
    return decision.date_zone or options.tz or stamps.zone or "UTC"


def pick_time(table: RawTable) -> tuple[str, Any]:
    """Return the name and the column of a table's stamps.

    Raises
    ------
    DataError
        If there is no column of times.
    """
    names = (TIME_NAMES[0], INDEX, *TIME_NAMES[1:], "date")
    named = [name for name in names if name in table.columns]
    if len(named) > 1 and named[0] == INDEX and _counts_rows(table.columns[INDEX]):
        named.pop(0)
    for name in named:
        return name, table.columns[name]
    raise DataError(
        f"{table.source}: no column and no index holds times",
        code="no_time",
        remedy="Call the column ts_event, timestamp, datetime or date, or give a DatetimeIndex",
        columns=list(table.names),
    )


def _counts_rows(column: Any) -> bool:
    """Whether an index is what a file is given that has none: numbers of rows."""
    values = np.asarray(column)
    return values.dtype.kind in "iu" and np.array_equal(values, np.arange(len(values)))


def time_name(name: str) -> str:
    """Return how to call the column of stamps in a message."""
    return "the index" if name == INDEX else name


def _times(
    table: RawTable, fields: dict[str, NDArray[Any]], options: Options, report: Report
) -> tuple[Stamps, bool]:
    """Add the fields of time; return the stamps and whether a column of dates is there."""
    name, column = pick_time(table)
    if name == "time" and "date" in table.columns and INDEX not in table.columns:
        report.add(
            "not_a_time",
            "date and time are two columns",
            "join them into one column called timestamp",
        )
    stamps = read_stamps(column, time_name(name), options, report)
    called_date = name == "date" or getattr(column, "name", None) in ("Date", "date")
    if called_date and _are_days(stamps):
        stamps = Stamps(stamps.ns, None, is_date=True)
    if "ts_close" in table.columns:
        instants = resolve(stamps, time_name(name), options, report)
        stamps = Stamps(instants, stamps.zone or options.tz or "UTC")
    fields["stamp"] = stamps.ns
    for other in ("ts_close", "ts_recv"):
        if other in table.columns:
            read = read_stamps(table.columns[other], other, options, report)
            fields[other] = resolve(read, other, options, report)
    if stamps.is_date or "date" not in table.columns or name == "date":
        return stamps, False
    dates = read_stamps(table.columns["date"], "date", options, Report(""))
    if _are_days(dates):
        fields["date"] = dates.ns
        return stamps, True
    return stamps, False


def _are_days(stamps: Stamps) -> bool:
    """Tell whether naive stamps are days, by the rows that a decision may look at."""
    first = stamps.ns[:SAMPLE_ROWS]
    return stamps.zone is None and not np.any(first[first != NAT] % DAY_NS)


def _split(
    rows: Rows, decision: Decision, calendar: str | None, notes: dict[str, str], repairs: Repairs
) -> Built:
    timeframe = format_timeframe(decision.timeframe_ns)
    gaps = gap_positions(rows, decision, calendar)
    columns: list[Any] = []
    records: list[dict[str, Any]] = []
    for symbol, span in rows.spans():
        arrays = {name: rows[name][span] for name in _ARRAYS}
        columns.append(BarColumns(symbol, decision.timeframe_ns, timeframe, **arrays))
        off_grid = sum(count_off_grid(arrays[name]) for name in OHLC)
        inside = np.searchsorted(gaps, (span.start, span.stop))
        records.append(
            {
                "symbol": symbol,
                "kind": "bars",
                "rows": span.stop - span.start,
                "timeframe": timeframe,
                "timeframe_how": decision.timeframe_how,
                "label": decision.label,
                "label_how": decision.label_how,
                "gaps": int(inside[1] - inside[0]),
                "off_grid_prices": off_grid,
                "repairs_of_table": repairs,
                **notes,
            }
        )
    return Built(columns, records, repairs, decision)


_ARRAYS = ("ts_open", "ts_close", "ts_init", *OHLC, "volume")

"""Bars: from a raw table to `BarColumns`, with what was decided, repaired and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.cells import as_float
from pyrt.data.checks import OHLC, check_bars, check_order, check_overlap, count_off_grid, to_grid
from pyrt.data.clocks import NAT, iso, midnights, to_wall
from pyrt.data.columns import BarColumns, Int64s
from pyrt.data.containers import INDEX, RawTable
from pyrt.data.inference import (
    Decision,
    decide,
    evidence_of,
    open_sign,
)
from pyrt.data.options import Options
from pyrt.data.recognize import TIME_NAMES
from pyrt.data.repairs import Repairs, drop_missing, put_in_order, repair_bars
from pyrt.data.report import Report
from pyrt.data.rows import Rows, gather
from pyrt.data.sessions import cover_dates, cover_stamps, sessions_between
from pyrt.data.stamps import Stamps, read_stamps, resolve
from pyrt.data.timeframe import DAY_NS, format_timeframe
from pyrt.errors import DataError

_EPOCH_WEEKDAY = 3


@dataclass(frozen=True, slots=True)
class Built:
    """Columns of one table and their part of the provenance."""

    columns: list[Any]
    records: list[dict[str, Any]]
    repairs: Repairs
    decision: Decision | None = None


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
    fields, notes = _prices(table, kind, options, report)
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
    _intervals(rows, stamps, decision, options, report)
    check_overlap(rows, report, format_timeframe(decision.timeframe_ns))
    return _split(rows, decision, options, notes, repairs)


def pick_time(table: RawTable) -> tuple[str, Any]:
    """Return the name and the column of a table's stamps.

    Raises
    ------
    DataError
        If there is no column of times.
    """
    for name in (TIME_NAMES[0], INDEX, *TIME_NAMES[1:], "date"):
        if name in table.columns:
            return name, table.columns[name]
    raise DataError(
        f"{table.source}: no column and no index holds times",
        code="no_time",
        remedy="Call the column ts_event, timestamp, datetime or date, or give a DatetimeIndex",
        columns=list(table.names),
    )


def time_name(name: str) -> str:
    """Return how to call the column of stamps in a message."""
    return "the index" if name == INDEX else name


def _prices(
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
    if stamps.zone is None and called_date and not np.any(stamps.ns[stamps.ns != NAT] % DAY_NS):
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
    if dates.zone is None and not np.any(dates.ns % DAY_NS):
        fields["date"] = dates.ns
        return stamps, True
    return stamps, False


def _intervals(
    rows: Rows, stamps: Stamps, decision: Decision, options: Options, report: Report
) -> None:
    """Add ts_open, ts_close and ts_init to the rows."""
    stamp, length = rows["stamp"], decision.timeframe_ns
    if decision.label == "ts_close":
        opens, closes = stamp, rows["ts_close"]
        wrong = np.flatnonzero(closes <= opens)
        if len(wrong):
            report.add(
                "interval",
                f"ts_close ({iso(closes[wrong[0]])}) is not after ts_event",
                "correct the source, or drop the column and write label=",
                rows=rows.numbers(wrong),
            )
    elif decision.timeframe_ns % DAY_NS == 0:
        opens, closes = _day_intervals(rows, stamps, decision, options, report)
    elif decision.label == "open":
        opens, closes = stamp, stamp + length
    else:
        opens, closes = stamp - length, stamp
    rows.fields |= {"ts_open": opens, "ts_close": closes}
    rows.fields["ts_init"] = rows.fields.get("ts_recv", closes)


def _day_intervals(
    rows: Rows, stamps: Stamps, decision: Decision, options: Options, report: Report
) -> tuple[Int64s, Int64s]:
    """Return the intervals of bars of whole days.

    Where stamps name days, a bar lasts from the first of these days' midnights to the one after
    the last, or from open to close of the sessions dated in between. Other stamps are instants.
    """
    stamp, length = rows["stamp"], decision.timeframe_ns
    found: NDArray[np.bool_] | None = None
    table = None
    if options.calendar is not None and len(stamp):
        table = sessions_between(options.calendar, int(stamp.min()), int(stamp.max()))
    if decision.date_zone is not None:
        days = _days(rows, stamps, decision.date_zone)
        count = length // DAY_NS
        shift = {"open": 0, "date": 1 - count, "close": -count}[decision.label]
        first, end = days + shift, days + shift + count
        if table is None:
            zone = options.tz or "UTC" if decision.date_zone == "dates" else decision.date_zone
            return midnights(first, zone), midnights(end, zone)
        opens, closes, found = cover_dates(table, first, end)
    elif table is not None and length == DAY_NS:
        opens, closes, found = cover_stamps(table, stamp, decision.label)
    elif decision.label == "open":
        return stamp, stamp + length
    else:
        return stamp - length, stamp
    missing = np.flatnonzero(~found)
    if len(missing):
        report.add(
            "not_a_session",
            f"{iso(stamp[missing[0]])[:10]} is no session of {options.calendar}",
            "check the calendar and the dates' time zone, or drop these rows",
            rows=rows.numbers(missing),
        )
    return opens, closes


def _days(rows: Rows, stamps: Stamps, zone: str) -> Int64s:
    """Return the day that each stamp names, counted from 1970-01-01."""
    if zone == "dates":
        return rows.fields.get("date", rows["stamp"]) // DAY_NS
    wall = rows["stamp"] if stamps.zone is None else to_wall(rows["stamp"], zone)
    return wall // DAY_NS


def _split(
    rows: Rows, decision: Decision, options: Options, notes: dict[str, str], repairs: Repairs
) -> Built:
    timeframe = format_timeframe(decision.timeframe_ns)
    gaps = _gap_positions(rows, decision, options)
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


def _gap_positions(rows: Rows, decision: Decision, options: Options) -> NDArray[np.intp]:
    """Return the positions of bars that do not follow on the one before.

    With a calendar, a gap is a missing bar inside a session, or a missing session; bars of a day
    without one skip weekends freely.
    """
    steps, positions = rows.steps(rows["ts_open"], rows["ts_close"])
    later = positions[steps > 0]
    if not len(later):
        return later
    opens, ends = rows["ts_open"][later], rows["ts_close"][later - 1]
    if options.calendar is not None:
        table = sessions_between(options.calendar, int(ends.min()), int(opens.max()))
        if decision.timeframe_ns % DAY_NS == 0:
            ended = np.searchsorted(table.close, ends, side="right")
            return np.asarray(later[np.searchsorted(table.open, opens) > ended])
        row = np.searchsorted(table.close, opens, side="right")
        return np.asarray(later[table.open[np.minimum(row, len(table.open) - 1)] < ends])
    if decision.timeframe_ns == DAY_NS:
        days, ended = opens // DAY_NS, ends // DAY_NS
        weekend = ((ended + _EPOCH_WEEKDAY) % 7 == 5) & (days - ended == 2)
        return np.asarray(later[~weekend])
    return later

"""Intervals of bars: from stamps, and what was decided about them, to when bars begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyrt.data.clocks import iso, midnights, to_wall
from pyrt.data.columns import Int64s
from pyrt.data.inference import Decision
from pyrt.data.options import Options
from pyrt.data.report import Report
from pyrt.data.rows import Rows
from pyrt.data.sessions import cover_dates, cover_stamps, sessions_between
from pyrt.data.stamps import Stamps
from pyrt.data.timeframe import DAY_NS

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def add_intervals(
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


def gap_positions(rows: Rows, decision: Decision, options: Options) -> NDArray[np.intp]:
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

"""Intervals of bars: from stamps, and what was decided about them, to when bars begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyrt.data.clocks import iso, midnights, to_wall
from pyrt.data.columns import Int64s
from pyrt.data.inference import Decision, sample
from pyrt.data.options import Options
from pyrt.data.report import NO_TIMES, Report
from pyrt.data.rows import Rows
from pyrt.data.sessions import cover_dates, cover_stamps, sessions_between
from pyrt.data.stamps import Stamps
from pyrt.data.timeframe import DAY_NS
from pyrt.errors import DataError

Covered = tuple[Int64s, Int64s, NDArray[np.bool_]]
"""Begin and end of each bar, and whether there is a session for it."""

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def add_intervals(
    rows: Rows, stamps: Stamps, decision: Decision, options: Options, report: Report
) -> str | None:
    """Add ts_open, ts_close and ts_init to the rows; return the calendar that they keep to."""
    stamp, length = rows["stamp"], decision.timeframe_ns
    calendar = options.calendar
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
        if calendar is None and not report.has(*NO_TIMES):
            calendar = _usual_calendar(rows, stamps, decision, options)
        opens, closes = _day_intervals(rows, stamps, decision, options, calendar, report)
    elif decision.label == "open":
        opens, closes = stamp, stamp + length
    else:
        opens, closes = stamp - length, stamp
    rows.fields |= {"ts_open": opens, "ts_close": closes}
    rows.fields["ts_init"] = rows.fields.get("ts_recv", closes)
    return calendar


def _usual_calendar(rows: Rows, stamps: Stamps, decision: Decision, options: Options) -> str | None:
    """Return the calendar of whose sessions the first rows are, if it is that of every symbol.

    As with all that is inferred, rows after the first 1,000 have no say.
    """
    if options.calendar_of is None or decision.timeframe_ns != DAY_NS or not len(rows):
        return None
    usual = {options.calendar_of(name) for name, _ in rows.spans()}
    calendar = usual.pop() if len(usual) == 1 else None
    if calendar is None:
        return None
    try:
        covered = _cover(rows, stamps, decision, calendar)
    except DataError:  # years of which the calendar knows nothing
        return None
    found = None if covered is None else sample(rows, covered[2].astype(np.int64))
    return calendar if found is not None and all(part.all() for part in found) else None


def _day_intervals(
    rows: Rows,
    stamps: Stamps,
    decision: Decision,
    options: Options,
    calendar: str | None,
    report: Report,
) -> tuple[Int64s, Int64s]:
    """Return the intervals of bars of whole days.

    With a calendar a bar lasts from the open of the first session it names to the close of the
    last. Without, where stamps name days, from the first of these days' midnights to the one after
    the last. Other stamps are instants.
    """
    stamp, length = rows["stamp"], decision.timeframe_ns
    covered = None if calendar is None else _cover(rows, stamps, decision, calendar)
    if covered is not None:
        opens, closes, found = covered
        missing = np.flatnonzero(~found)
        if len(missing):
            report.add(
                "not_a_session",
                f"{iso(stamp[missing[0]])[:10]} is no session of {calendar}",
                "check the calendar and the dates' time zone, or drop these rows"
                + ("" if options.calendar else ' (days of midnights: calendar="24/7")'),
                rows=rows.numbers(missing),
            )
        return opens, closes
    if decision.date_zone is not None:
        zone = options.tz or "UTC" if decision.date_zone == "dates" else decision.date_zone
        first, end = _named_days(rows, stamps, decision)
        return midnights(first, zone), midnights(end, zone)
    if decision.label == "open":
        return stamp, stamp + length
    return stamp - length, stamp


def _cover(rows: Rows, stamps: Stamps, decision: Decision, calendar: str) -> Covered | None:
    """Return the sessions that bars cover, or None for bars that cover none in particular."""
    stamp = rows["stamp"]
    if not len(stamp):
        return None
    table = sessions_between(calendar, int(stamp.min()), int(stamp.max()))
    if decision.date_zone is not None:
        return cover_dates(table, *_named_days(rows, stamps, decision))
    if decision.timeframe_ns == DAY_NS:
        return cover_stamps(table, stamp, decision.label)
    return None


def _named_days(rows: Rows, stamps: Stamps, decision: Decision) -> tuple[Int64s, Int64s]:
    """Return the first day of each bar whose stamps name days, and the one after its last."""
    days = _days(rows, stamps, str(decision.date_zone))
    count = decision.timeframe_ns // DAY_NS
    first = days + {"open": 0, "date": 1 - count, "close": -count}[decision.label]
    return first, first + count


def _days(rows: Rows, stamps: Stamps, zone: str) -> Int64s:
    """Return the day that each stamp names, counted from 1970-01-01."""
    if zone == "dates":
        return rows.fields.get("date", rows["stamp"]) // DAY_NS
    wall = rows["stamp"] if stamps.zone is None else to_wall(rows["stamp"], zone)
    return wall // DAY_NS


def gap_positions(rows: Rows, decision: Decision, calendar: str | None) -> NDArray[np.intp]:
    """Return the positions of bars that do not follow on the one before.

    With a calendar, a gap is a missing bar inside a session, or a missing session; bars of a day
    without one skip weekends freely.
    """
    steps, positions = rows.steps(rows["ts_open"], rows["ts_close"])
    later = positions[steps > 0]
    if not len(later):
        return later
    opens, ends = rows["ts_open"][later], rows["ts_close"][later - 1]
    if calendar is not None:
        table = sessions_between(calendar, int(ends.min()), int(opens.max()))
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

"""Inference: a table's timeframe and label, from its first 1,000 rows and only where certain.

Rows after the first 1,000 never change what is decided: a decision that looked at them would
let the future into the past.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyrt.data.clocks import NAT, from_wall, to_wall
from pyrt.data.columns import Int64s
from pyrt.data.options import Options
from pyrt.data.report import NO_TIMES, Report
from pyrt.data.rows import Rows
from pyrt.data.sessions import sessions_between
from pyrt.data.stamps import Stamps
from pyrt.data.timeframe import DAY_NS, UNITS_NS, format_timeframe

SAMPLE_ROWS = 1_000
"""Rows from the start of a table that a decision may look at."""

NEW_YORK = "America/New_York"
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_REGULAR_OPEN_NS = 9 * UNITS_NS["h"] + 30 * UNITS_NS["m"]
_REGULAR_CLOSE_NS = 16 * UNITS_NS["h"]


@dataclass(frozen=True, slots=True)
class Decision:
    """How the stamps of a table of bars are to be read.

    Attributes
    ----------
    timeframe_ns : int
    timeframe_how : str
        Why, in words for the provenance.
    label : str
        ``"open"``, ``"close"``, ``"date"`` (a day names the session that ends with it) or
        ``"ts_close"`` (both ends are columns).
    label_how : str
    date_zone : str or None
        Zone in which the stamps of daily bars are midnights; None where they are not.
    """

    timeframe_ns: int
    timeframe_how: str
    label: str
    label_how: str
    date_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a table shows about its bars besides the stamps.

    Attributes
    ----------
    zone : str or None
        Zone of the stamps; None where they are naive.
    has_dates : bool
        The stamps are dates, or a column of dates is there.
    has_close : bool
        There is a `ts_close` column.
    open_sign : str
        Why the source is known to label bars by their open; empty where it is not.
    """

    zone: str | None
    has_dates: bool
    has_close: bool
    open_sign: str


def sample(rows: Rows, values: Int64s) -> list[Int64s]:
    """Return the first values of each symbol, until 1,000 are together; missing ones left out."""
    taken: list[Int64s] = []
    left = SAMPLE_ROWS
    for _, span in rows.spans():
        part = values[span][:left]
        taken.append(part[part != NAT])
        left -= len(part)
        if left <= 0:
            break
    return taken


def decide(rows: Rows, evidence: Evidence, options: Options, report: Report) -> Decision:
    """Return how to read the stamps; what is uncertain is reported and read as labeled open.

    Parameters
    ----------
    rows : Rows
        With the field ``stamp``, and ``ts_close`` where known.
    """
    stamps = sample(rows, rows["stamp"])
    timeframe_ns, timeframe_how = _timeframe(rows, stamps, evidence, options, report)
    whole = np.concatenate(stamps) if stamps else np.zeros(0, dtype=np.int64)
    if evidence.has_close:
        label, how = _label_of_closes(options, report)
        return Decision(timeframe_ns, timeframe_how, label, how)
    if timeframe_ns % DAY_NS == 0:
        zone = "dates" if evidence.has_dates else _midnight_zone(whole, evidence, options)
        label, how = _daily_label(whole, timeframe_ns, zone, evidence, options)
        if not label:
            label = _uncertain(timeframe_ns, report)
        return Decision(timeframe_ns, timeframe_how, label, how, zone)
    label, how = _intraday_label(stamps, timeframe_ns, evidence, options)
    return Decision(timeframe_ns, timeframe_how, label or _uncertain(timeframe_ns, report), how)


def most_frequent(steps: NDArray[np.int64]) -> int | None:
    """Return the most frequent step above zero, the smallest of several; None without any."""
    values, counts = np.unique(steps[steps > 0], return_counts=True)
    return int(values[np.argmax(counts)]) if len(values) else None


def _timeframe(
    rows: Rows, stamps: list[Int64s], evidence: Evidence, options: Options, report: Report
) -> tuple[int, str]:
    if options.timeframe_ns is not None:
        return options.timeframe_ns, "given"
    how = f"most frequent step of the first {SAMPLE_ROWS:,} rows"
    if evidence.has_close:
        ends = sample(rows, rows["ts_close"] - rows["stamp"])
        step = most_frequent(np.concatenate(ends)) if ends else None
        how = f"most frequent ts_close - ts_event of the first {SAMPLE_ROWS:,} rows"
    else:
        # Rows out of order are a fault of their own, told elsewhere.
        steps = [np.diff(np.sort(part)) for part in stamps]
        step = most_frequent(np.concatenate(steps)) if steps else None
    if step is not None and step % UNITS_NS["s"] == 0:
        return step, how
    if report.has(*NO_TIMES):
        return DAY_NS, how
    seen = "there is no step between rows" if step is None else f"its usual step is {step} ns"
    report.add("timeframe", f"the timeframe is unknown: {seen}", 'write timeframe="1d" (or "1m")')
    return DAY_NS, how


def _label_of_closes(options: Options, report: Report) -> tuple[str, str]:
    if options.label == "close":
        report.add(
            "label",
            'label="close" contradicts the column ts_close, which makes ts_event the open',
            "leave label out, or drop that column",
        )
    return "ts_close", "the column ts_close"


def _midnight_zone(stamps: Int64s, evidence: Evidence, options: Options) -> str | None:
    """Return the first likely zone in which all these stamps are midnights, or None."""
    if evidence.zone is None:
        # Unresolved naive stamps are wall time still.
        return (options.tz or "UTC") if len(stamps) and not np.any(stamps % DAY_NS) else None
    for zone in dict.fromkeys(filter(None, (options.tz, evidence.zone, NEW_YORK))):
        if len(stamps) and not np.any(to_wall(stamps, zone) % DAY_NS):
            return zone
    return None


def _weekdays_only(stamps: Int64s, zone: str, evidence: Evidence) -> bool:
    wall = stamps if evidence.zone is None or zone == "dates" else to_wall(stamps, zone)
    return bool(np.all((wall // DAY_NS + _EPOCH_WEEKDAY) % 7 < 5))


def _daily_label(
    stamps: Int64s, timeframe_ns: int, zone: str | None, evidence: Evidence, options: Options
) -> tuple[str, str]:
    """Return the label of bars of whole days, or an empty one where it is uncertain."""
    weekdays = zone not in (None, "dates") and _weekdays_only(stamps, str(zone), evidence)
    if options.label == "close" and weekdays:
        # A bar that ended at a Monday's midnight would be a Sunday's: such stamps name sessions.
        return "date", "given as close; the stamps skip weekends, so each names its session"
    if options.label == "close" and zone == "dates":
        return "date", "given as close; a date names the day that ends with it"
    if timeframe_ns == DAY_NS and zone == "dates":
        return "open", "dates name their sessions"
    if options.label is not None:
        return options.label, "given"
    if evidence.open_sign:
        return "open", evidence.open_sign
    if timeframe_ns == DAY_NS and weekdays:
        return "open", f"midnights ({zone}) of Mondays to Fridays name their sessions"
    return "", "uncertain, read as open"


def _intraday_label(
    stamps: list[Int64s], timeframe_ns: int, evidence: Evidence, options: Options
) -> tuple[str, str]:
    if options.label is not None:
        return options.label, "given"
    if evidence.open_sign:
        return "open", evidence.open_sign
    whole = np.unique(np.concatenate(stamps)) if stamps else np.zeros(0, dtype=np.int64)
    if evidence.zone is None:
        whole = from_wall(whole, options.tz or NEW_YORK)
        whole = whole[whole != NAT]
    if not len(whole):
        return "", "uncertain, read as open"
    if options.calendar is not None:
        table = sessions_between(options.calendar, int(whole[0]), int(whole[-1]))
        label = label_by_sessions(whole, table.open, table.close, timeframe_ns)
        return label, f"stamps against the sessions of {options.calendar}"
    opens, closes = _regular_sessions(whole)
    label = label_by_sessions(whole, opens, closes, timeframe_ns)
    return label, "stamps against 09:30 to 16:00 New York"


def _regular_sessions(stamps: Int64s) -> tuple[Int64s, Int64s]:
    """Return 09:30 and 16:00 New York of each weekday around sorted stamps."""
    first, last = int(stamps[0]) // DAY_NS - 1, int(stamps[-1]) // DAY_NS + 2
    days = np.arange(first, min(last, first + 40_000), dtype=np.int64)
    walls = days[(days + _EPOCH_WEEKDAY) % 7 < 5] * DAY_NS
    return (
        from_wall(walls + _REGULAR_OPEN_NS, NEW_YORK),
        from_wall(walls + _REGULAR_CLOSE_NS, NEW_YORK),
    )


def label_by_sessions(stamps: Int64s, opens: Int64s, closes: Int64s, timeframe_ns: int) -> str:
    """Return ``"open"`` or ``"close"`` where only one fits, else an empty string.

    Opens it is if every stamp lies in [open, close) and one session at least is whole: a stamp at
    its open, one within a timeframe of its close. Closes likewise, in (open, close].

    Parameters
    ----------
    stamps, opens, closes : ndarray of int64
        Sorted instants, nanoseconds UTC.
    timeframe_ns : int
    """
    if not len(stamps) or not len(opens):
        return ""
    return (
        "open"
        if _covers(stamps, opens, closes, timeframe_ns)
        else "close"
        if _covers(-stamps[::-1], -closes[::-1], -opens[::-1], timeframe_ns)
        else ""
    )


def _covers(stamps: Int64s, opens: Int64s, closes: Int64s, timeframe_ns: int) -> bool:
    row = np.searchsorted(opens, stamps, side="right") - 1
    if row.min() < 0 or np.any(stamps >= closes[row]):
        return False
    begun = row[stamps == opens[row]]
    ended = row[stamps >= closes[row] - timeframe_ns]
    return len(np.intersect1d(begun, ended)) > 0


def _uncertain(timeframe_ns: int, report: Report) -> str:
    if report.has(*NO_TIMES):
        return "open"
    report.add(
        "label",
        f"whether a stamp marks the start or the end of its {format_timeframe(timeframe_ns)} bar "
        "is uncertain, and a wrong guess shows bars before they were known",
        'write label="open" (Alpaca, Yahoo, most exchanges) or label="close"',
    )
    return "open"


def open_sign(names: Iterable[str], vendor: str) -> str:
    """Return why a source is known to label bars by their open, or an empty string."""
    known = set(names)
    if {"trade_count", "vwap"} <= known:
        return "Alpaca's columns trade_count and vwap"
    if vendor == "yfinance" or {"dividends", "stock_splits"} <= known:
        return "a frame of yfinance"
    return ""


def evidence_of(stamps: Stamps, *, dates: bool, closes: bool, sign: str) -> Evidence:
    """Return the evidence of a table with these stamps."""
    return Evidence(stamps.zone, stamps.is_date or dates, closes, sign)

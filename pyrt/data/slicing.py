"""Slices of time: where a run starts and ends in columns, and what is kept before for warm-up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from pyrt.data.clocks import NAT, from_wall
from pyrt.data.columns import BarColumns, Columns, take
from pyrt.data.timeframe import DAY_NS
from pyrt.errors import ConfigError

EARLIEST_NS = 100 * DAY_NS
"""Whole numbers below are a date without its dashes, or count micro-, milliseconds or seconds."""


def moment(value: Any, tz: str | None, *, is_end: bool = False) -> int:
    """Return a point in time as nanoseconds UTC.

    Parameters
    ----------
    value : str, date, datetime, pandas.Timestamp or int
        ISO 8601 text or a date object; a whole number is nanoseconds UTC, from spring 1970 on.
    tz : str or None
        Zone of what carries none; UTC by default.
    is_end : bool
        A date without a time then means the end of that day, not its start.

    Raises
    ------
    ConfigError
        If the value is no time, or clocks in `tz` skip or repeat it.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        if 0 < value < EARLIEST_NS:
            raise _no_time(value)
        return int(value)
    import pandas as pd

    bare = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    bare = bare or (isinstance(value, str) and len(value.strip()) <= len("2024-01-02"))
    try:
        # A number with a fraction would be taken for nanoseconds.
        stamp: Any = pd.NaT if isinstance(value, bool | float) else pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise _no_time(value) from error
    if pd.isna(stamp):
        raise _no_time(value)
    if stamp.tzinfo is not None:
        return int(stamp.as_unit("ns").value)
    wall = np.array([stamp.as_unit("ns").value + (DAY_NS if bare and is_end else 0)])
    instant = int(from_wall(wall, tz or "UTC")[0])
    if instant == NAT:
        raise _no_time(value)
    return instant


def _no_time(value: Any) -> ConfigError:
    return ConfigError(
        f"{value!r} is no point in time",
        code="time",
        remedy='Write ISO 8601: "2024-01-31" or "2024-01-31T09:30-05:00"',
        value=str(value),
    )


def cut(
    columns: Columns, start_ns: int | None, end_ns: int | None, warmup_bars: int | None
) -> tuple[Columns, int]:
    """Return the rows of a run with those kept before it, and how many those are.

    A bar is of the run if it opens at `start_ns` or later and ends by `end_ns`; a tick if it is
    known at `start_ns` or later and before `end_ns`.

    Parameters
    ----------
    columns : Columns
    start_ns, end_ns : int or None
    warmup_bars : int or None
        Bars to keep before the start; None keeps all. Ticks before it are kept in any case: bars
        for the warm-up may be made of them.
    """
    is_bars = isinstance(columns, BarColumns)
    begins = columns.ts_open if isinstance(columns, BarColumns) else columns.ts_init
    first = 0 if start_ns is None else int(np.searchsorted(begins, start_ns, side="left"))
    stop = len(columns)
    if end_ns is not None:
        ends = columns.ts_close if isinstance(columns, BarColumns) else columns.ts_init
        stop = int(np.searchsorted(ends, end_ns, side="right" if is_bars else "left"))
    stop = max(stop, first)
    kept = first
    if is_bars and warmup_bars is not None:
        kept = min(first, warmup_bars)
    if kept == first and stop == len(columns):
        return columns, kept
    return take(columns, slice(first - kept, stop)), kept

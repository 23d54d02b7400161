"""Clocks: between instants (ns UTC) and what a clock on the wall of a time zone shows."""

from __future__ import annotations

import datetime as dt

import numpy as np

from pyrt.data.columns import Int64s
from pyrt.data.timeframe import DAY_NS

NAT = np.iinfo(np.int64).min
"""Value of a missing stamp, as NumPy and pandas have it."""


def iso(ns: int) -> str:
    """Return an instant as ISO 8601 text, UTC, to the second (or finer where it is finer)."""
    seconds, rest = divmod(int(ns), 10**9)
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{moment.isoformat()}{fraction}Z"


def to_wall(ns: Int64s, zone: str) -> Int64s:
    """Return the wall time in a zone, as nanoseconds since 1970-01-01 00:00 of that wall."""
    if zone == "UTC" or not len(ns):
        return ns
    import pandas as pd

    index = pd.DatetimeIndex(ns.view("M8[ns]"), tz="UTC").tz_convert(zone).tz_localize(None)
    return np.asarray(index.as_unit("ns").asi8)


def from_wall(wall: Int64s, zone: str) -> Int64s:
    """Return the instants of wall times; `NAT` where the clocks skip or repeat that time."""
    if zone == "UTC" or not len(wall):
        return wall
    import pandas as pd

    index = pd.DatetimeIndex(wall.view("M8[ns]"))
    local = index.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return np.asarray(local.as_unit("ns").asi8)


def midnights(days: Int64s, zone: str) -> Int64s:
    """Return the first instant of each day (days since 1970-01-01) in a zone.

    Where the clocks skip midnight it is the first instant after; where they repeat it, the first.
    """
    if zone == "UTC" or not len(days):
        return days * DAY_NS
    import pandas as pd

    unique, back = np.unique(days, return_inverse=True)
    index = pd.DatetimeIndex((unique * DAY_NS).view("M8[ns]"))
    local = index.tz_localize(
        zone, ambiguous=np.ones(len(unique), dtype=bool), nonexistent="shift_forward"
    )
    return np.asarray(local.as_unit("ns").asi8)[back]

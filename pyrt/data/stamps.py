"""Stamps: a column of times, in any form, becomes int64 nanoseconds UTC, or says why it cannot."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.cells import is_arrow
from pyrt.data.clocks import NAT, from_wall, iso
from pyrt.data.columns import Int64s
from pyrt.data.options import Options
from pyrt.data.report import Report
from pyrt.data.timeframe import DAY_NS, UNITS_NS

_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_EARLIEST_NS = -2_208_988_800 * 10**9  # 1900-01-01
_LATEST_NS = 4_102_444_800 * 10**9  # 2100-01-01
# Microseconds up to the year 2100, read as nanoseconds, end on 1970-02-17.
_TRAP_NS = _LATEST_NS // 1000
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


@dataclass(frozen=True, slots=True)
class Stamps:
    """A column of times.

    Attributes
    ----------
    ns : ndarray of int64, shape (n,)
        Nanoseconds UTC; of a naive column the wall time read as if it were UTC.
    zone : str or None
        The zone the column says it is in; None where it is naive.
    is_date : bool
        The column holds dates: days, not instants.
    """

    ns: Int64s
    zone: str | None
    is_date: bool = False


def read_stamps(values: Any, name: str, options: Options, report: Report) -> Stamps:
    """Return a column of times; what is wrong with it goes to the report."""
    if is_arrow(values):
        stamps = _from_arrow(values, name, options, report)
    else:
        stamps = _from_pandas(values, name, options, report)
    missing = np.flatnonzero(stamps.ns == NAT) if len(stamps.ns) else np.zeros(0, np.int64)
    if len(missing) and "drop_nan" not in options.repairs:
        report.add(
            "missing_time", f"{name} is missing", "drop these rows", rows=missing, repair="drop_nan"
        )
    return stamps


def _from_arrow(values: Any, name: str, options: Options, report: Report) -> Stamps:
    import pyarrow as pa

    kind = values.type
    if pa.types.is_timestamp(kind):
        whole = values.cast(pa.int64()).fill_null(NAT).to_numpy()
        return _instants(whole, kind.unit, kind.tz, name, report)
    if pa.types.is_date(kind):
        days = values.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()).fill_null(NAT).to_numpy()
        return Stamps(_scaled(days, "day", name, report), None, is_date=True)
    if pa.types.is_integer(kind):
        return _epoch(values.cast(pa.int64()).fill_null(NAT).to_numpy(), name, report)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text(values, name, options, report)
    return _unreadable(len(values), name, str(kind), report)


def _from_pandas(values: Any, name: str, options: Options, report: Report) -> Stamps:
    import pandas as pd
    import pyarrow as pa

    dtype = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(pa.chunked_array([pa.array(values.array)]), name, options, report)
    if dtype.kind == "M":
        index = pd.DatetimeIndex(values)
        zone = None if index.tz is None else str(index.tz)
        return _instants(index.asi8, index.unit, zone, name, report)
    if dtype.kind in "iu":
        whole = values.to_numpy(dtype=np.int64, na_value=NAT)
        return _epoch(np.ascontiguousarray(whole), name, report)
    if dtype.kind == "O" and isinstance(dtype, np.dtype):
        return _objects(list(values), name, options, report)
    if pd.api.types.is_string_dtype(dtype):
        return _text(pa.chunked_array([pa.array(values, pa.string())]), name, options, report)
    return _unreadable(len(values), name, str(dtype), report)


def _scaled(values: Int64s, unit: str, name: str, report: Report) -> Int64s:
    """Return counts of a unit as nanoseconds; what leaves 1900 to 2100 is reported, not wrapped."""
    scale = DAY_NS if unit == "day" else _UNIT_NS[unit]
    values = np.ascontiguousarray(values)
    low, high = _EARLIEST_NS // scale, _LATEST_NS // scale
    if not len(values) or (values.min() >= low and values.max() < high):
        return values * scale if scale > 1 else values
    missing = values == NAT
    strange = ~missing & ((values < low) | (values >= high))
    if strange.any():
        rows = np.flatnonzero(strange)
        report.add(
            "implausible_time",
            f"{name} lies outside the years 1900 to 2100 ({values[rows[0]]} {unit} since 1970)",
            "read the column with its true unit: pandas.to_datetime(column, unit=..., utc=True)",
            rows=rows,
        )
    scaled = np.where(strange, 0, values) * scale
    scaled[missing] = NAT
    return scaled


def _epoch(values: Int64s, name: str, report: Report) -> Stamps:
    """Read whole numbers as nanoseconds since 1970, and refuse numbers of another unit."""
    rows = _trapped(values)
    if len(rows):
        first = int(values[rows[0]])
        column = f'frame["{name}"]'
        unit = _likely_unit(first)
        convert = f'pandas.to_datetime({column}, unit="{unit}", utc=True)'
        if unit == "day":
            convert = f'pandas.to_datetime({column}.astype(str), format="%Y%m%d")'
        report.add(
            "implausible_time",
            f"{name} is {first}, which as nanoseconds since 1970 is {iso(first)}",
            f"convert it from its true unit: {column} = {convert}",
            rows=rows,
        )
    return Stamps(_scaled(values, "ns", name, report), "UTC")


def _instants(values: Int64s, unit: str, zone: str | None, name: str, report: Report) -> Stamps:
    """Read timestamps, and refuse those that an earlier reader took for another unit."""
    ns = _scaled(values, unit, name, report)
    rows = _trapped(ns)
    if len(rows) and not report.has("implausible_time"):
        report.add(
            "implausible_time",
            f"{name} is {iso(ns[rows[0]])}: numbers of a coarser unit were read as {unit}",
            "parse them again with their true unit: "
            'pandas.to_datetime(numbers, unit="ms", utc=True)',
            rows=rows,
        )
    return Stamps(ns, zone)


def _trapped(ns: Int64s) -> NDArray[np.intp]:
    """Return the rows of early 1970, which is where counts of another unit land.

    Midnights of those weeks are left alone: they are whole hours, such counts are not.
    """
    if not len(ns) or ns.min() >= _TRAP_NS:
        return np.zeros(0, dtype=np.intp)
    small = (ns > -_TRAP_NS) & (ns < _TRAP_NS)
    odd = ns % UNITS_NS["h"] != 0
    # Zero is midnight among midnights, and an empty cell among other times.
    return np.flatnonzero(small & (odd | ((ns == 0) & odd.any())))


def _likely_unit(value: int) -> str:
    if 19000101 <= value <= 21001231:
        return "day"  # 20240102 is a date written as a number
    for unit, scale in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if 0 < value * scale < _LATEST_NS and value * scale >= _LATEST_NS // 10:
            return unit
    return "s"


def _text(values: Any, name: str, options: Options, report: Report) -> Stamps:
    """Read ISO 8601 text; other notations leave day and month, or the zone, to guesswork."""
    import pandas as pd
    import pyarrow.compute as pc

    series = values.to_pandas()
    zones, naive = _offsets(values)
    parsed = pd.to_datetime(series, format="ISO8601", utc=True, errors="coerce")
    bad = np.flatnonzero((parsed.isna() & series.notna()).to_numpy())
    if len(bad):
        report.add(
            "not_a_time",
            f"{name} is {series.iloc[bad[0]]!r}, no ISO 8601 time",
            f'parse it first: pandas.to_datetime(frame["{name}"], format=...)',
            rows=bad,
        )
    index = pd.DatetimeIndex(parsed)
    ns = _scaled(index.asi8, index.unit, name, report)
    if len(bad):
        ns = ns.copy()
        ns[bad] = 0  # reported above, not missing
    if not zones:
        longest = pc.max(pc.utf8_length(values)).as_py() or 0
        return Stamps(ns, None, is_date=longest <= len("2024-01-02"))
    texts = np.asarray(series.to_numpy(dtype=object))
    _report_mixture(name, naive, zones, texts, options, report)
    return Stamps(ns, "UTC")


def _offsets(values: Any) -> tuple[set[str], NDArray[np.bool_]]:
    """Return the offsets that stamps are written with, and which rows have none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # The few distinct endings tell; matching every row would cost more than parsing it.
    endings = pc.utf8_slice_codeunits(values, -6)
    found: set[str] = set()
    without: list[str] = []
    for ending in pc.unique(endings.drop_null()).to_pylist():
        match = _OFFSET.search(ending)
        if match is None:
            without.append(ending)
        else:
            offset = match[0].replace(":", "")
            found.add("UTC" if offset in ("Z", "+0000") else offset)
    naive = pc.is_in(endings, value_set=pa.array(without, endings.type))
    return found, np.asarray(naive.to_numpy())


def _objects(cells: list[Any], name: str, options: Options, report: Report) -> Stamps:
    """Read Python objects: text, dates, or datetimes whose zones need not agree."""
    import pandas as pd
    import pyarrow as pa

    present = [cell for cell in cells if not (cell is None or cell is pd.NaT or cell != cell)]
    kinds = {type(cell) for cell in present}
    if kinds <= {str}:
        return _text(pa.chunked_array([pa.array(cells, pa.string())]), name, options, report)
    if kinds <= {dt.date}:
        return _from_arrow(pa.chunked_array([pa.array(cells, pa.date32())]), name, options, report)
    if not all(isinstance(cell, dt.datetime) for cell in present):
        kind = next(k for k in (type(c) for c in present) if not issubclass(k, dt.datetime))
        return _unreadable(len(cells), name, kind.__name__, report)
    index = pd.DatetimeIndex(pd.to_datetime(cells, utc=True))
    ns = _scaled(index.asi8, index.unit, name, report)
    naive = np.array([stamp is not pd.NaT and stamp.tzinfo is None for stamp in cells], dtype=bool)
    zones = {str(cell.tzinfo) for cell in present if cell.tzinfo is not None}
    if not zones:
        return Stamps(ns, None)
    texts = np.array([str(cell) for cell in cells], dtype=object)
    _report_mixture(name, naive, zones, texts, options, report)
    return Stamps(ns, zones.pop() if len(zones) == 1 else "UTC")


def _report_mixture(
    name: str,
    naive: NDArray[np.bool_],
    zones: set[str],
    texts: NDArray[Any],
    options: Options,
    report: Report,
) -> None:
    if naive.any():
        rows = np.flatnonzero(naive)
        report.add(
            "mixed_zones",
            f"{name} has no time zone ({texts[rows[0]]}), other rows have one",
            "write every stamp with its offset",
            rows=rows,
        )
    if len(zones) > 1 and "utc" not in options.repairs:
        first = texts[0]
        changed = np.array([str(text)[-6:] != str(first)[-6:] for text in texts])
        report.add(
            "mixed_zones",
            f"{name} mixes the time zones {', '.join(sorted(zones))} (row 0 is {first})",
            "read each stamp by its own offset",
            rows=np.flatnonzero(changed),
            repair="utc",
        )


def _unreadable(length: int, name: str, kind: str, report: Report) -> Stamps:
    report.add(
        "not_a_time",
        f"{name} has type {kind}, which holds no exact times",
        "give datetimes with a time zone, ISO 8601 text, or int64 nanoseconds UTC",
    )
    return Stamps(np.arange(length, dtype=np.int64) * DAY_NS, "UTC")


def resolve(stamps: Stamps, name: str, options: Options, report: Report) -> Int64s:
    """Return instants; naive stamps are read in `options.tz`, and reported without it."""
    if stamps.zone is not None:
        return stamps.ns
    if options.tz is None:
        report.add(
            "naive_time",
            f"{name} has no time zone",
            'write tz="America/New_York" (or "UTC", or wherever its clock stands)',
        )
        return stamps.ns
    ns = from_wall(stamps.ns, options.tz)
    rows = np.flatnonzero((ns == NAT) & (stamps.ns != NAT))
    if len(rows):
        report.add(
            "ambiguous_time",
            f"{name} is {iso(stamps.ns[rows[0]])[:-1]}, which clocks in {options.tz} skip or "
            "show twice",
            "give this column in UTC",
            rows=rows,
        )
        ns = np.where(ns == NAT, stamps.ns, ns)
    return ns

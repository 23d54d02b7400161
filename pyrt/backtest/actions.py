"""Reading tables of splits and dividends into what the runner applies."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from pyrt.core.instruments import Instrument
from pyrt.core.numbers import price_to_raw
from pyrt.core.times import timestamp_ns
from pyrt.errors import DataError

RATIO_DENOMINATOR_MAX = 1_000
RATIO_TOLERANCE = Fraction(1, 100_000)


def ratio_of(value: float) -> Fraction:
    """Return a split ratio as the simple fraction it stands for (6.999997 is 7).

    Raises
    ------
    DataError
        If no fraction with a denominator up to 1,000 lies within 1e-5 of it.
    """
    exact = Fraction(value)
    for limit in (20, RATIO_DENOMINATOR_MAX):
        near = exact.limit_denominator(limit)
        if near > 0 and abs(near / exact - 1) <= RATIO_TOLERANCE:
            return near
    raise DataError(
        f"{value!r} is no split ratio", remedy="Write new shares per old one, such as 7"
    )


def ex_time(day: date | datetime | str, instrument: Instrument) -> int:
    """Return when an action is in force: midnight of the ex-date, New York for listed equities."""
    if isinstance(day, str):
        day = date.fromisoformat(day[:10])
    if isinstance(day, datetime):
        day = day.date()
    zone = ZoneInfo("America/New_York" if instrument.calendar == "XNYS" else "UTC")
    return timestamp_ns(datetime(day.year, day.month, day.day, tzinfo=zone))


def read_actions(
    table: Any, instruments: dict[str, Instrument]
) -> list[tuple[int, str, int, int, int]]:
    """Return (ts, kind, instrument index, number, number) rows of a table, for known symbols.

    Parameters
    ----------
    table : DataFrame, pyarrow.Table, Parquet path or list of dict
        Columns ``symbol``, ``ex_date``, ``kind`` ("split" or "cash_dividend"), ``split_ratio``
        (new shares per old one) and ``cash_amount`` (per share).
    instruments : dict
        By symbol.
    """
    actions = []
    for number, row in enumerate(rows_of(table)):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        ts = ex_time(row["ex_date"], instrument)
        if row["kind"] == "split":
            ratio = ratio_of(float(row["split_ratio"]))
            actions.append((ts, "split", instrument.index, ratio.numerator, ratio.denominator))
        elif row["kind"] in ("cash_dividend", "dividend"):
            amount = price_to_raw(round(float(row["cash_amount"]), 6))
            actions.append((ts, "dividend", instrument.index, 1, amount))
        else:
            raise DataError(f"row {number}: kind is {row['kind']!r}; expected split or dividend")
    return actions


def rows_of(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a small table as dicts."""
    if isinstance(table, list):
        return table
    if hasattr(table, "to_pylist"):
        return list(table.to_pylist())
    if hasattr(table, "to_dict"):
        return list(table.to_dict("records"))
    import pyarrow.parquet as pq

    return list(pq.read_table(table).to_pylist())

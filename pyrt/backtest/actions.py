"""Reading tables of splits and dividends into what the runner applies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from os import PathLike
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
    for number, row in enumerate(rows_of(table, "corporate actions", "symbol", "ex_date", "kind")):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        ts = ex_time(row["ex_date"], instrument)
        if row["kind"] == "split":
            ratio = ratio_of(_number(row, number, "split_ratio"))
            actions.append((ts, "split", instrument.index, ratio.numerator, ratio.denominator))
        elif row["kind"] in ("cash_dividend", "dividend"):
            amount = price_to_raw(round(_number(row, number, "cash_amount"), 6))
            actions.append((ts, "dividend", instrument.index, 1, amount))
        else:
            raise DataError(f"row {number}: kind is {row['kind']!r}; expected split or dividend")
    return actions


def _number(row: Mapping[str, Any], number: int, name: str) -> float:
    """Return a positive number of a row; DataError where there is none."""
    try:
        value = float(row[name])
    except (KeyError, TypeError, ValueError):
        value = -1.0
    if not 0.0 < value < 1e9:
        raise DataError(
            f"row {number}: {name} is {row.get(name)!r}; expected a positive number, as this is a "
            f"{row['kind']}"
        )
    return value


def rows_of(table: Any, what: str, *needed: str) -> list[dict[str, Any]]:
    """Return the rows of a small table as dicts.

    Parameters
    ----------
    table : DataFrame, pyarrow.Table, mapping of columns, Parquet path or list of dict
    what : str
        What it is a table of, for the message.
    *needed : str
        Columns that every row must have.

    Raises
    ------
    DataError
        If it is no table, or a column is missing.
    """
    rows = _rows(table, what)
    for number, row in enumerate(rows):
        missing = [name for name in needed if name not in row]
        if missing:
            raise DataError(
                f"a table of {what} has no column {missing[0]!r} in row {number}",
                remedy=f"It needs {', '.join(needed)}; this row has {', '.join(map(str, row))}",
            )
    return rows


def _rows(table: Any, what: str) -> list[dict[str, Any]]:
    if isinstance(table, list) and all(isinstance(row, Mapping) for row in table):
        return table
    if hasattr(table, "to_pylist"):
        return list(table.to_pylist())
    if hasattr(table, "to_dict"):
        return list(table.to_dict("records"))
    if isinstance(table, Mapping):
        columns = {name: list(values) for name, values in table.items()}
        if len({len(values) for values in columns.values()}) > 1:
            raise DataError(f"the columns of a table of {what} differ in length")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if not isinstance(table, (str, PathLike)):
        raise DataError(
            f"a table of {what} cannot be a {type(table).__name__}",
            remedy="Give a DataFrame, a pyarrow.Table, dicts or the path of a Parquet file",
        )
    import pyarrow.parquet as pq

    return list(pq.read_table(table).to_pylist())

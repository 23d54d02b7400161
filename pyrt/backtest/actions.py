"""Reading tables of splits and dividends into what the runner applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np

from pyrt.core.instruments import Instrument
from pyrt.core.numbers import price_to_raw
from pyrt.data.clocks import midnights
from pyrt.data.sessions import Sessions
from pyrt.errors import DataError
from pyrt.venues.sessions import zone_of

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


class ExDates:
    """When ex-dates begin: an action is in force before the first trade of its day, not sooner.

    That is midnight where the instrument's calendar is, or the open of the session of that date
    where it opens on the evening before. Of an instrument without sessions it is midnight in the
    zone in which its data name their days.

    Parameters
    ----------
    sessions : callable
        Calendar name → its sessions over the run; None where it has none.
    zones : mapping
        Symbol → zone of its data, where not UTC.
    """

    def __init__(
        self, sessions: Callable[[str], Sessions | None], zones: Mapping[str, str]
    ) -> None:
        self._sessions = sessions
        self._zones = zones

    def begin(self, day: date | datetime | str, instrument: Instrument) -> int:
        """Return the first instant of an ex-date, ns UTC."""
        if isinstance(day, str):
            day = date.fromisoformat(day[:10])
        number = day.toordinal() - date(1970, 1, 1).toordinal()
        table = self._sessions(instrument.calendar)
        if table is None:
            return _midnight(number, self._zones.get(instrument.symbol, "UTC"))
        first = _midnight(number, zone_of(instrument.calendar))
        row = int(np.searchsorted(table.date, number))
        if row < len(table.date) and table.date[row] == number:
            return min(first, int(table.open[row]))
        return first


def _midnight(day: int, zone: str) -> int:
    try:
        return int(midnights(np.array([day], np.int64), zone)[0])
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{zone} is no zone that has midnights to find",
            code="unknown_zone",
            remedy='Write tz="America/New_York", or wherever the ex-dates are',
            zone=zone,
        ) from error


def read_actions(
    table: Any, instruments: dict[str, Instrument], ex_dates: ExDates
) -> list[tuple[int, str, int, int, int]]:
    """Return (ts, kind, instrument index, number, number) rows of a table, for known symbols.

    Parameters
    ----------
    table : DataFrame, pyarrow.Table, Parquet path or list of dict
        Columns ``symbol``, ``ex_date``, ``kind`` ("split" or "cash_dividend"), ``split_ratio``
        (new shares per old one) and ``cash_amount`` (per share).
    instruments : dict
        By symbol.
    ex_dates : ExDates
    """
    actions = []
    for number, row in enumerate(rows_of(table, "corporate actions", "symbol", "ex_date", "kind")):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        ts = ex_dates.begin(row["ex_date"], instrument)
        if row["kind"] == "split":
            ratio = ratio_of(_number(row, number, "split_ratio"))
            actions.append((ts, "split", instrument.index, ratio.numerator, ratio.denominator))
        elif row["kind"] in ("cash_dividend", "dividend"):
            amount = price_to_raw(round(_number(row, number, "cash_amount"), 6))
            actions.append((ts, "dividend", instrument.index, 1, amount))
        else:
            raise DataError(f"row {number}: kind is {row['kind']!r}; expected split or dividend")
    return actions


def splits_of(
    actions: Sequence[tuple[int, str, int, int, int]], symbols: Sequence[str]
) -> dict[str, list[Any]]:
    """Return the splits among a run's actions as columns, the oldest first."""
    splits = sorted(row for row in actions if row[1] == "split")
    return {
        "ts_event": [ts for ts, *_ in splits],
        "symbol": [symbols[index] for _, _, index, *_ in splits],
        "ratio": [new / old for *_, new, old in splits],
    }


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

"""Dated tables of rates: which row applies on a date, and whether that row is well attested."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyrt.errors import DataError

__all__ = ["DatedRates", "Rate", "days_since_epoch"]

_EPOCH = dt.date(1970, 1, 1)


def days_since_epoch(date: int | dt.date) -> int:
    """Return a date as days since 1970-01-01; an int is taken to be that already."""
    return (date - _EPOCH).days if isinstance(date, dt.date) else int(date)


@dataclass(frozen=True)
class Rate:
    """One row of a dated table.

    Attributes
    ----------
    effective : datetime.date
        First date the rate applies to; it applies until the next row.
    rate_e9 : int
        The rate in 1e-9 (of the notional, or of a dollar a share, as the table says).
    cap_e9 : int
        Most that one trade pays, 1e-9 of a dollar; 0 where there is no cap.
    source : str
        Where the row comes from.
    confirmed : bool
        False where no primary source states both the rate and the date.
    """

    effective: dt.date
    rate_e9: int
    source: str
    cap_e9: int = 0
    confirmed: bool = True


class DatedRates:
    """A table of rates in order of date, readable row by row or as int64 columns.

    Attributes
    ----------
    name : str
        What is charged.
    rows : tuple of Rate
        Oldest first.
    known_through : datetime.date
        Last date the table was checked for; later dates use the last row (`is_projected`).
    days, rate_e9, cap_e9 : ndarray of int64, shape (n,)
        The rows as read-only columns, for a compiled look-up by `searchsorted`.
    """

    def __init__(self, name: str, known_through: dt.date, rows: tuple[Rate, ...]) -> None:
        self.name = name
        self.rows = rows
        self.known_through = known_through
        self.days = _column([days_since_epoch(row.effective) for row in rows])
        self.rate_e9 = _column([row.rate_e9 for row in rows])
        self.cap_e9 = _column([row.cap_e9 for row in rows])
        if not (np.diff(self.days) > 0).all():
            raise DataError(
                f"rows of {name} are not in order of date",
                code="rates_out_of_order",
                remedy="Sort the rows by their effective date, one row a date",
                name=name,
            )

    def on(self, date: int | dt.date) -> Rate:
        """Return the row in force on a date.

        Parameters
        ----------
        date : int or datetime.date
            Trade date, New York; days since 1970-01-01 or a date.

        Raises
        ------
        DataError
            If the date precedes the table: an unknown fee is not a fee of zero.
        """
        row = int(np.searchsorted(self.days, days_since_epoch(date), side="right")) - 1
        if row < 0:
            first = self.rows[0].effective
            raise DataError(
                f"no {self.name} rate is recorded before {first}",
                code="rate_not_recorded",
                remedy=f"Start at {first} or later, or give a fee model of your own",
                name=self.name,
                date=str(date),
            )
        return self.rows[row]

    def is_projected(self, date: int | dt.date) -> bool:
        """Tell whether a date lies after the last check of this table."""
        return days_since_epoch(date) > days_since_epoch(self.known_through)


def _column(values: list[int]) -> NDArray[np.int64]:
    column = np.array(values, dtype=np.int64)
    column.flags.writeable = False
    return column

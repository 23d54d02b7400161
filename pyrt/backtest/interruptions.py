"""Halts and auctions: tables of them, read into what the runner carries out."""

from __future__ import annotations

from typing import Any

from pyrt.backtest.actions import rows_of
from pyrt.core.instruments import Instrument
from pyrt.core.numbers import price_to_raw
from pyrt.core.times import timestamp_ns
from pyrt.errors import DataError

Action = tuple[int, str, int, Any, int]


def read_halts(table: Any, instruments: dict[str, Instrument]) -> list[Action]:
    """Return (ts, "halt", "reopen" or "resume", instrument index, ..., ...) rows of a table.

    Parameters
    ----------
    table : DataFrame, pyarrow.Table, Parquet path or list of dict
        Columns ``symbol``, ``start``, ``end`` (None while it lasts), ``reason`` if there is one,
        and ``price`` and ``size`` of the auction that ends it, where they are known.
    instruments : dict
        By symbol; rows of others are left out.

    Raises
    ------
    DataError
        If a halt ends before it starts.
    """
    found: list[Action] = []
    for row in rows_of(table, "halts", "symbol", "start"):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        start, end = timestamp_ns(row["start"]), row.get("end")
        reason = str(row.get("reason") or "trading halt")
        found.append((start, "halt", instrument.index, reason, 0))
        if end is None or end != end:
            continue
        if timestamp_ns(end) <= start:
            raise DataError(f"a halt of {row['symbol']} from {row['start']} ends at {end}")
        price = row.get("price")
        if price is not None and price == price:
            found.append((timestamp_ns(end), "reopen", *_auction(row, instrument)))
        found.append((timestamp_ns(end), "resume", instrument.index, reason, 0))
    return found


def read_auctions(table: Any, instruments: dict[str, Instrument]) -> list[Action]:
    """Return (ts, "auction", instrument index, price in 1e-9, units or 0) rows of a table.

    Parameters
    ----------
    table : DataFrame, pyarrow.Table, Parquet path or list of dict
        Columns ``ts_event``, ``symbol``, ``price``, and ``size`` where it is known.
    instruments : dict
        By symbol; rows of others are left out.
    """
    found: list[Action] = []
    for row in rows_of(table, "auctions", "ts_event", "symbol", "price"):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        found.append((timestamp_ns(row["ts_event"]), "auction", *_auction(row, instrument)))
    return found


def _auction(row: Any, instrument: Instrument) -> tuple[int, int, int]:
    """Return (instrument index, price in 1e-9, units or 0) of a row with a price."""
    size = row.get("size")
    units = 0 if size is None or size != size else int(instrument.to_units(size))
    return instrument.index, price_to_raw(row["price"]), units

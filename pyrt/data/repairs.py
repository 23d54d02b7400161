"""Repairs: what a caller asked to be mended, in one fixed order, each with the rows it touched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyrt.data.checks import OHLC, bars_are_sound
from pyrt.data.clocks import NAT
from pyrt.data.options import Options
from pyrt.data.rows import Rows

Repairs = dict[str, int]
"""Name of a repair to the number of rows it changed or left out."""


def drop_missing(rows: Rows, names: tuple[str, ...], options: Options, done: Repairs) -> None:
    """Leave out rows without a stamp, or with NaN in one of these columns (``drop_nan``)."""
    if "drop_nan" not in options.repairs:
        return
    kept = rows["stamp"] != NAT
    for name in names:
        kept &= ~np.isnan(rows[name])
    _keep(rows, kept, "drop_nan", done)


def put_in_order(rows: Rows, name: str, options: Options, done: Repairs, *, unique: bool) -> None:
    """Sort within each symbol (``sort``), then keep the last row of each stamp
    (``drop_duplicates``)."""
    if "sort" in options.repairs:
        steps, _ = rows.steps(rows[name], rows[name])
        if len(steps) and steps.min() < 0:
            keys = (rows[name],) if rows.codes is None else (rows[name], rows.codes)
            order = np.lexsort(keys)
            done["sort"] = int(np.count_nonzero(order != np.arange(len(order))))
            rows.take(order)
    if unique and "drop_duplicates" in options.repairs:
        steps, positions = rows.steps(rows[name], rows[name])
        kept = np.ones(len(rows), dtype=bool)
        kept[positions[steps == 0] - 1] = False
        _keep(rows, kept, "drop_duplicates", done)


def repair_bars(rows: Rows, options: Options, done: Repairs) -> None:
    """Fill, widen or leave out bars (``ffill``, ``clip``, ``drop_invalid``)."""
    if "ffill" in options.repairs:
        _fill_forward(rows, done)
    if "clip" in options.repairs:
        _widen(rows, done)
    if "drop_invalid" in options.repairs:
        missing = np.isnan(rows["volume"])
        for name in OHLC:
            missing |= np.isnan(rows[name])
        _keep(rows, bars_are_sound(rows) | missing, "drop_invalid", done)


def drop_unsound(rows: Rows, sound: NDArray[np.bool_], options: Options, done: Repairs) -> None:
    """Leave out rows that are not sound (``drop_invalid``)."""
    if "drop_invalid" in options.repairs:
        _keep(rows, sound, "drop_invalid", done)


def _fill_forward(rows: Rows, done: Repairs) -> None:
    """Make a bar with a missing price flat at the last close before it, with no volume.

    A symbol's first bars have no close before them and stay as they are.
    """
    gone = np.zeros(len(rows), dtype=bool)
    for name in OHLC:
        gone |= np.isnan(rows[name])
    source = np.where(gone, -1, np.arange(len(rows)))
    if rows.codes is not None:
        starts = np.flatnonzero(np.diff(rows.codes, prepend=-1))
        # A first row refers to itself, so that no close crosses from one symbol to the next.
        source[starts] = starts
    source = np.maximum.accumulate(source)
    filled = gone & (source >= 0)
    filled &= ~gone[np.maximum(source, 0)]
    if filled.any():
        close = rows["close"][source[filled]]
        for name in OHLC:
            rows.fields[name] = rows[name].copy()
            rows.fields[name][filled] = close
    silent = filled | np.isnan(rows["volume"])
    if silent.any():
        rows.fields["volume"] = np.where(silent, 0.0, rows["volume"])
        done["ffill"] = int(np.count_nonzero(silent))


def _widen(rows: Rows, done: Repairs) -> None:
    # fmin and fmax pass over NaN, which is another fault with a repair of its own.
    prices = [rows[name] for name in OHLC]
    high, low = np.fmax.reduce(prices), np.fmin.reduce(prices)
    changed = (high > rows["high"]) | (low < rows["low"])
    if changed.any():
        rows.fields["high"] = np.where(np.isnan(rows["high"]), np.nan, high)
        rows.fields["low"] = np.where(np.isnan(rows["low"]), np.nan, low)
        done["clip"] = int(np.count_nonzero(changed))


def _keep(rows: Rows, kept: NDArray[np.bool_], name: str, done: Repairs) -> None:
    lost = len(kept) - int(np.count_nonzero(kept))
    if lost:
        rows.take(kept)
        done[name] = done.get(name, 0) + lost

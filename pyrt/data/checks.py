"""Checks of rows: what every bar, quote, trade and book event must satisfy, all faults at once.

Each check has a fast form over whole columns, which is all that sound data cost; rows are looked
for only where it fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from pyrt.data.clocks import iso
from pyrt.data.columns import Float64s
from pyrt.data.report import NO_TIMES, Report
from pyrt.data.rows import Rows

OHLC = ("open", "high", "low", "close")

_BLOCK_ROWS = 1 << 15
_GRID = 1e9

PRICE_MAX = float(2**63) / _GRID
"""Prices are below this: an int64 in units of 1e-9 holds no more."""

Mask = NDArray[np.bool_]


def bars_are_sound(rows: Rows) -> Mask:
    """Return True for each row whose prices and volume are as `BarColumns` promises."""
    low, high, volume = rows["low"], rows["high"], rows["volume"]
    # NaN fails every comparison; an infinite open or close fails against the bounded high.
    sound = low > 0
    for name in ("open", "close"):
        sound &= low <= rows[name]
        sound &= rows[name] <= high
    sound &= low <= high
    sound &= high < PRICE_MAX
    sound &= volume >= 0
    sound &= volume < np.inf
    return np.asarray(sound)


def check_bars(rows: Rows, report: Report) -> None:
    """Report rows with missing, infinite, non-positive or contradictory values."""
    sound = bars_are_sound(rows)
    if sound.all():
        return
    names = (*OHLC, "volume")
    missing = reduce(np.logical_or, (np.isnan(rows[name]) for name in names))
    infinite = reduce(np.logical_or, (np.isinf(rows[name]) for name in names))
    negative = reduce(np.logical_or, (rows[name] <= 0 for name in OHLC))
    too_large = (rows["high"] >= PRICE_MAX) & ~infinite
    negative_volume = rows["volume"] < 0
    open_, high, low, close = (rows[name] for name in OHLC)
    crossed = high < low
    outside = (
        ~crossed & ~negative & ((open_ > high) | (open_ < low) | (close > high) | (close < low))
    )
    unpriced = reduce(np.logical_or, (np.isnan(rows[name]) for name in OHLC))
    _note(rows, report, unpriced, "nan", "NaN", names, _DROP, "drop_nan")
    _note(rows, report, missing & ~unpriced, "nan", "NaN", ("volume",), _FILL, "drop_nan")
    _note(rows, report, infinite, "infinite", "infinite", names, _DROP, "drop_invalid")
    _note(rows, report, negative, "price", "not above zero", OHLC, _DROP, "drop_invalid")
    _note(rows, report, negative_volume, "volume", "below zero", ("volume",), _DROP, "drop_invalid")
    _note(rows, report, too_large, "too_large", _TOO_LARGE, ("high",), _DROP, "drop_invalid")
    _note_range(rows, report, crossed & ~infinite, "high < low")
    _note_range(rows, report, outside & ~infinite, "open or close outside low … high")


_DROP = "leave these rows out"
_FILL = f'{_DROP}, or repair="ffill" to count none traded'
_TOO_LARGE = f"not below {PRICE_MAX:,.0f}, the largest price there is"


def _note(
    rows: Rows,
    report: Report,
    mask: Mask,
    code: str,
    what: str,
    names: tuple[str, ...],
    remedy: str,
    repair: str,
) -> None:
    """Report a fault, naming the cells of the first row that have it."""
    where = np.flatnonzero(mask)
    if not len(where):
        return
    tests: dict[str, Callable[[float], bool]] = {
        "nan": math.isnan,
        "infinite": math.isinf,
        "price": lambda x: x <= 0,
        "volume": lambda x: x < 0,
        "too_large": lambda x: x >= PRICE_MAX,
    }
    first = {name: float(rows[name][where[0]]) for name in names}
    cells = [f"{name}={value}" for name, value in first.items() if tests[code](value)]
    report.add(
        code,
        f"{what} ({', '.join(cells)})",
        remedy,
        rows=rows.numbers(where),
        repair=repair,
    )


def _note_range(rows: Rows, report: Report, mask: Mask, what: str) -> None:
    where = np.flatnonzero(mask)
    if len(where):
        cells = ", ".join(f"{name}={rows[name][where[0]]}" for name in OHLC)
        report.add(
            "high_low",
            f"{what} ({cells})",
            "widen high and low to hold open and close",
            rows=rows.numbers(where),
            repair="clip",
        )


def check_order(rows: Rows, name: str, report: Report, *, unique: bool) -> None:
    """Report rows whose stamp steps back within their symbol, or repeats where it must not."""
    if report.has(*NO_TIMES):
        return
    stamps = rows[name]
    steps, positions = rows.steps(stamps, stamps)
    if not len(steps) or steps.min() > (0 if unique else -1):
        return
    back = positions[steps < 0]
    if len(back):
        at = int(back[0])
        report.add(
            "unsorted",
            f"{iso(stamps[at])} comes after {iso(stamps[at - 1])}",
            "sort by time",
            rows=rows.numbers(back),
            repair="sort",
        )
    if not unique:
        return
    repeats = positions[steps == 0] if not len(back) else _repeats(rows, name)
    if len(repeats):
        at = int(repeats[0])
        report.add(
            "duplicate",
            f"{iso(stamps[at])} is there already",
            "keep the last row of each time",
            rows=rows.numbers(repeats),
            repair="drop_duplicates",
        )


def _repeats(rows: Rows, name: str) -> NDArray[np.intp]:
    """Return the positions, in row order, of stamps that an earlier row of the symbol has."""
    keys = (rows[name],) if rows.codes is None else (rows[name], rows.codes)
    order = np.lexsort(keys)
    same = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    return np.sort(order[1:][same])


def check_overlap(rows: Rows, report: Report, timeframe: str) -> None:
    """Report bars that start before the bar before them has ended."""
    if report.has(*NO_TIMES, "unsorted", "duplicate", "timeframe"):
        return
    room, positions = rows.steps(rows["ts_open"], rows["ts_close"])
    early = positions[room < 0] if len(room) and room.min() < 0 else positions[:0]
    if len(early):
        at = int(early[0])
        report.add(
            "overlap",
            f"a {timeframe} bar starts at {iso(rows['ts_open'][at])}, before the one before it "
            f"ends ({iso(rows['ts_close'][at - 1])})",
            "give the timeframe that these bars have, or split a table of several timeframes",
            rows=rows.numbers(early),
        )


def check_quotes(rows: Rows, report: Report) -> None:
    """Report quotes with a price not above zero or infinite, or a size that is no size."""
    for side in ("bid", "ask"):
        price, size = rows[f"{side}_price"], rows[f"{side}_size"]
        absent = np.isnan(price)
        wrong = ~absent & ~((price > 0) & (price < PRICE_MAX))
        _note_cell(rows, report, wrong, f"{side}_price", "no price", "drop_invalid")
        unsized = ~absent & ~((size >= 0) & (size < np.inf))
        _note_cell(rows, report, unsized, f"{side}_size", "no size", "drop_invalid")


def check_trades(rows: Rows, report: Report) -> None:
    """Report prints without a price above zero and a size of zero or more."""
    price, size = rows["price"], rows["size"]
    if ((price > 0) & (price < PRICE_MAX) & (size >= 0) & (size < np.inf)).all():
        return
    missing = np.isnan(price) | np.isnan(size)
    _note_cell(rows, report, np.isnan(price), "price", "missing", "drop_nan")
    _note_cell(rows, report, np.isnan(size) & ~np.isnan(price), "size", "missing", "drop_nan")
    wrong = ~missing & ~((price > 0) & (price < PRICE_MAX))
    _note_cell(rows, report, wrong, "price", "no price", "drop_invalid")
    wrong = ~missing & ~((size >= 0) & (size < np.inf))
    _note_cell(rows, report, wrong, "size", "no size", "drop_invalid")


def _note_cell(rows: Rows, report: Report, mask: Mask, name: str, what: str, repair: str) -> None:
    where = np.flatnonzero(mask)
    if len(where):
        code = "nan" if repair == "drop_nan" else name
        report.add(
            code,
            f"{name} is {what} ({rows[name][where[0]]})",
            _DROP,
            rows=rows.numbers(where),
            repair=repair,
        )


def count_off_grid(prices: Float64s) -> int:
    """Count prices that are not the float64 nearest to a multiple of 1e-9; NaN is not counted."""
    count = 0
    scratch = np.empty(min(_BLOCK_ROWS, len(prices)))
    for start in range(0, len(prices), _BLOCK_ROWS):
        block = prices[start : start + _BLOCK_ROWS]
        nearest = scratch[: len(block)]
        # The division is the exact test: both operands are exact, so it gives the float64 nearest
        # to the multiple. The product may be one multiple off where float64 is coarse.
        np.multiply(block, _GRID, out=nearest)
        np.rint(nearest, out=nearest)
        np.divide(nearest, _GRID, out=nearest)
        differs = nearest != block
        if differs.any():
            count += _count_off_grid_slowly(block[differs])
    return count


def _count_off_grid_slowly(prices: Float64s) -> int:
    prices = prices[~np.isnan(prices)]
    near = np.rint(prices * _GRID)
    on_grid = np.zeros(len(prices), dtype=bool)
    for shift in (-1.0, 0.0, 1.0):
        on_grid |= (near + shift) / _GRID == prices
    return len(prices) - int(np.count_nonzero(on_grid))


def to_grid(prices: Float64s) -> Float64s:
    """Return computed prices as the float64 nearest to their multiple of 1e-9."""
    near = np.rint(prices * _GRID)
    found = near / _GRID
    for shift in (-1.0, 1.0):
        # In the millions the product may be one multiple off: what is on the grid stays.
        found = np.where((near + shift) / _GRID == prices, prices, found)
    return np.asarray(found)

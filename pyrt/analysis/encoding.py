"""Columns packed for a browser: integers on a decimal grid, differences, deflate, base64."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_RAW = 2**30  # keeps the difference of any two raw values inside int32
MAX_DECIMALS = 9
NS_PER_MS = 1_000_000


def pack_numbers(values: Any) -> dict[str, Any]:
    """Pack finite numbers as differences of integers ``round(value * 10 ** decimals)``.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        A value that is not finite repeats the one before it (0 at the start): these columns are
        drawn, not computed with.

    Returns
    -------
    dict
        ``kind`` "grid", ``n``, ``decimals`` and ``data``. As many decimals as the values need, or
        as fit 30 bits: at least 9 significant digits of the largest.
    """
    numbers = _filled(np.asarray(values, dtype=np.float64))
    decimals = _decimals(numbers)
    raw = np.rint(numbers * 10.0**decimals).astype(np.int32)
    steps = np.diff(raw, prepend=np.int32(0)).astype("<i4")
    return {"kind": "grid", "n": len(raw), "decimals": decimals, "data": _deflate(steps)}


def pack_times(ts: NDArray[np.int64]) -> dict[str, Any]:
    """Pack times in nanoseconds; the browser gets milliseconds as float64.

    Whole milliseconds travel as differences in their greatest common unit, others as float64.
    """
    ts = np.asarray(ts, dtype=np.int64)
    whole, rest = np.divmod(ts, NS_PER_MS)
    steps = np.diff(whole)
    unit = (int(np.gcd.reduce(steps)) if len(steps) else 0) or 1
    largest = int(np.max(np.abs(steps), initial=0)) // unit
    if len(ts) == 0 or bool(np.any(rest)) or largest >= 2**31:
        return {"kind": "f64", "n": len(ts), "data": _deflate((ts / NS_PER_MS).astype("<f8"))}
    data = _deflate((steps // unit).astype("<i4"))
    return {"kind": "time", "n": len(ts), "first": int(whole[0]), "unit": unit, "data": data}


def pack_texts(values: Sequence[str]) -> dict[str, Any]:
    """Pack strings as codes into the list of distinct ones, in order of appearance."""
    names: dict[str, int] = {}
    codes = [names.setdefault(value, len(names)) for value in values]
    return {"kind": "text", "names": list(names), "codes": pack_numbers(codes)}


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    if bool(np.all(known)):
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last >= 0, values[np.maximum(last, 0)], 0.0)


def _decimals(values: NDArray[np.float64]) -> int:
    """Fewest decimals that say every value exactly, within what `MAX_RAW` admits."""
    largest = float(np.max(np.abs(values))) if len(values) else 0.0
    admitted = MAX_DECIMALS
    while admitted > -300 and largest * 10.0**admitted > MAX_RAW:
        admitted -= 1
    for decimals in range(min(admitted, MAX_DECIMALS) + 1):
        scale = 10.0**decimals
        if bool(np.all(np.rint(values * scale) / scale == values)):
            return decimals
    return admitted


def _deflate(values: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 6)).decode("ascii")

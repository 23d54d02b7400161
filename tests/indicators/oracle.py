"""Judge pyrt and TA-Lib by exact arithmetic: who is off, where, and by how much.

A row is judged so: where TA-Lib lies within 1e-10 of the exact value, pyrt has to lie within 1e-9
of TA-Lib; elsewhere within 1e-9 of the exact value. Distances are relative to the exact value or,
where that comes close to 0, to a thousandth of what the output usually is (of the price, where the
output is 0 but for the rounding of the input).

`python -m tests.indicators.oracle [NAME ...]` prints the cases in which TA-Lib is off.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import mpmath
import numpy as np
import talib
from numpy.typing import NDArray

import pyrt.indicators as indicators
import tests.reference.exact_cycles
import tests.reference.exact_talib_more  # noqa: F401  (importing them files their functions)
from tests.indicators.series import SERIES, Columns, defined_for
from tests.reference.exact_talib import FUNCTIONS, exact

Array = NDArray[np.float64]
TALIB_IS_RIGHT = 1e-10
EQUAL = 1e-9
MOST = np.finfo(np.float64).max
# Differences of numbers a spike has made large, as long as it is in the window (or, in a sum over
# everything, for good): no double can hold what they come from to more digits.
CANCELS = {"AC": 1e-8, "ADOSC": 5e-8, "MACDEXT": 1e-8, "STOCHRSI": 1e-6, "WAD": 1e-7}
PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One output of one function on one series."""

    name: str
    output: str
    series: str
    rows: int
    talib_off: int
    """Rows in which TA-Lib is off by more than 1e-10."""
    talib_error: float
    """Its greatest error ..."""
    our_error: float
    """... and ours."""
    faults: int
    """Rows in which pyrt is not what it has to be."""

    def __str__(self) -> str:
        return (
            f"{self.name:20} {self.output:14} {self.series:10} {self.talib_off:5d} of "
            f"{self.rows:4d} {self.talib_error:9.1e} {self.our_error:9.1e} {self.faults:5d}"
        )


def as_rows(column: Array) -> list[mpmath.mpf | None]:
    return [None if v != v else mpmath.mpf(v) for v in column.tolist()]


def outputs_of(result: object) -> list[Array]:
    arrays = result if isinstance(result, tuple) else (result,)
    return [np.asarray(a, dtype=np.float64) for a in arrays]


def errors(found: Array, truth: list[mpmath.mpf], scale: mpmath.mpf) -> Array:
    """Distance of each value from the exact one, relative to it or to the output's scale."""
    result = np.full(len(found), np.inf)
    for i, (value, exactly) in enumerate(zip(found.tolist(), truth, strict=True)):
        if abs(value) == np.inf and abs(exactly) > MOST:
            result[i] = 0.0
        elif value == value and abs(value) != np.inf:
            result[i] = float(abs(mpmath.mpf(value) - exactly) / max(abs(exactly), scale))
    return result


def scale_of(truth: list[mpmath.mpf], bars: Columns) -> mpmath.mpf:
    """A thousandth of the output's median, or of the price's where the output is rounding only."""
    usual = sorted(abs(v) for v in truth)[len(truth) // 2]
    price = mpmath.mpf(float(np.nanmedian(np.abs(bars["close"]))))
    return (usual if usual > price * 1e-9 else price) / 1000


def judge(name: str, series: str, bars: Columns) -> Iterator[Case]:
    """Compare one function's outputs on one series."""
    indicator = getattr(indicators, name)()
    columns = defined_for(name, indicator.inputs, bars)
    with np.errstate(all="ignore"):
        theirs = outputs_of(getattr(talib, name)(*columns))
    ours = outputs_of(indicator.batch(*columns))
    truths = exact(name, [as_rows(c) for c in columns])
    for output, mine, their, truth in zip(indicator.outputs, ours, theirs, truths, strict=True):
        known = [i for i, v in enumerate(truth) if v is not None]
        values = [truth[i] for i in known]
        if not values:
            continue
        assert not np.isnan(mine[known]).any(), f"{name}: not ready where it has to be"
        assert np.isnan(np.delete(mine, known)).all(), f"{name}: ready too early"
        scale = scale_of(values, bars)
        off, own = errors(their[known], values, scale), errors(mine[known], values, scale)
        equal = CANCELS.get(name, EQUAL) if series == "spiked" else EQUAL
        with np.errstate(invalid="ignore"):
            apart = np.abs(mine[known] - their[known])
        near = (apart <= equal * np.maximum(np.abs(their[known]), float(scale))) | (
            mine[known] == their[known]
        )
        right = np.where(off <= TALIB_IS_RIGHT, near, own <= equal)
        yield Case(
            name=name,
            output=output,
            series=series,
            rows=len(known),
            talib_off=int(np.sum(off > TALIB_IS_RIGHT)),
            talib_error=float(np.max(off)),
            our_error=float(np.max(own)),
            faults=int(np.sum(~right)),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--series", nargs="*", default=list(SERIES))
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--digits", type=int, default=200)
    parser.add_argument("--all", action="store_true", help="cases in which TA-Lib is right, too")
    chosen = parser.parse_args()
    mpmath.mp.dps = chosen.digits
    heading = f"{'function':20} {'output':14} {'series':10} {'TA-Lib off':>13} {'its error':>9}"
    print(f"{heading} {'ours':>9} {'faults':>6}")
    for series in chosen.series:
        bars = {name: column[: chosen.rows] for name, column in SERIES[series]().items()}
        for name in chosen.names or sorted(FUNCTIONS):
            for case in judge(name, series, bars):
                if chosen.all or case.talib_off or case.faults:
                    print(case, flush=True)


if __name__ == "__main__":
    main()

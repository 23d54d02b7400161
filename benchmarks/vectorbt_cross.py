"""The same moving-average cross in vectorbt, as a reference: run by its own interpreter.

Prints ns a bar. vectorbt and pyrt's other references want different NumPys, so `make bench` gives
it an environment of its own.
"""

from __future__ import annotations

import statistics
import sys
import time

import vectorbt

from benchmarks.timing import bars


def main(rows: int, repeats: int) -> None:
    """Print the median over the repeats; the first run, which compiles, is thrown away."""
    close = bars(rows)["close"].reset_index(drop=True)  # an index of times costs it a hundredfold
    found = []
    for _ in range(repeats + 1):
        start = time.perf_counter_ns()
        fast, slow = vectorbt.MA.run(close, 50), vectorbt.MA.run(close, 200)
        vectorbt.Portfolio.from_signals(
            close, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), size=100, init_cash=1e6
        ).final_value()
        found.append((time.perf_counter_ns() - start) / rows)
    print(statistics.median(found[1:]))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

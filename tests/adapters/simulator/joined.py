"""Two tables of bars as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyrt.data.columns import BarColumns, array_names


def joined(first: BarColumns, second: BarColumns) -> BarColumns:
    """Return the bars of one symbol, one table after the other."""
    names = array_names(first)
    return replace(
        first, **{n: np.concatenate((getattr(first, n), getattr(second, n))) for n in names}
    )

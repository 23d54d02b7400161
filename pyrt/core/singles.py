"""Numbers kept in 32 bits, read as the decimal that was meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["from_single"]


def from_single(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return float32 numbers as float64, each as the shortest decimal that it stands for.

    Widened bit by bit, 13.93 in 32 bits is 13.930000305: off the tick, and no level of a book.

    Examples
    --------
    >>> from_single(np.array([13.93, np.nan], dtype=np.float32)).tolist()
    [13.93, nan]
    """
    distinct, places = np.unique(values, return_inverse=True)
    read = distinct.astype(np.str_).astype(np.float64)
    return np.asarray(read[places.reshape(-1)], dtype=np.float64)

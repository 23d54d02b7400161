"""What users give as columns, as contiguous arrays of doubles; what is no column is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.errors import DataError

# Of NumPy's kinds of data: booleans, whole numbers, floats, and objects that may be numbers.
NUMERIC = "biufO"


def as_column(owner: str, name: str, given: Any) -> NDArray[np.float64]:
    """Return one column as doubles: the array itself where it is one already.

    Parameters
    ----------
    owner, name : str
        Who takes it, and what it is, for the error.
    given : array_like of numbers, shape (n,)
        A missing value of a nullable column (None, pandas' NA) is NaN.

    Raises
    ------
    DataError
        If it has another shape, or holds times, texts, complex or other things that are no numbers.
    """
    if _of_pandas(given) and given.dtype.kind in NUMERIC:
        # A nullable column of pandas makes objects of its values unless it is asked for doubles.
        array = _converted(owner, name, lambda: given.to_numpy(np.float64, na_value=np.nan))
    else:
        array = _converted(owner, name, lambda: np.asarray(given))
    if array.ndim != 1:
        raise DataError(
            f"{owner} takes one-dimensional columns, got {name} of shape {array.shape}",
            name=name,
            value=array.shape,
        )
    if array.dtype.kind not in NUMERIC:
        raise DataError(
            f"{owner} takes columns of numbers, got {name} of {array.dtype}",
            name=name,
            value=str(array.dtype),
        )
    return _converted(owner, name, lambda: np.ascontiguousarray(array, dtype=np.float64))


def as_times(owner: str, given: Any) -> NDArray[np.int64]:
    """Return times as ns UTC: the array itself where it is one already.

    Parameters
    ----------
    owner : str
        Who takes them, for the error.
    given : array_like of int (ns UTC) or datetimes of any unit, shape (n,)
        Datetimes without a time zone are UTC.

    Raises
    ------
    DataError
        If it has another shape, lacks a time, or holds neither whole numbers nor datetimes.
    """
    if _of_pandas(given) and given.dtype.kind == "M":
        # A column with a time zone makes objects of its values unless it is asked for times.
        array = given.to_numpy("datetime64[ns]")
    else:
        array = _converted(owner, "ts_event", lambda: np.asarray(given))
    if array.ndim != 1:
        raise DataError(
            f"{owner} takes one-dimensional columns, got ts_event of shape {array.shape}",
            name="ts_event",
            value=array.shape,
        )
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise DataError(f"{owner} got a ts_event without a time", name="ts_event")
        array = array.astype("datetime64[ns]").view(np.int64)
    elif array.dtype.kind not in "iu" and len(array):
        raise DataError(
            f"{owner} takes ts_event as whole numbers (ns UTC) or datetimes, got {array.dtype}",
            name="ts_event",
            value=str(array.dtype),
        )
    return np.ascontiguousarray(array, dtype=np.int64)


def _of_pandas(given: Any) -> bool:
    """Whether it is a column or an index of pandas, which is not imported to find out."""
    return type(given).__module__.partition(".")[0] == "pandas" and hasattr(given, "dtype")


def _converted(owner: str, name: str, convert: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    try:
        return convert()
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{owner} takes columns of numbers; {name} holds something else: {error}", name=name
        ) from error

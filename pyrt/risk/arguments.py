"""What functions of portfolio risk are given: read as numbers, or refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from pyrt.errors import ConfigError

Floats = npt.NDArray[np.float64]
NUMBERS = (int, float, Decimal, np.integer, np.floating)


def refused(name: str, value: Any, expected: str, remedy: str = "") -> ConfigError:
    """Return the error that names an argument and what was expected of it."""
    return ConfigError(f"{name} is {value!r:.80}; expected {expected}", remedy=remedy, name=name)


# -- single numbers --------------------------------------------------------------------------------


def number(name: str, value: Any, expected: str = "a finite number") -> float:
    """Return a finite number as a float; ConfigError for anything else, text included."""
    if isinstance(value, bool) or not isinstance(value, NUMBERS) or not isfinite(value):
        raise refused(name, value, expected)
    return float(value)


def positive(name: str, value: Any) -> float:
    """Return a number above 0."""
    found = number(name, value, "a positive number")
    if found <= 0.0:
        raise refused(name, value, "a positive number")
    return found


def nonnegative(name: str, value: Any) -> float:
    """Return a number of 0 or more."""
    found = number(name, value, "0 or more")
    if found < 0.0:
        raise refused(name, value, "0 or more")
    return found


def share(name: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    found = number(name, value, "a share from 0 to 1")
    if not 0.0 <= found <= 1.0:
        raise refused(name, value, "a share from 0 to 1")
    return found


def level_of(value: Any) -> float:
    """Return a confidence level: a share between 0 and 1."""
    expected = "a share between 0 and 1, such as 0.95"
    found = number("level", value, expected)
    if not 0.0 < found < 1.0:
        raise refused("level", value, expected)
    return found


def count_of(name: str, value: Any) -> int:
    """Return a whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise refused(name, value, "a whole number of 1 or more")
    return int(value)


# -- arrays ----------------------------------------------------------------------------------------


def array(name: str, values: Any, expected: str = "numbers") -> Floats:
    """Return values as an array of floats; ConfigError where they are no numbers, or ragged."""
    try:
        found = np.asarray(values)
        if found.ndim and found.dtype.kind in "iuf":
            return found.astype(float)
        if not found.ndim or found.dtype.kind != "O":
            raise TypeError
        if any(isinstance(one, (str, bytes, bool)) for one in found.flat):
            raise TypeError
        return found.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise refused(name, values, expected, "Give numbers, not text or dates") from None


def series(name: str, values: Any) -> Floats:
    """Return a series without its NaN; ConfigError for infinity, and for more than one column."""
    found = array(name, values, "one number for each period")
    if found.ndim > 1 and found.size != max(found.shape):
        raise refused(name, values, "one number for each period", "Give one column")
    known: Floats = found.ravel()[~np.isnan(found.ravel())]
    if not np.isfinite(known).all():
        raise refused(name, values, "finite numbers", "Drop or fill these periods")
    return known


def table(name: str, values: Any, columns: int) -> Floats:
    """Return numbers of shape (n_periods, columns)."""
    found = array(name, values, "numbers of shape (n_periods, n_assets)")
    if found.ndim != 2 or found.shape[1] != columns:
        raise ConfigError(
            f"{name} of shape {found.shape} do not fit {columns} values",
            remedy="Give one row for each period, with one number for each asset",
            name=name,
        )
    return found


def held_values(values: Any) -> Floats:
    """Return values held as an array; ConfigError unless it has one dimension and is finite."""
    held = array("values", values, "one finite number for each asset")
    if held.ndim != 1 or not np.isfinite(held).all():
        raise refused(
            "values",
            values,
            "one finite number for each asset",
            "A holding without a price has no risk that could be stated",
        )
    return held


def each(held: Floats, numbers: Any, name: str) -> Floats:
    """Return one finite number for each holding; ConfigError where they do not fit."""
    found = array(name, numbers)
    if found.shape != held.shape or not np.isfinite(found).all():
        raise refused(name, numbers, f"{len(held)} finite numbers")
    return found


def square(name: str, values: Any) -> Floats:
    """Return a square, finite and symmetric matrix; ConfigError for any other."""
    matrix = array(name, values)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ConfigError(f"{name} has the shape {matrix.shape}; expected a square", name=name)
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
        raise ConfigError(f"{name} is not finite and symmetric", name=name)
    return matrix


def checked_covariance(covariance: Any) -> Floats:
    """Return a covariance as an array; ConfigError unless it is finite, square and symmetric."""
    matrix = square("covariance", covariance)
    if (np.diag(matrix) < 0.0).any():
        raise ConfigError("the covariance has a negative variance", name="covariance")
    return matrix


def mapping(name: str, values: Any, expected: str = "a mapping of symbols to numbers") -> Any:
    """Return a mapping; ConfigError for anything else."""
    if not isinstance(values, Mapping):
        raise refused(name, values, expected)
    return values

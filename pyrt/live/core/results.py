"""Results of slow work as bytes on the tape, and back: the same value, or none at all.

What comes back has the types that went in, to the last bit; nothing in the bytes can run. A value
of any other type (a fitted model, a table) is not written: a replay does that work again.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

RESULT_MAX = 1 << 20
"""Larger results are not written, in bytes."""
DEPTH_MAX = 50
"""Nor are containers in each other deeper than this: reading them takes more of the stack."""
PLAIN = (type(None), bool, float, str, bytes)
NUMERIC = "biufcmM"
"""Kinds of NumPy values that are numbers and nothing else."""
WRONG = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, msgspec.DecodeError)


def encode_result(value: Any) -> bytes | None:
    """Return a result, or an exception that stands for one, as bytes; None if it has no such form.

    Numbers, texts, bytes, Decimal, lists, tuples, dicts and NumPy arrays of numbers have one.
    """
    try:
        data = msgspec.msgpack.encode(_parts(value))
    except Exception:
        # Half a surrogate is no text, an integer can have too many digits, and what a user's
        # exception does as it is put into words is its own affair.
        return None
    return data if len(data) <= RESULT_MAX else None


def decode_result(data: bytes) -> Any:
    """Return the value of `encode_result`.

    Raises
    ------
    ValueError
        If these are no such bytes.
    """
    try:
        return _value(msgspec.msgpack.decode(data))
    except WRONG as error:
        raise ValueError(f"no result of slow work: {error}") from error


def _parts(value: Any, depth: int = 0) -> Any:
    """Return a value of plain types: a container is a list that begins with what it was."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is int:
        # msgpack ends at 64 bits, and Python does not.
        return value if -(1 << 63) <= value < 1 << 63 else ["int", str(value)]
    if kind in (list, tuple, dict) and depth == DEPTH_MAX:
        raise TypeError(f"more than {DEPTH_MAX} containers are in each other")
    if kind is Decimal:
        return ["decimal", str(value)]
    if kind is list or kind is tuple:
        return [kind.__name__, *(_parts(item, depth + 1) for item in value)]
    if kind is dict:
        return ["dict", *(_parts(item, depth + 1) for pair in value.items() for item in pair)]
    if isinstance(value, Exception):
        return ["error", kind.__name__, str(value)]
    if kind is np.ndarray and value.dtype.kind in NUMERIC:
        return ["array", value.dtype.str, list(value.shape), value.tobytes()]
    if isinstance(value, np.generic) and value.dtype.kind in NUMERIC:
        return ["number", value.dtype.str, value.tobytes()]
    raise TypeError(f"{kind.__name__} has no form on the tape")


def _value(parts: Any) -> Any:
    if type(parts) is not list:
        return parts
    read: Callable[[list[Any]], Any] = READERS[parts[0]]
    return read(parts[1:])


def _dtype(name: str) -> np.dtype[Any]:
    made = np.dtype(name)
    if made.kind not in NUMERIC:
        raise TypeError(f"{name} is no type of numbers")
    return made


def _dict(items: list[Any]) -> dict[Any, Any]:
    values = [_value(item) for item in items]
    return dict(zip(values[::2], values[1::2], strict=True))


def _array(parts: list[Any]) -> Any:
    name, shape, data = parts
    return np.frombuffer(data, _dtype(name)).reshape(shape).copy()


def _number(parts: list[Any]) -> Any:
    name, data = parts
    return np.frombuffer(data, _dtype(name))[0]


def _error(parts: list[Any]) -> Exception:
    """Return an exception of that name: the strategy that it stops says the same about it."""
    name, text = parts
    made: Exception = type(name, (Exception,), {})(text)
    return made


READERS: dict[str, Callable[[list[Any]], Any]] = {
    "int": lambda parts: int(parts[0]),
    "decimal": lambda parts: Decimal(parts[0]),
    "list": lambda parts: [_value(item) for item in parts],
    "tuple": lambda parts: tuple(_value(item) for item in parts),
    "dict": _dict,
    "array": _array,
    "number": _number,
    "error": _error,
}

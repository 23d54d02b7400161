"""Results of slow work on the tape: what comes back is what went in, or nothing goes in."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.live.core.results import DEPTH_MAX, RESULT_MAX, decode_result, encode_result

NUMBERS = st.sampled_from(["<f8", "<f4", "<i8", "<i4", "|u1", "|b1", "<c16", "<M8[ns]"])
ARRAYS = st.builds(
    lambda dtype, shape: np.arange(math.prod(shape), dtype="i8").astype(dtype).reshape(shape),
    NUMBERS,
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
)
KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats()
LEAVES = KEYS | st.decimals() | ARRAYS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS | st.tuples(KEYS), inner)
    ),
    max_leaves=12,
)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values have the same types and bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict):
        return is_same(list(one), list(other)) and is_same(list(one.values()), list(other.values()))
    if isinstance(one, (np.ndarray, np.generic)):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, Decimal):
        return str(one) == str(other)
    return one == other


@given(VALUES)
def test_a_value_comes_back_with_its_types_to_the_last_bit(value):
    data = encode_result(value)
    assert data is not None
    assert is_same(decode_result(data), value)


@pytest.mark.parametrize("value", [np.float64(0.1), np.int32(-3), np.bool_(True), 1 << 200, 1 << 63,
                                   (1 << 63) - 1, -(1 << 63), -(1 << 63) - 1, 1 << 64])  # fmt: skip
def test_single_numbers_come_back(value):
    assert is_same(decode_result(encode_result(value)), value)


def test_an_array_that_comes_back_can_be_written_to():
    back = decode_result(encode_result(np.zeros(3)))
    back[0] = 1.0
    assert back.tolist() == [1.0, 0.0, 0.0]


class Text(str):
    """Text of a kind of its own."""


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, Text("x"), [1, lambda: 2], np.array([object()]), np.array(["text"]),
     np.ma.masked_array([1.0, 2.0], [0, 1]), np.array([(1, 2.0)], dtype="i4,f8")[0]],
)  # fmt: skip
def test_what_has_no_form_is_not_written(value):
    assert encode_result(value) is None


def test_what_is_too_large_or_contains_itself_is_not_written():
    # Five bytes say how long such bytes are.
    most = b"x" * (RESULT_MAX - 5)
    assert decode_result(encode_result(most)) == most
    assert encode_result(most + b"x") is None
    endless: list[Any] = []
    endless.append(endless)
    assert encode_result(endless) is None


def nested(depth: int) -> Any:
    value: Any = Decimal(1)
    for number in range(depth):
        value = ([value], (value,), {"in": value})[number % 3]
    return value


def test_what_is_nested_comes_back_from_wherever_it_can_be_written():
    """What could be written could not be read again: that takes more of the stack."""
    assert is_same(decode_result(encode_result(nested(DEPTH_MAX))), nested(DEPTH_MAX))
    for depth in (DEPTH_MAX + 1, 350, 480):
        assert encode_result(nested(depth)) is None


class Mute(Exception):
    def __str__(self) -> str:
        raise LookupError("no words")


@pytest.mark.parametrize(
    "value",
    [
        "\udcff", ["\udcff"], {"\udcff": 1}, 10**5000, Mute(),
        # As the name of a file has it that is in no code.
        FileNotFoundError("no file model-\udcff.bin"),
    ],
    ids=["text", "list", "key", "digits", "mute", "file"],
)  # fmt: skip
def test_what_is_no_text_is_not_written_and_raises_nothing(value):
    """The node died of it: it writes down what slow work came to on its own thread."""
    assert encode_result(value) is None


def test_an_exception_comes_back_by_its_name_and_words():
    class NoModel(Exception):
        """Raised by somebody's code."""

    for error in (ValueError("negative"), KeyError("x"), NoModel("none")):
        back = decode_result(encode_result(error))
        assert isinstance(back, Exception)
        assert (type(back).__name__, str(back)) == (type(error).__name__, str(error))


@pytest.mark.parametrize(
    "parts",
    [
        ["array", "|O", [1], b"12345678"],
        ["array", "<f8", [2], b"12345678"],
        ["array", "<f8", [-1, -1], b"12345678"],
        ["number", "|S4", b"text"],
        ["import", "os"],
        ["int", "x"],
        ["dict", 1],
        ["dict", ["list"], 1],
        ["error"],
        [],
    ],
)
def test_other_bytes_are_refused(parts):
    with pytest.raises(ValueError, match="no result of slow work"):
        decode_result(msgspec.msgpack.encode(parts))


def test_bytes_that_are_nested_without_end_are_refused():
    with pytest.raises(ValueError, match="no result of slow work"):
        decode_result(b"\x92\xa4list" * 50_000 + b"\xc0")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_decode_or_be_refused(data):
    try:
        decode_result(data)
    except ValueError:
        return
